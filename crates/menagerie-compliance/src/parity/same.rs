//! [`is_same`]: whether two values are the same but for a name.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::mask;

/// What stands for the name of the environment, and for that of production.
const NAME: &str = "{name}";

/// The names of both sides.
pub(super) type Names<'a> = (Option<&'a str>, Option<&'a str>);

/// Returns whether both are the same, if that can be told.
pub(super) fn is_same(
    one: (&Value, &Value),
    other: (&Value, &Value),
    names: Names<'_>,
) -> Option<bool> {
    if mask::is_set(one.1) || mask::is_set(other.1) {
        return None;
    }
    let is_known = !(mask::has_any(one.1) || mask::has_any(other.1));
    match (one.0, other.0) {
        (Value::Object(_) | Value::Null, Value::Object(_) | Value::Null) => {
            let keys: BTreeSet<&String> = [one.0, one.1, other.0, other.1]
                .into_iter()
                .filter_map(Value::as_object)
                .flat_map(Map::keys)
                .collect();
            all(keys.into_iter().map(|key| {
                let at = |(value, unknown): (&'_ Value, &'_ Value)| {
                    (
                        value.get(key).cloned().unwrap_or_default(),
                        mask::at_key(unknown, key).clone(),
                    )
                };
                let (one, other) = (at(one), at(other));
                is_same((&one.0, &one.1), (&other.0, &other.1), names)
            }))
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let in_order = all(ours.iter().zip(theirs).enumerate().map(|(index, (our, their))| {
                let masks = (mask::at_index(one.1, index), mask::at_index(other.1, index));
                is_same((our, masks.0), (their, masks.1), names)
            }));
            if in_order != Some(false) || !is_known {
                return in_order;
            }
            // What is a set to the provider has its order by its values, which the names are a part of.
            let sorted = |values: &[Value], name: Option<&str>| {
                let mut texts: Vec<String> =
                    values.iter().map(|value| unnamed(value, name).to_string()).collect();
                texts.sort_unstable();
                texts
            };
            Some(sorted(ours, names.0) == sorted(theirs, names.1))
        }
        // What is empty and what is not there are the same to a provider.
        (Value::Array(values), Value::Null) | (Value::Null, Value::Array(values)) => {
            if is_known || !values.is_empty() { Some(values.is_empty()) } else { None }
        }
        (Value::Array(_), Value::Array(_)) if !is_known => None,
        (one, other) => Some(unnamed(one, names.0) == unnamed(other, names.1)),
    }
}

/// What settles it wins.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut whole = Some(true);
    for part in parts {
        match part {
            Some(false) => return Some(false),
            None => whole = None,
            Some(true) => {}
        }
    }
    whole
}

/// Returns a value with the name of its environment taken out of its texts.
fn unnamed(value: &Value, name: Option<&str>) -> Value {
    match (value, name) {
        (Value::String(text), Some(name)) => Value::String(text.replace(name, NAME)),
        (Value::Array(values), _) => values.iter().map(|value| unnamed(value, name)).collect(),
        (Value::Object(values), _) => {
            values.iter().map(|(key, value)| (key.clone(), unnamed(value, name))).collect()
        }
        (value, _) => value.clone(),
    }
}
