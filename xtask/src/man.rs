//! `man`: manual pages.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use crate::command_line::CommandLine;
use crate::output;

/// Print the manual page, or write those of all commands into a directory
///
/// `cargo xtask man --output ~/.local/share/man/man1` makes `man cargo-xtask-env-up` work.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Some(directory) = self.output else { return output::print_bytes(&page()?) };
        fs::create_dir_all(&directory)
            .and_then(|()| clap_mangen::generate_to(command(), &directory))
            .with_context(|| format!("failed to write pages into `{}`", directory.display()))?;
        output::say(&format!("wrote the pages into `{}`", directory.display()));
        Ok(())
    }
}

fn page() -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command()).render(&mut page).context("failed to write the page")?;
    Ok(page)
}

/// A page's name has no space.
fn command() -> clap::Command {
    CommandLine::command().name("cargo-xtask").bin_name("cargo xtask").version(None::<&str>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page() {
        let directory = tempfile::tempdir().unwrap();
        Man { output: Some(directory.path().join("man1")) }.run().unwrap();
        let page =
            |name: &str| fs::read_to_string(directory.path().join("man1").join(name)).unwrap();
        assert!(page("cargo-xtask-env-destroy.1").contains("\\-\\-confirm"));
        assert!(page("cargo-xtask.1").contains(".TH cargo-xtask 1"));
    }
}
