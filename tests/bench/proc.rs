//! What processes cost: processor time and memory, read from `/proc`.

use std::time::Duration;

/// Ticks a second of the times in `/proc/…/stat`: 100 on every Linux this runs on.
const TICKS: u64 = 100;

struct Stat {
    parent: u32,
    own: u64,
    reaped: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let at = |n: usize| fields.get(n - 3).and_then(|field| field.parse::<u64>().ok());
    Some(Stat { parent: u32::try_from(at(4)?).ok()?, own: at(14)? + at(15)?, reaped: at(16)? + at(17)? })
}

/// Processor time of one process, all its threads.
pub fn cpu(pid: u32) -> Duration {
    stat(pid).map_or(Duration::ZERO, |stat| ticks(stat.own))
}

/// Processor time of a process, its children that live and those it has reaped: a whole PostgreSQL.
pub fn cpu_with_children(pid: u32) -> Duration {
    let own = stat(pid).map_or(0, |stat| stat.own + stat.reaped);
    let children = pids().filter_map(stat).filter(|stat| stat.parent == pid).map(|stat| stat.own).sum::<u64>();
    ticks(own + children)
}

fn pids() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn ticks(n: u64) -> Duration {
    Duration::from_millis(n * 1000 / TICKS)
}

/// Resident memory of a process, MiB.
pub fn rss_mib(pid: u32) -> f64 {
    status_kib(pid, "VmRSS:") / 1024.0
}

/// The most it ever had, MiB.
pub fn peak_rss_mib(pid: u32) -> f64 {
    status_kib(pid, "VmHWM:") / 1024.0
}

fn status_kib(pid: u32, name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_ascii_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

/// Cores and memory of this machine, in words.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: f64 = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_ascii_whitespace().next()?.parse().ok())
        .unwrap_or(0.0);
    format!("{cores} cores, {:.0} GiB of memory", kib / 1024.0 / 1024.0)
}

/// Share of the machine that was busy for others or for us over the last minute: load average.
pub fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
