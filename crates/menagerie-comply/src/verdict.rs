//! [`Verdict`]: what the rules of one policy say of all that was handed over.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use menagerie_compliance::{
    About, Evaluation, Finding, Input, InputError, Policy, Rule, Severity, judge,
};
use menagerie_report::Judgement;

use crate::exit;
use crate::material::Material;
use crate::problem::Problem;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) evaluation: Evaluation,
    threshold: Severity,
}

impl Verdict {
    /// Judges by a policy; a threshold that is given has the place of its own.
    pub(crate) fn of(
        policy: &Policy,
        threshold: Option<Severity>,
        material: &Material,
    ) -> Result<Self, Problem> {
        let rules: Vec<&Rule> = policy.rules.iter().collect();
        let mut evaluation = Evaluation::default();
        for plan in &material.plans {
            let input = Input {
                root: &plan.root,
                environment: plan.environment.as_ref(),
                plan: Some(&plan.json),
                ..Input::default()
            };
            evaluation.add(judge(&rules, &input).map_err(|error| refused(&plan.name, error))?);
        }
        evaluation.waive(&policy.waivers, today());
        Ok(Self { evaluation, threshold: threshold.unwrap_or(policy.settings.threshold) })
    }

    pub(crate) fn judgement<'a>(
        &'a self,
        policy: &'a Policy,
        rules: &'a [&'a About],
    ) -> Judgement<'a> {
        let Self { evaluation, threshold } = self;
        Judgement { rules, waivers: &policy.waivers, evaluation, threshold: *threshold }
    }

    /// Returns what the run came to: what could not be judged outweighs a finding, which outweighs that nothing was judged.
    pub(crate) fn outcome(&self) -> Result<(), Problem> {
        let Self { evaluation, threshold } = self;
        if evaluation.has_errors() {
            let problem = Problem::new(exit::POLICY, "not all could be judged");
            return Err(problem.hint("what is said of `error` above is a matter of the rule"));
        }
        if evaluation.has_failed(*threshold) {
            let is_counted = |finding: &&Finding| finding.counts && finding.severity >= *threshold;
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
}

/// Returns today's date, everywhere.
pub(crate) fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

fn refused(name: &str, error: InputError) -> Problem {
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
    let message = format!("nothing was judged of {name}");
    let problem = Problem::new(exit::NOTHING_EVALUATED, message).cause(error);
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}
