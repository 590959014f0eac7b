//! A backup's file: what the engine's own tool wrote, and behind it one line of JSON that says what that is.
//!
//! The line comes last, so that a file which was cut short has none, and so that `pg_restore` reads a backup of
//! PostgreSQL as it is. It holds a checksum, which is compared before anything is changed.

use crate::{name::Name, record::Engine};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

/// Version of the format.
const VERSION: u32 = 1;

/// The line is far shorter.
const LONGEST_LINE: u64 = 16 * 1024;

/// What a backup says of itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// The version, and what tells a label from other JSON.
    pub(crate) menagerie_backup: u32,
    pub(crate) engine: Engine,
    pub(crate) database: Name,
    /// Seconds since 1970.
    pub(crate) created: u64,
    /// What lies one after another before this line.
    pub(crate) parts: Vec<Part>,
    /// Checksum of all parts, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// A file that was put into a backup.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// What follows the database's own name: nothing, `-wal` or `-journal`.
    pub(crate) suffix: String,
    pub(crate) length: u64,
}

/// A file that is not restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    #[error("failed to read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is no backup of Menagerie, or was cut short", .0.display())]
    Unlabelled(PathBuf),
    #[error("the backup `{}` is damaged: {problem}", path.display())]
    Damaged { path: PathBuf, problem: &'static str },
    #[error("the backup `{}` has version {found}; this program knows {VERSION}", path.display())]
    Version { path: PathBuf, found: u32 },
}

/// Writes the label behind the parts, and waits until all of it is on the disk.
pub(crate) fn seal(
    file: &mut File,
    (engine, database): (Engine, Name),
    created: u64,
    parts: Vec<Part>,
) -> io::Result<Label> {
    file.seek(SeekFrom::Start(0))?;
    let sha256 = checksum(&mut *file)?;
    let label = Label { menagerie_backup: VERSION, engine, database, created, parts, sha256 };
    let mut line = serde_json::to_vec(&label)?;
    line.insert(0, b'\n');
    line.push(b'\n');
    file.seek(SeekFrom::End(0))?;
    file.write_all(&line)?;
    file.sync_all()?;
    Ok(label)
}

/// Reads the label, and whether it is true of what lies before it.
pub(crate) fn check(path: &Path) -> Result<Label, FormatError> {
    let failed = |source| FormatError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let (label, length) = label(&mut file)
        .map_err(failed)?
        .ok_or_else(|| FormatError::Unlabelled(path.to_owned()))?;
    let damaged = |problem| FormatError::Damaged { path: path.to_owned(), problem };
    if label.menagerie_backup != VERSION {
        let found = label.menagerie_backup;
        return Err(FormatError::Version { path: path.to_owned(), found });
    }
    let sum = label.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.length));
    if sum != Some(length) {
        return Err(damaged("it is shorter or longer than it says"));
    }
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    if checksum(file.take(length)).map_err(failed)? != label.sha256 {
        return Err(damaged("its checksum is another one"));
    }
    Ok(label)
}

/// Finds the last line, and the length of what lies before it.
fn label(file: &mut File) -> io::Result<Option<(Label, u64)>> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(LONGEST_LINE);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.take(LONGEST_LINE).read_to_end(&mut end)?;
    let Some(text) = end.strip_suffix(b"\n") else { return Ok(None) };
    let Some(newline) = text.iter().rposition(|byte| *byte == b'\n') else { return Ok(None) };
    let label = serde_json::from_slice(&text[newline + 1..]).ok();
    Ok(label.map(|label| (label, start + newline as u64)))
}

fn checksum(mut content: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 128 * 1024];
    loop {
        match content.read(&mut bytes)? {
            0 => return Ok(crate::random::hexadecimal(&hash.finalize())),
            count => hash.update(&bytes[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(directory: &Path, content: &[u8]) -> (PathBuf, Label) {
        let path = directory.join("backup");
        std::fs::write(&path, content).unwrap();
        let mut file = File::options().read(true).write(true).open(&path).unwrap();
        let parts = vec![Part { suffix: String::new(), length: content.len() as u64 }];
        let of = (Engine::Sqlite, "main".parse().unwrap());
        let label = seal(&mut file, of, 7, parts).unwrap();
        (path, label)
    }

    #[test]
    fn what_was_sealed_is_read() {
        let directory = tempfile::tempdir().unwrap();
        for content in [&b""[..], b"\n", b"one\ntwo", &vec![7; 300_000]] {
            let (path, label) = sealed(directory.path(), content);
            assert_eq!(check(&path).unwrap(), label);
        }
        let (path, _) = sealed(directory.path(), b"abc");
        insta::assert_snapshot!(std::fs::read_to_string(path).unwrap(), @r#"
        abc
        {"menagerie_backup":1,"engine":"sqlite","database":"main","created":7,"parts":[{"suffix":"","length":3}],"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
        "#);
    }

    #[test]
    fn what_is_damaged_is_never_taken_for_whole() {
        let directory = tempfile::tempdir().unwrap();
        let (path, _) = sealed(directory.path(), b"some content\nof two lines");
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(check(&path).is_err(), "cut to {length} of {}", whole.len());
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            // A label may be another one and still be true of the content: of another name, or another time.
            if let Ok(label) = check(&path) {
                assert!(place > 25, "changed at {place}: {label:?}");
            }
        }
        std::fs::write(&path, "no backup at all\n").unwrap();
        let error = check(&path).unwrap_err().to_string();
        assert!(error.ends_with("is no backup of Menagerie, or was cut short"), "{error}");
        assert!(matches!(check(&directory.path().join("none")), Err(FormatError::Read { .. })));
    }
}
