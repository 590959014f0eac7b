//! [`AttributePath`]: where in a resource an assertion looks.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use crate::mask;
use crate::need::Need;

/// A path into a resource's attributes, such as `ingress[*].cidr_blocks[*]`, `tags["owner"]` or `policy::Statement[*]`.
///
/// - `a.b` and `a["b"]` are attributes, `a[0]` is one element;
/// - `a[*]` is each element; what is no list counts as the one element of a list, which is how IAM writes it;
/// - `a.*` is each value of a map;
/// - `a::b` looks into `a`, a text that is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    Each,
    EachValue,
    Json,
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{}` is no path of an attribute: {reason}", .text.escape_debug())]
pub struct PathError {
    text: String,
    reason: &'static str,
}

/// What is at a path.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) unknown: &'a Value,
    pub(crate) sensitive: &'a Value,
    /// Whether it was read from a text that is JSON.
    pub(crate) is_json: bool,
}

/// What a path led to.
pub(crate) enum Found<'a> {
    /// A value; null where there is none.
    Node(Node<'a>),
    /// It is known after apply only.
    Unknown,
    /// The path does not fit what is there.
    Misfit(String),
}

impl AttributePath {
    /// Returns the path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Needs what it leads to, and returns that; none where all of it is needed.
    pub(crate) fn need<'n>(&self, from: &'n mut Need) -> Option<&'n mut Need> {
        let mut need = from;
        for step in &self.steps {
            match step {
                Step::Key(key) => need = need.key(key),
                Step::Index(_) | Step::Each => {}
                Step::EachValue | Step::Json => {
                    need.all();
                    return None;
                }
            }
        }
        Some(need)
    }

    /// Returns whether it looks into a text that is JSON.
    pub(crate) fn is_in_json(&self) -> bool {
        self.steps.contains(&Step::Json)
    }

    /// Returns the path of the text that is JSON.
    pub(crate) fn before_json(&self) -> Self {
        let end =
            self.steps.iter().position(|step| *step == Step::Json).unwrap_or(self.steps.len());
        Self {
            text: self.text.split("::").next().unwrap_or_default().to_owned(),
            steps: self.steps[..end].to_vec(),
        }
    }

    /// Puts a value at the one place that the path names, and makes what leads there; returns whether it is one place.
    pub(crate) fn set(&self, into: &mut Value, value: Value) -> bool {
        put(&self.steps, into, value)
    }

    /// Calls `visit` with each place that the path leads to from `node`, whose own path is `at`.
    pub(crate) fn visit(&self, node: Node<'_>, at: &str, visit: &mut dyn FnMut(&str, Found<'_>)) {
        let mut place = at.to_owned();
        walk(&self.steps, node, &mut place, visit);
    }
}

/// Walks with `place` as the path so far, which is as it was when it returns.
fn walk(
    steps: &[Step],
    node: Node<'_>,
    place: &mut String,
    visit: &mut dyn FnMut(&str, Found<'_>),
) {
    if mask::is_set(node.unknown) {
        return visit(place, Found::Unknown);
    }
    let Some((step, rest)) = steps.split_first() else {
        return visit(place, Found::Node(node));
    };
    let length = place.len();
    match (step, node.value) {
        (Step::Key(key), Value::Null | Value::Object(_)) => {
            push_key(place, key);
            walk(rest, node.at_key(key), place, visit);
        }
        (Step::Index(index), Value::Null | Value::Array(_)) => {
            push_index(place, *index);
            walk(rest, node.at_index(*index), place, visit);
        }
        (Step::Each, Value::Null) => {
            // The elements that are unknown are known to be there.
            for index in 0..node.unknown.as_array().map_or(0, Vec::len) {
                push_index(place, index);
                walk(rest, node.at_index(index), place, visit);
                place.truncate(length);
            }
        }
        (Step::Each, Value::Array(elements)) => {
            let count = elements.len().max(node.unknown.as_array().map_or(0, Vec::len));
            for index in 0..count {
                push_index(place, index);
                walk(rest, node.at_index(index), place, visit);
                place.truncate(length);
            }
        }
        (Step::Each, _) => walk(rest, node, place, visit),
        (Step::EachValue, Value::Null | Value::Object(_)) => {
            let known = node.value.as_object().into_iter().flat_map(|map| map.keys());
            let is_known = |key: &&String| node.value.get(key.as_str()).is_some();
            let unknown = node.unknown.as_object().into_iter().flatten();
            let unknown = unknown.filter(|(_, marks)| mask::has_any(marks)).map(|(key, _)| key);
            for key in known.chain(unknown.filter(|key| !is_known(key))) {
                push_key(place, key);
                walk(rest, node.at_key(key), place, visit);
                place.truncate(length);
            }
        }
        (Step::Json, Value::Null) => {
            place.push_str("::");
            walk(rest, node, place, visit);
        }
        (Step::Json, Value::String(text)) if text.is_empty() => {
            place.push_str("::");
            walk(rest, Node { value: &NULL, ..node }, place, visit);
        }
        (Step::Json, Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(value) => {
                place.push_str("::");
                let (unknown, sensitive) = (&mask::NOTHING, node.sensitive);
                walk(rest, Node { value: &value, unknown, sensitive, is_json: true }, place, visit);
            }
            Err(_) => visit(place, Found::Misfit("is no JSON".to_owned())),
        },
        // Documents such as IAM's have a text or a map in the same place.
        (Step::Key(_), Value::String(_)) if node.is_json => {
            visit(place, Found::Node(Node { value: &NULL, ..node }));
        }
        (step, value) => {
            let message = format!("is {}, which `{step}` does not lead into", kind(value));
            visit(place, Found::Misfit(message));
        }
    }
    place.truncate(length);
}

fn put(steps: &[Step], into: &mut Value, value: Value) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        *into = value;
        return true;
    };
    match step {
        Step::Key(key) => {
            if !into.is_object() {
                *into = Value::Object(serde_json::Map::new());
            }
            put(rest, &mut into[key.as_str()], value)
        }
        Step::Index(index) if *index < LONGEST => {
            if !into.is_array() {
                *into = Value::Array(Vec::new());
            }
            let Some(elements) = into.as_array_mut() else { return false };
            while elements.len() <= *index {
                elements.push(Value::Null);
            }
            put(rest, &mut elements[*index], value)
        }
        Step::Json => {
            let mut inner =
                into.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            let is_put = put(rest, &mut inner, value);
            *into = Value::from(inner.to_string());
            is_put
        }
        Step::Index(_) | Step::Each | Step::EachValue => false,
    }
}

/// The most elements of a list that a test of a rule has.
const LONGEST: usize = 1000;

static NULL: Value = Value::Null;

impl Node<'_> {
    fn at_key(self, key: &str) -> Self {
        Self {
            value: self.value.get(key).unwrap_or(&NULL),
            unknown: mask::at_key(self.unknown, key),
            sensitive: mask::at_key(self.sensitive, key),
            ..self
        }
    }

    fn at_index(self, index: usize) -> Self {
        Self {
            value: self.value.get(index).unwrap_or(&NULL),
            unknown: mask::at_index(self.unknown, index),
            sensitive: mask::at_index(self.sensitive, index),
            ..self
        }
    }
}

fn push_key(place: &mut String, key: &str) {
    if is_plain(key) {
        if !place.is_empty() && !place.ends_with("::") {
            place.push('.');
        }
        place.push_str(key);
    } else {
        // JSON's quotes are HCL's, but for what only HCL would interpolate.
        write!(place, "[{}]", Value::from(key)).expect("writing to a string can't fail");
    }
}

fn push_index(place: &mut String, index: usize) {
    write!(place, "[{index}]").expect("writing to a string can't fail");
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

/// Returns what kind of value it is, for people.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "absent",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

impl FromStr for AttributePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let error = |reason| PathError { text: text.to_owned(), reason };
        let steps = parse(text).map_err(error)?;
        if !matches!(steps.first(), Some(Step::Key(_))) {
            return Err(error("it begins with the name of an attribute"));
        }
        Ok(Self { text: text.to_owned(), steps })
    }
}

fn parse(text: &str) -> Result<Vec<Step>, &'static str> {
    const NAME: &str = "a name is of letters, digits, `_` and `-`; others stand in `[\"…\"]`";
    let mut steps = Vec::new();
    let mut rest = text;
    let mut needs_name = true;
    while needs_name || !rest.is_empty() {
        if needs_name {
            if let Some(after) = rest.strip_prefix('*').filter(|_| !steps.is_empty()) {
                steps.push(Step::EachValue);
                rest = after;
            } else if !(rest.starts_with('[') && matches!(steps.last(), Some(Step::Json))) {
                let end = rest.find(['.', '[', ':']).unwrap_or(rest.len());
                if !is_plain(&rest[..end]) {
                    return Err(NAME);
                }
                steps.push(Step::Key(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            needs_name = false;
        } else if let Some(after) = rest.strip_prefix("::") {
            steps.push(Step::Json);
            rest = after;
            needs_name = true;
        } else if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            needs_name = true;
        } else if let Some(after) = rest.strip_prefix("[*]") {
            steps.push(Step::Each);
            rest = after;
        } else if rest.starts_with("[\"") {
            let mut parser = serde_json::Deserializer::from_str(&rest[1..]).into_iter::<String>();
            let Some(Ok(key)) = parser.next() else { return Err("a quoted name does not end") };
            rest =
                rest[1 + parser.byte_offset()..].strip_prefix(']').ok_or("a `[` is not closed")?;
            steps.push(Step::Key(key));
        } else if let Some(after) = rest.strip_prefix('[') {
            let (index, after) = after.split_once(']').ok_or("a `[` is not closed")?;
            let index =
                index.parse().map_err(|_| "in `[…]` stands a number, `*` or a quoted name")?;
            steps.push(Step::Index(index));
            rest = after;
        } else {
            return Err("after an attribute come `.`, `[` or `::`");
        }
    }
    Ok(steps)
}

impl fmt::Display for AttributePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(formatter, ".{key}"),
            Self::Index(index) => write!(formatter, "[{index}]"),
            Self::Each => formatter.write_str("[*]"),
            Self::EachValue => formatter.write_str(".*"),
            Self::Json => formatter.write_str("::"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &[&str]) {
        let value = json!({
            "size": 1,
            "tags": {"owner": "ada", "a b": "x"},
            "rules": [{"ports": [1, 2]}, {"ports": null}],
            "policy": r#"{"Statement": {"Action": ["a"]}}"#,
            "broken": "{",
        });
        let unknown = json!({"id": true, "rules": [{}, {}, true], "tags": {"more": true}});
        let node =
            Node { value: &value, unknown: &unknown, sensitive: &mask::NOTHING, is_json: false };
        let mut actual = Vec::new();
        path.parse::<AttributePath>().unwrap().visit(node, "", &mut |place, found| {
            let found = match found {
                Found::Node(node) => node.value.to_string(),
                Found::Unknown => "?".to_owned(),
                Found::Misfit(message) => message,
            };
            actual.push(format!("{place} = {found}"));
        });
        assert_eq!(actual, expected);
    }

    #[test]
    fn places() {
        check("size", &["size = 1"]);
        check("none.at.all", &["none.at.all = null"]);
        check("id.x", &["id = ?"]);
        check("tags[\"a b\"]", &["tags[\"a b\"] = \"x\""]);
        check("tags.*", &["tags[\"a b\"] = \"x\"", "tags.owner = \"ada\"", "tags.more = ?"]);
        check(
            "rules[*].ports[*]",
            &["rules[0].ports[0] = 1", "rules[0].ports[1] = 2", "rules[2] = ?"],
        );
        check("rules[0].ports[7]", &["rules[0].ports[7] = null"]);
        check("none[*].x", &[]);
        check("policy::Statement[*].Action[*]", &["policy::Statement.Action[0] = \"a\""]);
        check("none::Statement[*]", &[]);
        check("none::Statement", &["none::Statement = null"]);
        check("broken::x", &["broken = is no JSON"]);
        check("size.x", &["size = is a number, which `.x` does not lead into"]);
        check("rules.ports", &["rules = is a list, which `.ports` does not lead into"]);
    }

    #[test]
    fn what_is_no_path() {
        for text in [
            "", ".", "a.", "a..b", "a[", "a[x]", "a[\"b]", "[0]", "*", "a b", "a[*]b", "a:b", "a::",
        ] {
            assert!(text.parse::<AttributePath>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[a.:*\\[\\]\"0ü\\\\]{0,16}") {
            let _ = text.parse::<AttributePath>();
        }
    }
}
