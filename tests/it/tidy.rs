//! The laws of the house as tests. A message says which rule is broken and where the code belongs; the reasons are in
//! `docs/ARCHITECTURE.md`. `tidy/can_fail.rs` shows each rule a small breach, so that none can fall silent.

mod can_fail;
mod house;
mod laws;
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use source::Breach;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> Option<String> {
    std::fs::read(root().join(file)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The project's files whose path passes the filter, with their texts.
fn texts(keep: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    house::project_files(root())
        .into_iter()
        .filter(|f| keep(f))
        .filter_map(|f| read(&f).map(|text| (f, text)))
        .collect()
}

fn rust(folder: &str) -> BTreeMap<String, String> {
    texts(|f| f.starts_with(folder) && f.ends_with(".rs"))
}

fn none(breaches: Vec<Breach>) {
    let lines: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(breaches.is_empty(), "{} breaches of the house's laws:\n  {}", lines.len(), lines.join("\n  "));
}

#[test]
fn layers_fences_words_and_lengths_hold_in_every_source_file() {
    let sources = rust("src/");
    assert!(
        sources.len() > 20,
        "only {} files found under src/: the check is looking at the wrong place",
        sources.len()
    );
    let skip = house::test_only("src/", &["lib.rs", "main.rs"], &sources);
    let files = sources.iter().filter(|(file, _)| !skip.contains(*file));
    none(files.flat_map(|(file, text)| laws::check(file.trim_start_matches("src/"), text)).collect());
}

#[test]
fn every_source_file_is_reachable() {
    none(house::orphans("src/", &["lib.rs", "main.rs"], &rust("src/")));
}

#[test]
fn every_test_file_is_reachable() {
    none(house::orphans("tests/it/", &["main.rs"], &rust("tests/it/")));
}

#[test]
fn only_known_entries_stand_at_the_top() {
    none(house::top_level(&house::project_files(root())));
}

#[test]
fn no_c_library_came_in_by_the_back_door() {
    none(house::lock_file(&read("Cargo.lock").expect("Cargo.lock is committed")));
}

#[test]
fn every_migration_can_be_taken_back() {
    none(house::migrations(&texts(|f| f.starts_with("migrations/"))));
}

#[test]
fn every_setting_is_commented_and_documented() {
    let Some(toml) = read("config/default.toml") else { return };
    assert!(!house::settings(&toml).is_empty(), "config/default.toml has no setting that this test can see");
    none(house::settings_documented(&toml, read("docs/config.md").as_deref()));
}

#[test]
fn every_metric_is_documented() {
    let vocabulary = rust("src/telemetry/metrics");
    if vocabulary.is_empty() {
        return;
    }
    let declared: Vec<_> =
        vocabulary.iter().flat_map(|(f, text)| house::metrics(text).into_iter().map(move |m| (f, m))).collect();
    assert!(!declared.is_empty(), "no `NAME = …\"metric_name\"` found in src/telemetry/metrics: the check is blind");
    let docs = read("docs/metrics.md");
    let undocumented = |(file, (line, name)): &(&String, (usize, String))| {
        house::documented(file, *line, "metric", name, "docs/metrics.md", docs.as_deref())
    };
    none(declared.iter().filter_map(undocumented).collect());
}

#[test]
fn every_route_is_documented() {
    let Some(table) = read("src/routes/mod.rs") else { return };
    let docs = read("docs/api.md");
    let routes = house::literals(&table, r"/[A-Za-z0-9_./{}:*-]*");
    none(
        routes
            .iter()
            .filter_map(|(n, path)| {
                house::documented("src/routes/mod.rs", *n, "route", path, "docs/api.md", docs.as_deref())
            })
            .collect(),
    );
}

#[test]
fn every_decision_is_listed() {
    none(house::decisions(&house::project_files(root()), &read("docs/adr/README.md").unwrap_or_default()));
}

#[test]
fn no_file_names_this_machine() {
    none(texts(|_| true).iter().flat_map(|(file, text)| house::machine(file, text)).collect());
}
