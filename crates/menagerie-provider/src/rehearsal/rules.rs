//! What a schema does not say of a type: `rules.toml`.

use serde::Deserialize;
use std::{collections::BTreeMap, sync::OnceLock};

/// Rules by type name; those of a type that has none are empty.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// Attributes that nothing can change in what exists, whatever the type.
    pub(crate) replace: Vec<String>,
    #[serde(default, rename = "type")]
    types: BTreeMap<String, TypeRules>,
}

/// Rules of one type.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TypeRules {
    /// Templates of computed values, by path.
    pub(crate) make: BTreeMap<String, toml::Value>,
    /// Attributes and blocks that can't change in what exists; `*` is all of them.
    pub(crate) replace: Vec<String>,
    /// Attributes that the general rule names, and which can change here.
    pub(crate) keep: Vec<String>,
    /// Computed attributes that an update changes.
    pub(crate) volatile: Vec<String>,
    /// Whether there can be only one of the same id.
    pub(crate) unique: bool,
}

impl Rules {
    /// Returns the rules that are compiled in.
    pub(crate) fn get() -> &'static Self {
        static RULES: OnceLock<Rules> = OnceLock::new();
        RULES.get_or_init(|| {
            toml::from_str(include_str!("rules.toml")).expect("a test reads the same rules")
        })
    }

    pub(crate) fn of(&self, type_name: &str) -> &TypeRules {
        static NONE: OnceLock<TypeRules> = OnceLock::new();
        self.types.get(type_name).unwrap_or_else(|| NONE.get_or_init(TypeRules::default))
    }

    /// Whether a change of this attribute or block replaces what exists.
    pub(crate) fn replaces(&self, type_name: &str, name: &str) -> bool {
        let own = self.of(type_name);
        let named = |names: &[String]| names.iter().any(|known| known == name || known == "*");
        !named(&own.keep) && (named(&own.replace) || self.replace.iter().any(|known| known == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_read() {
        assert!(Rules::get().replaces("aws_anything", "name"));
        assert!(!Rules::get().replaces("aws_anything", "tags"));
    }
}
