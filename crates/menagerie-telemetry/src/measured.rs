//! All that an environment's telemetry says, in one reading.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::lines::{self, ReadError};
use crate::requests::{self, Requests, Route, Window};
use crate::usage::{self, Cpu, Instance, Memory};

/// What an environment's telemetry says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// From the first request to the last one; `None` without requests.
    pub window: Option<Window>,
    /// All requests.
    pub requests: Requests,
    /// The requests of each route, the most frequent first.
    pub routes: Vec<Route>,
    /// The processor time of all sampled processes together.
    pub cpu: Option<Cpu>,
    /// The memory of all sampled processes together.
    pub memory: Option<Memory>,
    /// Each process, by service and instance.
    pub instances: Vec<Instance>,
    /// How many lines could not be understood.
    pub damaged_lines: u64,
    /// How many older requests there was no room for: of more than five million.
    pub requests_left_out: u64,
}

impl Metrics {
    /// Reads `traces.ndjson` and `metrics.ndjson`, with their rotated files, in a directory; what is missing says nothing.
    ///
    /// Only what ended at `since` or later counts, if it is given.
    pub fn read(directory: &Path, since: Option<SystemTime>) -> Result<Self, ReadError> {
        let since = since.map_or(0, nanoseconds);
        let mut damaged_lines = 0;
        let mut requests = requests::Collector::new(since);
        // The newest first: it is the oldest for which there may be no room.
        for lines in lines::open(&directory.join("traces.ndjson"))? {
            damaged_lines += lines.each(|line| requests.take(line))?;
        }
        let mut usage = usage::Collector::new(since);
        // The oldest first: a counter only says something beside the one before it.
        for lines in lines::open(&directory.join("metrics.ndjson"))?.into_iter().rev() {
            damaged_lines += lines.each(|line| usage.take(line))?;
        }
        let (cpu, memory, instances) = usage.finish(&requests.instances);
        let requests_left_out = requests.left_out;
        let (window, requests, routes) = requests.finish();
        Ok(Self {
            window,
            requests,
            routes,
            cpu,
            memory,
            instances,
            damaged_lines,
            requests_left_out,
        })
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}
