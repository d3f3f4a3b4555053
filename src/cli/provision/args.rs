//! The arguments of `provision`, and the values they bring.

use std::collections::BTreeMap;
use std::io::Read;
use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::cli::CliError;
use crate::config::company;
use crate::domain::company::CompanyId;

/// Arguments of `provision`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct ProvisionArgs {
    /// What to do; without one, `--name` and `--domain` create, and nothing at all lists.
    #[command(subcommand)]
    pub command: Option<ProvisionCommand>,
    /// The flags of `create`.
    #[command(flatten)]
    pub create: CreateArgs,
}

const EXAMPLES: &str = "Examples:
  secretaria provision
  secretaria provision --name 'Clínica Sorriso' --domain clinica.example.com
  secretaria provision set clinica.example.com --set timezone=America/Manaus --set-file llm.api_key=key.txt
  secretaria provision rotate 42

Without a subcommand, --name with --domain creates; no arguments list the companies. Needs DATABASE_ADMIN_URL to
create. An interrupted run is finished by the next one.";

/// What `provision` does.
#[derive(Clone, Debug, Subcommand)]
pub enum ProvisionCommand {
    /// Create a company, or finish creating it; the same domain again changes nothing
    #[command(after_help = "Examples:
  secretaria provision create --name 'Clínica Sorriso' --domain clinica.example.com --dry-run
  secretaria provision create --name 'Clínica Sorriso' --domain clinica.example.com --set channel.base_url=https://chat.example.com --set-file channel.token=- < token.txt")]
    Create(CreateArgs),
    /// List companies and their states
    #[command(after_help = "Example:\n  secretaria provision list --json")]
    List(ListArgs),
    /// Show one company and its settings, secrets hidden
    #[command(after_help = "Example:\n  secretaria provision show 42")]
    Show(ShowArgs),
    /// Change settings of one company
    #[command(after_help = "Examples:
  secretaria provision set 42 --set ai.enabled=false
  secretaria provision set clinica.example.com --set-file facts.about=about.txt --unset text.media
  secretaria provision set 42 --set-file llm.api_key=- < key.txt")]
    Set(SetArgs),
    /// Make a new webhook secret and token; the old ones stay valid until --finish
    #[command(after_help = "Examples:
  secretaria provision rotate 42
  secretaria provision rotate 42 --finish")]
    Rotate(RotateArgs),
}

/// `provision create`.
#[derive(Clone, Debug, Default, Args)]
pub struct CreateArgs {
    /// The name its customers know it by
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The host name its webhooks arrive at
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Settings to begin with.
    #[command(flatten)]
    pub values: ValueArgs,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Settings given on the command line.
#[derive(Clone, Debug, Default, Args)]
pub struct ValueArgs {
    /// A setting; may be repeated. Secrets only by --set-file
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<Assignment>,
    /// A setting from a file, or from stdin with `-`; may be repeated
    #[arg(long = "set-file", value_name = "KEY=PATH|-")]
    pub set_file: Vec<Assignment>,
}

/// `provision list`.
#[derive(Clone, Copy, Debug, Args)]
pub struct ListArgs {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `provision show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// Number or domain
    #[arg(value_name = "COMPANY")]
    pub company: CompanyRef,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// `provision set`.
#[derive(Clone, Debug, Args)]
pub struct SetArgs {
    /// Number or domain
    #[arg(value_name = "COMPANY")]
    pub company: CompanyRef,
    /// What to set.
    #[command(flatten)]
    pub values: ValueArgs,
    /// Back to the default; may be repeated
    #[arg(long, value_name = "KEY", value_parser = known_key)]
    pub unset: Vec<String>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// `provision rotate`.
#[derive(Clone, Debug, Args)]
pub struct RotateArgs {
    /// Number or domain
    #[arg(value_name = "COMPANY")]
    pub company: CompanyRef,
    /// End the overlap: the previous secret and token stop being accepted
    #[arg(long)]
    pub finish: bool,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// A company as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompanyRef {
    /// By number.
    Number(CompanyId),
    /// By domain, lower case.
    Domain(String),
}

impl FromStr for CompanyRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().all(|c| c.is_ascii_digit()) {
            return text.parse().map(Self::Number);
        }
        Ok(Self::Domain(text.trim_end_matches('.').to_lowercase()))
    }
}

/// `KEY=VALUE` with a known key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The key.
    pub key: String,
    /// The value, or a path.
    pub value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
        Ok(Self { key: known_key(key)?, value: value.to_owned() })
    }
}

fn known_key(key: &str) -> Result<String, String> {
    company::find(key).map(|setting| setting.key.to_owned())
}

/// What `provision` was asked to do.
#[derive(Clone, Debug)]
pub enum Action {
    /// No arguments: companies, states and an example.
    Overview {
        /// One JSON object a line.
        json: bool,
    },
    /// A subcommand, or `--name` with `--domain`.
    Do(ProvisionCommand),
}

impl ProvisionArgs {
    /// What was asked, or why it cannot be understood.
    pub fn action(self) -> Result<Action, CliError> {
        let create = match self.command {
            Some(ProvisionCommand::Create(create)) => create,
            Some(other) => return Ok(Action::Do(other)),
            None if self.create.is_empty() => return Ok(Action::Overview { json: self.create.json }),
            None => self.create,
        };
        match (&create.name, &create.domain) {
            (Some(_), Some(_)) => Ok(Action::Do(ProvisionCommand::Create(create))),
            _ => Err(CliError::usage(
                "a new company needs --name and --domain.\n  to mend: secretaria provision --name 'Clínica Sorriso' --domain \
                 clinica.example.com",
            )),
        }
    }
}

impl CreateArgs {
    fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.domain.is_none()
            && self.values.set.is_empty()
            && self.values.set_file.is_empty()
            && !self.dry_run
    }
}

impl ValueArgs {
    /// The values, read from flags, files and stdin, each checked; secrets among them.
    ///
    /// Fails on a secret given as a flag (flags end up in shell histories and process lists), on a key given twice, on
    /// stdin used twice and on values that do not fit.
    pub fn read(&self, mut stdin: impl Read) -> Result<BTreeMap<String, String>, CliError> {
        let mut values = BTreeMap::new();
        let mut stdin_used = false;
        for Assignment { key, value } in &self.set {
            if company::find(key).map_err(CliError::usage)?.is_secret() {
                let mend =
                    format!("put it into a file and use --set-file {key}=PATH, or pipe it to --set-file {key}=-");
                return Err(CliError::usage(format!("{key} is a secret and no flag may hold it.\n  to mend: {mend}")));
            }
            put(&mut values, key, value.clone())?;
        }
        for Assignment { key, value: path } in &self.set_file {
            let from_stdin = path == "-";
            if from_stdin && std::mem::replace(&mut stdin_used, true) {
                return Err(CliError::usage("stdin can be read for one setting only"));
            }
            let mut text = String::new();
            let read = match from_stdin {
                true => stdin.read_to_string(&mut text),
                false => std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)),
            };
            read.map_err(|error| CliError::usage(format!("--set-file {key}: {path} cannot be read: {error}")))?;
            put(&mut values, key, text.trim_end_matches(['\n', '\r']).to_owned())?;
        }
        Ok(values)
    }
}

fn put(values: &mut BTreeMap<String, String>, key: &str, value: String) -> Result<(), CliError> {
    company::check(key, &value).map_err(CliError::usage)?;
    match values.insert(key.to_owned(), value) {
        Some(_) => Err(CliError::usage(format!("{key} is given twice"))),
        None => Ok(()),
    }
}
