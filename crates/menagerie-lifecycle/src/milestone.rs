//! The milestones of an environment's life, as lines of its journal between those of Terraform's runs.

use crate::destroy::Certificate;
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

/// Appends a milestone and waits until it is on the disk.
pub(crate) fn append(journal: &Path, milestone: &Milestone) -> Result<(), JournalError> {
    Journal::new(journal.to_owned()).append(milestone)
}

/// Returns the last milestone.
pub(crate) fn last(journal: &Path) -> Result<Option<Milestone>, JournalError> {
    Journal::new(journal.to_owned()).last()
}
