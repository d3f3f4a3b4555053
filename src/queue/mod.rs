//! The queue: FIFO with message groups. The group is the conversation.
//!
//! A worker claims a **conversation**, never a message, and receives its whole mailbox. So order holds for any number
//! of workers, a burst of messages is one turn, and a slow conversation delays only itself.
//!
//! # What lies in Redis
//! All keys of a company begin with `company:{id}:` (literal braces: one hash slot) and are touched by scripts that are
//! handed this prefix. `<c>` is the conversation's key.
//!
//! | key | kind | holds |
//! |---|---|---|
//! | `q:box:<c>` | list | the mailbox: undecided envelopes, each `seq\|kind\|accepted\|json` |
//! | `q:lane:<c>` | hash | `fence` of the last claim · `floor` the next one must exceed · `expired` leases since the last decision · `burst_due`, `burst_end` · `hold` · `clean` · `ready` it is in that list · `seq` of the last message · `limit` of the number |
//! | `q:ready` | list | conversations that may be claimed now |
//! | `q:due` | zset | conversations that may be claimed later → milliseconds |
//! | `q:lease` | zset | claimed conversations → when the claim ends, milliseconds |
//! | `q:since` | zset | conversations with undecided envelopes → when the oldest was accepted |
//! | `q:deficit` | string | what the company may still claim in this round |
//! | `q:seen:<id>` | string | a message id that was accepted, for 48 h |
//! | `q:dead` | stream | dead letters with reason and whole envelope |
//! | `q:wake` | list | wakes dedicated workers; one element at most |
//! | `q:epoch` | string | `run\|milliseconds`: the start of Redis it was filled for and when; another or none: unfinished deliveries must be put back |
//! | `rl:a:<ip>:<second>` | string | messages of an address in this second; the number's limit is the lane's `limit` (GCRA: theoretical arrival time, microseconds) |
//! | `lid:<id>` | string | telephone number of a hidden id |
//!
//! A conversation with anything to do is in exactly one of `ready`, `due`, `lease`:
//!
//! ```text
//!           accept (no burst window)            claim                  release: empty mailbox
//!   idle ───────────────────────────▶ ready ───────────▶ leased ────────────────────────────▶ idle
//!     │                                 ▲ ▲               │ │ └─ release: mail, or at a time ─▶ due / ready
//!     └── accept ──▶ due ── time ───────┘ └── reap ───────┘ └─ four leases without a decision ─▶ dead letter
//! ```
//!
//! Numbers that only grow (`fence`, `seq`) are `max(last + 1, microseconds now)`: they grow across a wiped Redis too.
//! The scripts take the clock's offset as an argument and add it to Redis' own time.
//!
//! Which company is looked at next is told by global keys (`{secretaria}:q:ready`, a round robin; `{secretaria}:q:timers`).
//! They are hints: written after the script, lost without harm, since every company is swept each five seconds.
//!
//! What a claim is for: speed. Who may decide is settled by PostgreSQL (`fence` of the conversation row). See ADR 0002.

mod consumer;
pub mod dead_letter;
mod envelope;
mod hints;
mod producer;
mod registry;
mod scripts;

pub use consumer::{Claim, ClaimLimits, Claimed, Peek, Queue, Reaped, Release, Return, Settlement};
pub use dead_letter::DeadLetter;
pub use envelope::{Body, Envelope, Waiting};
pub use hints::Hints;
pub use producer::{Accepted, IntakeLimits, Limit, NewEnvelope, accept};
pub use registry::Registry;
