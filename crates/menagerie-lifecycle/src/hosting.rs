//! The local hosting, through the provider's command line: serve it to Terraform, ask what runs, end what is left.

use crate::file::{self, Context as _, FileError};
use duct::Handle;
use duct::unix::HandleExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead as _, BufReader, PipeWriter};
use std::path::{Path, PathBuf};

/// The local hosting of one environment.
#[derive(Debug)]
pub(crate) struct LocalHosting {
    program: PathBuf,
    directory: PathBuf,
}

/// The provider did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum HostingError {
    /// The provider did not start.
    #[error("failed to start `{}`", program.display())]
    Start {
        /// The provider's executable.
        program: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The provider ended with an error.
    #[error("`{} {command}` failed: {stderr}", program.display())]
    Failed {
        /// The provider's executable.
        program: PathBuf,
        /// What it was asked.
        command: &'static str,
        /// What it said.
        stderr: String,
    },
    /// The provider refused, or could not do, what the user asked it for.
    #[error("{message}")]
    Refused {
        /// What it said.
        message: String,
        /// The way out, where it knows one.
        hint: Option<String>,
    },
    /// The provider said what no provider of this version says.
    #[error("`{} {command}` gave an answer that is not understood", program.display())]
    Answer {
        /// The provider's executable.
        program: PathBuf,
        /// What it was asked.
        command: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What the local hosting really runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The supervisor, where one lives.
    pub supervisor: Option<Supervisor>,
    /// The services on record.
    pub services: Vec<Service>,
    /// The databases on record.
    pub databases: Vec<Database>,
    /// What receives telemetry, where something does.
    pub collector: Option<Collector>,
}

/// The process that keeps an environment's services up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervisor {
    /// Its process id.
    pub pid: u32,
}

/// A service and its replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Where it answers.
    pub url: String,
    /// `running`, `degraded` or `stopped`.
    pub status: String,
    /// Its replicas.
    pub replicas: Vec<Replica>,
}

/// One process of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// Its number, from 0.
    pub index: u32,
    /// The zone that it belongs to: `a` or `b`.
    pub zone: String,
    /// Its process id, while it lives.
    pub pid: Option<u32>,
    /// What it is doing.
    pub status: String,
    /// How often it was started again.
    pub restarts: u32,
    /// The file with its output.
    pub log: PathBuf,
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// `postgres` or `sqlite`.
    pub engine: String,
    /// `running` or `stopped`.
    pub status: String,
    /// Its server's process id, while one lives.
    pub pid: Option<u32>,
}

/// The receiving end of telemetry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collector {
    /// `running`, `degraded` or `stopped`.
    pub status: String,
    /// The directory with what it received.
    pub directory: PathBuf,
    /// How many spans, data points and log records it could not keep since it was started.
    pub dropped: u64,
}

/// What a sweep had to end after Terraform had finished.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// The processes that it ended.
    pub ended: Vec<Ended>,
    /// The directories that it removed.
    pub removed: Vec<PathBuf>,
}

/// What was copied out of a database, or back into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// The database.
    pub database: String,
    /// `postgres` or `sqlite`.
    pub engine: String,
    /// The backup.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// What should be known besides: that a service does not run again, for example.
    pub note: Option<String>,
}

/// One process that a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// What it was: `replica`, `database`, `supervisor` ….
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its process id.
    pub pid: u32,
}

impl LocalHosting {
    /// Copies the provider beside its data, since a rebuild or `git clean` takes the built one away under a running supervisor.
    pub(crate) fn install(provider: &Path, directory: &Path) -> Result<Self, FileError> {
        let bin = directory.join("bin");
        file::create_private_directory(&bin)?;
        let content = fs::read(provider).during("read", provider)?;
        let digest = crate::hex(&Sha256::digest(&content)[..4]);
        let program = bin.join(format!("menagerie-provider-{digest}"));
        if !program.exists() {
            let making = bin.join("making");
            let made = file::copy(provider, &making)
                .and_then(|()| fs::rename(&making, &program).during("create", &program));
            if made.is_err() {
                let _ = fs::remove_file(&making);
            }
            made?;
        }
        Ok(Self { program, directory: directory.to_owned() })
    }

    /// Uses the provider from where it was built, to ask without leaving anything behind.
    pub(crate) fn borrow(provider: &Path, directory: &Path) -> Self {
        Self { program: provider.to_owned(), directory: directory.to_owned() }
    }

    /// Starts the provider for the commands that follow; it leaves when the answer is dropped and its last client is gone.
    pub(crate) fn serve(&self, log: &Path) -> Result<Served, HostingError> {
        serve(&self.program, "serve", &self.arguments("serve"), log)
    }

    /// Asks what is on record and what of it lives.
    pub(crate) fn running(&self) -> Result<Running, HostingError> {
        self.ask("status")
    }

    /// Ends everything on record and removes its data.
    pub(crate) fn down(&self) -> Result<Swept, HostingError> {
        self.ask("down")
    }

    /// Writes a backup of a database, the only one where none is named, into a new file.
    pub(crate) fn back_up(
        &self,
        database: Option<&str>,
        output: &Path,
    ) -> Result<Copied, HostingError> {
        self.copy("backup", database, ("--output", output))
    }

    /// Puts a backup in the place of what a database holds, or changes nothing.
    pub(crate) fn restore(
        &self,
        database: Option<&str>,
        input: &Path,
    ) -> Result<Copied, HostingError> {
        self.copy("restore", database, ("--input", input))
    }

    fn copy(
        &self,
        command: &'static str,
        database: Option<&str>,
        (option, file): (&str, &Path),
    ) -> Result<Copied, HostingError> {
        let mut arguments = self.arguments(command).to_vec();
        arguments.extend([option.into(), file.into()]);
        arguments.extend(database.map(|name| format!("--database={name}").into()));
        self.ask_with(command, arguments).map_err(|error| match error {
            HostingError::Failed { stderr, .. } => refused(&stderr),
            error => error,
        })
    }

    fn ask<T: for<'de> Deserialize<'de>>(&self, command: &'static str) -> Result<T, HostingError> {
        self.ask_with(command, self.arguments(command).to_vec())
    }

    fn ask_with<T: for<'de> Deserialize<'de>>(
        &self,
        command: &'static str,
        arguments: Vec<OsString>,
    ) -> Result<T, HostingError> {
        let output = duct::cmd(program(&self.program), arguments)
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .map_err(|source| HostingError::Start { program: self.program.clone(), source })?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(HostingError::Failed { program: self.program.clone(), command, stderr });
        }
        serde_json::from_slice(&output.stdout).map_err(|source| HostingError::Answer {
            program: self.program.clone(),
            command,
            source,
        })
    }

    fn arguments(&self, command: &str) -> [OsString; 3] {
        [command.into(), "--dir".into(), self.directory.clone().into()]
    }
}

/// Starts a provider that says how Terraform reaches it.
pub(crate) fn serve(
    program: &Path,
    command: &'static str,
    arguments: &[OsString],
    log: &Path,
) -> Result<Served, HostingError> {
    let start = |source| HostingError::Start { program: program.to_owned(), source };
    let (standing, hold) = io::pipe().map_err(start)?;
    let (answer, stdout) = io::pipe().map_err(start)?;
    let handle = duct::cmd(self::program(program), arguments)
        .stdin_file(standing)
        .stdout_file(stdout)
        .stderr_path(log)
        .unchecked()
        .start()
        .map_err(start)?;
    let mut line = String::new();
    BufReader::new(answer).read_line(&mut line).map_err(start)?;
    if line.trim().is_empty() {
        let _ = handle.wait();
        let stderr = fs::read_to_string(log).unwrap_or_default().trim().to_owned();
        return Err(HostingError::Failed { program: program.to_owned(), command, stderr });
    }
    Ok(Served { reattach: line.trim().to_owned(), hold: Some(hold), handle })
}

/// Returns one value of `TF_REATTACH_PROVIDERS` for two.
pub(crate) fn merge_reattach(one: &str, other: &str) -> String {
    let parse = |text: &str| -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(text).unwrap_or_default()
    };
    let mut providers = parse(one);
    providers.extend(parse(other));
    serde_json::Value::Object(providers).to_string()
}

/// Reads `error: …` and, after it, `hint: …`.
fn refused(stderr: &str) -> HostingError {
    let (message, hint) = match stderr.rsplit_once("\nhint: ") {
        Some((message, hint)) => (message, Some(hint.to_owned())),
        None => (stderr, None),
    };
    let message = message.strip_prefix("error: ").unwrap_or(message);
    HostingError::Refused { message: message.to_owned(), hint }
}

/// `duct` puts `./` before a relative `Path`, and leaves a string as it is.
fn program(path: &Path) -> OsString {
    path.as_os_str().to_owned()
}

/// A provider that waits for Terraform.
#[derive(Debug)]
pub(crate) struct Served {
    /// The value of `TF_REATTACH_PROVIDERS`.
    pub(crate) reattach: String,
    hold: Option<PipeWriter>,
    handle: Handle,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Terraform has ended when we are here, so no client is cut off. The wait is for the process table to be clean when
        // the command ends.
        self.hold = None;
        let _ = self.handle.send_signal(TERMINATE);
        let _ = self.handle.wait_timeout(std::time::Duration::from_secs(5));
    }
}

const TERMINATE: i32 = rustix::process::Signal::TERM.as_raw();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_says_is_taken_apart() {
        let check = |stderr: &str, expected: (&str, Option<&str>)| {
            let HostingError::Refused { message, hint } = refused(stderr) else { unreachable!() };
            assert_eq!((message.as_str(), hint.as_deref()), expected);
        };
        check("error: no: a\nb\nhint: do", ("no: a\nb", Some("do")));
        check("error: no", ("no", None));
        check("", ("", None));
    }

    #[test]
    fn two_values_become_one() {
        let (one, other) = (r#"{"a/b/c":{"Pid":1}}"#, r#"{"d/e/f":{"Pid":2}}"#);
        assert_eq!(merge_reattach(one, other), r#"{"a/b/c":{"Pid":1},"d/e/f":{"Pid":2}}"#);
    }
}
