//! What a log line looks like, and what it must not hold.

use secretaria::config::{LogFormat, LogSettings};
use secretaria::telemetry::logging;
use serde_json::Value;

/// Runs `f` under a JSON subscriber of its own and returns the lines that mention `mark`.
fn lines_of(mark: &str, f: impl FnOnce()) -> Vec<Value> {
    logging::silence_stderr(true);
    let settings = LogSettings { format: LogFormat::Json, filter: "debug".into() };
    let capture = logging::capture();
    tracing::subscriber::with_default(logging::subscriber(&settings, false).unwrap(), f);
    let lines = capture.lines();
    lines.iter().filter(|line| line.contains(mark)).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_is_one_json_object_with_the_fields_of_all_spans_at_its_top() {
    let lines = lines_of("log-mark-1", || {
        let turn = tracing::info_span!("turn", correlation_id = "log-mark-1", company = 42, attempt = 1);
        let _turn = turn.enter();
        let send = tracing::info_span!("send", job_id = "j-7", attempt = 2);
        let _send = send.enter();
        tracing::warn!(status = 503, "the channel did not take the text");
    });
    let line = &lines[0];
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["target"], "it::logging");
    assert_eq!(line["message"], "the channel did not take the text");
    assert_eq!(line["correlation_id"], "log-mark-1");
    assert_eq!((&line["company"], &line["job_id"], &line["status"]), (&42.into(), &"j-7".into(), &503.into()));
    assert_eq!(line["attempt"], 2, "the innermost span wins");
    let time = line["timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
}

#[test]
fn a_span_that_ends_says_how_long_it_took_and_what_was_recorded_later() {
    let lines = lines_of("log-mark-2", || {
        let span = tracing::info_span!("request", correlation_id = "log-mark-2", status = tracing::field::Empty);
        span.record("status", 202);
        span.in_scope(|| ());
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["message"], "request ended");
    assert_eq!(lines[0]["status"], 202);
    assert!(lines[0]["duration_ms"].as_f64().unwrap() >= 0.0);
}

#[test]
fn a_field_cannot_break_the_line_nor_take_the_place_of_the_head() {
    let lines = lines_of("log-mark-3", || {
        let text = "log-mark-3\n{\"level\":\"ERROR\"}";
        tracing::info!(level = "forged", timestamp = "never", text, "said");
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["level"], "INFO");
    assert_ne!(lines[0]["timestamp"], "never");
    assert_eq!(lines[0]["text"], "log-mark-3\n{\"level\":\"ERROR\"}");
}

#[test]
fn a_panic_is_logged_with_its_place_and_without_a_formatted_message() {
    let lines = lines_of("log-mark-4", || {
        let _one_at_a_time =
            crate::harness::trouble::PANIC_HOOK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = std::panic::take_hook();
        let before = std::sync::Arc::new(before);
        let other_threads = std::sync::Arc::clone(&before);
        let here = std::thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == here { logging::log_panic(info) } else { other_threads(info) }
        }));
        let span = tracing::info_span!("task", correlation_id = "log-mark-4");
        let _in = span.enter();
        let secret = "5511987654321";
        std::panic::catch_unwind(|| panic!("cannot read {secret}")).unwrap_err();
        std::panic::catch_unwind(|| panic!("fixed words")).unwrap_err();
        std::panic::set_hook(Box::new(move |info| before(info)));
    });
    let panics: Vec<&Value> = lines.iter().filter(|line| line["message"] == "a task panicked").collect();
    assert_eq!(panics.len(), 2, "each panic once");
    assert!(panics[0]["panic.location"].as_str().unwrap().contains("tests/it/logging.rs:"));
    assert_eq!(panics[1]["panic.message"], "fixed words");
    assert!(!lines.iter().any(|line| line.to_string().contains("5511987654321")));
}

#[derive(Debug, thiserror::Error)]
#[error("the turn failed")]
struct Outer(#[source] std::io::Error);

#[test]
fn an_error_is_written_with_its_causes_on_one_line() {
    let error = Outer(std::io::Error::other("connection\r\nreset"));
    assert_eq!(logging::error_chain(&error), "the turn failed: connection  reset");
    let lines = lines_of("log-mark-5", || {
        let error: &(dyn std::error::Error + 'static) = &error;
        tracing::error!(error, "log-mark-5");
    });
    assert_eq!(lines[0]["error"], "the turn failed: connection  reset");
}

#[test]
fn a_filter_that_cannot_be_read_is_refused_by_name() {
    let settings = LogSettings { format: LogFormat::Json, filter: "info,secretaria=loud".into() };
    let error = logging::subscriber(&settings, false).err().unwrap();
    assert!(error.contains("log.filter") && error.contains("loud"), "{error}");
}

#[test]
fn for_eyes_a_line_is_short_and_coloured_only_on_demand() {
    logging::silence_stderr(true);
    let settings = LogSettings { format: LogFormat::Human, filter: "info".into() };
    for color in [false, true] {
        let capture = logging::capture();
        tracing::subscriber::with_default(logging::subscriber(&settings, color).unwrap(), || {
            tracing::info!(port = 8080, "log-mark-6 listening");
        });
        let lines = capture.lines();
        let line = lines.iter().find(|line| line.contains("log-mark-6")).unwrap();
        assert!(line.contains("INFO") && line.contains("8080"), "{line}");
        assert_eq!(line.contains('\u{1b}'), color, "{line:?}");
    }
}
