//! `test`.

use std::path::Path;

use clap::Args;
use menagerie_compliance::{RuleId, test_program, test_rules};
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
        let is_meant =
            |id: &str| self.rules.is_empty() || self.rules.iter().any(|other| other == id);
        let mut policy = rules.native;
        policy.rules.retain(|rule| is_meant(rule.about.id.as_str()));
        let mut tested = test_rules(&policy);
        if let Some(rego) = &rules.rego {
            // A file that does not bear the id of its rule is of a policy whose tests are elsewhere.
            let has_tests = |id: &RuleId| {
                let stem = rego.file(id).and_then(Path::file_stem);
                stem.is_some_and(|stem| stem == id.as_str())
            };
            for about in rego.rules() {
                if is_meant(about.id.as_str()) && has_tests(&about.id) {
                    let only = rego.only(&about.id);
                    tested.push(test_program(&policy, &about.id, &|input| only.judge(input)));
                }
            }
        }
        tested.sort_by(|one, other| one.rule.cmp(&other.rule));
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
