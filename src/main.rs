//! The binary: allocator, TLS provider, command line, exit code. Everything else is in the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use secretaria::cli::{self, Cli, CliError};
use secretaria::telemetry::logging;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn run() -> Result<(), CliError> {
    // Without a provider installed, building the first HTTP client panics. A second installation only says "already".
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let context = cli::Context::load(&cli)?;
    let color = std::io::stderr().is_terminal() && !context.no_color();
    logging::install(&context.settings.log, color).map_err(CliError::failed)?;
    logging::install_panic_hook();
    cli::runtime(cli.command.threads())?.block_on(cli.command.run(context))
}
