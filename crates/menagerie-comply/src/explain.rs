//! `explain`.

use clap::Args;
use menagerie_report::{Report, text};

use crate::material::{Material, MaterialArgs};
use crate::output;
use crate::output::{Color, Styles};
use crate::policy::PolicyArgs;
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
        let mut rules = self.policy.read()?;
        let mut explained = rules.describe(rules.find(&self.rule)?).text();
        let material = Material::read(&self.material)?;
        if !material.is_empty() {
            rules.native.rules.retain(|rule| rule.about.id.as_str() == self.rule);
            rules.native.waivers.retain(|waiver| waiver.rule.as_str() == self.rule);
            let mut verdict = Verdict::of(rules, None, &material)?;
            let found = &mut verdict.evaluation;
            found.coverage.retain(|coverage| coverage.rule.as_str() == self.rule);
            found.findings.retain(|finding| {
                finding.rule.as_str() == self.rule
                    && (self.address.is_none() || finding.address == self.address)
            });
            let is_nothing = found.findings.is_empty();
            explained.push_str(if is_nothing { "\nnothing is found\n" } else { "\n" });
            let rules = verdict.rules.abouts();
            let report = Report {
                judgement: verdict.judgement(&rules),
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
