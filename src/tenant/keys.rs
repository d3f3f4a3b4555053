//! Names in Redis. The braces are literal: a Redis Cluster hash tag, so that all keys of a company share one slot and
//! scripts over them stay atomic there.

use std::fmt;

use crate::domain::company::CompanyId;

/// A key of one company, written without its prefix. Only [`super::TenantRedis`] turns it into a string.
#[derive(Clone, Copy, Debug)]
pub enum TenantKey<'a> {
    /// Short context of a conversation: JSON, with a time to live.
    Context(&'a str),
    /// Hash of live usage of a month (`2026-11`).
    Usage(&'a str),
    /// Hidden id → telephone number.
    LidPhone(&'a str),
    /// Stream of dead letters.
    DeadLetters,
    /// Sorted set of worker → last heartbeat, milliseconds.
    Workers,
    /// List that wakes dedicated workers; holds at most one element.
    Wake,
}

impl TenantKey<'_> {
    /// The whole key.
    pub(super) fn full(self, company: CompanyId) -> String {
        format!("{}{self}", prefix(company))
    }
}

impl fmt::Display for TenantKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(conversation) => write!(f, "ctx:{conversation}"),
            Self::Usage(month) => write!(f, "usage:{month}"),
            Self::LidPhone(lid) => write!(f, "lid:{lid}"),
            Self::DeadLetters => f.write_str("q:dead"),
            Self::Workers => f.write_str("workers"),
            Self::Wake => f.write_str("q:wake"),
        }
    }
}

/// The prefix of all keys of a company, to be shown to operators: nothing outside of the wall may build keys with it.
pub fn prefix(company: CompanyId) -> String {
    format!("company:{{{company}}}:")
}

/// A key that belongs to no company: the only exception to the prefix.
#[derive(Clone, Copy, Debug)]
pub enum ControlKey {
    /// Sorted set of companies with claimable conversations: company → turn in the round robin.
    Ready,
    /// Elects the process that sweeps.
    Sweeper,
    /// Grows whenever a company, a domain or a setting changes.
    DirectoryVersion,
    /// Channel on which such a change is announced.
    DirectoryChanged,
    /// Sorted set of worker processes → last heartbeat, milliseconds.
    Workers,
    /// Last tick of a scheduler, milliseconds.
    SchedulerHeartbeat,
}

impl fmt::Display for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{secretaria}:")?;
        f.write_str(match self {
            Self::Ready => "q:ready",
            Self::Sweeper => "q:sweeper",
            Self::DirectoryVersion => "directory:version",
            Self::DirectoryChanged => "directory:changed",
            Self::Workers => "workers",
            Self::SchedulerHeartbeat => "scheduler:heartbeat",
        })
    }
}
