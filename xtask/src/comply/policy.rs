//! Which rules are meant.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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

    /// Take a `not` in Rego whose argument may be undefined as OPA does, or refuse it
    #[arg(long, value_name = "WHICH", default_value = "opa")]
    not: Not,
}

/// What becomes of `not f(input.x)` where `input.x` may be undefined; the same words as `menagerie-comply` has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Not {
    /// It does not hold then
    #[default]
    Opa,
    /// It is an error of the policy
    Strict,
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
        if self.not != Not::default() {
            call.option("--not", Call::word(&self.not));
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of(directory: &str) -> Self {
        Self { policy: Some(directory.into()), not: Not::default() }
    }
}
