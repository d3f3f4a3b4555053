//! Group commit: what conversations of one company write at the same moment travels as one statement in one commit.
//!
//! Nobody waits for company: a write that finds none under way goes at once. Those that come while it is under way go
//! together when it is done. Under load that is most of them, and the cost of a transaction (role, search path, flush of the
//! log) is shared. A group that fails is written one by one, so that one conversation's conflict is no other's.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use deadpool::managed::Object;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::TenantDb;
use super::db::{become_company, pool_error, unavailable};
use super::error::StoreError;
use super::session::{Session, Sessions};
use super::statement::{GroupedWrite, Statement};

/// Most conversations of one statement: its locks are held, and its writers wait, until all of it is done.
const GROUP_MAX: usize = 64;

struct Waiting {
    write: GroupedWrite,
    told: oneshot::Sender<Result<usize, StoreError>>,
}

/// The writes of one text.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    /// Somebody writes and will look again.
    busy: bool,
}

/// The writes of one company in this process, by their text.
#[derive(Default)]
pub(super) struct Groups {
    lanes: Mutex<HashMap<&'static str, Lane>>,
}

impl Groups {
    /// Writes, and tells how many rows of this conversation were touched.
    pub(super) async fn write(&self, db: &TenantDb, write: GroupedWrite) -> Result<usize, StoreError> {
        let (told, answer) = oneshot::channel();
        let sql = write.sql;
        if self.join(Waiting { write, told }) {
            // A task of its own: a writer that is given up in the middle must not leave the others waiting.
            let db = db.clone();
            tokio::spawn(async move { drain(&db, sql).await });
        }
        answer.await.unwrap_or_else(|_| Err(unavailable(&"the process is stopping")))
    }

    /// Lines up; whether nobody writes yet.
    fn join(&self, waiting: Waiting) -> bool {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(waiting.write.sql).or_default();
        lane.waiting.push_back(waiting);
        !std::mem::replace(&mut lane.busy, true)
    }

    /// The next group, each conversation at most once; empty when nobody waits any more, and then nobody writes.
    fn next(&self, sql: &'static str) -> Vec<Waiting> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lane) = lanes.get_mut(sql) else { return Vec::new() };
        let mut conversations: HashSet<Uuid> = HashSet::new();
        let mut group = Vec::new();
        while group.len() < GROUP_MAX
            && lane.waiting.front().is_some_and(|next| conversations.insert(next.write.conversation))
        {
            group.extend(lane.waiting.pop_front());
        }
        lane.busy = !group.is_empty();
        group
    }
}

async fn drain(db: &TenantDb, sql: &'static str) {
    loop {
        // The connection first: who comes while it is waited for still belongs to the group.
        let session = db.database.pool.get().await.map_err(|error| pool_error(&error));
        let group = db.groups().next(sql);
        if group.is_empty() {
            return;
        }
        match session {
            Ok(session) => write_group(db, session, group).await,
            Err(error) => tell_all(group, &error),
        }
    }
}

async fn write_group(db: &TenantDb, session: Object<Sessions>, group: Vec<Waiting>) {
    match run(db, session, group.iter().map(|one| &one.write)).await {
        Ok(touched) => {
            let mut rows: HashMap<Uuid, usize> = HashMap::new();
            touched.into_iter().for_each(|conversation| *rows.entry(conversation).or_default() += 1);
            for one in group {
                let rows = rows.get(&one.write.conversation).copied().unwrap_or(0);
                // Nobody may be there any more to hear it.
                let _ = one.told.send(Ok(rows));
            }
        }
        Err(error) if group.len() == 1 || error.is_outage() => tell_all(group, &error),
        Err(_) => one_by_one(db, group).await,
    }
}

/// A failed group stored nothing. Who is at fault meets it again alone.
async fn one_by_one(db: &TenantDb, group: Vec<Waiting>) {
    for one in group {
        let result = match db.database.pool.get().await {
            Ok(session) => run(db, session, [&one.write]).await.map(|touched| touched.len()),
            Err(error) => Err(pool_error(&error)),
        };
        let _ = one.told.send(result);
    }
}

fn tell_all(group: Vec<Waiting>, error: &StoreError) {
    for one in group {
        let _ = one.told.send(Err(error.clone()));
    }
}

/// Runs writes of one text in a transaction of their own. Should the statement fail, COMMIT rolls back; should BEGIN fail,
/// the statement meets a role that can see no table.
async fn run<'a>(
    db: &TenantDb,
    session: Object<Sessions>,
    writes: impl IntoIterator<Item = &'a GroupedWrite>,
) -> Result<Vec<Uuid>, StoreError> {
    let (sql, statement) = Statement::of(db.company, writes);
    // A plan is kept while the table grows: it must not be one that reads a table which was small when it was made.
    let head = format!("BEGIN; {}; SET LOCAL enable_seqscan = off", become_company(db.company));
    let mut session = OneShot(Some(session));
    let known = session.get()?.knows(db.company, sql);
    let (begun, done, committed) = {
        let shared = &session.get()?.conn;
        let (mut first, mut second, mut third) = (shared, shared, shared);
        // Polled in this order, so they are written in this order.
        let (begin, load) = (first.batch_execute(&head), statement.load::<Uuid>(&mut second));
        if known {
            futures::join!(begin, load, third.batch_execute("COMMIT"))
        } else {
            // It is prepared first, in a round trip of its own, and COMMIT would overtake it.
            let (begun, done) = futures::join!(begin, load);
            (begun, done, third.batch_execute("COMMIT").await)
        }
    };
    begun?;
    committed?;
    // Whatever became of the statement, the transaction is over and the connection in good order.
    if done.is_ok() {
        session.get()?.learned(db.company, sql);
    }
    session.give_back();
    Ok(done?)
}

/// A connection in the middle of a hand-made transaction. Dropped before its end (an error, a cancelled future) it is
/// closed: what it was in the middle of must not meet the next user of the pool.
struct OneShot(Option<Object<Sessions>>);

impl OneShot {
    fn get(&mut self) -> Result<&mut Session, StoreError> {
        self.0.as_deref_mut().ok_or_else(|| unavailable(&"the connection is gone"))
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for OneShot {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            drop(Object::take(session));
        }
    }
}
