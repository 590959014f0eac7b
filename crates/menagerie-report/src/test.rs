//! The tests of rules, for people and programs.

use std::fmt::Write as _;

use menagerie_compliance::{Mutation, RuleTest, Survivor};
use serde::Serialize;

use crate::harmless::{self, plain};

/// Returns how many of all changes were noticed, and how many there were.
pub fn score(tests: &[RuleTest]) -> (usize, usize) {
    let sum = |of: fn(&RuleTest) -> usize| tests.iter().map(of).sum();
    (sum(|test| test.noticed), sum(|test| test.mutations))
}

/// Returns how the tests went: a line for each rule, and what is wrong with it.
pub fn tests(tests: &[RuleTest]) -> String {
    let mut text = String::new();
    for test in tests {
        let word = if test.is_right() { "ok" } else { "FAILED" };
        write!(text, "{word:<6}  {:<12}  ", test.rule).expect("writing to a string can't fail");
        writeln!(
            text,
            "{} cases, {} of {} changes noticed",
            test.cases, test.noticed, test.mutations
        )
        .expect("writing to a string can't fail");
        for problem in problems(test) {
            writeln!(text, "        {}", plain(&problem)).expect("writing to a string can't fail");
        }
    }
    let (noticed, mutations) = score(tests);
    let covered = tests.iter().filter(|test| test.is_covered).count();
    let right = tests.iter().filter(|test| test.is_right()).count();
    let percent = (noticed * 100).checked_div(mutations).unwrap_or_default();
    writeln!(
        text,
        "{right} of {} rules are right; {covered} have a case that passes and one that fails; mutation score {percent} % ({noticed} of {mutations})",
        tests.len()
    )
    .expect("writing to a string can't fail");
    text
}

fn problems(test: &RuleTest) -> Vec<String> {
    let mut problems = Vec::new();
    if !test.is_covered {
        problems.push(format!(
            "it has no case that passes, or none that fails: they stand in `{}.test.toml`",
            test.rule
        ));
    }
    problems.extend(
        test.failures.iter().map(|failure| format!("case `{}`: {}", failure.case, failure.message)),
    );
    problems.extend(test.survivors.iter().map(survivor));
    problems
}

fn survivor(Survivor { case, mutation, at }: &Survivor) -> String {
    let case = case.as_deref().unwrap_or_default();
    match mutation {
        Mutation::Flipped => {
            format!("case `{case}`: `{at}` made wrong, and the rule does not fail")
        }
        Mutation::Unknown => format!("case `{case}`: `{at}` made unknown, and the rule passes"),
        Mutation::Untried => format!("nothing in a case that passes can be made wrong for {at}"),
    }
}

/// Returns how the tests went for programs: version 1 of its JSON.
pub fn tests_json(tests: &[RuleTest]) -> String {
    harmless::json(&TestDocument::of(tests))
}

/// The tests of rules as version 1 of their JSON.
#[derive(Debug, Serialize)]
struct TestDocument<'a> {
    version: u32,
    noticed: usize,
    mutations: usize,
    rules: Vec<TestRow<'a>>,
}

#[derive(Debug, Serialize)]
struct TestRow<'a> {
    rule: &'a str,
    right: bool,
    covered: bool,
    cases: usize,
    noticed: usize,
    mutations: usize,
    problems: Vec<String>,
}

impl<'a> TestDocument<'a> {
    fn of(tests: &'a [RuleTest]) -> Self {
        let (noticed, mutations) = score(tests);
        let rules = tests.iter().map(|test| TestRow {
            rule: test.rule.as_str(),
            right: test.is_right(),
            covered: test.is_covered,
            cases: test.cases,
            noticed: test.noticed,
            mutations: test.mutations,
            problems: problems(test),
        });
        Self { version: 1, noticed, mutations, rules: rules.collect() }
    }
}
