//! Requests, out of the spans of those who answered them.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::otlp::{ERROR, Integer, KeyValue, SERVER, Span, Traces, text};
use crate::percentile::Latency;
use crate::usage::instance_name;

/// How many requests are held at most, with about 16 bytes each, and how many routes are told apart.
const MOST_REQUESTS: usize = 5_000_000;
const MOST_ROUTES: usize = 200;

/// The route of what comes after the last one that is told apart: a path that a stranger chose is a route of its own.
const OTHER: &str = "(other)";

/// Requests that were answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests {
    /// How many.
    pub count: u64,
    /// How many of them failed: with a status of 500 or more, or without one and with an error.
    pub errors: u64,
    /// How long they took; `None` of none.
    pub latency: Option<Latency>,
}

/// The requests of one method to one route.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The method.
    pub method: String,
    /// `http.route`; the path where the application tells no route.
    pub route: String,
    /// Its requests.
    pub requests: Requests,
}

/// From the start of the first request to the end of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When the first request started.
    pub start: SystemTime,
    /// When the last one ended.
    pub end: SystemTime,
}

impl Window {
    /// Returns how long it is.
    pub fn length(&self) -> Duration {
        self.end.duration_since(self.start).unwrap_or_default()
    }
}

impl Requests {
    /// Returns the share of requests that failed, from 0 to 1; `None` of none.
    pub fn error_rate(&self) -> Option<f64> {
        (self.count > 0).then(|| ratio(self.errors, self.count))
    }

    /// Returns how many came a second; `None` in less than a second, of which nothing follows.
    pub fn rate(&self, window: Window) -> Option<f64> {
        let seconds = window.length().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        (seconds >= 1.0).then(|| self.count as f64 / seconds)
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// Returns a time of OTLP's.
pub(crate) fn time(nanoseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

/// Takes spans, line by line.
pub(crate) struct Collector {
    /// Spans that end before it, in nanoseconds, are passed over.
    since: u64,
    most: usize,
    /// Which spans were seen, by a hash of trace and span: a collector may be told of one twice.
    seen: HashSet<u64>,
    hasher: RandomState,
    routes: HashMap<(String, String), Durations>,
    /// How many requests each instance answered.
    pub(crate) instances: BTreeMap<(String, String), u64>,
    window: Option<(u64, u64)>,
    /// How many requests there was no room for.
    pub(crate) left_out: u64,
}

#[derive(Default)]
struct Durations {
    nanoseconds: Vec<u64>,
    errors: u64,
}

impl Collector {
    pub(crate) fn new(since: u64) -> Self {
        Self {
            since,
            most: MOST_REQUESTS,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            routes: HashMap::new(),
            instances: BTreeMap::new(),
            window: None,
            left_out: 0,
        }
    }

    /// Takes one line; returns whether it was understood.
    pub(crate) fn take(&mut self, line: &[u8]) -> bool {
        let Ok(traces) = serde_json::from_slice::<Traces<'_>>(line) else { return false };
        for resource in &traces.resource_spans {
            let mut count = 0;
            for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
                count += u64::from(self.take_span(span));
            }
            if count > 0 {
                let name = instance_name(&resource.resource);
                *self.instances.entry(name).or_default() += count;
            }
        }
        true
    }

    /// Takes a span; returns whether it is a request that was not seen before.
    fn take_span(&mut self, span: &Span<'_>) -> bool {
        let (Integer(start), Integer(end)) = (span.start_time_unix_nano, span.end_time_unix_nano);
        if span.kind.0 != SERVER || end < self.since || end < start {
            return false;
        }
        if self.seen.len() >= self.most {
            self.left_out += 1;
            return false;
        }
        let id = self.hasher.hash_one((span.trace_id.as_str(), span.span_id.as_str()));
        if !self.seen.insert(id) {
            return false;
        }
        let durations = self.durations(&span.attributes);
        durations.nanoseconds.push(end - start);
        durations.errors += u64::from(has_failed(span));
        let (first, last) = self.window.unwrap_or((start, end));
        self.window = Some((first.min(start), last.max(end)));
        true
    }

    fn durations(&mut self, attributes: &[KeyValue<'_>]) -> &mut Durations {
        let first = |keys: [&str; 3]| keys.into_iter().find_map(|key| text(attributes, key));
        // The names of the semantic conventions, and those before version 1.23.
        let method =
            text(attributes, "http.request.method").or_else(|| text(attributes, "http.method"));
        let route = first(["http.route", "url.path", "http.target"]).unwrap_or("(unknown)");
        // The query is no part of a route, and may hold what nobody should read.
        let route = route.split(['?', '#']).next().unwrap_or(route);
        let mut key = (method.unwrap_or("(unknown)").to_owned(), route.to_owned());
        if self.routes.len() >= MOST_ROUTES && !self.routes.contains_key(&key) {
            key = (OTHER.to_owned(), OTHER.to_owned());
        }
        match self.routes.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Durations::default()),
        }
    }

    /// Returns the window, all requests, and those of each route, the most frequent first.
    pub(crate) fn finish(self) -> (Option<Window>, Requests, Vec<Route>) {
        let window = self.window.map(|(start, end)| Window { start: time(start), end: time(end) });
        let mut all = Durations::default();
        let mut routes = Vec::new();
        for ((method, route), mut durations) in self.routes {
            all.nanoseconds.extend_from_slice(&durations.nanoseconds);
            all.errors += durations.errors;
            routes.push(Route { method, route, requests: durations.summary() });
        }
        routes.sort_by(|one, other| {
            let by_count = other.requests.count.cmp(&one.requests.count);
            by_count.then_with(|| (&one.route, &one.method).cmp(&(&other.route, &other.method)))
        });
        (window, all.summary(), routes)
    }
}

impl Durations {
    fn summary(&mut self) -> Requests {
        let count = self.nanoseconds.len() as u64;
        Requests { count, errors: self.errors, latency: Latency::of(&mut self.nanoseconds) }
    }
}

/// Returns whether the server failed: what is the client's fault, a status of 4xx, is not counted.
fn has_failed(span: &Span<'_>) -> bool {
    let status = |key: &str| {
        let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key)?;
        found.value.int_value
    };
    let status = status("http.response.status_code").or_else(|| status("http.status_code"));
    status.map_or(span.status.code.0 == ERROR, |status| status.0 >= 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line with one span of so many milliseconds, which begins at a second of 1970.
    fn line(id: u64, second: u64, milliseconds: u64, more: &str) -> String {
        let start = second * 1_000_000_000;
        let end = start + milliseconds * 1_000_000;
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.instance.id","value":{{"stringValue":"web/0"}}}}]}},
            "scopeSpans":[{{"spans":[{{"traceId":"aa","spanId":"{id:016x}","kind":2,
            "startTimeUnixNano":"{start}","endTimeUnixNano":{end},{more}}}]}}]}}]}}"#
        )
    }

    fn attributes(method: &str, path: &str, status: u16) -> String {
        format!(
            r#""attributes":[{{"key":"http.request.method","value":{{"stringValue":"{method}"}}}},
            {{"key":"url.path","value":{{"stringValue":"{path}"}}}},
            {{"key":"http.response.status_code","value":{{"intValue":"{status}"}}}}]"#
        )
    }

    fn collect(lines: &[String], since: u64) -> Collector {
        let mut collector = Collector::new(since);
        for line in lines {
            assert!(collector.take(line.as_bytes()), "{line}");
        }
        collector
    }

    #[test]
    fn by_route() {
        let collector = collect(
            &[
                line(1, 10, 5, &attributes("GET", "/entries?limit=5", 200)),
                line(2, 11, 7, &attributes("GET", "/entries", 503)),
                line(3, 12, 1, &attributes("POST", "/entries", 422)),
            ],
            0,
        );
        assert_eq!(collector.instances.values().sum::<u64>(), 3);
        let (window, all, routes) = collector.finish();
        let window = window.unwrap();
        assert_eq!(
            (window.start, window.length()),
            (time(10_000_000_000), Duration::from_millis(2001))
        );
        assert_eq!((all.count, all.errors), (3, 1));
        assert_eq!(all.latency.unwrap().p50, Duration::from_millis(5));
        assert!((all.rate(window).unwrap() - 3.0 / 2.001).abs() < 1e-9);
        let routes: Vec<_> = routes
            .iter()
            .map(|route| (route.method.as_str(), route.route.as_str(), route.requests.count))
            .collect();
        assert_eq!(routes, [("GET", "/entries", 2), ("POST", "/entries", 1)]);
    }

    #[test]
    fn what_is_no_request_of_the_period_is_not_counted() {
        let client = line(1, 10, 5, "\"name\":\"SELECT\"").replace("\"kind\":2", "\"kind\":3");
        let backwards = line(2, 10, 0, "\"name\":\"x\"").replace("10000000000,", "9000000000,");
        let early = line(3, 10, 5, "\"name\":\"x\"");
        let late = line(4, 20, 5, "\"name\":\"x\"");
        let (_, all, routes) =
            collect(&[client, backwards, early, late.clone(), late], 15_000_000_000).finish();
        assert_eq!(all.count, 1, "one, though it was told of twice");
        assert_eq!(routes[0].route, "(unknown)");
        assert!(!Collector::new(0).take(b"{\"resourceSpans\":[{\"scope"));
        assert_eq!(Collector::new(0).finish().1, Requests::default());
    }

    #[test]
    fn an_error_without_a_status_counts() {
        let failed = line(1, 10, 5, "\"status\":{\"code\":2}");
        // An application may mark what it refused; the refusal is no failure of the server.
        let refused =
            line(2, 10, 5, &format!("\"status\":{{\"code\":2}},{}", attributes("GET", "/", 404)));
        assert_eq!(collect(&[failed, refused], 0).finish().1.errors, 1);
    }

    #[test]
    fn memory_is_bounded() {
        let lines: Vec<String> = (0..300)
            .map(|id| line(id, 10, 5, &attributes("GET", &format!("/wp-{id}.php"), 404)))
            .collect();
        let (_, all, routes) = collect(&lines, 0).finish();
        assert_eq!((all.count, routes.len()), (300, MOST_ROUTES + 1));
        assert_eq!((routes[0].route.as_str(), routes[0].requests.count), (OTHER, 100));
        let mut collector = Collector { most: 200, ..Collector::new(0) };
        for line in &lines {
            assert!(collector.take(line.as_bytes()));
        }
        assert_eq!((collector.left_out, collector.finish().1.count), (100, 200));
    }
}
