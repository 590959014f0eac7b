//! Processes by `ps`, where there is no `/proc`.

use super::{Observed, Usage};
use std::{path::Path, process::Command, time::Duration};

pub(super) fn observe(pid: i32) -> Option<Observed> {
    let line = ps(&["-o", "stat=,lstart=", "-p", &pid.to_string()])?;
    let (state, started) = line.trim().split_once(' ')?;
    // Spaces would be lost in nothing but a reader's eye; the text is compared as a whole.
    Some(Observed { started: started.trim().replace(' ', "_"), zombie: state.starts_with('Z') })
}

/// A start time is a date here: it does not come again.
pub(super) fn same_boot(_started: &str) -> bool {
    true
}

pub(super) fn group_has_live_member(group: i32) -> bool {
    ps(&["-axo", "pgid=,stat="]).is_some_and(|text| {
        text.lines().any(|line| {
            let mut fields = line.split_whitespace();
            fields.next().and_then(|text| text.parse().ok()) == Some(group)
                && fields.next().is_some_and(|state| !state.starts_with('Z'))
        })
    })
}

pub(super) fn group_is_stopped(group: i32) -> bool {
    ps(&["-axo", "pgid=,stat="]).is_some_and(|text| {
        text.lines().all(|line| {
            let mut fields = line.split_whitespace();
            fields.next().and_then(|text| text.parse().ok()) != Some(group)
                || fields.next().is_some_and(|state| state.starts_with(['T', 'Z']))
        })
    })
}

/// There is no cheap way to tell: none.
pub(crate) fn processes_in(_directory: &Path) -> Vec<i32> {
    Vec::new()
}

/// Sums up a process and its descendants; those that have ended are not known.
pub(super) fn usage(pid: i32) -> Option<Usage> {
    let table = ps(&["-axo", "pid=,ppid=,utime=,time=,rss=,etime="])?;
    let rows: Vec<(i32, i32, Usage)> = table.lines().filter_map(row).collect();
    let (_, _, root) = rows.iter().find(|(of, _, _)| *of == pid)?;
    let mut usage = Usage { age: root.age, ..Usage::default() };
    let mut waiting = vec![pid];
    while let Some(pid) = waiting.pop() {
        for (of, parent, found) in &rows {
            if *of == pid {
                usage.user += found.user;
                usage.system += found.system;
                usage.memory += found.memory;
            } else if *parent == pid {
                waiting.push(*of);
            }
        }
    }
    Some(usage)
}

fn row(line: &str) -> Option<(i32, i32, Usage)> {
    let mut fields = line.split_whitespace();
    let (pid, parent) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let (user, both) = (clock(fields.next()?)?, clock(fields.next()?)?);
    let kibibytes: u64 = fields.next()?.parse().ok()?;
    let age = clock(fields.next()?)?;
    Some((
        pid,
        parent,
        Usage { user, system: both.saturating_sub(user), memory: kibibytes * 1024, age },
    ))
}

/// Reads `[[days-]hours:]minutes:seconds[.hundredths]`.
fn clock(text: &str) -> Option<Duration> {
    let (days, rest) = text.split_once('-').unwrap_or(("0", text));
    let seconds =
        rest.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
    Duration::try_from_secs_f64(days.parse::<f64>().ok()? * 86_400.0 + seconds).ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only portable way to ask about another process without /proc"
)]
fn ps(arguments: &[&str]) -> Option<String> {
    let output = Command::new("/bin/ps").env("LC_ALL", "C").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (!text.trim().is_empty()).then_some(text)
}
