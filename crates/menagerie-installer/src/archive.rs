//! What is done with an archive: its checksum is compared, and two of its files are taken out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::release::Checksum;

/// The program has 90 MB; an archive that unpacks to more than ten times that much is none of Terraform's.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// An archive is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    /// It is another file.
    #[error("the archive's SHA-256 is {actual}, and should be {expected}")]
    Checksum {
        /// What it should be.
        expected: Checksum,
        /// What it is.
        actual: Checksum,
    },
    /// It can't be unpacked.
    #[error("failed to unpack the archive")]
    Unpack(#[source] ZipError),
    /// It holds something else.
    #[error("the archive holds no program `terraform`")]
    NoProgram,
    /// What is in it is too large.
    #[error("`{0}` in the archive is larger than a program is")]
    TooLarge(String),
    /// A file could not be read or written.
    #[error("failed to {action} `{}`", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// Compares the checksum of an archive.
pub(crate) fn verify(archive: &Path, expected: &Checksum) -> Result<(), ArchiveError> {
    let failed = |source| file_error("read", archive, source);
    let mut file = File::open(archive).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        match file.read(&mut block).map_err(failed)? {
            0 => break,
            length => hasher.update(&block[..length]),
        }
    }
    let actual = Checksum::of(&hasher.finalize());
    if actual == *expected {
        return Ok(());
    }
    Err(ArchiveError::Checksum { expected: expected.clone(), actual })
}

/// Takes the program out of an archive, and its licence where there is one. What else is in it stays there.
pub(crate) fn unpack(archive: &Path, into: &Path) -> Result<(), ArchiveError> {
    fs::create_dir(into).map_err(|source| file_error("create", into, source))?;
    let file = File::open(archive).map_err(|source| file_error("read", archive, source))?;
    let mut archive = ZipArchive::new(file).map_err(ArchiveError::Unpack)?;
    for (name, mode, is_needed) in [("terraform", 0o755, true), ("LICENSE.txt", 0o644, false)] {
        let mut entry = match archive.by_name(name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) if is_needed => return Err(ArchiveError::NoProgram),
            Err(ZipError::FileNotFound) => continue,
            Err(error) => return Err(ArchiveError::Unpack(error)),
        };
        let path = into.join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .map_err(|source| file_error("create", &path, source))?;
        let failed = |source| file_error("write", &path, source);
        // What the archive says of its size need not be true.
        let written = io::copy(&mut entry.by_ref().take(LARGEST + 1), &mut file).map_err(failed)?;
        if written > LARGEST {
            return Err(ArchiveError::TooLarge(name.to_owned()));
        }
        // It is renamed into place next: then it must be whole, also after a power failure.
        file.sync_all().map_err(failed)?;
    }
    Ok(())
}

pub(crate) fn file_error(action: &'static str, path: &Path, source: io::Error) -> ArchiveError {
    ArchiveError::File { action, path: path.to_owned(), source }
}
