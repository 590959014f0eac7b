//! The benchmarks behind `cargo xtask bench`: each row of work measured against a baseline in the same run.
//!
//! `docs/benchmarks.md` says what the rows are, how to read them, and what they gave. This is a program of its own, built in
//! the release profile when it is asked for, so that xtask stays quick to build.
//!
//! It asserts nothing: a bar that is not met is an answer. It fails only where something could not be run.

mod interrupt;
mod machine;
mod population;
mod report;
mod repository;
mod row;
mod sample;
mod statistics;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

use crate::machine::Machine;
use crate::report::{Outcome, Report};
use crate::row::{Row, Setting};

/// Measure rows of work against their baselines
#[derive(Debug, Parser)]
struct CommandLine {
    /// Measure these rows [default: all but `clone`]
    #[arg(value_name = "ROW")]
    rows: Vec<Row>,

    /// The repository whose tree and sources are used
    #[arg(long, value_name = "DIR")]
    repository: PathBuf,

    /// The front end, built for release
    #[arg(long, value_name = "FILE")]
    xtask: PathBuf,

    /// The provider, for the rows that make environments
    #[arg(long, value_name = "FILE")]
    provider: Option<PathBuf>,

    /// The sample application, for the rows that make environments
    #[arg(long, value_name = "FILE")]
    application: Option<PathBuf>,

    /// The judge, built for release, for the row that judges by Rego
    #[arg(long, value_name = "FILE")]
    comply: Option<PathBuf>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    /// Measure less of everything, to see that it works; bars are not judged
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What a shell gives a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match run(command_line) {
        _ if interrupt::is_asked() => ExitCode::from(INTERRUPTED),
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; returns whether all could be run.
fn run(command_line: CommandLine) -> anyhow::Result<bool> {
    let CommandLine { rows, repository, xtask, provider, application, comply, format, quick } =
        command_line;
    interrupt::listen().context("failed to listen for signals")?;
    let rows = if rows.is_empty() { Row::usual() } else { rows };
    let mut setting = Setting::new(repository, xtask, provider, application, quick)?;
    setting.comply = comply;
    let machine = Machine::look(setting.repository(), setting.environment());
    if format == Format::Text {
        print(&machine.to_string())?;
    }
    let mut report = Report::new(quick, machine);
    for row in rows {
        if interrupt::is_asked() {
            break;
        }
        say(&format!("Measuring `{}`: {}", row.name(), row.what()));
        let start = Instant::now();
        let measures = row.measure(&mut setting);
        let outcome = Outcome::new(row, start.elapsed(), measures);
        match format {
            Format::Text => print(&format!("\n{outcome}"))?,
            Format::Json => say(&outcome.to_string()),
        }
        report.rows.push(outcome);
    }
    if format == Format::Json {
        print(&report.to_json())?;
    }
    Ok(report.rows.iter().all(|outcome| outcome.error.is_none()))
}

/// Prints data. A reader that has gone away has what it wanted.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Says one thing to the person who waits.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}
