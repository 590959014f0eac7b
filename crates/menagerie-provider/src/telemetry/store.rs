//! The files of telemetry: whole lines, bounded in size, never the last of a disk.

use super::{Export, Signal};
use crate::file;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A file is set aside as `….1` when it would become larger.
const LARGEST: u64 = 8 * 1024 * 1024;

/// How many older generations are kept, `….1` the newest.
const GENERATIONS: u32 = 3;

/// What is left free on the disk, for the application and its database.
const RESERVE: u64 = 8 * 1024 * 1024;

/// Where telemetry is kept.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    largest: u64,
    reserve: u64,
    /// One writer at a time, and none when it is set.
    closed: Mutex<bool>,
    kept: AtomicU64,
    dropped: AtomicU64,
}

impl Store {
    /// Keeps telemetry in a directory, which is made when there is something to keep.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self::with_limits(directory, LARGEST, RESERVE)
    }

    fn with_limits(directory: PathBuf, largest: u64, reserve: u64) -> Self {
        Self {
            directory,
            largest,
            reserve,
            closed: Mutex::default(),
            kept: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Appends a request, whole or not at all; one that can't be kept is counted.
    pub(crate) fn append(&self, signal: Signal, export: &Export) -> io::Result<()> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let appended = if *closed {
            Err(io::Error::other("the collector is being removed"))
        } else {
            self.write(signal, &export.line)
        };
        let counter = if appended.is_ok() { &self.kept } else { &self.dropped };
        counter.fetch_add(export.items, Ordering::Relaxed);
        appended
    }

    fn write(&self, signal: Signal, line: &[u8]) -> io::Result<()> {
        file::make_private_directory(&self.directory)?;
        let disk = rustix::fs::statvfs(&self.directory)?;
        let needed = self.reserve + line.len() as u64;
        if disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < needed {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "no space left on device: the rest of it is the application's",
            ));
        }
        let path = self.path(signal);
        let length = fs::metadata(&path).map_or(0, |found| found.len());
        if length > 0 && length + line.len() as u64 > self.largest {
            rotate(&path)?;
        }
        let mut file = File::options().create(true).append(true).mode(0o600).open(&path)?;
        let before = file.metadata()?.len();
        let written = file.write_all(line);
        if written.is_err() {
            // A reader should find no half line.
            let _ = file.set_len(before);
        }
        written
    }

    /// Waits for whoever writes; nothing is written from here on.
    pub(crate) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn path(&self, signal: Signal) -> PathBuf {
        self.directory.join(format!("{}.ndjson", signal.as_str()))
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns how many items were kept since the supervisor started.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Returns how many items could not be kept.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn rotate(path: &Path) -> io::Result<()> {
    let generation = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    for number in (1..GENERATIONS).rev() {
        match fs::rename(generation(number), generation(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, generation(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn export(text: &str) -> Export {
        Export { line: format!("{text}\n").into_bytes(), items: 1 }
    }

    #[test]
    fn files_are_private_and_bounded() {
        let parent = tempfile::tempdir().unwrap();
        let store = Store::with_limits(parent.path().join("telemetry"), 8, 0);
        for number in 0..12 {
            store.append(Signal::Logs, &export(&format!("{number:03}"))).unwrap();
        }
        let read = |name: &str| fs::read_to_string(store.directory().join(name)).unwrap();
        assert_eq!(read("logs.ndjson"), "010\n011\n");
        assert_eq!(read("logs.ndjson.1"), "008\n009\n");
        assert_eq!(read("logs.ndjson.3"), "004\n005\n");
        assert_eq!(fs::read_dir(store.directory()).unwrap().count(), 4);
        assert_eq!((store.kept(), store.dropped()), (12, 0));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.directory()), 0o700);
        assert_eq!(mode(&store.path(Signal::Logs)), 0o600);
        // One that is larger than the limit is kept all the same, by itself.
        store.append(Signal::Logs, &export("longer than any")).unwrap();
        assert_eq!(read("logs.ndjson"), "longer than any\n");
    }

    #[test]
    fn the_last_of_a_disk_is_left_to_others() {
        let parent = tempfile::tempdir().unwrap();
        let store = Store::with_limits(parent.path().join("telemetry"), 8, u64::MAX / 2);
        let error = store.append(Signal::Traces, &export("x")).unwrap_err();
        assert!(error.to_string().contains("no space left on device"), "{error}");
        assert_eq!((store.kept(), store.dropped()), (0, 1));
        assert!(!store.path(Signal::Traces).exists());
    }

    #[test]
    fn a_directory_that_somebody_removed_is_made_again() {
        let parent = tempfile::tempdir().unwrap();
        let store = Store::new(parent.path().join("telemetry"));
        store.append(Signal::Traces, &export("one")).unwrap();
        fs::remove_dir_all(store.directory()).unwrap();
        store.append(Signal::Traces, &export("two")).unwrap();
        assert_eq!(fs::read_to_string(store.path(Signal::Traces)).unwrap(), "two\n");
    }
}
