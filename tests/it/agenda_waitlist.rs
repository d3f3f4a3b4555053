//! Who waits is asked about a time that became free: one at a time, and it is kept for them.

use chrono::TimeDelta;
use secretaria::services::agenda::waitlist::{Ticked, tick};
use secretaria::services::agenda::{self, Customer, OpenSlot, Wish};
use secretaria::services::audit::Actor;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::agenda::Front;

impl Front {
    async fn waits(&self, number: &str) -> String {
        let body = json!({ "phone": number, "latest": self.monday(24) });
        self.post("waitlist", &body).await.expect_status(201).json()["id"].as_str().unwrap().to_owned()
    }

    async fn cancel(&self, booked: &Value) {
        let path = format!("appointments/{}/cancel", booked["id"].as_str().unwrap());
        self.post(&path, &json!({})).await.expect_status(200);
    }

    async fn tick(&self) -> Ticked {
        tick(&self.world.process.services, &self.world.tenant(&self.world.clinic)).await.unwrap()
    }

    /// Who is asked now, by their numbers.
    fn asked(&self) -> String {
        self.sql(
            "SELECT string_agg(i.value, ',' ORDER BY i.value) FROM waitlist w JOIN person_identity i USING (person_id)
             WHERE w.state = 'offered'",
        )
    }

    fn state(&self, id: &str) -> String {
        self.sql(&format!("SELECT state FROM waitlist WHERE id = '{id}'"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freed_time_is_kept_for_whoever_waited_longest_and_silence_passes_it_on() {
    for front in [Front::local(&[]).await, Front::calcom(&[]).await] {
        let booked = front.book(front.monday(9)).await;
        for (name, number) in [("Bia", "5511911111111"), ("Caio", "5511922222222")] {
            front.person(name, number);
        }
        let (bia, caio) = (front.waits("5511911111111").await, front.waits("5511922222222").await);
        front.cancel(&booked).await;
        assert_eq!(front.asked(), "5511911111111", "one at a time");
        let told = "SELECT t.kind || ' ' || t.state || ' ' || a.state || ' ' || (a.starts_at = '{}')::text
                    FROM timer t JOIN appointment a ON a.id = t.appointment_id WHERE t.kind = 'vacancy'"
            .replace("{}", &front.monday(9).to_rfc3339());
        assert_eq!(front.sql(&told), "vacancy due held true", "she is told, and it is kept for her");
        let body = json!({ "starts_at": front.monday(9), "customer": { "name": "Dora", "phone": "11933333333" } });
        front.post("book", &body).await.expect_status(409);
        assert_eq!(front.tick().await, Ticked::default(), "she has time");

        front.later(121);
        assert_eq!(front.tick().await, Ticked { lapsed: 1, asked: 1, ..Ticked::default() });
        assert_eq!((front.asked(), front.state(&bia)), ("5511922222222".to_owned(), "waiting".to_owned()));

        // He takes it: it is booked under the intent that keeps it.
        let kept: Uuid = front.sql(&format!("SELECT offered_id FROM waitlist WHERE id = '{caio}'")).parse().unwrap();
        let (services, tenant, actor) =
            (&front.world.process.services, front.world.tenant(&front.world.clinic), Actor::operator("teste"));
        let slot = OpenSlot {
            starts: front.monday(9),
            ends: front.monday(9) + TimeDelta::minutes(30),
            service: None,
            service_name: String::new(),
            professional: None,
            professional_name: String::new(),
        };
        let customer =
            Customer { name: "Caio".to_owned(), phone: Some("+5511922222222".to_owned()), ..Customer::default() };
        let wish = Wish { id: kept, slot, customer, source: "chat" };
        agenda::of(services, &tenant, &actor).unwrap().book(&wish).await.unwrap();
        assert_eq!(front.tick().await, Ticked { taken: 1, ..Ticked::default() });
        assert_eq!((front.state(&caio), front.state(&bia)), ("taken".to_owned(), "waiting".to_owned()));
        assert_eq!(front.tick().await, Ticked::default(), "nobody is asked about a time that is gone");
        assert_eq!(front.sql("SELECT count(*) FROM timer WHERE kind = 'vacancy'"), "2");
        front.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_passes_the_time_on_and_is_not_asked_twice() {
    let front = Front::local(&[]).await;
    let booked = front.book(front.monday(9)).await;
    front.person("Bia", "5511911111111");
    let bia = front.waits("5511911111111").await;
    front.cancel(&booked).await;
    let kept: Uuid = front.sql(&format!("SELECT offered_id FROM waitlist WHERE id = '{bia}'")).parse().unwrap();
    let (services, tenant, actor) =
        (&front.world.process.services, front.world.tenant(&front.world.clinic), Actor::operator("teste"));
    agenda::of(services, &tenant, &actor).unwrap().release(kept).await.unwrap();
    assert_eq!(front.tick().await, Ticked { lapsed: 1, ..Ticked::default() });
    assert_eq!(front.tick().await, Ticked::default(), "she said no to this one");
    front.book(front.monday(9)).await;
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_at_night_and_the_morning_does_it() {
    let front = Front::local(&[]).await;
    let booked = front.book(front.monday(15)).await;
    front.person("Bia", "5511911111111");
    front.waits("5511911111111").await;
    // Not past the Monday itself: it is two days ahead at least.
    let night = front.now() + TimeDelta::hours(12);
    front.later(12 * 60);
    assert!(night < front.monday(15));
    front.cancel(&booked).await;
    assert_eq!((front.asked(), front.tick().await), (String::new(), Ticked::default()), "22h: people sleep");
    front.later(11 * 60);
    assert_eq!(front.tick().await, Ticked { asked: 1, ..Ticked::default() });
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_appointment_frees_its_old_time_and_silence_is_kept_to_who_wished_it() {
    let front = Front::local(&[]).await;
    let booked = front.book(front.monday(9)).await;
    let silent = front.person("Bia", "5511911111111");
    front.person("Caio", "5511922222222");
    front.waits("5511911111111").await;
    front.waits("5511922222222").await;
    front.sql(&format!("UPDATE person SET opted_out_at = now() WHERE id = '{silent}'"));
    let path = format!("appointments/{}/reschedule", booked["id"].as_str().unwrap());
    front.post(&path, &json!({ "starts_at": front.monday(11) })).await.expect_status(200);
    assert_eq!(front.asked(), "5511922222222");
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_kept_by_the_company_too() {
    let front = Front::local(&[]).await;
    let booked = front.book(front.monday(9)).await;
    front.person("Bia", "5511911111111");
    let unknown = json!({ "phone": "11900000000", "latest": front.monday(24) });
    assert_eq!(front.post("waitlist", &unknown).await.expect_status(422).json()["code"], "unknown_person");
    let past = json!({ "phone": "5511911111111", "latest": front.now() - TimeDelta::hours(1) });
    assert_eq!(front.post("waitlist", &past).await.expect_status(422).json()["code"], "in_the_past");
    let id = front.waits("5511911111111").await;
    let longer = json!({ "phone": "5511911111111", "latest": front.monday(24) + TimeDelta::days(1) });
    let same = front.post("waitlist", &longer).await.expect_status(200).json();
    assert_eq!((&same["id"], &same["latest"]), (&json!(id), &json!(front.monday(24) + TimeDelta::days(1))));
    front.cancel(&booked).await;
    let listed = front.get("waitlist?state=offered").await.expect_status(200).json();
    assert_eq!(listed["waitlist"][0]["id"], json!(id));
    front.get("waitlist?state=dormindo").await.expect_status(400);

    let path = format!("/api/agenda/waitlist/{id}");
    front.world.api(&front.world.clinic, "DELETE", &path, &Value::Null).await.expect_status(204);
    assert_eq!(front.state(&id), "cancelled");
    front.book(front.monday(9)).await;
    let path = "/api/agenda/waitlist/0190a6f2-7c11-7a52-8f3e-5d1f6a0b9c77";
    front.world.api(&front.world.clinic, "DELETE", path, &Value::Null).await.expect_status(404);
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waited_too_long_is_told_off_the_list() {
    let front = Front::local(&[]).await;
    front.person("Bia", "5511911111111");
    let id = front.waits("5511911111111").await;
    let wait = front.monday(24) - front.now() + TimeDelta::minutes(1);
    front.later(wait.num_minutes().try_into().unwrap());
    assert_eq!(front.tick().await, Ticked { expired: 1, ..Ticked::default() });
    assert_eq!(front.state(&id), "expired");
    front.end().await;
}
