//! What is recorded and what really runs, as `status` prints it.

use crate::{
    control::{self, Request, Response},
    layout::Layout,
    name::Name,
    record::{
        self, DatabaseRecord, Engine, Inventory, RecordError, ServiceRecord, SupervisorRecord,
    },
    zone::Zone,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The state of an environment's processes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) version: u32,
    pub(crate) supervisor: Option<SupervisorStatus>,
    pub(crate) services: Vec<ServiceStatus>,
    pub(crate) databases: Vec<DatabaseStatus>,
    pub(crate) collector: Option<CollectorStatus>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct SupervisorStatus {
    pub(crate) pid: i32,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceStatus {
    pub(crate) name: Name,
    pub(crate) port: u16,
    pub(crate) url: String,
    pub(crate) status: Condition,
    pub(crate) health_check_path: String,
    /// What stands in the way, if something does.
    pub(crate) error: Option<String>,
    pub(crate) replicas: Vec<ReplicaStatus>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReplicaStatus {
    pub(crate) index: u32,
    pub(crate) zone: Zone,
    pub(crate) pid: Option<i32>,
    pub(crate) status: ReplicaCondition,
    pub(crate) restarts: u32,
    pub(crate) log: String,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct DatabaseStatus {
    pub(crate) name: Name,
    pub(crate) engine: Engine,
    pub(crate) status: Condition,
    pub(crate) port: Option<u16>,
    pub(crate) pid: Option<i32>,
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct CollectorStatus {
    pub(crate) name: Name,
    pub(crate) endpoint: String,
    pub(crate) status: Condition,
    pub(crate) directory: String,
    /// Spans, data points and log records kept since the supervisor started.
    pub(crate) kept: u64,
    /// Those that could not be kept: the disk was full.
    pub(crate) dropped: u64,
    pub(crate) error: Option<String>,
}

/// The attribute `status` of all resources.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Condition {
    /// All of it answers, and is supervised.
    Running,
    /// Some of it does, or nobody supervises it.
    Degraded,
    Stopped,
}

impl Condition {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Degraded => "degraded",
            Self::Stopped => "stopped",
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReplicaCondition {
    /// It runs and was never healthy yet.
    Starting,
    /// It answers its health check.
    Ready,
    /// It answered, and no longer does.
    Unhealthy,
    /// It ended and is about to be started again.
    Restarting,
    /// It runs and nobody supervises it.
    Unsupervised,
    Stopped,
}

/// Returns the supervisor that lives now.
pub(crate) fn supervisor(layout: &Layout) -> Result<Option<SupervisorRecord>, RecordError> {
    let record = record::read::<SupervisorRecord>(&layout.supervisor())?;
    Ok(record.filter(|record| record.identity.is_alive()))
}

/// Asks the supervisor; where none answers, looks for itself.
pub(crate) fn collect(layout: &Layout) -> Result<Status, RecordError> {
    let supervisor = supervisor(layout)?;
    if let Some(supervisor) = &supervisor
        && let Ok(Response::Status(status)) =
            control::ask(supervisor, &Request::Status, Duration::from_secs(3))
    {
        return Ok(status);
    }
    // It may have ended while it was asked.
    let supervisor = supervisor.filter(|supervisor| supervisor.identity.is_alive());
    look(layout, supervisor.map(|supervisor| SupervisorStatus { pid: supervisor.identity.pid }))
}

/// Reads the records and looks whether their processes live.
fn look(layout: &Layout, supervisor: Option<SupervisorStatus>) -> Result<Status, RecordError> {
    let inventory = Inventory::read(layout)?;
    let services = inventory
        .services
        .iter()
        .map(|record| service(layout, record))
        .collect::<Result<_, _>>()?;
    let databases = inventory
        .databases
        .iter()
        .map(|record| database(layout, record))
        .collect::<Result<_, _>>()?;
    let collector = inventory.collector.map(|record| CollectorStatus {
        name: record.name,
        endpoint: url(record.port),
        status: Condition::Stopped,
        directory: layout.telemetry().to_string_lossy().into_owned(),
        kept: 0,
        dropped: 0,
        error: None,
    });
    Ok(Status { version: 1, supervisor, services, databases, collector })
}

fn service(layout: &Layout, record: &ServiceRecord) -> Result<ServiceStatus, RecordError> {
    let layout = layout.service(&record.spec.name);
    let recorded = record::replicas(&layout)?;
    let beyond = recorded.iter().map(|(index, _)| index + 1).max().unwrap_or(0);
    let replicas: Vec<_> = (0..record.spec.replicas.max(beyond))
        .map(|index| {
            let alive = recorded.iter().find(|(of, identity)| *of == index && identity.is_alive());
            ReplicaStatus {
                index,
                zone: Zone::of(index),
                pid: alive.map(|(_, identity)| identity.pid),
                status: alive.map_or(ReplicaCondition::Stopped, |_| ReplicaCondition::Unsupervised),
                restarts: 0,
                log: layout.log(index).to_string_lossy().into_owned(),
            }
        })
        .collect();
    let runs = replicas.iter().any(|replica| replica.pid.is_some());
    Ok(ServiceStatus {
        name: record.spec.name.clone(),
        port: record.port,
        url: url(record.port),
        status: if runs { Condition::Degraded } else { Condition::Stopped },
        health_check_path: record.spec.health_check_path.clone(),
        error: None,
        replicas,
    })
}

fn database(layout: &Layout, record: &DatabaseRecord) -> Result<DatabaseStatus, RecordError> {
    let process = record::database_process(&layout.database(&record.name))?
        .filter(crate::process::Identity::is_alive);
    let status = match record.engine {
        _ if record.removing => Condition::Stopped,
        Engine::Sqlite => crate::supervisor::sqlite::condition(record),
        Engine::Postgres if process.is_some() => Condition::Degraded,
        Engine::Postgres => Condition::Stopped,
    };
    Ok(DatabaseStatus {
        name: record.name.clone(),
        engine: record.engine,
        status,
        port: record.port,
        pid: process.map(|process| process.pid),
        error: None,
    })
}

/// Returns the address of a service.
pub(crate) fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
