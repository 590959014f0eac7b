//! `template check`: renders what environments there could be, and has Terraform judge them.

use crate::file::{self, Context as _, FileError};
use crate::hosting::LocalHosting;
use crate::kind::{Explain, Kind};
use crate::lock::Lock;
use crate::repository::Repository;
use crate::run::RunError;
use crate::session::Session;
use crate::templates::TemplatesError;
use menagerie_config::Hosting;
use menagerie_naming::EnvName;
use menagerie_plan::{Diagnostic, Severity};
use menagerie_template::{Case, File, TemplateLine, Templates, cases};
use menagerie_terraform::{Cancel, Ended, InitOptions, Notice, Terraform, Workdir};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What was checked, and what is wrong.
#[derive(Debug)]
pub struct CheckedTemplates {
    /// How many environments were rendered, by their hosting.
    pub cases: BTreeMap<Hosting, usize>,
    /// How many files they have together.
    pub files: usize,
    /// The project's own templates.
    pub overrides: Vec<String>,
    /// What is wrong; empty where nothing is.
    pub problems: Vec<TemplateProblem>,
}

/// Something that is wrong with what a template renders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateProblem {
    /// What is wrong, in one or more lines.
    pub message: String,
    /// The line of the template that it most likely comes from.
    pub template: Option<TemplateLine>,
    /// The rendered file, with the line where one is known.
    pub rendered: Option<(String, Option<usize>)>,
    /// The environments that have it.
    pub cases: Vec<String>,
}

/// Renders all cases and has Terraform validate each and check its format.
pub fn check_templates(session: &mut Session<'_>) -> Result<CheckedTemplates, CheckTemplatesError> {
    let templates = session.repository.templates()?;
    let home = session.repository.home();
    let _lock = Lock::wait(&home.directory().join("check.lock"))?;
    let scratch = Scratch::create(session.repository, home.directory().join("check"))?;
    let mut checked = CheckedTemplates {
        cases: BTreeMap::new(),
        files: 0,
        overrides: templates.overrides().map(str::to_owned).collect(),
        problems: Vec::new(),
    };
    let mut rendered = Vec::new();
    for case in cases() {
        *checked.cases.entry(case.hosting).or_default() += 1;
        match templates.render(&case.root()) {
            Ok(root) => {
                checked.files += root.files.len();
                scratch.write(&case.name, &root.files)?;
                rendered.push((case, root.files));
            }
            Err(error) => checked.problems.push(TemplateProblem {
                message: error.to_string(),
                template: None,
                rendered: None,
                cases: vec![case.label],
            }),
        }
    }
    let judged = judge_all(session, &scratch, &templates, &rendered)?;
    checked.problems = merge(checked.problems.into_iter().chain(judged));
    Ok(checked)
}

/// The templates could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckTemplatesError {
    /// A template can't be used at all.
    #[error("the templates can't be used")]
    Templates(#[from] TemplatesError),
    /// Terraform or the provider could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Explain for CheckTemplatesError {
    fn kind(&self) -> Kind {
        match self {
            Self::Templates(error) => error.kind(),
            Self::Run(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Templates(error) => error.hint(),
            Self::Run(error) => error.hint(),
        }
    }
}

impl From<FileError> for CheckTemplatesError {
    fn from(error: FileError) -> Self {
        Self::Run(error.into())
    }
}

/// A tree that looks to Terraform like the repository, with the rendered root modules in the place of its environments.
struct Scratch(PathBuf);

impl Scratch {
    fn create(repository: &Repository, directory: PathBuf) -> Result<Self, FileError> {
        // A run that was killed left it.
        file::remove_directory_if_present(&directory)?;
        let scratch = Self(directory);
        file::create_private_directory(&scratch.0)?;
        link(repository.root(), &scratch.0, &["tf", ".git"])?;
        let tree = scratch.0.join("tf");
        file::create_private_directory(&tree.join("envs"))?;
        link(&repository.root().join("tf"), &tree, &["envs", "templates"])?;
        for part in ["run", "run/local", "run/output"] {
            file::create_private_directory(&scratch.0.join(part))?;
        }
        Ok(scratch)
    }

    fn root_module(&self, name: &EnvName) -> PathBuf {
        self.0.join("tf/envs").join(name.as_str())
    }

    fn run(&self, part: &str) -> PathBuf {
        self.0.join("run").join(part)
    }

    fn write(&self, name: &EnvName, files: &[File]) -> Result<(), FileError> {
        let directory = self.root_module(name);
        file::create_private_directory(&directory)?;
        for File { path, text } in files {
            let path = directory.join(path);
            fs::write(&path, text).during("write", &path)?;
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is removed by the next one.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn link(from: &Path, to: &Path, except: &[&str]) -> Result<(), FileError> {
    for name in file::list(from)?.iter().filter(|name| !except.contains(&name.as_str())) {
        let target = to.join(name);
        symlink(from.join(name), &target).during("create", &target)?;
    }
    Ok(())
}

/// Has Terraform judge the root modules, as many at a time as there are processors.
fn judge_all(
    session: &mut Session<'_>,
    scratch: &Scratch,
    templates: &Templates,
    rendered: &[(Case, Vec<File>)],
) -> Result<Vec<TemplateProblem>, RunError> {
    let hosting = LocalHosting::borrow(&session.provider, &scratch.run("local"));
    let served = hosting.serve(&scratch.run("output").join("provider.log"))?;
    let workdir = Workdir {
        directory: scratch.0.clone(),
        data_directory: scratch.run("data"),
        runs_directory: scratch.run("output"),
        environment: session.variables.clone(),
        reattach_providers: Some(served.reattach.clone()),
        journal: None,
    };
    let next = AtomicUsize::new(0);
    let judged = Mutex::new(BTreeMap::new());
    let (terraform, cancel) = (session.terraform, &session.cancel);
    let work = |worker: usize| loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some((case, files)) = rendered.get(index) else { return Ok(()) };
        // One data directory for all that a worker judges: they call the same modules from the same place, so that only
        // the first needs `init`.
        let workdir = Workdir {
            directory: scratch.root_module(&case.name),
            data_directory: scratch.run(&format!("data-{worker}-{}", case.hosting)),
            ..workdir.clone()
        };
        let diagnostics = judge(&workdir, &case.name, terraform, cancel)?;
        let problems: Vec<_> = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .map(|diagnostic| problem(templates, case, files, diagnostic))
            .collect();
        judged.lock().expect("no worker panics while it holds this").insert(index, problems);
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(rendered.len());
    std::thread::scope(|scope| {
        let running: Vec<_> =
            (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        running
            .into_iter()
            .map(|worker| worker.join().expect("a worker does not panic"))
            .collect::<Result<(), RunError>>()
    })?;
    drop(served);
    let judged = judged.into_inner().expect("no worker panics while it holds this");
    Ok(judged.into_values().flatten().collect())
}

/// Returns what Terraform has to say of a root module.
fn judge(
    workdir: &Workdir,
    name: &EnvName,
    terraform: &Terraform,
    cancel: &Cancel,
) -> Result<Vec<Diagnostic>, RunError> {
    let failed = |command, source| RunError::Terraform { name: name.clone(), command, source };
    let notices = &mut |_: Notice<'_>| {};
    let validate = |notices: &mut dyn FnMut(Notice<'_>)| {
        workdir.validate(terraform, notices, cancel).map_err(|source| failed("validate", source))
    };
    let mut ended = validate(notices)?;
    if let Ended::NeedsInit(_) = ended {
        let initialised = workdir.init(terraform, &InitOptions::default(), notices, cancel);
        match initialised.map_err(|source| failed("init", source))? {
            Ended::Done(()) => ended = validate(notices)?,
            Ended::Failed(failure) if !failure.diagnostics.is_empty() => {
                return Ok(failure.diagnostics);
            }
            other => return Err(unexpected(name, "init", &other)),
        }
    }
    match ended {
        Ended::Done(validation) => Ok(validation.diagnostics),
        Ended::Failed(failure) if !failure.diagnostics.is_empty() => Ok(failure.diagnostics),
        other => Err(unexpected(name, "validate", &other)),
    }
}

fn unexpected<T>(name: &EnvName, command: &'static str, ended: &Ended<T>) -> RunError {
    match ended {
        Ended::Cancelled { .. } => {
            RunError::Interrupted { name: name.clone(), during: "the check" }
        }
        Ended::TimedOut { .. } => RunError::TimedOut { name: name.clone(), command },
        other => RunError::Failed { name: name.clone(), command, diagnostics: other.to_string() },
    }
}

fn problem(
    templates: &Templates,
    case: &Case,
    files: &[File],
    diagnostic: &Diagnostic,
) -> TemplateProblem {
    let range = diagnostic.range.as_ref();
    let rendered = range.map(|range| (range.filename.clone(), Some(range.start.line)));
    let template = range.and_then(|range| {
        let file = files.iter().find(|file| file.path == range.filename)?;
        let line = file.text.lines().nth(range.start.line.checked_sub(1)?)?;
        templates.locate(case.hosting, &file.path, line)
    });
    // Without the rendered code, which holds values; and with what a terminal can't take escaped.
    let mut bare = diagnostic.clone();
    (bare.range, bare.snippet) = (None, None);
    let message = bare.to_string();
    TemplateProblem {
        message: message.strip_prefix("error: ").unwrap_or(&message).to_owned(),
        template,
        rendered,
        cases: vec![case.label.clone()],
    }
}

/// Tells once what is wrong in several environments.
fn merge(problems: impl Iterator<Item = TemplateProblem>) -> Vec<TemplateProblem> {
    let mut merged: Vec<TemplateProblem> = Vec::new();
    for problem in problems {
        let same = merged.iter_mut().find(|known| {
            known.message == problem.message
                && known.template == problem.template
                && (known.template.is_some() || known.rendered == problem.rendered)
        });
        match same {
            Some(known) => known.cases.extend(problem.cases),
            None => merged.push(problem),
        }
    }
    merged
}
