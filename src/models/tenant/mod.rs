//! Tables of one company.

pub mod agenda_view;
pub mod appointment;
pub mod audit_log;
pub mod catalog;
pub mod commit;
pub mod consent;
pub mod conversation;
pub mod delivery;
mod embedded;
pub mod event;
pub mod experiment;
pub mod knowledge;
pub mod learning;
pub mod message;
pub mod person;
pub mod profile;
pub mod scheduling_insight;
pub mod template;
pub mod timer;
pub mod turn;
pub mod waitlist;
