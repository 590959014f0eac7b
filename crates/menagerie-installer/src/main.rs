//! Fetches a pinned Terraform, verifies its SHA-256 and puts it in place.
//!
//! It is a program of its own, so that what only this needs (archives) is not built into the front end. The transfer is
//! `curl`'s, which knows proxies and the system's certificates. Nothing is put in place that is not whole and verified: a
//! download that fails, or that somebody else's file was slipped into, leaves what was there before.
//!
//! ```console
//! $ menagerie-installer --into tools
//! tools/terraform
//! ```

mod archive;
mod download;
mod install;
mod release;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::install::{InstallError, Installed, install};
use crate::release::{Checksum, Origin, Release, Version};

/// Fetch Terraform, verify it, and put it into a directory; print its path
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Put it into this directory, as `terraform`
    #[arg(long, value_name = "DIR")]
    into: PathBuf,

    /// Fetch this version instead of the pinned one
    #[arg(long, value_name = "VERSION", requires = "sha256")]
    terraform: Option<Version>,

    /// The SHA-256 of that version's archive for this platform
    #[arg(long, value_name = "SUM", requires = "terraform")]
    sha256: Option<Checksum>,

    /// Fetch it from this mirror of releases.hashicorp.com
    #[arg(long, value_name = "URL", default_value_t)]
    from: Origin,
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match run(&cli) {
        Ok(installed) => {
            say(&installed.to_string());
            // A reader that has left knows where it is.
            let _ = writeln!(io::stdout().lock(), "{}", installed.path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("error: {}", chain(&error)));
            if let Some(hint) = error.hint() {
                say(&format!("hint: {hint}"));
            }
            ExitCode::from(FAILED)
        }
    }
}

fn run(cli: &Cli) -> Result<Installed, InstallError> {
    let release = match (&cli.terraform, &cli.sha256) {
        (Some(version), Some(checksum)) => Release::chosen(version.clone(), checksum.clone())?,
        _ => Release::pinned()?,
    };
    install(&release, &cli.from, &cli.into, &mut say)
}

/// Says one thing to the person who waits; nobody there to hear it is no failure.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
