//! One unpacked provider: its checksum, and how it gets to its place as a whole.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::mirror::MirrorError;

/// Nobody may write, be it a file or a directory.
const WRITABLE: u32 = 0o222;

/// Returns the platform as Terraform calls it, such as `linux_amd64`.
pub(crate) fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("{system}_{architecture}")
}

/// Returns whether a package is at its place, and closed.
pub(crate) fn is_placed(place: &Path) -> bool {
    fs::symlink_metadata(place)
        .is_ok_and(|metadata| metadata.is_dir() && metadata.permissions().mode() & WRITABLE == 0)
}

/// Brings an unpacked package to its place; whoever looks there sees nothing or all of it.
///
/// A link to where somebody else keeps it is followed, and what is there is copied to `scratch`.
pub(crate) fn place(package: &Path, scratch: &Path, place: &Path) -> Result<(), MirrorError> {
    let package = if package.is_symlink() {
        copy(package, scratch)?;
        scratch
    } else {
        package
    };
    for file in files(package)? {
        close_file(&file).map_err(|source| MirrorError::file("close", &file, source))?;
    }
    let parent = place.parent().expect("a platform is below a version");
    fs::create_dir_all(parent).map_err(|source| MirrorError::file("create", parent, source))?;
    fs::rename(package, place).map_err(|source| MirrorError::file("create", place, source))?;
    close_directories(place)
}

/// Makes the directories of a package read-only: the last step, since a directory that is so cannot be renamed or removed.
pub(crate) fn close_directories(place: &Path) -> Result<(), MirrorError> {
    for entry in entries(place)? {
        if entry.is_dir() {
            close_directories(&entry)?;
        }
    }
    fs::set_permissions(place, Permissions::from_mode(0o555))
        .map_err(|source| MirrorError::file("close", place, source))
}

/// Returns the checksum that a lock file has of an unpacked package: the hash of the list of its files' hashes, as Go's `dirhash`
/// makes it (<https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1>).
pub(crate) fn checksum(package: &Path) -> Result<String, MirrorError> {
    let mut names = Vec::new();
    for file in files(package)? {
        let name = file.strip_prefix(package).expect("it was found there").to_owned();
        names.push((name.to_string_lossy().into_owned(), file));
    }
    names.sort_unstable();
    let mut list = Sha256::new();
    for (name, path) in names {
        let hash = hash(&path).map_err(|source| MirrorError::file("read", &path, source))?;
        let hex = hash.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        list.update(format!("{hex}  {name}\n"));
    }
    Ok(format!("h1:{}", STANDARD.encode(list.finalize())))
}

/// Returns the hash of a file, which may be larger than the memory.
fn hash(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hash.finalize().to_vec()),
            read => hash.update(&chunk[..read]),
        }
    }
}

/// Writes it to the disk, and lets nobody write it any more.
fn close_file(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.sync_all()?;
    let mode = file.metadata()?.permissions().mode();
    file.set_permissions(Permissions::from_mode(mode & 0o555))
}

fn copy(from: &Path, to: &Path) -> Result<(), MirrorError> {
    fs::create_dir(to).map_err(|source| MirrorError::file("create", to, source))?;
    for entry in entries(from)? {
        let target = to.join(entry.file_name().expect("an entry has a name"));
        if entry.is_dir() {
            copy(&entry, &target)?;
        } else {
            fs::copy(&entry, &target)
                .map_err(|source| MirrorError::file("copy", &entry, source))?;
        }
    }
    Ok(())
}

/// Returns all files below a directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>, MirrorError> {
    let mut files = Vec::new();
    for entry in entries(directory)? {
        if entry.is_dir() {
            files.extend(self::files(&entry)?);
        } else {
            files.push(entry);
        }
    }
    Ok(files)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, MirrorError> {
    let read = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>());
    read.map_err(|source| MirrorError::file("read", directory, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_that_terraform_writes() {
        let directory = tempfile::tempdir().unwrap();
        let package = directory.path().join("package");
        fs::create_dir_all(package.join("docs")).unwrap();
        fs::write(package.join("terraform-provider-tiny_v1.0.0"), "#!/bin/sh\n").unwrap();
        fs::write(package.join("docs/README.md"), "tiny\n").unwrap();
        // Written by `terraform init` 1.11.4 for this package.
        assert_eq!(checksum(&package).unwrap(), "h1:oDNYRV5kvUZobPXCFJwVj2QM05qEIp+BP0t2bSpblcQ=");
    }

    #[test]
    fn a_package_is_placed_as_a_whole_and_closed() {
        let directory = tempfile::tempdir().unwrap();
        let package = directory.path().join("package");
        fs::create_dir_all(package.join("docs")).unwrap();
        fs::write(package.join("docs/README.md"), "tiny\n").unwrap();
        let place = directory.path().join("providers/a/b/c/1.0.0").join(platform());
        assert!(!is_placed(&place));
        super::place(&package, &directory.path().join("copy"), &place).unwrap();
        assert!(is_placed(&place) && !package.exists());
        for path in [place.clone(), place.join("docs"), place.join("docs/README.md")] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & WRITABLE, 0);
        }
    }
}
