//! Runs one command to its end: output to files, events while it runs, one signal for one cancel.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use menagerie_plan::{Diagnostic, Event, Output, ParseError};
use rustix::process::Signal;

use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::{Ended, Failure, classify};
use crate::journal::JournalError;
use crate::process::Process;
use crate::tail::Tail;
use crate::workdir::Workdir;

/// What happens while a command runs.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A line of its output.
    Event(&'a Event),
    /// It is interrupted for the second time: what it is creating now may be missing from the state.
    AtRisk,
}

/// A command could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It did not start.
    #[error("failed to start `{}`", program.display())]
    Start {
        /// The executable.
        program: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A file of the run could not be read or written.
    #[error("failed to {action} `{}`", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// What it printed is not understood.
    #[error("failed to understand what `terraform {command}` printed")]
    Parse {
        /// The command.
        command: &'static str,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// The journal could not be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A command and how long it may take to stop.
pub(crate) struct Invocation {
    pub(crate) command: &'static str,
    pub(crate) arguments: Vec<std::ffi::OsString>,
    /// How long it may go on after an interrupt before it is killed; `None` where a kill would lose resources.
    pub(crate) grace: Option<Duration>,
    /// How long it may take in all.
    pub(crate) timeout: Option<Duration>,
    /// Exit codes that say that it did what it was asked.
    pub(crate) good: &'static [i32],
    /// Whether its output may hold secrets, and is removed once it was read.
    pub(crate) secret: bool,
}

impl Invocation {
    /// A command that changes nothing: it may be killed.
    pub(crate) fn reading(command: &'static str, arguments: Vec<std::ffi::OsString>) -> Self {
        let grace = Some(Duration::from_secs(30));
        Self { command, arguments, grace, timeout: None, good: &[0], secret: false }
    }

    /// A command that changes resources: it is waited for, however long it takes.
    pub(crate) fn changing(command: &'static str, arguments: Vec<std::ffi::OsString>) -> Self {
        Self { command, arguments, grace: None, timeout: None, good: &[0], secret: false }
    }
}

/// What a command that did what it was asked left.
pub(crate) struct Finished {
    pub(crate) exit_code: i32,
    pub(crate) outputs: BTreeMap<String, Output>,
    /// All that it printed, where that is no stream of events.
    pub(crate) document: Vec<u8>,
}

/// Runs a command of Terraform in a root module.
pub(crate) fn execute(
    workdir: &Workdir,
    terraform: &Terraform,
    invocation: &Invocation,
    notices: &mut dyn FnMut(Notice<'_>),
    cancel: &Cancel,
) -> Result<Ended<Finished>, RunError> {
    let command = invocation.command;
    let streams = !matches!(command, "show" | "output" | "validate");
    let run = run_id();
    let stdout = workdir.runs_directory.join(format!("{run}-{command}.out"));
    let stderr = stdout.with_extension("err");
    let (stdout_file, stderr_file) = (create(&stdout)?, create(&stderr)?);
    if let Some(journal) = &workdir.journal {
        journal.starting(&run, command, &stdout)?;
    }
    let started = duct::cmd(terraform.path().as_os_str(), &invocation.arguments)
        .dir(&workdir.directory)
        .full_env(workdir.full_environment())
        .stdin_null()
        .stdout_file(stdout_file)
        .stderr_file(stderr_file)
        .unchecked()
        .before_spawn(|child| {
            // The terminal's Ctrl-C then reaches only us, who decide what it means.
            child.process_group(0);
            Ok(())
        })
        .start();
    let handle = match started {
        Ok(handle) => handle,
        Err(source) => {
            if let Some(journal) = &workdir.journal {
                journal.ended(&run, None)?;
            }
            return Err(RunError::Start { program: terraform.path().to_owned(), source });
        }
    };
    let mut child = Child { process: handle.pids().first().copied().and_then(Process::find), handle, waited: false };
    if let (Some(journal), Some(process)) = (&workdir.journal, &child.process) {
        journal.started(&run, process)?;
    }

    let mut collected = Collected::default();
    let mut tail = Tail::new(File::open(&stdout).map_err(|source| file_error("read", &stdout, source))?);
    let mut on_line = |line: &str| {
        if streams {
            collected.line(line, notices);
        }
    };
    let mut stop = Stop::new(invocation);
    let mut pause = Duration::from_millis(1);
    let exit = loop {
        tail.read(&mut on_line).map_err(|source| file_error("read", &stdout, source))?;
        let waited = child.handle.wait_timeout(pause);
        if let Some(output) = waited.map_err(|source| RunError::Start { program: terraform.path().to_owned(), source })? {
            break output.status;
        }
        pause = (pause * 2).min(Duration::from_millis(20));
        if stop.is_insisted_on(cancel) {
            stop.send_second(&child);
        }
        stop.advance(&child, cancel);
    };
    child.waited = true;
    tail.finish(&mut on_line).map_err(|source| file_error("read", &stdout, source))?;
    if let Some(journal) = &workdir.journal {
        journal.ended(&run, exit.code())?;
    }
    // Whether it is announced before or after makes no difference to Terraform, and the closure above holds `notices`.
    if stop.interrupts > 1 {
        notices(Notice::AtRisk);
    }

    if let Some(source) = collected.parse_error {
        return Err(RunError::Parse { command, source });
    }
    let document = if streams { Vec::new() } else { fs::read(&stdout).map_err(|source| file_error("read", &stdout, source))? };
    if let Some(exit_code) = exit.code().filter(|code| invocation.good.contains(code)) {
        if invocation.secret {
            fs::remove_file(&stdout).map_err(|source| file_error("remove", &stdout, source))?;
        }
        return Ok(Ended::Done(Finished { exit_code, outputs: collected.outputs, document }));
    }
    let stderr = fs::read(&stderr).map_err(|source| file_error("read", &stderr, source))?;
    let failure = Failure {
        exit_code: exit.code(),
        diagnostics: collected.diagnostics,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        log: stdout,
    };
    Ok(stop.ending().unwrap_or_else(|| classify(failure)))
}

/// What is picked out of the stream of events.
#[derive(Default)]
struct Collected {
    diagnostics: Vec<Diagnostic>,
    outputs: BTreeMap<String, Output>,
    parse_error: Option<ParseError>,
}

impl Collected {
    fn line(&mut self, line: &str, notices: &mut dyn FnMut(Notice<'_>)) {
        match Event::from_line(line) {
            Ok(event) => {
                notices(Notice::Event(&event));
                match event {
                    Event::Diagnostic(diagnostic) => self.diagnostics.push(diagnostic),
                    Event::Outputs(outputs) => self.outputs = outputs,
                    _ => {}
                }
            }
            Err(error) => self.parse_error = self.parse_error.take().or(Some(error)),
        }
    }
}

/// The child; dropped by an error on our side, it is asked to stop and waited for, never left behind or killed.
struct Child {
    handle: duct::Handle,
    process: Option<Process>,
    waited: bool,
}

impl Child {
    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            // It may end at any moment; then there is nothing to signal.
            let _ = process.signal(signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.waited {
            self.signal(Signal::INT);
            let _ = self.handle.wait();
        }
    }
}

/// How far the stopping of a command has come.
struct Stop {
    started: Instant,
    grace: Option<Duration>,
    timeout: Option<Duration>,
    interrupts: usize,
    interrupted: Option<Instant>,
    timed_out: bool,
    killed: bool,
}

impl Stop {
    fn new(invocation: &Invocation) -> Self {
        Self {
            started: Instant::now(),
            grace: invocation.grace,
            timeout: invocation.timeout,
            interrupts: 0,
            interrupted: None,
            timed_out: false,
            killed: false,
        }
    }

    /// Sends the first interrupt when it is due, and kills when the grace after it is over.
    fn advance(&mut self, child: &Child, cancel: &Cancel) {
        let over = self.timeout.is_some_and(|timeout| self.started.elapsed() >= timeout);
        if self.interrupted.is_none() && (cancel.count() > 0 || over) {
            self.timed_out = cancel.count() == 0;
            self.interrupts = 1;
            self.interrupted = Some(Instant::now());
            child.signal(Signal::INT);
        }
        let expired = self.interrupted.zip(self.grace).is_some_and(|(since, grace)| since.elapsed() >= grace);
        if expired && !self.killed {
            self.killed = true;
            if let Some(process) = &child.process {
                let _ = process.signal_group(Signal::KILL);
            }
        }
    }

    /// Returns whether the user asked again after Terraform was told.
    fn is_insisted_on(&self, cancel: &Cancel) -> bool {
        self.interrupts == 1 && cancel.count() > usize::from(!self.timed_out)
    }

    fn send_second(&mut self, child: &Child) {
        self.interrupts = 2;
        child.signal(Signal::INT);
    }

    fn ending<T>(&self) -> Option<Ended<T>> {
        let forced = self.killed || self.interrupts > 1;
        self.interrupted?;
        Some(if self.timed_out { Ended::TimedOut { forced } } else { Ended::Cancelled { forced } })
    }
}

/// Names a run: sortable by time, and never the same twice.
fn run_id() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{count}", Timestamp::now().strftime("%Y%m%dT%H%M%S"), std::process::id())
}

fn create(path: &Path) -> Result<File, RunError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).map_err(|source| file_error("create", path, source))
}

pub(crate) fn file_error(action: &'static str, path: &Path, source: io::Error) -> RunError {
    RunError::File { action, path: path.to_owned(), source }
}
