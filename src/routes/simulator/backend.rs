//! What the simulator's page needs from the rest of the product, as one trait: the page draws, the backend acts.

use futures::future::BoxFuture;

/// A company whose phone can be simulated.
#[derive(Clone, Debug)]
pub struct SimCompany {
    /// Its number in the control database.
    pub id: i64,
    /// The name its customers know it by.
    pub name: String,
    /// The host name its webhooks arrive at.
    pub domain: String,
}

/// The person who holds the simulated phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimPerson {
    /// The profile's name; raw text, at most 80 characters.
    pub name: String,
    /// 8 to 15 digits, country code included.
    pub number: String,
}

/// What the server's own endpoint answered to one signed webhook.
#[derive(Clone, Debug)]
pub struct SentWebhook {
    /// HTTP status; 0 when no answer came.
    pub status: u16,
    /// The answer's body, as received.
    pub body: String,
    /// The correlation id under which the message travels.
    pub correlation_id: String,
    /// When it was posted, in milliseconds since 1970.
    pub at_ms: i64,
}

/// How far a message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Accepted by the other side's server: one tick.
    Sent,
    /// Arrived: two ticks.
    Delivered,
    /// Still on its way: a small clock.
    Pending,
    /// Given up: a red mark.
    Failed,
}

/// One message of a conversation.
#[derive(Clone, Debug)]
pub struct Bubble {
    /// Unique within the conversation and the same at every call: the page tells new bubbles from old ones by it.
    pub id: String,
    /// `true` for the customer's own message, `false` for the company's answer.
    pub from_customer: bool,
    /// The raw text with WhatsApp's marks (`*bold*`); escaped by the page.
    pub text: String,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: i64,
    /// How far it got.
    pub tick: Tick,
    /// The correlation id of the turn it belongs to; empty when unknown.
    pub correlation_id: String,
}

/// One stage of a turn.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What the operator reads, in pt-BR: "fila", "modelo", "entrega".
    pub name: String,
    /// When it began, in milliseconds since any origin shared by all stages of the turn.
    pub at_ms: i64,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}

/// The X-ray of one turn.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The correlation id, from the webhook to the delivery.
    pub correlation_id: String,
    /// The stages in order of their beginning.
    pub stages: Vec<Stage>,
    /// What the turn decided, in pt-BR ("respondeu", "modelo de reserva: technical_issue"); `None` while it runs.
    pub decision: Option<String>,
    /// The model that answered; `None` when none was asked.
    pub model: Option<String>,
    /// Tokens of the prompt.
    pub tokens_in: Option<u32>,
    /// Tokens of the answer, thinking included.
    pub tokens_out: Option<u32>,
    /// How much the text looks like an injection, 0 to 1.
    pub injection_score: Option<f64>,
    /// The turn's log lines, secrets and numbers already masked.
    pub log_lines: Vec<String>,
}

/// The product behind the simulated phone.
pub trait SimulatorBackend: Send + Sync {
    /// The companies on offer, in the order of the tabs.
    fn companies(&self) -> Vec<SimCompany>;

    /// Posts each text as a real, signed webhook to the server's own endpoint, in this order.
    fn send(&self, company: i64, person: SimPerson, texts: Vec<String>) -> BoxFuture<'_, Vec<SentWebhook>>;

    /// The conversation of one number with one company, oldest first; empty when there is none or it cannot be read.
    fn transcript(&self, company: i64, number: &str) -> BoxFuture<'_, Vec<Bubble>>;

    /// Whether the company's side is writing at this moment.
    fn typing(&self, company: i64, number: &str) -> BoxFuture<'_, bool>;

    /// The X-ray of one turn; `None` until something is known of it.
    fn timeline(&self, company: i64, correlation_id: &str) -> BoxFuture<'_, Option<Timeline>>;

    /// Makes the stand-in model refuse (`true`) or answer again (`false`).
    fn set_model_down(&self, down: bool) -> BoxFuture<'_, ()>;

    /// Whether the stand-in model refuses at this moment.
    fn model_is_down(&self) -> bool;

    /// The moment, in milliseconds since 1970, of the product's clock (which the simulator may have moved).
    fn now_ms(&self) -> i64;
}
