//! The plan, as `terraform show -json <plan>` prints it.

#[cfg(test)]
pub(crate) mod strategy;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mask;
use crate::parse::{ParseError, null_as_default, versioned};

/// A plan; the default one does nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The version of the JSON format, `1.2` for Terraform 1.11.
    pub format_version: String,
    /// The version of the tool that made the plan.
    #[serde(default)]
    pub terraform_version: Option<String>,
    /// Whether applying would do anything; absent in OpenTofu: see [`Plan::is_applyable`].
    #[serde(default)]
    pub applyable: Option<bool>,
    /// Whether nothing was left out (`-target`, deferred changes); absent in OpenTofu.
    #[serde(default)]
    pub complete: Option<bool>,
    /// Whether planning failed half-way: such a plan is written, but must not be applied.
    #[serde(default)]
    pub errored: bool,
    /// One entry for each resource instance, the unchanged ones too.
    #[serde(default, deserialize_with = "null_as_default")]
    pub resource_changes: Vec<ResourceChange>,
    /// What changed outside of Terraform since the last apply, with the noise of old providers.
    #[serde(default, deserialize_with = "null_as_default")]
    pub resource_drift: Vec<ResourceChange>,
    /// One entry for each output, the unchanged ones too.
    #[serde(default, deserialize_with = "null_as_default")]
    pub output_changes: BTreeMap<String, Change>,
}

impl Plan {
    /// Reads what `terraform show -json <plan>` printed.
    pub fn from_json(json: &[u8]) -> Result<Self, ParseError> {
        versioned("plan", json)
    }

    /// Returns whether anything would change: resources, moves, imports or outputs.
    pub fn has_changes(&self) -> bool {
        self.resource_changes.iter().any(ResourceChange::is_change)
            || self.output_changes.values().any(|change| change.kind() != ChangeKind::NoOp)
    }

    /// Returns whether the plan can be applied and would do something.
    pub fn is_applyable(&self) -> bool {
        self.applyable.unwrap_or_else(|| !self.errored && self.has_changes())
    }
}

/// What happens to one resource instance.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ResourceChange {
    /// The absolute address, `module.inner.terraform_data.this[0]`.
    pub address: String,
    /// The address before a move.
    #[serde(default)]
    pub previous_address: Option<String>,
    /// The module it is in; absent in the root module.
    #[serde(default)]
    pub module_address: Option<String>,
    /// Managed, or read only.
    pub mode: Mode,
    /// The resource type, `aws_s3_bucket`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name in the module.
    pub name: String,
    /// The instance's key, under `count` or `for_each`.
    #[serde(default)]
    pub index: Option<Index>,
    /// The provider's full address, `registry.terraform.io/hashicorp/aws`.
    #[serde(default)]
    pub provider_name: String,
    /// The key of a deposed object, left over from a replacement that failed.
    #[serde(default)]
    pub deposed: Option<String>,
    /// The change itself.
    pub change: Change,
    /// Why, in Terraform's words: `replace_because_tainted`.
    #[serde(default)]
    pub action_reason: Option<String>,
}

impl ResourceChange {
    /// Returns whether anything happens, counting a pure move and a pure import.
    pub fn is_change(&self) -> bool {
        self.change.kind() != ChangeKind::NoOp
            || self.previous_address.is_some()
            || self.change.importing.is_some()
    }
}

/// Whether Terraform manages a resource or only reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// A `resource` block.
    Managed,
    /// A `data` block.
    Data,
    /// Anything newer, as `ephemeral`.
    #[serde(other)]
    Other,
}

/// The key of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(untagged)]
pub enum Index {
    /// Under `count`.
    Number(u64),
    /// Under `for_each`.
    Key(String),
}

/// The value of a resource instance or output before and after.
///
/// Its `Debug` shows no sensitive value.
#[derive(Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The actions in order; see [`Change::kind`].
    pub actions: Vec<Action>,
    /// The value now, in clear even where it is sensitive.
    #[serde(default)]
    pub before: Value,
    /// The value after, in clear even where it is sensitive, without what is not known yet.
    #[serde(default)]
    pub after: Value,
    /// `true` in place of each value that is known after apply only.
    #[serde(default)]
    pub after_unknown: Value,
    /// `true` in place of each sensitive value of `before`.
    #[serde(default)]
    pub before_sensitive: Value,
    /// `true` in place of each sensitive value of `after`.
    #[serde(default)]
    pub after_sensitive: Value,
    /// The paths that force the replacement.
    #[serde(default, deserialize_with = "null_as_default")]
    pub replace_paths: Vec<Vec<Value>>,
    /// The object that is imported.
    #[serde(default)]
    pub importing: Option<Importing>,
}

impl Change {
    /// Returns what the list of actions amounts to.
    pub fn kind(&self) -> ChangeKind {
        let has = |action| self.actions.contains(&action);
        match () {
            () if has(Action::Create) && (has(Action::Delete) || has(Action::Forget)) => {
                ChangeKind::Replace
            }
            () if has(Action::Create) => ChangeKind::Create,
            () if has(Action::Delete) => ChangeKind::Destroy,
            () if has(Action::Forget) => ChangeKind::Forget,
            () if has(Action::Update) => ChangeKind::Update,
            () if has(Action::Read) => ChangeKind::Read,
            () => ChangeKind::NoOp,
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Change")
            .field("actions", &self.actions)
            .field("before", &mask::masked(&self.before, &self.before_sensitive))
            .field("after", &mask::masked(&self.after, &self.after_sensitive))
            .field("after_unknown", &self.after_unknown)
            .field("replace_paths", &self.replace_paths)
            .field("importing", &self.importing)
            .finish_non_exhaustive()
    }
}

/// One action of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// A new object.
    Create,
    /// A data source is read at apply.
    Read,
    /// In place.
    Update,
    /// The object is deleted.
    Delete,
    /// The object stays, and the state forgets it.
    Forget,
}

/// What happens, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Nothing.
    NoOp,
    /// A new object.
    Create,
    /// In place.
    Update,
    /// A new object in place of the old one, in either order.
    Replace,
    /// The object is deleted.
    Destroy,
    /// The object stays, and the state forgets it.
    Forget,
    /// A data source is read at apply.
    Read,
}

/// The object that is imported.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Importing {
    /// The provider's id; absent while it is not known, or where an identity is used instead.
    #[serde(default)]
    pub id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(json: &str) -> Result<Plan, ParseError> {
        Plan::from_json(json.as_bytes())
    }

    #[track_caller]
    fn check_error(json: &str, expected: &str) {
        let error = parse(json).unwrap_err();
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        assert_eq!(format!("{error}{}", source.unwrap_or_default()), expected);
    }

    #[test]
    fn a_real_plan() {
        let plan = Plan::from_json(include_bytes!("../tests/fixtures/mixed.json")).unwrap();
        assert_eq!(plan.terraform_version.as_deref(), Some("1.11.4"));
        assert!(plan.is_applyable() && plan.has_changes() && !plan.errored);
        assert_eq!(plan.complete, Some(true));
        let find = |address| {
            plan.resource_changes.iter().find(|change| change.address == address).unwrap()
        };
        let many = find("terraform_data.many[\"three\"]");
        assert_eq!(many.index, Some(Index::Key("three".to_owned())));
        assert_eq!(
            (many.mode, many.kind.as_str(), many.change.kind()),
            (Mode::Managed, "terraform_data", ChangeKind::Create)
        );
        let inner = find("module.inner.terraform_data.this[1]");
        assert_eq!(
            (inner.module_address.as_deref(), &inner.index),
            (Some("module.inner"), &Some(Index::Number(1)))
        );
        assert!(!inner.is_change());
        assert_eq!(find("terraform_data.replaced").change.replace_paths, [["triggers_replace"]]);
        assert!(find("terraform_data.imported").is_change());
    }

    #[test]
    fn debug_shows_no_marked_secret() {
        let plan = Plan::from_json(include_bytes!("../tests/fixtures/mixed.json")).unwrap();
        assert!(!format!("{plan:?}").contains("hunter3"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        check_error(
            r#"{"format_version": "2.0"}"#,
            "the plan has format `2.0`, but only `1.x` is understood: this Terraform is too new or too old",
        );
        check_error(
            "{}",
            "the plan has format ``, but only `1.x` is understood: this Terraform is too new or too old",
        );
        check_error(
            "",
            "failed to read the plan as JSON: EOF while parsing a value at line 1 column 0",
        );
        let unknown =
            r#"{"format_version": "1.9", "output_changes": {"x": {"actions": ["explode"]}}}"#;
        assert!(parse(unknown).is_err());
    }

    #[test]
    fn what_is_new_is_ignored() {
        let plan = parse(
            r#"{"format_version": "1.99", "action_invocations": [{}], "resource_changes": null}"#,
        )
        .unwrap();
        assert!(!plan.has_changes() && !plan.is_applyable());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes: Vec<u8>) {
            let _ = Plan::from_json(&bytes);
        }
    }
}
