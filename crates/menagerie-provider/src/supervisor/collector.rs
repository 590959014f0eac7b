//! The collector of an environment: the port that telemetry is sent to, and what is kept of it.

use super::Context;
use crate::{
    control::{Fault, Progress},
    name::Name,
    port,
    record::{self, CollectorRecord},
    status::{CollectorStatus, Condition},
    telemetry::{
        Signal, receive,
        store::Store,
        usage::{Sampler, Subject},
    },
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;

/// A collector under supervision.
#[derive(Debug)]
pub(super) struct Collector {
    context: Arc<Context>,
    inner: Mutex<Inner>,
    store: Arc<Store>,
    sampler: Arc<Mutex<Sampler>>,
}

#[derive(Debug)]
struct Inner {
    record: CollectorRecord,
    /// The task that accepts on the port; `None` while the port is another's.
    receiver: Option<JoinHandle<()>>,
    sampling: Option<JoinHandle<()>>,
    stopped: bool,
}

impl Collector {
    /// Supervises what is recorded.
    pub(super) fn restore(context: Arc<Context>, record: CollectorRecord) -> Arc<Self> {
        let store = Arc::new(Store::new(context.layout.telemetry()));
        let inner = Inner { record, receiver: None, sampling: None, stopped: false };
        let collector =
            Arc::new(Self { context, inner: Mutex::new(inner), store, sampler: Arc::default() });
        if !collector.listen() {
            super::say(&format!("collector: {}", port::in_use(collector.inner().record.port)));
        }
        collector
    }

    /// Records a new collector, then supervises it. `port` is what it had before its record was lost.
    pub(super) fn create(
        context: Arc<Context>,
        name: Name,
        port: Option<u16>,
    ) -> Result<Arc<Self>, Fault> {
        let claim = || port::claim().map(|(port, _)| port);
        let port = port.map_or_else(claim, Ok);
        let port = port.map_err(|error| Fault::text(format!("failed to get a port: {error}")))?;
        let record = CollectorRecord { name, removing: false, port };
        record::write(&context.layout.collector(), &record).map_err(|error| Fault::new(&error))?;
        Ok(Self::restore(context, record))
    }

    pub(super) fn name(&self) -> Name {
        self.inner().record.name.clone()
    }

    /// Listens unless it does; `false` where the port is another's.
    pub(super) fn listen(&self) -> bool {
        let mut inner = self.inner();
        if inner.receiver.is_none()
            && !inner.stopped
            && let Ok(listener) = port::bind(inner.record.port).and_then(super::service::into_tokio)
        {
            let receiver = receive::serve(listener, Arc::clone(&self.store));
            inner.receiver = Some(tokio::spawn(receiver));
        }
        inner.receiver.is_some()
    }

    /// Notes what these processes use, unless it is still at it.
    pub(super) fn sample(&self, subjects: Vec<Subject>) {
        let mut inner = self.inner();
        if inner.stopped || inner.sampling.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let (store, sampler) = (Arc::clone(&self.store), Arc::clone(&self.sampler));
        inner.sampling = Some(tokio::task::spawn_blocking(move || {
            let mut sampler = sampler.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(export) = sampler.sample(&subjects) {
                // What could not be kept is counted.
                let _ = store.append(Signal::Metrics, &export);
            }
        }));
    }

    /// Records that the collector is to be removed.
    pub(super) fn mark_removing(&self) {
        let record = CollectorRecord { removing: true, ..self.inner().record.clone() };
        // Only a hint for the next one. A full disk must not keep anything from being removed.
        let _ = record::write(&self.context.layout.collector(), &record);
    }

    /// Closes the port; returns when nothing is written any more.
    pub(super) async fn stop(&self) {
        let (receiver, sampling) = {
            let mut inner = self.inner();
            inner.stopped = true;
            (inner.receiver.take(), inner.sampling.take())
        };
        if let Some(receiver) = receiver {
            receiver.abort();
            let _ = receiver.await;
        }
        if let Some(sampling) = sampling {
            let _ = sampling.await;
        }
        // A request that was being kept: it is aborted, but not the thread that writes.
        let store = Arc::clone(&self.store);
        super::blocking(move || store.close()).await;
    }

    pub(super) fn progress(&self) -> Progress {
        if self.listen() {
            Progress::Ready
        } else {
            Progress::Hopeless(port::in_use(self.inner().record.port))
        }
    }

    pub(super) fn status(&self) -> CollectorStatus {
        let inner = self.inner();
        let error = inner.receiver.is_none().then(|| port::in_use(inner.record.port));
        let status = if error.is_none() { Condition::Running } else { Condition::Degraded };
        CollectorStatus {
            name: inner.record.name.clone(),
            endpoint: crate::status::url(inner.record.port),
            status,
            directory: self.store.directory().to_string_lossy().into_owned(),
            kept: self.store.kept(),
            dropped: self.store.dropped(),
            error,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
