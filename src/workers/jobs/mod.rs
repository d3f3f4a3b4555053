//! One file per kind of job: payload below, handler here.

pub mod incoming;
