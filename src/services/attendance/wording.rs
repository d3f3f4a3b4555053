//! From what is to be said to the texts that leave: the company's wording around it, what is said at a first contact, cut
//! into bubbles.

use chrono::{Datelike, Timelike};
use uuid::Uuid;

use super::answer::{Prepared, Said};
use super::known::Known;
use crate::domain::conversation::bubbles::{BUBBLE_MAX, BUBBLES_MAX, bubbles};
use crate::domain::conversation::rendering::Variables;
use crate::domain::conversation::selection::{Assigned, Occasion, Slot, Wordings};
use crate::domain::conversation::template::Template;
use crate::domain::conversation::tone::ToneWords;
use crate::models::tenant::event;
use crate::services::context::Conversation;
use crate::services::{Services, templates};
use crate::tenant::Tenant;

/// Puts what was decided into words. The variant of an experiment that was used is noted.
pub(super) async fn put(
    services: &Services,
    tenant: &Tenant,
    (conversation, key): (&Conversation, &str),
    known: &Known,
    prepared: &mut Prepared,
    words: Option<&str>,
) {
    let slot = match prepared.said {
        Said::Nothing(_) => return,
        Said::Model | Said::Agenda => Slot::Reply,
        Said::Ready(template, _) => Slot::Ready(template),
    };
    let wordings = templates::wordings(services, tenant).await;
    let assigned = assigned(tenant, conversation, &wordings).await;
    let away = known.away(tenant, prepared.standing.away_until_ms);
    let back = known.back();
    let transfer = transfer_words(prepared, &back);
    let tone = tone_words(tenant, conversation, known);
    let variables = Variables {
        resposta: words.unwrap_or_default(),
        saudacao: &tone.saudacao,
        nome: known.name.as_deref().unwrap_or_default(),
        empatia: &tone.empatia,
        humor: &tone.humor,
        transferencia: &transfer,
        empresa: &tenant.company.name,
        retorno: &back,
        privacidade: &tenant.settings.contact.privacy_url,
    };
    let understanding = prepared.decision.understanding;
    let mut variants = Vec::new();
    let mut said = |slot: Slot| {
        let occasion = Occasion { slot, intent: understanding.intent, mood: understanding.mood.mood };
        let rendered = wordings.choose(tenant.id(), key, occasion, &assigned).render(&variables);
        if let Some(error) = rendered.failed {
            let company = tenant.id().get();
            tracing::warn!(company, slot = slot.key(), %error, "A company's wording could not be used; the built-in one is");
        }
        variants.extend(rendered.experiment);
        rendered.text
    };
    let mut text = said(slot);
    // The rest was answered; what was not heard is asked for, unless a person comes who can listen.
    if prepared.unheard && slot != Slot::Ready(Template::MediaUnheard) && prepared.hand_off.is_none() {
        text = format!("{text}\n\n{}", said(Slot::Ready(Template::MediaUnheard)));
    }
    if tenant.settings.contact.notice && !prepared.standing.noticed {
        text = format!("{}\n\n{text}", said(Slot::Ready(Template::FirstContact)));
        prepared.standing.noticed = true;
    }
    if let Some((holiday, until_ms)) = &away {
        let template = if *holiday { Template::Holiday } else { Template::OutOfHours };
        let notice = said(Slot::Ready(template));
        // Where there is no room for both, the answer counts, and the notice is for the next one.
        if text.chars().count() + notice.chars().count() + 2 <= BUBBLE_MAX * BUBBLES_MAX {
            text = format!("{text}\n\n{notice}");
            prepared.standing.away_until_ms = Some(*until_ms);
        }
    }
    prepared.bubbles = bubbles(&text);
    prepared.variants = variants;
}

/// What is said of the person who is fetched: by whom nobody is there to be fetched, when.
fn transfer_words(prepared: &Prepared, back: &str) -> String {
    match prepared.hand_off {
        Some(_) if !back.is_empty() => {
            format!("Certo, deixei seu pedido para a equipe. Ela volta {back} e responde por aqui.")
        }
        _ => String::new(),
    }
}

/// The tone in words. The same conversation is opened the same way all day.
fn tone_words(tenant: &Tenant, conversation: &Conversation, known: &Known) -> ToneWords {
    let chance = u64::from(known.now.ordinal()).wrapping_add(conversation.id.as_u64_pair().1);
    let openings = &tenant.settings.tone.openings;
    known.tone.words(openings, known.name.as_deref(), known.now.hour(), chance)
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
