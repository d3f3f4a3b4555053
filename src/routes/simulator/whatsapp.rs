//! WhatsApp's marks turned into HTML: `*bold*`, `_italic_`, `~struck~`, `` ```mono``` `` and line breaks; everything
//! else is escaped. A mark counts when it hugs its words: not preceded or followed by a letter or digit, no blank
//! inside next to it, both ends on one line.

const MARKS: [(&str, &str, &str); 4] =
    [("```", "<code>", "</code>"), ("*", "<strong>", "</strong>"), ("_", "<em>", "</em>"), ("~", "<s>", "</s>")];

/// HTML of one message, safe to place between tags whatever the text holds.
pub fn to_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 4);
    for (row, line) in text.lines().enumerate() {
        if row > 0 {
            html.push_str("<br>");
        }
        inline(line, None, &MARKS, &mut html);
    }
    html
}

/// Writes one line. `marks` shrinks with every level, so nesting ends after four.
fn inline(line: &str, before: Option<char>, marks: &[(&str, &str, &str)], html: &mut String) {
    let mut rest = line;
    let mut last = before;
    // A mark without a closing one here has none further right either: without this a line of stars costs its square.
    let mut open: Vec<(&str, &str, &str)> = marks.to_vec();
    while let Some(letter) = rest.chars().next() {
        let hit = open.iter().copied().find(|(mark, _, _)| rest.starts_with(mark));
        let opens = hit.filter(|_| !last.is_some_and(char::is_alphanumeric));
        if let Some((mark, start, end)) = opens {
            if let Some((inner, after)) = split_at_closing(rest, mark) {
                html.push_str(start);
                let fewer: Vec<_> = marks.iter().copied().filter(|(m, _, _)| *m != mark && mark != "```").collect();
                inline(inner, None, &fewer, html);
                html.push_str(end);
                last = mark.chars().next();
                rest = after;
                continue;
            }
            if rest.get(mark.len()..).is_some_and(|tail| !tail.starts_with(char::is_whitespace)) {
                open.retain(|(m, _, _)| *m != mark);
            }
        }
        escape(letter, html);
        last = Some(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
}

/// What stands between an opening mark and its closing one, and what follows.
fn split_at_closing<'t>(from_mark: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let body = from_mark.strip_prefix(mark)?;
    if body.starts_with(char::is_whitespace) || body.starts_with(mark) {
        return None;
    }
    body.match_indices(mark).find_map(|(at, _)| {
        let inner = body.get(..at)?;
        let after = body.get(at + mark.len()..)?;
        let hugs = !inner.is_empty() && !inner.ends_with(char::is_whitespace);
        (hugs && !after.starts_with(char::is_alphanumeric)).then_some((inner, after))
    })
}

fn escape(letter: char, html: &mut String) {
    match letter {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        other => html.push(other),
    }
}
