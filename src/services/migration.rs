//! Tables of control and of every company, brought up to date.
//!
//! One company's failure does not stop the others, and whatever was not done is done by the next run.

use serde::Serialize;

use super::ServiceError;
use crate::config::DatabaseSettings;
use crate::domain::company::{Company, CompanyId};
use crate::models::control::company;
use crate::tenant::{AdminDb, MigrationReport, StoreError, schema_of};

/// Look, or do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Change nothing.
    Look,
    /// Apply what is missing.
    Apply,
}

/// How a schema stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaState {
    /// Nothing is missing.
    UpToDate,
    /// Something is missing.
    Pending,
    /// Something was missing and has been applied.
    Migrated,
    /// It could not be brought up to date.
    Failed,
}

/// One schema.
#[derive(Clone, Debug, Serialize)]
pub struct SchemaReport {
    /// `control` or `tenant_42`.
    pub schema: String,
    /// Whose; `None` for control.
    pub company: Option<CompanyId>,
    /// The company's domain.
    pub domain: Option<String>,
    /// How it stands.
    pub state: SchemaState,
    /// Versions that were there before.
    pub applied: Vec<String>,
    /// Versions that are missing, or were applied by this run.
    pub pending: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What happens while migrating.
pub enum Progress<'a> {
    /// So many companies there are.
    Companies(usize),
    /// This schema is through.
    Schema(&'a SchemaReport),
}

/// Goes over control and every company. Fails only when control itself could not be looked at or migrated; failures of
/// companies are in the reports.
pub async fn run(
    settings: &DatabaseSettings,
    mode: Mode,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<SchemaReport>, ServiceError> {
    let admin = AdminDb::connect(settings).await?;
    let (mut admin, report) = schema(admin, mode, None).await?;
    let mut reports = vec![passed(report, mode, None)];
    reports.iter().for_each(|report| tell(Progress::Schema(report)));
    let companies = match company::all(&mut admin).await {
        // Nothing was ever migrated, and looking does not change that.
        Err(StoreError::NotMigrated { .. }) if mode == Mode::Look => Vec::new(),
        other => other?,
    };
    tell(Progress::Companies(companies.len()));
    let mut admin = Ok(Some(admin));
    for company in companies {
        let report = one(settings, mode, &mut admin, company).await;
        tell(Progress::Schema(&report));
        reports.push(report);
    }
    Ok(reports)
}

/// The connection: there, lost with the last failure, or not to be had any more.
type Connection = Result<Option<AdminDb>, String>;

async fn one(settings: &DatabaseSettings, mode: Mode, connection: &mut Connection, company: Company) -> SchemaReport {
    let admin = match connection {
        Ok(kept) => match kept.take() {
            Some(admin) => Ok(admin),
            None => AdminDb::connect(settings).await.map_err(|error| error.to_string()),
        },
        // Waiting for a connect timeout once is enough.
        Err(error) => Err(error.clone()),
    };
    let admin = match admin {
        Ok(admin) => admin,
        Err(error) => {
            *connection = Err(error.clone());
            return failed(company, error);
        }
    };
    match schema(admin, mode, Some(company.id)).await {
        Ok((admin, report)) => {
            *connection = Ok(Some(admin));
            passed(report, mode, Some(company))
        }
        Err(error) => {
            *connection = Ok(None);
            failed(company, error.to_string())
        }
    }
}

async fn schema(admin: AdminDb, mode: Mode, id: Option<CompanyId>) -> Result<(AdminDb, MigrationReport), StoreError> {
    match (mode, id) {
        (Mode::Look, id) => admin.plan(id).await,
        (Mode::Apply, None) => admin.migrate_control().await,
        (Mode::Apply, Some(id)) => admin.migrate_tenant(id).await,
    }
}

fn passed(report: MigrationReport, mode: Mode, company: Option<Company>) -> SchemaReport {
    let state = match (report.pending.is_empty(), mode) {
        (true, _) => SchemaState::UpToDate,
        (false, Mode::Look) => SchemaState::Pending,
        (false, Mode::Apply) => SchemaState::Migrated,
    };
    let (id, domain) = company.map(|company| (company.id, company.domain)).unzip();
    SchemaReport {
        schema: report.schema,
        company: id,
        domain,
        state,
        applied: report.applied,
        pending: report.pending,
        error: None,
    }
}

fn failed(company: Company, error: String) -> SchemaReport {
    SchemaReport {
        schema: schema_of(company.id),
        company: Some(company.id),
        domain: Some(company.domain),
        state: SchemaState::Failed,
        applied: Vec::new(),
        pending: Vec::new(),
        error: Some(error),
    }
}
