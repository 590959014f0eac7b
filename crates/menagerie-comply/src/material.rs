//! [`Material`]: what is judged, read from where xtask says that it is.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use jiff::civil::Date;
use menagerie_compliance::EnvironmentFacts;
use menagerie_evidence::{Files as _, WorkTree};
use serde::Deserialize;

use crate::exit;
use crate::problem::Problem;

/// What is judged.
#[derive(Debug, Args)]
pub(crate) struct MaterialArgs {
    /// Judge what `terraform show -json` printed, of a saved plan or of a state; `-` is standard input
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// The directory of that plan's root module, relative to the repository
    #[arg(long, value_name = "DIR", default_value = "")]
    root: String,

    /// Judge a plan that is an environment's, or a rehearsal's, as JSON: `root`, `plan`, `environment`, `is_rehearsal`
    #[arg(long = "subject", value_name = "JSON")]
    subjects: Vec<Subject>,

    /// The top of the work tree
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
}

/// A plan that xtask made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    /// The directory of its root module, relative to the repository.
    root: String,
    /// What `terraform show -json` printed.
    plan: PathBuf,
    /// Whose it is.
    environment: Option<SubjectEnvironment>,
    /// Whether it was made without an account.
    is_rehearsal: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectEnvironment {
    name: String,
    expires: Date,
}

/// All that is judged.
#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) plans: Vec<PlanMaterial>,
    tree: Option<WorkTree>,
    is_rehearsal: bool,
    notes: Vec<String>,
}

/// A plan or a state, and whose it is.
#[derive(Debug)]
pub(crate) struct PlanMaterial {
    /// What a person calls it.
    pub(crate) name: String,
    pub(crate) root: String,
    pub(crate) environment: Option<EnvironmentFacts>,
    pub(crate) json: Vec<u8>,
}

impl FromStr for Subject {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl Material {
    pub(crate) fn read(args: &MaterialArgs) -> Result<Self, Problem> {
        let mut plans = Vec::new();
        if let Some(plan) = &args.plan {
            plans.push(PlanMaterial {
                name: format!("`{}`", plan.display()),
                root: args.root.clone(),
                environment: None,
                json: read(plan)?,
            });
        }
        for subject in &args.subjects {
            let environment = subject.environment.as_ref().map(|environment| EnvironmentFacts {
                name: environment.name.clone(),
                expires: environment.expires,
            });
            plans.push(PlanMaterial {
                name: format!("the plan of `{}`", subject.root),
                root: subject.root.clone(),
                environment,
                json: read(&subject.plan)?,
            });
        }
        let tree = match &args.repository {
            Some(root) => Some(WorkTree::open(root).map_err(|error| {
                let message = format!("failed to read `{}`", root.display());
                Problem::new(exit::NOTHING_EVALUATED, message).cause(error)
            })?),
            None => None,
        };
        let is_rehearsal = args.subjects.iter().any(|subject| subject.is_rehearsal);
        Ok(Self { plans, tree, is_rehearsal, notes: Vec::new() })
    }

    /// Returns whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.plans.is_empty()
    }

    /// Returns whether a plan of it was made without an account.
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.is_rehearsal
    }

    /// Returns what else a reader has to know.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns the text of a file of the repository.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.tree.as_ref()?.read(path).ok()
    }
}

fn read(plan: &Path) -> Result<Vec<u8>, Problem> {
    let read = if plan == Path::new("-") {
        let mut json = Vec::new();
        io::stdin().lock().read_to_end(&mut json).map(|_| json)
    } else {
        fs::read(plan)
    };
    read.map_err(|error| {
        let message = format!("failed to read `{}`", plan.display());
        Problem::new(exit::NOTHING_EVALUATED, message).cause(error)
    })
}
