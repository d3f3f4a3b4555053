//! Texts inside a text: base64, hexadecimal, codes of characters, escapes.

/// The shortest run of letters and digits that may hold a text.
const RUN_MIN: usize = 8;
/// Codes in a row before they are taken for characters.
const CODES_MIN: usize = 6;
/// Escapes in a text before it is read with them resolved.
const ESCAPES_MIN: usize = 3;

/// Every readable text encoded in `text`; together never longer than a few times the text.
pub(super) fn hidden_texts(text: &str) -> Vec<String> {
    let mut found = runs(text);
    found.extend(codes(text));
    found.extend(unescaped(text));
    found.extend(morse(text));
    found
}

/// Runs in base64, base64url, base32 or hexadecimal.
fn runs(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    let long = text.split(|c| !is_part(c)).filter(|run| run.len() >= RUN_MIN);
    long.flat_map(|run| [hexadecimal(run), base64(run), base32(run)]).flatten().collect()
}

fn base64(run: &str) -> Option<String> {
    let bits = run.trim_end_matches('=').bytes().map(|byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    });
    readable(packed(bits, 6)?)
}

fn base32(run: &str) -> Option<String> {
    let bits = run.trim_end_matches('=').bytes().map(|byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    });
    readable(packed(bits, 5)?)
}

fn hexadecimal(run: &str) -> Option<String> {
    let digits = run.strip_prefix("0x").unwrap_or(run);
    let bits = digits.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    readable(packed(bits, 4)?)
}

/// Groups of bits as whole bytes; nothing when one group is missing.
fn packed(groups: impl Iterator<Item = Option<u8>>, width: u32) -> Option<Vec<u8>> {
    let (mut bytes, mut held, mut count) = (Vec::new(), 0_u32, 0);
    for group in groups {
        held = (held << width) | u32::from(group?);
        count += width;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((held >> count) & 0xFF).ok()?);
            held &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

/// Numbers in a row that are characters: hexadecimal, binary or decimal, parted by blanks or signs.
fn codes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for radix in [2, 16, 10] {
        let mut bytes = Vec::new();
        for word in
            text.split(|c: char| !c.is_ascii_alphanumeric()).chain([""]).filter(|w| !w.is_empty()).chain(["end"])
        {
            match code(word, radix) {
                Some(byte) => bytes.push(byte),
                None if bytes.len() >= CODES_MIN => found.extend(readable(std::mem::take(&mut bytes))),
                None => bytes.clear(),
            }
        }
    }
    found
}

fn code(word: &str, radix: u32) -> Option<u8> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix('x')).unwrap_or(word);
    let fits = match radix {
        2 => digits.len() == 8,
        16 => digits.len() == 2,
        _ => (2..=3).contains(&digits.len()),
    };
    fits.then(|| u8::from_str_radix(digits, radix).ok()).flatten()
}

/// The letters of the Morse code, from "a".
const MORSE: [&str; 26] = [
    ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--", "-.", "---", ".--.",
    "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--", "--..",
];

/// A text in Morse code: letters parted by a blank, words by a stroke or more blanks.
fn morse(text: &str) -> Option<String> {
    let is_sign = |c: &char| matches!(*c, '.' | '-' | '·' | '•' | '–' | '—' | '_');
    text.chars().filter(is_sign).nth(CODES_MIN - 1)?;
    let mut out = String::new();
    for word in text.split(['/', '|', '\n']).flat_map(|part| part.split("  ")) {
        for signs in word.split_whitespace() {
            if !signs.chars().all(|c| is_sign(&c)) {
                continue;
            }
            let plain = signs.replace(['·', '•'], ".").replace(['–', '—', '_'], "-");
            let letter = MORSE.iter().zip('a'..='z').find(|(code, _)| **code == plain);
            out.extend(letter.map(|(_, letter)| letter));
        }
        out.push(' ');
    }
    let letters = out.chars().filter(char::is_ascii_lowercase).count();
    (letters >= CODES_MIN).then_some(out)
}

/// The text with `%69`, `\x69`, `\u0069`, `&#105;` and `&#x69;` resolved, where it has some.
fn unescaped(text: &str) -> Option<String> {
    text.bytes().filter(|byte| matches!(byte, b'%' | b'\\' | b'&')).nth(ESCAPES_MIN - 1)?;
    let mut out = String::with_capacity(text.len());
    let mut bytes = Vec::new();
    let (mut rest, mut count) = (text, 0_usize);
    while let Some(first) = rest.chars().next() {
        let escape = escape(rest);
        if let Some((code, len)) = escape {
            count += 1;
            match u8::try_from(code) {
                Ok(byte) => bytes.push(byte),
                Err(_) => out.extend(char::from_u32(code)),
            }
            rest = rest.get(len..).unwrap_or_default();
            continue;
        }
        out.push_str(&String::from_utf8_lossy(&std::mem::take(&mut bytes)));
        out.push(first);
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    out.push_str(&String::from_utf8_lossy(&bytes));
    (count >= ESCAPES_MIN).then_some(out)
}

/// The code and length of the escape a text begins with.
fn escape(text: &str) -> Option<(u32, usize)> {
    let fixed = |prefix: &str, digits: usize| {
        let number = text.strip_prefix(prefix)?.get(..digits)?;
        Some((u32::from_str_radix(number, 16).ok()?, prefix.len() + digits))
    };
    let entity = |prefix: &str, radix: u32| {
        let rest = text.strip_prefix(prefix)?;
        let end = rest.bytes().take(7).position(|byte| byte == b';')?;
        Some((u32::from_str_radix(rest.get(..end)?, radix).ok()?, prefix.len() + end + 1))
    };
    match text.bytes().next()? {
        b'%' => fixed("%", 2),
        b'\\' => fixed("\\x", 2).or_else(|| fixed("\\u", 4)),
        b'&' => entity("&#x", 16).or_else(|| entity("&#X", 16)).or_else(|| entity("&#", 10)),
        _ => None,
    }
}

/// A text in UTF-8 or Latin-1 that is nearly all letters, digits and blanks.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect::<String>());
    let all = text.chars().count();
    let plain = text.chars().filter(|c| c.is_alphanumeric() || c.is_ascii_punctuation() || c.is_whitespace()).count();
    let ascii = text.chars().filter(|c| c.is_ascii_alphabetic() || *c == ' ').count();
    (all >= 5 && plain * 20 >= all * 19 && ascii * 4 >= all * 3).then_some(text)
}
