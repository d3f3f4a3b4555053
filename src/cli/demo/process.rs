//! Child processes of private servers: found, started with dropped privileges, watched, ended.
//!
//! Hazards this file knows:
//! - `setpriv --pdeathsig` ends a child when the *thread* that spawned it ends, so all spawning happens on one thread
//!   that lives as long as the process.
//! - PostgreSQL refuses to run as root, so as root children run as `postgres`, or `nobody` where that user is missing.
//! - An ended child whose parent has died may stay a zombie where process 1 does not reap: "alive" for `kill(0)`.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, getuid, kill_process};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// Waits between two looks at something that takes milliseconds.
#[expect(clippy::disallowed_methods, reason = "everything here runs on blocking threads, never on a runtime's")]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

/// The user private servers run as.
#[derive(Clone, Debug)]
pub struct ServiceUser {
    name: String,
    uid: u32,
    gid: u32,
    /// Whether this process is root and children must change to the user.
    switch: bool,
}

impl ServiceUser {
    /// `postgres`, else `nobody`, when this process is root; else this process' own user.
    pub fn find() -> Result<Self, String> {
        let own = getuid();
        if !own.is_root() {
            let gid = rustix::process::getgid().as_raw();
            return Ok(Self { name: String::new(), uid: own.as_raw(), gid, switch: false });
        }
        let users = std::fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Self::parse(users.lines().find(|line| line.split(':').next() == Some(name))?))
            .ok_or_else(|| "neither a user postgres nor nobody exists; PostgreSQL refuses to run as root".to_owned())
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Self { name, uid, gid, switch: true })
    }

    /// Makes `path` a directory of this user, mode 0700.
    pub fn own_dir(&self, path: &Path) -> Result<(), String> {
        let fail = |error: io::Error| format!("{}: {error}", path.display());
        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fail(error)),
            _ => {}
        }
        let meta = std::fs::symlink_metadata(path).map_err(fail)?;
        // In a shared place like /tmp somebody else might have put something here first.
        if !meta.is_dir() || (meta.uid() != self.uid && meta.uid() != getuid().as_raw()) {
            return Err(format!("{} exists and belongs to somebody else; remove it", path.display()));
        }
        if self.switch {
            std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid)).map_err(fail)?;
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(fail)
    }

    /// Whether this user may pass through every directory above `path`.
    pub fn can_reach(&self, path: &Path) -> bool {
        let passes = |dir: &Path| {
            // What does not exist yet will be made passable.
            std::fs::metadata(dir).map_or(true, |meta| {
                let bit = match (meta.uid() == self.uid, meta.gid() == self.gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                meta.mode() & bit != 0
            })
        };
        !self.switch || path.ancestors().skip(1).all(passes)
    }

    /// A command that runs `program` as this user and ends with this process: `signal` is `INT` or `TERM`.
    fn command(&self, program: &Path, args: &[OsString], signal: &str) -> Result<Command, String> {
        let setpriv = find_program("setpriv").ok_or("setpriv is missing: apt-get install -y util-linux")?;
        let mut command = Command::new(setpriv);
        if self.switch {
            command.args(["--reuid", &self.name, "--regid", &self.gid.to_string(), "--init-groups"]);
        }
        command.args(["--pdeathsig", signal, "--"]).arg(program).args(args);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8").current_dir("/");
        Ok(command)
    }
}

/// A program of this name in `PATH`.
#[expect(clippy::disallowed_methods, reason = "PATH is the machine's, no setting of ours")]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|candidate| candidate.is_file())
}

/// What to start.
pub struct Launch<'a> {
    /// As whom.
    pub user: &'a ServiceUser,
    /// The program. Never a resolved link: `redis-server` is one, and its name decides what it does.
    pub program: &'a Path,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its environment besides `PATH` and `LC_ALL`.
    pub env: &'a [(String, String)],
    /// The signal it gets when this process dies: `INT` or `TERM`.
    pub death_signal: &'static str,
    /// Where its stdout and stderr go.
    pub log: &'a Path,
}

/// A running child.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts a child on the thread that never ends.
    pub fn start(launch: &Launch<'_>) -> Result<Self, String> {
        let log = File::options().create(true).append(true).open(launch.log);
        let log = log.map_err(|error| format!("{}: {error}", launch.log.display()))?;
        let mut command = launch.user.command(launch.program, &launch.args, launch.death_signal)?;
        command.envs(launch.env.iter().map(|(name, value)| (name, value)));
        let second = log.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(log).stderr(second);
        // Its own process group: a Ctrl-C at the terminal reaches this process only, which then stops in order.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = spawn(command).map_err(|error| format!("{} cannot start: {error}", launch.program.display()))?;
        Ok(Self { child })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks with `signal`, waits up to `patience`, then kills. It is reaped in the end.
    pub fn end(&mut self, signal: Signal, patience: Duration) {
        if self.has_ended() {
            return;
        }
        self.signal(signal);
        let deadline = Instant::now() + patience;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                self.signal(Signal::KILL);
                let _ = self.child.wait();
                return;
            }
            pause();
        }
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        self.end(Signal::KILL, Duration::from_secs(10));
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended meanwhile; waiting finds out.
            let _ = kill_process(pid, signal);
        }
    }
}

#[expect(clippy::disallowed_types, reason = "the spawning thread is its own, no runtime's")]
type Requests = std::sync::mpsc::Receiver<Request>;
type Request = (Command, Sender<io::Result<Child>>);

fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests): (Sender<Request>, Requests) = channel();
        std::thread::spawn(move || {
            for (mut command, answer) in requests {
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    let gone = || io::Error::other("the spawning thread is gone");
    let (answer, result) = channel();
    spawner.send((command, answer)).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

/// Runs a program to its end as `user`; its output on failure.
pub fn run_to_end(user: &ServiceUser, program: &Path, args: Vec<OsString>) -> Result<(), String> {
    let mut command = user.command(program, &args, "KILL")?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let fail = |error: io::Error| format!("{} cannot start: {error}", program.display());
    let output = spawn(command).and_then(Child::wait_with_output).map_err(fail)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{} failed: {}", program.display(), String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// Waits while a predecessor, named by its pid file, still runs in `dir`; then its pid file is gone.
///
/// A predecessor whose parent was killed is told so by the kernel and takes a moment to end. A zombie or a stranger
/// with the same number is no predecessor.
pub fn await_predecessor(pid_file: &Path, dir: &Path) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Ok(text) = std::fs::read_to_string(pid_file) {
        let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
        let Some(pid) = pid.filter(|pid| runs_in(*pid, dir)) else {
            let _ = std::fs::remove_file(pid_file);
            return Ok(());
        };
        if Instant::now() >= deadline {
            return Err(format!("process {pid} still runs on {}; end it with: kill {pid}", dir.display()));
        }
        pause();
    }
    Ok(())
}

/// Whether a process of this id runs (zombies do not) with `dir` as its current directory.
pub fn runs_in(pid: u32, dir: &Path) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    let there = std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == dir);
    there && !matches!(state, None | Some('Z' | 'X'))
}

/// A short place for sockets (their paths may have 107 bytes): always the same one for the same data directory.
pub fn socket_dir(data_dir: &Path) -> PathBuf {
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    let short = digest.get(..6).map(hex::encode).unwrap_or_default();
    PathBuf::from(format!("/tmp/sv-{short}"))
}

/// The last lines of a log, for error messages.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n  ")
}
