//! [`Judge`]: judges each resource as it is read.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use serde_json::Value;

use super::references::References;
use super::{Coverage, Evaluation};
use crate::address::Address;
use crate::assertion::{Assertion, Operator};
use crate::finding::{Finding, Fingerprint, Verdict, class, shown};
use crate::input::{Block, InputKind, Interest, Resource, Sink};
use crate::mask;
use crate::path::{Found, Node};
use crate::record::{Location, Record, Source};
use crate::rule::{Action, Mode, OnUnknown, Rule};
use crate::truth::Truth;

/// The rules, and what they have found so far.
pub(crate) struct Judge<'r> {
    rules: &'r [&'r Rule],
    root: &'r str,
    interests: HashMap<String, Option<Rc<Interest>>>,
    coverage: Vec<Coverage>,
    findings: Vec<Finding>,
    resources: usize,
    records: usize,
    /// By rule and assertion, which address was the first with a value.
    seen: HashMap<(usize, usize), HashMap<String, String>>,
    references: References,
}

/// What an assertion says of one place.
struct Said<'a> {
    address: &'a str,
    attribute: Option<&'a str>,
    verdict: Verdict,
    message: String,
    class: &'a str,
}

impl<'r> Judge<'r> {
    pub(crate) fn new(rules: &'r [&'r Rule], root: &'r str) -> Self {
        let coverage = rules
            .iter()
            .map(|rule| Coverage {
                rule: rule.about.id.clone(),
                source: rule.input,
                examined: 0,
                passed: 0,
            })
            .collect();
        Self {
            rules,
            root,
            interests: HashMap::new(),
            coverage,
            findings: Vec::new(),
            resources: 0,
            records: 0,
            seen: HashMap::new(),
            references: References::new(rules),
        }
    }

    /// Says what could be told only at the end of a plan.
    pub(crate) fn end_of_plan(&mut self, kind: InputKind) {
        let references = std::mem::take(&mut self.references);
        for missing in references.resolve(kind) {
            let rule = self.rules[missing.rule];
            match missing.truth {
                Truth::True => self.coverage[missing.rule].passed += 1,
                truth => {
                    let said = Said {
                        address: &missing.address,
                        attribute: None,
                        verdict: verdict(&truth),
                        message: text(rule, missing.assertion, &missing.found),
                        class: "reference",
                    };
                    self.say(rule, said);
                }
            }
        }
    }

    /// Judges a record.
    pub(crate) fn record(&mut self, source: Source, record: &Record) {
        self.records += 1;
        let is_about = |rule: &Rule| rule.input == source && rule.subject.is_about(&record.kind);
        let rules: Vec<usize> =
            (0..self.rules.len()).filter(|index| is_about(self.rules[*index])).collect();
        if rules.is_empty() {
            return;
        }
        let resource = Resource {
            address: &record.address,
            kind: &record.kind,
            mode: Mode::Managed,
            action: Action::NoOp,
            values: &record.values,
            unknown: &record.unknown,
            sensitive: &Value::Null,
        };
        let known = self.findings.len();
        self.judge_all(&rules, resource);
        let location =
            record.place.clone().map(|primary| Location { primary, related: Vec::new() });
        for finding in &mut self.findings[known..] {
            finding.location.clone_from(&location);
        }
    }

    /// Returns what was found.
    pub(crate) fn end(self) -> Evaluation {
        Evaluation {
            judged: Vec::new(),
            resources: self.resources,
            records: self.records,
            coverage: self.coverage,
            findings: self.findings,
            waivers: Vec::new(),
        }
    }

    fn judge_all(&mut self, rules: &[usize], resource: Resource<'_>) {
        for &index in rules {
            // A rule's own defect must not take the other rules with it.
            if catch_unwind(AssertUnwindSafe(|| self.judge(index, resource))).is_err() {
                let message = "the rule ended with an internal error; please report it".to_owned();
                let (address, attribute, verdict) = (resource.address, None, Verdict::Error);
                self.say(
                    self.rules[index],
                    Said { address, attribute, verdict, message, class: "panic" },
                );
            }
        }
    }

    fn interest_of(&self, kind: &str) -> Option<Rc<Interest>> {
        let mut interest = Interest::default();
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.input == Source::Plan && rule.subject.is_about(kind) {
                interest.rules.push(index);
                rule.add_needs(&mut interest.need);
                let reads_before = [Action::Delete, Action::Forget];
                interest.reads_before |=
                    rule.subject.actions.iter().any(|action| reads_before.contains(action));
            }
        }
        let is_about = !interest.rules.is_empty();
        self.references.add_needs(kind, &mut interest.need);
        if !is_about && interest.need.is_empty() {
            return None;
        }
        Some(Rc::new(interest))
    }

    fn judge(&mut self, index: usize, resource: Resource<'_>) {
        let rule = self.rules[index];
        let node = Node {
            value: resource.values,
            unknown: resource.unknown,
            sensitive: resource.sensitive,
            is_json: false,
        };
        let applies = applies(rule, resource, node);
        if applies == Truth::False {
            return;
        }
        self.coverage[index].examined += 1;
        if let Truth::Misfit(message) = &applies {
            let attribute = None;
            let message =
                format!("it can't be told whether the rule is about this: an attribute {message}");
            let (verdict, address) = (Verdict::Error, resource.address);
            return self.say(rule, Said { address, attribute, verdict, message, class: "misfit" });
        }
        // Where it can't be told whether the rule is about it, what is wrong may be none of the rule's business.
        let settle = |truth: Truth| match truth {
            Truth::False if applies == Truth::Unknown => Truth::Unknown,
            truth => truth,
        };
        if rule.forbid {
            let truth = settle(Truth::False);
            let message = format!("`{}` must not be there", resource.kind);
            let (verdict, address) = (verdict(&truth), resource.address);
            self.say(rule, Said { address, attribute: None, verdict, message, class: "present" });
        }
        for (number, assertion) in rule.assertions.iter().enumerate() {
            for operator in &assertion.operators {
                if let Operator::ReferencedBy(companion) = operator {
                    self.references.ask(index, number, resource, companion);
                }
            }
            if assertion
                .operators
                .iter()
                .all(|operator| matches!(operator, Operator::ReferencedBy(_)))
            {
                continue;
            }
            assertion.visit(node, "", &mut |place, found, truth| {
                let truth =
                    self.unless_seen((index, number), resource.address, assertion, found, truth);
                self.place(index, resource, assertion, (place, found), &settle(truth));
            });
        }
    }

    /// Counts a place that passes, says what is wrong with another.
    fn place(
        &mut self,
        index: usize,
        resource: Resource<'_>,
        assertion: &Assertion,
        (place, found): (&str, &Found<'_>),
        truth: &Truth,
    ) {
        if *truth == Truth::True {
            self.coverage[index].passed += 1;
            return;
        }
        let rule = self.rules[index];
        let not_known =
            if rule.input.is_of_plan() { "is known after apply only" } else { "is not known" };
        let unknown = || (not_known.to_owned(), "unknown".to_owned());
        let (attribute, (value, class)) = match found {
            Found::Node(node) if assertion.inner().next().is_some() => {
                let parts = Parts::of(assertion, *node, place, not_known);
                let attribute = assertion.attribute.is_some().then(|| place.to_owned());
                (
                    attribute.unwrap_or(parts.attributes.join(", ")),
                    (parts.shown.join(" and "), parts.classes.join(", ")),
                )
            }
            Found::Node(_) if *truth == Truth::Unknown => (place.to_owned(), unknown()),
            Found::Node(node) => (place.to_owned(), (format!("is {}", shown(*node)), class(*node))),
            Found::Unknown => (place.to_owned(), unknown()),
            Found::Misfit(message) => (place.to_owned(), (message.clone(), "misfit".to_owned())),
        };
        let value = match truth {
            Truth::Misfit(message) => message.clone(),
            _ => value,
        };
        let said = Said {
            address: resource.address,
            attribute: Some(&attribute),
            verdict: verdict(truth),
            message: sentence(assertion, &value),
            class: &class,
        };
        self.say(rule, said);
    }

    /// Returns the truth, or that it does not hold where the value has to differ from that of every other, and does not.
    fn unless_seen(
        &mut self,
        key: (usize, usize),
        address: &str,
        assertion: &Assertion,
        found: &Found<'_>,
        truth: Truth,
    ) -> Truth {
        let is_unique =
            assertion.operators.iter().any(|operator| matches!(operator, Operator::Unique));
        let Found::Node(node) = found else { return truth };
        if !is_unique || node.value.is_null() {
            return truth;
        }
        if mask::has_any(node.unknown) {
            return if truth == Truth::True { Truth::Unknown } else { truth };
        }
        let first = self.seen.entry(key).or_default().entry(node.value.to_string());
        match first {
            std::collections::hash_map::Entry::Occupied(_) => Truth::False,
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(address.to_owned());
                truth
            }
        }
    }

    fn say(&mut self, rule: &Rule, said: Said<'_>) {
        let counts = match said.verdict {
            Verdict::Fail | Verdict::Error => true,
            Verdict::Unknown => rule.on_unknown == OnUnknown::Deny,
            Verdict::Pass | Verdict::Waived => false,
        };
        let root = rule.root(self.root);
        self.findings.push(Finding {
            rule: rule.about.id.clone(),
            severity: rule.about.severity,
            verdict: said.verdict,
            counts,
            source: rule.input,
            root: root.to_owned(),
            environment: None,
            address: Some(said.address.to_owned()),
            attribute: said.attribute.map(str::to_owned),
            message: said.message,
            fingerprint: Fingerprint::of(
                root,
                &rule.about.id,
                Some(said.address),
                said.attribute,
                said.class,
            ),
            location: None,
            waivers: Vec::new(),
        });
    }
}

impl Sink for Judge<'_> {
    fn interest(&mut self, kind: &str) -> Option<Rc<Interest>> {
        if let Some(known) = self.interests.get(kind) {
            return known.clone();
        }
        let interest = self.interest_of(kind);
        self.interests.insert(kind.to_owned(), interest.clone());
        interest
    }

    fn resource(&mut self, resource: Resource<'_>, interest: &Interest) {
        self.references.note(resource);
        self.judge_all(&interest.rules, resource);
    }

    fn count(&mut self) {
        self.resources += 1;
    }

    fn wants_blocks(&self, kind: Option<&str>) -> bool {
        self.references.wants_blocks(kind)
    }

    fn block(&mut self, block: Block) {
        self.references.block(block);
    }
}

/// Returns whether a rule is about a resource.
fn applies(rule: &Rule, resource: Resource<'_>, node: Node<'_>) -> Truth {
    let subject = &rule.subject;
    if subject.mode != resource.mode || !subject.is_about_action(resource.action) {
        return Truth::False;
    }
    if !(subject.addresses.is_empty() && subject.modules.is_empty()) {
        let module = match rule.input {
            Source::Plan => Address::parse(resource.address).module,
            // Of a record: what stands before the colon.
            _ => resource.address.split(':').next().unwrap_or_default().to_owned(),
        };
        if !subject.is_about_address(resource.address, &module) {
            return Truth::False;
        }
    }
    let tags = subject.tags.iter().map(|(key, glob)| {
        // `tags_all` has the provider's default tags too, but an old state may not have it.
        let mut is_unknown = mask::is_set(node.unknown);
        for attribute in ["tags_all", "tags"] {
            let unknown = mask::at_key(node.unknown, attribute);
            match node.value.get(attribute).and_then(|tags| tags.get(key)) {
                Some(Value::String(tag)) => {
                    return if glob.matches(tag) { Truth::True } else { Truth::False };
                }
                _ => is_unknown |= mask::is_set(mask::at_key(unknown, key)),
            }
        }
        if is_unknown { Truth::Unknown } else { Truth::False }
    });
    let conditions = subject.conditions.iter().map(|condition| condition.holds(node));
    tags.chain(conditions).fold(Truth::True, Truth::and)
}

fn verdict(truth: &Truth) -> Verdict {
    match truth {
        Truth::True => Verdict::Pass,
        Truth::False => Verdict::Fail,
        Truth::Unknown => Verdict::Unknown,
        Truth::Misfit(_) => Verdict::Error,
    }
}

fn text(rule: &Rule, assertion: usize, found: &str) -> String {
    sentence(&rule.assertions[assertion], found)
}

/// Returns what is wrong: in the rule's words, else by what was asked; and what was found.
fn sentence(assertion: &Assertion, found: &str) -> String {
    let asked = assertion.message().map_or_else(
        || assertion.operators.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "),
        str::to_owned,
    );
    format!("{asked}, but {found}")
}

/// What the parts of an assertion looked at.
#[derive(Default)]
struct Parts {
    attributes: Vec<String>,
    shown: Vec<String>,
    classes: Vec<String>,
}

impl Parts {
    fn of(assertion: &Assertion, node: Node<'_>, at: &str, not_known: &str) -> Self {
        let mut parts = Self::default();
        parts.add(assertion, node, at, not_known);
        parts
    }

    fn add(&mut self, assertion: &Assertion, node: Node<'_>, at: &str, not_known: &str) {
        for inner in assertion.inner() {
            let is_group = inner.inner().next().is_some();
            if let Some(path) = &inner.attribute
                && !self.attributes.iter().any(|known| known == path.as_str())
            {
                self.attributes.push(path.to_string());
            }
            inner.visit(node, at, &mut |place, found, _| {
                let (shown, class) = match found {
                    Found::Node(node) if is_group => {
                        return self.add(inner, *node, place, not_known);
                    }
                    Found::Node(node) => (format!("`{place}` is {}", shown(*node)), class(*node)),
                    Found::Unknown => (format!("`{place}` {not_known}"), "unknown".to_owned()),
                    Found::Misfit(message) => (format!("`{place}` {message}"), "misfit".to_owned()),
                };
                if !self.shown.contains(&shown) {
                    self.shown.push(shown);
                    self.classes.push(class);
                }
            });
        }
    }
}
