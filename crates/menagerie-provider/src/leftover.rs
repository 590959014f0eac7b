//! Ends recorded processes and removes recorded data, with no supervisor's help.
//!
//! A successor does this for what a dead supervisor left, `down` for everything, and a destroy where no
//! supervisor lives. The caller holds the lock, so that nobody starts anything meanwhile.

use crate::{
    file,
    layout::{DatabaseLayout, Layout, ServiceLayout},
    process::{Identity, Survived, processes_in, wait_until},
    record::{self, CollectorRecord, DatabaseRecord, Engine, RecordError, ServiceRecord},
};
use rustix::process::Signal;
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Time for a replica to finish its requests.
pub(crate) const REPLICA_GRACE: Duration = Duration::from_secs(10);

/// Time for a database server to write its checkpoint.
pub(crate) const DATABASE_GRACE: Duration = Duration::from_secs(20);

/// Where databases lie when this program is root: the server's user can't enter root's directories.
pub(crate) const ROOT_DATA: &str = "/var/lib/menagerie";

/// A process that was ended.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Ended {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) pid: i32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Supervisor,
    Replica,
    Database,
}

/// What could not be ended or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeftoverError {
    #[error("failed to end `{name}`")]
    End { name: String, source: Survived },
    #[error("process {pid} still works on the data in `{}`", path.display())]
    Busy { pid: i32, path: PathBuf },
    #[error("failed to remove `{}`", path.display())]
    Remove { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Ends every recorded replica of a service, all at once.
pub(crate) fn end_service(layout: &ServiceLayout) -> Result<Vec<Ended>, LeftoverError> {
    let service = layout.directory.file_name().unwrap_or_default().to_string_lossy();
    let replicas = record::replicas(layout)?;
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tasks: Vec<_> = replicas
            .iter()
            .map(|(index, identity)| {
                let name = format!("{service}/{index}");
                scope.spawn(move || {
                    end_recorded(Kind::Replica, name, identity, &layout.replica(*index))
                })
            })
            .collect();
        tasks
            .into_iter()
            .map(|task| task.join().expect("ending a process does not panic"))
            .collect()
    });
    outcomes.into_iter().filter_map(Result::transpose).collect()
}

/// Ends the recorded server of a database, and what it left working on the data.
pub(crate) fn end_database(
    layout: &DatabaseLayout,
    record: &DatabaseRecord,
) -> Result<Option<Ended>, LeftoverError> {
    let mut ended = None;
    if let Some(identity) = record::database_process(layout)? {
        ended =
            end_recorded(Kind::Database, record.name.to_string(), &identity, &layout.process())?;
    }
    if let Some(identity) = record::read::<Identity>(&layout.tool())? {
        end_recorded(Kind::Database, record.name.to_string(), &identity, &layout.tool())?;
    }
    if record.engine == Engine::Postgres {
        end_workers(&record.data)?;
    }
    Ok(ended)
}

/// Ends what works on a cluster whose server is gone: a backend with a long query outlives `kill -9` of its
/// postmaster, and keeps the next one from starting.
pub(crate) fn end_workers(data: &Path) -> Result<(), LeftoverError> {
    let mut left = Vec::new();
    let gone = wait_until(Duration::from_secs(5), || {
        left = processes_in(data)
            .into_iter()
            .filter_map(Identity::of)
            .filter(Identity::is_alive)
            .collect();
        for worker in &left {
            worker.signal(Signal::KILL);
        }
        left.is_empty()
    });
    match left.first() {
        Some(worker) if !gone => {
            Err(LeftoverError::Busy { pid: worker.pid, path: data.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Ends what a dead supervisor left of a service; `None` when it was being removed, which is then done.
pub(crate) fn take_over_service(
    layout: &ServiceLayout,
) -> Result<Option<ServiceRecord>, LeftoverError> {
    let Some(record) = record::read::<ServiceRecord>(&layout.record())? else { return Ok(None) };
    end_service(layout)?;
    if record.removing {
        remove_service(layout)?;
        return Ok(None);
    }
    Ok(Some(record))
}

/// Ends what a dead supervisor left of a database; `None` when it was being removed, which is then done.
pub(crate) fn take_over_database(
    layout: &DatabaseLayout,
) -> Result<Option<DatabaseRecord>, LeftoverError> {
    let Some(record) = record::read::<DatabaseRecord>(&layout.record())? else { return Ok(None) };
    end_database(layout, &record)?;
    if record.removing {
        remove_database(layout, &record)?;
        return Ok(None);
    }
    Ok(Some(record))
}

/// Finishes the removal of a collector that a dead supervisor was at; `None` when it is gone.
pub(crate) fn take_over_collector(
    layout: &Layout,
) -> Result<Option<CollectorRecord>, LeftoverError> {
    match record::read::<CollectorRecord>(&layout.collector())? {
        Some(record) if record.removing => {
            remove_collector(layout)?;
            Ok(None)
        }
        record => Ok(record),
    }
}

/// Ends and removes a service that no supervisor runs; one that is not recorded is no error.
pub(crate) fn clear_service(layout: &ServiceLayout) -> Result<(), LeftoverError> {
    let Some(record) = record::read::<ServiceRecord>(&layout.record())? else { return Ok(()) };
    // Only a hint for the next one. A full disk must not keep anything from being removed.
    let _ = record::write(&layout.record(), &ServiceRecord { removing: true, ..record });
    end_service(layout)?;
    remove_service(layout)
}

/// Ends and removes a database that no supervisor runs; one that is not recorded is no error.
pub(crate) fn clear_database(layout: &DatabaseLayout) -> Result<(), LeftoverError> {
    let Some(record) = record::read::<DatabaseRecord>(&layout.record())? else { return Ok(()) };
    let record = DatabaseRecord { removing: true, ..record };
    let _ = record::write(&layout.record(), &record);
    end_database(layout, &record)?;
    remove_database(layout, &record)
}

/// Removes what a service left; its processes are ended.
pub(crate) fn remove_service(layout: &ServiceLayout) -> Result<(), LeftoverError> {
    // The record goes last: until then the next one knows that there is something to remove.
    for path in [layout.replicas(), layout.logs(), layout.work()] {
        remove_tree(&path)?;
    }
    record::remove(&layout.record())?;
    remove_tree(&layout.directory)
}

/// Removes a database with its data; its processes are ended.
pub(crate) fn remove_database(
    layout: &DatabaseLayout,
    record: &DatabaseRecord,
) -> Result<(), LeftoverError> {
    remove_tree(&record.data)?;
    if let Some(parent) = record.data.parent().filter(|parent| parent.starts_with(ROOT_DATA)) {
        // Shared with other databases and environments: only when empty.
        let _ = fs::remove_dir(parent);
        let _ = fs::remove_dir(ROOT_DATA);
    }
    let url = layout.url(record);
    file::remove(&url).map_err(|source| LeftoverError::Remove { path: url, source })?;
    record::remove(&layout.record())?;
    remove_tree(&layout.directory)
}

/// Removes a collector with what it kept; it is a part of the supervisor, and ended with it.
pub(crate) fn remove_collector(layout: &Layout) -> Result<(), LeftoverError> {
    remove_tree(&layout.telemetry())?;
    Ok(record::remove(&layout.collector())?)
}

/// Removes the directories that hold records, when they hold none.
pub(crate) fn remove_empty(layout: &Layout) {
    let _ = fs::remove_dir(layout.services());
    let _ = fs::remove_dir(layout.databases());
}

pub(crate) fn remove_tree(path: &Path) -> Result<(), LeftoverError> {
    file::remove_tree(path)
        .map(drop)
        .map_err(|source| LeftoverError::Remove { path: path.to_owned(), source })
}

fn end_recorded(
    kind: Kind,
    name: String,
    identity: &Identity,
    path: &Path,
) -> Result<Option<Ended>, LeftoverError> {
    let (signal, grace) = match kind {
        // PostgreSQL's fast shutdown.
        Kind::Database => (Signal::INT, DATABASE_GRACE),
        Kind::Replica | Kind::Supervisor => (Signal::TERM, REPLICA_GRACE),
    };
    let pid = identity.pid;
    let was_there = match identity.end_group(signal, grace) {
        Ok(was_there) => was_there,
        Err(source) => return Err(LeftoverError::End { name, source }),
    };
    record::remove(path)?;
    Ok(was_there.then_some(Ended { kind, name, pid }))
}
