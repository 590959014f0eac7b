//! Remembers the version of an executable: asking for it costs as much as a whole `plan` of a small root module.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::version::Version;

/// An executable, told from the one that an upgrade puts in its place.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Executable {
    path: PathBuf,
    size: u64,
    modified: i64,
    modified_nanoseconds: i64,
    inode: u64,
}

impl Executable {
    /// Returns what identifies the file; `None` where it may start something else than itself.
    pub(crate) fn identify(path: &Path) -> Option<Self> {
        let resolved = path.canonicalize().ok()?;
        // A program that looks at the name it was called by, as some version managers do, has another name itself.
        let name = resolved.file_name()?.to_str()?;
        if !name.starts_with("terraform") && !name.starts_with("tofu") {
            return None;
        }
        let mut start = [0; 2];
        fs::File::open(&resolved).ok()?.read_exact(&mut start).ok()?;
        if start == *b"#!" {
            return None;
        }
        let metadata = resolved.metadata().ok()?;
        Some(Self {
            path: resolved,
            size: metadata.size(),
            modified: metadata.mtime(),
            modified_nanoseconds: metadata.mtime_nsec(),
            inode: metadata.ino(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Entry {
    executable: Executable,
    version: Version,
}

/// Returns the version that is known of exactly this executable.
pub(crate) fn look_up(cache: &Path, executable: &Executable) -> Option<Version> {
    let entry: Entry = serde_json::from_slice(&fs::read(cache).ok()?).ok()?;
    (entry.executable == *executable).then_some(entry.version)
}

/// Remembers a version. Where that fails it is asked for again; a torn file is not JSON and means the same.
pub(crate) fn remember(cache: &Path, executable: &Executable, version: Version) {
    let entry = serde_json::json!({"executable": executable, "version": version});
    if let Some(directory) = cache.parent() {
        let _ = fs::create_dir_all(directory);
    }
    let _ = fs::write(cache, entry.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executable(directory: &Path, name: &str, content: &str) -> Option<Executable> {
        fs::write(directory.join(name), content).unwrap();
        Executable::identify(&directory.join(name))
    }

    #[test]
    fn another_file_is_asked_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = directory.path().join("cache.json");
        let version: Version = "1.11.4".parse().unwrap();
        let first = executable(directory.path(), "terraform", "ELF 1").unwrap();
        assert_eq!(look_up(&cache, &first), None);
        remember(&cache, &first, version);
        assert_eq!(look_up(&cache, &first), Some(version));
        let upgraded = executable(directory.path(), "terraform", "ELF 22").unwrap();
        assert_eq!(look_up(&cache, &upgraded), None);
        fs::write(&cache, "{\"executable\": {").unwrap();
        assert_eq!(look_up(&cache, &first), None);
    }

    #[test]
    fn what_may_start_something_else_is_never_known() {
        let directory = tempfile::tempdir().unwrap();
        assert!(executable(directory.path(), "terraform", "#!/bin/sh\n").is_none());
        assert!(executable(directory.path(), "mise", "ELF").is_none());
        assert!(executable(directory.path(), "tofu", "").is_none());
    }
}
