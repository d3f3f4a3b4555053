//! Cal.com's own document, where it is at hand (it may not be copied): its example answers are read by our client, and
//! (by `make contract`, with Prism between) every request of ours is one that it describes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::America::Sao_Paulo;
use secretaria::clients::WireErrorKind;
use secretaria::clients::calendar::calcom::{Calcom, metadata};
use secretaria::clients::calendar::{CalendarEndpoint, NewBooking, SLOT_TAKEN, SlotQuery, Versions, read_booking};
use secretaria::clients::http::{BODY_LIMIT, HttpClient};
use secretaria::clock::Clock;
use secretaria::standins::{EventTypeAtStandIn, StandIns};
use serde_json::{Value, json};

const DOCUMENT: &str = "cal-v2.contract.json";

/// The document of `SPECS_DIR`, or a loud word and nothing.
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn document() -> Option<Value> {
    let folder = std::env::var_os("SPECS_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    match folder.map(|folder| std::fs::read_to_string(folder.join(DOCUMENT))) {
        Some(Ok(text)) => Some(serde_json::from_str(&text).unwrap()),
        _ => {
            eprintln!("SKIPPED: SPECS_DIR names no folder that holds {DOCUMENT}");
            None
        }
    }
}

fn examples<'a>(document: &'a Value, path: &str, method: &str) -> Vec<&'a Value> {
    let responses = document["paths"][path][method]["responses"].as_object().unwrap();
    let good = responses.iter().filter(|(status, _)| status.starts_with('2'));
    let content = good.map(|(_, response)| &response["content"]["application/json"]);
    content
        .flat_map(|content| {
            let named = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
            named.chain(content.get("example")).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn its_example_bookings_are_read() {
    let Some(document) = document() else { return };
    let mut read = 0;
    for (path, method) in [("/v2/bookings", "post"), ("/v2/bookings/{bookingUid}", "get")] {
        for example in examples(&document, path, method) {
            let Some(data) = example.get("data") else { continue };
            let booking = read_booking(data).unwrap_or_else(|| panic!("{path}: {data}"));
            assert!(!booking.uid.is_empty() && booking.starts < booking.ends);
            read += 1;
        }
    }
    eprintln!("{read} example bookings read");
}

#[test]
fn the_stand_in_answers_in_the_documents_words() {
    // Every field that the document demands of a booking is one the stand-in gives.
    let Some(document) = document() else { return };
    let schema = &document["components"]["schemas"]["BookingOutput_2024_08_13"];
    let demanded: Vec<&str> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let given = runtime.block_on(async {
        let standins = StandIns::start(Clock::new(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        standins.add_event_type(EventTypeAtStandIn {
            opens: 0,
            closes: 24,
            days: all_days(),
            ..EventTypeAtStandIn::new(1, 7)
        });
        let http = HttpClient::new(Duration::from_secs(2)).unwrap();
        let url = format!("{}/v2/bookings", standins.calcom_url());
        let bearer = format!("Bearer {}", StandIns::credential(1, "x"));
        let headers = [("authorization", bearer.as_str()), ("cal-api-version", "2024-08-13")];
        let body = json!({"start": tomorrow(), "eventTypeId": 7,
            "attendee": {"name": "Ana", "timeZone": "America/Sao_Paulo", "email": "ana@example.com"}});
        let patience = Duration::from_secs(5);
        let answer = http.post_json(&url, &headers, body.to_string().into_bytes(), patience, BODY_LIMIT).await.unwrap();
        serde_json::from_slice::<Value>(&answer.body).unwrap()["data"].clone()
    });
    for field in demanded {
        assert!(given.get(field).is_some(), "the stand-in leaves out {field}: {given}");
    }
}

fn all_days() -> Vec<chrono::Weekday> {
    use chrono::Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun]
}

fn tomorrow() -> String {
    let at = Clock::new().now() + TimeDelta::days(1);
    format!("{}T15:00:00Z", at.date_naive())
}

/// The stand-in behind Prism, and our client before it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prism: `make contract` starts it and runs this"]
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
async fn prism_takes_every_request_to_calcom_and_every_answer_of_the_stand_in() {
    let (Ok(base_url), Ok(standin)) = (std::env::var("CONTRACT_CALCOM_URL"), std::env::var("CONTRACT_CALCOM_STANDIN"))
    else {
        eprintln!("SKIPPED: CONTRACT_CALCOM_URL is not set: {DOCUMENT} is not at hand");
        return;
    };
    let clock = Clock::new();
    let standins = StandIns::start(clock.clone(), standin.parse().unwrap()).await.unwrap();
    let event = EventTypeAtStandIn { opens: 0, closes: 24, days: all_days(), ..EventTypeAtStandIn::new(1, 123) };
    standins.add_event_type(event.clone());
    let http = HttpClient::new(Duration::from_secs(5)).unwrap();
    let mut endpoint = CalendarEndpoint {
        base_url: base_url.clone(),
        api_key: StandIns::credential(1, "contract").into(),
        versions: Versions::default(),
        timeout: Duration::from_secs(20),
    };
    let before = clock.now() - TimeDelta::minutes(1);
    let starts: DateTime<Utc> = tomorrow().parse().unwrap();
    let (next, last) = (starts + TimeDelta::hours(1), starts + TimeDelta::hours(2));
    let intent: BTreeMap<String, String> = metadata("intent-1", 1);
    let new = NewBooking {
        event_type: 123,
        starts,
        name: "Ana Souza",
        phone: Some("+5511987654321"),
        email: None,
        zone: Sao_Paulo,
        metadata: &intent,
    };
    let query =
        SlotQuery { event_type: 123, from: starts, until: starts + TimeDelta::days(1), zone: Sao_Paulo, moving: None };
    {
        let calcom = Calcom::new(&http, &endpoint);
        calcom.me().await.unwrap();
        assert!(!calcom.slots(&query).await.unwrap().is_empty());
        let kept = calcom.reserve(123, starts, 10).await.unwrap();
        calcom.release(&kept.uid).await.unwrap();
        let one = calcom.book(&new).await.unwrap();
        let by_mail = NewBooking { phone: None, email: Some("ana@example.com"), starts: next, ..new };
        let other = calcom.book(&by_mail).await.unwrap();
        assert_eq!(calcom.booking(&one.uid).await.unwrap(), one);
        assert_eq!(calcom.find_by_intent("intent-1", 123, before).await.unwrap().len(), 2);
        assert_eq!(calcom.updated_after(before).await.unwrap().len(), 2);
        assert_eq!(calcom.slots(&SlotQuery { moving: Some(&one.uid), ..query }).await.unwrap()[0].starts, starts);
        let moved = calcom.reschedule(&one.uid, last, "a pedido").await.unwrap();
        calcom.cancel(&moved.uid, "não posso").await.unwrap();
        assert_eq!(calcom.book(&by_mail).await.unwrap_err().code, SLOT_TAKEN);
        standins.add_event_type(EventTypeAtStandIn { needs_confirmation: true, ..event });
        let pending = calcom.book(&new).await.unwrap();
        calcom.confirm(&pending.uid).await.unwrap();
        let pending = calcom.book(&NewBooking { starts: last, ..new }).await.unwrap();
        calcom.decline(&pending.uid, "cheio").await.unwrap();
        clock.advance(Duration::from_secs(2 * 24 * 3600));
        calcom.mark_absent(&other.uid, "ana@example.com", true).await.unwrap();
    }
    // Prism does look: a field that nobody knows, a time that is not UTC, a phone without a plus sign.
    let asked = standins.ledger_since(0).len();
    let attendee = json!({"name": "Ana", "timeZone": "America/Sao_Paulo", "phoneNumber": "+5511987654321"});
    for wrong in [
        json!({"start": "2026-12-01T12:00:00Z", "eventTypeId": 123, "attendee": attendee, "reason": "x"}),
        json!({"start": "2026-12-01T12:00:00-03:00", "eventTypeId": 123, "attendee": attendee}),
        json!({"start": "2026-12-01T12:00:00Z", "eventTypeId": 123,
            "attendee": {"name": "Ana", "timeZone": "America/Sao_Paulo", "phoneNumber": "11987654321"}}),
    ] {
        let url = format!("{base_url}/v2/bookings");
        let headers = [("authorization", "Bearer cal_contract"), ("cal-api-version", "2024-08-13")];
        let patience = Duration::from_secs(20);
        let answer =
            http.post_json(&url, &headers, wrong.to_string().into_bytes(), patience, BODY_LIMIT).await.unwrap();
        assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text());
    }
    endpoint.versions.bookings = "2020-01-01".to_owned();
    let unknown = Calcom::new(&http, &endpoint).booking("abc").await.unwrap_err();
    assert_eq!(unknown.kind, WireErrorKind::Invalid, "a version that nobody speaks");
    assert_eq!(standins.ledger_since(0).len(), asked, "none of them went through");
}
