//! The small port to git: where the repository is, what its remotes hold, who works in it.

use std::path::{Path, PathBuf};

/// A repository's work tree, asked through the `git` command.
#[derive(Debug, Clone)]
pub struct Git {
    root: PathBuf,
    common_directory: PathBuf,
}

/// Git could not be asked, or refused to answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The command did not start.
    #[error("failed to start `git`")]
    Start(#[source] std::io::Error),
    /// There is no repository.
    #[error("`{}` is not in a git repository", .0.display())]
    NoRepository(PathBuf),
    /// The command failed.
    #[error("`git {arguments}` failed: {stderr}")]
    Failed {
        /// What git was asked.
        arguments: String,
        /// What it said.
        stderr: String,
    },
}

impl Git {
    /// Finds the repository that a directory belongs to.
    pub fn discover(directory: &Path) -> Result<Self, GitError> {
        let answer = ask(
            directory,
            &["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir"],
        );
        let text = match answer {
            Ok(text) => text,
            Err(GitError::Failed { .. }) => {
                return Err(GitError::NoRepository(directory.to_owned()));
            }
            Err(error) => return Err(error),
        };
        let mut lines = text.lines();
        match (lines.next(), lines.next()) {
            (Some(root), Some(common)) => {
                Ok(Self { root: root.into(), common_directory: common.into() })
            }
            _ => Err(GitError::NoRepository(directory.to_owned())),
        }
    }

    /// Returns the top of the work tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the directory that all worktrees share.
    pub fn common_directory(&self) -> &Path {
        &self.common_directory
    }

    /// Returns the branches of all remotes as of the last fetch, without the remote's name; asks no network.
    pub fn remote_branches(&self) -> Result<Vec<String>, GitError> {
        // `lstrip=3` drops `refs/remotes/<remote>/`.
        let text =
            ask(&self.root, &["for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes"])?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Returns the address of the person who works here, as git knows it.
    pub fn user(&self) -> Option<String> {
        let text = ask(&self.root, &["config", "user.email"]).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Tells whether the last commit holds exactly this content at this path of the work tree.
    pub fn is_committed(&self, path: &Path) -> Result<bool, GitError> {
        let path = path.to_string_lossy();
        let tracked = ask(&self.root, &["ls-files", "--", &path])?;
        if tracked.trim().is_empty() {
            return Ok(false);
        }
        Ok(ask(&self.root, &["status", "--porcelain", "--", &path])?.trim().is_empty())
    }
}

fn ask(directory: &Path, arguments: &[&str]) -> Result<String, GitError> {
    let output = duct::cmd("git", arguments)
        .dir(directory)
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .map_err(GitError::Start)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(GitError::Failed { arguments: arguments.join(" "), stderr })
    }
}
