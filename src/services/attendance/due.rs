//! What is due at a time, said beside the turn and under its claim: reminders, questions after a visit, times that became
//! free.
//!
//! An envelope only says which row to look at. The row, its appointment and the person's wishes are read again in the
//! transaction that stores the text, so that it leaves once and never for what is gone; a row that is done already is left.

mod words;

use std::mem::take;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::Turn;
use super::commit::{hold, stored};
use super::mailbox::Mailbox;
use super::rows::{delivery_row, outbox_row};
use crate::domain::conversation::history::{Author, Line};
use crate::domain::conversation::standing::{Attendant, Standing};
use crate::domain::inbound::Sender;
use crate::models::tenant::appointment::{self, AppointmentRow};
use crate::models::tenant::consent::{self, ConsentKind};
use crate::models::tenant::delivery::{self, DeliveryRow};
use crate::models::tenant::message::{self, NewMessage};
use crate::models::tenant::timer::{self, CANCELLED, DONE, DUE, TimerRow};
use crate::models::tenant::{conversation as stored_conversation, person};
use crate::queue::{Return, Waiting};
use crate::services::ServiceError;
use crate::services::agenda::timers::{self, AUTO_RESCHEDULE, FOLLOW_UP, OUTCOME, VACANCY, Verdict, judge};
use crate::services::audit;
use crate::services::context::Conversation;
use crate::telemetry::metrics::{self, TimerSkip};
use crate::tenant::{StoreError, TenantTx};

/// How long something waits while a person of the company attends, or the customer is being answered.
const BUSY: TimeDelta = TimeDelta::minutes(5);

/// What became of a due row.
enum Outcome {
    /// Nothing is said.
    Silent,
    /// Nothing is said, and that is counted.
    Skipped(metrics::TimerKind, TimerSkip),
    /// It was stored and is to leave.
    Said(Box<Told>),
}

/// What is to leave, and how the conversation stands since.
struct Told {
    rows: Vec<DeliveryRow>,
    lines: Vec<Line>,
    standing: Standing,
    kind: metrics::TimerKind,
    late: Duration,
}

impl Turn<'_> {
    /// Says what is due. A text that could not leave yet ends the turn: nothing may overtake it.
    pub(super) async fn say_due(
        &self,
        conversation: &mut Conversation,
        mailbox: &mut Mailbox,
    ) -> Result<Option<Return>, ServiceError> {
        for (waiting, id) in take(&mut mailbox.timers) {
            let seq = [waiting.seq];
            if !mailbox.messages.is_empty() {
                // An answer must not be taken for one to what is only being said now.
                self.put_off(id).await?;
                self.ack(&seq, None).await?;
                continue;
            }
            self.lease.bind();
            let mut tx = self.tenant.db.begin().await?;
            let outcome = match self.settle_due(&mut tx, conversation, &waiting, id).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    tx.rollback().await;
                    return Err(error);
                }
            };
            tx.commit().await?;
            let told = match outcome {
                Outcome::Silent => None,
                Outcome::Skipped(kind, why) => {
                    metrics::timer_skipped(self.tenant.id(), kind, why);
                    None
                }
                Outcome::Said(told) => Some(told),
            };
            let Some(told) = told else {
                self.ack(&seq, None).await?;
                continue;
            };
            metrics::timer_sent(self.tenant.id(), told.kind, told.late);
            conversation.is_new = false;
            conversation.standing = told.standing;
            conversation.lines.extend(told.lines);
            self.ack(&seq, Some(conversation)).await?;
            if let Some(wait) = self.leave(conversation, told.rows).await? {
                return Ok(Some(wait));
            }
        }
        Ok(None)
    }

    /// It is put into the mailbox again when the customer has been answered.
    async fn put_off(&self, id: Uuid) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.tenant.db.begin().await?;
        if let Some(mut row) = timer::lock(&mut tx, id).await?.filter(|row| row.state == DUE) {
            row.due_at = now;
            row.updated_at = now;
            timer::save(&mut tx, &row).await?;
        }
        tx.commit().await?;
        timers::due::tell_after_commit(self.services, self.tenant.id(), Some(now)).await;
        Ok(())
    }

    /// Looks at the row again, in the transaction that stores what is said.
    async fn settle_due(
        &self,
        tx: &mut TenantTx,
        conversation: &mut Conversation,
        waiting: &Waiting,
        id: Uuid,
    ) -> Result<Outcome, ServiceError> {
        let (now, settings) = (self.now(), &self.tenant.settings);
        if !conversation.is_new {
            // First, as in every transaction that decides: an older claim ends here.
            stored_conversation::take(tx, conversation.id, None, self.claim.fence, now).await?;
        }
        let of = timer::find(tx, id).await?.and_then(|row| row.appointment_id);
        let Some(of) = of else { return Ok(Outcome::Silent) };
        let row = appointment::lock(tx, of).await?;
        let Some(mut timer) = timer::lock(tx, id).await?.filter(|timer| timer.state == DUE) else {
            return Ok(Outcome::Silent);
        };
        let rules = settings.reminders.rules(settings.timezone);
        let verdict = row.as_ref().map_or(Verdict::Gone, |row| judge(&timer, row, &rules, now));
        let verdict = match verdict {
            Verdict::Send => self.may_say(tx, conversation, &timer).await?,
            other => other,
        };
        timer.updated_at = now;
        let outcome = match (verdict, row) {
            (Verdict::Send, Some(row)) => return self.store_due(tx, conversation, waiting, (timer, &row)).await,
            (Verdict::Send | Verdict::Gone, _) => {
                CANCELLED.clone_into(&mut timer.state);
                Outcome::Silent
            }
            (Verdict::Wait(at), _) => {
                timer.due_at = at;
                Outcome::Silent
            }
            (Verdict::Skip(why), _) => self.skip_due(tx, &mut timer, why).await?,
        };
        timer::save(tx, &timer).await?;
        Ok(outcome)
    }

    async fn skip_due(&self, tx: &mut TenantTx, timer: &mut TimerRow, why: TimerSkip) -> Result<Outcome, ServiceError> {
        timers::skip(tx, self.tenant, (&mut *timer, why), &timers::actor(), self.now()).await?;
        Ok(Outcome::Skipped(timers::label_of(timer), why))
    }

    /// Whether the person may be told something now.
    async fn may_say(
        &self,
        tx: &mut TenantTx,
        conversation: &Conversation,
        timer: &TimerRow,
    ) -> Result<Verdict, ServiceError> {
        let now = self.now();
        let attendant = conversation.standing.attendant_at(now.timestamp_millis());
        if timer.kind == OUTCOME {
            // No message of our own accord: it was asked for. Nobody of the company has come to answer it yet.
            return Ok(if attendant == Attendant::Team { Verdict::Wait(now + BUSY) } else { Verdict::Send });
        }
        // Somebody who never wrote here may be known all the same, by another address.
        let person = match conversation.is_new {
            false => Some(conversation.person_id),
            true => person::behind(tx, "phone", &self.claim.conversation).await?,
        };
        if let Some(person) = person {
            let unwanted = conversation.standing.opted_out
                || person::opted_out_at(tx, person).await?.is_some()
                || timer.kind == FOLLOW_UP && consent::last(tx, person, ConsentKind::FollowUp).await? == Some(false);
            if unwanted {
                return Ok(Verdict::Skip(TimerSkip::OptedOut));
            }
        }
        // A person of the company speaks with them: no machine's word in between.
        if conversation.standing.is_silent(now.timestamp_millis()) {
            return Ok(Verdict::Wait(now + BUSY));
        }
        Ok(Verdict::Send)
    }

    /// Stores the text, that it is said, and what the booking conversation knows of it.
    async fn store_due(
        &self,
        tx: &mut TenantTx,
        conversation: &mut Conversation,
        waiting: &Waiting,
        (mut timer, row): (TimerRow, &AppointmentRow),
    ) -> Result<Outcome, ServiceError> {
        let now = self.now();
        let words = self.words_of(tx, conversation, (&timer, row)).await?;
        if words.bubbles.is_empty() {
            // In the middle of something else: later, if there is a later.
            timer.due_at = now + BUSY;
            timer::save(tx, &timer).await?;
            return Ok(Outcome::Silent);
        }
        let address = match (conversation.is_new, timers::phone_of(row)) {
            (false, _) => stored_conversation::reply_address(tx, conversation.id).await?,
            (true, Some(phone)) if phone.person_key() == self.claim.conversation => {
                let to = Sender::Phone { phone, lid: None };
                hold(self, conversation, tx, &to, now).await?;
                to.reply_address()
            }
            (true, _) => {
                let outcome = self.skip_due(tx, &mut timer, TimerSkip::NoAddress).await?;
                timer::save(tx, &timer).await?;
                return Ok(outcome);
            }
        };
        let mut standing = conversation.standing.clone();
        standing.agenda = words.state;
        if standing != conversation.standing {
            stored_conversation::stand(tx, conversation.id, &stored(&standing)?).await?;
        }
        let (messages, rows) = self.outgoing(conversation, waiting, (&words.bubbles, address), now);
        message::append(tx, &messages).await?;
        delivery::insert(tx, &rows).await?;
        DONE.clone_into(&mut timer.state);
        timer.message_id = messages.first().map(|row| row.id);
        timer.conversation_id = Some(conversation.id);
        timer.person_id = Some(conversation.person_id);
        timer::save(tx, &timer).await?;
        self.record_said(tx, &timer, waiting).await?;
        let late = (now - timers::planned_at(&timer)).to_std().unwrap_or_default();
        let lines = messages.iter().map(|row| Line::new(Author::Assistant, row.body.clone()).at(row.at)).collect();
        Ok(Outcome::Said(Box::new(Told { rows, lines, standing, kind: timers::label_of(&timer), late })))
    }

    fn outgoing(
        &self,
        conversation: &Conversation,
        waiting: &Waiting,
        (bubbles, address): (&[String], String),
        now: DateTime<Utc>,
    ) -> (Vec<NewMessage>, Vec<DeliveryRow>) {
        let place = (conversation.id, None);
        let correlation_id = &waiting.envelope.correlation_id;
        (0_i16..)
            .zip(bubbles)
            .map(|(n, body)| {
                let seq = waiting.seq + i64::from(n);
                let row = outbox_row(place, Author::Assistant, correlation_id, seq, body, now);
                let delivery = delivery_row(self, &row, address.clone(), n);
                (row, delivery)
            })
            .unzip()
    }

    async fn record_said(&self, tx: &mut TenantTx, timer: &TimerRow, waiting: &Waiting) -> Result<(), StoreError> {
        let action = match timer.kind.as_str() {
            FOLLOW_UP => "agenda.follow_up_sent",
            VACANCY => "agenda.vacancy_offered",
            AUTO_RESCHEDULE => "agenda.move_offered",
            OUTCOME => "agenda.outcome_told",
            _ => "agenda.reminder_sent",
        };
        let mut actor = timers::actor();
        actor.correlation_id.clone_from(&waiting.envelope.correlation_id);
        let of = timer.appointment_id.map(|id| id.to_string()).unwrap_or_default();
        let detail = json!({ "name": timer.name, "version": timer.version, "message": timer.message_id });
        audit::record(tx, self.tenant.id(), &actor.entry(action, format!("appointment/{of}"), detail), self.now()).await
    }
}
