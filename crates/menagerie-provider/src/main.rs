//! A Terraform provider for this machine: real processes and real databases on loopback.
//!
//! `serve` answers Terraform over a Unix socket, for as long as one run takes. `supervise` is the one
//! long-lived process of an environment: it runs replicas behind a port that stays the same, and
//! PostgreSQL. `exec` becomes a program after it has recorded itself. `status` and `down` need neither.
//! `rehearse` stands in for cloud providers instead: true schemas, nothing real behind them; `schemas` lists them.
//! It does not run Terraform, and it downloads nothing.
//!
//! ```console
//! $ mkfifo input; menagerie-provider serve --dir /tmp/demo < input > reattach & exec 3> input
//! $ TF_REATTACH_PROVIDERS=$(cat reattach) terraform apply
//! $ menagerie-provider status --dir /tmp/demo
//! $ menagerie-provider down --dir /tmp/demo
//! ```

mod backup;
mod client;
mod control;
mod down;
mod environment;
mod file;
mod launch;
mod layout;
mod leftover;
mod life;
mod lock;
mod log;
mod name;
mod place;
mod port;
mod process;
mod provider;
mod random;
mod record;
mod rehearsal;
mod report;
mod resource;
mod rpc;
mod secret;
mod serve;
mod socket;
mod status;
mod supervisor;
mod telemetry;
mod value;
mod wire;
mod zone;

use crate::{environment::Environment, layout::Layout, name::Name};
use clap::{Parser, Subcommand};
use std::{
    error::Error,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Run services and databases on this machine for Terraform
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve Terraform: print the value of `TF_REATTACH_PROVIDERS`, stay until standard input ends and no client lives
    Serve {
        /// Keep what runs in this directory
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Leave when standard input has ended and no client came for so long
        #[arg(long, value_name = "N", default_value_t = 10)]
        idle_seconds: u64,
    },
    /// Stand in for cloud providers, with nothing real behind them: print the value of `TF_REATTACH_PROVIDERS`, stay likewise
    Rehearse(rehearsal::Rehearse),
    /// Print as JSON which types of which providers `rehearse` stands in for
    Schemas(rehearsal::Schemas),
    /// Supervise what is recorded; started by `serve`
    #[command(hide = true)]
    Supervise {
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
    /// Become a recorded program; started by `supervise`
    #[command(hide = true)]
    Exec(launch::Exec),
    /// Print as JSON what is recorded and what runs
    Status {
        /// Look into this directory
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
    /// Back up a database into a new file; print as JSON what that is
    ///
    /// Of PostgreSQL it is what `pg_dump` writes. SQLite's file is copied while the services are paused, for as long as
    /// that takes.
    Backup {
        /// Look into this directory
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Take this database; the only one where none is given
        #[arg(long, value_name = "NAME")]
        database: Option<Name>,
        /// Write this file, which must not exist
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Replace what a database holds by a backup, or change nothing; print as JSON what was restored
    ///
    /// The services are ended for a moment and started again on what was restored.
    Restore {
        /// Look into this directory
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Take this database; the only one where none is given
        #[arg(long, value_name = "NAME")]
        database: Option<Name>,
        /// Read this file
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
    },
    /// End everything that is recorded and remove its data; print as JSON what that was
    Down {
        /// Clear this directory
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// A failure in the user's words, with a way out.
#[derive(Debug)]
struct Failure {
    what: String,
    hint: Option<String>,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut output = io::stderr().lock();
            let _ = writeln!(output, "error: {}", failure.what);
            if let Some(hint) = failure.hint {
                let _ = writeln!(output, "hint: {hint}");
            }
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    let environment = Environment::read();
    match command {
        Command::Serve { dir, idle_seconds } => {
            // Nothing is written yet: where the disk is full, destroying must still be possible.
            let layout = make_layout(&dir)?;
            detach();
            let runtime = runtime()?;
            let served = runtime.block_on(serve::run(
                layout,
                environment,
                Duration::from_secs(idle_seconds),
            ));
            // A Terraform that was interrupted twice waits for no answer. What it ordered is the supervisor's to carry out.
            runtime.shutdown_background();
            served.map_err(|error| failure("failed to serve", &error, None))
        }
        Command::Rehearse(rehearse) => {
            let layout = make_layout(&rehearse.dir)?;
            detach();
            let runtime = runtime()?;
            let served = runtime.block_on(rehearsal::run(rehearse, layout, environment));
            runtime.shutdown_background();
            served.map_err(|error| failure("failed to rehearse", &error, None))
        }
        Command::Schemas(schemas) => {
            let listed = rehearsal::list(&schemas);
            print(&listed.map_err(|error| failure("failed to read the schemas", &error, None))?)
        }
        Command::Supervise { dir } => supervise(&dir, environment),
        Command::Exec(exec) => {
            exec.run();
            // It told its supervisor why.
            Err(Failure { what: "the program was not started".to_owned(), hint: None })
        }
        Command::Status { dir } => {
            let layout = find_layout(&dir)?;
            let status = status::collect(&layout)
                .map_err(|error| damaged("failed to read the status", &error))?;
            print(&status)
        }
        Command::Backup { dir, database, output } => {
            let backup = backup::back_up(&find_layout(&dir)?, database, &output);
            print(&backup.map_err(|error| copy_failed("backed up", &error))?)
        }
        Command::Restore { dir, database, input } => {
            let restored = backup::restore(&find_layout(&dir)?, database, &input);
            print(&restored.map_err(|error| copy_failed("restored", &error))?)
        }
        Command::Down { dir } => {
            let layout = find_layout(&dir)?;
            let down = down::down(&layout, &environment).map_err(|error| {
                failure(
                    "not everything was removed",
                    &error,
                    Some("end what is named by hand, then run this again"),
                )
            })?;
            print(&down)
        }
    }
}

/// What it says before it closes standard output is why it can't work.
fn supervise(dir: &Path, environment: Environment) -> Result<(), Failure> {
    let layout = make_layout(dir)?;
    detach();
    let started = || drop(life::close_output());
    let outcome = runtime()?.block_on(supervisor::run(layout, environment, started));
    outcome.map_err(|error| {
        let _ = write!(io::stdout(), "{}", report::chain(&error));
        failure("the supervisor failed", &error, None)
    })
}

/// A terminal that closes, or a ^C in it, is not meant for this process.
fn detach() {
    // Fails only for the leader of a group, who has what this is for.
    let _ = rustix::process::setsid();
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failure("failed to start threads", &error, None))
}

/// Makes the directory where it is missing.
fn make_layout(dir: &Path) -> Result<Layout, Failure> {
    file::make_private_directory(dir)
        .map_err(|error| failure(&format!("failed to make `{}`", dir.display()), &error, None))?;
    find_layout(dir)
}

/// A directory that does not exist holds nothing, which is no error.
fn find_layout(dir: &Path) -> Result<Layout, Failure> {
    let path = match dir.canonicalize() {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => dir.to_owned(),
        Err(error) => {
            return Err(failure(&format!("failed to find `{}`", dir.display()), &error, None));
        }
    };
    if path.to_str().is_none() {
        let what = format!("the path `{}` is not UTF-8", path.display());
        return Err(Failure {
            what,
            hint: Some("paths are part of Terraform's state, which is text".to_owned()),
        });
    }
    let layout = Layout::new(path);
    let hint = "remove it if it is a copy, by hand: nothing that runs belongs to it";
    place::check(&layout)
        .map_err(|error| failure("the directory can't be used", &error, Some(hint)))?;
    Ok(layout)
}

fn print(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).expect("what is printed is plain data");
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(failure("failed to write to standard output", &error, None))
        }
        _ => Ok(()),
    }
}

fn damaged(what: &str, error: &dyn Error) -> Failure {
    failure(what, error, Some("the record is left as it is: what it says may still run"))
}

fn copy_failed(what: &str, error: &backup::BackupError) -> Failure {
    let what = if error.leaves_open() {
        format!("it is not known whether it was {what}")
    } else {
        format!("nothing was {what}")
    };
    Failure { hint: error.hint(), ..failure(&what, error, None) }
}

fn failure(what: &str, error: &dyn Error, hint: Option<&'static str>) -> Failure {
    Failure { what: format!("{what}: {}", report::chain(error)), hint: hint.map(str::to_owned) }
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
