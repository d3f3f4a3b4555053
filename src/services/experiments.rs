//! A/B tests of wordings: made, begun, ended, promoted, and what their figures say.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Services;
use super::audit::{self, Actor};
use super::templates::{self, WordingError, changed, fit, known_place, within};
use crate::domain::conversation::experiment::{Counts, Goal, Policy, Report, Trial, Variant, Verdict};
use crate::domain::conversation::selection::{Place, Running};
use crate::models::tenant::event::{self, Windows};
use crate::models::tenant::experiment::{self, DRAFT, ExperimentRow, PROMOTED, RUNNING, STOPPED};
use crate::models::tenant::template;
use crate::tenant::{StoreError, Tenant, TenantDb, TenantTx};

/// How long after it was first shown a wording is held to have caused what somebody does: a day for writing again, a week
/// for all else.
const WINDOWS: Windows = Windows { response_hours: 24, outcome_hours: 168 };
/// How old the figures may be that an epsilon-greedy experiment goes by.
const COUNTS_FRESH: TimeDelta = TimeDelta::minutes(5);

/// An experiment to be made.
#[derive(Clone, Debug)]
pub struct NewExperiment {
    /// What the owner calls it.
    pub name: String,
    /// The wording it tries.
    pub place: Place,
    /// Its plan; the figures in it do not count.
    pub trial: Trial,
}

/// An experiment with what its figures say.
#[derive(Clone, Debug)]
pub struct Examined {
    /// As stored, figures included.
    pub row: ExperimentRow,
    /// Its plan and figures, read.
    pub trial: Trial,
    /// What they say.
    pub report: Report,
}

#[derive(Serialize, Deserialize)]
struct StoredVariant {
    name: String,
    body: String,
    weight: u32,
}

impl Examined {
    fn of(row: ExperimentRow) -> Result<Self, StoreError> {
        let trial = trial(&row)?;
        Ok(Self { report: trial.judge(), trial, row })
    }

    /// People still to come before anything can be said, all variants together.
    pub fn missing(&self) -> u64 {
        if let Verdict::NotEnough { missing } = self.report.verdict { missing } else { 0 }
    }

    /// The verdict in a sentence for the owner.
    pub fn sentence(&self) -> String {
        let names: Vec<&str> = self.trial.variants.iter().map(|variant| variant.name.as_str()).collect();
        self.report.sentence(&names)
    }
}

fn trial(row: &ExperimentRow) -> Result<Trial, StoreError> {
    let bad = |what: &str| StoreError::pg_data(format!("experiment {}: {what} cannot be read", row.id));
    let stored: Vec<StoredVariant> = serde_json::from_value(row.variants.clone()).map_err(|_| bad("variants"))?;
    let policy = match row.policy.as_str() {
        "fixed" => Policy::Fixed,
        "epsilon_greedy" => Policy::EpsilonGreedy { epsilon: row.epsilon },
        _ => return Err(bad("policy")),
    };
    Ok(Trial {
        policy,
        goal: Goal::from_label(&row.goal).ok_or_else(|| bad("goal"))?,
        least_effect: row.least_effect,
        variants: stored
            .into_iter()
            .map(|one| Variant { name: one.name, source: Arc::from(one.body), weight: one.weight })
            .collect(),
        counts: serde_json::from_value(row.counts.clone()).map_err(|_| bad("counts"))?,
    })
}

/// An experiment under way as turns need it; `None`, and a warning, when it cannot be read.
pub(super) fn running(row: &ExperimentRow) -> Option<Running> {
    let place = known_place(row.id, Place::parse(&row.key, &row.intent, &row.mood))?;
    let trial = trial(row).inspect_err(|error| tracing::warn!(%error, "An experiment is left out")).ok()?;
    Some(Running { id: row.id, place, trial })
}

/// Takes figures anew for experiments that go by theirs. Where that fails they go by the older ones.
pub(super) async fn recount_stale(db: &TenantDb, rows: &mut [ExperimentRow], now: DateTime<Utc>) {
    let stale = |row: &&mut ExperimentRow| {
        row.policy != "fixed" && row.counted_at.is_none_or(|counted| now - counted > COUNTS_FRESH)
    };
    for row in rows.iter_mut().filter(stale) {
        if let Err(error) = recount_alone(db, row, now).await {
            tracing::warn!(experiment = %row.id, %error, "An experiment's figures cannot be taken anew");
        }
    }
}

async fn recount_alone(db: &TenantDb, row: &mut ExperimentRow, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    recount(&mut tx, row, now).await?;
    tx.commit().await
}

/// Takes an experiment's figures anew and keeps them.
async fn recount(tx: &mut TenantTx, row: &mut ExperimentRow, now: DateTime<Utc>) -> Result<(), StoreError> {
    // Those who were shown a wording before the end count; what they did within its time does, too.
    let tallies = event::tally(tx, row.id, WINDOWS, row.ended_at.unwrap_or(now)).await?;
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let counts: Vec<Counts> = trial(row)?
        .variants
        .iter()
        .map(|variant| {
            let found = tallies.iter().find(|tally| tally.variant == variant.name);
            found.map_or_else(Counts::default, |tally| Counts {
                impressions: number(tally.impressions),
                people: number(tally.people),
                responses: number(tally.responses),
                conversions: number(tally.conversions),
                positives: number(tally.positives),
            })
        })
        .collect();
    row.counts = json!(counts);
    row.counted_at = Some(now);
    experiment::count(tx, row.id, &row.counts, now).await
}

/// All experiments of a company, the newest first, with the figures of when they were last looked at.
pub async fn list(tenant: &Tenant) -> Result<Vec<Examined>, WordingError> {
    let rows = within(tenant, async |tx| Ok(experiment::all(tx).await?)).await?;
    Ok(rows.into_iter().map(Examined::of).collect::<Result<_, _>>()?)
}

/// One of them, with the figures of this moment.
pub async fn examine(services: &Services, tenant: &Tenant, id: Uuid) -> Result<Examined, WordingError> {
    let row = within(tenant, async |tx| {
        let mut row = experiment::find(tx, id).await?.ok_or(WordingError::NotFound)?;
        if row.state != DRAFT {
            recount(tx, &mut row, services.clock.now()).await?;
        }
        Ok(row)
    })
    .await?;
    Ok(Examined::of(row)?)
}

/// Makes an experiment; nobody is shown anything before it is started.
///
/// # Errors
/// `Unfit` with what is wrong with a variant; `Field`.
pub async fn create(
    services: &Services,
    tenant: &Tenant,
    actor: &Actor,
    new: &NewExperiment,
) -> Result<Examined, WordingError> {
    let now = services.clock.now();
    let row = row(new, now)?;
    within(tenant, async |tx| {
        experiment::insert(tx, &row).await?;
        record(tx, tenant, actor, ("experiment.create", &row), now).await
    })
    .await?;
    Ok(Examined::of(row)?)
}

fn row(new: &NewExperiment, now: DateTime<Utc>) -> Result<ExperimentRow, WordingError> {
    let (key, intent, mood) = new.place.names();
    let (policy, epsilon) = match new.trial.policy {
        Policy::Fixed => ("fixed", 0.0),
        Policy::EpsilonGreedy { epsilon } => ("epsilon_greedy", epsilon),
    };
    let sound = |holds: bool, field, must| if holds { Ok(()) } else { Err(WordingError::Field { field, must }) };
    let name = new.name.trim();
    sound((1..=80).contains(&name.chars().count()), "name", "1 to 80 characters")?;
    sound(policy == "fixed" || (0.01..=1.0).contains(&epsilon), "epsilon", "from 0.01 to 1")?;
    sound((0.01..=0.5).contains(&new.trial.least_effect), "least_effect", "from 0.01 to 0.5")?;
    Ok(ExperimentRow {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        key: key.to_owned(),
        intent: intent.to_owned(),
        mood: mood.to_owned(),
        state: DRAFT.to_owned(),
        policy: policy.to_owned(),
        epsilon,
        goal: new.trial.goal.label().to_owned(),
        least_effect: new.trial.least_effect,
        variants: variants(new)?,
        counts: json!([]),
        counted_at: None,
        winner: None,
        created_at: now,
        started_at: None,
        ended_at: None,
    })
}

fn variants(new: &NewExperiment) -> Result<Value, WordingError> {
    let given = &new.trial.variants;
    let wrong = |must| WordingError::Field { field: "variants", must };
    if !(2..=5).contains(&given.len()) {
        return Err(wrong("2 to 5"));
    }
    let mut stored: Vec<StoredVariant> = Vec::new();
    for variant in given {
        let name = variant.name.trim().to_owned();
        if !(1..=40).contains(&name.chars().count()) || stored.iter().any(|one| one.name == name) {
            return Err(wrong("named differently, with 1 to 40 characters"));
        }
        if !(1..=1000).contains(&variant.weight) {
            return Err(wrong("of a weight from 1 to 1000"));
        }
        stored.push(StoredVariant { name, body: fit(new.place.slot, &variant.source)?, weight: variant.weight });
    }
    Ok(json!(stored))
}

/// Begins an experiment.
///
/// # Errors
/// `State` unless it is a draft; `Taken` while another one runs at its place.
pub async fn start(services: &Services, tenant: &Tenant, actor: &Actor, id: Uuid) -> Result<Examined, WordingError> {
    let now = services.clock.now();
    let row = within(tenant, async |tx| {
        let mut row = held(tx, id, &[DRAFT], "started").await?;
        (row.state, row.started_at) = (RUNNING.to_owned(), Some(now));
        experiment::save(tx, &row).await?;
        record(tx, tenant, actor, ("experiment.start", &row), now).await?;
        Ok(row)
    })
    .await?;
    changed(services, tenant).await;
    Ok(Examined::of(row)?)
}

/// Ends an experiment: the wording that was there before counts again.
///
/// # Errors
/// `State` unless it is running.
pub async fn stop(services: &Services, tenant: &Tenant, actor: &Actor, id: Uuid) -> Result<Examined, WordingError> {
    let now = services.clock.now();
    let row = within(tenant, async |tx| {
        let mut row = held(tx, id, &[RUNNING], "stopped").await?;
        recount(tx, &mut row, now).await?;
        (row.state, row.ended_at) = (STOPPED.to_owned(), Some(now));
        experiment::save(tx, &row).await?;
        record(tx, tenant, actor, ("experiment.stop", &row), now).await?;
        Ok(row)
    })
    .await?;
    changed(services, tenant).await;
    Ok(Examined::of(row)?)
}

/// Makes a variant the wording of the experiment's place, and ends the experiment.
///
/// # Errors
/// `State` unless it is running or stopped; `Field` when it has no such variant.
pub async fn promote(
    services: &Services,
    tenant: &Tenant,
    actor: &Actor,
    (id, variant): (Uuid, &str),
) -> Result<Examined, WordingError> {
    let now = services.clock.now();
    let row = within(tenant, async |tx| {
        let mut row = held(tx, id, &[RUNNING, STOPPED], "promoted").await?;
        recount(tx, &mut row, now).await?;
        let place = Place::parse(&row.key, &row.intent, &row.mood)?;
        let trial = trial(&row)?;
        let chosen = trial.variants.iter().find(|one| one.name == variant);
        let chosen = chosen.ok_or(WordingError::Field { field: "variant", must: "one of the experiment's" })?;
        template::put(tx, &templates::row(place, chosen.source.to_string(), now)).await?;
        (row.state, row.winner) = (PROMOTED.to_owned(), Some(variant.to_owned()));
        row.ended_at = row.ended_at.or(Some(now));
        experiment::save(tx, &row).await?;
        record(tx, tenant, actor, ("experiment.promote", &row), now).await?;
        Ok(row)
    })
    .await?;
    changed(services, tenant).await;
    Ok(Examined::of(row)?)
}

/// Takes an experiment away that was never begun.
///
/// # Errors
/// `State` when it was; `NotFound`.
pub async fn delete(services: &Services, tenant: &Tenant, actor: &Actor, id: Uuid) -> Result<(), WordingError> {
    within(tenant, async |tx| {
        let row = held(tx, id, &[DRAFT], "deleted").await?;
        experiment::delete_draft(tx, id).await?;
        record(tx, tenant, actor, ("experiment.delete", &row), services.clock.now()).await
    })
    .await
}

async fn held(tx: &mut TenantTx, id: Uuid, states: &[&str], wish: &'static str) -> Result<ExperimentRow, WordingError> {
    let row = experiment::hold(tx, id).await?.ok_or(WordingError::NotFound)?;
    if states.contains(&row.state.as_str()) { Ok(row) } else { Err(WordingError::State { state: row.state, wish }) }
}

async fn record(
    tx: &mut TenantTx,
    tenant: &Tenant,
    actor: &Actor,
    (action, row): (&'static str, &ExperimentRow),
    now: DateTime<Utc>,
) -> Result<(), WordingError> {
    let detail = json!({ "key": row.key, "intent": row.intent, "mood": row.mood, "winner": row.winner });
    let entry = actor.entry(action, format!("experiment/{}", row.id), detail);
    Ok(audit::record(tx, tenant.id(), &entry, now).await?)
}
