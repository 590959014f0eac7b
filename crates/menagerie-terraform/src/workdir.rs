//! [`Workdir`]: a root module and where its runs keep their things; one method a command.

mod configuration;
mod providers;
mod state;
mod workspace;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use menagerie_plan::{Operation, Output, ParseError, Plan, State, Validation};

use crate::arguments::{
    ApplyOptions, DestroyOptions, InitOptions, Limits, PlanOptions, apply_arguments,
    destroy_arguments, init_arguments, output_arguments, plan_arguments, show_arguments,
    validate_arguments,
};
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::{ApplyDone, Ended, Failure, PlanDone, classify};
use crate::execute::{Finished, Invocation, Notice, Prints, RunError, execute};
use crate::files::{create_directory, file_error, unique_name};
use crate::gate;
use crate::initialise;
use crate::journal::Journal;

pub use configuration::Formatted;
pub use state::StateSnapshot;
pub use workspace::Workspaces;

/// A root module, and where its runs keep their things. Two of them never share a data directory.
#[derive(Debug, Clone)]
pub struct Workdir {
    /// The root module.
    pub directory: PathBuf,
    /// Terraform's `TF_DATA_DIR`: what `init` resolved.
    pub data_directory: PathBuf,
    /// What the runs print; made where it is missing.
    pub runs_directory: PathBuf,
    /// The environment variables, from [`crate::closed_environment`].
    pub environment: BTreeMap<OsString, OsString>,
    /// The value of `TF_REATTACH_PROVIDERS`, where providers run already.
    pub reattach_providers: Option<String>,
    /// The workspace of each run, by `TF_WORKSPACE`; where this is `None`, the one that the data directory has selected.
    pub workspace: Option<String>,
    /// Where runs are written down.
    pub journal: Option<Journal>,
}

impl Workdir {
    /// Uses a root module, with all that its runs keep below `scratch`, which is made where it is missing.
    pub fn new(
        directory: impl Into<PathBuf>,
        scratch: &Path,
        environment: BTreeMap<OsString, OsString>,
    ) -> Self {
        Self {
            directory: directory.into(),
            data_directory: scratch.join("data"),
            runs_directory: scratch.join("runs"),
            environment,
            reattach_providers: None,
            workspace: None,
            journal: None,
        }
    }

    /// Returns what an apply would do: runs `init` if it is needed, `plan` and `show`, as often as [`Workdir::plan_with_init`]
    /// does. A plan that the options give no place for is removed again.
    pub fn preview(
        &self,
        terraform: &Terraform,
        init: &InitOptions,
        options: &PlanOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Plan>, RunError> {
        let Some(out) = &options.out else {
            create_directory(&self.runs_directory)?;
            let out = self.runs_directory.join(unique_name() + "-preview.tfplan");
            let options = PlanOptions { out: Some(out.clone()), ..options.clone() };
            let plan = self.preview(terraform, init, &options, notices, cancel);
            remove_if_present(&out)?;
            return plan;
        };
        self.plan_with_init(terraform, init, options, notices, cancel)?
            .and_then(|_| self.show_plan(terraform, out, notices, cancel))
    }

    /// Runs `init`.
    pub fn init(
        &self,
        terraform: &Terraform,
        options: &InitOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let invocation = Invocation::reading(
            "init",
            init_arguments(options),
            Prints::Events(None),
            options.limits,
        );
        let ended = execute(self, terraform, &invocation, notices, cancel)?;
        if let Ended::Done(_) = &ended {
            initialise::remember(self, terraform, options)?;
        }
        Ok(ended.map(drop))
    }

    /// Runs `init` if anything that it depends on has changed since the last time.
    pub fn init_if_needed(
        &self,
        terraform: &Terraform,
        options: &InitOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        if !options.upgrade && initialise::is_done(self, terraform, options)? {
            return Ok(Ended::Done(()));
        }
        self.init(terraform, options, notices, cancel)
    }

    /// Runs `validate`. An invalid configuration is an answer: see [`Validation::valid`].
    pub fn validate(
        &self,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Validation>, RunError> {
        let mut invocation = Invocation::reading(
            "validate",
            validate_arguments(),
            Prints::Document,
            Limits::default(),
        );
        invocation.good = &[0, 1];
        let ended = execute(self, terraform, &invocation, notices, cancel)?;
        ended.and_then(|finished| match Validation::from_json(&finished.document) {
            // It says in the same way that the configuration is wrong and that it could not be read yet.
            Ok(validation) if !validation.valid => Ok(classify_validation(finished, validation)),
            Ok(validation) => Ok(Ended::Done(validation)),
            // Some errors are printed as text (hashicorp/terraform#38400).
            Err(_) if finished.exit_code() != Some(0) => {
                let text = String::from_utf8_lossy(&finished.document).into_owned();
                let failure = finished.failure();
                let stderr = text + &failure.stderr;
                Ok(classify("validate", Failure { stderr, ..failure }))
            }
            Err(source) => Err(RunError::Parse { command: "validate", source }),
        })
    }

    /// Runs `plan`. A plan that is written holds variables in clear: only its owner may read it. One that failed is removed.
    pub fn plan(
        &self,
        terraform: &Terraform,
        options: &PlanOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<PlanDone>, RunError> {
        gate::EXCLUDE.check(!options.excludes.is_empty(), terraform, "plan")?;
        let mut invocation = Invocation::reading(
            "plan",
            plan_arguments(options),
            Prints::Events(Some(Operation::Plan)),
            options.limits,
        );
        invocation.good = &[0, 2];
        let out = options.out.as_ref().map(|out| self.directory.join(out));
        if let Some(out) = &out {
            create_private(out)?;
        }
        let ended = execute(self, terraform, &invocation, notices, cancel);
        match (&ended, out) {
            (Ok(Ended::Done(_)), _) | (_, None) => {}
            // Terraform writes a plan that failed half-way too (hashicorp/terraform#33368).
            (_, Some(out)) => remove_if_present(&out)?,
        }
        Ok(ended?.map(|finished| PlanDone { changes: finished.exit_code() == Some(2) }))
    }

    /// Runs `init` if it is needed, then `plan`; where `plan` finds that `init` was needed all the same, both once more.
    pub fn plan_with_init(
        &self,
        terraform: &Terraform,
        init: &InitOptions,
        options: &PlanOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<PlanDone>, RunError> {
        self.with_init(terraform, init, notices, cancel, |notices| {
            self.plan(terraform, options, notices, cancel)
        })
    }

    /// Runs `show` of a saved plan. Its output holds sensitive values in clear, and goes to a file without a name.
    pub fn show_plan(
        &self,
        terraform: &Terraform,
        plan: &Path,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Plan>, RunError> {
        let ended =
            self.read_secret("show", show_arguments(Some(plan)), terraform, notices, cancel)?;
        parsed("show", ended, Plan::from_json)
    }

    /// Runs `show` of a saved plan, and returns what it prints: all that there is to know of the plan, sensitive values in
    /// clear among it.
    pub fn show_plan_json(
        &self,
        terraform: &Terraform,
        plan: &Path,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Vec<u8>>, RunError> {
        let ended =
            self.read_secret("show", show_arguments(Some(plan)), terraform, notices, cancel)?;
        // What is no plan is told here, not by whoever is given it.
        parsed("show", ended, |json| Plan::from_json(json).map(|_| json.to_vec()))
    }

    /// Runs `show` of the state. Its output holds sensitive values in clear, and goes to a file without a name.
    pub fn show_state(
        &self,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<State>, RunError> {
        let ended = self.read_secret("show", show_arguments(None), terraform, notices, cancel)?;
        parsed("show", ended, State::from_json)
    }

    /// Runs `apply` of a saved plan. An interrupt lets it finish what is in flight, however long that takes: see [`Limits`].
    pub fn apply(
        &self,
        terraform: &Terraform,
        options: &ApplyOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<ApplyDone>, RunError> {
        let invocation = Invocation::changing(
            "apply",
            apply_arguments(options),
            Prints::Events(Some(Operation::Apply)),
            options.limits,
        );
        let ended = execute(self, terraform, &invocation, notices, cancel)?;
        Ok(ended.map(|finished| ApplyDone { outputs: finished.outputs() }))
    }

    /// Runs `destroy`, and asks nobody. An interrupt lets it finish what is in flight, however long that takes: see [`Limits`].
    pub fn destroy(
        &self,
        terraform: &Terraform,
        options: &DestroyOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let invocation = Invocation::changing(
            "destroy",
            destroy_arguments(options),
            Prints::Events(Some(Operation::Destroy)),
            options.limits,
        );
        Ok(execute(self, terraform, &invocation, notices, cancel)?.map(drop))
    }

    /// Runs `init` if it is needed, then `destroy`; where `destroy` finds that `init` was needed all the same, both once more.
    pub fn destroy_with_init(
        &self,
        terraform: &Terraform,
        init: &InitOptions,
        options: &DestroyOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        self.with_init(terraform, init, notices, cancel, |notices| {
            self.destroy(terraform, options, notices, cancel)
        })
    }

    /// Runs `output`: the way to the value of a sensitive one. What it prints goes to a file without a name.
    pub fn output(
        &self,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<BTreeMap<String, Output>>, RunError> {
        let ended =
            self.read_secret("output", output_arguments(None), terraform, notices, cancel)?;
        parsed("output", ended, |json| {
            serde_json::from_slice(json)
                .map_err(|source| ParseError::Json { document: "output", source })
        })
    }

    fn read_secret(
        &self,
        command: &'static str,
        arguments: Vec<OsString>,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Finished>, RunError> {
        let invocation = Invocation::reading(command, arguments, Prints::Secret, Limits::default());
        execute(self, terraform, &invocation, notices, cancel)
    }

    pub(crate) fn with_init<T>(
        &self,
        terraform: &Terraform,
        init: &InitOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
        mut command: impl FnMut(&mut dyn FnMut(Notice<'_>)) -> Result<Ended<T>, RunError>,
    ) -> Result<Ended<T>, RunError> {
        self.init_if_needed(terraform, init, notices, cancel)?.and_then(|()| {
            match command(notices)? {
                Ended::NeedsInit(_) => {
                    self.init(terraform, init, notices, cancel)?.and_then(|()| command(notices))
                }
                ended => Ok(ended),
            }
        })
    }

    /// Returns the variables of a run, with the ones that only we set, and with some of that run only.
    pub(crate) fn full_environment(
        &self,
        changes: &[(&'static str, Option<OsString>)],
    ) -> BTreeMap<OsString, OsString> {
        let mut environment = self.environment.clone();
        environment.insert("TF_DATA_DIR".into(), self.data_directory.clone().into());
        let ours = [
            ("TF_REATTACH_PROVIDERS", &self.reattach_providers),
            ("TF_WORKSPACE", &self.workspace),
        ];
        for (name, value) in ours {
            environment.extend(value.as_ref().map(|value| (name.into(), value.into())));
        }
        for (name, value) in changes {
            environment.remove(OsStr::new(name));
            environment.extend(value.clone().map(|value| (name.into(), value)));
        }
        environment
    }
}

/// Terraform keeps the mode of a file that is there, and would make one that everybody may read.
fn create_private(path: &Path) -> Result<(), RunError> {
    // Only a new file is given a mode.
    remove_if_present(path)?;
    let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    created.map(drop).map_err(|source| file_error("create", path, source))
}

fn remove_if_present(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(file_error("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Tells a configuration that is wrong from one that `init` has not been run for.
fn classify_validation(finished: Finished, validation: Validation) -> Ended<Validation> {
    let failure = Failure { diagnostics: validation.diagnostics.clone(), ..finished.failure() };
    match classify::<Validation>("validate", failure) {
        Ended::NeedsInit(reason) => Ended::NeedsInit(reason),
        _ => Ended::Done(validation),
    }
}

fn parsed<T>(
    command: &'static str,
    ended: Ended<Finished>,
    parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
) -> Result<Ended<T>, RunError> {
    ended.and_then(|finished| match parse(&finished.document) {
        Ok(value) => Ok(Ended::Done(value)),
        Err(source) => Err(RunError::Parse { command, source }),
    })
}
