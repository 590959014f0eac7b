//! Sensitive values of a plan, found again where Terraform does not mark them.
//!
//! A provider can copy a sensitive value into an attribute that is not marked, as `terraform_data` does from `input` to `output`
//! (Terraform 1.11.4): read as it is marked, the plan would show it there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::mask;
use crate::plan::Plan;

/// A shorter value is a word like any other; to hide it everywhere would hide the plan and tell that it is one.
const SHORTEST: usize = 4;

/// The sensitive texts of a plan.
pub(crate) struct Secrets(BTreeSet<String>);

impl Secrets {
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// Collects them from all that the plan has, the unchanged too.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut texts = BTreeSet::new();
        let resources = plan
            .resource_changes
            .iter()
            .chain(&plan.resource_drift)
            .map(|resource| &resource.change);
        for change in resources.chain(plan.output_changes.values()) {
            collect(&change.before, &change.before_sensitive, &mut texts);
            collect(&change.after, &change.after_sensitive, &mut texts);
        }
        Self(texts)
    }

    /// Returns whether `value` or anything in it has one of them as a part.
    pub(crate) fn are_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.are_in_text(text),
            Value::Array(elements) => elements.iter().any(|element| self.are_in(element)),
            Value::Object(attributes) => {
                attributes.values().any(|attribute| self.are_in(attribute))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Returns whether `text` has one of them as a part.
    pub(crate) fn are_in_text(&self, text: &str) -> bool {
        self.0.iter().any(|secret| text.contains(secret))
    }
}

fn collect(value: &Value, sensitive: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if mask::is_set(sensitive) && text.chars().count() >= SHORTEST => {
            texts.insert(text.clone());
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                collect(element, mask::at_index(sensitive, index), texts);
            }
        }
        Value::Object(attributes) => {
            for (key, attribute) in attributes {
                collect(attribute, mask::at_key(sensitive, key), texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_marked_value_is_found_where_it_is_not_marked() {
        let plan: Plan =
            serde_json::from_value(json!({"format_version": "1.2", "output_changes": {"x": {
                "actions": ["create"],
                "after": {"token": "hunter2", "short": "dev", "plain": "plain"},
                "after_sensitive": {"token": true, "short": true},
            }}}))
            .unwrap();
        let secrets = Secrets::of(&plan);
        assert!(secrets.are_in(&json!({"url": ["https://user:hunter2@host"]})));
        assert!(!secrets.are_in(&json!(["plain", "dev", 2, null])));
    }
}
