//! Terraform's values: msgpack on the wire, a small enum here, with "unknown until apply" as a case of its own.

use crate::wire::DynamicValue;
use std::collections::BTreeMap;

/// An object's attributes by name.
pub(crate) type Object = BTreeMap<String, Value>;

/// A value of a Terraform attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Known only after apply.
    Unknown,
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    List(Vec<Self>),
    /// A map or an object: the wire does not tell them apart.
    Map(Object),
    /// A value that brings its type, as JSON, since its schema leaves that open.
    Dynamic(String, Box<Self>),
}

/// A value that is not msgpack as Terraform writes it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValueError {
    #[error("failed to read a msgpack value")]
    Read(#[source] rmpv::decode::Error),
    #[error("failed to read a JSON value")]
    Json(#[source] serde_json::Error),
    #[error("a value of kind `{0}` is not one of Terraform's")]
    Kind(&'static str),
    #[error("expected an object")]
    NotAnObject,
}

/// Deeper than any type of ours; a hostile message must not overflow the stack.
const DEEPEST: usize = 128;

/// Reads an object; `None` where the value is null (created from nothing, or destroyed).
pub(crate) fn object(value: Option<&DynamicValue>) -> Result<Option<Object>, ValueError> {
    let Some(value) = value else { return Ok(None) };
    let value = if value.msgpack.is_empty() && !value.json.is_empty() {
        Value::from_json(&value.json)?
    } else {
        Value::from_msgpack(&value.msgpack)?
    };
    match value {
        Value::Null => Ok(None),
        Value::Map(object) => Ok(Some(object)),
        _ => Err(ValueError::NotAnObject),
    }
}

/// Writes an object, or null for `None`.
pub(crate) fn dynamic(object: Option<Object>) -> DynamicValue {
    let value = object.map_or(Value::Null, Value::Map);
    DynamicValue { msgpack: value.to_msgpack(), json: Vec::new() }
}

impl Value {
    /// Reads a msgpack value; empty bytes are null.
    pub(crate) fn from_msgpack(mut bytes: &[u8]) -> Result<Self, ValueError> {
        if bytes.is_empty() {
            return Ok(Self::Null);
        }
        let value = rmpv::decode::read_value_with_max_depth(&mut bytes, DEEPEST)
            .map_err(ValueError::Read)?;
        Self::from_rmpv(value)
    }

    /// Writes a msgpack value.
    pub(crate) fn to_msgpack(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &self.to_rmpv())
            .expect("writing to memory cannot fail");
        bytes
    }

    fn from_json(bytes: &[u8]) -> Result<Self, ValueError> {
        serde_json::from_slice(bytes)
            .map(|value| Self::from_json_value(&value))
            .map_err(ValueError::Json)
    }

    /// Reads a value of JSON, which has no unknowns.
    pub(crate) fn from_json_value(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(value) => Self::Number(value.as_f64().unwrap_or_default()),
            serde_json::Value::String(value) => Self::String(value.clone()),
            serde_json::Value::Array(values) => {
                Self::List(values.iter().map(Self::from_json_value).collect())
            }
            serde_json::Value::Object(values) => Self::Map(
                values
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::from_json_value(value)))
                    .collect(),
            ),
        }
    }

    /// Writes a value as JSON; what is unknown becomes null.
    pub(crate) fn to_json_value(&self) -> serde_json::Value {
        match self {
            Self::Unknown | Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Number(value) => whole(*value).map_or_else(|| (*value).into(), Into::into),
            Self::String(value) => value.as_str().into(),
            Self::List(values) => values.iter().map(Self::to_json_value).collect(),
            Self::Map(values) => {
                values.iter().map(|(name, value)| (name.clone(), value.to_json_value())).collect()
            }
            // As Terraform writes it into a state.
            Self::Dynamic(r#type, value) => {
                let r#type: serde_json::Value = serde_json::from_str(r#type).unwrap_or_default();
                serde_json::json!({ "type": r#type, "value": value.to_json_value() })
            }
        }
    }

    fn from_rmpv(value: rmpv::Value) -> Result<Self, ValueError> {
        Ok(match value {
            // Type 0 is a plain unknown, 12 a refined one (Terraform 1.6): both are unknown to us.
            rmpv::Value::Ext(..) => Self::Unknown,
            rmpv::Value::Nil => Self::Null,
            rmpv::Value::Boolean(value) => Self::Bool(value),
            rmpv::Value::Integer(value) => {
                Self::Number(value.as_f64().ok_or(ValueError::Kind("integer"))?)
            }
            rmpv::Value::F32(value) => Self::Number(value.into()),
            rmpv::Value::F64(value) => Self::Number(value),
            rmpv::Value::String(value) => {
                Self::String(value.into_str().ok_or(ValueError::Kind("string"))?)
            }
            rmpv::Value::Array(values) if matches!(values[..], [rmpv::Value::Binary(_), _]) => {
                let [rmpv::Value::Binary(r#type), value] =
                    <[_; 2]>::try_from(values).expect("these are two")
                else {
                    return Err(ValueError::Kind("binary"));
                };
                let r#type = String::from_utf8(r#type).map_err(|_| ValueError::Kind("type"))?;
                Self::Dynamic(r#type, Box::new(Self::from_rmpv(value)?))
            }
            rmpv::Value::Array(values) => {
                Self::List(values.into_iter().map(Self::from_rmpv).collect::<Result<_, _>>()?)
            }
            rmpv::Value::Map(entries) => {
                let mut object = Object::new();
                for (name, value) in entries {
                    let name = name.as_str().ok_or(ValueError::Kind("map key"))?.to_owned();
                    object.insert(name, Self::from_rmpv(value)?);
                }
                Self::Map(object)
            }
            rmpv::Value::Binary(_) => return Err(ValueError::Kind("binary")),
        })
    }

    fn to_rmpv(&self) -> rmpv::Value {
        match self {
            Self::Unknown => rmpv::Value::Ext(0, vec![0]),
            Self::Null => rmpv::Value::Nil,
            Self::Bool(value) => (*value).into(),
            Self::Number(value) => whole(*value).map_or_else(|| (*value).into(), rmpv::Value::from),
            Self::String(value) => value.as_str().into(),
            Self::List(values) => rmpv::Value::Array(values.iter().map(Self::to_rmpv).collect()),
            Self::Map(object) => rmpv::Value::Map(
                object
                    .iter()
                    .map(|(name, value)| (name.as_str().into(), value.to_rmpv()))
                    .collect(),
            ),
            Self::Dynamic(r#type, value) => rmpv::Value::Array(vec![
                rmpv::Value::Binary(r#type.clone().into_bytes()),
                value.to_rmpv(),
            ]),
        }
    }

    /// Returns the text of a known string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// Returns a known whole number.
    pub(crate) fn as_whole(&self) -> Option<i64> {
        if let Self::Number(value) = self { whole(*value) } else { None }
    }

    /// Returns the elements of a known list.
    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(values) = self { Some(values) } else { None }
    }

    /// Returns the entries of a known map.
    pub(crate) fn as_map(&self) -> Option<&Object> {
        if let Self::Map(object) = self { Some(object) } else { None }
    }

    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    pub(crate) fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

/// Returns an attribute, null where there is none.
pub(crate) fn attribute<'a>(object: &'a Object, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// Exact: `f64` holds every whole number up to 2^53.
fn whole(value: f64) -> Option<i64> {
    let limit = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked: whole and within 2^53")]
    (value.fract() == 0.0 && value.abs() <= limit).then_some(value as i64)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Unknown),
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|number| Value::Number(number.into())),
            (-1.0e9..1.0e9).prop_map(Value::Number),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::btree_map(any::<String>(), inner.clone(), 0..6)
                    .prop_map(Value::Map),
                (any::<String>(), inner)
                    .prop_map(|(r#type, value)| Value::Dynamic(r#type, Box::new(value))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in values()) {
            prop_assert_eq!(Value::from_msgpack(&value.to_msgpack()).unwrap(), value);
        }

        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = Value::from_msgpack(&bytes);
            let _ = object(Some(&DynamicValue { msgpack: Vec::new(), json: bytes }));
        }
    }

    #[test]
    fn refined_unknowns_are_unknown() {
        // ext 8, type 12, one byte: what Terraform 1.6 and later send for "unknown but not null".
        assert_eq!(Value::from_msgpack(&[0xc7, 0x01, 0x0c, 0x80]).unwrap(), Value::Unknown);
    }

    #[test]
    fn deep_values_are_refused() {
        let mut bytes = vec![0x91; 10_000];
        bytes.push(0xc0);
        assert!(Value::from_msgpack(&bytes).is_err());
    }
}
