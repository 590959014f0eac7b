//! [`Sensitive`]: what Terraform marked as sensitive, so that no finding tells it.
//!
//! A rule may put any value into a message. What it makes of one (a hash, a part of it) is not recognised.

use std::collections::BTreeSet;

use regorus::Value;

/// Texts that are not told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sensitive {
    /// The longest first.
    texts: Vec<String>,
    /// Addresses of resources, which are told all the same.
    addresses: BTreeSet<String>,
}

/// From so many characters on, a text is not told wherever it stands; a shorter one as a word only.
const LONG: usize = 4;

const REPLACEMENT: &str = "(sensitive)";

/// Pairs of keys: a value, and which parts of it are sensitive.
const MASKED: [(&str, &str); 3] =
    [("after", "after_sensitive"), ("before", "before_sensitive"), ("values", "sensitive_values")];

impl Sensitive {
    /// Finds what is sensitive in plans and states.
    pub(crate) fn of(documents: &[&Value]) -> Self {
        let mut texts = BTreeSet::new();
        for document in documents {
            add_of(document, &mut texts);
        }
        let mut texts: Vec<String> = texts.into_iter().collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let mut addresses = BTreeSet::new();
        if !texts.is_empty() {
            let changes =
                documents.iter().filter_map(|all| all["resource_changes"].as_array().ok());
            for change in changes.flat_map(|changes| changes.iter()) {
                addresses.extend(change["address"].as_string().ok().map(ToString::to_string));
            }
        }
        Self { texts, addresses }
    }

    /// Returns a text without what is sensitive.
    pub(crate) fn without(&self, text: String) -> String {
        if self.addresses.contains(&text) {
            return text;
        }
        self.texts.iter().fold(text, |told, secret| {
            if !told.contains(secret.as_str()) {
                return told;
            }
            if secret.chars().count() >= LONG {
                return told.replace(secret.as_str(), REPLACEMENT);
            }
            as_word(&told, secret)
        })
    }
}

/// Replaces a short text where neither a letter nor a digit stands beside it.
fn as_word(told: &str, secret: &str) -> String {
    let mut result = String::new();
    let mut rest = told;
    let mut before: Option<char> = None;
    while let Some(at) = rest.find(secret) {
        let (start, found) = rest.split_at(at);
        let after = found[secret.len()..].chars().next();
        let beside = start.chars().next_back().or(before);
        let is_word =
            !beside.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric);
        result.push_str(start);
        result.push_str(if is_word { REPLACEMENT } else { secret });
        before = secret.chars().next_back();
        rest = &found[secret.len()..];
    }
    result + rest
}

/// Adds what is sensitive in a document.
fn add_of(document: &Value, texts: &mut BTreeSet<String>) {
    find(document, texts);
    let variables = &document["configuration"]["root_module"]["variables"];
    for (name, variable) in variables.as_object().into_iter().flat_map(regorus::value::Object::iter)
    {
        if variable["sensitive"] == Value::Bool(true) {
            let value = document["variables"].as_object().ok().and_then(|all| all.get(name));
            add(value.map_or(&Value::Undefined, |value| &value["value"]), texts);
        }
    }
}

/// Goes through all of a document.
fn find(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|element| find(element, texts)),
        Value::Object(fields) => {
            for (values, mask) in MASKED {
                let mask = &value[mask];
                if *mask != Value::Undefined {
                    masked(&value[values], mask, texts);
                }
            }
            if value["sensitive"] == Value::Bool(true) {
                add(&value["value"], texts);
            }
            fields.iter().for_each(|(_, field)| find(field, texts));
        }
        _ => {}
    }
}

/// Adds what a mask marks.
fn masked(value: &Value, mask: &Value, texts: &mut BTreeSet<String>) {
    match (value, mask) {
        (value, Value::Bool(true)) => add(value, texts),
        (Value::Array(list), Value::Array(masks)) => {
            list.iter().zip(masks.iter()).for_each(|(value, mask)| masked(value, mask, texts));
        }
        (Value::Object(fields), Value::Object(masks)) => {
            for (key, mask) in masks.iter() {
                if let Some(field) = fields.get(key) {
                    masked(field, mask, texts);
                }
            }
        }
        _ => {}
    }
}

/// Adds all texts and numbers of a value.
fn add(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if !text.trim().is_empty() => {
            texts.insert(text.to_string());
            // As it stands within JSON.
            let json = value.to_string();
            texts.insert(json[1..json.len() - 1].to_owned());
        }
        Value::Number(_) => {
            texts.insert(value.to_string());
        }
        Value::Array(list) => list.iter().for_each(|element| add(element, texts)),
        Value::Object(fields) => fields.iter().for_each(|(_, field)| add(field, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_sensitive_is_told() {
        let plan = Value::from_json_str(
            r#"{"resource_changes": [{"address": "aws_db_instance.hunter2", "change": {
                "after": {"password": "hunter2", "port": 54, "name": "app", "keys": [{"k": "a\"b\nc"}, {"k": "open"}]},
                "after_sensitive": {"password": true, "port": true, "keys": [{"k": true}, {}]}}}],
                "planned_values": {"outputs": {"url": {"sensitive": true, "value": "https://u:p@h"}}},
                "variables": {"token": {"value": "t0ken"}, "size": {"value": "small"}},
                "configuration": {"root_module": {"variables": {"token": {"sensitive": true}, "size": {}}}}}"#,
        );
        let sensitive = Sensitive::of(&[&plan.unwrap()]);
        let told = |text: &str| sensitive.without(text.to_owned());
        assert_eq!(
            told("xhunter2x is 54, not 540 of app"),
            "x(sensitive)x is (sensitive), not 540 of app"
        );
        assert_eq!(told(r#"["a\"b\nc"] a"b"#), r#"["(sensitive)"] a"b"#);
        assert_eq!(
            told("open to https://u:p@h by t0ken, small"),
            "open to (sensitive) by (sensitive), small"
        );
        assert_eq!(told("aws_db_instance.hunter2"), "aws_db_instance.hunter2");
    }
}
