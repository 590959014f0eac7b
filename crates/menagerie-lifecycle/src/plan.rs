//! `env plan`: what an apply would do, shown and kept for it.

use crate::bundle::{self, Contents};
use crate::file::{self, Context as _};
use crate::hosting::LocalHosting;
use crate::image;
use crate::inventory;
use crate::run::RunError;
use crate::saved_plan::SavedPlan;
use crate::session::{Held, Ready, Session, Source, Step};
use jiff::Timestamp;
use menagerie_config::Environment;
use menagerie_naming::EnvName;
use menagerie_plan::{Digest, Plan, Summary, digest};
use menagerie_terraform::{InitOptions, LockOptions, PlanOptions};
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A plan that was made.
#[derive(Debug)]
pub struct Planned {
    /// What tells it from any other plan.
    pub digest: Digest,
    /// What it would do; empty where there is nothing to do.
    pub summary: Summary,
    /// Where the root module came from.
    pub source: Source,
}

/// A plan and the root module that it was made in, ready for the apply.
pub(crate) struct Made {
    pub(crate) planned: Planned,
    pub(crate) inputs: String,
}

/// A plan as Terraform prints it in JSON, for whoever judges it.
pub struct PlanDocument {
    /// The directory of its root module, relative to the repository.
    pub root_module: String,
    /// What the environment is meant to be; none where the environment is never made.
    pub environment: Option<Environment>,
    /// Whether it was made over a stand-in, and is no plan of what exists.
    pub is_rehearsal: bool,
    /// The files of the root module, with their paths in it, where the work tree does not have it.
    pub files: Vec<(String, String)>,
    /// The plan. Sensitive values stand in it in clear.
    pub json: Vec<u8>,
}

impl fmt::Debug for PlanDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PlanDocument")
            .field("root_module", &self.root_module)
            .field("is_rehearsal", &self.is_rehearsal)
            .finish_non_exhaustive()
    }
}

/// Plans an environment of this machine, and returns the plan. One that was shown before and waits for its apply stays as it is.
pub fn plan_document(session: &mut Session<'_>, name: &EnvName) -> Result<PlanDocument, RunError> {
    let entry = inventory::find(session.repository, name, Timestamp::now())?;
    entry.check_here()?;
    let directory = entry.directory.ok_or_else(|| RunError::NoSource(name.clone()))?;
    let environment = Environment::read(&directory.join("env.toml"))?;
    let held = session.hold(name, "a plan to be judged")?;
    held.check_wanted()?;
    let ready = prepare(session, &held)?;
    session.check_interrupt(name, "the plan")?;
    session.step(name, Step::Plan);
    let file = held.records.plan().join("judged.tfplan");
    let options = PlanOptions { out: Some(file.clone()), ..plan_options(&held) };
    let init = init_options(&held);
    let shown = session
        .terraform(name, "plan", |terraform, events, cancel| {
            ready.workdir.plan_with_init(terraform, &init, &options, events, cancel)
        })
        .and_then(|_| {
            session.terraform(name, "show", |terraform, events, cancel| {
                ready.workdir.show_plan_json(terraform, &file, events, cancel)
            })
        });
    file::remove_file_if_present(&file)?;
    Ok(PlanDocument {
        root_module: format!("tf/envs/{name}"),
        environment: Some(environment),
        is_rehearsal: false,
        files: Vec::new(),
        json: shown?,
    })
}

/// Plans an environment, and keeps the plan for `apply` where it has something to do.
pub fn plan(session: &mut Session<'_>, name: &EnvName) -> Result<Planned, RunError> {
    inventory::find(session.repository, name, Timestamp::now())?.check_here()?;
    let held = session.hold(name, "a plan")?;
    held.check_wanted()?;
    let ready = prepare(session, &held)?;
    let made = make(session, &held, &ready)?;
    if made.planned.summary.is_empty() {
        SavedPlan::forget(&held.records)?;
    } else {
        SavedPlan::new(made.planned.digest, made.inputs, made.planned.summary.clone())
            .write(&held.records)?;
    }
    Ok(made.planned)
}

/// Builds what the root module needs, writes its variables, and starts the provider.
pub(crate) fn prepare(session: &mut Session<'_>, held: &Held) -> Result<Ready, RunError> {
    // Said before anything is built for it: Terraform's word for a state that is damaged is that its lock can't be had.
    inventory::state(session.repository, &held.name)?;
    let source = session.source(held, Source::Directory)?;
    let hosting = LocalHosting::install(&session.provider, &held.records.local())?;
    match source.0 {
        Source::Directory => {
            let environment = Environment::read(&source.2.join("env.toml"))?;
            file::write_private(&held.records.intent(), environment.to_toml().as_bytes())?;
            let hosting = environment.hosting;
            if hosting.is_cloud() {
                return Err(RunError::Remote { name: held.name.clone(), hosting });
            }
            let image = local_image(session, held)?;
            write_variables(held, &image)?;
        }
        Source::Bundle => {
            session.note(&format!(
                "`tf/envs/{}` is not in this checkout: using the bundle of its last apply",
                held.name
            ));
            let from = bundle::Bundle::open(&held.records.bundle())?
                .ok_or_else(|| RunError::NoSource(held.name.clone()))?
                .variables();
            let text = fs::read(&from).during("read", &from)?;
            file::write_private(&held.records.variables(), &text)?;
        }
    }
    session.ready(held, &hosting, source)
}

/// Builds the application as `menagerie.toml` says, and takes a copy of it.
fn local_image(session: &mut Session<'_>, held: &Held) -> Result<PathBuf, RunError> {
    let project = session.repository.project()?;
    let run = project.application.run()?;
    let root = session.repository.root().to_owned();
    if let Some(build) = &project.application.build {
        session.step(&held.name, Step::Build);
        image::build(&root, build, &session.cancel)?;
    }
    session.check_interrupt(&held.name, "the build")?;
    Ok(image::store(&root, run, &held.records.images())?)
}

fn write_variables(held: &Held, image: &std::path::Path) -> Result<(), RunError> {
    let variables = serde_json::json!({ "image": image });
    let text = serde_json::to_vec_pretty(&variables).expect("a path of ours is text");
    Ok(file::write_private(&held.records.variables(), &text)?)
}

/// Plans, and reads the plan.
pub(crate) fn make(
    session: &mut Session<'_>,
    held: &Held,
    ready: &Ready,
) -> Result<Made, RunError> {
    let file = SavedPlan::path(&held.records);
    SavedPlan::detach(&held.records)?;
    session.check_interrupt(&held.name, "the plan")?;
    session.step(&held.name, Step::Plan);
    let options = PlanOptions { out: Some(file.clone()), ..plan_options(held) };
    let init = init_options(held);
    let done = session.terraform(&held.name, "plan", |terraform, events, cancel| {
        ready.workdir.plan_with_init(terraform, &init, &options, events, cancel)
    })?;
    let plan = if done.changes {
        session.terraform(&held.name, "show", |terraform, events, cancel| {
            ready.workdir.show_plan(terraform, &file, events, cancel)
        })?
    } else {
        Plan::default()
    };
    let summary = Summary::of(&plan);
    let planned = Planned { digest: digest(&plan), summary, source: ready.source };
    let inputs = bundle::fingerprint(&contents(session, held, ready))?;
    Ok(Made { planned, inputs })
}

fn plan_options(held: &Held) -> PlanOptions {
    PlanOptions {
        variable_files: vec![held.records.variables()],
        lock: lock(),
        ..PlanOptions::default()
    }
}

/// Returns what the root module and its variables are.
pub(crate) fn contents(session: &Session<'_>, held: &Held, ready: &Ready) -> Contents {
    Contents {
        root: ready.root.clone(),
        root_module: ready.root_module.clone(),
        data: held.records.data(),
        variables: held.records.variables(),
        terraform: session.terraform.version().to_string(),
    }
}

pub(crate) fn init_options(held: &Held) -> InitOptions {
    let path = format!("path={}", held.records.state().display());
    InitOptions { backend_config: vec![path.into()], reconfigure: true, ..InitOptions::default() }
}

/// The environment is held, so whoever has the state's lock is a Terraform on its way out.
pub(crate) fn lock() -> LockOptions {
    LockOptions::Wait(Duration::from_secs(20))
}
