//! A text as the words a reader sees in it, also where they are written so that a filter does not.

use std::sync::LazyLock;

use super::letters::{Letter, fold, is_joker, is_leet, leet, shifted};
use super::lexicon::Lexicon;
use crate::domain::text::table::Set;

/// How far apart the end of a sentence puts two words.
const SENTENCE_GAP: u32 = 4;
/// How far apart the end of a line, or of a message, puts them: farther than any rule looks.
const LINE_GAP: u32 = 32;
/// The same after a few words without an end, since one sentence may come in several messages.
pub(super) const SHORT_LINE_GAP: u32 = 2;
/// Words of such a line.
const SHORT_LINE_MAX: u32 = 4;
/// Single letters in a row before they are taken for one spelled word.
const SPELLED_MIN: usize = 4;
/// Letters of a word before it may be several words without blanks.
const GLUED_WORD_MIN: usize = 14;
/// Letters a word must have before other spellings of it are looked for.
const DISGUISED_MIN: usize = 5;
/// Letters left out of a word that are guessed.
const JOKERS_MAX: usize = 2;
/// The most pieces one word is put together from.
const PIECES_MAX: usize = 6;
/// The longest word worth putting together, in bytes.
const JOINED_MAX: usize = 20;

/// Short words of everyday sentences: never the beginning of a word cut in pieces.
#[rustfmt::skip]
const COMMON: [&str; 52] = [
    "a", "o", "e", "de", "do", "da", "que", "em", "um", "uma", "para", "pra", "com", "nao", "no", "na", "os", "as",
    "por", "mais", "se", "ou", "eu", "me", "te", "meu", "sua", "seu", "tem", "bom", "dia", "sou", "the", "of", "to",
    "and", "is", "in", "it", "my", "for", "on", "be", "you", "i", "y", "el", "la", "los", "en", "un", "con",
];

fn is_common(word: &str) -> bool {
    static ALL: LazyLock<Set<&str>> = LazyLock::new(|| COMMON.into_iter().collect());
    ALL.contains(word)
}

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Its letters, folded.
    pub(super) text: String,
    /// Where it stands: words count one, ends of sentences more.
    pub(super) place: u32,
    /// Whether it had to be uncovered.
    pub(super) is_hidden: bool,
}

/// What stands between blanks and signs.
#[derive(Default)]
struct Piece {
    text: String,
    place: u32,
    /// Whether only signs, no blank, part it from the piece before.
    is_tight: bool,
    has_lookalike: bool,
    has_letter: bool,
    /// Whether it holds a digit or sign that may stand for a letter.
    has_sign: bool,
}

/// Reads a text whose invisible characters are gone.
pub(super) fn read(text: &str, lexicon: &Lexicon) -> Vec<Word> {
    uncover(&pieces(text), lexicon)
}

/// Splits a text at its blanks and signs, folding it on the way.
struct Splitter {
    done: Vec<Piece>,
    open: Piece,
    place: u32,
    blank_seen: bool,
    /// How far the next word stands from the one before.
    gap: u32,
    words_in_line: u32,
}

impl Splitter {
    fn add(&mut self, letter: Letter) {
        let c = letter.read_as;
        if !(c.is_alphanumeric() || is_leet(c) || is_joker(c)) {
            self.part(c);
            return;
        }
        if self.open.text.is_empty() {
            self.place += self.gap;
            self.words_in_line += 1;
            (self.open.place, self.open.is_tight) = (self.place, !self.blank_seen);
            (self.blank_seen, self.gap) = (false, 1);
        }
        self.open.text.push(c);
        self.open.has_lookalike |= letter.is_lookalike;
        self.open.has_letter |= c.is_alphabetic();
        self.open.has_sign |= is_leet(c) || is_joker(c);
    }

    fn part(&mut self, c: char) {
        // Apostrophes do not part "don't".
        if matches!(c, '\'' | '’' | '`' | '´') {
            return;
        }
        self.close();
        self.blank_seen |= c.is_whitespace();
        self.gap = self.gap.max(match c {
            '\n' => self.end_line(),
            '.' | '?' | ';' | '…' => SENTENCE_GAP,
            _ => 1,
        });
    }

    fn end_line(&mut self) -> u32 {
        let is_open = self.gap < SENTENCE_GAP;
        let words = std::mem::take(&mut self.words_in_line);
        if is_open && words <= SHORT_LINE_MAX { SHORT_LINE_GAP } else { LINE_GAP }
    }

    fn close(&mut self) {
        if !self.open.text.is_empty() {
            self.done.push(std::mem::take(&mut self.open));
        }
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let done = Vec::with_capacity(text.len() / 5 + 1);
    let mut splitter = Splitter { done, open: Piece::default(), place: 0, blank_seen: true, gap: 1, words_in_line: 0 };
    for c in text.chars() {
        fold(c, &mut |letter| splitter.add(letter));
    }
    splitter.close();
    splitter.done
}

fn uncover(pieces: &[Piece], lexicon: &Lexicon) -> Vec<Word> {
    let mut words = Vec::with_capacity(pieces.len());
    let cuttable: Vec<bool> = pieces.iter().map(|piece| may_be_cut(piece, lexicon)).collect();
    let mut rest = pieces;
    while let Some(piece) = rest.first() {
        let cuttable = cuttable.get(pieces.len() - rest.len()..).unwrap_or_default();
        let used = spelled(rest, lexicon, &mut words)
            .or_else(|| disguised(piece, lexicon, &mut words))
            .or_else(|| glued(piece, lexicon, &mut words))
            .or_else(|| mistyped(piece, lexicon, &mut words))
            .or_else(|| joined(rest, cuttable, lexicon, &mut words))
            .unwrap_or_else(|| {
                plain(piece, lexicon, &mut words);
                1
            });
        rest = rest.get(used.max(1)..).unwrap_or_default();
    }
    words
}

/// "i g n o r e": single letters in a row, however parted.
fn spelled(rest: &[Piece], lexicon: &Lexicon, words: &mut Vec<Word>) -> Option<usize> {
    let first = rest.first().filter(|piece| is_single(piece))?;
    let run = rest.iter().take_while(|piece| is_single(piece)).count();
    if run < SPELLED_MIN {
        return None;
    }
    let letters: String =
        rest.iter().take(run).flat_map(|piece| piece.text.chars()).map(|c| leet(c, 'i').unwrap_or(c)).collect();
    let found = segments(&letters, lexicon, 4);
    let found = if found.is_empty() { segments(&letters.chars().rev().collect::<String>(), lexicon, 4) } else { found };
    if found.is_empty() {
        // The run is done with: looked at again from its next letter, it would cost its length squared.
        rest.iter().take(run).for_each(|piece| plain(piece, lexicon, words));
    } else {
        push_all(found, first.place, words);
    }
    Some(run)
}

fn is_single(piece: &Piece) -> bool {
    piece.text.chars().nth(1).is_none()
}

/// "1gn0re", "in$truções", "pr*mpt", letters of other scripts.
fn disguised(piece: &Piece, lexicon: &Lexicon, words: &mut Vec<Word>) -> Option<usize> {
    if piece.text.len() < DISGUISED_MIN {
        return None;
    }
    let text = if piece.has_sign && piece.has_letter {
        let trimmed = piece.text.trim_matches(is_joker).trim_end_matches(['!', '+', '|']);
        let is_word = |word: &String| lexicon.knows(word) || is_common(word);
        let guesses = readings(trimmed);
        guesses.into_iter().filter(|guess| guess != trimmed).find(is_word)?
    } else if piece.has_lookalike && lexicon.knows(&piece.text) {
        piece.text.clone()
    } else {
        return None;
    };
    words.push(Word { text, place: piece.place, is_hidden: true });
    Some(1)
}

/// What a word with digits and signs in it may say.
fn readings(word: &str) -> Vec<String> {
    let ones = ['i', 'l'].map(|one| word.chars().map(|c| leet(c, one).unwrap_or(c)).collect::<String>());
    let jokers = word.chars().filter(|c| is_joker(*c)).count();
    if jokers == 0 || jokers > JOKERS_MAX {
        return ones.into();
    }
    let mut guesses = ones.to_vec();
    for _ in 0..jokers {
        let fill = |guess: &String| ["a", "e", "i", "o", "u"].map(|vowel| guess.replacen(is_joker, vowel, 1));
        guesses = guesses.iter().flat_map(fill).collect();
    }
    guesses
}

/// "ignooore", "igonre": letters drawn out or swapped, as haste does too, so it is no disguise.
fn mistyped(piece: &Piece, lexicon: &Lexicon, words: &mut Vec<Word>) -> Option<usize> {
    let typed = &piece.text;
    let is_candidate = (DISGUISED_MIN + 1..=JOINED_MAX).contains(&typed.len()) && typed.is_ascii() && !piece.has_sign;
    if !is_candidate || lexicon.knows(typed) {
        return None;
    }
    let mut single: Vec<char> = typed.chars().collect();
    single.dedup();
    let drawn_out = (single.len() < typed.len()).then(|| single.iter().collect::<String>());
    let text = drawn_out.filter(|word| lexicon.knows(word)).or_else(|| swapped(typed, lexicon))?;
    words.push(Word { text, place: piece.place, is_hidden: false });
    Some(1)
}

/// The known word that two neighbouring letters swapped make; the first letter stays.
fn swapped(typed: &str, lexicon: &Lexicon) -> Option<String> {
    let mut letters = typed.as_bytes().to_vec();
    for at in 2..letters.len() {
        letters.swap(at - 1, at);
        let word = std::str::from_utf8(&letters).ok().filter(|word| lexicon.knows(word));
        if word.is_some() {
            return word.map(str::to_owned);
        }
        letters.swap(at - 1, at);
    }
    None
}

/// "ignoreasinstrucoes".
fn glued(piece: &Piece, lexicon: &Lexicon, words: &mut Vec<Word>) -> Option<usize> {
    if piece.text.len() < GLUED_WORD_MIN {
        return None;
    }
    let found = segments(&piece.text, lexicon, DISGUISED_MIN);
    if found.len() < 2 {
        return None;
    }
    push_all(found, piece.place, words);
    Some(1)
}

/// "ig-no-re", "ins tru ções": one known word in pieces none of which is a word.
fn joined(rest: &[Piece], cuttable: &[bool], lexicon: &Lexicon, words: &mut Vec<Word>) -> Option<usize> {
    if !cuttable.starts_with(&[true, true]) {
        return None;
    }
    let first = rest.first()?;
    let mut text = String::with_capacity(JOINED_MAX * 2);
    text.push_str(&first.text);
    let mut tight = true;
    for ((at, piece), cuttable) in rest.iter().enumerate().zip(cuttable).take(PIECES_MAX).skip(1) {
        let is_near = piece.place.saturating_sub(first.place) < SENTENCE_GAP * 2 && text.len() < JOINED_MAX;
        if !is_near || !cuttable {
            return None;
        }
        tight &= piece.is_tight;
        text.push_str(&piece.text);
        let is_inside = || lexicon.known_prefix(&text).is_some_and(|known| known > first.text.len());
        if text.len() > DISGUISED_MIN && lexicon.knows(&text) && is_inside() {
            words.push(Word { text, place: first.place, is_hidden: tight });
            return Some(at + 1);
        }
    }
    None
}

fn may_be_cut(piece: &Piece, lexicon: &Lexicon) -> bool {
    piece.has_letter && piece.text.len() < 9 && !is_common(&piece.text) && !lexicon.knows(&piece.text)
}

/// A word as it stands, or the words that signs inside it part.
fn plain(piece: &Piece, lexicon: &Lexicon, words: &mut Vec<Word>) {
    let is_hidden = piece.has_lookalike && lexicon.knows(&piece.text);
    for part in piece.text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        words.push(Word { text: part.to_owned(), place: piece.place, is_hidden });
    }
}

/// The known words of a row of letters without blanks, the longest first at each letter, and the short words between.
fn segments(letters: &str, lexicon: &Lexicon, min: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut between = String::new();
    let mut rest = letters;
    while let Some(first) = rest.chars().next() {
        let known = lexicon.known_prefix(rest).filter(|len| *len >= min);
        let (word, after) = rest.split_at_checked(known.unwrap_or(first.len_utf8())).unwrap_or((rest, ""));
        if known.is_none() {
            between.push_str(word);
        } else {
            let short = std::mem::take(&mut between);
            if !found.is_empty() && is_common(&short) {
                found.push(short);
            }
            found.push(word.to_owned());
        }
        rest = after;
    }
    found
}

fn push_all(found: Vec<String>, place: u32, words: &mut Vec<Word>) {
    let numbered = found.into_iter().zip(place..);
    words.extend(numbered.map(|(text, place)| Word { text, place, is_hidden: true }));
}

/// The same words read backwards: the whole text from its end, and each word in its place.
pub(super) fn mirrored(words: &[Word], lexicon: &Lexicon) -> Option<[Vec<Word>; 2]> {
    let turned = altered(words, lexicon, |word, turned| turned.extend(word.chars().rev()))?;
    let last = words.last().map_or(0, |word| word.place);
    let from_end = turned.iter().rev().map(|word| Word { place: last.saturating_sub(word.place), ..word.clone() });
    Some([from_end.collect(), turned])
}

/// The words with their letters moved along the alphabet by the one step that makes most sense, if any does. Only
/// rot13 is tried on text with everyday words in it, every step on text without.
pub(super) fn unshifted(words: &[Word], lexicon: &Lexicon) -> Option<Vec<Word>> {
    let is_everyday = |word: &Word| word.text.len() > 1 && is_common(&word.text);
    let best = if words.iter().take(60).any(is_everyday) { 13 } else { best_step(words, lexicon)? };
    altered(words, lexicon, |word, moved| moved.extend(word.chars().map(|c| shifted(c, best))))
}

/// The step along the alphabet that makes the most known words; of equally good ones the longest.
fn best_step(words: &[Word], lexicon: &Lexicon) -> Option<u8> {
    let long = words.iter().take(40).filter(|word| word.text.len() >= DISGUISED_MIN && word.text.is_ascii());
    let long: Vec<&str> = long.map(|word| word.text.as_str()).collect();
    let mut moved = String::new();
    let mut sense = |by: u8| {
        let makes_sense = |word: &&&str| {
            moved.clear();
            moved.extend(word.chars().map(|c| shifted(c, by)));
            lexicon.knows(&moved)
        };
        long.iter().filter(makes_sense).count()
    };
    (1..=25).max_by_key(|by| sense(*by))
}

/// The words changed, if a known word of some length comes out that was not there before.
fn altered(words: &[Word], lexicon: &Lexicon, change: impl Fn(&str, &mut String)) -> Option<Vec<Word>> {
    let mut text = String::new();
    let mut is_sense = |word: &Word| {
        text.clear();
        change(&word.text, &mut text);
        text != word.text && lexicon.knows(&text)
    };
    if !words.iter().any(|word| word.text.len() >= DISGUISED_MIN && is_sense(word)) {
        return None;
    }
    let turn = |word: &Word| {
        let mut text = String::with_capacity(word.text.len());
        change(&word.text, &mut text);
        Word { text, place: word.place, is_hidden: true }
    };
    Some(words.iter().map(turn).collect())
}
