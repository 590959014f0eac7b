//! `comply explain`.

use std::path::PathBuf;

use clap::Args;

use super::policy::PolicyArgs;
use super::program::Call;
use crate::output::Color;

/// Tell what a rule wants and why, and what it says of a plan
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The rule
    rule: String,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Tell what the rule says of this plan or state; `-` is standard input
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// Tell it of this resource only
    #[arg(long, value_name = "ADDRESS", requires = "plan")]
    address: Option<String>,
}

impl Explain {
    pub(super) fn run(self, color: Color) -> anyhow::Result<()> {
        self.call()?.make(color)
    }

    fn call(self) -> anyhow::Result<Call> {
        let mut call = Call::new("explain");
        self.policy.tell(&mut call)?;
        call.option_if("--plan", self.plan);
        call.option_if("--address", self.address);
        call.words([self.rule]);
        Ok(call)
    }
}
