//! The wall over HTTP: every route of the table with every wrong identity that exists so far. A route or an identity
//! without an expectation fails here.

use secretaria::domain::webhook_auth::{calcom, sign};
use secretaria::routes::{Access, ROUTES, Role};
use secretaria::services::audit::Actor;
use secretaria::services::provisioning::{CompanyName, Provisioner};
use secretaria::tenant::MasterKey;
use serde_json::{Value, json};

use crate::harness::trouble::{Headers, Wire, signed_at};
use crate::harness::{Company, World, eventually};

const METRICS_TOKEN: &str = "metrics-token-0123456789abcdef-0123456789";

/// Somebody who should see nothing of the other company. The clinic is ourselves, the salon the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    NoCredential,
    Malformed,
    Expired,
    Revoked,
    TokenOfAnother,
    SecretOfAnother,
    MetricsToken,
    WebhookToken,
    AnotherInPath,
    AnotherInQuery,
    AnotherInBody,
    AnotherInHeader,
    AnotherHost,
    ForwardedHost,
    CompanyDomain,
    TwoHosts,
    HostWithDot,
    HostInCapitals,
    HostWithPort,
    HostIsAddress,
    AnotherHostVariant,
}

use Identity::*;

/// What a route owes an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    /// This status.
    Status(u16),
    /// Whatever the right identity gets: what is forged is not read.
    SameAsRight,
}

use Owed::*;

const IDENTITIES: [Identity; 21] = [
    NoCredential,
    Malformed,
    Expired,
    Revoked,
    TokenOfAnother,
    SecretOfAnother,
    MetricsToken,
    WebhookToken,
    AnotherInPath,
    AnotherInQuery,
    AnotherInBody,
    AnotherInHeader,
    AnotherHost,
    ForwardedHost,
    CompanyDomain,
    TwoHosts,
    HostWithDot,
    HostInCapitals,
    HostWithPort,
    HostIsAddress,
    AnotherHostVariant,
];

/// What a route owes an identity; `None` = nobody has thought about this route.
fn expected(access: Access, method: &str, path: &str, identity: Identity) -> Option<Owed> {
    match (path, identity) {
        (_, TwoHosts) => Some(Status(400)),
        _ if access == Access::Company => Some(expected_of_api(method, identity)),
        // Nothing below a route is a route.
        ("/healthz" | "/readyz" | "/metrics" | "/webhook/whaticket", AnotherInPath) => Some(Status(404)),
        // Public: nothing of a company is shown, no forged field is read.
        ("/healthz" | "/readyz", _) => Some(Status(200)),
        // A scraper from outside: its own token opens, whatever else it says; nothing else does.
        ("/metrics", MetricsToken | AnotherInQuery | AnotherInBody | AnotherInHeader) => Some(Status(200)),
        ("/metrics", AnotherHost | ForwardedHost | CompanyDomain) => Some(Status(200)),
        ("/metrics", HostWithDot | HostInCapitals | HostWithPort | HostIsAddress | AnotherHostVariant) => {
            Some(Status(200))
        }
        ("/metrics", _) => Some(Status(403)),
        // Names of another company that are not read: the same answer as without them, for our own company.
        ("/webhook/whaticket", AnotherInQuery | AnotherInBody | AnotherInHeader | ForwardedHost) => Some(Status(202)),
        ("/webhook/whaticket", HostWithDot | HostInCapitals | HostWithPort) => Some(Status(202)),
        ("/webhook/whaticket", HostIsAddress) => Some(Status(404)),
        ("/webhook/whaticket", _) => Some(Status(401)),
        ("/webhook/calcom" | "/api/agenda/webhook/cal", identity) => Some(expected_of_calendar(identity)),
        _ => None,
    }
}

/// The calendar's callbacks: a signature without a time, and no token. What else is said is not read.
fn expected_of_calendar(identity: Identity) -> Owed {
    match identity {
        AnotherInPath | HostIsAddress => Status(404),
        NoCredential | Malformed | Revoked | SecretOfAnother | WebhookToken => Status(401),
        AnotherHost | CompanyDomain | AnotherHostVariant => Status(401),
        _ => Status(200),
    }
}

/// A company's API: its own token on its own host opens, names of another company refuse the request as a whole.
fn expected_of_api(method: &str, identity: Identity) -> Owed {
    match identity {
        AnotherInQuery => Status(403),
        AnotherInBody if method != "GET" && method != "DELETE" => Status(403),
        AnotherInBody | AnotherInHeader | ForwardedHost | CompanyDomain => SameAsRight,
        HostWithDot | HostInCapitals | HostWithPort => SameAsRight,
        HostIsAddress | AnotherInPath => Status(404),
        _ => Status(401),
    }
}

/// Everything an identity sends.
struct Attempt {
    path: String,
    headers: Headers,
    body: String,
}

/// The token of a company's API.
fn api_token(company: &Company) -> String {
    format!("api-token-of-company-{:0>20}", company.id)
}

/// The secret of a company's callbacks.
fn calendar_secret(company: &Company) -> String {
    format!("calendar-secret-of-company-{}", company.id)
}

/// The headers of a company's own call of its API.
fn api_headers(company: &Company) -> Headers {
    vec![
        ("host", company.domain.clone()),
        ("content-type", "application/json".to_owned()),
        ("authorization", format!("Bearer {}", api_token(company))),
    ]
}

struct Scene {
    world: World,
    /// The clinic's credentials before a rotation that is over.
    revoked: Company,
}

impl Scene {
    async fn set() -> Self {
        let world = World::builder().workers(0).set("metrics.token", METRICS_TOKEN).start().await;
        let revoked = world.clinic.clone();
        let key = MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap();
        let whose = CompanyName::Number(revoked.id);
        let mut provisioner = Provisioner::new(&world.settings, &key, world.clock.clone(), Actor::operator("test"));
        let keys = provisioner.rotate(&whose, false).await.unwrap().webhook.unwrap();
        provisioner.finish_rotation(&whose, false).await.unwrap();
        world.process.services.directory.refresh().await.unwrap();
        let mut scene = Self { world, revoked };
        scene.world.clinic.secret = secrecy::ExposeSecret::expose_secret(&keys.secret).to_owned();
        for company in [&scene.world.clinic, &scene.world.salon] {
            let secrets = [
                ("secret:api.token", api_token(company)),
                ("secret:calendar.webhook_secret", calendar_secret(company)),
            ];
            scene.world.configure(company, &secrets.each_ref().map(|(key, value)| (*key, value.as_str()))).await;
        }
        scene.world.clinic.token = secrecy::ExposeSecret::expose_secret(&keys.token).to_owned();
        scene
    }

    /// The request of this identity; `n` makes messages differ.
    fn attempt(&self, access: Access, path: &str, identity: Option<Identity>, n: usize) -> Attempt {
        // An object's id: of the other company, as nothing with it exists here.
        let path = path.replace("{id}", "0190a6f2-7c11-7a52-8f3e-5d1f6a0b9c77");
        let Some(identity) = identity else { return self.right(access, path, n) };
        let (clinic, salon) = (&self.world.clinic, &self.world.salon);
        let other = salon.id.to_string();
        let mut message = json!({"id": format!("WALL-{n}"), "number": "5511987654321", "text": "oi"});
        if identity == AnotherInBody {
            for field in ["company", "companyId", "company_id", "tenant"] {
                message[field] = salon.id.get().into();
            }
        }
        let body = message.to_string();
        let now = self.world.clock.now().timestamp();
        let at = if identity == Expired { now - 301 } else { now };
        let (token, secret) = match identity {
            Revoked => (&self.revoked.token, &self.revoked.secret),
            TokenOfAnother => (&salon.token, &clinic.secret),
            SecretOfAnother => (&clinic.token, &salon.secret),
            _ => (&clinic.token, &clinic.secret),
        };
        let whose = Company { token: token.clone(), secret: secret.clone(), ..clinic.clone() };
        let of_calendar = path.ends_with("/cal") || path.ends_with("/calcom");
        let mut headers = match access {
            Access::Webhook if of_calendar => {
                let secret = match identity {
                    Revoked => "calendar-secret-of-yesterday".to_owned(),
                    SecretOfAnother => calendar_secret(salon),
                    _ => calendar_secret(clinic),
                };
                let signature = calcom::sign(&secret, body.as_bytes());
                let json = ("content-type", "application/json".to_owned());
                vec![("host", clinic.domain.clone()), json, ("x-cal-signature-256", signature)]
            }
            Access::Webhook => signed_at(&whose, at, &body),
            Access::Company => api_headers(clinic),
            _ => vec![("host", clinic.domain.clone()), ("authorization", format!("Bearer {METRICS_TOKEN}"))],
        };
        // Someone on the network, not on this machine.
        headers.push(("x-forwarded-for", "203.0.113.9".to_owned()));
        let credentials =
            ["authorization", "x-webhook-token", "x-webhook-timestamp", "x-webhook-signature", "x-cal-signature-256"];
        let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
        let without = |headers: &mut Headers, names: &[&str]| headers.retain(|(name, _)| !names.contains(name));
        let host = |headers: &mut Headers, value: String| {
            without(headers, &["host"]);
            headers.push(("host", value));
        };
        let mut path = path;
        match identity {
            NoCredential => without(&mut headers, &credentials),
            Malformed => {
                without(&mut headers, &credentials);
                headers.push(("authorization", "Bearer".to_owned()));
                headers.push(("x-webhook-signature", "sha256=zz".to_owned()));
                headers.push(("x-cal-signature-256", "zz".to_owned()));
            }
            // Metrics know no expiry and no rotation: any token but theirs is as good as expired.
            Expired | Revoked | TokenOfAnother if access == Access::Company => {
                without(&mut headers, &credentials);
                let token =
                    if identity == TokenOfAnother { api_token(salon) } else { "api-token-of-yesterday".repeat(2) };
                headers.push(bearer(&token));
            }
            Expired | Revoked | TokenOfAnother | SecretOfAnother | WebhookToken if access != Access::Webhook => {
                without(&mut headers, &credentials);
                headers.push(bearer(token));
            }
            MetricsToken => {
                without(&mut headers, &["authorization", "x-webhook-token"]);
                headers.push(bearer(METRICS_TOKEN));
            }
            // The token alone, in every place a token may stand.
            WebhookToken => {
                without(&mut headers, &credentials);
                headers.push(bearer(token));
                headers.push(("x-webhook-token", token.clone()));
            }
            AnotherInPath => path = format!("{path}/{other}"),
            AnotherInQuery => path = format!("{path}?company={other}&companyId={other}&domain={}", salon.domain),
            AnotherInHeader => {
                for name in ["x-company", "x-company-id", "x-tenant", "x-tenant-id"] {
                    headers.push((name, other.clone()));
                }
            }
            AnotherHost => host(&mut headers, salon.domain.clone()),
            ForwardedHost => headers.push(("x-forwarded-host", salon.domain.clone())),
            CompanyDomain => headers.push(("x-company-domain", salon.domain.clone())),
            TwoHosts => headers.push(("Host", salon.domain.clone())),
            HostWithDot => host(&mut headers, format!("{}.", clinic.domain)),
            HostInCapitals => host(&mut headers, clinic.domain.to_uppercase()),
            HostWithPort => host(&mut headers, format!("{}:8443", clinic.domain)),
            HostIsAddress => host(&mut headers, "127.0.0.1".to_owned()),
            AnotherHostVariant => host(&mut headers, format!("{}.:443", salon.domain.to_uppercase())),
            Expired | Revoked | TokenOfAnother | SecretOfAnother | AnotherInBody => {}
        }
        Attempt { path, headers, body }
    }

    /// What the company itself sends.
    fn right(&self, access: Access, path: String, n: usize) -> Attempt {
        let clinic = &self.world.clinic;
        let body = json!({"id": format!("WALL-{n}"), "number": "5511987654321", "text": "oi"}).to_string();
        let mut headers = match access {
            Access::Webhook => signed_at(clinic, self.world.clock.now().timestamp(), &body),
            _ => api_headers(clinic),
        };
        headers.push(("x-forwarded-for", "203.0.113.9".to_owned()));
        Attempt { path, headers, body }
    }

    /// What no answer may show: of the other company, of our credentials.
    fn assert_silent(&self, answer: &Wire, what: &str) {
        let salon = &self.world.salon;
        for secret in [&salon.secret, &salon.token, &self.world.clinic.secret, &self.world.clinic.token] {
            assert!(!answer.body.contains(secret.as_str()), "{what}: a credential is shown");
        }
        for name in [&salon.domain, "Salão", "Bela Vista"] {
            assert!(!answer.body.contains(name), "{what}: {}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_wrong_identity_opens_any_route() {
    let scene = Scene::set().await;
    let world = &scene.world;
    let mut n = 0;
    let mut asked = 0;
    for route in ROUTES.iter().filter(|route| route.roles.contains(&Role::Serve)) {
        let method = route.method.as_str();
        for identity in IDENTITIES {
            n += 1;
            let what = format!("{method} {} as {identity:?}", route.path);
            let owed = expected(route.access, method, route.path, identity)
                .unwrap_or_else(|| panic!("{what}: the route has no row in the table of expectations"));
            let status = match owed {
                Status(status) => status,
                SameAsRight => {
                    let right = scene.attempt(route.access, route.path, None, n);
                    let status = world.request(method, &right.path, &right.headers, &right.body).await.status;
                    assert!(![401, 403].contains(&status), "{what}: the right identity got {status}");
                    status
                }
            };
            let attempt = scene.attempt(route.access, route.path, Some(identity), n);
            let answer = world.request(method, &attempt.path, &attempt.headers, &attempt.body).await;
            assert_eq!(answer.status, status, "{what}: {}", answer.body);
            scene.assert_silent(&answer, &what);
            asked += 1;
        }
    }
    assert_eq!(asked, IDENTITIES.len() * ROUTES.iter().filter(|route| route.roles.contains(&Role::Serve)).count());
    assert!(world.redis_of(&world.salon).is_empty(), "something reached the other company");
    // The same requests with the right identity do get through, so the refusals above mean something.
    let right = scene.attempt(Access::Webhook, "/webhook/whaticket", Some(AnotherInBody), 0);
    world.request("POST", "/webhook/whaticket", &right.headers, &right.body).await.expect_status(202);
    scene.world.end().await;
}

#[test]
fn every_route_of_every_role_has_its_row() {
    for route in ROUTES {
        for identity in IDENTITIES {
            let owed = expected(route.access, route.method.as_str(), route.path, identity);
            assert!(owed.is_some(), "{} {}: {identity:?}", route.method, route.path);
        }
    }
    assert_eq!(
        expected(Access::Public, "GET", "/a/route/of/tomorrow", NoCredential),
        None,
        "the table must be able to fail"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_company_sends_is_seen_by_no_other() {
    let world = World::start().await;
    // The same person, the same message id, at both companies.
    let text = |company: &Company| format!("qual o horário? {}", company.id);
    for company in [&world.clinic, &world.salon] {
        let body = json!({"id": "SAME", "number": "5511987654321", "text": text(company)});
        world.webhook(company, &body).await.expect_status(202);
    }
    world.quiet().await;
    for (own, other) in [(&world.clinic, &world.salon), (&world.salon, &world.clinic)] {
        let said = world.sql(own, "SELECT body FROM message WHERE author = 'customer'");
        assert_eq!(said, text(own));
        let calls = world.model_calls();
        let own_calls: Vec<&Value> =
            calls.iter().filter(|c| c.company == Some(own.id.get())).map(|c| &c.body).collect();
        assert_eq!(own_calls.len(), 1);
        assert!(!own_calls[0].to_string().contains(&text(other)));
        let foreign = text(other);
        assert!(world.redis_of(own).values().all(|value| !contains(value, foreign.as_bytes())));
    }
    // A signature of one company over another's request, with that company's own token.
    let body = json!({"id": "X", "number": "5511987654321", "text": "oi"}).to_string();
    let now = world.clock.now().timestamp();
    let mut headers = signed_at(&world.clinic, now, &body);
    headers.retain(|(name, _)| *name != "x-webhook-signature");
    headers.push(("x-webhook-signature", format!("sha256={}", sign(&world.salon.secret, now, body.as_bytes()))));
    eventually("refused", async || world.request("POST", "/webhook/whaticket", &headers, &body).await.status == 401)
        .await;
    world.end().await;
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
