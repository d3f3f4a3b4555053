//! Cal.com's own document, where it is at hand (it may not be copied): its example answers are read by our client, and
//! (by `make contract`, with Prism between) every request of ours is one that it describes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::America::Sao_Paulo;
use secretaria::clients::WireErrorKind;
use secretaria::clients::calendar::calcom::{Calcom, metadata};
use secretaria::clients::calendar::{CalendarEndpoint, NewBooking, SlotQuery, Versions, read_booking};
use secretaria::clients::http::{BODY_LIMIT, HttpClient};
use secretaria::standins::StandIns;
use serde_json::{Value, json};

const DOCUMENT: &str = "cal-v2.contract.json";

/// The document, or a loud word and nothing.
fn document() -> Option<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/specs");
    let folder = std::env::var_os("SPECS_DIR").filter(|dir| !dir.is_empty()).map_or(beside, PathBuf::from);
    match std::fs::read_to_string(folder.join(DOCUMENT)) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(why) => {
            eprintln!("SKIPPED: {DOCUMENT} is not in {} ({why}); set SPECS_DIR", folder.display());
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
        use secretaria::clock::Clock;
        use secretaria::standins::EventTypeAtStandIn;
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
    let at = secretaria::clock::Clock::new().now() + TimeDelta::days(1);
    format!("{}T15:00:00Z", at.date_naive())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prism: `make contract` starts it and runs this"]
async fn prism_takes_every_request_to_calcom() {
    let Ok(base_url) = std::env::var("CONTRACT_CALCOM_URL") else {
        eprintln!("SKIPPED: CONTRACT_CALCOM_URL is not set; {DOCUMENT} is not at hand");
        return;
    };
    let http = HttpClient::new(Duration::from_secs(5)).unwrap();
    let endpoint = CalendarEndpoint {
        base_url: base_url.clone(),
        api_key: "cal_contract".to_owned().into(),
        versions: Versions::default(),
        timeout: Duration::from_secs(20),
    };
    let calcom = Calcom::new(&http, &endpoint);
    let starts: DateTime<Utc> = tomorrow().parse().unwrap();
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
    let query = SlotQuery {
        event_type: 123,
        from: starts,
        until: starts + TimeDelta::days(1),
        zone: Sao_Paulo,
        moving: Some("abc"),
    };
    // Prism answers with examples; that the request was taken is what counts, so a garbled example is no failure.
    let mut refused = Vec::new();
    let mut check = |what: &str, error: Option<secretaria::clients::WireError>| {
        if let Some(error) = error.filter(|error| error.code != "garbage") {
            refused.push(format!("{what}: {error}"));
        }
    };
    check("me", calcom.me().await.err());
    check("slots", calcom.slots(&query).await.err());
    check("reserve", calcom.reserve(123, starts, 10).await.err());
    check("release", calcom.release("e84be5a3-4696-49e3-acc7-b2f3999c3b94").await.err());
    check("book", calcom.book(&new).await.err());
    check(
        "book by e-mail",
        calcom.book(&NewBooking { phone: None, email: Some("ana@example.com"), ..new }).await.err(),
    );
    check("booking", calcom.booking("abc").await.err());
    check("find", calcom.find_by_intent("intent-1", 123, starts).await.err());
    check("updated", calcom.updated_after(starts).await.err());
    check("reschedule", calcom.reschedule("abc", starts, "a pedido").await.err());
    check("cancel", calcom.cancel("abc", "não posso").await.err());
    check("confirm", calcom.confirm("abc").await.err());
    check("decline", calcom.decline("abc", "cheio").await.err());
    check("mark_absent", calcom.mark_absent("abc", "ana@example.com", true).await.err());
    assert!(refused.is_empty(), "refused by the document:\n{}", refused.join("\n"));

    // Prism does look: a field that nobody knows, a time that is not UTC, a phone without a plus sign.
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
    let mut endpoint = endpoint.clone();
    endpoint.versions.bookings = "2020-01-01".to_owned();
    let unknown = Calcom::new(&http, &endpoint).booking("abc").await.unwrap_err();
    assert_eq!(unknown.kind, WireErrorKind::Invalid, "a version that nobody speaks");
}
