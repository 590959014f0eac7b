//! `state …`, `import`, `force-unlock`.

use std::ffi::OsString;
use std::fmt;

use menagerie_plan::{ParseError, StateFile};

use crate::arguments::{
    ImportOptions, Limits, StateListOptions, StateMoveOptions, StatePushOptions,
    StateRemoveOptions, force_unlock_arguments, import_arguments, state_list_arguments,
    state_move_arguments, state_pull_arguments, state_push_arguments, state_remove_arguments,
    state_show_arguments,
};
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::Ended;
use crate::execute::{Invocation, Notice, Prints, RunError, execute};
use crate::workdir::Workdir;

/// A whole state, as the backend has it. Its `Debug` shows nothing of what is in it.
#[derive(Clone, PartialEq)]
pub struct StateSnapshot {
    json: Vec<u8>,
    file: StateFile,
}

impl StateSnapshot {
    pub(crate) fn from_json(json: Vec<u8>) -> Result<Self, ParseError> {
        StateFile::from_json(&json).map(|file| Self { json, file })
    }

    /// Returns it as it was printed, sensitive values in clear: for a file that only its owner may read.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Returns what it says: serial, lineage, addresses.
    pub fn file(&self) -> &StateFile {
        &self.file
    }
}

impl fmt::Debug for StateSnapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StateSnapshot")
            .field("serial", &self.file.serial)
            .field("lineage", &self.file.lineage)
            .finish_non_exhaustive()
    }
}

impl Workdir {
    /// Runs `state list`, and returns addresses. There being no state at all is no failure: it has none.
    pub fn state_list(
        &self,
        terraform: &Terraform,
        options: &StateListOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Vec<String>>, RunError> {
        let arguments = state_list_arguments(options);
        let invocation =
            Invocation::reading("state list", arguments, Prints::Document, Limits::default());
        let ended = execute(self, terraform, &invocation, notices, cancel)?;
        if let Ended::Failed(failure) = &ended
            && failure.stderr.trim().starts_with("No state file was found!")
            && options.addresses.is_empty()
        {
            return Ok(Ended::Done(Vec::new()));
        }
        Ok(ended.map(|finished| finished.text().lines().map(str::to_owned).collect()))
    }

    /// Runs `state show`, and returns its text, in the language of the configuration.
    ///
    /// It hides what the configuration marks as sensitive, but not where else the value has got to (measured with 1.11.4), so
    /// it goes to a file without a name.
    pub fn state_show(
        &self,
        terraform: &Terraform,
        address: &str,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<String>, RunError> {
        let arguments = state_show_arguments(address);
        let ended = self.read_secret("state show", arguments, terraform, notices, cancel)?;
        Ok(ended.map(|finished| finished.text()))
    }

    /// Runs `state mv`.
    pub fn state_move(
        &self,
        terraform: &Terraform,
        options: &StateMoveOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let arguments = state_move_arguments(options);
        self.change_state("state mv", arguments, options.limits, terraform, notices, cancel)
    }

    /// Runs `state rm`: the objects stay, and nobody keeps track of them any more.
    pub fn state_remove(
        &self,
        terraform: &Terraform,
        options: &StateRemoveOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let arguments = state_remove_arguments(options);
        self.change_state("state rm", arguments, options.limits, terraform, notices, cancel)
    }

    /// Runs `state pull`; `None` where there is no state yet. What it prints goes to a file without a name.
    pub fn state_pull(
        &self,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Option<StateSnapshot>>, RunError> {
        let arguments = state_pull_arguments();
        let ended = self.read_secret("state pull", arguments, terraform, notices, cancel)?;
        ended.and_then(|finished| {
            let json = finished.document;
            if json.trim_ascii().is_empty() {
                return Ok(Ended::Done(None));
            }
            match StateSnapshot::from_json(json) {
                Ok(snapshot) => Ok(Ended::Done(Some(snapshot))),
                Err(source) => Err(RunError::Parse { command: "state pull", source }),
            }
        })
    }

    /// Runs `state push`. Terraform refuses one of another lineage, and one with a lower serial.
    pub fn state_push(
        &self,
        terraform: &Terraform,
        options: &StatePushOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let arguments = state_push_arguments(options);
        self.change_state("state push", arguments, options.limits, terraform, notices, cancel)
    }

    /// Runs `import`. See [`ImportOptions`] for what is better.
    pub fn import(
        &self,
        terraform: &Terraform,
        options: &ImportOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let arguments = import_arguments(options);
        self.change_state("import", arguments, options.limits, terraform, notices, cancel)
    }

    /// Runs `force-unlock`, and asks nobody: only for a lock whose holder is known to be dead.
    ///
    /// The `pg` backend says that it has unlocked whatever it is asked for, and unlocks nothing: its locks end with the session
    /// of their holder. A lock of the `local` backend cannot be released by another process than its holder's, and need not.
    pub fn force_unlock(
        &self,
        terraform: &Terraform,
        lock_id: &str,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let arguments = force_unlock_arguments(lock_id);
        let limits = Limits::default();
        self.change_state("force-unlock", arguments, limits, terraform, notices, cancel)
    }

    fn change_state(
        &self,
        command: &'static str,
        arguments: Vec<OsString>,
        limits: Limits,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let invocation = Invocation::changing(command, arguments, Prints::Document, limits);
        Ok(execute(self, terraform, &invocation, notices, cancel)?.map(drop))
    }
}
