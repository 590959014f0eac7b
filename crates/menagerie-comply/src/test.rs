//! `test`.

use clap::Args;
use menagerie_compliance::test_rules;
use menagerie_report::{tests, tests_json};

use crate::policy::PolicyArgs;
use crate::problem::Problem;
use crate::{exit, output};

/// Run the rules' own tests, and see whether they would notice a rule that asks nothing
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Test these rules only
    #[arg(value_name = "RULE")]
    rules: Vec<String>,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Print one JSON object with a version
    #[arg(long)]
    json: bool,
}

impl Test {
    pub(crate) fn run(self) -> Result<(), Problem> {
        let rules = self.policy.read()?;
        for id in &self.rules {
            rules.find(id)?;
        }
        let mut policy = rules.native;
        if !self.rules.is_empty() {
            policy.rules.retain(|rule| self.rules.iter().any(|id| id == rule.about.id.as_str()));
        }
        let tested = test_rules(&policy);
        output::print(&if self.json { tests_json(&tested) } else { tests(&tested) })?;
        let wrong = tested.iter().filter(|test| !test.is_right()).count();
        if wrong > 0 {
            let rules = if wrong == 1 { "rule is" } else { "rules are" };
            let message = format!("{wrong} {rules} not tested well, or wrong");
            return Err(Problem::new(exit::POLICY, message));
        }
        Ok(())
    }
}
