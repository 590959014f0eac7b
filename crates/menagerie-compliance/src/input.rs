//! Reading a plan or a state: once, and of it only what the rules read.

use std::fmt;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use thiserror::Error;

use crate::need::Need;
use crate::rule::{Action, Mode};

/// Implements a seed that reads a map or null, entry by entry.
macro_rules! map_seed {
    ($name:ident<$sink:ident>, $value:ty, $expecting:literal, |$self:ident, $map:ident| $body:expr) => {
        impl<'de, $sink: Sink> DeserializeSeed<'de> for $name<'_, $sink> {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        impl<'de, $sink: Sink> Visitor<'de> for $name<'_, $sink> {
            type Value = $value;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str($expecting)
            }

            fn visit_map<A: MapAccess<'de>>($self, mut $map: A) -> Result<$value, A::Error> {
                $body
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<$value, E> {
                Ok(<$value>::default())
            }
        }
    };
}

/// Implements a seed that reads a list or null, each element by another.
macro_rules! list_seed {
    ($name:ident<$sink:ident>, $expecting:literal, |$self:ident| $element:expr) => {
        impl<'de, $sink: Sink> DeserializeSeed<'de> for $name<'_, $sink> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        impl<'de, $sink: Sink> Visitor<'de> for $name<'_, $sink> {
            type Value = ();

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str($expecting)
            }

            fn visit_seq<A: SeqAccess<'de>>($self, mut list: A) -> Result<(), A::Error> {
                while let Some(()) = list.next_element_seed($element)? {}
                Ok(())
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
                Ok(())
            }
        }
    };
}

mod change;
mod configuration;

use change::{Attributes, Change, ChangeSeed};
use configuration::Configuration;

/// Why an input could not be judged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// It ends in the middle.
    #[error(
        "the plan or state is cut short: it ends in the middle, in line {line}, column {column}"
    )]
    CutShort {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
    },
    /// It is not JSON, or not in the shape that Terraform prints.
    #[error("this is no plan or state as Terraform prints it in JSON: {reason}")]
    Json {
        /// Where and why, without what stands there.
        reason: String,
    },
    /// It is something else that Terraform writes.
    #[error("this is {0}, not a plan or a state as `terraform show -json` prints it")]
    Other(&'static str),
    /// It is of another format.
    #[error("the plan or state has format `{}`, but only `1.x` is understood: this Terraform is too new or too old", .0.escape_debug())]
    Format(String),
    /// What it is to be compared with is wrong.
    #[error("production's plan or state: {0}")]
    Production(String),
    /// Planning failed half-way.
    #[error("the plan is not complete: planning ended with an error")]
    Errored,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// What would be.
    Plan,
    /// What is.
    State,
}

/// What of a type of resources is read.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    /// The rules that are about this type, by their places.
    pub(crate) rules: Vec<usize>,
    /// What any of them reads.
    pub(crate) need: Need,
    /// Whether one is about what is deleted.
    pub(crate) reads_before: bool,
}

/// A resource, of which only attributes of interest are there.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) address: String,
    pub(crate) kind: String,
    pub(crate) mode: Mode,
    pub(crate) action: Action,
    pub(crate) values: Value,
    pub(crate) unknown: Value,
    pub(crate) sensitive: Value,
}

/// A block of the configuration that may name others.
#[derive(Debug)]
pub(crate) struct Block {
    /// The module, without the keys of instances.
    pub(crate) module: String,
    pub(crate) kind: String,
    /// The expressions by attribute.
    pub(crate) expressions: Value,
}

/// What is told of an input while it is read.
pub(crate) trait Sink {
    /// Returns what of this type is of interest; of any type, where the type comes too late.
    fn interest(&mut self, kind: Option<&str>) -> Option<Rc<Interest>>;
    /// Takes a resource of interest.
    fn resource(&mut self, resource: &Resource, interest: &Interest);
    /// Counts a resource.
    fn count(&mut self);
    /// Returns whether blocks of this type are of interest; of any type, where none is given.
    fn wants_blocks(&self, kind: Option<&str>) -> bool;
    /// Takes a block of interest.
    fn block(&mut self, block: Block);
}

/// Reads an input to its end.
pub(crate) fn read(json: &[u8], sink: &mut impl Sink) -> Result<InputKind, InputError> {
    if json.starts_with(b"PK\x03\x04") {
        return Err(InputError::Other("a saved plan"));
    }
    // Seeing once that all of it is UTF-8 is quicker than seeing it for each text.
    let Ok(json) = std::str::from_utf8(json) else {
        return Err(InputError::Json { reason: "it is not UTF-8".to_owned() });
    };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let header = Document(sink).deserialize(&mut deserializer).map_err(|error| failure(&error))?;
    if header.written == Written::Event {
        return Err(InputError::Other("the stream of events of `-json`"));
    }
    deserializer.end().map_err(|error| failure(&error))?;
    let kind = match header.written {
        Written::Plan => InputKind::Plan,
        Written::State => InputKind::State,
        Written::StateFile | Written::Event => return Err(InputError::Other("a state file")),
    };
    let Some(version) = header.format_version else {
        return Err(InputError::Other("JSON of another kind"));
    };
    if version.split('.').next() != Some("1") {
        return Err(InputError::Format(version));
    }
    if header.errored {
        return Err(InputError::Errored);
    }
    Ok(kind)
}

fn failure(error: &serde_json::Error) -> InputError {
    if error.is_eof() {
        return InputError::CutShort { line: error.line(), column: error.column() };
    }
    let text = error.to_string();
    // "invalid type: string "…", expected a map": what stands there may be a secret.
    let reason = match text.split_once(", expected ") {
        Some((_, expected)) if error.is_data() => format!("there should be {expected}"),
        _ => text,
    };
    InputError::Json { reason }
}

#[derive(Default)]
struct Header {
    format_version: Option<String>,
    errored: bool,
    /// What it must be, by the last key that tells.
    written: Written,
}

#[derive(Default, PartialEq, Eq)]
enum Written {
    #[default]
    State,
    Plan,
    StateFile,
    Event,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum DocumentKey {
    FormatVersion,
    Errored,
    ResourceChanges,
    PlannedValues,
    Values,
    Configuration,
    Version,
    #[serde(rename = "@level")]
    Level,
    #[serde(other)]
    Other,
}

struct Document<'s, S>(&'s mut S);

map_seed!(Document<S>, Header, "a plan or a state", |self, map| {
    let mut header = Header::default();
    while let Some(key) = map.next_key()? {
        match key {
            DocumentKey::FormatVersion => header.format_version = map.next_value()?,
            DocumentKey::Errored => {
                header.errored = map.next_value::<Option<bool>>()?.unwrap_or_default();
            }
            DocumentKey::ResourceChanges => {
                header.written = Written::Plan;
                map.next_value_seed(Changes(&mut *self.0))?;
            }
            DocumentKey::Values => map.next_value_seed(StateValues(&mut *self.0))?,
            DocumentKey::Configuration if self.0.wants_blocks(None) => {
                map.next_value_seed(Configuration(&mut *self.0))?;
            }
            other => {
                match other {
                    DocumentKey::PlannedValues => header.written = Written::Plan,
                    DocumentKey::Version => header.written = Written::StateFile,
                    DocumentKey::Level => header.written = Written::Event,
                    _ => {}
                }
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(header)
});

struct Changes<'s, S>(&'s mut S);

list_seed!(Changes<S>, "the list of changes", |self| Entry(&mut *self.0));

struct StateValues<'s, S>(&'s mut S);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum ValuesKey {
    RootModule,
    #[serde(other)]
    Other,
}

map_seed!(StateValues<S>, (), "the values of a state", |self, map| {
    while let Some(key) = map.next_key()? {
        match key {
            ValuesKey::RootModule => map.next_value_seed(StateModule(&mut *self.0))?,
            ValuesKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
});

struct StateModule<'s, S>(&'s mut S);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum ModuleKey {
    Resources,
    ChildModules,
    #[serde(other)]
    Other,
}

map_seed!(StateModule<S>, (), "a module of a state", |self, map| {
    while let Some(key) = map.next_key()? {
        match key {
            ModuleKey::Resources => map.next_value_seed(StateResources(&mut *self.0))?,
            ModuleKey::ChildModules => map.next_value_seed(StateModules(&mut *self.0))?,
            ModuleKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
});

struct StateResources<'s, S>(&'s mut S);

list_seed!(StateResources<S>, "the resources of a state", |self| Entry(&mut *self.0));

struct StateModules<'s, S>(&'s mut S);

list_seed!(StateModules<S>, "the modules of a state", |self| StateModule(&mut *self.0));

/// A resource of a plan or of a state: they differ in where the attributes are.
struct Entry<'s, S>(&'s mut S);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum EntryKey {
    Address,
    Type,
    Mode,
    Change,
    Values,
    SensitiveValues,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum WrittenMode {
    Managed,
    Data,
    #[serde(other)]
    Other,
}

map_seed!(Entry<S>, (), "a resource", |self, map| {
    let (mut address, mut kind, mut mode) = (None, None::<String>, None);
    // Not looked for yet, or looked for with this result.
    let mut interest: Option<Option<Rc<Interest>>> = None;
    let mut change = None;
    while let Some(key) = map.next_key()? {
        match key {
            EntryKey::Address => address = Some(map.next_value::<String>()?),
            EntryKey::Type => kind = Some(map.next_value::<String>()?),
            EntryKey::Mode => {
                mode = match map.next_value()? {
                    WrittenMode::Managed => Some(Mode::Managed),
                    WrittenMode::Data => Some(Mode::Data),
                    WrittenMode::Other => None,
                };
            }
            EntryKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
            key @ (EntryKey::Change | EntryKey::Values | EntryKey::SensitiveValues) => {
                let sink = &mut *self.0;
                let found = interest.get_or_insert_with(|| sink.interest(kind.as_deref()));
                let Some(interest) = found else {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                };
                if matches!(key, EntryKey::Change) {
                    change = Some(map.next_value_seed(ChangeSeed(interest))?);
                    continue;
                }
                let change = change.get_or_insert(Change {
                    action: Action::NoOp,
                    values: Value::Null,
                    unknown: Value::Null,
                    sensitive: Value::Null,
                });
                let attributes =
                    map.next_value_seed(Attributes { need: &interest.need, is_top: true })?;
                match key {
                    EntryKey::Values => change.values = attributes,
                    _ => change.sensitive = attributes,
                }
            }
        }
    }
    let missing = |key| A::Error::missing_field(key);
    let address = address.ok_or_else(|| missing("address"))?;
    let kind = kind.ok_or_else(|| missing("type"))?;
    self.0.count();
    // The type may have come after the attributes.
    if let (Some(mode), Some(change)) = (mode, change)
        && let Some(interest) = self.0.interest(Some(&kind))
    {
        let Change { action, values, unknown, sensitive } = change;
        let resource = Resource { address, kind, mode, action, values, unknown, sensitive };
        self.0.resource(&resource, &interest);
    }
    Ok(())
});

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Sink for Nobody {
        fn interest(&mut self, _: Option<&str>) -> Option<Rc<Interest>> {
            Some(Rc::default())
        }

        fn resource(&mut self, _: &Resource, _: &Interest) {}

        fn count(&mut self) {}

        fn wants_blocks(&self, _: Option<&str>) -> bool {
            true
        }

        fn block(&mut self, _: Block) {}
    }

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let actual = match read(json.as_bytes(), &mut Nobody) {
            Ok(kind) => format!("{kind:?}"),
            Err(error) => error.to_string(),
        };
        assert!(actual.contains(expected), "{actual}");
    }

    #[test]
    fn what_is_no_plan() {
        check("", "cut short");
        check(r#"{"format_version": "1.2", "resource_changes": ["#, "cut short");
        check("[]", "there should be a plan or a state at line 1 column 2");
        check("{}", "this is JSON of another kind");
        check(r#"{"version": 4, "resources": []}"#, "this is a state file");
        check("{\"@level\": \"info\"}\n{\"@level\": \"info\"}", "this is the stream of events");
        check("PK\u{3}\u{4}", "this is a saved plan");
        check(r#"{"format_version": "2.0", "planned_values": {}}"#, "format `2.0`");
        check(r#"{"format_version": "1.2", "errored": true}"#, "planning ended with an error");
        check(r#"{"format_version": "1.2"} {}"#, "trailing characters");
    }

    #[test]
    fn a_change_that_is_not_understood_does_not_pass_for_none() {
        let plan = |change: &str| {
            format!(
                r#"{{"format_version": "1.2", "resource_changes": [{{"type": "a", "address": "a.b", "change": {change}}}]}}"#
            )
        };
        check(&plan(r#"{"actions": ["explode"]}"#), "there should be one of `no-op`");
        check(&plan(r#"{"actions": []}"#), "there is no action that is known");
        check(&plan("{}"), "missing field `actions`");
        check(
            &plan(r#"{"actions": ["create"], "after": "hunter2"}"#),
            "there should be the attributes of a resource",
        );
        check(
            r#"{"format_version": "1.2", "resource_changes": [{"type": "a"}]}"#,
            "missing field `address`",
        );
    }

    #[test]
    fn plans_and_states() {
        check(r#"{"format_version": "1.2", "resource_changes": null}"#, "Plan");
        check(r#"{"format_version": "1.0", "values": {"root_module": {}}}"#, "State");
        check(r#"{"format_version": "1.0"}"#, "State");
    }
}
