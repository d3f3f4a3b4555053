//! The words attacks are made of, read from `config/lexicon/injection.txt`.

use std::sync::OnceLock;

use thiserror::Error;

use super::letters::{SOURCE as DOUBLES, parse_doubles};

const SOURCE: &str = include_str!("../../../../config/lexicon/injection.txt");
/// The shortest beginning a word with a star may have; a shorter one would stand for half the dictionary.
const STEM_MIN: usize = 3;
/// Letters a word needs to be recognised inside a run of letters without blanks.
const GLUED_MIN: usize = 4;
const BUCKETS: usize = 1024;

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

    /// Whether the words after the first, in order, are those of the phrase.
    pub(super) fn goes_on<'a>(&self, mut words: impl Iterator<Item = &'a str>) -> bool {
        self.rest.iter().all(|pattern| words.next().is_some_and(|word| pattern.matches(word)))
    }
}

/// A first word and the phrases it begins.
#[derive(Clone, Debug)]
struct Beginning {
    first: Pattern,
    phrases: Vec<Phrase>,
}

/// All phrases, found by the first two letters of a word.
#[derive(Clone, Debug)]
pub(super) struct Lexicon {
    beginnings: Vec<Vec<Beginning>>,
    vocabulary: Vec<Vec<Pattern>>,
    /// Signs of a model's wire, without blanks.
    pub(super) markers: Vec<String>,
    /// Orders to machines, without blanks.
    pub(super) code: Vec<String>,
    /// Signs of pages and programs, without blanks.
    pub(super) markup: Vec<String>,
}

impl Lexicon {
    fn empty() -> Self {
        Self {
            beginnings: vec![Vec::new(); BUCKETS],
            vocabulary: vec![Vec::new(); BUCKETS],
            markers: Vec::new(),
            code: Vec::new(),
            markup: Vec::new(),
        }
    }

    /// Reads the text of a lexicon.
    fn parse(source: &str) -> Result<Self, LexiconError> {
        let mut lexicon = Self::empty();
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
                Heading::Markers => lexicon.markers.push(line.to_lowercase()),
                Heading::Markup => lexicon.markup.push(line.to_lowercase()),
                Heading::Code => lexicon.code.push(line.to_lowercase()),
                Heading::Group(group) => lexicon.add(line, group).map_err(fault)?,
            }
        }
        Ok(lexicon)
    }

    fn add(&mut self, line: &str, group: Group) -> Result<(), &'static str> {
        let mut phrases: Vec<Vec<Pattern>> = vec![Vec::new()];
        for place in line.split_whitespace() {
            let choices: Vec<Pattern> = place.split('|').map(pattern).collect::<Result<_, _>>()?;
            phrases = phrases.iter().flat_map(|begun| choices.iter().map(|next| with(begun, next))).collect();
        }
        for words in phrases {
            for word in &words {
                self.know(word);
            }
            if let [first, rest @ ..] = words.as_slice() {
                self.begin(first, Phrase { rest: rest.to_vec(), group });
            }
        }
        Ok(())
    }

    fn begin(&mut self, first: &Pattern, phrase: Phrase) {
        let Some(place) = self.beginnings.get_mut(bucket(&first.letters)) else { return };
        match place.iter_mut().find(|beginning| beginning.first == *first) {
            Some(beginning) => beginning.phrases.push(phrase),
            None => place.push(Beginning { first: first.clone(), phrases: vec![phrase] }),
        }
    }

    fn know(&mut self, word: &Pattern) {
        let Some(place) = self.vocabulary.get_mut(bucket(&word.letters)) else { return };
        if word.letters.len() >= GLUED_MIN && !place.contains(word) {
            place.push(word.clone());
        }
    }

    /// The phrases whose first word this is.
    pub(super) fn beginning_with(&self, word: &str) -> impl Iterator<Item = &Phrase> {
        let place = self.beginnings.get(bucket(word)).map_or(&[][..], Vec::as_slice);
        place.iter().filter(move |beginning| beginning.first.matches(word)).flat_map(|beginning| &beginning.phrases)
    }

    /// Whether the word, of four letters or more, stands in any phrase.
    pub(super) fn knows(&self, word: &str) -> bool {
        word.len() >= GLUED_MIN && self.known_from(word).any(|pattern| pattern.matches(word))
    }

    /// The length in bytes of the longest known word that letters without blanks begin with.
    pub(super) fn known_prefix(&self, letters: &str) -> Option<usize> {
        self.known_from(letters).map(|pattern| pattern.letters.len()).max()
    }

    fn known_from<'a>(&'a self, letters: &'a str) -> impl Iterator<Item = &'a Pattern> {
        let place = self.vocabulary.get(bucket(letters)).map_or(&[][..], Vec::as_slice);
        place.iter().filter(move |pattern| letters.starts_with(&pattern.letters))
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

/// Where words with these first two letters lie.
fn bucket(word: &str) -> usize {
    let mut bytes = word.bytes();
    let (first, second) = (bytes.next().unwrap_or_default(), bytes.next().unwrap_or_default());
    usize::from(first & 31) * 32 + usize::from(second & 31)
}

/// The lexicon of the product; an empty one where its file is malformed, which [`check`] tells.
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| Lexicon::parse(SOURCE).unwrap_or_else(|_| Lexicon::empty()))
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
