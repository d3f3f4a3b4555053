//! What people of the company and the operator do with a conversation, and what is said beside a turn.

use std::mem::take;

use uuid::Uuid;

use super::Turn;
use super::commit::{hold, stored};
use super::mailbox::Mailbox;
use super::rows::{delivery_row, outbox_row};
use crate::domain::conversation::history::{Author, Line};
use crate::domain::conversation::order::Act;
use crate::domain::conversation::standing::Standing;
use crate::domain::inbound::Sender;
use crate::models::tenant::delivery::{self, DeliveryRow, DeliveryState};
use crate::models::tenant::{conversation as stored_conversation, message};
use crate::queue::Return;
use crate::services::ServiceError;
use crate::services::context::Conversation;
use crate::services::delivery::deliver;
use crate::tenant::TenantTx;

/// A text that answers no message.
pub(super) struct Aside<'a> {
    /// Its message's id.
    pub id: Uuid,
    /// Who says it.
    pub author: Author,
    /// The words.
    pub text: &'a str,
    /// Its place in the conversation.
    pub seq: i64,
    /// What it follows from.
    pub correlation_id: &'a str,
}

impl Turn<'_> {
    /// Does what people of the company ordered. A text that could not leave yet ends the turn: nothing may overtake it.
    pub(super) async fn obey_team(
        &self,
        conversation: &mut Conversation,
        mailbox: &mut Mailbox,
    ) -> Result<Option<Return>, ServiceError> {
        for (waiting, act) in take(&mut mailbox.team) {
            let seq = waiting.seq;
            if conversation.is_new {
                tracing::warn!("An order for a conversation that is gone was dropped");
                self.ack(&[seq], None).await?;
                continue;
            }
            let (now_ms, mut standing) = (self.services.clock.now_ms(), conversation.standing.clone());
            let pause = self.tenant.settings.attending.pause_ms;
            match &act {
                Act::Accept | Act::Reply { .. } => standing.team_speaks(pause, now_ms),
                Act::Resolve => standing.resolve(now_ms),
                Act::GiveBack => standing.give_back(now_ms),
            }
            let aside = match &act {
                Act::Reply { text } => Some(Aside {
                    id: waiting.envelope.id,
                    author: Author::Team,
                    text,
                    seq,
                    correlation_id: &waiting.envelope.correlation_id,
                }),
                _ => None,
            };
            let rows = self.write_aside(conversation, None, aside.as_ref(), &standing).await?;
            self.ack(&[seq], Some(conversation)).await?;
            if let Some(wait) = self.leave(conversation, rows).await? {
                return Ok(Some(wait));
            }
        }
        Ok(None)
    }

    /// Says something beside the turn, under its claim. A text that could not leave yet ends the turn.
    pub(super) async fn say_aside(
        &self,
        conversation: &mut Conversation,
        to: &Sender,
        aside: &Aside<'_>,
    ) -> Result<Option<Return>, ServiceError> {
        self.lease.bind();
        let standing = conversation.standing.clone();
        let rows = self.write_aside(conversation, Some(to), Some(aside), &standing).await?;
        self.leave(conversation, rows).await
    }

    pub(super) async fn leave(
        &self,
        conversation: &mut Conversation,
        rows: Vec<DeliveryRow>,
    ) -> Result<Option<Return>, ServiceError> {
        if rows.is_empty() {
            return Ok(None);
        }
        let (outcome, given_up) = deliver(&self.errand(conversation), rows).await?;
        if given_up {
            self.read_again(conversation).await?;
        }
        Ok((outcome != Return::Clean).then_some(outcome))
    }

    /// One transaction under the fence: the text, and how the conversation stands.
    async fn write_aside(
        &self,
        conversation: &mut Conversation,
        to: Option<&Sender>,
        aside: Option<&Aside<'_>>,
        standing: &Standing,
    ) -> Result<Vec<DeliveryRow>, ServiceError> {
        let mut tx = self.tenant.db.begin().await?;
        let rows = match self.write_in(&mut tx, conversation, to, aside, standing).await {
            Ok(rows) => rows,
            Err(error) => {
                tx.rollback().await;
                return Err(error);
            }
        };
        tx.commit().await?;
        conversation.is_new = false;
        conversation.standing.clone_from(standing);
        if let Some(aside) = aside {
            conversation.lines.push(Line::new(aside.author, aside.text).at(self.now()));
        }
        Ok(rows)
    }

    async fn write_in(
        &self,
        tx: &mut TenantTx,
        conversation: &mut Conversation,
        to: Option<&Sender>,
        aside: Option<&Aside<'_>>,
        standing: &Standing,
    ) -> Result<Vec<DeliveryRow>, ServiceError> {
        let now = self.now();
        match to {
            Some(to) => hold(self, conversation, tx, to, now).await?,
            None => stored_conversation::take(tx, conversation.id, None, self.claim.fence, now).await?,
        }
        if *standing != conversation.standing {
            stored_conversation::stand(tx, conversation.id, &stored(standing)?).await?;
        }
        let Some(aside) = aside else { return Ok(Vec::new()) };
        let address = match to {
            Some(to) => to.reply_address(),
            None => stored_conversation::reply_address(tx, conversation.id).await?,
        };
        let place = (conversation.id, None);
        let mut row = outbox_row(place, aside.author, aside.correlation_id, aside.seq, aside.text, now);
        row.id = aside.id;
        let rows = vec![delivery_row(self, &row, address, 0)];
        message::append(tx, &[row]).await?;
        delivery::insert(tx, &rows).await?;
        Ok(rows)
    }
}

/// A dead text becomes due again, by an operator's order. Its next failure makes it a dead letter again.
pub(super) async fn revive(turn: &Turn<'_>, id: Uuid) -> Result<(), ServiceError> {
    let now = turn.now();
    let mut tx = turn.tenant.db.begin().await?;
    if let Some(mut row) = delivery::find(&mut tx, id).await?
        && row.state() == DeliveryState::Dead
    {
        stored_conversation::take(&mut tx, row.conversation_id, None, turn.claim.fence, now).await?;
        // Of unknown fate before: then it is no text that may be replaced as surely unsent.
        if row.error_code.as_deref() == Some("ambiguous") {
            row.resends = row.resends.max(1);
        }
        row.state = DeliveryState::RetryWait.as_str().to_owned();
        row.error_code = Some(delivery::REQUEUED.to_owned());
        row.next_at = Some(now);
        delivery::save(&mut tx, &row).await?;
    }
    tx.commit().await?;
    Ok(())
}
