//! Echoes: our own texts coming back as `fromMe` webhooks, as installations do whose phone reports everything it sends.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use super::state::lock;
use crate::clients::http::{BODY_LIMIT, HttpClient};
use crate::clock::Clock;
use crate::domain::webhook_auth::sign;

/// Time allowed for one webhook.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// A company as its Whaticket knows it: where its webhook is and how calls to it are proved. `Debug` hides the secrets.
#[derive(Clone)]
pub struct CompanyAtStandIn {
    /// Its number.
    pub id: i64,
    /// The product's webhook, e.g. `http://127.0.0.1:8080/webhook/whaticket`.
    pub webhook_url: String,
    /// The `Host` header, which selects the company.
    pub host: String,
    /// Signs the webhook.
    pub webhook_secret: String,
    /// Goes out as `X-Webhook-Token`.
    pub webhook_token: String,
}

impl fmt::Debug for CompanyAtStandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompanyAtStandIn").field("id", &self.id).field("host", &self.host).finish_non_exhaustive()
    }
}

/// Who gets echoes.
#[derive(Debug)]
pub(super) struct Echoes {
    clock: Clock,
    http: HttpClient,
    companies: Mutex<HashMap<i64, CompanyAtStandIn>>,
    on: Mutex<HashSet<i64>>,
}

impl Echoes {
    pub fn new(clock: Clock, http: HttpClient) -> Self {
        Self { clock, http, companies: Mutex::default(), on: Mutex::default() }
    }

    pub fn register(&self, company: CompanyAtStandIn) {
        lock(&self.companies).insert(company.id, company);
    }

    pub fn knows(&self, company: i64) -> bool {
        lock(&self.companies).contains_key(&company)
    }

    pub fn set(&self, company: i64, on: bool) {
        let mut echoing = lock(&self.on);
        if on {
            echoing.insert(company)
        } else {
            echoing.remove(&company)
        };
    }

    pub fn is_on(&self, company: i64) -> bool {
        lock(&self.on).contains(&company)
    }

    /// Sends one echo; the webhook's status, or why there was none.
    pub async fn send(&self, company: i64, to: &str, text: &str, id: &str) -> Result<u16, String> {
        let Some(company) = lock(&self.companies).get(&company).cloned() else {
            return Err("this company was not registered here".to_owned());
        };
        let now = self.clock.now().timestamp();
        let jid = if to.contains('@') { to.to_owned() } else { format!("{to}@s.whatsapp.net") };
        let body = json!({
            "key": {"remoteJid": jid, "fromMe": true, "id": id},
            "messageTimestamp": now,
            "message": {"conversation": text},
        })
        .to_string();
        let timestamp = now.to_string();
        let signature = format!("sha256={}", sign(&company.webhook_secret, now, body.as_bytes()));
        let headers = [
            ("host", company.host.as_str()),
            ("x-webhook-token", company.webhook_token.as_str()),
            ("x-webhook-timestamp", timestamp.as_str()),
            ("x-webhook-signature", signature.as_str()),
        ];
        let answer =
            self.http.post_json(&company.webhook_url, &headers, body.into_bytes(), WEBHOOK_TIMEOUT, BODY_LIMIT);
        answer.await.map(|answer| answer.status).map_err(|error| error.to_string())
    }
}
