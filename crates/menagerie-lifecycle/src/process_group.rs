//! A command of the application's own, in a process group that is ended as a whole.

use duct::Handle;
use menagerie_terraform::Cancel;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(10);

/// After an interrupt, whoever has not ended by then is killed.
const GRACE: Duration = Duration::from_secs(5);

/// How a command ended.
pub(crate) enum Ended {
    Exited(ExitStatus),
    Interrupted,
    TimedOut,
}

/// Starts a command as the leader of a group of its own: the terminal's Ctrl-C then reaches only us, and what the command
/// starts can be ended with it.
pub(crate) fn start(command: &duct::Expression) -> io::Result<Handle> {
    let leads = |child: &mut std::process::Command| {
        child.process_group(0);
        Ok(())
    };
    command.unchecked().before_spawn(leads).start()
}

/// Waits for its end. An interrupt of the user is passed on, and so is one where it takes longer than it may.
pub(crate) fn wait(handle: &Handle, cancel: &Cancel, limit: Option<Duration>) -> io::Result<Ended> {
    // Until it is waited for, the number is its own and its group's.
    let group = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
    let group = group.ok_or_else(|| io::Error::other("one command is one process"))?;
    let begin = Instant::now();
    while !has_exited(group)? {
        let is_over = limit.is_some_and(|limit| begin.elapsed() > limit);
        if cancel.count() > 0 || is_over {
            stop(group, cancel)?;
            handle.wait()?;
            return Ok(if cancel.count() > 0 { Ended::Interrupted } else { Ended::TimedOut });
        }
        std::thread::sleep(LOOK);
    }
    if cancel.count() > 0 {
        // It may have ended because of an interrupt that we have not looked at yet.
        stop(group, cancel)?;
        handle.wait()?;
        return Ok(Ended::Interrupted);
    }
    Ok(Ended::Exited(handle.wait()?.status))
}

/// Ends a group: as Ctrl-C does, and by force where it is pressed again or that takes too long.
fn stop(group: Pid, cancel: &Cancel) -> io::Result<()> {
    // One that is gone needs no signal.
    let _ = kill_process_group(group, Signal::INT);
    let asked = Instant::now();
    let counted = cancel.count();
    while !has_exited(group)? && asked.elapsed() < GRACE && cancel.count() <= counted.max(1) {
        std::thread::sleep(LOOK);
    }
    // Also what its leader has left behind.
    let _ = kill_process_group(group, Signal::KILL);
    Ok(())
}

/// Returns whether a child has ended, and leaves it to be waited for.
fn has_exited(pid: Pid) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(pid), options)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script that starts another process, and returns how it ended; nothing of it may be left.
    fn run(script: &str, limit: Option<Duration>, cancel: &Cancel) -> Ended {
        let (mut reader, writer) = io::pipe().unwrap();
        let handle = start(&duct::cmd!("sh", "-c", script).stdout_file(writer)).unwrap();
        let ended = wait(&handle, cancel, limit).unwrap();
        // The end of the pipe is that of the last one who has it open.
        io::copy(&mut reader, &mut io::sink()).unwrap();
        ended
    }

    #[test]
    fn what_it_starts_ends_with_it() {
        let moment = Some(Duration::from_millis(50));
        let ended = run("sleep 100 & sleep 100", moment, &Cancel::default());
        assert!(matches!(ended, Ended::TimedOut));
        let ended = run("trap '' INT; (trap '' INT; sleep 100) & exit 3", None, &interrupted());
        assert!(matches!(ended, Ended::Interrupted));
        let Ended::Exited(status) = run("exit 3", None, &Cancel::default()) else {
            panic!("it exits")
        };
        assert_eq!(status.code(), Some(3));
    }

    fn interrupted() -> Cancel {
        let cancel = Cancel::default();
        cancel.interrupt();
        cancel
    }
}
