//! [`test_program`]: the tests of a rule that is a program, of which nobody can see what it looks at.
//!
//! Its cases say so themselves: each [`Change`] of a case that passes must make it fail, and where the value of an attribute
//! can be unknown, that must not pass.

use serde_json::Value;

use crate::case::{Case, CaseFailure, Change};
use crate::evaluate::Evaluation;
use crate::finding::Verdict;
use crate::mutation::{Mutation, RuleTest};
use crate::path::AttributePath;
use crate::policy::Policy;
use crate::record::Input;
use crate::rule::RuleId;

/// Runs the tests of a rule that `judge` judges by, with findings of other rules or without.
pub fn test_program<E: std::fmt::Display>(
    policy: &Policy,
    rule: &RuleId,
    judge: &dyn Fn(&Input<'_>) -> Result<Evaluation, E>,
) -> RuleTest {
    let cases = policy.cases.get(rule).map_or(&[][..], |cases| &cases.cases);
    let judge = |case: &Case| {
        let mut evaluation = case.judge_by(|input| judge(input))?;
        evaluation.findings.retain(|finding| finding.rule == *rule);
        evaluation.coverage.retain(|coverage| coverage.rule == *rule);
        Ok::<_, E>(evaluation)
    };
    let has = |verdict| cases.iter().any(|case| case.verdict == verdict);
    let mut test = RuleTest {
        rule: rule.clone(),
        cases: cases.len(),
        is_covered: has(Verdict::Pass) && has(Verdict::Fail),
        failures: Vec::new(),
        noticed: 0,
        mutations: 0,
        survivors: Vec::new(),
    };
    for case in cases {
        let checked = judge(case).map_err(|error| error.to_string()).map_or_else(
            |message| Err(CaseFailure { case: case.name.clone(), message }),
            |evaluation| case.compare(&evaluation, false),
        );
        test.failures.extend(checked.err());
    }
    let verdict = |mutant: &Case| {
        let evaluation = judge(mutant).ok()?;
        evaluation.findings.iter().map(|finding| finding.verdict).max()
    };
    for case in cases.iter().filter(|case| case.verdict == Verdict::Pass) {
        for change in &case.changes {
            let (at, flipped, unknown) = mutants(case, change);
            match flipped {
                Some(mutant) => {
                    test.note(case, verdict(&mutant), Mutation::Flipped, at.clone());
                }
                None => test.untried(format!("case `{}` has no `{}`", case.name, change.address)),
            }
            if let Some(mutant) = unknown {
                test.note(case, verdict(&mutant), Mutation::Unknown, at);
            }
        }
    }
    if test.mutations == 0 {
        test.untried("no case that passes has a `change`".to_owned());
    }
    test
}

/// Returns what is changed, the case with the change, and the case in which that is unknown.
fn mutants(case: &Case, change: &Change) -> (String, Option<Case>, Option<Case>) {
    let at = |mutant: &Case| {
        mutant.resources.iter().position(|fixture| fixture.address == change.address)
    };
    let Some(index) = at(case) else { return (change.address.clone(), None, None) };
    let Some((path, value)) = &change.to else {
        let mut mutant = case.clone();
        mutant.resources.remove(index);
        return (change.address.clone(), Some(mutant), None);
    };
    let put = |path: &AttributePath, value: &Value, is_unknown: bool| {
        let mut mutant = case.clone();
        let fixture = &mut mutant.resources[index];
        path.set(&mut fixture.values, value.clone());
        if is_unknown {
            path.set(&mut fixture.unknown, Value::Bool(true));
        }
        mutant
    };
    // Of a text that is JSON, all is unknown or nothing.
    let whole = if path.is_in_json() { path.before_json() } else { path.clone() };
    let unknown = (!change.is_known).then(|| put(&whole, &Value::Null, true));
    (format!("{}: {path}", change.address), Some(put(path, value, false)), unknown)
}
