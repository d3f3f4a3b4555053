//! A template's source before the machine sees it: only the tags that are allowed, accents of names folded.

/// What stands between `{%` and `%}` at the beginning.
const STATEMENTS: [&str; 4] = ["if", "elif", "else", "endif"];

/// Why a source is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// Counted from 1.
    pub line: usize,
    /// The word or sign that is not allowed; `None` when the source cannot be read.
    pub what: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Value,
    Statement,
    Comment,
}

impl Tag {
    fn opened_by(c: char) -> Option<Self> {
        match c {
            '{' => Some(Self::Value),
            '%' => Some(Self::Statement),
            '#' => Some(Self::Comment),
            _ => None,
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Value => "}}",
            Self::Statement => "%}",
            Self::Comment => "#}",
        }
    }
}

/// The source with plain names and without comments.
///
/// # Errors
/// A tag that does not end, a statement other than the `if` family, or `*`: it multiplies texts.
pub(super) fn plain(source: &str) -> Result<String, Refused> {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let line = |rest: &str| source.get(..source.len() - rest.len()).unwrap_or_default().matches('\n').count() + 1;
    while let Some(at) = rest.find('{') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let Some(tag) = tail.chars().nth(1).and_then(Tag::opened_by) else {
            out.push('{');
            rest = tail.get(1..).unwrap_or_default();
            continue;
        };
        let refused = |what: Option<&str>| Refused { line: line(tail), what: what.map(str::to_owned) };
        let inner = tail.get(2..).unwrap_or_default();
        let end = end_of(inner, tag).ok_or_else(|| refused(None))?;
        let (body, after) = inner.split_at(end);
        rest = after.get(2..).unwrap_or_default();
        if tag == Tag::Comment {
            continue;
        }
        if tag == Tag::Statement {
            let word = first_word(body);
            if !STATEMENTS.contains(&word) {
                return Err(refused(Some(word)));
            }
        }
        out.push_str(tail.get(..2).unwrap_or_default());
        push_body(&mut out, body).map_err(|sign| refused(Some(&sign.to_string())))?;
        out.push_str(tag.end());
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the tag's end mark begins, quoted ones apart.
fn end_of(inner: &str, tag: Tag) -> Option<usize> {
    if tag == Tag::Comment {
        return inner.find(tag.end());
    }
    let mut quotes = Quotes::default();
    inner
        .char_indices()
        .find(|(at, c)| !quotes.inside(*c) && inner.get(*at..).is_some_and(|rest| rest.starts_with(tag.end())))
        .map(|(at, _)| at)
}

fn first_word(body: &str) -> &str {
    let body = body.trim_start_matches(['-', '+']).trim_start();
    let end = body.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(body.len());
    body.get(..end).unwrap_or_default()
}

/// Copies what stands inside a tag; the sign that is not allowed, if there is one.
fn push_body(out: &mut String, body: &str) -> Result<(), char> {
    let mut quotes = Quotes::default();
    for c in body.chars() {
        let quoted = quotes.inside(c);
        if c == '*' && !quoted {
            return Err(c);
        }
        out.push(if quoted { c } else { without_accent(c) });
    }
    Ok(())
}

/// Follows the quotes of an expression.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
    escaped: bool,
}

impl Quotes {
    /// Whether this next character belongs to a quoted text, its quotes included.
    fn inside(&mut self, c: char) -> bool {
        let Some(open) = self.open else {
            self.open = matches!(c, '"' | '\'').then_some(c);
            return self.open.is_some();
        };
        if self.escaped {
            self.escaped = false;
        } else if c == '\\' {
            self.escaped = true;
        } else if c == open {
            self.open = None;
        }
        true
    }
}

/// The machine knows names of plain letters only.
fn without_accent(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ã' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    }
}
