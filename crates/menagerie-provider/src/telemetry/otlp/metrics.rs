//! Metrics: what `/v1/metrics` takes.

use super::{
    KeyValue, Resource, Scope, double, doubles, hexadecimal, is_default, maybe_double, text, texts,
};
use prost::Message;
use serde::Serialize;

messages! {
    struct Metrics {
        #[prost(message, repeated, tag = "1")]
        resource_metrics: Vec<ResourceMetrics>,
    }

    struct ResourceMetrics {
        #[prost(message, optional, tag = "1")]
        #[serde(skip_serializing_if = "Option::is_none")]
        resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")]
        scope_metrics: Vec<ScopeMetrics>,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        schema_url: String,
    }

    struct ScopeMetrics {
        #[prost(message, optional, tag = "1")]
        #[serde(skip_serializing_if = "Option::is_none")]
        scope: Option<Scope>,
        #[prost(message, repeated, tag = "2")]
        metrics: Vec<Metric>,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        schema_url: String,
    }

    struct Metric {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(string, tag = "2")]
        #[serde(skip_serializing_if = "is_default")]
        description: String,
        #[prost(string, tag = "3")]
        #[serde(skip_serializing_if = "is_default")]
        unit: String,
        #[prost(oneof = "metric::Data", tags = "5, 7, 9, 10, 11")]
        #[serde(flatten)]
        data: Option<metric::Data>,
        #[prost(message, repeated, tag = "12")]
        #[serde(skip_serializing_if = "is_default")]
        metadata: Vec<KeyValue>,
    }

    struct Gauge {
        #[prost(message, repeated, tag = "1")]
        data_points: Vec<NumberDataPoint>,
    }

    struct Sum {
        #[prost(message, repeated, tag = "1")]
        data_points: Vec<NumberDataPoint>,
        #[prost(int32, tag = "2")]
        aggregation_temporality: i32,
        #[prost(bool, tag = "3")]
        is_monotonic: bool,
    }

    struct Histogram {
        #[prost(message, repeated, tag = "1")]
        data_points: Vec<HistogramDataPoint>,
        #[prost(int32, tag = "2")]
        aggregation_temporality: i32,
    }

    struct ExponentialHistogram {
        #[prost(message, repeated, tag = "1")]
        data_points: Vec<ExponentialHistogramDataPoint>,
        #[prost(int32, tag = "2")]
        aggregation_temporality: i32,
    }

    struct Summary {
        #[prost(message, repeated, tag = "1")]
        data_points: Vec<SummaryDataPoint>,
    }

    struct NumberDataPoint {
        #[prost(message, repeated, tag = "7")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(fixed64, tag = "2")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
        start_time_unix_nano: u64,
        #[prost(fixed64, tag = "3")]
        #[serde(serialize_with = "text")]
        time_unix_nano: u64,
        #[prost(oneof = "number_data_point::Value", tags = "4, 6")]
        #[serde(flatten)]
        value: Option<number_data_point::Value>,
        #[prost(message, repeated, tag = "5")]
        #[serde(skip_serializing_if = "is_default")]
        exemplars: Vec<Exemplar>,
        #[prost(uint32, tag = "8")]
        #[serde(skip_serializing_if = "is_default")]
        flags: u32,
    }

    struct HistogramDataPoint {
        #[prost(message, repeated, tag = "9")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(fixed64, tag = "2")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
        start_time_unix_nano: u64,
        #[prost(fixed64, tag = "3")]
        #[serde(serialize_with = "text")]
        time_unix_nano: u64,
        #[prost(fixed64, tag = "4")]
        #[serde(serialize_with = "text")]
        count: u64,
        #[prost(double, optional, tag = "5")]
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_double")]
        sum: Option<f64>,
        #[prost(fixed64, repeated, tag = "6")]
        #[serde(serialize_with = "texts")]
        bucket_counts: Vec<u64>,
        #[prost(double, repeated, tag = "7")]
        #[serde(serialize_with = "doubles")]
        explicit_bounds: Vec<f64>,
        #[prost(message, repeated, tag = "8")]
        #[serde(skip_serializing_if = "is_default")]
        exemplars: Vec<Exemplar>,
        #[prost(uint32, tag = "10")]
        #[serde(skip_serializing_if = "is_default")]
        flags: u32,
        #[prost(double, optional, tag = "11")]
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_double")]
        min: Option<f64>,
        #[prost(double, optional, tag = "12")]
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_double")]
        max: Option<f64>,
    }

    struct ExponentialHistogramDataPoint {
        #[prost(message, repeated, tag = "1")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(fixed64, tag = "2")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
        start_time_unix_nano: u64,
        #[prost(fixed64, tag = "3")]
        #[serde(serialize_with = "text")]
        time_unix_nano: u64,
        #[prost(fixed64, tag = "4")]
        #[serde(serialize_with = "text")]
        count: u64,
        #[prost(double, optional, tag = "5")]
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_double")]
        sum: Option<f64>,
        #[prost(sint32, tag = "6")]
        scale: i32,
        #[prost(fixed64, tag = "7")]
        #[serde(serialize_with = "text")]
        zero_count: u64,
        #[prost(message, optional, tag = "8")]
        #[serde(skip_serializing_if = "Option::is_none")]
        positive: Option<Buckets>,
        #[prost(message, optional, tag = "9")]
        #[serde(skip_serializing_if = "Option::is_none")]
        negative: Option<Buckets>,
        #[prost(uint32, tag = "10")]
        #[serde(skip_serializing_if = "is_default")]
        flags: u32,
        #[prost(message, repeated, tag = "11")]
        #[serde(skip_serializing_if = "is_default")]
        exemplars: Vec<Exemplar>,
        #[prost(double, optional, tag = "12")]
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_double")]
        min: Option<f64>,
        #[prost(double, optional, tag = "13")]
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_double")]
        max: Option<f64>,
        #[prost(double, tag = "14")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "double")]
        zero_threshold: f64,
    }

    struct Buckets {
        #[prost(sint32, tag = "1")]
        offset: i32,
        #[prost(uint64, repeated, tag = "2")]
        #[serde(serialize_with = "texts")]
        bucket_counts: Vec<u64>,
    }

    struct SummaryDataPoint {
        #[prost(message, repeated, tag = "7")]
        #[serde(skip_serializing_if = "is_default")]
        attributes: Vec<KeyValue>,
        #[prost(fixed64, tag = "2")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
        start_time_unix_nano: u64,
        #[prost(fixed64, tag = "3")]
        #[serde(serialize_with = "text")]
        time_unix_nano: u64,
        #[prost(fixed64, tag = "4")]
        #[serde(serialize_with = "text")]
        count: u64,
        #[prost(double, tag = "5")]
        #[serde(serialize_with = "double")]
        sum: f64,
        #[prost(message, repeated, tag = "6")]
        quantile_values: Vec<ValueAtQuantile>,
        #[prost(uint32, tag = "8")]
        #[serde(skip_serializing_if = "is_default")]
        flags: u32,
    }

    struct ValueAtQuantile {
        #[prost(double, tag = "1")]
        #[serde(serialize_with = "double")]
        quantile: f64,
        #[prost(double, tag = "2")]
        #[serde(serialize_with = "double")]
        value: f64,
    }

    struct Exemplar {
        #[prost(message, repeated, tag = "7")]
        #[serde(skip_serializing_if = "is_default")]
        filtered_attributes: Vec<KeyValue>,
        #[prost(fixed64, tag = "2")]
        #[serde(serialize_with = "text")]
        time_unix_nano: u64,
        #[prost(oneof = "exemplar::Value", tags = "3, 6")]
        #[serde(flatten)]
        value: Option<exemplar::Value>,
        #[prost(bytes = "vec", tag = "4")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "hexadecimal")]
        span_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "5")]
        #[serde(skip_serializing_if = "is_default", serialize_with = "hexadecimal")]
        trace_id: Vec<u8>,
    }
}

pub(crate) mod metric {
    use super::{ExponentialHistogram, Gauge, Histogram, Sum, Summary};
    use prost::Oneof;
    use serde::Serialize;

    #[derive(Clone, PartialEq, Oneof, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) enum Data {
        #[prost(message, tag = "5")]
        Gauge(Gauge),
        #[prost(message, tag = "7")]
        Sum(Sum),
        #[prost(message, tag = "9")]
        Histogram(Histogram),
        #[prost(message, tag = "10")]
        ExponentialHistogram(ExponentialHistogram),
        #[prost(message, tag = "11")]
        Summary(Summary),
    }
}

pub(crate) mod number_data_point {
    use prost::Oneof;
    use serde::Serialize;

    #[derive(Clone, PartialEq, Oneof, Serialize)]
    pub(crate) enum Value {
        #[prost(double, tag = "4")]
        #[serde(rename = "asDouble", serialize_with = "super::super::double")]
        Double(f64),
        #[prost(sfixed64, tag = "6")]
        #[serde(rename = "asInt", serialize_with = "super::super::text")]
        Int(i64),
    }
}

pub(crate) mod exemplar {
    use prost::Oneof;
    use serde::Serialize;

    #[derive(Clone, PartialEq, Oneof, Serialize)]
    pub(crate) enum Value {
        #[prost(double, tag = "3")]
        #[serde(rename = "asDouble", serialize_with = "super::super::double")]
        Double(f64),
        #[prost(sfixed64, tag = "6")]
        #[serde(rename = "asInt", serialize_with = "super::super::text")]
        Int(i64),
    }
}
