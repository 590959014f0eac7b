//! [`Side`]: the resources of a plan or a state that are compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::address::Address;
use crate::input::InputError;

/// A plan or a state, as far as it is compared.
#[derive(Deserialize)]
struct Document<'a> {
    format_version: Option<String>,
    #[serde(default)]
    errored: bool,
    #[serde(borrow)]
    resource_changes: Option<Vec<Change<'a>>>,
    #[serde(borrow)]
    values: Option<Values<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    address: String,
    mode: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow, rename = "change")]
    planned: &'a RawValue,
}

#[derive(Deserialize)]
struct After {
    after: Option<Value>,
    after_unknown: Option<Value>,
}

#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    root_module: Option<Module<'a>>,
}

#[derive(Deserialize)]
struct Module<'a> {
    #[serde(borrow, default)]
    resources: Vec<Held<'a>>,
    #[serde(borrow, default)]
    child_modules: Vec<Self>,
}

#[derive(Deserialize)]
struct Held<'a> {
    address: String,
    mode: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    values: Option<&'a RawValue>,
}

/// The managed resources of one side.
#[derive(Default)]
pub(super) struct Side {
    pub(super) is_state: bool,
    /// The types of all of them.
    pub(super) kinds: BTreeSet<String>,
    /// Those of the types that are asked for, by address.
    pub(super) resources: BTreeMap<String, Resource>,
    /// By block, with its module, the addresses of its instances.
    blocks: BTreeMap<String, Vec<String>>,
    /// By type, its blocks.
    kind_blocks: BTreeMap<String, Vec<String>>,
    /// The environment, or production, by the tag of that name.
    pub(super) name: Option<String>,
}

pub(super) struct Resource {
    pub(super) kind: String,
    pub(super) module: String,
    block: String,
    /// `[0]` or `["a"]`; empty where there is one only.
    key: String,
    pub(super) values: Value,
    pub(super) unknown: Value,
}

impl Side {
    pub(super) fn read(json: &[u8], is_about: &dyn Fn(&str) -> bool) -> Result<Self, InputError> {
        let wrong = |error: serde_json::Error| {
            if error.is_eof() {
                return InputError::CutShort { line: error.line(), column: error.column() };
            }
            let reason = format!("at line {}, column {}", error.line(), error.column());
            InputError::Json { reason }
        };
        let document: Document<'_> = serde_json::from_slice(json).map_err(wrong)?;
        match &document.format_version {
            Some(version) if version.starts_with("1.") => {}
            Some(version) => return Err(InputError::Format(version.clone())),
            None => return Err(InputError::Other("JSON of another kind")),
        }
        if document.errored {
            return Err(InputError::Errored);
        }
        let mut side = Self::default();
        if let Some(changes) = document.resource_changes {
            for change in changes.into_iter().filter(|change| is_managed(change.mode.as_deref())) {
                let parsed: After = serde_json::from_str(change.planned.get()).map_err(wrong)?;
                // What will be gone is no part of it.
                let (Some(values @ Value::Object(_)), unknown) =
                    (parsed.after, parsed.after_unknown.unwrap_or_default())
                else {
                    continue;
                };
                side.add(&change.address, change.kind, values, unknown, is_about);
            }
        } else {
            side.is_state = true;
            side.add_module(document.values.and_then(|values| values.root_module), is_about)
                .map_err(wrong)?;
        }
        for block in side.resources.values().map(|resource| (&resource.kind, &resource.block)) {
            let blocks = side.kind_blocks.entry(block.0.clone()).or_default();
            if !blocks.contains(block.1) {
                blocks.push(block.1.clone());
            }
        }
        Ok(side)
    }

    fn add_module(
        &mut self,
        module: Option<Module<'_>>,
        is_about: &dyn Fn(&str) -> bool,
    ) -> Result<(), serde_json::Error> {
        // Its depth is that of the JSON, which the parser has limited.
        let Some(module) = module else { return Ok(()) };
        for held in module.resources {
            if !is_managed(held.mode.as_deref()) {
                continue;
            }
            let Some(values) = held.values else { continue };
            let values = serde_json::from_str(values.get())?;
            self.add(&held.address, held.kind, values, Value::Null, is_about);
        }
        for child in module.child_modules {
            self.add_module(Some(child), is_about)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        address: &str,
        kind: String,
        values: Value,
        unknown: Value,
        is_about: &dyn Fn(&str) -> bool,
    ) {
        let name = values.pointer("/tags_all/environment").and_then(Value::as_str);
        if let (None, Some(name)) = (&self.name, name.filter(|name| !name.is_empty())) {
            self.name = Some(name.to_owned());
        }
        self.kinds.insert(kind.clone());
        if !is_about(&kind) {
            return;
        }
        let parts = Address::parse(address);
        let (block, start) = match (parts.module_block.as_str(), parts.module.len()) {
            ("", _) => (parts.block.clone(), parts.block.len()),
            (module, length) => {
                (format!("{module}.{}", parts.block), length + 1 + parts.block.len())
            }
        };
        let key = address.get(start..).unwrap_or_default().to_owned();
        self.blocks.entry(block.clone()).or_default().push(address.to_owned());
        let resource = Resource { kind, module: parts.module, block, key, values, unknown };
        self.resources.insert(address.to_owned(), resource);
    }

    /// Returns what has the role here that a resource has there.
    pub(super) fn counterpart(
        &self,
        other: &Self,
        address: &str,
        resource: &Resource,
    ) -> Option<(&str, &Resource)> {
        let at =
            |address: &str| self.resources.get_key_value(address).map(|(key, of)| (&**key, of));
        if let Some(found) = at(address) {
            return Some(found);
        }
        // An instance is found by its key; one by its number also by another.
        let is_counted =
            |key: &str| key.is_empty() || key.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        let first = |block: &String| {
            let instances = || self.blocks.get(block).into_iter().flatten().filter_map(|of| at(of));
            instances().find(|(_, of)| of.key == resource.key).or_else(|| {
                instances().find(|(_, of)| is_counted(&of.key) && is_counted(&resource.key))
            })
        };
        if let Some(found) = first(&resource.block) {
            return Some(found);
        }
        let last = |block: &str| block.rsplit('.').next().map(str::to_owned);
        let of_name = |side: &Self| -> Vec<String> {
            let blocks = side.kind_blocks.get(&resource.kind).into_iter().flatten();
            blocks.filter(|block| last(block) == last(&resource.block)).cloned().collect()
        };
        let of_kind =
            |side: &Self| side.kind_blocks.get(&resource.kind).cloned().unwrap_or_default();
        let only = |ours: Vec<String>, theirs: Vec<String>| match (&*ours, &*theirs) {
            ([block], [_]) => first(block),
            _ => None,
        };
        only(of_name(self), of_name(other)).or_else(|| only(of_kind(self), of_kind(other)))
    }
}

fn is_managed(mode: Option<&str>) -> bool {
    mode.is_none_or(|mode| mode == "managed")
}
