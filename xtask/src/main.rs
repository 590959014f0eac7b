//! The front end, `cargo xtask …`: it parses, calls the other crates, prints, and exits.
//!
//! It is the only place that prints, reads environment variables and decides exit codes; how an environment is made, planned
//! or destroyed stands in `menagerie-lifecycle`. What is heavy to build is a binary of its own that [`binary`] builds on
//! demand, so that `env new` and `env list` start quickly from a fresh clone.

#[cfg(not(unix))]
compile_error!("Menagerie runs on Linux and macOS; on Windows, run it inside WSL");

mod bench;
mod binary;
mod command_line;
mod completions;
mod comply;
mod doctor;
mod env;
mod exit;
mod expiry;
mod import;
mod interrupt;
mod junit;
mod man;
mod output;
mod progress;
mod quantity;
mod reference;
mod report;
mod schema;
mod session;
mod setup;
mod surroundings;
mod template;
mod tf;

use std::process::ExitCode;

use clap::Parser as _;
use rustix::fs::Mode;

use crate::command_line::CommandLine;
use crate::output::Terminal;

fn main() -> ExitCode {
    // States, plans and logs can hold what is nobody else's business; no file of a run is readable by others.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            // Help and usage errors; a reader that has gone away is no failure.
            let _ = error.print();
            return if error.use_stderr() { exit::USAGE.into() } else { exit::DONE.into() };
        }
    };
    let terminal = Terminal::new(command_line.color);
    match command_line.run(terminal) {
        Ok(()) => exit::DONE.into(),
        Err(error) => {
            output::say(&report::render(&error, terminal.styles()));
            report::code(&error).into()
        }
    }
}
