//! [`install`]: fetch, verify, put in place; one at a time, and all or nothing.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::archive::{self, ArchiveError, file_error};
use crate::download::{DownloadError, download};
use crate::release::{Origin, Release, UnknownPlatform, Version};

/// What a run that was killed leaves begins like this.
const STAGING: &str = ".fetching-";

/// The program is in place.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Where: a link that always leads to the version that was asked for last.
    pub(crate) path: PathBuf,
    version: Version,
    was_there: bool,
}

impl fmt::Display for Installed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, was_there, .. } = self;
        if *was_there {
            write!(formatter, "Terraform {version} was there already")
        } else {
            write!(formatter, "Terraform {version} is in place, its SHA-256 verified")
        }
    }
}

/// It could not be put in place; what was there before is there still.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    /// None is known for this machine.
    #[error(transparent)]
    Platform(#[from] UnknownPlatform),
    /// It could not be fetched.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// What was fetched is not what it should be.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl InstallError {
    /// Returns the way out.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Platform(_) => {
                Some("install Terraform or OpenTofu yourself, and put it on the PATH")
            }
            Self::Download(error) => error.hint(),
            Self::Archive(ArchiveError::Checksum { .. }) => Some(
                "nothing was put in place: a proxy may have answered with a page of its own, or the mirror holds another file",
            ),
            Self::Archive(_) => None,
        }
    }
}

/// Puts a release in place.
pub(crate) fn install(
    release: &Release,
    origin: &Origin,
    directory: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<Installed, InstallError> {
    fs::create_dir_all(directory).map_err(|source| file_error("create", directory, source))?;
    // Held until the end of this function, or of this process.
    let _lock = lock(&directory.join("lock"), say)?;
    sweep(directory)?;
    let version = &release.version;
    let program = format!("terraform-{version}");
    // It was renamed to this when it was whole.
    let was_there = directory.join(&program).is_dir();
    if !was_there {
        let staging = tempfile::Builder::new()
            .prefix(STAGING)
            .tempdir_in(directory)
            .map_err(|source| file_error("create a directory in", directory, source))?;
        let fetched = staging.path().join("archive.zip");
        let url = release.url(origin);
        say(&format!("Fetching {url}"));
        download(&url, origin, &fetched)?;
        archive::verify(&fetched, &release.checksum)?;
        let unpacked = staging.path().join(&program);
        archive::unpack(&fetched, &unpacked)?;
        rename(&unpacked, &directory.join(&program))?;
    }
    let path = directory.join("terraform");
    link(&Path::new(&program).join("terraform"), &path)?;
    Ok(Installed { path, version: version.clone(), was_there })
}

fn lock(path: &Path, say: &mut dyn FnMut(&str)) -> Result<File, ArchiveError> {
    let file = File::create(path).map_err(|source| file_error("create", path, source))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => say("Waiting for another setup to end"),
        Err(TryLockError::Error(source)) => return Err(file_error("lock", path, source)),
    }
    file.lock().map_err(|source| file_error("lock", path, source))?;
    Ok(file)
}

/// Removes what runs that were killed left; the lock says that none of them lives.
fn sweep(directory: &Path) -> Result<(), ArchiveError> {
    let failed = |source| file_error("read", directory, source);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            let path = entry.path();
            let removed = if path.is_symlink() || path.is_file() {
                fs::remove_file(&path)
            } else {
                fs::remove_dir_all(&path)
            };
            removed.map_err(|source| file_error("remove", &path, source))?;
        }
    }
    Ok(())
}

/// Makes a link, in the place of the one that is there: at no moment is there none.
fn link(to: &Path, path: &Path) -> Result<(), ArchiveError> {
    if fs::read_link(path).is_ok_and(|found| found == to) {
        return Ok(());
    }
    let new = path.with_file_name(format!("{STAGING}link"));
    symlink(to, &new).map_err(|source: io::Error| file_error("create", &new, source))?;
    rename(&new, path)
}

fn rename(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    fs::rename(from, to).map_err(|source| file_error("rename something to", to, source))
}
