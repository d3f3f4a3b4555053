//! Group commit: what conversations of one company write at the same moment travels in one transaction.
//!
//! Nobody waits for company: a write that finds none under way goes at once. Those that come while it is under way go
//! together when it is done, one statement for each text. Under load that is most of them, and the cost of a transaction
//! (role, search path, flush of the log) is shared. A group that fails is written one by one, so that one conversation's
//! conflict is no other's.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use deadpool::managed::Object;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::TenantDb;
use super::db::{become_company, pool_error, unavailable};
use super::error::StoreError;
use super::session::{Session, Sessions};
use super::statement::{GroupedWrite, Statement};
use crate::domain::company::CompanyId;

/// Most conversations of one transaction: its locks are held, and its writers wait, until all of it is done.
const GROUP_MAX: usize = 64;

struct Waiting {
    write: GroupedWrite,
    told: oneshot::Sender<Result<usize, StoreError>>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    /// Somebody writes and will look again.
    busy: bool,
}

/// The writes of one company in this process.
#[derive(Default)]
pub(super) struct Groups {
    line: Mutex<Line>,
}

impl Groups {
    /// Writes, and tells how many rows of this conversation were touched.
    pub(super) async fn write(&self, db: &TenantDb, write: GroupedWrite) -> Result<usize, StoreError> {
        let (told, answer) = oneshot::channel();
        if self.join(Waiting { write, told }) {
            // A task of its own: a writer that is given up in the middle must not leave the others waiting.
            let db = db.clone();
            tokio::spawn(async move { drain(&db).await });
        }
        answer.await.unwrap_or_else(|_| Err(unavailable(&"the process is stopping")))
    }

    /// Lines up; whether nobody writes yet.
    fn join(&self, waiting: Waiting) -> bool {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.waiting.push_back(waiting);
        !std::mem::replace(&mut line.busy, true)
    }

    /// The next group, each conversation at most once; empty when nobody waits any more, and then nobody writes.
    fn next(&self) -> Vec<Waiting> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let mut conversations: HashSet<Uuid> = HashSet::new();
        let mut group = Vec::new();
        while group.len() < GROUP_MAX
            && line.waiting.front().is_some_and(|next| conversations.insert(next.write.conversation))
        {
            group.extend(line.waiting.pop_front());
        }
        line.busy = !group.is_empty();
        group
    }
}

async fn drain(db: &TenantDb) {
    loop {
        // The connection first: who comes while it is waited for still belongs to the group.
        let session = db.database.pool.get().await.map_err(|error| pool_error(&error));
        let group = db.groups().next();
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
    let writes: Vec<&GroupedWrite> = group.iter().map(|one| &one.write).collect();
    match run(db, session, &writes).await {
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
            Ok(session) => run(db, session, &[&one.write]).await.map(|touched| touched.len()),
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

/// Runs writes in a transaction of their own and tells the conversations of the rows they touched. Should a statement
/// fail, COMMIT rolls back; should BEGIN fail, the statements meet a role that can see no table.
async fn run(db: &TenantDb, session: Object<Sessions>, writes: &[&GroupedWrite]) -> Result<Vec<Uuid>, StoreError> {
    let statements = Statement::all(db.company, writes)?;
    // A plan is kept while the table grows: it must not be one that reads a table which was small when it was made.
    let head = format!("BEGIN; {}; SET LOCAL enable_seqscan = off", become_company(db.company));
    let mut session = OneShot(Some(session));
    let known = statements.iter().all(|(sql, _)| session.knows(db.company, sql));
    let (begun, done, committed) = {
        let conn = &session.get()?.conn;
        let (mut first, mut last) = (conn, conn);
        let begin = first.batch_execute(&head);
        let loads = statements.iter().map(|(_, statement)| load(conn, statement));
        if known {
            // Polled in this order, so they are written in this order, all in one flight.
            futures::join!(begin, futures::future::join_all(loads), last.batch_execute("COMMIT"))
        } else {
            // A new text is prepared first, in a round trip of its own, and what follows would overtake it.
            let begun = begin.await;
            let mut done = Vec::new();
            for load in loads {
                done.push(load.await);
            }
            (begun, done, last.batch_execute("COMMIT").await)
        }
    };
    begun?;
    committed?;
    // Whatever became of the statements, the transaction is over and the connection in good order.
    let touched: Result<Vec<Vec<Uuid>>, _> = done.into_iter().collect();
    if touched.is_ok() {
        statements.iter().for_each(|(sql, _)| session.learned(db.company, sql));
    }
    session.give_back();
    Ok(touched?.into_iter().flatten().collect())
}

fn load<'a>(
    mut conn: &'a AsyncPgConnection,
    statement: &'a Statement,
) -> BoxFuture<'a, diesel::QueryResult<Vec<Uuid>>> {
    async move { statement.load::<Uuid>(&mut conn).await }.boxed()
}

/// A connection in the middle of a hand-made transaction. Dropped before its end (an error, a cancelled future) it is
/// closed: what it was in the middle of must not meet the next user of the pool.
struct OneShot(Option<Object<Sessions>>);

impl OneShot {
    fn get(&mut self) -> Result<&mut Session, StoreError> {
        self.0.as_deref_mut().ok_or_else(|| unavailable(&"the connection is gone"))
    }

    fn knows(&self, company: CompanyId, sql: &'static str) -> bool {
        self.0.as_ref().is_some_and(|session| session.knows(company, sql))
    }

    fn learned(&mut self, company: CompanyId, sql: &'static str) {
        if let Some(session) = self.0.as_mut() {
            session.learned(company, sql);
        }
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
