//! A process told from a later one with the same number.

use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

/// A process id with the time at which the process started, in the system's own unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) pid_started: String,
}

impl Process {
    /// Returns the process that runs with this number now.
    pub(crate) fn find(pid: u32) -> Option<Self> {
        Some(Self { pid, pid_started: started(pid)? })
    }

    /// Returns whether it still runs; one that is dead and not yet collected by its parent does not.
    pub(crate) fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.pid_started)
    }

    /// Sends it a signal, unless it has ended.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.is_alive() { send(self.pid, signal) } else { Ok(()) }
    }
}

/// Sends a signal to a process.
pub(crate) fn send(number: u32, signal: Signal) -> io::Result<()> {
    Ok(kill_process(pid(number)?, signal)?)
}

/// Sends a signal to the whole group that a process leads.
pub(crate) fn send_to_group(number: u32, signal: Signal) -> io::Result<()> {
    Ok(kill_process_group(pid(number)?, signal)?)
}

/// Refuses 0 and 1, which as a group would be our own and everybody's.
fn pid(number: u32) -> io::Result<Pid> {
    let number = i32::try_from(number).ok().filter(|number| *number > 1);
    number.and_then(Pid::from_raw).ok_or_else(|| io::Error::other("not a process of ours"))
}

/// Returns when a process started, and after which boot: both must be the same for it to be the same process.
#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; proc_pid_stat(5) counts the state as field 3, the start time as field 22.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    let ticks = fields.nth(18)?;
    if state == "Z" || state == "X" {
        return None;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{ticks}@{}", boot.trim()))
}

#[cfg(not(target_os = "linux"))]
fn started(pid: u32) -> Option<String> {
    let text = duct::cmd!("ps", "-o", "state=,lstart=", "-p", pid.to_string())
        .stderr_null()
        .read()
        .ok()?;
    let (state, started) = text.trim().split_once(' ')?;
    (!state.starts_with('Z')).then(|| started.trim().to_owned())
}

/// Returns the process whose standard error is this file.
#[cfg(target_os = "linux")]
pub(crate) fn with_stderr(path: &Path) -> Option<Process> {
    let path = path.canonicalize().ok()?;
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        // Those of other users can't be read, and are not ours.
        let stderr = std::fs::read_link(entry.path().join("fd/2")).ok()?;
        (stderr == path).then(|| Process::find(pid))?
    })
}

/// Returns the process whose standard error is this file.
#[cfg(not(target_os = "linux"))]
pub(crate) fn with_stderr(path: &Path) -> Option<Process> {
    let pids = duct::cmd(
        "lsof",
        ["-t".as_ref(), "-a".as_ref(), "-d".as_ref(), "2".as_ref(), path.as_os_str()],
    )
    .stderr_null()
    .read()
    .ok()?;
    pids.lines().find_map(|pid| Process::find(pid.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lives_until_it_has_ended() {
        let handle = duct::cmd!("sleep", "60").unchecked().start().unwrap();
        let process = Process::find(handle.pids()[0]).unwrap();
        assert!(process.is_alive());
        let later = Process { pid_started: "1".to_owned(), ..process.clone() };
        assert!(!later.is_alive());
        later.signal(Signal::KILL).unwrap();
        assert!(process.is_alive());
        process.signal(Signal::KILL).unwrap();
        // Dead but not collected: the handle is waited for only below.
        while process.is_alive() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        handle.wait().unwrap();
    }

    #[test]
    fn nobody_else_is_signalled() {
        for pid in [0, 1, u32::MAX] {
            send(pid, Signal::KILL).unwrap_err();
            send_to_group(pid, Signal::KILL).unwrap_err();
        }
    }
}
