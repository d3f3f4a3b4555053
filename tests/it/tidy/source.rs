//! Reading Rust well enough for the laws: text without comments, strings and tests; tokens; the paths they name.

/// One breach of a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub file: String,
    pub line: usize,
    pub message: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

pub fn breach(file: &str, line: usize, message: impl Into<String>) -> Breach {
    Breach { file: file.to_owned(), line, message: message.into() }
}

/// The text with comments and the insides of literals replaced by spaces: same lines, same columns in bytes or fewer.
pub fn strip(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let end = skip(&chars, i);
        if end > i {
            out.extend(chars[i..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            i = end;
        } else {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}

/// Where the comment or literal that begins at `i` ends; `i` when none begins there.
fn skip(chars: &[char], i: usize) -> usize {
    let at = |k: usize| chars.get(k).copied().unwrap_or('\0');
    let in_word = i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_');
    match at(i) {
        '/' if at(i + 1) == '/' => (i..chars.len()).find(|k| chars[*k] == '\n').unwrap_or(chars.len()),
        '/' if at(i + 1) == '*' => block_comment(chars, i),
        '"' => quoted(chars, i),
        'r' | 'b' | 'c' if !in_word => {
            let mut k = i + 1;
            k += usize::from(at(i) != 'r' && at(k) == 'r');
            let raw = chars[i..k].contains(&'r');
            let hashes = chars[k..].iter().take_while(|c| **c == '#').count();
            if raw && at(k + hashes) == '"' {
                raw_quoted(chars, k + hashes + 1, hashes)
            } else if hashes == 0 && !raw && at(k) == '"' {
                quoted(chars, k)
            } else {
                i
            }
        }
        // 'x' and '\n' are literals, 'static is a lifetime.
        '\'' if at(i + 1) == '\\' => (i + 3..chars.len()).find(|k| chars[*k] == '\'').map_or(chars.len(), |k| k + 1),
        '\'' if at(i + 2) == '\'' => i + 3,
        _ => i,
    }
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => {
                (depth, i) = (depth - 1, i + 2);
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    chars.len()
}

fn quoted(chars: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn raw_quoted(chars: &[char], start: usize, hashes: usize) -> usize {
    (start..chars.len())
        .find(|k| chars[*k] == '"' && chars[k + 1..].iter().take_while(|c| **c == '#').count() >= hashes)
        .map_or(chars.len(), |k| k + 1 + hashes)
}

/// Stripped text without what is compiled for tests only: each `#[cfg(test)]` item becomes blank lines.
pub fn without_tests(stripped: &str) -> String {
    let mut text = stripped.to_owned();
    while let Some(start) = text.find("#[cfg(test)]") {
        let rest = &text[start..];
        let end = match rest.find(['{', ';']) {
            Some(k) if rest.as_bytes()[k] == b'{' => closing(rest, k),
            Some(k) => k + 1,
            None => rest.len(),
        };
        let blank: String = rest[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        text.replace_range(start..start + end, &blank);
    }
    text
}

fn closing(text: &str, open: usize) -> usize {
    let mut depth = 0;
    for (k, c) in text[open..].char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 {
            return open + k + 1;
        }
    }
    text.len()
}

/// A word, `::`, or one other character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

pub fn tokens(stripped: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    for (n, line) in stripped.lines().enumerate() {
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let mut text = String::from(c);
            if c.is_whitespace() {
                continue;
            } else if c.is_alphanumeric() || c == '_' {
                while let Some(d) = chars.next_if(|d| d.is_alphanumeric() || *d == '_') {
                    text.push(d);
                }
            } else if c == ':' && chars.next_if_eq(&':').is_some() {
                text.push(':');
            }
            out.push(Token { text, line: n + 1 });
        }
    }
    out
}

/// A path as written (`crate::tenant::Key`), each leaf of a braced `use` on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    /// The name it has here, for `use a::b as c`.
    pub alias: Option<String>,
    pub line: usize,
    pub in_use: bool,
}

impl Path {
    pub fn root(&self) -> &str {
        &self.segments[0]
    }

    /// The name that a `use` brings into scope.
    fn local_name(&self) -> Option<&str> {
        let last = self.segments.iter().rev().find(|s| *s != "self")?;
        Some(self.alias.as_deref().unwrap_or(last))
    }
}

/// Every path in the code: in `use`, in expressions, types, attributes and macros.
pub fn paths(tokens: &[Token]) -> Vec<Path> {
    let text = |i: usize| tokens.get(i).map_or("", |t| t.text.as_str());
    let mut out = Vec::new();
    let (mut i, mut in_use) = (0, false);
    while i < tokens.len() {
        let before = if i == 0 { "" } else { text(i - 1) };
        in_use = (in_use || text(i) == "use") && text(i) != ";";
        // A leading `::` begins a path, one after a word or a `>` continues it.
        let continues =
            before == "::" && i >= 2 && (tokens[i - 2].is_word() || text(i - 2) == ">") && !is_keyword(text(i - 2));
        let named =
            text(i + 1) == "::" || matches!(before, "use" | "crate") && text(i.wrapping_sub(2)) != "(" && in_use;
        if tokens[i].is_word() && !is_keyword(text(i)) && !continues && before != "." && named {
            let found = out.len();
            i = tree(tokens, i, &mut Vec::new(), &mut out).max(i + 1);
            out[found..].iter_mut().for_each(|p: &mut Path| p.in_use = in_use);
        } else {
            i += 1;
        }
    }
    out
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "use"
            | "pub"
            | "as"
            | "fn"
            | "let"
            | "mut"
            | "ref"
            | "return"
            | "in"
            | "match"
            | "if"
            | "else"
            | "dyn"
            | "impl"
            | "where"
            | "move"
            | "mod"
    )
}

/// Reads a use tree or a plain path from `i` on; returns where it ends.
fn tree(tokens: &[Token], mut i: usize, prefix: &mut Vec<String>, out: &mut Vec<Path>) -> usize {
    let text = |i: usize| tokens.get(i).map_or("", |t| t.text.as_str());
    let depth = prefix.len();
    let line = tokens.get(i).map_or(0, |t| t.line);
    loop {
        if text(i) == "{" {
            i += 1;
            while i < tokens.len() && text(i) != "}" {
                i = if text(i) == "," { i + 1 } else { tree(tokens, i, prefix, out).max(i + 1) };
            }
            prefix.truncate(depth);
            return i + 1;
        }
        if !(tokens.get(i).is_some_and(Token::is_word) || text(i) == "*") {
            break;
        }
        prefix.push(text(i).to_owned());
        i += 1;
        if text(i) != "::" {
            break;
        }
        i += 1;
    }
    let mut alias = None;
    if text(i) == "as" {
        alias = Some(text(i + 1).to_owned());
        i += 2;
    }
    if !prefix.is_empty() {
        out.push(Path { segments: prefix.clone(), alias, line, in_use: false });
    }
    prefix.truncate(depth);
    i
}

/// Names that mean a module or item of this crate here, although an outside crate may be called the same
/// (`use crate::telemetry::metrics;` makes `metrics::…` ours).
pub fn local_names(tokens: &[Token], paths: &[Path]) -> Vec<String> {
    let mods = tokens.windows(2).filter(|w| w[0].text == "mod").map(|w| w[1].text.clone());
    let used = paths
        .iter()
        .filter(|p| p.in_use && p.segments.len() > 1)
        .filter_map(|p| p.local_name().filter(|name| *name != p.root()).map(str::to_owned));
    mods.chain(used).collect()
}

/// The child modules that a file declares out of line, and whether each is for tests only.
pub fn child_modules(text: &str) -> Vec<(String, bool)> {
    let stripped = strip(text);
    let production = declared(&without_tests(&stripped));
    declared(&stripped).into_iter().map(|m| (m.clone(), !production.contains(&m))).collect()
}

fn declared(stripped: &str) -> Vec<String> {
    let all = tokens(stripped);
    all.windows(3).filter(|w| w[0].text == "mod" && w[2].text == ";").map(|w| w[1].text.clone()).collect()
}
