//! `explain`.

use std::path::PathBuf;

use clap::Args;
use menagerie_report::{Description, text};

use crate::policy::{self, PolicyArgs};
use crate::problem::Problem;
use crate::{judge, output};

/// Tell what a rule wants and why, and what it says of a plan
#[derive(Debug, Args)]
pub(crate) struct Explain {
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
    pub(crate) fn run(self) -> Result<(), Problem> {
        let mut policy = self.policy.read()?;
        let mut explained = Description::of(policy::rule(&policy, &self.rule)?).text();
        if let Some(plan) = &self.plan {
            policy.rules.retain(|rule| rule.about.id.as_str() == self.rule);
            policy.waivers.retain(|waiver| waiver.rule.as_str() == self.rule);
            let mut evaluation = judge::judge(&policy, plan, "")?;
            if let Some(address) = &self.address {
                evaluation.findings.retain(|finding| finding.address.as_ref() == Some(address));
            }
            if evaluation.findings.is_empty() {
                explained.push_str("\nnothing is found\n");
            } else {
                explained.push('\n');
            }
            let rules: Vec<_> = policy.rules.iter().map(|rule| &rule.about).collect();
            let report = judge::report(&policy, &rules, &evaluation, policy.settings.threshold);
            explained.push_str(&text(&report, false));
        }
        output::print(&explained)
    }
}
