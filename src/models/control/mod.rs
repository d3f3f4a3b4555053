//! Tables of the control schema.

pub mod audit_log;
pub mod company;
pub mod installation;
pub mod periodic_run;
pub mod provisioning_step;
