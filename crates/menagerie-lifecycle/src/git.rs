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
    /// There is no such commit.
    #[error("there is no commit `{}`", .0.escape_debug())]
    NoCommit(String),
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

    /// Returns what the repository is called: the last two parts of the address of `origin`, such as `acme/web`, else the name
    /// of the work tree's directory. What an address may hold besides, such as a password, is not in it.
    pub fn title(&self) -> String {
        let origin = ask(&self.root, &["config", "remote.origin.url"]).unwrap_or_default();
        title(&origin).unwrap_or_else(|| {
            let name = self.root.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        })
    }

    /// Writes what a commit has below a path of the repository into a directory, through an index of its own.
    pub(crate) fn export(
        &self,
        reference: &str,
        path: &str,
        to: &Path,
        index: &Path,
    ) -> Result<(), GitError> {
        let commit = format!("{reference}^{{commit}}");
        let commit =
            ask(&self.root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
        let commit = commit.map_err(|error| match error {
            GitError::Failed { .. } => GitError::NoCommit(reference.to_owned()),
            other => other,
        })?;
        let tree = format!("{}:{path}", commit.trim());
        let prefix = format!("--prefix={path}/");
        ask_with(&self.root, &["read-tree", &prefix, &tree], Some(index))?;
        let prefix = format!("--prefix={}/", to.display());
        ask_with(&self.root, &["checkout-index", "--all", &prefix], Some(index)).map(drop)
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

/// Returns the last two parts of the path of a repository's address: `https://host/acme/web.git`, `git@host:acme/web`.
fn title(address: &str) -> Option<String> {
    let address = address.trim().trim_end_matches('/');
    let address = address.strip_suffix(".git").unwrap_or(address);
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => address.split_once(':').map_or(address, |(_, path)| path),
    };
    let parts: Vec<&str> = path
        .rsplit('/')
        .filter(|part| !part.is_empty() && !part.starts_with('.'))
        .take(2)
        .collect();
    (!parts.is_empty()).then(|| parts.into_iter().rev().collect::<Vec<_>>().join("/"))
}

fn ask(directory: &Path, arguments: &[&str]) -> Result<String, GitError> {
    ask_with(directory, arguments, None)
}

fn ask_with(
    directory: &Path,
    arguments: &[&str],
    index: Option<&Path>,
) -> Result<String, GitError> {
    let mut command = duct::cmd("git", arguments);
    if let Some(index) = index {
        command = command.env("GIT_INDEX_FILE", index);
    }
    let output = command
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: Option<&str>) {
        assert_eq!(title(address).as_deref(), expected);
    }

    #[test]
    fn titles() {
        check("https://user:secret@example.com/acme/web.git\n", Some("acme/web"));
        check("git@example.com:acme/web.git", Some("acme/web"));
        check("ssh://git@example.com:2222/group/acme/web/", Some("acme/web"));
        check("../web", Some("web"));
        check("", None);
        check("https://secret@example.com", None);
    }
}
