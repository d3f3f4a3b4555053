//! Opening hours as they are written, in tokens: days, times, and the small words that bind them.

use super::days::DaySet;
use super::opening::HoursError;
use super::vocabulary::{CLOSED, ENDS, EXCEPT, EXPRESSIONS, NOISE, PAUSE, SERVES, weekday};
use crate::domain::text::fold::fold;

/// What a piece of written hours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// One weekday, counted from Monday: it can begin or end a range.
    Day(usize),
    /// Days with a name of their own ("dias úteis").
    Days(DaySet),
    /// Minutes from midnight.
    Time(u16),
    /// From midnight to midnight.
    AllDay,
    /// "a", "às", a hyphen: binds two days or two times.
    To,
    /// "até": as above, and a time may be missing before it.
    Until,
    /// "e": binds what belongs together.
    And,
    /// A comma: what follows may be another matter.
    Comma,
    /// The end of a statement.
    Stop,
    /// Not open.
    Closed,
    /// A pause: the next times are taken out.
    Pause,
    /// All but the next days.
    Except,
}

/// The tokens of a text.
///
/// # Errors
/// The first word or number that is neither a day, a time nor a word around them.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, HoursError> {
    let folded = fold(text);
    let pieces = pieces(&folded);
    let mut lexer = Lexer { pieces: &pieces, at: 0, out: Vec::new(), told: None };
    while lexer.at < pieces.len() {
        lexer.next()?;
    }
    Ok(lexer.out)
}

/// Runs of letters, runs of digits, single marks; `glued` tells that no blank stands before.
struct Piece<'a> {
    text: &'a str,
    glued: bool,
}

fn pieces(folded: &str) -> Vec<Piece<'_>> {
    let class = |c: char| (c.is_alphabetic(), c.is_ascii_digit());
    let mut out = Vec::new();
    let (mut rest, mut glued) = (folded, false);
    while let Some(first) = rest.chars().next() {
        let end = match class(first) {
            (false, false) => first.len_utf8(),
            kind => rest.find(|c| class(c) != kind).unwrap_or(rest.len()),
        };
        let (piece, after) = rest.split_at(end);
        let blank = first.is_whitespace() && first != '\n';
        if !blank {
            out.push(Piece { text: piece, glued });
        }
        (rest, glued) = (after, !blank);
    }
    out
}

struct Lexer<'a> {
    pieces: &'a [Piece<'a>],
    at: usize,
    out: Vec<Token>,
    /// The place of the last time whose part of the day was told.
    told: Option<usize>,
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> &'a str {
        self.pieces.get(self.at + ahead).map_or("", |piece| piece.text)
    }

    fn is_glued(&self, ahead: usize) -> bool {
        self.pieces.get(self.at + ahead).is_some_and(|piece| piece.glued)
    }

    fn take(&mut self, pieces: usize, token: Option<Token>) {
        self.at += pieces;
        self.out.extend(token);
    }

    fn next(&mut self) -> Result<(), HoursError> {
        match self.peek(0).chars().next() {
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if c.is_alphabetic() => self.word(),
            Some(c) => self.mark(c),
            None => {
                self.at += 1;
                Ok(())
            }
        }
    }

    fn mark(&mut self, mark: char) -> Result<(), HoursError> {
        let token = match mark {
            '\n' | ';' | '|' => Some(Token::Stop),
            // "seg." is a day, not the end of a statement.
            '.' if self.follows_abbreviated_day() => None,
            '.' => Some(Token::Stop),
            ',' => Some(Token::Comma),
            '/' | '+' | '&' => Some(Token::And),
            // "segunda-feira": the word itself is noise.
            '-' if matches!(self.peek(1), "feira" | "feiras") => None,
            '-' | '–' | '—' | '~' => Some(Token::To),
            ':' | '(' | ')' | '*' | '_' | '!' | '•' | '·' | '>' | '"' | '\'' | '=' => None,
            other if crate::domain::unicode::is_emoji(other) => None,
            other => return Err(HoursError::NotUnderstood(other.to_string())),
        };
        self.take(1, token);
        Ok(())
    }

    fn follows_abbreviated_day(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.pieces.get(at));
        before.is_some_and(|piece| piece.text.len() == 3 && weekday(piece.text).is_some())
    }

    fn word(&mut self) -> Result<(), HoursError> {
        let word = self.peek(0);
        let expression = EXPRESSIONS.iter().find(|(words, _)| self.stands(words));
        if let Some((words, token)) = expression {
            let length = self.length(words);
            self.take(length, Some(*token));
            return Ok(());
        }
        if let Some(day) = weekday(word) {
            self.take(1, Some(Token::Day(day)));
            return Ok(());
        }
        if self.no_pause() || self.part_of_day() || self.half() || self.not_open() {
            return Ok(());
        }
        let token = match word {
            "a" | "as" | "ao" => Some(Token::To),
            "ate" => Some(Token::Until),
            "e" => Some(Token::And),
            "diariamente" | "diario" | "diaria" => Some(Token::Days(DaySet::WEEK)),
            "feriado" | "feriados" => Some(Token::Days(DaySet::HOLIDAYS)),
            _ if ENDS.contains(&word) && self.time_follows() => Some(Token::Until),
            _ if CLOSED.contains(&word) => (!self.pause_follows()).then_some(Token::Closed),
            _ if PAUSE.contains(&word) => Some(Token::Pause),
            _ if EXCEPT.contains(&word) => Some(Token::Except),
            _ if NOISE.contains(&word) => None,
            _ => return Err(HoursError::NotUnderstood(word.to_owned())),
        };
        self.take(1, token);
        Ok(())
    }

    /// Whether these words stand here; hyphens between them do not matter ("meio-dia").
    fn stands(&self, words: &[&str]) -> bool {
        let mut ahead = 0;
        words.iter().enumerate().all(|(n, word)| {
            if n > 0 && self.peek(ahead) == "-" {
                ahead += 1;
            }
            ahead += 1;
            self.peek(ahead - 1) == *word
        })
    }

    fn length(&self, words: &[&str]) -> usize {
        let mut ahead = 0;
        for n in 0..words.len() {
            ahead += usize::from(n > 0 && self.peek(ahead) == "-") + 1;
        }
        ahead
    }

    /// "sem intervalo", "não fechamos para almoço": no pause is no news.
    fn no_pause(&mut self) -> bool {
        let pause = (1..=4).find(|ahead| PAUSE.contains(&self.peek(*ahead)));
        match pause.filter(|_| matches!(self.peek(0), "sem" | "nao")) {
            Some(ahead) => {
                self.take(ahead + 1, None);
                true
            }
            None => false,
        }
    }

    /// "fechado para o almoço" is a pause and no closed day.
    fn pause_follows(&self) -> bool {
        (1..=3).any(|ahead| PAUSE.contains(&self.peek(ahead)))
    }

    fn time_follows(&self) -> bool {
        let starts = |ahead: usize| self.peek(ahead).starts_with(|c: char| c.is_ascii_digit());
        starts(1) || (matches!(self.peek(1), "as" | "a" | "ao") && (starts(2) || self.peek(2) == "meio"))
    }

    /// "não abrimos", "sem expediente".
    fn not_open(&mut self) -> bool {
        let second = self.peek(1);
        let closed = match self.peek(0) {
            "nao" => SERVES.contains(&second),
            "sem" => matches!(second, "atendimento" | "expediente" | "funcionamento"),
            _ => false,
        };
        if closed {
            let noun = matches!(self.peek(2), "atendimento" | "expediente" | "funcionamento");
            self.take(2 + usize::from(noun), Some(Token::Closed));
        }
        closed
    }

    /// "da tarde" after a time moves it, and the one that began the span with it ("das 2 às 6 da tarde").
    fn part_of_day(&mut self) -> bool {
        let part = self.peek(1);
        if !matches!(self.peek(0), "da" | "de") || !matches!(part, "manha" | "tarde" | "noite" | "madrugada") {
            return false;
        }
        let latest = match part {
            "tarde" => 6,
            "noite" => 7,
            _ => 0,
        };
        let end = self.out.len().checked_sub(1);
        let start_is_told = self.told.is_some() && self.told == end.and_then(|end| end.checked_sub(2));
        if matches!(self.out.last(), Some(Token::Time(_))) {
            self.told = end;
        }
        if let Some(Token::Time(time)) = self.out.last_mut()
            && latest > 0
            && *time < 12 * 60
        {
            *time += 12 * 60;
            if !start_is_told {
                self.move_start(end, latest * 60);
            }
        }
        self.take(2, None);
        true
    }

    /// The time before a "to" that ends at the token `end`, when it can only mean the same part of the day.
    fn move_start(&mut self, end: Option<usize>, latest: u16) {
        let bound = end.and_then(|end| end.checked_sub(1)).and_then(|at| self.out.get(at)).copied();
        let start = end.and_then(|end| end.checked_sub(2)).and_then(|at| self.out.get_mut(at));
        if let (Some(Token::To | Token::Until), Some(Token::Time(time))) = (bound, start)
            && (60..=latest).contains(time)
        {
            *time += 12 * 60;
        }
    }

    /// "oito e meia": "e meia" after a time.
    fn half(&mut self) -> bool {
        let says_half = self.peek(0) == "e" && self.peek(1) == "meia" && self.peek(2) != "noite";
        if let Some(Token::Time(time)) = self.out.last_mut().filter(|_| says_half) {
            *time += 30;
            self.take(2, None);
            return true;
        }
        false
    }

    fn number(&mut self) -> Result<(), HoursError> {
        let (digits, next) = (self.peek(0), self.peek(1));
        let number: u16 = digits.parse().map_err(|_| HoursError::NotUnderstood(digits.to_owned()))?;
        // "2ª a 6ª": the ordinals of the week, Monday being the second day.
        if (2..=6).contains(&number) && next == "a" && self.is_glued(1) {
            let day = usize::from(number - 2);
            self.take(2, Some(Token::Day(day)));
            return Ok(());
        }
        if number == 24 && next == "/" && self.peek(2) == "7" {
            self.take(3, Some(Token::AllDay));
            self.out.push(Token::Days(DaySet::WEEK));
            return Ok(());
        }
        if number == 7 && next == "dias" {
            let length = if matches!((self.peek(2), self.peek(3)), ("por" | "da", "semana")) { 4 } else { 2 };
            self.take(length, Some(Token::Days(DaySet::WEEK)));
            return Ok(());
        }
        self.time(number)
    }

    /// "8", "8h", "8 horas", "8h30", "08:30", "8h30min", "8:30h".
    fn time(&mut self, hour: u16) -> Result<(), HoursError> {
        let is_hour = |word: &str| matches!(word, "h" | "hs" | "hr" | "hrs" | "hora" | "horas");
        let written = self.peek(0);
        let mut length = 1;
        let mut minutes = 0;
        let has_unit = is_hour(self.peek(1));
        let apart = has_unit || matches!(self.peek(1), ":" | ".");
        let digits = self.peek(2);
        let is_minutes = digits.len() == 2 && self.is_glued(2) && digits.bytes().all(|b| b.is_ascii_digit());
        if apart && is_minutes && self.is_glued(1) {
            minutes = digits.parse().unwrap_or(60);
            length = 3;
            if matches!(self.peek(3), "min" | "m" | "h" | "hs" | "hrs") {
                length = 4;
            }
        } else if has_unit {
            length = 2;
        }
        if hour > 24 || minutes > 59 || (hour == 24 && minutes > 0) {
            let said = (0..length).map(|ahead| self.peek(ahead)).collect::<String>();
            return Err(HoursError::NoTime(if said.is_empty() { written.to_owned() } else { said }));
        }
        self.take(length, Some(Token::Time(hour * 60 + minutes)));
        Ok(())
    }
}
