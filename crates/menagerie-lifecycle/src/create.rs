//! `env new`: draws a name that never was, renders the root module, and puts it in its place in one step.

use crate::file::{self, Context as _, FileError};
use crate::git::GitError;
use crate::inventory;
use crate::kind::{Explain, Kind};
use crate::ledger;
use crate::lock::Lock;
use crate::milestone::{self, Milestone, MilestoneError};
use crate::repository::Repository;
use crate::templates::TemplatesError;
use jiff::Timestamp;
use menagerie_config::{
    Environment, Hosting, MissingPlatform, MissingRun, Owner, Project, ReadError, Settings, Size,
    Template, Ttl,
};
use menagerie_naming::{DrawError, EnvName, Taken, TakenError, check_free, draw};
use menagerie_template::{File, Root, Tags, Templates};
use menagerie_terraform::JournalError;
use std::fs;
use std::path::{Path, PathBuf};

/// What a new environment should be.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its name; drawn where there is none.
    pub name: Option<EnvName>,
    /// Where it runs.
    pub hosting: Hosting,
    /// How much it gets.
    pub size: Size,
    /// Who answers for it.
    pub owner: Owner,
    /// How long it is wanted.
    pub ttl: Ttl,
    /// What it has otherwise than the others.
    pub settings: Settings,
    /// Makes the same name from the same names that are taken.
    pub seed: Option<u64>,
}

/// An environment's directory, whether it is written or only shown.
#[derive(Debug)]
pub struct Draft {
    /// What it is meant to be.
    pub environment: Environment,
    /// Where it lies: `tf/envs/<name>`.
    pub directory: PathBuf,
    /// Its files, `env.toml` among them.
    pub files: Vec<File>,
}

/// A new environment could not be made. Nothing is left of the attempt but perhaps a name that is used up.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The name is not free.
    #[error(transparent)]
    Taken(#[from] TakenError),
    /// No name was found.
    #[error("failed to draw a name")]
    Draw(#[from] DrawError),
    /// `menagerie.toml` is wrong.
    #[error(transparent)]
    Project(#[from] ReadError),
    /// `menagerie.toml` does not say what to run.
    #[error(transparent)]
    Run(#[from] MissingRun),
    /// `menagerie.toml` does not say where the states of the hosting are.
    #[error(transparent)]
    Platform(#[from] MissingPlatform),
    /// A template could not be rendered.
    #[error("failed to render the root module")]
    Template(#[from] TemplatesError),
    /// Git could not say which branches the remotes have.
    #[error("failed to list the branches of the remotes")]
    Git(#[from] GitError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<MilestoneError> for CreateError {
    fn from(error: MilestoneError) -> Self {
        match error {
            MilestoneError::File(error) => Self::File(error),
            MilestoneError::Journal(error) => Self::Journal(error),
        }
    }
}

impl Explain for CreateError {
    fn kind(&self) -> Kind {
        match self {
            Self::Taken(_) => Kind::Refused,
            Self::Project(_) | Self::Run(_) | Self::Platform(_) => Kind::Invalid,
            Self::Template(error) => error.kind(),
            Self::Draw(_) | Self::Git(_) | Self::File(_) | Self::Journal(_) => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Taken(TakenError::Living(name)) => {
                Some(format!("`cargo xtask env up {name}` brings it up to date"))
            }
            Self::Taken(_) => Some("give another name, or none: one is drawn".to_owned()),
            Self::Run(_) => Some("docs/configuration.md describes `application.run`".to_owned()),
            Self::Platform(missing) => Some(missing.hint()),
            Self::Template(error) => error.hint(),
            _ => None,
        }
    }
}

/// Makes a new environment's directory, under the lock that makes each name once.
pub fn create(
    repository: &Repository,
    request: &Request,
    now: Timestamp,
) -> Result<Draft, CreateError> {
    let branches = branches(repository)?;
    let _lock = Lock::wait(&repository.home().lock())?;
    remove_unfinished(repository)?;
    let draft = render_draft(repository, request, branches, now)?;
    let name = &draft.environment.name;
    // The name is used up before anything carries it: a crash from here on costs a name, never gives one out twice.
    let entry = ledger::Entry {
        name: name.clone(),
        at: now,
        owner: draft.environment.owner.as_str().to_owned(),
    };
    ledger::append(&repository.home().ledger(), &entry)?;
    write(repository, &draft)?;
    if let Err(error) = milestone::append(repository.home(), name, &Milestone::Created) {
        let _ = fs::remove_dir_all(&draft.directory);
        return Err(error.into());
    }
    Ok(draft)
}

/// Shows what [`create`] would make now, and writes nothing.
pub fn draft(
    repository: &Repository,
    request: &Request,
    now: Timestamp,
) -> Result<Draft, CreateError> {
    render_draft(repository, request, branches(repository)?, now)
}

fn render_draft(
    repository: &Repository,
    request: &Request,
    branches: Vec<EnvName>,
    now: Timestamp,
) -> Result<Draft, CreateError> {
    let project = repository.project()?;
    if request.hosting == Hosting::Local {
        project.application.run()?;
    }
    project.platform.check(request.hosting)?;
    let templates = repository.templates()?;
    let taken = taken(repository, branches)?;
    let name = match &request.name {
        Some(name) => {
            check_free(name, &taken)?;
            name.clone()
        }
        None => draw(request.seed, &taken)?,
    };
    build(repository, request, name, &project, &templates, now)
}

/// Renders the files of an environment of this name.
pub(crate) fn build(
    repository: &Repository,
    request: &Request,
    name: EnvName,
    project: &Project,
    templates: &Templates,
    now: Timestamp,
) -> Result<Draft, CreateError> {
    // Whole seconds: the file is for people.
    let created = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let expires = request.ttl.expiry(created);
    let title = repository.git().title();
    let root = Root {
        name: &name,
        hosting: request.hosting,
        size: request.size,
        tags: Tags { owner: request.owner.as_str(), created, expires, repository: &title },
        settings: &request.settings,
        project,
    };
    let rendered = templates.render(&root).map_err(TemplatesError::from)?;
    let environment = Environment {
        name,
        owner: request.owner.clone(),
        created,
        expires,
        hosting: request.hosting,
        size: request.size,
        settings: request.settings.clone(),
        template: Template {
            version: rendered.version,
            checksums: rendered.checksums,
            overrides: rendered.overrides,
        },
    };
    let mut files = rendered.files;
    files.push(File { path: "env.toml".to_owned(), text: environment.to_toml() });
    Ok(Draft { directory: repository.directory(&environment.name), environment, files })
}

/// Returns the environments that the remotes' branches are named after: `calm-otter`, `env/calm-otter`.
fn branches(repository: &Repository) -> Result<Vec<EnvName>, GitError> {
    let branches = repository.git().remote_branches()?;
    Ok(branches.iter().filter_map(|branch| branch.rsplit('/').next()?.parse().ok()).collect())
}

fn taken(repository: &Repository, branches: Vec<EnvName>) -> Result<Taken, FileError> {
    let home = repository.home();
    // Every directory counts, also one without a readable `env.toml`: nothing may be written into it.
    let mut living = inventory::names(&repository.environments(), "")?;
    living.extend(inventory::names(&home.environments(), "")?);
    let mut used = branches;
    used.extend(ledger::names(&home.ledger())?);
    used.extend(inventory::names(&home.journals(), ".jsonl")?);
    used.extend(inventory::names(&home.certificates(), ".json")?);
    Ok(Taken::new(living, used))
}

/// Writes the directory beside its place and renames it, so that no half of it is ever seen.
fn write(repository: &Repository, draft: &Draft) -> Result<(), FileError> {
    let environments = repository.environments();
    fs::create_dir_all(&environments).during("create", &environments)?;
    let making = environments.join(format!("{MAKING}{}", draft.environment.name));
    let written = write_files(&making, &draft.files)
        .and_then(|()| fs::rename(&making, &draft.directory).during("create", &draft.directory))
        .and_then(|()| file::sync_directory(&environments));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_dir_all(&making);
    }
    written
}

/// Puts the directory of an environment back from what was applied last.
pub(crate) fn restore(
    repository: &Repository,
    name: &EnvName,
    root_module: &Path,
) -> Result<(), FileError> {
    let _lock = Lock::wait(&repository.home().lock())?;
    let environments = repository.environments();
    fs::create_dir_all(&environments).during("create", &environments)?;
    let making = environments.join(format!("{MAKING}{name}"));
    file::remove_directory_if_present(&making)?;
    let directory = repository.directory(name);
    let restored = file::copy_tree(root_module, &making, &[".terraform", "errored.tfstate"])
        .and_then(|()| fs::rename(&making, &directory).during("create", &directory));
    if restored.is_err() {
        let _ = fs::remove_dir_all(&making);
    }
    restored
}

fn write_files(directory: &Path, files: &[File]) -> Result<(), FileError> {
    // Not private: these are files of the checkout like all others.
    fs::create_dir(directory).during("create", directory)?;
    for File { path, text } in files {
        let path = directory.join(path);
        let mut file = fs::File::create_new(&path).during("create", &path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())
            .and_then(|()| file.sync_data())
            .during("write", &path)?;
    }
    Ok(())
}

/// What a directory is called while it is being made: no environment's name begins with a dot.
const MAKING: &str = ".making-";

/// Removes what a killed run was making; the lock says that nobody is.
fn remove_unfinished(repository: &Repository) -> Result<(), FileError> {
    let environments = repository.environments();
    for name in file::list(&environments)?.iter().filter(|name| name.starts_with(MAKING)) {
        file::remove_directory_if_present(&environments.join(name))?;
    }
    Ok(())
}
