//! One service: its port, its replicas, and the way from one revision to the next.

use super::{
    Context, proxy,
    replica::{Desired, Replica},
};
use crate::{
    control::{Fault, Progress},
    file,
    layout::ServiceLayout,
    name::Name,
    port,
    record::{self, ServiceRecord, ServiceSpec},
    status::{self, Condition, ServiceStatus},
    telemetry::usage::Subject,
    zone::Zone,
};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};

/// How often a port that was in use is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// A service under supervision.
#[derive(Debug)]
pub(super) struct Service {
    context: Arc<Context>,
    layout: ServiceLayout,
    inner: Mutex<Inner>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct Inner {
    record: Arc<ServiceRecord>,
    slots: Vec<Slot>,
    /// Slots beyond the number of replicas, on their way out.
    leaving: Vec<Slot>,
    /// The task that accepts on the port; `None` while the port is another's.
    proxy: Option<JoinHandle<()>>,
    controller: Option<JoinHandle<()>>,
    stopping: bool,
    /// Nothing runs for as long as its database is swapped.
    held: bool,
}

#[derive(Debug)]
struct Slot {
    replica: Arc<Replica>,
    desired: watch::Sender<Desired>,
    task: JoinHandle<()>,
}

impl Service {
    /// Supervises what is recorded.
    pub(super) fn restore(context: Arc<Context>, record: ServiceRecord) -> Arc<Self> {
        let listener = listen(record.port);
        if listener.is_err() {
            super::say(&format!("service `{}`: {}", record.spec.name, port::in_use(record.port)));
        }
        Self::start(context, record, listener.ok())
    }

    /// Records a new service, then supervises it.
    pub(super) fn create(context: Arc<Context>, spec: ServiceSpec) -> Result<Arc<Self>, Fault> {
        let (port, listener) = match spec.port {
            Some(port) => (port, listen(port).map_err(|error| port_fault(port, &error))?),
            None => claim()?,
        };
        let record = ServiceRecord { revision: 1, removing: false, port, spec };
        let layout = context.layout.service(&record.spec.name);
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
        Ok(Self::start(context, record, Some(listener)))
    }

    fn start(
        context: Arc<Context>,
        record: ServiceRecord,
        listener: Option<tokio::net::TcpListener>,
    ) -> Arc<Self> {
        let layout = context.layout.service(&record.spec.name);
        let inner = Inner {
            record: Arc::new(record),
            slots: Vec::new(),
            leaving: Vec::new(),
            proxy: None,
            controller: None,
            stopping: false,
            held: false,
        };
        let service = Arc::new(Self {
            context,
            layout,
            inner: Mutex::new(inner),
            changed: Arc::new(Notify::new()),
        });
        let proxy =
            listener.map(|listener| tokio::spawn(proxy::serve(listener, Arc::clone(&service))));
        let controller = tokio::spawn(Arc::clone(&service).control());
        let mut inner = service.inner();
        inner.proxy = proxy;
        inner.controller = Some(controller);
        drop(inner);
        service
    }

    /// Makes the service be as specified: recorded first, then rolled out.
    pub(super) fn change(self: &Arc<Self>, spec: ServiceSpec) -> Result<(), Fault> {
        let mut inner = self.inner();
        let port = spec.port.unwrap_or(inner.record.port);
        let listener = if port != inner.record.port || inner.proxy.is_none() {
            Some(listen(port).map_err(|error| port_fault(port, &error))?)
        } else {
            None
        };
        let record =
            ServiceRecord { revision: inner.record.revision + 1, removing: false, port, spec };
        record::write(&self.layout.record(), &record).map_err(|error| Fault::new(&error))?;
        inner.record = Arc::new(record);
        if let Some(listener) = listener {
            let proxy = tokio::spawn(proxy::serve(listener, Arc::clone(self)));
            if let Some(old) = inner.proxy.replace(proxy) {
                old.abort();
            }
        }
        drop(inner);
        self.changed.notify_one();
        Ok(())
    }

    /// Records that the service is to be removed.
    pub(super) fn mark_removing(&self) {
        let record = ServiceRecord { removing: true, ..ServiceRecord::clone(&self.inner().record) };
        // Only a hint for the next one. A full disk must not keep anything from being removed.
        let _ = record::write(&self.layout.record(), &record);
    }

    /// Ends every replica and closes the port; returns when they are gone.
    pub(super) async fn stop(&self) {
        let (slots, controller) = {
            let mut inner = self.inner();
            inner.stopping = true;
            if let Some(proxy) = inner.proxy.take() {
                proxy.abort();
            }
            let mut slots = std::mem::take(&mut inner.slots);
            slots.append(&mut inner.leaving);
            (slots, inner.controller.take())
        };
        if let Some(controller) = controller {
            controller.abort();
        }
        for slot in &slots {
            slot.desired.send_replace(None);
        }
        for slot in slots {
            let _ = slot.task.await;
        }
    }

    pub(super) fn name(&self) -> Name {
        self.inner().record.spec.name.clone()
    }

    /// Ends every replica, and starts none until it is released; the port answers that none is ready.
    pub(super) fn hold(&self) {
        self.inner().held = true;
        self.changed.notify_one();
    }

    /// Lets replicas run again.
    pub(super) fn release(&self) {
        self.inner().held = false;
        self.changed.notify_one();
    }

    /// Whether no replica runs.
    pub(super) fn is_idle(&self) -> bool {
        let inner = self.inner();
        inner.slots.is_empty() && inner.leaving.iter().all(|slot| slot.task.is_finished())
    }

    /// Lets the slots follow the record, for ever.
    async fn control(self: Arc<Self>) {
        loop {
            self.step();
            if timeout(RETRY, self.changed.notified()).await.is_err() {
                self.listen_again();
            }
        }
    }

    /// One step of the roll-out. What does not serve changes at once; what does changes one after another,
    /// each waiting until the ones before it serve again, so that a broken revision stops at its first replica.
    /// Where only one serves, another one of the new revision must serve before it changes.
    fn step(&self) {
        let mut inner = self.inner();
        if inner.stopping {
            return;
        }
        let record = Arc::clone(&inner.record);
        inner.leaving.retain(|slot| !slot.task.is_finished());
        let count = inner.count(&record);
        while inner.slots.len() > count {
            let Some(slot) = inner.slots.pop() else { break };
            slot.desired.send_replace(None);
            inner.leaving.push(slot);
        }
        for slot in &inner.slots {
            if slot.revision() != record.revision && slot.replica.ready_port().is_none() {
                slot.desired.send_replace(Some(Arc::clone(&record)));
            }
        }
        // A slot that was given up and is wanted again must wait until its predecessor is gone.
        while inner.leaving.is_empty() && inner.slots.len() < count {
            let index = u32::try_from(inner.slots.len()).expect("there are at most 20 replicas");
            inner.slots.push(self.slot(index, &record));
        }
        let waits = inner.slots.iter().any(|slot| {
            slot.revision() == record.revision && !slot.replica.is_ready(record.revision)
        });
        if !waits
            && let Some(next) = inner.slots.iter().find(|slot| slot.revision() != record.revision)
        {
            next.desired.send_replace(Some(record));
        }
    }

    fn slot(&self, index: u32, record: &Arc<ServiceRecord>) -> Slot {
        let replica = Arc::new(Replica::new(
            index,
            Arc::clone(&self.context),
            self.layout.clone(),
            Arc::clone(&self.changed),
        ));
        let (desired, receiver) = watch::channel(Some(Arc::clone(record)));
        let task = tokio::spawn(Arc::clone(&replica).run(receiver));
        Slot { replica, desired, task }
    }

    fn listen_again(self: &Arc<Self>) {
        let mut inner = self.inner();
        if inner.proxy.is_none()
            && !inner.stopping
            && let Ok(listener) = listen(inner.record.port)
        {
            inner.proxy = Some(tokio::spawn(proxy::serve(listener, Arc::clone(self))));
        }
    }

    pub(super) fn ready_ports(&self) -> Vec<(Zone, u16)> {
        let inner = self.inner();
        let port = |slot: &Slot| Some((slot.replica.zone(), slot.replica.ready_port()?));
        inner.slots.iter().filter_map(port).collect()
    }

    /// Returns the processes of the replicas.
    pub(super) fn subjects(&self) -> Vec<Subject> {
        let inner = self.inner();
        let name = inner.record.spec.name.as_str();
        let slots = inner.slots.iter().chain(&inner.leaving);
        slots.filter_map(|slot| slot.replica.subject(name)).collect()
    }

    pub(super) fn progress(&self) -> Progress {
        let inner = self.inner();
        let revision = inner.record.revision;
        if inner.proxy.is_none() {
            return Progress::Hopeless(port::in_use(inner.record.port));
        }
        let mut waiting = None;
        for slot in inner.slots.iter().filter(|slot| !slot.replica.is_ready(revision)) {
            let Some(obstacle) = slot.replica.obstacle() else { continue };
            if obstacle.is_final_for(revision) {
                return Progress::Hopeless(obstacle.reason);
            }
            waiting = waiting.or(Some(obstacle.reason));
        }
        if inner.is_complete() { Progress::Ready } else { Progress::Waiting(waiting) }
    }

    pub(super) fn status(&self) -> ServiceStatus {
        let inner = self.inner();
        let obstacle = || inner.slots.iter().find_map(|slot| slot.replica.obstacle());
        let error = if inner.proxy.is_none() {
            Some(port::in_use(inner.record.port))
        } else {
            obstacle().map(|obstacle| obstacle.reason)
        };
        let status = match (inner.is_complete(), inner.record.spec.replicas) {
            (_, 0) => Condition::Stopped,
            (true, _) => Condition::Running,
            (false, _) => Condition::Degraded,
        };
        ServiceStatus {
            name: inner.record.spec.name.clone(),
            port: inner.record.port,
            url: status::url(inner.record.port),
            status,
            health_check_path: inner.record.spec.health_check_path.clone(),
            error,
            replicas: inner.slots.iter().map(|slot| slot.replica.status()).collect(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// How many slots there should be now: one more than replicas while the only one changes, so that there is
    /// always one that serves. It has the next number, and leaves when the other one serves again.
    fn count(&self, record: &ServiceRecord) -> usize {
        if self.held {
            return 0;
        }
        let wanted = record.spec.replicas as usize;
        let stands_in = match &self.slots[..] {
            _ if wanted != 1 => false,
            [only] => {
                only.revision() != record.revision
                    && only.replica.ready_port().is_some()
                    && only.replica.would_restart(record)
            }
            [first, ..] => !first.replica.is_ready(record.revision),
            [] => false,
        };
        wanted + usize::from(stands_in)
    }

    /// Whether everything recorded is so: the port, and each replica ready with the newest revision.
    fn is_complete(&self) -> bool {
        self.proxy.is_some()
            && self.leaving.iter().all(|slot| slot.task.is_finished())
            && self.slots.len() == self.record.spec.replicas as usize
            && self.slots.iter().all(|slot| slot.replica.is_ready(self.record.revision))
    }
}

impl Slot {
    /// The revision it was told to run.
    fn revision(&self) -> u64 {
        self.desired.borrow().as_ref().map_or(0, |record| record.revision)
    }
}

fn claim() -> Result<(u16, tokio::net::TcpListener), Fault> {
    let claimed = port::claim().and_then(|(port, listener)| Ok((port, into_tokio(listener)?)));
    claimed.map_err(|error| Fault::text(format!("failed to get a port: {error}")))
}

fn listen(port: u16) -> io::Result<tokio::net::TcpListener> {
    into_tokio(port::bind(port)?)
}

pub(super) fn into_tokio(listener: std::net::TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

fn port_fault(port: u16, error: &io::Error) -> Fault {
    let fault = match error.kind() {
        io::ErrorKind::AddrInUse => Fault::text(port::in_use(port))
            .with_hint("end that process, or set another `port`; a port chosen by the provider stays the same until the service is replaced"),
        _ => Fault::text(format!("failed to listen on port {port} of 127.0.0.1: {error}")),
    };
    fault.with_attribute("port")
}
