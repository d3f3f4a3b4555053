//! Customers: signed webhooks with unique ids and unique words, and a ledger of every 2xx they got.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secretaria::domain::webhook_auth::sign;
use serde_json::json;

use super::Dice;
use super::arena::Arena;
use super::deeds::Token;
use super::wire::{Reply, Wire};

/// A message we answered 2xx to.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub token: Token,
    pub id: String,
}

/// The client's side of the story.
#[derive(Default)]
pub struct ClientLedger {
    accepted: Mutex<Vec<Accepted>>,
    /// Requests made, repeats included.
    pub posts: AtomicU64,
    /// Connections that broke, and 503: tried again with the same id.
    pub refused: AtomicU64,
    /// Repeats of an accepted message.
    pub repeats: AtomicU64,
    wrong: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl ClientLedger {
    pub fn accepted(&self) -> Vec<Accepted> {
        self.accepted.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// Answers that no retry can mend.
    pub fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }

    /// Ends the load after the messages in hand.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// How much is said, by how many, how fast.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Connections that speak at once.
    pub clients: usize,
    /// Only this company, else all.
    pub company: Option<usize>,
    /// First conversation of each company.
    pub first: usize,
    /// Conversations of each company.
    pub conversations: usize,
    /// Bursts of each conversation.
    pub rounds: usize,
    /// Messages of a burst.
    pub burst: (u64, u64),
    /// Pause of a client between two bursts, milliseconds.
    pub pause_ms: (u64, u64),
    /// Accepted messages that are said once more, of a hundred.
    pub repeat_percent: u64,
}

impl Shape {
    pub fn new(conversations: usize, rounds: usize) -> Self {
        Self {
            clients: 24,
            company: None,
            first: 0,
            conversations,
            rounds,
            burst: (1, 1),
            pause_ms: (0, 0),
            repeat_percent: 0,
        }
    }
}

/// The telephone number of a conversation.
pub fn number_of(company: usize, conversation: usize) -> String {
    format!("55119{company:03}{conversation:05}")
}

/// The conversation of a telephone number.
pub fn owner_of(number: &str) -> Option<(usize, usize)> {
    let digits = number.strip_prefix("55119")?;
    Some((digits.get(..3)?.parse().ok()?, digits.get(3..)?.parse().ok()?))
}

/// The id of a message, unique over seeds.
pub fn id_of(seed: u64, token: Token) -> String {
    format!("S{seed}{token}")
}

/// Says everything a shape asks for; returns when all of it is accepted, or the ledger says stop.
pub async fn speak(arena: &Arc<Arena>, ledger: &Arc<ClientLedger>, shape: Shape) {
    let companies: Vec<usize> = match shape.company {
        Some(company) => vec![company],
        None => (0..arena.companies.len()).collect(),
    };
    let all: Vec<(usize, usize)> = (shape.first..shape.first + shape.conversations)
        .flat_map(|conversation| companies.iter().map(move |company| (*company, conversation)))
        .collect();
    let clients = (0..shape.clients.min(all.len())).map(|n| {
        let mine: Vec<_> = all.iter().copied().skip(n).step_by(shape.clients).collect();
        let mut speaker = Speaker::new(arena, ledger, n);
        tokio::spawn(async move { speaker.run(&mine, shape).await })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

/// One connection and what it says.
pub struct Speaker {
    arena: Arc<Arena>,
    ledger: Arc<ClientLedger>,
    addresses: Vec<SocketAddr>,
    wire: Wire,
    dice: Dice,
}

impl Speaker {
    pub fn new(arena: &Arc<Arena>, ledger: &Arc<ClientLedger>, n: usize) -> Self {
        let addresses: Vec<SocketAddr> = arena.serves.iter().map(|(_, address)| *address).collect();
        Self {
            arena: Arc::clone(arena),
            ledger: Arc::clone(ledger),
            wire: Wire::to(addresses[n % addresses.len()]),
            addresses,
            dice: Dice::new(arena.seed, n as u64 + 1),
        }
    }

    async fn run(&mut self, mine: &[(usize, usize)], shape: Shape) {
        for round in 0..shape.rounds {
            for (company, conversation) in mine {
                let burst = if shape.burst.0 == shape.burst.1 {
                    shape.burst.0
                } else {
                    // Drawn from the conversation, not the client: the same for every order of events.
                    let salt = (*conversation as u64) << 20 | round as u64;
                    Dice::new(self.arena.seed, salt).between(shape.burst.0, shape.burst.1)
                };
                for n in 0..burst {
                    let n = round * usize::try_from(shape.burst.1).unwrap() + usize::try_from(n).unwrap();
                    let token = Token { company: *company, conversation: *conversation, n };
                    self.say(token).await;
                    if self.dice.percent(shape.repeat_percent) {
                        self.repeat(token).await;
                    }
                }
                if self.ledger.stopped() {
                    return;
                }
                let pause = self.dice.between(shape.pause_ms.0, shape.pause_ms.1);
                if pause > 0 {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
            }
        }
    }

    /// Says a message until it is accepted, always with the same id.
    pub async fn say(&mut self, token: Token) {
        let text = format!("eco:{token}");
        for attempt in 0_u64.. {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(20 + self.dice.below(60))).await;
                let other = self.dice.below(self.addresses.len() as u64);
                self.wire.turn_to(self.addresses[usize::try_from(other).unwrap()]);
            }
            match self.post(token, &text).await {
                Ok(reply) if matches!(reply.status, 200 | 202) => {
                    if reply.body.contains("ignored") {
                        self.note_wrong(token, &reply);
                    }
                    let id = id_of(self.arena.seed, token);
                    self.ledger.accepted.lock().unwrap().push(Accepted { token, id });
                    return;
                }
                Ok(reply) if reply.status != 503 && reply.status != 429 => {
                    self.note_wrong(token, &reply);
                    return;
                }
                _ => {
                    self.ledger.refused.fetch_add(1, Ordering::Relaxed);
                    if attempt > 3000 {
                        self.ledger.wrong.lock().unwrap().push(format!("{token} was never accepted"));
                        return;
                    }
                }
            }
        }
    }

    /// Says an accepted message once more; whatever is answered is fine.
    pub async fn repeat(&mut self, token: Token) {
        self.ledger.repeats.fetch_add(1, Ordering::Relaxed);
        let _ = self.post(token, &format!("eco:{token}")).await;
    }

    fn note_wrong(&self, token: Token, reply: &Reply) {
        self.ledger.wrong.lock().unwrap().push(format!("{token} was answered {} {}", reply.status, reply.body));
    }

    /// One signed webhook; the text may be anything.
    pub async fn post(&mut self, token: Token, text: &str) -> std::io::Result<Reply> {
        self.ledger.posts.fetch_add(1, Ordering::Relaxed);
        let company = &self.arena.companies[token.company];
        let now = self.arena.clock.now().timestamp();
        let body = json!({
            "key": {
                "remoteJid": format!("{}@s.whatsapp.net", number_of(token.company, token.conversation)),
                "fromMe": false,
                "id": id_of(self.arena.seed, token),
            },
            "messageTimestamp": now,
            "pushName": "Ana",
            "message": {"conversation": text},
        })
        .to_string();
        let (timestamp, signature) =
            (now.to_string(), format!("sha256={}", sign(&company.secret, now, body.as_bytes())));
        let headers = [
            ("host", company.domain.as_str()),
            ("x-webhook-token", company.token.as_str()),
            ("x-webhook-timestamp", timestamp.as_str()),
            ("x-webhook-signature", signature.as_str()),
        ];
        self.wire.post("/webhook/whaticket", &headers, body.as_bytes()).await
    }
}
