//! From tokens to the hours of each day: which times go with which days, in whichever order they are written.

use super::days::DaySet;
use super::lex::{Token, tokens};
use super::opening::{DAY, HoursError, Span, clock, set_text};

/// A statement's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    /// Days that belong together; commas part them.
    Days(DaySet),
    /// An open time.
    Open(Span),
    /// Nothing is open.
    Closed,
    /// The next open time is a pause.
    Pause,
    /// All but the next days.
    Except,
}

/// Monday to Sunday, and holidays; `None` where nothing is said.
type Days = [Option<Vec<Span>>; 8];

/// Reads the hours of each day.
pub(super) fn read(text: &str) -> Result<Days, HoursError> {
    let items = statements(&tokens(text)?)?;
    if items.is_empty() {
        return Err(HoursError::Empty);
    }
    let mut week = Week::default();
    let names_days = items.iter().flatten().any(|item| matches!(item, Item::Days(_)));
    for statement in together(items) {
        if !names_days && statement == [Item::Open(Span::WHOLE_DAY)] {
            week.set(DaySet::WEEK, &[Span::WHOLE_DAY]);
            continue;
        }
        week.take(&days_first(&statement))?;
    }
    Ok(week.days)
}

/// Open times alone, or that nothing is open: the hours of a single day. `None` when the text says anything else.
pub(super) fn read_spans(text: &str) -> Result<Option<Vec<Span>>, HoursError> {
    let items: Vec<Item> = statements(&tokens(text)?)?.concat();
    let spans: Vec<Span> =
        items.iter().filter_map(|item| if let Item::Open(span) = item { Some(*span) } else { None }).collect();
    let is_closed = items == [Item::Closed];
    Ok((is_closed || (!spans.is_empty() && spans.len() == items.len())).then_some(spans))
}

/// The items of each statement.
fn statements(tokens: &[Token]) -> Result<Vec<Vec<Item>>, HoursError> {
    let mut opens = None;
    let mut out = Vec::new();
    for part in tokens.split(|token| *token == Token::Stop) {
        let items = Items { tokens: part, at: 0, opens: &mut opens }.read()?;
        if !items.is_empty() {
            out.push(items);
        }
    }
    Ok(out)
}

struct Items<'a> {
    tokens: &'a [Token],
    at: usize,
    /// When the place opened in what was read before: what an end without a beginning begins at.
    opens: &'a mut Option<u16>,
}

impl Items<'_> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    fn read(mut self) -> Result<Vec<Item>, HoursError> {
        let mut items: Vec<Item> = Vec::new();
        let mut parted = true;
        while let Some(token) = self.peek() {
            let item = match token {
                Token::Day(_) | Token::Days(_) => Item::Days(self.days()),
                Token::Time(_) => Item::Open(self.span()?),
                Token::Until => match self.end_only()? {
                    Some(span) => Item::Open(span),
                    None => continue,
                },
                _ => {
                    self.at += 1;
                    match token {
                        Token::AllDay => Item::Open(Span::WHOLE_DAY),
                        Token::Closed => Item::Closed,
                        Token::Pause => Item::Pause,
                        Token::Except => Item::Except,
                        other => {
                            parted |= other == Token::Comma;
                            continue;
                        }
                    }
                }
            };
            match (items.last_mut(), item) {
                (Some(Item::Days(before)), Item::Days(days)) if !parted => *before = before.with(days),
                (Some(Item::Open(Span::WHOLE_DAY)), Item::Open(Span::WHOLE_DAY)) => {}
                _ => items.push(item),
            }
            parted = false;
        }
        Ok(items)
    }

    fn days(&mut self) -> DaySet {
        let next = |at: usize| self.tokens.get(at).copied();
        match (next(self.at), next(self.at + 1), next(self.at + 2)) {
            (Some(Token::Day(from)), Some(Token::To | Token::Until), Some(Token::Day(to))) => {
                self.at += 3;
                DaySet::range(from, to)
            }
            (Some(Token::Day(day)), ..) => {
                self.at += 1;
                DaySet::one(day)
            }
            (Some(Token::Days(days)), ..) => {
                self.at += 1;
                days
            }
            _ => DaySet::default(),
        }
    }

    fn span(&mut self) -> Result<Span, HoursError> {
        let next = |at: usize| self.tokens.get(at).copied();
        let Some(Token::Time(from)) = next(self.at) else { return Err(HoursError::Empty) };
        // "das 8h até as 18h" binds twice, "abre às 8h e fecha às 18h" three times.
        let is_bond = |n: &usize| match next(self.at + n) {
            Some(Token::And) => next(self.at + n + 1) == Some(Token::Until),
            other => matches!(other, Some(Token::To | Token::Until)),
        };
        let bonds = (1..=3).take_while(is_bond).count();
        match next(self.at + bonds + 1) {
            Some(Token::Time(to)) if bonds > 0 => {
                self.at += bonds + 2;
                let span = Span::new(from, to)?;
                *self.opens = Some(span.from());
                Ok(span)
            }
            _ if from == DAY => {
                self.at += 1;
                Ok(Span::WHOLE_DAY)
            }
            _ => Err(HoursError::HalfSpan(clock(from))),
        }
    }

    /// "até 12h": from when the place opens on the days named before.
    fn end_only(&mut self) -> Result<Option<Span>, HoursError> {
        self.at += 1;
        if self.peek() == Some(Token::To) {
            self.at += 1;
        }
        let Some(Token::Time(to)) = self.peek() else { return Ok(None) };
        self.at += 1;
        let from = self.opens.ok_or_else(|| HoursError::HalfSpan(format!("até {}", clock(to))))?;
        Span::new(from, to).map(Some)
    }
}

/// Statements without days belong to the one before them; days alone wait for the hours of the next line.
fn together(statements: Vec<Vec<Item>>) -> Vec<Vec<Item>> {
    let is_days = |item: &Item| matches!(item, Item::Days(_));
    let mut out: Vec<Vec<Item>> = Vec::new();
    for statement in statements {
        let waits = |before: &Vec<Item>| before.iter().all(is_days) && !statement.first().is_some_and(is_days);
        match out.last_mut() {
            Some(before) if !statement.iter().any(is_days) || waits(before) => before.extend(statement),
            _ => out.push(statement),
        }
    }
    out
}

/// The statement with the days before their hours, also when it was written the other way round ("das 8h às 18h, de
/// segunda a sexta").
fn days_first(items: &[Item]) -> Vec<Item> {
    let leads = items.iter().find(|item| matches!(item, Item::Days(_) | Item::Open(_)));
    if !matches!(leads, Some(Item::Open(_))) {
        return items.to_vec();
    }
    let (mut out, mut spans, mut days) = (Vec::new(), Vec::new(), Vec::new());
    let mut passing = false;
    for (at, item) in items.iter().enumerate() {
        let next_is_days = matches!(items.get(at + 1), Some(Item::Days(_)));
        match item {
            Item::Open(_) if matches!(out.last(), Some(Item::Pause)) => out.push(*item),
            Item::Open(_) => {
                if !days.is_empty() {
                    out.append(&mut days);
                    out.append(&mut spans);
                }
                passing = false;
                spans.push(*item);
            }
            Item::Days(_) if passing => out.push(*item),
            Item::Days(_) => days.push(*item),
            Item::Closed | Item::Except | Item::Pause => {
                // "…, domingo fechado": the last days are those that are closed.
                let closed = if *item == Item::Closed && !next_is_days && days.len() > 1 { days.pop() } else { None };
                out.append(&mut days);
                out.append(&mut spans);
                out.extend(closed);
                out.push(*item);
                passing = *item != Item::Pause;
            }
        }
    }
    out.append(&mut days);
    out.append(&mut spans);
    out
}

#[derive(Default)]
struct Week {
    days: Days,
}

/// What the next days or times mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Plain,
    /// The next days are closed; whether some came.
    Closing(bool),
    /// The next days are left out.
    Excepting,
    /// The next times are a pause.
    Pausing,
}

impl Week {
    /// Takes a statement in which days stand before their hours.
    fn take(&mut self, items: &[Item]) -> Result<(), HoursError> {
        // Days that wait for hours, and those the last hours went to.
        let (mut waiting, mut served) = (DaySet::default(), DaySet::default());
        let mut mode = Mode::Plain;
        for (at, item) in items.iter().enumerate() {
            match (*item, mode) {
                (Item::Days(days), Mode::Closing(_)) if !matches!(items.get(at + 1), Some(Item::Open(_))) => {
                    self.set(days, &[]);
                    mode = Mode::Closing(true);
                }
                (Item::Days(days), Mode::Excepting) => {
                    let own_hours = waiting.is_empty() && matches!(items.get(at + 1), Some(Item::Open(_)));
                    served = served.without(days);
                    waiting = if own_hours { days } else { waiting.without(days) };
                    self.set(days, &[]);
                }
                (Item::Days(days), _) => {
                    waiting = waiting.with(days);
                    mode = if mode == Mode::Pausing { Mode::Plain } else { mode };
                }
                (Item::Open(span), Mode::Pausing) => self.pause(served, span),
                (Item::Open(span), _) => {
                    if waiting.is_empty() && served.is_empty() {
                        return Err(HoursError::NoDays(span.to_string()));
                    }
                    mode = Mode::Plain;
                    if waiting.is_empty() {
                        self.add(served, span);
                    } else {
                        (served, waiting) = (waiting, DaySet::default());
                        self.set(served, &[span]);
                    }
                }
                (Item::Closed, _) if !waiting.is_empty() => {
                    self.set(waiting, &[]);
                    (served, waiting, mode) = (DaySet::default(), DaySet::default(), Mode::Plain);
                }
                (Item::Closed, _) => mode = Mode::Closing(false),
                (Item::Except, _) => mode = Mode::Excepting,
                (Item::Pause, _) => mode = Mode::Pausing,
            }
        }
        match mode {
            Mode::Closing(false) => Err(HoursError::NoDays("fechado".to_owned())),
            _ if !waiting.is_empty() => Err(HoursError::NoHours(set_text(waiting))),
            _ => Ok(()),
        }
    }

    fn set(&mut self, days: DaySet, spans: &[Span]) {
        self.each(days, |day| *day = spans.to_vec());
    }

    fn add(&mut self, days: DaySet, span: Span) {
        self.each(days, |day| day.push(span));
    }

    fn pause(&mut self, days: DaySet, pause: Span) {
        self.each(days, |day| *day = day.iter().flat_map(|span| span.without(pause)).collect());
    }

    fn each(&mut self, days: DaySet, change: impl Fn(&mut Vec<Span>)) {
        for number in days.numbers() {
            if let Some(day) = self.days.get_mut(number) {
                change(day.get_or_insert_default());
            }
        }
    }
}
