//! `judge`: a plan or a state, by rules.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::Offset;
use menagerie_compliance::{
    About, Evaluation, Finding, Input, InputError, Policy, Severity, evaluate,
};
use menagerie_report::{Judgement, Report, coverage, json, text};

use crate::policy::PolicyArgs;
use crate::problem::Problem;
use crate::{exit, output};

/// Judge by rules
#[derive(Debug, Args)]
pub(crate) struct Judge {
    #[command(flatten)]
    policy: PolicyArgs,

    /// Judge what `terraform show -json` printed, of a saved plan or of a state; `-` is standard input
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,

    /// The directory of that plan's root module, relative to the repository
    #[arg(long, value_name = "DIR", default_value = "")]
    root: String,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    /// Fail from this severity on [default: that of `policy.toml`, else low]
    #[arg(long, value_name = "SEVERITY")]
    threshold: Option<Severity>,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs: one object with a version
    Json,
}

impl Judge {
    pub(crate) fn run(self) -> Result<(), Problem> {
        let policy = self.policy.read()?;
        let threshold = self.threshold.unwrap_or(policy.settings.threshold);
        let evaluation = judge(&policy, &self.plan, &self.root)?;
        let rules: Vec<&About> = policy.rules.iter().map(|rule| &rule.about).collect();
        let report = report(&policy, &rules, &evaluation, threshold);
        if self.format == Format::Json {
            output::print(&json(&report))?;
            output::say(&coverage(&evaluation));
        } else {
            output::print(&text(&report, false))?;
        }
        outcome(&evaluation, threshold)
    }
}

/// Returns what is reported of an evaluation.
pub(crate) fn report<'a>(
    policy: &'a Policy,
    rules: &'a [&'a About],
    evaluation: &'a Evaluation,
    threshold: Severity,
) -> Report<'a> {
    Report {
        judgement: Judgement { rules, waivers: &policy.waivers, evaluation, threshold },
        head: None,
        is_rehearsal: false,
        notes: &[],
        files: &|_| None,
    }
}

/// Reads and judges a plan.
pub(crate) fn judge(policy: &Policy, plan: &Path, root: &str) -> Result<Evaluation, Problem> {
    let json = read(plan)?;
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let input = Input { root, plan: Some(&json), ..Input::default() };
    evaluate(policy, &input, today).map_err(|error| {
        let hint = match &error {
            InputError::Other("a saved plan") => {
                Some("give what `terraform show -json PLAN` prints of it")
            }
            InputError::Other("a state file" | "the stream of events of `-json`")
            | InputError::Json { .. } => Some("give what `terraform show -json` prints"),
            InputError::CutShort { .. } => {
                Some("write it to a file, and see whether the writer succeeded")
            }
            InputError::Errored => Some("see what `terraform plan` says"),
            _ => None,
        };
        let message = format!("nothing was judged of `{}`", plan.display());
        let problem = Problem::new(exit::NOTHING_EVALUATED, message).cause(error);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })
}

fn read(plan: &Path) -> Result<Vec<u8>, Problem> {
    let read = if plan == Path::new("-") {
        let mut json = Vec::new();
        io::stdin().lock().read_to_end(&mut json).map(|_| json)
    } else {
        fs::read(plan)
    };
    read.map_err(|error| {
        let message = format!("failed to read `{}`", plan.display());
        Problem::new(exit::NOTHING_EVALUATED, message).cause(error)
    })
}

/// Returns what the run came to: an error of a rule outweighs a finding, which outweighs that nothing was judged.
fn outcome(evaluation: &Evaluation, threshold: Severity) -> Result<(), Problem> {
    if evaluation.has_errors() {
        let problem = Problem::new(exit::POLICY, "not all could be judged");
        return Err(problem.hint("what is said of `error` above is a matter of the rule"));
    }
    if evaluation.has_failed(threshold) {
        let is_counted = |finding: &&Finding| finding.counts && finding.severity >= threshold;
        let count = evaluation.findings.iter().filter(is_counted).count();
        let findings =
            if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
        let message = format!("{findings} at or above `{threshold}`");
        let problem = Problem::new(exit::FAILED, message);
        return Err(problem.hint("`cargo xtask comply explain RULE` tells why a rule is there"));
    }
    if evaluation.is_empty() {
        let message = "nothing was judged: no rule is about any of the resources";
        let problem = Problem::new(exit::NOTHING_EVALUATED, message);
        return Err(problem.hint("`--policy DIR` names another directory of rules"));
    }
    Ok(())
}
