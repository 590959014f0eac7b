//! Whether something holds, where what it is about may not be known yet.

use regex_lite::Regex;
use serde_json::Value;

use crate::assertion::{Assertion, Operator};
use crate::mask;
use crate::path::{Found, Node, kind};

/// Whether something holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    /// It can't be told before it is applied.
    Unknown,
    /// It can't be told, and a person has to see why.
    Misfit(String),
    False,
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }

    /// Returns the truth of both: what settles it wins, then what a person has to see.
    pub(crate) fn and(self, other: Self) -> Self {
        if self.rank() >= other.rank() { self } else { other }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            other => other,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::True => 0,
            Self::Unknown => 1,
            Self::Misfit(_) => 2,
            Self::False => 3,
        }
    }
}

impl Assertion {
    /// Returns whether it holds at every place that it leads to.
    pub(crate) fn holds(&self, node: Node<'_>) -> Truth {
        let mut truth = Truth::True;
        self.visit(node, "", &mut |_, _, found| {
            truth = std::mem::replace(&mut truth, Truth::True).and(found);
        });
        truth
    }

    /// Calls `visit` with each place that it leads to, what is there, and whether it holds.
    pub(crate) fn visit(
        &self,
        node: Node<'_>,
        at: &str,
        visit: &mut dyn FnMut(&str, &Found<'_>, Truth),
    ) {
        let Some(path) = &self.attribute else {
            let found = Found::Node(node);
            return visit(at, &found, self.judge(&found));
        };
        path.visit(node, at, &mut |place, found| {
            let truth = self.judge(&found);
            visit(place, &found, truth);
        });
    }

    fn judge(&self, found: &Found<'_>) -> Truth {
        let node = match found {
            Found::Node(node) => *node,
            Found::Unknown => return Truth::Unknown,
            Found::Misfit(message) => return Truth::Misfit(message.clone()),
        };
        if self.optional && node.value.is_null() && !mask::has_any(node.unknown) {
            return Truth::True;
        }
        self.operators.iter().fold(Truth::True, |truth, operator| truth.and(operator.holds(node)))
    }
}

impl Operator {
    fn holds(&self, node: Node<'_>) -> Truth {
        let value = node.value;
        // Something in it is known after apply only.
        let is_partial = mask::has_any(node.unknown);
        match self {
            Self::Any(inner) => {
                inner.iter().fold(Truth::False, |truth, assertion| truth.or(assertion.holds(node)))
            }
            Self::Never(inner) => inner
                .iter()
                .fold(Truth::True, |truth, assertion| truth.and(assertion.holds(node)))
                .not(),
            // Both are about other resources as well; the evaluation sees to them.
            Self::Unique | Self::ReferencedBy(_) => Truth::True,
            Self::Present(wanted) => match (is_present(value), is_partial) {
                (false, true) => Truth::Unknown,
                (is_present, _) => Truth::of(is_present == *wanted),
            },
            Self::Count(count) => match length(value) {
                Some(length) => Truth::of(count.allows(length)),
                None => Truth::Misfit(format!("is {}, whose length is asked for", kind(value))),
            },
            Self::Contains(wanted) => {
                let holds = wanted.iter().all(|one| elements(value).any(|found| equal(found, one)));
                if holds || !is_partial { Truth::of(holds) } else { Truth::Unknown }
            }
            Self::ContainsMatch(regex) => exists(value, regex, is_partial),
            Self::Lacks(refused) => {
                let holds =
                    !elements(value).any(|found| refused.iter().any(|one| equal(found, one)));
                if holds && is_partial { Truth::Unknown } else { Truth::of(holds) }
            }
            Self::LacksMatch(regex) => exists(value, regex, is_partial).not(),
            Self::SubsetOf(allowed) => {
                let is_allowed = |found: &Value| allowed.iter().any(|one| equal(found, one));
                // In a list, null stands where the value is not known yet.
                let holds = elements(value)
                    .all(|found| (is_partial && found.is_null()) || is_allowed(found));
                if holds && is_partial { Truth::Unknown } else { Truth::of(holds) }
            }
            _ if is_partial => Truth::Unknown,
            Self::Equals(wanted) => Truth::of(equal(value, wanted)),
            Self::NotEquals(refused) => Truth::of(!equal(value, refused)),
            Self::In(wanted) => Truth::of(wanted.iter().any(|one| equal(value, one))),
            Self::NotIn(refused) => Truth::of(!refused.iter().any(|one| equal(value, one))),
            Self::Matches(regex) => match value {
                Value::Null => Truth::False,
                value => matches(value, regex),
            },
            Self::NotMatches(regex) => match value {
                Value::Null => Truth::True,
                value => matches(value, regex).not(),
            },
            Self::AtLeast(least) => compare(value, |number| number >= *least),
            Self::AtMost(most) => compare(value, |number| number <= *most),
        }
    }
}

/// Returns whether there is something: Terraform has null, an empty text or an empty list for what is not set.
pub(crate) fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(attributes) => !attributes.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Returns whether two values are the same; 1 and 1.0 are.
pub(crate) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other
                || one
                    .as_f64()
                    .zip(other.as_f64())
                    .is_some_and(|(one, other)| one.total_cmp(&other).is_eq())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (one, other) => one == other,
    }
}

/// Returns the elements of a list; what is no list counts as the one element of a list, null as none.
fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    let elements = match value {
        Value::Null => &[],
        Value::Array(elements) => elements.as_slice(),
        value => std::slice::from_ref(value),
    };
    elements.iter()
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Null => Some(0),
        Value::Array(elements) => Some(elements.len()),
        Value::Object(attributes) => Some(attributes.len()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn exists(value: &Value, regex: &Regex, is_partial: bool) -> Truth {
    let unsettled = if is_partial { Truth::Unknown } else { Truth::False };
    elements(value)
        .filter(|found| !found.is_null())
        .fold(unsettled, |truth, found| truth.or(matches(found, regex)))
}

fn matches(value: &Value, regex: &Regex) -> Truth {
    match value {
        Value::String(text) => Truth::of(regex.is_match(text)),
        Value::Number(number) => Truth::of(regex.is_match(&number.to_string())),
        value => Truth::Misfit(format!("is {}, of which no text is known", kind(value))),
    }
}

/// Compares a number, or a text that is one, as some providers have it; null is no number.
fn compare(value: &Value, holds: impl Fn(f64) -> bool) -> Truth {
    let number = match value {
        Value::Null => return Truth::False,
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    match number {
        Some(number) => Truth::of(holds(number)),
        None => Truth::Misfit(format!("is {}, which is no number", kind(value))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rule::Rule;

    #[track_caller]
    fn check(assertion: &str, values: &Value, unknown: &Value, expected: &str) {
        let text = format!(
            "id = \"X-1\"\ntitle = \"t\"\nseverity = \"low\"\nrationale = \"r\"\nremediation = \"r\"\n[match]\ntype = \"x\"\n[[assert]]\n{assertion}\n"
        );
        let rule = Rule::parse(&text, "x.toml".as_ref()).unwrap_or_else(|error| panic!("{error}"));
        let node = Node { value: values, unknown, sensitive: &mask::NOTHING, is_json: false };
        let actual = match rule.assertions[0].holds(node) {
            Truth::True => "true".to_owned(),
            Truth::False => "false".to_owned(),
            Truth::Unknown => "unknown".to_owned(),
            Truth::Misfit(message) => message,
        };
        assert_eq!(actual, expected, "{assertion} {values} {unknown}");
    }

    /// Checks an operator on the attribute `a`.
    #[track_caller]
    fn on(operator: &str, value: impl Into<Value>, expected: &str) {
        let values = json!({"a": value.into()});
        check(&format!("attribute = \"a\"\n{operator}"), &values, &json!({}), expected);
    }

    #[test]
    fn operators() {
        on("equals = true", json!(true), "true");
        on("equals = true", json!("true"), "false");
        on("equals = true", json!(null), "false");
        on("equals = true\noptional = true", json!(null), "true");
        on("equals = 1", json!(1.0), "true");
        on("not_equals = 1", json!(1), "false");
        on("not_equals = 1", json!(null), "true");
        on("in = [1, \"b\"]", json!("b"), "true");
        on("in = [1, \"b\"]", json!("c"), "false");
        on("not_in = [1, \"b\"]", json!("b"), "false");
        on("matches = '^t3\\.'", json!("t3.large"), "true");
        on("matches = '^t3\\.'", json!("xt3.large"), "false");
        on("not_matches = 'x'", json!(["x"]), "is a list, of which no text is known");
        on("at_least = 7\nat_most = 30", json!(7), "true");
        on("at_least = 7\nat_most = 30", json!("31"), "false");
        on("at_least = 7", json!("a"), "is a text, which is no number");
        on("at_least = 7", json!(null), "false");
        on("subset_of = [\"a\", \"b\"]", json!(["b"]), "true");
        on("subset_of = [\"a\", \"b\"]", json!(["b", "c"]), "false");
        on("subset_of = [\"a\"]", json!(null), "true");
        on("contains = \"a\"", json!(["b", "a"]), "true");
        on("contains = [\"a\", \"c\"]", json!(["b", "a"]), "false");
        on("contains = \"a\"", json!("a"), "true");
        on("contains_match = '^a'", json!(["b", "ab"]), "true");
        on("contains_match = '^a'", json!(null), "false");
        on("lacks = \"a\"", json!(["b", "a"]), "false");
        on("lacks = \"a\"", json!(null), "true");
        on("lacks_match = '^a'", json!(["b", "ab"]), "false");
        on("count = \">=1\"", json!([]), "false");
        on("count = \"=2\"", json!({"x": 1, "y": 2}), "true");
        on("count = \"=2\"", json!("xy"), "is a text, whose length is asked for");
        on("present = true", json!(""), "false");
        on("present = true", json!(false), "true");
        on("present = false", json!([]), "true");
    }

    #[test]
    fn what_is_not_known_is_neither_right_nor_wrong() {
        let each = [
            "equals = 1",
            "not_equals = 1",
            "in = [1]",
            "not_in = [1]",
            "matches = 'x'",
            "not_matches = 'x'",
            "at_least = 1",
            "at_most = 1",
            "subset_of = [1]",
            "contains = 1",
            "contains_match = 'x'",
            "lacks = 1",
            "lacks_match = 'x'",
            "count = \">=1\"",
            "present = true",
            "present = false",
        ];
        for operator in each {
            let assertion = format!("attribute = \"a\"\n{operator}\noptional = true");
            check(&assertion, &json!({}), &json!({"a": true}), "unknown");
            check(&assertion, &json!({"a": [1]}), &json!(true), "unknown");
        }
    }

    #[test]
    fn what_is_known_of_a_list_settles_it() {
        let (values, unknown) = (json!({"a": ["x", null]}), json!({"a": [false, true]}));
        for (operator, expected) in [
            ("contains = \"x\"", "true"),
            ("contains = \"y\"", "unknown"),
            ("lacks = \"x\"", "false"),
            ("lacks = \"y\"", "unknown"),
            ("lacks_match = 'y'", "unknown"),
            ("contains_match = 'x'", "true"),
            ("subset_of = [\"x\"]", "unknown"),
            ("subset_of = [\"y\"]", "false"),
            ("count = \"=2\"", "true"),
            ("present = true", "true"),
            ("equals = [\"x\", \"y\"]", "unknown"),
        ] {
            check(&format!("attribute = \"a\"\n{operator}"), &values, &unknown, expected);
        }
    }

    #[test]
    fn groups() {
        let any = "any = [{ attribute = \"a\", equals = 1 }, { attribute = \"b\", equals = 1 }]";
        check(any, &json!({"b": 1}), &json!({"a": true}), "true");
        check(any, &json!({"b": 2}), &json!({"a": true}), "unknown");
        check(any, &json!({"a": 2}), &json!({}), "false");
        let never = "attribute = \"s[*]\"\nnever = [{ attribute = \"e\", equals = \"Allow\" }, { attribute = \"a\", contains = \"*\" }]";
        check(
            never,
            &json!({"s": [{"e": "Allow", "a": ["x"]}, {"e": "Deny", "a": "*"}]}),
            &json!({}),
            "true",
        );
        check(never, &json!({"s": {"e": "Allow", "a": "*"}}), &json!({}), "false");
        check(never, &json!({"s": [{"e": "Allow"}]}), &json!({"s": [{"a": true}]}), "unknown");
        check(never, &json!({"s": [{"e": "Deny"}]}), &json!({"s": [{"a": true}]}), "true");
    }
}
