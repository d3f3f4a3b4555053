//! What the demo's two companies tell their customers.

use super::DemoCompany;
use crate::cli::CliError;
use crate::domain::company::CompanyId;
use crate::domain::knowledge::{Parsed, markdown, table};
use crate::services::Services;
use crate::services::audit::Actor;
use crate::services::knowledge;

/// A company by its domain, its entries and its facts.
const EXAMPLES: [(&str, &str, &str); 2] = [
    (
        "clinica.localhost",
        include_str!("../../../config/demo/clinica.md"),
        include_str!("../../../config/demo/clinica.csv"),
    ),
    ("salao.localhost", include_str!("../../../config/demo/salao.md"), include_str!("../../../config/demo/salao.csv")),
];

/// Fills the knowledge bases that are empty: what somebody wrote in an earlier demo stays.
pub(super) async fn fill(services: &Services, companies: &[DemoCompany]) -> Result<(), CliError> {
    let actor = Actor::operator("demo");
    for (domain, entries, facts) in EXAMPLES {
        let company = companies.iter().find(|company| company.domain == domain);
        let id = company.and_then(|company| CompanyId::new(company.id));
        let Some(tenant) = id.and_then(|id| services.directory.by_id(id)) else { continue };
        if knowledge::entries(&tenant).await?.is_empty() && knowledge::facts(&tenant).await?.is_empty() {
            let (entries, facts) = (read(markdown::parse(entries))?, read(table::facts(facts))?);
            knowledge::put_entries(services, &tenant, (&entries, "demo", None), &actor, false).await?;
            knowledge::put_facts(services, &tenant, (&facts, None), &actor, false).await?;
        }
    }
    Ok(())
}

fn read<T>(parsed: Parsed<(usize, T)>) -> Result<Vec<T>, CliError> {
    let rows = parsed.map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        CliError::failed(format!("the demo's knowledge cannot be read: {}", lines.join("; ")))
    })?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}
