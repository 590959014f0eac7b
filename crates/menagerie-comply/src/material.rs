//! [`Material`]: what is judged, read from where xtask says that it is.

use std::cell::OnceCell;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use jiff::civil::Date;
use menagerie_compliance::{EnvironmentFacts, Finding, Input, Record, Source};
use menagerie_evidence::{
    Configuration, Files as _, GithubAnswers, PipelineOptions, Unreadable, WorkTree,
    read_application, read_inventory, read_pipeline, unknown_of_branches,
};
use serde::Deserialize;

use crate::exit;
use crate::problem::Problem;
use crate::verdict::today;

/// Where a repository has its Terraform.
const TREE: &str = "tf";

/// The branches that are told, also where nothing is known of them.
const BRANCHES: &[&str] = &["development", "master"];

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

    /// Compare each plan with this one of production, or with its state
    #[arg(long, value_name = "FILE")]
    production: Option<PathBuf>,

    /// The top of the work tree
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,

    /// Judge what stands in the repository too: HCL, the pipeline, the inventory, the application
    #[arg(long, requires = "repository")]
    records: bool,

    /// What GitHub answered when it was asked about branches
    #[arg(long, value_name = "FILE", requires = "records")]
    branch_rules: Option<PathBuf>,
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
    /// The names and texts of its root module, where the work tree does not have it, in a file of JSON.
    files: Option<PathBuf>,
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
    /// Production's plan or state.
    pub(crate) production: Option<Vec<u8>>,
    pub(crate) records: Option<Records>,
    pub(crate) unreadable: Vec<Unreadable>,
    tree: Option<WorkTree>,
    configuration: OnceCell<Configuration>,
    is_rehearsal: bool,
    notes: Vec<String>,
}

/// What stands in the repository beside plans.
#[derive(Debug)]
pub(crate) struct Records {
    configuration: Vec<Record>,
    pipeline: Vec<Record>,
    inventory: Vec<Record>,
    application: Vec<Record>,
}

/// A plan or a state, and whose it is.
#[derive(Debug)]
pub(crate) struct PlanMaterial {
    /// What a person calls it.
    pub(crate) name: String,
    pub(crate) root: String,
    pub(crate) environment: Option<EnvironmentFacts>,
    pub(crate) json: Vec<u8>,
    /// The names and texts of its root module, where the work tree does not have it.
    files: Option<Vec<(String, String)>>,
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
                files: None,
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
                files: subject.files.as_deref().map(texts).transpose()?,
            });
        }
        let tree = match &args.repository {
            Some(root) => Some(WorkTree::open(root).map_err(|error| {
                let message = format!("failed to read `{}`", root.display());
                Problem::new(exit::NOTHING_EVALUATED, message).cause(error)
            })?),
            None => None,
        };
        let mut material = Self {
            plans,
            production: args.production.as_deref().map(read).transpose()?,
            records: None,
            unreadable: Vec::new(),
            tree,
            configuration: OnceCell::new(),
            is_rehearsal: args.subjects.iter().any(|subject| subject.is_rehearsal),
            notes: Vec::new(),
        };
        if args.records {
            material.read_records(args.branch_rules.as_deref())?;
        }
        Ok(material)
    }

    /// Reads what stands in the repository.
    fn read_records(&mut self, branch_rules: Option<&Path>) -> Result<(), Problem> {
        let Some(tree) = &self.tree else { return Ok(()) };
        let answers = branch_rules.map(answers).transpose()?;
        let options = PipelineOptions { branches: BRANCHES, answers: answers.as_ref() };
        let configuration = self.configuration.get_or_init(|| Configuration::read(tree, TREE));
        let pipeline = read_pipeline(tree, options);
        let inventory = read_inventory(tree, today());
        let application = read_application(tree);
        let others = [&pipeline, &inventory, &application];
        let others = others.into_iter().flat_map(|evidence| &evidence.unreadable);
        self.unreadable = configuration.unreadable().iter().chain(others).cloned().collect();
        self.notes.extend(self.unreadable.iter().map(|what| format!("not read: {what}")));
        if self.plans.is_empty() {
            self.notes.push("no plan was judged: `--env NAME` adds that of an environment, `--hosting ecs` that of a new one, with no account".to_owned());
        }
        if branch_rules.is_none() {
            self.notes.push("who may change the branches was not judged: `--branch-rules FILE` takes what GitHub answers".to_owned());
        } else {
            self.notes.extend(unknown_of_branches(options));
        }
        self.records = Some(Records {
            configuration: configuration.records().to_vec(),
            pipeline: pipeline.records,
            inventory: inventory.records,
            application: application.records,
        });
        Ok(())
    }

    /// Finds where what was found in a plan is written, and of what was found in the configuration the line in its block.
    pub(crate) fn locate(&self, findings: &mut [Finding]) {
        let Some(tree) = &self.tree else { return };
        for finding in findings.iter_mut() {
            if finding.source == Source::Configuration
                && let Some(configuration) = self.configuration.get()
                && let (Some(address), Some(attribute)) = (&finding.address, &finding.attribute)
                && let Some(location) = configuration.locate(address, attribute)
            {
                finding.location = Some(location);
            }
        }
        for plan in self.plans.iter().filter(|plan| !plan.root.is_empty()) {
            let mut found = findings
                .iter_mut()
                .filter(|finding| {
                    finding.source.is_of_plan()
                        && finding.root == plan.root
                        && finding.location.is_none()
                })
                .peekable();
            if found.peek().is_none() {
                continue;
            }
            let configuration = self.configuration.get_or_init(|| Configuration::read(tree, TREE));
            let locator = match &plan.files {
                Some(texts) => configuration.locator_of_texts(&plan.root, texts, tree),
                None => configuration.locator(&plan.root, tree),
            };
            for finding in found {
                let address = finding.address.as_deref().unwrap_or_default();
                finding.location = locator.locate(address, finding.attribute.as_deref());
            }
        }
    }

    /// Returns whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.plans.is_empty() && self.records.is_none()
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

impl Records {
    /// Returns them as what is judged.
    pub(crate) fn input(&self) -> Input<'_> {
        Input {
            configuration: Some(&self.configuration),
            pipeline: Some(&self.pipeline),
            inventory: Some(&self.inventory),
            application: Some(&self.application),
            ..Input::default()
        }
    }
}

/// Reads what GitHub answered.
fn answers(path: &Path) -> Result<GithubAnswers, Problem> {
    let failed = || {
        let message = format!("failed to read what GitHub answered in `{}`", path.display());
        Problem::new(exit::POLICY, message).hint("docs/compliance/README.md says how to ask it")
    };
    let text = fs::read_to_string(path).map_err(|error| failed().cause(error))?;
    GithubAnswers::parse(&text).map_err(|error| failed().cause(error))
}

/// Reads the names and texts of files, as xtask hands them over.
fn texts(path: &Path) -> Result<Vec<(String, String)>, Problem> {
    serde_json::from_slice(&read(path)?).map_err(|error| {
        let message = format!("failed to read the root module in `{}`", path.display());
        Problem::new(exit::FAILED, message).cause(error)
    })
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
