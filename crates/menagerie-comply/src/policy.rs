//! The policy: the files of a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use menagerie_compliance::{Policy, PolicyFile, Rule};

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

impl PolicyArgs {
    /// Reads the policy; there is at least one rule.
    pub(crate) fn read(&self) -> Result<Policy, Problem> {
        let directory = &self.policy;
        let shown = self.policy_name.as_ref().unwrap_or(directory);
        let failed = |error: io::Error| {
            let message = format!("failed to read the rules in `{}`", shown.display());
            Problem::new(exit::POLICY, message).cause(error)
        };
        let mut paths = Vec::new();
        find(directory, Path::new(""), &mut paths).map_err(failed)?;
        paths.sort();
        let mut texts = Vec::new();
        for path in paths {
            let text = fs::read_to_string(directory.join(&path)).map_err(failed)?;
            texts.push((shown.join(&path), text));
        }
        let files: Vec<PolicyFile<'_>> =
            texts.iter().map(|(path, text)| PolicyFile { path, text }).collect();
        let policy = Policy::parse(&files).map_err(|errors| {
            let message = format!("the policy in `{}` is not valid\n\n{errors}\n", shown.display());
            let problem = Problem::new(exit::POLICY, message);
            problem.hint("docs/compliance/README.md says how to write a rule")
        })?;
        if policy.rules.is_empty() {
            let message = format!("there is no rule in `{}`", shown.display());
            let problem = Problem::new(exit::NOTHING_EVALUATED, message);
            return Err(problem.hint("`--policy DIR` names another directory of rules"));
        }
        Ok(policy)
    }
}

/// Finds the files that end in `.toml`, relative to `root`.
fn find(root: &Path, below: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            find(root, &path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            into.push(path);
        }
    }
    Ok(())
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
