//! The repository that environments are made in: its work tree, its records on this machine, its `menagerie.toml`.

use crate::file::FileError;
use crate::git::{Git, GitError};
use crate::home::Home;
use crate::kind::{Explain, Kind};
use menagerie_config::{Project, ReadError};
use menagerie_naming::EnvName;
use std::path::{Path, PathBuf};

/// A repository with environments.
#[derive(Debug)]
pub struct Repository {
    git: Git,
    home: Home,
}

/// A repository could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Git does not know one here.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The directory of local records could not be made.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Explain for OpenError {
    fn kind(&self) -> Kind {
        Kind::Failed
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Git(GitError::Start(_)) => {
                Some("install git, and see that it is on the PATH".to_owned())
            }
            Self::Git(GitError::NoRepository(_)) => {
                Some("run it in a clone of the application's repository".to_owned())
            }
            Self::Git(GitError::Failed { .. } | GitError::NoCommit(_)) | Self::File(_) => None,
        }
    }
}

impl Repository {
    /// Opens the repository that a directory belongs to.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let git = Git::discover(directory)?;
        let home = Home::open(git.common_directory().join("menagerie"))?;
        Ok(Self { git, home })
    }

    /// Returns the top of the work tree.
    pub fn root(&self) -> &Path {
        self.git.root()
    }

    /// Returns the records on this machine.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Returns the port to git.
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// Returns the directory of an environment, `tf/envs/<name>`, whether it exists or not.
    pub fn directory(&self, name: &EnvName) -> PathBuf {
        self.environments().join(name.as_str())
    }

    /// Reads `menagerie.toml`.
    pub fn project(&self) -> Result<Project, ReadError> {
        Project::read(&self.root().join("menagerie.toml"))
    }

    pub(crate) fn environments(&self) -> PathBuf {
        self.root().join("tf/envs")
    }
}
