//! Group commit: conversations that write at the same moment share a transaction, and nothing else.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use secretaria::clock::Clock;
use secretaria::models::tenant::delivery::DeliveryRow;
use secretaria::models::tenant::message::NewMessage;
use secretaria::models::tenant::turn::TurnRow;
use secretaria::models::tenant::{commit, conversation};
use secretaria::tenant::{StoreError, Tenant, schema_of};
use uuid::Uuid;

use crate::harness::pg::{TestDatabase, database};
use crate::wall::{tenants, tenants_with};

/// A turn that answers one message with one text.
struct Decided {
    phone: String,
    turn: TurnRow,
    messages: Vec<NewMessage>,
    deliveries: Vec<DeliveryRow>,
}

impl Decided {
    fn of(n: usize, fence: i64) -> Self {
        let now: DateTime<Utc> = Clock::new().now();
        let (conversation_id, turn_id, correlation_id) = (Uuid::now_v7(), Uuid::now_v7(), format!("conversa-{n:04}"));
        let message = |author, seq, body: &str, dedupe_key| NewMessage {
            id: Uuid::now_v7(),
            conversation_id,
            author,
            seq,
            kind: "text".to_owned(),
            body: body.to_owned(),
            was_cut: false,
            dedupe_key,
            turn_id: Some(turn_id),
            correlation_id: correlation_id.clone(),
            at: now,
        };
        let asked = message("customer", 1, "qual o horário?", Some(format!("whaticket:{n}")));
        let answered = message("assistant", 2, "Das 8h às 18h.", None);
        let delivery = DeliveryRow {
            id: Uuid::now_v7(),
            message_id: answered.id,
            conversation_id,
            turn_id,
            position: 0,
            recipient: format!("55119{n:08}"),
            body: answered.body.clone(),
            correlation_id: correlation_id.clone(),
            state: "sending".to_owned(),
            attempts: 1,
            resends: 0,
            attempt_at: Some(now),
            next_at: Some(now),
            external_id: None,
            error_code: None,
            created_at: now,
            sent_at: None,
        };
        let turn = TurnRow {
            id: turn_id,
            conversation_id,
            correlation_id,
            decision: "answer".to_owned(),
            reason: String::new(),
            fence,
            model: Some("gemini".to_owned()),
            tokens_in: 10,
            tokens_out: 5,
            tokens_estimated: false,
            injection_score: 0.0,
            intention: "other".to_owned(),
            mood: 0.0,
            messages_seen: 1,
            preparations: 1,
            model_ms: 1,
            accepted_at: now,
            claimed_at: now,
            decided_at: now,
        };
        Self { phone: format!("55119{n:08}"), turn, messages: vec![asked, answered], deliveries: vec![delivery] }
    }

    /// The next turn of the same conversation, under a fence.
    fn again(&self, n: usize, fence: i64) -> Self {
        let mut next = Self::of(n, fence);
        next.phone.clone_from(&self.phone);
        next.turn.conversation_id = self.turn.conversation_id;
        next.messages.iter_mut().for_each(|row| row.conversation_id = self.turn.conversation_id);
        next.deliveries.iter_mut().for_each(|row| row.conversation_id = self.turn.conversation_id);
        next
    }

    async fn first(&self, tenant: &Tenant) -> Result<bool, StoreError> {
        let addresses = (self.phone.as_str(), self.phone.as_str());
        let person = (Uuid::now_v7(), Some("Ana"), "{}");
        commit::decide_first(&tenant.db, addresses, person, &self.turn, &self.messages, &self.deliveries).await
    }

    async fn store(&self, tenant: &Tenant) -> Result<(), StoreError> {
        commit::decide(&tenant.db, &self.phone, &self.turn, &self.messages, &self.deliveries).await
    }

    async fn sent(&self, tenant: &Tenant, fence: i64) -> Result<(), StoreError> {
        let mut row = self.deliveries[0].clone();
        row.state = "sent".to_owned();
        commit::settle(&tenant.db, self.turn.conversation_id, fence, &[&row]).await
    }
}

fn count(db: &TestDatabase, tenant: &Tenant, what: &str) -> usize {
    db.sql(&format!("SET search_path TO {}; SELECT {what}", schema_of(tenant.id())))
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .parse()
        .unwrap()
}

async fn met(tenant: &Arc<Tenant>, conversations: usize) -> Vec<Decided> {
    let met: Vec<Decided> = (0..conversations).map(|n| Decided::of(n, 1)).collect();
    for stored in join_all(met.iter().map(|one| one.first(tenant))).await {
        assert!(stored.unwrap());
    }
    met
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_conversations_at_once_share_a_few_transactions() {
    let db = database().await;
    let (_services, clinic, salon) = tenants(&db).await;
    // Both companies through one connection, so that each meets the other's prepared statements.
    let (at_clinic, at_salon) = tokio::join!(met(&clinic, 40), met(&salon, 40));
    for (tenant, met) in [(&clinic, &at_clinic), (&salon, &at_salon)] {
        assert_eq!(count(&db, tenant, "count(*) FROM turn"), 40);
        assert_eq!(count(&db, tenant, "count(*) FROM message"), 80);
        let transactions = count(&db, tenant, "count(DISTINCT xmin::text) FROM turn");
        assert!(transactions < 10, "{transactions} transactions");
        for result in join_all(met.iter().map(|one| one.sent(tenant, 1))).await {
            result.unwrap();
        }
        assert_eq!(count(&db, tenant, "count(*) FROM delivery WHERE state = 'sent'"), 40);
        // Every row belongs to the conversation it was said in.
        let strange =
            "count(*) FROM message m JOIN turn t ON t.id = m.turn_id WHERE t.conversation_id <> m.conversation_id";
        assert_eq!(count(&db, tenant, strange), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_conversations_trouble_is_no_others() {
    let db = database().await;
    let (_services, clinic, _) = tenants(&db).await;
    let met = met(&clinic, 8).await;
    let mut next: Vec<Decided> = met.iter().enumerate().map(|(n, one)| one.again(100 + n, 5)).collect();
    // One was overtaken by a newer claim, one answers a message that is decided already.
    next[2].turn.fence = 0;
    next[5].messages[0].dedupe_key = Some("whaticket:0".to_owned());
    let results = join_all(next.iter().map(|one| one.store(&clinic))).await;
    for (n, result) in results.into_iter().enumerate() {
        match n {
            2 => assert!(matches!(result, Err(StoreError::StaleFence { stored: 1, ours: 0 })), "{result:?}"),
            5 => assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}"),
            _ => result.unwrap(),
        }
    }
    assert_eq!(count(&db, &clinic, "count(*) FROM turn"), 8 + 6);
    assert_eq!(count(&db, &clinic, "count(*) FROM delivery"), 8 + 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_stored_by_the_claim_that_decided_and_by_a_newer_one_only() {
    let db = database().await;
    let (_services, clinic, _) = tenants(&db).await;
    let met = met(&clinic, 3).await;
    let (same, newer, older) = tokio::join!(met[0].sent(&clinic, 1), met[1].sent(&clinic, 9), met[2].sent(&clinic, 0));
    same.unwrap();
    newer.unwrap();
    assert!(matches!(older, Err(StoreError::StaleFence { stored: 1, ours: 0 })), "{older:?}");
    assert_eq!(count(&db, &clinic, "count(*) FROM delivery WHERE state = 'sent'"), 2);
    assert_eq!(count(&db, &clinic, "max(fence) FROM conversation"), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_vanished_inside_a_transaction_holds_nobody_up() {
    let db = database().await;
    let (_services, clinic, _) = tenants_with(&db, |settings| settings.database.statement_timeout_ms = 400).await;
    let met = met(&clinic, 1).await;
    let mut vanished = clinic.db.begin().await.unwrap();
    conversation::take(&mut vanished, met[0].turn.conversation_id, None, 2, Clock::new().now()).await.unwrap();
    // Its connection stands and says nothing; PostgreSQL ends it, and the next claim goes on.
    let next = met[0].again(7, 3);
    let mut tries = 0;
    while let Err(error) = next.store(&clinic).await {
        assert!(error.is_outage(), "{error}");
        tries += 1;
        assert!(tries < 10, "still held");
    }
    assert!(vanished.commit().await.is_err(), "what it had begun is gone");
    assert_eq!(count(&db, &clinic, "fence FROM conversation"), 3);
}
