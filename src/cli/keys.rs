//! The master key, from the environment or from its file.

use std::path::Path;

use secrecy::ExposeSecret;

use super::{CliError, Context, output};
use crate::tenant::MasterKey;

/// The master key; never makes one.
pub fn master_key(context: &Context) -> Result<MasterKey, CliError> {
    if let Some(key) = from_value(context)? {
        return Ok(key);
    }
    let file = &context.settings.security.master_key_file;
    if !Path::new(file).exists() {
        return Err(missing(file, "`secretaria provision` makes one with the first company"));
    }
    Ok(MasterKey::from_file(Path::new(file))?)
}

/// The master key; makes one (mode 0600, in a directory that exists) when there is none and no secret was ever sealed.
/// `sealed_with` is the id of the key the installation was made with: its secrets are lost without that very key.
pub fn master_key_or_new(context: &Context, sealed_with: Option<&str>) -> Result<MasterKey, CliError> {
    if let Some(key) = from_value(context)? {
        return Ok(key);
    }
    let file = &context.settings.security.master_key_file;
    let path = Path::new(file);
    if path.exists() {
        return Ok(MasterKey::from_file(path)?);
    }
    if let Some(id) = sealed_with {
        return Err(missing(file, &format!("bring back key {id}, which the stored secrets were sealed with")));
    }
    let key = MasterKey::from_file_or_new(path).map_err(|error| {
        let mend = "make its directory, or name another file with security.master_key_file \
                    (SECRETARIA_SECURITY__MASTER_KEY_FILE)";
        CliError::configuration(format!("{error}\n  to mend: {mend}"))
    })?;
    output::message(format!(
        "made the master key {} in {file}; keep a copy in a safe place: without it no stored secret can be read",
        key.id()
    ));
    Ok(key)
}

fn from_value(context: &Context) -> Result<Option<MasterKey>, CliError> {
    match context.settings.security.master_key.expose_secret() {
        "" => Ok(None),
        text => Ok(Some(MasterKey::from_hex(text, "security.master_key")?)),
    }
}

fn missing(file: &str, mend: &str) -> CliError {
    CliError::configuration(format!("there is no master key in {file} (security.master_key_file).\n  to mend: {mend}"))
}
