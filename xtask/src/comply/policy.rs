//! Which rules are meant.

use std::path::PathBuf;

use clap::Args;

use super::program::Call;
use crate::session;

/// Where a repository has its rules.
pub(super) const OURS: &str = "tf/compliance";

/// Which rules.
#[derive(Debug, Default, Args)]
pub(super) struct PolicyArgs {
    /// Take rules and waivers from this directory [default: `tf/compliance` of this repository]
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
}

impl PolicyArgs {
    /// Says where the rules are.
    pub(super) fn tell(&self, call: &mut Call) -> anyhow::Result<()> {
        if let Some(directory) = &self.policy {
            call.option("--policy", directory);
        } else {
            call.option("--policy", session::repository()?.root().join(OURS));
            call.option("--policy-name", OURS);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of(directory: &str) -> Self {
        Self { policy: Some(directory.into()) }
    }
}
