//! Knowledge written as Markdown: headings are titles, what stands below is the text.
//!
//! A heading without a text of its own names a section: it stands before the titles below it ("Convênios – Quais"); the
//! first heading of a file, if it has none, only names the file. A line `Válido de 01/12/2026 até 31/12/2026` (or only one
//! of both) right below a heading says when the entry is true.

use super::{Draft, LineError, Parsed, Validity, day};

/// A heading and what follows it.
struct Section {
    line: usize,
    level: usize,
    title: String,
    body: Vec<String>,
    validity: Validity,
}

impl Section {
    fn has_text(&self) -> bool {
        self.body.iter().any(|line| !line.trim().is_empty())
    }
}

/// Reads a file.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub fn parse(content: &str) -> Parsed<(usize, Draft)> {
    let mut errors = Vec::new();
    let sections = sections(content, &mut errors);
    let mut parents: Vec<(usize, &str)> = Vec::new();
    let mut drafts = Vec::new();
    for (number, section) in sections.iter().enumerate() {
        parents.retain(|(level, _)| *level < section.level);
        if section.has_text() {
            let names = parents.iter().map(|(_, name)| *name).chain([section.title.as_str()]);
            let draft = Draft {
                title: names.collect::<Vec<_>>().join(" – "),
                body: section.body.join("\n"),
                validity: section.validity,
            };
            match draft.checked() {
                Ok(draft) => drafts.push((section.line, draft)),
                Err(problem) => errors.push(LineError::new(section.line, problem)),
            }
            continue;
        }
        let leads = sections.get(number + 1).is_some_and(|next| next.level > section.level);
        match leads {
            true if number == 0 && section.level == 1 => {}
            true => parents.push((section.level, &section.title)),
            false => errors.push(LineError::new(section.line, format!("{:?} has no text", section.title))),
        }
    }
    if drafts.is_empty() && errors.is_empty() {
        errors.push(LineError::new(1, "there is nothing in it: write headings (# Title) with texts below them"));
    }
    twice(&drafts, &mut errors);
    errors.sort_by_key(|error| error.line);
    if errors.is_empty() { Ok(drafts) } else { Err(errors) }
}

/// Two entries of one title: the second would replace the first.
pub(super) fn twice(drafts: &[(usize, Draft)], errors: &mut Vec<LineError>) {
    let mut seen = std::collections::HashMap::new();
    for (line, draft) in drafts {
        if let Some(before) = seen.insert(super::key(&draft.title, draft.validity), line) {
            errors.push(LineError::new(*line, format!("{:?} stands in line {before} already", draft.title)));
        }
    }
}

fn sections(content: &str, errors: &mut Vec<LineError>) -> Vec<Section> {
    let mut out: Vec<Section> = Vec::new();
    let mut fenced = false;
    for (index, text) in content.trim_start_matches('\u{FEFF}').lines().enumerate() {
        let line = index + 1;
        fenced ^= text.trim_start().starts_with("```");
        if let Some((level, title)) = heading(text).filter(|_| !fenced) {
            out.push(Section { line, level, title, body: Vec::new(), validity: Validity::default() });
            continue;
        }
        let Some(section) = out.last_mut() else {
            if !text.trim().is_empty() && !errors.iter().any(|error| error.problem.starts_with("text before")) {
                errors.push(LineError::new(line, "text before the first heading: write # Title above it"));
            }
            continue;
        };
        match validity(text).filter(|_| !section.has_text()) {
            Some(Ok(validity)) => section.validity = validity,
            Some(Err(problem)) => errors.push(LineError::new(line, problem)),
            None => section.body.push(text.to_owned()),
        }
    }
    out
}

fn heading(line: &str) -> Option<(usize, String)> {
    let level = line.chars().take_while(|c| *c == '#').count();
    let rest = line.get(level..)?;
    let title = rest.trim().trim_end_matches('#').trim();
    ((1..=6).contains(&level) && rest.starts_with(' ') && !title.is_empty()).then(|| (level, title.to_owned()))
}

/// A line `Válido de … até …`; `None` when it is none.
fn validity(line: &str) -> Option<Result<Validity, String>> {
    let plain = line.trim().trim_matches(['*', '_', '>', ' ']);
    let folded = crate::domain::text::fold::fold(plain);
    let rest = ["valido", "valida", "validade"].iter().find_map(|word| folded.strip_prefix(word))?;
    let rest = rest.trim_start_matches([':', ' ']).replace("a partir de", "de");
    let words: Vec<&str> = rest.split_whitespace().collect();
    let mut found = Validity::default();
    for pair in words.chunks(2) {
        // Prose may begin like it ("válido para todos").
        let [word, text] = pair else { return None };
        let place = match *word {
            "de" | "desde" => &mut found.from,
            "ate" | "a" => &mut found.to,
            _ => return None,
        };
        match day(text.trim_end_matches(['.', ',', ';'])) {
            Ok(day) => *place = Some(day),
            Err(problem) => return text.starts_with(|c: char| c.is_ascii_digit()).then_some(Err(problem)),
        }
    }
    (found != Validity::default()).then_some(Ok(found))
}
