//! A private Redis on a Unix socket.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use super::process::{Launch, Server, ServiceUser, await_predecessor, find_program, pause, socket_dir, tail};

/// How a private Redis runs.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// `appendonly yes` and `appendfsync always`; else nothing is written to disk.
    pub durable: bool,
    /// `maxmemory`, MiB; the policy is `noeviction`.
    pub maxmemory_mb: u32,
    /// Where the socket is; by default a short path made from the data directory.
    pub socket_dir: Option<PathBuf>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self { durable: true, maxmemory_mb: 256, socket_dir: None }
    }
}

/// A running private Redis; it ends when dropped. All methods block for some milliseconds.
pub struct RedisServer {
    user: ServiceUser,
    program: PathBuf,
    dir: PathBuf,
    socket_dir: PathBuf,
    options: RedisOptions,
    server: Option<Server>,
}

impl RedisServer {
    /// Starts one with its data in `dir` and waits until it answers.
    pub fn start(dir: &Path, options: RedisOptions) -> Result<Self, String> {
        let program = find_program("redis-server")
            .ok_or("redis-server is missing: apt-get install -y --no-install-recommends redis-server")?;
        let user = ServiceUser::find()?;
        user.own_dir(dir)?;
        await_predecessor(&dir.join("redis.pid"), dir)?;
        let socket_dir = options.socket_dir.clone().unwrap_or_else(|| socket_dir(dir));
        user.own_dir(&socket_dir)?;
        let mut redis = Self { user, program, dir: dir.to_owned(), socket_dir, options, server: None };
        redis.launch()?;
        Ok(redis)
    }

    /// `redis+unix:///…`.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// The path of the socket.
    pub fn socket(&self) -> PathBuf {
        self.socket_dir.join("redis.sock")
    }

    /// The process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// Ends it in order: everything acknowledged is on disk if it is durable.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let signal = if self.options.durable { Signal::TERM } else { Signal::KILL };
            server.end(signal, Duration::from_secs(10));
        }
        let _ = std::fs::remove_file(self.socket());
    }

    /// `kill -9`.
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

    fn launch(&mut self) -> Result<(), String> {
        let log = self.dir.with_extension("log");
        let _ = std::fs::remove_file(self.socket());
        let args = self.arguments();
        let launch =
            Launch { user: &self.user, program: &self.program, args, env: &[], death_signal: "TERM", log: &log };
        let mut server = Server::start(&launch)?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while !answers(&self.socket()) {
            if server.has_ended() || Instant::now() >= deadline {
                server.kill();
                return Err(format!(
                    "the private Redis does not start; its log {} ends:\n  {}",
                    log.display(),
                    tail(&log)
                ));
            }
            pause();
        }
        self.server = Some(server);
        Ok(())
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = ["--port", "0", "--daemonize", "no", "--save", ""].map(OsString::from).into();
        let durable = if self.options.durable { "yes" } else { "no" };
        args.extend(["--appendonly", durable, "--appendfsync", "always"].map(OsString::from));
        args.extend(["--maxmemory-policy", "noeviction", "--maxmemory"].map(OsString::from));
        args.push(format!("{}mb", self.options.maxmemory_mb).into());
        args.extend(["--unixsocketperm".into(), "700".into(), "--unixsocket".into(), self.socket().into()]);
        args.extend(["--dir".into(), self.dir.clone().into()]);
        args.extend(["--pidfile".into(), self.dir.join("redis.pid").into()]);
        args
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
        // Only when empty: PostgreSQL's socket may live there as well.
        let _ = std::fs::remove_dir(&self.socket_dir);
    }
}

/// Whether Redis has loaded its data and answers.
fn answers(socket: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let mut answer = [0; 5];
    stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut answer)).is_ok() && &answer == b"+PONG"
}
