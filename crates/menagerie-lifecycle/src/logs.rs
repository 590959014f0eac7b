//! Where an environment's applications write.

mod follow;

pub use follow::{Follow, Lines};

use crate::file::{self, FileError};
use crate::inventory::{self, InventoryError};
use crate::repository::Repository;
use jiff::Timestamp;
use menagerie_naming::EnvName;
use std::path::{Path, PathBuf};

/// The output of one replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The service.
    pub service: String,
    /// The replica's number.
    pub replica: String,
    /// The file.
    pub path: PathBuf,
}

/// Lists the logs of an environment's services, by service and replica.
pub fn logs(repository: &Repository, name: &EnvName) -> Result<Vec<Log>, InventoryError> {
    inventory::find(repository, name, Timestamp::now())?;
    Ok(list(&services(repository, name))?)
}

fn services(repository: &Repository, name: &EnvName) -> PathBuf {
    repository.home().environment(name).local().join("services")
}

fn list(services: &Path) -> Result<Vec<Log>, FileError> {
    let mut logs = Vec::new();
    for service in file::list(services)? {
        let directory = services.join(&service).join("logs");
        for entry in file::list(&directory)? {
            let replica =
                entry.strip_prefix("replica-").and_then(|entry| entry.strip_suffix(".log"));
            if let Some(replica) = replica {
                logs.push(Log {
                    service: service.clone(),
                    replica: replica.to_owned(),
                    path: directory.join(&entry),
                });
            }
        }
    }
    Ok(logs)
}
