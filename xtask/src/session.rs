//! Puts together what an operation needs from outside: the repository, Terraform, the provider, the signals.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use menagerie_lifecycle::{OpenError, Progress, Repository, Session};
use menagerie_terraform::{Cancel, Search, Terraform, closed_environment, installation};

use crate::output::Terminal;
use crate::progress::Display;
use crate::report::Problem;
use crate::{binary, exit, interrupt, surroundings};

/// How much is told.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Verbosity {
    /// Show each line that Terraform prints
    #[arg(long)]
    verbose: bool,
}

/// Opens the repository of the current directory, else the one that this program was built from.
pub(crate) fn repository() -> anyhow::Result<Repository> {
    let here = surroundings::current_directory().context("failed to find the current directory")?;
    let opened = Repository::open(&here);
    // `cargo run --manifest-path` works from anywhere, and cargo says where the package is.
    let manifest = surroundings::variable("CARGO_MANIFEST_DIR");
    match (opened, manifest) {
        (Err(OpenError::Git(_)), Some(manifest)) => Ok(Repository::open(Path::new(&manifest))?),
        (opened, _) => Ok(opened?),
    }
}

/// Runs an operation with all that it needs; signals are counted from here on, and no longer end the process.
pub(crate) fn with<T>(
    terminal: Terminal,
    repository: &Repository,
    verbosity: Verbosity,
    operation: impl FnOnce(&mut Session<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let variables = closed_environment(surroundings::variables());
    let terraform = terraform(&variables, Some(&repository.home().tools()))?;
    let mut display = Display::new(terminal, verbosity.verbose);
    let cancel = Cancel::default();
    interrupt::listen(cancel.clone(), display.voice()).context("failed to listen for signals")?;
    let done = run(repository, &terraform, variables, &cancel, &mut display, operation);
    display.end();
    done
}

/// Finds the Terraform to run: the one that `MENAGERIE_TERRAFORM` names, else the one that `setup` fetched, else the first
/// on the PATH.
pub(crate) fn terraform(
    variables: &BTreeMap<OsString, OsString>,
    tools: Option<&Path>,
) -> Result<Terraform, Problem> {
    const EXPLICIT: &str = "MENAGERIE_TERRAFORM";
    let named = surroundings::variable(EXPLICIT).map(PathBuf::from);
    let fetched = tools.map(|tools| tools.join("terraform")).filter(|path| path.exists());
    let hint = if named.is_some() {
        format!("the variable `{EXPLICIT}` names it; without it the PATH is searched")
    } else if let Some(fetched) = &fetched {
        format!("`cargo xtask setup` fetched it; remove `{}` to do without", fetched.display())
    } else {
        let os_release = fs::read_to_string("/etc/os-release").ok();
        format!(
            "`cargo xtask setup` fetches one; or install one: {}",
            installation(os_release.as_deref())
        )
    };
    let explicit = named.or(fetched);
    let search = Search { explicit, environment: variables.clone() };
    // Beside no environment's records, which end with it: what is known of a program is the user's.
    let cache = surroundings::cache_directory().map(|directory| directory.join("terraform.json"));
    let found = match &cache {
        Some(cache) => Terraform::discover_with_cache(&search, cache),
        None => Terraform::discover(&search),
    };
    found.map_err(|error| {
        Problem::new(exit::NO_TERRAFORM, "there is no Terraform that can be used")
            .hint(hint)
            .cause(error)
    })
}

fn run<T>(
    repository: &Repository,
    terraform: &Terraform,
    variables: BTreeMap<OsString, OsString>,
    cancel: &Cancel,
    display: &mut Display,
    operation: impl FnOnce(&mut Session<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let built = build_provider(repository, display);
    if cancel.count() > 0 {
        // The terminal interrupts cargo too, whose failure is then none.
        return Err(
            Problem::new(exit::INTERRUPTED, "interrupted before anything was changed").into()
        );
    }
    let mut session = Session {
        repository,
        terraform,
        provider: built?,
        variables,
        cancel: cancel.clone(),
        observer: &mut |progress: Progress<'_>| display.observe(&progress),
    };
    operation(&mut session)
}

/// Returns the provider, for what needs no Terraform.
pub(crate) fn provider(
    terminal: Terminal,
    repository: &Repository,
    verbosity: Verbosity,
) -> anyhow::Result<PathBuf> {
    let mut display = Display::new(terminal, verbosity.verbose);
    let built = build_provider(repository, &mut display);
    display.end();
    built
}

fn build_provider(repository: &Repository, display: &mut Display) -> anyhow::Result<PathBuf> {
    const PROVIDER: &str = "menagerie-provider";
    // A repository that is no workspace of ours names one that is built already.
    if let Some(path) = surroundings::variable("MENAGERIE_PROVIDER") {
        return Ok(PathBuf::from(path));
    }
    display.begin(format!("Building `{PROVIDER}`"));
    binary::build(PROVIDER, repository.root())
}
