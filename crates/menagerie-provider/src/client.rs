//! How `serve` gets its work done: by the supervisor, which it starts when there is none.

use crate::{
    control::{self, ControlError, Fault, Progress, Request, Response},
    environment::Environment,
    file, launch,
    layout::Layout,
    leftover::{self, LeftoverError},
    lock::Lock,
    name::Name,
    process::Identity,
    record::{
        self, CollectorRecord, DatabaseRecord, Inventory, RecordError, ServiceRecord,
        SupervisorRecord,
    },
    socket,
    status::{self, Status},
};
use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read as _},
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    process::Stdio,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

/// Time for an answer to an order: a supervisor that has just started first ends what its predecessor left.
const ORDER: Duration = Duration::from_secs(90);

/// Time for a supervisor with nothing left to leave.
const LEAVE: Duration = Duration::from_secs(15);

/// Time for a removal that is under way: the graces of what it ends.
const REMOVAL: Duration = Duration::from_secs(40);

/// Time for a supervisor that stopped listening to be gone.
const GOING: Duration = Duration::from_secs(2);

/// How often a supervisor may die under our hands before that is the error.
const ATTEMPTS: u32 = 4;

/// One environment, seen from `serve`.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) layout: Layout,
    pub(crate) environment: Environment,
    /// Resources are applied in parallel; one of them starts the supervisor.
    starting: Mutex<()>,
    /// What a Terraform process has created. What it finds there besides was left by another run, and is
    /// adopted; a second one of its own is a mistake in the configuration.
    created: Mutex<HashSet<(Identity, Kind, Name)>>,
}

/// What a removal removes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Kind {
    Service,
    Database,
    Collector,
}

/// A supervisor that can't be had.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("failed to start the supervisor")]
    Spawn(#[source] io::Error),
    #[error("failed to open the supervisor's log `{path}`")]
    Log { path: String, source: io::Error },
    #[error("the supervisor can't start: {0}")]
    Refused(String),
    #[error("the supervisor ended at once; see `{0}`")]
    Ended(String),
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Client {
    pub(crate) fn new(layout: Layout, environment: Environment) -> Self {
        Self { layout, environment, starting: Mutex::default(), created: Mutex::default() }
    }

    /// Notes that a process creates something; `false` when it has done so before.
    pub(crate) fn claim(&self, process: Option<&Identity>, kind: Kind, name: &Name) -> bool {
        process.is_none_or(|process| self.created().insert((process.clone(), kind, name.clone())))
    }

    /// Notes that a process removed something.
    pub(crate) fn release(&self, process: Option<&Identity>, kind: Kind, name: &Name) {
        if let Some(process) = process {
            self.created().remove(&(process.clone(), kind, name.clone()));
        }
    }

    fn created(&self) -> MutexGuard<'_, HashSet<(Identity, Kind, Name)>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an order that makes something; starts a supervisor where none lives.
    pub(crate) fn put(&self, request: &Request) -> Result<(), Fault> {
        for _ in 0..ATTEMPTS {
            let supervisor = self.supervisor_or_start().map_err(|error| Fault::new(&error))?;
            match order(&supervisor, request)? {
                Some(Response::Put) => return Ok(()),
                Some(Response::Leaving) => {
                    supervisor.identity.wait(LEAVE);
                }
                Some(other) => return Err(unexpected(other)),
                None => {}
            }
        }
        Err(Fault::text("the supervisor keeps ending").with_hint(self.log_hint()))
    }

    /// Waits until what was ordered is so.
    pub(crate) fn wait(
        &self,
        request: &Request,
        patience: Duration,
        cancelled: &AtomicBool,
    ) -> Result<(), Fault> {
        let start = Instant::now();
        loop {
            let obstacle = match self.progress(request)? {
                Progress::Ready => return Ok(()),
                Progress::Hopeless(reason) => return Err(Fault::text(reason)),
                Progress::Waiting(reason) => reason,
            };
            if cancelled.load(Ordering::Relaxed) {
                return Err(Fault::text("interrupted before it was ready").with_hint(
                    "it stays under supervision; apply again to wait for it, or destroy it",
                ));
            }
            if start.elapsed() > patience {
                let reason = obstacle.map_or_else(String::new, |reason| format!(": {reason}"));
                return Err(Fault::text(format!(
                    "it is not ready after {} s{reason}",
                    patience.as_secs()
                )));
            }
            let quick = start.elapsed() < Duration::from_secs(3);
            sleep(Duration::from_millis(if quick { 10 } else { 100 }));
        }
    }

    fn progress(&self, request: &Request) -> Result<Progress, Fault> {
        let supervisor = status::supervisor(&self.layout).map_err(|error| Fault::new(&error))?;
        let supervisor = supervisor
            .ok_or_else(|| Fault::text("the supervisor ended").with_hint(self.log_hint()))?;
        match order(&supervisor, request)? {
            Some(Response::Progress(progress)) => Ok(progress),
            Some(other) => Err(unexpected(other)),
            None => Ok(Progress::Waiting(None)),
        }
    }

    /// Removes a service or a database with all it has; when it was the last, returns after the supervisor left.
    pub(crate) fn remove(&self, kind: Kind, name: &Name) -> Result<(), Fault> {
        let request = match kind {
            Kind::Service => Request::RemoveService(name.clone()),
            Kind::Database => Request::RemoveDatabase(name.clone()),
            Kind::Collector => Request::RemoveCollector(name.clone()),
        };
        for _ in 0..ATTEMPTS {
            let Some(supervisor) =
                status::supervisor(&self.layout).map_err(|error| Fault::new(&error))?
            else {
                if self.remove_unsupervised(kind, name).map_err(|error| Fault::new(&error))? {
                    return Ok(());
                }
                continue;
            };
            match order(&supervisor, &request)? {
                Some(Response::Removed { last }) => {
                    if last && !supervisor.identity.wait(LEAVE) {
                        return Err(Fault::text(format!(
                            "the supervisor (pid {}) has nothing left and does not leave",
                            supervisor.identity.pid
                        )));
                    }
                    return Ok(());
                }
                Some(other) => return Err(unexpected(other)),
                None => {}
            }
        }
        Err(Fault::text("the supervisor keeps ending").with_hint(self.log_hint()))
    }

    /// Waits for a removal that a supervisor is at; returns at once where none is.
    ///
    /// Whoever ordered it was killed. A plan made meanwhile would speak of what is gone at apply.
    pub(crate) fn await_removal(&self, kind: Kind, name: &Name) -> Result<(), RecordError> {
        let is_leaving = || match kind {
            Kind::Service => {
                Ok(record::read::<ServiceRecord>(&self.layout.service(name).record())?
                    .is_some_and(|record| record.removing))
            }
            Kind::Database => {
                Ok(record::read::<DatabaseRecord>(&self.layout.database(name).record())?
                    .is_some_and(|record| record.removing))
            }
            Kind::Collector => Ok(record::read::<CollectorRecord>(&self.layout.collector())?
                .is_some_and(|record| record.removing && record.name == *name)),
        };
        let start = Instant::now();
        while is_leaving()?
            && status::supervisor(&self.layout)?.is_some()
            && start.elapsed() < REMOVAL
        {
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Removes something itself; `false` when a supervisor has come meanwhile.
    fn remove_unsupervised(&self, kind: Kind, name: &Name) -> Result<bool, LeftoverError> {
        let path = self.layout.lock();
        let lock = Lock::take(&path, Duration::from_secs(2))
            .map_err(|source| RecordError::Read { path, source })?;
        let Some(_lock) = lock else { return Ok(false) };
        match kind {
            Kind::Service => leftover::clear_service(&self.layout.service(name))?,
            Kind::Database => leftover::clear_database(&self.layout.database(name))?,
            Kind::Collector => {
                let record = record::read::<CollectorRecord>(&self.layout.collector())?;
                if record.is_some_and(|record| record.name == *name) {
                    leftover::remove_collector(&self.layout)?;
                }
            }
        }
        if Inventory::read(&self.layout)?.is_empty() {
            leftover::remove_empty(&self.layout);
            // The dead supervisor's own traces.
            if let Some(dead) = record::read::<SupervisorRecord>(&self.layout.supervisor())? {
                socket::forget(&dead.socket);
                record::remove(&self.layout.supervisor())?;
            }
        }
        Ok(true)
    }

    pub(crate) fn status(&self) -> Result<Status, Fault> {
        status::collect(&self.layout).map_err(|error| Fault::new(&error))
    }

    fn supervisor_or_start(&self) -> Result<SupervisorRecord, StartError> {
        let _turn = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ATTEMPTS {
            if let Some(supervisor) = status::supervisor(&self.layout)? {
                return Ok(supervisor);
            }
            self.start()?;
            // Another one may hold the lock and not have said so yet.
            let mut found = None;
            crate::process::wait_until(Duration::from_secs(2), || {
                found = status::supervisor(&self.layout).ok().flatten();
                found.is_some()
            });
            if let Some(supervisor) = found {
                return Ok(supervisor);
            }
        }
        Err(StartError::Ended(self.layout.supervisor_log().display().to_string()))
    }

    /// Starts a supervisor; returns when it takes orders, or left because another one does.
    fn start(&self) -> Result<(), StartError> {
        let path = self.layout.supervisor_log();
        let log = file::make_private_directory(self.layout.directory())
            .and_then(|()| File::options().create(true).append(true).mode(0o600).open(&path))
            .map_err(|source| StartError::Log { path: path.display().to_string(), source })?;
        let mut command = launch::own_program().map_err(StartError::Spawn)?;
        command.arg("supervise").arg("--dir").arg(self.layout.directory());
        command.env_clear().envs(&self.environment.passed_on);
        if let Some(runtime) = &self.environment.runtime {
            command.env("XDG_RUNTIME_DIR", runtime);
        }
        command
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = command.spawn().map_err(StartError::Spawn)?;
        let mut refusal = String::new();
        if let Some(mut output) = child.stdout.take() {
            let _ = output.by_ref().take(16 * 1024).read_to_string(&mut refusal);
        }
        // Reaped whenever it ends; it usually outlives this process.
        std::thread::spawn(move || child.wait());
        if refusal.is_empty() {
            Ok(())
        } else {
            Err(StartError::Refused(refusal.trim().to_owned()))
        }
    }

    fn log_hint(&self) -> String {
        format!("its log is `{}`", self.layout.supervisor_log().display())
    }
}

/// Asks or orders something; `None` when there is a reason to do it again.
fn order(supervisor: &SupervisorRecord, request: &Request) -> Result<Option<Response>, Fault> {
    let error = match control::ask(supervisor, request, ORDER) {
        Ok(response) => return Ok(Some(response)),
        Err(error) => error,
    };
    // On its way out it no longer listens; killed, it does not answer. Either way it is gone in a moment,
    // and the next one finds what it had recorded. One that lost its socket makes a new one meanwhile.
    if supervisor.identity.wait(GOING) || matches!(error, ControlError::Connect { .. }) {
        return Ok(None);
    }
    Err(Fault::new(&error))
}

fn unexpected(response: Response) -> Fault {
    match response {
        Response::Failed(fault) => fault,
        other => Fault::text(format!("the supervisor gave an answer that does not fit: {other:?}")),
    }
}
