//! Typed facts: what has a price, a duration, a place or an hour is no prose, so that it can be written and checked.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// The longest name, in characters.
pub const NAME_MAX: usize = 120;
/// The longest text, in characters.
pub const TEXT_MAX: usize = 1_000;
/// The dearest price, in cents.
const PRICE_MAX: i64 = 100_000_000_000;
/// The longest duration, minutes: a day.
const DURATION_MAX: i32 = 1_440;
const CAPACITY_MAX: i32 = 10_000;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Something done for a customer.
    Service,
    /// Something sold.
    Product,
    /// Somebody who works there.
    Professional,
    /// When the company, or a part of it, is open.
    Hours,
    /// Where it is.
    Address,
    /// How one pays.
    Payment,
    /// How one reaches people there.
    Contact,
    /// Anything else in the form name and text.
    Other,
}

/// Words by which a kind is asked for, beside its own name; and how the kind is written before a name.
struct Wording {
    kind: FactKind,
    key: &'static str,
    label: &'static str,
    asked_by: &'static str,
}

const WORDINGS: [Wording; 8] = [
    Wording { kind: FactKind::Service, key: "service", label: "Serviço", asked_by: "serviço procedimento" },
    Wording { kind: FactKind::Product, key: "product", label: "Produto", asked_by: "produto venda" },
    Wording {
        kind: FactKind::Professional,
        key: "professional",
        label: "Profissional",
        asked_by: "profissional equipe",
    },
    Wording { kind: FactKind::Hours, key: "hours", label: "Horário", asked_by: "horário funcionamento abre fecha" },
    Wording { kind: FactKind::Address, key: "address", label: "Endereço", asked_by: "endereço local unidade" },
    Wording { kind: FactKind::Payment, key: "payment", label: "Pagamento", asked_by: "pagamento forma" },
    Wording { kind: FactKind::Contact, key: "contact", label: "Contato", asked_by: "contato telefone" },
    Wording { kind: FactKind::Other, key: "other", label: "Informação", asked_by: "" },
];

impl FactKind {
    /// All of them, in the order they are written.
    pub const ALL: [Self; 8] = [
        Self::Service,
        Self::Product,
        Self::Professional,
        Self::Hours,
        Self::Address,
        Self::Payment,
        Self::Contact,
        Self::Other,
    ];

    fn wording(self) -> Option<&'static Wording> {
        WORDINGS.iter().find(|wording| wording.kind == self)
    }

    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        self.wording().map_or("other", |wording| wording.key)
    }

    /// Reads the stored spelling, or what an owner writes: `serviço`, `horario`.
    pub fn parse(text: &str) -> Option<Self> {
        let folded = crate::domain::text::fold::fold(text.trim());
        let is = |wording: &&Wording| {
            let label = crate::domain::text::fold::fold(wording.label);
            folded == wording.key || folded == label || folded.strip_suffix('s').is_some_and(|one| one == label)
        };
        WORDINGS.iter().find(is).map(|wording| wording.kind)
    }

    /// How customers' language calls it.
    pub fn label(self) -> &'static str {
        self.wording().map_or("Informação", |wording| wording.label)
    }
}

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub kind: FactKind,
    /// Its name: of a service, a person, a unit.
    pub name: String,
    /// What else is to be said; the whole value of hours, addresses, payment and contact.
    pub text: String,
    /// Price in cents of the currency; 0 = free; `None` = not to be told.
    pub price_cents: Option<i64>,
    /// Whether the price is the lowest of several.
    pub price_from: bool,
    /// ISO 4217 code.
    pub currency: String,
    /// Duration in minutes.
    pub duration_min: Option<i32>,
    /// How many can take part at once.
    pub capacity: i32,
    /// Whether it is offered now.
    pub active: bool,
}

impl Fact {
    /// A fact with nothing but a name.
    pub fn new(kind: FactKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            text: String::new(),
            price_cents: None,
            price_from: false,
            currency: "BRL".to_owned(),
            duration_min: None,
            capacity: 1,
            active: true,
        }
    }

    /// The fact cleaned, its texts on one line.
    ///
    /// # Errors
    /// A sentence that says what is missing or out of bounds.
    pub fn checked(mut self) -> Result<Self, String> {
        self.name = super::one_line(&self.name);
        self.text = super::one_line(&self.text);
        let needs_text =
            matches!(self.kind, FactKind::Hours | FactKind::Address | FactKind::Payment | FactKind::Contact);
        let problem = if self.name.is_empty() {
            Some("the name is empty".to_owned())
        } else if self.name.chars().count() > NAME_MAX {
            Some(format!("the name is longer than {NAME_MAX} characters"))
        } else if self.text.chars().count() > TEXT_MAX {
            Some(format!("the text of {:?} is longer than {TEXT_MAX} characters", self.name))
        } else if needs_text && self.text.is_empty() {
            Some(format!("{:?} says nothing: write its text", self.name))
        } else if self.price_cents.is_some_and(|cents| !(0..=PRICE_MAX).contains(&cents)) {
            Some(format!("the price of {:?} is out of bounds", self.name))
        } else if self.duration_min.is_some_and(|minutes| !(1..=DURATION_MAX).contains(&minutes)) {
            Some(format!("the duration of {:?} must be from 1 minute to 24 hours", self.name))
        } else if !(1..=CAPACITY_MAX).contains(&self.capacity) {
            Some(format!("the capacity of {:?} must be from 1 to {CAPACITY_MAX}", self.name))
        } else if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            Some(format!("the currency of {:?} must be a code like BRL", self.name))
        } else {
            None
        };
        problem.map_or(Ok(self), Err)
    }

    /// The fact as a line for the prompt and for people: `Limpeza: R$ 180,00; 40 min`.
    pub fn line(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if let Some(cents) = self.price_cents {
            parts.push(price(cents, self.price_from, &self.currency));
        }
        if let Some(minutes) = self.duration_min {
            parts.push(duration(minutes));
        }
        if self.capacity > 1 {
            parts.push(format!("até {} pessoas", self.capacity));
        }
        if !self.text.is_empty() {
            parts.push(self.text.clone());
        }
        let label = self.label();
        if parts.is_empty() { label } else { format!("{label}: {}", parts.join("; ")) }
    }

    fn label(&self) -> String {
        let kind = self.kind.label();
        let same = self.name.to_lowercase() == kind.to_lowercase();
        match self.kind {
            FactKind::Service | FactKind::Product | FactKind::Other => self.name.clone(),
            _ if same => kind.to_owned(),
            _ => format!("{kind} ({})", self.name),
        }
    }

    /// Everything a question may name it by: its line, and the words its kind, price and duration are asked by.
    pub(super) fn asked_by(&self) -> String {
        let mut words = format!("{} {}", self.name, self.text);
        let kind = self.kind.wording().map(|wording| wording.asked_by).unwrap_or_default();
        let _ = write!(words, " {kind}");
        if self.price_cents.is_some() {
            words.push_str(" preço valor");
        }
        if self.duration_min.is_some() {
            words.push_str(" duração");
        }
        words
    }
}

/// A price as it is written here: `R$ 1.234,56`, `a partir de R$ 90,00`, `gratuito`.
pub fn price(cents: i64, from: bool, currency: &str) -> String {
    if cents == 0 && !from {
        return "gratuito".to_owned();
    }
    let whole = (cents / 100).to_string();
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    let sign = if currency == "BRL" { "R$" } else { currency };
    let before = if from { "a partir de " } else { "" };
    format!("{before}{sign} {grouped},{:02}", cents % 100)
}

/// A duration as it is written here: `40 min`, `1h`, `1h30`.
pub fn duration(minutes: i32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes:02}"),
    }
}

/// A price in cents and whether it is the lowest of several: `R$ 1.234,56`, `180`, `a partir de 90`, `grátis`.
///
/// # Errors
/// A sentence that shows how to write it.
pub fn parse_price(text: &str) -> Result<(i64, bool), String> {
    let folded = crate::domain::text::fold::fold(text.trim());
    let (rest, from) = match folded.strip_prefix("a partir de").or_else(|| folded.strip_prefix("desde")) {
        Some(rest) => (rest.trim(), true),
        None => (folded.as_str(), false),
    };
    if matches!(rest, "gratis" | "gratuito" | "gratuita" | "cortesia") && !from {
        return Ok((0, false));
    }
    let number = rest.strip_prefix("r$").unwrap_or(rest).trim();
    cents(number).map(|cents| (cents, from)).ok_or_else(|| format!("{text:?} is no price; write it like R$ 1.234,56"))
}

/// `1.234,56`, `1234,5`, `1234`, `1234.56`; a point with three digits behind it groups thousands.
fn cents(number: &str) -> Option<i64> {
    let (whole, fraction) = match (number.rsplit_once(','), number.rsplit_once('.')) {
        (Some((whole, fraction)), _) => (whole, fraction),
        (None, Some((whole, fraction))) if fraction.len() < 3 => (whole, fraction),
        _ => (number, ""),
    };
    let grouped: Vec<&str> = whole.split('.').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let well_grouped = grouped.iter().all(|group| digits(group))
        && grouped.iter().skip(1).all(|group| group.len() == 3)
        && (grouped.len() == 1 || grouped.first().is_some_and(|first| first.len() <= 3));
    if !well_grouped || fraction.len() > 2 || !(fraction.is_empty() || digits(fraction)) || number.ends_with([',', '.'])
    {
        return None;
    }
    let whole: i64 = grouped.concat().parse().ok()?;
    let fraction: i64 = format!("{fraction:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(fraction)
}

/// Minutes of a duration: `40`, `40 min`, `1h`, `1h30`, `1:30`, `2 horas`.
///
/// # Errors
/// A sentence that shows how to write it.
pub fn parse_duration(text: &str) -> Result<i32, String> {
    let folded: String = crate::domain::text::fold::fold(text).split_whitespace().collect();
    let problem = || format!("{text:?} is no duration; write it like 40 min or 1h30");
    let number = |text: &str| {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok().map(i32::from)).flatten()
    };
    let bare = ["minutos", "minuto", "mins", "min", "m"].iter().find_map(|unit| folded.strip_suffix(unit));
    let split = folded.split_once("horas").or_else(|| folded.split_once("hora")).or_else(|| folded.split_once('h'));
    let minutes = match split.or_else(|| folded.split_once(':')) {
        Some((hours, rest)) => {
            let rest = rest.strip_prefix('e').unwrap_or(rest);
            let rest = rest.strip_suffix("minutos").or_else(|| rest.strip_suffix("min")).unwrap_or(rest);
            let minutes = if rest.is_empty() { Some(0) } else { number(rest).filter(|minutes| *minutes < 60) };
            number(hours).zip(minutes).map(|(hours, minutes)| hours * 60 + minutes)
        }
        None => number(bare.unwrap_or(&folded)),
    };
    minutes.ok_or_else(problem)
}
