//! File operations that say which file failed, keep what they write to its owner, and never leave half a file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A file or directory could not be read, written or removed.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} `{}`", path.display())]
pub struct FileError {
    /// What was tried, as a verb: `read`, `write`, `create`, `remove` ….
    pub action: &'static str,
    /// What it was tried on.
    pub path: PathBuf,
    /// The system's answer.
    #[source]
    pub source: io::Error,
}

/// Adds the action and the path to a plain I/O error.
pub(crate) trait Context<T> {
    fn during(self, action: &'static str, path: &Path) -> Result<T, FileError>;
}

impl<T> Context<T> for io::Result<T> {
    fn during(self, action: &'static str, path: &Path) -> Result<T, FileError> {
        self.map_err(|source| FileError { action, path: path.to_owned(), source })
    }
}

/// Creates a directory and its parents, open to their owner only.
pub(crate) fn create_private_directory(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).during("create", path)
}

/// Writes a whole file that only its owner may read: to a sibling first, then by rename.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let sibling = path.with_file_name(name);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&sibling)?;
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(&sibling, path)
    })();
    if written.is_err() {
        // The write's own error is the one to tell; a disk that is full still lets go of files.
        let _ = fs::remove_file(&sibling);
    }
    written.during("write", path)
}

/// Makes an empty file, and waits until its directory has it on the disk.
pub(crate) fn mark(path: &Path) -> Result<(), FileError> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.during("create", path)?;
    let directory = path.parent().expect("a mark lies in a directory");
    File::open(directory).and_then(|file| file.sync_all()).during("write", directory)
}

/// Reads a text file; a missing one is `None`, everything else that goes wrong is an error.
pub(crate) fn read_if_present(path: &Path) -> Result<Option<String>, FileError> {
    present(fs::read_to_string(path)).during("read", path)
}

/// Reads a small file without asking first how long it is, for where there are very many.
pub(crate) fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(8 * 1024);
    // `File`'s own `read_to_end` would ask.
    File::open(path)?.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes a file; a missing one is as good.
pub(crate) fn remove_file_if_present(path: &Path) -> Result<(), FileError> {
    present(fs::remove_file(path)).during("remove", path).map(drop)
}

/// Removes a directory with all that is in it; a missing one is as good.
pub(crate) fn remove_directory_if_present(path: &Path) -> Result<(), FileError> {
    present(fs::remove_dir_all(path)).during("remove", path).map(drop)
}

/// Lists the names in a directory, sorted; a missing directory has none.
pub(crate) fn list(path: &Path) -> Result<Vec<String>, FileError> {
    let Some(entries) = present(fs::read_dir(path)).during("read", path)? else {
        return Ok(Vec::new());
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.during("read", path)?;
        // No name of ours is outside UTF-8, so such an entry is somebody else's.
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Copies a file with its mode; the error names the one of the two that it is about.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
    File::open(from).during("read", from)?;
    fs::copy(from, to).map(drop).during("write", to)
}

/// Copies a tree of plain files, except what `skip` names at its top level.
pub(crate) fn copy_tree(from: &Path, to: &Path, skip: &[&str]) -> Result<(), FileError> {
    create_private_directory(to)?;
    for name in list(from)?.iter().filter(|name| !skip.contains(&name.as_str())) {
        let (source, target) = (from.join(name), to.join(name));
        if source.is_dir() {
            copy_tree(&source, &target, &[])?;
        } else {
            copy(&source, &target)?;
        }
    }
    Ok(())
}

/// Returns whether hardly anything can be written there.
pub(crate) fn is_nearly_full(path: &Path) -> bool {
    const LITTLE: u64 = 64 * 1024;
    rustix::fs::statvfs(path)
        .is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < LITTLE)
}

/// Makes a rename or a removal in this directory survive a crash of the machine.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|directory| directory.sync_all()).during("write", path)
}

pub(crate) fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_written_is_its_owners() {
        let directory = tempfile::tempdir().unwrap();
        let private = directory.path().join("a/b");
        create_private_directory(&private).unwrap();
        let file = private.join("secret");
        write_private(&file, b"first, and longer").unwrap();
        write_private(&file, b"second").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"second");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(list(&private).unwrap(), ["secret"]);
    }

    #[test]
    fn missing_is_empty_and_unreadable_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        assert!(list(&file).unwrap().is_empty());
        assert!(read_if_present(&file).unwrap().is_none());
        fs::write(&file, "x").unwrap();
        assert!(list(&file).is_err());
        let error = read_if_present(&file.join("below")).unwrap_err();
        assert_eq!(error.action, "read");
    }
}
