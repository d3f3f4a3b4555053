//! What Cal.com tells: every trigger, in any order, twice, for somebody else; bookings made elsewhere; what a lost
//! callback would have said; a calendar that is left alone while it fails.

mod any_order;
mod comparison;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::America::Sao_Paulo;
use secretaria::domain::agenda::appointment::AppointmentState as State;
use secretaria::domain::webhook_auth::calcom::sign;
use secretaria::models::tenant::appointment::AppointmentRow;
use secretaria::services::agenda::{self, Calendar, CalendarError, Customer, OpenSlot, SlotWish, Wish};
use secretaria::services::audit::Actor;
use secretaria::standins::{BookingAtStandIn, EventTypeAtStandIn, Fault, FaultKind, Provider, StandIns};
use secretaria::tenant::Tenant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Company, World, eventually};

const SECRET: &str = "cal-secret-of-the-clinic";
const OTHER_SECRET: &str = "cal-secret-of-the-salon";
const ANA: &str = "+5511987654321";

/// A clinic whose calendar is at Cal.com.
struct Clinic {
    world: World,
    tenant: Arc<Tenant>,
    actor: Actor,
    event: i64,
    /// From when days are counted: not from midnight to midnight of a test that runs through it.
    today: Mutex<DateTime<Utc>>,
}

impl Clinic {
    async fn open() -> Self {
        let world = World::builder().workers(0).set("database.pool_size", 8).start().await;
        for (company, secret) in [(&world.clinic, SECRET), (&world.salon, OTHER_SECRET)] {
            let id = company.id.get();
            let (url, number) = (world.standins.calcom_url(), (id * 100 + 1).to_string());
            let key = StandIns::credential(id, "cal");
            let settings = [
                ("hours.opening", "seg-sáb 8h-18h"),
                ("calendar.kind", "calcom"),
                ("calendar.base_url", &url),
                ("calendar.event_type", &number),
                ("secret:calendar.api_key", &key),
                ("secret:calendar.webhook_secret", secret),
            ];
            world.configure(company, &settings).await;
            world.standins.add_event_type(EventTypeAtStandIn::new(id, id * 100 + 1));
        }
        let event = world.clinic.id.get() * 100 + 1;
        let today = Mutex::new(world.clock.now());
        Self { tenant: world.tenant(&world.clinic), world, actor: Actor::operator("teste"), event, today }
    }

    fn id(&self) -> i64 {
        self.tenant.id().get()
    }

    fn calendar(&self) -> Calendar<'_> {
        agenda::of(&self.world.process.services, &self.tenant, &self.actor).unwrap()
    }

    /// The host has to say yes.
    fn with_confirmation(&self, needed: bool) {
        let kind = EventTypeAtStandIn::new(self.id(), self.event);
        self.world.standins.add_event_type(EventTypeAtStandIn { needs_confirmation: needed, ..kind });
    }

    /// A Monday at least so many days ahead that is no holiday, at so many o'clock.
    fn at(&self, days: i64, hour: i64) -> DateTime<Utc> {
        let mut date = self.today.lock().unwrap().with_timezone(&Sao_Paulo).date_naive() + TimeDelta::days(days);
        while date.weekday() != Weekday::Mon || secretaria::domain::hours::national(date).is_some() {
            date += TimeDelta::days(1);
        }
        Sao_Paulo.from_local_datetime(&(date.and_time(NaiveTime::MIN) + TimeDelta::hours(hour))).unwrap().to_utc()
    }

    fn later(&self, minutes: u64) {
        self.world.clock.advance(Duration::from_secs(minutes * 60));
    }

    /// Time goes on to after a moment.
    fn until(&self, moment: DateTime<Utc>) {
        let left = moment - self.world.clock.now();
        self.world.clock.advance(left.to_std().unwrap_or_default() + Duration::from_secs(60));
    }

    /// Days are counted from now on.
    fn another_day(&self) {
        *self.today.lock().unwrap() = self.world.clock.now();
    }

    /// Somebody uses Cal.com itself with the clinic's account.
    async fn at_cal(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/v2/{path}", self.world.standins.calcom_url());
        let bearer = format!("Bearer {}", StandIns::credential(self.id(), "host"));
        let headers = [("authorization", bearer.as_str()), ("cal-api-version", "2024-08-13")];
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.world.http.post_json(&url, &headers, body, Duration::from_secs(5), 100_000).await.unwrap();
        assert!(answer.is_success(), "{path}: {}", answer.text());
        serde_json::from_slice::<Value>(&answer.body).unwrap()["data"].clone()
    }

    /// Somebody with a telephone books at Cal.com itself; the booking's id.
    async fn booked_elsewhere(&self, starts: DateTime<Utc>, name: &str, phone: &str) -> String {
        let attendee = json!({"name": name, "timeZone": "America/Sao_Paulo", "phoneNumber": phone});
        let body = json!({"start": utc(starts), "eventTypeId": self.event, "attendee": attendee});
        uid(&self.at_cal("bookings", &body).await)
    }

    async fn moved_elsewhere(&self, booking: &str, to: DateTime<Utc>) -> String {
        uid(&self.at_cal(&format!("bookings/{booking}/reschedule"), &json!({"start": utc(to)})).await)
    }

    async fn cancelled_elsewhere(&self, booking: &str) {
        let body = json!({"cancellationReason": "imprevisto"});
        self.at_cal(&format!("bookings/{booking}/cancel"), &body).await;
    }

    async fn marked_elsewhere(&self, booking: &str, absent: bool) {
        let body = json!({"host": false, "attendees": [{"email": "x@example.com", "absent": absent}]});
        self.at_cal(&format!("bookings/{booking}/mark-absent"), &body).await;
    }

    fn booking(&self, uid: &str) -> BookingAtStandIn {
        self.world.standins.bookings(self.id()).into_iter().find(|one| one.uid == uid).unwrap()
    }

    /// What Cal.com had to tell since so many callbacks.
    fn told(&self, since: usize) -> Vec<Value> {
        self.world.standins.callbacks(self.id()).split_off(since)
    }

    fn last_told(&self) -> Value {
        self.told(0).pop().unwrap()
    }

    /// A callback arrives, signed by the clinic's secret.
    async fn tells(&self, body: &Value) -> crate::harness::Answer {
        self.posts("/webhook/calcom", &self.world.clinic, SECRET, &body.to_string()).await
    }

    async fn posts(&self, path: &str, to: &Company, secret: &str, body: &str) -> crate::harness::Answer {
        let signature = sign(secret, body.as_bytes());
        let headers = [("host", to.domain.as_str()), ("x-cal-signature-256", &signature)];
        self.world.post(path, &headers, body.as_bytes()).await
    }

    async fn tells_the_last(&self) {
        let body = self.last_told();
        let answer = self.tells(&body).await.expect_status(200);
        assert_eq!(answer.json, json!({"status": "received"}), "{body}");
    }

    fn sql(&self, sql: &str) -> String {
        self.world.sql(&self.world.clinic, sql)
    }

    /// State and beginning of every appointment that ever was one.
    fn appointments(&self) -> String {
        self.sql(
            "SELECT state, to_char(starts_at AT TIME ZONE 'UTC', 'DD HH24:MI'), source FROM appointment
             WHERE state NOT IN ('held', 'booking', 'lapsed', 'failed') ORDER BY created_at, id",
        )
    }

    fn acts(&self) -> Vec<String> {
        let acts = self.sql("SELECT action FROM audit_log WHERE action LIKE 'agenda.%' ORDER BY seq");
        acts.lines().map(|act| act.trim_start_matches("agenda.").to_owned()).collect()
    }

    fn slot(&self, starts: DateTime<Utc>) -> OpenSlot {
        OpenSlot {
            starts,
            ends: starts + TimeDelta::minutes(30),
            service: None,
            service_name: String::new(),
            professional: None,
            professional_name: String::new(),
        }
    }

    fn wish(&self, starts: DateTime<Utc>) -> Wish {
        let customer = Customer { name: "Ana Souza".to_owned(), phone: Some(ANA.to_owned()), ..Customer::default() };
        Wish { id: Uuid::now_v7(), slot: self.slot(starts), customer, source: "chat" }
    }

    async fn book(&self, starts: DateTime<Utc>) -> AppointmentRow {
        self.calendar().book(&self.wish(starts)).await.unwrap()
    }

    fn trouble(&self, kind: FaultKind, on: &str, times: u32) {
        self.world.standins.add_fault(Fault::new(Provider::CalCom, kind).on(on).times(times));
    }

    fn calls(&self) -> usize {
        self.world.ledger().iter().filter(|entry| json!(entry.provider) == "calcom").count()
    }

    fn counted(&self, name: &str, labels: &str) -> f64 {
        self.world.metric(&self.world.clinic, name, labels)
    }
}

fn utc(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn uid(booking: &Value) -> String {
    booking["uid"].as_str().unwrap().to_owned()
}

fn shown(state: &str, starts: DateTime<Utc>, source: &str) -> String {
    format!("{state}|{}|{source}", starts.format("%d %H:%M"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trigger_does_what_it_says() {
    let clinic = Clinic::open().await;
    clinic.with_confirmation(true);
    let (nine, ten) = (clinic.at(2, 9), clinic.at(2, 10));
    let first = clinic.booked_elsewhere(nine, "Bia Lima", ANA).await;
    clinic.tells_the_last().await;
    assert_eq!(clinic.appointments(), shown("pending", nine, "calendar"), "asked for");
    let id = clinic.sql("SELECT id FROM appointment");

    clinic.later(1);
    clinic.at_cal(&format!("bookings/{first}/confirm"), &Value::Null).await;
    clinic.tells_the_last().await;
    assert_eq!(clinic.appointments(), shown("confirmed", nine, "calendar"), "the host said yes");

    clinic.later(1);
    clinic.with_confirmation(false);
    let second = clinic.moved_elsewhere(&first, ten).await;
    clinic.tells_the_last().await;
    assert_eq!(clinic.appointments(), shown("rescheduled", ten, "calendar"));
    assert_eq!(clinic.sql("SELECT id, external_uid FROM appointment"), format!("{id}|{second}"), "the same row");

    let mut paid = clinic.last_told();
    (paid["triggerEvent"], paid["createdAt"]) = (json!("BOOKING_PAID"), json!(utc(clinic.world.clock.now())));
    clinic.tells(&paid).await.expect_status(200);
    clinic.until(ten);
    for trigger in ["MEETING_STARTED", "MEETING_ENDED"] {
        let mut flat = flat(&clinic.booking(&second));
        flat["triggerEvent"] = json!(trigger);
        assert_eq!(clinic.tells(&flat).await.expect_status(200).json, json!({"status": "received"}));
    }
    assert_eq!(clinic.appointments(), shown("rescheduled", ten, "calendar"), "an end says nothing of who came");
    let hint = json!({"triggerEvent": "AFTER_GUESTS_CAL_VIDEO_NO_SHOW", "createdAt": utc(clinic.world.clock.now()),
        "payload": {"bookingUid": second, "startTime": utc(ten), "endTime": utc(ten + TimeDelta::minutes(30))}});
    clinic.tells(&hint).await.expect_status(200);
    assert_eq!(clinic.appointments(), shown("rescheduled", ten, "calendar"), "a hint accuses nobody");
    assert_eq!(clinic.sql("SELECT metadata ->> 'video_no_show' FROM appointment"), "true");

    clinic.later(1);
    clinic.marked_elsewhere(&second, true).await;
    clinic.tells_the_last().await;
    assert_eq!(clinic.sql("SELECT state, outcome_source FROM appointment"), "no_show|calendar");
    clinic.later(1);
    clinic.marked_elsewhere(&second, false).await;
    clinic.tells_the_last().await;
    assert_eq!(clinic.sql("SELECT state FROM appointment"), "attended", "the host took it back");

    clinic.with_confirmation(true);
    let refused = clinic.booked_elsewhere(clinic.at(2, 11), "Caio", ANA).await;
    clinic.tells_the_last().await;
    clinic.later(1);
    clinic.at_cal(&format!("bookings/{refused}/decline"), &json!({"reason": "agenda cheia"})).await;
    clinic.tells_the_last().await;
    clinic.with_confirmation(false);
    let off = clinic.booked_elsewhere(clinic.at(2, 12), "Davi", ANA).await;
    clinic.tells_the_last().await;
    clinic.later(1);
    clinic.cancelled_elsewhere(&off).await;
    clinic.tells_the_last().await;
    let others = clinic.sql("SELECT state, reason FROM appointment WHERE state <> 'attended' ORDER BY created_at");
    assert_eq!(others, "rejected|agenda cheia\ncancelled|imprevisto");
    let acts = ["book", "confirm", "reschedule", "no_show", "attended", "book", "decline", "book", "cancel"];
    assert_eq!(clinic.acts(), acts, "each act is in the audit trail, once");

    for trigger in ["PING", "RECORDING_READY", "OOO_CREATED", "SOMETHING_OF_TOMORROW"] {
        let body = json!({"triggerEvent": trigger, "createdAt": utc(clinic.world.clock.now()), "payload": {"x": 1}});
        let answer = clinic.tells(&body).await.expect_status(200);
        assert_eq!(answer.json, json!({"status": "ignored", "reason": "trigger"}), "{trigger}");
    }
    assert_eq!(clinic.acts().len(), acts.len());
    assert!(clinic.counted("calendar_callbacks_total", "trigger=\"created\",result=\"adopted\"") >= 1.0);
    assert!(clinic.counted("calendar_callbacks_total", "trigger=\"other\",result=\"ignored\"") >= 4.0);
    for name in ["appointments_confirmed_total", "appointment_reschedules_total", "appointment_no_show_total"] {
        assert!(clinic.counted(name, "") >= 1.0, "{name}");
    }
}

/// A visit's timer, as Cal.com tells it: without a payload.
fn flat(one: &BookingAtStandIn) -> Value {
    json!({"triggerEvent": "MEETING_ENDED", "id": one.id, "uid": one.uid, "eventTypeId": one.event_type,
        "title": one.title, "startTime": utc(one.starts), "endTime": utc(one.ends), "status": "ACCEPTED",
        "attendees": [{"name": one.name, "email": one.email, "noShow": false}], "user": {"name": one.host}})
}

#[tokio::test(flavor = "multi_thread")]
async fn v2_4s_path_takes_the_same_and_a_repetition_changes_nothing() {
    let clinic = Clinic::open().await;
    clinic.booked_elsewhere(clinic.at(2, 9), "Bia", ANA).await;
    let body = clinic.last_told().to_string();
    let first = clinic.posts("/api/agenda/webhook/cal", &clinic.world.clinic, SECRET, &body).await.expect_status(200);
    let row = clinic.sql("SELECT * FROM appointment");
    for path in ["/webhook/calcom", "/api/agenda/webhook/cal", "/webhook/calcom"] {
        let again = clinic.posts(path, &clinic.world.clinic, SECRET, &body).await.expect_status(200);
        assert_eq!(again.json, first.json, "the same answer");
    }
    let all = (0..20).map(|_| clinic.posts("/webhook/calcom", &clinic.world.clinic, SECRET, &body));
    for answer in futures::future::join_all(all).await {
        answer.expect_status(200);
    }
    assert_eq!(clinic.sql("SELECT * FROM appointment"), row, "nothing twice, nothing anew");
    assert_eq!(clinic.acts(), ["book"]);
    assert_eq!(clinic.sql("SELECT count(*) FROM person"), "1");

    // Of twenty that come at once for a booking nobody knows, one makes it ours.
    clinic.booked_elsewhere(clinic.at(2, 10), "Caio", "+5521987650000").await;
    let body = clinic.last_told().to_string();
    let all = (0..20).map(|_| clinic.posts("/webhook/calcom", &clinic.world.clinic, SECRET, &body));
    for answer in futures::future::join_all(all).await {
        answer.expect_status(200);
    }
    assert_eq!(clinic.acts(), ["book", "book"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_the_companys_own_calendar_is_refused_and_nothing_is_stored() {
    let clinic = Clinic::open().await;
    let world = &clinic.world;
    clinic.booked_elsewhere(clinic.at(2, 9), "Bia", ANA).await;
    let body = clinic.last_told().to_string();
    let ours = &world.clinic;
    for (to, secret) in [(ours, OTHER_SECRET), (ours, ""), (ours, "cal-secret"), (&world.salon, SECRET)] {
        let refused = clinic.posts("/webhook/calcom", to, secret, &body).await.expect_status(401);
        assert_eq!(refused.json, json!({"error": "unauthorized"}));
    }
    let good = sign(SECRET, body.as_bytes());
    let wrong: [&[(&'static str, &str)]; 4] = [
        &[],
        &[("x-cal-signature-256", "no-secret-provided")],
        &[("x-cal-signature-256", "")],
        &[("x-webhook-signature", &good)],
    ];
    for more in wrong {
        let headers: Vec<_> = [("host", ours.domain.as_str())].iter().chain(more).copied().collect();
        world.post("/webhook/calcom", &headers, body.as_bytes()).await.expect_status(401);
    }
    // Two that differ are none, in whatever order.
    for (one, two) in [(good.as_str(), "00"), ("00", good.as_str())] {
        let headers = [
            ("host", ours.domain.as_str()),
            ("content-type", "application/json"),
            ("x-cal-signature-256", one),
            ("X-Cal-Signature-256", two),
        ];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        world.request("POST", "/webhook/calcom", &headers, &body).await.expect_status(401);
    }
    assert_eq!(clinic.sql("SELECT count(*) FROM appointment"), "0");
    clinic.posts("/webhook/calcom", ours, SECRET, &format!("{body} ")).await.expect_status(200);
    let tampered = body.replace("Bia", "Bea");
    let headers = [("host", ours.domain.as_str()), ("x-cal-signature-256", &good)];
    world.post("/webhook/calcom", &headers, tampered.as_bytes()).await.expect_status(401);

    // One account for two companies: a booking says whose it is.
    let mut foreign = clinic.last_told();
    foreign["payload"]["uid"] = json!("another");
    foreign["payload"]["metadata"] = json!({"sv_company": world.salon.id.to_string()});
    clinic.tells(&foreign).await.expect_status(401);
    assert_eq!(clinic.sql("SELECT count(*) FROM appointment"), "1");
    assert_eq!(world.sql(&world.salon, "SELECT count(*) FROM appointment"), "0");

    // A rotation: the secret before counts as well, until it is taken away. Without any, none does.
    let values = [
        ("secret:calendar.webhook_secret", "a-new-secret-of-calcom"),
        ("secret:calendar.webhook_secret_previous", SECRET),
    ];
    world.configure(ours, &values).await;
    clinic.tells(&clinic.last_told()).await.expect_status(200);
    world.unset(ours, &["calendar.webhook_secret_previous"]).await;
    clinic.tells(&clinic.last_told()).await.expect_status(401);
    world.unset(ours, &["calendar.webhook_secret"]).await;
    for secret in ["", "a-new-secret-of-calcom", SECRET] {
        clinic.posts("/webhook/calcom", ours, secret, &body).await.expect_status(401);
    }
    assert!(clinic.counted("calendar_callbacks_total", "result=\"refused\"") > 5.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_by_name() {
    let clinic = Clinic::open().await;
    let to = &clinic.world.clinic;
    for (body, answer) in [
        ("[]".to_owned(), json!({"error": "invalid_payload"})),
        ("nothing".to_owned(), json!({"error": "invalid_payload"})),
        (
            r#"{"triggerEvent":"BOOKING_CREATED","payload":{}}"#.to_owned(),
            json!({"error": "invalid_payload", "field": "uid"}),
        ),
    ] {
        assert_eq!(clinic.posts("/webhook/calcom", to, SECRET, &body).await.expect_status(400).json, answer);
    }
    let large = json!({"triggerEvent": "PING", "payload": "x".repeat(300 * 1024)}).to_string();
    clinic.posts("/webhook/calcom", to, SECRET, &large).await.expect_status(413);
    let host = [("host", "nobody.localhost")];
    clinic.world.post("/webhook/calcom", &host, b"{}").await.expect_status(404);
    // Of another kind of calendar nothing is taken, and nobody is told that something is wrong.
    clinic.world.configure(to, &[("calendar.kind", "local")]).await;
    clinic.booked_elsewhere(clinic.at(2, 9), "Bia", ANA).await;
    let answer = clinic.tells(&clinic.last_told()).await.expect_status(200);
    assert_eq!(answer.json["reason"], "another_calendar");
    assert_eq!(clinic.sql("SELECT count(*) FROM appointment"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_made_elsewhere_becomes_an_appointment_of_the_person_with_that_number() {
    let clinic = Clinic::open().await;
    let (cut, lia) = (Uuid::now_v7(), Uuid::now_v7());
    clinic.sql(&format!(
        r#"INSERT INTO catalog (id, kind, name, duration_min, capacity, data, created_at, updated_at) VALUES
           ('{cut}', 'service', 'Avaliação', 30, 1, '{{}}', now(), now()),
           ('{lia}', 'professional', 'Dra. Lia', NULL, 1, '{{"agenda": {{"event_types": {{"{cut}": {}}}}}}}', now(), now())"#,
        clinic.event
    ));
    clinic.booked_elsewhere(clinic.at(2, 9), "Ana Souza", ANA).await;
    clinic.tells_the_last().await;
    let row = "SELECT service, professional, service_id IS NOT NULL, attendee ->> 'name', attendee ->> 'phone',
                      attendee ->> 'email' IS NULL FROM appointment";
    assert_eq!(clinic.sql(row), format!("Avaliação|Dra. Lia|t|Ana Souza|{ANA}|t"));
    let person = "SELECT p.name, i.value FROM appointment a JOIN person p ON p.id = a.person_id
                  JOIN person_identity i ON i.person_id = p.id";
    assert_eq!(clinic.sql(person), "Ana Souza|5511987654321");

    // The same person under the old form of the number.
    clinic.booked_elsewhere(clinic.at(2, 10), "Ana", "+551187654321").await;
    clinic.tells_the_last().await;
    assert_eq!(clinic.sql("SELECT count(*), count(DISTINCT person_id) FROM appointment"), "2|1");

    // Nobody is made up for whoever leaves no number.
    clinic.world.standins.book_elsewhere(clinic.event, clinic.at(2, 11), "Bia").unwrap();
    clinic.tells_the_last().await;
    assert_eq!(clinic.sql("SELECT count(*) FROM appointment WHERE person_id IS NULL"), "1");
    assert_eq!(clinic.sql("SELECT count(*) FROM person"), "1");

    // What is booked elsewhere is not offered here, even while somebody here is about to take it.
    let contested = clinic.wish(clinic.at(2, 12));
    clinic.calendar().hold(&contested).await.unwrap();
    clinic.world.standins.book_elsewhere(clinic.event, clinic.at(2, 12), "Caio").unwrap();
    clinic.tells_the_last().await;
    assert!(matches!(clinic.calendar().book(&contested).await, Err(CalendarError::Taken)));
    let from = clinic.at(2, 8);
    let wish = SlotWish { service: None, professional: None, from, until: clinic.at(2, 18), moving: None, limit: 100 };
    let free = clinic.calendar().slots(&wish).await.unwrap();
    assert!(!free.iter().any(|slot| [9, 10, 11, 12].map(|hour| clinic.at(2, hour)).contains(&slot.starts)));
    assert!(clinic.counted("calendar_slots_listed_total", "") >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_settles_what_our_own_call_left_open() {
    let clinic = Clinic::open().await;
    // Booked, the answer lost, nobody can look: the callback knows.
    clinic.trouble(FaultKind::ResetAfterAccept, "POST /calcom/v2/bookings", 1);
    clinic.trouble(FaultKind::Html, "GET /calcom/v2/bookings", 3);
    let wish = clinic.wish(clinic.at(2, 9));
    assert!(matches!(clinic.calendar().book(&wish).await, Err(CalendarError::Unclear)));
    clinic.tells_the_last().await;
    let row = clinic.sql("SELECT id, state, source FROM appointment");
    assert_eq!(row, format!("{}|confirmed|chat", wish.id));
    let again = clinic.calendar().book(&wish).await.unwrap();
    assert_eq!((again.id, again.state()), (wish.id, State::Confirmed), "asked again it is the same appointment");

    // Moved, the answer lost: the time kept for it makes room.
    clinic.later(2);
    clinic.trouble(FaultKind::ResetAfterAccept, "/reschedule", 1);
    clinic.trouble(FaultKind::Html, "GET /calcom/v2/bookings", 3);
    let lost = clinic.calendar().reschedule(wish.id, &clinic.slot(clinic.at(2, 11)), None).await;
    assert!(matches!(lost, Err(CalendarError::Unclear)), "{lost:?}");
    clinic.tells_the_last().await;
    assert_eq!(clinic.appointments(), shown("rescheduled", clinic.at(2, 11), "chat"));
    assert_eq!(clinic.sql("SELECT count(*) FROM appointment WHERE wish IS NOT NULL OR state = 'held'"), "0");

    // Moved by ourselves, and told late of where it was before.
    let told = clinic.told(0).len();
    clinic.later(2);
    clinic.calendar().reschedule(wish.id, &clinic.slot(clinic.at(2, 14)), None).await.unwrap();
    for body in clinic.told(0).iter().take(told) {
        clinic.tells(body).await.expect_status(200);
    }
    assert_eq!(clinic.appointments(), shown("rescheduled", clinic.at(2, 14), "chat"));

    // Called off here; what was told before comes late.
    clinic.calendar().cancel(wish.id, "não posso").await.unwrap();
    for body in clinic.told(0).iter().rev() {
        clinic.tells(body).await.expect_status(200);
    }
    assert_eq!(clinic.appointments(), shown("cancelled", clinic.at(2, 14), "chat"));

    // Given up, the person told so, and it came through all the same: it is called off.
    let late = clinic.wish(clinic.at(2, 16));
    clinic.trouble(FaultKind::ResetBefore, "POST /calcom/v2/bookings", 2);
    assert!(matches!(clinic.calendar().book(&late).await, Err(CalendarError::Unclear)));
    clinic.later(20);
    clinic.calendar().settle(10).await.unwrap();
    assert_eq!(clinic.sql(&format!("SELECT state FROM appointment WHERE id = '{}'", late.id)), "failed");
    let attendee = json!({"name": "Ana", "timeZone": "America/Sao_Paulo", "phoneNumber": ANA});
    let body = json!({"start": utc(clinic.at(2, 16)), "eventTypeId": clinic.event, "attendee": attendee,
        "metadata": {"sv_request": late.id.to_string(), "sv_company": clinic.id().to_string()}});
    let stray = uid(&clinic.at_cal("bookings", &body).await);
    clinic.tells_the_last().await;
    clinic.later(3);
    assert_eq!(clinic.calendar().settle(10).await.unwrap().called_back, 1);
    assert_eq!(clinic.booking(&stray).status, "cancelled");
    assert_eq!(clinic.appointments().lines().count(), 1, "nobody was told of another appointment");
}

#[tokio::test(flavor = "multi_thread")]
async fn cal_com_itself_tells_over_the_wire() {
    let clinic = Clinic::open().await;
    let (url, host) = (format!("{}/webhook/calcom", clinic.world.base_url), clinic.world.clinic.domain.clone());
    clinic.world.standins.subscribe(clinic.id(), &url, &host, SECRET);
    let booked = clinic.book(clinic.at(2, 9)).await;
    let elsewhere = clinic.booked_elsewhere(clinic.at(2, 10), "Bia", "+5521987650000").await;
    eventually("the booking is ours", async || clinic.appointments().lines().count() == 2).await;
    clinic.moved_elsewhere(&elsewhere, clinic.at(2, 15)).await;
    clinic.cancelled_elsewhere(booked.external_uid.as_deref().unwrap()).await;
    let wanted = format!(
        "{}\n{}",
        shown("cancelled", clinic.at(2, 9), "chat"),
        shown("rescheduled", clinic.at(2, 15), "calendar")
    );
    eventually("both changes", async || clinic.appointments() == wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_off_at_the_calendar_is_offered_to_whoever_waits() {
    let clinic = Clinic::open().await;
    // At an hour at which people may be written to.
    let noon = clinic.at(1, 12);
    clinic.until(noon);
    clinic.another_day();
    let booked = clinic.booked_elsewhere(clinic.at(2, 9), "Bia", ANA).await;
    clinic.tells_the_last().await;
    let (person, conversation, wait) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let (number, last) = ("5511922222222", clinic.at(2, 18));
    clinic.sql(&format!(
        "INSERT INTO person (id, name, name_source, created_at, updated_at) VALUES ('{person}', 'Caio', 'customer', now(), now());
         INSERT INTO person_identity (kind, value, person_id, created_at) VALUES ('phone', '{number}', '{person}', now());
         INSERT INTO conversation (id, key, person_id, reply_address, fence, created_at, last_message_at)
             VALUES ('{conversation}', '{number}', '{person}', '{number}', 0, now(), now());
         INSERT INTO waitlist (id, person_id, conversation_id, earliest, latest, state, created_at, updated_at)
             VALUES ('{wait}', '{person}', '{conversation}', '{noon}', '{last}', 'waiting', now(), now())"
    ));
    clinic.cancelled_elsewhere(&booked).await;
    clinic.tells_the_last().await;
    assert_eq!(clinic.sql("SELECT state FROM waitlist"), "offered");
    assert_eq!(clinic.sql("SELECT kind, state FROM timer WHERE kind = 'vacancy'"), "vacancy|due");
}
