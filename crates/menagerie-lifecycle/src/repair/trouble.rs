//! What can be wrong with an environment, and what mends it.

use menagerie_naming::EnvName;
use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong with an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Another run works on it, so that there is no telling what is wrong.
    Busy {
        /// What that run says of itself.
        holder: String,
    },
    /// A Terraform has outlived the run that started it.
    Orphan {
        /// Its command.
        command: String,
        /// Its process id, where it can be had.
        pid: Option<u32>,
    },
    /// The state is cut short: whoever wrote it was killed, or the disk was full.
    TornState {
        /// The newest one that is whole.
        spare: Option<PathBuf>,
    },
    /// The state is no state.
    DamagedState {
        /// What is wrong with it.
        reason: String,
        /// The newest one that can be read.
        spare: Option<PathBuf>,
    },
    /// Terraform could not write the state to its place, and left it in another.
    UnsavedState {
        /// Where.
        path: PathBuf,
    },
    /// A state lies where Terraform leaves one that it could not write, and is not newer than what is in its place.
    OtherState {
        /// Where.
        path: PathBuf,
    },
    /// A Terraform that was killed has left a note that it holds the state. It does not.
    LockNote {
        /// The note.
        path: PathBuf,
        /// Who it was.
        holder: String,
    },
    /// A run that was killed has left something half made, which nobody uses.
    Leftover {
        /// Where.
        path: PathBuf,
    },
    /// The last apply did not reach its end.
    UnfinishedApply {
        /// Why, where it could still say so.
        reason: Option<String>,
    },
    /// Nobody keeps its services and databases up.
    Unsupervised,
    /// A service or a database does not run as it should.
    NotRunning {
        /// Which.
        what: String,
        /// What it does instead.
        status: String,
    },
    /// A service or a database is in the state, and its hosting knows nothing of it.
    Lost {
        /// Which.
        what: String,
    },
    /// A service or a database exists, and the state knows nothing of it.
    Unrecorded {
        /// Which.
        what: String,
    },
    /// What its last apply was made of is lost.
    NoBundle,
    /// Its `env.toml` is wrong.
    Intent {
        /// What is wrong with it.
        reason: String,
    },
    /// A destroy did not reach its end.
    UnfinishedDestroy {
        /// Why, where it could still say so.
        reason: Option<String>,
    },
    /// It can't be looked at.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// Who mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mender {
    /// `env repair`.
    Repair,
    /// `env repair` where it is confirmed, since something is destroyed.
    Confirmed,
    /// A person.
    Person,
}

impl Trouble {
    /// Returns its word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Orphan { .. } => "orphan",
            Self::TornState { .. } => "torn-state",
            Self::DamagedState { .. } => "damaged-state",
            Self::UnsavedState { .. } => "unsaved-state",
            Self::OtherState { .. } => "other-state",
            Self::LockNote { .. } => "lock-note",
            Self::Leftover { .. } => "leftover",
            Self::UnfinishedApply { .. } => "unfinished-apply",
            Self::Unsupervised => "unsupervised",
            Self::NotRunning { .. } => "not-running",
            Self::Lost { .. } => "lost",
            Self::Unrecorded { .. } => "unrecorded",
            Self::NoBundle => "no-bundle",
            Self::Intent { .. } => "intent",
            Self::UnfinishedDestroy { .. } => "unfinished-destroy",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Returns who mends it.
    pub fn mender(&self) -> Mender {
        match self {
            Self::Orphan { .. }
            | Self::TornState { .. }
            | Self::DamagedState { .. }
            | Self::UnsavedState { .. }
            | Self::OtherState { .. }
            | Self::LockNote { .. }
            | Self::Leftover { .. }
            | Self::UnfinishedApply { .. }
            | Self::Unsupervised
            | Self::NotRunning { .. }
            | Self::Lost { .. }
            | Self::Unrecorded { .. } => Mender::Repair,
            Self::UnfinishedDestroy { .. } => Mender::Confirmed,
            Self::Busy { .. } | Self::NoBundle | Self::Intent { .. } | Self::Unknown { .. } => {
                Mender::Person
            }
        }
    }

    /// Returns what mends it: what is done, and the command with which a person does the same.
    pub fn remedy(&self, name: &EnvName) -> String {
        let kept = |what: &str| format!("kept as `terraform.tfstate.{what}`");
        match self {
            Self::Busy { .. } => "wait until it has ended".to_owned(),
            Self::Orphan { pid, .. } => {
                let stop =
                    pid.map(|pid| format!("; `kill -INT {pid}` stops it")).unwrap_or_default();
                format!("wait until it has ended{stop}")
            }
            Self::TornState { spare: Some(spare) } => {
                format!("put `{}` in its place, as any run does", spare.display())
            }
            Self::TornState { spare: None } => {
                format!("set it aside, {}, and take over what runs", kept("torn"))
            }
            Self::DamagedState { spare: Some(spare), .. } => {
                format!(
                    "put `{}` in its place; the damaged one is {}",
                    spare.display(),
                    kept("damaged")
                )
            }
            Self::DamagedState { spare: None, .. } => {
                format!("set it aside, {}, and take over what runs", kept("damaged"))
            }
            Self::UnsavedState { .. } => {
                "push it in the place of the older one, as any run does".to_owned()
            }
            Self::OtherState { .. } => {
                "set it aside among the records of runs, for you to look into".to_owned()
            }
            Self::LockNote { path, .. } | Self::Leftover { path } => {
                format!("remove it: `rm -r {}`", path.display())
            }
            Self::UnfinishedApply { .. } => {
                format!("go on with it: `cargo xtask env up {name}`")
            }
            Self::Unsupervised | Self::NotRunning { .. } => {
                format!("apply what was applied last: `cargo xtask env up {name}`")
            }
            Self::Lost { .. } => {
                format!("make it anew, without the data it had: `cargo xtask env up {name}`")
            }
            Self::Unrecorded { .. } => {
                format!(
                    "take it over: `cargo xtask env up {name}`; or `cargo xtask env destroy {name}`"
                )
            }
            Self::NoBundle => {
                format!(
                    "with its directory in the checkout, `cargo xtask env up {name}` makes another"
                )
            }
            Self::Intent { .. } => format!("mend `tf/envs/{name}/env.toml`"),
            Self::UnfinishedDestroy { .. } => {
                format!("go on with it: `cargo xtask env destroy {name} --confirm {name}`")
            }
            Self::Unknown { .. } => "see to that, and look again".to_owned(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = |reason: &Option<String>| match reason {
            Some(reason) => format!(": {reason}"),
            None => ": it was cut short".to_owned(),
        };
        match self {
            Self::Busy { holder } => write!(formatter, "{holder} works on it"),
            Self::Orphan { command, pid } => {
                write!(formatter, "`terraform {command}`")?;
                if let Some(pid) = pid {
                    write!(formatter, " (pid {pid})")?;
                }
                write!(formatter, " has outlived the run that started it")
            }
            Self::TornState { .. } => write!(formatter, "its state was cut short"),
            Self::DamagedState { reason, .. } => {
                write!(formatter, "its state can't be read: {reason}")
            }
            Self::UnsavedState { path } => {
                write!(formatter, "a newer state was left in `{}`", path.display())
            }
            Self::OtherState { path } => {
                write!(formatter, "a state that is not newer lies in `{}`", path.display())
            }
            Self::LockNote { holder, .. } => {
                write!(formatter, "a note says that {holder} holds its state, and nobody does")
            }
            Self::Leftover { path } => {
                write!(formatter, "a killed run has left `{}`", path.display())
            }
            Self::UnfinishedApply { reason } => {
                write!(formatter, "its last apply did not finish{}", because(reason))
            }
            Self::Unsupervised => write!(formatter, "nobody keeps it up: its supervisor is gone"),
            Self::NotRunning { what, status } => write!(formatter, "{what} is {status}"),
            Self::Lost { what } => write!(formatter, "{what} is in its state only"),
            Self::Unrecorded { what } => write!(formatter, "{what} is not in its state"),
            Self::NoBundle => write!(formatter, "what its last apply was made of is lost"),
            Self::Intent { reason } => write!(formatter, "{reason}"),
            Self::UnfinishedDestroy { reason } => {
                write!(formatter, "its destroy did not finish{}", because(reason))
            }
            Self::Unknown { reason } => write!(formatter, "it can't be looked at: {reason}"),
        }
    }
}
