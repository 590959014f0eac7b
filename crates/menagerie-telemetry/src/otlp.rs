//! The parts of OTLP's JSON encoding that are read; all else is passed over.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>: names in camelCase, identifiers in hexadecimal, and
//! 64-bit integers as strings or as numbers.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// One line of `traces.ndjson`: an `ExportTraceServiceRequest`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Traces<'a> {
    #[serde(borrow, default)]
    pub(crate) resource_spans: Vec<ResourceSpans<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceSpans<'a> {
    #[serde(borrow, default)]
    pub(crate) resource: Resource<'a>,
    #[serde(borrow, default)]
    pub(crate) scope_spans: Vec<ScopeSpans<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct ScopeSpans<'a> {
    #[serde(borrow, default)]
    pub(crate) spans: Vec<Span<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "OTLP's names")]
pub(crate) struct Span<'a> {
    #[serde(borrow, default)]
    pub(crate) trace_id: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) span_id: Text<'a>,
    #[serde(default)]
    pub(crate) kind: Integer,
    #[serde(default)]
    pub(crate) start_time_unix_nano: Integer,
    #[serde(default)]
    pub(crate) end_time_unix_nano: Integer,
    #[serde(borrow, default)]
    pub(crate) attributes: Vec<KeyValue<'a>>,
    #[serde(default)]
    pub(crate) status: Status,
}

/// The kind of a span that answers a request.
pub(crate) const SERVER: u64 = 2;

/// The code of a status that is an error.
pub(crate) const ERROR: u64 = 2;

#[derive(Default, Deserialize)]
pub(crate) struct Status {
    #[serde(default)]
    pub(crate) code: Integer,
}

/// One line of `metrics.ndjson`: an `ExportMetricsServiceRequest`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metrics<'a> {
    #[serde(borrow, default)]
    pub(crate) resource_metrics: Vec<ResourceMetrics<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceMetrics<'a> {
    #[serde(borrow, default)]
    pub(crate) resource: Resource<'a>,
    #[serde(borrow, default)]
    pub(crate) scope_metrics: Vec<ScopeMetrics<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct ScopeMetrics<'a> {
    #[serde(borrow, default)]
    pub(crate) metrics: Vec<Metric<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Metric<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) sum: Option<Points<'a>>,
    #[serde(borrow, default)]
    pub(crate) gauge: Option<Points<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Points<'a> {
    #[serde(borrow, default)]
    pub(crate) data_points: Vec<Point<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Point<'a> {
    #[serde(default)]
    pub(crate) start_time_unix_nano: Integer,
    #[serde(default)]
    pub(crate) time_unix_nano: Integer,
    #[serde(default)]
    as_double: Option<f64>,
    #[serde(default)]
    as_int: Option<Integer>,
    #[serde(borrow, default)]
    pub(crate) attributes: Vec<KeyValue<'a>>,
}

impl Point<'_> {
    /// Returns the value, whichever way it is written.
    pub(crate) fn value(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "bytes and seconds are far below 2^53")]
        self.as_double.or_else(|| self.as_int.map(|integer| integer.0 as f64))
    }
}

#[derive(Default, Deserialize)]
pub(crate) struct Resource<'a> {
    #[serde(borrow, default)]
    pub(crate) attributes: Vec<KeyValue<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct KeyValue<'a> {
    #[serde(borrow, default)]
    pub(crate) key: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) value: AnyValue<'a>,
}

/// A value; one of another type than these is empty.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnyValue<'a> {
    #[serde(borrow, default)]
    pub(crate) string_value: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) int_value: Option<Integer>,
}

/// Returns the text of an attribute.
pub(crate) fn text<'a>(attributes: &'a [KeyValue<'_>], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key.as_str() == key)?;
    found.value.string_value.as_ref().map(Text::as_str)
}

/// Text that is copied only where it holds escapes.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// An integer of up to 64 bits; a negative one is 0, since nothing that is read here has a sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Integer(pub(crate) u64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = Integer;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an integer, as a number or as a string")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Integer, E> {
                Ok(Integer(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Integer, E> {
                Ok(Integer(u64::try_from(number).unwrap_or_default()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Integer, E> {
                let unsigned = text.parse::<u64>();
                let signed = || text.parse::<i64>().ok().map(|_| 0);
                let number = unsigned.ok().or_else(signed);
                number.map(Integer).ok_or_else(|| E::custom("a string that is no integer"))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: u64) {
        assert_eq!(serde_json::from_str::<Integer>(json).unwrap(), Integer(expected));
    }

    #[test]
    fn integers_come_in_two_forms() {
        check("7", 7);
        check("\"1785000000000000000\"", 1_785_000_000_000_000_000);
        check("18446744073709551615", u64::MAX);
        check("-1", 0);
        check("\"-1\"", 0);
        assert!(serde_json::from_str::<Integer>("\"many\"").is_err());
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let line = r#"{"resourceSpans":[{"schemaUrl":"x","scopeSpans":[{"scope":{"name":"a"},
            "spans":[{"traceId":"ab","flags":1,"events":[{}],"attributes":[{"key":"a\u0062","value":{"arrayValue":{"values":[]}}},
            {"key":"b","value":{"stringValue":"c"}}]}]}]}],"more":[null]}"#;
        let traces: Traces<'_> = serde_json::from_str(line).unwrap();
        let span = &traces.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!(span.trace_id.as_str(), "ab");
        assert_eq!((text(&span.attributes, "ab"), text(&span.attributes, "b")), (None, Some("c")));
    }
}
