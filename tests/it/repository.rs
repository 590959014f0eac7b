//! The rules that this repository sets itself, each a test.

mod crates;
mod documents;
mod files;
mod image;
mod schemas;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The top of the work tree.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ is in the work tree")
}

/// Reads a text file of the work tree.
#[track_caller]
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("failed to read `{}`: {error}", path.display()))
}

/// Returns the files that are in git, or would be with the next `git add`, relative to the top.
fn files() -> BTreeSet<PathBuf> {
    let listing =
        duct::cmd("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .dir(root())
            // A git hook that runs the tests sets these for its own repository.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .read()
            .expect("the tests run in a git work tree");
    let files: BTreeSet<PathBuf> =
        listing.split('\0').filter(|path| root().join(path).is_file()).map(PathBuf::from).collect();
    assert!(files.contains(Path::new("Cargo.toml")), "git lists the work tree");
    files
}

/// Returns the files with this extension.
fn files_with(extension: &str) -> Vec<PathBuf> {
    files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

/// Resolves `.` and `..` by the text alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// Fails with all that is wrong, one a line.
#[track_caller]
fn assert_none(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}:\n{}", violations.join("\n"));
}
