//! The HTTP surface: the table of routes on one screen, and what every route shares.

pub mod agenda;
pub mod calcom;
pub mod client_ip;
pub mod conversations;
pub mod correlation;
pub mod error;
pub mod experiments;
pub mod extract;
pub mod flood;
pub mod knowledge;
mod middleware;
pub mod ops;
mod server;
pub mod simulator;
pub mod templates;
pub mod webhooks;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, web};

pub use actix_web::web::ServiceConfig;
pub use error::ApiError;
pub use server::{BodyError, read_body, server};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever holds a company's webhook credential.
    Webhook,
    /// Whoever holds the token of the company's API.
    Company,
    /// Whoever holds the token of the company's calendar feed.
    Feed,
    /// Loopback, or the bearer token of `metrics.token`.
    Metrics,
    /// Anybody who reaches a demo; absent elsewhere.
    Demo,
}

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes webhooks.
    Serve,
    /// Answers customers.
    Work,
    /// Keeps time.
    Schedule,
    /// All of them, with stand-ins and the simulator.
    Demo,
}

impl Role {
    /// Its spelling in answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Work => "work",
            Self::Schedule => "schedule",
            Self::Demo => "demo",
        }
    }
}

/// A method on a path.
pub struct Route {
    /// `GET` (which answers `HEAD` too), `POST`, …
    pub method: Method,
    /// Pattern as actix reads it.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Which processes have it.
    pub roles: &'static [Role],
    /// What it is for, one line.
    pub doc: &'static str,
    /// Binds the handler: `|route| route.to(module::handler)`.
    pub bind: fn(actix_web::Route) -> actix_web::Route,
}

const SERVING: &[Role] = &[Role::Serve, Role::Demo];
const EVERY_ROLE: &[Role] = &[Role::Serve, Role::Work, Role::Schedule, Role::Demo];

/// Every route of the program. What is not here is not served; tests walk this table.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    Route { method: Method::GET, path: "/healthz", access: Access::Public, roles: EVERY_ROLE,
            doc: "The process runs.", bind: |r| r.to(ops::healthz) },
    Route { method: Method::GET, path: "/readyz", access: Access::Public, roles: EVERY_ROLE,
            doc: "Every dependency with its state and latency; 503 when work cannot be done.", bind: |r| r.to(ops::readyz) },
    Route { method: Method::GET, path: "/metrics", access: Access::Metrics, roles: EVERY_ROLE,
            doc: "Metrics in the text format of Prometheus.", bind: |r| r.to(ops::metrics) },
    Route { method: Method::POST, path: "/webhook/whaticket", access: Access::Webhook, roles: SERVING,
            doc: "A message, or an echo of our own number, from Whaticket, its forks or a proxy.", bind: |r| r.to(webhooks::whaticket) },
    Route { method: Method::POST, path: "/webhook/calcom", access: Access::Webhook, roles: SERVING,
            doc: "What Cal.com tells of bookings.", bind: |r| r.to(calcom::callback) },
    Route { method: Method::POST, path: "/api/agenda/webhook/cal", access: Access::Webhook, roles: SERVING,
            doc: "The same, where v2.4 had it.", bind: |r| r.to(calcom::callback) },
    Route { method: Method::GET, path: "/api/knowledge", access: Access::Company, roles: SERVING,
            doc: "What the company tells its customers, by title.", bind: |r| r.to(knowledge::entries) },
    Route { method: Method::PUT, path: "/api/knowledge", access: Access::Company, roles: SERVING,
            doc: "Keeps entries; the same title and first day again replaces.", bind: |r| r.to(knowledge::put_entries) },
    Route { method: Method::POST, path: "/api/knowledge/import", access: Access::Company, roles: SERVING,
            doc: "Keeps the entries of a Markdown file or a CSV table.", bind: |r| r.to(knowledge::import_entries) },
    Route { method: Method::POST, path: "/api/knowledge/search", access: Access::Company, roles: SERVING,
            doc: "What a question finds, as the model would be shown it.", bind: |r| r.to(knowledge::search) },
    Route { method: Method::GET, path: "/api/knowledge/{id}", access: Access::Company, roles: SERVING,
            doc: "One entry.", bind: |r| r.to(knowledge::entry) },
    Route { method: Method::PUT, path: "/api/knowledge/{id}", access: Access::Company, roles: SERVING,
            doc: "Replaces an entry.", bind: |r| r.to(knowledge::put_entry) },
    Route { method: Method::DELETE, path: "/api/knowledge/{id}", access: Access::Company, roles: SERVING,
            doc: "Removes an entry.", bind: |r| r.to(knowledge::remove_entry) },
    Route { method: Method::GET, path: "/api/catalog", access: Access::Company, roles: SERVING,
            doc: "Services with their prices, people, hours, addresses.", bind: |r| r.to(knowledge::facts) },
    Route { method: Method::PUT, path: "/api/catalog", access: Access::Company, roles: SERVING,
            doc: "Keeps facts; the same kind and name again replaces.", bind: |r| r.to(knowledge::put_facts) },
    Route { method: Method::POST, path: "/api/catalog/import", access: Access::Company, roles: SERVING,
            doc: "Keeps the facts of a CSV table.", bind: |r| r.to(knowledge::import_facts) },
    Route { method: Method::GET, path: "/api/catalog/{id}", access: Access::Company, roles: SERVING,
            doc: "One fact.", bind: |r| r.to(knowledge::one_fact) },
    Route { method: Method::PUT, path: "/api/catalog/{id}", access: Access::Company, roles: SERVING,
            doc: "Replaces a fact.", bind: |r| r.to(knowledge::put_fact) },
    Route { method: Method::DELETE, path: "/api/catalog/{id}", access: Access::Company, roles: SERVING,
            doc: "Removes a fact.", bind: |r| r.to(knowledge::remove_fact) },
    Route { method: Method::GET, path: "/api/conversations", access: Access::Company, roles: SERVING,
            doc: "Conversations, urgent and long waiting ones first; `?state=waiting` and the like.", bind: |r| r.to(conversations::list) },
    Route { method: Method::POST, path: "/api/conversations/{id}/accept", access: Access::Company, roles: SERVING,
            doc: "A person takes the conversation.", bind: |r| r.to(conversations::accept) },
    Route { method: Method::POST, path: "/api/conversations/{id}/reply", access: Access::Company, roles: SERVING,
            doc: "A person says something; the assistant keeps quiet.", bind: |r| r.to(conversations::reply) },
    Route { method: Method::POST, path: "/api/conversations/{id}/resolve", access: Access::Company, roles: SERVING,
            doc: "The conversation is done.", bind: |r| r.to(conversations::resolve) },
    Route { method: Method::POST, path: "/api/conversations/{id}/give-back", access: Access::Company, roles: SERVING,
            doc: "The assistant goes on.", bind: |r| r.to(conversations::give_back) },
    Route { method: Method::GET, path: "/api/templates", access: Access::Company, roles: SERVING,
            doc: "The company's own wordings, and all that may be worded.", bind: |r| r.to(templates::list) },
    Route { method: Method::POST, path: "/api/templates", access: Access::Company, roles: SERVING,
            doc: "Adds a wording.", bind: |r| r.to(templates::create) },
    Route { method: Method::POST, path: "/api/templates/lint", access: Access::Company, roles: SERVING,
            doc: "What is wrong with a template, and how it looks.", bind: |r| r.to(templates::lint) },
    Route { method: Method::GET, path: "/api/templates/{id}", access: Access::Company, roles: SERVING,
            doc: "A wording.", bind: |r| r.to(templates::show) },
    Route { method: Method::PUT, path: "/api/templates/{id}", access: Access::Company, roles: SERVING,
            doc: "Changes a wording.", bind: |r| r.to(templates::change) },
    Route { method: Method::DELETE, path: "/api/templates/{id}", access: Access::Company, roles: SERVING,
            doc: "Takes a wording away; the wider or built-in one counts again.", bind: |r| r.to(templates::delete) },
    Route { method: Method::GET, path: "/api/experiments", access: Access::Company, roles: SERVING,
            doc: "A/B tests of wordings, the newest first.", bind: |r| r.to(experiments::list) },
    Route { method: Method::POST, path: "/api/experiments", access: Access::Company, roles: SERVING,
            doc: "Makes an experiment, not begun.", bind: |r| r.to(experiments::create) },
    Route { method: Method::GET, path: "/api/experiments/{id}", access: Access::Company, roles: SERVING,
            doc: "An experiment with its figures of this moment.", bind: |r| r.to(experiments::show) },
    Route { method: Method::DELETE, path: "/api/experiments/{id}", access: Access::Company, roles: SERVING,
            doc: "Takes an experiment away that was never begun.", bind: |r| r.to(experiments::delete) },
    Route { method: Method::POST, path: "/api/experiments/{id}/start", access: Access::Company, roles: SERVING,
            doc: "Begins an experiment.", bind: |r| r.to(experiments::start) },
    Route { method: Method::POST, path: "/api/experiments/{id}/stop", access: Access::Company, roles: SERVING,
            doc: "Ends an experiment.", bind: |r| r.to(experiments::stop) },
    Route { method: Method::POST, path: "/api/experiments/{id}/promote", access: Access::Company, roles: SERVING,
            doc: "Makes a variant the wording, and ends the experiment.", bind: |r| r.to(experiments::promote) },
    Route { method: Method::GET, path: "/api/agenda/availability", access: Access::Company, roles: SERVING,
            doc: "Free times, in order.", bind: |r| r.to(agenda::times::availability) },
    Route { method: Method::POST, path: "/api/agenda/book", access: Access::Company, roles: SERVING,
            doc: "Books one; the same `Idempotency-Key` books once.", bind: |r| r.to(agenda::times::book) },
    Route { method: Method::GET, path: "/api/agenda/appointments", access: Access::Company, roles: SERVING,
            doc: "Appointments, with how many came.", bind: |r| r.to(agenda::appointments::list) },
    Route { method: Method::GET, path: "/api/agenda/appointments/{id}", access: Access::Company, roles: SERVING,
            doc: "One appointment, with its reminders.", bind: |r| r.to(agenda::appointments::show) },
    Route { method: Method::POST, path: "/api/agenda/appointments/{id}/cancel", access: Access::Company, roles: SERVING,
            doc: "Calls it off.", bind: |r| r.to(agenda::appointments::cancel) },
    Route { method: Method::POST, path: "/api/agenda/appointments/{id}/reschedule", access: Access::Company, roles: SERVING,
            doc: "Moves it.", bind: |r| r.to(agenda::appointments::reschedule) },
    Route { method: Method::POST, path: "/api/agenda/appointments/{id}/confirm", access: Access::Company, roles: SERVING,
            doc: "Says yes to a pending one.", bind: |r| r.to(agenda::appointments::confirm) },
    Route { method: Method::POST, path: "/api/agenda/appointments/{id}/decline", access: Access::Company, roles: SERVING,
            doc: "Says no to a pending one.", bind: |r| r.to(agenda::appointments::decline) },
    Route { method: Method::POST, path: "/api/agenda/appointments/{id}/attended", access: Access::Company, roles: SERVING,
            doc: "Somebody came.", bind: |r| r.to(agenda::appointments::attended) },
    Route { method: Method::POST, path: "/api/agenda/appointments/{id}/no-show", access: Access::Company, roles: SERVING,
            doc: "Nobody came.", bind: |r| r.to(agenda::appointments::no_show) },
    Route { method: Method::POST, path: "/api/agenda/appointments/{id}/reminder", access: Access::Company, roles: SERVING,
            doc: "Sends a reminder now.", bind: |r| r.to(agenda::appointments::reminder) },
    Route { method: Method::GET, path: "/api/agenda/followups", access: Access::Company, roles: SERVING,
            doc: "Questions after visits.", bind: |r| r.to(agenda::followups::list) },
    Route { method: Method::POST, path: "/api/agenda/followups/{id}/resend", access: Access::Company, roles: SERVING,
            doc: "Asks once more.", bind: |r| r.to(agenda::followups::resend) },
    Route { method: Method::GET, path: "/api/agenda/insights", access: Access::Company, roles: SERVING,
            doc: "What past appointments say, day by day.", bind: |r| r.to(agenda::insights::show) },
    Route { method: Method::POST, path: "/api/agenda/insights", access: Access::Company, roles: SERVING,
            doc: "Looks anew, in place of today's.", bind: |r| r.to(agenda::insights::look) },
    Route { method: Method::POST, path: "/api/agenda/auto-reschedule", access: Access::Company, roles: SERVING,
            doc: "Asks people of risky appointments whether another time suits them better.", bind: |r| r.to(agenda::insights::ask) },
    Route { method: Method::GET, path: "/api/agenda/waitlist", access: Access::Company, roles: SERVING,
            doc: "Who waits for a time to become free.", bind: |r| r.to(agenda::waiting::list) },
    Route { method: Method::POST, path: "/api/agenda/waitlist", access: Access::Company, roles: SERVING,
            doc: "Puts somebody on the list.", bind: |r| r.to(agenda::waiting::join) },
    Route { method: Method::DELETE, path: "/api/agenda/waitlist/{id}", access: Access::Company, roles: SERVING,
            doc: "Takes somebody off the list.", bind: |r| r.to(agenda::waiting::leave) },
    Route { method: Method::GET, path: "/api/agenda/services", access: Access::Company, roles: SERVING,
            doc: "What can be booked.", bind: |r| r.to(agenda::offer::services) },
    Route { method: Method::PUT, path: "/api/agenda/services", access: Access::Company, roles: SERVING,
            doc: "Keeps services; the same name again replaces.", bind: |r| r.to(agenda::offer::put_services) },
    Route { method: Method::GET, path: "/api/agenda/professionals", access: Access::Company, roles: SERVING,
            doc: "With whom it can be booked.", bind: |r| r.to(agenda::offer::professionals) },
    Route { method: Method::PUT, path: "/api/agenda/professionals", access: Access::Company, roles: SERVING,
            doc: "Keeps professionals; the same name again replaces.", bind: |r| r.to(agenda::offer::put_professionals) },
    Route { method: Method::GET, path: "/api/agenda/hours", access: Access::Company, roles: SERVING,
            doc: "When the company is open.", bind: |r| r.to(agenda::offer::hours) },
    Route { method: Method::PUT, path: "/api/agenda/hours", access: Access::Company, roles: SERVING,
            doc: "Changes when it is open.", bind: |r| r.to(agenda::offer::put_hours) },
    Route { method: Method::GET, path: "/api/agenda/feed", access: Access::Company, roles: SERVING,
            doc: "Where the calendar feed is.", bind: |r| r.to(agenda::feed::address) },
    Route { method: Method::GET, path: "/api/agenda/feed.ics", access: Access::Feed, roles: SERVING,
            doc: "Appointments for calendar programs (iCalendar).", bind: |r| r.to(agenda::feed::show) },
];

/// The routes a role has.
pub fn routes_of(role: Role) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(move |route| route.roles.contains(&role))
}

/// Mounts all routes of a role. State that handlers ask for is added by the caller (`cfg.app_data`).
pub fn mount(cfg: &mut web::ServiceConfig, role: Role) {
    let mut paths: Vec<&'static str> = routes_of(role).map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        // What is no id is no object: not found, whatever the method.
        let mut resource = web::resource(path.replace("{id}", "{id:[0-9a-fA-F-]{36}}"));
        let mut allow: Vec<&'static str> = Vec::new();
        for route in routes_of(role).filter(|route| route.path == path) {
            allow.push(route.method.as_str());
            resource = resource.route((route.bind)(web::method(route.method.clone())));
            if route.method == Method::GET {
                allow.push("HEAD");
                resource = resource.route((route.bind)(web::head()));
            }
        }
        let allow = allow.join(", ");
        let refuse = move |req: HttpRequest| {
            let error = ApiError::method_not_allowed(req.path()).header(header::ALLOW, &allow);
            async move { Err::<actix_web::HttpResponse, _>(error) }
        };
        cfg.service(resource.default_service(web::to(refuse)));
    }
}
