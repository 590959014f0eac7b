//! The schema of a provider, in the shape that `terraform providers schema -json` prints; what a rehearsal does not need is left out.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Not;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a block of the configuration can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Resource,
    Data,
    Ephemeral,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Resource, Self::Data, Self::Ephemeral];
}

impl fmt::Display for Kind {
    /// Writes the keyword of the configuration.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Resource => "resource",
            Self::Data => "data",
            Self::Ephemeral => "ephemeral",
        })
    }
}

/// All that one provider has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProviderSchema {
    #[serde(default)]
    pub(crate) provider: Schema,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) resource_schemas: BTreeMap<String, Schema>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) data_source_schemas: BTreeMap<String, Schema>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) ephemeral_resource_schemas: BTreeMap<String, Schema>,
}

impl ProviderSchema {
    pub(crate) fn types(&self, kind: Kind) -> &BTreeMap<String, Schema> {
        match kind {
            Kind::Resource => &self.resource_schemas,
            Kind::Data => &self.data_source_schemas,
            Kind::Ephemeral => &self.ephemeral_resource_schemas,
        }
    }

    pub(crate) fn types_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Schema> {
        match kind {
            Kind::Resource => &mut self.resource_schemas,
            Kind::Data => &mut self.data_source_schemas,
            Kind::Ephemeral => &mut self.ephemeral_resource_schemas,
        }
    }
}

/// One type, or the provider's own configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Schema {
    /// What a state says it was written by; packages do not tell it, and then it is 0.
    #[serde(default)]
    pub(crate) version: u64,
    #[serde(default)]
    pub(crate) block: Block,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Block {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) attributes: BTreeMap<String, Attribute>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) block_types: BTreeMap<String, BlockType>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "this is the shape that Terraform prints")]
pub(crate) struct Attribute {
    /// Terraform's type expression as JSON; absent where there is a nested type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) r#type: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nested_type: Option<NestedType>,
    #[serde(default, skip_serializing_if = "Not::not")]
    pub(crate) required: bool,
    #[serde(default, skip_serializing_if = "Not::not")]
    pub(crate) optional: bool,
    #[serde(default, skip_serializing_if = "Not::not")]
    pub(crate) computed: bool,
    #[serde(default, skip_serializing_if = "Not::not")]
    pub(crate) sensitive: bool,
    #[serde(default, skip_serializing_if = "Not::not")]
    pub(crate) write_only: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NestedType {
    pub(crate) nesting_mode: NestingMode,
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, Attribute>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BlockType {
    pub(crate) nesting_mode: NestingMode,
    #[serde(default)]
    pub(crate) block: Block,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) min_items: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) max_items: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NestingMode {
    Single,
    Group,
    List,
    Set,
    Map,
}

impl fmt::Display for NestingMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Single => "single",
            Self::Group => "group",
            Self::List => "list",
            Self::Set => "set",
            Self::Map => "map",
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
