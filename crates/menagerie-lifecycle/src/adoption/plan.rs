//! Writes the blocks and plans, in the checkout or, for a rehearsal, in a copy of the tree.

use super::{AdoptOptions, Adopted, Adoption, AdoptionError, Generated, ROOT, list};
use crate::file::{self, Context as _};
use crate::hosting::{Served, serve};
use crate::lock::{Lock, LockError};
use crate::session::{Progress, Session};
use crate::tree_tests::{copy_tree, placed};
use jiff::Timestamp;
use menagerie_plan::{Severity, Summary};
use menagerie_terraform::{
    Ended, Failure, InitOptions, LockOptions, Notice, PlanOptions, Terraform, Workdir,
};
use std::fs;
use std::path::{Path, PathBuf};

const IMPORTS: &str = "imports.tf";
const GENERATED: &str = "generated.tf";
const FIXTURES: &str = "tf/rehearsal.fixtures.json";

/// In the place of the root's own backend: a rehearsed state is nobody else's.
const OVERRIDE: &str = "terraform {\n  backend \"local\" {}\n}\n";

/// Where it is planned.
struct Place {
    root: PathBuf,
    workdir: Workdir,
    init: InitOptions,
    rehearsal: Option<Rehearsal>,
}

/// What a rehearsal holds until it is over.
struct Rehearsal {
    directory: PathBuf,
    _served: Served,
    _lock: Lock,
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        // What is left is removed by the next one.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Writes the `import` blocks, has Terraform write what configuration is missing, and plans.
pub fn adopt(
    session: &mut Session<'_>,
    adoption: &Adoption,
    options: &AdoptOptions,
) -> Result<Adopted, AdoptionError> {
    let checkout = session.repository.root().join(ROOT);
    let is_root = file::list(&checkout)?
        .iter()
        .any(|name| Path::new(name).extension().is_some_and(|extension| extension == "tf"));
    if !is_root {
        return Err(AdoptionError::NoRoot);
    }
    if let Some(text) = file::read_if_present(&checkout.join(IMPORTS))?
        && !text.starts_with(list::MADE)
    {
        return Err(AdoptionError::NotOurs(format!("{ROOT}/{IMPORTS}")));
    }
    let place =
        if options.is_rehearsal { rehearsal(session, options)? } else { real(session, options) };
    let imports = place.root.join(IMPORTS);
    fs::write(&imports, list::blocks(&adoption.imports)).during("write", &imports)?;
    if place.rehearsal.is_none() {
        (session.observer)(Progress::Note(&format!("wrote `{ROOT}/{IMPORTS}`")));
    }
    let generated = place.root.join(GENERATED);
    // What a run before this one had Terraform write is in somebody's hands now.
    let is_new = !generated.exists();
    let planned = plan(session, &place, options, is_new);
    let generated = (is_new && generated.exists()).then_some(generated);
    let summary = planned.map_err(|error| match error {
        AdoptionError::Failed { command, diagnostics, .. } => {
            AdoptionError::Failed { command, diagnostics, is_generated: generated.is_some() }
        }
        other => other,
    })?;
    let generated = match (generated, &place.rehearsal) {
        (None, _) => None,
        (Some(path), None) => Some(Generated::File(path)),
        (Some(path), Some(_)) => {
            Some(Generated::Text(fs::read_to_string(&path).during("read", &path)?))
        }
    };
    Ok(Adopted { wanted: adoption.len(), summary, generated })
}

/// The root in the checkout, with its own backend and the user's credentials.
fn real(session: &Session<'_>, options: &AdoptOptions) -> Place {
    let root = session.repository.root().join(ROOT);
    let scratch = session.repository.home().directory().join("production");
    let workdir = Workdir::new(&root, &scratch, session.variables.clone());
    let backend_config = options.backend_config.clone();
    let init = InitOptions { backend_config, ..InitOptions::default() };
    Place { root, workdir, init, rehearsal: None }
}

/// A copy of the root with a backend of its own, over a stand-in, without credentials.
fn rehearsal(session: &Session<'_>, options: &AdoptOptions) -> Result<Place, AdoptionError> {
    let home = session.repository.home().directory();
    let holder = format!("pid {}, since {:.0}", std::process::id(), Timestamp::now());
    let lock = Lock::take(&home.join("import.lock"), &holder)?;
    let directory = home.join("import");
    file::remove_directory_if_present(&directory)?;
    copy_tree(&session.repository.root().join("tf"), &directory.join("tf"))?;
    let part = |name: &str| directory.join(name);
    for name in ["world", "runs", "plugins"] {
        file::create_private_directory(&part(name))?;
    }
    let root = part(ROOT);
    let path = root.join("zz_override.tf");
    fs::write(&path, OVERRIDE).during("write", &path)?;
    let mut arguments = vec!["rehearse".into(), "--dir".into(), part("world").into()];
    let fixtures = options.fixtures.clone().unwrap_or_else(|| part(FIXTURES));
    if options.fixtures.is_some() || fixtures.exists() {
        arguments.extend(["--fixtures".into(), fixtures.into()]);
    }
    let served = serve(&session.provider, "rehearse", &arguments, &part("runs/rehearsal.log"))?;
    let mut workdir = Workdir::new(&root, &directory, session.variables.clone());
    let is_credential = |name: &str| name.starts_with("AWS_") || name.starts_with("PG");
    workdir.environment.retain(|name, _| !name.to_str().is_some_and(is_credential));
    workdir.reattach_providers = Some(served.reattach.clone());
    // Nothing is in there: what is not served can be neither fetched nor run.
    let init = InitOptions { plugin_directories: vec![part("plugins")], ..InitOptions::default() };
    let rehearsal = Some(Rehearsal { directory, _served: served, _lock: lock });
    Ok(Place { root, workdir, init, rehearsal })
}

fn plan(
    session: &mut Session<'_>,
    place: &Place,
    options: &AdoptOptions,
    generates: bool,
) -> Result<Summary, AdoptionError> {
    let (terraform, cancel): (&Terraform, _) = (session.terraform, session.cancel.clone());
    let observer = &mut session.observer;
    let mut notices = |notice: Notice<'_>| {
        if let Notice::Event(event) = notice {
            observer(Progress::Event(event));
        }
    };
    let options = PlanOptions {
        variable_files: options.variable_files.clone(),
        generate_config_out: generates.then(|| GENERATED.into()),
        // Nobody applies this plan, so nobody has to wait for it.
        lock: LockOptions::Without,
        ..PlanOptions::default()
    };
    let preview = place.workdir.preview(terraform, &place.init, &options, &mut notices, &cancel);
    match preview.map_err(|source| AdoptionError::Terraform { command: "plan", source })? {
        Ended::Done(plan) => Ok(Summary::of(&plan)),
        Ended::Failed(failure) => Err(failed(&failure)),
        Ended::Cancelled { .. } => Err(AdoptionError::Interrupted),
        other => Err(AdoptionError::Failed {
            command: "plan",
            diagnostics: other.to_string(),
            is_generated: false,
        }),
    }
}

fn failed(failure: &Failure) -> AdoptionError {
    let command = failure.command;
    let is_error = |severity| severity == Severity::Error;
    let errors = failure.diagnostics.iter().filter(|diagnostic| is_error(diagnostic.severity));
    let texts: Vec<String> = errors.map(|error| placed(error.clone(), ROOT).to_string()).collect();
    let diagnostics = if texts.is_empty() { failure.to_string() } else { texts.join("\n\n") };
    AdoptionError::Failed { command, diagnostics, is_generated: false }
}

impl From<LockError> for AdoptionError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { holder, .. } => Self::Held(holder),
            LockError::File(error) => Self::File(error),
        }
    }
}
