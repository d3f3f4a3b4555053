//! Emoji and typed faces.

use std::sync::LazyLock;

use crate::domain::text::lexicon::{LexiconError, entries};
use crate::domain::text::table::Table;

const FILE: &str = "emoji.txt";
const BUILT_IN: &str = include_str!("../../../../config/lexicon/emoji.txt");

/// What one face weighs, and how many of a kind count: the fifth laugh tells no more than the third.
const WEIGHT: f32 = 1.5;
const COUNTED_MAX: f32 = 3.0;

#[derive(Debug, Default)]
struct Faces {
    emoji: Table<char, f32>,
    typed: Vec<(String, f32)>,
}

// Knows no face when the file is broken: `check` is what tells, and the tests call it.
static FACES: LazyLock<Faces> = LazyLock::new(|| parse(BUILT_IN).unwrap_or_default());

/// What the faces in a text weigh together.
pub(super) fn sum(text: &str) -> f32 {
    let (mut positive, mut negative) = (0.0_f32, 0.0_f32);
    let mut count = |sign: f32| if sign > 0.0 { positive += 1.0 } else { negative += 1.0 };
    // No emoji is ASCII, and none a letter.
    let signs = text.chars().filter(|c| !c.is_ascii() && !c.is_alphanumeric());
    signs.filter_map(|c| FACES.emoji.get(&c)).for_each(|sign| count(*sign));
    if text.contains(is_face_sign) {
        for word in text.split_whitespace().filter(|word| word.contains(is_face_sign)) {
            let face = FACES.typed.iter().find(|(face, _)| word.ends_with(face.as_str()) && !is_link(word));
            face.into_iter().for_each(|(_, sign)| count(*sign));
        }
    }
    (positive.min(COUNTED_MAX) - negative.min(COUNTED_MAX)) * WEIGHT
}

/// Whether the list that is built in can be read.
pub(super) fn check() -> Result<(), LexiconError> {
    parse(BUILT_IN).map(drop)
}

fn is_face_sign(c: char) -> bool {
    matches!(c, ':' | ';' | '=' | '<' | '^' | '_' | '¬' | '\\' | '/' | 'X' | 'x' | '-' | '?')
}

fn is_link(word: &str) -> bool {
    word.contains("//") || word.contains("www.")
}

fn parse(content: &str) -> Result<Faces, LexiconError> {
    let mut faces = Faces::default();
    for entry in entries(FILE, content)? {
        let sign = match entry.section {
            "positive" => 1.0,
            "negative" => -1.0,
            _ => return Err(entry.error("the sections are [positive] and [negative]")),
        };
        for face in entry.text.split_whitespace() {
            match face.chars().next().filter(|c| !c.is_ascii() && c.len_utf8() > 2) {
                Some(emoji) => {
                    faces.emoji.insert(emoji, sign);
                }
                None => faces.typed.push((face.to_owned(), sign)),
            }
        }
    }
    // The longest first: ">:(" ends with ":(".
    faces.typed.sort_by_key(|(face, _)| std::cmp::Reverse(face.len()));
    Ok(faces)
}
