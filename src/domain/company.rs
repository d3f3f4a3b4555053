//! Who a company is: its number, name, domain and state.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of a company, given by the control database. Positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompanyId(i64);

impl CompanyId {
    /// Takes a number from the control database. `None` when it is not positive.
    pub fn new(id: i64) -> Option<Self> {
        (id > 0).then_some(Self(id))
    }

    /// The bare number, for binds and labels.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for CompanyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CompanyId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<i64>()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| format!("{text:?} is not a company number; `secretaria provision list` shows them"))
    }
}

/// Whether a company is being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompanyState {
    /// `provision` has begun and not finished; nothing is served yet.
    Provisioning,
    /// Served.
    Active,
    /// Webhooks are answered and ignored; nothing is sent.
    Suspended,
}

impl CompanyState {
    /// The spelling stored in `control.company.state`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads the stored spelling.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "provisioning" => Some(Self::Provisioning),
            "active" => Some(Self::Active),
            "suspended" => Some(Self::Suspended),
            _ => None,
        }
    }
}

/// A company as the rest of the code knows it.
#[derive(Clone, Debug)]
pub struct Company {
    /// Its number.
    pub id: CompanyId,
    /// The name its customers know it by.
    pub name: String,
    /// The host name its webhooks arrive at: lower case, no port, no trailing dot.
    pub domain: String,
    /// Whether it is being served.
    pub state: CompanyState,
}

/// A host name as companies are known by it: lower case, without port and trailing dot.
///
/// Fails with a sentence when it is no host name (RFC 1123: labels of 1 to 63 letters, digits and inner hyphens, at most
/// 253 characters).
pub fn normalise_domain(text: &str) -> Result<String, String> {
    let lower = text.trim().to_lowercase();
    if lower.contains('/') || lower.contains('@') {
        return Err(format!("{text:?} is no host name; write only the name, for example clinica.example.com"));
    }
    let host = match lower.split_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        Some(_) => return Err(format!("{text:?} is no host name; write it like clinica.example.com")),
        None => lower.as_str(),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if !host.is_ascii() {
        return Err(format!("{text:?} has letters that host names cannot hold; write its xn-- form"));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match host.len() <= 253 && host.split('.').all(label) {
        true => Ok(host.to_owned()),
        false => Err(format!("{text:?} is no host name; write it like clinica.example.com")),
    }
}
