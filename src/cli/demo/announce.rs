//! What `demo` says when it is ready.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use serde_json::json;

use super::{DemoArgs, DemoCompany};
use crate::cli::{CliError, output};
use crate::config::Settings;

/// Says where everything is, in at most twelve lines; with `--json` one line on stdout.
pub(super) fn ready(
    args: &DemoArgs,
    settings: &Settings,
    (base_url, standins_url): (&str, String),
    companies: &[DemoCompany],
    env: &BTreeMap<String, String>,
) -> Result<(), CliError> {
    let simulator = format!("{base_url}/simulador");
    if args.json {
        return output::json(&json!({
            "base_url": base_url,
            "simulator_url": simulator,
            "standins_url": standins_url,
            "database_url": settings.database.url.expose_secret(),
            "redis_url": settings.redis.url.expose_secret(),
            "companies": companies,
        }));
    }
    let names = companies.iter().take(3).map(|one| format!("{} ({})", one.name, one.domain)).collect::<Vec<_>>();
    let portuguese = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| env.get(*name).filter(|value| !value.is_empty()))
        .is_some_and(|value| value.starts_with("pt"));
    let text = if portuguese {
        format!(
            "\n  Secretaria está pronta.\n  Simulador   {simulator}\n  Métricas    {base_url}/metrics\n  Saúde       {base_url}/readyz\n  \
             Provedores  {standins_url}/_ledger\n  Empresas    {}\n  Experimente no simulador:\n    1. \"oi, qual o horário de vocês?\"\n    \
             2. 5 mensagens de uma vez: uma resposta só\n    3. modelo fora do ar: um texto pronto, nunca silêncio\n  \
             Ctrl-C encerra tudo; a próxima vez usa os mesmos dados.",
            names.join(", ")
        )
    } else {
        format!(
            "\n  Secretaria is ready.\n  Simulator   {simulator}\n  Metrics     {base_url}/metrics\n  Health      {base_url}/readyz\n  \
             Providers   {standins_url}/_ledger\n  Companies   {}\n  Try in the simulator:\n    1. \"oi, qual o horário de vocês?\"\n    \
             2. five messages at once: one answer\n    3. model down: a ready text, never silence\n  \
             Ctrl-C stops everything; the next start uses the same data.",
            names.join(", ")
        )
    };
    output::line(text)
}
