//! What listing times costs us, measured and printed (`cargo test agenda_speed -- --nocapture`): no test fails of a busy
//! machine. Seen on two shared cores in a debug build: a tenth of what a customer would notice.

use std::time::{Duration, Instant};

use secretaria::domain::agenda::flow::{Event, Saying, State};
use secretaria::domain::audit::ActorType;
use secretaria::services::agenda::Customer;
use secretaria::services::agenda::talk::Talker;
use secretaria::services::audit::Actor;
use uuid::Uuid;

use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn options_are_listed_among_a_thousand_appointments() {
    let world = World::builder().workers(0).start().await;
    world.configure(&world.clinic, &[("calendar.kind", "local"), ("hours.opening", "seg-sex 8h-18h")]).await;
    world.sql(&world.clinic,
        "INSERT INTO catalog (id, kind, name, duration_min, capacity, data, created_at, updated_at) VALUES
           (gen_random_uuid(), 'service', 'Limpeza', 30, 1, '{}', now(), now()),
           (gen_random_uuid(), 'service', 'Clareamento', 60, 1, '{}', now(), now());
         INSERT INTO catalog (id, kind, name, duration_min, capacity, data, created_at, updated_at)
           SELECT gen_random_uuid(), 'professional', 'Dra. ' || n, NULL, 1, '{}', now(), now() FROM unnest(ARRAY['Lia', 'Bia', 'Clara', 'Julia', 'Sofia']) n;
         INSERT INTO appointment (id, service, resource, seat, starts_at, ends_at, busy_from, busy_to, state, source, created_at, updated_at)
           SELECT gen_random_uuid(), 'Limpeza', 'professional/' || id, 0, at, at + interval '30 minutes', at, at + interval '30 minutes',
                  'confirmed', 'api', now(), now()
           FROM catalog, generate_series(date_trunc('day', now()) + interval '12 hours', now() + interval '30 days', interval '210 minutes') at
           WHERE kind = 'professional'");
    let tenant = world.tenant(&world.clinic);
    let actor = Actor { name: "assistant".to_owned(), kind: ActorType::System, correlation_id: String::new() };
    let services = &world.process.services;
    let mut times = Vec::new();
    for _ in 0..60 {
        let begun = Instant::now();
        let customer = Customer { name: "Ana".to_owned(), ..Customer::default() };
        let talker = Talker::new(services, &tenant, actor.clone(), customer, Uuid::now_v7()).await.unwrap();
        let state = State::default();
        let talked =
            talker.talk(&state, Event::said("quero marcar clareamento com a Dra. Clara", &state)).await.unwrap();
        times.push(begun.elapsed());
        let Some(Saying::Options { options, .. }) = talked.sayings.first() else { panic!("{:?}", talked.sayings) };
        assert_eq!(options.len(), 5);
    }
    times.sort_unstable();
    let at =
        |share: usize| times.get(times.len() * share / 100).copied().unwrap_or(Duration::ZERO).as_secs_f64() * 1000.0;
    println!(
        "a list of options among {} appointments: p50 {:.1} ms, p95 {:.1} ms",
        world.sql(&world.clinic, "SELECT count(*) FROM appointment"),
        at(50),
        at(95)
    );
    world.end().await;
}
