//! What an environment's telemetry says of it, and whether one environment is slower than another.
//!
//! [`Metrics::read`] reads what an OpenTelemetry collector wrote, one OTLP request in JSON a line, and returns percentiles, error
//! rates, processor time and memory.
//!
//! [`compare()`] asks two servers in turns, judges which of them is slower, and how surely; [`load`] is the load for it.
//!
//! It prints nothing and starts nothing.
//!
//! ```
//! use menagerie_telemetry::Metrics;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let span = r#"{"traceId":"5b8e","spanId":"eee1","kind":2,"startTimeUnixNano":"1000000","endTimeUnixNano":"3000000"}"#;
//! let line = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
//! std::fs::write(directory.path().join("traces.ndjson"), line)?;
//! let metrics = Metrics::read(directory.path(), None)?;
//! assert_eq!(metrics.requests.latency.unwrap().p50.as_millis(), 2);
//! # Ok(())
//! # }
//! ```

mod comparison;
mod interval;
mod lines;
pub mod load;
mod measured;
mod otlp;
mod percentile;
mod requests;
mod usage;

pub use comparison::{
    Comparing, Comparison, Measured, Ratio, Servers, Side, Stop, Unclear, Verdict, compare,
};
pub use lines::ReadError;
pub use measured::Metrics;
pub use percentile::Latency;
pub use requests::{Requests, Route, Window};
pub use usage::{Cpu, Instance, Memory};
