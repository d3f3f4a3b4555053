//! The words attacks are made of, read from `config/lexicon/injection.txt`.

use std::sync::OnceLock;

use regex::Regex;
use thiserror::Error;

use super::letters::{SOURCE as DOUBLES, parse_doubles};
use crate::domain::text::table::Parts;

const SOURCE: &str = include_str!("../../../../config/lexicon/injection.txt");
/// The shortest beginning a word with a star may have; a shorter one would stand for half the dictionary.
const STEM_MIN: usize = 3;
/// Letters a word needs to be recognised inside a run of letters without blanks.
const GLUED_MIN: usize = 4;
const TOO_LONG: &str = "a word of more than 63 letters";

/// What is wrong with a lexicon.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line} of the lexicon: {why}: {text:?}")]
pub struct LexiconError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
    /// The line.
    pub text: String,
}

macro_rules! groups {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// What a phrase of the lexicon is a sign of; its name is the heading in the file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Group { $($variant),+ }

        impl Group {
            /// How many there are.
            pub(super) const COUNT: usize = [$($name),+].len();

            fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

groups! {
    Drop "drop", Disable "disable", Rules "rules", Guard "guard", Yours "yours", Prior "prior", System "system",
    Every "every", Everything "everything", Told "told", Mine "mine", Errand "errand", Prompt "prompt",
    Reveal "reveal", Become "become", Act "act", Persona "persona", Free "free", JailMode "jailmode", Mode "mode",
    Enter "enter", Authority "authority", Privilege "privilege", NewRules "newrules", Obey "obey", Secret "secret",
    Others "others", AboveText "abovetext", Verbatim "verbatim", Transform "transform", Decode "decode",
    Affix "affix", NoRefuse "norefuse", Story "story", Records "records", Wipe "wipe", Command "command",
    Runs "runs", You "you", Send "send", Talk "talk", Url "url", Forever "forever", Boundary "boundary",
    Duty "duty", Creator "creator", Upkeep "upkeep", Password "password", YourPassword "yourpassword", Warp "warp", FromNow "fromnow",
    YouAre "youare", Void "void", DropAll "dropall", Announce "announce", State "state", UnlockCode "unlockcode",
    Grant "grant", Change "change", Internals "internals", Expert "expert", Need "need", Dossier "dossier", Personal "personal",
    OfUser "ofuser", Suppose "suppose", RootAccess "rootaccess", On "on", Selfhood "selfhood",
    BreakIn "breakin", ObeyMe "obeyme", Protocol "protocol",
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    letters: String,
    is_stem: bool,
}

impl Pattern {
    fn matches(&self, word: &str) -> bool {
        if self.letters.bytes().next() != word.bytes().next() {
            return false;
        }
        if self.is_stem { word.starts_with(&self.letters) } else { word == self.letters }
    }
}

/// What follows a first word, and what the whole is a sign of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    rest: Vec<Pattern>,
    /// What the phrase is a sign of.
    pub(super) group: Group,
}

impl Phrase {
    /// How many words follow the first.
    pub(super) fn words_after_first(&self) -> usize {
        self.rest.len()
    }

    /// Whether the word after the first can be that of the phrase: a look before [`Self::goes_on`].
    pub(super) fn may_go_on(&self, next: Option<&str>) -> bool {
        self.rest.first().is_none_or(|pattern| next.is_some_and(|word| pattern.matches(word)))
    }

    /// Whether the words after the first, in order, are those of the phrase.
    pub(super) fn goes_on<'a>(&self, mut words: impl Iterator<Item = &'a str>) -> bool {
        self.rest.iter().all(|pattern| words.next().is_some_and(|word| pattern.matches(word)))
    }
}

/// How a word is known.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// As it stands.
    is_word: bool,
    /// As the beginning of words.
    is_stem: bool,
}

/// Signs that are looked for in a text without blanks.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs(Option<Regex>);

impl Signs {
    fn of(signs: &[String]) -> Self {
        let any = signs.iter().map(|sign| regex::escape(sign)).collect::<Vec<_>>().join("|");
        Self(Regex::new(&any).ok().filter(|_| !signs.is_empty()))
    }

    /// Whether one of them is in the text.
    pub(super) fn are_in(&self, squeezed: &str) -> bool {
        self.0.as_ref().is_some_and(|any| any.is_match(squeezed))
    }
}

/// All phrases, found by their first word.
#[derive(Clone, Debug, Default)]
pub(super) struct Lexicon {
    by_word: Parts<Vec<Phrase>>,
    by_stem: Parts<Vec<Phrase>>,
    vocabulary: Parts<Known>,
    /// Signs of a model's wire, without blanks.
    pub(super) markers: Signs,
    /// Orders to machines, without blanks.
    pub(super) code: Signs,
    /// Signs of pages and programs, without blanks.
    pub(super) markup: Signs,
}

impl Lexicon {
    /// Reads the text of a lexicon.
    fn parse(source: &str) -> Result<Self, LexiconError> {
        let mut lexicon = Self::default();
        let (mut markers, mut markup, mut code) = (Vec::new(), Vec::new(), Vec::new());
        let mut heading = None;
        for (at, raw) in source.lines().enumerate() {
            let line = raw.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fault = |why| LexiconError { line: at + 1, why, text: line.to_owned() };
            if let Some(name) = heading_of(line) {
                heading = Some(Heading::named(name).ok_or_else(|| fault("unknown group"))?);
                continue;
            }
            match heading.ok_or_else(|| fault("a phrase before the first group"))? {
                Heading::Markers => markers.push(line.to_lowercase()),
                Heading::Markup => markup.push(line.to_lowercase()),
                Heading::Code => code.push(line.to_lowercase()),
                Heading::Group(group) => lexicon.add(line, group).map_err(fault)?,
            }
        }
        (lexicon.markers, lexicon.markup, lexicon.code) = (Signs::of(&markers), Signs::of(&markup), Signs::of(&code));
        Ok(lexicon)
    }

    fn add(&mut self, line: &str, group: Group) -> Result<(), &'static str> {
        let mut phrases: Vec<Vec<Pattern>> = vec![Vec::new()];
        for place in line.split_whitespace() {
            let choices: Vec<Pattern> = place.split('|').map(pattern).collect::<Result<_, _>>()?;
            phrases = phrases.iter().flat_map(|begun| choices.iter().map(|next| with(begun, next))).collect();
        }
        for words in phrases {
            words.iter().try_for_each(|word| self.know(word))?;
            if let [first, rest @ ..] = words.as_slice() {
                self.begin(first, Phrase { rest: rest.to_vec(), group })?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, first: &Pattern, phrase: Phrase) -> Result<(), &'static str> {
        let words = if first.is_stem { &mut self.by_stem } else { &mut self.by_word };
        words.beginning(&first.letters).ok_or(TOO_LONG)?.push(phrase);
        Ok(())
    }

    fn know(&mut self, word: &Pattern) -> Result<(), &'static str> {
        if word.letters.len() >= GLUED_MIN {
            let known = self.vocabulary.beginning(&word.letters).ok_or(TOO_LONG)?;
            known.is_stem |= word.is_stem;
            known.is_word |= !word.is_stem;
        }
        Ok(())
    }

    /// The phrases whose first word this is.
    pub(super) fn beginning_with<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a Phrase> {
        let by_stem = self.by_stem.beginnings_of(word).flat_map(|(_, phrases)| phrases);
        self.by_word.get(word).into_iter().flatten().chain(by_stem)
    }

    /// Whether the word, of four letters or more, stands in any phrase.
    pub(super) fn knows(&self, word: &str) -> bool {
        let is_known = |(length, known): (usize, &Known)| known.is_stem || known.is_word && length == word.len();
        self.vocabulary.beginnings_of(word).any(is_known)
    }

    /// The length in bytes of the longest known word that letters without blanks begin with.
    pub(super) fn known_prefix(&self, letters: &str) -> Option<usize> {
        self.vocabulary.beginnings_of(letters).next_back().map(|(length, _)| length)
    }
}

#[derive(Clone, Copy)]
enum Heading {
    Group(Group),
    Markers,
    Code,
    Markup,
}

impl Heading {
    fn named(name: &str) -> Option<Self> {
        match name {
            "markers" => Some(Self::Markers),
            "code" => Some(Self::Code),
            "markup" => Some(Self::Markup),
            _ => Group::named(name).map(Self::Group),
        }
    }
}

/// The name in a heading; `[inst]` and the like below a heading of markers are phrases, so only names of groups count
/// there, and an unknown lower-case name before the first phrase is an error.
fn heading_of(line: &str) -> Option<&str> {
    let name = line.strip_prefix('[')?.strip_suffix(']')?;
    (name.chars().all(|c| c.is_ascii_lowercase()) && name != "inst").then_some(name)
}

fn pattern(word: &str) -> Result<Pattern, &'static str> {
    let (letters, is_stem) = word.strip_suffix('*').map_or((word, false), |stem| (stem, true));
    if letters.is_empty() || !letters.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return Err("words are lower-case letters without accents");
    }
    if is_stem && letters.len() < STEM_MIN {
        return Err("too few letters before the star");
    }
    Ok(Pattern { letters: letters.to_owned(), is_stem })
}

fn with(begun: &[Pattern], next: &Pattern) -> Vec<Pattern> {
    begun.iter().chain([next]).cloned().collect()
}

/// The lexicon of the product; an empty one where its file is malformed, which [`check`] tells.
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| Lexicon::parse(SOURCE).unwrap_or_default())
}

/// Whether the lexicons of the product can be read.
///
/// # Errors
/// The first line that cannot be read.
pub fn check() -> Result<(), LexiconError> {
    parse_doubles(DOUBLES)?;
    check_phrases(SOURCE)
}

/// Whether a list of phrases can be read.
///
/// # Errors
/// The first line that cannot be read.
pub fn check_phrases(source: &str) -> Result<(), LexiconError> {
    Lexicon::parse(source).map(|_| ())
}
