//! Reminders, questions after visits, looks at whether somebody came: once each, never for what is gone, never at night,
//! whoever dies in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::{America, Tz};
use secretaria::domain::company::CompanyId;
use secretaria::models::control::periodic_run::Run;
use secretaria::models::tenant::appointment::AppointmentRow;
use secretaria::services::Services;
use secretaria::services::agenda::{self, Calendar, Customer, OpenSlot, Wish, timers};
use secretaria::services::audit::Actor;
use secretaria::tenant::Tenant;
use secretaria::workers::runner::Scope;
use secretaria::workers::schedule::{self, elect};
use uuid::Uuid;

use crate::harness::{Company, World};

const ANA: &str = "5511987654321";
const ZONE: Tz = America::Sao_Paulo;

/// A clinic with its own calendar, on a Monday at ten.
struct Desk {
    world: World,
    tenant: Arc<Tenant>,
    actor: Actor,
}

async fn desk(workers: usize, more: &[(&str, &str)]) -> Desk {
    let world = World::builder().workers(workers).set("database.pool_size", 8).start().await;
    let mut settings = vec![
        ("calendar.kind", "local"),
        ("hours.opening", "seg-dom 6h-22h"),
        ("hours.national_holidays", "false"),
        ("hours.away", "answer"),
        ("calendar.notice_minutes", "0"),
    ];
    settings.extend_from_slice(more);
    world.configure(&world.clinic, &settings).await;
    let now = world.clock.now();
    let mut date = now.with_timezone(&ZONE).date_naive() + TimeDelta::days(1);
    while date.weekday() != Weekday::Mon {
        date += TimeDelta::days(1);
    }
    let monday = ZONE.from_local_datetime(&(date.and_time(NaiveTime::MIN) + TimeDelta::hours(10))).unwrap().to_utc();
    world.clock.advance((monday - now).to_std().unwrap());
    Desk { tenant: world.tenant(&world.clinic), world, actor: Actor::operator("teste") }
}

impl Desk {
    fn services(&self) -> &Services {
        &self.world.process.services
    }

    fn calendar(&self) -> Calendar<'_> {
        agenda::of(self.services(), &self.tenant, &self.actor).unwrap()
    }

    /// So many days after today, at an hour and minute of the clinic's clocks.
    fn at(&self, days: i64, hour: i64, minute: i64) -> DateTime<Utc> {
        let date = self.world.clock.now().with_timezone(&ZONE).date_naive() + TimeDelta::days(days);
        let local = date.and_time(NaiveTime::MIN) + TimeDelta::hours(hour) + TimeDelta::minutes(minute);
        ZONE.from_local_datetime(&local).unwrap().to_utc()
    }

    /// Time passes, and whoever keeps time and whoever works do what is due.
    async fn at_last(&self, at: DateTime<Utc>) {
        self.pass(at);
        self.tick().await;
    }

    fn pass(&self, at: DateTime<Utc>) {
        if let Ok(by) = (at - self.world.clock.now()).to_std() {
            self.world.clock.advance(by + Duration::from_millis(5));
        }
    }

    async fn tick(&self) {
        assert!(schedule::agenda::timers(self.services()).await);
        self.world.quiet().await;
    }

    async fn book(&self, starts: DateTime<Utc>) -> AppointmentRow {
        self.book_for(starts, ANA).await
    }

    async fn book_for(&self, starts: DateTime<Utc>, phone: &str) -> AppointmentRow {
        let ids = self.clinic_sql(&format!("SELECT c.id, c.person_id FROM conversation c WHERE c.key = '{phone}'"));
        let mut ids = ids.split('|').map(|id| id.parse::<Uuid>().ok());
        let (conversation_id, person_id) = (ids.next().flatten(), ids.next().flatten());
        let customer = Customer {
            person_id,
            conversation_id,
            name: "Ana Souza".to_owned(),
            phone: Some(format!("+{phone}")),
            email: None,
        };
        self.calendar().book(&Wish { id: Uuid::now_v7(), slot: slot(starts), customer, source: "chat" }).await.unwrap()
    }

    fn clinic_sql(&self, sql: &str) -> String {
        self.world.sql(&self.world.clinic, sql)
    }

    fn told(&self) -> Vec<String> {
        self.world.texts_to(ANA)
    }

    /// The state of a timer, and why.
    fn state(&self, row: &AppointmentRow, kind: &str, name: &str) -> String {
        self.clinic_sql(&format!(
            "SELECT concat_ws(' ', state, reason) FROM timer
             WHERE appointment_id = '{}' AND kind = '{kind}' AND name = '{name}' ORDER BY version DESC LIMIT 1",
            row.id
        ))
    }
}

fn slot(starts: DateTime<Utc>) -> OpenSlot {
    OpenSlot {
        starts,
        ends: starts + TimeDelta::minutes(30),
        service: None,
        service_name: String::new(),
        professional: None,
        professional_name: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_told_of_the_day_before_an_hour_before_and_asked_after() {
    let desk = desk(1, &[]).await;
    let row = desk.book(desk.at(2, 15, 0)).await;
    desk.at_last(row.starts_at - TimeDelta::hours(24) - TimeDelta::seconds(10)).await;
    assert!(desk.told().is_empty(), "not yet");
    desk.at_last(row.starts_at - TimeDelta::hours(24)).await;
    let told = desk.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Oi, Ana! Lembrete: Atendimento, *qua ") && told[0].contains("às 15h*"), "{told:?}");
    assert!(told[0].ends_with("Você vem? SIM, REMARCAR ou CANCELAR"), "{told:?}");
    assert_eq!(desk.clinic_sql("SELECT standing -> 'agenda' -> 'stage' ? 'reminded' FROM conversation"), "t");
    desk.tick().await;
    desk.at_last(row.starts_at - TimeDelta::hours(1)).await;
    let told = desk.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("Oi, Ana! Está chegando: Atendimento"), "{told:?}");
    desk.at_last(row.ends_at + TimeDelta::minutes(30)).await;
    assert_eq!(desk.state(&row, "no_show_check", ""), "done");
    assert_eq!(desk.clinic_sql("SELECT state FROM appointment"), "confirmed", "nobody is accused without a source");
    desk.at_last(row.ends_at + TimeDelta::hours(1)).await;
    let told = desk.told();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].starts_with("Oi, Ana! Como foi seu atendimento?"), "{told:?}");
    assert!(told[2].ends_with("SIM ou NÃO"), "the reminder of a visit that is over is no open question: {told:?}");
    let sent = |label: &str| desk.world.metric(&desk.world.clinic, "appointment_reminders_sent_total", label);
    assert_eq!((sent("type=\"24h\""), sent("type=\"1h\"")), (1.0, 1.0));
    let acts = "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log WHERE action LIKE '%_sent'";
    assert_eq!(desk.clinic_sql(acts), "agenda.reminder_sent agenda.reminder_sent agenda.follow_up_sent");
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_never_wrote_is_told_by_telephone() {
    let desk = desk(1, &[("reminders.custom_minutes", "180")]).await;
    let row = desk.book(desk.at(1, 9, 0)).await;
    assert_eq!(desk.clinic_sql("SELECT count(*) FROM conversation"), "0");
    assert_eq!(desk.state(&row, "reminder", "24h"), "skipped late", "whoever books so late knows");
    // Six o'clock is a quiet hour.
    assert_eq!(
        desk.clinic_sql(
            "SELECT to_char(due_at AT TIME ZONE 'America/Sao_Paulo', 'HH24:MI') FROM timer WHERE name = 'custom:180'"
        ),
        "08:00"
    );
    desk.at_last(desk.at(1, 8, 0)).await;
    assert_eq!(desk.told().len(), 2, "the one moved from quiet hours and the one an hour before: {:?}", desk.told());
    assert_eq!(desk.clinic_sql("SELECT key FROM conversation"), ANA);
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reminded_of_what_is_called_off_or_was_moved() {
    let mut desk = desk(0, &[("followup.enabled", "false")]).await;
    let row = desk.book(desk.at(2, 15, 0)).await;
    let moved = desk.book(desk.at(2, 16, 0)).await;
    let called_off_in_time = desk.book(desk.at(2, 17, 0)).await;
    desk.calendar().cancel(called_off_in_time.id, "não pode").await.unwrap();
    desk.pass(row.starts_at - TimeDelta::hours(23) + TimeDelta::minutes(5));
    // In the mailbox already, and nobody works.
    assert!(schedule::agenda::timers(desk.services()).await);
    assert_eq!(desk.clinic_sql("SELECT count(*) FROM timer WHERE attempts = 1"), "2");
    desk.calendar().cancel(row.id, "não pode").await.unwrap();
    desk.calendar().reschedule(moved.id, &slot(desk.at(3, 10, 0)), None).await.unwrap();
    desk.world.start_worker(Scope::All);
    desk.tick().await;
    assert!(desk.told().is_empty(), "{:?}", desk.told());
    assert_eq!(
        desk.clinic_sql(
            "SELECT count(*) FROM timer WHERE state = 'due' AND appointment_id <> '{}'"
                .replace("{}", &moved.id.to_string())
                .as_str()
        ),
        "0"
    );
    desk.at_last(desk.at(3, 9, 0)).await;
    let told = desk.told();
    assert!(told.iter().all(|text| text.contains("às 10h")) && !told.is_empty(), "{told:?}");
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_at_night() {
    let mut desk = desk(0, &[]).await;
    let early = desk.book(desk.at(1, 7, 0)).await;
    assert_eq!(
        desk.clinic_sql("SELECT to_char(due_at AT TIME ZONE 'America/Sao_Paulo', 'DD HH24:MI') = to_char((now() AT TIME ZONE 'America/Sao_Paulo'), 'DD HH24:MI') FROM timer WHERE name = '1h'"),
        "f"
    );
    let due = desk
        .clinic_sql("SELECT to_char(due_at AT TIME ZONE 'America/Sao_Paulo', 'HH24:MI') FROM timer WHERE name = '1h'");
    assert_eq!(due, "20:30", "the evening before");
    // Put into the mailbox in the evening; whoever works comes at night.
    desk.pass(desk.at(0, 20, 58));
    assert!(schedule::agenda::timers(desk.services()).await);
    desk.pass(desk.at(0, 21, 10));
    desk.world.start_worker(Scope::All);
    desk.tick().await;
    assert!(desk.told().is_empty());
    assert_eq!(desk.state(&early, "reminder", "1h"), "skipped quiet_hours", "at eight it has begun");
    // Made at night for the early morning: there is no time left.
    let night = desk.book(desk.at(1, 7, 30)).await;
    assert_eq!(desk.state(&night, "reminder", "1h"), "skipped quiet_hours");
    let skipped = |label: &str| desk.world.metric(&desk.world.clinic, "timers_skipped_total", label);
    assert_eq!(skipped("reason=\"quiet_hours\""), 2.0);
    desk.at_last(desk.at(1, 7, 59)).await;
    assert!(desk.told().is_empty());
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_late_is_left_and_counted() {
    let desk = desk(1, &[]).await;
    let row = desk.book(desk.at(3, 15, 0)).await;
    // Nobody keeps time from before the first reminder until five hours before the visit.
    desk.at_last(row.starts_at - TimeDelta::hours(5)).await;
    assert!(desk.told().is_empty());
    assert_eq!(desk.state(&row, "reminder", "24h"), "skipped late");
    desk.at_last(row.starts_at - TimeDelta::minutes(30)).await;
    assert_eq!(desk.told().len(), 1, "half an hour late is late enough to be told still");
    assert_eq!(desk.world.metric(&desk.world.clinic, "timers_skipped_total", "reason=\"late\""), 1.0);
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_wants_no_messages_gets_none_and_a_person_is_not_talked_over() {
    let desk = desk(1, &[]).await;
    let (ana, bia) = (desk.world.customer(&desk.world.clinic, ANA), "5511987650000");
    ana.says("SAIR").await.expect_status(202);
    desk.world.quiet().await;
    desk.world.echo(&desk.world.clinic, bia, "Oi Bia, tudo certo?", "OWN0").await.expect_status(200);
    desk.world.quiet().await;
    let before = desk.told().len();
    let row = desk.book(desk.at(1, 15, 0)).await;
    let other = desk.book_for(desk.at(1, 16, 0), bia).await;
    desk.at_last(row.starts_at - TimeDelta::hours(1)).await;
    desk.pass(other.starts_at - TimeDelta::minutes(62));
    desk.world.echo(&desk.world.clinic, bia, "Te espero amanhã!", "OWN1").await.expect_status(200);
    desk.world.quiet().await;
    desk.at_last(other.starts_at - TimeDelta::minutes(59)).await;
    assert_eq!(desk.told().len(), before);
    assert_eq!(desk.state(&row, "reminder", "1h"), "skipped opted_out");
    assert!(desk.world.texts_to(bia).is_empty(), "a person attends: {:?}", desk.world.texts_to(bia));
    // The person's turn is over half an hour after their last words.
    for minutes in [50, 40, 31, 25] {
        desk.at_last(other.starts_at - TimeDelta::minutes(minutes)).await;
    }
    assert_eq!(desk.world.texts_to(bia).len(), 1, "{:?}", desk.world.texts_to(bia));
    desk.at_last(row.ends_at + TimeDelta::hours(2)).await;
    assert_eq!(desk.told().len(), before, "nor the question after the visit");
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_is_lost_or_comes_twice_is_one_message() {
    let mut desk = desk(0, &[("followup.enabled", "false")]).await;
    let row = desk.book(desk.at(2, 15, 0)).await;
    desk.pass(row.starts_at - TimeDelta::hours(24));
    assert!(schedule::agenda::timers(desk.services()).await);
    desk.world.flush_redis();
    // Redis forgot the envelope and who has something due.
    assert!(timers::due::tell_all(desk.services()).await);
    for minutes in [2, 6, 14] {
        desk.pass(row.starts_at - TimeDelta::hours(24) + TimeDelta::minutes(minutes));
        assert!(schedule::agenda::timers(desk.services()).await);
    }
    let boxes = desk.world.redis_says(&["LLEN", &format!("company:{{{}}}:q:box:{ANA}", desk.world.clinic.id)]);
    assert_eq!(boxes, ":3", "put again each time, as nobody works");
    desk.world.start_worker(Scope::All);
    desk.tick().await;
    assert_eq!(desk.told().len(), 1, "{:?}", desk.told());
    assert_eq!(desk.state(&row, "reminder", "24h"), "done");
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_who_keep_time_at_once_say_everything_once() {
    let mut desk = desk(0, &[("calendar.capacity", "50"), ("followup.enabled", "false")]).await;
    let starts = desk.at(2, 15, 0);
    let numbers: Vec<String> = (0..40).map(|n| format!("55119876{n:05}")).collect();
    for number in &numbers {
        desk.book_for(starts, number).await;
    }
    let other = desk.world.second_process().await;
    desk.pass(starts - TimeDelta::hours(24));
    let all = (0..8).map(|n| {
        let services = if n % 2 == 0 { desk.services() } else { &other.services };
        timers::dispatch(services, &desk.tenant, 7)
    });
    let first: usize = futures::future::join_all(all).await.into_iter().map(|done| done.unwrap().put).sum();
    assert_eq!(first, 40, "eight times seven is enough for forty");
    desk.world.start_worker(Scope::All);
    desk.world.start_worker(Scope::All);
    desk.tick().await;
    for number in &numbers {
        assert_eq!(desk.world.texts_to(number).len(), 1, "{number}");
    }
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_is_under_way_goes_on_after_a_reminder() {
    let desk = desk(1, &[]).await;
    let ana = desk.world.customer(&desk.world.clinic, ANA);
    let row = desk.book(desk.at(1, 15, 0)).await;
    desk.pass(row.starts_at - TimeDelta::minutes(65));
    ana.says("quero marcar uma consulta").await.expect_status(202);
    desk.world.quiet().await;
    let stage = || desk.clinic_sql("SELECT standing -> 'agenda' -> 'stage' FROM conversation");
    let before = stage();
    assert!(before.contains("options"), "{before}");
    desk.at_last(row.starts_at - TimeDelta::hours(1)).await;
    let told = desk.told();
    let reminder = told.last().unwrap();
    assert!(reminder.contains("Está chegando") && !reminder.contains("REMARCAR"), "{told:?}");
    assert_eq!(stage(), before);
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_marks_counts_as_missed_only_where_the_company_wishes_it() {
    let desk = desk(1, &[("reminders.no_show_auto", "true"), ("reminders.grace_minutes", "20")]).await;
    let row = desk.book(desk.at(1, 15, 0)).await;
    let came = desk.book(desk.at(1, 16, 0)).await;
    desk.pass(row.ends_at + TimeDelta::minutes(19));
    desk.tick().await;
    let said = desk.told().len();
    assert_eq!(desk.clinic_sql(&format!("SELECT state FROM appointment WHERE id = '{}'", row.id)), "confirmed");
    desk.pass(came.starts_at + TimeDelta::minutes(1));
    desk.calendar().mark(came.id, true, "team").await.unwrap();
    desk.at_last(came.ends_at + TimeDelta::minutes(25)).await;
    let state = format!("SELECT state, outcome_source FROM appointment WHERE id = '{}'", row.id);
    assert_eq!(desk.clinic_sql(&state), "no_show|unmarked");
    assert_eq!(desk.clinic_sql("SELECT state FROM appointment WHERE outcome_source = 'team'"), "attended");
    desk.at_last(came.ends_at + TimeDelta::hours(2)).await;
    assert_eq!(desk.told().len(), said + 1, "only who came is asked how it was: {:?}", desk.told());
    assert_eq!(desk.state(&row, "follow_up", ""), "cancelled");
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_looks_at_companies_that_have_something_due() {
    let desk = desk(1, &[]).await;
    let row = desk.book(desk.at(2, 15, 0)).await;
    let due = || desk.world.redis_says(&["ZSCORE", "{secretaria}:agenda:due", &desk.world.clinic.id.to_string()]);
    assert_eq!(due(), (row.starts_at - TimeDelta::hours(24)).timestamp_millis().to_string());
    assert_eq!(desk.world.redis_says(&["ZCARD", "{secretaria}:agenda:due"]), ":1");
    desk.at_last(row.starts_at - TimeDelta::hours(24)).await;
    let next = due().parse::<i64>().unwrap();
    assert!(next > desk.world.clock.now_ms(), "the envelope's visibility, or the next reminder");
    // Thousands that have nothing due now are not looked at.
    let far = desk.world.clock.now() + TimeDelta::days(9);
    for id in 1_000_000..1_002_500 {
        timers::due::tell(desk.services(), CompanyId::new(id).unwrap(), far).await.unwrap();
    }
    let begun = tokio::time::Instant::now();
    assert!(schedule::agenda::timers(desk.services()).await);
    eprintln!("a tick with 2,500 companies that have nothing due: {:?}", begun.elapsed());
    assert_eq!(
        desk.world.redis_says(&["ZCOUNT", "{secretaria}:agenda:due", "-inf", &far.timestamp_millis().to_string()]),
        ":2501"
    );
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn companies_in_three_zones_are_told_by_their_own_clocks() {
    let desk = desk(1, &[]).await;
    let world = &desk.world;
    let zoned = |zone: &'static str, company: &Company| {
        let settings = [
            ("calendar.kind", "local"),
            ("timezone", zone),
            ("hours.opening", "seg-dom 6h-22h"),
            ("calendar.notice_minutes", "0"),
        ];
        let company = company.clone();
        async move { world.configure(&company, &settings).await }
    };
    for zone in ["America/Manaus", "America/Noronha"] {
        zoned(zone, &world.salon).await;
        let tenant = world.tenant(&world.salon);
        let tz: Tz = zone.parse().unwrap();
        let date = world.clock.now().with_timezone(&tz).date_naive() + TimeDelta::days(2);
        let local = date.and_time(NaiveTime::MIN) + TimeDelta::hours(8);
        let starts = tz.from_local_datetime(&local).unwrap().to_utc();
        let customer = Customer { phone: Some(format!("+{ANA}")), name: "Ana".to_owned(), ..Customer::default() };
        let calendar = agenda::of(desk.services(), &tenant, &desk.actor).unwrap();
        let row =
            calendar.book(&Wish { id: Uuid::now_v7(), slot: slot(starts), customer, source: "chat" }).await.unwrap();
        let sql = format!(
            "SELECT to_char(due_at AT TIME ZONE '{zone}', 'HH24:MI') FROM timer WHERE appointment_id = '{}' AND name IN ('24h', '1h') ORDER BY name",
            row.id
        );
        assert_eq!(world.sql(&world.salon, &sql).replace('\n', " "), "20:30 08:00", "{zone}");
    }
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_done_by_one_and_a_missed_one_once() {
    let desk = desk(0, &[]).await;
    let other = desk.world.second_process().await;
    let (services, count) = (desk.services(), AtomicUsize::new(0));
    let work = || async {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        true
    };
    let run = |slot| Run { task: "teste", company: 0, slot };
    let now = desk.world.clock.now();
    let slot = elect::slot_of(now, TimeDelta::minutes(15));
    let all = (0..10).map(|n| elect::once(if n % 2 == 0 { services } else { &other.services }, run(slot), work()));
    let done = futures::future::join_all(all).await;
    assert_eq!((count.load(Ordering::SeqCst), done.iter().filter(|one| matches!(one, Ok(Some(true)))).count()), (1, 1));
    // Three hours later: one run, not twelve.
    desk.world.clock.advance(Duration::from_secs(3 * 3600));
    for _ in 0..5 {
        let slot = elect::slot_of(desk.world.clock.now(), TimeDelta::minutes(15));
        elect::once(services, run(slot), work()).await.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 2);
    // One that fails is tried again; one whose process died is taken over, and not before.
    let later = slot + TimeDelta::hours(6);
    assert_eq!(elect::once(services, run(later), async { false }).await.unwrap(), Some(false));
    assert_eq!(elect::once(services, run(later), work()).await.unwrap(), Some(true));
    let last = slot + TimeDelta::hours(9);
    let dying =
        tokio::time::timeout(Duration::from_millis(200), elect::once(services, run(last), std::future::pending()));
    assert!(dying.await.is_err());
    assert_eq!(elect::once(&other.services, run(last), work()).await.unwrap(), None);
    let next = last + TimeDelta::minutes(15);
    assert_eq!(elect::once(&other.services, run(next), work()).await.unwrap(), None, "not on top of itself");
    desk.world.clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(elect::once(&other.services, run(last), work()).await.unwrap(), Some(true));
    desk.world.end().await;
}

#[test]
fn a_day_begins_at_three_by_the_companys_own_clocks() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let day = |now: &str, zone: Tz| elect::day_of(at(now), zone, 3);
    assert_eq!(day("2026-11-25T05:59:00Z", ZONE), at("2026-11-24T06:00:00Z"));
    assert_eq!(day("2026-11-25T06:00:00Z", ZONE), at("2026-11-25T06:00:00Z"));
    assert_eq!(day("2026-11-25T06:30:00Z", America::Manaus), at("2026-11-24T07:00:00Z"));
    // The clocks skip from two to three.
    assert_eq!(day("2026-03-08T07:30:00Z", America::New_York), at("2026-03-08T07:00:00Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_due_reminders_are_put_by_one_process() {
    let desk = desk(0, &[]).await;
    desk.clinic_sql(
        "INSERT INTO person (id, created_at, updated_at) SELECT gen_random_uuid(), now(), now() FROM generate_series(1, 1000);
         INSERT INTO conversation (id, key, person_id, reply_address, fence, created_at, last_message_at)
           SELECT gen_random_uuid(), (5511970000000 + row_number() OVER ())::text, id, (5511970000000 + row_number() OVER ())::text, 0, now(), now() FROM person",
    );
    let starts = desk.at(1, 12, 0);
    desk.clinic_sql(&format!(
        "INSERT INTO appointment (id, person_id, conversation_id, resource, starts_at, ends_at, busy_from, busy_to, state, source, created_at, updated_at)
           SELECT gen_random_uuid(), person_id, id, 'house', '{s}', '{e}', '{s}', '{e}', 'confirmed', 'chat', now(), now() FROM conversation;
         INSERT INTO timer (id, kind, name, appointment_id, version, person_id, conversation_id, due_at, state, data, created_at, updated_at)
           SELECT gen_random_uuid(), 'reminder', '24h', id, 1, person_id, conversation_id, starts_at - interval '24 hours', 'due', '{{}}', now(), now() FROM appointment",
        s = starts.to_rfc3339(),
        e = (starts + TimeDelta::minutes(30)).to_rfc3339()
    ));
    desk.pass(starts - TimeDelta::hours(24));
    assert!(timers::due::tell_all(desk.services()).await);
    let begun = tokio::time::Instant::now();
    assert!(schedule::agenda::timers(desk.services()).await);
    eprintln!("1,000 due reminders put into their mailboxes in {:?}", begun.elapsed());
    assert_eq!(desk.clinic_sql("SELECT count(*) FROM timer WHERE attempts = 1 AND due_at > now()"), "1000");
    assert_eq!(desk.world.redis_says(&["ZCARD", &format!("company:{{{}}}:q:since", desk.world.clinic.id)]), ":1000");
    desk.world.end().await;
}
