//! [`Row`]: what can be measured, one file a row, and [`Setting`]: what the rows share.

mod compliance;
mod environment;
mod inventory;
mod parallel;
mod parsing;
mod rego;
mod rendering;
mod terraform;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use menagerie_terraform::{Search, Terraform, closed_environment};
use tempfile::TempDir;

use crate::population::Population;
use crate::report::Measure;

/// A row of work that has a bar or a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// How many Terraform processes a plan and an apply start
    Processes,
    /// What a run of Terraform costs beyond Terraform
    Overhead,
    /// `env list` among 10,000 environments
    List,
    /// `env new` among 10,000 environments
    New,
    /// Many plans at once against `xargs -P`
    Parallel,
    /// Plan and apply against the eight commands of a script
    Sequence,
    /// `env up` of a new environment, all built
    Up,
    /// From a fresh clone to a URL that answers; takes minutes
    Clone,
    /// Rendering a root module
    Render,
    /// Reading a plan: parsing, summary and digest
    Plan,
    /// Judging a plan of 10,000 resources by ten rules
    Comply,
    /// Judging it by ten rules in Rego against Open Policy Agent
    Rego,
}

impl Row {
    /// Returns the rows that are measured where none is named.
    pub(crate) fn usual() -> Vec<Self> {
        Self::value_variants().iter().copied().filter(|row| *row != Self::Clone).collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Overhead => "overhead",
            Self::List => "list",
            Self::New => "new",
            Self::Parallel => "parallel",
            Self::Sequence => "sequence",
            Self::Up => "up",
            Self::Clone => "clone",
            Self::Render => "render",
            Self::Plan => "plan",
            Self::Comply => "comply",
            Self::Rego => "rego",
        }
    }

    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Processes => "how many Terraform processes a plan and an apply start",
            Self::Overhead => "what a run of Terraform costs beyond Terraform",
            Self::List => "`env list` among many environments",
            Self::New => "`env new` among many environments",
            Self::Parallel => "many plans at once against `xargs -P`",
            Self::Sequence => "plan and apply against the eight commands of a script",
            Self::Up => "`env up` of a new environment, all built",
            Self::Clone => "from a fresh clone to a URL that answers",
            Self::Render => "rendering a root module",
            Self::Plan => "reading a plan: parsing, summary and digest",
            Self::Comply => "judging a plan of many resources by ten rules",
            Self::Rego => "judging it by ten rules in Rego against Open Policy Agent",
        }
    }

    pub(crate) fn measure(self, setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
        match self {
            Self::Processes => environment::processes(setting),
            Self::Overhead => terraform::overhead(setting),
            Self::List => inventory::list(setting),
            Self::New => inventory::new(setting),
            Self::Parallel => parallel::parallel(setting),
            Self::Sequence => terraform::sequence(setting),
            Self::Up => environment::up(setting),
            Self::Clone => environment::clone(setting),
            Self::Render => rendering::render(setting),
            Self::Plan => parsing::plan(setting),
            Self::Comply => compliance::comply(setting),
            Self::Rego => rego::rego(setting),
        }
    }
}

/// What the rows share.
#[derive(Debug)]
pub(crate) struct Setting {
    repository: PathBuf,
    xtask: PathBuf,
    provider: Option<PathBuf>,
    application: Option<PathBuf>,
    pub(crate) comply: Option<PathBuf>,
    quick: bool,
    variables: BTreeMap<OsString, OsString>,
    scratch: TempDir,
    populations: BTreeMap<usize, Population>,
}

impl Setting {
    pub(crate) fn new(
        repository: PathBuf,
        xtask: PathBuf,
        provider: Option<PathBuf>,
        application: Option<PathBuf>,
        quick: bool,
    ) -> anyhow::Result<Self> {
        // What is set for the user's own work changes nothing here.
        let foreign = ["AWS_", "GITHUB_", "GIT_", "MENAGERIE_", "OTEL_", "TF_"];
        let variables = std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            !foreign.iter().any(|prefix| name.starts_with(prefix))
        });
        let mut variables: BTreeMap<OsString, OsString> = variables.collect();
        variables.insert("NO_COLOR".into(), "1".into());
        let scratch = tempfile::tempdir().context("failed to make a temporary directory")?;
        let populations = BTreeMap::new();
        Ok(Self {
            repository,
            xtask,
            provider,
            application,
            comply: None,
            quick,
            variables,
            scratch,
            populations,
        })
    }

    pub(crate) fn repository(&self) -> &Path {
        &self.repository
    }

    pub(crate) fn xtask(&self) -> &Path {
        &self.xtask
    }

    /// Returns the environment variables that programs are measured with.
    pub(crate) fn environment(&self) -> &BTreeMap<OsString, OsString> {
        &self.variables
    }

    /// Returns what only rows that make environments need.
    fn programs(&self) -> anyhow::Result<(&Path, &Path)> {
        let provider = self.provider.as_deref().context("`--provider` is missing")?;
        let application = self.application.as_deref().context("`--application` is missing")?;
        Ok((provider, application))
    }

    /// Returns whether enough is measured to judge a bar.
    fn is_judged(&self) -> bool {
        !self.quick
    }

    /// Returns how many samples are taken.
    fn rounds(&self, usual: usize) -> usize {
        if self.quick { 2 } else { usual }
    }

    /// Makes an empty directory that nobody else has.
    fn directory(&self) -> anyhow::Result<PathBuf> {
        let directory = tempfile::tempdir_in(self.scratch.path());
        Ok(directory.context("failed to make a temporary directory")?.keep())
    }

    /// Returns a repository with this many environments, made when it is first asked for.
    fn population(&mut self, count: usize) -> anyhow::Result<&Population> {
        if !self.populations.contains_key(&count) {
            let population = Population::make(self.directory()?, count, &self.variables)
                .with_context(|| format!("failed to make {count} environments"))?;
            self.populations.insert(count, population);
        }
        Ok(&self.populations[&count])
    }

    /// Finds Terraform, and returns it with the variables that it is run with.
    fn terraform(&self) -> anyhow::Result<(Terraform, BTreeMap<OsString, OsString>)> {
        let environment = closed_environment(self.variables.clone());
        let search = Search { environment: environment.clone(), ..Search::default() };
        Ok((Terraform::discover(&search)?, environment))
    }
}
