//! `comply explain`.

use std::path::PathBuf;

use clap::Args;
use menagerie_lifecycle::Repository;

use super::plans::Plans;
use super::policy::PolicyArgs;
use super::program::{Call, program};
use crate::output::{Color, Terminal};
use crate::session;

/// Tell what a rule wants and why, and what it says of a plan, or of an address in this repository
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The rule
    rule: String,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Tell what the rule says of this plan or state; `-` is standard input
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    #[command(flatten)]
    plans: Plans,

    /// Tell it of this address only: a resource of a plan, or what stands in this repository
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
}

impl Explain {
    pub(super) fn run(self, color: Color, terminal: Terminal) -> anyhow::Result<()> {
        let repository = match session::repository() {
            Ok(repository) => Some(repository),
            Err(error) if self.judges_here() => return Err(error),
            Err(_) => None,
        };
        let mut call = self.call(repository.as_ref())?;
        let program = program()?;
        if let Some(repository) = &repository {
            self.plans.tell(&mut call, terminal, repository)?;
        }
        call.words([self.rule]);
        call.make_with(&program, color)
    }

    /// Returns whether something of this repository is judged.
    fn judges_here(&self) -> bool {
        !self.plans.is_empty() || (self.plan.is_none() && self.address.is_some())
    }

    fn call(&self, repository: Option<&Repository>) -> anyhow::Result<Call> {
        let mut call = Call::new("explain");
        self.policy.tell(&mut call)?;
        call.option_if("--plan", self.plan.as_ref());
        call.option_if("--address", self.address.as_ref());
        if let Some(repository) = repository {
            call.option("--repository", repository.root());
            if self.judges_here() {
                call.flag("--records");
            }
        }
        Ok(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_passed_on() {
        let mut explain = Explain {
            rule: "A-1".to_owned(),
            policy: PolicyArgs::of("rules"),
            plan: None,
            plans: Plans::default(),
            address: None,
        };
        assert!(!explain.judges_here());
        explain.call(None).unwrap().check("explain --policy=rules");
        explain.address = Some("a.b".to_owned());
        assert!(explain.judges_here());
        explain.plan = Some("-".into());
        assert!(!explain.judges_here());
        explain.call(None).unwrap().check("explain --policy=rules --plan=- --address=a.b");
    }
}
