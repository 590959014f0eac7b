//! Reads logs while they are written: through their rotation, and those of replicas that come later.

use super::{Log, list, services};
use crate::file::{Context as _, FileError};
use crate::repository::Repository;
use menagerie_naming::EnvName;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::mem;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A line that is longer comes in parts.
const LONGEST: usize = 64 * 1024;

/// The logs of an environment, each read up to where it was read last.
#[derive(Debug)]
pub struct Follow {
    services: PathBuf,
    service: Option<String>,
    /// How many lines that were there before are read of each.
    lines: Option<usize>,
    sources: Vec<Source>,
}

/// What one replica wrote since it was last asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Lines {
    /// Whose it is.
    pub log: Log,
    /// Whole lines; the bytes are the application's, and need not be text.
    pub text: Vec<u8>,
}

#[derive(Debug)]
struct Source {
    log: Log,
    file: File,
    /// How far it was read.
    offset: u64,
    /// The beginning of a line that is not at its end yet.
    pending: Vec<u8>,
    /// The whole lines that were read and not handed out.
    ready: Vec<u8>,
    /// When the older generation was written that is not to be read any more.
    older: Option<SystemTime>,
}

impl Follow {
    /// Begins with at most so many of the last lines of each log; of `service` only, where one is given.
    pub fn new(
        repository: &Repository,
        name: &EnvName,
        service: Option<String>,
        lines: usize,
    ) -> Self {
        Self {
            services: services(repository, name),
            service,
            lines: Some(lines),
            sources: Vec::new(),
        }
    }

    /// Reads what was written since the last time, by service and replica.
    pub fn read(&mut self) -> Result<Vec<Lines>, FileError> {
        for log in list(&self.services)? {
            let is_wanted = self.service.as_ref().is_none_or(|service| *service == log.service);
            if is_wanted && !self.sources.iter().any(|source| source.log == log) {
                let path = log.path.clone();
                // What comes later is read from its beginning.
                let source = Source::open(log, self.lines).during("read", &path)?;
                self.sources.extend(source);
            }
        }
        self.lines = None;
        self.sources.sort_by(|one, other| one.log.path.cmp(&other.log.path));
        let mut gone = Vec::new();
        for (index, source) in self.sources.iter_mut().enumerate() {
            if !source.read().during("read", &source.log.path)? {
                source.end_line();
                gone.push(index);
            }
        }
        let found = self.take();
        for index in gone.into_iter().rev() {
            self.sources.remove(index);
        }
        Ok(found)
    }

    /// Returns the lines that nobody has ended yet, as they are.
    pub fn rest(&mut self) -> Vec<Lines> {
        self.sources.iter_mut().for_each(Source::end_line);
        self.take()
    }

    fn take(&mut self) -> Vec<Lines> {
        let ready = self.sources.iter_mut().filter(|source| !source.ready.is_empty());
        ready
            .map(|source| Lines { log: source.log.clone(), text: mem::take(&mut source.ready) })
            .collect()
    }
}

impl Source {
    /// Opens a log; `None` where it went away meanwhile.
    fn open(log: Log, lines: Option<usize>) -> io::Result<Option<Self>> {
        let Some(mut file) = present(File::open(&log.path))? else { return Ok(None) };
        let offset = match lines {
            Some(lines) => start_of_last(&mut file, lines)?,
            None => 0,
        };
        let older = written(&older(&log.path))?;
        Ok(Some(Self { log, file, offset, pending: Vec::new(), ready: Vec::new(), older }))
    }

    /// Reads on; returns whether the file is still there.
    fn read(&mut self) -> io::Result<bool> {
        if self.file.metadata()?.len() < self.offset {
            // It was copied and emptied. The copy goes on where we were; what was written between the two is in neither.
            self.read_copy()?;
            self.end_line();
            self.offset = 0;
        }
        self.file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        self.offset += self.file.read_to_end(&mut bytes)? as u64;
        self.add(&bytes);
        // Renamed and made anew, a log is another file, and the one that was open was read to its end.
        let Some(named) = present(fs::metadata(&self.log.path))? else { return Ok(false) };
        let held = self.file.metadata()?;
        if (held.dev(), held.ino()) == (named.dev(), named.ino()) {
            return Ok(true);
        }
        let Some(next) = present(File::open(&self.log.path))? else { return Ok(false) };
        self.end_line();
        (self.file, self.offset) = (next, 0);
        self.read()
    }

    fn read_copy(&mut self) -> io::Result<()> {
        let path = older(&self.log.path);
        let written = written(&path)?;
        // One that was there before is no copy of what was emptied now.
        if written == mem::replace(&mut self.older, written) {
            return Ok(());
        }
        let Some(mut copy) = present(File::open(&path))? else { return Ok(()) };
        if copy.metadata()?.len() > self.offset {
            copy.seek(SeekFrom::Start(self.offset))?;
            let mut bytes = Vec::new();
            copy.read_to_end(&mut bytes)?;
            self.add(&bytes);
        }
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        if let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n') {
            let rest = self.pending.split_off(end + 1);
            self.ready.append(&mut self.pending);
            self.pending = rest;
        }
        if self.pending.len() > LONGEST {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        if !self.pending.is_empty() {
            self.ready.append(&mut self.pending);
            self.ready.push(b'\n');
        }
    }
}

/// Returns where a log is set aside when it has become large.
fn older(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

fn written(path: &Path) -> io::Result<Option<SystemTime>> {
    present(fs::metadata(path).and_then(|found| found.modified()))
}

fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns where the last lines of a file begin, of which only the end is read: a log can be large.
fn start_of_last(file: &mut (impl Read + Seek), lines: usize) -> io::Result<u64> {
    const BLOCK: u64 = 64 * 1024;
    let end = file.seek(SeekFrom::End(0))?;
    if lines == 0 {
        return Ok(end);
    }
    let mut start = end;
    let mut found = 0;
    while start > 0 {
        let length = start.min(BLOCK);
        start -= length;
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        Read::by_ref(file).take(length).read_to_end(&mut block)?;
        for (index, byte) in block.iter().enumerate().rev() {
            let next = start + index as u64 + 1;
            // The newline at the very end ends the last line.
            if *byte == b'\n' && next != end {
                found += 1;
                if found == lines {
                    return Ok(next);
                }
            }
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write as _};

    #[track_caller]
    fn check(text: &str, lines: usize, expected: &str) {
        let start = start_of_last(&mut Cursor::new(text), lines).unwrap();
        assert_eq!(&text[usize::try_from(start).unwrap()..], expected);
    }

    #[test]
    fn the_last_lines() {
        check("a\nb\nc\n", 2, "b\nc\n");
        check("a\nb\nc", 2, "b\nc");
        check("a\nb\nc\n", 3, "a\nb\nc\n");
        check("a\n", 9, "a\n");
        check("\n\n", 1, "\n");
        check("a\nb\n", 0, "");
        check("", 5, "");
    }

    #[test]
    fn lines_longer_than_what_is_read_at_once() {
        let long = "x".repeat(200_000);
        check(&format!("a\n{long}\nb\n"), 2, &format!("{long}\nb\n"));
        check(&format!("{long}\n{long}"), 1, &long);
    }

    /// The logs of one environment, which are written as the hosting does it.
    struct Logs {
        directory: tempfile::TempDir,
        follow: Follow,
    }

    impl Logs {
        fn new(lines: usize) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let follow = Follow {
                services: directory.path().to_owned(),
                service: None,
                lines: Some(lines),
                sources: Vec::new(),
            };
            Self { directory, follow }
        }

        fn path(&self, replica: &str) -> PathBuf {
            let logs = self.directory.path().join("web/logs");
            fs::create_dir_all(&logs).unwrap();
            logs.join(format!("replica-{replica}.log"))
        }

        fn write(&self, replica: &str, text: &str) {
            let mut options = File::options();
            let mut file = options.create(true).append(true).open(self.path(replica)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        #[track_caller]
        fn check(&mut self, expected: &[&str]) {
            let read = self.follow.read().unwrap();
            assert_eq!(read.iter().map(shown).collect::<Vec<_>>(), expected);
        }
    }

    fn shown(lines: &Lines) -> String {
        format!("{}: {}", lines.log.replica, String::from_utf8_lossy(&lines.text))
    }

    #[test]
    fn what_is_written_is_read_once_and_in_whole_lines() {
        let mut logs = Logs::new(1);
        logs.check(&[]);
        logs.write("0", "before the first log was there\nstarted\nhal");
        logs.check(&["0: before the first log was there\nstarted\n"]);
        logs.write("0", "f\n");
        logs.write("1", "a replica that came later\n");
        logs.check(&["0: half\n", "1: a replica that came later\n"]);
        logs.check(&[]);
        logs.write("1", "no end");
        logs.check(&[]);
        assert_eq!(logs.follow.rest().iter().map(shown).collect::<Vec<_>>(), ["1: no end\n"]);
    }

    #[test]
    fn it_begins_with_the_last_lines() {
        let mut logs = Logs::new(2);
        logs.write("0", "one\ntwo\nthree\n");
        logs.check(&["0: two\nthree\n"]);
        logs.write("0", "four\n");
        logs.check(&["0: four\n"]);
    }

    #[test]
    fn a_log_that_is_copied_and_emptied_is_read_on() {
        let mut logs = Logs::new(9);
        logs.write("0", "one\n");
        logs.check(&["0: one\n"]);
        logs.write("0", "two\n");
        fs::copy(logs.path("0"), older(&logs.path("0"))).unwrap();
        File::options().write(true).open(logs.path("0")).unwrap().set_len(0).unwrap();
        logs.check(&["0: two\n"]);
        logs.write("0", "three\n");
        logs.check(&["0: three\n"]);
        // An old copy is not read again.
        File::options().write(true).open(logs.path("0")).unwrap().set_len(0).unwrap();
        logs.write("0", "4\n");
        logs.check(&["0: 4\n"]);
    }

    #[test]
    fn a_log_that_is_another_file_is_read_from_its_beginning() {
        let mut logs = Logs::new(9);
        logs.write("0", "one\n");
        logs.check(&["0: one\n"]);
        logs.write("0", "two\n");
        fs::rename(logs.path("0"), older(&logs.path("0"))).unwrap();
        logs.write("0", "three\n");
        logs.check(&["0: two\nthree\n"]);
        logs.write("0", "the last words");
        logs.check(&[]);
        fs::remove_dir_all(logs.directory.path().join("web")).unwrap();
        logs.check(&["0: the last words\n"]);
        logs.write("0", "and again\n");
        logs.check(&["0: and again\n"]);
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let mut logs = Logs::new(9);
        logs.check(&[]);
        logs.write("0", &"x".repeat(LONGEST + 1));
        let read = logs.follow.read().unwrap();
        assert_eq!(read[0].text.len(), LONGEST + 2);
    }
}
