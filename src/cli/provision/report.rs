//! What `provision` prints: for a person, or JSON.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::cli::{CliError, output};
use crate::domain::company::Company;
use crate::services::provisioning::{
    Changed, CompanyView, Created, NewCompany, Outcome, Rotated, SettingView, Step, WebhookKeys, worker_hint,
};
use crate::tenant::{prefix, schema_of};

/// `provision list`.
pub(super) fn list(companies: &[Company], json: bool) -> Result<(), CliError> {
    if json {
        return companies.iter().try_for_each(|company| output::json(&identity(company)));
    }
    if companies.is_empty() {
        output::message("There are no companies yet.");
        return Ok(());
    }
    let width = |text: fn(&Company) -> usize, head: usize| companies.iter().map(text).max().unwrap_or(0).max(head);
    let domain = width(|company| company.domain.chars().count(), 6);
    let id = width(|company| company.id.to_string().len(), 2);
    output::line(format!("{:>id$}  {:<domain$}  {:<12}  NAME", "ID", "DOMAIN", "STATE"))?;
    companies.iter().try_for_each(|company| {
        let state = company.state.as_str();
        output::line(format!("{:>id$}  {:<domain$}  {state:<12}  {}", company.id, company.domain, company.name))
    })
}

fn identity(company: &Company) -> Value {
    json!({
        "id": company.id,
        "name": company.name,
        "domain": company.domain,
        "state": company.state,
        "schema": schema_of(company.id),
        "redis_prefix": prefix(company.id),
        "worker": worker_hint(company.id),
    })
}

/// `provision show`.
pub(super) fn show(view: &CompanyView, json: bool) -> Result<(), CliError> {
    if json {
        return output::json(view);
    }
    output::line(format!("{}  {}  {}  {}", view.id, view.domain, view.state.as_str(), view.name))?;
    output::line(format!("schema  {}\nredis   {}…\nworker  {}", view.schema, view.redis_prefix, view.worker))?;
    if let Some(problem) = &view.problem {
        output::line(format!("problem  {problem}"))?;
    }
    output::line("\nsettings")?;
    let pair = |setting: &SettingView| format!("{} = {}", setting.key, first_line(&setting.value));
    let width = view.settings.iter().map(|s| pair(s).chars().count()).filter(|width| *width <= 60).max().unwrap_or(0);
    for setting in &view.settings {
        output::line(format!("  {:<width$}  # {}", pair(setting), setting.origin))?;
    }
    output::line("\nsecrets")?;
    for secret in &view.secrets {
        output::line(format!("  {:<24}  {}", secret.key, if secret.set { "set" } else { "not set" }))?;
    }
    output::line("\nsteps")?;
    for step in &view.steps {
        let at = step.at.format("%Y-%m-%dT%H:%M:%SZ");
        output::line(format!("  {:<12}  {:<6}  {at}  {}", step.step, step.state, step.detail).trim_end())?;
    }
    Ok(())
}

fn first_line(text: &str) -> String {
    match text.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => text.to_owned(),
    }
}

/// `provision create`.
pub(super) fn created(created: &Created, wanted: &NewCompany, json: bool) -> Result<(), CliError> {
    // An unchanged company's gateway has them already; they are not handed around again.
    let webhook = created.webhook.as_ref().filter(|_| created.outcome != Outcome::Unchanged);
    if json {
        let mut value = created
            .company
            .as_ref()
            .map_or_else(|| json!({ "id": null, "name": wanted.name.trim(), "domain": wanted.domain }), identity);
        extend(&mut value, json!({ "outcome": created.outcome, "steps": created.steps, "differs": created.differs }));
        add_webhook(&mut value, webhook);
        return output::json(&value);
    }
    let Some(company) = &created.company else {
        return planned(created, &wanted.domain);
    };
    let (id, domain) = (company.id, &company.domain);
    match created.outcome {
        Outcome::Planned => return planned(created, domain),
        Outcome::New => output::line(format!("company {id} ({domain}) is active"))?,
        Outcome::Finished => output::line(format!("company {id} ({domain}) is finished and active"))?,
        Outcome::Unchanged => {
            output::line(format!(
                "company {id} ({domain}) exists, state {}; nothing was changed",
                company.state.as_str()
            ))?;
        }
    }
    match webhook {
        Some(keys) => print_webhook(keys)?,
        None => output::line(format!(
            "webhook secret and token are already set (`secretaria provision rotate {id}` makes new ones)"
        ))?,
    }
    output::line(format!("its messages are answered by: {}", worker_hint(id)))?;
    if !created.differs.is_empty() {
        output::message(format!(
            "note: these are otherwise in the existing company and were not changed: {}; `secretaria provision set {id}` \
             changes settings",
            created.differs.join(", ")
        ));
    }
    Ok(())
}

fn planned(created: &Created, domain: &str) -> Result<(), CliError> {
    let steps: Vec<&str> = created.steps.iter().copied().map(Step::as_str).collect();
    output::line(format!("would create {domain}: {}; nothing was changed", steps.join(", ")))
}

fn print_webhook(keys: &WebhookKeys) -> Result<(), CliError> {
    output::line(format!("webhook secret  {}", keys.secret.expose_secret()))?;
    output::line(format!("webhook token   {}", keys.token.expose_secret()))?;
    output::message("Give them to the gateway now: they are not shown again.");
    Ok(())
}

/// `provision set`.
pub(super) fn changed(changed: &Changed, dry_run: bool, json: bool) -> Result<(), CliError> {
    let company = &changed.company;
    if json {
        let mut value = identity(company);
        extend(&mut value, json!({ "changed": changed.changed, "dry_run": dry_run }));
        return output::json(&value);
    }
    let keys = changed.changed.join(", ");
    output::line(match (changed.changed.is_empty(), dry_run) {
        (true, _) => format!("company {} ({}): nothing to change", company.id, company.domain),
        (false, true) => format!("company {} ({}): would change {keys}", company.id, company.domain),
        (false, false) => format!("company {} ({}): changed {keys}", company.id, company.domain),
    })
}

/// `provision rotate`.
pub(super) fn rotated(rotated: &Rotated, (finish, dry_run): (bool, bool), json: bool) -> Result<(), CliError> {
    let company = &rotated.company;
    if json {
        let mut value = identity(company);
        extend(&mut value, json!({ "changed": rotated.changed, "finished": finish, "dry_run": dry_run }));
        add_webhook(&mut value, rotated.webhook.as_ref());
        return output::json(&value);
    }
    let (id, domain) = (company.id, &company.domain);
    match (finish, dry_run, rotated.changed.is_empty()) {
        (true, _, true) => output::line(format!("company {id} ({domain}): no rotation is under way")),
        (_, true, _) => output::line(format!("company {id} ({domain}): would change {}", rotated.changed.join(", "))),
        (true, ..) => {
            output::line(format!("company {id} ({domain}): the previous secret and token are no longer accepted"))
        }
        (false, ..) => {
            output::line(format!("company {id} ({domain}): new secret and token; the previous ones stay valid"))?;
            rotated.webhook.iter().try_for_each(print_webhook)?;
            output::message(format!("When the gateway uses them: secretaria provision rotate {id} --finish"));
            Ok(())
        }
    }
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(map), Value::Object(more)) = (value, more) {
        map.extend(more);
    }
}

fn add_webhook(value: &mut Value, keys: Option<&WebhookKeys>) {
    if let Some(keys) = keys {
        let (secret, token) = (keys.secret.expose_secret(), keys.token.expose_secret());
        extend(value, json!({ "webhook_secret": secret, "webhook_token": token }));
    }
}
