//! The providers' stand-in of the benchmark: the wire shapes of Gemini and Whaticket at a few microseconds a call, one
//! thread, a compact ledger. The same one serves floor and product, and it judges both.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::mark::Mark;
use crate::wire::{Message, Wire};

/// An accepted text.
#[derive(Clone, Copy)]
pub struct Sent {
    pub mark: Mark,
    pub at: Instant,
}

/// Hears of the texts of one conversation.
pub type Ear = UnboundedSender<Sent>;

#[derive(Default)]
struct Book {
    sent: Vec<Sent>,
    ears: HashMap<(u32, u32), Ear>,
    contextless: u64,
    wrong_company: u64,
    odd: u64,
}

#[derive(Default)]
struct State {
    book: Mutex<Book>,
    latency_ms: AtomicU64,
    thinking: AtomicI64,
    most_thinking: AtomicI64,
    answered: AtomicU64,
    model_calls: AtomicU64,
    ids: AtomicU64,
}

/// The running stand-in.
#[derive(Clone)]
pub struct Standin {
    pub url: String,
    state: Arc<State>,
}

/// What a run came to, judged by the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdict {
    pub lost: u64,
    pub duplicated: u64,
    pub disordered: u64,
    pub contextless: u64,
    pub wrong_company: u64,
    pub odd: u64,
}

impl Verdict {
    pub fn violations(&self) -> u64 {
        self.lost + self.duplicated + self.disordered + self.contextless + self.wrong_company + self.odd
    }

    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.disordered += other.disordered;
        self.contextless += other.contextless;
        self.wrong_company += other.wrong_company;
        self.odd += other.odd;
    }
}

impl Standin {
    /// Listens on loopback, on a thread and runtime of its own.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(converse(Wire::new(stream), Arc::clone(&shared)));
                }
            });
        });
        Self { url, state }
    }

    /// A new run: an empty ledger and this latency of the model.
    pub fn reset(&self, latency: Duration) {
        *self.state.lock() = Book::default();
        self.state.latency_ms.store(u64::try_from(latency.as_millis()).unwrap(), Ordering::Relaxed);
        self.state.answered.store(0, Ordering::Relaxed);
        self.state.model_calls.store(0, Ordering::Relaxed);
        self.state.most_thinking.store(0, Ordering::Relaxed);
    }

    pub fn hear(&self, company: u32, conversation: u32, ear: Ear) {
        self.state.lock().ears.insert((company, conversation), ear);
    }

    /// Customers' messages answered so far; one answer may count for several.
    pub fn answered(&self) -> u64 {
        self.state.answered.load(Ordering::Relaxed)
    }

    pub fn model_calls(&self) -> u64 {
        self.state.model_calls.load(Ordering::Relaxed)
    }

    pub fn most_thinking(&self) -> i64 {
        self.state.most_thinking.load(Ordering::Relaxed)
    }

    /// When the texts of this run were accepted, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        self.state.lock().sent.clone()
    }

    /// Judges the run against what its senders were promised. `context`: whether it is asked for; the floor has none.
    pub fn judge(&self, promised: &[Mark], context: bool) -> Verdict {
        let book = self.state.lock();
        let mut times: HashMap<Mark, u64> = HashMap::with_capacity(book.sent.len());
        let mut last: HashMap<(u32, u32), u32> = HashMap::new();
        let mut verdict = Verdict {
            contextless: if context { book.contextless } else { 0 },
            wrong_company: book.wrong_company,
            odd: book.odd,
            ..Verdict::default()
        };
        for Sent { mark, .. } in &book.sent {
            *times.entry(*mark).or_default() += 1;
            let newest = last.entry((mark.company, mark.conversation)).or_default();
            verdict.disordered += u64::from(mark.n < *newest);
            *newest = mark.n.max(*newest);
        }
        verdict.lost = promised.iter().filter(|mark| !times.contains_key(mark)).count() as u64;
        verdict.duplicated = times.values().map(|times| times - 1).sum();
        verdict
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn converse(mut wire: Wire, state: Arc<State>) {
    while let Ok(Some(message)) = wire.read().await {
        let model = message.first_line().contains(":generateContent");
        let answer = if model { think(&state, &message) } else { accept(&state, &message) };
        let latency = state.latency_ms.load(Ordering::Relaxed);
        if model {
            state.model_calls.fetch_add(1, Ordering::Relaxed);
            let now = state.thinking.fetch_add(1, Ordering::Relaxed) + 1;
            state.most_thinking.fetch_max(now, Ordering::Relaxed);
            if latency > 0 {
                tokio::time::sleep(Duration::from_millis(latency)).await;
            }
            state.thinking.fetch_sub(1, Ordering::Relaxed);
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
        if wire.write(format!("{head}{}\r\n\r\n{answer}", answer.len()).as_bytes()).await.is_err() {
            return;
        }
    }
}

#[derive(Deserialize)]
struct Prompt<'a> {
    #[serde(borrow)]
    contents: Vec<Content<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    role: &'a str,
    #[serde(borrow)]
    parts: Vec<Part<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

impl Content<'_> {
    fn marks(&self) -> impl Iterator<Item = Mark> {
        self.parts.iter().flat_map(|part| Mark::all_in(&part.text))
    }
}

/// `sim-42-…`: company 42.
fn company_of(credential: Option<&str>) -> Option<u32> {
    credential?.trim_start_matches("Bearer ").strip_prefix("sim-")?.split('-').next()?.parse().ok()
}

fn think(state: &State, message: &Message<'_>) -> String {
    let company = company_of(message.header("x-goog-api-key"));
    let Ok(prompt) = serde_json::from_slice::<Prompt<'_>>(message.body) else {
        state.lock().odd += 1;
        return "{}".to_owned();
    };
    let Some((asked, before)) = prompt.contents.split_last() else { return "{}".to_owned() };
    let asked: Vec<Mark> = asked.marks().collect();
    let said: HashSet<(bool, Mark)> =
        before.iter().flat_map(|content| content.marks().map(move |mark| (content.role == "model", mark))).collect();
    let known = asked.iter().min().is_none_or(|first| {
        let earlier = first.n.checked_sub(1).map(|n| Mark { n, ..*first });
        // Both what the customer said last and what was answered.
        earlier.is_none_or(|mark| said.contains(&(false, mark)) && said.contains(&(true, mark)))
    });
    let foreign = asked.iter().chain(said.iter().map(|(_, mark)| mark)).any(|mark| Some(mark.company) != company);
    if !known || foreign || asked.is_empty() {
        let mut book = state.lock();
        book.contextless += u64::from(!known);
        book.wrong_company += u64::from(foreign);
        book.odd += u64::from(asked.is_empty());
    }
    let echo = asked.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    format!(
        r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"text":"Olá! Sobre {echo}: atendemos de segunda a sexta, das 8h às 18h. Posso ajudar em mais alguma coisa?"}}]}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":310,"candidatesTokenCount":24,"totalTokenCount":334}},"modelVersion":"gemini-3.5-flash-lite","responseId":"bench"}}"#
    )
}

#[derive(Deserialize)]
struct Outgoing<'a> {
    number: &'a str,
    #[serde(borrow)]
    body: Cow<'a, str>,
}

fn accept(state: &State, message: &Message<'_>) -> String {
    let company = company_of(message.header("authorization"));
    let at = Instant::now();
    let mut book = state.lock();
    match serde_json::from_slice::<Outgoing<'_>>(message.body) {
        Ok(out) => {
            let marks = Mark::all_in(&out.body);
            book.odd += u64::from(marks.is_empty());
            for mark in marks {
                if Some(mark.company) != company || mark.phone() != out.number {
                    book.wrong_company += 1;
                }
                let sent = Sent { mark, at };
                book.sent.push(sent);
                state.answered.fetch_add(1, Ordering::Relaxed);
                if let Some(ear) = book.ears.get(&(mark.company, mark.conversation)) {
                    // Who no longer listens has all it waited for.
                    let _ = ear.send(sent);
                }
            }
        }
        Err(_) => book.odd += 1,
    }
    let id = state.ids.fetch_add(1, Ordering::Relaxed);
    format!(r#"{{"mensagem":"Mensagem enviada","messageId":"BENCH{id}"}}"#)
}
