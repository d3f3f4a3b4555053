//! How a word sounds in Brazilian Portuguese, to recognise it however it is spelled: "orario", "dezmarca", "consuta".

/// A key that is equal for spellings of the same sound. The word is folded.
///
/// Two different words may share a key, so it is for words that are not known as they are written.
pub fn sound(word: &str) -> String {
    let mut key = String::with_capacity(word.len());
    let (mut before, mut last) = (None, None);
    let mut letters = word.chars().peekable();
    while let Some(c) = letters.next() {
        let sound = letter(c, before, letters.peek().copied(), last);
        if let Some(sound) = sound.filter(|_| sound != last) {
            key.push(sound);
            last = Some(sound);
        }
        before = Some(c);
    }
    key
}

/// The key without what is swallowed at the end of a word: the r of an infinitive, the last vowel's quality.
pub fn without_ending(key: &str) -> String {
    let bare = key.strip_suffix(['r', 'm']).unwrap_or(key);
    match bare.char_indices().next_back() {
        Some((at, 'e')) => format!("{}i", bare.get(..at).unwrap_or_default()),
        Some((at, 'o')) => format!("{}u", bare.get(..at).unwrap_or_default()),
        _ => bare.to_owned(),
    }
}

/// What a letter sounds like between its neighbours; `None` when it is silent.
fn letter(c: char, before: Option<char>, after: Option<char>, last: Option<char>) -> Option<char> {
    let soft = matches!(after, Some('e' | 'i' | 'y'));
    let ends_syllable = after.is_none_or(|after| !is_vowel(after) && after != 'h');
    Some(match c {
        'h' if before == Some('l') => 'i',
        'h' => return None,
        'c' if after == Some('h') => 'x',
        'c' if soft && before == Some('s') => return None,
        'c' if soft => 's',
        'c' | 'q' => 'k',
        'u' if before == Some('q') && soft => return None,
        'u' if before == Some('g') && soft => return None,
        'u' if last == Some('o') => return None,
        'i' if last == Some('e') && after.is_some() => return None,
        'z' => 's',
        'g' if soft => 'j',
        'l' if ends_syllable => 'u',
        'n' if ends_syllable => 'm',
        'y' => 'i',
        'w' => 'v',
        other => other,
    })
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}
