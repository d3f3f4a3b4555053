//! Settings in words: the comments of `config/default.toml`, and `docs/config.md` made from them.

use std::fmt::Write;

use super::load::{DEFAULTS, WELL_KNOWN, env_name, is_secret};

/// A key as it stands in `config/default.toml`.
#[derive(Clone, Debug)]
pub struct DocumentedKey {
    /// `section.name`.
    pub key: String,
    /// The comment above it, one line.
    pub doc: String,
    /// The default as TOML.
    pub default: String,
    /// The comment above its section, one line.
    pub section_doc: String,
}

/// All keys in the order of `config/default.toml`, with the comments above them.
pub fn documented_keys() -> Vec<DocumentedKey> {
    let mut keys = Vec::new();
    let (mut section, mut section_doc, mut comment) = (String::new(), String::new(), Vec::new());
    for line in DEFAULTS.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            section_doc = comment.join(" ");
            comment.clear();
        } else if let Some((name, default)) = line.split_once(" = ") {
            let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            let (doc, default) = (comment.join(" "), default.to_owned());
            keys.push(DocumentedKey { key, doc, default, section_doc: section_doc.clone() });
            comment.clear();
        } else {
            comment.clear();
        }
    }
    keys
}

/// The text of `docs/config.md`: all settings of a process, then those of a company.
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    let mut section = None;
    for key in documented_keys() {
        let name = key.key.split_once('.').map(|(section, _)| section.to_owned());
        if section.as_ref() != Some(&name) {
            match &name {
                None => out.push_str("\n### At the top\n"),
                Some(name) => {
                    let _ = write!(out, "\n### `[{name}]`\n\n{}\n", key.section_doc);
                }
            }
            out.push_str("\n| key | default | environment | meaning |\n|---|---|---|---|\n");
            section = Some(name);
        }
        let well_known = WELL_KNOWN.iter().find(|(_, known)| *known == key.key).map(|(name, _)| *name);
        let env = well_known.map_or_else(|| env_name(&key.key), str::to_owned);
        let secret = if is_secret(&key.key) { " **Secret.**" } else { "" };
        let _ = writeln!(out, "| `{}` | `{}` | `{env}` | {}{secret} |", key.key, key.default, cell(&key.doc));
    }
    out.push_str(&super::company::markdown());
    out
}

/// Text that may stand in a cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const INTRODUCTION: &str = "# Settings

<!-- Made from config/default.toml and src/config/company.rs; `UPDATE_DOCS=1 cargo test configuration` rewrites it. -->

## Settings of a process

Sources, later ones win:

1. the defaults below, built into the binary;
2. the TOML file named by `--config` or `SECRETARIA_CONFIG`;
3. the environment: `SECRETARIA_SECTION__KEY` (two underscores between section and key), and `DATABASE_URL`,
   `DATABASE_ADMIN_URL`, `REDIS_URL`. Each also with `_FILE` at its end: the path of a file that holds the value;
4. flags of the command.

Lists are separated by commas in the environment. An unknown key, a wrong type or a contradiction is an error that
names the place it was read from (exit code 3). `secretaria config show --origin` says where each value came from.
";
