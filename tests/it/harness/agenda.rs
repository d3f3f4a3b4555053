//! A clinic with a calendar, a morning on which nobody sleeps, and people it knows.

use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::America::Sao_Paulo;
use secretaria::standins::{EventTypeAtStandIn, StandIns};
use serde_json::{Value, json};
use uuid::Uuid;

use super::World;
use super::trouble::Wire;

pub struct Front {
    pub world: World,
}

impl Front {
    /// With the company's own calendar, at ten in the morning of a working day.
    pub async fn local(more: &[(&str, &str)]) -> Self {
        let front = Self { world: World::builder().workers(0).start().await };
        let mut settings = vec![("hours.opening", "seg-sex 8h-18h"), ("calendar.kind", "local")];
        settings.extend_from_slice(more);
        front.world.configure(&front.world.clinic, &settings).await;
        front.wait_until(10);
        front
    }

    /// With Cal.com, or what stands in for it.
    pub async fn calcom(more: &[(&str, &str)]) -> Self {
        let front = Self { world: World::builder().workers(0).start().await };
        let world = &front.world;
        let id = world.clinic.id.get();
        let (url, event, key) = (world.standins.calcom_url(), id * 100 + 1, StandIns::credential(id, "cal"));
        let number = event.to_string();
        let mut settings = vec![
            ("hours.opening", "seg-sex 8h-18h"),
            ("calendar.kind", "calcom"),
            ("calendar.base_url", url.as_str()),
            ("calendar.event_type", number.as_str()),
            ("secret:calendar.api_key", key.as_str()),
        ];
        settings.extend_from_slice(more);
        world.configure(&world.clinic, &settings).await;
        world.standins.add_event_type(EventTypeAtStandIn::new(id, event));
        front.wait_until(10);
        front
    }

    /// Moves the clock to this hour of the next local day.
    pub fn wait_until(&self, hour: i64) {
        let now = self.world.clock.now();
        let day = now.with_timezone(&Sao_Paulo).date_naive() + TimeDelta::days(1);
        let then = Sao_Paulo.from_local_datetime(&(day.and_time(NaiveTime::MIN) + TimeDelta::hours(hour))).unwrap();
        self.world.clock.advance((then.to_utc() - now).to_std().unwrap());
    }

    pub fn later(&self, minutes: u64) {
        self.world.clock.advance(Duration::from_secs(minutes * 60));
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    /// A Monday at least two days ahead, at so many o'clock.
    pub fn monday(&self, hour: i64) -> DateTime<Utc> {
        let mut date = self.now().with_timezone(&Sao_Paulo).date_naive() + TimeDelta::days(2);
        while date.weekday() != Weekday::Mon || secretaria::domain::hours::national(date).is_some() {
            date += TimeDelta::days(1);
        }
        Sao_Paulo.from_local_datetime(&(date.and_time(NaiveTime::MIN) + TimeDelta::hours(hour))).unwrap().to_utc()
    }

    pub async fn get(&self, path: &str) -> Wire {
        self.world.api(&self.world.clinic, "GET", &format!("/api/agenda/{path}"), &Value::Null).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Wire {
        self.world.api(&self.world.clinic, "POST", &format!("/api/agenda/{path}"), body).await
    }

    pub async fn post_as(&self, key: &str, path: &str, body: &Value) -> Wire {
        let path = format!("/api/agenda/{path}");
        self.world.api_with(&self.world.clinic, "POST", &path, body, &[("idempotency-key", key)]).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Wire {
        self.world.api(&self.world.clinic, "PUT", &format!("/api/agenda/{path}"), body).await
    }

    /// Books for Ana; the appointment.
    pub async fn book(&self, starts: DateTime<Utc>) -> Value {
        let body = json!({ "starts_at": starts, "customer": { "name": "Ana Souza", "phone": "11987654321" } });
        self.post("book", &body).await.expect_status(201).json()
    }

    pub fn sql(&self, sql: &str) -> String {
        self.world.sql(&self.world.clinic, sql)
    }

    /// Somebody who wrote to the clinic before; their id.
    pub fn person(&self, name: &str, number: &str) -> Uuid {
        let id = Uuid::now_v7();
        self.sql(&format!(
            "INSERT INTO person (id, name, name_source, created_at, updated_at) VALUES ('{id}', '{name}', 'customer', now(), now());
             INSERT INTO person_identity (kind, value, person_id, created_at) VALUES ('phone', '{number}', '{id}', now());
             INSERT INTO conversation (id, key, person_id, reply_address, fence, created_at, last_message_at)
                 VALUES ('{}', '{number}', '{id}', '{number}', 0, now(), now())",
            Uuid::now_v7()
        ));
        id
    }

    pub async fn end(self) {
        self.world.end().await;
    }
}
