//! What a power cut takes from PostgreSQL: the end of its write-ahead log that no flush had covered.
//!
//! The shim `flushed.c` in front of its writes and flushes keeps a record, one line each: `W END PATH` after a write,
//! `B PID PATH` before a flush, `F PID PATH` after one that succeeded. PostgreSQL writes and flushes its log under one
//! lock, so the order of the lines is the order of the deeds. Data pages need no shim: PostgreSQL flushes the log up to
//! a page's last change before it writes the page, so keeping all of them is one of the things a disk may do.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use secretaria::cli::demo::postgres::PostgresServer;
use secretaria::cli::demo::process::{ServiceUser, runs_in};
use tokio::time::Instant;

use super::Dice;

/// How much longer a flush takes, µs: the log is written but not flushed for a good share of the time, as on a slow disk.
const FLUSH_US: u32 = 4_000;

/// The record of one PostgreSQL, and the environment that makes it keep one.
#[derive(Clone, Debug)]
pub struct WalRecord {
    log: PathBuf,
    shim: PathBuf,
}

/// What one cut did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// Bytes that were written and not flushed.
    pub unflushed: u64,
    /// How many of them were taken away.
    pub taken: u64,
}

impl WalRecord {
    /// In a new directory `dir`, which the servers' user can reach and gets as its own.
    pub fn new(dir: &Path, shim: PathBuf) -> Result<Self, String> {
        ServiceUser::find()?.own_dir(dir)?;
        Ok(Self { log: dir.join("record"), shim })
    }

    /// For the server's start.
    pub fn env(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let words = [
            ("LD_PRELOAD", text(&self.shim)),
            ("FLUSHED_LOG", text(&self.log)),
            ("FLUSHED_WAIT_US", FLUSH_US.to_string()),
        ];
        words.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The power goes, takes what it may, and comes back. Blocks. The error says why this was no power cut.
    pub fn cut(&self, postgres: &mut PostgresServer, data: &Path, dice: &mut Dice) -> Result<Taken, String> {
        let cut = kill_all(postgres, data).and_then(|()| {
            let record = std::fs::read_to_string(&self.log).unwrap_or_default();
            let segments = segments(&record)?;
            segments.iter().try_fold(Taken::default(), |sum, segment| {
                let taken = segment.take(dice)?;
                Ok(Taken { unflushed: sum.unflushed + segment.unflushed(), taken: sum.taken + taken })
            })
        });
        // The next server has a record of its own: what it finds in its files is flushed when it starts.
        let _ = std::fs::remove_file(&self.log);
        postgres.restart().unwrap();
        cut
    }
}

/// `kill -9` of the main process and its sessions at one moment. Sessions whose main process died would serve until they
/// next look for it, and whatever they were flushing would be flushed.
fn kill_all(postgres: &mut PostgresServer, data: &Path) -> Result<(), String> {
    let data = data.canonicalize().map_err(|error| error.to_string())?;
    let running = || -> Result<Vec<u32>, String> {
        let names = std::fs::read_dir("/proc").map_err(|error| error.to_string())?.flatten();
        let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        Ok(pids.filter(|pid| runs_in(*pid, &data)).collect())
    };
    let main = postgres.pid();
    let mut left = running()?;
    // It first, so that it starts nobody new.
    left.sort_by_key(|pid| Some(*pid) != main);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        for pid in left.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)) {
            // It may have ended meanwhile; the next look finds out.
            let _ = kill_process(pid, Signal::KILL);
        }
        postgres.kill9();
        left = running()?;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("sessions of PostgreSQL outlive kill -9: {left:?}"));
        }
    }
}

/// A file of the log in the life of one server.
#[derive(Debug, Default, PartialEq, Eq)]
struct Segment {
    path: PathBuf,
    /// Where the content ended that certainly is on disk.
    flushed: u64,
    /// Where the content ended that was written.
    written: u64,
}

impl Segment {
    fn unflushed(&self) -> u64 {
        self.written - self.flushed
    }

    /// Zeroes a part of what was not flushed, half the time all of it. The file keeps its size, as on a disk.
    fn take(&self, dice: &mut Dice) -> Result<u64, String> {
        let kept = if dice.percent(50) { self.flushed } else { dice.between(self.flushed, self.written) };
        let taken = self.written - kept;
        // A file that is gone was recycled, so it was flushed long ago.
        if taken == 0 || !self.path.exists() {
            return Ok(0);
        }
        let fail = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let file = std::fs::File::options().write(true).open(&self.path).map_err(fail)?;
        file.write_all_at(&vec![0; usize::try_from(taken).unwrap()], kept).map_err(fail)?;
        Ok(taken)
    }
}

/// Reads a record. A server that starts writes and flushes its log before it serves, so a record without is none.
fn segments(record: &str) -> Result<Vec<Segment>, String> {
    #[derive(Default)]
    struct Life<'a> {
        first: Option<u64>,
        written: u64,
        flushed: u64,
        begun: HashMap<&'a str, u64>,
    }
    let mut lives: HashMap<&str, Life<'_>> = HashMap::new();
    let mut flushes = 0;
    for line in record.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(what), Some(number), Some(path)) = (words.next(), words.next(), words.next()) else { continue };
        let life = lives.entry(path).or_default();
        match what {
            "W" => {
                let end = number.parse().map_err(|_| format!("not a line of the record: {line}"))?;
                life.first.get_or_insert(end);
                life.written = life.written.max(end);
            }
            "B" => drop(life.begun.insert(number, life.written)),
            "F" => {
                life.flushed = life.flushed.max(life.begun.remove(number).unwrap_or(0));
                flushes += 1;
            }
            _ => {}
        }
    }
    if lives.values().all(|life| life.first.is_none()) {
        return Err("no write of PostgreSQL's log was ever seen: the shim is not in it".to_owned());
    }
    if flushes == 0 {
        return Err("no flush of PostgreSQL's log was ever seen".to_owned());
    }
    let mut segments: Vec<Segment> = lives
        .into_iter()
        // A server's first write of a file repeats what an earlier one left in that page, so it is never taken.
        .filter_map(|(path, life)| {
            Some(Segment { path: path.into(), flushed: life.flushed.max(life.first?), written: life.written })
        })
        .collect();
    segments.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(record: &str) -> Vec<(u64, u64)> {
        segments(record).unwrap().iter().map(|segment| (segment.flushed, segment.written)).collect()
    }

    #[test]
    fn a_flush_covers_what_was_written_before_it_began() {
        assert_eq!(ends("W 10 a\nB 1 a\nF 1 a\nW 20 a\n"), [(10, 20)]);
        assert_eq!(ends("W 10 a\nB 1 a\nW 20 a\nF 1 a\n"), [(10, 20)]);
        assert_eq!(ends("W 10 a\nB 1 a\nF 1 a\nW 20 a\nB 2 a\n"), [(10, 20)]);
        assert_eq!(ends("W 10 a\nB 1 a\nF 1 a\nW 20 a\nB 2 a\nF 2 a\n"), [(20, 20)]);
    }

    #[test]
    fn files_are_apart_and_the_first_write_stays() {
        assert_eq!(ends("B 1 a\nF 1 a\nW 10 a\nW 30 b\nB 1 b\nF 1 b\nW 12 a\n"), [(10, 12), (30, 30)]);
    }

    #[test]
    fn a_record_without_writes_or_flushes_is_none() {
        assert!(segments("").unwrap_err().contains("no write"));
        assert!(segments("B 1 a\nF 1 a\n").unwrap_err().contains("no write"));
        assert!(segments("W 10 a\n").unwrap_err().contains("no flush"));
    }
}
