//! Cal.com's client against the stand-in: every operation, what is refused, and what is known after trouble.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::America::Sao_Paulo;
use secretaria::clients::calendar::calcom::{Calcom, metadata};
use secretaria::clients::calendar::{
    Booking, BookingStatus, CalendarEndpoint, FINAL_STATE, INTENT_KEY, NOT_FOUND, NewBooking, SLOT_TAKEN, SlotQuery,
    Versions,
};
use secretaria::clients::http::HttpClient;
use secretaria::clients::{WireError, WireErrorKind};
use secretaria::clock::Clock;
use secretaria::domain::webhook_auth::calcom::{sign, verify};
use secretaria::standins::{EventTypeAtStandIn, Fault, FaultKind, Provider, StandIns};
use serde_json::{Value, json};

const COMPANY: i64 = 42;
const EVENT: i64 = 42_001;

struct Lab {
    clock: Clock,
    standins: StandIns,
    http: HttpClient,
    endpoint: CalendarEndpoint,
    intent: BTreeMap<String, String>,
}

/// The next moment of a weekday at so many o'clock in São Paulo, at least a day ahead: a Monday.
fn monday(clock: &Clock, hour: i64) -> DateTime<Utc> {
    use chrono::{Datelike, NaiveTime, TimeZone, Weekday};
    let mut date = clock.now().with_timezone(&Sao_Paulo).date_naive() + TimeDelta::days(1);
    while date.weekday() != Weekday::Mon {
        date += TimeDelta::days(1);
    }
    Sao_Paulo.from_local_datetime(&(date.and_time(NaiveTime::MIN) + TimeDelta::hours(hour))).unwrap().to_utc()
}

async fn lab() -> Lab {
    let clock = Clock::new();
    let standins = StandIns::start(clock.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    standins.add_event_type(EventTypeAtStandIn::new(COMPANY, EVENT));
    let endpoint = CalendarEndpoint {
        base_url: standins.calcom_url(),
        api_key: StandIns::credential(COMPANY, "cal").into(),
        versions: Versions::default(),
        timeout: Duration::from_secs(2),
    };
    let http = HttpClient::new(Duration::from_secs(2)).unwrap();
    Lab { clock, standins, http, endpoint, intent: metadata("intent-1", COMPANY) }
}

impl Lab {
    fn calcom(&self) -> Calcom<'_> {
        Calcom::new(&self.http, &self.endpoint)
    }

    fn at(&self, hour: i64) -> DateTime<Utc> {
        monday(&self.clock, hour)
    }

    fn wanted(&self, starts: DateTime<Utc>) -> NewBooking<'_> {
        NewBooking {
            event_type: EVENT,
            starts,
            name: "Ana Souza",
            phone: Some("+5511987654321"),
            email: None,
            zone: Sao_Paulo,
            metadata: &self.intent,
        }
    }

    async fn book(&self, hour: i64) -> Booking {
        self.calcom().book(&self.wanted(self.at(hour))).await.unwrap()
    }

    async fn free(&self) -> Vec<DateTime<Utc>> {
        let query =
            SlotQuery { event_type: EVENT, from: self.at(8), until: self.at(18), zone: Sao_Paulo, moving: None };
        self.calcom().slots(&query).await.unwrap().into_iter().map(|slot| slot.starts).collect()
    }

    fn trouble(&self, fault: Fault) {
        self.standins.add_fault(fault.times(1));
    }
}

fn calcom(kind: FaultKind) -> Fault {
    Fault::new(Provider::CalCom, kind)
}

fn told(error: &WireError) -> (WireErrorKind, &'static str) {
    (error.kind, error.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn free_times_are_utc_half_hours_of_the_open_day() {
    let lab = lab().await;
    let free = lab.free().await;
    assert_eq!(free.len(), 20, "8h to 18h");
    assert_eq!((free[0], free[19]), (lab.at(8), lab.at(18) - TimeDelta::minutes(30)));
    let asked = lab.standins.ledger_since(0).pop().unwrap();
    assert_eq!(asked.headers["cal-api-version"], "2024-09-04");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_family_of_calls_carries_its_own_version() {
    let lab = lab().await;
    let calcom = lab.calcom();
    calcom.me().await.unwrap();
    calcom.event_types().await.unwrap();
    calcom.event_type(EVENT).await.unwrap();
    lab.free().await;
    let kept = calcom.reserve(EVENT, lab.at(9), 5).await.unwrap();
    calcom.release(&kept.uid).await.unwrap();
    let booking = lab.book(9).await;
    calcom.booking(&booking.uid).await.unwrap();
    calcom.updated_after(lab.clock.now() - TimeDelta::hours(1)).await.unwrap();
    calcom.cancel(&booking.uid, "teste").await.unwrap();
    let versions: Vec<_> = lab
        .standins
        .ledger_since(0)
        .iter()
        .map(|entry| {
            (entry.path.clone(), entry.headers.get("cal-api-version").cloned().unwrap_or_default(), entry.status)
        })
        .collect();
    for (path, version, status) in &versions {
        let family = match path.trim_start_matches("/calcom/v2/").split('/').next().unwrap() {
            "me" => "",
            "event-types" => "2024-06-14",
            "slots" => "2024-09-04",
            _ => "2024-08-13",
        };
        assert_eq!(version, family, "{path}");
        assert!(status.unwrap() < 300, "{path}");
    }
    assert_eq!(versions.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_made_read_moved_and_called_off() {
    let lab = lab().await;
    let calcom = lab.calcom();
    let made = lab.book(14).await;
    assert_eq!((made.status.clone(), made.starts), (BookingStatus::Accepted, lab.at(14)));
    assert_eq!(made.ends - made.starts, TimeDelta::minutes(30));
    assert_eq!((made.intent(), made.event_type), (Some("intent-1"), Some(EVENT)));
    assert!(made.meeting_url.as_deref().unwrap().starts_with("https://"));
    assert_eq!(made.attendees[0].email, "5511987654321@sms.cal.com", "made up by the service");
    assert_eq!(calcom.booking(&made.uid).await.unwrap(), made);
    assert!(!lab.free().await.contains(&lab.at(14)));

    let moved = calcom.reschedule(&made.uid, lab.at(16), "a pedido").await.unwrap();
    assert_ne!(moved.uid, made.uid);
    assert_eq!((moved.starts, moved.moved_from.as_deref()), (lab.at(16), Some(made.uid.as_str())));
    assert_eq!(moved.intent(), Some("intent-1"));
    let old = calcom.booking(&made.uid).await.unwrap();
    assert_eq!((old.status, old.moved_to), (BookingStatus::Cancelled, Some(moved.uid.clone())));

    let off = calcom.cancel(&moved.uid, "não posso").await.unwrap();
    assert_eq!((off.status, off.cancellation_reason.as_deref()), (BookingStatus::Cancelled, Some("não posso")));
    let again = calcom.cancel(&moved.uid, "não posso").await.unwrap_err();
    assert_eq!(told(&again), (WireErrorKind::Invalid, FINAL_STATE));
    let late = calcom.reschedule(&made.uid, lab.at(10), "").await.unwrap_err();
    assert_eq!(told(&late), (WireErrorKind::Invalid, FINAL_STATE));
    assert!(lab.free().await.contains(&lab.at(16)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_says_yes_or_no_and_tells_who_did_not_come() {
    let lab = lab().await;
    let calcom = lab.calcom();
    lab.standins
        .add_event_type(EventTypeAtStandIn { needs_confirmation: true, ..EventTypeAtStandIn::new(COMPANY, EVENT) });
    let (one, other) = (lab.book(9).await, lab.book(10).await);
    assert_eq!(one.status, BookingStatus::Pending);
    assert_eq!(calcom.confirm(&one.uid).await.unwrap().status, BookingStatus::Accepted);
    assert_eq!(calcom.decline(&other.uid, "agenda cheia").await.unwrap().status, BookingStatus::Rejected);
    assert_eq!(told(&calcom.confirm(&other.uid).await.unwrap_err()), (WireErrorKind::Invalid, FINAL_STATE));
    let email = &one.attendees[0].email;
    let early = calcom.mark_absent(&one.uid, email, true).await.unwrap_err();
    assert_eq!(told(&early), (WireErrorKind::Invalid, "too_early"));
    lab.clock.advance((one.ends - lab.clock.now()).to_std().unwrap());
    assert!(calcom.mark_absent(&one.uid, email, true).await.unwrap().attendees[0].absent);
    assert!(!calcom.mark_absent(&one.uid, email, false).await.unwrap().attendees[0].absent);
    let triggers: Vec<String> =
        lab.standins.callbacks(COMPANY).iter().map(|told| told["triggerEvent"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        triggers,
        [
            "BOOKING_REQUESTED",
            "BOOKING_REQUESTED",
            "BOOKING_CREATED",
            "BOOKING_REJECTED",
            "BOOKING_NO_SHOW_UPDATED",
            "BOOKING_NO_SHOW_UPDATED"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_kept_until_it_is_given_back_or_runs_out() {
    let lab = lab().await;
    let calcom = lab.calcom();
    let kept = calcom.reserve(EVENT, lab.at(9), 5).await.unwrap();
    assert!(kept.until.unwrap() - lab.clock.now() > TimeDelta::minutes(4));
    assert!(!lab.free().await.contains(&lab.at(9)));
    let second = calcom.reserve(EVENT, lab.at(9), 5).await.unwrap_err();
    assert_eq!(told(&second), (WireErrorKind::Invalid, SLOT_TAKEN));
    calcom.release(&kept.uid).await.unwrap();
    calcom.release(&kept.uid).await.unwrap();
    assert!(lab.free().await.contains(&lab.at(9)));
    calcom.reserve(EVENT, lab.at(9), 5).await.unwrap();
    lab.clock.advance(Duration::from_secs(301));
    assert!(lab.free().await.contains(&lab.at(9)), "five minutes are over");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_apart() {
    let mut lab = lab().await;
    lab.book(9).await;
    let refused = |error: Result<Booking, WireError>| told(&error.unwrap_err());
    let calcom = lab.calcom();
    assert_eq!(refused(calcom.book(&lab.wanted(lab.at(9))).await), (WireErrorKind::Invalid, SLOT_TAKEN));
    let between = lab.at(9) + TimeDelta::minutes(10);
    assert_eq!(refused(calcom.book(&lab.wanted(between)).await), (WireErrorKind::Invalid, SLOT_TAKEN));
    let past = lab.at(9) - TimeDelta::days(14);
    assert_eq!(refused(calcom.book(&lab.wanted(past)).await), (WireErrorKind::Invalid, "in_the_past"));
    let nobody = NewBooking { phone: None, ..lab.wanted(lab.at(10)) };
    assert_eq!(refused(calcom.book(&nobody).await), (WireErrorKind::Invalid, "attendee_incomplete"));
    let half = NewBooking { phone: Some("11987654321"), ..lab.wanted(lab.at(10)) };
    assert_eq!(refused(calcom.book(&half).await).0, WireErrorKind::Invalid, "without the plus sign");
    let unknown = NewBooking { event_type: 1, ..lab.wanted(lab.at(10)) };
    assert_eq!(refused(calcom.book(&unknown).await), (WireErrorKind::Auth, "event_type_not_found"));
    assert_eq!(told(&calcom.event_type(1).await.unwrap_err()), (WireErrorKind::Auth, "event_type_not_found"));
    assert_eq!(refused(calcom.booking("nope").await), (WireErrorKind::Invalid, NOT_FOUND));
    // Nothing of an id becomes a part of the path.
    assert_eq!(refused(calcom.booking("../me").await), (WireErrorKind::Invalid, NOT_FOUND));
    lab.endpoint.api_key = "cal_wrong".to_owned().into();
    assert_eq!(refused(lab.calcom().booking("nope").await), (WireErrorKind::Auth, "key_refused"));
    lab.endpoint.base_url = "http://127.0.0.1:1".to_owned();
    assert_eq!(refused(lab.calcom().booking("nope").await), (WireErrorKind::Unavailable, "connect"));
    assert_eq!(lab.standins.bookings(COMPANY).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_trouble_it_is_known_whether_something_may_have_happened() {
    let lab = lab().await;
    let cases = [
        (calcom(FaultKind::ResetAfterAccept), WireErrorKind::Unknown, 1),
        (calcom(FaultKind::Garbage), WireErrorKind::Unknown, 1),
        (calcom(FaultKind::Truncated), WireErrorKind::Unknown, 1),
        (calcom(FaultKind::SilentAfterAccept), WireErrorKind::Unknown, 1),
        (Fault { accept: Some(true), ..Fault::status(Provider::CalCom, 500, json!({})) }, WireErrorKind::Unknown, 1),
        (calcom(FaultKind::Html), WireErrorKind::Unknown, 0),
        (calcom(FaultKind::ResetBefore), WireErrorKind::Unknown, 0),
        (Fault::status(Provider::CalCom, 429, json!({})), WireErrorKind::RateLimited, 0),
        (Fault::status(Provider::CalCom, 409, json!({})), WireErrorKind::Invalid, 0),
        (Fault::status(Provider::CalCom, 401, json!({})), WireErrorKind::Auth, 0),
    ];
    for (n, (fault, kind, made)) in cases.into_iter().enumerate() {
        let (hour, before) = (8 + i64::try_from(n).unwrap(), lab.standins.bookings(COMPANY).len());
        let name = format!("{:?} {:?}", fault.kind, fault.status);
        lab.trouble(fault);
        let error = lab.calcom().book(&lab.wanted(lab.at(hour))).await.unwrap_err();
        assert_eq!(error.kind, kind, "{name}: {error}");
        assert_eq!(lab.standins.bookings(COMPANY).len() - before, made, "{name}");
        assert_eq!(error.surely_not_sent(), kind != WireErrorKind::Unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_read_may_be_read_again() {
    let lab = lab().await;
    for fault in [calcom(FaultKind::ResetAfterAccept), calcom(FaultKind::Html), calcom(FaultKind::Garbage)] {
        lab.trouble(fault);
        assert_eq!(lab.calcom().me().await.unwrap_err().kind, WireErrorKind::Unavailable);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_says_how_long_to_wait() {
    let lab = lab().await;
    let limited = |headers: &[(&str, &str)]| Fault {
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Fault::status(Provider::CalCom, 429, json!({"error": {"message": "ThrottlerException: Too Many Requests"}}))
    };
    for (headers, seconds) in [
        (&[("x-ratelimit-reset-default", "17")][..], 17),
        (&[("x-ratelimit-reset-default", "1796000000")], 60),
        (&[("retry-after", "5")], 5),
        (&[], 60),
    ] {
        lab.trouble(limited(headers));
        let error = lab.calcom().me().await.unwrap_err();
        assert_eq!((error.kind, error.retry_after), (WireErrorKind::RateLimited, Some(Duration::from_secs(seconds))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_by_its_intent() {
    let lab = lab().await;
    let before = lab.clock.now() - TimeDelta::minutes(1);
    lab.book(8).await;
    let other = metadata("intent-2", COMPANY);
    lab.trouble(calcom(FaultKind::ResetAfterAccept));
    let wanted = NewBooking { metadata: &other, ..lab.wanted(lab.at(11)) };
    assert_eq!(lab.calcom().book(&wanted).await.unwrap_err().kind, WireErrorKind::Unknown);
    let found = lab.calcom().find_by_intent("intent-2", EVENT, before).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].starts, found[0].metadata[INTENT_KEY].as_str()), (lab.at(11), "intent-2"));
    assert!(lab.calcom().find_by_intent("intent-3", EVENT, before).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_are_read_to_their_end() {
    let lab = lab().await;
    let before = lab.clock.now() - TimeDelta::minutes(1);
    for n in 0..130 {
        let day = lab.at(8) + TimeDelta::days(7 * (n / 20)) + TimeDelta::minutes(30 * (n % 20));
        lab.calcom().book(&lab.wanted(day)).await.unwrap();
    }
    assert_eq!(lab.calcom().updated_after(before).await.unwrap().len(), 130);
    let later = lab.clock.now() + TimeDelta::minutes(1);
    assert!(lab.calcom().updated_after(later).await.unwrap().is_empty());
}

#[test]
fn a_callback_is_known_by_its_signature() {
    let body = br#"{"triggerEvent":"BOOKING_CREATED","createdAt":"2050-09-05T12:00:00.000Z","payload":{"uid":"abc"}}"#;
    let signature = "68fd2ecc03cc46263b0714e8d400a4867eb2b371a4b317635a67969a9f725383";
    assert_eq!(sign("cal-secret", body), signature);
    assert!(verify(["other", "cal-secret"], signature, body));
    assert!(!verify(["other"], signature, body));
    assert!(!verify(["cal-secret"], signature, b"{}"));
    assert!(!verify(["cal-secret"], "no-secret-provided", body));
    assert!(!verify([""], &sign("", body), body), "no secret is no secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_arrive_signed() {
    let lab = lab().await;
    lab.standins.subscribe(COMPANY, &format!("{}/nowhere", lab.standins.base_url()), "", "s3cret");
    let answers = lab.standins.call_back(COMPANY, &json!({"triggerEvent": "PING"})).await;
    assert_eq!(answers, [Ok(404)], "they are sent, whatever is answered");
    let made = lab.book(15).await;
    let told: Value = lab.standins.callbacks(COMPANY).pop().unwrap();
    assert_eq!((&told["triggerEvent"], &told["payload"]["uid"]), (&json!("BOOKING_CREATED"), &json!(made.uid)));
    assert_eq!(told["payload"]["metadata"][INTENT_KEY], "intent-1");
}
