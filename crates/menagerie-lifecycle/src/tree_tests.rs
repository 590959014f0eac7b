//! `tf test`: has Terraform run the tests of the tree, `*.tftest.hcl`, over providers that need no account and no download.
//!
//! A directory is tested over both providers of ours, the one for this machine and the rehearsal; Terraform asks the one that
//! the modules require. It is tested in a copy of the tree, so that nothing of a test is left in the checkout.

mod run;
mod scratch;
mod select;

use self::scratch::Scratch;
use crate::file::{self, FileError};
use crate::hosting::HostingError;
use crate::image::ImageError;
use crate::kind::{Explain, Kind};
use crate::lock::{Lock, LockError};
use crate::repository::Repository;
use crate::session::Session;
use jiff::Timestamp;
use menagerie_config::{MissingRun, ReadError};
use menagerie_plan::Diagnostic;
use menagerie_terraform::{JobEnd, JournalError, Load, Pool, default_limit};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use run::placed;
pub(crate) use scratch::copy_tree;
pub use select::{TestDirectory, TreeSelection, select_tests};

/// What came of one `run` block.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeRun {
    /// Its directory, as seen from the top of the work tree: `tf/modules/vpc`.
    pub directory: String,
    /// Its file, likewise; the directory where none of its files came to be run.
    pub file: String,
    /// Its line in that file.
    pub line: Option<usize>,
    /// Its name.
    pub name: String,
    /// How long it took.
    pub time: Duration,
    /// What came of it.
    pub verdict: TreeVerdict,
}

/// What came of a `run` block.
#[derive(Debug, Clone, PartialEq)]
pub enum TreeVerdict {
    /// All that it asserts holds.
    Passed,
    /// Something that it asserts does not hold, it could not be run, or it left something behind.
    Failed {
        /// What Terraform says about it, with files as seen from the top of the work tree.
        diagnostics: Vec<Diagnostic>,
        /// What is to be told besides.
        remarks: Vec<String>,
    },
    /// It was left out, since one before it could not be run.
    Skipped,
}

/// The tests of the tree could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum TreeTestError {
    /// What was asked for is not in the tree.
    #[error("`{}` is no part of the tree in `tf`", .0.display())]
    NotInTree(PathBuf),
    /// What was asked for has no tests.
    #[error("there are no tests {0}")]
    NoTests(String),
    /// Another run tests the tree.
    #[error("the tree is being tested by another run ({0})")]
    Held(String),
    /// `menagerie.toml` is wrong.
    #[error(transparent)]
    Project(#[from] ReadError),
    /// `menagerie.toml` does not say what to run.
    #[error(transparent)]
    Run(#[from] MissingRun),
    /// The application could not be built or copied.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A provider did not do what it was asked.
    #[error(transparent)]
    Hosting(#[from] HostingError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// What runs for a test could not be written down or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Terraform could not be run.
    #[error("failed to run `terraform {command}` in `{directory}`")]
    Terraform {
        /// Where.
        directory: String,
        /// Which command.
        command: &'static str,
        /// What is wrong.
        #[source]
        source: menagerie_terraform::RunError,
    },
    /// A test panicked, which is a bug of this crate.
    #[error("the test of `{directory}` broke down: {message}")]
    Broken {
        /// Where.
        directory: String,
        /// What it said.
        message: String,
    },
    /// It was interrupted.
    #[error("interrupted during the tests of the tree")]
    Interrupted,
}

impl Explain for TreeTestError {
    fn kind(&self) -> Kind {
        match self {
            Self::Held(_) => Kind::Locked,
            Self::Project(_) | Self::Run(_) => Kind::Invalid,
            Self::Interrupted | Self::Image(ImageError::Interrupted) => Kind::Interrupted,
            _ => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotInTree(_) => {
                "give a directory or a test file of `tf`; what is in `tf/envs` and `tf/templates` has no tests of its own"
            }
            Self::NoTests(_) => {
                "tests are files `*.tftest.hcl` in a module or in `tests` beside it"
            }
            Self::Held(_) => "try again when it has ended",
            Self::Run(_) => {
                "`tf/modules/application_hosting/local` is tested with the application: docs/configuration.md describes `application.run`"
            }
            Self::Interrupted => "what the tests had made is destroyed; run them again",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Runs the tests of some directories, several at once, and returns what came of each `run` block, in the order of the directories.
///
/// `tell` is called with all of a directory when it has ended.
pub fn test_tree(
    session: &mut Session<'_>,
    directories: &[TestDirectory],
    tell: &mut (dyn FnMut(&[TreeRun]) + Send),
) -> Result<Vec<TreeRun>, TreeTestError> {
    let place = place(session.repository);
    let holder = format!("pid {}, since {:.0}", std::process::id(), Timestamp::now());
    file::create_private_directory(place.parent().expect("it is in a directory of ours"))?;
    let _lock = match Lock::take(&place.with_extension("lock"), &holder) {
        Ok(lock) => lock,
        Err(LockError::Held { holder, .. }) => return Err(TreeTestError::Held(holder)),
        Err(LockError::File(error)) => return Err(error.into()),
    };
    let scratch =
        Scratch::create(session.repository.root(), place, &session.provider, &session.cancel)?;
    let needs_image = directories.iter().any(|directory| scratch.needs_image(&directory.path));
    let image = needs_image.then(|| run::image(session, &scratch)).transpose()?;
    let (terraform, cancel) = (session.terraform, &session.cancel);
    let stage = run::Stage {
        scratch: &scratch,
        provider: &session.provider,
        terraform,
        cancel,
        variables: &session.variables,
        image,
    };
    let pool = Pool::new(default_limit(Load::Computing));
    let mut observer = tell;
    let ends = pool.run(directories, &mut observer, cancel, |job| {
        let runs = stage.test(job.index, job.input)?;
        job.tell(|tell| tell(&runs));
        Ok(runs)
    });
    let mut runs = Vec::new();
    for (directory, end) in directories.iter().zip(ends) {
        match end {
            JobEnd::Done(of_directory) => runs.extend(of_directory),
            JobEnd::Failed(error) => return Err(error),
            JobEnd::Panicked(message) => {
                return Err(TreeTestError::Broken { directory: directory.path.clone(), message });
            }
            JobEnd::NotStarted => return Err(TreeTestError::Interrupted),
        }
    }
    Ok(runs)
}

/// Returns where the tree of this work tree is tested; the home is shared by all of them.
fn place(repository: &Repository) -> PathBuf {
    let digest = Sha256::digest(repository.root().as_os_str().as_encoded_bytes());
    repository.home().directory().join("tree-tests").join(crate::hex(&digest[..4]))
}
