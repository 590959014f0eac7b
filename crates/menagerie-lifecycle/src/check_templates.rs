//! `template check`: renders what environments there could be, and has Terraform judge them.

mod format;
mod judge;
mod scratch;

use self::scratch::Scratch;
use crate::file::{self, FileError};
use crate::hosting::{LocalHosting, Served, merge_reattach, serve};
use crate::kind::{Explain, Kind};
use crate::lock::{Lock, LockError};
use crate::run::RunError;
use crate::session::Session;
use crate::templates::TemplatesError;
use jiff::Timestamp;
use menagerie_config::Hosting;
use menagerie_template::{Case, File, TemplateLine, Templates, cases};
use menagerie_terraform::Workdir;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

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

/// An environment and what was rendered for it.
struct Rendered {
    case: Case,
    files: Vec<File>,
}

/// Renders all cases and has Terraform validate each and check its format.
pub fn check_templates(session: &mut Session<'_>) -> Result<CheckedTemplates, CheckTemplatesError> {
    let templates = session.repository.templates()?;
    let home = session.repository.home();
    let holder = format!("pid {}, since {:.0}", std::process::id(), Timestamp::now());
    let _lock = match Lock::take(&home.directory().join("check.lock"), &holder) {
        Ok(lock) => lock,
        Err(LockError::Held { holder, .. }) => return Err(CheckTemplatesError::Held(holder)),
        Err(LockError::File(error)) => return Err(error.into()),
    };
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
                rendered.push(Rendered { case, files: root.files });
            }
            Err(error) => checked.problems.push(TemplateProblem {
                message: error.to_string(),
                template: None,
                rendered: None,
                cases: vec![case.label],
            }),
        }
    }
    let hosting = LocalHosting::borrow(&session.provider, &scratch.run("local"));
    let served =
        hosting.serve(&scratch.run("output").join("provider.log")).map_err(RunError::from)?;
    let double = serve_double(&session.provider, &scratch)?;
    let reattach = merge_reattach(&served.reattach, &double.reattach);
    let workdir = Workdir {
        directory: scratch.environments(),
        data_directory: scratch.run("data"),
        runs_directory: scratch.run("output"),
        environment: session.variables.clone(),
        reattach_providers: Some(reattach),
        journal: None,
        workspace: None,
    };
    let (terraform, cancel) = (session.terraform, &session.cancel);
    let invalid = judge::validate_all(&workdir, terraform, cancel, &templates, &rendered)?;
    let misformed = format::check_all(&workdir, terraform, cancel, &templates, &rendered)?;
    checked.problems = merge(checked.problems.into_iter().chain(invalid).chain(misformed));
    Ok(checked)
}

/// Starts the stand-in for the providers of clouds: their schemas are all that is asked for.
fn serve_double(provider: &Path, scratch: &Scratch) -> Result<Served, CheckTemplatesError> {
    let directory = scratch.run("rehearsal");
    file::create_private_directory(&directory)?;
    let arguments: [OsString; 3] = ["rehearse".into(), "--dir".into(), directory.into()];
    let log = scratch.run("output").join("rehearsal.log");
    Ok(serve(provider, "rehearse", &arguments, &log).map_err(RunError::from)?)
}

/// The templates could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckTemplatesError {
    /// A template can't be used at all.
    #[error("the templates can't be used")]
    Templates(#[from] TemplatesError),
    /// Another run checks them.
    #[error("the templates are being checked by another run ({0})")]
    Held(String),
    /// Terraform or the provider could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Explain for CheckTemplatesError {
    fn kind(&self) -> Kind {
        match self {
            Self::Templates(error) => error.kind(),
            Self::Held(_) => Kind::Locked,
            Self::Run(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Templates(error) => error.hint(),
            Self::Held(_) => Some("try again when it has ended".to_owned()),
            Self::Run(error) => error.hint(),
        }
    }
}

impl From<FileError> for CheckTemplatesError {
    fn from(error: FileError) -> Self {
        Self::Run(error.into())
    }
}

impl TemplateProblem {
    /// Returns a problem at a line of a rendered file.
    fn at(
        templates: &Templates,
        root: &Rendered,
        place: Option<(&str, usize)>,
        message: String,
    ) -> Self {
        let template = place.and_then(|(file, line)| {
            let file = root.files.iter().find(|rendered| rendered.path == file)?;
            let text = file.text.lines().nth(line.checked_sub(1)?)?;
            templates.locate(root.case.hosting, &file.path, text)
        });
        Self {
            message,
            template,
            rendered: place.map(|(file, line)| (file.to_owned(), Some(line))),
            cases: vec![root.case.label.clone()],
        }
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
