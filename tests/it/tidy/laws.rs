//! The laws on one Rust file: who may import whom, which crate lives where, what never appears.

use std::sync::LazyLock;

use regex::Regex;

use super::source::{Breach, Path, breach, local_names, paths, strip, tokens, without_tests};

/// The layers, left to right. A layer imports from earlier ranks, and from itself.
const RANKS: [&[&str]; 9] = [
    &["domain"],
    &["config", "telemetry", "clock"],
    &["tenant", "clients"],
    &["models", "queue"],
    &["services"],
    &["workers", "routes"],
    &["standins"],
    &["cli"],
    &["main"],
];

/// Neighbours of one rank that may know each other.
const FRIENDS: [&[&str]; 2] = [&["config", "telemetry", "clock"], &["models", "queue"]];

/// Pairs that the order alone would allow: (who, whom, why and where it belongs instead).
const NEVER: [(&str, &str, &str); 2] = [
    ("models", "clients", "a row knows no wire: let services/ call both"),
    ("queue", "clients", "the queue carries ids, not calls: let services/ call both"),
];

/// A stand-in plays the outside world, so it must not lean on what it tests.
const STANDINS_MAY: [&str; 5] = ["clients", "domain", "clock", "telemetry", "config"];

/// Outside crates and the folders (or files) that may name them.
const FENCES: [(&[&str], &[&str], &str); 9] = [
    (
        &["diesel", "diesel_async"],
        &["models/", "models.rs", "tenant/", "tenant.rs"],
        "rows and queries live in models/, pools in tenant/",
    ),
    (
        &["diesel_migrations", "tokio_postgres", "tokio_postgres_rustls"],
        &["tenant/", "tenant.rs", "models/"],
        "connections and migrations live in tenant/",
    ),
    (
        &["deadpool_redis", "redis", "deadpool"],
        &["tenant/", "tenant.rs"],
        "only tenant/ speaks to Redis: take a TenantRedis or ControlRedis",
    ),
    (&["reqwest"], &["clients/"], "wire calls live in clients/"),
    (
        &["actix_web", "actix_http", "actix_rt", "actix_service", "actix_server"],
        &["routes/", "routes.rs", "cli/serve.rs", "standins/", "standins.rs"],
        "HTTP serving lives in routes/, cli/serve.rs and standins/",
    ),
    (
        &["metrics"],
        &["telemetry/metrics.rs", "telemetry/metrics/"],
        "declare the metric in telemetry/metrics.rs and call the function there",
    ),
    (&["metrics_util", "metrics_exporter_prometheus"], &["telemetry/"], "the recorder is set up in telemetry/"),
    (&["tokio_cron_scheduler"], &["workers/schedule.rs", "workers/schedule/"], "the cron table is workers/schedule.rs"),
    (&["chacha20poly1305"], &["tenant/", "config/"], "credentials are sealed and opened in tenant/"),
];

/// What the pure core never names.
const IMPURE: [(&str, &str); 16] = [
    (r"\basync\b|\.await\b", "async code belongs in services/"),
    (r"\btokio\b|\bactix_\w+|\bfutures::", "runtimes belong in services/ and above"),
    (r"\brand::|\bnew_v4\b|\bnow_v7\b", "chance is an argument: draw in services/ and pass the value"),
    (r"\bInstant::now\b", "time is an argument: pass `now` or an elapsed duration"),
    (r"\bstd::fs\b|\bfs::(read|write|File)", "files are read in config/ or services/"),
    (r"\bstd::net::(Tcp|Udp|ToSocket)", "sockets belong in clients/"),
    (r"\bstd::process\b", "processes belong in cli/"),
    (r"\bstd::thread\b", "threads belong in workers/"),
    (r"\bstd::io\b", "I/O belongs in services/ and above"),
    (r"\btracing::", "log where the decision is carried out, in services/"),
    (r"\bmetrics::", "count in telemetry/metrics.rs, called from services/"),
    (r"\breqwest\b", "wire calls live in clients/"),
    (r"\bdiesel\b", "rows live in models/"),
    (r"\bsecrecy\b", "the core sees no secret: open it in services/"),
    (r"\bMutex\b|\bRwLock\b|\bAtomic\w+", "state is a value that goes in and comes out"),
    (r"\bthread_local!|\bstatic\s+mut\b", "state is a value that goes in and comes out"),
];

/// What no production file holds, without exception: the lints say the same, and this keeps anyone from silencing them.
/// Bans that know exceptions (sleeping threads, ending the process) stand in clippy.toml alone.
const FORBIDDEN: [(&str, &str); 4] = [
    (r"\bunsafe\b", "`unsafe` is forbidden; look for a safe crate (rustix) or another design"),
    (r"\.(unwrap|expect|unwrap_err|expect_err)\s*\(", "return the error (`?`), or give a default with `unwrap_or…`"),
    (r"\b(panic|todo|unimplemented)!", "return an error of the layer; the runner must not need its panic net"),
    (
        r"\b(println|eprintln|print|eprint|dbg)!",
        "log with tracing; a command's output goes through `writeln!` to a handle of stdout",
    ),
];

/// The layer of a path below `src/`.
pub fn layer(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

fn rank(layer: &str) -> Option<usize> {
    RANKS.iter().position(|r| r.contains(&layer))
}

/// All laws on one file. `file` is relative to `src/`.
pub fn check(file: &str, text: &str) -> Vec<Breach> {
    let code = without_tests(&strip(text));
    let all = tokens(&code);
    let named = paths(&all);
    let local = local_names(&all, &named);
    let mut out = imports(file, &named);
    out.extend(fences(file, &named, &local));
    out.extend(words(file, &code));
    out.extend(length(file, text));
    out
}

fn imports(file: &str, named: &[Path]) -> Vec<Breach> {
    let from = layer(file);
    if from == "lib" {
        return Vec::new();
    }
    if rank(from).is_none() {
        return vec![breach(
            file,
            1,
            format!("`src/{from}` is no layer: src/ holds {RANKS:?}; put the file into the layer that owns its job"),
        )];
    }
    let mut out = Vec::new();
    for path in named {
        let Some(to) = target(file, path).filter(|to| rank(to).is_some() && *to != from) else { continue };
        if let Err(why) = may_import(from, &to) {
            out.push(breach(
                file,
                path.line,
                format!("layer rule: `{from}` must not import `{to}` ({}): {why}", path.segments.join("::")),
            ));
        }
    }
    out
}

/// The layer a path leads to: `crate::x…`, `secretaria::x…` (in main.rs) or enough `super`s.
fn target(file: &str, path: &Path) -> Option<String> {
    let supers = path.segments.iter().take_while(|s| *s == "super").count();
    match path.root() {
        "crate" => path.segments.get(1).cloned(),
        "secretaria" if file == "main.rs" => path.segments.get(1).cloned(),
        "super" => {
            let depth = file.trim_end_matches("/mod.rs").split('/').count();
            (supers >= depth).then(|| path.segments.get(supers).cloned()).flatten()
        }
        _ => None,
    }
}

fn may_import(from: &str, to: &str) -> Result<(), String> {
    if let Some((.., why)) = NEVER.iter().find(|(a, b, _)| (*a, *b) == (from, to)) {
        return Err((*why).to_owned());
    }
    if from == "standins" {
        let why = "a stand-in plays the outside world and may know only clients, domain, clock, telemetry, config";
        return if STANDINS_MAY.contains(&to) { Ok(()) } else { Err(why.to_owned()) };
    }
    if to == "standins" && from != "cli" && from != "main" {
        return Err("only cli/ starts stand-ins; production code talks to a base URL".to_owned());
    }
    let together = FRIENDS.iter().any(|f| f.contains(&from) && f.contains(&to));
    match (rank(from), rank(to)) {
        (Some(a), Some(b)) if b < a || (b == a && together) => Ok(()),
        (Some(a), Some(b)) if b == a => {
            Err("neighbours do not know each other: move the shared part to a layer left of both".to_owned())
        }
        _ => Err(format!(
            "only layers to the left of `{from}` may be imported: pass the value in, or move the code right, to the layer that may know both"
        )),
    }
}

fn fences(file: &str, named: &[Path], local: &[String]) -> Vec<Breach> {
    let mut out = Vec::new();
    for path in named.iter().filter(|p| !local.iter().any(|name| name == p.root())) {
        for (crates, places, belongs) in &FENCES {
            if crates.contains(&path.root()) && !places.iter().any(|place| file.starts_with(place)) {
                out.push(breach(
                    file,
                    path.line,
                    format!("crate fence: `{}` may be named only in {places:?}: {belongs}", path.root()),
                ));
            }
        }
    }
    out
}

/// One law of [`words`]: the pattern, the rule's name, where the code belongs, and the files it holds in.
type WordLaw = (Regex, &'static str, &'static str, fn(&str) -> bool);

static WORD_LAWS: LazyLock<Vec<WordLaw>> = LazyLock::new(|| {
    let rx = |pattern: &str| Regex::new(pattern).unwrap();
    let mut laws: Vec<WordLaw> = vec![
        (
            rx(r"\b(Utc|Local|SystemTime)::now\b"),
            "one clock",
            "only clock.rs reads the wall clock: take `&Clock`, or `now` as an argument (ADR 0005)",
            |file| file != "clock.rs",
        ),
        (
            rx(r"\benv::(var|var_os|vars|vars_os|set_var|remove_var)\b"),
            "environment",
            "settings come from config::Settings; only config/ and cli/ read the environment",
            |file| !matches!(layer(file), "config" | "cli"),
        ),
    ];
    laws.extend(
        FORBIDDEN.map(|(p, belongs)| (rx(p), "never in production code", belongs, (|_| true) as fn(&str) -> bool)),
    );
    laws.extend(IMPURE.map(|(p, belongs)| {
        (rx(p), "pure core (ADR 0004)", belongs, (|file| layer(file) == "domain") as fn(&str) -> bool)
    }));
    laws
});

fn words(file: &str, code: &str) -> Vec<Breach> {
    let mut out = Vec::new();
    for (pattern, rule, belongs, _) in WORD_LAWS.iter().filter(|(.., holds)| holds(file)) {
        for found in pattern.find_iter(code) {
            let line = code[..found.end()].lines().count();
            out.push(breach(file, line, format!("{rule}: `{}`: {belongs}", found.as_str().trim())));
        }
    }
    out
}

/// Longest file under `src/`, lines.
pub const MAX_LINES: usize = 400;

fn length(file: &str, text: &str) -> Vec<Breach> {
    let lines = text.lines().count();
    // diesel's generated table list grows with the tables, and nobody reads it from top to bottom.
    if lines <= MAX_LINES || file.ends_with("schema.rs") {
        return Vec::new();
    }
    vec![breach(
        file,
        lines,
        format!(
            "file length: {lines} lines, at most {MAX_LINES}: split by noun or by step, one reason to change a file"
        ),
    )]
}
