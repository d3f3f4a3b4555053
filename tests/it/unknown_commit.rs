//! A connection that breaks during the deciding COMMIT: whatever became of it, there is one decision and one text.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use secretaria::cli::lifecycle::Shutdown;
use secretaria::cli::process::Process;
use secretaria::config::Settings;
use secretaria::routes::Role;
use secretaria::tenant::MasterKey;
use secretaria::workers::runner::{Runner, Scope};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::harness::World;

const ANA: &str = "5511987654321";

/// What happens to the COMMIT of the next decision; others, of the sweep, pass.
const NOTHING: u8 = 0;
const LOSE_THE_ANSWER: u8 = 1;
const LOSE_THE_QUESTION: u8 = 2;

/// Stands between a process and PostgreSQL.
fn proxy(dir: &Path, server: String) -> Arc<AtomicU8> {
    let trouble = Arc::new(AtomicU8::new(NOTHING));
    let listener = UnixListener::bind(dir.join(".s.PGSQL.5432")).unwrap();
    let shared = Arc::clone(&trouble);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, server.clone(), Arc::clone(&shared)));
        }
    });
    trouble
}

async fn forward(mut client: UnixStream, server: String, trouble: Arc<AtomicU8>) {
    let mut server = UnixStream::connect(server).await.unwrap();
    let (mut asked, mut told) = (vec![0; 65536], vec![0; 65536]);
    let mut deciding = false;
    loop {
        tokio::select! {
            n = client.read(&mut asked) => {
                let Ok(n @ 1..) = n else { return };
                let has = |word: &[u8]| asked[..n].windows(word.len()).any(|window| window == word);
                deciding |= has(b"INSERT INTO turn (");
                let what = if deciding && has(b"COMMIT") { trouble.swap(NOTHING, Ordering::SeqCst) } else { NOTHING };
                if what == LOSE_THE_QUESTION {
                    return;
                }
                server.write_all(&asked[..n]).await.unwrap();
                if what == LOSE_THE_ANSWER {
                    // Read to be sure that it happened, and then kept.
                    assert!(server.read(&mut told).await.unwrap() > 0);
                    return;
                }
            }
            n = server.read(&mut told) => {
                let Ok(n @ 1..) = n else { return };
                if client.write_all(&told[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The directory of the server's socket, as it stands in the URL.
fn socket_of(world: &World) -> &str {
    world.db.url.split_once('@').unwrap().1.split_once('/').unwrap().0
}

/// A process of the world whose PostgreSQL connections pass through the proxy.
async fn behind_proxy(world: &World, dir: &Path) -> Process {
    let through = world.db.url.replace(socket_of(world), &dir.display().to_string().replace('/', "%2F"));
    let settings = Settings::load(&world.sources.clone().with("database.url", through)).unwrap().0;
    let key = Arc::new(MasterKey::from_hex(&"ab".repeat(32), "the test").unwrap());
    Process::with(settings, key, Role::Work, Shutdown::new(), world.clock.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_unknown_outcome_is_looked_up() {
    for (trouble, thoughts) in [(LOSE_THE_ANSWER, 1), (LOSE_THE_QUESTION, 2)] {
        let world = World::builder().workers(0).start().await;
        let dir = tempfile::tempdir().unwrap();
        let next_commit = proxy(dir.path(), format!("{}/.s.PGSQL.5432", socket_of(&world).replace("%2F", "/")));
        let process = behind_proxy(&world, dir.path()).await;
        let runner = Runner::new(process.services.clone(), Scope::All, "behind-proxy".to_owned());
        let working = tokio::spawn(runner.run(process.shutdown.drain_token()));
        next_commit.store(trouble, Ordering::SeqCst);
        world.customer(&world.clinic, ANA).says("eco: um").await.expect_status(202);
        world.until_sql(&world.clinic, "SELECT state FROM delivery", "sent").await;
        world.quiet().await;
        assert_eq!(next_commit.load(Ordering::SeqCst), NOTHING, "the trouble came");
        assert_eq!(world.sql(&world.clinic, "SELECT count(*) FROM turn"), "1");
        assert_eq!(world.sql(&world.clinic, "SELECT attempts, resends FROM delivery"), "1|0");
        assert_eq!((world.texts_to(ANA).len(), world.model_calls().len()), (1, thoughts));
        process.shutdown.begin();
        working.await.unwrap();
        process.shutdown.stop();
        world.end().await;
    }
}
