//! The command line: order of commands, examples, exit codes, secrets hidden. Runs the real binary.

use std::io::Cursor;
use std::process::{Command, Output};

use clap::{CommandFactory, Parser};
use secretaria::cli::lifecycle::Shutdown;
use secretaria::cli::provision::{Action, CompanyRef, ProvisionCommand};
use secretaria::cli::{Cli, Command as Chosen, Exit};

fn secretaria(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secretaria"));
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").envs(env.iter().copied());
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn parsed(args: &[&str]) -> Result<Chosen, clap::Error> {
    Cli::try_parse_from(std::iter::once("secretaria").chain(args.iter().copied())).map(|cli| cli.command)
}

#[test]
fn the_five_main_commands_come_first() {
    let output = secretaria(&["--help"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let help = stdout(&output);
    let commands = help.split("Commands:").nth(1).unwrap();
    let names: Vec<&str> = commands.lines().skip(1).take(5).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["serve", "work", "schedule", "provision", "train-context"]);
}

#[test]
fn every_help_shows_an_example() {
    fn visit(command: &clap::Command, path: &str, seen: &mut usize) {
        let help = command.clone().render_long_help().to_string();
        assert!(help.contains("Example:") || help.contains("Examples:"), "{path} --help has no example");
        *seen += 1;
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            visit(sub, &format!("{path} {}", sub.get_name()), seen);
        }
    }
    let mut seen = 0;
    visit(&Cli::command(), "secretaria", &mut seen);
    assert!(seen >= 23, "only {seen} commands were seen");
    Cli::command().debug_assert();
}

#[test]
fn every_example_is_understood() {
    fn visit(command: &clap::Command) -> Vec<String> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let mut examples: Vec<String> =
            help.lines().map(str::trim).filter(|line| line.starts_with("secretaria ")).map(str::to_owned).collect();
        examples.extend(command.get_subcommands().flat_map(visit));
        examples
    }
    let examples = visit(&Cli::command());
    assert!(examples.len() > 25);
    for example in examples {
        // Behind two spaces stands an explanation, behind `<` a redirection.
        let words =
            example.split("   ").next().unwrap().split(" < ").next().unwrap().replace("Clínica Sorriso", "Clínica");
        // As a shell reads them: what stands in quotes is one word.
        let shell = |line: &str| -> Vec<String> {
            let mut words = vec![String::new()];
            let mut quoted = false;
            for c in line.chars() {
                match c {
                    '\'' => quoted = !quoted,
                    ' ' if !quoted => words.push(String::new()),
                    c => words.last_mut().unwrap().push(c),
                }
            }
            words.retain(|word| !word.is_empty());
            words
        };
        let words = shell(&words);
        assert!(Cli::try_parse_from(&words).is_ok(), "{example}: {}", Cli::try_parse_from(&words).unwrap_err());
    }
}

#[test]
fn exit_codes_tell_usage_from_configuration() {
    assert_eq!(secretaria(&["--version"], &[]).status.code(), Some(0));
    assert_eq!(secretaria(&["work"], &[]).status.code(), Some(2));
    assert_eq!(secretaria(&["no-such-command"], &[]).status.code(), Some(2));
    assert_eq!(secretaria(&["provision", "--name", "Clínica"], &[]).status.code(), Some(2));
    let wrong = secretaria(&["config", "show"], &[("SECRETARIA_SERVER__BNID", "127.0.0.1:1")]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(stdout(&wrong).is_empty());
    let message = stderr(&wrong);
    assert!(message.contains("SECRETARIA_SERVER__BIND") && message.contains("to mend"), "{message}");
    assert!(!message.contains("panicked") && !message.contains("backtrace"), "{message}");
    assert_eq!(secretaria(&["serve", "--bind", "nowhere"], &[]).status.code(), Some(3));
    let nowhere = [
        ("DATABASE_URL", "postgres://app@127.0.0.1:1/none"),
        ("DATABASE_ADMIN_URL", "postgres://admin@127.0.0.1:1/none"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
    ];
    let unreachable = secretaria(&["migrate", "status"], &nowhere);
    assert_eq!(unreachable.status.code(), Some(4), "{}", stderr(&unreachable));
    let unset = secretaria(&["provision"], &[]);
    assert_eq!(unset.status.code(), Some(3));
    assert!(stderr(&unset).contains("DATABASE_ADMIN_URL") && stderr(&unset).contains("to mend"));
    let codes = [Exit::Failed, Exit::Usage, Exit::Configuration, Exit::Unreachable, Exit::Partly];
    assert_eq!(codes.map(|code| code as u8), [1, 2, 3, 4, 5]);
}

#[test]
fn train_context_without_a_database_says_so() {
    let key = "ab".repeat(32);
    let env = [
        ("DATABASE_URL", "postgres://app@127.0.0.1:1/none"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("SECRETARIA_SECURITY__MASTER_KEY", key.as_str()),
    ];
    let output = secretaria(&["train-context", "--since", "2026-11-01"], &env);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stdout(&output).is_empty() && stderr(&output).contains("DATABASE_URL"), "{}", stderr(&output));
    assert_eq!(secretaria(&["train-context", "--since", "ontem"], &env).status.code(), Some(2));
}

#[test]
fn config_show_tells_origins_and_hides_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let (file, secret_file) = (dir.path().join("secretaria.toml"), dir.path().join("redis-url"));
    std::fs::write(&file, "[queue]\nquantum = 4\n").unwrap();
    std::fs::write(&secret_file, "redis://:hush-redis@cache\n").unwrap();
    let env = [
        ("SECRETARIA_CONFIG", file.to_str().unwrap()),
        ("DATABASE_URL", "postgres://app:hush-database@db/x"),
        ("REDIS_URL_FILE", secret_file.to_str().unwrap()),
        ("SECRETARIA_METRICS__TOKEN", "hush-0123456789abcdef0123456789abcdef"),
    ];
    let output = secretaria(&["config", "show", "--origin", "--log-format", "json"], &env);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(!text.contains("hush"), "{text}");
    let line = |key: &str| text.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap().to_owned();
    assert!(line("database.url").contains("environment DATABASE_URL"));
    assert!(line("redis.url").contains("REDIS_URL_FILE"));
    assert!(line("queue.quantum").contains("4") && line("queue.quantum").contains("secretaria.toml"));
    assert!(line("queue.lease_ms").contains("default"));
    assert!(line("log.format").contains("json") && line("log.format").contains("command"));

    let json: serde_json::Value =
        serde_json::from_str(&stdout(&secretaria(&["config", "show", "--json", "--origin"], &env))).unwrap();
    assert_eq!(json["queue.quantum"]["value"], "4");
    assert!(!json.to_string().contains("hush"));
}

#[test]
fn the_flag_names_a_configuration_file_before_the_environment_does() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("flag.toml");
    std::fs::write(&file, "[queue]\nquantum = 6\n").unwrap();
    let args = ["--config", file.to_str().unwrap(), "config", "show"];
    let output = secretaria(&args, &[("SECRETARIA_CONFIG", "/nonexistent")]);
    assert!(stdout(&output).contains("queue.quantum = 6"), "{}", stderr(&output));
    assert_eq!(secretaria(&["config", "show"], &[("SECRETARIA_CONFIG", "/nonexistent")]).status.code(), Some(3));
}

#[tokio::test]
async fn an_orderly_end_drains_before_it_stops() {
    let shutdown = Shutdown::new();
    assert!(!shutdown.is_draining() && !shutdown.stop_token().is_cancelled());
    shutdown.begin();
    shutdown.draining().await;
    assert!(shutdown.is_draining() && !shutdown.clone().stop_token().is_cancelled());
    shutdown.stop();
    shutdown.stopped().await;
    let at_once = Shutdown::new();
    at_once.stop();
    assert!(at_once.is_draining(), "whoever stops has drained");
}

#[test]
fn work_wants_companies_or_all_of_them() {
    assert!(parsed(&["work", "--company", "42", "--company", "43"]).is_ok());
    assert!(parsed(&["work", "--all", "--until-empty"]).is_ok());
    assert!(parsed(&["work", "--all", "--company", "42"]).is_err());
    assert!(parsed(&["work", "--company", "0"]).is_err());
}

fn provision(args: &[&str]) -> Result<Action, String> {
    match parsed(&[&["provision"], args].concat()).map_err(|error| error.to_string())? {
        Chosen::Provision(args) => args.action().map_err(|error| error.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn provision_without_a_subcommand_lists_or_creates() {
    assert!(matches!(provision(&[]).unwrap(), Action::Overview { json: false }));
    assert!(matches!(provision(&["--json"]).unwrap(), Action::Overview { json: true }));
    let created = provision(&["--name", "Clínica", "--domain", "c.example.com", "--set", "ai.enabled=false"]).unwrap();
    assert!(matches!(created, Action::Do(ProvisionCommand::Create(create)) if create.values.set.len() == 1));
    assert!(provision(&["--name", "Clínica"]).unwrap_err().contains("--domain"));
    assert!(provision(&["create", "--domain", "c.example.com"]).unwrap_err().contains("--name"));
    let Action::Do(ProvisionCommand::Set(set)) =
        provision(&["set", "C.Example.com.", "--unset", "text.media"]).unwrap()
    else {
        panic!("not set")
    };
    assert_eq!(set.company, CompanyRef::Domain("c.example.com".into()));
}

#[test]
fn settings_on_the_command_line_are_checked_and_secrets_only_come_from_files() {
    assert!(provision(&["set", "42", "--set", "chanel.kind=x"]).unwrap_err().contains("channel.kind"));
    let values = |args: &[&str], stdin: &str| {
        let Action::Do(ProvisionCommand::Set(set)) = provision(&[&["set", "42"], args].concat()).unwrap() else {
            panic!("not set")
        };
        set.values.read(Cursor::new(stdin.to_owned())).map_err(|error| (error.code, error.message))
    };
    let (code, message) = values(&["--set", "llm.api_key=hush-hush-hush"], "").unwrap_err();
    assert_eq!(code, Exit::Usage);
    assert!(message.contains("--set-file llm.api_key") && !message.contains("hush"), "{message}");
    assert_eq!(values(&["--set-file", "llm.api_key=-"], "key-from-stdin\n").unwrap()["llm.api_key"], "key-from-stdin");
    assert!(values(&["--set-file", "llm.api_key=-", "--set-file", "channel.token=-"], "x".repeat(9).as_str()).is_err());
    assert!(values(&["--set", "ai.enabled=true", "--set", "ai.enabled=false"], "").is_err());
    assert!(values(&["--set-file", "facts.about=/nonexistent"], "").unwrap_err().1.contains("/nonexistent"));
    assert_eq!(values(&["--set", "facts.about=a=b"], "").unwrap()["facts.about"], "a=b");
}

#[test]
fn dropping_all_dead_letters_wants_the_domain_typed() {
    assert!(parsed(&["dead-letters", "drop", "--company", "42", "--all"]).is_err());
    assert!(parsed(&["dead-letters", "drop", "--company", "42", "--all", "--confirm", "c.example.com"]).is_ok());
    assert!(parsed(&["dead-letters", "drop", "--company", "42"]).is_err());
    assert!(parsed(&["dead-letters", "requeue", "--company", "42", "1-0", "2-0"]).is_ok());
}
