//! [`Stage`]: a root module in its scratch copy, the stand-in that serves it, and what Terraform does with both.

use super::scratch::Scratch;
use super::{RehearsalError, STAND_IN, guard};
use crate::file;
use crate::hosting::{Served, serve};
use crate::session::{Progress, Session};
use menagerie_plan::{Diagnostic, Event, Plan, StateFile, Summary};
use menagerie_terraform::{
    ApplyOptions, Cancel, DestroyOptions, Ended, InitOptions, LockOptions, Notice, PlanOptions,
    Terraform, Workdir,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// What a rehearsed Terraform gets of the user's variables: no credentials, and nothing that says where some are.
const PASSED: &[&str] = &[
    "CHECKPOINT_DISABLE",
    "LANG",
    "LC_ALL",
    "PATH",
    "TF_INPUT",
    "TF_IN_AUTOMATION",
    "TMPDIR",
    "TZ",
];

/// What the stand-in answers for data sources, beside the tree that asks.
const FIXTURES: &str = "tf/rehearsal.fixtures.json";

/// A root module that is ready to be rehearsed.
pub(super) struct Stage {
    workdir: Workdir,
    root_module: String,
    directories: BTreeSet<String>,
    init: InitOptions,
    variables: PathBuf,
    plan: PathBuf,
    state: PathBuf,
    image: String,
    _served: Served,
}

impl Stage {
    /// Looks into a root module, refuses what can't be rehearsed, and starts the stand-in.
    pub(super) fn set(
        session: &Session<'_>,
        scratch: &Scratch,
        root_module: &str,
        image: Option<&str>,
        faults: &[String],
    ) -> Result<Self, RehearsalError> {
        let look = guard::look(&scratch.tree(), root_module)?;
        if !look.findings.is_empty() {
            return Err(RehearsalError::Refused(look.findings));
        }
        scratch.take_over(root_module)?;
        let image = image.unwrap_or(STAND_IN).to_owned();
        let variables = scratch.part("variables.tfvars.json");
        let text = serde_json::json!({ "image": image }).to_string();
        file::write_private(&variables, text.as_bytes())?;
        let mut arguments: Vec<OsString> =
            vec!["rehearse".into(), "--dir".into(), scratch.part("world").into()];
        let fixtures = scratch.tree().join(FIXTURES);
        if fixtures.is_file() {
            arguments.extend(["--fixtures".into(), fixtures.into()]);
        }
        for fault in faults {
            // One word, so that none can be taken for an option.
            arguments.push(format!("--fault={fault}").into());
        }
        let served =
            serve(&session.provider, "rehearse", &arguments, &scratch.part("runs/double.log"))?;
        let workdir = Workdir {
            directory: scratch.tree().join(root_module),
            data_directory: scratch.part("data"),
            runs_directory: scratch.part("runs"),
            environment: environment(&session.variables, scratch),
            reattach_providers: Some(served.reattach.clone()),
            workspace: None,
            journal: Some(scratch.journal()),
        };
        let init = InitOptions {
            backend_config: vec![format!("path={}", scratch.state().display()).into()],
            reconfigure: true,
            // Nothing is in there: what is not served can be neither fetched nor run.
            plugin_directories: vec![scratch.part("plugins")],
            ..InitOptions::default()
        };
        Ok(Self {
            workdir,
            root_module: root_module.to_owned(),
            directories: look.directories,
            init,
            variables,
            plan: scratch.part("plan.tfplan"),
            state: scratch.state(),
            image,
            _served: served,
        })
    }

    /// Returns the image that the root module is given.
    pub(super) fn image(&self) -> &str {
        &self.image
    }

    /// Returns the directories of the root module and of all that it calls, as seen from the top of the work tree.
    pub(super) fn directories(&self) -> &BTreeSet<String> {
        &self.directories
    }

    /// Plans, and returns the plan as Terraform prints it.
    pub(super) fn plan_json(
        &mut self,
        session: &mut Session<'_>,
    ) -> Result<Vec<u8>, RehearsalError> {
        self.make_plan(session)?;
        let file = self.plan.clone();
        self.run(session, "plan", |workdir, _, terraform, notices, cancel| {
            workdir.show_plan_json(terraform, &file, notices, cancel)
        })
    }

    /// Plans, and reads the plan.
    pub(super) fn plan(&mut self, session: &mut Session<'_>) -> Result<Summary, RehearsalError> {
        if !self.make_plan(session)? {
            return Ok(Summary::of(&Plan::default()));
        }
        let file = self.plan.clone();
        let plan = self.run(session, "plan", |workdir, _, terraform, notices, cancel| {
            workdir.show_plan(terraform, &file, notices, cancel)
        })?;
        Ok(Summary::of(&plan))
    }

    /// Plans; returns whether there is something to do.
    fn make_plan(&mut self, session: &mut Session<'_>) -> Result<bool, RehearsalError> {
        let options = PlanOptions {
            out: Some(self.plan.clone()),
            variable_files: vec![self.variables.clone()],
            lock: lock(),
            ..PlanOptions::default()
        };
        let done = self.run(session, "plan", |workdir, init, terraform, notices, cancel| {
            workdir.plan_with_init(terraform, init, &options, notices, cancel)
        })?;
        Ok(done.changes)
    }

    /// Applies the plan that was made last.
    pub(super) fn apply(&mut self, session: &mut Session<'_>) -> Result<(), RehearsalError> {
        let options = ApplyOptions { lock: lock(), ..ApplyOptions::new(self.plan.clone()) };
        self.run(session, "apply", |workdir, _, terraform, notices, cancel| {
            workdir.apply(terraform, &options, notices, cancel)
        })?;
        Ok(())
    }

    pub(super) fn destroy(&mut self, session: &mut Session<'_>) -> Result<(), RehearsalError> {
        let options = DestroyOptions {
            variable_files: vec![self.variables.clone()],
            lock: lock(),
            ..DestroyOptions::default()
        };
        self.run(session, "destroy", |workdir, init, terraform, notices, cancel| {
            workdir.destroy_with_init(terraform, init, &options, notices, cancel)
        })?;
        Ok(())
    }

    /// Returns the addresses that the state holds.
    pub(super) fn left(&self) -> Result<Vec<String>, RehearsalError> {
        let Some(text) = file::read_if_present(&self.state)? else { return Ok(Vec::new()) };
        match StateFile::from_json(text.as_bytes()) {
            Ok(state) => Ok(state.managed()),
            // What can't be read is not nothing.
            Err(error) => Ok(vec![format!("a state that can't be read: {error}")]),
        }
    }

    fn run<T>(
        &mut self,
        session: &mut Session<'_>,
        step: &'static str,
        run: impl FnOnce(
            &Workdir,
            &InitOptions,
            &Terraform,
            &mut dyn FnMut(Notice<'_>),
            &Cancel,
        ) -> Result<Ended<T>, menagerie_terraform::RunError>,
    ) -> Result<T, RehearsalError> {
        let (observer, root_module) = (&mut *session.observer, self.root_module.clone());
        let mut notices = |notice: Notice<'_>| match notice {
            Notice::Event(Event::Diagnostic(diagnostic)) => {
                let mut placed = diagnostic.clone();
                place(&mut placed, &root_module);
                observer(Progress::Event(&Event::Diagnostic(placed)));
            }
            Notice::Event(event) => observer(Progress::Event(event)),
            _ => {}
        };
        let ended =
            run(&self.workdir, &self.init, session.terraform, &mut notices, &session.cancel)
                .map_err(|source| RehearsalError::Terraform { command: step, source })?;
        match ended {
            Ended::Done(value) => Ok(value),
            Ended::Cancelled { .. } => Err(RehearsalError::Interrupted),
            Ended::Failed(mut failure) => {
                for diagnostic in &mut failure.diagnostics {
                    place(diagnostic, &self.root_module);
                }
                let hint = failure.diagnostics.iter().find_map(hint);
                Err(RehearsalError::Failed { step, diagnostics: failure.to_string(), hint })
            }
            other => {
                Err(RehearsalError::Failed { step, diagnostics: other.to_string(), hint: None })
            }
        }
    }
}

/// Nobody else uses the state; a Terraform on its way out may.
fn lock() -> LockOptions {
    LockOptions::Wait(Duration::from_secs(5))
}

/// Returns what a rehearsed Terraform gets: what it needs to run, and a home that is empty.
fn environment(
    all: &BTreeMap<OsString, OsString>,
    scratch: &Scratch,
) -> BTreeMap<OsString, OsString> {
    let passes = |name: &OsString| name.to_str().is_some_and(|name| PASSED.contains(&name));
    let mut kept: BTreeMap<OsString, OsString> = all
        .iter()
        .filter(|(name, _)| passes(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    kept.insert("HOME".into(), scratch.part("home").into());
    kept.insert("TF_CLI_CONFIG_FILE".into(), scratch.part("terraform.rc").into());
    kept
}

/// Gives a diagnostic the place in the work tree of what it is about in the scratch copy.
fn place(diagnostic: &mut Diagnostic, root_module: &str) {
    let Some(range) = &mut diagnostic.range else { return };
    let mut placed = PathBuf::new();
    for component in Path::new(root_module).join(&range.filename).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                placed.pop();
            }
            other => placed.push(other),
        }
    }
    range.filename = placed.to_string_lossy().into_owned();
}

/// Returns the way out of an error that is about the stand-in rather than about the configuration.
fn hint(diagnostic: &Diagnostic) -> Option<String> {
    let is_unknown =
        ["Invalid resource type", "Invalid data source"].contains(&diagnostic.summary.as_str());
    is_unknown.then(|| {
        "where the provider has it and the rehearsal's schema does not, `cargo xtask schema update` adds it; docs/rehearsal.md says how".to_owned()
    })
}
