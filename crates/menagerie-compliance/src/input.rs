//! Reading a plan or a state: once, and of it only what the rules read.

use std::fmt;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::need::Need;
use crate::rule::{Action, Mode};

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

struct Change {
    action: Action,
    values: Value,
    unknown: Value,
    sensitive: Value,
}

struct ChangeSeed<'i>(&'i Interest);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum ChangeKey {
    Actions,
    Before,
    After,
    AfterUnknown,
    BeforeSensitive,
    AfterSensitive,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for ChangeSeed<'_> {
    type Value = Change;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Change, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ChangeSeed<'_> {
    type Value = Change;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a change")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Change, A::Error> {
        let mut actions: Option<Vec<WrittenAction>> = None;
        let (mut before, mut after) = (Value::Null, Value::Null);
        let (mut unknown, mut before_sensitive, mut after_sensitive) =
            (Value::Null, Value::Null, Value::Null);
        let attributes = || Attributes { need: &self.0.need, is_top: true };
        while let Some(key) = map.next_key()? {
            match key {
                ChangeKey::Actions => actions = Some(map.next_value()?),
                ChangeKey::After => after = map.next_value_seed(attributes())?,
                ChangeKey::AfterUnknown => unknown = map.next_value_seed(attributes())?,
                ChangeKey::AfterSensitive => after_sensitive = map.next_value_seed(attributes())?,
                ChangeKey::Before if self.0.reads_before => {
                    before = map.next_value_seed(attributes())?;
                }
                ChangeKey::BeforeSensitive if self.0.reads_before => {
                    before_sensitive = map.next_value_seed(attributes())?;
                }
                ChangeKey::Before | ChangeKey::BeforeSensitive | ChangeKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let actions = actions.ok_or_else(|| A::Error::missing_field("actions"))?;
        let action =
            action(&actions).ok_or_else(|| A::Error::custom("there is no action that is known"))?;
        if matches!(action, Action::Delete | Action::Forget) {
            return Ok(Change {
                action,
                values: before,
                unknown: Value::Null,
                sensitive: before_sensitive,
            });
        }
        Ok(Change { action, values: after, unknown, sensitive: after_sensitive })
    }
}

/// One that is not known is an error, since it must not pass for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenAction {
    NoOp,
    Create,
    Read,
    Update,
    Delete,
    Forget,
}

/// Returns what a list of actions amounts to.
fn action(actions: &[WrittenAction]) -> Option<Action> {
    let has = |action| actions.contains(&action);
    let is_removed = has(WrittenAction::Delete) || has(WrittenAction::Forget);
    Some(match () {
        () if actions.is_empty() => return None,
        () if has(WrittenAction::Create) && is_removed => Action::Replace,
        () if has(WrittenAction::Create) => Action::Create,
        () if has(WrittenAction::Delete) => Action::Delete,
        () if has(WrittenAction::Forget) => Action::Forget,
        () if has(WrittenAction::Update) => Action::Update,
        () if has(WrittenAction::Read) => Action::Read,
        () => Action::NoOp,
    })
}

/// The parts of interest of a value. At the top is a map of attributes; a mask may be `true` or `false` instead.
#[derive(Clone, Copy)]
struct Attributes<'n> {
    need: &'n Need,
    is_top: bool,
}

impl<'n> Attributes<'n> {
    fn below(need: &'n Need) -> Self {
        Self { need, is_top: false }
    }

    fn scalar<E: serde::de::Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        if self.is_top {
            return Err(E::invalid_type(Unexpected::Other("a value"), &self));
        }
        Ok(value.into())
    }
}

impl<'de> DeserializeSeed<'de> for Attributes<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.need.is_whole() {
            return Value::deserialize(deserializer);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Attributes<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the attributes of a resource")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut attributes = Map::new();
        while let Some(key) = map.next_key_seed(Name(self.need))? {
            match key {
                Some((key, need)) => {
                    attributes.insert(key, map.next_value_seed(Attributes::below(need))?);
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(attributes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(Attributes::below(self.need))? {
            elements.push(element);
        }
        if self.is_top {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        Ok(Value::Array(elements))
    }

    fn visit_bool<E: serde::de::Error>(self, is_set: bool) -> Result<Value, E> {
        Ok(Value::Bool(is_set))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
        self.scalar(number)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        self.scalar(number)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        self.scalar(number)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.scalar(text)
    }
}

/// The name of an attribute and what is needed of it, if it is of interest.
struct Name<'n>(&'n Need);

impl<'de, 'n> DeserializeSeed<'de> for Name<'n> {
    type Value = Option<(String, &'n Need)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'n> Visitor<'_> for Name<'n> {
    type Value = Option<(String, &'n Need)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of an attribute")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.get(name).map(|need| (name.to_owned(), need)))
    }
}

struct Configuration<'s, S>(&'s mut S);

map_seed!(Configuration<S>, (), "the configuration", |self, map| {
    while let Some(key) = map.next_key()? {
        match key {
            ValuesKey::RootModule => {
                map.next_value_seed(ModuleSeed { sink: &mut *self.0, module: String::new() })?;
            }
            ValuesKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
});

struct ModuleSeed<'s, S> {
    sink: &'s mut S,
    module: String,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum ConfigurationKey {
    Resources,
    ModuleCalls,
    #[serde(other)]
    Other,
}

map_seed!(ModuleSeed<S>, (), "a module of the configuration", |self, map| {
    while let Some(key) = map.next_key()? {
        match key {
            ConfigurationKey::Resources => {
                map.next_value_seed(Blocks { sink: &mut *self.sink, module: &self.module })?;
            }
            ConfigurationKey::ModuleCalls => {
                map.next_value_seed(Calls { sink: &mut *self.sink, module: &self.module })?;
            }
            ConfigurationKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
});

struct Calls<'s, S> {
    sink: &'s mut S,
    module: &'s str,
}

map_seed!(Calls<S>, (), "the calls of modules", |self, map| {
    while let Some(name) = map.next_key::<String>()? {
        let dot = if self.module.is_empty() { "" } else { "." };
        let module = format!("{}{dot}module.{name}", self.module);
        map.next_value_seed(Call { sink: &mut *self.sink, module })?;
    }
    Ok(())
});

struct Call<'s, S> {
    sink: &'s mut S,
    module: String,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum CallKey {
    Module,
    #[serde(other)]
    Other,
}

map_seed!(Call<S>, (), "a call of a module", |self, map| {
    while let Some(key) = map.next_key()? {
        match key {
            CallKey::Module => {
                map.next_value_seed(ModuleSeed {
                    sink: &mut *self.sink,
                    module: self.module.clone(),
                })?;
            }
            CallKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
});

struct Blocks<'s, S> {
    sink: &'s mut S,
    module: &'s str,
}

list_seed!(Blocks<S>, "the blocks of a module", |self| BlockSeed {
    sink: &mut *self.sink,
    module: self.module
});

struct BlockSeed<'s, S> {
    sink: &'s mut S,
    module: &'s str,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum BlockKey {
    Type,
    Expressions,
    #[serde(other)]
    Other,
}

map_seed!(BlockSeed<S>, (), "a block", |self, map| {
    let (mut kind, mut expressions) = (None::<String>, Value::Null);
    while let Some(key) = map.next_key()? {
        match key {
            BlockKey::Type => kind = Some(map.next_value()?),
            BlockKey::Expressions if self.sink.wants_blocks(kind.as_deref()) => {
                expressions = map.next_value()?;
            }
            BlockKey::Expressions | BlockKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
    if self.sink.wants_blocks(Some(&kind)) {
        self.sink.block(Block { module: self.module.to_owned(), kind, expressions });
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
