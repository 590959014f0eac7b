//! The schema that the provider itself has: Terraform fetches it from its registry, and asks it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use menagerie_terraform::{
    Cancel, DiscoverError, Ended, InitOptions, Limits, Notice, RunError, Search, Terraform,
    Workdir, closed_environment,
};

use crate::file::{self, FileError};
use crate::schema::ProviderSchema;
use crate::settings::Provider;

/// A plugin has hundreds of megabytes; where the registry does not answer Terraform gives up long before.
const LIMIT: Duration = Duration::from_mins(20);

/// The registry or the provider did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    /// There is no Terraform.
    #[error("there is no Terraform that can be used")]
    Terraform(#[source] DiscoverError),
    /// It could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It said no.
    #[error("`terraform {command}` did not succeed: {said}")]
    Ended {
        /// What was run.
        command: &'static str,
        /// What it said, in one line.
        said: String,
    },
    /// A scratch directory could not be made.
    #[error("failed to make a scratch directory")]
    Scratch(#[source] io::Error),
    /// What it printed is no schema.
    #[error(transparent)]
    Schema(#[from] FileError),
}

/// Asks the pinned version of a provider.
pub(crate) fn ask(
    provider: &Provider,
    terraform: Option<PathBuf>,
    cancel: &Cancel,
    say: &mut dyn FnMut(&str),
) -> Result<ProviderSchema, RegistryError> {
    let environment = closed_environment(std::env::vars_os());
    let search = Search { explicit: terraform, environment: environment.clone() };
    let terraform = Terraform::discover(&search).map_err(RegistryError::Terraform)?;
    say(&format!("Asking the registry for {} {}", provider.source, provider.version));
    let scratch = tempfile::tempdir().map_err(RegistryError::Scratch)?;
    let root = scratch.path().join("root");
    fs::create_dir(&root)
        .and_then(|()| fs::write(root.join("main.tf"), configuration(provider)))
        .map_err(RegistryError::Scratch)?;
    let workdir = Workdir::new(&root, scratch.path(), environment);
    let limits = Limits { timeout: Some(LIMIT), grace: None };
    let options = InitOptions { limits, ..InitOptions::default() };
    let mut ignore = |_: Notice<'_>| {};
    done("init", workdir.init(&terraform, &options, &mut ignore, cancel)?)?;
    let json =
        done("providers schema", workdir.providers_schema(&terraform, &mut ignore, cancel)?)?;
    Ok(file::parse(Path::new("terraform providers schema -json"), &json)?)
}

fn configuration(provider: &Provider) -> String {
    let (source, version) = (&provider.source, &provider.version);
    format!(
        "terraform {{\n  required_providers {{\n    it = {{\n      source  = \"{source}\"\n      version = \"{version}\"\n    }}\n  }}\n}}\n"
    )
}

fn done<T>(command: &'static str, ended: Ended<T>) -> Result<T, RegistryError> {
    match ended {
        Ended::Done(done) => Ok(done),
        other => {
            let said = other.map(drop).to_string();
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            Err(RegistryError::Ended { command, said })
        }
    }
}
