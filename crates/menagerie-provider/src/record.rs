//! The durable records: written before anything is started, removed after everything is ended.
//!
//! Whoever comes after a crash learns from them what should run, what runs, and what must be removed.

use crate::{
    file,
    layout::{DatabaseLayout, Layout, ServiceLayout},
    name::Name,
    process::Identity,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Version of every record; another one is refused, since guessing could lose a process.
const VERSION: u32 = 1;

/// A record that can't be read or written. It is never taken for an absent one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("failed to read the record `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the record `{}` is damaged", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("the record `{}` has version {found}; this program knows {VERSION}", path.display())]
    Version { path: PathBuf, found: u32 },
    #[error("failed to write the record `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("failed to remove the record `{}`", path.display())]
    Remove { path: PathBuf, source: io::Error },
    #[error("`{}` has a directory named `{found}`, which is none of ours", path.display())]
    Stranger { path: PathBuf, found: String },
}

/// What a user wants of a service.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceSpec {
    pub(crate) name: Name,
    /// Program and arguments; never empty.
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Variable name to `file:///…` reference.
    pub(crate) secrets: BTreeMap<String, String>,
    /// `None`: any port, chosen once.
    pub(crate) port: Option<u16>,
    pub(crate) replicas: u32,
    pub(crate) health_check_path: String,
}

/// A service that should run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceRecord {
    /// Grows with every change, so that a waiting client knows which one is served.
    pub(crate) revision: u64,
    /// It is being removed: whoever finds this finishes it.
    pub(crate) removing: bool,
    /// The port that clients use, for as long as the service lives.
    pub(crate) port: u16,
    pub(crate) spec: ServiceSpec,
}

/// What serves a database.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    Postgres,
    Sqlite,
}

impl Engine {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

/// The ordinary user under which a database server runs when this program is root.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A database that should exist.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct DatabaseRecord {
    pub(crate) name: Name,
    /// Tells it from the one that it replaced under the same name, and so does the path of its URL: with the same path
    /// Terraform would see no reason to restart who still uses the other one's data.
    pub(crate) incarnation: String,
    pub(crate) removing: bool,
    pub(crate) engine: Engine,
    /// Set for a server only.
    pub(crate) port: Option<u16>,
    /// Directory of the data; it may lie outside the runtime directory.
    pub(crate) data: PathBuf,
    pub(crate) account: Option<Account>,
    /// The data is complete. Until then it may be thrown away, from then on never.
    pub(crate) initialised: bool,
}

/// The collector that should run: an environment has at most one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct CollectorRecord {
    pub(crate) name: Name,
    pub(crate) removing: bool,
    /// The port that telemetry is sent to, for as long as the collector lives.
    pub(crate) port: u16,
}

/// Who supervises, and where it listens.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct SupervisorRecord {
    pub(crate) identity: Identity,
    pub(crate) socket: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    record: T,
}

/// Reads a record; `None` where there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RecordError> {
    let path_buf = || path.to_owned();
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RecordError::Read { path: path_buf(), source }),
    };
    let versioned: Versioned<T> = serde_json::from_slice(&bytes)
        .map_err(|source| RecordError::Damaged { path: path_buf(), source })?;
    if versioned.version != VERSION {
        return Err(RecordError::Version { path: path_buf(), found: versioned.version });
    }
    Ok(Some(versioned.record))
}

/// Writes a record, whole or not at all.
pub(crate) fn write<T: Serialize>(path: &Path, record: &T) -> Result<(), RecordError> {
    let bytes = serde_json::to_vec_pretty(&Versioned { version: VERSION, record })
        .expect("records are plain data");
    file::write_atomically(path, &bytes)
        .map_err(|source| RecordError::Write { path: path.to_owned(), source })
}

/// Removes a record.
pub(crate) fn remove(path: &Path) -> Result<(), RecordError> {
    file::remove(path)
        .map(drop)
        .map_err(|source| RecordError::Remove { path: path.to_owned(), source })
}

/// Everything recorded in a runtime directory.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    pub(crate) services: Vec<ServiceRecord>,
    pub(crate) databases: Vec<DatabaseRecord>,
    pub(crate) collector: Option<CollectorRecord>,
}

impl Inventory {
    pub(crate) fn is_empty(&self) -> bool {
        self.services.is_empty() && self.databases.is_empty() && self.collector.is_none()
    }

    /// Reads all records; a damaged one is an error, not an absence.
    pub(crate) fn read(layout: &Layout) -> Result<Self, RecordError> {
        let collector = read(&layout.collector())?;
        let mut inventory = Self { collector, ..Self::default() };
        for name in names(&layout.services())? {
            inventory.services.extend(read::<ServiceRecord>(&layout.service(&name).record())?);
        }
        for name in names(&layout.databases())? {
            inventory.databases.extend(read::<DatabaseRecord>(&layout.database(&name).record())?);
        }
        Ok(inventory)
    }
}

/// Returns the recorded processes of a service by replica, also of replicas it no longer has.
pub(crate) fn replicas(layout: &ServiceLayout) -> Result<Vec<(u32, Identity)>, RecordError> {
    let mut replicas = Vec::new();
    for file_name in entries(&layout.replicas())? {
        let Some(index) = file_name.strip_suffix(".json").and_then(|index| index.parse().ok())
        else {
            continue;
        };
        replicas
            .extend(read::<Identity>(&layout.replica(index))?.map(|identity| (index, identity)));
    }
    replicas.sort_by_key(|(index, _)| *index);
    Ok(replicas)
}

/// Returns the recorded process of a database.
pub(crate) fn database_process(layout: &DatabaseLayout) -> Result<Option<Identity>, RecordError> {
    read(&layout.process())
}

fn names(directory: &Path) -> Result<Vec<Name>, RecordError> {
    let stranger = |found: String| RecordError::Stranger { path: directory.to_owned(), found };
    let mut names = entries(directory)?
        .into_iter()
        .map(|found| found.parse().map_err(|_| stranger(found)))
        .collect::<Result<Vec<Name>, _>>()?;
    names.sort();
    Ok(names)
}

fn entries(directory: &Path) -> Result<Vec<String>, RecordError> {
    let error = |source| RecordError::Read { path: directory.to_owned(), source };
    match fs::read_dir(directory) {
        Ok(entries) => entries
            .map(|entry| {
                entry.map(|entry| entry.file_name().to_string_lossy().into_owned()).map_err(error)
            })
            // What a file manager leaves is no record.
            .filter(|name| !name.as_ref().is_ok_and(|name| name.starts_with('.')))
            .collect(),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(error(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_with_its_version() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("0.json");
        assert_eq!(read::<Identity>(&path).unwrap(), None);
        let identity = Identity { pid: 7, started: "1@a".to_owned() };
        write(&path, &identity).unwrap();
        assert_eq!(read::<Identity>(&path).unwrap(), Some(identity));
        insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
        {
          "version": 1,
          "pid": 7,
          "started": "1@a"
        }
        "#);
    }

    #[test]
    fn a_damaged_or_newer_record_is_an_error_and_not_an_absence() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("0.json");
        fs::write(&path, "").unwrap();
        assert!(matches!(read::<Identity>(&path), Err(RecordError::Damaged { .. })));
        fs::write(&path, r#"{"version":2,"pid":7,"started":""}"#).unwrap();
        assert!(matches!(read::<Identity>(&path), Err(RecordError::Version { found: 2, .. })));
    }
}
