//! Logs of programs: bounded in size, and their end for whoever asks why.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// A log is set aside when it is larger; one older generation is kept.
const LARGEST: u64 = 10 * 1024 * 1024;

/// Bytes read from the end of a log: enough for its last lines.
const TAIL: u64 = 16 * 1024;

/// Sets a large log aside as `….1` and empties it.
///
/// Copied and truncated, since the program keeps the file open: a line written between the two is lost.
pub(crate) fn rotate_if_large(path: &Path) -> io::Result<()> {
    if length(path) <= LARGEST {
        return Ok(());
    }
    let mut older = path.as_os_str().to_owned();
    older.push(".1");
    fs::copy(path, &older)?;
    File::options().write(true).open(path)?.set_len(0)
}

/// Returns the last lines of a log; empty where there is none.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    tail_since(path, 0, lines)
}

/// Returns the last lines of what was written after the log had a length.
pub(crate) fn tail_since(path: &Path, since: u64, lines: usize) -> String {
    read_end(path, since).map_or_else(|_| String::new(), |text| last_lines(&text, lines))
}

/// Returns the length of a log, for [`tail_since`].
pub(crate) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Whether nothing can be written there: a program that ends for that reason can't even log it.
pub(crate) fn is_disk_full(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|found| found.f_blocks > 0 && found.f_bavail == 0)
}

fn read_end(path: &Path, since: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // Emptied since: all of it is new.
    let since = if since > length { 0 } else { since };
    file.seek(SeekFrom::Start(since.max(length.saturating_sub(TAIL))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn last_lines(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_last_lines_come_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        assert_eq!(tail(&path, 2), "");
        fs::write(&path, "one\ntwo\nthree\n").unwrap();
        assert_eq!(tail(&path, 2), "two\nthree");
        assert_eq!(tail_since(&path, 8, 2), "three");
        assert_eq!(tail_since(&path, 1000, 9), "one\ntwo\nthree");
        fs::write(&path, "x".repeat(100_000) + "\nlast").unwrap();
        assert_eq!(tail(&path, 1), "last");
    }

    #[test]
    fn a_large_log_is_set_aside_while_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut writer = File::options().create(true).append(true).open(&path).unwrap();
        writer.write_all(b"small").unwrap();
        rotate_if_large(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"small");
        writer.set_len(LARGEST + 1).unwrap();
        rotate_if_large(&path).unwrap();
        writer.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(directory.path().join("log.1")).unwrap().len(), LARGEST + 1);
    }
}
