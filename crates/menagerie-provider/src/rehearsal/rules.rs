//! What a schema does not say of a type: `rules.toml`.

use serde::Deserialize;
use std::{collections::BTreeMap, sync::OnceLock};

/// Everything in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    format: BTreeMap<String, Format>,
    prefix: BTreeMap<String, TypeRules>,
    r#type: BTreeMap<String, TypeRules>,
}

/// A form that texts have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Format {
    /// None where code knows the form.
    pub(crate) pattern: Option<String>,
    pub(crate) example: String,
    /// What it is, in words.
    pub(crate) says: String,
}

/// Rules of one type, or of many.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TypeRules {
    make: BTreeMap<String, toml::Value>,
    replace: Vec<String>,
    keep: Vec<String>,
    volatile: Vec<String>,
    unique: bool,
    protected: Option<String>,
    conflicts: Vec<Vec<String>>,
    exactly: Vec<Vec<String>>,
    check: BTreeMap<String, Check>,
}

/// What a value must be; only what is said is checked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Check {
    pub(crate) format: Option<String>,
    pub(crate) one_of: Vec<toml::Value>,
    /// Lowest and highest number.
    pub(crate) range: Option<[f64; 2]>,
    /// Fewest and most characters.
    pub(crate) length: Option<[usize; 2]>,
}

/// The rules that hold for one type: its own first, then those of its prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ruled(Option<&'static TypeRules>, Option<&'static TypeRules>);

impl Rules {
    /// Returns the rules that are compiled in.
    pub(crate) fn get() -> &'static Self {
        static RULES: OnceLock<Rules> = OnceLock::new();
        RULES.get_or_init(|| {
            toml::from_str(include_str!("rules.toml")).expect("a test reads the same rules")
        })
    }

    pub(crate) fn format(&self, name: &str) -> &Format {
        &self.format[name]
    }
}

impl Ruled {
    pub(crate) fn of(type_name: &str) -> Self {
        let rules = Rules::get();
        let prefix = rules.prefix.iter().find(|(prefix, _)| type_name.starts_with(*prefix));
        Self(rules.r#type.get(type_name), prefix.map(|(_, rules)| rules))
    }

    fn each(self) -> impl Iterator<Item = &'static TypeRules> {
        self.0.into_iter().chain(self.1)
    }

    /// Returns the template of a computed value, if there is one for this path.
    pub(crate) fn template(self, path: &str) -> Option<&'static toml::Value> {
        self.each().find_map(|rules| rules.make.get(path))
    }

    /// Returns the paths whose change replaces what exists, `*` for all names.
    pub(crate) fn replaces<'a>(self, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let listed: Vec<_> = self.each().flat_map(|rules| &rules.replace).collect();
        let all = listed.iter().any(|path| *path == "*");
        let mut paths: Vec<_> = listed.into_iter().filter(|path| *path != "*").cloned().collect();
        if all {
            paths.extend(names.map(str::to_owned));
        }
        paths.retain(|path| !self.each().any(|rules| rules.keep.contains(path)));
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Returns the computed attributes that an update changes.
    pub(crate) fn volatile(self) -> impl Iterator<Item = &'static String> {
        self.each().flat_map(|rules| &rules.volatile)
    }

    /// Whether there can be only one of the same id.
    pub(crate) fn unique(self) -> bool {
        self.each().any(|rules| rules.unique)
    }

    /// Returns the path of what forbids deletion.
    pub(crate) fn protected(self) -> Option<&'static str> {
        self.each().find_map(|rules| rules.protected.as_deref())
    }

    pub(crate) fn conflicts(self) -> impl Iterator<Item = &'static [String]> {
        self.each().flat_map(|rules| &rules.conflicts).map(Vec::as_slice)
    }

    pub(crate) fn exactly(self) -> impl Iterator<Item = &'static [String]> {
        self.each().flat_map(|rules| &rules.exactly).map(Vec::as_slice)
    }

    /// Returns the checks with their paths; those that start with `*` are of every attribute that ends so.
    pub(crate) fn checks(self) -> impl Iterator<Item = (&'static str, &'static Check)> {
        self.each().flat_map(|rules| &rules.check).map(|(path, check)| (path.as_str(), check))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::{check, schema::Block, source};

    /// Whether a schema has what a path names; numbers are elements.
    fn has(block: &Block, path: &str) -> bool {
        let mut parts = path.split('.').filter(|part| part.parse::<usize>().is_err());
        let Some(first) = parts.next() else { return true };
        let rest = parts.collect::<Vec<_>>().join(".");
        match block.blocks.get(first) {
            Some(nested) => rest.is_empty() || has(&nested.block, &rest),
            // What lies in a computed object, its type says.
            None => block.attributes.contains_key(first),
        }
    }

    #[test]
    fn every_rule_is_about_something_in_the_schemas() {
        let sources = source::all(&[]).unwrap();
        let mut wrong = Vec::new();
        for (type_name, rules) in &Rules::get().r#type {
            let schemas =
                sources.iter().filter_map(|source| source.schema().resources.get(type_name));
            let block = &schemas.into_iter().next().unwrap_or_else(|| panic!("{type_name}")).block;
            let paths = rules.make.keys().chain(rules.check.keys()).chain(&rules.replace);
            let paths = paths.chain(&rules.keep).chain(&rules.volatile).chain(&rules.protected);
            for path in
                paths.chain(rules.conflicts.iter().flatten()).chain(rules.exactly.iter().flatten())
            {
                if !path.starts_with('*') && !has(block, path) {
                    wrong.push(format!("{type_name} has no `{path}`"));
                }
            }
            for name in rules.make.keys().filter(|path| !path.contains('.')) {
                if !block.attributes.get(name).is_some_and(|attribute| attribute.computed) {
                    wrong.push(format!("`{name}` of {type_name} is not computed"));
                }
            }
        }
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn every_format_takes_its_own_example_and_refuses_others() {
        for (name, format) in &Rules::get().format {
            assert!(check::has_format(name, &format.example), "{name}");
            for wrong in ["", "\u{1F9A6} \n"] {
                assert!(!check::has_format(name, wrong), "{name} takes {wrong:?}");
            }
        }
        let types = Rules::get().r#type.values().chain(Rules::get().prefix.values());
        for check in types.flat_map(|rules| rules.check.values()) {
            assert!(
                check.format.as_ref().is_none_or(|name| Rules::get().format.contains_key(name))
            );
        }
    }
}
