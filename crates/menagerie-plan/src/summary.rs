//! What a plan would do, for a person.

mod attributes;
mod text;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mask;
use crate::plan::{Change, ChangeKind, Plan, ResourceChange};
use crate::secrets::Secrets;
use attributes::changed_attributes;

/// What a plan would do, with nothing sensitive in it.
///
/// Its `Display` is what a person reads. A line of a resource starts with a symbol, right-aligned in three columns: `+` create, `~`
/// update, `-/+` replace, `-` destroy, `.` forget, `<=` read, `←` import, `>` move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// How many resources change.
    pub counts: Counts,
    /// The resources that change, in the plan's order (by address).
    pub resources: Vec<ResourceSummary>,
    /// The outputs that change, by name.
    pub outputs: Vec<OutputSummary>,
    /// What changed outside of Terraform, without entries that only turn a null into something empty or back.
    pub drift: Vec<ResourceSummary>,
}

impl Summary {
    /// Returns the summary of `plan`.
    pub fn of(plan: &Plan) -> Self {
        let secrets = Secrets::of(plan);
        let changes = || plan.resource_changes.iter().filter(|change| change.is_change());
        Self {
            counts: Counts::of(changes()),
            resources: changes().map(|change| ResourceSummary::of(change, &secrets)).collect(),
            outputs: plan
                .output_changes
                .iter()
                .filter(|(_, change)| change.kind() != ChangeKind::NoOp)
                .map(|(name, change)| OutputSummary::of(name, change, &secrets))
                .collect(),
            drift: plan
                .resource_drift
                .iter()
                .filter(|drift| is_real_drift(drift))
                .map(|drift| ResourceSummary::of(drift, &secrets))
                .collect(),
        }
    }

    /// Returns whether nothing would change; drift that the plan leaves alone does not count.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty()
    }
}

/// How many resources change. One that is moved or imported *and* changed counts twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// New ones.
    pub create: usize,
    /// Changed in place.
    pub update: usize,
    /// New ones in place of old ones.
    pub replace: usize,
    /// Deleted.
    pub destroy: usize,
    /// Brought into the state.
    pub import: usize,
    /// Given another address.
    pub moved: usize,
    /// Left alone and dropped from the state.
    pub forget: usize,
    /// Data sources that are read at apply.
    pub read: usize,
}

impl Counts {
    fn of<'a>(changes: impl Iterator<Item = &'a ResourceChange>) -> Self {
        let mut counts = Self::default();
        for change in changes {
            match change.change.kind() {
                ChangeKind::NoOp => {}
                ChangeKind::Create => counts.create += 1,
                ChangeKind::Update => counts.update += 1,
                ChangeKind::Replace => counts.replace += 1,
                ChangeKind::Destroy => counts.destroy += 1,
                ChangeKind::Forget => counts.forget += 1,
                ChangeKind::Read => counts.read += 1,
            }
            counts.import += usize::from(change.change.importing.is_some());
            counts.moved += usize::from(change.previous_address.is_some());
        }
        counts
    }
}

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceSummary {
    /// The absolute address.
    pub address: String,
    /// The address before a move.
    pub previous_address: Option<String>,
    /// The key of a deposed object, left over from a replacement that failed.
    pub deposed: Option<String>,
    /// What happens.
    pub kind: ChangeKind,
    /// Whether it is imported, and the id under which, where it is known.
    pub importing: Option<Option<String>>,
    /// Why, in Terraform's words: `replace_because_tainted`.
    pub reason: Option<String>,
    /// The attributes that change, each down to the innermost value; none for what is destroyed or forgotten.
    pub attributes: Vec<AttributeChange>,
}

impl ResourceSummary {
    fn of(change: &ResourceChange, secrets: &Secrets) -> Self {
        let kind = change.change.kind();
        Self {
            address: change.address.clone(),
            previous_address: change.previous_address.clone(),
            deposed: change.deposed.clone(),
            kind,
            importing: change.change.importing.as_ref().map(|importing| importing.id.clone()),
            reason: change.action_reason.clone(),
            attributes: match kind {
                ChangeKind::NoOp | ChangeKind::Destroy | ChangeKind::Forget => Vec::new(),
                ChangeKind::Create
                | ChangeKind::Update
                | ChangeKind::Replace
                | ChangeKind::Read => changed_attributes(&change.change, secrets),
            },
        }
    }
}

/// One attribute, or a part of one, that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttributeChange {
    /// Its path, `input.tags[0]`.
    pub path: String,
    /// The value now.
    pub before: Shown,
    /// The value after.
    pub after: Shown,
    /// Whether it is why the resource is replaced.
    pub forces_replacement: bool,
}

/// How an output changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutputSummary {
    /// Its name.
    pub name: String,
    /// What happens.
    pub kind: ChangeKind,
    /// The value now.
    pub before: Shown,
    /// The value after.
    pub after: Shown,
}

impl OutputSummary {
    fn of(name: &str, change: &Change, secrets: &Secrets) -> Self {
        let no_mask = Value::Null;
        Self {
            name: name.to_owned(),
            kind: change.kind(),
            before: Shown::of(&change.before, &change.before_sensitive, &no_mask, secrets),
            after: Shown::of(
                &change.after,
                &change.after_sensitive,
                &change.after_unknown,
                secrets,
            ),
        }
    }
}

/// A value as it may be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Shown {
    /// There is none, or it is null.
    Absent,
    /// A value with nothing sensitive in it.
    Value(Value),
    /// It is sensitive, or a part of it is.
    Sensitive,
    /// It, or a part of it, is known after apply only.
    Unknown,
}

impl Shown {
    /// Sensitive wins over unknown: both at once say only that it will change.
    fn of(value: &Value, sensitive: &Value, unknown: &Value, secrets: &Secrets) -> Self {
        if mask::is_set_anywhere(sensitive) || secrets.are_in(value) {
            Self::Sensitive
        } else if mask::is_set_anywhere(unknown) {
            Self::Unknown
        } else if value.is_null() {
            Self::Absent
        } else {
            Self::Value(value.clone())
        }
    }
}

/// Providers of the old SDK report drift for each resource right after an apply, by turning null into something empty
/// (hashicorp/terraform#28776).
fn is_real_drift(drift: &ResourceChange) -> bool {
    without_empty(&drift.change.before) != without_empty(&drift.change.after)
}

fn without_empty(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(elements) => {
            let elements: Vec<Value> = elements.iter().filter_map(without_empty).collect();
            (!elements.is_empty()).then_some(Value::Array(elements))
        }
        Value::Object(attributes) => {
            let attributes: serde_json::Map<String, Value> = attributes
                .iter()
                .filter_map(|(key, attribute)| Some((key.clone(), without_empty(attribute)?)))
                .collect();
            (!attributes.is_empty()).then_some(Value::Object(attributes))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn drift(before: &Value, after: &Value) -> ResourceChange {
        serde_json::from_value(json!({
            "address": "a.b", "mode": "managed", "type": "a", "name": "b",
            "change": {"actions": ["update"], "before": before, "after": after},
        }))
        .unwrap()
    }

    #[track_caller]
    fn check_drift(before: &Value, after: &Value, expected: bool) {
        assert_eq!(is_real_drift(&drift(before, after)), expected);
    }

    #[test]
    fn null_against_empty_is_no_drift() {
        check_drift(&json!({"a": null, "b": 1}), &json!({"a": "", "b": 1}), false);
        check_drift(&json!({"a": {"b": []}}), &json!({}), false);
        check_drift(&json!({"a": [null]}), &json!({"a": {}}), false);
        check_drift(&json!({"a": "x"}), &json!({"a": "x"}), false);
    }

    #[test]
    fn another_value_is_drift() {
        check_drift(&json!({"a": "running"}), &json!({"a": "stopped"}), true);
        check_drift(&json!({"a": false}), &json!({"a": null}), true);
        check_drift(&json!({"a": 0}), &json!({}), true);
        check_drift(&json!({"a": "x"}), &Value::Null, true);
    }
}
