//! The inventory: directories in the checkout and local records, taken together. Nothing that runs is missing from it.

use crate::bundle::Bundle;
use crate::file::{self, Context as _, FileError};
use crate::kind::{Explain, Kind};
use crate::milestone::{self, Milestone};
use crate::repository::Repository;
use jiff::Timestamp;
use menagerie_config::{Environment, ReadError};
use menagerie_naming::EnvName;
use menagerie_plan::{ParseError, StateFile};
use menagerie_terraform::JournalError;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One environment as it is: what is wanted, by its directory, and what exists, by its state and journal.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: EnvName,
    /// Where it is in its life.
    pub phase: Phase,
    /// Its directory, where this checkout has it.
    pub directory: Option<PathBuf>,
    /// What it is meant to be; `None` where no readable `env.toml` is left.
    pub environment: Option<Environment>,
    /// Where it answers.
    pub url: Option<String>,
    /// How many resources its state holds.
    pub resources: usize,
    /// Whether its time is over.
    pub expired: bool,
    /// What a person should know beside.
    pub notes: Vec<String>,
}

/// Where an environment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its directory exists, and nothing else.
    Wanted,
    /// Its state holds resources.
    Deployed,
    /// A destroy was started and has not ended.
    Destroying,
    /// A destroy left something, which is not forgotten.
    DestroyFailed,
    /// It was destroyed, and that was proven.
    Gone,
}

impl Phase {
    /// Returns the phase's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Deployed => "deployed",
            Self::Destroying => "destroying",
            Self::DestroyFailed => "destroy-failed",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The inventory could not be read. It is never taken for an empty one.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A file or directory could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A state is damaged.
    #[error("the state of `{name}` in `{}` cannot be read", path.display())]
    State {
        /// Whose state.
        name: EnvName,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// Nobody knows this name.
    #[error("there is no environment `{name}`")]
    NotFound {
        /// The name that was asked for.
        name: EnvName,
        /// The ones that there are.
        known: Vec<EnvName>,
    },
}

impl Explain for InventoryError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. } => Kind::NotFound,
            Self::File(_) | Self::Journal(_) | Self::State { .. } => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { name, known } => Some(match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => {
                    "there is none yet: `cargo xtask env up` makes one".to_owned()
                }
                None => "`cargo xtask env list` shows the ones that there are".to_owned(),
            }),
            Self::State { name, .. } => {
                Some(format!("`cargo xtask env repair {name}` puts an earlier one in its place"))
            }
            Self::File(_) | Self::Journal(_) => None,
        }
    }
}

/// Lists all environments but the ones that are gone without a trace in this checkout, sorted by name.
pub fn list(repository: &Repository, now: Timestamp) -> Result<Vec<Entry>, InventoryError> {
    let home = repository.home();
    let certified = names(&home.certificates(), ".json")?;
    let directories = directories(repository)?;
    let mut known = directories.clone();
    known.extend(names(&home.environments(), "")?);
    // A destroy that was cut short between its last two steps has neither directory nor records, only an open journal.
    for name in names(&home.journals(), ".jsonl")?.difference(&certified) {
        if !known.contains(name) && is_ending(milestone::last(&home.journal(name))?.as_ref()) {
            known.insert(name.clone());
        }
    }
    known
        .iter()
        .filter(|name| directories.contains(*name) || !certified.contains(*name))
        .map(|name| {
            entry(repository, name, directories.contains(name), certified.contains(name), now)
        })
        .collect()
}

/// Finds one environment, also one that is gone.
pub fn find(
    repository: &Repository,
    name: &EnvName,
    now: Timestamp,
) -> Result<Entry, InventoryError> {
    let home = repository.home();
    let has_directory = repository.directory(name).join("env.toml").exists();
    let certified = home.certificate(name).exists();
    let known = has_directory
        || certified
        || home.environment(name).directory().exists()
        || is_ending(milestone::last(&home.journal(name))?.as_ref());
    if known {
        entry(repository, name, has_directory, certified, now)
    } else {
        let known = list(repository, now)?.into_iter().map(|entry| entry.name).collect();
        Err(InventoryError::NotFound { name: name.clone(), known })
    }
}

/// Reads an environment's state; a missing one is `None`.
///
/// Terraform empties the file before it writes it, so a kill in that instant or a full disk leaves one that is cut short. The
/// state is then the newest that Terraform put elsewhere, and where it put none, it is not known: `None`.
pub(crate) fn state(
    repository: &Repository,
    name: &EnvName,
) -> Result<Option<StateFile>, InventoryError> {
    let path = repository.home().environment(name).state();
    if !path.exists() {
        return Ok(None);
    }
    for path in [vec![path], spare_states(repository, name)?].concat() {
        if let Some(text) = read_state(&path)?.filter(|text| is_whole(text)) {
            let parsed = StateFile::from_json(text.as_bytes());
            return parsed.map(Some).map_err(|source| InventoryError::State {
                name: name.clone(),
                path,
                source,
            });
        }
    }
    Ok(None)
}

/// Puts the newest state that is whole in the place of one that was cut short; returns whether there was anything to do.
pub(crate) fn restore_state(repository: &Repository, name: &EnvName) -> Result<bool, FileError> {
    let state = repository.home().environment(name).state();
    restore(&state, &spare_states(repository, name)?)
}

fn restore(state: &Path, spares: &[PathBuf]) -> Result<bool, FileError> {
    let Some(torn) = read_state(state)?.filter(|text| !is_whole(text)) else {
        return Ok(false);
    };
    for spare in spares {
        if let Some(text) = read_state(spare)?.filter(|text| is_whole(text)) {
            file::write_private(state, text.as_bytes())?;
            // One that is put back must not be found again after a later accident.
            let is_backup = *spare == backup(state);
            return if is_backup { Ok(()) } else { file::remove_file_if_present(spare) }
                .map(|()| true);
        }
    }
    // Terraform would refuse it for ever. A person may still find something in it.
    if !torn.is_empty() {
        fs::rename(state, state.with_extension("tfstate.torn")).during("rename", state)?;
    }
    Ok(!torn.is_empty())
}

/// Reads the text of a state; bytes that are no text are damage, which its parser tells.
pub(crate) fn read_state(path: &Path) -> Result<Option<String>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).during("read", path),
    }
}

/// Returns whether JSON is not cut short; one that is damaged otherwise is what `env repair` is for.
pub(crate) fn is_whole(text: &str) -> bool {
    !serde_json::from_str::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof())
}

/// Returns where Terraform puts a state beside its place, the newest first: one that it failed to write goes to the root
/// module, the one before the last change is kept.
pub(crate) fn spare_states(
    repository: &Repository,
    name: &EnvName,
) -> Result<Vec<PathBuf>, FileError> {
    let records = repository.home().environment(name);
    let bundle = Bundle::open(&records.bundle())?.map(|bundle| bundle.root_module());
    let root_modules = [Some(repository.directory(name)), bundle];
    let errored = root_modules.into_iter().flatten().map(|root| root.join("errored.tfstate"));
    Ok(errored.chain([backup(&records.state())]).collect())
}

/// Where the `local` backend keeps the state before the last change.
fn backup(state: &Path) -> PathBuf {
    state.with_extension("tfstate.backup")
}

/// Returns the names of the directories in the checkout that hold an `env.toml`.
pub(crate) fn directories(repository: &Repository) -> Result<BTreeSet<EnvName>, FileError> {
    let environments = repository.environments();
    let mut names = names(&environments, "")?;
    names.retain(|name| environments.join(name.as_str()).join("env.toml").exists());
    Ok(names)
}

/// Returns the environment names among a directory's entries with this suffix.
pub(crate) fn names(directory: &Path, suffix: &str) -> Result<BTreeSet<EnvName>, FileError> {
    let entries = file::list(directory)?;
    Ok(entries.iter().filter_map(|entry| entry.strip_suffix(suffix)?.parse().ok()).collect())
}

fn is_ending(milestone: Option<&Milestone>) -> bool {
    matches!(
        milestone,
        Some(
            Milestone::DestroyStarted | Milestone::DestroyFailed { .. } | Milestone::Proven { .. }
        )
    )
}

fn entry(
    repository: &Repository,
    name: &EnvName,
    has_directory: bool,
    certified: bool,
    now: Timestamp,
) -> Result<Entry, InventoryError> {
    let records = repository.home().environment(name);
    let mut notes = Vec::new();
    let directory = has_directory.then(|| repository.directory(name));
    let environment = match &directory {
        Some(directory) => read_intent(&directory.join("env.toml"), name, &mut notes),
        None if records.intent().exists() => read_intent(&records.intent(), name, &mut notes),
        None => None,
    };
    // A damaged state must not hide the others, and is never taken for an empty one.
    let (state, is_damaged) = match state(repository, name) {
        Ok(state) => (state, false),
        Err(error @ InventoryError::State { .. }) => {
            notes.push(format!("{error}: `cargo xtask env repair {name}` mends that"));
            (None, true)
        }
        Err(error) => return Err(error),
    };
    let resources = state.as_ref().map_or(0, |state| state.managed().len());
    // What has a directory and no records was never planned: no need to open its journal.
    let last = if certified || (has_directory && !records.directory().exists()) {
        None
    } else {
        milestone::last(&repository.home().journal(name))?
    };
    let phase = match &last {
        _ if certified => Phase::Gone,
        Some(Milestone::DestroyFailed { reason }) => {
            notes.push(format!("the last destroy failed: {reason}"));
            Phase::DestroyFailed
        }
        Some(Milestone::DestroyStarted | Milestone::Proven { .. }) => {
            notes.push(format!("its destroy did not finish: `cargo xtask env destroy {name} --confirm {name}` goes on with it"));
            Phase::Destroying
        }
        Some(Milestone::ApplyStarted { .. } | Milestone::ApplyFailed { .. }) => {
            notes.push(format!(
                "its last apply did not finish: `cargo xtask env up {name}` goes on with it"
            ));
            if resources > 0 { Phase::Deployed } else { Phase::Wanted }
        }
        _ if resources > 0 || is_damaged => Phase::Deployed,
        _ => Phase::Wanted,
    };
    if phase == Phase::Gone && has_directory {
        notes.push(format!(
            "it was destroyed, but this checkout has its directory: remove `tf/envs/{name}`"
        ));
    }
    if directory.is_none() && phase == Phase::Deployed {
        notes.push("its directory is not in this checkout; plan, apply and destroy use the bundle of its last apply".to_owned());
    }
    let expired = environment.as_ref().is_some_and(|environment| environment.expires <= now);
    if expired && phase != Phase::Gone {
        notes.push(format!("its time is over: `cargo xtask env destroy {name} --confirm {name}`"));
    }
    let url = state
        .as_ref()
        .and_then(|state| state.outputs.get("url")?.value.as_ref()?.as_str().map(str::to_owned));
    Ok(Entry { name: name.clone(), phase, directory, environment, url, resources, expired, notes })
}

/// Reads what an environment is meant to be; one broken file must not hide the others, so what is wrong becomes a note.
fn read_intent(path: &Path, name: &EnvName, notes: &mut Vec<String>) -> Option<Environment> {
    match Environment::read(path) {
        Ok(environment) => {
            if let Err(error) = environment.check_directory(name.as_str()) {
                notes.push(error.to_string());
            }
            Some(environment)
        }
        Err(ReadError::Invalid(errors)) => {
            notes.push(errors.to_string());
            None
        }
        Err(error) => {
            notes.push(error.to_string());
            None
        }
    }
}

/// Returns the known name that is nearest, if it is near enough to be meant.
fn nearest<'a>(name: &EnvName, known: &'a [EnvName]) -> Option<&'a EnvName> {
    let distances =
        known.iter().map(|other| (strsim::osa_distance(name.as_str(), other.as_str()), other));
    distances.filter(|(distance, _)| *distance <= 3).min().map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_was_cut_short_is_the_newest_that_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("terraform.tfstate");
        let errored = directory.path().join("errored.tfstate");
        let spares = [errored.clone(), backup(&state)];
        assert!(!restore(&state, &spares).unwrap(), "there is none");
        fs::write(&state, "").unwrap();
        assert!(!restore(&state, &spares).unwrap(), "it was never written");
        fs::write(backup(&state), "{\"serial\": 1}").unwrap();
        assert!(restore(&state, &spares).unwrap());
        assert_eq!(fs::read_to_string(&state).unwrap(), "{\"serial\": 1}");
        assert!(!restore(&state, &spares).unwrap(), "it is whole");

        fs::write(&errored, "{\"serial\": 2}").unwrap();
        fs::write(&state, "{\"serial\": ").unwrap();
        assert!(restore(&state, &spares).unwrap());
        assert_eq!(fs::read_to_string(&state).unwrap(), "{\"serial\": 2}");
        assert!(!errored.exists());

        fs::remove_file(backup(&state)).unwrap();
        fs::write(&state, "{\"serial\": ").unwrap();
        assert!(restore(&state, &spares).unwrap());
        assert!(!state.exists());
        assert!(directory.path().join("terraform.tfstate.torn").exists());

        fs::write(&state, "{<<<<<<< ours").unwrap();
        assert!(!restore(&state, &spares).unwrap(), "that is no accident of ours");
    }
}
