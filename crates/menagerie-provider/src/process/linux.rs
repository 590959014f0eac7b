//! Processes by `/proc`.

use super::Observed;
use std::{fs, path::Path, sync::OnceLock};

/// Fields of `/proc/PID/stat` after the command's name, which may hold any character.
struct Stat {
    state: char,
    group: i32,
    start: String,
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

/// Returns the pids of the processes whose working directory is `directory` or below it.
pub(crate) fn processes_in(directory: &Path) -> Vec<i32> {
    pids()
        .filter(|pid| {
            fs::read_link(format!("/proc/{pid}/cwd"))
                .is_ok_and(|working| working.starts_with(directory))
        })
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
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    // Field 22 of proc(5), start time in clock ticks since boot; the group was field 5.
    let start = fields.nth(16)?.to_owned();
    Some(Stat { state, group, start })
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
