//! OpenTelemetry data of an environment: received over OTLP/HTTP, kept as lines of JSON.
//!
//! One file a signal, `traces.ndjson`, `metrics.ndjson` and `logs.ndjson`, one export request a line in OTLP's JSON
//! encoding: what OpenTelemetry's own file exporter writes.

pub(crate) mod otlp;
pub(crate) mod receive;
pub(crate) mod store;
pub(crate) mod usage;

use prost::Message as _;
use serde_json::Value;

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// An export request, checked and in the form in which it is kept.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Export {
    /// One line of JSON, with its newline.
    pub(crate) line: Vec<u8>,
    /// How many spans, data points or log records are in it.
    pub(crate) items: u64,
}

/// A body that is no export request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error("the body is not JSON: {0}")]
    Json(#[source] serde_json::Error),
    #[error("the body is not protobuf: {0}")]
    Protobuf(#[source] prost::DecodeError),
    #[error("`{0}` is missing, or of another type than expected")]
    Shape(&'static str),
}

impl Signal {
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    /// Returns the signal that a path of OTLP/HTTP is for.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/v1/")?;
        Self::ALL.into_iter().find(|signal| signal.as_str() == name)
    }

    /// The names of the three nested lists, the innermost of which holds the items.
    fn keys(self) -> [&'static str; 3] {
        match self {
            Self::Traces => ["resourceSpans", "scopeSpans", "spans"],
            Self::Metrics => ["resourceMetrics", "scopeMetrics", "metrics"],
            Self::Logs => ["resourceLogs", "scopeLogs", "logRecords"],
        }
    }

    /// Returns how the number of rejected items is called in an answer.
    pub(crate) fn rejected(self) -> &'static str {
        match self {
            Self::Traces => "rejectedSpans",
            Self::Metrics => "rejectedDataPoints",
            Self::Logs => "rejectedLogRecords",
        }
    }

    fn count(self, request: &Value) -> Result<u64, ExportError> {
        let leaf = if self == Self::Metrics { data_points } else { |_: &Value| 1 };
        count(request, &self.keys(), leaf)
    }

    /// Reads a request in OTLP's JSON encoding; fields that are not known here are kept.
    pub(crate) fn read_json(self, body: &[u8]) -> Result<Export, ExportError> {
        let value: Value = serde_json::from_slice(body).map_err(ExportError::Json)?;
        let items = self.count(&value)?;
        Ok(Export { line: line(&value), items })
    }

    /// Reads a request in protobuf.
    pub(crate) fn read_protobuf(self, body: &[u8]) -> Result<Export, ExportError> {
        let value = match self {
            Self::Traces => otlp::Traces::decode(body).map(|message| json(&message)),
            Self::Metrics => otlp::Metrics::decode(body).map(|message| json(&message)),
            Self::Logs => otlp::Logs::decode(body).map(|message| json(&message)),
        };
        let value = value.map_err(ExportError::Protobuf)?;
        let items = self.count(&value)?;
        Ok(Export { line: line(&value), items })
    }
}

fn json(message: &impl serde::Serialize) -> Value {
    serde_json::to_value(message).expect("messages are plain data")
}

fn line(value: &Value) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("JSON is written as it was read");
    line.push(b'\n');
    line
}

/// Counts what is below nested lists; a list that is absent is empty.
fn count(
    value: &Value,
    keys: &[&'static str],
    leaf: fn(&Value) -> u64,
) -> Result<u64, ExportError> {
    let [key, rest @ ..] = keys else { return Ok(leaf(value)) };
    let object = value.as_object().ok_or(ExportError::Shape(key))?;
    match object.get(*key) {
        None => Ok(0),
        Some(Value::Array(list)) => list.iter().map(|element| count(element, rest, leaf)).sum(),
        Some(_) => Err(ExportError::Shape(key)),
    }
}

/// Counts the points of a metric, whichever kind of metric it is.
fn data_points(metric: &Value) -> u64 {
    let kinds = metric.as_object().into_iter().flatten();
    kinds
        .filter_map(|(_, kind)| kind.get("dataPoints")?.as_array())
        .map(|list| list.len() as u64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use otlp::{
        AnyValue, ArrayValue, HistogramDataPoint, KeyValue, KeyValueList, LogRecord, Logs, Metric,
        Metrics, Resource, ResourceLogs, ResourceMetrics, ResourceSpans, ScopeLogs, ScopeMetrics,
        ScopeSpans, Span, SpanStatus, Traces, any_value, metric,
    };
    use proptest::prelude::*;

    #[track_caller]
    fn check(signal: Signal, message: &impl prost::Message, items: u64, expected: &str) {
        let export = signal.read_protobuf(&message.encode_to_vec()).unwrap();
        assert_eq!(export.items, items);
        let text = String::from_utf8(export.line.clone()).unwrap();
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        // What is kept is itself a request in JSON.
        assert_eq!(signal.read_json(&export.line).unwrap(), export);
    }

    #[test]
    fn a_trace_in_protobuf_becomes_json() {
        let span = Span {
            trace_id: vec![0xab; 16],
            span_id: vec![1; 8],
            name: "GET /".to_owned(),
            kind: 2,
            start_time_unix_nano: 1_700_000_000_000_000_001,
            end_time_unix_nano: 1_700_000_000_000_000_002,
            attributes: vec![
                KeyValue::text("url.path", "/"),
                value("big", any_value::Value::Int(i64::MAX)),
                value("raw", any_value::Value::Bytes(b"any carnal pleas".to_vec())),
                value("none", any_value::Value::Double(f64::NAN)),
                value(
                    "list",
                    any_value::Value::Array(ArrayValue {
                        values: vec![AnyValue { value: Some(any_value::Value::Bool(true)) }],
                    }),
                ),
                value(
                    "map",
                    any_value::Value::KeyValueList(KeyValueList {
                        values: vec![KeyValue::text("a", "b")],
                    }),
                ),
            ],
            status: Some(SpanStatus { message: String::new(), code: 2 }),
            ..Span::default()
        };
        let resource = Resource {
            attributes: vec![KeyValue::text("service.name", "web")],
            ..Resource::default()
        };
        let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
        let message = Traces {
            resource_spans: vec![ResourceSpans {
                resource: Some(resource),
                scope_spans,
                ..ResourceSpans::default()
            }],
        };
        check(
            Signal::Traces,
            &message,
            1,
            r#"{"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]},
            "scopeSpans": [{"spans": [{
                "traceId": "abababababababababababababababab", "spanId": "0101010101010101", "name": "GET /", "kind": 2,
                "startTimeUnixNano": "1700000000000000001", "endTimeUnixNano": "1700000000000000002",
                "attributes": [
                    {"key": "url.path", "value": {"stringValue": "/"}},
                    {"key": "big", "value": {"intValue": "9223372036854775807"}},
                    {"key": "raw", "value": {"bytesValue": "YW55IGNhcm5hbCBwbGVhcw=="}},
                    {"key": "none", "value": {"doubleValue": "NaN"}},
                    {"key": "list", "value": {"arrayValue": {"values": [{"boolValue": true}]}}},
                    {"key": "map", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "b"}}]}}}],
                "status": {"code": 2}}]}]}]}"#,
        );
    }

    fn value(key: &str, value: any_value::Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
    }

    #[test]
    fn metrics_and_logs_in_protobuf_become_json() {
        let point = HistogramDataPoint {
            time_unix_nano: 5,
            count: 3,
            sum: Some(0.5),
            bucket_counts: vec![1, 2],
            explicit_bounds: vec![0.25],
            max: Some(f64::INFINITY),
            ..HistogramDataPoint::default()
        };
        let data = metric::Data::Histogram(otlp::Histogram {
            data_points: vec![point],
            aggregation_temporality: 2,
        });
        let metric = Metric {
            name: "http.server.request.duration".to_owned(),
            unit: "s".to_owned(),
            data: Some(data),
            ..Metric::default()
        };
        let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
        let message = Metrics {
            resource_metrics: vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }],
        };
        check(
            Signal::Metrics,
            &message,
            1,
            r#"{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{
            "name": "http.server.request.duration", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [
                {"timeUnixNano": "5", "count": "3", "sum": 0.5, "bucketCounts": ["1", "2"], "explicitBounds": [0.25], "max": "Infinity"}]}}]}]}]}"#,
        );

        let body = AnyValue { value: Some(any_value::Value::String("hello".to_owned())) };
        let record = LogRecord {
            time_unix_nano: 7,
            severity_number: 9,
            body: Some(body),
            ..LogRecord::default()
        };
        let scope_logs =
            vec![ScopeLogs { log_records: vec![record.clone(), record], ..ScopeLogs::default() }];
        let message =
            Logs { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] };
        let record = r#"{"timeUnixNano": "7", "observedTimeUnixNano": "0", "severityNumber": 9, "body": {"stringValue": "hello"}}"#;
        check(
            Signal::Logs,
            &message,
            2,
            &format!(
                r#"{{"resourceLogs": [{{"scopeLogs": [{{"logRecords": [{record}, {record}]}}]}}]}}"#
            ),
        );
    }

    #[track_caller]
    fn refuses(body: &str, expected: &str) {
        assert_eq!(Signal::Traces.read_json(body.as_bytes()).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        refuses("", "the body is not JSON: EOF while parsing a value at line 1 column 0");
        refuses("[]", "`resourceSpans` is missing, or of another type than expected");
        refuses(
            r#"{"resourceSpans": {}}"#,
            "`resourceSpans` is missing, or of another type than expected",
        );
        refuses(
            r#"{"resourceSpans": [7]}"#,
            "`scopeSpans` is missing, or of another type than expected",
        );
        refuses(
            r#"{"resourceSpans": [{"scopeSpans": [{"spans": 1}]}]}"#,
            "`spans` is missing, or of another type than expected",
        );
        assert_eq!(Signal::Traces.read_json(b"{}").unwrap().items, 0);
        assert!(Signal::Traces.read_protobuf(b"\xff\xff").is_err());
        assert_eq!(Signal::of_path("/v1/logs"), Some(Signal::Logs));
        assert_eq!(Signal::of_path("/v1/"), None);
    }

    proptest! {
        #[test]
        fn no_body_is_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for signal in Signal::ALL {
                let _ = signal.read_json(&body);
                let _ = signal.read_protobuf(&body);
            }
        }

        #[test]
        fn a_line_is_one_line(name in ".{0,20}") {
            let body = serde_json::json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": name}]}]}]});
            let line = Signal::Traces.read_json(&serde_json::to_vec_pretty(&body).unwrap()).unwrap().line;
            prop_assert_eq!(line.split(|byte| *byte == b'\n').count(), 2);
        }
    }
}
