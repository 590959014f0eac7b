//! One lock a file: held by the kernel for as long as its holder lives, so that a killed run never leaves one behind.

use crate::file::{self, Context as _, FileError};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whoever only looks has a lock for an instant, and so has a child that is not the program yet which it is to be.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// A lock could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another run holds it.
    #[error("another run holds it: {holder}")]
    Held {
        /// What the holder wrote of itself.
        holder: String,
        /// The lock's file.
        path: PathBuf,
    },
    /// The lock's file could not be opened or locked.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Lock {
    /// Waits until the lock is free, for locks that are held for milliseconds.
    pub(crate) fn wait(path: &Path) -> Result<Self, FileError> {
        loop {
            let file = open(path)?;
            file.lock().during("lock", path)?;
            if is_current(&file, path) {
                return Ok(Self { _file: file });
            }
        }
    }

    /// Takes the lock or says who has it; `holder` is what the next one reads.
    pub(crate) fn take(path: &Path, holder: &str) -> Result<Self, LockError> {
        let mut attempts = ATTEMPTS;
        loop {
            let mut file = open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if attempts > 0 => {
                    attempts -= 1;
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    file.read_to_string(&mut holder).during("read", path)?;
                    return Err(LockError::Held {
                        holder: holder.trim().to_owned(),
                        path: path.to_owned(),
                    });
                }
                Err(TryLockError::Error(source)) => Err(source).during("lock", path)?,
            }
            if is_current(&file, path) {
                let written = (|| {
                    file.set_len(0)?;
                    file.seek(SeekFrom::Start(0))?;
                    file.write_all(holder.as_bytes())
                })();
                written.during("write", path)?;
                return Ok(Self { _file: file });
            }
        }
    }
}

/// Returns who holds a lock, if somebody does; nothing is made or left behind.
pub(crate) fn holder(path: &Path) -> Result<Option<String>, FileError> {
    let Some(text) = file::read_if_present(path)? else { return Ok(None) };
    let file = File::open(path).during("open", path)?;
    for _ in 0..ATTEMPTS {
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(source)) => Err(source).during("lock", path)?,
        }
    }
    Ok(Some(text.trim().to_owned()))
}

fn open(path: &Path) -> Result<File, FileError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .during("open", path)
}

/// Tells whether the locked file is still the one at the path: `env destroy` removes it while it holds it.
fn is_current(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_reads_who_is_first() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = Lock::take(&path, "pid 7, env apply").unwrap();
        let LockError::Held { holder, .. } = Lock::take(&path, "pid 8").unwrap_err() else {
            panic!("held")
        };
        assert_eq!(holder, "pid 7, env apply");
        assert_eq!(super::holder(&path).unwrap().as_deref(), Some("pid 7, env apply"));
        drop(first);
        assert_eq!(super::holder(&path).unwrap(), None, "what it wrote is no lock");
        assert_eq!(super::holder(&directory.path().join("none")).unwrap(), None);
        Lock::take(&path, "pid 8").unwrap();
    }

    #[test]
    fn a_removed_lock_is_not_held_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = Lock::wait(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = Lock::take(&path, "new file").unwrap();
        drop(first);
        Lock::take(&path, "other").unwrap_err();
        drop(second);
    }
}
