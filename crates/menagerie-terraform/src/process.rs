//! A process told from a later one with the same number.

use std::io;

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
        if self.is_alive() {
            kill_process(pid(self.pid)?, signal)?;
        }
        Ok(())
    }

    /// Sends a signal to its whole group, which it leads.
    pub(crate) fn signal_group(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process_group(pid(self.pid)?, signal)?)
    }
}

/// Refuses 0 and 1, which as a group would be our own and everybody's.
fn pid(number: u32) -> io::Result<Pid> {
    let number = i32::try_from(number).ok().filter(|number| *number > 1);
    number.and_then(Pid::from_raw).ok_or_else(|| io::Error::other("not a process of ours"))
}

#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; proc_pid_stat(5) counts the state as field 3, the start time as field 22.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    (state != "Z" && state != "X").then(|| fields.nth(18).map(str::to_owned))?
}

#[cfg(not(target_os = "linux"))]
fn started(pid: u32) -> Option<String> {
    let text = duct::cmd!("ps", "-o", "state=,lstart=", "-p", pid.to_string()).stderr_null().read().ok()?;
    let (state, started) = text.trim().split_once(' ')?;
    (!state.starts_with('Z')).then(|| started.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lives_until_it_has_ended() {
        let handle = duct::cmd!("sleep", "60").start().unwrap();
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
        handle.wait().unwrap_err();
    }

    #[test]
    fn nobody_else_is_signalled() {
        for pid in [0, 1, u32::MAX] {
            let process = Process { pid, pid_started: String::new() };
            process.signal_group(Signal::KILL).unwrap_err();
        }
    }
}
