//! `comply`: judges a plan or a state by rules.

mod explain;
mod pages;
mod policy;
mod test;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::Offset;
use menagerie_compliance::{Evaluation, Input, InputError, Policy, Severity, evaluate};
use menagerie_report::{Document, coverage, findings};

use crate::exit;
use crate::output::{self, Format};
use crate::report::Problem;

/// Judge a plan or a state by the rules of this repository
///
/// Rules are TOML in `tf/compliance`; docs/compliance/README.md says how to write, test and waive one. Returns 0 where all
/// is well, 1 for a finding at or above the threshold, 3 where a rule is wrong, 4 where nothing was judged.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Comply {
    #[command(subcommand)]
    command: Option<Command>,

    /// Judge what `terraform show -json` printed, of a saved plan or of a state; `-` is standard input
    #[arg(long, value_name = "FILE", required = true)]
    plan: Option<PathBuf>,

    #[command(flatten)]
    policy: policy::PolicyArgs,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    /// Fail from this severity on: info, low, medium, high or critical [default: that of `policy.toml`, else low]
    #[arg(long, value_name = "SEVERITY")]
    threshold: Option<Severity>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(test::Test),
    Explain(explain::Explain),
    Pages(pages::Pages),
}

impl Comply {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Some(Command::Test(test)) => test.run(),
            Some(Command::Explain(explain)) => explain.run(),
            Some(Command::Pages(pages)) => pages.run(),
            None => {
                let plan =
                    self.plan.as_deref().expect("clap asks for it where there is no subcommand");
                let policy = self.policy.read()?;
                let threshold = self.threshold.unwrap_or(policy.settings.threshold);
                let evaluation = judge(&policy, plan)?;
                if self.format == Format::Json {
                    output::print_json(&Document::of(&policy, &evaluation, threshold))?;
                    output::say(&coverage(&evaluation));
                } else {
                    output::print(&(findings(&policy, &evaluation) + &coverage(&evaluation)))?;
                }
                outcome(&evaluation, threshold)
            }
        }
    }
}

/// Reads and judges a plan.
fn judge(policy: &Policy, plan: &Path) -> anyhow::Result<Evaluation> {
    let json = read(plan)?;
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let input = Input { plan: Some(&json), ..Input::default() };
    evaluate(policy, &input, today).map_err(|error| {
        let hint = match &error {
            InputError::Other("a saved plan") => {
                Some("give what `terraform show -json PLAN` prints of it".to_owned())
            }
            InputError::Other("a state file" | "the stream of events of `-json`")
            | InputError::Json { .. } => Some("give what `terraform show -json` prints".to_owned()),
            InputError::CutShort { .. } => {
                Some("write it to a file, and see whether the writer succeeded".to_owned())
            }
            InputError::Errored => Some("see what `terraform plan` says".to_owned()),
            _ => None,
        };
        let message = format!("nothing was judged of `{}`", plan.display());
        let problem = Problem::new(exit::NOTHING_EVALUATED, message).cause(error);
        match hint {
            Some(hint) => problem.hint(hint).into(),
            None => problem.into(),
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
fn outcome(evaluation: &Evaluation, threshold: Severity) -> anyhow::Result<()> {
    if evaluation.has_errors() {
        let problem = Problem::new(exit::POLICY, "not all could be judged");
        return Err(problem.hint("what is said of `error` above is a matter of the rule").into());
    }
    if evaluation.has_failed(threshold) {
        let is_counted = |finding: &&menagerie_compliance::Finding| {
            finding.counts && finding.severity >= threshold
        };
        let count = evaluation.findings.iter().filter(is_counted).count();
        let findings =
            if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
        let message = format!("{findings} at or above `{threshold}`");
        let problem = Problem::new(exit::FAILED, message);
        return Err(problem
            .hint("`cargo xtask comply explain RULE` tells why a rule is there")
            .into());
    }
    if evaluation.is_empty() {
        let problem = Problem::new(
            exit::NOTHING_EVALUATED,
            "nothing was judged: no rule is about any of the resources",
        );
        return Err(problem.hint("`--policy DIR` names another directory of rules").into());
    }
    Ok(())
}
