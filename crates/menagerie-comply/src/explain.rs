//! `explain`.

use clap::Args;
use menagerie_report::{Description, Report, text};

use crate::material::{Material, MaterialArgs};
use crate::output;
use crate::output::{Color, Styles};
use crate::policy::{self, PolicyArgs};
use crate::problem::Problem;
use crate::verdict::Verdict;

/// Tell what a rule wants and why, and what it says of what is judged
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The rule
    rule: String,

    #[command(flatten)]
    policy: PolicyArgs,

    #[command(flatten)]
    material: MaterialArgs,

    /// Tell it of this resource only
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
}

impl Explain {
    pub(crate) fn run(self, color: Color) -> Result<(), Problem> {
        let mut policy = self.policy.read()?;
        let mut explained = Description::of(policy::rule(&policy, &self.rule)?).text();
        let material = Material::read(&self.material)?;
        if !material.is_empty() {
            policy.rules.retain(|rule| rule.about.id.as_str() == self.rule);
            policy.waivers.retain(|waiver| waiver.rule.as_str() == self.rule);
            let mut verdict = Verdict::of(&policy, None, &material)?;
            if let Some(address) = &self.address {
                let found = &mut verdict.evaluation.findings;
                found.retain(|finding| finding.address.as_ref() == Some(address));
            }
            let is_nothing = verdict.evaluation.findings.is_empty();
            explained.push_str(if is_nothing { "\nnothing is found\n" } else { "\n" });
            let rules: Vec<_> = policy.rules.iter().map(|rule| &rule.about).collect();
            let report = Report {
                judgement: verdict.judgement(&policy, &rules),
                head: None,
                is_rehearsal: material.is_rehearsal(),
                notes: material.notes(),
                files: &|path| material.text(path),
            };
            explained.push_str(&text(&report, Styles::of_data(color).is_colored()));
        }
        output::print(&explained)
    }
}
