//! The real binary as child processes, started, killed, frozen and thawed.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};

use rustix::process::{Pid, Signal, kill_process};

/// What a child does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// `serve` on an address.
    Serve(SocketAddr),
    /// `work --all`.
    Work,
    /// `work --company`.
    WorkFor(i64),
}

struct Slot {
    job: Job,
    /// Settings of this child alone.
    more: BTreeMap<String, String>,
    process: Option<Child>,
    starts: u32,
}

/// All children of an arena, by number.
pub struct Children {
    env: BTreeMap<String, String>,
    logs: PathBuf,
    slots: Mutex<Vec<Slot>>,
}

impl Children {
    pub fn new(env: BTreeMap<String, String>, logs: PathBuf) -> Self {
        std::fs::create_dir_all(&logs).unwrap();
        Self { env, logs, slots: Mutex::default() }
    }

    /// Adds a child and starts it; its number.
    pub fn add(&self, job: Job, more: BTreeMap<String, String>) -> usize {
        let number = {
            let mut slots = self.slots.lock().unwrap();
            slots.push(Slot { job, more, process: None, starts: 0 });
            slots.len() - 1
        };
        self.start(number);
        number
    }

    /// Starts a child that is not running.
    pub fn start(&self, number: usize) {
        let slot = &mut self.slots.lock().unwrap()[number];
        if slot.process.is_some() {
            return;
        }
        slot.starts += 1;
        let log = File::options().create(true).append(true).open(self.logs.join(format!("{number}.log"))).unwrap();
        // It ends with this program, however that ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_secretaria")]);
        match &slot.job {
            Job::Serve(address) => command.args(["serve", "--bind", &address.to_string()]),
            Job::Work => command.args(["work", "--all"]),
            Job::WorkFor(company) => command.args(["work", "--company", &company.to_string()]),
        };
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(&self.env)
            .envs(&slot.more)
            .stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        slot.process = Some(spawn(command));
    }

    /// `kill -9`, and waits for the end. Whether it was running.
    pub fn kill9(&self, number: usize) -> bool {
        let process = self.slots.lock().unwrap()[number].process.take();
        let Some(mut process) = process else { return false };
        // It may have ended by itself: a crash the judge will see.
        let _ = process.kill();
        process.wait().is_ok()
    }

    /// Freezes (`STOP`), thaws (`CONT`) or drains (`TERM`) it.
    pub fn signal(&self, number: usize, signal: Signal) {
        let pid = self.slots.lock().unwrap()[number].process.as_ref().map(Child::id);
        if let Some(pid) = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).unwrap())) {
            let _ = kill_process(pid, signal);
        }
    }

    /// The process id while it runs.
    pub fn pid(&self, number: usize) -> Option<u32> {
        self.slots.lock().unwrap()[number].process.as_ref().map(Child::id)
    }

    /// Children that ended though nobody killed them.
    pub fn ended_by_themselves(&self) -> Vec<String> {
        let mut slots = self.slots.lock().unwrap();
        let ended = slots.iter_mut().enumerate().filter_map(|(n, slot)| {
            let status = slot.process.as_mut()?.try_wait().ok()??;
            Some(format!("child {n} ({:?}) ended by itself: {status}", slot.job))
        });
        ended.collect()
    }

    pub fn kill_all(&self) {
        let count = self.slots.lock().unwrap().len();
        for number in 0..count {
            self.kill9(number);
        }
    }
}

type Request = (Command, Sender<Child>);

/// Starts a child on a thread that never ends: the death signal comes when the spawning *thread* ends.
fn spawn(command: Command) -> Child {
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, answer) in requests {
                answer.send(command.spawn().unwrap()).unwrap();
            }
        });
        sender
    });
    let (answer, child) = channel();
    spawner.send((command, answer)).unwrap();
    child.recv().unwrap()
}

impl Drop for Children {
    fn drop(&mut self) {
        self.kill_all();
    }
}
