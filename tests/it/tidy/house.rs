//! The laws on the repository: what stands at the top, what is reachable, what is documented, what no file says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use super::source::{Breach, breach, child_modules};

/// What may stand at the top, beside dot-files. Anything else has a better place inside one of the folders.
const TOP: [&str; 19] = [
    "src",
    "migrations",
    "config",
    "tests",
    "docs",
    "examples",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "clippy.toml",
    "deny.toml",
    "Makefile",
    "README.md",
    "CHANGELOG.md",
    "Dockerfile",
    "docker-compose.yml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// C libraries that would need system packages at build time, and who usually drags them in.
const BANNED_PACKAGES: [(&str, &str); 4] = [
    ("pq-sys", "libpq; look for a diesel feature `postgres` (ours is `postgres_backend`) or pgvector"),
    (
        "aws-lc-sys",
        "a second TLS provider; use reqwest `rustls-no-provider` and metrics-exporter-prometheus without defaults",
    ),
    ("openssl-sys", "OpenSSL; look for a feature `native-tls` and choose rustls"),
    ("zstd-sys", "zstd; look for actix-web `compress-zstd` or rust-embed `compression`"),
];

/// Files of the project as git sees them (tracked, or new and not ignored); without git, the tree itself.
pub fn project_files(root: &Path) -> Vec<String> {
    let git = std::process::Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output();
    let mut files: Vec<String> = match git {
        Ok(out) if out.status.success() && !out.stdout.is_empty() => {
            String::from_utf8_lossy(&out.stdout).split('\0').filter(|f| !f.is_empty()).map(str::to_owned).collect()
        }
        _ => walk(root, root),
    };
    files.retain(|f| root.join(f).is_file());
    files.sort();
    files.dedup();
    files
}

fn walk(root: &Path, dir: &Path) -> Vec<String> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if matches!(name.as_str(), "target" | ".git" | ".demo") || name.ends_with(".log") {
            continue;
        } else if path.is_dir() {
            out.extend(walk(root, &path));
        } else {
            out.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
        }
    }
    out
}

pub fn top_level(files: &[String]) -> Vec<Breach> {
    let tops: BTreeSet<&str> = files.iter().filter_map(|f| f.split('/').next()).collect();
    tops.into_iter()
        .filter(|top| !top.starts_with('.') && !TOP.contains(top))
        .map(|top| breach(top, 1, "top level: only the entries of docs/ARCHITECTURE.md stand here; code → src/, tools and benchmarks → tests/, data and units → config/, texts → docs/"))
        .collect()
}

/// Files under a crate's folder that no `mod` reaches: the compiler never sees them, so nothing in them is true.
pub fn orphans(folder: &str, roots: &[&str], texts: &BTreeMap<String, String>) -> Vec<Breach> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut todo: Vec<String> =
        roots.iter().map(|r| format!("{folder}{r}")).filter(|r| texts.contains_key(r)).collect();
    while let Some(file) = todo.pop() {
        if !seen.insert(file.clone()) {
            continue;
        }
        let home = module_home(folder, roots, &file);
        for (name, _) in child_modules(&texts[&file]) {
            let candidates = [format!("{home}{name}.rs"), format!("{home}{name}/mod.rs")];
            todo.extend(candidates.into_iter().filter(|c| texts.contains_key(c)));
        }
    }
    texts
        .keys()
        .filter(|f| f.starts_with(folder) && f.ends_with(".rs") && !seen.contains(*f))
        .map(|f| breach(f, 1, "orphan: no `mod` leads here, so it is not compiled; declare it in its parent's mod.rs or delete it (`#[path]` is not used in this house)"))
        .collect()
}

/// Files compiled for tests only, by their `#[cfg(test)] mod x;`.
pub fn test_only(folder: &str, roots: &[&str], texts: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (file, text) in texts.iter().filter(|(f, _)| f.starts_with(folder) && f.ends_with(".rs")) {
        let home = module_home(folder, roots, file);
        for (name, _) in child_modules(text).into_iter().filter(|(_, test)| *test) {
            out.extend([format!("{home}{name}.rs"), format!("{home}{name}/mod.rs")]);
        }
    }
    out
}

fn module_home(folder: &str, roots: &[&str], file: &str) -> String {
    match file.strip_suffix("/mod.rs") {
        Some(dir) => format!("{dir}/"),
        None if roots.iter().any(|r| format!("{folder}{r}") == file) => folder.to_owned(),
        None => format!("{}/", file.trim_end_matches(".rs")),
    }
}

pub fn lock_file(lock: &str) -> Vec<Breach> {
    let mut out = Vec::new();
    for (n, line) in lock.lines().enumerate() {
        for (name, why) in &BANNED_PACKAGES {
            if line == format!("name = \"{name}\"") {
                out.push(breach(
                    "Cargo.lock",
                    n + 1,
                    format!("banned package `{name}`: {why}; `cargo tree -i {name}` shows who asks for it"),
                ));
            }
        }
    }
    out
}

/// Each migration can be taken back. `files` maps a path to its text.
pub fn migrations(files: &BTreeMap<String, String>) -> Vec<Breach> {
    let mut out = Vec::new();
    let dirs: BTreeSet<&str> = files
        .keys()
        .filter(|f| f.starts_with("migrations/"))
        .filter_map(|f| f.rsplit_once('/'))
        .map(|(d, _)| d)
        .collect();
    for dir in dirs {
        if dir.split('/').count() != 3
            || !(dir.starts_with("migrations/control/") || dir.starts_with("migrations/tenant/"))
        {
            out.push(breach(dir, 1, "migrations: a migration is a folder in migrations/control/ (shared tables) or migrations/tenant/ (tables of one company)"));
            continue;
        }
        for half in ["up.sql", "down.sql"] {
            let file = format!("{dir}/{half}");
            let says = |text: &String| text.lines().any(|l| !l.trim().is_empty() && !l.trim_start().starts_with("--"));
            if !files.get(&file).is_some_and(says) {
                out.push(breach(&file, 1, "migrations: every migration has an up.sql and a down.sql with at least one statement each; where data cannot come back, down still restores the shape"));
            }
        }
    }
    out
}

/// Settings as (line, `section.key`, whether a comment stands right above).
pub fn settings(toml: &str) -> Vec<(usize, String, bool)> {
    let key = regex::Regex::new(r"^([A-Za-z0-9_]+)\s*=").unwrap();
    let (mut section, mut above, mut out) = (String::new(), "", Vec::new());
    for (n, line) in toml.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some(found) = key.captures(line) {
            out.push((n + 1, format!("{section}{}", &found[1]), above.trim_start().starts_with('#')));
        }
        above = line;
    }
    out
}

pub fn settings_documented(toml: &str, docs: Option<&str>) -> Vec<Breach> {
    let mut out = Vec::new();
    for (line, key, commented) in settings(toml) {
        if !commented {
            out.push(breach("config/default.toml", line, format!("setting `{key}` has no comment on the line above: say what it means, its unit, and when to change it")));
        }
        out.extend(documented("config/default.toml", line, "setting", &key, "docs/config.md", docs));
    }
    out
}

/// One name and the page that must tell of it, as a whole word.
pub fn documented(file: &str, line: usize, what: &str, name: &str, page: &str, docs: Option<&str>) -> Option<Breach> {
    let Some(docs) = docs else {
        return Some(breach(
            file,
            line,
            format!(
                "{what} `{name}` is not documented: {page} does not exist yet; write it, with one entry for each {what}"
            ),
        ));
    };
    let part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '{' | '}');
    let told = docs
        .match_indices(name)
        .any(|(at, _)| !docs[..at].ends_with(part_of_name) && !docs[at + name.len()..].starts_with(part_of_name));
    (!told).then(|| breach(file, line, format!("{what} `{name}` is not documented: add it to {page}")))
}

/// String literals that match a pattern, with their lines.
pub fn literals(text: &str, pattern: &str) -> Vec<(usize, String)> {
    let pattern = regex::Regex::new(&format!(r#""({pattern})""#)).unwrap();
    let of_line = |(n, line): (usize, &str)| {
        let comment = line.trim_start().starts_with("//");
        pattern.captures_iter(line).filter(|_| !comment).map(|c| (n + 1, c[1].to_owned())).collect::<Vec<_>>()
    };
    text.lines().enumerate().flat_map(of_line).collect()
}

/// Metrics declared as `NAME = kind("name", …)` or `NAME: &str = "name"`, by their full names.
pub fn metrics(text: &str) -> Vec<(usize, String)> {
    let declared =
        regex::Regex::new(r#"^[^/"]*\b[A-Z][A-Z0-9_]+\b[^"]*= *(?:[a-z_]+\()?"([a-z][a-z0-9_]*[a-z0-9])""#).unwrap();
    let full = |name: &str| format!("secretaria_{}", name.trim_start_matches("secretaria_"));
    text.lines().enumerate().filter_map(|(n, line)| Some((n + 1, full(&declared.captures(line)?[1])))).collect()
}

/// Decision records are numbered once and listed in their table of contents.
pub fn decisions(files: &[String], list: &str) -> Vec<Breach> {
    let mut numbers = BTreeSet::new();
    let mut out = Vec::new();
    for file in files.iter().filter(|f| f.starts_with("docs/adr/") && f.ends_with(".md") && !f.ends_with("README.md")) {
        let name = file.trim_start_matches("docs/adr/");
        if !list.contains(&format!("({name})")) {
            out.push(breach(file, 1, format!("decision record: link it from docs/adr/README.md as `[title]({name})`")));
        }
        let number = name.split('-').next().unwrap_or(name);
        if number.len() != 4 || number.parse::<u16>().is_err() || !numbers.insert(number) {
            out.push(breach(
                file,
                1,
                "decision record: the name begins with a four-digit number of its own, `0042-what.md`",
            ));
        }
    }
    out
}

/// Words that tie the project to one machine, and why. Written in pieces, so that this file does not breach its own law.
static MACHINE_WORDS: LazyLock<Vec<(regex::Regex, &'static str)>> = LazyLock::new(|| {
    let rx = |parts: &[&str]| regex::Regex::new(&parts.concat()).unwrap();
    vec![
        (
            rx(&[r"(?m)(^|[^A-Za-z0-9_./-])/(wo", r"rk|ro", r"ot)/"]),
            "a path of one machine: use a relative path, $HOME or a setting",
        ),
        (
            rx(&[r"\.\./sha", "red"]),
            "a folder outside the repository: only the Makefile may name it, as the default of a variable",
        ),
        (
            rx(&[
                r"(cra",
                r"tes\.io|pypi\.",
                r"org|registry\.npm",
                r"js\.org|proxy\.gol",
                r"ang\.org|deb\.deb",
                r"ian\.org)",
            ]),
            "a registry's host: builds use whatever registry the machine is set up for",
        ),
    ]
});

pub fn machine(file: &str, text: &str) -> Vec<Breach> {
    let mut out = Vec::new();
    for (k, (pattern, why)) in MACHINE_WORDS.iter().enumerate() {
        if file == "Cargo.lock" || (file == "Makefile" && k == 1) {
            continue;
        }
        for found in pattern.find_iter(text) {
            let line = text[..found.end()].lines().count();
            out.push(breach(file, line, format!("names this machine: `{}`: {why}", found.as_str().trim())));
        }
    }
    out
}
