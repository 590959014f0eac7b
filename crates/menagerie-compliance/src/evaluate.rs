//! [`evaluate`]: rules against an input, and what came of it.

mod judge;
mod references;
#[cfg(test)]
mod whole;

use jiff::civil::Date;
use serde::Serialize;

use crate::finding::{Finding, Fingerprint, Verdict};
use crate::input::{self, InputError, InputKind};
use crate::parity::parity;
use crate::policy::Policy;
use crate::record::{EnvironmentFacts, Input, Record, Source};
use crate::rule::{Rule, RuleId};
use crate::severity::Severity;
use crate::waiver::Waiver;
use judge::Judge;

/// What came of judging.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// What was judged: an entry for each input.
    pub judged: Vec<Judged>,
    /// How many resources the plans and states hold.
    pub resources: usize,
    /// How many records there are beside them.
    pub records: usize,
    /// What each rule did, in the order of the policy.
    pub coverage: Vec<Coverage>,
    /// All that is no pass: the worst first, then by rule, address and attribute.
    pub findings: Vec<Finding>,
    /// What became of each waiver, in the order of the policy.
    pub waivers: Vec<WaiverUse>,
}

/// An input that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Which parts of it there were.
    pub sources: Vec<Source>,
    /// What the plan or state was, where there was one.
    pub plan: Option<InputKind>,
    /// The environment whose plan it was.
    pub environment: Option<EnvironmentFacts>,
}

/// What a rule did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The rule.
    pub rule: RuleId,
    /// What it is about.
    pub source: Source,
    /// How many resources it examined.
    pub examined: usize,
    /// How many places passed.
    pub passed: usize,
}

/// What became of a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WaiverUse {
    /// It waived a finding.
    Used,
    /// It met none.
    Unused,
    /// It met one by rule and address, but not by fingerprint: what it was given for has changed.
    Changed,
    /// Its last day is over, or its first has not come.
    Expired,
    /// Its environment ends before it does, so that it does not hold.
    Outlives,
    /// Nothing that it could be about was judged.
    Elsewhere,
}

/// Judges an input by the rules and waivers of a policy.
///
/// A plan is read once, and only what the rules read is kept, for as long as its resource is judged.
pub fn evaluate(policy: &Policy, input: &Input<'_>, today: Date) -> Result<Evaluation, InputError> {
    let rules: Vec<&Rule> = policy.rules.iter().collect();
    let mut evaluation = judge(&rules, input)?;
    evaluation.waive(&policy.waivers, today);
    Ok(evaluation)
}

/// Judges an input without waivers: several can be put together with [`Evaluation::add`] before they are met with them.
pub fn judge(rules: &[&Rule], input: &Input<'_>) -> Result<Evaluation, InputError> {
    let mut differences = Vec::new();
    if let (Some(plan), Some(production)) = (input.plan, input.production) {
        let rules: Vec<_> = rules.iter().filter(|rule| rule.input == Source::Parity).collect();
        if !rules.is_empty() {
            let is_about = |kind: &str| rules.iter().any(|rule| rule.subject.is_about(kind));
            differences = parity(plan, production, &is_about)?;
        }
    }
    judge_with(rules, input, &differences)
}

/// Judges an input and what it has otherwise than production.
pub(crate) fn judge_with(
    rules: &[&Rule],
    input: &Input<'_>,
    differences: &[Record],
) -> Result<Evaluation, InputError> {
    let mut judge = Judge::new(rules, input.root);
    let plan = input.plan.map(|json| input::read(json, &mut judge)).transpose()?;
    if let Some(kind) = plan {
        judge.end_of_plan(kind);
    }
    for record in differences {
        judge.record(Source::Parity, record);
    }
    for source in Source::ALL {
        for record in input.records(source).into_iter().flatten() {
            judge.record(source, record);
        }
    }
    let mut evaluation = judge.end();
    for (rule, coverage) in rules.iter().zip(&evaluation.coverage) {
        let Some(expect) = rule.expect.filter(|expect| !expect.allows(coverage.examined)) else {
            continue;
        };
        if !input.has(rule.input) {
            continue;
        }
        let class = format!("count {}", coverage.examined);
        let root = rule.root(input.root);
        evaluation.findings.push(Finding {
            rule: rule.about.id.clone(),
            severity: rule.about.severity,
            verdict: Verdict::Fail,
            counts: true,
            source: rule.input,
            root: root.to_owned(),
            environment: None,
            address: None,
            attribute: None,
            message: format!(
                "there must be {expect} of {}, but there are {}",
                rule.subject(),
                coverage.examined
            ),
            fingerprint: Fingerprint::of(root, &rule.about.id, None, None, &class),
            location: None,
            waivers: Vec::new(),
        });
    }
    if let Some(environment) = input.environment {
        let of_plan = evaluation.findings.iter_mut().filter(|found| found.source.is_of_plan());
        for finding in of_plan {
            finding.environment = Some(environment.name.clone());
        }
    }
    evaluation.judged.push(Judged {
        sources: Source::ALL.into_iter().filter(|source| input.has(*source)).collect(),
        plan,
        environment: input.environment.cloned(),
    });
    evaluation.sort();
    Ok(evaluation)
}

impl Rule {
    /// Returns the root module that a finding of it belongs to: records have theirs in the address.
    pub(crate) fn root<'a>(&self, root: &'a str) -> &'a str {
        if self.input.is_of_plan() { root } else { "" }
    }
}

impl Evaluation {
    /// Returns whether anything at or above the threshold counts.
    pub fn has_failed(&self, threshold: Severity) -> bool {
        self.findings.iter().any(|finding| finding.counts && finding.severity >= threshold)
    }

    /// Returns whether something could not be judged.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Error)
    }

    /// Returns whether nothing was judged: no rule met a resource, and none missed one.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.coverage.iter().all(|coverage| coverage.examined == 0)
    }

    /// Returns how many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// Adds what came of another input, or of other rules.
    pub fn add(&mut self, other: Self) {
        self.judged.extend(other.judged);
        self.resources += other.resources;
        self.records += other.records;
        for more in other.coverage {
            match self.coverage.iter_mut().find(|coverage| coverage.rule == more.rule) {
                Some(coverage) => {
                    coverage.examined += more.examined;
                    coverage.passed += more.passed;
                }
                None => self.coverage.push(more),
            }
        }
        self.findings.extend(other.findings);
        self.sort();
    }

    fn sort(&mut self) {
        fn key(finding: &Finding) -> impl Ord + use<'_> {
            (&finding.rule, &finding.root, &finding.address, &finding.attribute)
        }
        self.findings.sort_by(|one, other| {
            other.severity.cmp(&one.severity).then_with(|| key(one).cmp(&key(other)))
        });
    }

    /// Meets each finding with each waiver, once all is added; an error is never waived.
    pub fn waive(&mut self, waivers: &[Waiver], today: Date) {
        self.waivers = waivers
            .iter()
            .enumerate()
            .map(|(index, waiver)| self.waive_one(index, waiver, today))
            .collect();
    }

    fn waive_one(&mut self, index: usize, waiver: &Waiver, today: Date) -> WaiverUse {
        let outlives = self.judged.iter().filter_map(|judged| judged.environment.as_ref()).any(
            |environment| {
                waiver.environment.as_ref() == Some(&environment.name)
                    && environment.expires < waiver.expires
            },
        );
        let holds = waiver.holds_on(today) && !outlives;
        let (mut is_used, mut is_changed) = (false, false);
        for finding in &mut self.findings {
            if finding.verdict == Verdict::Error || !waiver.is_about(finding) {
                continue;
            }
            if !waiver.fingerprints.contains(&finding.fingerprint) {
                is_changed = true;
                continue;
            }
            finding.waivers.push(index);
            if holds {
                is_used = true;
                finding.verdict = Verdict::Waived;
                finding.counts = false;
            }
        }
        match () {
            () if !waiver.holds_on(today) => WaiverUse::Expired,
            () if outlives => WaiverUse::Outlives,
            () if is_used => WaiverUse::Used,
            () if is_changed => WaiverUse::Changed,
            () if !self.has_judged(waiver) => WaiverUse::Elsewhere,
            () => WaiverUse::Unused,
        }
    }

    /// Returns whether anything was judged that a waiver could be about.
    fn has_judged(&self, waiver: &Waiver) -> bool {
        // A rule that is not there any more can have no findings, so its waiver is of no use.
        let coverage = self.coverage.iter().find(|coverage| coverage.rule == waiver.rule);
        coverage.is_none_or(|coverage| {
            self.judged.iter().any(|judged| {
                let environment = judged.environment.as_ref().map(|known| &known.name);
                judged.sources.contains(&coverage.source)
                    && (!coverage.source.is_of_plan() || environment == waiver.environment.as_ref())
            })
        })
    }
}

impl Waiver {
    /// Returns whether it was given for this rule, address and attribute, whatever the value.
    fn is_about(&self, finding: &Finding) -> bool {
        self.rule == finding.rule
            && self.environment == finding.environment
            && self.address.matches(finding.address.as_deref().unwrap_or_default())
            && self
                .attribute
                .as_ref()
                .is_none_or(|attribute| finding.attribute.as_ref() == Some(attribute))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::PolicyFile;

    /// A rule that asks everything that can be asked.
    const RULE: &str = r#"id = "X-1"
title = "t"
severity = "low"
rationale = "r"
remediation = "r"
expect = ">=1"

[match]
type = ["x_*", "y"]
module = ["", "module.*"]
tags = { a = "*" }
where = [{ attribute = "a", not_equals = 7 }]

[[assert]]
attribute = "b[*].c"
equals = 1
not_equals = 2
in = [1]
not_in = [2]
optional = true

[[assert]]
attribute = "d::e[*]"
matches = "x"
not_matches = "y"
at_least = 1
at_most = 2

[[assert]]
attribute = "f.*"
subset_of = [1]
contains = 1
contains_match = "1"
lacks = 2
lacks_match = "2"
count = ">=1"
present = true
unique = true

[[assert]]
any = [{ attribute = "a", present = true }, { attribute = "b[0]", never = [{ attribute = "c", equals = 1 }] }]

[[assert]]
referenced_by = { type = "y", attribute = "b" }
"#;

    fn policy(text: &str) -> Result<Policy, String> {
        let file = PolicyFile { path: "X-1.toml".as_ref(), text };
        Policy::parse(&[file]).map_err(|errors| errors.to_string())
    }

    fn judged(json: &str) -> Result<Evaluation, InputError> {
        let input = Input { plan: Some(json.as_bytes()), ..Input::default() };
        evaluate(&policy(RULE).unwrap(), &input, jiff::civil::date(2026, 11, 24))
    }

    fn plan(after: &Value, unknown: &Value, sensitive: &Value) -> Value {
        json!({"format_version": "1.2", "resource_changes": [{
            "address": "module.m[\"a.b\"].x_y.z[0]", "mode": "managed", "type": "x_y", "name": "z",
            "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown, "after_sensitive": sensitive},
        }], "configuration": {"root_module": {"module_calls": {"m": {"module": {"resources": [
            {"type": "y", "expressions": {"b": {"references": ["x_y.z.id", "x_y.z"]}}}]}}}}}})
    }

    #[track_caller]
    fn check(after: &Value, unknown: &Value, expected: &[&str]) {
        let evaluation = judged(&plan(after, unknown, &json!({})).to_string()).unwrap();
        let line = |finding: &Finding| {
            format!(
                "{:?} {} {}",
                finding.verdict,
                finding.attribute.as_deref().unwrap_or("-"),
                finding.message
            )
        };
        let actual: Vec<String> = evaluation.findings.iter().map(line).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn places_and_parts() {
        let tags = json!({"a": "x"});
        let right =
            json!({"tags": tags, "a": 1, "b": [{"c": 1}], "d": "{\"e\": [1]}", "f": {"g": [1]}});
        check(
            &right,
            &json!({}),
            &[
                "Fail d::e[0] must match `x` and must not match `y` and must be at least 1 and must be at most 2, but is `1`",
            ],
        );
        check(
            &json!({"tags": tags, "b": [{"c": 1}, {"c": 2}], "f": {"g": null}}),
            &json!({"f": {"g": true}, "d": true}),
            &[
                "Fail a, b[0], c needs one of: `a` must be set; or `b[0]` must not have it that `c` is `1`, but `a` is not set and `b[0].c` is `1`",
                "Fail b[1].c must be `1` and must not be `2` and must be one of `1` and must be none of `2`, but is `2`",
                "Unknown d must match `x` and must not match `y` and must be at least 1 and must be at most 2, but is known after apply only",
                "Unknown f.g may hold `1` only and must hold `1` and must hold one that matches `1` and must hold none of `2` and must hold none that matches `2` and must hold at least 1 and must be set and must differ from that of every other, but is known after apply only",
            ],
        );
        // Nothing is known, not even whether the rule is about it.
        let unknown = judged(&plan(&json!({}), &json!(true), &json!(true)).to_string()).unwrap();
        assert!(
            unknown.findings.iter().all(|finding| finding.verdict == Verdict::Unknown),
            "{unknown:?}"
        );
        assert_eq!((unknown.findings.len(), unknown.coverage[0].examined), (4, 1));
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let after = json!({"tags": {"a": "x"}, "b": [{"c": 2}]});
        let usual = plan(&after, &json!({}), &json!({})).to_string();
        // The same with the type after the change, and the version at the end.
        let turned = format!(
            r#"{{"resource_changes": [{{"change": {{"after": {after}, "actions": ["create"]}}, "mode": "managed", "address": "module.m[\"a.b\"].x_y.z[0]", "type": "x_y"}}], "configuration": {}, "format_version": "1.2"}}"#,
            serde_json::from_str::<Value>(&usual).unwrap()["configuration"]
        );
        assert_eq!(judged(&usual).unwrap().findings, judged(&turned).unwrap().findings);
    }

    #[test]
    fn a_state_names_by_id() {
        let state = |named: &str| {
            json!({"format_version": "1.0", "values": {"root_module": {
                "resources": [{"address": "y.a", "mode": "managed", "type": "y", "values": {"b": named}, "sensitive_values": {}}],
                "child_modules": [{"resources": [{"address": "module.m.x_y.z", "mode": "managed", "type": "x_y",
                    "values": {"id": "id-1", "tags": {"a": "x"}, "a": 1}, "sensitive_values": {}}]}]}}})
        };
        let missing = |named: &str| judged(&state(named).to_string()).unwrap().findings.len();
        assert_eq!((missing("id-1"), missing("id-2")), (0, 1));
        assert_eq!(
            judged(&state("id-1").to_string()).unwrap().judged[0].plan,
            Some(InputKind::State)
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[abc{}\"\\[\\]:x1]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-g]|tags|tags_all", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn judging_never_panics_and_tells_no_secret(after in value(), unknown in value(), sensitive in value()) {
            let _ = judged(&plan(&after, &unknown, &sensitive).to_string());
            let marked = json!({"tags": {"a": "x"}, "a": "s3cret!", "b": [{"c": "s3cret!"}], "d": "{\"e\": \"s3cret!\"}", "f": after});
            let evaluation = judged(&plan(&marked, &unknown, &json!(true)).to_string());
            let told = format!("{evaluation:?}");
            prop_assert!(!told.contains("s3cret!"), "{}", told);
        }

        #[test]
        fn what_is_damaged_never_panics_and_what_is_cut_is_refused(at in 0..1usize << 16, with in "\\PC{0,3}") {
            let json = plan(&json!({"tags": {"a": "x"}, "b": [{"c": 2}]}), &json!({}), &json!({})).to_string();
            let at = json.floor_char_boundary(at % json.len());
            prop_assert!(judged(&json[..at]).is_err());
            let _ = judged(&format!("{}{with}{}", &json[..at], &json[at..]));
        }

        #[test]
        fn parsing_a_rule_never_panics(text in "\\PC{0,60}", at in 0..1usize << 16, length in 0..20usize) {
            let _ = policy(&text);
            let at = at % RULE.len();
            let end = (at + length).min(RULE.len());
            let _ = policy(&format!("{}{text}{}", &RULE[..at], &RULE[end..]));
        }
    }
}
