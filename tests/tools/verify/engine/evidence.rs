//! What PostgreSQL and Redis say when all is over, and the wait until it is.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::Instant;

use super::arena::Arena;
use super::load::owner_of;

/// A conversation: company and number within it, by place in the arena.
pub type Place = (usize, usize);

/// A row of `message`.
#[derive(Clone, Debug)]
pub struct Said {
    pub place: Place,
    pub author: String,
    pub seq: i64,
    pub dedupe: Option<String>,
    pub turn: Option<String>,
    pub body: String,
    pub at_ms: i64,
}

/// A row of `delivery`.
#[derive(Clone, Debug)]
pub struct Text {
    pub place: Place,
    pub recipient: String,
    pub body: String,
    pub state: String,
    pub resends: u64,
    pub turn: String,
    pub seq: i64,
}

/// A row of `turn`.
#[derive(Clone, Debug)]
pub struct Decided {
    pub company: usize,
    pub id: String,
    pub seen: usize,
    pub reason: String,
    /// From acceptance to decision, milliseconds.
    pub wait_ms: i64,
    /// From acceptance to the claim, milliseconds.
    pub claim_ms: i64,
}

/// An entry of the dead letters.
#[derive(Clone, Debug)]
pub struct Dead {
    pub company: usize,
    pub reason: String,
    pub envelope: String,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub said: Vec<Said>,
    pub texts: Vec<Text>,
    pub turns: Vec<Decided>,
    pub dead: Vec<Dead>,
}

const SAID: &str = "SELECT json_build_array(c.key, m.author, m.seq, m.dedupe_key, m.turn_id, m.body, \
    (extract(epoch from m.at) * 1000)::bigint) FROM S.message m JOIN S.conversation c ON c.id = m.conversation_id;";
const TEXTS: &str = "SELECT json_build_array(c.key, d.recipient, d.body, d.state, d.resends, d.turn_id, m.seq) \
    FROM S.delivery d JOIN S.conversation c ON c.id = d.conversation_id JOIN S.message m ON m.id = d.message_id;";
const TURNS: &str = "SELECT json_build_array(id, messages_seen, reason, \
    (extract(epoch from decided_at - accepted_at) * 1000)::bigint, \
    (extract(epoch from claimed_at - accepted_at) * 1000)::bigint) FROM S.turn;";

impl Evidence {
    pub async fn take(arena: &Arc<Arena>) -> Self {
        let mut all = Self::default();
        for (company, of) in arena.companies.iter().enumerate() {
            let schema = format!("tenant_{}", of.id);
            for row in rows(arena, &SAID.replace("S.", &format!("{schema}."))).await {
                all.said.push(said(company, &row));
            }
            for row in rows(arena, &TEXTS.replace("S.", &format!("{schema}."))).await {
                all.texts.push(text(company, &row));
            }
            for row in rows(arena, &TURNS.replace("S.", &format!("{schema}."))).await {
                all.turns.push(Decided {
                    company,
                    id: string(&row, 0),
                    seen: usize::try_from(row[1].as_i64().unwrap()).unwrap(),
                    reason: string(&row, 2),
                    wait_ms: row[3].as_i64().unwrap(),
                    claim_ms: row[4].as_i64().unwrap(),
                });
            }
            all.dead.extend(dead_letters(arena, company).await);
        }
        all
    }
}

fn string(row: &Json, n: usize) -> String {
    row[n].as_str().unwrap_or_default().to_owned()
}

fn place(company: usize, key: &str) -> Place {
    // A key that belongs to nobody shows up as a stranger's conversation.
    owner_of(key).map_or((company, usize::MAX), |(_, conversation)| (company, conversation))
}

fn said(company: usize, row: &Json) -> Said {
    Said {
        place: place(company, &string(row, 0)),
        author: string(row, 1),
        seq: row[2].as_i64().unwrap(),
        dedupe: row[3].as_str().map(str::to_owned),
        turn: row[4].as_str().map(str::to_owned),
        body: string(row, 5),
        at_ms: row[6].as_i64().unwrap(),
    }
}

fn text(company: usize, row: &Json) -> Text {
    Text {
        place: place(company, &string(row, 0)),
        recipient: string(row, 1),
        body: string(row, 2),
        state: string(row, 3),
        resends: row[4].as_u64().unwrap(),
        turn: string(row, 5),
        seq: row[6].as_i64().unwrap(),
    }
}

async fn rows(arena: &Arc<Arena>, sql: &str) -> Vec<Json> {
    let out = arena.sql(sql.to_owned()).await.unwrap();
    out.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn dead_letters(arena: &Arc<Arena>, company: usize) -> Vec<Dead> {
    let key = format!("company:{{{}}}:q:dead", arena.companies[company].id);
    let reply = arena.redis().await.unwrap().ask(&["XRANGE", &key, "-", "+"]).await.unwrap();
    let entries = reply.list().iter().map(|entry| {
        let fields = entry.list()[1].list();
        let get = |name: &str| {
            let pair = fields.chunks(2).find(|pair| pair[0].text() == name);
            pair.map(|pair| pair[1].text().to_owned()).unwrap_or_default()
        };
        Dead { company, reason: get("reason"), envelope: get("envelope") }
    });
    entries.collect()
}

/// What is still on its way: `(undecided envelopes, leases, unfinished texts)`.
async fn on_its_way(arena: &Arc<Arena>) -> Option<(i64, i64, i64)> {
    let mut redis = arena.redis().await.ok()?;
    let (mut size, mut leases) = (0, 0);
    for company in &arena.companies {
        let prefix = format!("company:{{{}}}:q:", company.id);
        size += redis.ask(&["ZCARD", &format!("{prefix}since")]).await.ok()?.int();
        leases += redis.ask(&["ZCARD", &format!("{prefix}lease")]).await.ok()?.int();
    }
    if size + leases > 0 {
        return Some((size, leases, 0));
    }
    let count = arena.companies.iter().map(|company| {
        format!(
            "(SELECT count(*) FROM tenant_{}.delivery WHERE state IN ('queued', 'sending', 'retry_wait', 'ambiguous'))",
            company.id
        )
    });
    let unfinished = arena.sql(format!("SELECT {};", count.collect::<Vec<_>>().join(" + "))).await.ok()?;
    Some((size, leases, unfinished.trim().parse().ok()?))
}

/// Waits until nothing is undecided, in work, or on its way. `Err` says what still was when patience ended.
pub async fn rest(arena: &Arc<Arena>, patience: Duration) -> Result<(), String> {
    let end = Instant::now() + patience;
    let mut last = None;
    while Instant::now() < end {
        last = on_its_way(arena).await;
        if last == Some((0, 0, 0)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    Err(match last {
        Some((size, leases, unfinished)) => {
            format!("no rest: {size} conversations undecided, {leases} leases, {unfinished} texts unfinished")
        }
        None => "no rest: a store does not answer".to_owned(),
    })
}
