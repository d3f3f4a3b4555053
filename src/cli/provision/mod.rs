//! `secretaria provision`: the whole life of a company.

mod args;
mod report;

pub use args::{
    Action, Assignment, CompanyRef, CreateArgs, ListArgs, ProvisionArgs, ProvisionCommand, RotateArgs, SetArgs,
    ShowArgs, ValueArgs,
};

use secrecy::ExposeSecret;

use super::keys::master_key_or_new;
use super::{CliError, Context, output};
use crate::clock::Clock;
use crate::services::ServiceError;
use crate::services::audit::Actor;
use crate::services::provisioning::{self, Change, CompanyName, NewCompany, Provisioner, split, stored_master_key_id};
use crate::tenant::{AdminDb, MasterKey, RedisServer};

/// Runs `provision`.
pub async fn run(args: ProvisionArgs, context: Context) -> Result<(), CliError> {
    let command = match args.action()? {
        Action::Overview { json } => return overview(&context, json).await,
        Action::Do(command) => command,
    };
    match command {
        ProvisionCommand::Create(args) => create(&context, args).await,
        ProvisionCommand::List(args) => list(&context, args).await,
        ProvisionCommand::Show(args) => show(&context, args).await,
        ProvisionCommand::Set(args) => set(&context, args).await,
        ProvisionCommand::Rotate(args) => rotate(&context, args).await,
    }
}

impl From<CompanyRef> for CompanyName {
    fn from(who: CompanyRef) -> Self {
        match who {
            CompanyRef::Number(id) => Self::Number(id),
            CompanyRef::Domain(domain) => Self::Domain(domain),
        }
    }
}

async fn connect(context: &Context) -> Result<AdminDb, CliError> {
    if context.settings.database.admin_url.expose_secret().is_empty() {
        return Err(CliError::configuration(
            "database.admin_url is empty: this command needs the login of the migrator.\n  to mend: set DATABASE_ADMIN_URL, or \
             DATABASE_ADMIN_URL_FILE",
        ));
    }
    Ok(AdminDb::connect(&context.settings.database).await.map_err(ServiceError::from)?)
}

/// The key for a change; a dry run makes none.
async fn key(context: &Context, dry_run: bool) -> Result<MasterKey, CliError> {
    let mut admin = connect(context).await?;
    let sealed_with = stored_master_key_id(&mut admin).await?;
    match super::keys::master_key(context) {
        Err(_) if dry_run && sealed_with.is_none() => Ok(MasterKey::ephemeral()),
        Err(_) if !dry_run => master_key_or_new(context, sealed_with.as_deref()),
        other => other,
    }
}

fn provisioner<'a>(context: &'a Context, key: &'a MasterKey) -> Provisioner<'a> {
    let provisioner = Provisioner::new(&context.settings, key, Clock::new(), Actor::operator(operator(context)));
    // Without Redis there is nobody to tell, and a URL that cannot be read is told by `serve`.
    match RedisServer::new(&context.settings.redis) {
        Ok(redis) if !context.settings.redis.url.expose_secret().is_empty() => provisioner.announcing(redis),
        _ => provisioner,
    }
}

/// Who runs the command, for the audit trail.
pub(super) fn operator(context: &Context) -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| context.sources.env.get(*name));
    name.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| "operator".to_owned())
}

async fn overview(context: &Context, json: bool) -> Result<(), CliError> {
    list(context, ListArgs { json }).await?;
    if !json {
        output::message("\nA new one:  secretaria provision --name 'Clínica Sorriso' --domain clinica.example.com");
    }
    Ok(())
}

async fn list(context: &Context, args: ListArgs) -> Result<(), CliError> {
    let companies = provisioning::list(&mut connect(context).await?).await?;
    report::list(&companies, args.json)
}

async fn show(context: &Context, args: ShowArgs) -> Result<(), CliError> {
    let mut admin = connect(context).await?;
    let value = |key: &str| context.origins.get(key).map(|entry| entry.value.clone());
    let view = provisioning::show(&mut admin, &args.company.into(), &context.settings, &value).await?;
    report::show(&view, args.json)
}

async fn create(context: &Context, args: CreateArgs) -> Result<(), CliError> {
    let (values, secrets) = split(args.values.read(std::io::stdin())?);
    let wanted =
        NewCompany { name: args.name.unwrap_or_default(), domain: args.domain.unwrap_or_default(), values, secrets };
    let key = key(context, args.dry_run).await?;
    let mut provisioner = provisioner(context, &key);
    let created = provisioner.create(wanted.clone(), args.dry_run).await;
    warn(&mut provisioner);
    report::created(&created?, &wanted, args.json)
}

async fn set(context: &Context, args: SetArgs) -> Result<(), CliError> {
    let (set, secrets) = split(args.values.read(std::io::stdin())?);
    if set.is_empty() && secrets.is_empty() && args.unset.is_empty() {
        return Err(CliError::usage(
            "nothing to change.\n  to mend: give --set KEY=VALUE, --set-file KEY=PATH or --unset KEY",
        ));
    }
    let key = key(context, args.dry_run).await?;
    let mut provisioner = provisioner(context, &key);
    let change = Change { set, secrets, unset: args.unset };
    let changed = provisioner.set(&args.company.into(), &change, args.dry_run).await;
    warn(&mut provisioner);
    report::changed(&changed?, args.dry_run, args.json)
}

async fn rotate(context: &Context, args: RotateArgs) -> Result<(), CliError> {
    let key = key(context, args.dry_run).await?;
    let mut provisioner = provisioner(context, &key);
    let who = args.company.into();
    let rotated = match args.finish {
        true => provisioner.finish_rotation(&who, args.dry_run).await,
        false => provisioner.rotate(&who, args.dry_run).await,
    };
    warn(&mut provisioner);
    report::rotated(&rotated?, (args.finish, args.dry_run), args.json)
}

fn warn(provisioner: &mut Provisioner<'_>) {
    for warning in provisioner.take_warnings() {
        output::message(format!("note: {warning}"));
    }
}
