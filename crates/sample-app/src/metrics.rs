//! Counters and durations, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What is counted.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    requests: BTreeMap<(String, String, u16), u64>,
    durations: BTreeMap<(String, String), Durations>,
    in_flight: u32,
    entries: u64,
}

#[derive(Default)]
struct Durations {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

/// A request that is being answered. It counts as in flight until it is dropped: one that its client abandons just goes away.
pub(crate) struct InFlight<'a>(&'a Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.counts().in_flight -= 1;
    }
}

impl Metrics {
    pub(crate) fn request_started(&self) -> InFlight<'_> {
        self.counts().in_flight += 1;
        InFlight(self)
    }

    pub(crate) fn request_answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let mut counts = self.counts();
        *counts.requests.entry((method.to_owned(), route.to_owned(), status)).or_default() += 1;
        let durations = counts.durations.entry((method.to_owned(), route.to_owned())).or_default();
        let seconds = took.as_secs_f64();
        durations.count += 1;
        durations.seconds += seconds;
        for (bucket, bound) in durations.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.counts().in_flight
    }

    pub(crate) fn entry_written(&self) {
        self.counts().entries += 1;
    }

    /// Writes everything, each sample with the environment's name.
    pub(crate) fn text(&self, environment: &str) -> String {
        let environment = escape(environment);
        let counts = self.counts();
        let mut text = String::new();
        family(&mut text, "http_requests_total", "counter", "Requests that were answered.");
        for ((method, route, status), count) in &counts.requests {
            let _ = writeln!(
                text,
                "http_requests_total{{environment=\"{environment}\",method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            );
        }
        family(
            &mut text,
            "http_request_duration_seconds",
            "histogram",
            "How long the answers took.",
        );
        for ((method, route), durations) in &counts.durations {
            let labels =
                format!("environment=\"{environment}\",method=\"{method}\",route=\"{route}\"");
            for (bucket, bound) in durations.buckets.iter().zip(BUCKETS) {
                let _ = writeln!(
                    text,
                    "http_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {bucket}"
                );
            }
            let _ = writeln!(
                text,
                "http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {}",
                durations.count
            );
            let _ = writeln!(
                text,
                "http_request_duration_seconds_sum{{{labels}}} {}",
                durations.seconds
            );
            let _ = writeln!(
                text,
                "http_request_duration_seconds_count{{{labels}}} {}",
                durations.count
            );
        }
        family(&mut text, "http_requests_in_flight", "gauge", "Requests that are being answered.");
        let _ = writeln!(
            text,
            "http_requests_in_flight{{environment=\"{environment}\"}} {}",
            counts.in_flight
        );
        family(
            &mut text,
            "guestbook_entries_written_total",
            "counter",
            "Entries that were written.",
        );
        let _ = writeln!(
            text,
            "guestbook_entries_written_total{{environment=\"{environment}\"}} {}",
            counts.entries
        );
        family(&mut text, "guestbook_build_info", "gauge", "The version of the application.");
        let version = env!("CARGO_PKG_VERSION");
        let _ = writeln!(
            text,
            "guestbook_build_info{{environment=\"{environment}\",version=\"{version}\"}} 1"
        );
        text
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A count that another thread left half-done is still the best there is.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Escapes a label's value as Prometheus' exposition format wants it.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_in_its_bucket_and_all_above() {
        let metrics = Metrics::default();
        drop(metrics.request_started());
        metrics.request_answered("GET", "/", 200, Duration::from_millis(7));
        let _in_flight = metrics.request_started();
        let text = metrics.text("a\"b");
        let line = |start: &str| {
            text.lines().find(|line| line.starts_with(start)).unwrap().rsplit(' ').next().unwrap()
        };
        let labels = "{environment=\"a\\\"b\",method=\"GET\",route=\"/\"";
        assert_eq!(
            line(&format!("http_request_duration_seconds_bucket{labels},le=\"0.005\"")),
            "0"
        );
        assert_eq!(line(&format!("http_request_duration_seconds_bucket{labels},le=\"0.01\"")), "1");
        assert_eq!(line(&format!("http_request_duration_seconds_bucket{labels},le=\"+Inf\"")), "1");
        assert_eq!(line("http_requests_in_flight"), "1");
    }
}
