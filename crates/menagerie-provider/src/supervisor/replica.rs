//! One replica: started, asked for its health, started again when it ends.

use super::{Context, backoff::Backoff, health};
use crate::{
    launch::{Launch, LaunchError, Launched, launch},
    layout::ServiceLayout,
    leftover::REPLICA_GRACE,
    log, port,
    process::Identity,
    record::{self, ServiceRecord},
    report, secret,
    status::{ReplicaCondition, ReplicaStatus},
    telemetry::usage::Subject,
    zone::Zone,
};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep},
};

/// After so many ends without ever having been healthy, waiting is of no use.
const HOPELESS: u32 = 5;

/// Time for a program to accept the connections that the proxy has just made.
const DRAIN: Duration = Duration::from_millis(50);

/// After so many bad answers in a row a healthy replica gets no more connections.
const UNHEALTHY: u32 = 3;

/// OpenTelemetry's variable for what is said of whoever sends: `key=value,…`.
const RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// What a slot of the service should run; `None` when it should not exist.
pub(super) type Desired = Option<Arc<ServiceRecord>>;

/// One of a service's replicas.
#[derive(Debug)]
pub(super) struct Replica {
    index: u32,
    context: Arc<Context>,
    layout: ServiceLayout,
    state: Mutex<State>,
    /// Told after every change.
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    condition: ReplicaCondition,
    revision: u64,
    identity: Option<Identity>,
    port: u16,
    /// What it was started with last.
    setting: Option<Setting>,
    starts: u32,
    /// Ends of this revision before it was ever healthy.
    failures: u32,
    /// It could not even be started.
    refused: bool,
    error: Option<String>,
}

/// Why a replica is not ready: what it was when one looked, all of one instant.
#[derive(Debug)]
pub(super) struct Obstacle {
    /// The revision that this is about.
    revision: u64,
    pub(super) reason: String,
    /// Waiting longer is of no use.
    is_final: bool,
}

impl Obstacle {
    /// Whether a revision will never be ready.
    pub(super) fn is_final_for(&self, revision: u64) -> bool {
        self.is_final && self.revision == revision
    }
}

/// A running replica and what it was started with.
struct Running {
    launched: Launched,
    setting: Setting,
    port: u16,
}

/// What makes a restart necessary when it differs. It holds secrets.
#[derive(Clone, Eq, PartialEq)]
struct Setting {
    command: Vec<String>,
    environment: BTreeMap<String, String>,
}

/// A replica that can't be started.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("failed to get a port")]
    Port(#[source] io::Error),
    #[error("failed to prepare its directories")]
    Directory(#[source] io::Error),
    #[error("the secret for `{variable}`")]
    Secret { variable: String, source: secret::SecretError },
    #[error(transparent)]
    Launch(#[from] LaunchError),
}

enum End {
    Exited { healthy: Duration },
    Superseded,
}

impl Replica {
    pub(super) fn new(
        index: u32,
        context: Arc<Context>,
        layout: ServiceLayout,
        changed: Arc<Notify>,
    ) -> Self {
        let state = State {
            condition: ReplicaCondition::Stopped,
            revision: 0,
            identity: None,
            port: 0,
            setting: None,
            starts: 0,
            failures: 0,
            refused: false,
            error: None,
        };
        Self { index, context, layout, state: Mutex::new(state), changed }
    }

    /// Runs what is desired until nothing is.
    pub(super) async fn run(self: Arc<Self>, mut desired: watch::Receiver<Desired>) {
        let mut backoff = Backoff::default();
        loop {
            let Some(record) = desired.borrow_and_update().clone() else { break };
            self.update(|state| {
                state.condition = ReplicaCondition::Starting;
                if state.revision != record.revision {
                    state.revision = record.revision;
                    state.failures = 0;
                    state.refused = false;
                    state.error = None;
                }
            });
            let pause = match self.start(&record).await {
                Ok(running) => match self.attend(running, record, &mut desired).await {
                    End::Superseded => Duration::ZERO,
                    End::Exited { healthy } => backoff.pause(healthy),
                },
                Err(error) => {
                    let text = report::chain(&error);
                    self.say(&text);
                    self.update(|state| {
                        state.condition = ReplicaCondition::Restarting;
                        state.refused = true;
                        state.error = Some(text);
                    });
                    backoff.pause(Duration::ZERO)
                }
            };
            if pause.is_zero() {
                backoff = Backoff::default();
                continue;
            }
            tokio::select! {
                () = sleep(pause) => {}
                changed = desired.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    backoff = Backoff::default();
                }
            }
        }
        self.update(|state| state.condition = ReplicaCondition::Stopped);
    }

    async fn start(&self, record: &ServiceRecord) -> Result<Running, StartError> {
        let setting = Setting::of(record)?;
        let (port, listener) = port::claim().map_err(StartError::Port)?;
        // Free again for the replica. Should another process be quicker, the replica ends and gets another one.
        drop(listener);
        let mut environment = self.context.environment.passed_on.clone();
        environment.extend(setting.environment.clone());
        environment.insert("PORT".to_owned(), port.to_string());
        environment.insert("HOST".to_owned(), "127.0.0.1".to_owned());
        environment.insert("MENAGERIE_REPLICA".to_owned(), self.index.to_string());
        environment.insert("MENAGERIE_ZONE".to_owned(), self.zone().as_str().to_owned());
        if let Some(attributes) = environment.get_mut(RESOURCE_ATTRIBUTES) {
            *attributes = self.resource_attributes(attributes);
        }
        let [program, arguments @ ..] = &setting.command[..] else {
            return Err(LaunchError::Refused("the command is empty".to_owned()).into());
        };
        for directory in [self.layout.replicas(), self.layout.logs(), self.layout.work()] {
            crate::file::make_private_directory(&directory).map_err(StartError::Directory)?;
        }
        let order = Launch {
            program: program.clone(),
            arguments: arguments.to_vec(),
            environment,
            directory: self.layout.work(),
            log: self.layout.log(self.index),
            record: self.layout.replica(self.index),
            input: None,
            account: None,
        };
        let supervisor = self.context.identity.clone();
        let launched = super::blocking(move || launch(&order, &supervisor)).await?;
        self.update(|state| {
            state.identity = Some(launched.identity.clone());
            state.port = port;
            state.setting = Some(setting.clone());
            state.starts += 1;
        });
        Ok(Running { launched, setting, port })
    }

    /// Watches a running replica until it ends or something else is desired; it is gone afterwards.
    async fn attend(
        &self,
        mut running: Running,
        mut record: Arc<ServiceRecord>,
        desired: &mut watch::Receiver<Desired>,
    ) -> End {
        let started = Instant::now();
        let mut healthy_since = None;
        let mut bad = 0;
        let end = loop {
            let condition = self.state().condition;
            let probe = async {
                sleep(interval(condition, started.elapsed())).await;
                health::check(running.port, &record.spec.health_check_path).await
            };
            tokio::select! {
                _ = running.launched.exit.wait_for(Option::is_some) => {
                    let healthy = healthy_since.map_or(Duration::ZERO, |since: Instant| since.elapsed());
                    break End::Exited { healthy };
                }
                changed = desired.changed() => {
                    let wanted = if changed.is_ok() { desired.borrow_and_update().clone() } else { None };
                    let Some(wanted) = wanted else { break End::Superseded };
                    let keeps = matches!(condition, ReplicaCondition::Starting | ReplicaCondition::Ready)
                        && Setting::of(&wanted).is_ok_and(|setting| setting == running.setting);
                    if !keeps {
                        break End::Superseded;
                    }
                    self.update(|state| state.revision = wanted.revision);
                    record = wanted;
                }
                answer = probe => match answer {
                    Ok(()) => {
                        bad = 0;
                        if condition != ReplicaCondition::Ready {
                            healthy_since = Some(Instant::now());
                            self.update(|state| {
                                state.condition = ReplicaCondition::Ready;
                                state.failures = 0;
                                state.error = None;
                            });
                        }
                        let _ = log::rotate_if_large(&self.layout.log(self.index));
                    }
                    Err(reason) => {
                        bad += 1;
                        if condition == ReplicaCondition::Starting {
                            self.update(|state| state.error = Some(reason));
                        } else if bad == UNHEALTHY {
                            self.say(&reason);
                            self.update(|state| {
                                state.condition = ReplicaCondition::Unhealthy;
                                state.error = Some(reason);
                            });
                        }
                    }
                }
            }
        };
        self.conclude(&mut running, matches!(end, End::Superseded), healthy_since.is_some()).await;
        end
    }

    /// Ends what is left of a replica, and forgets its process.
    async fn conclude(&self, running: &mut Running, superseded: bool, was_healthy: bool) {
        let (signal, grace) =
            if superseded { (Signal::TERM, REPLICA_GRACE) } else { (Signal::KILL, Duration::ZERO) };
        let was_ready = self.state().condition == ReplicaCondition::Ready;
        self.update(|state| state.condition = ReplicaCondition::Restarting);
        if superseded && was_ready {
            // Gets no more connections from here on; the last ones that it got it should have accepted.
            sleep(DRAIN).await;
        }
        // Looked at before the record goes, which frees some.
        let full = log::is_disk_full(&self.layout.directory);
        let identity = running.launched.identity.clone();
        let ended = super::blocking(move || identity.end_group(signal, grace)).await;
        let status =
            running.launched.exit.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        let removed = match &ended {
            Ok(_) => record::remove(&self.layout.replica(self.index))
                .map_err(|error| report::chain(&error)),
            // Its record stays: somebody must end it.
            Err(error) => Err(report::chain(error)),
        };
        if let Err(error) = removed {
            self.say(&error);
        }
        let mut how =
            status.map_or_else(|| "ended".to_owned(), |status| format!("ended with {status}"));
        if full {
            how.push_str("; no space left on device for its log");
        }
        if !superseded {
            self.say(&how);
        }
        self.update(|state| {
            state.identity = None;
            if !superseded {
                state.error = Some(how);
                state.failures = if was_healthy { 0 } else { state.failures + 1 };
            }
        });
    }

    pub(super) fn zone(&self) -> Zone {
        Zone::of(self.index)
    }

    /// Returns its process, and what it is called in telemetry.
    pub(super) fn subject(&self, service: &str) -> Option<Subject> {
        let identity = self.state().identity.clone()?;
        Some(Subject {
            identity,
            name: service.to_owned(),
            instance: self.instance(),
            role: "replica",
            zone: Some(self.zone().as_str()),
        })
    }

    fn instance(&self) -> String {
        format!("{}/{}", self.service(), self.index)
    }

    /// Adds what only the supervisor knows to what the user says.
    fn resource_attributes(&self, given: &str) -> String {
        let mut attributes: Vec<String> =
            given.split(',').filter(|part| !part.trim().is_empty()).map(str::to_owned).collect();
        let own = [
            ("service.instance.id", self.instance()),
            ("menagerie.zone", self.zone().as_str().to_owned()),
        ];
        for (key, value) in own {
            if !attributes
                .iter()
                .any(|part| part.split('=').next().is_some_and(|of| of.trim() == key))
            {
                attributes.push(format!("{key}={value}"));
            }
        }
        attributes.join(",")
    }

    /// Returns the private port of a replica that gets connections.
    pub(super) fn ready_port(&self) -> Option<u16> {
        let state = self.state();
        (state.condition == ReplicaCondition::Ready).then_some(state.port)
    }

    /// Whether it would have to be started anew for a revision; so it would where that can't be told.
    pub(super) fn would_restart(&self, record: &ServiceRecord) -> bool {
        let state = self.state();
        !Setting::of(record).is_ok_and(|setting| state.setting.as_ref() == Some(&setting))
    }

    /// Whether it is healthy and runs this revision.
    pub(super) fn is_ready(&self, revision: u64) -> bool {
        let state = self.state();
        state.condition == ReplicaCondition::Ready && state.revision == revision
    }

    /// Why it is not ready.
    pub(super) fn obstacle(&self) -> Option<Obstacle> {
        let state = self.state();
        let is_final = state.refused || state.failures >= HOPELESS;
        let reason = match &state.error {
            Some(error) => format!("replica {}: {error}", self.index),
            None if is_final => format!("replica {} keeps ending", self.index),
            None => return None,
        };
        Some(Obstacle { revision: state.revision, reason, is_final })
    }

    pub(super) fn status(&self) -> ReplicaStatus {
        let state = self.state();
        ReplicaStatus {
            index: self.index,
            zone: self.zone(),
            pid: state.identity.as_ref().map(|identity| identity.pid),
            status: state.condition,
            restarts: state.starts.saturating_sub(1),
            log: self.layout.log(self.index).to_string_lossy().into_owned(),
        }
    }

    fn say(&self, text: &str) {
        super::say(&format!(
            "service `{}` replica {} (zone {}): {text}",
            self.service(),
            self.index,
            self.zone().as_str()
        ));
    }

    fn service(&self) -> String {
        self.layout.directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl Setting {
    /// Reads the secrets too: a new value behind the same reference is a reason for a restart.
    fn of(record: &ServiceRecord) -> Result<Self, StartError> {
        let mut environment = record.spec.environment.clone();
        for (variable, reference) in &record.spec.secrets {
            let value = secret::read(reference)
                .map_err(|source| StartError::Secret { variable: variable.clone(), source })?;
            environment.insert(variable.clone(), value);
        }
        Ok(Self { command: record.spec.command.clone(), environment })
    }
}

/// Asks often while somebody waits for the answer, seldom later.
fn interval(condition: ReplicaCondition, age: Duration) -> Duration {
    Duration::from_millis(match (condition, age.as_secs()) {
        (ReplicaCondition::Starting, 0..2) => 10,
        (ReplicaCondition::Starting, 2..10) => 50,
        (ReplicaCondition::Ready, _) => 1000,
        _ => 250,
    })
}
