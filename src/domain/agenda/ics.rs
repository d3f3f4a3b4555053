//! A calendar as other programs subscribe to it (RFC 5545).

use chrono::{DateTime, Utc};

/// Longest line, in bytes (RFC 5545 §3.1).
const LINE_MAX: usize = 75;

/// One appointment of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id, the same in every feed it is in.
    pub uid: String,
    /// What it is: "Limpeza, Ana".
    pub summary: String,
    /// More; may be empty.
    pub description: String,
    /// Where; may be empty.
    pub location: String,
    /// When it begins.
    pub starts: DateTime<Utc>,
    /// When it ends.
    pub ends: DateTime<Utc>,
    /// Grows with every change, from 1.
    pub version: i32,
    /// When it was last changed.
    pub changed: DateTime<Utc>,
    /// Whether it stands.
    pub standing: Standing,
}

/// How sure an appointment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The company has to say yes.
    Tentative,
    /// It stands.
    Confirmed,
    /// It was called off: a feed that had it must say so, or it would stay in the other program.
    Cancelled,
}

/// The feed of a calendar. Times are given in UTC, so that no table of time zones is needed; programs show them on their
/// own clock.
pub fn feed(name: &str, entries: &[Entry]) -> String {
    let mut out = String::new();
    line(&mut out, "BEGIN", "VCALENDAR");
    line(&mut out, "VERSION", "2.0");
    line(&mut out, "PRODID", "-//Secretaria//Agenda//PT-BR");
    line(&mut out, "CALSCALE", "GREGORIAN");
    line(&mut out, "METHOD", "PUBLISH");
    line(&mut out, "X-WR-CALNAME", &escaped(name));
    line(&mut out, "REFRESH-INTERVAL;VALUE=DURATION", "PT15M");
    for entry in entries {
        event(&mut out, entry);
    }
    line(&mut out, "END", "VCALENDAR");
    out
}

fn event(out: &mut String, entry: &Entry) {
    let status = match entry.standing {
        Standing::Tentative => "TENTATIVE",
        Standing::Confirmed => "CONFIRMED",
        Standing::Cancelled => "CANCELLED",
    };
    line(out, "BEGIN", "VEVENT");
    line(out, "UID", &escaped(&entry.uid));
    line(out, "DTSTAMP", &stamp(entry.changed));
    line(out, "LAST-MODIFIED", &stamp(entry.changed));
    line(out, "DTSTART", &stamp(entry.starts));
    line(out, "DTEND", &stamp(entry.ends));
    line(out, "SEQUENCE", &entry.version.saturating_sub(1).max(0).to_string());
    line(out, "STATUS", status);
    line(out, "SUMMARY", &escaped(&entry.summary));
    for (name, value) in [("DESCRIPTION", &entry.description), ("LOCATION", &entry.location)] {
        if !value.is_empty() {
            line(out, name, &escaped(value));
        }
    }
    line(out, "END", "VEVENT");
}

fn stamp(moment: DateTime<Utc>) -> String {
    moment.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Text as a value: what would end or divide it is written out (RFC 5545 §3.3.11); other control characters vanish.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' | '\r' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// One line, folded where it is too long: never within a character.
fn line(out: &mut String, name: &str, value: &str) {
    let mut length = 0;
    for c in name.chars().chain(std::iter::once(':')).chain(value.chars()) {
        if length + c.len_utf8() > LINE_MAX {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
}
