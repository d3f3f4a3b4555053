//! Dates and times in Portuguese, as people write them: a grammar over words, numbers and marks.
//!
//! Reading goes in three steps: the text becomes tokens ([`lex`]), places that speak of a time become mentions
//! ([`grammar`] and the files it uses), and mentions get their role (wanted, ruled out, corrected) and become one
//! answer ([`roles`], [`settle`]).

pub(in crate::domain) mod calendar;
mod clock;
mod day;
mod duration;
mod grammar;
pub(super) mod lex;
mod mentioned;
mod numbered;
pub(super) mod numbers;
mod part;
mod period;
mod ranges;
mod resolve;
mod roles;
mod settle;
mod time;
mod value;
mod vocabulary;
mod weekday;

use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime};

pub use mentioned::{Mentioned, mentioned};
pub use value::{ClockTime, Span, When};

use lex::Line;

/// How a text that can be read in two ways is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Convention {
    /// A customer of a business speaks of an appointment: hours from one to six are in the afternoon, seven is open,
    /// nothing wanted lies in the past, and what is open stays open.
    #[default]
    Booking,
    /// Any text: hours are as written, the past counts, and of two readings the usual one is taken.
    Plain,
}

/// What a text may be about, by which times that are no wish are told from the wish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aim {
    /// A time that suits.
    #[default]
    Wish,
    /// An appointment is moved: the new time counts, the old one is left out.
    Move,
    /// An appointment there is: "não posso amanhã" names it and rules nothing out.
    Existing,
}

/// What is known before a text is read.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The local "now".
    pub now: NaiveDateTime,
    /// How open expressions are read.
    pub convention: Convention,
    /// What the text is about.
    pub aim: Aim,
    /// Local times on offer: a weekday or a day of the month is read as that of the only one it fits.
    pub options: &'a [NaiveDateTime],
}

impl<'a> Frame<'a> {
    /// A booking message without offered times.
    pub fn booking(now: NaiveDateTime) -> Frame<'static> {
        Frame { now, convention: Convention::Booking, aim: Aim::Wish, options: &[] }
    }

    /// Any text.
    pub fn plain(now: NaiveDateTime) -> Frame<'static> {
        Frame { convention: Convention::Plain, ..Frame::booking(now) }
    }

    /// The same with offered times.
    pub fn with_options(self, options: &'a [NaiveDateTime]) -> Self {
        Self { options, ..self }
    }

    /// The same for another aim.
    pub fn aiming(self, aim: Aim) -> Self {
        Self { aim, ..self }
    }

    fn today(&self) -> NaiveDate {
        self.now.date()
    }

    /// Whether what is open is to be asked back.
    fn asks(&self) -> bool {
        self.convention == Convention::Booking
    }
}

/// What a text says of a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    #[default]
    Nothing,
    /// One thing.
    Clear(When),
    /// More than one thing, or one that cannot be.
    Ambiguous {
        /// What holds in every reading: the day, or the hour.
        sure: Option<When>,
        /// The readings; fewer than two when what is said does not exist or is over.
        readings: Vec<When>,
    },
}

/// What a text says of times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What is wanted or spoken of.
    pub answer: Answer,
    /// What is ruled out ("sem ser segunda").
    pub excluded: Vec<When>,
}

impl Reading {
    /// What is sure: the clear answer, or what every reading of an open one shares.
    pub fn sure(&self) -> Option<&When> {
        match &self.answer {
            Answer::Nothing => None,
            Answer::Clear(when) => Some(when),
            Answer::Ambiguous { sure, .. } => sure.as_ref(),
        }
    }

    /// Whether it is open what is meant.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self.answer, Answer::Ambiguous { .. })
    }
}

/// Reads the times of a text.
pub fn read(text: &str, frame: &Frame<'_>) -> Reading {
    read_line(&Line::of(text), frame)
}

/// The same for a text that is tokens already.
pub(super) fn read_line(line: &Line, frame: &Frame<'_>) -> Reading {
    read_with_spans(line, frame).0
}

/// The reading, and where in the text times are spoken of.
pub(super) fn read_with_spans(line: &Line, frame: &Frame<'_>) -> (Reading, Vec<Range<usize>>) {
    let mentions = grammar::mentions(line, frame);
    let spans = mentions.iter().filter(|mention| !mention.bare).map(|mention| mention.start..mention.end).collect();
    (settle::settle(roles::assigned(line, mentions, frame), frame), spans)
}
