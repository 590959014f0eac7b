//! A change of a resource, of which only what the rules read is kept.

use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::{Map, Value};

use super::Interest;
use crate::need::Need;
use crate::rule::Action;

/// What becomes of a resource.
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) values: Value,
    pub(super) unknown: Value,
    pub(super) sensitive: Value,
}

pub(super) struct ChangeSeed<'i>(pub(super) &'i Interest);

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
pub(super) struct Attributes<'n> {
    pub(super) need: &'n Need,
    pub(super) is_top: bool,
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
