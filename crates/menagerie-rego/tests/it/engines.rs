//! The same question to both engines, and what they answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use menagerie_compliance::{Input, PolicyFile, Verdict};
use menagerie_rego::{Options, RegoPolicy};
use serde_json::Value;

use crate::opa::Opa;

/// What a rule says: each message with the address that it is about.
pub(crate) type Found = BTreeSet<(String, Option<String>)>;

/// What an engine answers: what a rule says, or why it could not be evaluated.
pub(crate) type Answer = Result<Found, String>;

/// Parses modules as ours.
pub(crate) fn policy(modules: &[(&str, &str)]) -> Result<RegoPolicy, String> {
    let files: Vec<PolicyFile<'_>> =
        modules.iter().map(|(path, text)| PolicyFile { path: Path::new(path), text }).collect();
    RegoPolicy::parse(&files, Options::default()).map_err(|error| error.to_string())
}

/// Asks ours for each of these rules, which stand in `package`.
pub(crate) fn ours(policy: &RegoPolicy, package: &str, rules: &[&str], plan: &str) -> Vec<Answer> {
    let input = Input { plan: Some(plan.as_bytes()), ..Input::default() };
    let evaluation = policy.judge(&input).unwrap_or_else(|error| panic!("{error}"));
    let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
    for finding in evaluation.findings {
        let answer = answers.entry(finding.rule.to_string()).or_insert_with(|| Ok(Found::new()));
        if finding.verdict == Verdict::Error {
            *answer = Err(finding.message);
        } else if let Ok(found) = answer {
            found.insert((finding.message, finding.address));
        }
    }
    let answer = |rule: &&str| {
        answers.remove(&format!("{package}.{rule}")).unwrap_or_else(|| Ok(Found::new()))
    };
    rules.iter().map(answer).collect()
}

/// Asks OPA for each of these rules.
pub(crate) fn theirs(opa: &mut Opa, package: &str, rules: &[&str], plan: &str) -> Vec<Answer> {
    let ask = |rule: &&str| {
        let value = opa.ask(&format!("data.{package}.{rule}"), plan)?;
        Ok(value.as_array().into_iter().flatten().map(found).collect())
    };
    rules.iter().map(ask).collect()
}

pub(crate) fn found(element: &Value) -> (String, Option<String>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let message =
        text(element).or_else(|| text(&element["msg"])).expect("it is a message, or has one");
    (message, text(&element["metadata"]["address"]).or_else(|| text(&element["address"])))
}

/// How often the engines agreed.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) asked: usize,
    /// How many findings both have.
    pub(crate) found: usize,
    /// How often both could not evaluate a rule.
    pub(crate) both_refused: usize,
    /// How often only one could: one of them looks at less of a rule that is decided already.
    pub(crate) one_refused: usize,
    differences: Vec<String>,
}

impl Tally {
    /// Counts a pair of answers; `what` tells where they are from.
    pub(crate) fn count(&mut self, ours: &Answer, theirs: &Answer, what: impl fmt::Display) {
        self.asked += 1;
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                self.found += theirs.intersection(ours).count();
                let only: Vec<_> =
                    ours.difference(theirs).map(|found| format!("  ours {found:?}")).collect();
                let other: Vec<_> =
                    theirs.difference(ours).map(|found| format!("  OPA {found:?}")).collect();
                if !only.is_empty() || !other.is_empty() {
                    let lines: Vec<_> =
                        only.into_iter().take(3).chain(other.into_iter().take(3)).collect();
                    self.differences.push(format!("{what}\n{}", lines.join("\n")));
                }
            }
            (Err(_), Err(_)) => self.both_refused += 1,
            (Err(error), Ok(_)) => {
                eprintln!("{what}: only ours refuses: {error}");
                self.one_refused += 1;
            }
            (Ok(_), Err(error)) => {
                eprintln!("{what}: only OPA refuses: {error}");
                self.one_refused += 1;
            }
        }
    }

    /// Fails where they differ, and where too little was found to show anything.
    #[track_caller]
    pub(crate) fn end(&self, title: &str, least: usize) {
        let Self { asked, found, both_refused, one_refused, differences } = self;
        eprintln!(
            "{title}: asked {asked} times, {found} findings in both, {both_refused} refused by both, {one_refused} by one, {} differ",
            differences.len()
        );
        let some: Vec<&str> = differences.iter().take(5).map(String::as_str).collect();
        assert!(
            differences.is_empty(),
            "{} differ, such as\n{}",
            differences.len(),
            some.join("\n")
        );
        assert!(*found >= least, "only {found} findings: this shows little");
        assert!(one_refused * 50 <= *asked, "{one_refused} of {asked} are refused by one of them");
    }
}
