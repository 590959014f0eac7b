//! The milestones of an environment's life, as lines of its journal between those of Terraform's runs.

use crate::destroy::Certificate;
use crate::file::{Context as _, FileError, read_if_present};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
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
pub(crate) fn append(journal: &Path, milestone: &Milestone) -> Result<(), FileError> {
    #[derive(Serialize)]
    struct Line<'a> {
        at: Timestamp,
        #[serde(flatten)]
        milestone: &'a Milestone,
    }
    let line = Line { at: Timestamp::now(), milestone };
    let mut text = serde_json::to_string(&line).expect("a milestone is JSON");
    text.push('\n');
    let written = (|| {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(journal)?;
        // A line that a kill or a full disk cut short stays alone on its line.
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                text.insert(0, '\n');
            }
        }
        file.write_all(text.as_bytes())?;
        file.sync_data()
    })();
    written.during("write", journal)
}

/// Returns the last milestone; lines of other kinds, and one that was cut short, are passed over.
pub(crate) fn last(journal: &Path) -> Result<Option<Milestone>, FileError> {
    let text = read_if_present(journal)?.unwrap_or_default();
    Ok(text.lines().rev().find_map(|line| serde_json::from_str(line).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_found_among_other_lines() {
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("journal");
        assert!(last(&journal).unwrap().is_none());
        append(&journal, &Milestone::Created).unwrap();
        append(&journal, &Milestone::DestroyFailed { reason: "`x`\n\"y\"".into() }).unwrap();
        let text = std::fs::read_to_string(&journal).unwrap();
        std::fs::write(&journal, text + "{\"at\":\"2026-01-01T00:00:00Z\",\"event\":\"started\",\"pid\":1}\n{\"event\":\"destr").unwrap();
        assert!(matches!(last(&journal).unwrap(), Some(Milestone::DestroyFailed { .. })));
        append(&journal, &Milestone::DestroyStarted).unwrap();
        assert!(matches!(last(&journal).unwrap(), Some(Milestone::DestroyStarted)));
    }
}
