//! The power cut.
//!
//! What is simulated: a power cut takes from the logs of Redis and PostgreSQL what no successful `fdatasync` or `fsync`
//! covered. A shim in front of these calls and of PostgreSQL's writes (`flushed.c`, preloaded into both) writes down how
//! far each log is on disk. The cut is `kill -9` of both at the same moment; Redis' log is cut back to a random length
//! between the flushed and the written one, PostgreSQL's write-ahead log, whose files have a fixed size, is zeroed from
//! such a point on; then both start on what is left.
//!
//! What is not simulated: disks that lie about flushes, torn sectors in front of the flushed length, lost directory
//! entries. PostgreSQL's data pages stay as they were written: a disk may keep them, as their log was flushed before.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use secretaria::cli::demo::process::find_program;

use super::{Outcome, Size, judged};
use crate::engine::Dice;
use crate::engine::arena::{Arena, Plan, passable};
use crate::engine::load::{ClientLedger, Shape, speak};
use crate::engine::resp::Resp;
use crate::engine::wal::{Taken, WalRecord};

const SHIM: &str = include_str!("../flushed.c");

/// Cuts under load.
pub async fn cut(size: Size, seed: u64) -> Outcome {
    let cuts = size.pick(2, 50);
    let mut home = tempfile::Builder::new().prefix("secretaria-power-").tempdir().unwrap();
    passable(home.path());
    let shim = match build_shim(home.path()) {
        Ok(shim) => shim,
        Err(why) => return Outcome { skipped: Some(why), ..Outcome::default() },
    };
    let wal = match WalRecord::new(&home.path().join("wal"), shim.clone()) {
        Ok(wal) => wal,
        Err(why) => return Outcome { skipped: Some(why), ..Outcome::default() },
    };
    let mut redis = Flushed::new(home.path(), shim);
    redis.start().await;
    let url = format!("redis+unix://{}", redis.socket.display());
    let plan = Plan { postgres_env: wal.env(), ..Plan::new(seed).set("redis.url", url) };
    let arena = Arena::start_with_redis(plan, redis.socket.clone()).await;
    let ledger = Arc::new(ClientLedger::default());
    let shape = Shape { burst: (1, 3), pause_ms: (10, 60), ..Shape::new(60, 100_000) };
    let load = {
        let (arena, ledger) = (Arc::clone(&arena), Arc::clone(&ledger));
        tokio::spawn(async move { speak(&arena, &ledger, shape).await })
    };
    let mut dice = Dice::new(seed, 0);
    let (mut taken, mut log, mut failed) = (0, Taken::default(), Vec::new());
    for _ in 0..cuts {
        tokio::time::sleep(Duration::from_millis(dice.between(300, 900))).await;
        let (wal, data, mut chance) = (wal.clone(), arena.dir.join("pg"), Dice::new(dice.roll(), 1));
        let postgres = arena.postgres_blocking(move |postgres| wal.cut(postgres, &data, &mut chance));
        // PostgreSQL first: its cut runs on a thread of its own, Redis' would hold this one.
        let (log_cut, cut) = tokio::join!(postgres, async { redis.cut(&mut dice) });
        match cut {
            Ok(bytes) => taken += bytes,
            Err(why) => failed.push(why),
        }
        match log_cut {
            Ok(more) => {
                log = Taken { unflushed: log.unflushed + more.unflushed, taken: log.taken + more.taken };
            }
            Err(why) => failed.push(why),
        }
        redis.start().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    ledger.stop();
    load.await.unwrap();
    let mut verdict = judged(&arena, &ledger).await;
    verdict.violations.extend(failed);
    arena.children.kill_all();
    if !verdict.violations.is_empty() {
        home.disable_cleanup(true);
        verdict.blame(format!("Redis' data: {}", home.path().display()));
    }
    Outcome::new(format!("{cuts} cuts / {} messages", ledger.count()), verdict)
        .note(format!("{taken} bytes of Redis' log that were written but not flushed were taken away"))
        .note(format!("{} of {} such bytes of PostgreSQL's write-ahead log", log.taken, log.unflushed))
}

fn build_shim(home: &Path) -> Result<PathBuf, String> {
    let cc = find_program("cc").ok_or("no C compiler")?;
    let (source, shim) = (home.join("flushed.c"), home.join("flushed.so"));
    std::fs::write(&source, SHIM).map_err(|error| error.to_string())?;
    let built = Command::new(cc).args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(&source).arg("-ldl").output();
    match built {
        Ok(output) if output.status.success() => Ok(shim),
        Ok(output) => Err(format!("the shim does not build: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("no C compiler: {error}")),
    }
}

/// A Redis whose flushes are written down.
struct Flushed {
    dir: PathBuf,
    socket: PathBuf,
    shim: PathBuf,
    process: Option<Child>,
}

impl Flushed {
    fn new(home: &Path, shim: PathBuf) -> Self {
        let dir = home.join("redis");
        std::fs::create_dir(&dir).unwrap();
        Self { socket: home.join("redis.sock"), dir, shim, process: None }
    }

    fn log(&self) -> PathBuf {
        self.dir.with_extension("flushed")
    }

    async fn start(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        let _ = std::fs::remove_file(self.log());
        let mut command = Command::new(find_program("redis-server").unwrap());
        command.args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        // A rewrite would move data into a new file in the middle of the run; the cut is about the log that grows.
        command.args(["--auto-aof-rewrite-percentage", "0", "--maxmemory-policy", "noeviction", "--unixsocket"]);
        command.arg(&self.socket).arg("--dir").arg(&self.dir);
        command.env("LD_PRELOAD", &self.shim).env("FLUSHED_LOG", self.log());
        let out = std::fs::File::options().create(true).append(true).open(self.dir.with_extension("log")).unwrap();
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out);
        self.process = Some(command.spawn().unwrap());
        for _ in 0..1000 {
            if let Ok(mut redis) = Resp::connect(&self.socket).await
                && redis.ask(&["PING"]).await.is_ok_and(|pong| pong.text() == "PONG")
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Redis does not start on its log; see {}", self.dir.with_extension("log").display());
    }

    /// Kills Redis and takes away what was not flushed, or a part of it. Returns how many bytes that were.
    fn cut(&mut self, dice: &mut Dice) -> Result<u64, String> {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        let log = std::fs::read_to_string(self.log()).map_err(|_| "no flush was ever seen".to_owned())?;
        let incr = |line: &&str| line.ends_with(".incr.aof");
        let last = log.lines().rev().find(incr).ok_or("no flush of the log was ever seen")?;
        let (length, path) = last.split_once(' ').unwrap();
        let flushed: u64 = length.parse().unwrap();
        let file = std::fs::File::options().write(true).open(path).map_err(|error| error.to_string())?;
        let written = file.metadata().map_err(|error| error.to_string())?.len();
        let kept = if dice.percent(50) { flushed } else { dice.between(flushed, written.max(flushed)) };
        file.set_len(kept.min(written)).map_err(|error| error.to_string())?;
        Ok(written.saturating_sub(kept))
    }
}

impl Drop for Flushed {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
