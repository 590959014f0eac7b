//! `fmt`, `graph`, `test`.

use std::path::PathBuf;

use crate::arguments::{
    FormatMode, FormatOptions, GraphOptions, Limits, TestOptions, format_arguments,
    graph_arguments, test_arguments,
};
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::{Ended, classify};
use crate::execute::{Finished, Invocation, Notice, Prints, RunError, execute};
use crate::gate;
use crate::tested::TestDone;
use crate::workdir::Workdir;

/// What `fmt` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formatted {
    /// The files that are not in the canonical format, or were not before they were rewritten.
    pub files: Vec<PathBuf>,
    /// What would be changed in them, for [`FormatMode::Diff`].
    pub diff: String,
}

impl Workdir {
    /// Runs `fmt`. Files in another format are an answer, one that cannot be read as HCL is a failure. It needs no `init`.
    pub fn format(
        &self,
        terraform: &Terraform,
        options: &FormatOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Formatted>, RunError> {
        let arguments = format_arguments(options);
        let mut invocation =
            Invocation::reading("fmt", arguments, Prints::Document, options.limits);
        invocation.good = match options.mode {
            FormatMode::Check => &[0, 3],
            FormatMode::Diff | FormatMode::Write => &[0],
        };
        let ended = execute(self, terraform, &invocation, notices, cancel)?;
        Ok(ended.map(|finished| formatted(options.mode, finished.text())))
    }

    /// Runs `graph`, and returns it in the DOT language.
    pub fn graph(
        &self,
        terraform: &Terraform,
        options: &GraphOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<String>, RunError> {
        let arguments = graph_arguments(options);
        let invocation =
            Invocation::reading("graph", arguments, Prints::Document, Limits::default());
        Ok(execute(self, terraform, &invocation, notices, cancel)?.map(|finished| finished.text()))
    }

    /// Runs `test`. Tests that fail are an answer: see [`TestDone::passed`].
    ///
    /// One that was interrupted is [`Ended::Cancelled`], though Terraform may say that it passed and end with 0. What it made is
    /// destroyed by an interrupt, and left by a second one: [`menagerie_plan::Event::TestCleanup`] says what.
    pub fn test(
        &self,
        terraform: &Terraform,
        options: &TestOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<TestDone>, RunError> {
        gate::JUNIT_XML.check(options.junit_xml.is_some(), terraform, "test")?;
        gate::TEST_PARALLELISM.check(options.parallelism.is_some(), terraform, "test")?;
        let arguments = test_arguments(options);
        let mut invocation =
            Invocation::changing("test", arguments, Prints::Events(None), options.limits);
        invocation.good = &[0, 1];
        invocation.hides_interrupt = true;
        execute(self, terraform, &invocation, notices, cancel)?.and_then(tested)
    }
}

fn tested(finished: Finished) -> Result<Ended<TestDone>, RunError> {
    let (tests, finished) = finished.tests();
    if tests.interrupted {
        return Ok(Ended::Cancelled { forced: false });
    }
    let (exit_code, failure) = (finished.exit_code(), finished.failure());
    match tests.done(failure.diagnostics.clone()) {
        Some(done) => Ok(Ended::Done(done)),
        None if exit_code == Some(0) => Err(RunError::Torn { command: "test", log: failure.log }),
        None => Ok(classify("test", failure)),
    }
}

fn formatted(mode: FormatMode, text: String) -> Formatted {
    if mode != FormatMode::Diff {
        return Formatted { files: text.lines().map(Into::into).collect(), diff: String::new() };
    }
    // A removed line may look like a header, but none is followed by the other half of it.
    let lines: Vec<&str> = text.lines().collect();
    let headers = lines.windows(2).filter_map(|pair| {
        let name = pair[0].strip_prefix("--- old/")?;
        (pair[1].strip_prefix("+++ new/") == Some(name)).then(|| name.into())
    });
    Formatted { files: headers.collect(), diff: text }
}
