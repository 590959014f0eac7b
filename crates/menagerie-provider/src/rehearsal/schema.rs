//! Schemas as `terraform providers schema -json` prints them, and as the protocol wants them.

use crate::wire;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeMap;

/// Everything that a provider offers.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ProviderSchema {
    #[serde(default)]
    pub(crate) provider: Schema,
    #[serde(default, rename = "resource_schemas")]
    pub(crate) resources: BTreeMap<String, Schema>,
    #[serde(default, rename = "data_source_schemas")]
    pub(crate) data_sources: BTreeMap<String, Schema>,
    #[serde(default, rename = "ephemeral_resource_schemas")]
    pub(crate) ephemeral: BTreeMap<String, Schema>,
}

/// One type.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Schema {
    #[serde(default)]
    version: i64,
    #[serde(default)]
    pub(crate) block: Block,
}

/// What stands between two braces.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Block {
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, Attribute>,
    #[serde(default, rename = "block_types")]
    pub(crate) blocks: BTreeMap<String, Nested>,
}

#[derive(Debug, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "Terraform's own format")]
pub(crate) struct Attribute {
    #[serde(rename = "type")]
    plain: Option<Type>,
    #[serde(rename = "nested_type")]
    pub(crate) nested: Option<NestedType>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default)]
    pub(crate) computed: bool,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    deprecated: bool,
    #[serde(default)]
    pub(crate) write_only: bool,
}

/// Attributes of an attribute, which protocol 6 has.
#[derive(Debug, Deserialize)]
pub(crate) struct NestedType {
    pub(crate) nesting_mode: Nesting,
    #[serde(flatten)]
    pub(crate) block: Block,
}

/// Blocks of one type.
#[derive(Debug, Deserialize)]
pub(crate) struct Nested {
    pub(crate) nesting_mode: Nesting,
    #[serde(default)]
    pub(crate) block: Block,
    #[serde(default)]
    pub(crate) min_items: i64,
    #[serde(default)]
    max_items: i64,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Nesting {
    Single,
    List,
    Set,
    Map,
    Group,
}

/// The type of a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Type {
    String,
    Number,
    Bool,
    /// Each value says its own.
    Dynamic,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Object(BTreeMap<String, Self>),
    Tuple(Vec<Self>),
}

impl Attribute {
    /// Returns the type that its values have.
    pub(crate) fn value_type(&self) -> Type {
        match (&self.plain, &self.nested) {
            (Some(plain), _) => plain.clone(),
            (None, Some(nested)) => {
                let attributes = nested.block.attributes.iter();
                let object = attributes
                    .map(|(name, attribute)| (name.clone(), attribute.value_type()))
                    .collect();
                nested.nesting_mode.around(Type::Object(object))
            }
            (None, None) => Type::Dynamic,
        }
    }
}

impl Nesting {
    fn around(self, inner: Type) -> Type {
        match self {
            Self::Single | Self::Group => inner,
            Self::List => Type::List(Box::new(inner)),
            Self::Set => Type::Set(Box::new(inner)),
            Self::Map => Type::Map(Box::new(inner)),
        }
    }

    fn to_wire(self) -> i32 {
        match self {
            Self::Single => 1,
            Self::List => 2,
            Self::Set => 3,
            Self::Map => 4,
            Self::Group => 5,
        }
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Self::from_json(&value)
            .ok_or_else(|| D::Error::custom(format!("`{value}` is no type of Terraform's")))
    }
}

impl Type {
    fn from_json(value: &serde_json::Value) -> Option<Self> {
        let inner = |index: usize| Self::from_json(value.get(index)?).map(Box::new);
        Some(match value.as_str().or_else(|| value.get(0)?.as_str())? {
            "string" => Self::String,
            "number" => Self::Number,
            "bool" => Self::Bool,
            "dynamic" => Self::Dynamic,
            "list" => Self::List(inner(1)?),
            "set" => Self::Set(inner(1)?),
            "map" => Self::Map(inner(1)?),
            "object" => Self::Object(
                value
                    .get(1)?
                    .as_object()?
                    .iter()
                    .map(|(name, value)| Some((name.clone(), Self::from_json(value)?)))
                    .collect::<Option<_>>()?,
            ),
            "tuple" => Self::Tuple(
                value.get(1)?.as_array()?.iter().map(Self::from_json).collect::<Option<_>>()?,
            ),
            _ => return None,
        })
    }

    fn to_json(&self) -> serde_json::Value {
        let of = |kind: &str, inner: serde_json::Value| serde_json::json!([kind, inner]);
        match self {
            Self::String => "string".into(),
            Self::Number => "number".into(),
            Self::Bool => "bool".into(),
            Self::Dynamic => "dynamic".into(),
            Self::List(inner) => of("list", inner.to_json()),
            Self::Set(inner) => of("set", inner.to_json()),
            Self::Map(inner) => of("map", inner.to_json()),
            Self::Object(attributes) => of(
                "object",
                attributes.iter().map(|(name, inner)| (name.clone(), inner.to_json())).collect(),
            ),
            Self::Tuple(inner) => of("tuple", inner.iter().map(Self::to_json).collect()),
        }
    }
}

impl ProviderSchema {
    /// Returns the answer to `GetProviderSchema`.
    pub(crate) fn to_wire(
        &self,
        provider_meta: Option<wire::Schema>,
    ) -> wire::GetProviderSchemaResponse {
        let all = |schemas: &BTreeMap<String, Schema>| {
            schemas.iter().map(|(name, schema)| (name.clone(), schema.to_wire())).collect()
        };
        wire::GetProviderSchemaResponse {
            provider: Some(self.provider.to_wire_of_provider()),
            resource_schemas: all(&self.resources),
            data_source_schemas: all(&self.data_sources),
            ephemeral_resource_schemas: all(&self.ephemeral),
            provider_meta,
            server_capabilities: Some(wire::ServerCapabilities {
                get_provider_schema_optional: true,
            }),
        }
    }
}

impl Schema {
    fn to_wire(&self) -> wire::Schema {
        wire::Schema { version: self.version, block: Some(self.block.to_wire()) }
    }

    /// A real provider asks for no argument that it finds in its environment, such as an API key, and its schema says so
    /// while it is there. A rehearsal has no keys, and nothing that they would open.
    fn to_wire_of_provider(&self) -> wire::Schema {
        let mut schema = self.to_wire();
        for attribute in schema.block.iter_mut().flat_map(|block| &mut block.attributes) {
            attribute.optional |= attribute.required;
            attribute.required = false;
        }
        schema
    }
}

impl Block {
    fn to_wire(&self) -> wire::Block {
        wire::Block {
            attributes: attributes_to_wire(&self.attributes),
            block_types: self.blocks.iter().map(|(name, nested)| nested.to_wire(name)).collect(),
            ..wire::Block::default()
        }
    }
}

impl Nested {
    fn to_wire(&self, name: &str) -> wire::NestedBlock {
        // Terraform refuses other limits than these for blocks that are no list and no set.
        let max_items = match self.nesting_mode {
            Nesting::Single => self.min_items,
            Nesting::List | Nesting::Set => self.max_items,
            Nesting::Map | Nesting::Group => 0,
        };
        let min_items = match self.nesting_mode {
            Nesting::Map | Nesting::Group => 0,
            _ => self.min_items,
        };
        wire::NestedBlock {
            type_name: name.to_owned(),
            block: Some(self.block.to_wire()),
            nesting: self.nesting_mode.to_wire(),
            min_items,
            max_items,
        }
    }
}

fn attributes_to_wire(attributes: &BTreeMap<String, Attribute>) -> Vec<wire::Attribute> {
    let to_wire = |(name, attribute): (&String, &Attribute)| {
        let nested = attribute.nested.as_ref();
        wire::Attribute {
            name: name.clone(),
            r#type: match nested {
                Some(_) => Vec::new(),
                None => attribute.value_type().to_json().to_string().into_bytes(),
            },
            required: attribute.required,
            optional: attribute.optional,
            computed: attribute.computed,
            sensitive: attribute.sensitive,
            deprecated: attribute.deprecated,
            nested_type: nested.map(|nested| wire::NestedObject {
                attributes: attributes_to_wire(&nested.block.attributes),
                nesting: nested.nesting_mode.to_wire(),
            }),
            write_only: attribute.write_only,
            ..wire::Attribute::default()
        }
    };
    attributes.iter().map(to_wire).collect()
}
