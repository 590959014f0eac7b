//! The small port to git: where the repository is, what its remotes hold, who works in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A repository's work tree, asked through the `git` command.
#[derive(Debug, Clone)]
pub struct Git {
    root: PathBuf,
    common_directory: PathBuf,
}

/// What a commit has below a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The commit, as git names it.
    pub commit: String,
    /// The contents of the files, by their paths below that one.
    pub files: BTreeMap<String, Vec<u8>>,
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
        let tree = format!("{}:{path}", self.commit(reference)?);
        let prefix = format!("--prefix={path}/");
        ask_with(&self.root, &["read-tree", &prefix, &tree], Some(index))?;
        let prefix = format!("--prefix={}/", to.display());
        ask_with(&self.root, &["checkout-index", "--all", &prefix], Some(index)).map(drop)
    }

    /// Reads what a commit has below a path of the repository, just as it was committed: nothing of the work tree, its
    /// attributes or its index says anything in it. There are no files where the commit does not have the path.
    pub fn committed(&self, reference: &str, path: &str) -> Result<Committed, GitError> {
        let commit = self.commit(reference)?;
        let prefix = format!("{path}/");
        let listing =
            ask(&self.root, &["ls-tree", "-r", "-z", "--full-tree", &commit, "--", &prefix])?;
        // Each is `MODE TYPE OBJECT\tPATH`; what is no blob is a repository of its own.
        let blobs: Vec<(&str, &str)> = listing
            .split('\0')
            .filter_map(|entry| {
                let (facts, path) = entry.split_once('\t')?;
                let object = facts.split_once(" blob ")?.1;
                Some((object, path.strip_prefix(&prefix)?))
            })
            .collect();
        let mut asked = String::new();
        for (object, _) in &blobs {
            asked.push_str(object);
            asked.push('\n');
        }
        let answer = run(&self.root, &["cat-file", "--batch"], None, asked.into_bytes())?;
        let mut rest = &answer[..];
        let mut files = BTreeMap::new();
        for (object, path) in blobs {
            let (content, after) = batched(rest).ok_or_else(|| GitError::Failed {
                arguments: "cat-file --batch".to_owned(),
                stderr: format!("what it printed is cut short before `{object}`"),
            })?;
            files.insert(path.to_owned(), content.to_vec());
            rest = after;
        }
        Ok(Committed { commit, files })
    }

    /// Finds the commit that a reference names.
    fn commit(&self, reference: &str) -> Result<String, GitError> {
        let commit = format!("{reference}^{{commit}}");
        let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit];
        match ask(&self.root, &asked) {
            Ok(commit) => Ok(commit.trim().to_owned()),
            Err(GitError::Failed { .. }) => Err(GitError::NoCommit(reference.to_owned())),
            Err(other) => Err(other),
        }
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

/// Takes one object off what `git cat-file --batch` prints: `OBJECT TYPE SIZE`, a line break, the content, a line break.
fn batched(printed: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = printed.iter().position(|byte| *byte == b'\n')?;
    let header = str::from_utf8(&printed[..end]).ok()?;
    let size: usize = header.rsplit_once(' ')?.1.parse().ok()?;
    let content = printed.get(end + 1..)?.get(..size)?;
    Some((content, printed.get(end + 1 + size + 1..)?))
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
    let answer = run(directory, arguments, index, Vec::new())?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn run(
    directory: &Path,
    arguments: &[&str],
    index: Option<&Path>,
    input: Vec<u8>,
) -> Result<Vec<u8>, GitError> {
    let mut command = duct::cmd("git", arguments);
    if let Some(index) = index {
        command = command.env("GIT_INDEX_FILE", index);
    }
    let output = command
        .dir(directory)
        .stdin_bytes(input)
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .map_err(GitError::Start)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(GitError::Failed { arguments: arguments.join(" "), stderr })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_is_read_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let git = |arguments: &[&str]| {
            let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.invalid"];
            ask(&root, &[&who, arguments].concat()).unwrap()
        };
        git(&["init", "--quiet"]);
        write("rules/a.toml", b"one\n\n\xff");
        write("rules/sub/ä \"b\".toml", b"");
        write("rules-2/c.toml", b"other");
        write(".gitattributes", b"rules/sub export-ignore\n*.toml text eol=crlf\n");
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message=Start"]);
        write("rules/a.toml", b"two");
        write("rules/d.toml", b"new");
        let port = Git::discover(&root).unwrap();
        let committed = port.committed("HEAD", "rules").unwrap();
        assert_eq!(committed.commit, git(&["rev-parse", "HEAD"]).trim());
        let expected = [("a.toml", &b"one\n\n\xff"[..]), ("sub/ä \"b\".toml", b"")];
        let expected = expected.map(|(path, content)| (path.to_owned(), content.to_vec()));
        assert_eq!(committed.files, BTreeMap::from(expected));
        assert!(port.committed("HEAD", "none").unwrap().files.is_empty());
        for reference in ["gone", "--all", "HEAD:rules"] {
            let error = port.committed(reference, "rules").unwrap_err();
            assert!(matches!(&error, GitError::NoCommit(of) if of == reference), "{error}");
        }
    }

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
