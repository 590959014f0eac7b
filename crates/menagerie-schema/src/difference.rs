//! What is different between two schemas, attribute by attribute.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::schema::{Attribute, Block, BlockType, Kind, NestedType, ProviderSchema};

/// In what way an attribute or block differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Only the first has it.
    OnlyFirst,
    /// Only the second has it.
    OnlySecond,
    /// A block in one is an attribute in the other.
    BlockOrAttribute,
    Type,
    Required,
    Optional,
    Computed,
    Sensitive,
    WriteOnly,
    Nesting,
    MinItems,
    MaxItems,
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::OnlyFirst => "only in the first",
            Self::OnlySecond => "only in the second",
            Self::BlockOrAttribute => "block or attribute",
            Self::Type => "type",
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Computed => "computed",
            Self::Sensitive => "sensitive",
            Self::WriteOnly => "write-only",
            Self::Nesting => "nesting of a block",
            Self::MinItems => "least number of blocks",
            Self::MaxItems => "largest number of blocks",
        })
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Such as `resource.aws_vpc.tags`.
    pub(crate) path: String,
    pub(crate) class: Class,
    /// What the first has, and the second.
    pub(crate) values: Option<(String, String)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, class, values } = self;
        match values {
            Some((first, second)) => write!(formatter, "{path}: {class}: {first} → {second}"),
            None => write!(formatter, "{path}: {class}"),
        }
    }
}

/// What was found in the types that both have.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Types that both have.
    pub(crate) types: usize,
    /// Attributes and blocks that both have.
    pub(crate) common: usize,
    /// Types that one of them has.
    pub(crate) lone_types: Vec<Difference>,
    pub(crate) differences: Vec<Difference>,
}

impl Comparison {
    /// Returns how many attributes and blocks that both have differ in any way.
    pub(crate) fn differing(&self) -> usize {
        let both = |difference: &&Difference| {
            !matches!(difference.class, Class::OnlyFirst | Class::OnlySecond)
        };
        let mut paths: Vec<&str> = self
            .differences
            .iter()
            .filter(both)
            .map(|difference| difference.path.as_str())
            .collect();
        paths.dedup();
        paths.len()
    }

    /// Returns how many there are of each class.
    pub(crate) fn classes(&self) -> BTreeMap<Class, usize> {
        let mut classes = BTreeMap::new();
        for difference in &self.differences {
            *classes.entry(difference.class).or_default() += 1;
        }
        classes
    }
}

/// Compares the provider's own configuration and every type.
pub(crate) fn compare(first: &ProviderSchema, second: &ProviderSchema) -> Comparison {
    let mut comparison = Comparison::default();
    comparison.block("provider", &first.provider.block, &second.provider.block);
    for kind in Kind::ALL {
        let (first, second) = (first.types(kind), second.types(kind));
        for (path, class) in lone(&kind.to_string(), first, second) {
            comparison.lone_types.push(Difference { path, class, values: None });
        }
        for (name, first) in first {
            let Some(second) = second.get(name) else { continue };
            comparison.types += 1;
            comparison.block(&format!("{kind}.{name}"), &first.block, &second.block);
        }
    }
    comparison
}

impl Comparison {
    fn block(&mut self, path: &str, first: &Block, second: &Block) {
        self.attributes(
            path,
            &first.attributes,
            &second.attributes,
            |name| second.block_types.contains_key(name),
            |name| first.block_types.contains_key(name),
        );
        for (name, one) in &first.block_types {
            let path = format!("{path}.{name}");
            if let Some(other) = second.block_types.get(name) {
                self.block_type(&path, one, other);
            } else if second.attributes.contains_key(name) {
                self.common += 1;
                self.add(&path, Class::BlockOrAttribute, &"block", &"attribute");
            } else {
                self.differences.push(Difference { path, class: Class::OnlyFirst, values: None });
            }
        }
        for name in second.block_types.keys() {
            if !first.block_types.contains_key(name) && !first.attributes.contains_key(name) {
                let path = format!("{path}.{name}");
                self.differences.push(Difference { path, class: Class::OnlySecond, values: None });
            }
        }
    }

    fn attributes(
        &mut self,
        path: &str,
        first: &BTreeMap<String, Attribute>,
        second: &BTreeMap<String, Attribute>,
        is_block_of_second: impl Fn(&str) -> bool,
        is_block_of_first: impl Fn(&str) -> bool,
    ) {
        for (name, one) in first {
            let path = format!("{path}.{name}");
            if let Some(other) = second.get(name) {
                self.attribute(&path, one, other);
            } else if is_block_of_second(name) {
                self.common += 1;
                self.add(&path, Class::BlockOrAttribute, &"attribute", &"block");
            } else {
                self.differences.push(Difference { path, class: Class::OnlyFirst, values: None });
            }
        }
        for name in
            second.keys().filter(|name| !first.contains_key(*name) && !is_block_of_first(name))
        {
            let path = format!("{path}.{name}");
            self.differences.push(Difference { path, class: Class::OnlySecond, values: None });
        }
    }

    fn attribute(&mut self, path: &str, first: &Attribute, second: &Attribute) {
        self.common += 1;
        let type_of = |attribute: &Attribute| type_text(attribute);
        if type_of(first) != type_of(second) {
            self.add(path, Class::Type, &type_of(first), &type_of(second));
        }
        for (class, first, second) in [
            (Class::Required, first.required, second.required),
            (Class::Optional, first.optional, second.optional),
            (Class::Computed, first.computed, second.computed),
            (Class::Sensitive, first.sensitive, second.sensitive),
            (Class::WriteOnly, first.write_only, second.write_only),
        ] {
            if first != second {
                self.add(path, class, &first, &second);
            }
        }
        if let (
            Some(NestedType { attributes: first, .. }),
            Some(NestedType { attributes: second, .. }),
        ) = (&first.nested_type, &second.nested_type)
        {
            self.attributes(path, first, second, |_| false, |_| false);
        }
    }

    fn block_type(&mut self, path: &str, first: &BlockType, second: &BlockType) {
        self.common += 1;
        if first.nesting_mode != second.nesting_mode {
            self.add(path, Class::Nesting, &first.nesting_mode, &second.nesting_mode);
        }
        if first.min_items != second.min_items {
            self.add(path, Class::MinItems, &first.min_items, &second.min_items);
        }
        if first.max_items != second.max_items {
            self.add(path, Class::MaxItems, &first.max_items, &second.max_items);
        }
        self.block(path, &first.block, &second.block);
    }

    fn add(
        &mut self,
        path: &str,
        class: Class,
        first: &dyn fmt::Display,
        second: &dyn fmt::Display,
    ) {
        let values = Some((first.to_string(), second.to_string()));
        self.differences.push(Difference { path: path.to_owned(), class, values });
    }
}

/// Returns the names that one of them has.
fn lone<T>(
    prefix: &str,
    first: &BTreeMap<String, T>,
    second: &BTreeMap<String, T>,
) -> Vec<(String, Class)> {
    let only_first = first
        .keys()
        .filter(|name| !second.contains_key(*name))
        .map(|name| (name, Class::OnlyFirst));
    let only_second = second
        .keys()
        .filter(|name| !first.contains_key(*name))
        .map(|name| (name, Class::OnlySecond));
    only_first.chain(only_second).map(|(name, class)| (format!("{prefix}.{name}"), class)).collect()
}

/// Writes a type as the configuration does: `map(list(string))`.
fn type_text(attribute: &Attribute) -> String {
    match (&attribute.r#type, &attribute.nested_type) {
        (Some(found), _) => expression(found),
        (None, Some(nested)) => format!("nested {}", nested.nesting_mode),
        (None, None) => "nothing".to_owned(),
    }
}

fn expression(value: &Value) -> String {
    match value {
        Value::String(name) => name.clone(),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(kind), Value::Object(attributes), ..] => {
                let attributes = attributes
                    .iter()
                    .map(|(name, found)| format!("{name} = {}", expression(found)));
                format!("{kind}({{{}}})", attributes.collect::<Vec<_>>().join(", "))
            }
            [Value::String(kind), element] => format!("{kind}({})", expression(element)),
            _ => value.to_string(),
        },
        _ => value.to_string(),
    }
}
