//! Settings: layers, origins, refusals that say how to mend, and the document made from them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::ExposeSecret;
use secretaria::config::company::{
    Ambiguous, COMPANY_SETTINGS, CeilingField, CompanySettings, Kind, LlmKind, check, find,
};
use secretaria::config::{ConfigError, Origin, Settings, Sources, describe, markdown};
use secretaria::domain::webhook_auth::AuthMode;

fn env(pairs: &[(&str, &str)]) -> Sources {
    let env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { env, ..Sources::default() }
}

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secretaria.toml");
    std::fs::write(&path, text).unwrap();
    (dir, Sources { file: Some(path), ..Sources::default() })
}

fn refused(sources: &Sources) -> ConfigError {
    Settings::load(sources).map(|_| ()).unwrap_err()
}

#[test]
fn the_defaults_are_a_working_production_configuration() {
    let (settings, origins) = Settings::load(&Sources::default()).unwrap();
    assert_eq!(settings.server.bind, "127.0.0.1:8080");
    assert_eq!(settings.queue.lease_ms, 30_000);
    assert_eq!(settings.delivery.retry_ms, [5_000, 15_000, 45_000, 120_000, 300_000, 900_000, 3_600_000]);
    assert!(origins.entries.iter().all(|entry| entry.origin == Origin::Default && !entry.doc.is_empty()));
}

#[test]
fn every_default_has_a_comment_and_every_key_is_documented() {
    let documented = describe::documented_keys();
    let (_, origins) = Settings::load(&Sources::default()).unwrap();
    assert_eq!(documented.len(), origins.entries.len());
    for key in documented {
        assert!(key.doc.len() > 4, "{} has no comment above it", key.key);
    }
}

#[test]
fn later_sources_win_and_each_value_remembers_its_origin() {
    let (_dir, mut sources) = file("[server]\nbind = \"127.0.0.1:1\"\nthreads = 3\n[queue]\nquantum = 4\n");
    sources.env.insert("SECRETARIA_SERVER__BIND".into(), "127.0.0.1:2".into());
    sources.env.insert("SECRETARIA_SERVER__THREADS".into(), "5".into());
    let sources = sources.with("server.bind", "127.0.0.1:3");
    let (settings, origins) = Settings::load(&sources).unwrap();
    assert_eq!((settings.server.bind.as_str(), settings.server.threads, settings.queue.quantum), ("127.0.0.1:3", 5, 4));
    assert_eq!(origins.get("server.bind").unwrap().origin, Origin::Command);
    assert_eq!(origins.get("server.threads").unwrap().origin, Origin::Env("SECRETARIA_SERVER__THREADS".into()));
    assert!(matches!(origins.get("queue.quantum").unwrap().origin, Origin::File(_)));
    assert_eq!(origins.get("queue.lease_ms").unwrap().origin, Origin::Default);
}

#[test]
fn the_environment_gives_lists_shares_and_switches() {
    let sources = env(&[
        ("SECRETARIA_DELIVERY__RETRY_MS", "10, 20,30"),
        ("SECRETARIA_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,::1"),
        ("SECRETARIA_REDIS__SHED_ABOVE_RATIO", "1"),
        ("SECRETARIA_PROFILE", "demo"),
        ("HOME", "/nowhere"),
        ("SECRETARIA_CONFIG", "/read/by/the/command/line"),
    ]);
    let (settings, _) = Settings::load(&sources).unwrap();
    assert_eq!(settings.delivery.retry_ms, [10, 20, 30]);
    assert_eq!(settings.server.trusted_proxies, ["10.0.0.0/8", "::1"]);
    assert_eq!(settings.redis.shed_above_ratio, 1.0);
    assert_eq!(settings.profile, secretaria::config::Profile::Demo);
}

#[test]
fn well_known_urls_and_files_with_secrets_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("url");
    std::fs::write(&path, "redis://:very-secret@cache/0\n").unwrap();
    let sources = env(&[
        ("DATABASE_URL", "postgres://app:pa@ss@db/x"),
        ("REDIS_URL_FILE", path.to_str().unwrap()),
        ("DATABASE_ADMIN_URL", ""),
    ]);
    let (settings, origins) = Settings::load(&sources).unwrap();
    assert_eq!(settings.redis.url.expose_secret(), "redis://:very-secret@cache/0");
    assert_eq!(origins.get("redis.url").unwrap().value, "redis://:***@cache/0");
    assert_eq!(origins.get("redis.url").unwrap().origin, Origin::EnvFile("REDIS_URL_FILE".into(), path));
    assert_eq!(origins.get("database.url").unwrap().value, "postgres://app:***@db/x");
    assert_eq!(origins.get("database.admin_url").unwrap().origin, Origin::Default);
}

#[test]
fn the_name_of_the_key_file_is_a_setting_and_not_the_content_of_one() {
    let sources = env(&[("SECRETARIA_SECURITY__MASTER_KEY_FILE", "/etc/key")]);
    let (settings, _) = Settings::load(&sources).unwrap();
    assert_eq!(settings.security.master_key_file, "/etc/key");
    assert_eq!(settings.security.master_key.expose_secret(), "");
}

#[test]
fn secrets_are_hidden_whatever_form_they_have() {
    let long = "0123456789abcdef0123456789abcdef";
    for (key, value) in [
        ("database.url", "host=db user=app password=hush dbname=x"),
        ("database.url", "host=db password='hu sh' user=app"),
        ("database.url", "postgres://db/x?user=app&password=hush"),
        ("redis.url", "redis://user:hu/sh@cache"),
        ("redis.url", "hush"),
        ("metrics.token", long),
        ("security.master_key", long),
    ] {
        let (_, origins) = Settings::load(&Sources::default().with(key, value)).unwrap();
        let shown = &origins.get(key).unwrap().value;
        assert!(!shown.contains("hu") && !shown.contains("sh@") && !shown.contains(long), "{key} shows {shown}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_the_nearest_name() {
    let error = refused(&env(&[("SECRETARIA_QUEUE__LEESE_MS", "1")]));
    assert_eq!(error.origin, "environment SECRETARIA_QUEUE__LEESE_MS");
    assert!(error.mend.contains("SECRETARIA_QUEUE__LEASE_MS"), "{error}");

    let (_dir, sources) = file("[server]\nbnid = \"127.0.0.1:1\"\n");
    let error = refused(&sources);
    assert!(error.what.contains("server.bnid") && error.mend.contains("server.bind"), "{error}");
    assert!(error.origin.contains("secretaria.toml"), "{error}");

    let (_dir, sources) = file("[servre]\n");
    assert!(refused(&sources).what.contains("servre"));

    let error = refused(&Sources::default().with("log.fromat", "json"));
    assert!(error.mend.contains("log.format"), "{error}");
}

#[test]
fn a_wrong_type_is_refused_naming_key_place_and_type() {
    let error = refused(&env(&[("SECRETARIA_QUEUE__LEASE_MS", "long")]));
    assert!(error.what.contains("queue.lease_ms") && error.what.contains("whole number"), "{error}");
    assert_eq!(error.origin, "environment SECRETARIA_QUEUE__LEASE_MS");

    for text in ["[queue]\nlease_ms = \"long\"\n", "queue = 5\n", "[delivery]\nretry_ms = [\"a\"]\n", "[server\n"] {
        let (_dir, sources) = file(text);
        assert!(refused(&sources).origin.contains("secretaria.toml"), "{text}");
    }
}

#[test]
fn a_word_or_number_that_is_not_allowed_is_refused_naming_the_key() {
    let error = refused(&env(&[("SECRETARIA_LOG__FORMAT", "pretty")]));
    assert!(error.what.contains("log.format") && error.what.contains("human"), "{error}");
    let error = refused(&env(&[("SECRETARIA_QUEUE__QUANTUM", "-1")]));
    assert!(error.what.contains("queue.quantum"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let sources = Sources { file: Some(PathBuf::from("/nonexistent/secretaria.toml")), ..Sources::default() };
    assert!(refused(&sources).origin.contains("/nonexistent/secretaria.toml"));
    assert!(refused(&env(&[("REDIS_URL_FILE", "/nonexistent/url")])).origin.contains("REDIS_URL_FILE"));
}

#[test]
fn broken_files_do_not_leak_the_broken_line() {
    let (_dir, sources) = file("[database]\nurl = \"postgres://app:hush@db/x\n");
    assert!(!refused(&sources).to_string().contains("hush"));
}

#[test]
fn a_value_given_twice_in_the_environment_is_refused() {
    let error = refused(&env(&[("REDIS_URL", "redis://a"), ("SECRETARIA_REDIS__URL", "redis://b")]));
    assert!(error.mend.contains("REDIS_URL") && error.mend.contains("SECRETARIA_REDIS__URL"), "{error}");
}

#[test]
fn contradictions_are_refused_with_all_places_and_a_way_out() {
    for (key, value, also) in [
        ("queue.renew_ms", "30000", "queue.lease_ms"),
        ("queue.burst_window_ms", "10001", "queue.burst_max_ms"),
        ("delivery.deadline_spare_ms", "30000", "queue.lease_ms"),
        ("delivery.deadline_spare_ms", "25000", "queue.renew_ms"),
        ("llm.call_timeout_ms", "20001", "llm.budget_ms"),
        ("redis.response_timeout_ms", "4999", "redis.durability"),
        ("database.pool_size", "0", ""),
        ("llm.error_budget_target", "1", ""),
        ("llm.error_budget_target", "0", ""),
        ("redis.shed_above_ratio", "1.5", ""),
        ("delivery.retry_ms", "", ""),
        ("delivery.base_url", "ftp://x", ""),
        ("llm.base_url", "nowhere", ""),
        ("server.bind", "localhost", ""),
        ("server.trusted_proxies", "10.0.0.0/33", ""),
        ("metrics.token", "short", ""),
    ] {
        let error = refused(&Sources::default().with(key, value));
        assert!(error.origin.contains(key) && error.origin.contains(also), "{key}: {error}");
        assert!(error.what.contains(key) || error.what.contains(also), "{key}: {error}");
        assert!(error.mend.len() > 10, "{key}: {error}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
fn the_document_of_settings_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == markdown(), "docs/config.md is stale: UPDATE_DOCS=1 cargo test configuration rewrites it");
}

// The settings of one company.

fn company(pairs: &[(&str, &str)]) -> Result<CompanySettings, String> {
    let (process, _) = Settings::load(&Sources::default()).unwrap();
    let stored: BTreeMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    CompanySettings::from_values(&stored, &process)
}

#[test]
fn a_company_that_says_nothing_gets_the_process_settings() {
    let settings = company(&[]).unwrap();
    assert_eq!(settings.auth, AuthMode::HmacToken);
    assert_eq!(settings.channel.flavor, "saas");
    assert_eq!(settings.llm.model, "gemini-3.5-flash-lite");
    assert_eq!((settings.burst_window_ms, settings.number_burst, settings.context_turns), (2_000, 20, 5));
    assert_eq!(settings.timezone, chrono_tz::America::Sao_Paulo);
    assert!(settings.facts.is_empty() && settings.texts.is_empty() && settings.ai_enabled);
}

#[test]
fn a_company_overrides_what_it_sets() {
    let settings = company(&[
        ("auth_mode", "token"),
        ("delivery.ambiguous", "hold"),
        ("timezone", "America/Manaus"),
        ("facts.hours", "seg a sex, 8h às 18h"),
        ("facts.about", "Clínica de odontologia"),
        ("text.media", "Só leio texto por enquanto."),
        ("ai.enabled", "false"),
        ("channel.base_url", "http://127.0.0.1:9000/whaticket/1"),
        ("burst.window_ms", "0"),
    ])
    .unwrap();
    assert_eq!((settings.auth, settings.ambiguous), (AuthMode::Token, Ambiguous::Hold));
    assert_eq!(settings.timezone, chrono_tz::America::Manaus);
    let labels: Vec<&str> = settings.facts.iter().map(|(label, _)| *label).collect();
    assert_eq!(labels, ["Sobre a empresa", "Horário de funcionamento"]);
    assert_eq!(settings.texts["media"], "Só leio texto por enquanto.");
    assert!(!settings.ai_enabled);
    assert_eq!(settings.channel.base_url, "http://127.0.0.1:9000/whaticket/1");
    assert_eq!(settings.burst_window_ms, 0);
}

#[test]
fn models_of_openais_protocol_need_a_name_and_know_their_place() {
    for key in ["llm.kind", "llm2.kind"] {
        let missing = company(&[(key, "openai")]).unwrap_err();
        assert!(missing.contains(&key.replace("kind", "model")), "{missing}");
    }
    let both = [("llm.kind", "openai"), ("llm.model", "gpt-4o-mini"), ("llm2.kind", "gemini")];
    let settings = company(&both).unwrap();
    assert_eq!((settings.llm.kind, settings.llm.base_url.as_str()), (LlmKind::OpenAi, "https://api.openai.com/v1"));
    assert_eq!(settings.llm.ceiling, CeilingField::MaxCompletionTokens);
    let second = settings.llm2.unwrap();
    assert_eq!((second.kind, second.model.as_str()), (LlmKind::Gemini, "gemini-3.5-flash-lite"));
    let local = company(&[&both[..], &[("llm.base_url", "http://127.0.0.1:11434/v1")]].concat()).unwrap();
    assert_eq!(local.llm.ceiling, CeilingField::MaxTokens);
    let told = [("llm.base_url", "http://127.0.0.1:11434/v1"), ("llm.ceiling", "max_completion_tokens")];
    assert_eq!(company(&[&both[..], &told].concat()).unwrap().llm.ceiling, CeilingField::MaxCompletionTokens);
    // Vectors come from where the model of that kind is.
    let vectors = |values: &[(&str, &str)]| company(&[&both[..], values].concat()).unwrap().embedding.unwrap();
    let own = [("llm.base_url", "http://127.0.0.1:11434/v1"), ("embedding.kind", "openai")];
    assert_eq!(vectors(&own).base_url, "http://127.0.0.1:11434/v1");
    assert_eq!(vectors(&own).dimension, 512);
    assert_eq!(vectors(&[("embedding.kind", "gemini")]).model, "gemini-embedding-001");
    assert!(company(&[]).unwrap().embedding.is_none() && company(&[]).unwrap().llm2.is_none());
}

#[test]
fn every_setting_of_a_company_but_secrets_is_read() {
    // Some settings mean something only beside others.
    let base = [("llm.model", "m"), ("llm2.kind", "gemini"), ("llm2.model", "m"), ("embedding.kind", "gemini")];
    let beside = |key: &str, value: &str| company(&[&base[..], &[(key, value)]].concat());
    for setting in COMPANY_SETTINGS {
        let smallest = if let Kind::Int { min, .. } = setting.kind { min.max(9).to_string() } else { String::new() };
        let value = match setting.kind {
            Kind::Text { .. } => "palavras",
            Kind::Int { .. } => &smallest,
            Kind::Bool if setting.default == "true" => "false",
            Kind::Bool => "true",
            Kind::Choice(words) => words[words.len() - 1],
            Kind::Url => "https://other.example",
            Kind::TimeZone => "America/Manaus",
            Kind::Hours => "seg-sex 8h-18h",
            Kind::Days => "24/12 fechado",
            Kind::Clock => "21:30",
            Kind::Share => "0.7",
            Kind::Minutes => "120, 2880",
            Kind::Secret { .. } => {
                assert!(company(&[(setting.key, &"x".repeat(40))]).unwrap_err().contains("secret"));
                continue;
            }
        };
        let same = matches!(setting.kind, Kind::Choice(words) if words.len() == 1);
        assert_eq!(beside(setting.key, value).unwrap() == company(&base).unwrap(), same, "{}", setting.key);
    }
}

#[test]
fn wrong_settings_of_a_company_are_refused_in_a_sentence() {
    assert!(find("chanel.token").unwrap_err().contains("channel.token"));
    assert!(check("timezone", "America/Sao_Paolo").unwrap_err().contains("America/Sao_Paulo"));
    for (key, value) in [
        ("auth_mode", "none"),
        ("burst.window_ms", "60001"),
        ("burst.window_ms", "-1"),
        ("ai.enabled", "yes"),
        ("channel.base_url", "https://user:pw@host"),
        ("channel.base_url", "file:///etc/passwd"),
        ("webhook.token", "short"),
        ("llm.api_key", "with space inside"),
        ("llm.api_key", "line-break\n"),
    ] {
        let sentence = check(key, value).unwrap_err();
        assert!(sentence.contains(key), "{key}: {sentence}");
    }
    assert!(check("facts.about", &"a".repeat(4_000)).is_ok());
    assert!(check("facts.about", &"á".repeat(4_001)).is_err());
    assert!(check("text.media", &"a".repeat(301)).is_err());
    assert!(!check("webhook.secret", "hush").unwrap_err().contains("hush"));
    assert!(company(&[("burst.window_ms", "10001")]).unwrap_err().contains("queue.burst_max_ms"));
}
