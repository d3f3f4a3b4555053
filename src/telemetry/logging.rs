//! Logs: JSON lines for machines, coloured lines for eyes, all on standard error.
//!
//! A JSON line holds `timestamp`, `level`, `target`, `message`, the event's fields and, at the same height, the fields
//! of every span around it (`correlation_id`, `company`, `job_id`, `attempt`); a name used twice belongs to the
//! innermost. A span that ends writes a line with its fields and `duration_ms`.

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FmtSpan, JsonFields, Writer};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields, MakeWriter};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::clock::Clock;
use crate::config::{LogFormat, LogSettings};

static INSTALLED: AtomicBool = AtomicBool::new(false);
static INSTALLING: Mutex<()> = Mutex::new(());
static PANIC_HOOK: Once = Once::new();

/// Starts logging for the whole process. The first call counts; later ones change nothing.
///
/// # Errors
/// A sentence, when the filter cannot be read or something else already receives the process's logs.
pub fn install(settings: &LogSettings, color: bool) -> Result<(), String> {
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if INSTALLED.load(Ordering::Acquire) {
        return Ok(());
    }
    subscriber(settings, color)?.try_init().map_err(|error| format!("logging cannot start: {error}"))?;
    INSTALLED.store(true, Ordering::Release);
    Ok(())
}

/// What [`install`] installs, for tests that want it for one thread only.
///
/// # Errors
/// A sentence, when the filter cannot be read.
pub fn subscriber(settings: &LogSettings, color: bool) -> Result<impl Subscriber + Send + Sync + 'static, String> {
    let filter = EnvFilter::builder()
        .parse(&settings.filter)
        .map_err(|error| format!("log.filter {:?} cannot be read: {error}", settings.filter))?;
    let json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let layer: Box<dyn Layer<_> + Send + Sync> = if json {
        Box::new(
            tracing_subscriber::fmt::layer()
                .with_writer(Tee)
                .with_ansi(false)
                .with_span_events(FmtSpan::CLOSE)
                .fmt_fields(JsonFields::new())
                .event_format(JsonLine),
        )
    } else {
        Box::new(
            tracing_subscriber::fmt::layer()
                .with_writer(Tee)
                .with_ansi(color)
                .with_span_events(FmtSpan::CLOSE)
                .with_timer(Utc),
        )
    };
    Ok(Registry::default().with(filter).with(Stopwatch).with(layer))
}

/// Sends panics to the log: place, thread, and the message if it is a fixed one. A formatted message may hold a
/// customer's words, so it stays out. Replaces the standard hook, once a process.
pub fn install_panic_hook() {
    PANIC_HOOK.call_once(|| std::panic::set_hook(Box::new(log_panic)));
}

/// Logs one panic as [`install_panic_hook`] does.
pub fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let thread = std::thread::current();
    tracing::error!(
        panic.location = %place,
        panic.message = info.payload().downcast_ref::<&'static str>().copied().unwrap_or("(formatted, not logged)"),
        panic.thread = thread.name().unwrap_or("unnamed"),
        "a task panicked"
    );
}

/// An error with all its causes on one line: `this: because of this: because of that`. A cause whose words its parent
/// already repeats at the end is not written twice.
pub fn error_chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !line.ends_with(&words) {
            line.push_str(": ");
            line.push_str(&words);
        }
        cause = inner.source();
    }
    line.replace(['\r', '\n', '\0'], " ")
}

// ---- where lines go --------------------------------------------------------------------------------------------

type Buffer = Mutex<Vec<u8>>;

static CAPTURES: Mutex<Vec<Weak<Buffer>>> = Mutex::new(Vec::new());
static CAPTURING: AtomicUsize = AtomicUsize::new(0);
static SILENT: AtomicBool = AtomicBool::new(false);

/// Collects every log line of the process from its making to its drop, for tests.
#[derive(Debug)]
pub struct Capture(Arc<Buffer>);

/// Begins to collect log lines in memory, beside standard error.
pub fn capture() -> Capture {
    let buffer = Arc::new(Buffer::default());
    CAPTURES.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&buffer));
    CAPTURING.fetch_add(1, Ordering::AcqRel);
    Capture(buffer)
}

/// Keeps lines off standard error (they still reach captures): for test suites.
pub fn silence_stderr(silent: bool) {
    SILENT.store(silent, Ordering::Release);
}

impl Capture {
    /// Everything collected so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// The lines collected so far.
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        CAPTURING.fetch_sub(1, Ordering::AcqRel);
        let mut all = CAPTURES.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|weak| weak.as_ptr() != Arc::as_ptr(&self.0));
    }
}

/// Writes to standard error and to whoever captures. One `write` is one whole line.
#[derive(Clone, Copy)]
struct Tee;

impl<'a> MakeWriter<'a> for Tee {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for Tee {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if CAPTURING.load(Ordering::Acquire) > 0 {
            let all = CAPTURES.lock().unwrap_or_else(PoisonError::into_inner);
            for buffer in all.iter().filter_map(Weak::upgrade) {
                buffer.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
            }
        }
        if !SILENT.load(Ordering::Acquire) {
            io::stderr().lock().write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

// ---- how a line looks ------------------------------------------------------------------------------------------

/// Time in UTC with milliseconds. Real time: the clock of tests and simulator may run ahead, logs do not.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        w.write_str(&timestamp())
    }
}

fn timestamp() -> String {
    Clock::new().now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// When a span began.
struct Began(Instant);

/// Notes when spans begin, so that their end can say how long they took.
struct Stopwatch;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stopwatch {
    fn on_new_span(&self, _attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id) {
            span.extensions_mut().insert(Began(Instant::now()));
        }
    }
}

struct JsonLine;

impl<S> FormatEvent<S, JsonFields> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, JsonFields>, mut w: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let meta = event.metadata();
        let mut fields = Map::new();
        for span in ctx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(written) = span.extensions().get::<FormattedFields<JsonFields>>()
                && let Ok(Value::Object(of_span)) = serde_json::from_str(&written.fields)
            {
                fields.extend(of_span);
            }
        }
        if meta.is_span() {
            // The subscriber reports a span's end as an event with the span's own metadata.
            fields.insert("message".into(), format!("{} ended", meta.name()).into());
            let span = ctx.event_scope().and_then(|mut scope| scope.next());
            if let Some(ms) = span.and_then(|span| span.extensions().get::<Began>().map(|began| elapsed_ms(began.0))) {
                fields.insert("duration_ms".into(), ms.into());
            }
        } else {
            event.record(&mut Collect(&mut fields));
        }
        // A field of the caller's never overwrites these four.
        let message = fields.remove("message").unwrap_or_else(|| "".into());
        let head = [
            ("timestamp", timestamp().into()),
            ("level", meta.level().as_str().into()),
            ("target", meta.target().into()),
            ("message", message),
        ];
        w.write_char('{')?;
        for (n, (name, value)) in head.iter().enumerate() {
            fields.remove(*name);
            pair(&mut w, n > 0, name, value)?;
        }
        for (name, value) in &fields {
            pair(&mut w, true, name, value)?;
        }
        w.write_str("}\n")
    }
}

/// Milliseconds with three digits behind the point.
fn elapsed_ms(began: Instant) -> f64 {
    began.elapsed().as_micros() as f64 / 1000.0
}

fn pair(w: &mut Writer<'_>, comma: bool, name: &str, value: &Value) -> fmt::Result {
    let name = Value::from(name);
    if comma { write!(w, ",{name}:{value}") } else { write!(w, "{name}:{value}") }
}

/// Gathers an event's fields as JSON values; errors come with their causes.
struct Collect<'a>(&'a mut Map<String, Value>);

impl Collect<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Collect<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, error_chain(value).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Events that come from the `log` crate carry their origin in fields of this name.
        if !field.name().starts_with("log.") {
            self.put(field, format!("{value:?}").into());
        }
    }
}
