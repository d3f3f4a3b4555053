//! What the page shows of one conversation at one moment, read from the backend and shaped for the templates.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use chrono_tz::America::Sao_Paulo;
use chrono_tz::Tz;
use minijinja::Value;
use serde::Serialize;

use super::backend::{Bubble, SimulatorBackend, Tick, Timeline};
use super::whatsapp;

/// How long after the customer's last message the page still expects an answer and asks often, in milliseconds.
const EXPECT_ANSWER_MS: i64 = 60_000;
/// How many bubbles are drawn, so that a long conversation of ordinary messages stays below 100 KB.
const BUBBLES_SHOWN: usize = 60;

/// Everything that changes while the page is open.
#[derive(Serialize)]
pub(super) struct Scene {
    pub(super) clock: String,
    pub(super) typing: bool,
    pub(super) pending: bool,
    pub(super) entries: Vec<Entry>,
    pub(super) turn: Option<Turn>,
    pub(super) turn_running: bool,
    pub(super) model_down: bool,
}

/// One line of the conversation: a day's separator or a bubble.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Entry {
    Day {
        id: String,
        label: String,
    },
    Bubble {
        id: String,
        mine: bool,
        first: bool,
        html: Value,
        time: String,
        tick: &'static str,
        correlation_id: String,
    },
}

/// The X-ray of one turn; bars are in thousandths of the whole.
#[derive(Serialize)]
pub(super) struct Turn {
    correlation_id: String,
    stages: Vec<Bar>,
    total: String,
    longest: Option<(String, String)>,
    decision: Option<String>,
    model: Option<String>,
    tokens_in: Option<String>,
    tokens_out: Option<String>,
    injection: Option<(String, &'static str)>,
    log: Option<String>,
}

#[derive(Serialize)]
struct Bar {
    name: String,
    at: String,
    took: String,
    x: i64,
    width: i64,
}

impl Scene {
    /// Reads the conversation and its last turn, or the turn named by `chosen`.
    pub(super) async fn read(backend: &dyn SimulatorBackend, company: i64, number: &str, chosen: Option<&str>) -> Self {
        let (bubbles, typing) =
            futures::future::join(backend.transcript(company, number), backend.typing(company, number)).await;
        let now_ms = backend.now_ms();
        let pending = typing || expects_answer(&bubbles, now_ms);
        let mut turn = None;
        for id in turn_ids(&bubbles, chosen) {
            turn = backend.timeline(company, id).await;
            if turn.is_some() {
                break;
            }
        }
        let now = local(now_ms);
        Self {
            clock: hour_minute(now),
            typing,
            pending,
            entries: entries(&bubbles, now.date_naive()),
            turn: turn.map(Turn::from),
            turn_running: pending,
            model_down: backend.model_is_down(),
        }
    }
}

fn expects_answer(bubbles: &[Bubble], now_ms: i64) -> bool {
    let young = |bubble: &Bubble| now_ms.saturating_sub(bubble.at_ms) < EXPECT_ANSWER_MS;
    let asked = bubbles.last().is_some_and(|last| last.from_customer && last.tick != Tick::Failed && young(last));
    asked || bubbles.iter().rev().take(6).any(|bubble| bubble.tick == Tick::Pending && young(bubble))
}

/// Correlation ids under which the last turn may be known, best first: a burst of messages makes one turn, so the last
/// answers and then the messages they answer are tried.
fn turn_ids<'a>(bubbles: &'a [Bubble], chosen: Option<&'a str>) -> Vec<&'a str> {
    if let Some(id) = chosen {
        return vec![id];
    }
    let mut ids: Vec<&str> = Vec::new();
    let mut seen_question = false;
    for bubble in bubbles.iter().rev().take(12) {
        if seen_question && !bubble.from_customer {
            break;
        }
        seen_question |= bubble.from_customer;
        let id = bubble.correlation_id.as_str();
        if !id.is_empty() && !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

fn entries(bubbles: &[Bubble], today: NaiveDate) -> Vec<Entry> {
    let shown = bubbles.get(bubbles.len().saturating_sub(BUBBLES_SHOWN)..).unwrap_or_default();
    let last_answer = shown.iter().rposition(|bubble| !bubble.from_customer);
    let mut entries = Vec::with_capacity(shown.len() + 4);
    let mut day = None;
    let mut side = None;
    for (at, bubble) in shown.iter().enumerate() {
        let moment = local(bubble.at_ms);
        let date = moment.date_naive();
        if day != Some(date) {
            entries.push(Entry::Day { id: format!("dia-{date}"), label: day_label(date, today) });
            day = Some(date);
            side = None;
        }
        let read = last_answer.is_some_and(|answer| answer > at);
        entries.push(Entry::Bubble {
            id: format!("m-{}", bubble.id),
            mine: bubble.from_customer,
            first: side != Some(bubble.from_customer),
            html: Value::from_safe_string(whatsapp::to_html(&bubble.text)),
            time: hour_minute(moment),
            tick: tick_name(bubble, read),
            correlation_id: bubble.correlation_id.clone(),
        });
        side = Some(bubble.from_customer);
    }
    entries
}

/// The customer's messages that were answered have evidently been read.
fn tick_name(bubble: &Bubble, read: bool) -> &'static str {
    match bubble.tick {
        Tick::Sent | Tick::Delivered if bubble.from_customer && read => "read",
        Tick::Sent => "sent",
        Tick::Delivered => "delivered",
        Tick::Pending => "pending",
        Tick::Failed => "failed",
    }
}

impl From<Timeline> for Turn {
    fn from(timeline: Timeline) -> Self {
        let start = timeline.stages.iter().map(|stage| stage.at_ms).min().unwrap_or(0);
        let end = timeline.stages.iter().map(|stage| stage.at_ms.saturating_add(stage.took_ms)).max().unwrap_or(start);
        let total = end.saturating_sub(start).max(0);
        let longest = timeline.stages.iter().max_by_key(|stage| stage.took_ms);
        let share = |ms: i64| ms.saturating_mul(1000).checked_div(total).unwrap_or(0).clamp(0, 1000);
        let bar = |stage: &super::backend::Stage| {
            let from = stage.at_ms.saturating_sub(start);
            // A stage of 0 ms is still drawn, as a hairline inside the picture.
            let width = share(stage.took_ms).max(6);
            let x = share(from).min(1000 - width);
            Bar { name: stage.name.clone(), at: grouped(from), took: grouped(stage.took_ms), x, width }
        };
        Self {
            stages: timeline.stages.iter().map(bar).collect(),
            total: grouped(total),
            longest: longest.map(|stage| (stage.name.clone(), grouped(stage.took_ms))),
            correlation_id: timeline.correlation_id,
            decision: timeline.decision,
            model: timeline.model,
            tokens_in: timeline.tokens_in.map(|n| grouped(n.into())),
            tokens_out: timeline.tokens_out.map(|n| grouped(n.into())),
            injection: timeline.injection_score.map(|score| {
                let level = if score >= 0.5 {
                    "alta"
                } else if score >= 0.2 {
                    "media"
                } else {
                    "baixa"
                };
                (format!("{score:.2}").replace('.', ","), level)
            }),
            log: (!timeline.log_lines.is_empty()).then(|| timeline.log_lines.join("\n")),
        }
    }
}

fn local(at_ms: i64) -> DateTime<Tz> {
    DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default().with_timezone(&Sao_Paulo)
}

fn hour_minute(moment: DateTime<Tz>) -> String {
    format!("{:02}:{:02}", moment.hour(), moment.minute())
}

/// "Hoje", "Ontem" or "qua 25/11/2026".
fn day_label(date: NaiveDate, today: NaiveDate) -> String {
    match today.signed_duration_since(date).num_days() {
        0 => "Hoje".to_owned(),
        1 => "Ontem".to_owned(),
        _ => {
            let names = ["seg", "ter", "qua", "qui", "sex", "sáb", "dom"];
            let index = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or(0);
            format!("{} {}", names.get(index).copied().unwrap_or_default(), date.format("%d/%m/%Y"))
        }
    }
}

/// `1240` as "1.240".
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}
