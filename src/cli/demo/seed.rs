//! The demo's companies: a clinic and a salon, and as many bare ones as are asked for.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::CliError;
use crate::clock::Clock;
use crate::config::Settings;
use crate::services::audit::Actor;
use crate::services::provisioning::{Change, CompanyName, NewCompany, Provisioner};
use crate::standins::StandIns;
use crate::tenant::{MasterKey, RedisServer};
use secrecy::ExposeSecret;

/// A company of the demo, with what its gateway needs.
#[derive(Clone, Serialize)]
pub struct DemoCompany {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// Signs its webhooks.
    pub webhook_secret: String,
    /// Goes with its webhooks.
    pub webhook_token: String,
    /// Opens its API.
    pub api_token: String,
}

struct Example {
    name: String,
    domain: String,
    values: Vec<(&'static str, &'static str)>,
}

fn examples() -> Vec<Example> {
    vec![
        Example {
            name: "Clínica Sorriso".to_owned(),
            domain: "clinica.localhost".to_owned(),
            values: vec![
                ("facts.about", "Clínica odontológica de família, com a Dra. Lia Prado e o Dr. Caio Nunes."),
                (
                    "facts.hours",
                    "segunda a sexta, das 8h às 18h; sábado, das 8h às 12h; fechada aos domingos e feriados",
                ),
                ("hours.opening", "seg-sex 8h-18h; sáb 8h-12h"),
                ("calendar.kind", "local"),
                ("facts.address", "Rua das Acácias, 120, Vila Mariana, São Paulo, perto do metrô"),
                ("facts.phone", "(11) 5555-0120"),
                (
                    "facts.services",
                    "avaliação gratuita; limpeza R$ 180,00 (40 min); clareamento R$ 890,00; canal a partir de R$ 750,00",
                ),
            ],
        },
        Example {
            name: "Salão Bela Vista".to_owned(),
            domain: "salao.localhost".to_owned(),
            values: vec![
                ("facts.about", "Salão de beleza unissex no centro de Recife."),
                ("facts.hours", "terça a sábado, das 9h às 20h; fechado aos domingos e segundas"),
                ("hours.opening", "ter-sáb 9h-20h"),
                ("calendar.kind", "local"),
                ("facts.address", "Avenida Boa Vista, 45, Boa Vista, Recife"),
                ("facts.phone", "(81) 5555-0045"),
                (
                    "facts.services",
                    "corte feminino R$ 90,00; corte masculino R$ 50,00; escova R$ 60,00; manicure R$ 40,00",
                ),
                ("timezone", "America/Recife"),
            ],
        },
    ]
}

fn bare(n: u32) -> Example {
    Example { name: format!("Empresa {n}"), domain: format!("empresa-{n}.localhost"), values: Vec::new() }
}

/// What seeding needs.
pub(super) struct Seeder<'a> {
    pub settings: &'a Settings,
    pub key: &'a MasterKey,
    pub redis: &'a RedisServer,
    pub clock: Clock,
    /// The real key of the model, when there is one.
    pub gemini_key: Option<String>,
}

impl Seeder<'_> {
    /// Makes the companies that are missing and returns all of the demo's.
    pub(super) async fn seed(&self, examples_too: bool, bare_count: u32) -> Result<Vec<DemoCompany>, CliError> {
        let mut provisioner = Provisioner::new(self.settings, self.key, self.clock.clone(), Actor::operator("demo"))
            .announcing(self.redis.clone());
        let wanted = if examples_too { examples() } else { Vec::new() };
        let mut companies = Vec::new();
        for example in wanted.into_iter().chain((1..=bare_count).map(bare)) {
            companies.push(self.one(&mut provisioner, example).await?);
        }
        Ok(companies)
    }

    async fn one(&self, provisioner: &mut Provisioner<'_>, example: Example) -> Result<DemoCompany, CliError> {
        let values = example.values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let new = NewCompany { name: example.name, domain: example.domain, values, secrets: BTreeMap::new() };
        let created = provisioner.create(new, false).await?;
        let company = created.company.ok_or_else(|| CliError::failed("a company was not created"))?;
        let webhook = created.webhook.ok_or_else(|| CliError::failed("a company has no webhook credentials"))?;
        let id = company.id.get();
        let credential = StandIns::credential(id, "demo");
        let model_key = self.gemini_key.clone().unwrap_or_else(|| credential.clone());
        // The same at every start, and another in every demo.
        let api_token = hex::encode(self.key.derive(&format!("demo.api.{id}")));
        let secrets = [
            ("channel.token".to_owned(), credential),
            ("llm.api_key".to_owned(), model_key),
            ("api.token".to_owned(), api_token.clone()),
        ]
        .into();
        let change = Change { secrets, ..Change::default() };
        provisioner.set(&CompanyName::Number(company.id), &change, false).await?;
        Ok(DemoCompany {
            id,
            name: company.name,
            domain: company.domain,
            webhook_secret: webhook.secret.expose_secret().to_owned(),
            webhook_token: webhook.token.expose_secret().to_owned(),
            api_token,
        })
    }
}
