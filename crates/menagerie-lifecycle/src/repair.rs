//! `env repair`: finds what is wrong with an environment, and mends what can be mended without destroying anything.
//!
//! It does nothing that a person could not do by another command: it waits, puts a state back, removes what a killed run left,
//! and applies what was applied last. Edits that were never applied stay so.

mod look;
mod states;
mod trouble;

pub use look::look;
pub use trouble::{Mender, Trouble};

use crate::apply::{self, ApplyOptions};
use crate::bundle::Bundle;
use crate::create;
use crate::destroy::{Certificate, destroy};
use crate::file;
use crate::probe::Health;
use crate::run::RunError;
use crate::saved_plan::SavedPlan;
use crate::session::{Held, Session};
use crate::status::from_bundle;
use menagerie_naming::EnvName;
use menagerie_plan::Summary;
use menagerie_terraform::Workdir;
use std::path::{Path, PathBuf};

/// What a repair may do beside.
#[derive(Debug, Clone, Copy, Default)]
pub struct RepairOptions {
    /// Goes on with a destroy that did not finish.
    pub destroy: bool,
    /// Puts the directory of the last apply back into a checkout that has none.
    pub directory: bool,
}

/// What a repair came to.
#[derive(Debug, Default)]
pub struct Repaired {
    /// What was wrong.
    pub found: Vec<Trouble>,
    /// What still is.
    pub remains: Vec<Trouble>,
    /// What an apply had to change; empty where nothing had drifted, `None` where none was made.
    pub applied: Option<Summary>,
    /// Whether it answers after that.
    pub health: Option<Health>,
    /// The directory that was put back.
    pub directory: Option<PathBuf>,
    /// The proof, where it is destroyed now.
    pub certificate: Option<Certificate>,
}

/// Repairs an environment. Doing it again does nothing.
pub fn repair(
    session: &mut Session<'_>,
    name: &EnvName,
    options: RepairOptions,
) -> Result<Repaired, RunError> {
    let provider = session.provider.clone();
    let found = look(session.repository, &provider, name)?;
    if let Some(Trouble::Busy { holder }) =
        found.iter().find(|trouble| matches!(trouble, Trouble::Busy { .. }))
    {
        return Err(RunError::Held { name: name.clone(), holder: holder.clone() });
    }
    let is_ending = |trouble: &Trouble| matches!(trouble, Trouble::UnfinishedDestroy { .. });
    let mut repaired = Repaired { found, ..Repaired::default() };
    if is_known_here(session, name) {
        let held = session.hold(name, "a repair")?;
        mend_files(session, &held)?;
        if !repaired.found.iter().any(is_ending) {
            if options.directory {
                repaired.directory = restore_directory(session, &held)?;
            }
            if let Some(applied) = heal(session, &held)? {
                repaired.health = applied.health;
                repaired.applied = Some(applied.summary);
            }
        }
    }
    if options.destroy && repaired.found.iter().any(is_ending) {
        repaired.certificate = Some(destroy(session, name)?);
    }
    repaired.remains = look(session.repository, &provider, name)?;
    Ok(repaired)
}

/// Returns whether this machine has records of it; without, there is nothing to hold.
fn is_known_here(session: &Session<'_>, name: &EnvName) -> bool {
    session.repository.home().environment(name).directory().exists()
}

/// Puts states in their place, and removes notes and remains of runs that were killed; holding it has put back a state that
/// was cut short.
fn mend_files(session: &mut Session<'_>, held: &Held) -> Result<(), RunError> {
    let state = held.records.state();
    for trouble in look::files(session.repository, &held.name)? {
        match &trouble {
            Trouble::DamagedState { spare, .. } => {
                states::replace(&state, spare.as_deref())?;
                // One that Terraform could not write has served, and the next run sees that it did.
                for path in states::errored(session.repository, &held.name)? {
                    put_aside(session, held, &path)?;
                }
            }
            Trouble::UnsavedState { path } | Trouble::OtherState { path } => {
                put_aside(session, held, path)?;
            }
            Trouble::LockNote { path, .. } | Trouble::Leftover { path } => {
                if path.is_dir() {
                    file::remove_directory_if_present(path)?;
                } else {
                    file::remove_file_if_present(path)?;
                }
            }
            _ => continue,
        }
        session.note(&format!("{trouble}: {}", trouble.remedy(&held.name)));
    }
    Ok(())
}

/// Moves a state that Terraform left in a root module to where the next run of it finds it, whichever root module that is in.
fn put_aside(session: &Session<'_>, held: &Held, path: &Path) -> Result<(), RunError> {
    let runs = held.records.runs();
    if path.parent() == Some(&runs) {
        return Ok(());
    }
    let workdir = Workdir {
        directory: path.parent().unwrap_or(path).to_owned(),
        data_directory: held.records.data(),
        runs_directory: runs,
        environment: session.variables.clone(),
        reattach_providers: None,
        workspace: None,
        journal: None,
    };
    workdir.put_aside().map_err(|source| RunError::Terraform {
        name: held.name.clone(),
        command: "state push",
        source,
    })
}

/// Applies what was applied last, unless that would take something away.
fn heal(session: &mut Session<'_>, held: &Held) -> Result<Option<apply::Applied>, RunError> {
    let Some(ready) = from_bundle(session, held)? else { return Ok(None) };
    // Whoever was shown a plan is held to it as before, whatever this one changes.
    let shown = SavedPlan::read(&held.records)?;
    let healed = apply::apply_unseen(session, held, &ready, &ApplyOptions::default());
    if let Some(shown) = shown {
        shown.write_detached(&held.records)?;
    }
    let summary = healed?;
    file::remove_file_if_present(&SavedPlan::path(&held.records))?;
    apply::finish(session, held, summary).map(Some)
}

/// Puts the directory of the last apply back, where this checkout has none.
fn restore_directory(session: &mut Session<'_>, held: &Held) -> Result<Option<PathBuf>, RunError> {
    let directory = session.repository.directory(&held.name);
    if directory.exists() {
        return Ok(None);
    }
    let bundle = Bundle::open(&held.records.bundle())?
        .ok_or_else(|| RunError::NoSource(held.name.clone()))?;
    create::restore(session.repository, &held.name, &bundle.root_module())?;
    Ok(Some(directory))
}
