//! A clinic and a salon through a quarter of a year, in virtual time: people book, move, call off, forget, answer late or
//! not at all; two processes keep time, one of which dies at random between any two steps. The channel's own ledger is the
//! judge: each reminder once or counted as skipped, none at night, none after its appointment was called off or moved.
//!
//! `QUARTER_DAYS=91 cargo test --release --test it quarter:: -- --nocapture` plays the whole quarter; `QUARTER_SEED` seeds it;
//! with `QUARTER_WILD=1` both keep time at the same moments and one also dies in the middle of a step, so that no two runs are
//! the same; `QUARTER_TWICE=1` plays it twice and compares.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{America::Sao_Paulo, Tz};
use secretaria::domain::conversation::order::Act;
use secretaria::models::tenant::appointment::AppointmentRow;
use secretaria::models::tenant::timer;
use secretaria::services::agenda::{self, Customer, OpenSlot, SlotWish, Wish, timers};
use secretaria::services::audit::Actor;
use secretaria::services::{Services, orders};
use secretaria::standins::Entry;
use secretaria::tenant::Tenant;
use secretaria::workers::schedule;
use uuid::Uuid;

use crate::harness::{Company, World};

const ZONE: Tz = Sao_Paulo;
const STEP: TimeDelta = TimeDelta::minutes(5);
const PEOPLE: u64 = 24;

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    /// Chance of its own for one thing among many: what else happens, and when, does not change how it falls.
    fn of(seed: u64, what: [u64; 3]) -> Self {
        what.into_iter().fold(Self(seed), |mut dice, part| Self(dice.roll(u64::MAX) ^ part))
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }
}

/// What somebody does at a time.
#[derive(Clone, Debug)]
enum Deed {
    /// The team books for somebody, or they do at the counter.
    Book { person: u64, days: i64, chance: u64 },
    /// The team moves an appointment.
    Move { id: Uuid, days: i64, chance: u64 },
    /// The team calls one off.
    Cancel { id: Uuid },
    /// The visit: they come, or nobody does, and the team marks it or forgets to.
    Visit { id: Uuid, chance: u64 },
    /// They write.
    Say { person: u64, text: &'static str },
}

struct Life {
    world: World,
    other: secretaria::cli::process::Process,
    places: [(Company, Arc<Tenant>); 2],
    actor: Actor,
    seed: u64,
    /// For what happens to those who keep time.
    dice: Dice,
    plans: BTreeMap<DateTime<Utc>, Vec<(usize, Deed)>>,
    read: u64,
    /// Texts each person got, and those since the last that nobody asked for.
    heard: HashMap<(usize, u64), (u64, u8)>,
    counts: BTreeMap<&'static str, usize>,
}

fn number(place: usize, person: u64) -> String {
    format!("55119{}{:07}", 7 + place, 1000 + person)
}

impl Life {
    async fn begin(seed: u64) -> Self {
        let mut world = World::builder().workers(0).set("database.pool_size", 8).start().await;
        let common = [
            ("calendar.kind", "local"),
            ("hours.opening", "seg-sáb 7h-20h"),
            ("hours.national_holidays", "false"),
            ("hours.away", "answer"),
            ("calendar.capacity", "3"),
            ("calendar.notice_minutes", "0"),
            ("reminders.custom_minutes", "180"),
            // Nobody answers at the very minute at which a kept time runs out.
            ("calendar.hold_minutes", "12"),
        ];
        world.configure(&world.clinic, &common).await;
        world.configure(&world.salon, &common).await;
        world.configure(&world.salon, &[("reminders.no_show_auto", "true"), ("calendar.duration_minutes", "60")]).await;
        // Any run begins at the same hour of the same weekday.
        let first = ZONE.with_ymd_and_hms(2040, 3, 5, 6, 0, 0).unwrap().to_utc();
        world.clock.advance((first - world.clock.now()).to_std().unwrap());
        for _ in 0..2 {
            world.start_worker(secretaria::workers::runner::Scope::All);
        }
        let other = world.second_process().await;
        let places = [&world.clinic, &world.salon].map(|company| (company.clone(), world.tenant(company)));
        let actor = Actor::operator("teste");
        let (plans, heard, counts) = (BTreeMap::new(), HashMap::new(), BTreeMap::new());
        Self { world, other, places, actor, seed, dice: Dice(seed), plans, read: 0, heard, counts }
    }

    fn services(&self) -> &Services {
        &self.world.process.services
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn plan(&mut self, at: DateTime<Utc>, place: usize, deed: Deed) {
        self.plans.entry(at).or_default().push((place, deed));
    }

    /// What the people of a day have in mind when it begins.
    fn plan_day(&mut self, begins: DateTime<Utc>) {
        for place in 0..2 {
            for n in 0..8 {
                let day = u64::try_from(begins.timestamp()).unwrap();
                let mut dice = Dice::of(self.seed, [day, place, n]);
                let minute = i64::try_from(dice.roll(15 * 12) * 5).unwrap();
                let (person, days) = (dice.roll(PEOPLE), i64::try_from(dice.roll(6)).unwrap());
                let deed = Deed::Book { person, days, chance: dice.roll(u64::MAX) };
                self.plan(begins + TimeDelta::minutes(minute), usize::try_from(place).unwrap(), deed);
            }
        }
    }

    async fn play(&mut self, days: i64) {
        let first = beat(self.now());
        let last = first + TimeDelta::days(days);
        let mut at = first;
        while at < last {
            let local = at.with_timezone(&ZONE);
            if local.hour() == 6 && local.minute() == 0 {
                self.plan_day(at);
                self.give_back().await;
            }
            if let Ok(by) = (at - self.now()).to_std() {
                self.world.clock.advance(by);
            }
            let due: Vec<_> = {
                let later = self.plans.split_off(&(at + TimeDelta::seconds(1)));
                std::mem::replace(&mut self.plans, later).into_values().flatten().collect()
            };
            for (place, deed) in due {
                self.act(place, deed).await;
            }
            self.tick().await;
            self.world.quiet().await;
            // What was put off to about this time is due whatever the machine's speed.
            if let Ok(by) = (at + TimeDelta::seconds(40) - self.now()).to_std() {
                self.world.clock.advance(by);
            }
            assert!(schedule::agenda::timers(self.services()).await);
            self.world.quiet().await;
            self.listen();
            at += STEP;
        }
        // Nothing new begins; what was due is done.
        self.plans.clear();
        for _ in 0..12 {
            self.world.clock.advance(Duration::from_secs(300));
            assert!(schedule::agenda::timers(self.services()).await);
            self.world.quiet().await;
        }
    }

    /// Both keep time; now and then one dies between two steps of what it does.
    async fn tick(&mut self) {
        match self.dice.roll(10) {
            // It has taken the companies that have something due, and done nothing.
            0 => drop(timers::due::take(&self.other.services, 64).await.unwrap()),
            // It has marked what it was about to put into mailboxes, and put nothing.
            1 => {
                for (_, tenant) in &self.places {
                    let now = self.now();
                    let mut tx = tenant.db.begin().await.unwrap();
                    let due = timer::claim(&mut tx, now, 500).await.unwrap();
                    let ids: Vec<Uuid> = due.iter().map(|row| row.id).collect();
                    timer::put_off(&mut tx, &ids, now + TimeDelta::minutes(1), now).await.unwrap();
                    tx.commit().await.unwrap();
                }
            }
            // Wherever it happens to be.
            2 if self.is_wild() => {
                let patience = Duration::from_micros(200 + self.dice.roll(12_000));
                let _ = tokio::time::timeout(patience, schedule::agenda::timers(&self.other.services)).await;
            }
            _ => {}
        }
        let (first, second) = (&self.world.process.services, &self.other.services);
        if self.is_wild() {
            let (one, two) = tokio::join!(schedule::agenda::timers(first), schedule::agenda::timers(second));
            assert!(one && two);
        } else {
            // Who is quicker would be chance: of two things told at one time the order.
            let quicker = if self.dice.percent(50) { first } else { second };
            assert!(schedule::agenda::timers(quicker).await);
        }
    }

    /// With it a run is no longer the same each time: who is quicker and where a process dies depends on the machine.
    #[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
    fn is_wild(&self) -> bool {
        std::env::var_os("QUARTER_WILD").is_some()
    }

    async fn act(&mut self, place: usize, deed: Deed) {
        let (company, tenant) = self.places[place].clone();
        let (services, actor) = (self.services().clone(), self.actor.clone());
        let calendar = agenda::of(&services, &tenant, &actor).unwrap();
        match deed {
            Deed::Book { person, days, chance } => {
                let Some(slot) = self.slot(&calendar, days, chance).await else { return };
                let phone = number(place, person);
                let row =
                    self.world.sql(&company, &format!("SELECT id, person_id FROM conversation WHERE key = '{phone}'"));
                let mut ids = row.split('|').map(|id| id.parse::<Uuid>().ok());
                let (conversation_id, person_id) = (ids.next().flatten(), ids.next().flatten());
                let name = format!("Pessoa {person}");
                let customer =
                    Customer { person_id, conversation_id, name, phone: Some(format!("+{phone}")), email: None };
                let wish = Wish { id: Uuid::now_v7(), slot, customer, source: "api" };
                let Ok(row) = calendar.book(&wish).await else { return };
                self.count("booked");
                self.after_booking(place, &row, chance);
            }
            Deed::Move { id, days, chance } => {
                let Some(slot) = self.slot(&calendar, days, chance).await else { return };
                if let Ok(row) = calendar.reschedule(id, &slot, None).await {
                    self.count("moved");
                    self.plan(row.ends_at + TimeDelta::minutes(10), place, Deed::Visit { id, chance });
                }
            }
            Deed::Cancel { id } => {
                if calendar.cancel(id, "não pode").await.is_ok() {
                    self.count("cancelled");
                }
            }
            Deed::Visit { id, chance } => {
                let standing = self.world.sql(&company, &format!(
                    "SELECT count(*) FROM appointment WHERE id = '{id}' AND state IN ('confirmed', 'rescheduled') AND ends_at < '{}'",
                    self.now().to_rfc3339()
                ));
                let mut dice = Dice(chance);
                let (marks, came) = (dice.percent(60), dice.percent(85));
                if standing == "1" && marks && calendar.mark(id, came, "team").await.is_ok() {
                    self.count(if came { "came" } else { "no-shows" });
                }
            }
            Deed::Say { person, text } => {
                let phone = number(place, person);
                self.world.customer(&company, &phone).says(text).await.expect_status(202);
                self.count("messages");
                self.world.quiet().await;
            }
        }
    }

    fn after_booking(&mut self, place: usize, row: &AppointmentRow, chance: u64) {
        let (id, now, mut dice) = (row.id, beat(self.now()), Dice(chance ^ 0xA5A5));
        let room = u64::try_from((row.starts_at - now).num_minutes().max(1)).unwrap();
        let sometime = now + TimeDelta::minutes(i64::try_from(dice.roll(room)).unwrap());
        let days = i64::try_from(dice.roll(4)).unwrap();
        match dice.roll(100) {
            0..10 => self.plan(sometime, place, Deed::Cancel { id }),
            10..22 => self.plan(sometime, place, Deed::Move { id, days, chance: dice.roll(u64::MAX) }),
            _ => {}
        }
        self.plan(row.ends_at + TimeDelta::minutes(10), place, Deed::Visit { id, chance: dice.roll(u64::MAX) });
    }

    async fn slot(&self, calendar: &agenda::Calendar<'_>, days: i64, chance: u64) -> Option<OpenSlot> {
        let date = self.now().with_timezone(&ZONE).date_naive() + TimeDelta::days(days);
        let from = ZONE.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest()?.to_utc();
        let until = from + TimeDelta::days(2);
        let wish = SlotWish { service: None, professional: None, from, until, moving: None, limit: 60 };
        let free = calendar.slots(&wish).await.unwrap();
        let chosen = usize::try_from(Dice(chance).roll(free.len().max(1) as u64)).unwrap();
        free.into_iter().nth(chosen)
    }

    /// People read what they got, and some answer, now or late.
    fn listen(&mut self) {
        let mut news: Vec<Entry> = self.world.standins.ledger_since(self.read);
        self.read = news.last().map_or(self.read, |entry| entry.n);
        news.retain(|entry| entry.accepted && serde_json::json!(entry.provider) == "whaticket");
        // Two companies are told things side by side: by number, so that chance falls the same way each time.
        news.sort_by_key(|entry| (entry.body["number"].as_str().unwrap_or_default().to_owned(), entry.n));
        for entry in news {
            let (to, text) = (entry.body["number"].as_str().unwrap(), entry.body["body"].as_str().unwrap());
            let place = usize::from(!to.starts_with("551197"));
            let person: u64 = to[6..].parse::<u64>().unwrap() - 1000;
            let (texts, spoken) = self.heard.entry((place, person)).or_default();
            let begins = is_told(text);
            if begins {
                *spoken = 0;
            }
            *spoken += 1;
            *texts += 1;
            let tired = *spoken > 4;
            let mut dice = Dice::of(self.seed, [place as u64, person, *texts]);
            let chance = dice.roll(100);
            let wait = if dice.percent(70) { 5 + dice.roll(30) } else { 60 + dice.roll(600) };
            // Nor at the very minute at which offered times are too old.
            let minutes = i64::try_from(if (350..=365).contains(&wait) { wait + 20 } else { wait }).unwrap();
            let reply = match (begins, text) {
                _ if tired => None,
                (true, text) if text.contains("SIM ou NÃO") => {
                    (chance < 30).then_some(if chance < 12 { "SIM" } else { "não, obrigada" })
                }
                (true, text) if text.contains("CANCELAR") => match chance {
                    0..30 => Some("SIM"),
                    30..36 => Some("CANCELAR"),
                    36..44 => Some("REMARCAR"),
                    _ => None,
                },
                (false, text) if text.contains("1. ") => Some("1"),
                (false, text) if text.contains("SIM ou NÃO") => Some("SIM"),
                _ => None,
            };
            if let Some(text) = reply {
                // On the next step's beat, so that a run is the same whatever the machine's speed.
                let at = beat(self.now()) + TimeDelta::minutes(minutes);
                self.plan(at, place, Deed::Say { person, text });
            }
        }
    }

    /// The team gives conversations back that wait for a person, each morning.
    async fn give_back(&self) {
        for (company, tenant) in &self.places {
            for id in
                self.world.sql(company, "SELECT id FROM conversation WHERE attendant = 'waiting' ORDER BY key").lines()
            {
                let id: Uuid = id.parse().unwrap();
                orders::give(self.services(), tenant, id, Act::GiveBack, None, &self.actor).await.unwrap();
            }
        }
        self.world.quiet().await;
    }

    /// Judges by the ledger, and reports.
    fn judge(&self) -> String {
        let mut report = String::new();
        for (n, (company, _)) in self.places.iter().enumerate() {
            let one = |sql: &str| self.world.sql(company, sql);
            let none = |what: &str, sql: &str| assert_eq!(one(sql), "", "{what}");
            let now = self.now().to_rfc3339();
            none(
                "something due was never done",
                &format!("SELECT kind, name, due_at, attempts FROM timer WHERE state = 'due' AND due_at < '{now}'"),
            );
            none("skipped without a reason", "SELECT id FROM timer WHERE state = 'skipped' AND reason IS NULL");
            none(
                "told twice of one visit",
                "SELECT appointment_id, kind, name, data ->> 'starts_at' FROM timer WHERE message_id IS NOT NULL
                 GROUP BY 1, 2, 3, 4 HAVING count(*) > 1",
            );
            none(
                "taken away though nothing changed",
                "SELECT t.id, t.kind, a.state FROM timer t JOIN appointment a ON a.id = t.appointment_id
                 WHERE t.state = 'cancelled' AND t.version = a.version AND a.state IN ('confirmed', 'rescheduled')",
            );
            none(
                "a visit that took place without a word of each reminder",
                &format!(
                    "SELECT a.id, k.name FROM appointment a CROSS JOIN (VALUES ('24h'), ('1h'), ('custom:180')) k(name)
                     WHERE a.state IN ('confirmed', 'rescheduled', 'attended') AND a.starts_at < '{now}'
                       AND NOT EXISTS (SELECT FROM timer t WHERE t.appointment_id = a.id AND t.name = k.name
                         AND t.state IN ('done', 'skipped') AND (t.data ->> 'starts_at')::timestamptz = a.starts_at)"
                ),
            );
            // By what was recorded of each change: a text belongs to the version that stood when it was stored.
            none(
                "told of what was called off or moved",
                "SELECT t.id, t.name, m.at, c.at FROM timer t JOIN message m ON m.id = t.message_id
                 JOIN audit_log c ON c.resource = 'appointment/' || t.appointment_id
                 WHERE (c.detail ->> 'version')::int > t.version AND c.at < m.at AND t.kind <> 'outcome'",
            );
            let mut told: BTreeMap<String, usize> = BTreeMap::new();
            for entry in self.world.ledger() {
                let text = entry.body["body"].as_str().unwrap_or_default();
                let mine = entry.company == Some(company.id.get())
                    && entry.accepted
                    && serde_json::json!(entry.provider) == "whaticket";
                if mine && is_told(text) {
                    let hour = entry.at.with_timezone(&ZONE).hour();
                    assert!((8..21).contains(&hour), "at night, {}: {text}", entry.at.with_timezone(&ZONE));
                    *told.entry(text.to_owned() + entry.body["number"].as_str().unwrap()).or_default() += 1;
                }
            }
            let sent: usize = told.values().sum();
            let stored: usize = one("SELECT count(*) FROM timer WHERE message_id IS NOT NULL").parse().unwrap();
            assert_eq!(sent, stored, "as many left as were stored");
            let table = one(
                "SELECT kind || coalesce(' ' || nullif(name, ''), '') || ' ' || state || coalesce(' ' || reason, ''), count(*)
                 FROM timer WHERE state <> 'due' GROUP BY 1 ORDER BY 1",
            );
            let states = one("SELECT state, count(*) FROM appointment GROUP BY 1 ORDER BY 1");
            report += &format!("== {}: {sent} texts\n{states}\n{table}\n", ["clinic", "salon"][n]);
        }
        for (what, count) in &self.counts {
            report += &format!("{what}: {count}\n");
        }
        report
    }
}

fn beat(at: DateTime<Utc>) -> DateTime<Utc> {
    let step = STEP.num_seconds();
    DateTime::from_timestamp(at.timestamp().div_euclid(step) * step, 0).unwrap()
}

/// Whether a text is one of those that nobody asked for.
fn is_told(text: &str) -> bool {
    ["! Lembrete: ", "! Está chegando: ", "! Como foi "].iter().any(|begins| text.contains(begins))
}

#[expect(clippy::print_stderr, reason = "the report is what the test is for")]
async fn quarter(seed: u64, days: i64) -> String {
    let begun = tokio::time::Instant::now();
    let mut life = Life::begin(seed).await;
    life.play(days).await;
    let report = life.judge();
    eprintln!("{days} days from seed {seed} in {:?}\n{report}", begun.elapsed());
    life.world.end().await;
    report
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, no setting")]
async fn each_reminder_leaves_once_by_day_and_for_what_stands() {
    let read = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (days, seed) = (read("QUARTER_DAYS").unwrap_or(3), read("QUARTER_SEED").unwrap_or(7));
    let days = i64::try_from(days).unwrap();
    let report = quarter(seed, days).await;
    if std::env::var_os("QUARTER_TWICE").is_some() {
        assert_eq!(quarter(seed, days).await, report, "the same seed, the same quarter");
    }
    assert!(report.contains("reminder 24h done") && report.contains("follow_up done"), "{report}");
}
