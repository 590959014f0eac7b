//! `comply test`.

use clap::Args;
use menagerie_compliance::test_rules;
use menagerie_report::{TestDocument, tests};

use super::policy::{self, PolicyArgs};
use crate::exit;
use crate::output::{self, Format};
use crate::report::Problem;

/// Run the rules' own tests, and see whether they would notice a rule that asks nothing
///
/// Each value that a rule asks about in a case that passes is made wrong, and the rule must fail; then it is made unknown,
/// and the rule must not pass. The mutation score is how many of these changes were noticed.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Test these rules only
    #[arg(value_name = "RULE")]
    rules: Vec<String>,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut policy = self.policy.read()?;
        for id in &self.rules {
            policy::rule(&policy, id)?;
        }
        if !self.rules.is_empty() {
            policy.rules.retain(|rule| self.rules.iter().any(|id| id == rule.about.id.as_str()));
        }
        let tested = test_rules(&policy);
        match self.format {
            Format::Json => output::print_json(&TestDocument::of(&tested))?,
            Format::Text => output::print(&tests(&tested))?,
        }
        let wrong = tested.iter().filter(|test| !test.is_right()).count();
        if wrong > 0 {
            let rules = if wrong == 1 { "rule is" } else { "rules are" };
            return Err(Problem::new(
                exit::POLICY,
                format!("{wrong} {rules} not tested well, or wrong"),
            )
            .into());
        }
        Ok(())
    }
}
