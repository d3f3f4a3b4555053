//! `secretaria serve`: takes webhooks over HTTP.

use clap::Args;

use super::{CliError, Context};

/// Flags of `serve`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:
  secretaria serve --bind 127.0.0.1:8080")]
pub struct ServeArgs {
    /// Address and port to listen on [setting server.bind]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub bind: Option<String>,
}

impl ServeArgs {
    /// Settings these flags set.
    pub fn overrides(&self) -> Vec<(String, String)> {
        self.bind.iter().map(|bind| ("server.bind".to_owned(), bind.clone())).collect()
    }
}

/// Runs `serve`.
pub async fn run(_args: ServeArgs, _context: Context) -> Result<(), CliError> {
    Err(CliError::failed("not wired yet"))
}
