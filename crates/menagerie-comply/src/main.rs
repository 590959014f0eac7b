//! Judges by rules, and tests, explains and lists them: what `cargo xtask comply` becomes.
//!
//! xtask knows the repository, its environments and its commits, and hands over what it found as arguments; this program reads the files,
//! judges, prints, and returns an [exit code](exit). It is a program of its own, so that what only this needs is not built into the front end.
//!
//! ```console
//! $ terraform show -json plan.tfplan | menagerie-comply judge --policy rules --plan -
//! ```

mod exit;
mod explain;
mod judge;
mod material;
mod output;
mod pages;
mod policy;
mod problem;
mod record;
mod test;
mod verdict;
mod waive;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::{Color, Styles};

/// Judge by rules, and test, explain and list them
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Use color; the variable `NO_COLOR` wins over it
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    Judge(judge::Judge),
    Test(test::Test),
    Explain(explain::Explain),
    Pages(pages::Pages),
    Waive(waive::Waive),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { exit::USAGE.into() } else { exit::DONE.into() };
        }
    };
    let styles = Styles::of(cli.color);
    let done = match cli.command {
        Command::Judge(judge) => judge.run(cli.color),
        Command::Test(test) => test.run(),
        Command::Explain(explain) => explain.run(cli.color),
        Command::Pages(pages) => pages.run(),
        Command::Waive(waive) => waive.run(),
    };
    match done {
        Ok(()) => exit::DONE.into(),
        Err(problem) => {
            output::say(&problem.render(styles));
            problem.code().into()
        }
    }
}
