//! Follows a file that a process writes, line by line.

use std::fs::File;
use std::io::{self, Read as _};

/// The longest line that is kept whole: above it memory, not sense, is at stake.
const LONGEST: usize = 16 * 1024 * 1024;

/// Reads what is new in a file each time it is asked.
pub(crate) struct Tail {
    file: File,
    line: Vec<u8>,
    chunk: Box<[u8]>,
}

impl Tail {
    pub(crate) fn new(file: File) -> Self {
        Self { file, line: Vec::new(), chunk: vec![0; 64 * 1024].into_boxed_slice() }
    }

    /// Calls back for each line that was completed since the last call.
    pub(crate) fn read(&mut self, on_line: &mut dyn FnMut(&str)) -> io::Result<()> {
        loop {
            let read = self.file.read(&mut self.chunk)?;
            if read == 0 {
                return Ok(());
            }
            let mut rest = &self.chunk[..read];
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                keep(&mut self.line, &rest[..end]);
                on_line(&String::from_utf8_lossy(&self.line));
                self.line.clear();
                rest = &rest[end + 1..];
            }
            keep(&mut self.line, rest);
        }
    }

    /// Returns the file, from where it was read so far.
    pub(crate) fn into_file(self) -> File {
        self.file
    }

    /// Calls back for the rest, also for a last line without an end.
    pub(crate) fn finish(mut self, on_line: &mut dyn FnMut(&str)) -> io::Result<()> {
        self.read(on_line)?;
        if !self.line.is_empty() {
            on_line(&String::from_utf8_lossy(&self.line));
        }
        Ok(())
    }
}

fn keep(line: &mut Vec<u8>, more: &[u8]) {
    let room = LONGEST.saturating_sub(line.len());
    line.extend_from_slice(&more[..more.len().min(room)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn lines_come_when_they_are_complete() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut tail = Tail::new(file.reopen().unwrap());
        let mut lines = Vec::new();
        file.write_all(b"one\ntw").unwrap();
        tail.read(&mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one"]);
        file.write_all(b"o\n\nth").unwrap();
        tail.read(&mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one", "two", ""]);
        file.write_all(b"\xff").unwrap();
        tail.finish(&mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one", "two", "", "th\u{fffd}"]);
    }

    #[test]
    fn a_line_longer_than_any_buffer_is_one_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; 1_000_000]).unwrap();
        let mut lengths = Vec::new();
        Tail::new(file.reopen().unwrap()).finish(&mut |line| lengths.push(line.len())).unwrap();
        assert_eq!(lengths, [1_000_000]);
    }
}
