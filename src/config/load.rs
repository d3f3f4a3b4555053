//! Reads the sources of settings in order and remembers where each value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::{ConfigError, nearest};
use super::{Settings, check, values};

/// The embedded defaults: the list of all keys, their types and their meaning.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Prefix of all own environment variables.
const PREFIX: &str = "SECRETARIA_";
/// Environment variables with names that hosting platforms use.
pub(super) const WELL_KNOWN: [(&str, &str); 3] =
    [("DATABASE_URL", "database.url"), ("DATABASE_ADMIN_URL", "database.admin_url"), ("REDIS_URL", "redis.url")];
/// Own environment variables that are no settings.
const NOT_SETTINGS: [&str; 1] = ["SECRETARIA_CONFIG"];
/// Keys whose value is never shown.
const SECRETS: [&str; 2] = ["metrics.token", "security.master_key"];
/// Keys whose value is a URL that may hold a password.
const SECRET_URLS: [&str; 3] = ["database.url", "database.admin_url", "redis.url"];

/// Where settings are read from. The environment comes as a map, so tests need none.
///
/// It holds secrets in the clear, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct Sources {
    /// The file of `--config` or `SECRETARIA_CONFIG`.
    pub file: Option<PathBuf>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// `(key, value)` set by the command itself: flags, `demo`, tests. They win.
    pub overrides: Vec<(String, String)>,
}

impl Sources {
    /// The same sources with one more value set by the command.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.overrides.push((key.to_owned(), value.into()));
        self
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The embedded default.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The file named by an environment variable `…_FILE`.
    EnvFile(String, PathBuf),
    /// A flag, or the command itself.
    Command,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::EnvFile(name, path) => write!(f, "environment {name} (file {})", path.display()),
            Self::Command => f.write_str("command"),
        }
    }
}

/// One key as `config show` prints it.
#[derive(Clone, Debug)]
pub struct OriginEntry {
    /// The key, `section.name`.
    pub key: String,
    /// The value; secrets hidden, URLs without their password.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
    /// The comment of the key in `config/default.toml`.
    pub doc: String,
}

/// Where every value came from, in the order of `config/default.toml`.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// All keys.
    pub entries: Vec<OriginEntry>,
}

impl Origins {
    /// The entry of one key.
    pub fn get(&self, key: &str) -> Option<&OriginEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

type Layered = BTreeMap<String, (Value, Origin)>;

impl Settings {
    /// Reads all sources, later ones winning, and refuses unknown keys, wrong types and contradictions.
    pub fn load(sources: &Sources) -> Result<(Self, Origins), ConfigError> {
        let defaults = defaults()?;
        let mut layered: Layered =
            defaults.iter().map(|(key, value)| (key.clone(), (value.clone(), Origin::Default))).collect();
        if let Some(path) = &sources.file {
            apply_file(&mut layered, &defaults, path)?;
        }
        apply_env(&mut layered, &defaults, &sources.env)?;
        for (key, text) in &sources.overrides {
            let default = known(&defaults, key, "the command")?;
            let value = values::parse(key, text, default, "the command")?;
            layered.insert(key.clone(), (value, Origin::Command));
        }
        let settings = deserialize(&layered, &defaults)?;
        let origins = origins(&layered);
        check::contradictions(&settings, &origins)?;
        Ok((settings, origins))
    }
}

/// All keys with their default values.
pub(super) fn defaults() -> Result<BTreeMap<String, Value>, ConfigError> {
    let table = parse_toml(DEFAULTS, "the embedded defaults")?;
    let mut flat = BTreeMap::new();
    flatten("", table, &mut flat);
    Ok(flat)
}

fn flatten(prefix: &str, table: Table, into: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) => flatten(&key, inner, into),
            other => {
                into.insert(key, other);
            }
        }
    }
}

fn parse_toml(text: &str, origin: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        // Only the message and the line: the error's own rendering quotes the line, which may hold a secret.
        let line = error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.split('\n').count());
        ConfigError::new(
            format!("the settings are not valid TOML: {}", error.message()),
            format!("{origin}, line {line}"),
            "correct that line; docs/config.md shows how settings look.",
        )
    })
}

fn known<'a>(defaults: &'a BTreeMap<String, Value>, key: &str, origin: &str) -> Result<&'a Value, ConfigError> {
    defaults.get(key).ok_or_else(|| {
        let mend = match nearest(key, defaults.keys().map(String::as_str)) {
            Some(name) => format!("did you mean {name}? `secretaria config show` lists all keys."),
            None => "remove it; `secretaria config show` lists all keys.".to_owned(),
        };
        ConfigError::new(format!("there is no setting {key}"), origin, mend)
    })
}

fn apply_file(layered: &mut Layered, defaults: &BTreeMap<String, Value>, path: &Path) -> Result<(), ConfigError> {
    let origin = Origin::File(path.to_owned());
    let shown = origin.to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(
            format!("the configuration file cannot be read: {error}"),
            &shown,
            "name a readable file with --config or SECRETARIA_CONFIG, or neither.",
        )
    })?;
    let table = parse_toml(&text, &shown)?;
    let mut flat = BTreeMap::new();
    for (section, value) in &table {
        let empty = value.as_table().is_some_and(Table::is_empty);
        let is_section = defaults.keys().any(|key| key.split('.').next() == Some(section));
        if empty && !is_section {
            known(defaults, section, &shown)?;
        }
    }
    flatten("", table, &mut flat);
    for (key, value) in flat {
        let default = known(defaults, &key, &shown)?;
        let value = values::conform(&key, value, default, &shown)?;
        layered.insert(key, (value, origin.clone()));
    }
    Ok(())
}

fn apply_env(
    layered: &mut Layered,
    defaults: &BTreeMap<String, Value>,
    env: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let mut read_by: BTreeMap<String, &str> = BTreeMap::new();
    for (name, text) in env {
        let Some((key, from_file)) = env_key(name, defaults)? else { continue };
        // Container platforms pass variables nobody set as empty ones.
        if text.is_empty() && !name.starts_with(PREFIX) {
            continue;
        }
        if let Some(other) = read_by.insert(key.clone(), name) {
            return Err(ConfigError::new(
                format!("{key} is set twice in the environment, by {other} and {name}"),
                "environment",
                format!("unset one of {other} and {name}."),
            ));
        }
        let (text, origin) = match from_file {
            true => (read_value(name, text)?, Origin::EnvFile(name.clone(), PathBuf::from(text))),
            false => (text.clone(), Origin::Env(name.clone())),
        };
        let default = known(defaults, &key, &origin.to_string())?;
        let value = values::parse(&key, &text, default, &origin.to_string())?;
        layered.insert(key, (value, origin));
    }
    Ok(())
}

/// The key an environment variable sets and whether it does so through a file; `None` = none of ours.
fn env_key(name: &str, defaults: &BTreeMap<String, Value>) -> Result<Option<(String, bool)>, ConfigError> {
    let (bare, from_file) = name.strip_suffix("_FILE").map_or((name, false), |bare| (bare, true));
    if let Some((_, key)) = WELL_KNOWN.iter().find(|(known, _)| *known == bare) {
        return Ok(Some(((*key).to_owned(), from_file)));
    }
    let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(None) };
    if NOT_SETTINGS.contains(&name) {
        return Ok(None);
    }
    let key = rest.to_lowercase().replace("__", ".");
    // An exact name wins: security.master_key_file is a setting of its own.
    if defaults.contains_key(&key) {
        return Ok(Some((key, false)));
    }
    if let Some(bare) = key.strip_suffix("_file").filter(|bare| defaults.contains_key(*bare)) {
        return Ok(Some((bare.to_owned(), true)));
    }
    let names: Vec<String> = defaults.keys().map(|key| env_name(key)).collect();
    let mend = match nearest(name, names.iter().map(String::as_str)) {
        Some(known) => format!("did you mean {known}? `secretaria config show` lists all keys."),
        None => format!("unset {name}; own variables look like SECRETARIA_SECTION__KEY."),
    };
    Err(ConfigError::new(format!("there is no setting {key}"), format!("environment {name}"), mend))
}

/// The environment variable of a key.
pub(super) fn env_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

fn read_value(name: &str, path: &str) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(
            format!("the file {path} cannot be read: {error}"),
            format!("environment {name}"),
            format!("let {name} name a readable file that holds the value, or unset it."),
        )
    })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn deserialize(layered: &Layered, defaults: &BTreeMap<String, Value>) -> Result<Settings, ConfigError> {
    let merged = || layered.iter().map(|(key, (value, _))| (key.as_str(), value));
    let Err(whole) = to_settings(merged()) else { return to_settings(merged()).map_err(plain) };
    // Which value is it? Each non-default one is tried alone on top of the defaults.
    for (key, (value, origin)) in layered.iter().filter(|(_, (_, origin))| *origin != Origin::Default) {
        let alone = defaults.iter().filter(|(name, _)| *name != key).map(|(name, value)| (name.as_str(), value));
        if let Err(error) = to_settings(alone.chain([(key.as_str(), value)])) {
            let message = error.message().to_owned();
            return Err(ConfigError::new(
                format!("{key} has a value that is not allowed: {message}"),
                origin.to_string(),
                format!("give {key} a value as docs/config.md describes it."),
            ));
        }
    }
    Err(plain(whole))
}

fn plain(error: toml::de::Error) -> ConfigError {
    ConfigError::new(error.message().to_owned(), "", "see docs/config.md.")
}

fn to_settings<'a>(values: impl Iterator<Item = (&'a str, &'a Value)>) -> Result<Settings, toml::de::Error> {
    let mut root = Table::new();
    for (key, value) in values {
        match key.split_once('.') {
            None => {
                root.insert(key.to_owned(), value.clone());
            }
            Some((section, name)) => {
                let table = root.entry(section).or_insert_with(|| Value::Table(Table::new()));
                if let Some(table) = table.as_table_mut() {
                    table.insert(name.to_owned(), value.clone());
                }
            }
        }
    }
    Value::Table(root).try_into()
}

fn origins(layered: &Layered) -> Origins {
    let entries = super::describe::documented_keys()
        .into_iter()
        .filter_map(|documented| {
            let (value, origin) = layered.get(&documented.key)?;
            let value = shown(&documented.key, value);
            Some(OriginEntry { key: documented.key, value, origin: origin.clone(), doc: documented.doc })
        })
        .collect();
    Origins { entries }
}

fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) if SECRET_URLS.contains(&key) => values::hide_password(text),
        Value::String(text) if SECRETS.contains(&key) && !text.is_empty() => values::HIDDEN.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a key's value is a secret or may hold one.
pub(super) fn is_secret(key: &str) -> bool {
    SECRETS.contains(&key) || SECRET_URLS.contains(&key)
}
