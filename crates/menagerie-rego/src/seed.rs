//! [`read`]: JSON to values of the interpreter, of which only what is needed is built.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use menagerie_compliance::InputError;
use regorus::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::need::Need;

/// Reads a plan or a state that was found to be one.
pub(crate) fn read(json: &[u8], need: &Need) -> Result<Value, InputError> {
    let refused = |reason: String| InputError::Json { reason };
    let text = std::str::from_utf8(json).map_err(|_| refused("it is not UTF-8".to_owned()))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { need, keys: &mut HashSet::new() };
    seed.deserialize(&mut deserializer).map_err(|error| {
        refused(format!("it can't be read at line {}, column {}", error.line(), error.column()))
    })
}

/// Builds what is needed of a value.
struct Seed<'n, 'k> {
    need: &'n Need,
    /// Keys come again and again: each is kept once.
    keys: &'k mut HashSet<Arc<str>>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Reads a key that is kept once.
struct Key<'k>(&'k mut HashSet<Arc<str>>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Arc<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Arc<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Arc<str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Arc<str>, E> {
        if let Some(known) = self.0.get(key) {
            return Ok(known.clone());
        }
        let key: Arc<str> = key.into();
        self.0.insert(key.clone());
        Ok(key)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if !value.is_finite() {
            return Err(E::custom("a number is out of range"));
        }
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        match self.need.element() {
            Some(need) => {
                while let Some(value) =
                    list.next_element_seed(Seed { need, keys: &mut *self.keys })?
                {
                    values.push(value);
                }
            }
            None => {
                while list.next_element::<IgnoredAny>()?.is_some() {
                    values.push(Value::Null);
                }
            }
        }
        Ok(Value::from(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(key) = map.next_key_seed(Key(&mut *self.keys))? {
            match self.need.key(&key) {
                Some(need) => {
                    let value = map.next_value_seed(Seed { need, keys: &mut *self.keys })?;
                    fields.insert(Value::String(key), value);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::from(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::need::Step;

    #[test]
    fn only_what_is_needed() {
        let key = |key: &str| Step::Key(key.to_owned());
        let json = br#"{"a": [{"b": 1, "c": [2, 3]}, {"c": "x"}, null], "d": {"e": 1.5, "f": {}}, "g": [1, 2]}"#;
        let mut need = Need::default();
        need.read(&[key("a"), Step::Each, key("b")]);
        need.touch(&[key("a"), Step::Each, key("c")]);
        need.touch(&[key("d")]);
        need.touch(&[key("g")]);
        need.finish();
        let value = read(json, &need).unwrap().to_string();
        assert_eq!(
            value,
            r#"{"a":[{"b":1,"c":[null,null]},{"c":"x"},null],"d":{},"g":[null,null]}"#
        );
        let whole = read(json, &Need::all()).unwrap();
        assert_eq!(whole, Value::from_json_str(std::str::from_utf8(json).unwrap()).unwrap());
    }
}
