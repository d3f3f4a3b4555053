//! Where on the simulator somebody is: which company, as which person. It lives in the address, never in a cookie.

use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::backend::{SimCompany, SimPerson, SimulatorBackend};
use super::people;
use crate::domain::phone::Phone;
use crate::domain::text::{NAME_MAX_CHARS, PersonName};

/// The query of every page and the hidden fields of every form, as text: refusing them is this module's work.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    company: Option<String>,
    number: Option<String>,
    name: Option<String>,
    /// The correlation id of the turn to look at instead of the last.
    pub(super) turno: Option<String>,
    /// The version the page already shows.
    pub(super) desde: Option<String>,
    /// The worst status of the webhooks just sent, carried over a redirect.
    pub(super) aviso: Option<String>,
    /// The composer's text.
    pub(super) text: Option<String>,
    /// `1` or `0`: the model to be down or up.
    pub(super) down: Option<String>,
}

/// Why a request gets no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoCompany,
    BadNumber,
    CrossSite,
    BadForm,
    TooLong,
    Broken,
}

/// A company and a person.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) company: SimCompany,
    pub(super) person: SimPerson,
}

impl Place {
    /// Finds the place; an absent company is the first one, an absent number the cast's first person.
    pub(super) fn find(fields: &Fields, backend: &dyn SimulatorBackend) -> Result<Self, Refusal> {
        let companies = backend.companies();
        let company = match fields.company.as_deref().filter(|id| !id.is_empty()) {
            None => companies.into_iter().next(),
            Some(id) => companies.into_iter().find(|company| company.id.to_string() == id),
        };
        let company = company.ok_or(Refusal::NoCompany)?;
        let given = fields.number.as_deref().filter(|number| !number.trim().is_empty());
        let person = match given {
            None => people::cast().into_iter().next().ok_or(Refusal::BadNumber)?,
            Some(number) => named(number, fields.name.as_deref().unwrap_or_default())?,
        };
        Ok(Self { company, person })
    }

    /// `?company=…&number=…&name=…`, with more pairs behind.
    pub(super) fn query(&self, more: &[(&str, &str)]) -> String {
        query(self.company.id, &self.person, more)
    }
}

/// `?company=…&number=…&name=…`, with more pairs behind.
pub(super) fn query(company: i64, person: &SimPerson, more: &[(&str, &str)]) -> String {
    let mut pairs = Serializer::new(String::new());
    pairs
        .append_pair("company", &company.to_string())
        .append_pair("number", &person.number)
        .append_pair("name", &person.name)
        .extend_pairs(more);
    format!("?{}", pairs.finish())
}

fn named(number: &str, name: &str) -> Result<SimPerson, Refusal> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let phone = Phone::try_from(digits).map_err(|_| Refusal::BadNumber)?;
    let name = PersonName::clean(name).map_or_else(|| "Sem nome".to_owned(), |name| name.as_str().to_owned());
    let name = name.chars().take(NAME_MAX_CHARS).collect();
    Ok(SimPerson { name, number: phone.digits().to_owned() })
}
