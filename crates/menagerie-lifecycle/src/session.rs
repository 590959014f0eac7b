//! What an operation needs from outside, and what it holds while it works on one environment.

use crate::bundle::Bundle;
use crate::file;
use crate::home::EnvironmentHome;
use crate::hosting::{LocalHosting, Served};
use crate::inventory::{self, Entry, Phase};
use crate::lock::Lock;
use crate::plan;
use crate::repository::Repository;
use crate::run::RunError;
use jiff::Timestamp;
use menagerie_naming::EnvName;
use menagerie_plan::Event;
use menagerie_terraform::{
    Cancel, Ended, Journal, Notice, Rescue, RescueOptions, Terraform, Workdir,
};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// What the operations need from outside.
pub struct Session<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The Terraform to run.
    pub terraform: &'a Terraform,
    /// The built `menagerie-provider`.
    pub provider: PathBuf,
    /// The environment variables that Terraform gets.
    pub variables: BTreeMap<OsString, OsString>,
    /// Set when the user wants it to stop.
    pub cancel: Cancel,
    /// Is told what happens.
    pub observer: &'a mut dyn FnMut(Progress<'_>),
}

/// What happens while an operation runs.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A step begins.
    Step {
        /// The environment.
        name: &'a EnvName,
        /// The step.
        step: Step,
    },
    /// Something that a person should know.
    Note(&'a str),
    /// Terraform says something.
    Event(&'a Event),
    /// It was interrupted twice: what is being created now may be missing from the state.
    AtRisk,
}

/// A step of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Builds the application.
    Build,
    /// Initialises the root module.
    Initialise,
    /// Plans.
    Plan,
    /// Applies the plan.
    Apply,
    /// Waits for a Terraform that an earlier run left behind.
    Wait,
    /// Destroys.
    Destroy,
    /// Looks for what is left and ends it.
    Sweep,
    /// Does something over a stand-in for a cloud.
    Rehearse(&'static str),
    /// Asks the URL whether it answers.
    Probe,
    /// Backs up the database.
    BackUp,
    /// Restores the database.
    Restore,
}

/// Where the root module comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The environment's directory in the checkout.
    Directory,
    /// The bundle of its last apply.
    Bundle,
}

/// One environment, held for one operation.
pub(crate) struct Held {
    pub(crate) name: EnvName,
    pub(crate) entry: Entry,
    pub(crate) records: EnvironmentHome,
    pub(crate) journal: PathBuf,
    _lock: Lock,
}

/// A root module that Terraform can be run in, with the provider waiting for it.
pub(crate) struct Ready {
    pub(crate) source: Source,
    /// The top of the tree that the root module is in.
    pub(crate) root: PathBuf,
    pub(crate) root_module: PathBuf,
    pub(crate) workdir: Workdir,
    _served: Served,
}

impl Session<'_> {
    /// Takes an environment for an operation, and waits for a Terraform that an earlier run of ours left working on it.
    pub(crate) fn hold(&mut self, name: &EnvName, operation: &str) -> Result<Held, RunError> {
        // Known first: a typing error must not leave a directory of records.
        inventory::find(self.repository, name, Timestamp::now())?;
        let records = self.repository.home().environment(name);
        file::create_private_directory(records.directory())?;
        let holder =
            format!("{operation} (pid {}, since {:.0})", std::process::id(), Timestamp::now());
        let lock =
            Lock::take(&records.lock(), &holder).map_err(|error| RunError::held(name, error))?;
        let journal = self.repository.home().journal(name);
        self.wait_for_orphans(name, &journal)?;
        if inventory::restore_state(self.repository, name)? {
            self.note("an earlier run was cut short while it wrote the state: going on from the newest that is whole");
        }
        // Read again: the other run may have changed it.
        let entry = inventory::find(self.repository, name, Timestamp::now())?;
        // Its destroy may have ended between the look and the lock; then the only record is the lock that was made anew.
        if !matches!(entry.phase, Phase::Wanted | Phase::Deployed)
            && file::list(records.directory())? == ["lock"]
        {
            file::remove_directory_if_present(records.directory())?;
        }
        Ok(Held { name: name.clone(), entry, records, journal, _lock: lock })
    }

    fn wait_for_orphans(
        &mut self,
        name: &EnvName,
        journal: &std::path::Path,
    ) -> Result<(), RunError> {
        for orphan in Journal::new(journal.to_owned()).unfinished()? {
            if !orphan.is_alive() {
                continue;
            }
            self.step(name, Step::Wait);
            let mut told = false;
            while orphan.is_alive() {
                if self.cancel.count() > 0 && !told {
                    // It is ours as if we had started it: it gets the interrupt that we got.
                    // One that ends at this moment needs no signal.
                    let _ = orphan.interrupt();
                    told = true;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            self.check_interrupt(name, "the wait for an earlier run")?;
        }
        Ok(())
    }

    /// Chooses where the root module comes from; `prefer` where both are there.
    pub(crate) fn source(
        &self,
        held: &Held,
        prefer: Source,
    ) -> Result<(Source, PathBuf, PathBuf), RunError> {
        let bundle = Bundle::open(&held.records.bundle())?;
        let has_directory = held.entry.directory.is_some();
        match (prefer, bundle) {
            (Source::Directory, _) | (Source::Bundle, None) if has_directory => {
                let root = self.repository.root().to_owned();
                Ok((Source::Directory, root, self.repository.directory(&held.name)))
            }
            (_, Some(bundle)) => Ok((Source::Bundle, bundle.files(), bundle.root_module())),
            (_, None) => Err(RunError::NoSource(held.name.clone())),
        }
    }

    /// Starts the provider and makes the root module ready for Terraform.
    pub(crate) fn ready(
        &mut self,
        held: &Held,
        hosting: &LocalHosting,
        (source, root, root_module): (Source, PathBuf, PathBuf),
    ) -> Result<Ready, RunError> {
        file::create_private_directory(&held.records.runs())?;
        file::create_private_directory(&held.records.plan())?;
        let served = hosting.serve(&held.records.runs().join("provider.log"))?;
        let workdir = Workdir {
            directory: root_module.clone(),
            data_directory: held.records.data(),
            runs_directory: held.records.runs(),
            environment: self.variables.clone(),
            reattach_providers: Some(served.reattach.clone()),
            workspace: None,
            journal: Some(Journal::new(held.journal.clone())),
        };
        self.rescue(held, &workdir)?;
        Ok(Ready { source, root, root_module, workdir, _served: served })
    }

    /// Takes back a state that an earlier Terraform could not write, before another one goes on without it.
    fn rescue(&mut self, held: &Held, workdir: &Workdir) -> Result<(), RunError> {
        let name = &held.name;
        // Where there is none, no process is started.
        let rescued = self.terraform(name, "state push", |terraform, events, cancel| {
            let options = RescueOptions { lock: plan::lock(), ..RescueOptions::default() };
            workdir.rescue(terraform, &plan::init_options(held), &options, events, cancel)
        })?;
        for Rescue { file, outcome } in rescued {
            self.note(&if outcome.is_safe() {
                "an earlier run could not write the state: going on from the one that Terraform kept".to_owned()
            } else {
                format!(
                    "an earlier run could not write a state, which does not follow the one that there is: look into `{}`",
                    file.display()
                )
            });
        }
        Ok(())
    }

    /// Runs a command of Terraform, tells what happens, and turns any other ending than the one hoped for into an error.
    pub(crate) fn terraform<T>(
        &mut self,
        name: &EnvName,
        command: &'static str,
        run: impl FnOnce(
            &Terraform,
            &mut dyn FnMut(Notice<'_>),
            &Cancel,
        ) -> Result<Ended<T>, menagerie_terraform::RunError>,
    ) -> Result<T, RunError> {
        let observer = &mut *self.observer;
        let mut notices = |notice: Notice<'_>| match notice {
            Notice::Event(event) => observer(Progress::Event(event)),
            Notice::AtRisk => observer(Progress::AtRisk),
            _ => {}
        };
        let ended = run(self.terraform, &mut notices, &self.cancel);
        let name = name.clone();
        match ended.map_err(|source| RunError::Terraform { name: name.clone(), command, source })? {
            Ended::Done(value) => Ok(value),
            Ended::Failed(failure) => {
                let mut diagnostics = failure.to_string();
                let runs = self.repository.home().environment(&name).runs();
                if file::is_nearly_full(&runs) {
                    // What Terraform says is on that disk too, and perhaps cut short before the reason.
                    let _ =
                        write!(diagnostics, "\nno space left on device for `{}`", runs.display());
                }
                Err(RunError::Failed { name, command, diagnostics })
            }
            Ended::NeedsInit(reason) => {
                Err(RunError::Failed { name, command, diagnostics: reason })
            }
            Ended::Cancelled { .. } => Err(RunError::Interrupted { name, during: during(command) }),
            Ended::TimedOut { .. } => Err(RunError::TimedOut { name, command }),
            Ended::Locked(lock) => Err(RunError::StateLocked { name, holder: lock.to_string() }),
            Ended::Stale => Err(RunError::Stale(name)),
        }
    }

    pub(crate) fn step(&mut self, name: &EnvName, step: Step) {
        (self.observer)(Progress::Step { name, step });
    }

    pub(crate) fn note(&mut self, text: &str) {
        (self.observer)(Progress::Note(text));
    }

    pub(crate) fn check_interrupt(
        &self,
        name: &EnvName,
        during: &'static str,
    ) -> Result<(), RunError> {
        if self.cancel.count() > 0 {
            return Err(RunError::Interrupted { name: name.clone(), during });
        }
        Ok(())
    }
}

fn during(command: &str) -> &'static str {
    match command {
        "apply" => "the apply",
        "destroy" => "the destroy",
        _ => "the plan",
    }
}

impl Held {
    /// Refuses to change what is on its way out.
    pub(crate) fn check_wanted(&self) -> Result<(), RunError> {
        match self.entry.phase {
            Phase::Wanted | Phase::Deployed => Ok(()),
            Phase::Destroying | Phase::DestroyFailed | Phase::Gone => {
                Err(RunError::Ending(self.name.clone()))
            }
        }
    }
}
