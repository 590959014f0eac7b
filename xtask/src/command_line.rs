//! The command line as a whole. Doc comments are its help.

use clap::{Parser, Subcommand};

use crate::bench::Bench;
use crate::completions::Completions;
use crate::comply::Comply;
use crate::doctor::Doctor;
use crate::env::Env;
use crate::import::Import;
use crate::man::Man;
use crate::output::{Color, Terminal};
use crate::reference::Reference;
use crate::schema::Schema;
use crate::setup::Setup;
use crate::template::Template;
use crate::tf::Tf;

/// Make, run and destroy environments of this repository
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,

    /// Use color; the variable `NO_COLOR` wins over it
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", display_order = 900)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Manage environments: named, disposable copies of the application with all that it needs
    #[command(subcommand)]
    Env(Env),
    /// Work on the templates that root modules are rendered from
    #[command(subcommand)]
    Template(Template),
    /// Work on the Terraform modules in `tf`
    #[command(subcommand)]
    Tf(Tf),
    /// Adopt what was made by hand
    #[command(subcommand)]
    Import(Import),
    /// Work on the provider schemas that a rehearsal is true to
    #[command(subcommand)]
    Schema(Schema),
    Comply(Box<Comply>),
    Doctor(Doctor),
    Setup(Setup),
    Bench(Bench),
    Completions(Completions),
    Man(Man),
    Reference(Reference),
}

impl CommandLine {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        match self.command {
            Command::Env(env) => env.run(terminal),
            Command::Template(template) => template.run(terminal),
            Command::Tf(tf) => tf.run(terminal),
            Command::Import(import) => import.run(terminal),
            Command::Schema(schema) => schema.run(),
            Command::Comply(comply) => comply.run(self.color, terminal),
            Command::Doctor(doctor) => doctor.run(),
            Command::Setup(setup) => setup.run(),
            Command::Bench(bench) => bench.run(),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
            Command::Reference(reference) => reference.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn is_consistent() {
        CommandLine::command().debug_assert();
    }
}
