//! [`test_rules`]: a rule's own tests, and whether they would notice if the rule asked nothing.
//!
//! Each place that an assertion looks at in a case that passes is changed so that the assertion no longer holds: the verdict
//! must become `fail`. Then the same place is made unknown: the verdict must not be `pass`.

use serde_json::{Value, json};

use crate::assertion::{Assertion, Operator};
use crate::case::{Case, CaseFailure, Fixture};
use crate::finding::Verdict;
use crate::mask::NOTHING;
use crate::path::{AttributePath, Found, Node};
use crate::policy::Policy;
use crate::rule::{Rule, RuleId};
use crate::truth::{equal, is_present};

/// How the tests of a rule went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTest {
    /// The rule.
    pub rule: RuleId,
    /// How many cases pass, how many fail and how many are unknown, as they should.
    pub cases: usize,
    /// Whether there is a case that passes, and one that fails.
    pub is_covered: bool,
    /// The cases of which the rule says something else.
    pub failures: Vec<CaseFailure>,
    /// How many changes were noticed, of how many.
    pub noticed: usize,
    /// All changes.
    pub mutations: usize,
    /// The changes that were not noticed.
    pub survivors: Vec<Survivor>,
}

/// What was done to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A value was made wrong.
    Flipped,
    /// A value was made unknown.
    Unknown,
    /// No case that passes has a value to change.
    Untried,
}

/// A change that was not noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// The case; none where there was nothing to change.
    pub case: Option<String>,
    /// What was done.
    pub mutation: Mutation,
    /// To what, or by which assertion.
    pub at: String,
}

/// Runs the tests of all rules.
pub fn test_rules(policy: &Policy) -> Vec<RuleTest> {
    let cases =
        |rule: &Rule| policy.cases.get(&rule.about.id).map_or(&[][..], |cases| &cases.cases);
    policy.rules.iter().map(|rule| test(rule, cases(rule))).collect()
}

fn test(rule: &Rule, cases: &[Case]) -> RuleTest {
    let has = |verdict| cases.iter().any(|case| case.verdict == verdict);
    let failures: Vec<CaseFailure> =
        cases.iter().filter_map(|case| case.check(rule).err()).collect();
    let mut test = RuleTest {
        rule: rule.about.id.clone(),
        cases: cases.len(),
        is_covered: has(Verdict::Pass) && has(Verdict::Fail),
        failures,
        noticed: 0,
        mutations: 0,
        survivors: Vec::new(),
    };
    let passing: Vec<&Case> = cases.iter().filter(|case| case.verdict == Verdict::Pass).collect();
    let failing: Vec<&Case> = cases.iter().filter(|case| case.verdict == Verdict::Fail).collect();
    for (number, assertion) in rule.assertions.iter().enumerate() {
        let before = test.mutations;
        for case in &passing {
            for (index, fixture) in case.resources.iter().enumerate() {
                if is_about(rule, fixture) {
                    let site = Site { rule, case, index, fixture, failing: &failing };
                    site.mutate(assertion, &mut test);
                }
            }
        }
        if test.mutations == before {
            test.untried(format!("assertion {}: {assertion}", number + 1));
        }
    }
    if rule.forbid || rule.expect.is_some() {
        test_as_a_whole(rule, &passing, &failing, &mut test);
    }
    test
}

/// Changes which resources there are, for a rule that asks that.
fn test_as_a_whole(rule: &Rule, passing: &[&Case], failing: &[&Case], test: &mut RuleTest) {
    let before = test.mutations;
    for case in passing {
        for other in failing {
            let mut mutant = (*case).clone();
            if rule.forbid {
                mutant.resources.extend(other.resources.iter().cloned());
            } else {
                mutant.resources.clone_from(&other.resources);
            }
            test.record(rule, case, &mutant, Mutation::Flipped, "the resources".to_owned());
        }
    }
    if test.mutations == before {
        test.untried("the resources".to_owned());
    }
}

/// Returns whether the rule examines this resource.
fn is_about(rule: &Rule, fixture: &Fixture) -> bool {
    let alone = Case {
        name: String::new(),
        verdict: Verdict::Pass,
        attributes: None,
        resources: vec![fixture.clone()],
        changes: Vec::new(),
    };
    alone.judge(rule).is_ok_and(|evaluation| evaluation.coverage[0].examined > 0)
}

impl RuleTest {
    /// Returns whether all is well.
    pub fn is_right(&self) -> bool {
        self.is_covered && self.failures.is_empty() && self.survivors.is_empty()
    }

    pub(crate) fn untried(&mut self, at: String) {
        self.mutations += 1;
        self.survivors.push(Survivor { case: None, mutation: Mutation::Untried, at });
    }

    fn record(&mut self, rule: &Rule, case: &Case, mutant: &Case, mutation: Mutation, at: String) {
        let verdict = mutant
            .judge(rule)
            .ok()
            .and_then(|evaluation| evaluation.findings.iter().map(|finding| finding.verdict).max());
        self.note(case, verdict, mutation, at);
    }

    /// Counts a change, and whether it was noticed.
    pub(crate) fn note(
        &mut self,
        case: &Case,
        verdict: Option<Verdict>,
        mutation: Mutation,
        at: String,
    ) {
        self.mutations += 1;
        let is_noticed = match mutation {
            Mutation::Flipped | Mutation::Untried => verdict == Some(Verdict::Fail),
            Mutation::Unknown => matches!(verdict, Some(Verdict::Unknown | Verdict::Fail)),
        };
        if is_noticed {
            self.noticed += 1;
        } else {
            self.survivors.push(Survivor { case: Some(case.name.clone()), mutation, at });
        }
    }
}

/// Values to be put at places, together.
type Changes = Vec<(String, Value)>;

/// The most ways of one group that are tried.
const MOST_WAYS: usize = 64;

/// Returns the ways in which all of these are changed: each way of one with each way of the others.
fn all(inner: &[Assertion], ways: impl Fn(&Assertion) -> Vec<Changes>) -> Vec<Changes> {
    inner.iter().fold(vec![Vec::new()], |so_far, inner| {
        let more = ways(inner);
        let joined = so_far
            .iter()
            .flat_map(|one| more.iter().map(move |other| [one.as_slice(), other].concat()));
        joined.take(MOST_WAYS).collect()
    })
}

/// A resource of a case that passes.
struct Site<'a> {
    rule: &'a Rule,
    case: &'a Case,
    index: usize,
    fixture: &'a Fixture,
    failing: &'a [&'a Case],
}

impl Site<'_> {
    fn mutate(&self, assertion: &Assertion, test: &mut RuleTest) {
        for operator in &assertion.operators {
            match operator {
                Operator::ReferencedBy(companion) => {
                    let is_companion = |fixture: &Fixture| {
                        crate::address::Address::parse(&fixture.address).kind == companion.kind
                    };
                    let mut mutant = self.case.clone();
                    mutant.resources.retain(|fixture| !is_companion(fixture));
                    let at = format!("each `{}`", companion.kind);
                    test.record(self.rule, self.case, &mutant, Mutation::Flipped, at.clone());
                    let mut mutant = self.case.clone();
                    for fixture in
                        mutant.resources.iter_mut().filter(|fixture| is_companion(fixture))
                    {
                        fixture.references =
                            vec![(companion.attribute.clone(), vec!["var.name".to_owned()])];
                    }
                    test.record(self.rule, self.case, &mutant, Mutation::Unknown, at);
                }
                Operator::Unique => self.places(assertion, &mut |place, _| {
                    let mut mutant = self.case.clone();
                    let mut copy = self.fixture.clone();
                    copy.address.push_str("_copy");
                    mutant.resources.push(copy);
                    test.record(self.rule, self.case, &mutant, Mutation::Flipped, place.to_owned());
                    self.make_unknown(&[place.to_owned()], test);
                }),
                Operator::Any(inner) => self.places(assertion, &mut |place, node| {
                    // None of them may hold, so all are made wrong at once.
                    self.try_each(&all(inner, |inner| self.wrong(inner, place, node)), test);
                }),
                Operator::Never(inner) => self.places(assertion, &mut |place, node| {
                    self.try_each(&all(inner, |inner| self.right(inner, place, node)), test);
                }),
                operator => self.places(assertion, &mut |place, node| {
                    if assertion.optional && node.value.is_null() {
                        return;
                    }
                    match self.wrong_value(operator, node.value) {
                        Some(value) => self.flip(&[(place.to_owned(), value)], test),
                        None => test.untried(format!(
                            "`{place}` {operator}: no case that fails has a value for it"
                        )),
                    }
                    self.make_unknown(&[place.to_owned()], test);
                }),
            }
        }
    }

    /// Calls `visit` with each place that an assertion looks at, as far as it is known.
    fn places(&self, assertion: &Assertion, visit: &mut dyn FnMut(&str, Node<'_>)) {
        let Fixture { values, unknown, .. } = self.fixture;
        let node = Node { value: values, unknown, sensitive: &NOTHING, is_json: false };
        assertion.visit(node, "", &mut |place, found, _| {
            if let Found::Node(node) = found {
                visit(place, *node);
            }
        });
    }

    fn flip(&self, changes: &[(String, Value)], test: &mut RuleTest) {
        let mut mutant = self.case.clone();
        let values = &mut mutant.resources[self.index].values;
        for (place, value) in changes {
            if let Ok(path) = place.parse::<AttributePath>() {
                path.set(values, value.clone());
            }
        }
        let places: Vec<&str> = changes.iter().map(|(place, _)| place.as_str()).collect();
        test.record(self.rule, self.case, &mutant, Mutation::Flipped, places.join(", "));
    }

    fn make_unknown(&self, places: &[String], test: &mut RuleTest) {
        let mut mutant = self.case.clone();
        let fixture = &mut mutant.resources[self.index];
        for place in places {
            let Ok(path) = place.parse::<AttributePath>() else { continue };
            // Of a text that is JSON, all is unknown or nothing.
            let path = if path.is_in_json() { path.before_json() } else { path };
            path.set(&mut fixture.values, Value::Null);
            path.set(&mut fixture.unknown, Value::Bool(true));
        }
        test.record(self.rule, self.case, &mutant, Mutation::Unknown, places.join(", "));
    }

    fn try_each(&self, ways: &[Changes], test: &mut RuleTest) {
        for changes in ways {
            self.flip(changes, test);
            let places: Vec<String> = changes.iter().map(|(place, _)| place.clone()).collect();
            self.make_unknown(&places, test);
        }
    }

    /// Returns the ways in which an inner assertion is made wrong.
    fn wrong(&self, inner: &Assertion, at: &str, node: Node<'_>) -> Vec<Changes> {
        let mut ways = Vec::new();
        inner.visit(node, at, &mut |place, found, _| {
            let Found::Node(found) = *found else { return };
            for operator in &inner.operators {
                match operator {
                    Operator::Any(inner) => {
                        ways.extend(all(inner, |inner| self.wrong(inner, place, found)));
                    }
                    Operator::Never(inner) => {
                        ways.extend(all(inner, |inner| self.right(inner, place, found)));
                    }
                    operator => {
                        let value = self.wrong_value(operator, found.value);
                        ways.extend(value.map(|value| vec![(place.to_owned(), value)]));
                    }
                }
            }
        });
        ways
    }

    /// Returns the ways in which an inner assertion is made right.
    fn right(&self, inner: &Assertion, at: &str, node: Node<'_>) -> Vec<Changes> {
        let mut ways = Vec::new();
        inner.visit(node, at, &mut |place, found, _| {
            let Found::Node(found) = *found else { return };
            for operator in &inner.operators {
                match operator {
                    Operator::Any(inner) => {
                        ways.extend(inner.iter().flat_map(|inner| self.right(inner, place, found)));
                    }
                    Operator::Never(inner) => {
                        ways.extend(inner.iter().flat_map(|inner| self.wrong(inner, place, found)));
                    }
                    operator => {
                        let value = self.right_value(operator);
                        ways.extend(value.map(|value| vec![(place.to_owned(), value)]));
                    }
                }
            }
        });
        ways
    }

    /// Returns a value that an operator refuses.
    fn wrong_value(&self, operator: &Operator, value: &Value) -> Option<Value> {
        let others = || [json!(false), json!(true), json!("other"), json!(-1), json!("")];
        let list_with = |more: Value| match value {
            Value::Array(elements) => {
                Value::Array(elements.iter().cloned().chain([more]).collect())
            }
            Value::Null => json!([more]),
            value => json!([value, more]),
        };
        match operator {
            Operator::Equals(wanted) => Some(match wanted {
                Value::Bool(wanted) => json!(!wanted),
                Value::Number(wanted) => json!(wanted.as_f64().unwrap_or_default() + 1.0),
                _ => json!("other"),
            }),
            Operator::In(wanted) => {
                others().into_iter().find(|other| !wanted.iter().any(|one| equal(one, other)))
            }
            Operator::NotEquals(refused) => Some(refused.clone()),
            Operator::NotIn(refused) => refused.first().cloned(),
            Operator::Matches(regex) => ["", "other", "0", "\u{1}"]
                .into_iter()
                .find(|text| !regex.is_match(text))
                .map(Value::from),
            Operator::NotMatches(regex) => {
                self.failing_texts().into_iter().find(|text| regex.is_match(text)).map(Value::from)
            }
            Operator::AtLeast(least) => Some(json!(least - 1.0)),
            Operator::AtMost(most) => Some(json!(most + 1.0)),
            Operator::SubsetOf(allowed) => others()
                .into_iter()
                .find(|other| !allowed.iter().any(|one| equal(one, other)))
                .map(list_with),
            Operator::Contains(_) | Operator::ContainsMatch(_) => Some(json!([])),
            Operator::Lacks(refused) => refused.first().cloned().map(list_with),
            Operator::LacksMatch(regex) => self
                .failing_texts()
                .into_iter()
                .find(|text| regex.is_match(text))
                .map(|text| list_with(Value::from(text))),
            Operator::Count(count) => count.forbidden().map(|length| json!(vec!["other"; length])),
            Operator::Present(true) => Some(Value::Null),
            Operator::Present(false) => Some(json!("other")),
            Operator::Unique
            | Operator::ReferencedBy(_)
            | Operator::Any(_)
            | Operator::Never(_) => None,
        }
    }

    /// Returns a value that an operator accepts.
    fn right_value(&self, operator: &Operator) -> Option<Value> {
        match operator {
            Operator::Equals(wanted) => Some(wanted.clone()),
            Operator::In(wanted) => wanted.first().cloned(),
            Operator::Contains(wanted) => Some(match wanted.as_slice() {
                [one] => one.clone(),
                several => json!(several),
            }),
            Operator::AtLeast(number) | Operator::AtMost(number) => Some(json!(number)),
            Operator::Present(true) => Some(json!("other")),
            Operator::SubsetOf(_) | Operator::Lacks(_) | Operator::LacksMatch(_) => Some(json!([])),
            Operator::Present(false)
            | Operator::NotEquals(_)
            | Operator::NotIn(_)
            | Operator::NotMatches(_) => Some(Value::Null),
            Operator::Matches(regex) | Operator::ContainsMatch(regex) => {
                self.failing_texts().into_iter().find(|text| regex.is_match(text)).map(Value::from)
            }
            Operator::Count(_)
            | Operator::Unique
            | Operator::ReferencedBy(_)
            | Operator::Any(_)
            | Operator::Never(_) => None,
        }
    }

    /// Returns the texts that the cases that fail hold anywhere: what a pattern refuses can't be made up.
    fn failing_texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for fixture in self.failing.iter().flat_map(|case| &case.resources) {
            collect(&fixture.values, &mut texts);
        }
        texts
    }
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                collect(&inner, texts);
            }
            texts.push(text.clone());
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, texts)),
        Value::Object(attributes) => {
            attributes.values().for_each(|attribute| collect(attribute, texts));
        }
        value if is_present(value) => texts.push(value.to_string()),
        _ => {}
    }
}
