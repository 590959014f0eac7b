//! The policy: the files of a directory, or of a commit.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use menagerie_compliance::{Policy, PolicyFile, Rule};
use serde::Deserialize;

use crate::exit;
use crate::problem::Problem;

/// Which rules.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Take rules and waivers from this directory
    #[arg(long, value_name = "DIR")]
    policy: PathBuf,

    /// Call that directory so [default: as it is given]
    #[arg(long, value_name = "NAME")]
    policy_name: Option<PathBuf>,
}

/// The policy that a commit has, as xtask hands it over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Base {
    /// The commit, as the user named it.
    pub(crate) reference: String,
    /// The commit, as git names it.
    pub(crate) commit: String,
    /// What the policy is called: where it lies in the repository.
    name: PathBuf,
    /// Its files by their paths below that; none is the text of one that is no UTF-8.
    files: BTreeMap<PathBuf, Option<String>>,
}

/// The texts of a policy.
pub(crate) struct Texts {
    name: String,
    files: Vec<(PathBuf, String)>,
}

impl PolicyArgs {
    /// Reads the policy; there is at least one rule.
    pub(crate) fn read(&self) -> Result<Policy, Problem> {
        self.texts()?.parse()
    }

    /// Returns the directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.policy
    }

    /// Returns what the directory is called.
    pub(crate) fn name(&self) -> &Path {
        self.policy_name.as_deref().unwrap_or(&self.policy)
    }

    /// Reads the files of the policy.
    pub(crate) fn texts(&self) -> Result<Texts, Problem> {
        let name = self.name().display().to_string();
        let failed = |error: io::Error| {
            let message = format!("failed to read the rules in `{name}`");
            Problem::new(exit::POLICY, message).cause(error)
        };
        let mut paths = Vec::new();
        find(&self.policy, Path::new(""), &mut paths).map_err(failed)?;
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let text = fs::read_to_string(self.policy.join(&path)).map_err(failed)?;
            files.push((self.name().join(&path), text));
        }
        Ok(Texts { name, files })
    }
}

impl Base {
    /// Reads what xtask wrote.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let failed = |error: io::Error| {
            let message = format!("failed to read the base in `{}`", path.display());
            Problem::new(exit::POLICY, message).cause(error)
        };
        let text = fs::read(path).map_err(failed)?;
        serde_json::from_slice(&text).map_err(|error| failed(error.into()))
    }

    /// Parses the policy; there is at least one rule.
    pub(crate) fn policy(&self) -> Result<Policy, Problem> {
        let name = format!("{}:{}", self.reference.escape_debug(), self.name.display());
        let mut files = Vec::new();
        for (path, text) in self.files.iter().filter(|(path, _)| is_of_policy(path)) {
            let path = self.name.join(path);
            let Some(text) = text else {
                let message = format!("`{name}` has a file that is no text: `{}`", path.display());
                return Err(Problem::new(exit::POLICY, message));
            };
            files.push((path, text.clone()));
        }
        Texts { name, files }.parse()
    }
}

impl Texts {
    /// Puts a text in the place of a file's, or adds one.
    pub(crate) fn put(&mut self, path: PathBuf, text: String) {
        self.files.retain(|(other, _)| *other != path);
        self.files.push((path, text));
    }

    /// Parses them; there is at least one rule.
    pub(crate) fn parse(&self) -> Result<Policy, Problem> {
        let Self { name, files } = self;
        let files: Vec<PolicyFile<'_>> =
            files.iter().map(|(path, text)| PolicyFile { path, text }).collect();
        let policy = Policy::parse(&files).map_err(|errors| {
            let message = format!("the policy in `{name}` is not valid\n\n{errors}\n");
            let problem = Problem::new(exit::POLICY, message);
            problem.hint("docs/compliance/README.md says how to write a rule")
        })?;
        if policy.rules.is_empty() {
            let message = format!("there is no rule in `{name}`");
            let problem = Problem::new(exit::NOTHING_EVALUATED, message);
            return Err(problem.hint("`--policy DIR` names another directory of rules"));
        }
        Ok(policy)
    }
}

/// Finds the files of a policy, relative to `root`.
fn find(root: &Path, below: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            find(root, &path, into)?;
        } else if is_of_policy(&path) {
            into.push(path);
        }
    }
    Ok(())
}

fn is_of_policy(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// Finds a rule, or says which is near.
pub(crate) fn rule<'p>(policy: &'p Policy, id: &str) -> Result<&'p Rule, Problem> {
    policy.rule(id).ok_or_else(|| {
        let problem = Problem::usage(format!("there is no rule `{}`", id.escape_debug()));
        let same = policy.rules.iter().find(|rule| rule.about.id.as_str().eq_ignore_ascii_case(id));
        if let Some(rule) = same {
            return problem.hint(format!("did you mean `{}`?", rule.about.id));
        }
        let ids: Vec<&str> = policy.rules.iter().map(|rule| rule.about.id.as_str()).collect();
        problem.hint(format!("there is {}", ids.join(", ")))
    })
}
