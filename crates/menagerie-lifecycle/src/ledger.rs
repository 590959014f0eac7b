//! The ledger of names ever used: one line a name, only ever appended to, so that no name comes back.

use crate::file::{Context as _, FileError, read_if_present};
use jiff::Timestamp;
use menagerie_naming::EnvName;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// One name that was given to an environment.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    /// The name.
    pub(crate) name: EnvName,
    /// When it was given.
    pub(crate) at: Timestamp,
    /// Whom it was given to.
    pub(crate) owner: String,
}

/// Reads the names of all entries; a line that a full disk or a kill cut short is passed over, since its name was never given
/// out.
pub(crate) fn names(path: &Path) -> Result<Vec<EnvName>, FileError> {
    // Who got a name and when is for people; of tens of thousands of lines only the names are needed.
    #[derive(Deserialize)]
    struct Named {
        name: EnvName,
    }
    let text = read_if_present(path)?.unwrap_or_default();
    let mut names = Vec::new();
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        match serde_json::from_str::<Named>(line) {
            Ok(entry) => names.push(entry.name),
            Err(_) if lines.peek().is_none() && !line.ends_with('\n') => {}
            Err(error) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, error)).during("read", path)?;
            }
        }
    }
    Ok(names)
}

/// Appends an entry and waits until it is on the disk; what could not be written whole is taken back.
pub(crate) fn append(path: &Path, entry: &Entry) -> Result<(), FileError> {
    let mut line = serde_json::to_string(entry).expect("names, times and text are JSON");
    line.push('\n');
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .during("open", path)?;
    let whole = end_of_last_line(&mut file).during("read", path)?;
    let written = (|| {
        file.set_len(whole)?;
        file.write_all(line.as_bytes())?;
        file.sync_data()
    })();
    if written.is_err() {
        let _ = file.set_len(whole);
    }
    written.during("write", path)
}

/// Returns the length of the file without a last line that was cut short.
fn end_of_last_line(file: &mut std::fs::File) -> io::Result<u64> {
    const LONGEST: u64 = 4096;
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(LONGEST);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
    Ok(start + end as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> EnvName {
        name.parse().unwrap()
    }

    fn entry(text: &str) -> Entry {
        Entry { name: name(text), at: Timestamp::UNIX_EPOCH, owner: "a \"b\"\n".into() }
    }

    #[test]
    fn what_is_appended_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.jsonl");
        assert!(names(&path).unwrap().is_empty());
        append(&path, &entry("calm-otter")).unwrap();
        append(&path, &entry("brave-newt")).unwrap();
        assert_eq!(names(&path).unwrap(), [name("calm-otter"), name("brave-newt")]);
    }

    #[test]
    fn a_torn_last_line_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.jsonl");
        append(&path, &entry("calm-otter")).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{{\"name\":\"bra")).unwrap();
        assert_eq!(names(&path).unwrap(), [name("calm-otter")]);
        append(&path, &entry("brave-newt")).unwrap();
        assert_eq!(names(&path).unwrap(), [name("calm-otter"), name("brave-newt")]);
    }

    #[test]
    fn a_broken_line_in_the_middle_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.jsonl");
        std::fs::write(&path, "nonsense\n").unwrap();
        assert_eq!(names(&path).unwrap_err().action, "read");
    }
}
