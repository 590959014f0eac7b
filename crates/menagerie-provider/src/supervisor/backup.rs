//! Backs up and restores a database, while nobody else changes what it is.

use super::{Supervisor, database::Database, postgres::Server, service::Service, sqlite};
use crate::{
    backup::{
        Summary,
        format::{self, FormatError, Label, Part},
    },
    control::{Fault, Progress},
    name::Name,
    process::Identity,
    record::{DatabaseRecord, Engine},
    report,
};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::{sleep, timeout};

/// Time for the services to run again on what was restored.
const RUN_AGAIN: Duration = Duration::from_secs(30);

/// A file that a backup is written to, and that is gone unless it became one.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Supervisor {
    /// Writes a backup; the file is there whole, or not at all.
    pub(super) async fn back_up(&self, name: Name, output: PathBuf) -> Result<Summary, Fault> {
        let _turn = self.turn(super::Kind::Database, &name).await;
        let database = self.running_database(&name)?;
        let record = database.record();
        if output.exists() {
            let text = format!("`{}` exists already", output.display());
            return Err(Fault::text(text).with_hint("give another name, or remove it"));
        }
        let draft = Draft::create(&output).map_err(|error| {
            Fault::text(format!("failed to write `{}`: {error}", output.display()))
        })?;
        let parts = match record.engine {
            Engine::Postgres => {
                server(&database)?.dump(&draft.path).await.map_err(|error| Fault::new(&error))?;
                let length = fs::metadata(&draft.path).map(|found| found.len());
                length.map(|length| vec![Part { suffix: String::new(), length }])
            }
            Engine::Sqlite => {
                let services: Vec<_> = self.state().services.values().cloned().collect();
                let replicas = services.iter().flat_map(|service| service.subjects());
                let replicas = replicas.map(|subject| subject.identity).collect();
                copy_sqlite(&record, replicas, &draft.path).await
            }
        };
        let target = output.clone();
        let sealed =
            super::blocking(move || parts.and_then(|parts| draft.seal(&record, parts, &target)));
        let label = sealed.await.map_err(|error| {
            Fault::text(format!("failed to write `{}`: {error}", output.display()))
        })?;
        summary(name, output, &label)
    }

    /// Puts a backup in the place of what the database holds, or changes nothing.
    ///
    /// What takes long happens beside the living database. Services are ended for the moment of the swap: what they
    /// know of the old content would be wrong.
    pub(super) async fn restore_backup(
        &self,
        name: Name,
        input: PathBuf,
    ) -> Result<Summary, Fault> {
        let _turn = self.turn(super::Kind::Database, &name).await;
        let database = self.running_database(&name)?;
        let record = database.record();
        let path = input.clone();
        let checked = super::blocking(move || format::check(&path)).await;
        let label = checked.map_err(|error: FormatError| Fault::new(&error))?;
        if label.engine != record.engine {
            return Err(Fault::text(format!(
                "the backup is of a database with the engine `{}`, and `{name}` has `{}`",
                label.engine.as_str(),
                record.engine.as_str()
            )));
        }
        let services: Vec<Arc<Service>> = self.state().services.values().cloned().collect();
        let restored = match record.engine {
            Engine::Postgres => {
                let server = server(&database)?;
                let loaded = server.load(&input).await.map_err(|error| Fault::new(&error));
                match loaded {
                    Ok(()) => {
                        hold(&services).await;
                        server.swap().await.map_err(|error| Fault::new(&error))
                    }
                    Err(fault) => Err(fault),
                }
            }
            Engine::Sqlite => {
                let (of, parts) = (record.clone(), label.parts.clone());
                let prepared = super::blocking({
                    let input = input.clone();
                    move || sqlite::unpack(&of, &parts, &input)
                });
                match prepared.await {
                    Ok(()) => {
                        hold(&services).await;
                        super::blocking(move || sqlite::swap(&record)).await
                    }
                    Err(error) => Err(error),
                }
                .map_err(|error| Fault::text(format!("failed to restore `{name}`: {error}")))
            }
        };
        for service in &services {
            service.release();
        }
        restored?;
        let note = run_again(&services).await;
        Ok(Summary { note, ..summary(name, input, &label)? })
    }

    fn running_database(&self, name: &Name) -> Result<Arc<Database>, Fault> {
        let database = self
            .database(name)
            .ok_or_else(|| Fault::text(format!("there is no database `{name}`")))?;
        let fault = |text: String| {
            Fault::text(text).with_hint("an apply starts what does not run; then try again")
        };
        match database.progress() {
            Progress::Ready => Ok(database),
            Progress::Waiting(_) => Err(fault(format!("the database `{name}` is starting"))),
            Progress::Hopeless(reason) => {
                Err(fault(format!("the database `{name}` does not run: {reason}")))
            }
        }
    }
}

/// Copies the files while all replicas are stopped in the middle of whatever they do: for SQLite that is what a
/// power cut leaves, which it recovers from.
async fn copy_sqlite(
    record: &DatabaseRecord,
    replicas: Vec<Identity>,
    output: &Path,
) -> io::Result<Vec<Part>> {
    let (record, output) = (record.clone(), output.to_owned());
    super::blocking(move || {
        let _paused = Paused::new(replicas)?;
        sqlite::copy(&record, &output)
    })
    .await
}

fn server(database: &Database) -> Result<Server, Fault> {
    database.server().map_err(|error| Fault::new(&error))
}

/// Ends the replicas of services, which are not started again until they are released.
async fn hold(services: &[Arc<Service>]) {
    for service in services {
        service.hold();
    }
    for service in services {
        while !service.is_idle() {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Waits until services run; what they say where they do not.
async fn run_again(services: &[Arc<Service>]) -> Option<String> {
    let mut note = None;
    for service in services {
        let settled = async {
            loop {
                match service.progress() {
                    Progress::Ready => return None,
                    Progress::Hopeless(reason) => return Some(reason),
                    Progress::Waiting(_) => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let outcome = timeout(RUN_AGAIN, settled).await;
        let reason = outcome.unwrap_or_else(|_| Some("it is not ready yet".to_owned()));
        note = note.or(reason.map(|reason| {
            format!("the service `{}` does not run on what was restored: {reason}", service.name())
        }));
    }
    note
}

fn summary(database: Name, file: PathBuf, label: &Label) -> Result<Summary, Fault> {
    let bytes = fs::metadata(&file)
        .map_err(|error| Fault::text(format!("failed to find `{}`: {error}", file.display())))?
        .len();
    let (engine, created) = (label.engine, label.created);
    Ok(Summary { version: 1, database, engine, file, bytes, created, note: None })
}

impl Draft {
    fn create(output: &Path) -> io::Result<Self> {
        // In the same directory, which is the same disk; a killed one's is taken over.
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        let path = output.with_file_name(format!(".{name}.partial"));
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self { path, file })
    }

    fn seal(
        mut self,
        record: &DatabaseRecord,
        parts: Vec<Part>,
        output: &Path,
    ) -> io::Result<Label> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let of = (record.engine, record.name.clone());
        let label = format::seal(&mut self.file, of, now.as_secs(), parts)?;
        if output.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "somebody else made it"));
        }
        fs::rename(&self.path, output)?;
        Ok(label)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Processes that are stopped for as long as this lives.
struct Paused(Vec<Identity>);

impl Paused {
    fn new(processes: Vec<Identity>) -> io::Result<Self> {
        let paused = Self(processes);
        for process in &paused.0 {
            process.pause_group().map_err(|error| io::Error::other(report::chain(&error)))?;
        }
        Ok(paused)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        for process in &self.0 {
            process.resume_group();
        }
    }
}
