//! The HTTP surface: the table of routes on one screen, and what every route shares.

pub mod client_ip;
pub mod correlation;
pub mod error;
pub mod extract;
pub mod flood;
pub mod knowledge;
mod middleware;
pub mod ops;
mod server;
pub mod simulator;
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
        let mut resource = web::resource(path);
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
