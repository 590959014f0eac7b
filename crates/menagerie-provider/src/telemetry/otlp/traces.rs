//! Traces: what `/v1/traces` takes.

use super::{KeyValue, Resource, Scope, hexadecimal, is_default, text};
use prost::Message;
use serde::Serialize;

messages! {
    struct Traces {
        #[prost(message, repeated, tag = "1")]
        resource_spans: Vec<ResourceSpans>,
    }

    struct ResourceSpans {
        #[prost(message, optional, tag = "1")]
        #[serde(skip_serializing_if = "Option::is_none")]
        resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")]
        scope_spans: Vec<ScopeSpans>,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        schema_url: String,
    }

    struct ScopeSpans {
        #[prost(message, optional, tag = "1")]
        #[serde(skip_serializing_if = "Option::is_none")]
        scope: Option<Scope>,
        #[prost(message, repeated, tag = "2")]
        spans: Vec<Span>,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        schema_url: String,
    }

    #[expect(clippy::struct_field_names, reason = "the names are OpenTelemetry's")]
    struct Span {
        #[prost(bytes = "vec", tag = "1")]
        #[serde(serialize_with = "hexadecimal")]
        trace_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        #[serde(serialize_with = "hexadecimal")]
        span_id: Vec<u8>,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        trace_state: String,
        #[prost(bytes = "vec", tag = "4")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "hexadecimal")]
        parent_span_id: Vec<u8>,
        #[prost(string, tag = "5")]
        name: String,
        #[prost(int32, tag = "6")]
        kind: i32,
        #[prost(fixed64, tag = "7")]
        #[serde(serialize_with = "text")]
        start_time_unix_nano: u64,
        #[prost(fixed64, tag = "8")]
        #[serde(serialize_with = "text")]
        end_time_unix_nano: u64,
        #[prost(message, repeated, tag = "9")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(uint32, tag = "10")]
        #[serde(skip_serializing_if = "is_default")]
        dropped_attributes_count: u32,
        #[prost(message, repeated, tag = "11")]
        #[serde(skip_serializing_if = "is_default")]
        events: Vec<SpanEvent>,
        #[prost(uint32, tag = "12")]
        #[serde(skip_serializing_if = "is_default")]
        dropped_events_count: u32,
        #[prost(message, repeated, tag = "13")]
        #[serde(skip_serializing_if = "is_default")]
        links: Vec<SpanLink>,
        #[prost(uint32, tag = "14")]
        #[serde(skip_serializing_if = "is_default")]
        dropped_links_count: u32,
        #[prost(message, optional, tag = "15")]
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<SpanStatus>,
        #[prost(fixed32, tag = "16")]
        #[serde(skip_serializing_if = "is_default")]
        flags: u32,
    }

    struct SpanEvent {
        #[prost(fixed64, tag = "1")]
        #[serde(serialize_with = "text")]
        time_unix_nano: u64,
        #[prost(string, tag = "2")]
        name: String,
        #[prost(message, repeated, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(uint32, tag = "4")]
        #[serde(skip_serializing_if = "is_default")]
        dropped_attributes_count: u32,
    }

    struct SpanLink {
        #[prost(bytes = "vec", tag = "1")]
        #[serde(serialize_with = "hexadecimal")]
        trace_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        #[serde(serialize_with = "hexadecimal")]
        span_id: Vec<u8>,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        trace_state: String,
        #[prost(message, repeated, tag = "4")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(uint32, tag = "5")]
        #[serde(skip_serializing_if = "is_default")]
        dropped_attributes_count: u32,
        #[prost(fixed32, tag = "6")]
        #[serde(skip_serializing_if = "is_default")]
        flags: u32,
    }

    struct SpanStatus {
        #[prost(string, tag = "2")]
        #[serde(skip_serializing_if = "is_default")]
        message: String,
        #[prost(int32, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        code: i32,
    }
}
