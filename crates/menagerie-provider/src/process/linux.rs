//! Processes by `/proc`.

use super::{Observed, Usage};
use std::{fs, path::Path, sync::OnceLock, time::Duration};

/// Fields of `/proc/PID/stat` after the command's name, which may hold any character.
struct Stat {
    state: char,
    group: i32,
    start: String,
    /// In clock ticks, with those of children that have ended and were reaped.
    user: u64,
    system: u64,
}

pub(super) fn observe(pid: i32) -> Option<Observed> {
    let stat = stat(pid)?;
    Some(Observed { started: format!("{}@{}", stat.start, boot()), zombie: is_dead(stat.state) })
}

/// Whether `started` was taken since this machine was started.
pub(super) fn same_boot(started: &str) -> bool {
    started.rsplit_once('@').is_some_and(|(_, of)| of == boot())
}

pub(super) fn group_has_live_member(group: i32) -> bool {
    pids().filter_map(stat).any(|stat| stat.group == group && !is_dead(stat.state))
}

/// Whether every thread of a group's processes is stopped, or dead.
pub(super) fn group_is_stopped(group: i32) -> bool {
    let members = pids().filter(|pid| stat(*pid).is_some_and(|stat| stat.group == group));
    members.flat_map(threads).all(|state| matches!(state, 'T' | 't') || is_dead(state))
}

fn threads(pid: i32) -> Vec<char> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads
        .filter_map(|thread| Some(parse(&fs::read(thread.path().join("stat")).ok()?)?.state))
        .collect()
}

/// Returns the pids of the processes whose working directory is `directory` or below it.
pub(crate) fn processes_in(directory: &Path) -> Vec<i32> {
    pids()
        .filter(|pid| {
            fs::read_link(format!("/proc/{pid}/cwd"))
                .is_ok_and(|working| working.starts_with(directory))
        })
        .collect()
}

/// Sums up a process and its descendants.
pub(super) fn usage(pid: i32) -> Option<Usage> {
    let root = stat(pid)?;
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let up = fs::read_to_string("/proc/uptime").ok()?;
    let up: f64 = up.split(' ').next()?.parse().ok()?;
    let age = Duration::try_from_secs_f64(up)
        .ok()?
        .saturating_sub(duration(root.start.parse().ok()?, ticks));
    let mut usage = Usage { age, ..Usage::default() };
    let mut waiting = vec![pid];
    while let Some(pid) = waiting.pop() {
        let Some(stat) = stat(pid) else { continue };
        usage.user += duration(stat.user, ticks);
        usage.system += duration(stat.system, ticks);
        usage.memory += memory(pid).unwrap_or_default();
        waiting.extend(children(pid));
    }
    Some(usage)
}

fn duration(ticks: u64, per_second: u64) -> Duration {
    Duration::from_secs(ticks / per_second)
        + Duration::from_secs(ticks % per_second) / u32::try_from(per_second).unwrap_or(100)
}

/// A page that several processes share counts for each in part, where the kernel tells: the sum over a database
/// server's processes would otherwise hold its shared buffers many times.
fn memory(pid: i32) -> Option<u64> {
    let proportional =
        fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
        });
    proportional.or_else(|| {
        let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    })
}

/// Each thread has its own list; without the lists, which a kernel may lack, none.
fn children(pid: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>())
        .collect()
}

fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn stat(pid: i32) -> Option<Stat> {
    parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(text: &[u8]) -> Option<Stat> {
    let text = String::from_utf8_lossy(text);
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    // Fields 14 to 17 of proc(5): user and system time, then those of reaped children. The group was field 5.
    let mut times = [0_u64; 4];
    for (place, time) in times.iter_mut().enumerate() {
        *time = fields.nth(if place == 0 { 8 } else { 0 })?.parse().ok()?;
    }
    // Field 22, start time in clock ticks since boot.
    let start = fields.nth(4)?.to_owned();
    let [user, system, children_user, children_system] = times;
    Some(Stat { state, group, start, user: user + children_user, system: system + children_system })
}

fn is_dead(state: char) -> bool {
    matches!(state, 'Z' | 'X' | 'x')
}

/// Names this boot: start times count from it, so that after a restart they mean other processes.
fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.chars().filter(char::is_ascii_hexdigit).take(8).collect()
    })
}
