//! The state and the copies of it that Terraform leaves: which is the one, and how another takes its place.

use crate::file::{self, Context as _, FileError};
use crate::inventory::{is_whole, read_state, spare_states};
use crate::repository::Repository;
use menagerie_naming::EnvName;
use menagerie_plan::StateFile;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// What the state's file holds.
pub(super) enum Condition {
    Absent,
    Good(StateFile),
    /// Cut short; any run puts the spare in its place.
    Torn {
        spare: Option<PathBuf>,
    },
    Damaged {
        reason: String,
        spare: Option<PathBuf>,
    },
}

pub(super) fn condition(repository: &Repository, name: &EnvName) -> Result<Condition, FileError> {
    let path = repository.home().environment(name).state();
    let Some(text) = read_state(&path)? else { return Ok(Condition::Absent) };
    if !is_whole(&text) {
        let spare = spare(repository, name, is_whole)?;
        // A Terraform that never came to write it leaves it empty, which is as good as none.
        let is_none = text.is_empty() && spare.is_none();
        return Ok(if is_none { Condition::Absent } else { Condition::Torn { spare } });
    }
    match StateFile::from_json(text.as_bytes()) {
        Ok(state) => Ok(Condition::Good(state)),
        Err(error) => {
            let cause = std::error::Error::source(&error);
            let reason =
                cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            let is_good = |text: &str| StateFile::from_json(text.as_bytes()).is_ok();
            Ok(Condition::Damaged { reason, spare: spare(repository, name, is_good)? })
        }
    }
}

/// Returns the newest copy that will do.
fn spare(
    repository: &Repository,
    name: &EnvName,
    will_do: impl Fn(&str) -> bool,
) -> Result<Option<PathBuf>, FileError> {
    for path in spare_states(repository, name)? {
        if read_state(&path)?.is_some_and(|text| will_do(&text)) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Returns the text of the state, or of the copy that is about to take its place.
pub(super) fn newest(repository: &Repository, name: &EnvName) -> Result<Option<String>, FileError> {
    match condition(repository, name)? {
        Condition::Absent => Ok(None),
        Condition::Good(_) => read_state(&repository.home().environment(name).state()),
        Condition::Torn { spare } | Condition::Damaged { spare, .. } => {
            spare.map_or(Ok(None), |spare| read_state(&spare))
        }
    }
}

/// Returns the states that Terraform could not write to their place: where it left them, and where they wait for the next run.
pub(super) fn errored(repository: &Repository, name: &EnvName) -> Result<Vec<PathBuf>, FileError> {
    let mut paths = spare_states(repository, name)?;
    paths.retain(|path| path.file_name() == Some(OsStr::new("errored.tfstate")) && path.exists());
    let runs = repository.home().environment(name).runs();
    let waiting = file::list(&runs)?.into_iter().filter(|file| file.ends_with("-errored.tfstate"));
    paths.extend(waiting.map(|file| runs.join(file)));
    Ok(paths)
}

/// Sets a damaged state aside, and puts the spare in its place.
pub(super) fn replace(state: &Path, spare: Option<&Path>) -> Result<(), FileError> {
    let text = spare.map(file::read_if_present).transpose()?.flatten();
    fs::rename(state, state.with_extension("tfstate.damaged")).during("rename", state)?;
    match text {
        Some(text) => file::write_private(state, text.as_bytes()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_when_one_takes_the_place_of_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let read = |name: &str| fs::read_to_string(path(name)).unwrap();
        let state = path("terraform.tfstate");
        fs::write(path("terraform.tfstate.backup"), "old").unwrap();
        fs::write(&state, "<<<<").unwrap();
        replace(&state, Some(&path("terraform.tfstate.backup"))).unwrap();
        assert_eq!([read("terraform.tfstate"), read("terraform.tfstate.damaged")], ["old", "<<<<"]);
        assert_eq!(read("terraform.tfstate.backup"), "old");

        replace(&state, None).unwrap();
        assert!(!state.exists());
        assert_eq!(read("terraform.tfstate.damaged"), "old");
    }
}
