//! Processes by identity: a pid alone is reused, a pid with its start time is not.

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    str::FromStr,
    thread::sleep,
    time::{Duration, Instant},
};

#[cfg_attr(target_os = "linux", path = "process/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "process/ps.rs")]
mod system;

pub(crate) use system::processes_in;

/// One process, for ever: its pid and when it started.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) pid: i32,
    /// Start time as the system tells it, with the boot it belongs to; opaque.
    pub(crate) started: String,
}

/// A text that is no `PID:STARTED`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no process identity")]
pub(crate) struct IdentityError(String);

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.pid, self.started)
    }
}

impl FromStr for Identity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let error = || IdentityError(text.to_owned());
        let (pid, started) = text.split_once(':').ok_or_else(error)?;
        Ok(Self { pid: pid.parse().map_err(|_| error())?, started: started.to_owned() })
    }
}

/// What a process and its descendants use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// CPU time in user mode since it started, that of descendants which have ended included.
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    /// Bytes of memory.
    pub(crate) memory: u64,
    /// How long ago it was started.
    pub(crate) age: Duration,
}

/// What the system says about a pid now.
struct Observed {
    started: String,
    zombie: bool,
}

/// A group that outlived its end.
#[derive(Debug, thiserror::Error)]
#[error("process group {pid} is still there after SIGKILL")]
pub(crate) struct Survived {
    pub(crate) pid: i32,
}

/// A group that goes on.
#[derive(Debug, thiserror::Error)]
#[error("process group {pid} does not stop")]
pub(crate) struct Restless {
    pub(crate) pid: i32,
}

impl Identity {
    /// Returns the identity of this process.
    pub(crate) fn own() -> Option<Self> {
        Self::of(rustix::process::getpid().as_raw_pid())
    }

    /// Returns the identity of the process that has this pid now, a zombie included.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        guarded(pid)?;
        system::observe(pid).map(|seen| Self { pid, started: seen.started })
    }

    /// Whether this very process runs; a zombie does not.
    pub(crate) fn is_alive(&self) -> bool {
        guarded(self.pid).is_some()
            && system::observe(self.pid)
                .is_some_and(|seen| seen.started == self.started && !seen.zombie)
    }

    /// Sends a signal to this very process; a process that is gone is no error.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.is_alive()
            && let Some(pid) = guarded(self.pid)
        {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Returns what this very process uses; `None` when it is gone.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let usage = system::usage(guarded(self.pid)?.as_raw_pid())?;
        // Asked afterwards, so that what was seen was not another process's.
        self.is_alive().then_some(usage)
    }

    /// Waits until this process is gone; `false` when it outlives `patience`.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        wait_until(patience, || !self.is_alive())
    }

    /// Whether a process of the group that this process leads, or led, still runs.
    pub(crate) fn group_is_alive(&self) -> bool {
        let Some(pid) = guarded(self.pid) else { return false };
        if rustix::process::test_kill_process_group(pid).is_err() {
            return false;
        }
        // No number is given to a new process while a group has it: with the leader gone the group is
        // still ours, unless the machine was started anew.
        let ours = match system::observe(self.pid) {
            Some(seen) => seen.started == self.started,
            None => system::same_boot(&self.started),
        };
        ours && system::group_has_live_member(self.pid)
    }

    /// Stops the whole group, where it is; returns when it has.
    pub(crate) fn pause_group(&self) -> Result<(), Restless> {
        let Some(pid) = guarded(self.pid) else { return Ok(()) };
        if !self.group_is_alive() {
            return Ok(());
        }
        let _ = rustix::process::kill_process_group(pid, Signal::STOP);
        let stopped = wait_until(Duration::from_secs(5), || system::group_is_stopped(self.pid));
        if stopped { Ok(()) } else { Err(Restless { pid: self.pid }) }
    }

    /// Lets the whole group go on.
    pub(crate) fn resume_group(&self) {
        if self.group_is_alive()
            && let Some(pid) = guarded(self.pid)
        {
            let _ = rustix::process::kill_process_group(pid, Signal::CONT);
        }
    }

    /// Ends the whole group: `signal`, a grace, then SIGKILL. `true` when there was something to end.
    pub(crate) fn end_group(&self, signal: Signal, grace: Duration) -> Result<bool, Survived> {
        let Some(pid) = guarded(self.pid) else { return Ok(false) };
        if !self.group_is_alive() {
            return Ok(false);
        }
        let _ = rustix::process::kill_process_group(pid, signal);
        if wait_until(grace, || !self.group_is_alive()) {
            return Ok(true);
        }
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        if wait_until(Duration::from_secs(5), || !self.group_is_alive()) {
            return Ok(true);
        }
        Err(Survived { pid: self.pid })
    }
}

/// Polls quickly at first, since most things end within milliseconds.
pub(crate) fn wait_until(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if done() {
            return true;
        }
        if start.elapsed() >= patience {
            return false;
        }
        sleep(pause.min(patience));
        pause = (pause * 2).min(Duration::from_millis(25));
    }
}

/// Pids 0 and 1, and negative ones, mean groups and init to `kill`: never ours.
fn guarded(pid: i32) -> Option<Pid> {
    if pid > 1 { Pid::from_raw(pid) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::process::CommandExt as _, process::Command};

    #[expect(clippy::disallowed_methods, reason = "a test of processes starts some")]
    fn shell(script: &str) -> (std::process::Child, Identity) {
        let child = Command::new("sh").args(["-c", script]).process_group(0).spawn().unwrap();
        let identity = Identity::of(i32::try_from(child.id()).unwrap()).unwrap();
        (child, identity)
    }

    #[test]
    fn a_zombie_is_not_alive_and_keeps_its_identity() {
        let (mut child, identity) = shell("exit 0");
        assert!(identity.wait(Duration::from_secs(10)));
        assert_eq!(Identity::of(identity.pid).as_ref(), Some(&identity));
        child.wait().unwrap();
        assert_eq!(Identity::of(identity.pid), None);
    }

    #[test]
    fn another_start_time_is_another_process() {
        let (mut child, identity) = shell("exec sleep 30");
        let other = Identity { started: format!("{}0", identity.started), ..identity.clone() };
        assert!(!other.is_alive() && !other.group_is_alive());
        assert!(!other.end_group(Signal::KILL, Duration::ZERO).unwrap());
        assert!(identity.is_alive());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_group_is_ended_though_its_leader_is_gone_and_it_ignores_sigterm() {
        let (mut child, identity) =
            shell("trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & exit 0");
        child.wait().unwrap();
        assert!(identity.group_is_alive());
        assert!(identity.end_group(Signal::TERM, Duration::from_millis(50)).unwrap());
        assert!(!identity.group_is_alive());
    }

    #[test]
    fn groups_that_mean_everybody_are_refused() {
        for pid in [-1, 0, 1] {
            let identity = Identity { pid, started: String::new() };
            assert!(
                !identity.is_alive() && !identity.end_group(Signal::KILL, Duration::ZERO).unwrap()
            );
        }
    }

    #[test]
    fn a_paused_group_does_nothing_until_it_is_resumed() {
        let (mut child, identity) = shell("(while :; do :; done) & wait");
        identity.pause_group().unwrap();
        let before = identity.usage().unwrap().user;
        sleep(Duration::from_millis(100));
        assert_eq!(identity.usage().unwrap().user, before);
        identity.resume_group();
        assert!(wait_until(Duration::from_secs(30), || {
            identity.usage().is_some_and(|usage| usage.user > before)
        }));
        identity.end_group(Signal::KILL, Duration::ZERO).unwrap();
        child.wait().unwrap();
        assert!(identity.pause_group().is_ok(), "what is gone is as good as stopped");
    }

    #[test]
    fn usage_is_that_of_the_process_and_its_descendants() {
        let (mut child, identity) = shell("(while :; do :; done) & wait");
        let busy = wait_until(Duration::from_secs(30), || {
            identity.usage().is_some_and(|usage| usage.user > Duration::from_millis(100))
        });
        let usage = identity.usage().unwrap();
        identity.end_group(Signal::KILL, Duration::ZERO).unwrap();
        child.wait().unwrap();
        assert!(busy, "the time of a descendant counts: {usage:?}");
        assert!(usage.memory > 10_000 && usage.age < Duration::from_mins(1), "{usage:?}");
        assert_eq!(identity.usage(), None);
    }

    #[test]
    fn an_identity_prints_and_parses_back() {
        let identity = Identity::own().unwrap();
        assert_eq!(identity.to_string().parse::<Identity>().unwrap(), identity);
        assert!("x".parse::<Identity>().is_err());
    }
}
