//! A booking's life told in any order, with repetitions: what is known in the end is what is so.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

/// A way in which a booking's life is told: which callback comes when, some of them twice.
fn tellings(count: usize) -> impl Strategy<Value = Vec<usize>> {
    let repeated = prop::collection::vec(0..count, 0..3);
    repeated.prop_flat_map(move |repeated| Just((0..count).chain(repeated).collect::<Vec<_>>()).prop_shuffle())
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let longer = |rest: &Vec<usize>| {
        (0..=rest.len())
            .map(|place| {
                let mut order = rest.clone();
                order.insert(place, count - 1);
                order
            })
            .collect::<Vec<_>>()
    };
    shorter.iter().flat_map(longer).collect()
}

/// What all rows of a life say: state and id at the calendar of those that are appointments.
fn known(clinic: &Clinic, since: &str) -> String {
    clinic.sql(&format!(
        "SELECT state, external_uid FROM appointment WHERE created_at >= '{since}'
         AND state NOT IN ('held', 'booking', 'lapsed', 'failed')"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn made_moved_moved_again_and_called_off_in_all_orders() {
    let clinic = Clinic::open().await;
    for order in permutations(4) {
        let before = clinic.told(0).len();
        let since = clinic.world.clock.now().to_rfc3339();
        let a = clinic.booked_elsewhere(clinic.at(2, 9), "Bia", ANA).await;
        clinic.later(1);
        let b = clinic.moved_elsewhere(&a, clinic.at(2, 10)).await;
        clinic.later(1);
        let c = clinic.moved_elsewhere(&b, clinic.at(2, 11)).await;
        clinic.later(1);
        clinic.cancelled_elsewhere(&c).await;
        clinic.later(1);
        let told = clinic.told(before);
        assert_eq!(told.len(), 4);
        for n in &order {
            clinic.tells(&told[*n]).await.expect_status(200);
        }
        assert_eq!(known(&clinic, &since), format!("cancelled|{c}"), "told as {order:?}");
        for body in &told {
            clinic.tells(body).await.expect_status(200);
        }
        assert_eq!(known(&clinic, &since), format!("cancelled|{c}"), "told as {order:?}, and again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_for_confirmed_moved_and_nobody_came_in_any_order() {
    let clinic = Clinic::open().await;
    let mut runner = TestRunner::deterministic();
    for round in 0..40 {
        // Made here or elsewhere; then the row is the intent's, whatever comes first.
        let here = round % 2 == 0;
        clinic.another_day();
        clinic.with_confirmation(true);
        let before = clinic.told(0).len();
        let since = clinic.world.clock.now().to_rfc3339();
        let (nine, noon) = (clinic.at(2, 9), clinic.at(2, 12));
        let mut id = None;
        let a = if here {
            let row = clinic.book(nine).await;
            assert_eq!(row.state(), State::Pending);
            id = Some(row.id.to_string());
            row.external_uid.unwrap()
        } else {
            clinic.booked_elsewhere(nine, "Bia", ANA).await
        };
        clinic.later(1);
        clinic.at_cal(&format!("bookings/{a}/confirm"), &Value::Null).await;
        clinic.later(1);
        clinic.with_confirmation(false);
        let b = clinic.moved_elsewhere(&a, noon).await;
        clinic.until(noon);
        clinic.marked_elsewhere(&b, true).await;
        clinic.later(40);
        let mut told = clinic.told(before);
        told.push(flat(&clinic.booking(&b)));
        let order = tellings(told.len()).new_tree(&mut runner).unwrap().current();
        for n in &order {
            clinic.tells(&told[*n]).await.expect_status(200);
        }
        assert_eq!(known(&clinic, &since), format!("no_show|{b}"), "told as {order:?}, made here: {here}");
        if let Some(id) = id {
            assert_eq!(clinic.sql(&format!("SELECT id FROM appointment WHERE external_uid = '{b}'")), id);
        }
    }
}
