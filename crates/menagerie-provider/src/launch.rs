//! Starts a program so that no instant exists at which it runs unrecorded.
//!
//! The supervisor starts *this* program as `exec`. That process writes its own identity to the record,
//! looks whether its supervisor still lives, and only then becomes the program: same pid, same start time.
//! A supervisor killed before the look leaves an `exec` that ends itself; one killed after it leaves a
//! record for its successor, which starts only when the lock of the dead one is free.

use crate::{
    file,
    process::Identity,
    record::{self, Account, RecordError},
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::{
            fs::OpenOptionsExt as _,
            process::{CommandExt as _, ExitStatusExt as _},
        },
    },
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};
use tokio::sync::watch;

/// What to start, and how.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// The whole environment of the program.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) directory: PathBuf,
    /// Its standard output and error are appended here.
    pub(crate) log: PathBuf,
    /// Its identity is written here.
    pub(crate) record: PathBuf,
    /// Its standard input; nothing where `None`.
    pub(crate) input: Option<PathBuf>,
    pub(crate) account: Option<Account>,
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) identity: Identity,
    /// Becomes `Some` when it has ended and was reaped.
    pub(crate) exit: watch::Receiver<Option<ExitStatus>>,
}

/// A program that could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("failed to start a process")]
    Spawn(#[source] io::Error),
    /// What `exec` said before it gave up.
    #[error("{0}")]
    Refused(String),
    #[error("the process ended before it could be recorded")]
    Gone,
}

/// Starts a program; returns when it is recorded and executed. Blocks for some milliseconds.
pub(crate) fn launch(launch: &Launch, supervisor: &Identity) -> Result<Launched, LaunchError> {
    let mut command = own_program().map_err(LaunchError::Spawn)?;
    command
        .args(arguments(launch, supervisor))
        .env_clear()
        .envs(&launch.environment)
        .process_group(0);
    let input = match &launch.input {
        Some(path) => File::open(path).map_err(LaunchError::Spawn)?.into(),
        None => Stdio::null(),
    };
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(LaunchError::Spawn)?;
    let identity = i32::try_from(child.id()).ok().and_then(Identity::of);
    // The pipe closes when the program replaces `exec`: silence is success.
    let mut refusal = String::new();
    if let Some(mut output) = child.stdout.take() {
        let _ = output.by_ref().take(16 * 1024).read_to_string(&mut refusal);
    }
    if !refusal.is_empty() {
        let _ = child.wait();
        return Err(LaunchError::Refused(refusal));
    }
    let Some(identity) = identity else {
        let _ = child.wait();
        return Err(LaunchError::Gone);
    };
    let (sender, exit) = watch::channel(None);
    std::thread::spawn(move || {
        let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(0));
        sender.send_replace(Some(status));
    });
    Ok(Launched { identity, exit })
}

fn arguments(launch: &Launch, supervisor: &Identity) -> Vec<String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut arguments = vec!["exec".to_owned()];
    let mut option = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
    option("record", text(&launch.record));
    option("supervisor", supervisor.to_string());
    option("log", text(&launch.log));
    option("directory", text(&launch.directory));
    if let Some(account) = launch.account {
        option("uid", account.uid.to_string());
        option("gid", account.gid.to_string());
    }
    arguments.push("--".to_owned());
    arguments.push(launch.program.clone());
    arguments.extend(launch.arguments.iter().cloned());
    arguments
}

/// Returns a command that runs this very program.
#[expect(
    clippy::disallowed_methods,
    reason = "the provider starts processes; every one through here"
)]
pub(crate) fn own_program() -> io::Result<Command> {
    let path = std::env::current_exe()?;
    // Built anew or removed while it runs: the kernel still has the file.
    if cfg!(target_os = "linux") && !path.exists() {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("menagerie-provider");
        return Ok(command);
    }
    Ok(Command::new(path))
}

/// Becomes a program, as the child of a supervisor.
#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    /// Write this process's identity to this record
    #[arg(long)]
    record: PathBuf,
    /// Give up unless this process (PID:STARTED) lives
    #[arg(long)]
    supervisor: Identity,
    /// Append the program's output to this file
    #[arg(long)]
    log: PathBuf,
    /// Run the program in this directory
    #[arg(long)]
    directory: PathBuf,
    /// Run the program as this user
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    /// Run the program as this group
    #[arg(long, requires = "uid")]
    gid: Option<u32>,
    /// Program and arguments
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Why `exec` did not become the program.
#[derive(Debug, thiserror::Error)]
enum ExecError {
    #[error("this process has no identity")]
    Identity,
    #[error("its supervisor is gone")]
    Orphan,
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("failed to open the log `{}`", path.display())]
    Log { path: PathBuf, source: io::Error },
    #[error("failed to start `{program}` in `{}`", directory.display())]
    Program { program: String, directory: PathBuf, source: io::Error },
}

impl Exec {
    /// Returns only when it failed; standard output tells the supervisor why.
    pub(crate) fn run(&self) {
        // Kept aside: becoming the program replaces standard output even when it fails later.
        let report = io::stdout().as_fd().try_clone_to_owned();
        let error = self.attempt();
        if let Ok(report) = report {
            let _ = File::from(report).write_all(crate::report::chain(&error).as_bytes());
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is where a recorded process becomes the program"
    )]
    fn attempt(&self) -> ExecError {
        let Some(own) = Identity::own() else { return ExecError::Identity };
        if let Err(error) = record::write(&self.record, &own) {
            return error.into();
        }
        let error = if self.supervisor.is_alive() {
            let [program, arguments @ ..] = &self.command[..] else { return ExecError::Orphan };
            match open_log(&self.log) {
                Ok((output, errors)) => {
                    let mut command = Command::new(program);
                    command
                        .args(arguments)
                        .current_dir(&self.directory)
                        .stdout(output)
                        .stderr(errors);
                    if let (Some(uid), Some(gid)) = (self.uid, self.gid) {
                        // As root this also drops the supplementary groups.
                        command.uid(uid).gid(gid);
                    }
                    let source = command.exec();
                    ExecError::Program {
                        program: program.clone(),
                        directory: self.directory.clone(),
                        source,
                    }
                }
                Err(source) => ExecError::Log { path: self.log.clone(), source },
            }
        } else {
            ExecError::Orphan
        };
        let _ = file::remove(&self.record);
        error
    }
}

fn open_log(path: &Path) -> io::Result<(File, File)> {
    let log = File::options().create(true).append(true).mode(0o600).open(path)?;
    Ok((log.try_clone()?, log))
}
