//! `comply` itself.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use menagerie_lifecycle::Repository;

use super::base;
use super::plans::Plans;
use super::policy::PolicyArgs;
use super::program::{Call, program};
use crate::output::{Color, Terminal};
use crate::session;

/// What is judged, and how it is told.
#[derive(Debug, Args)]
pub(super) struct Judge {
    /// Judge what `terraform show -json` printed, of a saved plan or of a state; `-` is standard input
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// The directory of that plan's root module, as seen from the top of the repository: a waiver for one is none for another
    #[arg(long, value_name = "DIR", requires = "plan")]
    root: Option<String>,

    #[command(flatten)]
    plans: Plans,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Compare each plan with production: with what `terraform show -json` printed of its state, or of a plan
    #[arg(long, value_name = "FILE")]
    production: Option<PathBuf>,

    /// Judge who may change the branches by what GitHub answered: an object of answers by their paths
    ///
    /// docs/compliance/README.md says how to ask it. Without it, that is not known.
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    branch_rules: Option<PathBuf>,

    /// Judge by the rules, waivers and settings that this commit has; those of this checkout are a second verdict, which gates nothing
    ///
    /// So a change can't silence what is said of it: give the branch that it is to be merged into.
    #[arg(long, value_name = "REF", conflicts_with = "policy")]
    base: Option<String>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    /// Fail from this severity on [default: that of `policy.toml`, else low]
    #[arg(long, value_name = "SEVERITY")]
    threshold: Option<Severity>,
}

/// How data is printed; the same words as `menagerie-comply` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the lines that findings are about
    Text,
    /// For programs: one object with a version
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For what shows tests
    Junit,
    /// For a comment of a pull request, which it fits
    Markdown,
    /// For the log of a GitHub workflow, which shows annotations at their lines
    Github,
}

/// How much a rule matters; the same words as a rule has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Judge {
    pub(super) fn run(self, color: Color, terminal: Terminal) -> anyhow::Result<()> {
        // A plan can be judged where there is no repository; then nothing is kept of it.
        let repository = match session::repository() {
            Ok(repository) => Some(repository),
            Err(error) if self.plan.is_none() || self.base.is_some() => return Err(error),
            Err(_) => None,
        };
        let mut call = self.call(repository.as_ref())?;
        // First: whoever waits for a plan wants it judged.
        let program = program()?;
        if let Some(repository) = &repository {
            self.plans.tell(&mut call, terminal, repository)?;
        }
        call.make_with(&program, color)
    }

    fn call(&self, repository: Option<&Repository>) -> anyhow::Result<Call> {
        let mut call = Call::new("judge");
        self.policy.tell(&mut call)?;
        call.option_if("--plan", self.plan.as_ref());
        call.option_if("--root", self.root.as_ref());
        call.option_if("--production", self.production.as_ref());
        call.option("--format", Call::word(&self.format));
        call.option_if("--threshold", self.threshold.map(|threshold| Call::word(&threshold)));
        if let Some(repository) = repository {
            call.option("--repository", repository.root());
            call.option("--record", repository.home().judged());
            if self.plan.is_none() {
                call.flag("--records");
                call.option_if("--branch-rules", self.branch_rules.as_ref());
            }
            if let Some(reference) = &self.base {
                base::tell(&mut call, repository, reference)?;
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
        let judge = Judge {
            plan: Some("-".into()),
            root: None,
            plans: Plans::default(),
            policy: PolicyArgs::of("rules"),
            production: None,
            branch_rules: None,
            base: None,
            format: Format::Text,
            threshold: None,
        };
        judge.call(None).unwrap().check("judge --policy=rules --plan=- --format=text");
        let judge = Judge {
            plan: Some("plan.json".into()),
            root: Some("tf/production".to_owned()),
            plans: Plans::default(),
            policy: PolicyArgs::of("rules"),
            production: None,
            branch_rules: None,
            base: None,
            format: Format::Json,
            threshold: Some(Severity::High),
        };
        judge.call(None).unwrap().check(
            "judge --policy=rules --plan=plan.json --root=tf/production --format=json --threshold=high",
        );
    }
}
