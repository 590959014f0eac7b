//! The plan that was shown and waits for its apply, with what is needed to tell whether it still holds.

use crate::file::{self, Context as _, FileError};
use crate::home::EnvironmentHome;
use jiff::Timestamp;
use menagerie_plan::{Digest, Summary};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;

/// What was written down of a plan when it was shown.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedPlan {
    version: u32,
    pub(crate) digest: Digest,
    at: Timestamp,
    /// Fingerprint of the modules and variables that it was made from; `None` where Terraform's file of it is gone, so that
    /// only a plan with the same digest can take its place.
    inputs: Option<String>,
    /// What was shown.
    pub(crate) summary: Summary,
}

impl SavedPlan {
    pub(crate) fn new(digest: Digest, inputs: String, summary: Summary) -> Self {
        Self { version: 1, digest, at: Timestamp::now(), inputs: Some(inputs), summary }
    }

    /// Returns Terraform's own file of an environment's plan.
    pub(crate) fn path(records: &EnvironmentHome) -> PathBuf {
        records.plan().join("plan.tfplan")
    }

    /// Returns the plan that waits, if there is one.
    pub(crate) fn read(records: &EnvironmentHome) -> Result<Option<Self>, FileError> {
        let path = records.plan().join("plan.json");
        let Some(text) = file::read_if_present(&path)? else { return Ok(None) };
        let saved = serde_json::from_str(&text).map_err(io::Error::from).during("read", &path)?;
        Ok(Some(saved))
    }

    /// Returns whether Terraform's file of it is there, and was made from what is there now.
    pub(crate) fn holds(&self, records: &EnvironmentHome, inputs: &str) -> bool {
        self.inputs.as_deref() == Some(inputs) && Self::path(records).exists()
    }

    /// Takes Terraform's file of the plan that was shown away, to make room for another. What was shown stays on record, and
    /// stays what an apply is held to.
    pub(crate) fn detach(records: &EnvironmentHome) -> Result<(), FileError> {
        if let Some(saved) = Self::read(records)? {
            saved.write_detached(records)?;
        }
        file::remove_file_if_present(&Self::path(records))
    }

    /// Puts a plan down of which Terraform's file is not there any more.
    pub(crate) fn write_detached(self, records: &EnvironmentHome) -> Result<(), FileError> {
        Self { inputs: None, ..self }.write(records)
    }

    /// Puts a plan down; Terraform's file is there already.
    pub(crate) fn write(&self, records: &EnvironmentHome) -> Result<(), FileError> {
        let text = serde_json::to_string_pretty(self).expect("text and times are JSON");
        file::write_private(&records.plan().join("plan.json"), text.as_bytes())
    }

    /// Forgets that a plan waits, and leaves Terraform's file for the apply that begins. If that is cut short, what is left to
    /// do is another plan, and nobody may be held to this one.
    pub(crate) fn use_up(records: &EnvironmentHome) -> Result<(), FileError> {
        file::remove_file_if_present(&records.plan().join("plan.json"))
    }

    /// Forgets the plan that waits: its description first, for without it the plan itself is nothing.
    pub(crate) fn forget(records: &EnvironmentHome) -> Result<(), FileError> {
        Self::use_up(records)?;
        file::remove_file_if_present(&Self::path(records))
    }

    /// Returns the lines that only one of the two plans has, as a difference reads.
    pub(crate) fn difference(&self, now: &Summary) -> String {
        let (shown, now) = (self.summary.to_string(), now.to_string());
        let only = |these: &str, those: &str, sign: char| -> Vec<String> {
            let missing = these.lines().filter(|line| !those.lines().any(|other| other == *line));
            missing.map(|line| format!("{sign} {line}")).collect()
        };
        [only(&shown, &now, '-'), only(&now, &shown, '+')].concat().join("\n")
    }
}
