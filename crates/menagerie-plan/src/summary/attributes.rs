//! Finds the attributes that differ between before and after.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::{AttributeChange, Shown};
use crate::mask;
use crate::plan::Change;
use crate::secrets::Secrets;

/// Returns what differs between before and after, each down to the innermost value, by path.
pub(super) fn changed_attributes(change: &Change, secrets: &Secrets) -> Vec<AttributeChange> {
    let mut walk =
        Walk { path: Vec::new(), replace_paths: &change.replace_paths, secrets, found: Vec::new() };
    walk.compare(&Pair {
        before: &change.before,
        after: &change.after,
        before_sensitive: &change.before_sensitive,
        after_sensitive: &change.after_sensitive,
        unknown: &change.after_unknown,
    });
    walk.found
}

/// A value before and after, and its masks.
struct Pair<'a> {
    before: &'a Value,
    after: &'a Value,
    before_sensitive: &'a Value,
    after_sensitive: &'a Value,
    unknown: &'a Value,
}

impl<'a> Pair<'a> {
    fn at_key(&self, key: &str) -> Self {
        let value = |value: &'a Value| value.get(key).unwrap_or(&Value::Null);
        Pair {
            before: value(self.before),
            after: value(self.after),
            before_sensitive: mask::at_key(self.before_sensitive, key),
            after_sensitive: mask::at_key(self.after_sensitive, key),
            unknown: mask::at_key(self.unknown, key),
        }
    }

    fn at_index(&self, index: usize) -> Self {
        let value = |value: &'a Value| value.get(index).unwrap_or(&Value::Null);
        Pair {
            before: value(self.before),
            after: value(self.after),
            before_sensitive: mask::at_index(self.before_sensitive, index),
            after_sensitive: mask::at_index(self.after_sensitive, index),
            unknown: mask::at_index(self.unknown, index),
        }
    }

    /// Returns whether the whole of it is masked on either side, so that nothing inside can be shown.
    fn is_opaque(&self) -> bool {
        [self.before_sensitive, self.after_sensitive, self.unknown].into_iter().any(mask::is_set)
    }

    /// Returns the keys of an object that is one on both sides, or on one with nothing on the other.
    fn keys(&self) -> Option<BTreeSet<&'a str>> {
        let objects = [self.before, self.after, self.unknown];
        let is_object = [self.before, self.after].iter().any(|value| value.is_object());
        let fits = objects[..2].iter().all(|value| value.is_object() || value.is_null());
        let keys = objects.into_iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
        (is_object && fits && !self.is_opaque()).then(|| keys.map(String::as_str).collect())
    }

    /// Returns the length of a list that has it on both sides: in lists of different lengths the elements have no partners.
    fn length(&self) -> Option<usize> {
        match (self.before, self.after) {
            (Value::Array(before), Value::Array(after))
                if before.len() == after.len() && !self.is_opaque() =>
            {
                Some(before.len())
            }
            _ => None,
        }
    }
}

struct Walk<'a> {
    path: Vec<Value>,
    replace_paths: &'a [Vec<Value>],
    secrets: &'a Secrets,
    found: Vec<AttributeChange>,
}

impl Walk<'_> {
    fn compare(&mut self, pair: &Pair<'_>) {
        if pair.before == pair.after && !mask::is_set_anywhere(pair.unknown) {
            return;
        }
        if let Some(keys) = pair.keys() {
            for key in keys {
                self.path.push(Value::from(key));
                self.compare(&pair.at_key(key));
                self.path.pop();
            }
        } else if let Some(length) = pair.length() {
            for index in 0..length {
                self.path.push(Value::from(index));
                self.compare(&pair.at_index(index));
                self.path.pop();
            }
        } else {
            self.found.push(AttributeChange {
                path: shown_path(&self.path),
                before: Shown::of(pair.before, pair.before_sensitive, &Value::Null, self.secrets),
                after: Shown::of(pair.after, pair.after_sensitive, pair.unknown, self.secrets),
                forces_replacement: self.forces_replacement(),
            });
        }
    }

    /// Returns whether this value is a part of, or contains, one that forces the replacement.
    fn forces_replacement(&self) -> bool {
        self.replace_paths
            .iter()
            .any(|path| path.starts_with(&self.path) || self.path.starts_with(path))
    }
}

/// Writes a path as HCL would: `input.tags[0]["a key"]`.
fn shown_path(path: &[Value]) -> String {
    let mut shown = String::new();
    for step in path {
        match step {
            Value::String(key) if is_identifier(key) => {
                if !shown.is_empty() {
                    shown.push('.');
                }
                shown.push_str(key);
            }
            other => write!(shown, "[{other}]").expect("writing to a string can't fail"),
        }
    }
    shown
}

fn is_identifier(key: &str) -> bool {
    let mut characters = key.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(change: Value, expected: &[&str]) {
        let mut change = change;
        change["actions"] = json!(["update"]);
        let change: Change = serde_json::from_value(change).unwrap();
        let found: Vec<String> = changed_attributes(&change, &Secrets::none())
            .iter()
            .map(|attribute| {
                format!("{}: {:?} {:?}", attribute.path, attribute.before, attribute.after)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn goes_down_to_the_innermost_value() {
        check(
            json!({"before": {"a": {"b": [1, 2]}}, "after": {"a": {"b": [1, 3]}}}),
            &["a.b[1]: Value(Number(2)) Value(Number(3))"],
        );
        check(
            json!({"before": {"a": {"x y": 1}}, "after": {"a": {}}}),
            &["a[\"x y\"]: Value(Number(1)) Absent"],
        );
    }

    #[test]
    fn shows_lists_of_different_lengths_whole() {
        check(
            json!({"before": {"a": []}, "after": {"a": [1]}}),
            &["a: Value(Array []) Value(Array [Number(1)])"],
        );
    }

    #[test]
    fn never_shows_what_is_sensitive_on_its_side() {
        check(
            json!({"before": {"a": "old"}, "after": {"a": "new"}, "after_sensitive": {"a": true}}),
            &["a: Value(String(\"old\")) Sensitive"],
        );
        check(
            json!({"before": {"a": {"b": 1}}, "after": {"a": {"b": 2}}, "before_sensitive": true, "after_sensitive": true}),
            &[": Sensitive Sensitive"],
        );
        check(
            json!({"before": {"a": [1]}, "after": {"a": [1, 2]}, "after_sensitive": {"a": [false, true]}}),
            &["a: Value(Array [Number(1)]) Sensitive"],
        );
    }

    #[test]
    fn marks_what_is_known_after_apply() {
        check(
            json!({"before": {"a": 1}, "after": {}, "after_unknown": {"a": true, "b": {"c": true}}}),
            &["a: Value(Number(1)) Unknown", "b: Absent Unknown"],
        );
    }
}
