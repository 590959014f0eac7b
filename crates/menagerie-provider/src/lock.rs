//! Locks by `flock`, so that the kernel frees them with their holder: one makes a supervisor the only one, one is shared by
//! all that serve.

use rustix::fs::{FlockOperation, flock};
use std::{fs::File, io, os::unix::fs::MetadataExt as _, path::Path, time::Duration};

/// A held lock; dropping it frees it.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting for at most `patience`; `None` when somebody else keeps it.
    pub(crate) fn take(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        Self::wait(path, FlockOperation::NonBlockingLockExclusive, patience)
    }

    /// Takes the lock together with others who share it, waiting for at most `patience`; `None` when somebody has it alone.
    pub(crate) fn share(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        Self::wait(path, FlockOperation::NonBlockingLockShared, patience)
    }

    fn wait(
        path: &Path,
        operation: FlockOperation,
        patience: Duration,
    ) -> io::Result<Option<Self>> {
        let mut outcome = Ok(None);
        crate::process::wait_until(patience, || {
            outcome = Self::attempt(path, operation);
            !matches!(outcome, Ok(None))
        });
        outcome
    }

    fn attempt(path: &Path, operation: FlockOperation) -> io::Result<Option<Self>> {
        let file =
            File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        match flock(&file, operation) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // `down` removes the file while it holds the lock: a lock on a file without a name locks nobody out.
        let named = std::fs::metadata(path)
            .is_ok_and(|found| found.ino() == file.metadata().map_or(0, |own| own.ino()));
        Ok(named.then_some(Self { _file: file }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_none_on_a_removed_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = Lock::take(&path, Duration::ZERO).unwrap();
        assert!(first.is_some());
        assert!(Lock::take(&path, Duration::ZERO).unwrap().is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(Lock::take(&path, Duration::ZERO).unwrap().is_some());
        drop(first);
        assert!(Lock::take(&path, Duration::ZERO).unwrap().is_some());
    }

    #[test]
    fn many_share_it_and_nobody_has_it_alone_meanwhile() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let shared = [(); 2].map(|()| Lock::share(&path, Duration::ZERO).unwrap());
        assert!(shared.iter().all(Option::is_some));
        assert!(Lock::take(&path, Duration::ZERO).unwrap().is_none());
        drop(shared);
        let _alone = Lock::take(&path, Duration::ZERO).unwrap();
        assert!(Lock::share(&path, Duration::ZERO).unwrap().is_none());
    }
}
