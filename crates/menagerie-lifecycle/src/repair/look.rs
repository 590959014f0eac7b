//! Looks what is wrong with an environment, and changes nothing.

use super::states::{self, Condition};
use super::trouble::Trouble;
use crate::bundle::{self, Bundle};
use crate::file::{self, FileError};
use crate::home::EnvironmentHome;
use crate::hosting::{LocalHosting, Running};
use crate::inventory::{self, Phase};
use crate::lock;
use crate::milestone::{self, Milestone};
use crate::repository::Repository;
use crate::run::RunError;
use jiff::Timestamp;
use menagerie_config::Environment;
use menagerie_naming::EnvName;
use menagerie_plan::StateFile;
use menagerie_terraform::Journal;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Looks what is wrong with an environment, as far as that can be told without Terraform.
///
/// While somebody works on it, nothing else is wrong that could be told from what that run is doing.
pub fn look(
    repository: &Repository,
    provider: &Path,
    name: &EnvName,
) -> Result<Vec<Trouble>, RunError> {
    let entry = inventory::find(repository, name, Timestamp::now())?;
    if entry.phase == Phase::Gone {
        return Ok(Vec::new());
    }
    let mut troubles = Vec::new();
    let records = repository.home().environment(name);
    if entry.environment.is_none() {
        troubles
            .extend(intent(repository, name, &records).map(|reason| Trouble::Intent { reason }));
    }
    if !records.directory().exists() {
        return Ok(troubles);
    }
    if let Some(holder) = lock::holder(&records.lock())? {
        troubles.push(Trouble::Busy { holder });
        return Ok(troubles);
    }
    let journal = repository.home().journal(name);
    let unfinished = Journal::new(journal.clone()).unfinished()?;
    let alive = unfinished.iter().filter(|run| run.is_alive());
    let orphans: Vec<Trouble> =
        alive.map(|run| Trouble::Orphan { command: run.command.clone(), pid: run.pid() }).collect();
    let last = milestone::last(&journal)?;
    troubles.extend(unfinished_operation(last.as_ref()));
    if !orphans.is_empty() {
        troubles.extend(orphans);
        return Ok(troubles);
    }
    troubles.extend(files(repository, name)?);
    if matches!(entry.phase, Phase::Destroying | Phase::DestroyFailed) {
        // Whatever of it runs is about to end.
        return Ok(troubles);
    }
    let running = LocalHosting::borrow(provider, &records.local()).running()?;
    if entry.phase == Phase::Deployed && Bundle::open(&records.bundle())?.is_none() {
        troubles.push(Trouble::NoBundle);
    }
    let in_state = in_state(repository, name)?;
    troubles.extend(hosting(&running, &in_state));
    Ok(troubles)
}

fn intent(repository: &Repository, name: &EnvName, records: &EnvironmentHome) -> Option<String> {
    let file = repository.directory(name).join("env.toml");
    let file = if file.exists() { file } else { records.intent() };
    // One that was never there is no trouble: what is applied is in the bundle.
    file.exists().then(|| Environment::read(&file).err())?.map(|error| error.to_string())
}

fn unfinished_operation(last: Option<&Milestone>) -> Option<Trouble> {
    match last? {
        Milestone::ApplyStarted { .. } => Some(Trouble::UnfinishedApply { reason: None }),
        Milestone::ApplyFailed { reason } => {
            Some(Trouble::UnfinishedApply { reason: Some(reason.clone()) })
        }
        Milestone::DestroyStarted | Milestone::Proven { .. } => {
            Some(Trouble::UnfinishedDestroy { reason: None })
        }
        Milestone::DestroyFailed { reason } => {
            Some(Trouble::UnfinishedDestroy { reason: Some(reason.clone()) })
        }
        Milestone::Created | Milestone::Applied | Milestone::Destroyed => None,
    }
}

/// Looks at the files of an environment that nobody works on.
pub(super) fn files(repository: &Repository, name: &EnvName) -> Result<Vec<Trouble>, RunError> {
    let records = repository.home().environment(name);
    let mut troubles = state_files(repository, name)?;
    troubles.extend(lock_note(&records)?);
    troubles.extend(leftovers(&records)?.into_iter().map(|path| Trouble::Leftover { path }));
    Ok(troubles)
}

fn state_files(repository: &Repository, name: &EnvName) -> Result<Vec<Trouble>, RunError> {
    let mut troubles = Vec::new();
    let current = match states::condition(repository, name)? {
        Condition::Absent => None,
        Condition::Good(state) => Some(state),
        Condition::Torn { spare } => {
            troubles.push(Trouble::TornState { spare });
            // Which one of the spares that is settles what they are.
            return Ok(troubles);
        }
        Condition::Damaged { reason, spare } => {
            troubles.push(Trouble::DamagedState { reason, spare });
            return Ok(troubles);
        }
    };
    for path in states::errored(repository, name)? {
        let Some(text) = file::read_if_present(&path)? else { continue };
        let is_newer = StateFile::from_json(text.as_bytes()).is_ok_and(|errored| {
            current.as_ref().is_none_or(|current| is_newer(&errored, current))
        });
        troubles.push(if is_newer {
            Trouble::UnsavedState { path }
        } else {
            Trouble::OtherState { path }
        });
    }
    Ok(troubles)
}

/// A state of another lineage is no later one of this.
fn is_newer(errored: &StateFile, current: &StateFile) -> bool {
    errored.lineage == current.lineage && errored.serial > current.serial
}

/// Returns where a Terraform notes that it holds the state; the lock itself is the kernel's, and died with it.
fn lock_note(records: &EnvironmentHome) -> Result<Option<Trouble>, FileError> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "PascalCase")]
    struct Note {
        operation: String,
        who: String,
        created: String,
    }
    let path = records.directory().join(".terraform.tfstate.lock.info");
    let Some(text) = file::read_if_present(&path)? else { return Ok(None) };
    // A note that was cut short is still one.
    let note: Note = serde_json::from_str(&text).unwrap_or_default();
    let holder = match note.who.as_str() {
        "" => "somebody".to_owned(),
        who => format!("{who} ({}, since {})", note.operation, note.created),
    };
    Ok(Some(Trouble::LockNote { path, holder }))
}

/// Returns what a run that was killed was making: nobody holds the environment, so nobody makes it now.
fn leftovers(records: &EnvironmentHome) -> Result<Vec<PathBuf>, FileError> {
    let mut found: Vec<PathBuf> =
        [records.images().join("making"), records.local().join("bin/making")].into();
    // A next bundle is what is used where the one in its place is not complete.
    if bundle::is_complete(&records.bundle()) {
        found.push(bundle::next(&records.bundle()));
    }
    if !records.plan().join("plan.json").exists() {
        found.push(records.plan().join("plan.tfplan"));
    }
    for directory in [records.directory().to_owned(), records.plan()] {
        let paths = file::list(&directory)?.into_iter().map(|name| directory.join(name));
        found.extend(paths.filter(|path| path.extension().is_some_and(|of| of == "new")));
    }
    found.retain(|path| path.exists());
    Ok(found)
}

/// The status of what is as it should be.
const RUNNING: &str = "running";

/// A service or a database of the local hosting, as it is named to people.
fn service(name: &str) -> String {
    format!("service `{name}`")
}

fn database(name: &str) -> String {
    format!("database `{name}`")
}

/// Returns what of the local hosting's is in the state.
fn in_state(repository: &Repository, name: &EnvName) -> Result<BTreeSet<String>, RunError> {
    #[derive(Deserialize)]
    struct State {
        #[serde(default)]
        resources: Vec<Resource>,
    }
    #[derive(Deserialize)]
    struct Resource {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        instances: Vec<Instance>,
    }
    #[derive(Deserialize)]
    struct Instance {
        #[serde(default)]
        attributes: Attributes,
    }
    #[derive(Default, Deserialize)]
    struct Attributes {
        name: Option<String>,
    }
    let Some(text) = states::newest(repository, name)? else {
        return Ok(BTreeSet::new());
    };
    // What can't be read is told as a trouble of its own.
    let Ok(state) = serde_json::from_str::<State>(&text) else { return Ok(BTreeSet::new()) };
    let mut found = BTreeSet::new();
    for resource in state.resources {
        let shown = match resource.kind.as_str() {
            "menagerie_service" => service,
            "menagerie_database" => database,
            _ => continue,
        };
        found.extend(
            resource
                .instances
                .iter()
                .filter_map(|instance| instance.attributes.name.as_deref())
                .map(shown),
        );
    }
    Ok(found)
}

/// Compares what is on the hosting's record and runs with what the state holds.
fn hosting(running: &Running, in_state: &BTreeSet<String>) -> Vec<Trouble> {
    let databases =
        running.databases.iter().map(|found| (database(&found.name), found.status.as_str()));
    let services = running.services.iter().map(|found| {
        // One that is to have no replica is as it should be.
        let status = if found.replicas.is_empty() { RUNNING } else { &found.status };
        (service(&found.name), status)
    });
    let on_record: Vec<(String, &str)> = databases.chain(services).collect();
    let mut troubles = Vec::new();
    if running.supervisor.is_none() && !on_record.is_empty() {
        troubles.push(Trouble::Unsupervised);
    }
    for (what, status) in &on_record {
        if !in_state.contains(what) {
            troubles.push(Trouble::Unrecorded { what: what.clone() });
        }
        if *status != RUNNING {
            let status = (*status).to_owned();
            troubles.push(Trouble::NotRunning { what: what.clone(), status });
        }
    }
    let lost = in_state.iter().filter(|what| !on_record.iter().any(|(known, _)| known == *what));
    troubles.extend(lost.map(|what| Trouble::Lost { what: what.clone() }));
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosting::{Database, Replica, Service, Supervisor};

    fn replica() -> Replica {
        let status = "starting".to_owned();
        let zone = "a".to_owned();
        Replica { index: 0, zone, pid: None, status, restarts: 0, log: PathBuf::from("/log") }
    }

    fn running(supervisor: bool, status: &str) -> Running {
        Running {
            supervisor: supervisor.then_some(Supervisor { pid: 7 }),
            services: vec![Service {
                name: "web".to_owned(),
                url: "http://127.0.0.1:1".to_owned(),
                status: status.to_owned(),
                replicas: vec![replica()],
            }],
            databases: vec![Database {
                name: "main".to_owned(),
                engine: "sqlite".to_owned(),
                status: "running".to_owned(),
                pid: None,
            }],
            collector: None,
        }
    }

    #[track_caller]
    fn check(running: &Running, in_state: &[&str], expected: &[&str]) {
        let in_state = in_state.iter().map(|what| (*what).to_owned()).collect();
        let found: Vec<String> =
            hosting(running, &in_state).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_runs_and_what_is_on_record() {
        let both = ["service `web`", "database `main`"];
        check(&Running::default(), &[], &[]);
        check(&running(true, "running"), &both, &[]);
        check(
            &running(false, "stopped"),
            &both,
            &["nobody keeps it up: its supervisor is gone", "service `web` is stopped"],
        );
        let mut none = running(true, "stopped");
        none.services[0].replicas.clear();
        check(&none, &both, &[]);
        check(&running(true, "running"), &both[1..], &["service `web` is not in its state"]);
        check(&Running::default(), &both[..1], &["service `web` is in its state only"]);
    }
}
