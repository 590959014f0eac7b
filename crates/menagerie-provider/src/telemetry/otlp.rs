//! OpenTelemetry's messages as far as they are exported: protobuf in, OTLP's JSON out.
//!
//! Field numbers are those of opentelemetry-proto 1.x, names in JSON those of its JSON encoding: identifiers in
//! hexadecimal, 64-bit whole numbers as text, enumerations as numbers. Written here, since the crate
//! `opentelemetry-proto` brings OpenTelemetry's whole SDK, 20 crates, for these structs.

use prost::{Message, Oneof};
use serde::{Serialize, Serializer, ser::SerializeSeq as _};
use std::fmt::Write as _;

// Above the modules, which use it.
macro_rules! messages {
    ($($(#[$outer:meta])* struct $name:ident { $($(#[$field:meta])* $label:ident: $type:ty,)* })*) => {$(
        $(#[$outer])*
        #[derive(Clone, PartialEq, Message, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            $($(#[$field])* pub(crate) $label: $type,)*
        }
    )*};
}

mod logs;
mod metrics;
mod traces;

pub(crate) use logs::*;
pub(crate) use metrics::*;
pub(crate) use traces::*;

/// A message in which everything is as it is when it is not sent.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

messages! {
    struct KeyValue {
        #[prost(string, tag = "1")]
        key: String,
        #[prost(message, optional, tag = "2")]
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<AnyValue>,
    }

    struct AnyValue {
        #[prost(oneof = "any_value::Value", tags = "1, 2, 3, 4, 5, 6, 7")]
        #[serde(flatten)]
        value: Option<any_value::Value>,
    }

    struct ArrayValue {
        #[prost(message, repeated, tag = "1")]
        values: Vec<AnyValue>,
    }

    struct KeyValueList {
        #[prost(message, repeated, tag = "1")]
        values: Vec<KeyValue>,
    }

    struct Resource {
        #[prost(message, repeated, tag = "1")]
        attributes: Vec<KeyValue>,
        #[prost(uint32, tag = "2")]
        #[serde(skip_serializing_if = "is_default")]
        dropped_attributes_count: u32,
    }

    struct Scope {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(string, tag = "2")]
        #[serde(skip_serializing_if = "is_default")]
        version: String,
        #[prost(message, repeated, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(uint32, tag = "4")]
        #[serde(skip_serializing_if = "is_default")]
        dropped_attributes_count: u32,
    }

    /// The answer to an export: what of it was not taken, in all three signals alike.
    struct ExportResponse {
        #[prost(message, optional, tag = "1")]
        #[serde(skip)]
        partial_success: Option<PartialSuccess>,
    }

    struct PartialSuccess {
        #[prost(int64, tag = "1")]
        rejected: i64,
        #[prost(string, tag = "2")]
        error_message: String,
    }

    /// Why a request was refused: `google.rpc.Status`.
    struct Status {
        #[prost(int32, tag = "1")]
        #[serde(skip_serializing_if = "is_default")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
    }
}

pub(crate) mod any_value {
    use super::{ArrayValue, KeyValueList, Oneof, Serialize};

    #[derive(Clone, PartialEq, Oneof, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) enum Value {
        #[prost(string, tag = "1")]
        #[serde(rename = "stringValue")]
        String(String),
        #[prost(bool, tag = "2")]
        #[serde(rename = "boolValue")]
        Bool(bool),
        #[prost(int64, tag = "3")]
        #[serde(rename = "intValue", serialize_with = "super::text")]
        Int(i64),
        #[prost(double, tag = "4")]
        #[serde(rename = "doubleValue", serialize_with = "super::double")]
        Double(f64),
        #[prost(message, tag = "5")]
        #[serde(rename = "arrayValue")]
        Array(ArrayValue),
        #[prost(message, tag = "6")]
        #[serde(rename = "kvlistValue")]
        KeyValueList(KeyValueList),
        #[prost(bytes = "vec", tag = "7")]
        #[serde(rename = "bytesValue", serialize_with = "super::base64")]
        Bytes(Vec<u8>),
    }
}

impl KeyValue {
    /// Returns an attribute whose value is a text.
    pub(crate) fn text(key: &str, value: &str) -> Self {
        let value = AnyValue { value: Some(any_value::Value::String(value.to_owned())) };
        Self { key: key.to_owned(), value: Some(value) }
    }
}

fn hexadecimal<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let text = bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    });
    serializer.serialize_str(&text)
}

fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) as usize & 63;
            text.push(if place <= chunk.len() { char::from(DIGITS[digit]) } else { '=' });
        }
    }
    serializer.serialize_str(&text)
}

/// JSON's numbers are doubles to many readers, which a time in nanoseconds does not fit into.
fn text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn texts<S: Serializer>(values: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

/// JSON has no number that is none, or infinite: protobuf's encoding writes their names.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference to the field")]
fn double<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match *value {
        value if value.is_nan() => serializer.serialize_str("NaN"),
        f64::INFINITY => serializer.serialize_str("Infinity"),
        f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
        value => serializer.serialize_f64(value),
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Double(#[serde(serialize_with = "double")] f64);

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn maybe_double<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(Double).serialize(serializer)
}

fn doubles<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(values.len()))?;
    for value in values {
        sequence.serialize_element(&Double(*value))?;
    }
    sequence.end()
}
