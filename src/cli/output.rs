//! Data on stdout, messages on stderr. Macros for printing are banned by lint: they panic when a pipe closes.

use std::io::Write;

use serde::Serialize;

use super::CliError;

/// Writes one line of data to stdout. A closed pipe (`| head`) is no error.
pub fn line(text: impl AsRef<str>) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::failed(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one value as one line of JSON to stdout.
pub fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string(value).map_err(|error| CliError::failed(format!("JSON: {error}")))?;
    line(text)
}

/// Writes one line for a person to stderr.
pub fn message(text: impl AsRef<str>) {
    // Nobody may be listening any more.
    let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
}
