//! `errored.tfstate`: the state that Terraform could not hand to the backend, and that nobody else has.
//!
//! Terraform writes it to the root module when the backend fails at the end of an `apply` or `destroy` ("Failed to persist state
//! to backend"). The next command there that fails in the same way overwrites it, and the next one that succeeds makes a state
//! that does not know what it knows. Where it cannot even be written, the whole state is one line of the output.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use menagerie_plan::{ParseError, StateFile};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::arguments::{InitOptions, Limits, LockOptions, StatePushOptions};
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::Ended;
use crate::execute::{Notice, RunError};
use crate::files::{create_directory, file_error, read_if_present, unique_name};
use crate::workdir::{StateSnapshot, Workdir};

/// What Terraform calls it.
const ERRORED: &str = "errored.tfstate";

/// What the name ends with of one that was put aside and waits.
const WAITING: &str = "-errored.tfstate";

/// What a rescue can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RescueOptions {
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How long each command may take.
    pub limits: Limits,
}

/// What became of a state that could not be written.
#[derive(Debug)]
pub struct Rescue {
    /// Where it is now, with all its secrets: in the runs directory, for its owner only.
    pub file: PathBuf,
    /// What was found out about it, and done.
    pub outcome: RescueOutcome,
}

/// What was found out about a state that could not be written, and done.
#[derive(Debug)]
#[non_exhaustive]
pub enum RescueOutcome {
    /// It was newer than the backend's, and has taken its place.
    Pushed {
        /// Its serial.
        serial: u64,
    },
    /// The backend has it already.
    AlreadyThere,
    /// The backend has one that somebody wrote after it. Which of them is right, a person must find out.
    Superseded {
        /// Its serial.
        serial: u64,
        /// The serial of the one that the backend has.
        current: u64,
    },
    /// The backend has one of another lineage: they are not states of the same thing.
    Foreign,
    /// It is no state that this crate can read: it was cut short, or OpenTofu has encrypted it. It was not pushed.
    Unreadable(ParseError),
}

impl RescueOutcome {
    /// Returns whether the backend has all that it knows.
    pub fn is_safe(&self) -> bool {
        matches!(self, Self::Pushed { .. } | Self::AlreadyThere)
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::Pushed { .. } => "pushed",
            Self::AlreadyThere => "already-there",
            Self::Superseded { .. } => "superseded",
            Self::Foreign => "foreign",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl Workdir {
    /// Returns the states that Terraform could not write and that wait for [`Workdir::rescue`], the oldest first.
    pub fn errored_states(&self) -> Result<Vec<PathBuf>, RunError> {
        let mut waiting = waiting(&self.runs_directory)?;
        let fresh = self.directory.join(ERRORED);
        waiting.extend(fresh.exists().then_some(fresh));
        Ok(waiting)
    }

    /// Hands the states that Terraform could not write to the backend, if they are newer than what it has.
    ///
    /// Each is first moved from the root module to the runs directory, under a name that no other has; one that Terraform could
    /// only print is there since it was printed, unless the runner was killed before. A rescue that is cut short, or that the
    /// backend refuses once more, is taken up by the next one. Two environments that share a root module also share the place
    /// where Terraform puts these: there it must follow the failed command at once.
    pub fn rescue(
        &self,
        terraform: &Terraform,
        init: &InitOptions,
        options: &RescueOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Vec<Rescue>>, RunError> {
        self.put_aside()?;
        let waiting = waiting(&self.runs_directory)?;
        if waiting.is_empty() {
            return Ok(Ended::Done(Vec::new()));
        }
        self.with_init(terraform, init, notices, cancel, |notices| {
            let mut rescued = Vec::new();
            for path in &waiting {
                match self.rescue_one(path, terraform, options, notices, cancel)? {
                    Ended::Done(rescue) => rescued.push(rescue),
                    other => return Ok(other.map(|rescue| vec![rescue])),
                }
            }
            Ok(Ended::Done(rescued))
        })
    }

    /// Moves a state that Terraform could not write out of its way, to where [`Workdir::rescue`] finds it; runs nothing.
    pub fn put_aside(&self) -> Result<(), RunError> {
        let fresh = self.directory.join(ERRORED);
        let Some(text) = read_if_present(&fresh)? else { return Ok(()) };
        // One that is empty found no room: then the state was printed, and is kept already.
        if !text.is_empty() {
            // A copy, for the directories may be on different disks. Cut short in between there are two, which does no harm.
            keep(&self.runs_directory, &text)?;
        }
        fs::remove_file(&fresh).map_err(|source| file_error("remove", &fresh, source))
    }

    fn rescue_one(
        &self,
        path: &Path,
        terraform: &Terraform,
        options: &RescueOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Rescue>, RunError> {
        let text = fs::read(path).map_err(|source| file_error("read", path, source))?;
        let errored = match StateFile::from_json(&text) {
            Ok(errored) => errored,
            Err(error) => return finish(path, RescueOutcome::Unreadable(error)),
        };
        self.state_pull(terraform, notices, cancel)?.and_then(|current| {
            if let Some(outcome) = known(&errored, &text, current.as_ref()) {
                return finish(path, outcome);
            }
            let push = StatePushOptions {
                lock: options.lock.clone(),
                limits: options.limits,
                ..StatePushOptions::new(path.to_owned())
            };
            let pushed = RescueOutcome::Pushed { serial: errored.serial };
            self.state_push(terraform, &push, notices, cancel)?.and_then(|()| finish(path, pushed))
        })
    }
}

/// Returns the state in a line of output that is nothing else.
pub(crate) fn dumped(line: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Dump<'a> {
        #[serde(borrow)]
        state: &'a RawValue,
    }
    serde_json::from_str(line).ok().map(|dump: Dump<'_>| dump.state.get().to_owned())
}

/// Puts a state where it waits for its rescue.
pub(crate) fn keep(directory: &Path, text: &[u8]) -> Result<(), RunError> {
    create_directory(directory)?;
    let path = directory.join(unique_name() + WAITING);
    if let Err(error) = write_private(&path, text) {
        // Half a copy would be taken for the whole by the next rescue.
        let _ = fs::remove_file(&path);
        return Err(file_error("write", &path, error));
    }
    Ok(())
}

/// Returns what is to be said of it without pushing it, if anything is.
fn known(
    errored: &StateFile,
    text: &[u8],
    current: Option<&StateSnapshot>,
) -> Option<RescueOutcome> {
    let current = current?;
    let serial = current.file().serial;
    if current.file().lineage != errored.lineage {
        return Some(RescueOutcome::Foreign);
    }
    let value = |json: &[u8]| serde_json::from_slice::<Value>(json).ok();
    if serial == errored.serial && value(current.json()) == value(text) {
        return Some(RescueOutcome::AlreadyThere);
    }
    // A state that was never written before has the serial 0 in both: `pg` keeps an empty one from the first lock on.
    let is_unwritten = serial == errored.serial
        && current.file().resources.is_empty()
        && current.file().outputs.is_empty();
    (serial >= errored.serial && !is_unwritten)
        .then_some(RescueOutcome::Superseded { serial: errored.serial, current: serial })
}

/// Renames a file so that it no longer waits, and its name says why.
fn finish(path: &Path, outcome: RescueOutcome) -> Result<Ended<Rescue>, RunError> {
    let file = path.with_extension(format!("{}.tfstate", outcome.as_str()));
    fs::rename(path, &file).map_err(|source| file_error("rename", path, source))?;
    Ok(Ended::Done(Rescue { file, outcome }))
}

fn waiting(directory: &Path) -> Result<Vec<PathBuf>, RunError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| file_error("read", directory, source))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let name = entry.map_err(|source| file_error("read", directory, source))?.file_name();
        if name.to_str().is_some_and(|name| name.ends_with(WAITING)) {
            paths.push(directory.join(name));
        }
    }
    paths.sort();
    Ok(paths)
}

fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = r#"[{"mode": "managed", "type": "a", "name": "web", "instances": [{}]}]"#;

    fn text(serial: u64, lineage: &str, resources: &str) -> Vec<u8> {
        format!(
            r#"{{"version": 4, "serial": {serial}, "lineage": "{lineage}", "resources": {resources}}}"#
        )
        .into_bytes()
    }

    #[track_caller]
    fn check(current: Option<(u64, &str, &str)>, expected: &str) {
        let current = current.map(|(serial, lineage, resources)| {
            StateSnapshot::from_json(text(serial, lineage, resources)).unwrap()
        });
        let text = text(7, "l", WEB);
        let outcome = known(&StateFile::from_json(&text).unwrap(), &text, current.as_ref());
        assert_eq!(outcome.as_ref().map_or("push", RescueOutcome::as_str), expected);
    }

    #[test]
    fn only_what_is_newer_is_pushed() {
        check(None, "push");
        check(Some((6, "l", "[]")), "push");
        check(Some((6, "l", WEB)), "push");
        check(Some((7, "l", "[]")), "push");
        check(Some((7, "l", WEB)), "already-there");
        check(Some((8, "l", "[]")), "superseded");
        check(Some((6, "other", "[]")), "foreign");
        // Somebody else has gone on from the same state.
        check(Some((7, "l", &WEB.replace("web", "other"))), "superseded");
    }
}
