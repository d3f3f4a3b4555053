//! Nothing untrue leaves: every date, time, price, link, phone number and booking claim of an outgoing text is traced to
//! a fact, a live slot, an appointment or a committed effect before it is sent.
//!
//! The check reads what a text claims and knows nothing of who wrote it: a model, a template and a person's text are
//! judged alike. It is strict where a mistake is dear (bookings, hours, prices) and lets pass what claims nothing.
//!
//! [`sentences`] cuts the text, [`lexicon`] finds claims in words, [`ground`] holds what is true; the other parts judge
//! one kind of claim each.

mod advice;
mod booking;
mod contact;
mod facts;
mod form;
mod glance;
mod ground;
mod lexicon;
mod people;
mod places;
mod prices;
mod sentences;
mod spelled;
mod times;

use chrono::NaiveDateTime;

pub use facts::ReadFacts;
pub use lexicon::check as check_lexicon;

use ground::Ground;
use sentences::sentences;

/// Something that was really done, and committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// An appointment was made.
    Booked {
        /// Its local time.
        at: NaiveDateTime,
    },
    /// An appointment was given up.
    Cancelled {
        /// Its local time.
        at: NaiveDateTime,
    },
    /// An appointment was moved.
    Rescheduled {
        /// The old local time.
        from: NaiveDateTime,
        /// The new local time.
        to: NaiveDateTime,
    },
    /// The customer's coming was confirmed.
    Confirmed {
        /// The appointment's local time.
        at: NaiveDateTime,
    },
}

/// What an answer may say.
#[derive(Clone, Copy, Debug)]
pub struct Truths<'a> {
    /// Texts that may be quoted: the company's facts (its name among them), the knowledge entries shown to the model,
    /// services with prices.
    pub facts: &'a [&'a str],
    /// The customer's own messages of the window: their words may be asked back, and confirm nothing.
    pub customer_said: &'a [&'a str],
    /// The customer's own number, in any spelling.
    pub own_phone: Option<&'a str>,
    /// The customer's own names; a name of anybody else must be in the facts.
    pub names: &'a [&'a str],
    /// Live slots that are on offer, in local time.
    pub slots: &'a [NaiveDateTime],
    /// What this turn has committed.
    pub effects: &'a [Effect],
    /// Appointments this customer has, in local time.
    pub appointments: &'a [NaiveDateTime],
    /// What facts were found to say, kept from one check to the next.
    pub read_facts: &'a ReadFacts,
    /// The instruction the model got, which is not to be recited; lines that hold a fact may be.
    pub system_prompt: &'a str,
    /// The local "now".
    pub now: NaiveDateTime,
}

/// What kind of claim is not true, or not known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClaimKind {
    /// A day.
    Date,
    /// A time of day, a length of time, or that some time is free.
    Time,
    /// A price, a discount, an instalment plan.
    Price,
    /// A link, an e-mail address, a name in a social network.
    Link,
    /// A telephone number.
    Phone,
    /// Something is said to be booked, cancelled, moved, confirmed, paid or sent.
    Booking,
    /// Not Portuguese.
    Language,
    /// Too long.
    Length,
    /// The model's instruction.
    PromptEcho,
    /// A name or document of somebody else.
    OtherPerson,
    /// Medical, legal or financial advice.
    Advice,
    /// A promise or an offer that no fact makes ("garantimos", "aceitamos seu convênio").
    Promise,
    /// An address.
    Place,
}

impl ClaimKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Date,
        Self::Time,
        Self::Price,
        Self::Link,
        Self::Phone,
        Self::Booking,
        Self::Language,
        Self::Length,
        Self::PromptEcho,
        Self::OtherPerson,
        Self::Advice,
        Self::Promise,
        Self::Place,
    ];

    /// Its name in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Time => "time",
            Self::Price => "price",
            Self::Link => "link",
            Self::Phone => "phone",
            Self::Booking => "booking",
            Self::Language => "language",
            Self::Length => "length",
            Self::PromptEcho => "prompt_echo",
            Self::OtherPerson => "other_person",
            Self::Advice => "advice",
            Self::Promise => "promise",
            Self::Place => "place",
        }
    }

    /// What is wrong with it, for the model.
    fn explained(self) -> &'static str {
        match self {
            Self::Date => "cita um dia que não está nos fatos, nos horários oferecidos nem na agenda do cliente",
            Self::Time => {
                "cita um horário ou prazo que não está nos fatos, nos horários oferecidos nem na agenda do cliente"
            }
            Self::Price => "cita um preço, desconto ou parcelamento que não está nos fatos",
            Self::Link => "traz um link, e-mail ou perfil que não está nos fatos",
            Self::Phone => "traz um telefone que não está nos fatos",
            Self::Booking => {
                "diz que algo foi marcado, remarcado, cancelado, confirmado, pago ou enviado, e isso não aconteceu"
            }
            Self::Language => "não está em português do Brasil",
            Self::Length => "é longa demais",
            Self::PromptEcho => "repete as suas instruções",
            Self::OtherPerson => "traz nome ou documento de outra pessoa",
            Self::Advice => "dá conselho médico, jurídico ou financeiro",
            Self::Promise => "promete ou oferece algo que não está nos fatos",
            Self::Place => "traz um endereço que não está nos fatos",
        }
    }
}

/// A claim that must not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Its kind.
    pub kind: ClaimKind,
    /// The words that claim it. They may hold personal data: for the model, never for a log.
    pub said: String,
}

impl Blocked {
    fn new(kind: ClaimKind, said: impl Into<String>) -> Self {
        Self { kind, said: said.into() }
    }
}

/// Everything in a text that is not known to be true. Empty: the text may be sent.
pub fn check(text: &str, truths: &Truths<'_>) -> Vec<Blocked> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let ground = Ground::of(truths);
    let mut blocked = form::check(text, &ground);
    if blocked.iter().any(|one| matches!(one.kind, ClaimKind::Length | ClaimKind::Language)) {
        // A text in another language claims what is not read here; one is enough to keep it back.
        return blocked;
    }
    let contacts = contact::found(text);
    let without_contacts = masked(text, contacts.iter().map(|one| one.range.clone()));
    let amounts = prices::found(&without_contacts);
    let plain = masked(&without_contacts, amounts.iter().map(|one| one.range.clone()));
    let sentences = sentences(&plain);
    blocked.extend(contact::check(text, &contacts, &sentences, &ground));
    blocked.extend(prices::check(&without_contacts, &amounts, &sentences, &ground));
    blocked.extend(booking::check(&sentences, &ground));
    blocked.extend(times::check(&sentences, &ground));
    blocked.extend(advice::check(&sentences, &ground));
    blocked.extend(people::check(&plain, &ground));
    blocked.extend(places::check(&plain, &ground));
    blocked
}

/// What is told to the model once, so that it writes another answer: what was wrong, and what is allowed.
pub fn reason(blocked: &[Blocked]) -> String {
    let mut kinds: Vec<ClaimKind> = blocked.iter().map(|one| one.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let said = |kind: ClaimKind| {
        let words = blocked.iter().find(|one| one.kind == kind).map_or("", |one| one.said.as_str()).trim();
        let short: String = words.chars().take(60).filter(|c| !matches!(c, '"' | '«' | '»' | '\n')).collect();
        let shown =
            !short.is_empty() && !matches!(kind, ClaimKind::Length | ClaimKind::Language | ClaimKind::PromptEcho);
        if shown { format!(" (\"{short}\")") } else { String::new() }
    };
    let wrong: Vec<String> = kinds.iter().map(|kind| format!("{}{}", kind.explained(), said(*kind))).collect();
    format!(
        "A resposta anterior não pode ser enviada: ela {}. Escreva outra, curta e em português, só com os fatos dados e os \
         horários oferecidos, sem dizer que algo foi feito; se a informação não estiver neles, diga que vai confirmar com a \
         equipe.",
        wrong.join("; ")
    )
}

/// The text with blanks for what was read already, so that all else stays where it is.
fn masked(text: &str, ranges: impl Iterator<Item = std::ops::Range<usize>>) -> String {
    let mut out = text.to_owned();
    for range in ranges {
        if out.get(range.clone()).is_some() {
            out.replace_range(range.clone(), &" ".repeat(range.len()));
        }
    }
    out
}
