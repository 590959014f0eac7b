//! The one long-lived process of an environment: it runs what the records want.

mod backoff;
mod backup;
mod collector;
mod database;
mod health;
pub(crate) mod postgres;
mod proxy;
mod replica;
mod service;
pub(crate) mod sqlite;

use crate::{
    backup::Summary,
    control::{self, Fault, Progress, Request, Response},
    environment::Environment,
    layout::Layout,
    leftover,
    lock::Lock,
    log,
    name::Name,
    place::{self, PlaceError},
    process::Identity,
    record::{
        self, DatabaseRecord, Engine, Inventory, RecordError, ServiceRecord, ServiceSpec,
        SupervisorRecord,
    },
    report,
    socket::{self, SocketDirectory, SocketError},
    status::{Status, SupervisorStatus},
    telemetry::usage::Subject,
};
use collector::Collector;
use database::Database;
use service::Service;
use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    signal::unix::{SignalKind, signal},
    sync::{Notify, OwnedMutexGuard},
    task::JoinSet,
    time::{Instant, interval, sleep, timeout},
};

/// A supervisor that nobody gives an order leaves after this.
const UNUSED: Duration = Duration::from_secs(15);

/// How often it is noted what the processes use.
const SAMPLE: Duration = Duration::from_secs(2);

/// Services start when their databases do, but not much later because of them.
const DATABASES_FIRST: Duration = Duration::from_secs(10);

/// What everything under supervision needs to know.
#[derive(Debug)]
pub(crate) struct Context {
    layout: Layout,
    environment: Environment,
    identity: Identity,
}

/// A supervisor that can't work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SupervisorError {
    #[error("failed to lock `{path}`")]
    Lock { path: String, source: io::Error },
    #[error("this process has no identity")]
    Identity,
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("failed to handle signals")]
    Signals(#[source] io::Error),
}

struct Supervisor {
    context: Arc<Context>,
    state: Mutex<State>,
    /// One operation at a time on one name.
    turns: Mutex<HashMap<(Kind, Name), Turn>>,
    leave: Notify,
}

type Turn = Arc<tokio::sync::Mutex<()>>;

#[derive(Default)]
struct State {
    services: BTreeMap<Name, Arc<Service>>,
    databases: BTreeMap<Name, Arc<Database>>,
    collector: Option<Arc<Collector>>,
    /// Orders being carried out that may add something.
    busy: u32,
    leaving: bool,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Kind {
    Service,
    Database,
    Collector,
}

/// Supervises until nothing is left to; `started` is called when orders are accepted.
///
/// Returns at once when another supervisor works here.
pub(crate) async fn run(
    layout: Layout,
    environment: Environment,
    started: impl FnOnce(),
) -> Result<(), SupervisorError> {
    let lock_path = layout.lock();
    let lock = Lock::take(&lock_path, Duration::from_millis(500)).map_err(|source| {
        SupervisorError::Lock { path: lock_path.display().to_string(), source }
    })?;
    let Some(_lock) = lock else { return Ok(()) };
    let identity = Identity::own().ok_or(SupervisorError::Identity)?;
    let sockets = SocketDirectory::new(&layout, &environment);
    place::note(&layout)?;
    // All of it is readable, or nothing is touched.
    let inventory = Inventory::read(&layout)?;
    let (listener, socket) = sockets.listen("control.sock")?;
    let recorded = record::write(
        &layout.supervisor(),
        &SupervisorRecord { identity: identity.clone(), socket: socket.clone() },
    );
    if let Err(error) = recorded {
        socket::forget(&socket);
        return Err(error.into());
    }
    started();
    say(&format!("supervisor {identity} of `{}`", layout.directory().display()));
    let context = Arc::new(Context { layout, environment, identity });
    let supervisor = Arc::new(Supervisor {
        context: Arc::clone(&context),
        state: Mutex::default(),
        turns: Mutex::default(),
        leave: Notify::new(),
    });
    supervisor.restore(inventory).await;
    let outcome = supervisor.work(listener, &socket, &sockets).await;
    supervisor.stop_everything().await;
    leftover::remove_empty(&context.layout);
    let removed = record::remove(&context.layout.supervisor());
    socket::forget(&socket);
    say("supervisor leaves");
    outcome?;
    Ok(removed?)
}

impl Supervisor {
    /// Ends what a dead predecessor left, finishes what it was removing, and starts the rest.
    async fn restore(&self, inventory: Inventory) {
        if inventory.collector.is_some() {
            let layout = self.context.layout.clone();
            let left = blocking(move || leftover::take_over_collector(&layout)).await;
            self.state().collector = or_complain(left)
                .map(|record| Collector::restore(Arc::clone(&self.context), record));
        }
        let mut databases = JoinSet::new();
        for record in inventory.databases {
            let layout = self.context.layout.database(&record.name);
            databases.spawn_blocking(move || leftover::take_over_database(&layout));
        }
        let mut services = JoinSet::new();
        for record in inventory.services {
            let layout = self.context.layout.service(&record.spec.name);
            services.spawn_blocking(move || leftover::take_over_service(&layout));
        }
        for record in databases.join_all().await.into_iter().filter_map(or_complain) {
            self.start_database(record);
        }
        let services = services.join_all().await;
        let databases: Vec<_> = self.state().databases.values().cloned().collect();
        let waits = |database: &Arc<Database>| matches!(database.progress(), Progress::Waiting(_));
        let settled = async {
            while databases.iter().any(waits) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = timeout(DATABASES_FIRST, settled).await;
        for record in services.into_iter().filter_map(or_complain) {
            self.start_service(record);
        }
    }

    fn start_service(&self, record: ServiceRecord) -> Arc<Service> {
        let name = record.spec.name.clone();
        let service = Service::restore(Arc::clone(&self.context), record);
        self.state().services.insert(name, Arc::clone(&service));
        service
    }

    fn start_database(&self, record: DatabaseRecord) -> Arc<Database> {
        let name = record.name.clone();
        let database = Database::restore(Arc::clone(&self.context), record);
        self.state().databases.insert(name, Arc::clone(&database));
        database
    }

    /// Takes orders until nothing is left, or a signal says so.
    async fn work(
        self: &Arc<Self>,
        mut listener: UnixListener,
        socket: &Path,
        sockets: &SocketDirectory,
    ) -> Result<(), SupervisorError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(SupervisorError::Signals)?;
        // Handlers, so that neither ends this process; ignoring them would be inherited by every program.
        let _interrupt = signal(SignalKind::interrupt()).map_err(SupervisorError::Signals)?;
        let _hangup = signal(SignalKind::hangup()).map_err(SupervisorError::Signals)?;
        let started = Instant::now();
        let mut tick = interval(Duration::from_secs(1));
        let mut sample = interval(SAMPLE);
        loop {
            tokio::select! {
                connection = listener.accept() => {
                    if let Ok((stream, _)) = connection {
                        tokio::spawn(Arc::clone(self).converse(stream));
                    } else {
                        sleep(Duration::from_millis(50)).await;
                    }
                }
                () = self.leave.notified() => return Ok(()),
                _ = terminate.recv() => {
                    self.state().leaving = true;
                    return Ok(());
                }
                _ = sample.tick() => {
                    if let Some(collector) = self.collector() {
                        collector.sample(self.subjects());
                    }
                }
                _ = tick.tick() => {
                    if started.elapsed() > UNUSED && self.leave_if_empty() {
                        return Ok(());
                    }
                    let _ = log::rotate_if_large(&self.context.layout.supervisor_log());
                    if let Some(collector) = self.collector() {
                        collector.listen();
                    }
                    // A cleaner of temporary files, or the end of a login session, takes the socket away.
                    if !socket.exists() {
                        match sockets.listen("control.sock") {
                            Ok((anew, _)) => listener = anew,
                            Err(error) => say(&report::chain(&error)),
                        }
                    }
                }
            }
        }
    }

    async fn stop_everything(&self) {
        let (services, databases) = {
            let mut state = self.state();
            (std::mem::take(&mut state.services), std::mem::take(&mut state.databases))
        };
        let mut tasks = JoinSet::new();
        for service in services.into_values() {
            tasks.spawn(async move { service.stop().await });
        }
        tasks.join_all().await;
        let mut tasks = JoinSet::new();
        for database in databases.into_values() {
            tasks.spawn(async move { database.stop().await });
        }
        tasks.join_all().await;
        // Last, since an application that ends sends what it still has.
        let collector = self.state().collector.take();
        if let Some(collector) = collector {
            collector.stop().await;
        }
    }

    /// One request, one answer.
    async fn converse(self: Arc<Self>, stream: UnixStream) {
        if !socket::is_peer_allowed(&stream) {
            say("refused a connection of another user");
            return;
        }
        let (input, mut output) = stream.into_split();
        let mut line = Vec::new();
        let mut input = BufReader::new(input.take(control::LONGEST_LINE));
        if !matches!(
            timeout(Duration::from_secs(10), input.read_until(b'\n', &mut line)).await,
            Ok(Ok(1..))
        ) {
            return;
        }
        let request = control::from_line::<Request>(&line);
        let orders = request.as_ref().is_ok_and(Request::is_order);
        let response = match request {
            Ok(request) => self.answer(request).await,
            Err(error) => Response::Failed(Fault::new(&error)),
        };
        let _ =
            timeout(Duration::from_secs(10), output.write_all(&control::to_line(response))).await;
        // Only now: the answer is out.
        if orders && self.leave_if_empty() {
            self.leave.notify_one();
        }
    }

    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::PutService(spec) => self.put(self.put_service(spec)).await,
            Request::PutDatabase { name, engine, port } => {
                self.put(self.put_database(name, engine, port)).await
            }
            Request::RemoveService(name) => self.removed(self.remove_service(name).await),
            Request::RemoveDatabase(name) => self.removed(self.remove_database(name).await),
            Request::ServiceProgress(name) => {
                progress(self.service(&name).map(|service| service.progress()), "service", &name)
            }
            Request::DatabaseProgress(name) => progress(
                self.database(&name).map(|database| database.progress()),
                "database",
                &name,
            ),
            Request::PutCollector { name, port } => self.put(self.put_collector(name, port)).await,
            Request::RemoveCollector(name) => self.removed(self.remove_collector(name).await),
            Request::CollectorProgress(name) => {
                let collector = self.collector().filter(|collector| collector.name() == name);
                progress(collector.map(|collector| collector.progress()), "collector", &name)
            }
            Request::BackUp { database, output } => copied(self.back_up(database, output).await),
            Request::Restore { database, input } => {
                copied(self.restore_backup(database, input).await)
            }
            Request::Status => Response::Status(self.status()),
        }
    }

    /// Carries out an order that may add something, unless this supervisor is leaving.
    async fn put(&self, order: impl Future<Output = Result<(), Fault>>) -> Response {
        {
            let mut state = self.state();
            if state.leaving {
                return Response::Leaving;
            }
            state.busy += 1;
        }
        let outcome = order.await;
        self.state().busy -= 1;
        outcome.map_or_else(Response::Failed, |()| Response::Put)
    }

    fn removed(&self, outcome: Result<(), Fault>) -> Response {
        match outcome {
            Ok(()) => Response::Removed { last: self.leave_if_empty() },
            Err(fault) => Response::Failed(fault),
        }
    }

    async fn put_service(&self, spec: ServiceSpec) -> Result<(), Fault> {
        let name = spec.name.clone();
        let _turn = self.turn(Kind::Service, &name).await;
        let mut known = self.service(&name);
        if known.is_none() {
            // What could not be ended at first, or removed, is tried again.
            let layout = self.context.layout.service(&name);
            let left = blocking(move || leftover::take_over_service(&layout)).await;
            let left = left.map_err(|error| Fault::new(&error))?;
            known = left.map(|record| self.start_service(record));
        }
        if let Some(service) = known {
            return service.change(spec);
        }
        let service = Service::create(Arc::clone(&self.context), spec)?;
        self.state().services.insert(name, service);
        Ok(())
    }

    async fn put_database(
        &self,
        name: Name,
        engine: Engine,
        port: Option<u16>,
    ) -> Result<(), Fault> {
        let _turn = self.turn(Kind::Database, &name).await;
        let mut known = self.database(&name);
        if known.is_none() {
            let layout = self.context.layout.database(&name);
            let left = blocking(move || leftover::take_over_database(&layout)).await;
            let left = left.map_err(|error| Fault::new(&error))?;
            known = left.map(|record| self.start_database(record));
        }
        let Some(database) = known else {
            let context = Arc::clone(&self.context);
            let database = Database::create(context, name.clone(), engine, port)?;
            self.state().databases.insert(name, database);
            return Ok(());
        };
        let recorded = database.engine();
        if recorded != engine {
            let hint = "import it and let Terraform replace it, or give the new one another name";
            let text =
                format!("the database `{name}` exists with the engine `{}`", recorded.as_str());
            return Err(Fault::text(text).with_hint(hint).with_attribute("engine"));
        }
        database.hurry();
        Ok(())
    }

    async fn put_collector(&self, name: Name, port: Option<u16>) -> Result<(), Fault> {
        let _turn = self.collector_turn().await;
        let mut known = self.collector();
        if known.is_none() {
            let layout = self.context.layout.clone();
            let left = blocking(move || leftover::take_over_collector(&layout)).await;
            let left = left.map_err(|error| Fault::new(&error))?;
            known = left.map(|record| Collector::restore(Arc::clone(&self.context), record));
        }
        let collector = match known {
            Some(collector) if collector.name() == name => collector,
            Some(other) => {
                let text = format!("there is a collector `{}` already", other.name());
                let hint = "an environment has one collector, which all its services can use";
                return Err(Fault::text(text).with_hint(hint).with_attribute("name"));
            }
            None => Collector::create(Arc::clone(&self.context), name, port)?,
        };
        self.state().collector = Some(collector);
        Ok(())
    }

    async fn remove_collector(&self, name: Name) -> Result<(), Fault> {
        let _turn = self.collector_turn().await;
        let layout = self.context.layout.clone();
        match self.collector() {
            Some(collector) if collector.name() == name => {
                collector.mark_removing();
                collector.stop().await;
            }
            // Another one, of which nobody speaks.
            Some(_) => return Ok(()),
            None => {}
        }
        let cleared = blocking(move || leftover::remove_collector(&layout)).await;
        // Also where that failed: its record says what is to be done.
        self.state().collector = None;
        cleared.map_err(|error| Fault::new(&error))
    }

    /// There is one collector, whatever its name.
    async fn collector_turn(&self) -> OwnedMutexGuard<()> {
        let name = "collector".parse().expect("it is a label");
        self.turn(Kind::Collector, &name).await
    }

    fn collector(&self) -> Option<Arc<Collector>> {
        self.state().collector.clone()
    }

    /// Returns all processes under supervision.
    fn subjects(&self) -> Vec<Subject> {
        let state = self.state();
        let replicas = state.services.values().flat_map(|service| service.subjects());
        let databases = state.databases.values().filter_map(|database| database.subject());
        replicas.chain(databases).collect()
    }

    async fn remove_service(&self, name: Name) -> Result<(), Fault> {
        let _turn = self.turn(Kind::Service, &name).await;
        if let Some(service) = self.service(&name) {
            service.mark_removing();
            service.stop().await;
        }
        let cleared = self.clear_service(&name).await;
        // Also where that failed: its record says what is to be done, and it runs no more.
        self.state().services.remove(&name);
        cleared
    }

    async fn remove_database(&self, name: Name) -> Result<(), Fault> {
        let _turn = self.turn(Kind::Database, &name).await;
        if let Some(database) = self.database(&name) {
            database.mark_removing();
            database.stop().await;
        }
        let cleared = self.clear_database(&name).await;
        self.state().databases.remove(&name);
        cleared
    }

    async fn clear_service(&self, name: &Name) -> Result<(), Fault> {
        let layout = self.context.layout.service(name);
        blocking(move || leftover::clear_service(&layout)).await.map_err(|error| Fault::new(&error))
    }

    async fn clear_database(&self, name: &Name) -> Result<(), Fault> {
        let layout = self.context.layout.database(name);
        blocking(move || leftover::clear_database(&layout))
            .await
            .map_err(|error| Fault::new(&error))
    }

    fn status(&self) -> Status {
        let state = self.state();
        Status {
            version: 1,
            supervisor: Some(SupervisorStatus { pid: self.context.identity.pid }),
            services: state.services.values().map(|service| service.status()).collect(),
            databases: state.databases.values().map(|database| database.status()).collect(),
            collector: state.collector.as_ref().map(|collector| collector.status()),
        }
    }

    /// Whether nothing is left; if so, no order is accepted any more.
    fn leave_if_empty(&self) -> bool {
        let mut state = self.state();
        let is_empty = state.services.is_empty() && state.databases.is_empty();
        if is_empty && state.collector.is_none() && state.busy == 0 {
            state.leaving = true;
        }
        state.leaving
    }

    async fn turn(&self, kind: Kind, name: &Name) -> OwnedMutexGuard<()> {
        let lock = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry((kind, name.clone())).or_default())
        };
        lock.lock_owned().await
    }

    fn service(&self, name: &Name) -> Option<Arc<Service>> {
        self.state().services.get(name).cloned()
    }

    fn database(&self, name: &Name) -> Option<Arc<Database>> {
        self.state().databases.get(name).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn progress(progress: Option<Progress>, kind: &str, name: &Name) -> Response {
    progress.map_or_else(
        || Response::Failed(Fault::text(format!("there is no {kind} `{name}`"))),
        Response::Progress,
    )
}

fn copied(outcome: Result<Summary, Fault>) -> Response {
    outcome.map_or_else(Response::Failed, Response::Copied)
}

/// What could not be ended is not started again: its record stays, and says who it is.
fn or_complain<T>(outcome: Result<Option<T>, leftover::LeftoverError>) -> Option<T> {
    outcome.unwrap_or_else(|error| {
        say(&report::chain(&error));
        None
    })
}

/// Runs what blocks on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("blocking work does not panic")
}

/// Writes a line to the supervisor's log; a full disk must not end a supervisor.
fn say(text: &str) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let _ = writeln!(io::stderr(), "{}.{:03} {text}", now.as_secs(), now.subsec_millis());
}
