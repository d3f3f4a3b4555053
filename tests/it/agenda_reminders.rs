//! When reminders and follow-ups are due: never in quiet hours, whatever the clocks of a country do.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use secretaria::domain::agenda::reminders::{Attempt, Due, Kind, Quiet, Rules, Skip, Visit, attempt, plan};

/// Zones of every kind: with and without summer time, half and quarter hours, half-hour summer time, both hemispheres,
/// days skipped at the date line, changes at midnight.
const ZONES: [Tz; 40] = [
    Tz::America__Sao_Paulo,
    Tz::America__Manaus,
    Tz::America__Noronha,
    Tz::America__Rio_Branco,
    Tz::America__Recife,
    Tz::America__New_York,
    Tz::America__Chicago,
    Tz::America__Denver,
    Tz::America__Los_Angeles,
    Tz::America__Phoenix,
    Tz::America__St_Johns,
    Tz::America__Halifax,
    Tz::America__Santiago,
    Tz::America__Asuncion,
    Tz::America__Havana,
    Tz::America__Mexico_City,
    Tz::America__Bogota,
    Tz::America__Argentina__Buenos_Aires,
    Tz::Europe__Lisbon,
    Tz::Atlantic__Azores,
    Tz::Europe__London,
    Tz::Europe__Madrid,
    Tz::Europe__Berlin,
    Tz::Europe__Kyiv,
    Tz::Europe__Istanbul,
    Tz::Africa__Casablanca,
    Tz::Africa__Cairo,
    Tz::Africa__Luanda,
    Tz::Asia__Beirut,
    Tz::Asia__Tehran,
    Tz::Asia__Kolkata,
    Tz::Asia__Kathmandu,
    Tz::Asia__Tokyo,
    Tz::Asia__Amman,
    Tz::Australia__Sydney,
    Tz::Australia__Adelaide,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Auckland,
    Tz::Pacific__Apia,
    Tz::Pacific__Chatham,
];

const KINDS: [Kind; 6] =
    [Kind::Day, Kind::Hour, Kind::Custom(15), Kind::Custom(180), Kind::Custom(3 * 24 * 60), Kind::FollowUp];

fn rules(zone: Tz) -> Rules {
    Rules { zone, ..Rules::default() }
}

fn at(zone: Tz, local: &str) -> DateTime<Utc> {
    let local: NaiveDateTime = format!("{local}:00").parse().unwrap();
    zone.from_local_datetime(&local).earliest().unwrap().to_utc()
}

fn visit(start: DateTime<Utc>) -> Visit {
    Visit { start, end: start + TimeDelta::minutes(40) }
}

/// What is planned in São Paulo for an appointment made a week before.
fn due(kind: Kind, start: &str) -> String {
    let zone = Tz::America__Sao_Paulo;
    let start = at(zone, start);
    match plan(kind, &visit(start), &rules(zone), start - TimeDelta::days(7)) {
        Due::At(due) => due.with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string(),
        Due::Skipped(why) => why.as_str().to_owned(),
    }
}

#[test]
fn reminders_keep_out_of_the_night() {
    let table = [
        (Kind::Day, "2026-10-08T14:00", "2026-10-07T14:00"),
        (Kind::Hour, "2026-10-08T14:00", "2026-10-08T13:00"),
        (Kind::Custom(180), "2026-10-08T14:00", "2026-10-08T11:00"),
        // Moved to the end of the night.
        (Kind::Day, "2026-10-08T07:30", "2026-10-07T08:00"),
        (Kind::Day, "2026-10-08T22:00", "2026-10-08T08:00"),
        (Kind::Hour, "2026-10-08T08:30", "2026-10-08T08:00"),
        // That would be too late: the evening before.
        (Kind::Hour, "2026-10-08T08:00", "2026-10-07T20:30"),
        (Kind::Hour, "2026-10-08T07:00", "2026-10-07T20:30"),
        (Kind::Hour, "2026-10-08T22:30", "2026-10-08T20:30"),
        (Kind::Custom(15), "2026-10-08T00:10", "2026-10-07T20:30"),
        // The first minute of quiet hours is quiet, the first after them is not.
        (Kind::Hour, "2026-10-08T22:00", "2026-10-08T20:30"),
        (Kind::Hour, "2026-10-08T09:00", "2026-10-08T08:00"),
        (Kind::Hour, "2026-10-08T21:59", "2026-10-08T20:59"),
        // After the visit.
        (Kind::FollowUp, "2026-10-08T14:00", "2026-10-08T15:40"),
        (Kind::FollowUp, "2026-10-08T19:30", "2026-10-09T08:00"),
        (Kind::NoShow, "2026-10-08T20:30", "2026-10-08T21:40"),
    ];
    for (kind, start, planned) in table {
        assert_eq!(due(kind, start), planned, "{kind:?} for {start}");
    }
}

#[test]
fn who_books_late_is_not_reminded_of_what_they_just_did() {
    let zone = Tz::America__Sao_Paulo;
    let planned = |kind, now: &str, start: &str| plan(kind, &visit(at(zone, start)), &rules(zone), at(zone, now));
    assert_eq!(planned(Kind::Day, "2026-10-07T18:00", "2026-10-08T14:00"), Due::Skipped(Skip::Late));
    assert_eq!(planned(Kind::Hour, "2026-10-07T18:00", "2026-10-08T14:00"), Due::At(at(zone, "2026-10-08T13:00")));
    assert_eq!(planned(Kind::Hour, "2026-10-08T15:00", "2026-10-08T14:00"), Due::Skipped(Skip::Begun));
    // Booked at night for the early morning: there is no time left that is allowed.
    assert_eq!(planned(Kind::Hour, "2026-10-07T22:00", "2026-10-08T08:00"), Due::Skipped(Skip::QuietHours));
}

#[test]
fn what_is_late_is_sent_while_it_still_helps() {
    let zone = Tz::America__Sao_Paulo;
    let tried = |kind, start: &str, now: &str| {
        let visit = visit(at(zone, start));
        let Due::At(due) = plan(kind, &visit, &rules(zone), visit.start - TimeDelta::days(7)) else { panic!() };
        attempt(kind, &visit, due, &rules(zone), at(zone, now))
    };
    let start = "2026-10-08T14:00";
    assert_eq!(tried(Kind::Day, start, "2026-10-07T13:59"), Attempt::Wait(at(zone, "2026-10-07T14:00")));
    assert_eq!(tried(Kind::Day, start, "2026-10-07T14:00"), Attempt::Send);
    assert_eq!(tried(Kind::Day, start, "2026-10-07T20:00"), Attempt::Send);
    assert_eq!(tried(Kind::Day, start, "2026-10-07T23:00"), Attempt::Wait(at(zone, "2026-10-08T08:00")));
    assert_eq!(tried(Kind::Day, start, "2026-10-08T08:00"), Attempt::Send);
    assert_eq!(tried(Kind::Day, start, "2026-10-08T09:00"), Attempt::Skip(Skip::Late));
    assert_eq!(tried(Kind::Hour, start, "2026-10-08T13:30"), Attempt::Send);
    assert_eq!(tried(Kind::Hour, start, "2026-10-08T13:50"), Attempt::Skip(Skip::Late));
    assert_eq!(tried(Kind::Hour, start, "2026-10-08T14:00"), Attempt::Skip(Skip::Begun));
    // The evening before was missed, and the night leaves no time.
    assert_eq!(tried(Kind::Hour, "2026-10-08T08:00", "2026-10-07T21:05"), Attempt::Skip(Skip::QuietHours));
    assert_eq!(tried(Kind::FollowUp, start, "2026-10-09T08:00"), Attempt::Send);
    assert_eq!(tried(Kind::FollowUp, start, "2026-10-11T08:00"), Attempt::Skip(Skip::Late));
    assert_eq!(tried(Kind::NoShow, start, "2026-10-08T23:00"), Attempt::Send);
}

#[test]
fn three_companies_of_one_country_have_three_nights() {
    let start: DateTime<Utc> = "2026-10-08T11:00:00Z".parse().unwrap();
    let local = |zone: Tz| match plan(Kind::Hour, &visit(start), &rules(zone), start - TimeDelta::days(7)) {
        Due::At(due) => due.with_timezone(&zone).format("%d %H:%M").to_string(),
        Due::Skipped(why) => why.as_str().to_owned(),
    };
    assert_eq!(local(Tz::America__Noronha), "08 08:00", "there it is nine o'clock");
    assert_eq!(local(Tz::America__Sao_Paulo), "07 20:30", "there it is eight o'clock");
    assert_eq!(local(Tz::America__Manaus), "07 20:30", "there it is seven o'clock");
}

#[test]
fn quiet_hours_can_lie_in_the_day_or_not_be_at_all() {
    let zone = Tz::America__Sao_Paulo;
    let time = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let siesta = Rules { quiet: Quiet { from: time(12), until: time(14) }, ..rules(zone) };
    let none = Rules { quiet: Quiet { from: time(8), until: time(8) }, ..rules(zone) };
    let start = at(zone, "2026-10-08T14:00");
    let now = start - TimeDelta::days(2);
    assert_eq!(plan(Kind::Hour, &visit(start), &siesta, now), Due::At(at(zone, "2026-10-08T11:30")));
    assert_eq!(
        plan(Kind::Hour, &visit(at(zone, "2026-10-08T04:00")), &none, now),
        Due::At(at(zone, "2026-10-08T03:00"))
    );
}

/// The moments at which a zone's clocks are changed, from 2007 to 2031.
fn transitions(zone: Tz) -> Vec<DateTime<Utc>> {
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let first: DateTime<Utc> = "2007-01-01T00:00:00Z".parse().unwrap();
    let mut out = Vec::new();
    for day in 0..25 * 365 {
        let (mut low, mut high) = (first + TimeDelta::days(day), first + TimeDelta::days(day + 1));
        if offset(low) == offset(high) {
            continue;
        }
        while high - low > TimeDelta::seconds(1) {
            let middle = low + (high - low) / 2;
            if offset(middle) == offset(low) { low = middle } else { high = middle }
        }
        out.push(high);
    }
    out
}

#[test]
fn every_change_of_forty_zones_clocks_leaves_the_night_alone() {
    let (mut checked, mut changes) = (0_u64, 0);
    for zone in ZONES {
        let rules = rules(zone);
        let mut moments = transitions(zone);
        changes += moments.len();
        // Zones without changes have nights, too.
        moments.push("2026-10-07T12:00:00Z".parse().unwrap());
        for change in moments {
            // Appointments on every half hour from two days before the change to two days after it.
            for half in -96..=96 {
                let start = change + TimeDelta::minutes(30 * half);
                for kind in KINDS {
                    check(kind, start, &rules, change);
                    checked += 1;
                }
            }
        }
    }
    assert!(changes > 900, "only {changes} changes were found");
    assert!(checked > 1_000_000, "only {checked} were checked");
}

fn check(kind: Kind, start: DateTime<Utc>, rules: &Rules, change: DateTime<Utc>) {
    let visit = visit(start);
    let booked = start - TimeDelta::days(10);
    let named = || format!("{kind:?} at {} around {change}", start.with_timezone(&rules.zone));
    let Due::At(due) = plan(kind, &visit, rules, booked) else { panic!("nothing is planned: {}", named()) };
    assert!(!rules.is_quiet(due), "in quiet hours: {}", named());
    assert_eq!(attempt(kind, &visit, due, rules, due), Attempt::Send, "{}", named());
    let exact = match kind {
        Kind::FollowUp => visit.end + TimeDelta::hours(1),
        Kind::Day => start - TimeDelta::hours(24),
        Kind::Hour => start - TimeDelta::hours(1),
        Kind::Custom(minutes) => start - TimeDelta::minutes(minutes.into()),
        Kind::NoShow => return,
    };
    // What needs no moving is not moved; a night and its change of clocks move by no more than fifteen hours, and where
    // a country skipped a day by that day.
    if !rules.is_quiet(exact) {
        assert_eq!(due, exact, "{}", named());
    }
    assert!((due - exact).abs() <= TimeDelta::hours(39), "moved too far: {}", named());
    match kind {
        Kind::FollowUp => assert!(due > visit.end, "{}", named()),
        _ => assert!(due < start, "after the beginning: {}", named()),
    }
    // A sender that comes late, at any hour of the next day and a half, never writes at night.
    for late in [1, 45, 250, 600, 900, 1500, 2100] {
        let now = due + TimeDelta::minutes(late);
        match attempt(kind, &visit, due, rules, now) {
            Attempt::Send => assert!(!rules.is_quiet(now) && (kind == Kind::FollowUp || now < start), "{}", named()),
            Attempt::Wait(until) => assert!(until > now && !rules.is_quiet(until), "{}", named()),
            Attempt::Skip(_) => {}
        }
    }
}
