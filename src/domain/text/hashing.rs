//! A text as numbers without any provider: signed feature hashing of roots, pairs of roots and groups of three letters.
//!
//! Each feature is hashed to a dimension and a sign, so that two features that fall together cancel out as often as they add
//! up (Weinberger and others, 2009). The same text gives the same numbers on every machine and in every release: stored
//! numbers stay comparable for as long as [`MODEL`] stays the same. Whoever changes what a feature is or how it is hashed,
//! roots and stop words included, gives the model a new name.

use super::root::root;
use super::stopwords::is_stop_word;
use super::tokens::{Kind, tokens};

/// Numbers of a text.
pub const DIMENSION: usize = 256;
/// The name of this way of hashing.
pub const MODEL: &str = "roots-1";

/// What a word, a pair of words and a group of three letters count. Words decide; pairs tell the order; letters forgive
/// a slip of the finger.
const WORD: f32 = 1.0;
const PAIR: f32 = 0.5;
const LETTERS: f32 = 0.25;

/// Most words of a text that are looked at: the time spent on one stays bounded.
const WORDS_MAX: usize = 2_000;

/// The roots of the words of a text that say what it is about: words and numbers, no stop words.
pub fn content_roots(text: &str) -> Vec<String> {
    let said = tokens(text).into_iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Number));
    said.filter(|token| !is_stop_word(&token.text)).take(WORDS_MAX).map(|token| root(&token.text)).collect()
}

/// The numbers of a text, of length 1; all zero when the text says nothing.
pub fn embed(text: &str) -> Vec<f32> {
    let roots = content_roots(text);
    let mut numbers = vec![0.0; DIMENSION];
    for word in &roots {
        add(&mut numbers, &["w", word], WORD);
        letters(&mut numbers, word);
    }
    for (one, two) in roots.iter().zip(roots.iter().skip(1)) {
        add(&mut numbers, &["p", one, two], PAIR);
    }
    normalise(&mut numbers);
    numbers
}

/// Brings a vector to length 1. One without a length, or with numbers that are none, becomes all zero.
pub fn normalise(numbers: &mut [f32]) {
    let length = numbers.iter().map(|n| f64::from(*n) * f64::from(*n)).sum::<f64>().sqrt();
    let usable = length.is_finite() && length > 0.0;
    for number in numbers {
        #[expect(clippy::cast_possible_truncation, reason = "a share of the length is at most 1")]
        let share = (f64::from(*number) / length) as f32;
        *number = if usable { share } else { 0.0 };
    }
}

/// How alike two vectors of length 1 are, -1 to 1; `None` when they have different numbers of dimensions.
pub fn cosine(one: &[f32], two: &[f32]) -> Option<f32> {
    (one.len() == two.len()).then(|| one.iter().zip(two).map(|(a, b)| a * b).sum())
}

/// Groups of three letters of a word with its ends marked ("^lim", "limp", … as threes). Short words have none: they
/// would be the word once more.
fn letters(numbers: &mut [f32], word: &str) {
    let marked: Vec<char> = std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
    if marked.len() < 6 {
        return;
    }
    for three in marked.windows(3) {
        let three: String = three.iter().collect();
        add(numbers, &["l", &three], LETTERS);
    }
}

fn add(numbers: &mut [f32], feature: &[&str], weight: f32) {
    let hash = hash(feature);
    // The lowest bits choose the dimension, the highest the sign.
    let at = usize::try_from(hash % DIMENSION as u64).unwrap_or(0);
    if let Some(number) = numbers.get_mut(at) {
        *number += if hash >> 63 == 0 { weight } else { -weight };
    }
}

/// FNV-1a with 64 bits over the parts, a zero byte after each, then mixed (the finaliser of MurmurHash3): FNV alone
/// leaves the highest bits of short texts nearly alike.
fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain(std::iter::once(0)));
    let mut hash = bytes
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ (hash >> 33)
}
