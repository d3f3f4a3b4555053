//! How the word lists under `config/lexicon/` are written and read.
//!
//! One entry a line; `#` with a blank after it begins a comment; blank lines do not matter. `[name]` begins a section.
//! The files are part of the program, so a mistake in one is found by the tests and not by a customer.

use thiserror::Error;

/// A line of a lexicon that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}, line {line}: {problem}")]
pub struct LexiconError {
    /// The file's name.
    pub file: &'static str,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and how to write it.
    pub problem: String,
}

/// An entry and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The file's name.
    pub file: &'static str,
    /// Line, from 1.
    pub line: usize,
    /// The section the entry stands in; empty before the first.
    pub section: &'a str,
    /// The line without comment and outer blanks.
    pub text: &'a str,
}

impl<'a> Entry<'a> {
    /// The two sides of `left = right`.
    ///
    /// # Errors
    /// When a side is missing.
    pub fn sides(&self) -> Result<(&'a str, &'a str), LexiconError> {
        let sides = self.text.split_once('=').map(|(left, right)| (left.trim(), right.trim()));
        match sides {
            Some((left, right)) if !left.is_empty() && !right.is_empty() => Ok((left, right)),
            _ => Err(self.error("expected \"left = right\"")),
        }
    }

    /// An error that points at this entry.
    pub fn error(&self, problem: impl Into<String>) -> LexiconError {
        LexiconError { file: self.file, line: self.line, problem: problem.into() }
    }
}

/// The entries of a file, in order.
///
/// # Errors
/// When a section's header is not closed or has no name.
pub fn entries<'a>(file: &'static str, content: &'a str) -> Result<Vec<Entry<'a>>, LexiconError> {
    let mut out = Vec::new();
    let mut section = "";
    for (index, line) in content.lines().enumerate() {
        let text = without_comment(line).trim();
        let entry = Entry { file, line: index + 1, section, text };
        if let Some(header) = text.strip_prefix('[') {
            let name = header.strip_suffix(']').map(str::trim).filter(|name| !name.is_empty());
            section = name.ok_or_else(|| entry.error("a section is written [name]"))?;
        } else if !text.is_empty() {
            out.push(entry);
        }
    }
    Ok(out)
}

fn without_comment(line: &str) -> &str {
    let begins =
        |(at, _): &(usize, &str)| line.get(at + 1..).is_none_or(|rest| rest.is_empty() || rest.starts_with(' '));
    let comment = line.match_indices('#').find(begins);
    comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line)
}
