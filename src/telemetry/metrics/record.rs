//! One function for each thing that is counted, measured or set.
//!
//! Per-company series always go through the macros: a kept handle of a series that was dropped when idle swallows
//! every later increment without a word.

mod agenda;
mod insights;
mod timers;

pub use agenda::*;
pub use insights::*;
pub use timers::*;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::{SharedString, counter, gauge, histogram};

use super::catalogue::names;
use super::exporter::ALL;
use super::labels::{
    Channel, CircuitState, ClaimKind, Component, DeadLetterReason, DurabilityLevel, FallbackReason, Intention,
    LlmErrorKind, MemoryType, MessageKind, OptChange, Provider, StatusClass, TaskKind, TaskOutcome, TokenDirection,
    TokenSource, TransferReason, WebhookStatus,
};
use crate::domain::company::CompanyId;

/// Label value of events that belong to no provisioned company.
const UNKNOWN: &str = "_unknown";

/// A company's number as label value, written once and shared: for what is counted at every request. Only the text is
/// kept, never a handle.
#[derive(Clone, Debug)]
pub struct CompanyLabel(Arc<str>);

impl CompanyLabel {
    /// Writes the number.
    pub fn of(company: CompanyId) -> Self {
        Self(each(company).into())
    }
}

fn label(company: Option<&CompanyLabel>) -> SharedString {
    company.map_or(SharedString::const_str(UNKNOWN), |label| Arc::clone(&label.0).into())
}

fn each(company: CompanyId) -> String {
    company.to_string()
}

/// A webhook request was answered.
pub fn webhook_received(company: Option<&CompanyLabel>, status: WebhookStatus) {
    counter!(names::WEBHOOK_RECEIVED, "company" => label(company), "status" => status.as_str()).increment(1);
}

/// How long a webhook request took.
pub fn webhook_latency(company: Option<&CompanyLabel>, took: Duration) {
    histogram!(names::WEBHOOK_LATENCY, "company" => label(company)).record(took);
}

/// How long a request took. `route` is the pattern of the route table, never the path that was asked for.
pub fn http_request_duration(route: impl Into<Cow<'static, str>>, class: StatusClass, took: Duration) {
    histogram!(names::HTTP_REQUEST_DURATION, "route" => route.into(), "class" => class.as_str()).record(took);
}

/// How long a worker was busy with a conversation.
pub fn task_latency(company: CompanyId, kind: TaskKind, outcome: TaskOutcome, took: Duration) {
    histogram!(names::TASK_LATENCY, "company" => each(company), "kind" => kind.as_str(), "outcome" => outcome.as_str())
        .record(took);
}

/// How long a customer waited, from the accepted webhook to the delivered answer.
pub fn answer_latency(company: CompanyId, took: Duration) {
    histogram!(names::ANSWER_LATENCY, "company" => each(company)).record(took);
}

/// A task was put off.
pub fn task_retried(company: CompanyId, kind: TaskKind) {
    counter!(names::TASK_RETRIES, "company" => each(company), "kind" => kind.as_str()).increment(1);
}

/// A message or text was given up.
pub fn dead_letter(company: CompanyId, reason: DeadLetterReason) {
    counter!(names::DEAD_LETTERS, "company" => each(company), "reason" => reason.as_str()).increment(1);
}

/// Sets the undecided messages of one company. Call it for companies that have some, and once more when they have none left.
pub fn queue_size(company: CompanyId, messages: u64) {
    gauge!(names::QUEUE_SIZE, "company" => each(company)).set(number(messages));
}

/// Sets the dead letters of one company; the rule of [`queue_size`] holds.
pub fn dead_letter_queue_size(company: CompanyId, letters: u64) {
    gauge!(names::DEAD_LETTER_QUEUE_SIZE, "company" => each(company)).set(number(letters));
}

/// Sets the age of a company's oldest undecided message; the rule of [`queue_size`] holds.
pub fn queue_oldest_age(company: CompanyId, age: Duration) {
    gauge!(names::QUEUE_OLDEST_AGE, "company" => each(company)).set(age);
}

/// Sets the queue figures of all companies together: shown only where series are not kept company by company.
pub fn queue_totals(messages: u64, dead_letters: u64, oldest: Duration) {
    gauge!(names::QUEUE_SIZE, "company" => ALL).set(number(messages));
    gauge!(names::DEAD_LETTER_QUEUE_SIZE, "company" => ALL).set(number(dead_letters));
    gauge!(names::QUEUE_OLDEST_AGE, "company" => ALL).set(oldest);
}

/// Sets the number of worker processes alive.
pub fn active_workers(processes: u64) {
    gauge!(names::ACTIVE_WORKERS).set(number(processes));
}

/// Sets the number of living worker processes dedicated to a company.
pub fn tenant_active_workers(company: CompanyId, processes: u64) {
    gauge!(names::TENANT_ACTIVE_WORKERS, "company" => each(company)).set(number(processes));
}

/// This worker went round its loop. Milliseconds since 1970.
pub fn worker_heartbeat(now_ms: i64) {
    gauge!(names::WORKER_HEARTBEAT).set(seconds(now_ms));
}

/// Sets one memory figure of Redis, bytes.
pub fn redis_memory(kind: MemoryType, bytes: u64) {
    gauge!(names::REDIS_MEMORY, "type" => kind.as_str()).set(number(bytes));
}

/// How long one call of the model took, failed or not.
pub fn llm_latency(company: CompanyId, provider: Provider, took: Duration) {
    histogram!(names::LLM_LATENCY, "company" => each(company), "provider" => provider.as_str()).record(took);
}

/// A call of the model failed.
pub fn llm_error(company: CompanyId, provider: Provider, kind: LlmErrorKind) {
    counter!(names::LLM_ERRORS, "company" => each(company), "provider" => provider.as_str(), "kind" => kind.as_str())
        .increment(1);
}

/// Sets the state of a breaker of a company.
pub fn llm_circuit_state(company: CompanyId, provider: Provider, state: CircuitState) {
    gauge!(names::LLM_CIRCUIT_STATE, "company" => each(company), "provider" => provider.as_str()).set(circuit(state));
}

/// Sets the share of failed calls (0 to 1) and what is left of the error budget (1 untouched, 0 spent).
pub fn llm_error_budget(company: CompanyId, error_rate: f64, remaining: f64) {
    gauge!(names::LLM_ERROR_RATE, "company" => each(company)).set(error_rate);
    gauge!(names::LLM_ERROR_BUDGET, "company" => each(company)).set(remaining);
}

/// A message was taken as an attempt to give the model orders.
pub fn prompt_injection_blocked(company: CompanyId) {
    counter!(names::LLM_INJECTION_BLOCKED, "company" => each(company)).increment(1);
}

/// A template went out instead of a generated answer.
pub fn fallback_reply(company: CompanyId, reason: FallbackReason) {
    counter!(names::FALLBACK_REPLIES, "company" => each(company), "reason" => reason.as_str()).increment(1);
}

/// A conversation was handed to a person.
pub fn transferred(company: CompanyId, reason: TransferReason) {
    counter!(names::FALLBACK_TRANSFER, "company" => each(company), "reason" => reason.as_str()).increment(1);
}

/// What a decided turn was about.
pub fn intention_detected(company: CompanyId, intention: Intention) {
    counter!(names::INTENTION_DETECTED, "company" => each(company), "intention" => intention.as_str()).increment(1);
}

/// Somebody wants no more messages, or some again.
pub fn opted(company: CompanyId, change: OptChange) {
    counter!(names::OPT_OUTS, "company" => each(company), "change" => change.as_str()).increment(1);
}

/// Tokens were used.
pub fn token_usage(company: CompanyId, direction: TokenDirection, source: TokenSource, tokens: u64) {
    counter!(
        names::TOKEN_USAGE,
        "company" => each(company), "direction" => direction.as_str(), "source" => source.as_str()
    )
    .increment(tokens);
}

/// A customer's message was decided.
pub fn message_processed(company: CompanyId, kind: MessageKind) {
    counter!(names::MESSAGES_PROCESSED, "company" => each(company), "kind" => kind.as_str()).increment(1);
}

/// How long one send took, failed or not.
pub fn send_latency(company: CompanyId, channel: Channel, took: Duration) {
    histogram!(names::WHATICKET_LATENCY, "company" => each(company), "channel" => channel.as_str()).record(took);
}

/// A send failed or its end is unknown.
pub fn send_error(company: CompanyId, channel: Channel) {
    counter!(names::WHATICKET_ERRORS, "company" => each(company), "channel" => channel.as_str()).increment(1);
}

/// The provider confirmed a send.
pub fn send_success(company: CompanyId, channel: Channel) {
    counter!(names::WHATICKET_SEND_SUCCESS, "company" => each(company), "channel" => channel.as_str()).increment(1);
}

/// A send was put off.
pub fn send_retry(company: CompanyId, channel: Channel) {
    counter!(names::WHATICKET_SEND_RETRY, "company" => each(company), "channel" => channel.as_str()).increment(1);
}

/// Sets the share of recent texts that were delivered, 0 to 1.
pub fn delivery_success_ratio(company: CompanyId, channel: Channel, ratio: f64) {
    gauge!(names::WHATICKET_DELIVERY_RATIO, "company" => each(company), "channel" => channel.as_str()).set(ratio);
}

/// Nobody knows whether a send arrived.
pub fn outbox_ambiguous(company: CompanyId) {
    counter!(names::OUTBOX_AMBIGUOUS, "company" => each(company)).increment(1);
}

/// An echo or a status settled an ambiguous send.
pub fn outbox_reconciled(company: CompanyId) {
    counter!(names::OUTBOX_RECONCILED, "company" => each(company)).increment(1);
}

/// An ambiguous send was sent once more.
pub fn outbox_resent(company: CompanyId) {
    counter!(names::OUTBOX_RESENT, "company" => each(company)).increment(1);
}

/// A generated answer was held back.
pub fn claim_blocked(company: CompanyId, kind: ClaimKind) {
    counter!(names::CLAIMS_BLOCKED, "company" => each(company), "kind" => kind.as_str()).increment(1);
}

/// Sets the level of durability in force; the others become 0.
pub fn intake_durability(level: DurabilityLevel) {
    for each in DurabilityLevel::VALUES {
        let value = if *each == level { 1.0 } else { 0.0 };
        gauge!(names::INTAKE_DURABILITY, "level" => each.as_str()).set(value);
    }
}

/// A dependency was checked.
pub fn dependency_checked(component: Component, up: bool) {
    gauge!(names::DEPENDENCY_UP, "component" => component.as_str()).set(if up { 1.0 } else { 0.0 });
    if !up {
        counter!(names::HEALTHCHECK_FAILURES, "component" => component.as_str()).increment(1);
    }
}

/// The scheduler went round its loop. Milliseconds since 1970.
pub fn scheduler_heartbeat(now_ms: i64) {
    gauge!(names::SCHEDULER_HEARTBEAT).set(seconds(now_ms));
}

/// A scheduled job succeeded. Milliseconds since 1970.
pub fn job_succeeded(job: &'static str, now_ms: i64) {
    gauge!(names::JOB_LAST_SUCCESS, "job" => job).set(seconds(now_ms));
}

/// Sets what version runs.
pub(super) fn build_info(version: &'static str) {
    gauge!(names::BUILD_INFO, "version" => version).set(1.0);
}

/// Prometheus knows floats only; beyond 2^53 a count may be off by one, which nobody will see.
fn number(value: u64) -> f64 {
    value as f64
}

fn circuit(state: CircuitState) -> f64 {
    match state {
        CircuitState::Closed => 0.0,
        CircuitState::HalfOpen => 1.0,
        CircuitState::Open => 2.0,
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
