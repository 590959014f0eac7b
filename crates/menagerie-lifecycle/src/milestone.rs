//! The milestones of an environment's life, as lines of its journal between those of Terraform's runs.
//!
//! While the last one says that something was begun and not ended, the environment has a mark: a listing opens the journals
//! of those only. The mark is there before the line and goes after the one that ends it, so that without one there is
//! nothing to find.

use crate::destroy::Certificate;
use crate::file::{self, FileError};
use crate::home::Home;
use menagerie_naming::EnvName;
use menagerie_terraform::{Journal, JournalError};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What happened to an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Milestone {
    /// Its directory was generated.
    Created,
    /// A plan is about to be applied; whatever exists from here on is on record.
    ApplyStarted { digest: String },
    /// A plan was applied.
    Applied,
    /// An apply ended with less than it set out for.
    ApplyFailed { reason: String },
    /// Its destruction was asked for: from here on it can only end.
    DestroyStarted,
    /// Something could not be destroyed.
    DestroyFailed { reason: String },
    /// Its state is empty and nothing of it runs; only files are left to remove.
    Proven { certificate: Box<Certificate> },
    /// It is gone.
    Destroyed,
}

/// A milestone could not be written down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MilestoneError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Milestone {
    /// Returns whether something has begun that this does not end.
    fn is_open(&self) -> bool {
        match self {
            Self::Created | Self::Applied | Self::Destroyed => false,
            Self::ApplyStarted { .. }
            | Self::ApplyFailed { .. }
            | Self::DestroyStarted
            | Self::DestroyFailed { .. }
            | Self::Proven { .. } => true,
        }
    }
}

/// Appends a milestone and waits until it is on the disk.
pub(crate) fn append(
    home: &Home,
    name: &EnvName,
    milestone: &Milestone,
) -> Result<(), MilestoneError> {
    let mark = home.unfinished().join(name.as_str());
    if milestone.is_open() {
        file::mark(&mark)?;
    }
    Journal::new(home.journal(name)).append(milestone)?;
    if !milestone.is_open() {
        file::remove_file_if_present(&mark)?;
    }
    Ok(())
}

/// Returns the last milestone.
pub(crate) fn last(journal: &Path) -> Result<Option<Milestone>, JournalError> {
    Journal::new(journal.to_owned()).last()
}
