//! `backup` and `restore`, as seen from the command line: the supervisor does the work, and finishes it when this is killed.

pub(crate) mod format;

use crate::{
    control::{self, ControlError, Fault, Request, Response},
    layout::Layout,
    name::Name,
    record::{Engine, Inventory, RecordError},
    status,
};
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// As long as the largest database may take.
const PATIENCE: Duration = Duration::from_hours(6);

/// What was backed up, or restored.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) version: u32,
    pub(crate) database: Name,
    pub(crate) engine: Engine,
    pub(crate) file: PathBuf,
    pub(crate) bytes: u64,
    /// When the backup was made, in seconds since 1970.
    pub(crate) created: u64,
    /// What should be known besides: that a service does not run again, for example.
    pub(crate) note: Option<String>,
}

/// Why a backup or a restore was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error("there is no database here")]
    None,
    #[error("there is no database `{name}`: there is {}", list(.known))]
    Unknown { name: Name, known: Vec<Name> },
    #[error("there are several databases: {}", list(.0))]
    Several(Vec<Name>),
    #[error("nobody supervises the database `{0}`")]
    Unsupervised(Name),
    #[error("the path `{}` is not UTF-8", .0.display())]
    Path(PathBuf),
    #[error("failed to find `{}`", path.display())]
    Find { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error("{0}")]
    Fault(Fault),
}

fn list(names: &[Name]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl BackupError {
    /// Whether the supervisor may have done what it was asked, or be at it.
    pub(crate) fn leaves_open(&self) -> bool {
        matches!(self, Self::Control(ControlError::Answer { .. } | ControlError::Parse { .. }))
    }

    /// Returns the way out.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Several(_) => Some("choose one by `--database`".to_owned()),
            Self::Unsupervised(_) => {
                Some("an apply starts what does not run; then try again".to_owned())
            }
            Self::Fault(fault) => fault.hint.clone(),
            _ => None,
        }
    }
}

/// Writes a backup of a database into a new file.
pub(crate) fn back_up(
    layout: &Layout,
    database: Option<Name>,
    output: &Path,
) -> Result<Summary, BackupError> {
    let database = choose(layout, database)?;
    let output = absolute(output)?;
    ask(layout, database.clone(), &Request::BackUp { database, output })
}

/// Puts a backup in the place of what a database holds.
pub(crate) fn restore(
    layout: &Layout,
    database: Option<Name>,
    input: &Path,
) -> Result<Summary, BackupError> {
    let database = choose(layout, database)?;
    let input = absolute(input)?;
    ask(layout, database.clone(), &Request::Restore { database, input })
}

fn choose(layout: &Layout, wanted: Option<Name>) -> Result<Name, BackupError> {
    let records = Inventory::read(layout)?.databases;
    let mut known: Vec<Name> = records.into_iter().map(|record| record.name).collect();
    match (wanted, known.len()) {
        (_, 0) => Err(BackupError::None),
        (Some(name), _) if known.contains(&name) => Ok(name),
        (Some(name), _) => Err(BackupError::Unknown { name, known }),
        (None, 1) => Ok(known.remove(0)),
        (None, _) => Err(BackupError::Several(known)),
    }
}

/// The supervisor has another working directory.
fn absolute(path: &Path) -> Result<PathBuf, BackupError> {
    if path.to_str().is_none() {
        return Err(BackupError::Path(path.to_owned()));
    }
    std::path::absolute(path).map_err(|source| BackupError::Find { path: path.to_owned(), source })
}

fn ask(layout: &Layout, database: Name, request: &Request) -> Result<Summary, BackupError> {
    let supervisor = status::supervisor(layout)?.ok_or(BackupError::Unsupervised(database))?;
    match control::ask(&supervisor, request, PATIENCE)? {
        Response::Copied(summary) => Ok(summary),
        Response::Failed(fault) => Err(BackupError::Fault(fault)),
        other => Err(BackupError::Fault(Fault::text(format!(
            "the supervisor gave an answer that does not fit: {other:?}"
        )))),
    }
}
