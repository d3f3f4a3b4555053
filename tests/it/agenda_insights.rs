//! What a company's past says of the days to come.

use chrono::{TimeDelta, Timelike};
use secretaria::services::agenda::insights::{daily, weights};
use secretaria::tenant::Tenant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::agenda::Front;

/// Sixteen weeks in which Mondays at 9 are missed half the time and Mondays at 15 never; everybody books a week before.
fn a_past(front: &Front) {
    let monday = front.monday(0);
    let mut sql = String::new();
    for week in 2..18 {
        for (hour, misses) in [(9, 2), (15, 0)] {
            for seat in 0..3 {
                let starts = monday - TimeDelta::weeks(week) + TimeDelta::hours(hour);
                let state = if misses > 0 && (week + seat) % 2 == 0 { "no_show" } else { "attended" };
                let (starts, ends) = (starts.to_rfc3339(), (starts + TimeDelta::minutes(30)).to_rfc3339());
                sql.push_str(&format!(
                    "INSERT INTO appointment (id, resource, starts_at, ends_at, busy_from, busy_to, state, source, created_at, updated_at)
                     VALUES ('{}', 'house', '{starts}', '{ends}', '{starts}', '{ends}', '{state}', 'chat',
                             '{starts}'::timestamptz - interval '7 days', '{ends}');",
                    Uuid::now_v7()
                ));
            }
        }
    }
    front.sql(&sql);
}

/// Somebody's appointment ahead.
fn ahead(front: &Front, person: Uuid, hours: i64, metadata: &Value) -> Uuid {
    let id = Uuid::now_v7();
    let starts = (front.now() + TimeDelta::hours(hours)).with_nanosecond(0).unwrap();
    front.sql(&format!(
        "INSERT INTO appointment (id, person_id, conversation_id, resource, starts_at, ends_at, busy_from, busy_to, state, source,
                                  metadata, created_at, updated_at)
         SELECT '{id}', '{person}', (SELECT id FROM conversation WHERE person_id = '{person}'), 'house', s, s + '30 min', s,
                s + '30 min', 'confirmed', 'chat', '{metadata}', s - interval '40 days', s - interval '40 days'
         FROM (SELECT '{}'::timestamptz AS s) t",
        starts.to_rfc3339()
    ));
    id
}

fn tenant(front: &Front) -> std::sync::Arc<Tenant> {
    front.world.tenant(&front.world.clinic)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_s_look_says_what_is_risky_and_which_hours_are_good() {
    let front = Front::local(&[]).await;
    a_past(&front);
    let person = front.person("Ana", "5511987654321");
    let id = ahead(&front, person, 30, &json!({}));
    let (services, tenant) = (&front.world.process.services, tenant(&front));
    assert!(weights(services, &tenant, front.now()).await.is_neutral(), "nothing is known before the first look");
    let found = daily(services, &tenant).await.unwrap();
    assert_eq!(found.upcoming, 1);
    daily(services, &tenant).await.unwrap();
    assert_eq!(front.sql("SELECT count(*) FROM scheduling_insights WHERE kind = 'daily'"), "1", "one a local day");

    let looks = front.world.metric(&front.world.clinic, "agenda_optimization_runs_total", "");
    assert!((looks - 2.0).abs() < f64::EPSILON, "both looks are counted: {looks}");
    let risk: f64 = front.sql(&format!("SELECT risk FROM appointment WHERE id = '{id}'")).parse().unwrap();
    assert!((0.05..0.8).contains(&risk), "a chance, not a verdict: {risk}");
    assert_eq!(
        front.sql(&format!("SELECT version FROM appointment WHERE id = '{id}'")),
        "1",
        "no change of the appointment"
    );
    let told = front.get("insights").await.expect_status(200).json();
    let told = &told["insights"][0];
    assert_eq!(told["outcomes"], 96);
    let cell = |hour: i64| {
        told["heat"]
            .as_array()
            .unwrap()
            .iter()
            .find(|cell| cell["weekday"] == 0 && cell["hour"] == hour)
            .cloned()
            .unwrap()
    };
    assert_eq!((&cell(9)["missed"], &cell(15)["missed"]), (&json!(24), &json!(0)));
    assert!(cell(15)["worth"].as_f64() > cell(9)["worth"].as_f64());
    assert!(told["recommendation"].as_str().unwrap().starts_with("Nos próximos 7 dias há 1 horário marcado"), "{told}");
    assert_eq!(told["best"][0]["worth"], cell(15)["worth"], "the hour to which all come is filled first");

    let weights = weights(services, &tenant, front.now()).await;
    assert!(weights.of(front.monday(15)) > weights.of(front.monday(9)), "and is offered first");
    assert!(weights.of(front.monday(15)) > weights.of(front.monday(15) + TimeDelta::weeks(1)), "the sooner the better");
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_rows_give_the_same_chances() {
    let front = Front::local(&[]).await;
    a_past(&front);
    let person = front.person("Ana", "5511987654321");
    ahead(&front, person, 30, &json!({}));
    let tenant = tenant(&front);
    let mut seen = Vec::new();
    for _ in 0..2 {
        front.sql("UPDATE appointment SET risk = NULL");
        daily(&front.world.process.services, &tenant).await.unwrap();
        seen.push(front.sql("SELECT risk FROM appointment WHERE risk IS NOT NULL"));
    }
    assert_eq!(seen[0], seen[1]);
    front.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_risky_appointments_are_asked_once_by_day_and_only_where_the_company_wants_it() {
    let front = Front::local(&[]).await;
    a_past(&front);
    let people: Vec<Uuid> = (0..4).map(|n| front.person(&format!("Pessoa {n}"), &format!("551198765432{n}"))).collect();
    let risky = ahead(&front, people[0], 30, &json!({}));
    ahead(&front, people[1], 31, &json!({ "presence_confirmed_at": front.now() }));
    ahead(&front, people[2], 24 * 9, &json!({}));
    ahead(&front, people[3], 32, &json!({}));
    front.sql(&format!("UPDATE person SET opted_out_at = now() WHERE id = '{}'", people[3]));

    let off = front.post("auto-reschedule", &json!({})).await.expect_status(409).json();
    assert_eq!(off["code"], "auto_reschedule_off");
    // Read as a chance, so that the test knows who is marked.
    let wishes =
        [("agenda.auto_reschedule", "true"), ("agenda.risk_reading", "chance"), ("agenda.risk_threshold", "0.05")];
    front.world.configure(&front.world.clinic, &wishes).await;

    let asked = front.post("auto-reschedule", &json!({})).await.expect_status(202).json();
    assert_eq!(
        asked,
        json!({ "asked": [risky], "quiet": false }),
        "not who confirmed, is far off or asked for silence"
    );
    assert_eq!(front.sql("SELECT count(*) FROM timer WHERE kind = 'auto_reschedule' AND state = 'due'"), "1");
    let again = front.post("auto-reschedule", &json!({})).await.expect_status(202).json();
    assert_eq!(again["asked"], json!([]), "once an appointment");
    front.sql("UPDATE appointment SET version = version + 1");
    assert_eq!(front.post("auto-reschedule", &json!({})).await.json()["asked"], json!([]), "also after it changed");

    let other = front.person("Outra", "5511987654399");
    front.wait_until(23);
    ahead(&front, other, 20, &json!({}));
    let quiet = front.post("auto-reschedule", &json!({})).await.expect_status(202).json();
    assert_eq!(quiet, json!({ "asked": [], "quiet": true }), "never in quiet hours");
    front.end().await;
}
