//! Rehearsals: an environment's life over a stand-in for cloud providers, with no account, no credentials and no download.
//!
//! A rehearsal plays in a copy of the tree, with a state and a world of its own, which are gone when it ends. Whoever wrote
//! what is rehearsed may be a stranger: nothing of it is run or fetched, and nothing of this machine is handed to it.

mod blocks;
mod document;
mod guard;
mod scratch;
mod stage;

use self::scratch::Scratch;
use self::stage::Stage;
use crate::create::{self, CreateError, Draft, Request};
use crate::file::FileError;
use crate::git::GitError;
use crate::hosting::HostingError;
use crate::inventory::{self, InventoryError};
use crate::kind::{Explain, Kind};
use crate::session::{Session, Step};
use crate::templates::TemplatesError;
use crate::tree_tests::{TreeSelection, TreeTestError, TreeVerdict, select_tests, test_tree};
use jiff::Timestamp;
use menagerie_config::{Environment, Hosting, ReadError};
use menagerie_naming::EnvName;
use menagerie_plan::Summary;
use menagerie_terraform::JournalError;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use document::{rehearse_document, rehearse_new_document};
pub use guard::Finding;

/// The image that a root module is given where nobody named one: what it holds is not looked at.
const STAND_IN: &str = "rehearsal.invalid/application@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// How an environment is rehearsed.
#[derive(Debug, Clone, Default)]
pub struct RehearsalOptions {
    /// The image; a stand-in where there is none.
    pub image: Option<String>,
    /// What goes wrong: `TYPE[.NAME]:OPERATION:KIND[xN]`.
    pub faults: Vec<String>,
}

/// A plan that was rehearsed.
#[derive(Debug)]
pub struct RehearsedPlan {
    /// Where the environment would run.
    pub hosting: Hosting,
    /// The image that it was planned with.
    pub image: String,
    /// Whether that is a stand-in.
    pub is_stand_in: bool,
    /// What it would do.
    pub summary: Summary,
}

/// A step of a whole rehearsal that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsedStep {
    /// What was done: `plan`, `apply` ….
    pub step: &'static str,
    /// What came of it.
    pub result: String,
    /// How long it took.
    pub time: Duration,
}

/// A rehearsal did not reach its end.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The environment is not known, or what is known of it cannot be read.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// It runs on this machine.
    #[error("the hosting `local` needs no rehearsal: it runs on this machine, with no account")]
    Local(EnvName),
    /// This checkout does not have it.
    #[error("`{0}` has no directory in this checkout")]
    NoDirectory(EnvName),
    /// A commit does not have it.
    #[error("there is no `tf/envs/{name}` at `{reference}`")]
    NotThere {
        /// The environment.
        name: String,
        /// The commit, as it was given.
        reference: String,
    },
    /// A file holds what can't be rehearsed.
    #[error("this can't be rehearsed:\n{}", .0.iter().map(|finding| format!("  {finding}")).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<Finding>),
    /// Another run rehearses it.
    #[error("it is being rehearsed by another run ({0})")]
    Held(String),
    /// A new environment can't be rendered.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The project's own templates are wrong.
    #[error(transparent)]
    Templates(#[from] TemplatesError),
    /// `menagerie.toml` or `env.toml` is wrong.
    #[error(transparent)]
    Project(#[from] ReadError),
    /// Git could not say what a commit has.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The stand-in did not do what it was asked.
    #[error(transparent)]
    Double(#[from] HostingError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// What runs could not be written down or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Terraform could not be run.
    #[error("failed to run `terraform {command}`")]
    Terraform {
        /// Which command.
        command: &'static str,
        /// What is wrong.
        #[source]
        source: menagerie_terraform::RunError,
    },
    /// Terraform ended with errors.
    #[error("the rehearsed {step} failed\n\n{diagnostics}")]
    Failed {
        /// Which step.
        step: &'static str,
        /// What Terraform says, with files as seen from the top of the work tree.
        diagnostics: String,
        /// The way out, where one is known.
        hint: Option<String>,
    },
    /// A second plan would change something.
    #[error("a plan right after the apply still has changes\n\n{0}")]
    Unstable(Box<Summary>),
    /// A fault that was asked for never came.
    #[error("nothing failed: no operation that was made is one of {0}")]
    NoFault(String),
    /// A test of a module failed.
    #[error("tests of its modules failed\n\n{0}")]
    Tests(String),
    /// The tests of the modules could not be run.
    #[error(transparent)]
    TreeTests(#[from] TreeTestError),
    /// Something is left after the destroy.
    #[error("something is left after the destroy:\n{}", .0.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))]
    Incomplete(Vec<String>),
    /// It was interrupted.
    #[error("interrupted during the rehearsal")]
    Interrupted,
}

impl Explain for RehearsalError {
    fn kind(&self) -> Kind {
        match self {
            Self::Inventory(error) => error.kind(),
            Self::Create(error) => error.kind(),
            Self::Templates(error) => error.kind(),
            Self::TreeTests(error) => error.kind(),
            Self::Local(_) | Self::Refused(_) => Kind::Refused,
            Self::NoDirectory(_) | Self::NotThere { .. } | Self::Git(GitError::NoCommit(_)) => {
                Kind::NotFound
            }
            Self::Held(_) => Kind::Locked,
            Self::Project(_) => Kind::Invalid,
            Self::Incomplete(_) => Kind::Incomplete,
            Self::Interrupted => Kind::Interrupted,
            _ => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Inventory(error) => return error.hint(),
            Self::Create(error) => return error.hint(),
            Self::Templates(error) => return error.hint(),
            Self::TreeTests(error) => return error.hint(),
            Self::Double(HostingError::Refused { hint, .. }) | Self::Failed { hint, .. } => {
                return hint.clone();
            }
            Self::Local(name) => format!("`cargo xtask env plan {name}` shows the real plan"),
            Self::NoDirectory(name) => format!("check out the branch that has `tf/envs/{name}`"),
            Self::NotThere { .. } => "without `--from`, the plan starts with nothing".to_owned(),
            Self::Refused(_) => {
                "docs/rehearsal.md says what a rehearsal stands in for, and what it refuses"
                    .to_owned()
            }
            Self::Held(_) => "try again when it has ended".to_owned(),
            Self::Interrupted => "nothing is left of it; run it again".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}

/// Plans an environment over the stand-in: with nothing there, or with what it is at a commit.
pub fn rehearse_plan(
    session: &mut Session<'_>,
    name: &EnvName,
    options: &RehearsalOptions,
    from: Option<&str>,
) -> Result<RehearsedPlan, RehearsalError> {
    let entry = inventory::find(session.repository, name, Timestamp::now())?;
    let directory = entry.directory.ok_or_else(|| RehearsalError::NoDirectory(name.clone()))?;
    let hosting = Environment::read(&directory.join("env.toml"))?.hosting;
    if !hosting.is_cloud() {
        return Err(RehearsalError::Local(name.clone()));
    }
    let scratch = Scratch::create(session.repository, &format!("plan-{name}"), &session.cancel)?;
    let root_module = format!("tf/envs/{name}");
    if let Some(reference) = from {
        scratch.fill_from(session.repository.git(), reference, name.as_str())?;
        let mut stage = Stage::set(session, &scratch, &root_module, options.image.as_deref(), &[])?;
        session.step(name, Step::Rehearse("plan"));
        stage.plan(session)?;
        session.step(name, Step::Rehearse("apply"));
        stage.apply(session)?;
    }
    scratch.fill(session.repository.root(), Some(name.as_str()))?;
    let mut stage =
        Stage::set(session, &scratch, &root_module, options.image.as_deref(), &options.faults)?;
    session.step(name, Step::Rehearse("plan"));
    let summary = stage.plan(session)?;
    let is_stand_in = options.image.is_none();
    Ok(RehearsedPlan { hosting, image: stage.image().to_owned(), is_stand_in, summary })
}

/// Renders the root module of a new environment that is never made, and puts it up where it is rehearsed.
fn put_up(
    session: &Session<'_>,
    request: &Request,
) -> Result<(Draft, Scratch, String), RehearsalError> {
    let hosting = request.hosting;
    let name: EnvName = format!("rehearsal-{}", hosting.as_str().replace('_', "-"))
        .parse()
        .expect("no hosting's name is too long");
    if !hosting.is_cloud() {
        return Err(RehearsalError::Local(name));
    }
    let mut project = session.repository.project()?;
    project.platform = project.platform.with_stand_ins();
    let templates = session.repository.templates()?;
    let draft = create::build(
        session.repository,
        request,
        name.clone(),
        &project,
        &templates,
        Timestamp::now(),
    )?;
    let scratch = Scratch::create(session.repository, name.as_str(), &session.cancel)?;
    scratch.fill(session.repository.root(), None)?;
    let root_module = format!("tf/envs/{name}");
    scratch.write(&root_module, &draft.files)?;
    Ok((draft, scratch, root_module))
}

/// Rehearses the whole life of a new environment that is never made: plan, apply, a second plan, the tests of its modules,
/// and the destroy. `tell` is called after each step. With faults, an apply or a destroy has to fail, and is done again.
pub fn rehearse(
    session: &mut Session<'_>,
    request: &Request,
    options: &RehearsalOptions,
    tell: &mut dyn FnMut(&RehearsedStep),
) -> Result<(), RehearsalError> {
    let (draft, scratch, root_module) = put_up(session, request)?;
    let name = draft.environment.name;

    let mut clock = Instant::now();
    let mut told = |step, result| {
        tell(&RehearsedStep { step, result, time: clock.elapsed() });
        clock = Instant::now();
    };
    let mut stage =
        Stage::set(session, &scratch, &root_module, options.image.as_deref(), &options.faults)?;
    session.step(&name, Step::Rehearse("plan"));
    let planned = stage.plan(session)?;
    told("plan", format!("{} to create", planned.counts.create));

    // Each fault may take an attempt of its own.
    let attempts = 1 + options.faults.iter().map(|fault| times(fault)).sum::<usize>();
    let mut failures = 0;
    loop {
        session.step(&name, Step::Rehearse("apply"));
        match stage.apply(session) {
            Ok(()) => break,
            Err(RehearsalError::Failed { diagnostics, .. }) if failures + 1 < attempts => {
                failures += 1;
                told("apply", failed(&diagnostics));
                stage.plan(session)?;
            }
            Err(error) => return Err(error),
        }
    }
    told("apply", "all of it is there".to_owned());

    session.step(&name, Step::Rehearse("plan"));
    let again = stage.plan(session)?;
    if !again.is_empty() {
        return Err(RehearsalError::Unstable(Box::new(again)));
    }
    told("plan again", "no changes".to_owned());

    // They are the same whatever goes wrong here.
    if options.faults.is_empty() {
        session.step(&name, Step::Rehearse("tests"));
        let findings = guard::look_into_tests(&scratch.tree(), stage.directories())?;
        if !findings.is_empty() {
            return Err(RehearsalError::Refused(findings));
        }
        let tested = test_modules(session, stage.directories())?;
        told("test", tested);
    }

    let destroyed = loop {
        session.step(&name, Step::Rehearse("destroy"));
        match stage.destroy(session) {
            Err(RehearsalError::Failed { diagnostics, .. }) if failures + 1 < attempts => {
                failures += 1;
                told("destroy", failed(&diagnostics));
            }
            ended => break ended,
        }
    };
    let left: BTreeSet<String> = stage.left()?.into_iter().chain(scratch.world()?).collect();
    match destroyed {
        Err(error @ RehearsalError::Interrupted) => return Err(error),
        Err(error) if left.is_empty() => return Err(error),
        _ if !left.is_empty() => {
            return Err(RehearsalError::Incomplete(left.into_iter().collect()));
        }
        _ => told("destroy", "nothing is left".to_owned()),
    }
    if failures == 0 && !options.faults.is_empty() {
        return Err(RehearsalError::NoFault(options.faults.join(", ")));
    }
    Ok(())
}

/// Returns how often a fault comes: `aws_lb:create:throttlex2`.
fn times(fault: &str) -> usize {
    let kind = fault.rsplit(':').next().unwrap_or_default();
    // No more often than anybody would wait for.
    kind.rsplit_once('x').and_then(|(_, times)| times.parse().ok()).unwrap_or(1).min(10)
}

/// Tells in one line what went wrong as it was asked to.
fn failed(diagnostics: &str) -> String {
    let first = diagnostics.lines().next().unwrap_or_default();
    format!("failed: {}", first.trim_start_matches("error: "))
}

/// Runs the tests of the modules that the root module calls.
fn test_modules(
    session: &mut Session<'_>,
    directories: &BTreeSet<String>,
) -> Result<String, RehearsalError> {
    let root = session.repository.root();
    let paths: Vec<PathBuf> = directories
        .iter()
        .filter(|directory| !directory.starts_with("tf/envs/"))
        .map(|directory| root.join(directory).join("tests"))
        .filter(|path| path.is_dir())
        .collect();
    if paths.is_empty() {
        return Ok("its modules have no tests".to_owned());
    }
    let selected = select_tests(session.repository, &TreeSelection { paths, filter: None })?;
    let runs = test_tree(session, &selected, &mut |_| {})?;
    let failed: Vec<String> = runs
        .iter()
        .filter_map(|run| match &run.verdict {
            TreeVerdict::Failed { diagnostics, remarks } => {
                let said =
                    diagnostics.iter().map(ToString::to_string).chain(remarks.iter().cloned());
                let place = run
                    .line
                    .map_or_else(|| run.file.clone(), |line| format!("{}:{line}", run.file));
                Some(format!("{place}: {}\n{}", run.name, said.collect::<Vec<_>>().join("\n")))
            }
            _ => None,
        })
        .collect();
    if failed.is_empty() {
        Ok(format!("{} runs in {} modules passed", runs.len(), selected.len()))
    } else {
        Err(RehearsalError::Tests(failed.join("\n\n")))
    }
}
