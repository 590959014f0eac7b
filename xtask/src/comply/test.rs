//! `comply test`.

use clap::Args;

use super::policy::PolicyArgs;
use super::program::Call;
use crate::output::{Color, Format};

/// Run the rules' own tests, and see whether they would notice a rule that asks nothing
///
/// Each value that a rule asks about in a case that passes is made wrong, and the rule must fail; then it is made unknown,
/// and the rule must not pass. The mutation score is how many of these changes were noticed.
#[derive(Debug, Args)]
pub(super) struct Test {
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
    pub(super) fn run(self, color: Color) -> anyhow::Result<()> {
        self.call()?.make(color)
    }

    fn call(self) -> anyhow::Result<Call> {
        let mut call = Call::new("test");
        self.policy.tell(&mut call)?;
        if self.format == Format::Json {
            call.flag("--json");
        }
        call.words(self.rules);
        Ok(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_passed_on() {
        let test = Test {
            rules: vec!["A-1".to_owned(), "--json".to_owned()],
            policy: PolicyArgs::of("rules"),
            format: Format::Text,
        };
        test.call().unwrap().check("test --policy=rules -- A-1 --json");
    }
}
