//! The one error of configuration: what is wrong, where it was read, how to mend it.

use std::fmt;

/// Why the settings cannot be used. Exit code 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong, naming the key.
    pub what: String,
    /// Where the value was read; empty when it concerns several places named in `what`.
    pub origin: String,
    /// What to do, a full sentence.
    pub mend: String,
}

impl ConfigError {
    /// An error from its three sentences.
    pub fn new(what: impl Into<String>, origin: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), origin: origin.into(), mend: mend.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.origin.is_empty() {
            write!(f, "\n  read from: {}", self.origin)?;
        }
        write!(f, "\n  to mend: {}", self.mend)
    }
}

impl std::error::Error for ConfigError {}

/// The known name closest to a wrong one, when it is close enough to be meant.
pub(super) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    known
        .map(|name| (strsim::jaro_winkler(&wrong, &name.to_lowercase()), name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
