//! Which directories of the tree have tests, and which of them are asked for.

use super::TreeTestError;
use crate::file::{self, FileError};
use crate::repository::Repository;
use std::path::{Path, PathBuf};

/// Which tests are asked for; all where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeSelection {
    /// Only what is below these directories, and these files.
    pub paths: Vec<PathBuf>,
    /// Only files whose path, as seen from the top of the work tree, contains this.
    pub filter: Option<String>,
}

/// A directory with tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestDirectory {
    /// As seen from the top of the work tree: `tf/modules/vpc`.
    pub path: String,
    /// Its files of tests that are asked for, as seen from it.
    pub files: Vec<String>,
}

/// What is below `tf` and no module: what is generated has no tests of its own, and templates are tested by rendering them.
const NO_MODULES: &[&str] = &["tf/envs", "tf/templates"];

/// Finds the tests that are asked for; to find none is an error, since nothing that holds would be said.
pub fn select_tests(
    repository: &Repository,
    selection: &TreeSelection,
) -> Result<Vec<TestDirectory>, TreeTestError> {
    let root = repository.root();
    let mut all = Vec::new();
    collect(root, "tf", &mut all)?;
    let mut wanted = Vec::new();
    for path in &selection.paths {
        let inside = path.canonicalize().ok().and_then(|path| inside(root, &path));
        let inside = inside.ok_or_else(|| TreeTestError::NotInTree(path.clone()))?;
        if !all.iter().any(|directory| directory.files().any(|file| is_below(&file, &inside))) {
            return Err(TreeTestError::NoTests(format!("in `{inside}`")));
        }
        wanted.push(inside);
    }
    let is_wanted = |file: &str| {
        (wanted.is_empty() || wanted.iter().any(|path| is_below(file, path)))
            && selection.filter.as_deref().is_none_or(|filter| file.contains(filter))
    };
    for directory in &mut all {
        let path = directory.path.clone();
        directory.files.retain(|file| is_wanted(&format!("{path}/{file}")));
    }
    all.retain(|directory| !directory.files.is_empty());
    match (&selection.filter, all.is_empty()) {
        (_, false) => Ok(all),
        (Some(filter), true) => {
            Err(TreeTestError::NoTests(format!("in a file whose path contains `{filter}`")))
        }
        (None, true) => Err(TreeTestError::NoTests("in `tf`".to_owned())),
    }
}

impl TestDirectory {
    fn files(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|file| format!("{}/{file}", self.path))
    }
}

/// Returns a path as seen from the top of the work tree, where it is a part of the tree.
fn inside(root: &Path, path: &Path) -> Option<String> {
    let path = path.strip_prefix(root.canonicalize().ok()?).ok()?.to_str()?;
    let is_in = is_below(path, "tf") && !NO_MODULES.iter().any(|other| is_below(path, other));
    is_in.then(|| path.to_owned())
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn collect(root: &Path, path: &str, found: &mut Vec<TestDirectory>) -> Result<(), FileError> {
    let mut files = Vec::new();
    let mut below = Vec::new();
    for name in file::list(&root.join(path))? {
        let inner = format!("{path}/{name}");
        if name.starts_with('.') || NO_MODULES.contains(&inner.as_str()) {
            continue;
        }
        if is_test(&name) {
            files.push(name);
        } else if name == "tests" {
            let names = file::list(&root.join(&inner))?;
            files.extend(
                names.iter().filter(|name| is_test(name)).map(|name| format!("tests/{name}")),
            );
        } else if root.join(&inner).is_dir() {
            below.push(inner);
        }
    }
    if !files.is_empty() {
        found.push(TestDirectory { path: path.to_owned(), files });
    }
    below.iter().try_for_each(|path| collect(root, path, found))
}

fn is_test(name: &str) -> bool {
    name.ends_with(".tftest.hcl") || name.ends_with(".tftest.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[track_caller]
    fn check(repository: &Repository, paths: &[&str], filter: Option<&str>, expected: &str) {
        let selection = TreeSelection {
            paths: paths.iter().map(|path| repository.root().join(path)).collect(),
            filter: filter.map(str::to_owned),
        };
        let found = match select_tests(repository, &selection) {
            Ok(found) => found
                .iter()
                .map(|directory| format!("{}: {}", directory.path, directory.files.join(" ")))
                .collect::<Vec<_>>()
                .join(", "),
            Err(error) => error.to_string().replace(repository.root().to_str().unwrap(), "…"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        duct::cmd!("git", "init", "--quiet").dir(directory.path()).run().unwrap();
        for file in [
            "tf/a/main.tf",
            "tf/a/tests/one.tftest.hcl",
            "tf/a/tests/two.tftest.json",
            "tf/a/tests/fixture/main.tf",
            "tf/modules/b/c/top.tftest.hcl",
            "tf/modules/bc/tests/one.tftest.hcl",
            "tf/modules/.terraform/x/tests/no.tftest.hcl",
            "tf/envs/calm-otter/tests/no.tftest.hcl",
            "elsewhere/tests/no.tftest.hcl",
        ] {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let repository = Repository::open(directory.path()).unwrap();
        let all = "tf/a: tests/one.tftest.hcl tests/two.tftest.json, tf/modules/b/c: top.tftest.hcl, tf/modules/bc: tests/one.tftest.hcl";
        check(&repository, &[], None, all);
        check(&repository, &["tf"], None, all);
        check(&repository, &["tf/modules/b"], None, "tf/modules/b/c: top.tftest.hcl");
        check(&repository, &["tf/a/tests"], Some("two"), "tf/a: tests/two.tftest.json");
        check(&repository, &["tf/a/tests/one.tftest.hcl"], None, "tf/a: tests/one.tftest.hcl");
        let both = "tf/a: tests/one.tftest.hcl, tf/modules/bc: tests/one.tftest.hcl";
        check(&repository, &[], Some("/one"), both);
        check(
            &repository,
            &[],
            Some("three"),
            "there are no tests in a file whose path contains `three`",
        );
        check(&repository, &["tf/a/main.tf"], None, "there are no tests in `tf/a/main.tf`");
        check(&repository, &["elsewhere"], None, "`…/elsewhere` is no part of the tree in `tf`");
        check(
            &repository,
            &["tf/envs/calm-otter"],
            None,
            "`…/tf/envs/calm-otter` is no part of the tree in `tf`",
        );
        check(&repository, &["tf/nowhere"], None, "`…/tf/nowhere` is no part of the tree in `tf`");
    }
}
