//! Tables of one company.

pub mod audit_log;
pub mod commit;
pub mod consent;
pub mod conversation;
pub mod delivery;
pub mod event;
pub mod experiment;
pub mod message;
pub mod person;
pub mod template;
pub mod turn;
