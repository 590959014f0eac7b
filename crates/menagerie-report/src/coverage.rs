//! What a run is worth: how much was examined, and what came of it.

use menagerie_compliance::{Evaluation, Verdict, WaiverUse};

/// Returns what was examined, in two lines: what a run without findings is worth.
pub fn coverage(evaluation: &Evaluation) -> String {
    let evaluated: Vec<String> = evaluation
        .coverage
        .iter()
        .filter(|coverage| coverage.examined > 0)
        .map(|coverage| format!("{} {}", coverage.rule, coverage.examined))
        .collect();
    let uses = waiver_uses(evaluation);
    let waivers = if uses.is_empty() { uses } else { format!("; waivers: {uses}") };
    format!(
        "{}; {}{waivers}\nexamined by rule: {}\n",
        examined(evaluation),
        verdicts(evaluation),
        if evaluated.is_empty() { "none".to_owned() } else { evaluated.join(", ") },
    )
}

/// Returns how much there was of rules and of what they are about.
pub(crate) fn examined(evaluation: &Evaluation) -> String {
    let evaluated = evaluation.coverage.iter().filter(|coverage| coverage.examined > 0).count();
    format!(
        "{} rules loaded, {evaluated} evaluated; {} resources, {} records",
        evaluation.coverage.len(),
        evaluation.resources,
        evaluation.records
    )
}

/// Returns how often each verdict was given.
pub(crate) fn verdicts(evaluation: &Evaluation) -> String {
    let passed: usize = evaluation.coverage.iter().map(|coverage| coverage.passed).sum();
    format!(
        "{passed} pass, {} fail, {} unknown, {} waived, {} errors",
        evaluation.count(Verdict::Fail),
        evaluation.count(Verdict::Unknown),
        evaluation.count(Verdict::Waived),
        evaluation.count(Verdict::Error)
    )
}

/// Returns what became of waivers; empty where there are none.
pub(crate) fn waiver_uses(evaluation: &Evaluation) -> String {
    if evaluation.waivers.is_empty() {
        return String::new();
    }
    let count = |became| evaluation.waivers.iter().filter(|waiver| **waiver == became).count();
    format!(
        "{} used, {} unused, {} changed, {} expired, {} outliving, {} elsewhere",
        count(WaiverUse::Used),
        count(WaiverUse::Unused),
        count(WaiverUse::Changed),
        count(WaiverUse::Expired),
        count(WaiverUse::Outlives),
        count(WaiverUse::Elsewhere)
    )
}
