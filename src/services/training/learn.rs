//! The first step: messages into profiles.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::{Options, Progress, Report, Tell};
use crate::domain::embedding::Embedding;
use crate::domain::knowledge::facts::FactKind;
use crate::domain::learning::{Offer, Said};
use crate::models::tenant::{catalog, learning};
use crate::services::embedding::Embedder;
use crate::services::{ServiceError, Services};
use crate::tenant::{StoreError, Tenant};

/// Conversations of a page: one transaction, short enough that no turn has to wait for it.
const PAGE: i64 = 100;
/// Messages of a page; what is more is learnt in the next pass.
const PAGE_MESSAGES: i64 = 2_000;
/// Passes without anything learnt before what turns hold is left to the next run.
const PATIENCE: usize = 3;
/// Between such passes.
const PAUSE: Duration = Duration::from_millis(500);

/// What one page brought.
#[derive(Default)]
struct Page {
    conversations: usize,
    messages: usize,
    profiles: usize,
}

/// Learns until nothing is left that can be had.
pub(super) async fn all(
    services: &Services,
    tenant: &Tenant,
    embedder: &dyn Embedder,
    options: &Options,
    tell: Tell<'_>,
) -> Result<Report, ServiceError> {
    let lesson = Lesson {
        services,
        tenant,
        offers: offers(tenant).await?,
        wants_provider: !embedder.space().is_local(),
        options,
        tell,
    };
    let mut report = Report::default();
    let mut idle = 0;
    loop {
        let learnt = lesson.pass(&mut report).await?;
        let mut tx = tenant.db.begin().await?;
        report.left = learning::left(&mut tx, options.since).await?;
        tx.commit().await?;
        idle = if learnt { 0 } else { idle + 1 };
        if report.left == 0 || idle >= PATIENCE {
            return Ok(report);
        }
        if !learnt {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What the company offers, as customers may name it.
async fn offers(tenant: &Tenant) -> Result<Vec<Offer>, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let items = catalog::all(&mut tx).await?;
    tx.commit().await?;
    let offered = items.iter().filter(|item| matches!(item.fact.kind, FactKind::Service | FactKind::Product));
    Ok(offered.filter_map(|item| Offer::new(&item.fact.name)).collect())
}

struct Lesson<'a> {
    services: &'a Services,
    tenant: &'a Tenant,
    offers: Vec<Offer>,
    wants_provider: bool,
    options: &'a Options,
    tell: Tell<'a>,
}

impl Lesson<'_> {
    /// Goes over all conversations once. Returns whether anything was learnt.
    async fn pass(&self, report: &mut Report) -> Result<bool, ServiceError> {
        let pages = stream::try_unfold(Uuid::nil(), |after| async move {
            let mut tx = self.tenant.db.begin().await?;
            let ids = learning::page(&mut tx, self.options.since, after, PAGE).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(ids.last().copied().map(|last| (ids, last)))
        });
        let learnt = pages.map(|ids| async { self.page(&ids?).await }).buffer_unordered(self.options.jobs.max(1));
        let mut any = false;
        let mut learnt = std::pin::pin!(learnt);
        while let Some(page) = learnt.try_next().await? {
            any |= page.messages > 0;
            report.conversations += page.conversations;
            report.messages += page.messages;
            report.profiles += page.profiles;
            (self.tell)(Progress::Learnt(page.conversations));
        }
        Ok(any)
    }

    /// Learns from a page: all of it, or nothing.
    async fn page(&self, ids: &[Uuid]) -> Result<Page, StoreError> {
        let mut tx = self.tenant.db.begin().await?;
        let (held, mut people) = learning::hold(&mut tx, ids).await?;
        let messages = learning::unlearned(&mut tx, &held, PAGE_MESSAGES).await?;
        let (mut marks, mut touched): (HashMap<Uuid, i64>, HashSet<Uuid>) = (HashMap::new(), HashSet::new());
        for message in &messages {
            let Some(person) = people.get_mut(&message.person) else { continue };
            let said = Said { text: &message.text, at: message.at };
            person.learned.learn(said, &self.offers, person.name.as_deref());
            marks.insert(message.conversation, message.seq);
            touched.insert(message.person);
        }
        let now = self.services.clock.now();
        for person in touched.iter().filter_map(|id| people.get(id)) {
            let hashed = Embedding::hashed(&person.learned.essence());
            let pending = self.wants_provider && hashed.is_some();
            learning::keep(&mut tx, (person.id, &person.learned), hashed.as_ref(), pending, now).await?;
        }
        learning::mark(&mut tx, &marks).await?;
        tx.commit().await?;
        Ok(Page { conversations: marks.len(), messages: messages.len(), profiles: touched.len() })
    }
}
