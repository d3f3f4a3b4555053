//! The simulator's HTML: minijinja templates, compiled into the binary and escaped by default.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::backend::{SentWebhook, SimPerson, SimulatorBackend};
use super::place::{Place, Refusal, query};
use super::scene::Scene;
use super::{assets, people};
use crate::domain::text::TEXT_MAX_CHARS;

const TEMPLATES: [(&str, &str); 10] = [
    ("simulador.html", include_str!("assets/simulador.html")),
    ("icones.html", include_str!("assets/icones.html")),
    ("ocultos.html", include_str!("assets/ocultos.html")),
    ("topo.html", include_str!("assets/topo.html")),
    ("lista.html", include_str!("assets/lista.html")),
    ("turno.html", include_str!("assets/turno.html")),
    ("modelo.html", include_str!("assets/modelo.html")),
    ("recibo.html", include_str!("assets/recibo.html")),
    ("pecas.html", include_str!("assets/pecas.html")),
    ("erro.html", include_str!("assets/erro.html")),
];

/// How often the page asks while an answer is expected, and otherwise.
const POLL: (&str, &str) = ("every 500ms", "every 2s");

/// The compiled templates.
pub(super) struct Views {
    templates: Environment<'static>,
}

/// The pieces of a page that change, and the name of this state of them.
pub(super) struct Pieces {
    html: String,
    /// Equal for equal content: what the page sends back to be told "nothing new".
    pub(super) version: String,
}

#[derive(Serialize)]
struct Link {
    name: String,
    detail: String,
    initials: String,
    href: String,
    current: bool,
}

#[derive(Serialize)]
struct Receipt {
    status: u16,
    ok: bool,
    body: String,
    correlation_id: String,
}

impl Views {
    /// Compiles the templates. Errors name the template and line; they can only come from a mistake in this crate.
    pub(super) fn compile() -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        templates.add_filter("asset", |name: &str| assets::address(name));
        Ok(Self { templates })
    }

    /// The pieces of one moment. `chosen` keeps the page looking at one turn.
    pub(super) fn pieces(
        &self,
        place: &Place,
        scene: &Scene,
        chosen: Option<&str>,
    ) -> Result<Pieces, minijinja::Error> {
        let values = self.values(place, scene, chosen);
        let html = self.render("pecas.html", &values)?;
        let hash = hex::encode(Sha256::digest(format!("{}{html}", scene.pending)));
        Ok(Pieces { html, version: hash.get(..16).unwrap_or_default().to_owned() })
    }

    /// The answer to htmx: the changed pieces, what the webhooks just sent got, and the next question.
    pub(super) fn fragment(
        &self,
        place: &Place,
        pieces: &Pieces,
        scene: &Scene,
        chosen: Option<&str>,
        sent: &[SentWebhook],
    ) -> Result<String, minijinja::Error> {
        let receipts = if sent.is_empty() {
            String::new()
        } else {
            self.render(
                "recibo.html",
                &context! { receipts => Serde(sent.iter().map(Receipt::from).collect::<Vec<_>>()) },
            )?
        };
        Ok(format!("{}{receipts}{}", pieces.html, poller(place, pieces, scene, chosen)))
    }

    /// The whole page.
    pub(super) fn page(
        &self,
        backend: &dyn SimulatorBackend,
        place: &Place,
        scene: &Scene,
        chosen: Option<&str>,
        notice: Option<u16>,
    ) -> Result<String, minijinja::Error> {
        let pieces = self.pieces(place, scene, chosen)?;
        let values = context! {
            tabs => Serde(tabs(backend, place)),
            cast => Serde(cast(place)),
            new_person => format!("/simulador/nova{}", place.query(&[])),
            // No fragment: a link to the same page with one only scrolls, it does not ask again.
            refresh => format!("/simulador{}", place.query(&[])),
            poller => Value::from_safe_string(poller(place, &pieces, scene, chosen)),
            notice => notice.filter(|status| !(200..300).contains(status)),
            text_max => TEXT_MAX_CHARS,
            receipts => Serde(Vec::<Receipt>::new()),
            ..self.values(place, scene, chosen)
        };
        self.render("simulador.html", &values)
    }

    /// A page that says why there is no page.
    pub(super) fn error(&self, refusal: Refusal) -> Result<String, minijinja::Error> {
        self.render("erro.html", &context! { sentence => sentence(refusal) })
    }

    fn values(&self, place: &Place, scene: &Scene, chosen: Option<&str>) -> Value {
        context! {
            company => context! {
                id => place.company.id,
                name => place.company.name.as_str(),
                domain => place.company.domain.as_str(),
                initials => people::initials(&place.company.name),
            },
            person => context! {
                name => place.person.name.as_str(),
                number => place.person.number.as_str(),
                shown_number => people::display_number(&place.person.number),
                initials => people::initials(&place.person.name),
            },
            scene => Value::from(Serde(scene)),
            chosen => chosen,
            here => format!("/simulador{}", place.query(&[])),
        }
    }

    fn render(&self, name: &str, values: &Value) -> Result<String, minijinja::Error> {
        self.templates.get_template(name)?.render(values.clone())
    }
}

impl From<&SentWebhook> for Receipt {
    fn from(sent: &SentWebhook) -> Self {
        Self {
            status: sent.status,
            ok: (200..300).contains(&sent.status),
            body: sent.body.chars().take(300).collect(),
            correlation_id: sent.correlation_id.clone(),
        }
    }
}

/// The element that asks again. It is replaced by every answer that is not "nothing new".
fn poller(place: &Place, pieces: &Pieces, scene: &Scene, chosen: Option<&str>) -> String {
    let mut more = vec![("desde", pieces.version.as_str())];
    more.extend(chosen.map(|id| ("turno", id)));
    let href = place.query(&more).replace('&', "&amp;");
    let every = if scene.pending { POLL.0 } else { POLL.1 };
    format!(
        "<div id=\"estado\" hidden hx-get=\"/simulador/estado{href}\" hx-trigger=\"{every}\" hx-target=\"#estado\" \
         hx-swap=\"costura\" hx-sync=\"#palco:drop\"></div>"
    )
}

/// One tab a company; the person stays, for one number may write to two companies.
fn tabs(backend: &dyn SimulatorBackend, place: &Place) -> Vec<Link> {
    let tab = |company: super::backend::SimCompany| Link {
        href: format!("/simulador{}", query(company.id, &place.person, &[])),
        current: company.id == place.company.id,
        initials: people::initials(&company.name),
        name: company.name,
        detail: company.domain,
    };
    backend.companies().into_iter().map(tab).collect()
}

/// The cast, with whoever holds the phone in front when not one of them.
fn cast(place: &Place) -> Vec<Link> {
    let mut people = people::cast();
    if !people.iter().any(|person| person.number == place.person.number) {
        people.insert(0, place.person.clone());
    }
    let link = |person: SimPerson| Link {
        href: format!("/simulador{}", query(place.company.id, &person, &[])),
        current: person.number == place.person.number,
        initials: people::initials(&person.name),
        detail: people::display_number(&person.number),
        name: person.name,
    };
    people.into_iter().map(link).collect()
}

fn sentence(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoCompany => "Esta empresa não existe no simulador.",
        Refusal::BadNumber => "Este número não serve: são de 8 a 15 dígitos, com o código do país.",
        Refusal::CrossSite => "Este pedido veio de outro site e foi recusado.",
        Refusal::BadForm => "O formulário chegou incompleto.",
        Refusal::TooLong => "A mensagem é longa demais.",
        Refusal::Broken => "A página não pôde ser desenhada; o motivo está no log.",
    }
}
