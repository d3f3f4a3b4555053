//! From what is to be said to the texts that leave: the company's wording around it, what is said at a first contact, cut
//! into bubbles.

use uuid::Uuid;

use super::answer::{Prepared, Said};
use super::mailbox::Mailbox;
use crate::domain::conversation::bubbles::bubbles;
use crate::domain::conversation::injection::judge;
use crate::domain::conversation::rendering::Variables;
use crate::domain::conversation::selection::{Assigned, Occasion, Slot, Wordings};
use crate::domain::conversation::template::Template;
use crate::models::tenant::event;
use crate::services::context::Conversation;
use crate::services::{Services, templates};
use crate::tenant::Tenant;

/// Puts what was decided into words. The variant of an experiment that was used is noted.
pub(super) async fn put(
    services: &Services,
    tenant: &Tenant,
    conversation: &Conversation,
    mailbox: &Mailbox,
    prepared: &mut Prepared,
    words: Option<&str>,
) {
    let slot = match prepared.said {
        Said::Nothing(_) => return,
        Said::Model => Slot::Reply,
        Said::Ready(template, _) => Slot::Ready(template),
    };
    let wordings = templates::wordings(services, tenant).await;
    let assigned = assigned(tenant, conversation, &wordings).await;
    let shown = mailbox.messages.iter().rev().find_map(|(_, message)| message.name.as_ref());
    let name = conversation.called(shown.map(|name| name.as_str())).filter(|name| !judge(name).blocks());
    let variables = Variables {
        resposta: words.unwrap_or_default(),
        nome: name.unwrap_or_default(),
        empresa: &tenant.company.name,
        privacidade: &tenant.settings.contact.privacy_url,
        ..Variables::default()
    };
    let understanding = prepared.decision.understanding;
    let mut said = |slot: Slot| {
        let occasion = Occasion { slot, intent: understanding.intent, mood: understanding.mood.mood };
        let rendered =
            wordings.choose(tenant.id(), &conversation.id.to_string(), occasion, &assigned).render(&variables);
        if let Some(error) = rendered.failed {
            let company = tenant.id().get();
            tracing::warn!(company, slot = slot.key(), %error, "A company's wording could not be used; the built-in one is");
        }
        prepared.variants.extend(rendered.experiment);
        rendered.text
    };
    let mut text = said(slot);
    if tenant.settings.contact.notice && !prepared.standing.noticed {
        text = format!("{}\n\n{text}", said(Slot::Ready(Template::FirstContact)));
        prepared.standing.noticed = true;
    }
    prepared.bubbles = bubbles(&text);
}

/// Which variants the person was given before. Asked only where an experiment runs that the short context knows nothing of.
async fn assigned(tenant: &Tenant, conversation: &Conversation, wordings: &Wordings) -> Assigned {
    let mut known = conversation.assigned.clone();
    let unknown = wordings.running().iter().any(|running| !known.contains_key(&running.id));
    if unknown && !conversation.is_new {
        match stored(tenant, conversation.id).await {
            Ok(stored) => known.extend(stored),
            Err(error) => tracing::warn!(company = tenant.id().get(), %error, "Variants given before cannot be read"),
        }
    }
    known
}

async fn stored(tenant: &Tenant, conversation: Uuid) -> Result<Vec<(Uuid, String)>, crate::tenant::StoreError> {
    let mut tx = tenant.db.begin().await?;
    let rows = event::assigned(&mut tx, conversation).await?;
    tx.commit().await?;
    Ok(rows)
}

/// A ready text in the company's own wording, else the built-in one, with nothing filled in.
pub(super) async fn ready(services: &Services, tenant: &Tenant, template: Template) -> String {
    let variables = Variables { empresa: &tenant.company.name, ..Variables::default() };
    let occasion = Occasion {
        slot: Slot::Ready(template),
        intent: crate::domain::conversation::intent::Intent::Other,
        mood: crate::domain::conversation::sentiment::Mood::Neutral,
    };
    let wordings = templates::wordings(services, tenant).await;
    wordings.choose(tenant.id(), "", occasion, &Assigned::default()).render(&variables).text
}
