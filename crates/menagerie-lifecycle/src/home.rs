//! Where everything lies that this machine knows of its environments: `<git common directory>/menagerie/`.
//!
//! It survives `git clean -fdx` and a change of branch, and all worktrees share it.

use crate::file::{self, FileError};
use menagerie_naming::EnvName;
use std::path::{Path, PathBuf};

/// The directory of local records, made on first use and open to its owner only.
#[derive(Debug, Clone)]
pub struct Home {
    directory: PathBuf,
}

impl Home {
    /// Opens the home in this directory and creates it where it is missing.
    pub fn open(directory: PathBuf) -> Result<Self, FileError> {
        for part in ["envs", "journals", "certificates", "unfinished"] {
            file::create_private_directory(&directory.join(part))?;
        }
        Ok(Self { directory })
    }

    /// Returns the directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns where the programs lie that `cargo xtask setup` fetched.
    pub fn tools(&self) -> PathBuf {
        self.directory.join("tools")
    }

    /// Returns where the report of the last run of `comply` is kept.
    pub fn judged(&self) -> PathBuf {
        self.directory.join("comply.json")
    }

    /// Returns the ledger of names ever used.
    pub fn ledger(&self) -> PathBuf {
        self.directory.join("ledger.jsonl")
    }

    /// Returns the journal of an environment, which outlives it.
    pub fn journal(&self, name: &EnvName) -> PathBuf {
        self.journals().join(format!("{name}.jsonl"))
    }

    /// Returns the certificate of an environment's destruction.
    pub fn certificate(&self, name: &EnvName) -> PathBuf {
        self.certificates().join(format!("{name}.json"))
    }

    /// Returns where the backups of an environment's database lie, which outlive it.
    pub fn backups(&self, name: &EnvName) -> PathBuf {
        self.directory.join("backups").join(name.as_str())
    }

    /// Returns where the records of one environment lie.
    pub fn environment(&self, name: &EnvName) -> EnvironmentHome {
        EnvironmentHome { directory: self.environments().join(name.as_str()) }
    }

    /// Returns where a file is kept that destroy would otherwise have removed with the edits in it.
    pub(crate) fn rescued(&self, name: &EnvName) -> PathBuf {
        self.journals().join(format!("{name}.edits"))
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    pub(crate) fn environments(&self) -> PathBuf {
        self.directory.join("envs")
    }

    pub(crate) fn journals(&self) -> PathBuf {
        self.directory.join("journals")
    }

    pub(crate) fn certificates(&self) -> PathBuf {
        self.directory.join("certificates")
    }

    /// Returns where each environment has a mark for as long as its journal says that something was begun and not ended.
    pub(crate) fn unfinished(&self) -> PathBuf {
        self.directory.join("unfinished")
    }
}

/// What one environment has on this machine; destroy removes it as a whole.
#[derive(Debug, Clone)]
pub struct EnvironmentHome {
    directory: PathBuf,
}

impl EnvironmentHome {
    /// Returns the directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the runtime directory of the local hosting: its records, logs and data.
    pub fn local(&self) -> PathBuf {
        self.directory.join("local")
    }

    /// Returns where the local hosting keeps the environment's telemetry.
    pub fn telemetry(&self) -> PathBuf {
        self.local().join("telemetry")
    }

    /// Returns Terraform's state.
    pub fn state(&self) -> PathBuf {
        self.directory.join("terraform.tfstate")
    }

    /// What it was meant to be when it was last planned: a copy of its `env.toml`.
    pub(crate) fn intent(&self) -> PathBuf {
        self.directory.join("env.toml")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    /// Terraform's `TF_DATA_DIR`.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// What Terraform's runs print.
    pub(crate) fn runs(&self) -> PathBuf {
        self.directory.join("runs")
    }

    pub(crate) fn variables(&self) -> PathBuf {
        self.directory.join("variables.tfvars.json")
    }

    pub(crate) fn images(&self) -> PathBuf {
        self.directory.join("images")
    }

    /// The plan that waits for its apply, and the one being made.
    pub(crate) fn plan(&self) -> PathBuf {
        self.directory.join("plan")
    }

    pub(crate) fn bundle(&self) -> PathBuf {
        self.directory.join("bundle")
    }
}
