//! The policy: the files of a directory, or of a commit.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use menagerie_compliance::{About, Policy, PolicyFile};
use menagerie_rego::{Not, Options, RegoPolicy};
use menagerie_report::Description;
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

    /// What becomes of `not` in Rego where an argument may be undefined
    #[arg(long, value_name = "WHICH", default_value = "opa")]
    not: NotArg,
}

/// What becomes of `not f(input.x)` where `input.x` may be undefined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NotArg {
    /// It does not hold then, as in OPA
    Opa,
    /// It is refused
    Strict,
}

/// Rules, however they are written, with their waivers and settings.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Rules of keys and values; and the waivers, the settings and the tests.
    pub(crate) native: Policy,
    /// Rules in Rego, where there are any.
    pub(crate) rego: Option<RegoPolicy>,
    abouts: Vec<About>,
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
    pub(crate) fn read(&self) -> Result<Rules, Problem> {
        self.parse(&self.texts()?)
    }

    /// Reads the policy that a commit has; there is at least one rule.
    pub(crate) fn read_base(&self, base: &Base) -> Result<Rules, Problem> {
        self.parse(&base.texts()?)
    }

    /// Parses a policy; there is at least one rule.
    pub(crate) fn parse(&self, texts: &Texts) -> Result<Rules, Problem> {
        let not = match self.not {
            NotArg::Opa => Not::Opa,
            NotArg::Strict => Not::Strict,
        };
        let now_ns = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        texts.parse(Options { not, now_ns, ..Options::default() })
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

    fn texts(&self) -> Result<Texts, Problem> {
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
        Ok(Texts { name, files })
    }
}

impl Texts {
    /// Puts a text in the place of a file's, or adds one.
    pub(crate) fn put(&mut self, path: PathBuf, text: String) {
        self.files.retain(|(other, _)| *other != path);
        self.files.push((path, text));
    }

    fn parse(&self, options: Options) -> Result<Rules, Problem> {
        let Self { name, files } = self;
        let files: Vec<PolicyFile<'_>> =
            files.iter().map(|(path, text)| PolicyFile { path, text }).collect();
        let (native, rego) = (Policy::parse(&files), RegoPolicy::parse(&files, options));
        let (native, rego) = match (native, rego) {
            (Ok(native), Ok(rego)) => (native, rego),
            (native, rego) => {
                let native = native.err().map(|errors| errors.to_string());
                let rego = rego.err().map(|errors| errors.to_string());
                let errors: Vec<String> = native.into_iter().chain(rego).collect();
                return Err(self.invalid(&errors.join("\n\n")));
            }
        };
        let mut abouts: Vec<About> = native.rules.iter().map(|rule| rule.about.clone()).collect();
        for about in rego.rules() {
            if let Some(other) = native.files.get(&about.id) {
                let file = rego.file(&about.id).unwrap_or(Path::new(name)).display();
                let taken =
                    format!("{file}: the id `{}` is taken by `{}`", about.id, other.display());
                return Err(self.invalid(&taken));
            }
            abouts.push(about);
        }
        if abouts.is_empty() {
            let message = format!("there is no rule in `{name}`");
            let problem = Problem::new(exit::NOTHING_EVALUATED, message);
            return Err(problem.hint("`--policy DIR` names another directory of rules"));
        }
        let rego = (!rego.rules().is_empty()).then_some(rego);
        Ok(Rules { native, rego, abouts })
    }

    fn invalid(&self, errors: &str) -> Problem {
        let message = format!("the policy in `{}` is not valid\n\n{errors}\n", self.name);
        let problem = Problem::new(exit::POLICY, message);
        problem.hint("docs/compliance/README.md says how to write a rule")
    }
}

impl Rules {
    /// Returns what a person reads of the rules.
    pub(crate) fn abouts(&self) -> Vec<&About> {
        self.abouts.iter().collect()
    }

    /// Finds a rule, or says which is near.
    pub(crate) fn find(&self, id: &str) -> Result<&About, Problem> {
        let ids = || self.abouts.iter().map(|about| about.id.as_str());
        if let Some(about) = self.abouts.iter().find(|about| about.id.as_str() == id) {
            return Ok(about);
        }
        let problem = Problem::usage(format!("there is no rule `{}`", id.escape_debug()));
        Err(match ids().find(|other| other.eq_ignore_ascii_case(id)) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!("there is {}", ids().collect::<Vec<_>>().join(", "))),
        })
    }

    /// Returns what a rule wants.
    pub(crate) fn describe<'a>(&'a self, about: &'a About) -> Description<'a> {
        if let Some(rule) = self.native.rule(about.id.as_str()) {
            return Description::of(rule);
        }
        let file = self.rego.as_ref().and_then(|rego| rego.file(&about.id));
        let place = file.map_or_else(String::new, |file| format!("`{}`", file.display()));
        Description::of_program(about, &place)
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

/// Returns whether a file is one of rules, waivers, settings or tests, or of data for rules in Rego.
fn is_of_policy(path: &Path) -> bool {
    let is_data = path.components().any(|part| part.as_os_str() == "data");
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml" | "rego") => true,
        Some("json" | "yaml" | "yml") => is_data,
        _ => false,
    }
}
