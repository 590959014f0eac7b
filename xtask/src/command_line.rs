//! The command line as a whole. Doc comments are its help.

use clap::{Parser, Subcommand};

use crate::env::Env;
use crate::output::{Color, Terminal};

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
}

impl CommandLine {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        match self.command {
            Command::Env(env) => env.run(terminal),
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

    /// The whole reference, to be reviewed when it changes.
    #[test]
    fn reference() {
        let mut command = CommandLine::command();
        command.build();
        let mut pages = Vec::new();
        collect(&mut command, &mut pages);
        insta::assert_snapshot!(pages.join("\n"));
    }

    fn collect(command: &mut clap::Command, pages: &mut Vec<String>) {
        let name = command.get_bin_name().unwrap_or_default().to_owned();
        // clap ends some lines with spaces, which editors and reviews would not keep.
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        pages.push(format!("$ {name} --help\n{}\n", lines.join("\n")));
        for subcommand in
            command.get_subcommands_mut().filter(|subcommand| subcommand.get_name() != "help")
        {
            collect(subcommand, pages);
        }
    }
}
