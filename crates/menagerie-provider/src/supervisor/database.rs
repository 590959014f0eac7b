//! One database: prepared once, its server started again when it ends.

use super::{Context, backoff::Backoff, postgres, sqlite};
use crate::{
    control::{Fault, Progress},
    file,
    launch::Launched,
    layout::DatabaseLayout,
    leftover::{self, DATABASE_GRACE},
    log,
    name::Name,
    port,
    process::Identity,
    random,
    record::{self, DatabaseRecord, Engine},
    report,
    status::{Condition, DatabaseStatus},
    telemetry::usage::Subject,
};
use rustix::process::Signal;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

/// A database under supervision.
#[derive(Debug)]
pub(super) struct Database {
    context: Arc<Context>,
    layout: DatabaseLayout,
    inner: Mutex<Inner>,
    order: watch::Sender<Order>,
}

#[derive(Debug)]
struct Inner {
    record: DatabaseRecord,
    identity: Option<Identity>,
    /// The outcome of the newest attempt to run it: `None` while there is none yet.
    outcome: Option<Result<(), String>>,
    task: Option<JoinHandle<()>>,
}

/// What the task is told.
#[derive(Clone, Copy, Debug, Default)]
struct Order {
    stop: bool,
}

/// How a server's time ended.
enum End {
    Exited { healthy: Duration },
    Told,
}

impl Database {
    /// Supervises what is recorded.
    pub(super) fn restore(context: Arc<Context>, record: DatabaseRecord) -> Arc<Self> {
        let layout = context.layout.database(&record.name);
        let (order, receiver) = watch::channel(Order::default());
        let inner = Inner { record, identity: None, outcome: None, task: None };
        let database = Arc::new(Self { context, layout, inner: Mutex::new(inner), order });
        let task = tokio::spawn(Arc::clone(&database).run(receiver));
        database.inner().task = Some(task);
        database
    }

    /// Records a new database, then supervises it.
    pub(super) fn create(
        context: Arc<Context>,
        name: Name,
        engine: Engine,
        port: Option<u16>,
    ) -> Result<Arc<Self>, Fault> {
        let layout = context.layout.database(&name);
        let (port, account, data) = match engine {
            Engine::Sqlite => (None, None, layout.directory.join("data")),
            Engine::Postgres => {
                let account = postgres::account().map_err(|error| Fault::new(&error))?;
                let data = postgres::data_directory(&context.layout, &name, account);
                let claim = || port::claim().map(|(port, _)| port);
                let port = port.map_or_else(claim, Ok);
                let port =
                    port.map_err(|error| Fault::text(format!("failed to get a port: {error}")))?;
                (Some(port), account, data)
            }
        };
        let incarnation = random::bytes::<4>()
            .map_err(|error| Fault::text(format!("failed to get random numbers: {error}")))?;
        let record = DatabaseRecord {
            name,
            incarnation: random::hexadecimal(&incarnation),
            removing: false,
            engine,
            port,
            data,
            account,
            initialised: false,
        };
        let recorded = file::make_private_directory(&layout.directory)
            .map_err(|error| {
                Fault::text(format!("failed to make `{}`: {error}", layout.directory.display()))
            })
            .and_then(|()| {
                record::write(&layout.record(), &record).map_err(|error| Fault::new(&error))
            });
        if let Err(fault) = recorded {
            let _ = std::fs::remove_dir(&layout.directory);
            return Err(fault);
        }
        Ok(Self::restore(context, record))
    }

    pub(super) fn engine(&self) -> Engine {
        self.inner().record.engine
    }

    /// Tries again at once, instead of after the pause.
    pub(super) fn hurry(&self) {
        let mut inner = self.inner();
        if inner.outcome.as_ref().is_some_and(Result::is_err)
            || inner.record.engine == Engine::Sqlite
        {
            inner.outcome = None;
            self.order.send_modify(|_| {});
        }
    }

    /// Records that the database is to be removed.
    pub(super) fn mark_removing(&self) {
        let mut inner = self.inner();
        inner.record.removing = true;
        // Only a hint for the next one. A full disk must not keep anything from being removed.
        let _ = record::write(&self.layout.record(), &inner.record);
    }

    /// Ends the server; returns when it is gone.
    pub(super) async fn stop(&self) {
        self.order.send_modify(|order| order.stop = true);
        let task = self.inner().task.take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    async fn run(self: Arc<Self>, mut order: watch::Receiver<Order>) {
        let mut backoff = Backoff::default();
        while !order.borrow_and_update().stop {
            let end = match self.start().await {
                Ok(Some(launched)) => self.attend(launched, &mut order).await,
                // No server to watch.
                Ok(None) => {
                    self.conclude(Ok(()));
                    if order.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
                Err(error) => {
                    super::say(&format!("database `{}`: {error}", self.name()));
                    self.conclude(Err(error));
                    End::Exited { healthy: Duration::ZERO }
                }
            };
            if let End::Exited { healthy } = end {
                tokio::select! {
                    () = sleep(backoff.pause(healthy)) => {}
                    _ = order.changed() => backoff = Backoff::default(),
                }
            }
        }
    }

    /// Makes what is missing and starts the server, if there is one.
    async fn start(&self) -> Result<Option<Launched>, String> {
        let record = self.inner().record.clone();
        let Engine::Postgres = record.engine else {
            return sqlite::prepare(&self.layout, &record)
                .map(|()| None)
                .map_err(|fault| fault.message);
        };
        let started = async {
            let server = self.server()?;
            if !server.record.initialised {
                server.initialise().await?;
                // From here on the data is the user's.
                let record = DatabaseRecord { initialised: true, ..server.record.clone() };
                record::write(&self.layout.record(), &record)?;
                self.inner().record.initialised = true;
            }
            server.start().await
        };
        let launched = started.await.map_err(|error| report::chain(&error))?;
        self.inner().identity = Some(launched.identity.clone());
        self.conclude(Ok(()));
        Ok(Some(launched))
    }

    /// Returns what is needed to work with its PostgreSQL.
    pub(super) fn server(&self) -> Result<postgres::Server, postgres::PostgresError> {
        let record = self.record();
        let binaries = postgres::Binaries::find(&self.context.environment)
            .ok_or(postgres::PostgresError::Absent)?;
        Ok(postgres::Server {
            binaries,
            layout: self.layout.clone(),
            port: record.port.unwrap_or_default(),
            supervisor: self.context.identity.clone(),
            path: self.context.environment.passed_on["PATH"].clone(),
            record,
        })
    }

    pub(super) fn record(&self) -> DatabaseRecord {
        self.inner().record.clone()
    }

    /// Watches a server until it ends or is told to; it is gone afterwards.
    async fn attend(&self, mut launched: Launched, order: &mut watch::Receiver<Order>) -> End {
        let started = Instant::now();
        let end = loop {
            tokio::select! {
                _ = launched.exit.wait_for(Option::is_some) => break End::Exited { healthy: started.elapsed() },
                _ = order.changed() => if order.borrow_and_update().stop { break End::Told },
                () = sleep(Duration::from_mins(1)) => {
                    let _ = log::rotate_if_large(&self.layout.log());
                }
            }
        };
        let data = self.inner().record.data.clone();
        let identity = launched.identity.clone();
        let ended = super::blocking(move || {
            identity
                .end_group(Signal::INT, DATABASE_GRACE)
                .map_err(|error| report::chain(&error))?;
            leftover::end_workers(&data).map_err(|error| report::chain(&error))
        })
        .await;
        let status = launched.exit.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        let ended = ended.and_then(|()| {
            record::remove(&self.layout.process()).map_err(|error| report::chain(&error))
        });
        if let Err(error) = ended {
            super::say(&error);
        }
        if let (End::Exited { .. }, Some(status)) = (&end, status) {
            let text = format!("the server ended with {status}");
            super::say(&format!("database `{}`: {text}", self.name()));
            // It is started again: not an outcome yet.
            self.inner().outcome = None;
        }
        self.inner().identity = None;
        end
    }

    fn conclude(&self, outcome: Result<(), String>) {
        self.inner().outcome = Some(outcome);
    }

    fn name(&self) -> Name {
        self.inner().record.name.clone()
    }

    pub(super) fn progress(&self) -> Progress {
        match &self.inner().outcome {
            None => Progress::Waiting(None),
            Some(Ok(())) => Progress::Ready,
            Some(Err(reason)) => Progress::Hopeless(reason.clone()),
        }
    }

    /// Returns the server's process, where there is one.
    pub(super) fn subject(&self) -> Option<Subject> {
        let inner = self.inner();
        let name = inner.record.name.to_string();
        let identity = inner.identity.clone()?;
        Some(Subject { identity, instance: name.clone(), name, role: "database", zone: None })
    }

    pub(super) fn status(&self) -> DatabaseStatus {
        let inner = self.inner();
        let record = &inner.record;
        let status = match (record.engine, &inner.outcome) {
            (Engine::Sqlite, _) => sqlite::condition(record),
            (Engine::Postgres, Some(Ok(()))) => Condition::Running,
            (Engine::Postgres, None) => Condition::Degraded,
            (Engine::Postgres, Some(Err(_))) => Condition::Stopped,
        };
        let error = inner.outcome.as_ref().and_then(|outcome| outcome.as_ref().err().cloned());
        DatabaseStatus {
            name: record.name.clone(),
            engine: record.engine,
            status,
            port: record.port,
            pid: inner.identity.as_ref().map(|identity| identity.pid),
            error,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
