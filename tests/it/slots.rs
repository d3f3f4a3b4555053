//! Free times: hours, breaks, holidays, buffers, seats, groups, and clocks that jump.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{America, Europe, Pacific, TZ_VARIANTS, Tz};
use proptest::prelude::*;
use secretaria::domain::agenda::slots::{Busy, Rules, exactly, free, free_seat, moment_of};
use secretaria::domain::hours::{BusinessHours, OpeningHours, parse_own};

fn hours(opening: &str, own: &str) -> BusinessHours {
    let opening = OpeningHours::parse(opening).unwrap();
    BusinessHours { opening, own: parse_own(own).unwrap(), national: true }
}

fn rules(hours: &[BusinessHours]) -> Rules<'_> {
    Rules {
        zone: America::Sao_Paulo,
        hours,
        duration: TimeDelta::minutes(60),
        before: TimeDelta::zero(),
        after: TimeDelta::zero(),
        step: TimeDelta::minutes(30),
        seats: 1,
        shared: false,
    }
}

fn at(zone: Tz, day: &str, time: &str) -> DateTime<Utc> {
    let local: NaiveDateTime = format!("{day}T{time}:00").parse().unwrap();
    zone.from_local_datetime(&local).earliest().unwrap().to_utc()
}

fn sp(day: &str, time: &str) -> DateTime<Utc> {
    at(America::Sao_Paulo, day, time)
}

fn day(day: &str) -> (DateTime<Utc>, DateTime<Utc>) {
    (sp(day, "00:00"), sp(day, "23:59"))
}

fn clocks(zone: Tz, slots: &[secretaria::domain::agenda::slots::Slot]) -> Vec<String> {
    slots.iter().map(|slot| slot.starts.with_timezone(&zone).format("%H:%M").to_string()).collect()
}

fn taken(from: DateTime<Utc>, minutes: i64, seat: i16) -> Busy {
    let to = from + TimeDelta::minutes(minutes);
    Busy { from, to, starts: from, seat: Some(seat), shared: false, same_service: true }
}

#[test]
fn a_day_has_the_times_that_fit_into_its_hours() {
    let open = [hours("seg-sex 8h-10h, 13h30-15h; sáb 8h-9h", "")];
    let found = |date: &str| clocks(America::Sao_Paulo, &free(&rules(&open), &[], day(date)));
    assert_eq!(found("2026-11-30"), ["08:00", "08:30", "09:00", "13:30", "14:00"], "a Monday");
    assert_eq!(found("2026-12-05"), ["08:00"], "a Saturday");
    assert!(found("2026-12-06").is_empty(), "a Sunday");
    assert!(found("2026-12-25").is_empty(), "Christmas");
}

#[test]
fn own_days_win_over_weekdays_and_holidays() {
    let open = [hours("seg-sex 8h-10h", "24/12 Véspera 8h-9h; 30/11 fechado; 25/12 aberto")];
    let found = |date: &str| clocks(America::Sao_Paulo, &free(&rules(&open), &[], day(date)));
    assert_eq!(found("2026-12-24"), ["08:00"]);
    assert!(found("2026-11-30").is_empty());
    assert_eq!(found("2026-12-25"), ["08:00", "08:30", "09:00"]);
}

#[test]
fn a_time_has_to_be_within_all_hours() {
    let open = [hours("todos os dias 8h-18h", ""), hours("seg-sex 9h-11h", "")];
    assert_eq!(clocks(America::Sao_Paulo, &free(&rules(&open), &[], day("2026-11-30"))), ["09:00", "09:30", "10:00"]);
    assert!(free(&rules(&[]), &[], day("2026-11-30")).is_empty(), "without hours nothing is open");
}

#[test]
fn an_appointment_takes_its_time_and_its_buffers() {
    let open = [hours("seg-sex 8h-12h", "")];
    let busy = [taken(sp("2026-11-30", "09:00"), 60, 0)];
    let plain = rules(&open);
    let found = |rules: &Rules<'_>, busy: &[Busy]| clocks(America::Sao_Paulo, &free(rules, busy, day("2026-11-30")));
    assert_eq!(found(&plain, &busy), ["08:00", "10:00", "10:30", "11:00"]);
    let buffered = Rules { before: TimeDelta::minutes(15), after: TimeDelta::minutes(15), ..plain };
    assert_eq!(found(&buffered, &busy), ["10:30", "11:00"], "a quarter of an hour on each side");
    assert_eq!(found(&buffered, &[]), ["08:00", "08:30", "09:00", "09:30", "10:00", "10:30", "11:00"]);
    let whole = Busy { seat: None, ..busy[0] };
    assert_eq!(found(&Rules { seats: 5, ..plain }, &[whole]), ["08:00", "10:00", "10:30", "11:00"]);
}

#[test]
fn seats_are_given_from_the_first_and_then_there_are_none() {
    let open = [hours("seg-sex 8h-12h", "")];
    let rules = Rules { seats: 2, ..rules(&open) };
    let nine = sp("2026-11-30", "09:00");
    assert_eq!(free_seat(&rules, &[], nine), Some(0));
    assert_eq!(free_seat(&rules, &[taken(nine, 60, 0)], nine), Some(1));
    assert_eq!(free_seat(&rules, &[taken(nine, 60, 1)], nine), Some(0));
    assert_eq!(free_seat(&rules, &[taken(nine, 60, 0), taken(nine, 30, 1)], nine), None);
    // The same seat before and after within one hour is still one seat.
    let halves = [taken(nine, 30, 0), taken(nine + TimeDelta::minutes(30), 30, 0)];
    assert_eq!(free_seat(&rules, &halves, nine), Some(1));
}

#[test]
fn a_group_begins_together_and_lets_nobody_else_in() {
    let open = [hours("seg-sex 8h-12h", "")];
    let alone = rules(&open);
    let group = Rules { seats: 3, shared: true, ..alone };
    let nine = sp("2026-11-30", "09:00");
    let member = |seat| Busy { shared: true, ..taken(nine, 60, seat) };
    let found = |rules: &Rules<'_>, busy: &[Busy]| clocks(America::Sao_Paulo, &free(rules, busy, day("2026-11-30")));
    assert_eq!(
        found(&group, &[member(0)]),
        ["08:00", "09:00", "10:00", "10:30", "11:00"],
        "joined at nine, not at half past"
    );
    assert_eq!(found(&group, &[member(0), member(1), member(2)]), ["08:00", "10:00", "10:30", "11:00"]);
    assert_eq!(found(&alone, &[member(0)]), ["08:00", "10:00", "10:30", "11:00"]);
    let other = Busy { same_service: false, ..member(0) };
    assert_eq!(found(&group, &[other]), ["08:00", "10:00", "10:30", "11:00"], "another group");
    assert_eq!(found(&group, &[taken(nine, 60, 0)]), ["08:00", "10:00", "10:30", "11:00"], "somebody alone");
}

#[test]
fn hours_through_the_night_and_round_the_clock_have_no_seam() {
    let night = [hours("todos os dias 22h-2h", "")];
    let window = (sp("2026-11-30", "21:00"), sp("2026-12-01", "03:00"));
    assert_eq!(
        clocks(America::Sao_Paulo, &free(&rules(&night), &[], window)),
        ["22:00", "22:30", "23:00", "23:30", "00:00", "00:30", "01:00"]
    );
    let always = [BusinessHours { national: false, ..hours("todos os dias 24 horas", "") }];
    let rules = Rules { step: TimeDelta::minutes(60), ..rules(&always) };
    assert_eq!(free(&rules, &[], (sp("2026-11-30", "00:00"), sp("2026-12-02", "00:00"))).len(), 48);
    assert!(exactly(&rules, &[], sp("2026-11-30", "23:00")).is_some(), "over midnight");
}

#[test]
fn an_hour_that_does_not_exist_is_not_offered() {
    // Clocks in New York jump from 2h to 3h on 8 March 2026.
    let open = [BusinessHours { national: false, ..hours("todos os dias 1h-5h", "") }];
    let zone = America::New_York;
    let rules = Rules { zone, ..rules(&open) };
    let window = (at(zone, "2026-03-08", "00:00"), at(zone, "2026-03-08", "12:00"));
    let found = free(&rules, &[], window);
    assert_eq!(clocks(zone, &found), ["01:00", "01:30", "03:00", "03:30", "04:00"]);
    assert!(found.iter().all(|slot| slot.ends - slot.starts == TimeDelta::minutes(60)), "an hour is an hour");
    assert_eq!(found[1].ends.with_timezone(&zone).hour(), 3, "1h30 and an hour is 3h30");
}

#[test]
fn an_hour_that_comes_twice_is_offered_once() {
    // Clocks in New York go from 2h back to 1h on 1 November 2026.
    let open = [BusinessHours { national: false, ..hours("todos os dias 0h-4h", "") }];
    let zone = America::New_York;
    let rules = Rules { zone, ..rules(&open) };
    let found = free(&rules, &[], (at(zone, "2026-11-01", "00:00"), at(zone, "2026-11-01", "12:00")));
    assert_eq!(clocks(zone, &found), ["00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "03:00"]);
    assert_eq!(found[3].starts, at(zone, "2026-11-01", "01:30"), "the first of the two");
}

#[test]
fn a_local_time_is_a_moment_everywhere() {
    let local: NaiveDateTime = "2026-03-08T02:30:00".parse().unwrap();
    assert_eq!(moment_of(America::New_York, local), "2026-03-08T07:00:00Z".parse::<DateTime<Utc>>().unwrap());
    // Samoa had no 30 December 2011.
    let lost: NaiveDateTime = "2011-12-30T12:00:00".parse().unwrap();
    assert_eq!(moment_of(Pacific::Apia, lost), "2011-12-30T10:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let twice: NaiveDateTime = "2026-10-25T02:30:00".parse().unwrap();
    assert_eq!(moment_of(Europe::Lisbon, twice).to_rfc3339(), "2026-10-25T02:30:00+00:00");
}

prop_compose! {
    fn some_busy(start: DateTime<Utc>)(
        offset in 0i64..4_000, minutes in 5i64..240, seat in prop_oneof![Just(None), (0i16..3).prop_map(Some)],
        shared: bool, same_service: bool, buffer in 0i64..30,
    ) -> Busy {
        let starts = start + TimeDelta::minutes(offset);
        Busy {
            from: starts - TimeDelta::minutes(buffer),
            to: starts + TimeDelta::minutes(minutes + buffer),
            starts,
            seat,
            shared,
            same_service,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever the zone and the season: what is offered is open, in order, whole, and collides with nothing.
    #[test]
    fn what_is_offered_is_open_and_free(
        zone in 0..TZ_VARIANTS.len(),
        date in 0i64..4_000,
        duration in 1i64..16, step in 1i64..16, before in 0i64..4, after in 0i64..4,
        seats in 1i16..4, shared: bool,
        busy in proptest::collection::vec(some_busy(DateTime::UNIX_EPOCH), 0..12),
    ) {
        let zone = TZ_VARIANTS[zone];
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + TimeDelta::days(date);
        let from = moment_of(zone, first.and_hms_opt(0, 0, 0).unwrap());
        let shift = from - DateTime::UNIX_EPOCH;
        let busy: Vec<Busy> = busy
            .into_iter()
            .map(|one| Busy { from: one.from + shift, to: one.to + shift, starts: one.starts + shift, ..one })
            .collect();
        let open = [hours("seg-sex 8h-12h, 13h30-18h; sáb 9h-13h; dom 22h-3h", "24/12 8h-10h; carnaval fechado")];
        let rules = Rules {
            zone,
            duration: TimeDelta::minutes(duration * 15),
            step: TimeDelta::minutes(step * 15),
            before: TimeDelta::minutes(before * 5),
            after: TimeDelta::minutes(after * 5),
            seats,
            shared,
            hours: &open,
        };
        let until = from + TimeDelta::days(3);
        let found = free(&rules, &busy, (from, until));
        prop_assert!(found.iter().zip(found.iter().skip(1)).all(|(one, next)| one.starts < next.starts));
        for slot in &found {
            prop_assert!(from <= slot.starts && slot.starts < until);
            prop_assert_eq!(slot.ends - slot.starts, rules.duration);
            let local = slot.starts.with_timezone(&zone).naive_local();
            prop_assert!(open[0].covers(local, local), "{} is closed", local);
            prop_assert!((0..seats).contains(&slot.seat));
            for one in &busy {
                let meets = one.from < slot.ends + rules.after && slot.starts - rules.before < one.to;
                prop_assert!(!(meets && one.seat == Some(slot.seat)), "two in one seat");
                prop_assert!(!(meets && one.seat.is_none()), "all seats are taken");
                let together = shared && one.shared && one.same_service && one.starts == slot.starts;
                prop_assert!(!meets || together || (!shared && !one.shared), "beside a group");
            }
            prop_assert_eq!(exactly(&rules, &busy, slot.starts), Some(*slot));
        }
        // Nothing that is free by the hours is kept back: with nobody there, all of them are offered.
        let all = free(&rules, &[], (from, until));
        let kept_back = all.iter().filter(|slot| !found.iter().any(|one| one.starts == slot.starts));
        for slot in kept_back {
            prop_assert_eq!(free_seat(&rules, &busy, slot.starts), None);
        }
    }
}
