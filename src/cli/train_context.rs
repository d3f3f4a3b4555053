//! `secretaria train-context`: has its name already, its work arrives later.

use clap::Args;

use super::{CliError, Context};

/// Flags of `train-context`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:
  secretaria train-context")]
pub struct TrainContextArgs {}

/// Says that learning arrives later; exit code 2, so that a timer set up too early does not look like a success.
pub async fn run(_args: TrainContextArgs, _context: Context) -> Result<(), CliError> {
    Err(CliError::usage(
        "train-context arrives in a later version: nothing was learnt and nothing was changed.\n  \
         to mend: do not schedule it yet; answers use each company's facts meanwhile.",
    ))
}
