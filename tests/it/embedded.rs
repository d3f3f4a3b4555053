//! Private PostgreSQL and Redis: they start, keep data, refuse a second master and leave nothing behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use secretaria::cli::demo::embedded::{EmbeddedOptions, EmbeddedServers};
use secretaria::cli::demo::postgres::{find_bin, psql};
use secretaria::cli::demo::process::runs_in;
use secretaria::cli::demo::redis::{RedisOptions, RedisServer};

fn options(dir: &Path, durable: bool) -> EmbeddedOptions {
    EmbeddedOptions { data_dir: dir.to_owned(), socket_dir: None, durable, tests: !durable }
}

fn sql(url: &str, sql: &str) -> Result<String, String> {
    psql(&find_bin().unwrap().join("psql"), url, sql)
}

fn redis(socket: &Path, command: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut answer = [0; 512];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[expect(clippy::disallowed_methods, reason = "the look at another process has no event to wait for")]
/// Waits for something that another process does, up to ten seconds.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_servers_start_with_three_roles_and_a_second_start_finds_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let servers = EmbeddedServers::start(options(dir.path(), true)).await.unwrap();
    assert_eq!(sql(&servers.database_url, "SELECT current_user").unwrap(), "secretaria_app");
    assert_eq!(sql(&servers.database_url, "SHOW fsync").unwrap(), "on");
    let roles = "SELECT rolname, rolsuper, rolinherit, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname LIKE 'secretaria%' ORDER BY 1";
    assert_eq!(
        sql(&servers.bootstrap_url, roles).unwrap(),
        "secretaria_app|f|f|f|f\nsecretaria_migrator|f|t|f|t",
        "the application may not inherit, the migrator may make roles, neither is a superuser"
    );
    sql(
        &servers.admin_url,
        "CREATE SCHEMA kept; CREATE TABLE kept.kept (n int); CREATE ROLE company_1; CREATE EXTENSION btree_gist",
    )
    .unwrap();
    assert!(sql(&servers.database_url, "CREATE TABLE public.mine (n int)").is_err(), "the application owns nothing");
    assert!(sql(&servers.database_url, "CREATE TEMP TABLE mine (n int)").is_err());
    assert!(redis(&servers.redis.socket(), "SET kept yes").starts_with("+OK"));
    assert!(redis(&servers.redis.socket(), "CONFIG GET appendfsync").contains("always"));
    assert!(redis(&servers.redis.socket(), "CONFIG GET maxmemory-policy").contains("noeviction"));
    let refused = EmbeddedServers::start(options(dir.path(), true)).await.map(|_| ()).unwrap_err();
    assert!(refused.contains("another demo runs"), "{refused}");
    let pids = [servers.postgres.pid().unwrap(), servers.redis.pid().unwrap()];
    let sockets = servers.postgres.socket_dir().to_owned();
    servers.stop().await;
    for (pid, name) in pids.into_iter().zip(["pg", "redis"]) {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{name} is left behind");
    }
    assert!(!sockets.exists(), "the sockets are left behind");

    let again = EmbeddedServers::start(options(dir.path(), true)).await.unwrap();
    assert_eq!(sql(&again.admin_url, "SELECT count(*) FROM kept.kept").unwrap(), "0");
    assert!(redis(&again.redis.socket(), "GET kept").contains("yes"));
    again.stop().await;
}

#[test]
fn servers_killed_with_9_restart_on_their_data() {
    let dir = tempfile::tempdir().unwrap();
    let mut servers = EmbeddedServers::start_blocking(&options(dir.path(), true)).unwrap();
    sql(&servers.admin_url, "CREATE TABLE kept AS SELECT 1 AS n").unwrap();
    assert!(redis(&servers.redis.socket(), "SET kept yes").starts_with("+OK"));
    servers.postgres.kill9();
    servers.redis.kill9();
    assert!(sql(&servers.admin_url, "SELECT 1").is_err());
    servers.postgres.restart().unwrap();
    servers.redis.restart().unwrap();
    assert_eq!(sql(&servers.admin_url, "SELECT n FROM kept").unwrap(), "1");
    assert!(redis(&servers.redis.socket(), "GET kept").contains("yes"));
}

#[test]
fn servers_of_tests_are_careless_and_still_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut servers = EmbeddedServers::start_blocking(&options(dir.path(), false)).unwrap();
    assert_eq!(sql(&servers.database_url, "SHOW fsync").unwrap(), "off");
    sql(&servers.admin_url, "CREATE TABLE kept AS SELECT 1 AS n").unwrap();
    servers.postgres.restart().unwrap();
    assert_eq!(sql(&servers.admin_url, "SELECT n FROM kept").unwrap(), "1");
    // What an interrupted first start and a killed machine leave: a half-made cluster, a stranger's process number.
    drop(servers);
    std::fs::create_dir(dir.path().join("pg.new")).unwrap();
    std::fs::write(dir.path().join("pg/postmaster.pid"), format!("{}\n", std::process::id())).unwrap();
    let servers = EmbeddedServers::start_blocking(&options(dir.path(), false)).unwrap();
    assert_eq!(sql(&servers.admin_url, "SELECT n FROM kept").unwrap(), "1");
}

#[test]
fn one_redis_alone_is_cheap_and_ends_when_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("redis");
    open_to_all(dir.path());
    let options = RedisOptions { durable: false, ..RedisOptions::default() };
    let server = RedisServer::start(&data, options).unwrap();
    assert!(redis(&server.socket(), "PING").starts_with("+PONG"));
    assert!(redis(&server.socket(), "CONFIG GET appendonly").contains("no"));
    let (pid, socket) = (server.pid().unwrap(), server.socket());
    drop(server);
    assert!(!Path::new(&format!("/proc/{pid}")).exists() && !socket.exists());
}

fn open_to_all(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o711)).unwrap();
}

#[test]
fn servers_end_when_their_parent_is_killed_and_the_next_start_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["embedded::holds_servers_for_another_test", "--exact", "--ignored", "--nocapture"])
        .env("HOLD_SERVERS_IN", dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.into_iter().find_map(|line| Some(line.split_once("ready ")?.1.to_owned())).unwrap();
    let pids: Vec<u32> = ready.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    let real = dir.path().canonicalize().unwrap();
    let runs = |(pid, name): (&u32, &str)| runs_in(*pid, &real.join(name));
    assert!(pids.iter().zip(["pg", "redis"]).all(runs), "the servers do not run where they should");
    holder.kill().unwrap();
    holder.wait().unwrap();
    // At once, while the predecessors may still be ending.
    let servers = EmbeddedServers::start_blocking(&options(dir.path(), true)).unwrap();
    assert_eq!(sql(&servers.database_url, "SELECT 1").unwrap(), "1");
    eventually("the end of the orphans", || !pids.iter().zip(["pg", "redis"]).any(runs));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the parent test says by it where to hold servers")]
#[ignore = "the other half of servers_end_when_their_parent_is_killed_and_the_next_start_works"]
fn holds_servers_for_another_test() {
    let Some(dir) = std::env::var_os("HOLD_SERVERS_IN").map(PathBuf::from) else { return };
    let servers = EmbeddedServers::start_blocking(&options(&dir, true)).unwrap();
    writeln!(std::io::stdout(), "ready {} {}", servers.postgres.pid().unwrap(), servers.redis.pid().unwrap()).unwrap();
    let _ = std::io::stdin().read_to_string(&mut String::new());
}
