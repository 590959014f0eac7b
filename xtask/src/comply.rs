//! `comply …`: becomes `menagerie-comply`, which is built when it is needed.

mod base;
mod explain;
mod handover;
mod judge;
mod pages;
mod plans;
mod policy;
mod program;
mod test;
mod waive;

use clap::{Args, Subcommand};

use crate::output::{Color, Terminal};

/// Judge this repository by its rules: its HCL, pipeline, inventory and application, and plans, with no account
///
/// `--env` and `--hosting` make plans and judge them too; `--plan` judges one that is there, and nothing else, also outside of
/// a repository. Rules are TOML or Rego in `tf/compliance`; docs/compliance/README.md says how to write, test and waive one.
/// Returns 0 where all is well, 1 for a finding at or above the threshold, 3 where a rule is wrong or something could not be
/// judged, 4 where nothing was judged.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Comply {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    judge: judge::Judge,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(test::Test),
    Explain(explain::Explain),
    Waive(waive::Waive),
    Pages(pages::Pages),
}

impl Comply {
    /// Returns only if something does not build or start.
    pub(crate) fn run(self, color: Color, terminal: Terminal) -> anyhow::Result<()> {
        match self.command {
            None => self.judge.run(color, terminal),
            Some(Command::Test(test)) => test.run(color),
            Some(Command::Explain(explain)) => explain.run(color, terminal),
            Some(Command::Waive(waive)) => waive.run(color),
            Some(Command::Pages(pages)) => pages.run(color),
        }
    }
}
