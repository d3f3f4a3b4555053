//! What is done periodically for the agenda.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;

use super::elect;
use crate::config::company::CalendarKind;
use crate::domain::company::{CompanyId, CompanyState};
use crate::models::control::periodic_run::Run;
use crate::services::agenda::timers::due::Taken;
use crate::services::agenda::{self, timers};
use crate::services::{ServiceError, Services};
use crate::tenant::Tenant;

/// Companies taken at once, and looked at side by side.
const TAKEN: usize = 64;
const ABREAST: usize = 4;
/// Rows claimed in one transaction.
const ROWS: i64 = 500;
/// Rows of a company settled in one run.
const SETTLED: i64 = 100;
/// The local hour of daily tasks.
const DAILY_HOUR: u32 = 3;
/// Between two companies, so that thousands of them do not meet PostgreSQL at once.
const PAUSE: Duration = Duration::from_millis(2);

/// Does what is due now, of those companies only that have something due. Any number of processes may.
pub async fn timers(services: &Services) -> bool {
    loop {
        let taken = match timers::due::take(services, TAKEN).await {
            Ok(taken) if taken.is_empty() => return true,
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "It could not be looked up who has something due");
                return false;
            }
        };
        let all = futures::stream::iter(taken).map(|one| of_company(services.clone(), one));
        let done: Vec<bool> = all.buffer_unordered(ABREAST).collect().await;
        if !done.into_iter().all(|done| done) {
            return false;
        }
    }
}

async fn of_company(services: Services, taken: Taken) -> bool {
    let company = taken.company.get();
    let done = do_due(&services, &taken).await;
    // What failed is due again when the lease is over.
    done.inspect_err(|error| tracing::warn!(company, %error, "What is due could not be done")).is_ok()
}

async fn do_due(services: &Services, taken: &Taken) -> Result<(), ServiceError> {
    let tenant = services.directory.by_id(taken.company);
    let Some(tenant) = tenant.filter(|tenant| tenant.company.state != CompanyState::Suspended) else {
        timers::due::settle(services, taken, None).await?;
        return Ok(());
    };
    while i64::try_from(timers::dispatch(services, &tenant, ROWS).await?.claimed).unwrap_or(0) >= ROWS {}
    // What another process holds just now is looked at again, but not at once.
    let soon = services.clock.now() + TimeDelta::seconds(1);
    let next = timers::due::next(&tenant).await?.map(|at| at.max(soon));
    Ok(timers::due::settle(services, taken, next).await?)
}

/// Finds out what became of what was left open at calendars outside, and tells whoever asked. Of the company's own
/// calendar only kept times run out, which hurts nobody: they are given up now and then.
pub async fn settle(services: &Services, now: DateTime<Utc>) -> bool {
    let also_local = now.timestamp().rem_euclid(1_800) < 120;
    each(services, "settle", |tenant| async move {
        match tenant.settings.calendar.kind {
            CalendarKind::Calcom => {}
            CalendarKind::Local if also_local => {}
            CalendarKind::Local | CalendarKind::None => return Ok(()),
        }
        let actor = timers::actor();
        let settled = match agenda::of(services, &tenant, &actor) {
            Ok(calendar) => calendar.settle(SETTLED).await,
            Err(error) => Err(error),
        };
        match settled {
            Ok(settled) => timers::tell_settled(services, &tenant, &settled).await,
            Err(agenda::CalendarError::Store(error)) => Err(error.into()),
            Err(error) => {
                tracing::info!(company = tenant.id().get(), %error, "What is open at the calendar stays open");
                Ok(())
            }
        }
    })
    .await
}

/// Compares appointments with the calendars outside: what lost callbacks would have told.
pub async fn reconcile(services: &Services) -> bool {
    each(services, "reconcile", |tenant| async move {
        if tenant.settings.calendar.kind != CalendarKind::Calcom {
            return Ok(());
        }
        match agenda::reconcile::run(services, &tenant).await {
            Ok(report) => timers::tell_settled(services, &tenant, &report.settled).await,
            Err(agenda::CalendarError::Store(error)) => Err(error.into()),
            Err(error) => {
                tracing::info!(company = tenant.id().get(), %error, "The calendar could not be compared with");
                Ok(())
            }
        }
    })
    .await
}

/// Offers times that became free to those who wait.
pub async fn waitlist(services: &Services) -> bool {
    each(services, "waitlist", |tenant| async move {
        agenda::waitlist::tick(services, &tenant).await?;
        Ok(())
    })
    .await
}

/// Asks people of appointments that are likely to be missed whether another time suits better, where the company wishes it.
pub async fn moves(services: &Services) -> bool {
    each(services, "moves", |tenant| async move {
        if tenant.settings.agenda.auto_reschedule {
            agenda::insights::auto_reschedule(services, &tenant, None).await?;
        }
        Ok(())
    })
    .await
}

/// Up to when this process knows that each company's daily run was done: asked once, PostgreSQL is left alone for the day.
static DONE: LazyLock<Mutex<HashMap<CompanyId, DateTime<Utc>>>> = LazyLock::new(Mutex::default);

/// What past days say of those to come, once a day and company, from three in the morning there.
pub async fn optimise(services: &Services) -> bool {
    each(services, "optimise", |tenant| async move {
        let (company, now) = (tenant.id(), services.clock.now());
        let slot = elect::day_of(now, tenant.settings.timezone, DAILY_HOUR);
        let done = || DONE.lock().unwrap_or_else(PoisonError::into_inner);
        if done().get(&company) == Some(&slot) {
            return Ok(());
        }
        let run = Run { task: "optimise", company: company.get(), slot };
        if elect::begin(services, &run).await? {
            let worked = agenda::insights::daily(services, &tenant).await;
            elect::end(services, &run, worked.is_ok()).await?;
            worked?;
        }
        done().insert(company, slot);
        Ok(())
    })
    .await
}

/// Does something for every company that is served, one after the other.
async fn each<F, Fut>(services: &Services, task: &'static str, work: F) -> bool
where
    F: Fn(Arc<Tenant>) -> Fut,
    Fut: Future<Output = Result<(), ServiceError>>,
{
    let mut complete = true;
    for tenant in services.directory.all() {
        if tenant.company.state == CompanyState::Suspended || tenant.settings.calendar.kind == CalendarKind::None {
            continue;
        }
        let company = tenant.id().get();
        if let Err(error) = work(tenant).await {
            tracing::warn!(company, task, %error, "A periodic task failed for a company");
            complete = false;
        }
        tokio::time::sleep(PAUSE).await;
    }
    complete
}
