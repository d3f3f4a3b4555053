//! What lost callbacks would have said, and a calendar that is left alone while it fails.

use secretaria::services::agenda::reconcile;

use super::*;

impl Clinic {
    async fn compare(&self) -> reconcile::Report {
        reconcile::run(&self.world.process.services, &self.tenant).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_callback_told_is_found_by_comparing() {
    let clinic = Clinic::open().await;
    let ours = clinic.book(clinic.at(2, 9)).await;
    let mine = ours.external_uid.clone().unwrap();
    let other = clinic.booked_elsewhere(clinic.at(2, 10), "Bia", "+5521987650000").await;
    let off = clinic.booked_elsewhere(clinic.at(2, 14), "Caio", "+5521987650001").await;
    let first = clinic.compare().await;
    assert_eq!((first.read, first.adopted, first.failed), (3, 2, 0));

    // Moved twice, moved, called off: not one callback arrives.
    clinic.later(15);
    let halfway = clinic.moved_elsewhere(&mine, clinic.at(2, 15)).await;
    clinic.later(1);
    let last = clinic.moved_elsewhere(&halfway, clinic.at(2, 16)).await;
    clinic.moved_elsewhere(&other, clinic.at(2, 11)).await;
    clinic.cancelled_elsewhere(&off).await;
    clinic.later(1);
    let second = clinic.compare().await;
    assert_eq!((second.adopted, second.moved, second.cancelled), (0, 2, 1), "{second:?}");
    let wanted = [
        shown("rescheduled", clinic.at(2, 16), "chat"),
        shown("rescheduled", clinic.at(2, 11), "calendar"),
        shown("cancelled", clinic.at(2, 14), "calendar"),
    ];
    assert_eq!(clinic.appointments(), wanted.join("\n"));
    let row = clinic.sql(&format!("SELECT external_uid FROM appointment WHERE id = '{}'", ours.id));
    assert_eq!(row, last, "the row is the one the customer was told of");

    // Nothing new: nothing changes, nor when the place is forgotten, nor when the callbacks come after all.
    let before = clinic.sql("SELECT id, state, version, starts_at, external_uid FROM appointment ORDER BY id");
    for read in [6, 0] {
        clinic.later(15);
        let report = clinic.compare().await;
        assert_eq!((report.read, report.moved, report.noted), (read, 0, 0), "what is near the last time is read again");
    }
    clinic.world.flush_redis();
    let again = clinic.compare().await;
    assert_eq!((again.read, again.adopted, again.moved, again.cancelled), (6, 0, 0, 0));
    for body in clinic.told(0).iter().rev() {
        clinic.tells(body).await.expect_status(200);
    }
    assert_eq!(clinic.sql("SELECT id, state, version, starts_at, external_uid FROM appointment ORDER BY id"), before);

    clinic.until(clinic.at(2, 17));
    clinic.marked_elsewhere(&last, true).await;
    clinic.later(15);
    assert_eq!(clinic.compare().await.attendance, 1);
    let state = clinic.sql(&format!("SELECT state, outcome_source FROM appointment WHERE id = '{}'", ours.id));
    assert_eq!(state, "no_show|calendar");
    for kind in ["adopted", "moved", "cancelled", "no_show"] {
        assert!(clinic.counted("calendar_drift_total", &format!("kind=\"{kind}\"")) >= 1.0, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn comparing_settles_what_was_left_open_and_leaves_other_calendars_alone() {
    let clinic = Clinic::open().await;
    clinic.trouble(FaultKind::ResetAfterAccept, "POST /calcom/v2/bookings", 1);
    clinic.trouble(FaultKind::Html, "GET /calcom/v2/bookings", 3);
    let wish = clinic.wish(clinic.at(2, 9));
    assert!(matches!(clinic.calendar().book(&wish).await, Err(CalendarError::Unclear)));
    clinic.later(2);
    let report = clinic.compare().await;
    assert_eq!(report.settled.booked.iter().map(|row| row.id).collect::<Vec<_>>(), [wish.id]);
    assert_eq!(clinic.appointments(), shown("confirmed", clinic.at(2, 9), "chat"));

    let calls = clinic.calls();
    for kind in ["local", "none"] {
        clinic.world.configure(&clinic.world.clinic, &[("calendar.kind", kind)]).await;
        let tenant = clinic.world.tenant(&clinic.world.clinic);
        let report = reconcile::run(&clinic.world.process.services, &tenant).await.unwrap();
        assert_eq!((report.read, clinic.calls()), (0, calls), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_fails_is_left_alone_and_tried_again() {
    let clinic = Clinic::open().await;
    let day = SlotWish {
        service: None,
        professional: None,
        from: clinic.at(2, 8),
        until: clinic.at(2, 18),
        moving: None,
        limit: 5,
    };
    let slots = async || clinic.calendar().slots(&day).await;
    clinic.world.standins.add_fault(Fault::status(Provider::CalCom, 503, "down"));
    for _ in 0..3 {
        assert!(matches!(slots().await, Err(CalendarError::Down { .. })));
    }
    let calls = clinic.calls();
    assert_eq!(calls, 5, "after five failures in a row nobody asks any more");
    let Err(CalendarError::Down { wait: Some(wait) }) = slots().await else { panic!("down") };
    assert!(wait > Duration::from_secs(20), "{wait:?}");
    assert!(matches!(clinic.calendar().book(&clinic.wish(clinic.at(2, 9))).await, Err(CalendarError::Down { .. })));
    assert!(matches!(clinic.compare_fails().await, CalendarError::Down { .. }));
    assert_eq!(clinic.calls(), calls);
    assert_eq!(clinic.counted("calendar_circuit_state", ""), 2.0);
    assert!(clinic.counted("calendar_call_errors_total", "kind=\"open\"") >= 3.0);

    // A probe that fails keeps it shut; one that does not opens the way for all.
    clinic.later(1);
    assert!(slots().await.is_err());
    assert_eq!(clinic.calls(), calls + 1);
    clinic.world.standins.clear_faults();
    assert!(slots().await.is_err(), "still left alone");
    clinic.later(1);
    assert_eq!(slots().await.unwrap().len(), 5);
    assert_eq!(slots().await.unwrap().len(), 5);
    assert_eq!(clinic.counted("calendar_circuit_state", ""), 0.0);
    // The other company's calendar never rested.
    assert_eq!(clinic.world.metric(&clinic.world.salon, "calendar_circuit_state", ""), 0.0);

    // Asked for patience, it gets it.
    clinic.world.standins.add_fault(Fault::status(Provider::CalCom, 429, "slow down").times(1));
    assert!(slots().await.is_err());
    let calls = clinic.calls();
    assert!(matches!(slots().await, Err(CalendarError::Down { wait: Some(_) })));
    assert_eq!(clinic.calls(), calls);
    clinic.later(2);
    assert!(slots().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_is_not_tried_again_and_again_and_another_one_at_once() {
    let clinic = Clinic::open().await;
    clinic.world.configure(&clinic.world.clinic, &[("secret:calendar.api_key", "cal_nobodys_key")]).await;
    let tenant = clinic.world.tenant(&clinic.world.clinic);
    let calendar = agenda::of(&clinic.world.process.services, &tenant, &clinic.actor).unwrap();
    let wish = clinic.wish(clinic.at(2, 9));
    for _ in 0..5 {
        let wish = Wish { id: Uuid::now_v7(), ..wish.clone() };
        let refused = calendar.book(&wish).await;
        assert!(matches!(refused, Err(CalendarError::NotConfigured("key_refused"))), "{refused:?}");
    }
    assert_eq!(clinic.calls(), 1);
    let key = StandIns::credential(clinic.id(), "new");
    clinic.world.configure(&clinic.world.clinic, &[("secret:calendar.api_key", &key)]).await;
    let tenant = clinic.world.tenant(&clinic.world.clinic);
    let calendar = agenda::of(&clinic.world.process.services, &tenant, &clinic.actor).unwrap();
    assert_eq!(calendar.book(&wish).await.unwrap().state(), State::Confirmed);
    let outcomes = ["booked", "failed"].map(|outcome| format!("outcome=\"{outcome}\""));
    assert_eq!(outcomes.map(|outcome| clinic.counted("appointment_bookings_total", &outcome)), [1.0, 5.0]);
}

impl Clinic {
    async fn compare_fails(&self) -> CalendarError {
        reconcile::run(&self.world.process.services, &self.tenant).await.unwrap_err()
    }
}
