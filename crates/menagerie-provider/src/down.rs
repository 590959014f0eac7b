//! Ends and removes everything recorded in a runtime directory, supervisor or not.

use crate::{
    environment::Environment,
    file,
    layout::Layout,
    leftover::{self, Ended, Kind, LeftoverError},
    lock::Lock,
    process::Identity,
    record::{self, Inventory, RecordError},
    socket::{self, SocketDirectory},
    status,
};
use rustix::process::Signal;
use serde::Serialize;
use std::{collections::HashSet, io, path::PathBuf, time::Duration};

/// Longer than the graces of all that a supervisor ends in parallel.
const SUPERVISOR_GRACE: Duration = Duration::from_secs(45);

/// Longer than a provider waits for a first client.
const SERVE_GRACE: Duration = Duration::from_secs(20);

/// What `down` did, as it is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Down {
    version: u32,
    ended: Vec<Ended>,
    removed: Vec<PathBuf>,
}

/// What `down` could not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownError {
    #[error("the supervisor (pid {0}) is still there after SIGKILL")]
    Supervisor(i32),
    #[error("failed to lock `{}`", path.display())]
    Lock { path: PathBuf, source: io::Error },
    #[error("another supervisor holds `{}`", path.display())]
    Held { path: PathBuf },
    #[error("a provider still serves a running Terraform, and holds `{}`", path.display())]
    Served { path: PathBuf },
    #[error(transparent)]
    Leftover(#[from] LeftoverError),
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Several things, each with its causes.
    #[error("{} things remain in `{directory}`: {}", .remains.len(), .remains.join("; "))]
    Remains { directory: String, remains: Vec<String> },
}

/// Ends everything and removes all data; doing it again does nothing.
pub(crate) fn down(layout: &Layout, environment: &Environment) -> Result<Down, DownError> {
    let mut down = Down { version: 1, ended: Vec::new(), removed: Vec::new() };
    if !layout.directory().exists() {
        return Ok(down);
    }
    // What runs now, since the supervisor ends it itself.
    down.ended = running(layout)?;
    end_supervisor(layout, &mut down.ended)?;
    let path = layout.lock();
    let lock = Lock::take(&path, Duration::from_secs(5))
        .map_err(|source| DownError::Lock { path: path.clone(), source })?;
    let Some(_lock) = lock else { return Err(DownError::Held { path }) };
    // One whose starter was killed before any Terraform came leaves by itself; it is waited for, so that nothing is left.
    let serve_path = layout.serve_lock();
    let alone = Lock::take(&serve_path, SERVE_GRACE)
        .map_err(|source| DownError::Lock { path: serve_path.clone(), source })?;
    let Some(_alone) = alone else { return Err(DownError::Served { path: serve_path }) };
    let sockets = SocketDirectory::new(layout, environment);
    if let Ok(Some(dead)) = record::read::<record::SupervisorRecord>(&layout.supervisor()) {
        socket::forget(&dead.socket);
    }
    sockets.sweep();
    file::sweep(layout.directory())
        .map_err(|source| LeftoverError::Remove { path: layout.directory().to_owned(), source })?;
    let remains = remove_all(layout, &mut down)?;
    if !remains.is_empty() {
        return Err(DownError::Remains {
            directory: layout.directory().display().to_string(),
            remains,
        });
    }
    for path in [
        layout.place(),
        serve_path,
        layout.supervisor(),
        layout.supervisor_log(),
        layout.supervisor_log().with_extension("log.1"),
        path,
    ] {
        if file::remove(&path)
            .map_err(|source| LeftoverError::Remove { path: path.clone(), source })?
        {
            down.removed.push(path);
        }
    }
    Ok(down)
}

fn running(layout: &Layout) -> Result<Vec<Ended>, RecordError> {
    let inventory = Inventory::read(layout)?;
    let mut running = Vec::new();
    for service in &inventory.services {
        let name = &service.spec.name;
        for (index, identity) in record::replicas(&layout.service(name))? {
            if identity.group_is_alive() {
                running.push(Ended {
                    kind: Kind::Replica,
                    name: format!("{name}/{index}"),
                    pid: identity.pid,
                });
            }
        }
    }
    for database in &inventory.databases {
        let process = record::database_process(&layout.database(&database.name))?;
        if let Some(identity) = process.filter(Identity::group_is_alive) {
            running.push(Ended {
                kind: Kind::Database,
                name: database.name.to_string(),
                pid: identity.pid,
            });
        }
    }
    Ok(running)
}

/// Asked to end, a supervisor first ends what it supervises. One that does not is killed: `exec` and the
/// records see to it that nothing is lost by that.
fn end_supervisor(layout: &Layout, ended: &mut Vec<Ended>) -> Result<(), DownError> {
    let Some(supervisor) = status::supervisor(layout)? else { return Ok(()) };
    let identity = supervisor.identity;
    identity.signal(Signal::TERM);
    if !identity.wait(SUPERVISOR_GRACE) {
        identity.signal(Signal::KILL);
        if !identity.wait(Duration::from_secs(5)) {
            return Err(DownError::Supervisor(identity.pid));
        }
    }
    ended.push(Ended { kind: Kind::Supervisor, name: "supervisor".to_owned(), pid: identity.pid });
    Ok(())
}

/// Goes through everything, also after a failure; returns what remains.
fn remove_all(layout: &Layout, down: &mut Down) -> Result<Vec<String>, RecordError> {
    let inventory = Inventory::read(layout)?;
    let known: HashSet<i32> = down.ended.iter().map(|ended| ended.pid).collect();
    let mut ended = Vec::new();
    let mut remains = Vec::new();
    let mut note = |outcome: Result<Vec<PathBuf>, LeftoverError>| match outcome {
        Ok(paths) => down.removed.extend(paths),
        Err(error) => remains.push(crate::report::chain(&error)),
    };
    for service in &inventory.services {
        let layout = layout.service(&service.spec.name);
        note(leftover::end_service(&layout).and_then(|processes| {
            ended.extend(processes);
            leftover::remove_service(&layout)?;
            Ok(vec![layout.directory])
        }));
    }
    for database in &inventory.databases {
        let layout = layout.database(&database.name);
        note(leftover::end_database(&layout, database).and_then(|process| {
            ended.extend(process);
            leftover::remove_database(&layout, database)?;
            let outside =
                (!database.data.starts_with(&layout.directory)).then(|| database.data.clone());
            Ok(outside.into_iter().chain([layout.directory]).collect())
        }));
    }
    if inventory.collector.is_some() || layout.telemetry().exists() {
        note(leftover::remove_collector(layout).map(|()| vec![layout.telemetry()]));
    }
    if remains.is_empty() {
        // Directories that were made for a record which was never written.
        for path in [layout.services(), layout.databases()] {
            if let Err(error) = leftover::remove_tree(&path) {
                remains.push(crate::report::chain(&error));
            }
        }
    }
    down.ended.extend(ended.into_iter().filter(|process| !known.contains(&process.pid)));
    Ok(remains)
}
