//! A private PostgreSQL on a Unix socket, with the three roles the product wants: bootstrap, migrator, application.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use super::process::{
    Launch, Server, ServiceUser, await_predecessor, find_program, pause, run_to_end, socket_dir, tail,
};

/// How a private PostgreSQL runs.
#[derive(Clone, Debug, Default)]
pub struct PostgresOptions {
    /// Faster and careless: nothing survives a power cut, no background vacuum. For tests.
    pub tests: bool,
    /// Where the socket is; by default a short path made from the data directory.
    pub socket_dir: Option<PathBuf>,
    /// Environment of the server besides `PATH` and `LC_ALL`: names and values. For tests that look into it.
    pub env: Vec<(String, String)>,
}

/// A running private PostgreSQL; it ends when dropped. All methods block.
pub struct PostgresServer {
    user: ServiceUser,
    bin: PathBuf,
    dir: PathBuf,
    socket_dir: PathBuf,
    options: PostgresOptions,
    server: Option<Server>,
}

/// Roles and database; every statement may run again.
const SETUP: &str = r"
SELECT 'CREATE ROLE secretaria_migrator' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'secretaria_migrator') \gexec
SELECT 'CREATE ROLE secretaria_app' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'secretaria_app') \gexec
ALTER ROLE secretaria_migrator LOGIN CREATEROLE NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS;
ALTER ROLE secretaria_app LOGIN NOINHERIT NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS;
SELECT 'CREATE DATABASE secretaria OWNER secretaria_migrator' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'secretaria') \gexec
REVOKE ALL ON DATABASE secretaria FROM PUBLIC;
GRANT CONNECT ON DATABASE secretaria TO secretaria_app;
";

impl PostgresServer {
    /// Makes the cluster in `dir` once, starts it, makes roles and database once.
    pub fn start(dir: &Path, options: PostgresOptions) -> Result<Self, String> {
        let bin = find_bin()
            .ok_or("PostgreSQL is missing: apt-get install -y --no-install-recommends postgresql postgresql-client")?;
        let user = ServiceUser::find()?;
        let socket_dir = options.socket_dir.clone().unwrap_or_else(|| socket_dir(dir));
        user.own_dir(&socket_dir)?;
        let mut postgres = Self { user, bin, dir: dir.to_owned(), socket_dir, options, server: None };
        postgres.init()?;
        // PostgreSQL itself would take a zombie or a stranger with the same number for a living predecessor.
        await_predecessor(&postgres.dir.join("postmaster.pid"), dir)?;
        postgres.launch()?;
        postgres.psql("postgres", SETUP)?;
        Ok(postgres)
    }

    /// URL of a role and a database on this server; roles need no password, the socket's directory is the guard.
    pub fn url(&self, role: &str, database: &str) -> String {
        let host = self.socket_dir.display().to_string().replace('/', "%2F");
        format!("postgres://{role}@{host}/{database}")
    }

    /// The directory of the socket, `host` in connection words.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// Runs SQL (and psql's own commands) as the superuser; what it prints, unaligned.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        psql(&self.bin.join("psql"), &self.url("bootstrap", database), sql)
    }

    /// Ends it in order: sessions are cut, data is written.
    pub fn stop(&mut self) {
        self.end(Signal::INT);
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut server) = self.server.take() {
            server.end(signal, Duration::from_secs(20));
        }
    }

    /// `kill -9` of the main process; its sessions end by themselves.
    pub fn kill9(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill();
        }
    }

    /// Starts it again on the same data, after stopping it if it runs.
    pub fn restart(&mut self) -> Result<(), String> {
        self.stop();
        self.launch()
    }

    fn init(&self) -> Result<(), String> {
        if self.dir.join("PG_VERSION").is_file() {
            return self.user.own_dir(&self.dir);
        }
        // Made beside and then renamed, so that an interrupted first start leaves nothing half done.
        let fresh = self.dir.with_extension("new");
        let fail = |error: std::io::Error| format!("{}: {error}", fresh.display());
        if fresh.exists() {
            std::fs::remove_dir_all(&fresh).map_err(fail)?;
        }
        self.user.own_dir(&fresh)?;
        let mut args: Vec<OsString> = vec!["-D".into(), fresh.clone().into(), "-U".into(), "bootstrap".into()];
        args.extend(["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"].map(OsString::from));
        if self.options.tests {
            args.push("--no-sync".into());
        }
        run_to_end(&self.user, &self.bin.join("initdb"), args)?;
        std::fs::rename(&fresh, &self.dir).map_err(fail)
    }

    fn launch(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.launch_once(deadline) {
                Ok(server) => {
                    self.server = Some(server);
                    return Ok(());
                }
                // Sessions of a killed predecessor hold its memory for a moment.
                Err(error) if error.contains("still in use") && Instant::now() < deadline => {
                    pause();
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn launch_once(&self, deadline: Instant) -> Result<Server, String> {
        let log = self.dir.with_extension("log");
        for name in [".s.PGSQL.5432", ".s.PGSQL.5432.lock"] {
            let _ = std::fs::remove_file(self.socket_dir.join(name));
        }
        let program = self.bin.join("postgres");
        let args = self.arguments();
        let launch = Launch {
            user: &self.user,
            program: &program,
            args,
            env: &self.options.env,
            death_signal: "INT",
            log: &log,
        };
        let mut server = Server::start(&launch)?;
        loop {
            let listens = UnixStream::connect(self.socket_dir.join(".s.PGSQL.5432")).is_ok();
            if listens && self.psql("postgres", "SELECT 1").is_ok() {
                return Ok(server);
            }
            if server.has_ended() || Instant::now() >= deadline {
                server.kill();
                let (log, end) = (log.display(), tail(&log));
                return Err(format!("the private PostgreSQL does not start; its log {log} ends:\n  {end}"));
            }
            pause();
        }
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut sockets = OsString::from("unix_socket_directories=");
        sockets.push(&self.socket_dir);
        let mut args: Vec<OsString> = vec!["-D".into(), self.dir.clone().into(), "-c".into(), sockets];
        let mut set = vec!["listen_addresses=", "max_connections=300", "max_locks_per_transaction=256"];
        if self.options.tests {
            set.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"]);
            set.extend(["wal_level=minimal", "max_wal_senders=0"]);
        }
        args.extend(set.into_iter().flat_map(|setting| [OsString::from("-c"), setting.into()]));
        args
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // Nobody looks at the data of tests again: no checkpoint.
        self.end(if self.options.tests { Signal::QUIT } else { Signal::INT });
        // Only when empty: Redis' socket may live there as well.
        let _ = std::fs::remove_dir(&self.socket_dir);
    }
}

/// Runs SQL through psql against `url`; what it prints, unaligned.
pub fn psql(program: &Path, url: &str, sql: &str) -> Result<String, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", program.display());
    let mut child = Command::new(program)
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-", url])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    if let Some(mut stdin) = child.stdin.take() {
        // psql may refuse before it reads; its exit code tells why.
        let _ = stdin.write_all(sql.as_bytes());
    }
    let output = child.wait_with_output().map_err(fail)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// The directory with `postgres`, `initdb` and `psql`: the newest of Debian's, else the one in `PATH`.
pub fn find_bin() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| ["postgres", "initdb", "psql"].iter().all(|name| dir.join(name).is_file());
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |dir: &Path| dir.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok());
    let mut found: Vec<(u32, PathBuf)> = versions
        .map(|entry| entry.path())
        .filter_map(|dir| Some((version(&dir)?, dir.join("bin"))))
        .filter(|(_, bin)| complete(bin))
        .collect();
    found.sort();
    let in_path = || find_program("initdb")?.parent().map(Path::to_owned).filter(complete);
    found.pop().map(|(_, bin)| bin).or_else(in_path)
}
