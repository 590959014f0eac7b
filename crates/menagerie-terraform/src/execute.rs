//! Runs one command to its end: output to files, events while it runs, one signal for one cancel.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::time::Duration;

use menagerie_plan::{ChangeSummary, Diagnostic, Event, Operation, Output, ParseError};

use crate::arguments::Limits;
use crate::cancel::Cancel;
use crate::child::{Child, Stop};
use crate::discover::Terraform;
use crate::ended::{Ended, Failure, classify};
use crate::files::{RunFiles, Writers, create_directory, file_error};
use crate::gate::Unsupported;
use crate::journal::JournalError;
use crate::process::Process;
use crate::rescue;
use crate::tail::Tail;
use crate::tested::Tests;
use crate::workdir::Workdir;

/// What happens while a command runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A line of its output.
    Event(&'a Event),
    /// It is about to be interrupted for the second time: what it is creating now may be missing from the state.
    AtRisk,
    /// It did not go well, and is tried again after a pause: see [`crate::retry()`].
    Retry {
        /// Why.
        reason: &'a str,
        /// Which attempt comes next; the first one is 1.
        attempt: u32,
        /// How many there may be.
        of: u32,
        /// How long it waits before.
        pause: Duration,
    },
}

/// A command could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It did not start.
    #[error("failed to start `{}` in `{}`", program.display(), directory.display())]
    Start {
        /// The executable.
        program: PathBuf,
        /// The directory.
        directory: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Its end could not be waited for.
    #[error("failed to wait for `terraform {command}`")]
    Wait {
        /// The command.
        command: &'static str,
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
    /// It did what it was asked, but not all that it printed arrived: a full disk does this.
    #[error("`terraform {command}` went through, but its output in `{}` is not whole", log.display())]
    Torn {
        /// The command.
        command: &'static str,
        /// Where its output is.
        log: PathBuf,
    },
    /// The tool does not have an option that was asked for; nothing ran.
    #[error(transparent)]
    Unsupported(Box<Unsupported>),
    /// The journal could not be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A command, what it prints, and how long it may take.
pub(crate) struct Invocation {
    pub(crate) command: &'static str,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) prints: Prints,
    pub(crate) limits: Limits,
    /// Exit codes that say that it did what it was asked.
    pub(crate) good: &'static [i32],
    /// Variables of this run only; `None` takes one away.
    pub(crate) variables: Vec<(&'static str, Option<OsString>)>,
    /// Whether it may end well though it was interrupted.
    pub(crate) hides_interrupt: bool,
}

/// What a command prints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Prints {
    /// Events, and where this is given a summary of it at the end.
    Events(Option<Operation>),
    /// JSON or text, of use only as a whole.
    Document,
    /// The same, which may hold sensitive values in clear.
    Secret,
}

impl Invocation {
    /// A command that changes nothing: it may be killed.
    pub(crate) fn reading(
        command: &'static str,
        arguments: Vec<OsString>,
        prints: Prints,
        limits: Limits,
    ) -> Self {
        let limits = Limits { grace: limits.grace.or(Some(Duration::from_secs(30))), ..limits };
        Self::changing(command, arguments, prints, limits)
    }

    /// A command that changes resources or the state: it is waited for, unless the caller says otherwise.
    pub(crate) fn changing(
        command: &'static str,
        arguments: Vec<OsString>,
        prints: Prints,
        limits: Limits,
    ) -> Self {
        Self {
            command,
            arguments,
            prints,
            limits,
            good: &[0],
            variables: Vec::new(),
            hides_interrupt: false,
        }
    }
}

/// What a command left.
pub(crate) struct Finished {
    command: &'static str,
    exit_code: Option<i32>,
    collected: Collected,
    /// What it printed, if that is of use only as a whole.
    pub(crate) document: Vec<u8>,
    stderr: String,
    log: PathBuf,
}

impl Finished {
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.exit_code
    }

    pub(crate) fn outputs(self) -> BTreeMap<String, Output> {
        self.collected.outputs
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.document).into_owned()
    }

    /// Returns what its tests said and what else it left.
    pub(crate) fn tests(mut self) -> (Tests, Self) {
        (std::mem::take(&mut self.collected.tests), self)
    }

    pub(crate) fn failure(self) -> Failure {
        Failure {
            command: self.command,
            exit_code: self.exit_code,
            diagnostics: self.collected.diagnostics,
            stderr: self.stderr + &self.collected.text,
            log: self.log,
        }
    }
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
    if cancel.count() > 0 {
        return Ok(Ended::Cancelled { forced: false });
    }
    create_directory(&workdir.runs_directory)?;
    let RunFiles { run, stdout, stderr, reader, writers } =
        RunFiles::create(&workdir.runs_directory, command, invocation.prints == Prints::Secret)?;
    if let Some(journal) = &workdir.journal {
        journal.starting(&run, command, &stdout)?;
    }
    let probe = writers.stdout.try_clone().map_err(|source| file_error("open", &stdout, source))?;
    let started = start(workdir, terraform, invocation, writers);
    let mut child = match (started, &workdir.journal) {
        (Ok(child), _) => child,
        (Err(error), None) => return Err(error),
        (Err(error), Some(journal)) => {
            // Why nothing started is worth more than that it could not be written down.
            let _ = journal.ended(&run, None);
            return Err(error);
        }
    };
    if let (Some(journal), Some(process)) = (&workdir.journal, Process::find(child.pid())) {
        journal.started(&run, &process)?;
    }

    let mut collected = Collected::default();
    let mut stop = Stop::new(invocation.limits);
    let mut pause = Duration::from_millis(1);
    let mut tail = Tail::new(reader);
    let events = matches!(invocation.prints, Prints::Events(_));
    let status = loop {
        if events {
            tail.read(&mut |line| collected.line(line, notices))
                .map_err(|source| file_error("read", &stdout, source))?;
        }
        if let Some(status) =
            child.wait(pause).map_err(|source| RunError::Wait { command, source })?
        {
            break status;
        }
        pause = (pause * 2).min(Duration::from_millis(20));
        stop.advance(&child, cancel, &mut || notices(Notice::AtRisk));
    };
    let mut document = Vec::new();
    let mut torn = false;
    if events {
        tail.finish(&mut |line| collected.line(line, notices))
            .map_err(|source| file_error("read", &stdout, source))?;
    } else {
        tail.into_file()
            .read_to_end(&mut document)
            .map_err(|source| file_error("read", &stdout, source))?;
        // Terraform does not look whether what it prints arrives, and half a list reads as a shorter one. Where the disk was
        // full, it has no room for another byte either.
        torn = (&probe).write_all(b"\n").is_err();
    }
    if let Some(journal) = &workdir.journal {
        // The outcome is worth more than that it could not be written down: the next run sees that the process is dead.
        let _ = journal.ended(&run, status.code());
    }

    if let Some(state) = collected.dump.take() {
        rescue::keep(&workdir.runs_directory, state.as_bytes())?;
    }
    if let Some(source) = collected.unsupported.take() {
        return Err(RunError::Parse { command, source });
    }
    let text = fs::read(&stderr).map_err(|source| file_error("read", &stderr, source))?;
    let log = if invocation.prints == Prints::Secret { stderr } else { stdout };
    let stderr = String::from_utf8_lossy(&text).into_owned();
    let is_good = status.code().is_some_and(|code| invocation.good.contains(&code));
    if !is_good
        && stderr.is_empty()
        && collected.diagnostics.is_empty()
        && collected.text.is_empty()
    {
        // What it had to say may have found no room, which is then the thing to say.
        if let Err(error) = (&probe).write_all(b"\n") {
            collected.text =
                format!("what it said could not be written to `{}`: {error}\n", log.display());
        }
    }
    let finished = Finished { command, exit_code: status.code(), collected, document, stderr, log };
    if let Some(ending) = stop.ending().filter(|_| !is_good || invocation.hides_interrupt) {
        return Ok(ending);
    }
    if !is_good {
        return Ok(classify(command, finished.failure()));
    }
    match invocation.prints {
        _ if torn => Err(RunError::Torn { command, log: finished.log }),
        Prints::Events(Some(operation)) if finished.collected.operation() != Some(operation) => {
            Err(RunError::Torn { command, log: finished.log })
        }
        _ => Ok(Ended::Done(finished)),
    }
}

fn start(
    workdir: &Workdir,
    terraform: &Terraform,
    invocation: &Invocation,
    writers: Writers,
) -> Result<Child, RunError> {
    let handle = duct::cmd(terraform.path().as_os_str(), &invocation.arguments)
        .dir(&workdir.directory)
        .full_env(workdir.full_environment(&invocation.variables))
        .stdin_null()
        .stdout_file(writers.stdout)
        .stderr_file(writers.stderr)
        .unchecked()
        .before_spawn(|child| {
            // The terminal's Ctrl-C then reaches only us, who decide what it means.
            child.process_group(0);
            Ok(())
        })
        .start()
        .map_err(|source| RunError::Start {
            program: terraform.path().to_owned(),
            directory: workdir.directory.clone(),
            source,
        })?;
    Ok(Child::new(handle))
}

/// What is picked out of the stream of events.
#[derive(Default)]
struct Collected {
    diagnostics: Vec<Diagnostic>,
    outputs: BTreeMap<String, Output>,
    summary: Option<ChangeSummary>,
    tests: Tests,
    /// The state, which Terraform prints where it could write it nowhere.
    dump: Option<String>,
    text: String,
    unsupported: Option<ParseError>,
}

impl Collected {
    fn line(&mut self, line: &str, notices: &mut dyn FnMut(Notice<'_>)) {
        /// More is not an error message any more; the log has it in full.
        const LONGEST_TEXT: usize = 16 * 1024;
        let event = match Event::from_line(line) {
            // Where the disk is full, an event is cut short. It is not shown: the dump of a state that could be written nowhere
            // holds all its values.
            Ok(Event::Text(text)) if text.starts_with("{\"@level\"") => {
                self.text.push_str("its output was cut short, as where a disk is full\n");
                return;
            }
            Ok(event) => event,
            Err(error) => {
                self.unsupported.get_or_insert(error);
                return;
            }
        };
        notices(Notice::Event(&event));
        self.tests.add(&event);
        match event {
            Event::Diagnostic(diagnostic) => self.diagnostics.push(diagnostic),
            Event::Outputs(outputs) => self.outputs = outputs,
            Event::ChangeSummary(summary) => self.summary = Some(summary),
            Event::Log { message, .. } if message == "Emergency state dump" => {
                self.dump = rescue::dumped(line);
            }
            Event::Text(text) if self.text.len() + text.len() < LONGEST_TEXT => {
                self.text.push_str(&text);
                self.text.push('\n');
            }
            _ => {}
        }
    }

    fn operation(&self) -> Option<Operation> {
        self.summary.as_ref().map(|summary| summary.operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_was_cut_short_is_not_shown() {
        let mut collected = Collected::default();
        let mut noticed = 0;
        for line in [
            "Plain words",
            r#"{"@level":"info","@message":"Emergency state dump","state":{"secret":"x"#,
        ] {
            collected.line(line, &mut |_| noticed += 1);
        }
        assert_eq!(
            collected.text,
            "Plain words\nits output was cut short, as where a disk is full\n"
        );
        assert_eq!(noticed, 1);
    }
}
