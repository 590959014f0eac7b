//! [`Verdict`]: what the rules of one policy say of all that was handed over.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use menagerie_compliance::{
    About, Evaluation, Finding, Input, InputError, Rule, RuleId, Severity, Source, judge,
};
use menagerie_rego::{RegoError, RegoPolicy};
use menagerie_report::Judgement;

use crate::exit;
use crate::material::{Material, PlanMaterial, Records};
use crate::policy::Rules;
use crate::problem::Problem;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) rules: Rules,
    pub(crate) evaluation: Evaluation,
    threshold: Severity,
}

impl Verdict {
    /// Judges by a policy; a threshold that is given has the place of its own.
    pub(crate) fn of(
        rules: Rules,
        threshold: Option<Severity>,
        material: &Material,
    ) -> Result<Self, Problem> {
        let mut evaluation = Evaluation::default();
        for plan in &material.plans {
            evaluation.add(by_plan(&rules, plan, material)?);
        }
        if let Some(records) = &material.records {
            evaluation.add(by_records(&rules, &records.input())?);
        }
        material.locate(&mut evaluation.findings);
        evaluation.waive(&rules.native.waivers, today());
        let threshold = threshold.unwrap_or(rules.native.settings.threshold);
        Ok(Self { rules, evaluation, threshold })
    }

    pub(crate) fn judgement<'a>(&'a self, rules: &'a [&'a About]) -> Judgement<'a> {
        let Self { evaluation, threshold, .. } = self;
        let waivers = &self.rules.native.waivers;
        Judgement { rules, waivers, evaluation, threshold: *threshold }
    }

    /// Returns what the run came to: what could not be judged outweighs a finding, which outweighs that nothing was judged.
    pub(crate) fn outcome(&self, material: &Material) -> Result<(), Problem> {
        let Self { evaluation, threshold, .. } = self;
        if evaluation.has_errors() {
            let problem = Problem::new(exit::POLICY, "not all could be judged");
            return Err(problem.hint("what is said of `error` above is a matter of the rule"));
        }
        if !material.unreadable.is_empty() {
            let files = match material.unreadable.len() {
                1 => "one thing".to_owned(),
                count => format!("{count} things"),
            };
            let problem = Problem::new(
                exit::POLICY,
                format!("{files} could not be read, and so not be judged"),
            );
            return Err(problem.hint("each is told in a note, with its file and line"));
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

/// Judges a plan: native rules see nothing else, rules in Rego all that was read.
fn by_plan(rules: &Rules, plan: &PlanMaterial, material: &Material) -> Result<Evaluation, Problem> {
    let native: Vec<&Rule> = rules.native.rules.iter().collect();
    let input = Input {
        root: &plan.root,
        environment: plan.environment.as_ref(),
        plan: Some(&plan.json),
        production: material.production.as_deref(),
        ..Input::default()
    };
    let mut evaluation = judge(&native, &input).map_err(|error| refused(&plan.name, error))?;
    if let Some(rego) = &rules.rego {
        let records = material.records.as_ref().map(Records::input);
        let input = Input {
            root: input.root,
            environment: input.environment,
            plan: input.plan,
            production: input.production,
            ..records.unwrap_or_default()
        };
        let mut judged = ask(rego, &input, &plan.name)?;
        // What reads no plan is asked once, of the records.
        let reads_plan = |rule: &RuleId| {
            let sources = rego.sources(rule);
            sources.contains(&Source::Plan) || sources.contains(&Source::Parity)
        };
        judged.findings.retain(|finding| records.is_none() || reads_plan(&finding.rule));
        for coverage in &mut judged.coverage {
            if records.is_some() && !reads_plan(&coverage.rule) {
                (coverage.examined, coverage.passed) = (0, 0);
            }
        }
        evaluation.add(judged);
    }
    Ok(evaluation)
}

/// Judges what stands beside plans.
fn by_records(rules: &Rules, input: &Input<'_>) -> Result<Evaluation, Problem> {
    let native: Vec<&Rule> = rules.native.rules.iter().collect();
    let name = "this repository";
    let mut evaluation = judge(&native, input).map_err(|error| refused(name, error))?;
    if let Some(rego) = &rules.rego {
        evaluation.add(ask(rego, input, name)?);
    }
    Ok(evaluation)
}

/// Judges by rules in Rego; what the input is, native rules have told already.
fn ask(rego: &RegoPolicy, input: &Input<'_>, name: &str) -> Result<Evaluation, Problem> {
    let mut evaluation = rego.judge(input).map_err(|error| match error {
        RegoError::Input(error) => refused(name, error),
        error => {
            Problem::new(exit::POLICY, format!("rules in Rego did not judge {name}")).cause(error)
        }
    })?;
    evaluation.judged.clear();
    (evaluation.resources, evaluation.records) = (0, 0);
    Ok(evaluation)
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
