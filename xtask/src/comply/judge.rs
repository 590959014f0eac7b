//! `comply` itself.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::policy::PolicyArgs;
use super::program::Call;
use crate::output::{Color, Format};

/// What is judged, and how it is told.
#[derive(Debug, Args)]
pub(super) struct Judge {
    /// Judge what `terraform show -json` printed, of a saved plan or of a state; `-` is standard input
    #[arg(long, value_name = "FILE", required = true)]
    plan: Option<PathBuf>,

    /// The directory of that plan's root module, as seen from the top of the repository: a waiver for one is none for another
    #[arg(long, value_name = "DIR", requires = "plan")]
    root: Option<String>,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    /// Fail from this severity on [default: that of `policy.toml`, else low]
    #[arg(long, value_name = "SEVERITY")]
    threshold: Option<Severity>,
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
    pub(super) fn run(self, color: Color) -> anyhow::Result<()> {
        self.call()?.make(color)
    }

    fn call(self) -> anyhow::Result<Call> {
        let mut call = Call::new("judge");
        self.policy.tell(&mut call)?;
        call.option_if("--plan", self.plan);
        call.option_if("--root", self.root);
        call.option("--format", Call::word(&self.format));
        call.option_if("--threshold", self.threshold.map(|threshold| Call::word(&threshold)));
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
            policy: PolicyArgs::of("rules"),
            format: Format::Text,
            threshold: None,
        };
        judge.call().unwrap().check("judge --policy=rules --plan=- --format=text");
        let judge = Judge {
            plan: Some("plan.json".into()),
            root: Some("tf/production".to_owned()),
            policy: PolicyArgs::of("rules"),
            format: Format::Json,
            threshold: Some(Severity::High),
        };
        judge.call().unwrap().check(
            "judge --policy=rules --plan=plan.json --root=tf/production --format=json --threshold=high",
        );
    }
}
