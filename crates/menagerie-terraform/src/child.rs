//! The running Terraform, and how it is stopped.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::arguments::Limits;
use crate::cancel::Cancel;
use crate::ended::Ended;
use crate::process;

/// After two interrupts Terraform exits at once; one that has not by then hangs.
const GRACE_AFTER_SECOND: Duration = Duration::from_secs(30);

/// Two signals that are closer than this can reach a process as one.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(100);

/// The running Terraform.
///
/// Dropped by an error on our side it is asked to stop and waited for: never left behind, never killed.
pub(crate) struct Child {
    handle: duct::Handle,
    pid: u32,
    exited: bool,
}

impl Child {
    pub(crate) fn new(handle: duct::Handle) -> Self {
        let pid = handle.pids().first().copied().expect("one command is one process");
        Self { handle, pid, exited: false }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for the end, at most this long.
    pub(crate) fn wait(
        &mut self,
        duration: Duration,
    ) -> std::io::Result<Option<std::process::ExitStatus>> {
        let status = self.handle.wait_timeout(duration)?.map(|output| output.status);
        self.exited = status.is_some();
        Ok(status)
    }

    /// Signals Terraform only: what it started is its own to stop.
    fn interrupt(&self) {
        self.send(|pid| process::send(pid, Signal::INT));
    }

    /// Ends Terraform and all that it started.
    fn kill(&self) {
        self.send(|pid| process::send_to_group(pid, Signal::KILL));
    }

    fn send(&self, send: impl FnOnce(u32) -> std::io::Result<()>) {
        // Until it was waited for the number is its own, be it dead or alive.
        if !self.exited {
            let _ = send(self.pid);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.exited {
            self.interrupt();
            let _ = self.handle.wait();
        }
    }
}

/// How far the stopping of a command has come.
pub(crate) struct Stop {
    limits: Limits,
    started: Instant,
    timed_out: bool,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Running,
    /// It was asked once: it finishes what is in flight, writes the state and releases the lock.
    Interrupted(Instant),
    /// It was asked twice: it exits at once.
    Insisted(Instant),
    Killed,
}

impl Stop {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, started: Instant::now(), timed_out: false, stage: Stage::Running }
    }

    /// Takes the next step when it is due; `at_risk` is called before the step that can lose resources.
    pub(crate) fn advance(&mut self, child: &Child, cancel: &Cancel, at_risk: &mut dyn FnMut()) {
        let now = Instant::now();
        let is_over = |since: Instant, limit: Option<Duration>| {
            limit.is_some_and(|limit| now - since >= limit)
        };
        match self.stage {
            Stage::Running => {
                let over = is_over(self.started, self.limits.timeout);
                if over || cancel.count() > 0 {
                    self.timed_out = cancel.count() == 0;
                    self.stage = Stage::Interrupted(now);
                    child.interrupt();
                }
            }
            Stage::Interrupted(since) if cancel.count() > 1 && now - since >= BETWEEN_SIGNALS => {
                at_risk();
                self.stage = Stage::Insisted(now);
                child.interrupt();
            }
            Stage::Interrupted(since) if is_over(since, self.limits.grace) => self.kill(child),
            Stage::Insisted(since) if is_over(since, Some(GRACE_AFTER_SECOND)) => self.kill(child),
            Stage::Interrupted(_) | Stage::Insisted(_) | Stage::Killed => {}
        }
    }

    fn kill(&mut self, child: &Child) {
        self.stage = Stage::Killed;
        child.kill();
    }

    /// Returns how a command ended that did not do what it was asked, if that is because it was stopped.
    pub(crate) fn ending<T>(&self) -> Option<Ended<T>> {
        let forced = matches!(self.stage, Stage::Insisted(_) | Stage::Killed);
        match self.stage {
            Stage::Running => None,
            _ if self.timed_out => Some(Ended::TimedOut { forced }),
            _ => Some(Ended::Cancelled { forced }),
        }
    }
}
