//! `secretaria provision`: the whole life of a company.

mod args;

pub use args::{
    Action, Assignment, CompanyRef, CreateArgs, ListArgs, ProvisionArgs, ProvisionCommand, RotateArgs, SetArgs,
    ShowArgs, ValueArgs,
};

use super::{CliError, Context};

/// Runs `provision`.
pub async fn run(args: ProvisionArgs, _context: Context) -> Result<(), CliError> {
    let _action = args.action()?;
    Err(CliError::failed("not wired yet"))
}
