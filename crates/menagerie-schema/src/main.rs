//! Makes the provider schemas that a rehearsal is true to, and says what changed.
//!
//! A rehearsal answers for providers that are not there, from their schemas: files that hold what `terraform providers schema -json` prints,
//! cut down to the types in use. This program makes them: it asks Terraform, which asks the registry; or, where that does not answer, it reads
//! packages that are generated from the same schemas, with the TypeScript that they carry. It runs no code of theirs.
//!
//! It is a program of its own, so that what only this needs (archives, JSON of tens of megabytes) is not built into the front end.
//!
//! ```console
//! $ menagerie-schema update --schemas crates/menagerie-provider/schemas --packages target/schema aws --from package
//! aws 6.69.1: 158 resources, 67 data sources, 6 ephemeral resources: unchanged
//! ```

mod difference;
mod extract;
mod file;
mod interrupt;
mod names;
mod package;
mod registry;
mod schema;
mod settings;
mod types;
mod typescript;
mod update;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::settings::SettingsError;
use crate::update::{From, Places, UpdateError, chain};

/// Make the provider schemas that a rehearsal is true to
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Update(Update),
    Compare(Compare),
}

/// Make the schema files anew, and print what changed
#[derive(Debug, Args)]
struct Update {
    /// Only of these providers [default: all of `providers.toml`]
    #[arg(value_name = "PROVIDER")]
    providers: Vec<String>,

    /// Ask only there [default: the registry, and the package index where that does not answer]
    #[arg(long, value_name = "WHERE")]
    from: Option<From>,

    /// Write nothing, and fail where a file would change
    #[arg(long)]
    check: bool,

    /// The directory of the schema files and of `providers.toml`
    #[arg(long, value_name = "DIR")]
    schemas: PathBuf,

    /// Look for packages here first, and keep them here
    #[arg(long, value_name = "DIR")]
    packages: PathBuf,

    /// Ask this Terraform [default: the first on the PATH]
    #[arg(long, value_name = "PATH")]
    terraform: Option<PathBuf>,
}

/// Compare two schemas attribute by attribute, over the types that both have
///
/// Each is a schema file (`.json.gz`), what `terraform providers schema -json` printed (`.json`), or a package (`.whl`).
#[derive(Debug, Args)]
struct Compare {
    #[arg(value_name = "A")]
    first: PathBuf,

    #[arg(value_name = "B")]
    second: PathBuf,

    /// Print each difference too
    #[arg(long)]
    list: bool,
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const INTERRUPTED: u8 = 130;

/// What went wrong, in whatever was asked for.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error("failed to listen for signals")]
    Listen(#[source] io::Error),
    #[error("{0} would change")]
    WouldChange(String),
}

impl Problem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Settings(error) => error.hint(),
            Self::Update(error) => error.hint(),
            Self::WouldChange(_) => {
                Some("run it without `--check`, read what changed, and commit it".to_owned())
            }
            Self::Listen(_) => None,
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Settings(SettingsError::NoProvider { .. }) => USAGE,
            Self::Update(UpdateError::Interrupted) => INTERRUPTED,
            _ => FAILED,
        }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let done = match cli.command {
        Command::Update(update) => update.run(),
        Command::Compare(compare) => compare.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {}", chain(&error)));
            if let Some(hint) = error.hint() {
                say(&format!("hint: {hint}"));
            }
            ExitCode::from(error.code())
        }
    }
}

impl Update {
    fn run(self) -> Result<(), Problem> {
        let providers = settings::read(&self.schemas.join("providers.toml"))?;
        let providers = settings::choose(providers, &self.providers)?;
        let cancel = interrupt::listen().map_err(Problem::Listen)?;
        let Self { schemas, packages, terraform, .. } = self;
        let places = Places { schemas, packages, terraform, cancel };
        let mut changed = Vec::new();
        for (name, provider) in &providers {
            let updated =
                update::update(name, provider, self.from, &places, !self.check, &mut say)?;
            print(&updated.to_string());
            if updated.is_changed() {
                changed.push(format!("`{name}.json.gz`"));
            }
        }
        if self.check && !changed.is_empty() {
            return Err(Problem::WouldChange(changed.join(", ")));
        }
        Ok(())
    }
}

impl Compare {
    fn run(&self) -> Result<(), Problem> {
        let first = update::read(&self.first, &mut say)?;
        let second = update::read(&self.second, &mut say)?;
        let comparison = difference::compare(&first, &second);
        if self.list {
            comparison.differences.iter().for_each(|difference| print(&difference.to_string()));
        }
        let differing = comparison.differing();
        print(&format!("types that both have: {}", comparison.types));
        print(&format!("attributes and blocks that both have: {}", comparison.common));
        #[expect(clippy::cast_precision_loss, reason = "there are not that many")]
        let rate = 100.0 * differing as f64 / comparison.common.max(1) as f64;
        print(&format!("of those, different in any way: {differing} ({rate:.2} %)"));
        for (class, count) in comparison.classes() {
            print(&format!("  {class:<24} {count:>7}"));
        }
        Ok(())
    }
}

/// Prints a line of the answer; a reader that has left knows enough.
fn print(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Says one thing to the person who waits; nobody there to hear it is no failure.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
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
