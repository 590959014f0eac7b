//! What ran, written before it runs: so that the next run finds what outlived its parent.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::process::{self, Process};

/// A file of JSON lines, one an event. Other lines than ours may stand between: they are passed over.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
}

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} the journal `{}`", path.display())]
pub struct JournalError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// A run that was started and of which no end is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The command, such as `apply`.
    pub command: String,
    /// Where its output goes.
    pub log: PathBuf,
    process: Option<Process>,
}

impl RunRecord {
    /// Returns whether its process still runs, also where its parent died before it could write down which that is.
    pub fn is_alive(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_alive)
            || files::is_held(&files::error_log(&self.log))
    }

    /// Returns its process id, where it is written down or it still runs.
    pub fn pid(&self) -> Option<u32> {
        self.process().map(|process| process.pid)
    }

    /// Asks it to stop, as one [`crate::Cancel`] would.
    pub fn interrupt(&self) -> io::Result<()> {
        self.process().map_or(Ok(()), |process| process.signal(Signal::INT))
    }

    fn process(&self) -> Option<Process> {
        self.process.clone().or_else(|| process::with_stderr(&files::error_log(&self.log)))
    }
}

/// The lines that a run writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event")]
enum Line {
    /// It is about to be started.
    #[serde(rename = "terraform-starting")]
    Starting { run: String, command: String, log: PathBuf },
    /// It was started.
    #[serde(rename = "terraform-started")]
    Started {
        run: String,
        #[serde(flatten)]
        process: Process,
    },
    /// It has ended.
    #[serde(rename = "terraform-ended")]
    Ended { run: String, exit_code: Option<i32> },
}

impl Journal {
    /// Uses this file, which need not exist.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Appends a line with the time, and waits until it is on the disk.
    ///
    /// A line that a kill or a full disk cut short before is left alone on its line.
    pub fn append(&self, line: &impl Serialize) -> Result<(), JournalError> {
        self.write(line)
            .and_then(|file| file.sync_data())
            .map_err(|source| self.error("write", source))
    }

    /// Appends a line with the time. It outlives us, but not the machine: nor does the process that it is about.
    fn append_of_run(&self, line: &Line) -> Result<(), JournalError> {
        self.write(line).map(drop).map_err(|source| self.error("write", source))
    }

    fn write(&self, line: &impl Serialize) -> io::Result<fs::File> {
        #[derive(Serialize)]
        struct Timed<'a, T> {
            at: Timestamp,
            #[serde(flatten)]
            line: &'a T,
        }
        let mut text = serde_json::to_string(&Timed { at: Timestamp::now(), line })?;
        text.push('\n');
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        if !ends_with_newline(&mut file)? {
            text.insert(0, '\n');
        }
        file.write_all(text.as_bytes())?;
        Ok(file)
    }

    /// Returns the runs of which no end is written, the oldest first.
    pub fn unfinished(&self) -> Result<Vec<RunRecord>, JournalError> {
        let mut open: Vec<(String, RunRecord)> = Vec::new();
        for line in self.text()?.lines() {
            match serde_json::from_str(line) {
                Ok(Line::Starting { run, command, log }) => {
                    open.push((run, RunRecord { command, log, process: None }));
                }
                Ok(Line::Started { run, process }) => {
                    if let Some((_, record)) = open.iter_mut().find(|(known, _)| *known == run) {
                        record.process = Some(process);
                    }
                }
                Ok(Line::Ended { run, .. }) => open.retain(|(known, _)| *known != run),
                Err(_) => {}
            }
        }
        Ok(open.into_iter().map(|(_, record)| record).collect())
    }

    /// Returns the last line of a type of the caller's; lines that are none are passed over.
    ///
    /// It is nearly always among the last few of a file that grows with every run, so that is where reading begins.
    pub fn last<T: for<'de> Deserialize<'de>>(&self) -> Result<Option<T>, JournalError> {
        match fs::File::open(&self.path) {
            Ok(file) => last_line(&file, 4096).map_err(|source| self.error("read", source)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.error("read", source)),
        }
    }

    pub(crate) fn starting(
        &self,
        run: &str,
        command: &str,
        log: &Path,
    ) -> Result<(), JournalError> {
        let line = Line::Starting {
            run: run.to_owned(),
            command: command.to_owned(),
            log: log.to_owned(),
        };
        self.append_of_run(&line)
    }

    pub(crate) fn started(&self, run: &str, process: &Process) -> Result<(), JournalError> {
        self.append_of_run(&Line::Started { run: run.to_owned(), process: process.clone() })
    }

    pub(crate) fn ended(&self, run: &str, exit_code: Option<i32>) -> Result<(), JournalError> {
        self.append_of_run(&Line::Ended { run: run.to_owned(), exit_code })
    }

    fn text(&self) -> Result<String, JournalError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(self.error("read", source)),
        }
    }

    fn error(&self, action: &'static str, source: io::Error) -> JournalError {
        JournalError { action, path: self.path.clone(), source }
    }
}

/// Reads a file of lines from its end, a block at a time, up to a line that can be read.
fn last_line<T: for<'de> Deserialize<'de>>(file: &fs::File, block: u64) -> io::Result<Option<T>> {
    let mut start = file.metadata()?.len();
    // What follows the first newline of a block belongs to it, what stands before it to the next one.
    let mut rest = Vec::new();
    while start > 0 {
        let end = start;
        start = start.saturating_sub(block);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut bytes, start)?;
        bytes.append(&mut rest);
        let whole = match bytes.iter().position(|byte| *byte == b'\n') {
            _ if start == 0 => 0,
            Some(newline) => newline,
            None => bytes.len(),
        };
        let mut lines = bytes[whole..].rsplit(|byte| *byte == b'\n');
        if let Some(found) = lines.find_map(|line| serde_json::from_slice(line).ok()) {
            return Ok(Some(found));
        }
        bytes.truncate(whole);
        rest = bytes;
    }
    Ok(None)
}

fn ends_with_newline(file: &mut fs::File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::TempDir, Journal) {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path().join("journal.jsonl"));
        (directory, journal)
    }

    #[test]
    fn a_run_without_an_end_is_found() {
        let (_directory, journal) = journal();
        assert!(journal.unfinished().unwrap().is_empty());
        let child = duct::cmd!("sleep", "60").unchecked().start().unwrap();
        let process = Process::find(child.pids()[0]).unwrap();
        for run in ["1", "2", "3"] {
            journal.starting(run, "apply", Path::new("log")).unwrap();
        }
        journal.started("1", &process).unwrap();
        journal.started("2", &process).unwrap();
        journal.ended("1", Some(0)).unwrap();
        let unfinished = journal.unfinished().unwrap();
        assert_eq!(
            unfinished.iter().map(RunRecord::pid).collect::<Vec<_>>(),
            [Some(process.pid), None]
        );
        assert!(unfinished[0].is_alive() && !unfinished[1].is_alive());
        unfinished[0].interrupt().unwrap();
        child.wait().unwrap();
        assert!(!unfinished[0].is_alive());
    }

    #[test]
    fn lines_of_others_and_torn_ones_are_passed_over() {
        let (_directory, journal) = journal();
        journal.starting("1", "plan", Path::new("log")).unwrap();
        let text = fs::read(&journal.path).unwrap();
        let others = b"{\"event\":\"applied\"}\n\xc3\n{\"event\":\"terraform-en";
        fs::write(&journal.path, [&text[..], others].concat()).unwrap();
        journal.ended("1", None).unwrap();
        assert!(journal.unfinished().unwrap().is_empty());
        journal.append(&serde_json::json!({"event": "other"})).unwrap();
        let last: serde_json::Value = journal.last().unwrap().unwrap();
        assert_eq!(last["event"], "other");
    }

    #[track_caller]
    fn check_last(text: &str, expected: Option<u32>) {
        #[derive(Deserialize)]
        struct Number {
            number: u32,
        }
        let (_directory, journal) = journal();
        fs::write(&journal.path, text).unwrap();
        let file = fs::File::open(&journal.path).unwrap();
        for block in 1..=text.len() as u64 + 1 {
            let last = last_line::<Number>(&file, block).unwrap();
            assert_eq!(last.map(|last| last.number), expected, "{block} of {text:?}");
        }
    }

    #[test]
    fn the_last_line_is_found_wherever_a_block_begins() {
        check_last("", None);
        check_last("\n\n", None);
        check_last("{\"number\":1}", Some(1));
        check_last("{\"number\":1}\n{\"number\":2}\n", Some(2));
        check_last("{\"number\":1}\n{\"number\":2}\n{\"other\":3}\n{\"numb", Some(2));
        check_last("{\"number\":1}\n\n{\"other\":\"{\\\"number\\\":2}\"}\nx\n", Some(1));
    }

    #[test]
    fn a_run_is_found_though_its_process_was_never_written_down() {
        let (directory, journal) = journal();
        let files = files::RunFiles::create(directory.path(), "apply", false).unwrap();
        journal.starting(&files.run, "apply", &files.stdout).unwrap();
        let child = duct::cmd!("sleep", "60")
            .stderr_file(files.writers.stderr)
            .unchecked()
            .start()
            .unwrap();
        let unfinished = journal.unfinished().unwrap();
        assert!(unfinished[0].is_alive());
        assert_eq!(unfinished[0].pid(), Some(child.pids()[0]));
        unfinished[0].interrupt().unwrap();
        child.wait().unwrap();
        // A child that another test starts at this moment has it open until it is the program that it is to be.
        while unfinished[0].is_alive() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert_eq!(unfinished[0].pid(), None);
    }
}
