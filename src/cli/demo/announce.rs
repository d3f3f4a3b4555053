//! What `demo` says when it is ready.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{DemoArgs, DemoCompany};
use crate::cli::{CliError, output};
use crate::config::Settings;

/// A demo that is ready.
pub(super) struct Ready<'a> {
    pub settings: &'a Settings,
    pub data_dir: &'a Path,
    pub base_url: &'a str,
    pub standins_url: &'a str,
    pub companies: &'a [DemoCompany],
    /// Whether the model is the provider's, not the stand-in.
    pub real_model: bool,
    /// The environment's word for the language of its user.
    pub portuguese: bool,
}

/// The file with everything a second shell needs; it is there while the demo runs.
pub(super) struct ReadyFile(PathBuf);

impl Ready<'_> {
    /// Says where everything is, in at most twelve lines; with `--json` one line on stdout. The same JSON is left in
    /// `ready.json` of the data directory, for its owner only: it holds the companies' secrets.
    pub(super) fn announce(&self, args: &DemoArgs) -> Result<ReadyFile, CliError> {
        let ready = self.as_json();
        let file = ReadyFile::write(self.data_dir, &ready)?;
        if args.json {
            output::json(&ready)?;
        } else {
            output::line(self.as_text(&file.0))?;
        }
        Ok(file)
    }

    fn as_json(&self) -> Value {
        json!({
            "base_url": self.base_url,
            "simulator_url": format!("{}/simulador", self.base_url),
            "standins_url": self.standins_url,
            "database_url": self.settings.database.url.expose_secret(),
            "database_admin_url": self.settings.database.admin_url.expose_secret(),
            "redis_url": self.settings.redis.url.expose_secret(),
            "master_key_file": self.settings.security.master_key_file,
            "companies": self.companies,
        })
    }

    fn as_text(&self, file: &Path) -> String {
        let (base_url, standins_url, file) = (self.base_url, self.standins_url, file.display());
        let names = self.companies.iter().take(3).map(|one| format!("{} ({})", one.name, one.domain));
        let names = names.collect::<Vec<_>>().join(", ");
        let more = match self.companies.len().saturating_sub(3) {
            0 => String::new(),
            more => format!(" + {more}"),
        };
        let model = &self.settings.llm.model;
        if self.portuguese {
            let companies = if names.is_empty() { "nenhuma".to_owned() } else { names + &more };
            let model = match self.real_model {
                true => format!("{model}, o de verdade"),
                false => "dublê; com GEMINI_API_KEY é o de verdade".to_owned(),
            };
            return format!(
                "  Secretaria está pronta.\n  Simulador   {base_url}/simulador\n  Métricas    {base_url}/metrics (saúde: /readyz)\n  \
                 Provedores  {standins_url}/_ledger (o que os dublês receberam)\n  Empresas    {companies}\n  Modelo      {model}\n  \
                 Segredos    {file} (para o curl do README)\n  Experimente no simulador:\n    1. \"oi, qual o horário de vocês?\"\n    \
                 2. 5 mensagens de uma vez: uma resposta só\n    3. modelo fora do ar: um texto pronto, nunca silêncio\n  \
                 Ctrl-C encerra tudo; a próxima vez usa os mesmos dados."
            );
        }
        let companies = if names.is_empty() { "none".to_owned() } else { names + &more };
        let model = match self.real_model {
            true => format!("{model}, the real one"),
            false => "a stand-in; the real one with GEMINI_API_KEY set".to_owned(),
        };
        format!(
            "  Secretaria is ready.\n  Simulator   {base_url}/simulador\n  Metrics     {base_url}/metrics (health: /readyz)\n  \
             Providers   {standins_url}/_ledger (what the stand-ins received)\n  Companies   {companies}\n  Model       {model}\n  \
             Secrets     {file} (for the README's curl)\n  Try in the simulator:\n    1. \"oi, qual o horário de vocês?\"\n    \
             2. five messages at once: one answer\n    3. model down: a ready text, never silence\n  \
             Ctrl-C stops everything; the next start uses the same data."
        )
    }
}

impl ReadyFile {
    fn write(data_dir: &Path, ready: &Value) -> Result<Self, CliError> {
        let path = data_dir.join("ready.json");
        let fail = |error: std::io::Error| CliError::failed(format!("{}: {error}", path.display()));
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&path).map_err(fail)?;
        // The mode above is for new files only.
        file.set_permissions(Permissions::from_mode(0o600)).map_err(fail)?;
        writeln!(file, "{ready}").map_err(fail)?;
        Ok(Self(path))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Without a demo its addresses lead nowhere; a missing file says so better.
        let _ = std::fs::remove_file(&self.0);
    }
}
