//! Processes by `ps`, where there is no `/proc`.

use super::Observed;
use std::{path::Path, process::Command};

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

/// There is no cheap way to tell: none.
pub(crate) fn processes_in(_directory: &Path) -> Vec<i32> {
    Vec::new()
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
