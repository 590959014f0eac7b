//! Logs: what `/v1/logs` takes.

use super::{AnyValue, KeyValue, Resource, Scope, hexadecimal, is_default, text};
use prost::Message;
use serde::Serialize;

messages! {
    struct Logs {
        #[prost(message, repeated, tag = "1")]
        resource_logs: Vec<ResourceLogs>,
    }

    struct ResourceLogs {
        #[prost(message, optional, tag = "1")]
        #[serde(skip_serializing_if = "Option::is_none")]
        resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")]
        scope_logs: Vec<ScopeLogs>,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        schema_url: String,
    }

    struct ScopeLogs {
        #[prost(message, optional, tag = "1")]
        #[serde(skip_serializing_if = "Option::is_none")]
        scope: Option<Scope>,
        #[prost(message, repeated, tag = "2")]
        log_records: Vec<LogRecord>,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        schema_url: String,
    }

    struct LogRecord {
        #[prost(fixed64, tag = "1")]
        #[serde(serialize_with = "text")]
        time_unix_nano: u64,
        #[prost(fixed64, tag = "11")]
        #[serde(serialize_with = "text")]
        observed_time_unix_nano: u64,
        #[prost(int32, tag = "2")]
        #[serde(skip_serializing_if = "is_default")]
        severity_number: i32,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        severity_text: String,
        #[prost(message, optional, tag = "5")]
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<AnyValue>,
        #[prost(message, repeated, tag = "6")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(uint32, tag = "7")]
        #[serde(skip_serializing_if = "is_default")]
        dropped_attributes_count: u32,
        #[prost(fixed32, tag = "8")]
        #[serde(skip_serializing_if = "is_default")]
        flags: u32,
        #[prost(bytes = "vec", tag = "9")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "hexadecimal")]
        trace_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "10")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "hexadecimal")]
        span_id: Vec<u8>,
        #[prost(string, tag = "12")]
        #[serde(skip_serializing_if = "is_default")]
        event_name: String,
    }
}
