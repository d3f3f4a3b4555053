//! What is known when an answer is prepared: the company's facts and knowledge, whether it is open, the customer and how
//! to speak to them.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::answer::Prepared;
use super::mailbox::Mailbox;
use crate::config::company::CalendarKind;
use crate::domain::agenda::flow::wording::moment;
use crate::domain::conversation::decide::Understanding;
use crate::domain::conversation::history::{Author, Line};
use crate::domain::conversation::injection::judge;
use crate::domain::conversation::prompt::{Briefing, Instruction, Material, instruction};
use crate::domain::conversation::synthesis::synthesis;
use crate::domain::conversation::tone::ToneProfile;
use crate::domain::conversation::truth::{Blocked, Truths, check};
use crate::domain::embedding::Embedding;
use crate::domain::hours::{self, Status, state_line};
use crate::models::tenant::profile;
use crate::services::agenda::appointments_of;
use crate::services::context::Conversation;
use crate::services::knowledge::{self, Recall};
use crate::services::{ServiceError, Services};
use crate::tenant::Tenant;

/// Most of a person's own earlier messages that are told.
const EARLIER_TOLD: usize = 3;

/// Everything an answer may rest on.
pub(super) struct Known {
    /// What to call the customer.
    pub name: Option<String>,
    /// The local time.
    pub now: NaiveDateTime,
    /// Whether the company is open; `None` where its hours are not known.
    pub status: Option<Status>,
    /// How to speak.
    pub tone: ToneProfile,
    recall: Recall,
    state: Option<String>,
    /// What the customer wrote long ago about the same thing: their words, so never part of the instruction.
    pub earlier: Vec<String>,
    /// The appointments they have: when, and what.
    appointments: Vec<(NaiveDateTime, String)>,
    /// Times that are on offer to them.
    slots: Vec<NaiveDateTime>,
    own: Vec<String>,
}

/// What is known without asking any store: enough for a ready text.
pub(super) fn without_knowledge(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
    understanding: Understanding,
) -> Known {
    let now = services.clock.now().with_timezone(&tenant.settings.timezone).naive_local();
    let own: Vec<String> =
        mailbox.messages.iter().filter_map(|(_, one)| Some(one.text.as_ref()?.as_str().to_owned())).collect();
    let status = tenant.settings.hours.known.then(|| tenant.settings.hours.business.status(now));
    let shown = mailbox.messages.iter().rev().find_map(|(_, message)| message.name.as_ref());
    // A profile's name is the customer's text like any other.
    let name = conversation.called(shown.map(|name| name.as_str())).filter(|name| !judge(name).blocks());
    Known {
        name: name.map(str::to_owned),
        now,
        state: status.as_ref().map(|status| state_line(status, now)),
        status,
        tone: ToneProfile::of(tenant.settings.tone.style, conversation.opinions, understanding.mood.mood),
        recall: Recall::default(),
        earlier: Vec::new(),
        appointments: Vec::new(),
        slots: Vec::new(),
        own,
    }
}

/// Gathers what is known. Failures are logged and leave a part out: an answer without it is better than none.
///
/// # Errors
/// The customer's appointments cannot be read: without them an answer could deny what is.
pub(super) async fn gather(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
    prepared: &Prepared,
) -> Result<Known, ServiceError> {
    let understanding = prepared.decision.understanding;
    let mut known = without_knowledge(services, tenant, conversation, mailbox, understanding);
    let (at, company, question) = (services.clock.now(), tenant.id().get(), known.own.join("\n"));
    known.recall = knowledge::recall(services, tenant, &question, at).await.unwrap_or_else(|error| {
        tracing::warn!(company, %error, "The company's knowledge cannot be read; the answer goes without it");
        Recall::default()
    });
    if conversation.returning {
        known.earlier = earlier(tenant, conversation, &question, at).await.unwrap_or_else(|error| {
            tracing::warn!(company, %error, "What the customer wrote long ago cannot be read");
            Vec::new()
        });
    }
    let local = |moment: DateTime<Utc>| moment.with_timezone(&tenant.settings.timezone).naive_local();
    known.slots = prepared.standing.agenda.offered().into_iter().filter(|start| *start > at).map(local).collect();
    if tenant.settings.calendar.kind != CalendarKind::None && !conversation.is_new {
        let rows = appointments_of(tenant, conversation.person_id, at).await?;
        known.appointments = rows.iter().map(|row| (local(row.starts_at), row.service.clone())).collect();
    }
    Ok(known)
}

/// Of a person who comes back: what they wrote long ago about the same thing.
async fn earlier(
    tenant: &Tenant,
    conversation: &Conversation,
    question: &str,
    now: DateTime<Utc>,
) -> Result<Vec<String>, ServiceError> {
    let Some(asked) = Embedding::hashed(question) else { return Ok(Vec::new()) };
    let mut tx = tenant.db.begin().await?;
    let known = profile::find(&mut tx, conversation.person_id).await?;
    // Somebody who never spoke of it need not be looked through; numbers of a provider cannot be compared without asking it.
    let far = known.and_then(|known| known.embedding).is_some_and(|one| one.space().is_local() && !one.touches(&asked));
    let texts = match far {
        true => Vec::new(),
        false => profile::earlier(&mut tx, conversation.person_id, now).await?,
    };
    tx.commit().await?;
    let shown: Vec<&str> = conversation.lines.iter().map(|line| line.text.as_str()).collect();
    let near = texts.into_iter().filter(|(text, _)| {
        !shown.contains(&text.as_str())
            && judge(text).score == 0.0
            && Embedding::hashed(text).is_some_and(|one| one.is_near(&asked))
    });
    let line = |(text, at): (String, DateTime<Utc>)| {
        let short: String = text.chars().take(160).collect();
        format!("[escrito em {}] {short}", at.with_timezone(&tenant.settings.timezone).format("%d/%m/%Y"))
    };
    // The newest, in the order in which they were written.
    let mut told: Vec<String> = near.take(EARLIER_TOLD).map(line).collect();
    told.reverse();
    Ok(told)
}

impl Known {
    fn appointment_line(&self, (at, service): &(NaiveDateTime, String)) -> String {
        let when = moment(*at, self.now.date());
        if service.is_empty() { when } else { format!("{service}: {when}") }
    }

    /// The system instruction.
    pub(super) fn instruction(
        &self,
        services: &Services,
        tenant: &Tenant,
        conversation: &Conversation,
        window: &[Line],
    ) -> Instruction {
        let briefing = Briefing {
            company: &tenant.company.name,
            facts: &tenant.settings.facts,
            customer: self.name.as_deref(),
            zone: tenant.settings.timezone,
        };
        let before = conversation.lines.len().saturating_sub(window.len());
        let before = conversation.lines.get(..before).unwrap_or_default();
        let synthesis = synthesis(before, &[], 400);
        let appointments: Vec<String> = self.appointments.iter().map(|one| self.appointment_line(one)).collect();
        let material = Material {
            state: self.state.as_deref(),
            knowledge: &self.recall.entries,
            catalogue: &self.recall.services,
            appointments: &appointments,
            profile: Some(&conversation.profile),
            synthesis: &synthesis,
            tone: Some(&self.tone),
            ..Material::default()
        };
        instruction(&briefing, &material, services.clock.now())
    }

    /// What the answer says that nothing bears out.
    pub(super) fn doubts(
        &self,
        services: &Services,
        tenant: &Tenant,
        conversation: &Conversation,
        system: &str,
        text: &str,
    ) -> Vec<Blocked> {
        let mut facts: Vec<&str> = vec![&tenant.company.name, &tenant.settings.contact.privacy_url];
        let labelled: Vec<String> =
            tenant.settings.facts.iter().map(|(label, fact)| format!("{label}: {fact}")).collect();
        facts.extend(labelled.iter().map(String::as_str));
        facts.extend(self.recall.entries.iter().chain(&self.recall.services).map(String::as_str));
        facts.extend(self.state.as_deref());
        // What people of the company said is theirs to say.
        let team = conversation.lines.iter().filter(|line| line.by == Author::Team);
        facts.extend(team.map(|line| line.text.as_str()));
        let customer = conversation.lines.iter().filter(|line| line.by == Author::Customer);
        let said: Vec<&str> =
            customer.map(|line| line.text.as_str()).chain(self.own.iter().map(String::as_str)).collect();
        let names: Vec<&str> = self.name.as_deref().into_iter().collect();
        let appointments: Vec<NaiveDateTime> = self.appointments.iter().map(|(at, _)| *at).collect();
        let truths = Truths {
            facts: &facts,
            customer_said: &said,
            own_phone: None,
            names: &names,
            slots: &self.slots,
            effects: &[],
            appointments: &appointments,
            read_facts: &services.read_facts,
            system_prompt: system,
            now: self.now,
        };
        check(text, &truths)
    }

    /// When the team is back, while nobody is there: "amanhã às 8h"; empty while it is there, or when nobody knows.
    pub(super) fn back(&self) -> String {
        match self.status {
            Some(Status::Closed { opens: Some(opens), .. }) => hours::opens_text(opens, self.now),
            _ => String::new(),
        }
    }

    /// The notice that the company is closed, once a closing: whether for a holiday, and until when it holds,
    /// milliseconds since 1970.
    pub(super) fn away(&self, tenant: &Tenant, told_until_ms: Option<i64>) -> Option<(bool, i64)> {
        if !tenant.settings.hours.notice {
            return None;
        }
        let zone = tenant.settings.timezone;
        let told = told_until_ms.and_then(DateTime::from_timestamp_millis);
        let told = told.map(|until| until.with_timezone(&zone).naive_local());
        let status = self.status.as_ref()?;
        let notice = hours::notice(status, self.now, told)?;
        let Status::Closed { reason, .. } = status else { return None };
        let until = notice.holds_until.and_local_timezone(zone).earliest()?.timestamp_millis();
        Some((matches!(reason, hours::Reason::Holiday(_)), until))
    }
}
