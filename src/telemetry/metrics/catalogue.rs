//! The one list of all metric families. `/metrics`, `docs/metrics.md`, dashboards and alert rules are made from it or
//! checked against it.

use super::labels as l;

/// Type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; falls to 0 when its process starts or an idle series is dropped.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts per bucket, with sum and count.
    Histogram,
}

impl Kind {
    /// The word Prometheus uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A label: its name and its closed set of values; an empty set means the values come from code (a route, a job, a
/// version), never from a customer or a request.
pub type Label = (&'static str, &'static [&'static str]);

/// One family.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Full name.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Labels beside `company`.
    pub labels: &'static [Label],
    /// What it says.
    pub help: &'static str,
    /// Upper bounds of a histogram, seconds; empty for the other types.
    pub buckets: &'static [f64],
    /// Whether each series carries `company`.
    pub per_company: bool,
}

/// Per company five buckets only: ten thousand companies multiply every one of them.
const QUICK: &[f64] = &[0.005, 0.025, 0.1, 0.5, 1.0];
const TURN: &[f64] = &[1.0, 3.0, 10.0, 30.0, 120.0];
const CALL: &[f64] = &[0.25, 1.0, 3.0, 10.0, 20.0];
const HTTP: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

const PROVIDER: Label = ("provider", l::Provider::ALL);
const CHANNEL: Label = ("channel", l::Channel::ALL);
const COMPONENT: Label = ("component", l::Component::ALL);

const fn counter(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help, buckets: &[], per_company: false }
}

const fn gauge(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help, buckets: &[], per_company: false }
}

const fn histogram(
    name: &'static str,
    labels: &'static [Label],
    buckets: &'static [f64],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram, labels, help, buckets, per_company: false }
}

impl Metric {
    const fn each_company(self) -> Self {
        Self { per_company: true, ..self }
    }
}

/// Declares the constants with the names and the table in one go, so that no name is written twice.
macro_rules! catalogue {
    ($($ident:ident = $make:ident($name:literal, $($rest:expr),+) $(. $each:ident ())?;)+) => {
        /// The names, for the macros that record.
        pub(super) mod names {
            $(pub const $ident: &str = concat!("secretaria_", $name);)+
        }

        /// Every family of this program.
        pub const CATALOGUE: &[Metric] = &[$($make(names::$ident, $($rest),+) $(.$each())?),+];
    };
}

catalogue! {
    WEBHOOK_RECEIVED = counter("webhook_received_total", &[("status", l::WebhookStatus::ALL)],
        "Webhook requests by how they were answered.").each_company();
    WEBHOOK_LATENCY = histogram("webhook_latency_seconds", &[], QUICK,
        "From the head of a webhook request to its answer.").each_company();
    HTTP_REQUEST_DURATION = histogram("http_request_duration_seconds",
        &[("route", &[]), ("class", l::StatusClass::ALL)], HTTP,
        "Requests by route pattern and class of status; requests without a route are `unmatched`.");
    TASK_LATENCY = histogram("task_latency_seconds",
        &[("kind", l::TaskKind::ALL), ("outcome", l::TaskOutcome::ALL)], TURN,
        "From the claim of a conversation to its release.").each_company();
    ANSWER_LATENCY = histogram("answer_latency_seconds", &[], TURN,
        "From the accepted webhook to the delivered answer.").each_company();
    TASK_RETRIES = counter("task_retries_total", &[("kind", l::TaskKind::ALL)],
        "Tasks put off to be tried again.").each_company();
    DEAD_LETTERS = counter("dead_letters_total", &[("reason", l::DeadLetterReason::ALL)],
        "Messages and texts given up.").each_company();
    QUEUE_SIZE = gauge("queue_size", &[],
        "Undecided messages. A company with nothing waiting has no series.").each_company();
    DEAD_LETTER_QUEUE_SIZE = gauge("dead_letter_queue_size", &[],
        "Dead letters kept. A company without any has no series.").each_company();
    QUEUE_OLDEST_AGE = gauge("queue_oldest_age_seconds", &[],
        "Age of the oldest undecided message. A company with nothing waiting has no series.").each_company();
    ACTIVE_WORKERS = gauge("active_workers", &[], "Worker processes with a fresh heartbeat.");
    TENANT_ACTIVE_WORKERS = gauge("tenant_active_workers", &[],
        "Worker processes dedicated to the company, with a fresh heartbeat.").each_company();
    WORKER_HEARTBEAT = gauge("worker_heartbeat_timestamp_seconds", &[],
        "When this worker last went round its loop, seconds since 1970.");
    REDIS_MEMORY = gauge("redis_memory_usage_bytes", &[("type", l::MemoryType::ALL)], "Memory of Redis.");
    LLM_LATENCY = histogram("llm_latency_seconds", &[PROVIDER], CALL,
        "One call of the language model.").each_company();
    LLM_ERRORS = counter("llm_errors_total", &[PROVIDER, ("kind", l::LlmErrorKind::ALL)],
        "Failed calls of the language model.").each_company();
    LLM_CIRCUIT_STATE = gauge("llm_circuit_state", &[PROVIDER],
        "Breaker before the language model: 0 closed, 1 half open, 2 open.").each_company();
    LLM_ERROR_RATE = gauge("llm_error_rate", &[],
        "Share of calls of the language model that failed in the window of the error budget, 0 to 1.").each_company();
    LLM_ERROR_BUDGET = gauge("llm_error_budget_remaining_ratio", &[],
        "What is left of the error budget: 1 untouched, 0 spent, below 0 overspent.").each_company();
    LLM_INJECTION_BLOCKED = counter("llm_prompt_injection_blocked_total", &[],
        "Messages taken as an attempt to give the model orders.").each_company();
    FALLBACK_REPLIES = counter("fallback_replies_total", &[("reason", l::FallbackReason::ALL)],
        "Templates sent instead of a generated answer.").each_company();
    FALLBACK_TRANSFER = counter("fallback_transfer_total", &[("reason", l::TransferReason::ALL)],
        "Conversations handed to a person.").each_company();
    INTENTION_DETECTED = counter("intention_detected_total", &[("intention", l::Intention::ALL)],
        "Decided turns by what the customer wanted.").each_company();
    OPT_OUTS = counter("opt_outs_total", &[("change", l::OptChange::ALL)],
        "Wishes about being written to.").each_company();
    TOKEN_USAGE = counter("token_usage_total",
        &[("direction", l::TokenDirection::ALL), ("source", l::TokenSource::ALL)],
        "Tokens of the language model.").each_company();
    MESSAGES_PROCESSED = counter("messages_processed_total", &[("kind", l::MessageKind::ALL)],
        "Customers' messages that were decided.").each_company();
    WHATICKET_LATENCY = histogram("whaticket_latency_seconds", &[CHANNEL], CALL,
        "One send.").each_company();
    WHATICKET_ERRORS = counter("whaticket_errors_total", &[CHANNEL],
        "Sends that failed, ambiguous ones included.").each_company();
    WHATICKET_SEND_SUCCESS = counter("whaticket_send_success_total", &[CHANNEL],
        "Sends the provider confirmed.").each_company();
    WHATICKET_SEND_RETRY = counter("whaticket_send_retry_total", &[CHANNEL],
        "Sends put off to be tried again.").each_company();
    WHATICKET_DELIVERY_RATIO = gauge("whaticket_delivery_success_ratio", &[CHANNEL],
        "Share of recent texts that were delivered, 0 to 1.").each_company();
    OUTBOX_AMBIGUOUS = counter("outbox_ambiguous_total", &[],
        "Sends of which nobody knows whether they arrived.").each_company();
    OUTBOX_RECONCILED = counter("outbox_reconciled_total", &[],
        "Ambiguous sends that an echo or a status settled.").each_company();
    OUTBOX_RESENT = counter("outbox_resent_total", &[],
        "Ambiguous sends that nothing settled and that were sent once more.").each_company();
    CLAIMS_BLOCKED = counter("claims_blocked_total", &[("kind", l::ClaimKind::ALL)],
        "Generated answers held back because they claimed something without ground.").each_company();
    APPOINTMENTS = counter("appointments_total", &[],
        "Appointments made, here or at the calendar outside.").each_company();
    APPOINTMENTS_CONFIRMED = counter("appointments_confirmed_total", &[],
        "Pending appointments the company said yes to.").each_company();
    APPOINTMENTS_CANCELLED = counter("appointments_cancelled_total", &[],
        "Appointments called off or said no to.").each_company();
    APPOINTMENT_RESCHEDULES = counter("appointment_reschedules_total", &[], "Appointments moved.").each_company();
    APPOINTMENT_NO_SHOW = counter("appointment_no_show_total", &[], "Appointments nobody came to.").each_company();
    APPOINTMENTS_RISK_HIGH = counter("appointments_risk_high_total", &[],
        "Appointments ahead that a day's look marked as high risk and none before it did.").each_company();
    APPOINTMENTS_AUTO_RESCHEDULED = counter("appointments_auto_rescheduled_total", &[],
        "Appointments of high risk whose people are asked whether another time suits them better.").each_company();
    AGENDA_OPTIMIZATION_RUNS = counter("agenda_optimization_runs_total", &[],
        "Looks at what past appointments say of those ahead.").each_company();
    APPOINTMENT_CONFIRMATIONS = counter("appointment_confirmations_total", &[],
        "Customers who said that they will come.").each_company();
    APPOINTMENT_BOOKINGS = counter("appointment_bookings_total", &[("outcome", l::BookingOutcome::ALL)],
        "Wishes to book by how they ended.").each_company();
    APPOINTMENT_CONFLICTS = counter("appointment_conflicts_total", &[],
        "Times that somebody else had when they were to be kept, booked or moved to.").each_company();
    APPOINTMENTS_LATENCY = histogram("appointments_latency_seconds", &[("operation", l::AgendaOperation::ALL)], CALL,
        "One use of the calendar, failed or not, tries and look-ups included.").each_company();
    CALENDAR_SLOTS_LISTED = counter("calendar_slots_listed_total", &[], "Free times found.").each_company();
    CALENDAR_ERRORS = counter("calendar_errors_total", &[("kind", l::CalendarTrouble::ALL)],
        "Uses of the calendar that did not do what was asked.").each_company();
    CALENDAR_CALL_LATENCY = histogram("calendar_call_latency_seconds", &[("call", l::CalendarCall::ALL)], CALL,
        "One call of the calendar outside.").each_company();
    CALENDAR_CALL_ERRORS = counter("calendar_call_errors_total", &[("kind", l::CalendarCallError::ALL)],
        "Failed calls of the calendar outside.").each_company();
    CALENDAR_CIRCUIT_STATE = gauge("calendar_circuit_state", &[],
        "Breaker before the calendar outside: 0 closed, 1 half open, 2 open.").each_company();
    CALENDAR_CALLBACKS = counter("calendar_callbacks_total",
        &[("trigger", l::CallbackTrigger::ALL), ("result", l::CallbackResult::ALL)],
        "Callbacks of the calendar outside by what became of them.").each_company();
    CALENDAR_DRIFT = counter("calendar_drift_total", &[("kind", l::CalendarDrift::ALL)],
        "Differences found by comparing with the calendar outside: what callbacks did not tell.").each_company();
    APPOINTMENT_REMINDERS_SENT = counter("appointment_reminders_sent_total",
        &[("type", &[l::TimerKind::Day.as_str(), l::TimerKind::Hour.as_str(), l::TimerKind::Custom.as_str(),
            l::TimerKind::Manual.as_str()])],
        "Reminders of appointments that were sent.").each_company();
    APPOINTMENT_FOLLOWUPS_SENT = counter("appointment_followups_sent_total", &[],
        "Questions after a visit that were sent.").each_company();
    APPOINTMENT_FOLLOWUPS_POSITIVE = counter("appointment_followups_positive_total", &[],
        "Questions after a visit that led to a wish to book again.").each_company();
    APPOINTMENT_FOLLOWUPS_NEGATIVE = counter("appointment_followups_negative_total", &[],
        "Questions after a visit that were answered with no.").each_company();
    TIMERS_SKIPPED = counter("timers_skipped_total",
        &[("kind", l::TimerKind::ALL), ("reason", l::TimerSkip::ALL)],
        "What was due before or after appointments and is not sent.").each_company();
    TIMER_LAG = histogram("timer_lag_seconds", &[("kind", l::TimerKind::ALL)], TURN,
        "From when something was planned to go out until its text was stored; waiting for quiet hours or for a person's turn to end included.");
    INTAKE_DURABILITY = gauge("intake_durability", &[("level", l::DurabilityLevel::ALL)],
        "What an acknowledged message survives: 1 at the level in force, 0 at the others.");
    HEALTHCHECK_FAILURES = counter("healthcheck_failures_total", &[COMPONENT], "Failed checks of a dependency.");
    DEPENDENCY_UP = gauge("dependency_up", &[COMPONENT], "1 when the dependency's last check passed, else 0.");
    SCHEDULER_HEARTBEAT = gauge("scheduler_heartbeat_timestamp_seconds", &[],
        "When the scheduler last went round its loop, seconds since 1970.");
    JOB_LAST_SUCCESS = gauge("job_last_success_timestamp_seconds", &[("job", &[])],
        "When the scheduled job last succeeded, seconds since 1970.");
    BUILD_INFO = gauge("build_info", &[("version", &[])], "Always 1; the label says which version runs.");
}

/// The catalogue as the page `docs/metrics.md`.
pub fn markdown() -> String {
    let mut page = String::from(PREFACE);
    for metric in CATALOGUE {
        let mut labels: Vec<String> = metric.per_company.then(|| "`company`".to_owned()).into_iter().collect();
        labels.extend(metric.labels.iter().map(|(name, values)| match values.len() {
            0 => format!("`{name}`"),
            _ => format!("`{name}` ({})", values.join(", ")),
        }));
        let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(" · ") };
        let buckets: Vec<String> = metric.buckets.iter().map(f64::to_string).collect();
        let help = match buckets.len() {
            0 => metric.help.to_owned(),
            _ => format!("{} Buckets: {} s.", metric.help, buckets.join(", ")),
        };
        page.push_str(&format!("| `{}` | {} | {} | {} |\n", metric.name, metric.kind.as_str(), labels, help));
    }
    page
}

const PREFACE: &str = "# Metrics

Made from the catalogue in `src/telemetry/metrics/catalogue.rs`; `UPDATE_DOCS=1 cargo test --test it metrics::` writes it anew.

Every role shows them at `/metrics`: to loopback, or to the bearer token of `metrics.token`.
`company` is a provisioned company's number, `_unknown` where no company could be told, `_all` where series are not kept
company by company (`metrics.company_series = \"totals\"`; histograms also above 1,000 active companies).
With `metrics.company_series = \"active\"` a company's series begin with its first event and end after
`metrics.idle_minutes` without one; a counter that comes back starts at 0, which `rate()` understands.
Counters without `company` start at 0.

| family | type | labels | meaning |
|---|---|---|---|
";
