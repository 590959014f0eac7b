//! Files of lines that a writer rotates while they are read.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// The longest line that is read; one batch of a collector has far less.
const LONGEST: u64 = 64 * 1024 * 1024;

/// How many rotated files are looked for: `.1` to `.9`.
const ROTATED: u32 = 9;

/// A file of telemetry could not be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read `{}`", path.display())]
pub struct ReadError {
    path: PathBuf,
    source: io::Error,
}

/// An open file, which stays the same one when it is rotated.
pub(crate) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
}

/// Opens a file and its rotated ones, the newest first; none of them need exist.
///
/// They are opened in this order and before any is read, so that a rotation meanwhile shows a file twice and hides none.
pub(crate) fn open(path: &Path) -> Result<Vec<Lines>, ReadError> {
    let mut names = vec![path.to_owned()];
    names.extend((1..=ROTATED).map(|number| {
        let mut name = OsString::from(path);
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }));
    let mut files = Vec::new();
    for path in names {
        match File::open(&path) {
            Ok(file) => files.push(Lines { path, reader: BufReader::with_capacity(1 << 16, file) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ReadError { path, source }),
        }
    }
    Ok(files)
}

impl Lines {
    /// Hands each line to `take`, which says whether it understood it; returns how many it did not understand.
    ///
    /// A last line without its end is still being written: it is not counted if it is not understood.
    pub(crate) fn each(mut self, mut take: impl FnMut(&[u8]) -> bool) -> Result<u64, ReadError> {
        let mut line = Vec::new();
        let mut damaged = 0;
        loop {
            line.clear();
            let read = (&mut self.reader).take(LONGEST).read_until(b'\n', &mut line);
            let failed = |source| ReadError { path: self.path.clone(), source };
            if read.map_err(failed)? == 0 {
                return Ok(damaged);
            }
            let is_whole = line.ends_with(b"\n");
            if line.trim_ascii().is_empty() {
                continue;
            }
            // A line that is longer than the longest is taken in pieces, none of which is understood.
            let is_understood = take(&line);
            damaged += u64::from(!is_understood && is_whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_the_last_line_may_be_torn() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("traces.ndjson");
        assert!(open(&path).unwrap().is_empty());
        std::fs::write(directory.path().join("traces.ndjson.2"), "old\n").unwrap();
        std::fs::write(&path, "new\n\nbad\nnew\nto").unwrap();
        let mut read = Vec::new();
        let mut damaged = 0;
        for lines in open(&path).unwrap() {
            let each = lines.each(|line| {
                read.push(String::from_utf8(line.to_vec()).unwrap());
                !line.starts_with(b"bad") && !line.starts_with(b"to")
            });
            damaged += each.unwrap();
        }
        assert_eq!(read, ["new\n", "bad\n", "new\n", "to", "old\n"]);
        assert_eq!(damaged, 1, "the torn line is none");
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        // A directory opens, and does not read.
        let files = open(directory.path()).unwrap();
        let error = files.into_iter().next().unwrap().each(|_| true).unwrap_err();
        assert!(error.to_string().starts_with("failed to read `"), "{error}");
    }
}
