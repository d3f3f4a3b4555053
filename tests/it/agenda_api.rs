//! A company's own people and programs at its agenda: what they can do, and what they are told when they cannot.

use chrono::TimeDelta;
use secretaria::standins::{Fault, FaultKind, Provider};
use serde_json::{Value, json};

use crate::harness::agenda::Front;

fn ana() -> Value {
    json!({ "name": "Ana Souza", "phone": "(11) 98765-4321" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_finds_a_time_books_moves_and_calls_it_off_on_both_calendars() {
    for front in [Front::local(&[]).await, Front::calcom(&[]).await] {
        let (nine, ten) = (front.monday(9), front.monday(10));
        let day = format!("from={}&until={}", nine.format("%Y-%m-%d"), (nine + TimeDelta::days(1)).format("%Y-%m-%d"));
        let free = front.get(&format!("availability?{day}")).await.expect_status(200).json();
        let starts = |free: &Value| -> Vec<Value> {
            free["slots"].as_array().unwrap().iter().map(|slot| slot["starts_at"].clone()).collect()
        };
        assert!(starts(&free).contains(&json!(nine)), "{free}");
        assert_eq!(free["timezone"], "America/Sao_Paulo");
        let local = nine.with_timezone(&chrono_tz::America::Sao_Paulo).format("%Y-%m-%dT09:00").to_string();
        assert!(
            free["slots"].as_array().unwrap().iter().any(|slot| slot["local"] == json!(local)),
            "local hours are told"
        );

        // A local time is the company's.
        let body = json!({ "starts_at": local, "customer": ana() });
        let booked = front.post_as("site-1", "book", &body).await.expect_status(201).json();
        assert_eq!((&booked["state"], &booked["starts_at"]), (&json!("confirmed"), &json!(nine)));
        assert_eq!(booked["attendee"]["phone"], "+5511987654321");
        let again = front.post_as("site-1", "book", &body).await.expect_status(200).json();
        assert_eq!(again["id"], booked["id"], "the same key books once");
        assert_eq!(front.sql("SELECT count(*) FROM appointment WHERE state = 'confirmed'"), "1");
        let other = json!({ "starts_at": ten, "customer": ana() });
        let reused = front.post_as("site-1", "book", &other).await.expect_status(409).json();
        assert_eq!(reused["code"], "idempotency_key_reused");

        let id = booked["id"].as_str().unwrap();
        let moved = front.post(&format!("appointments/{id}/reschedule"), &json!({ "starts_at": ten })).await;
        let moved = moved.expect_status(200).json();
        assert_eq!((&moved["state"], &moved["starts_at"]), (&json!("rescheduled"), &json!(ten)));
        let still = front.post(&format!("appointments/{id}/reschedule"), &json!({ "starts_at": ten })).await;
        assert_eq!(still.expect_status(200).json()["version"], moved["version"], "it is there already");
        front.post_as("site-1", "book", &body).await.expect_status(200);

        let off =
            front.post(&format!("appointments/{id}/cancel"), &json!({ "reason": "viagem" })).await.expect_status(200);
        assert_eq!((&off.json()["state"], &off.json()["reason"]), (&json!("cancelled"), &json!("viagem")));
        front.post(&format!("appointments/{id}/cancel"), &json!({})).await.expect_status(200);
        let late = front.post(&format!("appointments/{id}/reschedule"), &json!({ "starts_at": nine })).await;
        assert_eq!(late.expect_status(409).json()["state"], "cancelled");
        assert_eq!(front.sql("SELECT count(*) FROM audit_log WHERE action = 'agenda.cancel'"), "1");
        front.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_taken_comes_back_with_times_that_are_free() {
    for front in [Front::local(&[]).await, Front::calcom(&[]).await] {
        front.book(front.monday(9)).await;
        let body = json!({ "starts_at": front.monday(9), "customer": { "name": "Bia", "phone": "11912345678" } });
        let refused = front.post("book", &body).await.expect_status(409).json();
        assert_eq!(refused["code"], "slot_taken");
        let options = refused["options"].as_array().unwrap();
        assert!(
            !options.is_empty() && options.iter().all(|slot| slot["starts_at"] != json!(front.monday(9))),
            "{refused}"
        );
        let taken =
            json!({ "starts_at": options[0]["starts_at"], "customer": { "name": "Bia", "phone": "11912345678" } });
        front.post("book", &taken).await.expect_status(201);
        assert_eq!(front.sql("SELECT count(*) FROM appointment WHERE state = 'confirmed'"), "2");
        front.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_booked_is_refused_with_a_reason_and_leaves_nothing() {
    let front = Front::local(&[("calendar.days_ahead", "30")]).await;
    let cases = [
        (json!({ "starts_at": front.now() - TimeDelta::hours(1), "customer": ana() }), 422, "in_the_past"),
        (json!({ "starts_at": front.now() + TimeDelta::minutes(10), "customer": ana() }), 422, "too_soon"),
        (json!({ "starts_at": front.now() + TimeDelta::days(200), "customer": ana() }), 422, "too_far"),
        (json!({ "starts_at": front.monday(22), "customer": ana() }), 422, "not_offered"),
        (json!({ "starts_at": "2027-02-29T09:00", "customer": ana() }), 400, "invalid_payload"),
        (json!({ "starts_at": "amanhã", "customer": ana() }), 400, "invalid_payload"),
        (
            json!({ "starts_at": front.monday(9), "customer": { "name": "Ana", "phone": "123" } }),
            400,
            "invalid_payload",
        ),
        (json!({ "starts_at": front.monday(9), "customer": {} }), 400, "invalid_payload"),
        (json!({ "starts_at": front.monday(9), "customer": ana(), "service": "Implante" }), 422, "unknown_service"),
        (json!({ "starts_at": front.monday(9) }), 400, "invalid_payload"),
        (json!({ "starts_at": front.monday(9), "customer": ana(), "surprise": 1 }), 400, "invalid_payload"),
    ];
    for (body, status, code) in cases {
        let refused = front.post("book", &body).await.expect_status(status).json();
        assert_eq!(refused["code"], code, "{body}");
    }
    assert_eq!(front.sql("SELECT count(*) FROM appointment"), "0", "nothing is half done");
    for query in ["state=sonhado", "from=ontem", "person=eu"] {
        assert_eq!(
            front.get(&format!("appointments?{query}")).await.expect_status(400).json()["code"],
            "invalid_query"
        );
    }
    front.get("availability?from=2026-12-02&until=2026-12-01").await.expect_status(400);
    front.get("appointments/0190a6f2-7c11-7a52-8f3e-5d1f6a0b9c77").await.expect_status(404);
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_the_clocks_skip_does_not_exist() {
    let front = Front::local(&[("timezone", "America/New_York"), ("calendar.days_ahead", "365")]).await;
    let mut year = 2027;
    while chrono::NaiveDate::from_ymd_opt(year, 3, 14)
        .is_some_and(|day| chrono::Datelike::weekday(&day) != chrono::Weekday::Sun)
    {
        year += 1;
    }
    // The second Sunday of March, half past two.
    let body = json!({ "starts_at": format!("{year}-03-14T02:30"), "customer": ana() });
    assert_eq!(front.post("book", &body).await.expect_status(422).json()["code"], "no_such_time");
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_calendar_it_is_said_how_to_get_one() {
    let front = Front::local(&[("calendar.kind", "none")]).await;
    let body = json!({ "starts_at": front.monday(9), "customer": ana() });
    let refused = [front.get("availability").await, front.post("book", &body).await];
    for refused in refused {
        let refused = refused.expect_status(409).json();
        assert_eq!(refused["code"], "no_calendar");
        assert!(refused["detail"].as_str().unwrap().contains("calendar.kind=local"), "{refused}");
    }
    front.end().await;

    let front = Front::calcom(&[("secret:calendar.api_key", "cal_wrong_key_of_nobody")]).await;
    let refused = front.post("book", &body).await.expect_status(409).json();
    assert_eq!(refused["code"], "calendar_not_configured");
    assert!(refused["detail"].as_str().unwrap().contains("calendar.api_key"), "{refused}");
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_is_down_or_silent_is_told_as_that() {
    let front = Front::calcom(&[]).await;
    let fault =
        |kind, on: &str, times| front.world.standins.add_fault(Fault::new(Provider::CalCom, kind).on(on).times(times));
    fault(FaultKind::Html, "GET /calcom/v2/slots", 3);
    let down = front.get("availability").await.expect_status(503);
    assert_eq!(down.json()["code"], "calendar_down");
    assert!(!down.header("retry-after").is_empty());

    // Accepted, the answer lost, and the calendar not to be asked: nobody is told that it is booked.
    fault(FaultKind::ResetAfterAccept, "POST /calcom/v2/bookings", 1);
    fault(FaultKind::Html, "GET /calcom/v2/bookings", 3);
    let body = json!({ "starts_at": front.monday(9), "customer": ana() });
    let unclear = front.post_as("site-7", "book", &body).await.expect_status(504).json();
    assert_eq!(unclear["code"], "calendar_unclear");
    let found = front.post_as("site-7", "book", &body).await.expect_status(200).json();
    assert_eq!(found["state"], "confirmed");
    let bookings = front.world.standins.bookings(front.world.clinic.id.get());
    assert_eq!(bookings.iter().filter(|one| one.stands()).count(), 1, "and it is there once");
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appointments_are_listed_by_what_is_asked_for_and_it_is_told_how_many_came() {
    let front = Front::local(&[("reminders.no_show_auto", "false")]).await;
    let ana = front.person("Ana", "5511987654321");
    let mut ids = Vec::new();
    for hour in [8, 9, 10, 11] {
        ids.push(front.book(front.monday(hour)).await["id"].as_str().unwrap().to_owned());
    }
    let early = front.post(&format!("appointments/{}/attended", ids[0]), &json!({})).await.expect_status(422);
    assert_eq!(early.json()["code"], "not_begun");
    let wait = front.monday(10) - front.now() + TimeDelta::minutes(30);
    front.later(wait.num_minutes().try_into().unwrap());
    for (id, word) in [(&ids[0], "attended"), (&ids[1], "attended"), (&ids[2], "no-show")] {
        front.post(&format!("appointments/{id}/{word}"), &json!({})).await.expect_status(200);
    }
    let all = front.get(&format!("appointments?person={ana}")).await.expect_status(200).json();
    assert_eq!(all["total"], 4);
    let rate = all["attendance_rate"].as_f64().unwrap();
    assert!((rate - 2.0 / 3.0).abs() < 1e-9, "two of three came");
    let missed = front.get("appointments?state=no_show").await.expect_status(200).json();
    assert_eq!(missed["appointments"][0]["id"], json!(ids[2]));
    assert_eq!(missed["appointments"][0]["outcome_source"], "team");
    let from = front.monday(11).to_rfc3339().replace('+', "%2B");
    // The Monday after the clock moved is another one: only what is asked for counts.
    let later = front.get(&format!("appointments?from={from}")).await.expect_status(200).json();
    assert_eq!(later["total"], 0);
    assert_eq!(later["attendance_rate"], Value::Null);
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_is_ordered_once_and_of_nobody_who_does_not_want_it() {
    let front = Front::local(&[]).await;
    let person = front.person("Ana", "5511987654321");
    let booked = front.book(front.monday(9)).await;
    let path = format!("appointments/{}/reminder", booked["id"].as_str().unwrap());
    let first = front.post_as("lembrete-1", &path, &json!({})).await.expect_status(202).json();
    let again = front.post_as("lembrete-1", &path, &json!({})).await.expect_status(202).json();
    assert_eq!(first["timer"]["id"], again["timer"]["id"]);
    assert_eq!(front.sql("SELECT count(*) FROM timer WHERE name = 'manual:lembrete-1' AND state = 'due'"), "1");
    front.post(&path, &json!({})).await.expect_status(202);
    assert_eq!(front.sql("SELECT count(*) FROM timer WHERE name LIKE 'manual:%'"), "2", "without a key each is one");

    front.sql(&format!("UPDATE person SET opted_out_at = now() WHERE id = '{person}'"));
    assert_eq!(front.post(&path, &json!({})).await.expect_status(409).json()["code"], "opted_out");
    front.post(&path.replace("/reminder", "/cancel"), &json!({})).await.expect_status(200);
    assert_eq!(front.post(&path, &json!({})).await.expect_status(409).json()["code"], "wrong_state");
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_after_visits_are_listed_by_status_and_asked_again() {
    let front = Front::local(&[]).await;
    front.person("Ana", "5511987654321");
    let booked = front.book(front.monday(9)).await;
    let pending = front.get("followups?status=pending").await.expect_status(200).json();
    let id = pending["followups"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(pending["followups"][0]["appointment_id"], booked["id"]);
    let path = format!("followups/{id}/resend");
    assert_eq!(front.post(&path, &json!({})).await.expect_status(409).json()["code"], "still_pending");
    front.sql(&format!("UPDATE timer SET state = 'done' WHERE id = '{id}'"));
    assert_eq!(front.post(&path, &json!({})).await.expect_status(409).json()["code"], "wrong_state", "it has not been");
    let wait = front.monday(10) - front.now();
    front.later(wait.num_minutes().try_into().unwrap());
    for _ in 0..2 {
        front.post_as("de-novo", &path, &json!({})).await.expect_status(202);
    }
    assert_eq!(front.sql("SELECT count(*) FROM timer WHERE kind = 'follow_up' AND state = 'due'"), "1");
    front.get("followups?status=talvez").await.expect_status(400);
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_company_says_yes_or_no_to_what_needs_its_word() {
    let front = Front::local(&[("calendar.needs_confirmation", "true")]).await;
    let (first, second) = (front.book(front.monday(9)).await, front.book(front.monday(10)).await);
    assert_eq!(first["state"], "pending");
    let path = |one: &Value, word: &str| format!("appointments/{}/{word}", one["id"].as_str().unwrap());
    let yes = front.post(&path(&first, "confirm"), &json!({})).await.expect_status(200).json();
    assert_eq!(yes["state"], "confirmed");
    let no = front.post(&path(&second, "decline"), &json!({ "reason": "sem agenda" })).await.expect_status(200).json();
    assert_eq!((&no["state"], &no["reason"]), (&json!("rejected"), &json!("sem agenda")));
    front.post(&path(&second, "confirm"), &json!({})).await.expect_status(409);
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_professionals_and_hours_are_what_can_be_booked() {
    let front = Front::local(&[]).await;
    let services = json!({ "services": [
        { "name": "Limpeza", "price_cents": 18_000, "duration_minutes": 60 },
        { "name": "Avaliação", "duration_minutes": 30, "hours": "seg 14h-18h" },
    ]});
    let kept = front.put("services", &services).await.expect_status(200).json();
    assert_eq!(kept["services"].as_array().unwrap().len(), 2);
    let people = json!({ "professionals": [{ "name": "Dra. Paula", "services": ["Limpeza"], "hours": "seg 8h-12h" }] });
    front.put("professionals", &people).await.expect_status(200);
    let day =
        format!("from={}&until={}", front.monday(0).to_rfc3339(), front.monday(24).to_rfc3339()).replace('+', "%2B");
    let free = front.get(&format!("availability?service=limpeza&{day}")).await.expect_status(200).json();
    let slots = free["slots"].as_array().unwrap();
    assert_eq!(
        (slots.len(), &slots[0]["professional"]["name"]),
        (4, &json!("Dra. Paula")),
        "one an hour, from 8 to 12"
    );
    let which = front.get(&format!("availability?{day}")).await.expect_status(400).json();
    assert_eq!((&which["field"], &which["offered"][0]), (&json!("service"), &json!("Avaliação")), "there are several");

    let wrong = json!({ "services": [{ "name": "Canal" }, { "name": "Siso", "hours": "quando der" }] });
    front.put("services", &wrong).await.expect_status(400);
    assert!(!front.get("services").await.body.contains("Canal"), "all or none");
    let unknown = json!({ "professionals": [{ "name": "Dr. João", "services": ["Implante"] }] });
    assert_eq!(front.put("professionals", &unknown).await.expect_status(422).json()["code"], "unknown_service");

    let changed = front.put("hours", &json!({ "opening": "seg-sáb 9h-17h" })).await.expect_status(200).json();
    assert_eq!(changed["changed"], json!(["hours.opening"]));
    let told = front.get("hours").await.expect_status(200).json();
    assert_eq!(told["opening"], changed["opening"]);
    front.put("hours", &json!({ "opening": "sempre" })).await.expect_status(400);
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_opens_with_its_own_token_only() {
    let front = Front::local(&[]).await;
    front.book(front.monday(9)).await;
    let path = front.get("feed").await.expect_status(200).json()["path"].as_str().unwrap().to_owned();
    let host = |domain: &str| vec![("host", domain.to_owned())];
    let clinic = host(&front.world.clinic.domain);
    let feed = front.world.request("GET", &path, &clinic, "").await.expect_status(200);
    assert!(feed.header("content-type").starts_with("text/calendar"));
    assert!(feed.body.contains("BEGIN:VEVENT") && feed.body.contains("Ana Souza"), "{}", feed.body);
    let wrong = format!("{}0", &path[..path.len() - 1]);
    let wrong = if wrong == path { format!("{}1", &path[..path.len() - 1]) } else { wrong };
    for (path, who) in [
        (wrong.as_str(), &front.world.clinic.domain),
        ("/api/agenda/feed.ics", &front.world.clinic.domain),
        (path.as_str(), &front.world.salon.domain),
    ] {
        front.world.request("GET", path, &host(who), "").await.expect_status(404);
    }
    front.end().await;
}
