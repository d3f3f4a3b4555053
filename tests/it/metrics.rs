//! The vocabulary of metrics: one table, and everything that follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secretaria::config::{CompanySeries, MetricsSettings};
use secretaria::domain::company::CompanyId;
use secretaria::telemetry::metrics::{self as m, CATALOGUE, Kind, Metric};

fn settings(company_series: CompanySeries) -> MetricsSettings {
    MetricsSettings { bind: String::new(), company_series, idle_minutes: 15, token: String::new().into() }
}

/// What `/metrics` shows after `f`, for a recorder of its own.
fn rendered(company_series: CompanySeries, f: impl FnOnce()) -> String {
    let (recorder, handle) = m::build(&settings(company_series)).unwrap();
    ::metrics::with_local_recorder(&recorder, f);
    handle.upkeep();
    handle.render_now()
}

fn company(id: i64) -> CompanyId {
    CompanyId::new(id).unwrap()
}

/// Uses every recording function once.
fn everything(id: i64) {
    let (id, took) = (company(id), Duration::from_millis(20));
    m::webhook_received(Some(&m::CompanyLabel::of(id)), m::WebhookStatus::Accepted);
    m::webhook_latency(Some(&m::CompanyLabel::of(id)), took);
    m::http_request_duration("/healthz", m::StatusClass::of(200), took);
    m::task_latency(id, m::TaskKind::Turn, m::TaskOutcome::Done, took);
    m::answer_latency(id, took);
    m::task_retried(id, m::TaskKind::Delivery);
    m::dead_letter(id, m::DeadLetterReason::TooOld);
    m::queue_size(id, 3);
    m::dead_letter_queue_size(id, 1);
    m::queue_oldest_age(id, took);
    m::active_workers(2);
    m::tenant_active_workers(id, 1);
    m::worker_heartbeat(1_000);
    m::redis_memory(m::MemoryType::Used, 5);
    m::llm_latency(id, m::Provider::Gemini, took);
    m::llm_error(id, m::Provider::Gemini, m::LlmErrorKind::Timeout);
    m::llm_circuit_state(id, m::Provider::Gemini, m::CircuitState::Open);
    m::llm_error_budget(id, 0.5, 0.25);
    m::prompt_injection_blocked(id);
    m::fallback_reply(id, m::FallbackReason::LlmFailed);
    m::token_usage(id, m::TokenDirection::Inbound, m::TokenSource::Reported, 7);
    m::message_processed(id, m::MessageKind::Text);
    m::send_latency(id, m::Channel::Whaticket, took);
    m::send_error(id, m::Channel::Whaticket);
    m::send_success(id, m::Channel::Whaticket);
    m::send_retry(id, m::Channel::Whaticket);
    m::delivery_success_ratio(id, m::Channel::Whaticket, 1.0);
    m::outbox_ambiguous(id);
    m::outbox_reconciled(id);
    m::outbox_resent(id);
    m::claim_blocked(id, m::ClaimKind::Price);
    m::timer_sent(id, m::TimerKind::Day, took);
    m::timer_sent(id, m::TimerKind::FollowUp, took);
    m::timer_skipped(id, m::TimerKind::Hour, m::TimerSkip::Late);
    m::follow_up_answered(id, true);
    m::follow_up_answered(id, false);
    m::appointment_made(id);
    m::appointment_confirmed(id);
    m::appointment_cancelled(id);
    m::appointment_rescheduled(id);
    m::appointment_no_show(id);
    m::agenda_optimized(id, 1);
    m::moves_offered(id, 1);
    m::appointment_confirmation(id);
    m::booking_ended(id, m::BookingOutcome::Booked);
    m::appointment_conflict(id);
    m::appointments_latency(id, m::AgendaOperation::Book, took);
    m::slots_listed(id, 5);
    m::calendar_error(id, m::CalendarTrouble::Taken);
    m::calendar_call_latency(id, m::CalendarCall::Book, took);
    m::calendar_call_error(id, m::CalendarCallError::Open);
    m::calendar_circuit_state(id, m::CircuitState::Open);
    m::calendar_callback(id, m::CallbackTrigger::Created, m::CallbackResult::Adopted);
    m::calendar_drift(id, m::CalendarDrift::Moved);
    m::timer_sent(id, m::TimerKind::Day, Duration::from_secs(2));
    m::timer_sent(id, m::TimerKind::FollowUp, Duration::from_secs(2));
    m::timer_skipped(id, m::TimerKind::Hour, m::TimerSkip::QuietHours);
    m::follow_up_answered(id, true);
    m::follow_up_answered(id, false);
    m::transferred(id, m::TransferReason::Asked);
    m::intention_detected(id, m::Intention::Question);
    m::opted(id, m::OptChange::Out);
    m::intake_durability(m::DurabilityLevel::Always);
    m::dependency_checked(m::Component::Redis, false);
    m::scheduler_heartbeat(1_000);
    m::job_succeeded("sweep", 1_000);
}

/// The labels of every sample, by family (a histogram's `_bucket`, `_sum`, `_count` count as the family).
fn labels_by_family(page: &str) -> BTreeMap<String, Vec<BTreeSet<String>>> {
    let mut families: BTreeMap<String, Vec<BTreeSet<String>>> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
        let known = CATALOGUE.iter().find(|metric| {
            metric.name == name
                || metric.kind == Kind::Histogram
                    && ["_bucket", "_sum", "_count"].iter().any(|tail| name.strip_suffix(tail) == Some(metric.name))
        });
        let metric = known.unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
        let labels = inside.split(',').filter_map(|pair| pair.split_once('=')).map(|(key, _)| key.to_owned());
        families.entry(metric.name.to_owned()).or_default().push(labels.filter(|key| key != "le").collect());
    }
    families
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
fn the_page_of_the_docs_is_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, m::markdown()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page == m::markdown(), "docs/metrics.md is old: UPDATE_DOCS=1 cargo test --test it metrics::");
}

#[test]
fn every_family_renders_with_exactly_its_labels() {
    let page = rendered(CompanySeries::Active, || everything(42));
    let families = labels_by_family(&page);
    for metric in CATALOGUE {
        let samples = families.get(metric.name).unwrap_or_else(|| panic!("{} does not render", metric.name));
        let mut expected: BTreeSet<String> = metric.labels.iter().map(|(name, _)| (*name).to_owned()).collect();
        expected.extend(metric.per_company.then(|| "company".to_owned()));
        assert!(samples.iter().all(|labels| *labels == expected), "{}: {samples:?}", metric.name);
        assert!(page.contains(&format!("# TYPE {} {}\n", metric.name, metric.kind.as_str())), "{}", metric.name);
        assert!(page.contains(&format!("# HELP {} ", metric.name)), "{} has no help", metric.name);
    }
}

#[test]
fn the_table_keeps_its_own_rules() {
    let mut seen = BTreeSet::new();
    for metric in CATALOGUE {
        let name = metric.name;
        assert!(seen.insert(name), "{name} twice");
        assert!(name.starts_with("secretaria_"), "{name}");
        assert_eq!(metric.kind == Kind::Counter, name.ends_with("_total"), "{name}");
        assert_eq!(metric.kind == Kind::Histogram, !metric.buckets.is_empty(), "{name}");
        assert!(metric.buckets.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        assert!(!metric.per_company || metric.buckets.len() <= 5, "{name}: five buckets for each company");
        let open = metric.labels.iter().any(|(_, values)| values.is_empty());
        assert!(!(metric.per_company && open), "{name}: a company times an open label has no bound");
        assert!(metric.labels.iter().all(|(label, _)| *label != "company"), "{name}");
    }
}

#[test]
fn one_active_company_costs_at_most_600_series() {
    let series = |metric: &Metric| {
        let sets: usize = metric.labels.iter().map(|(_, values)| values.len()).product();
        sets * if metric.kind == Kind::Histogram { metric.buckets.len() + 3 } else { 1 }
    };
    let sum: usize = CATALOGUE.iter().filter(|metric| metric.per_company).map(series).sum();
    assert!(sum <= 600, "{sum}");
}

#[test]
fn at_the_start_the_version_and_the_counters_without_company_are_there() {
    let page = rendered(CompanySeries::Active, || ());
    assert!(page.contains(concat!("secretaria_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1")));
    for component in m::Component::ALL {
        let line = format!("secretaria_healthcheck_failures_total{{component=\"{component}\"}} 0");
        assert!(page.contains(&line), "{line}");
    }
    assert!(!page.contains("company="), "a company appears with its first event");
}

#[test]
fn an_event_without_company_is_unknown() {
    let page = rendered(CompanySeries::Active, || m::webhook_received(None, m::WebhookStatus::CompanyNotFound));
    assert!(page.contains("{company=\"_unknown\",status=\"company_not_found\"} 1"), "{page}");
}

#[test]
fn totals_fold_all_companies_and_have_no_gauges_of_companies() {
    let page = rendered(CompanySeries::Totals, || {
        everything(1);
        everything(2);
        m::queue_totals(9, 1, Duration::from_secs(4));
    });
    assert!(page.contains("secretaria_dead_letters_total{company=\"_all\",reason=\"too_old\"} 2"), "{page}");
    assert!(page.contains("secretaria_answer_latency_seconds_count{company=\"_all\"} 2"));
    assert!(page.contains("secretaria_queue_size{company=\"_all\"} 9"));
    assert!(!page.contains("company=\"1\"") && !page.contains("secretaria_llm_circuit_state{"));
    let apart = rendered(CompanySeries::Active, || m::queue_totals(9, 1, Duration::from_secs(4)));
    assert!(!apart.contains("_all"), "a sum over companies must not count twice");
}

#[test]
fn above_a_thousand_companies_histograms_are_kept_together_and_counters_apart() {
    let limit = i64::try_from(m::HISTOGRAM_COMPANY_LIMIT).unwrap();
    let page = rendered(CompanySeries::Active, || {
        for id in 1..=limit + 50 {
            m::webhook_received(Some(&m::CompanyLabel::of(company(id))), m::WebhookStatus::Accepted);
            m::answer_latency(company(id), Duration::from_secs(2));
        }
    });
    let of = |id: &str| page.contains(&format!("secretaria_answer_latency_seconds_count{{company=\"{id}\"}}"));
    assert!(of("1") && of("1000"));
    assert!(!of("1001") && !of("1050"));
    assert!(page.contains("secretaria_answer_latency_seconds_count{company=\"_all\"} 50"));
    assert!(page.contains("secretaria_webhook_received_total{company=\"1050\",status=\"accepted\"} 1"));
}

#[test]
fn exactly_one_level_of_durability_is_in_force() {
    let page = rendered(CompanySeries::Active, || {
        m::intake_durability(m::DurabilityLevel::Always);
        m::intake_durability(m::DurabilityLevel::EverySec);
    });
    assert!(page.contains("secretaria_intake_durability{level=\"everysec\"} 1"));
    assert_eq!(page.matches("secretaria_intake_durability{").count(), m::DurabilityLevel::ALL.len());
    assert!(page.contains("secretaria_intake_durability{level=\"always\"} 0"));
}

#[test]
fn an_idle_company_disappears_comes_back_counting_and_takes_nothing_global_with_it() {
    let at_once = MetricsSettings { idle_minutes: 0, ..settings(CompanySeries::Active) };
    let never = MetricsSettings { company_series: CompanySeries::All, ..at_once.clone() };
    let sent = "secretaria_whaticket_send_success_total{company=\"42\",channel=\"whaticket\"}";
    let event = || m::send_success(company(42), m::Channel::Whaticket);
    for (settings, evicted) in [(at_once, true), (never, false)] {
        let (recorder, handle) = m::build(&settings).unwrap();
        ::metrics::with_local_recorder(&recorder, || {
            m::job_succeeded("nightly", 1_000);
            event();
        });
        assert!(handle.render_now().contains(&format!("{sent} 1")), "seen once before it may go");
        let quiet = handle.render_now();
        assert_eq!(quiet.contains(sent), !evicted);
        assert!(quiet.contains("{job=\"nightly\"} 1") && quiet.contains("secretaria_build_info{"));
        ::metrics::with_local_recorder(&recorder, event);
        let count = if evicted { 1 } else { 2 };
        assert!(handle.render_now().contains(&format!("{sent} {count}")), "no later event is lost");
    }
}

#[test]
fn the_process_has_one_recorder_however_often_it_is_installed() {
    let first = m::install(&settings(CompanySeries::Active)).unwrap();
    let second = m::install(&settings(CompanySeries::Totals)).unwrap();
    m::job_succeeded("installed-twice", 5_000);
    assert!(first.render_now().contains("{job=\"installed-twice\"} 5"));
    assert!(second.render_now().contains("{job=\"installed-twice\"} 5"));
}
