//! Processor time and memory, out of what the hosting samples of the processes that it runs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::otlp::{self, Integer, Metric, Point, Resource, text};

/// How long the last sample of an instance holds; after it the instance is taken to be gone.
const STALE: u64 = 30_000_000_000;

/// Processor time that was used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cpu {
    /// How much, of one core.
    pub used: Duration,
    /// In which time.
    pub window: Duration,
}

impl Cpu {
    /// Returns how many cores were busy on average; `None` of no time.
    pub fn cores(&self) -> Option<f64> {
        (!self.window.is_zero()).then(|| self.used.as_secs_f64() / self.window.as_secs_f64())
    }
}

/// Memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// By the last sample; 0 of an instance that is gone.
    pub now: u64,
    /// The most at any sample.
    pub peak: u64,
}

/// One process that the hosting runs, or one that answered requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// `service.name`.
    pub service: String,
    /// `service.instance.id`, such as `web/0`.
    pub instance: String,
    /// `replica` or `database`, where the hosting says so.
    pub role: Option<String>,
    /// The zone, where the hosting says so.
    pub zone: Option<String>,
    /// How many requests it answered.
    pub requests: u64,
    /// Its processor time, where it was sampled.
    pub cpu: Option<Cpu>,
    /// Its memory, where it was sampled.
    pub memory: Option<Memory>,
}

/// Returns service and instance of what a resource describes.
pub(crate) fn instance_name(resource: &Resource<'_>) -> (String, String) {
    let value = |key| text(&resource.attributes, key).unwrap_or_default().to_owned();
    (value("service.name"), value("service.instance.id"))
}

/// Takes samples, line by line, the oldest line first.
#[derive(Default)]
pub(crate) struct Collector {
    since: u64,
    processes: BTreeMap<(String, String), Process>,
    peak: u64,
}

/// What is known of one process.
#[derive(Default)]
struct Process {
    role: String,
    zone: Option<String>,
    /// One counter for each `cpu.mode`.
    counters: BTreeMap<String, Counter>,
    /// The time of the last sample, the bytes then, and the most.
    memory: Option<(u64, f64, f64)>,
}

/// A counter that only grows, until its process starts anew.
struct Counter {
    begin: u64,
    /// When the process that it counts of started, by its last point.
    started: u64,
    last: (u64, f64),
    sum: f64,
}

impl Counter {
    /// Begins with a point. Where it says since when it counts, and that lies within the period, all of it counts.
    fn begin(since: u64, point: &Point<'_>, value: f64) -> Self {
        let (Integer(started), Integer(time)) = (point.start_time_unix_nano, point.time_unix_nano);
        let (begin, sum) = if started > 0 && started >= since && started <= time {
            (started, value)
        } else {
            (time, 0.0)
        };
        Self { begin, started, last: (time, value), sum }
    }

    fn add(&mut self, point: &Point<'_>, value: f64) {
        let (Integer(started), Integer(time)) = (point.start_time_unix_nano, point.time_unix_nano);
        let (last, before) = self.last;
        // A file that was rotated while it was read is read twice.
        if time <= last {
            return;
        }
        let is_reset = value < before || started > self.started && started >= last;
        self.sum += if is_reset { value } else { value - before };
        self.started = started;
        self.last = (time, value);
    }
}

impl Collector {
    pub(crate) fn new(since: u64) -> Self {
        Self { since, ..Self::default() }
    }

    /// Takes one line; returns whether it was understood.
    pub(crate) fn take(&mut self, line: &[u8]) -> bool {
        let Ok(metrics) = serde_json::from_slice::<otlp::Metrics<'_>>(line) else { return false };
        for resource in &metrics.resource_metrics {
            // An application may count its own process too, under the same name: only what the hosting says is taken.
            let attributes = &resource.resource.attributes;
            let Some(role) = text(attributes, "menagerie.role") else { continue };
            let name = instance_name(&resource.resource);
            let process = self.processes.entry(name).or_default();
            role.clone_into(&mut process.role);
            process.zone = text(attributes, "menagerie.zone").map(str::to_owned);
            let mut newest = 0;
            for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
                newest = newest.max(process.take(metric, self.since));
            }
            if newest > 0 {
                self.peak = self.peak.max(self.memory_at(newest));
            }
        }
        true
    }

    /// Returns the memory of all that live at this time.
    fn memory_at(&self, now: u64) -> u64 {
        let last = self.processes.values().filter_map(|process| process.memory);
        bytes(last.filter(|(time, ..)| time + STALE >= now).map(|(_, bytes, _)| bytes).sum())
    }

    /// Returns the processor time and memory of all, and each instance, also those that only answered requests.
    pub(crate) fn finish(
        self,
        requests: &BTreeMap<(String, String), u64>,
    ) -> (Option<Cpu>, Option<Memory>, Vec<Instance>) {
        let times = self.processes.values().filter_map(|process| process.memory);
        let newest = times.map(|(time, ..)| time).max();
        let memory = newest.map(|now| Memory { now: self.memory_at(now), peak: self.peak });
        let counters = || self.processes.values().flat_map(|process| process.counters.values());
        let all = cpu(counters);
        let mut instances = Vec::new();
        for ((service, instance), process) in &self.processes {
            let of_process = process.memory.map(|(time, last, peak)| {
                let is_gone = newest.is_some_and(|now| time + STALE < now);
                Memory { now: if is_gone { 0 } else { bytes(last) }, peak: bytes(peak) }
            });
            let cpu = cpu(|| process.counters.values());
            if cpu.is_none() && of_process.is_none() {
                continue;
            }
            instances.push(Instance {
                service: service.clone(),
                instance: instance.clone(),
                role: Some(process.role.clone()),
                zone: process.zone.clone(),
                requests: 0,
                cpu,
                memory: of_process,
            });
        }
        for ((service, name), count) in requests {
            let of_same = |instance: &&mut Instance| {
                instance.service == *service && instance.instance == *name
            };
            match instances.iter_mut().find(of_same) {
                Some(instance) => instance.requests = *count,
                None => instances.push(Instance {
                    service: service.clone(),
                    instance: name.clone(),
                    role: None,
                    zone: None,
                    requests: *count,
                    cpu: None,
                    memory: None,
                }),
            }
        }
        (all, memory, instances)
    }
}

impl Process {
    /// Takes what a metric says; returns the time of its newest sample of memory.
    fn take(&mut self, metric: &Metric<'_>, since: u64) -> u64 {
        let points = metric.sum.iter().chain(&metric.gauge).flat_map(|points| &points.data_points);
        let mut newest = 0;
        for point in points {
            let Integer(time) = point.time_unix_nano;
            let Some(value) = point.value().filter(|value| time >= since && value.is_finite())
            else {
                continue;
            };
            match metric.name.as_str() {
                "process.cpu.time" => {
                    let mode = text(&point.attributes, "cpu.mode").unwrap_or_default();
                    if let Some(counter) = self.counters.get_mut(mode) {
                        counter.add(point, value);
                    } else {
                        let counter = Counter::begin(since, point, value);
                        self.counters.insert(mode.to_owned(), counter);
                    }
                }
                "process.memory.usage" => {
                    let (last, _, peak) = self.memory.unwrap_or_default();
                    if time > last {
                        self.memory = Some((time, value, value.max(peak)));
                        newest = newest.max(time);
                    }
                }
                _ => {}
            }
        }
        newest
    }
}

/// Returns the sum of counters over the time that they cover together; `None` of none.
fn cpu<'a, I: Iterator<Item = &'a Counter>>(counters: impl Fn() -> I) -> Option<Cpu> {
    let begin = counters().map(|counter| counter.begin).min()?;
    let end = counters().map(|counter| counter.last.0).max()?;
    let used = counters().map(|counter| counter.sum).sum::<f64>().max(0.0);
    Some(Cpu {
        used: Duration::try_from_secs_f64(used).unwrap_or(Duration::MAX),
        window: Duration::from_nanos(end - begin),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a negative one is 0")]
fn bytes(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line with a sample of one instance, at a second of 1970.
    fn line(instance: &str, started: u64, second: u64, cpu: f64, memory: u64) -> String {
        let [started, time] = [started, second].map(|second| second * 1_000_000_000);
        format!(
            r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"web"}}}},
            {{"key":"service.instance.id","value":{{"stringValue":"{instance}"}}}},
            {{"key":"menagerie.role","value":{{"stringValue":"replica"}}}},
            {{"key":"menagerie.zone","value":{{"stringValue":"a"}}}}]}},"scopeMetrics":[{{"metrics":[
            {{"name":"process.cpu.time","unit":"s","sum":{{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
              {{"startTimeUnixNano":"{started}","timeUnixNano":"{time}","asDouble":{cpu},"attributes":[{{"key":"cpu.mode","value":{{"stringValue":"user"}}}}]}},
              {{"startTimeUnixNano":"{started}","timeUnixNano":"{time}","asDouble":{cpu},"attributes":[{{"key":"cpu.mode","value":{{"stringValue":"system"}}}}]}}]}}}},
            {{"name":"process.memory.usage","unit":"By","sum":{{"dataPoints":[{{"timeUnixNano":"{time}","asInt":"{memory}"}}]}}}}]}}]}}]}}"#
        )
    }

    fn collect(since: u64, lines: &[String]) -> (Option<Cpu>, Option<Memory>, Vec<Instance>) {
        let mut collector = Collector::new(since * 1_000_000_000);
        for line in lines {
            assert!(collector.take(line.as_bytes()), "{line}");
        }
        collector.finish(&BTreeMap::new())
    }

    #[track_caller]
    fn check(since: u64, lines: &[String], used: f64, window: u64) {
        let cpu = collect(since, lines).0.unwrap();
        assert!((cpu.used.as_secs_f64() - used).abs() < 1e-6, "{cpu:?}");
        assert_eq!(cpu.window, Duration::from_secs(window));
    }

    #[test]
    fn a_counter_counts_from_its_start() {
        check(0, &[line("web/0", 10, 20, 1.0, 0), line("web/0", 10, 30, 4.0, 0)], 8.0, 20);
        // Without a start within the period, the first point is only what to count from.
        check(15, &[line("web/0", 10, 20, 1.0, 0), line("web/0", 10, 30, 4.0, 0)], 6.0, 10);
        check(0, &[line("web/0", 0, 20, 1.0, 0), line("web/0", 0, 30, 4.0, 0)], 6.0, 10);
    }

    #[test]
    fn a_counter_may_begin_anew() {
        let told = [
            line("web/0", 10, 20, 3.0, 0),
            line("web/0", 25, 30, 4.0, 0),
            line("web/0", 25, 40, 5.0, 0),
        ];
        check(0, &told, 16.0, 30);
        let untold = [line("web/0", 0, 20, 3.0, 0), line("web/0", 0, 30, 1.0, 0)];
        check(0, &untold, 2.0, 10);
    }

    #[test]
    fn what_was_seen_is_not_counted_again() {
        let twice = [
            line("web/0", 10, 20, 3.0, 7),
            line("web/0", 10, 30, 4.0, 9),
            line("web/0", 10, 20, 3.0, 7),
            line("web/0", 10, 30, 4.0, 9),
        ];
        check(0, &twice, 8.0, 20);
    }

    #[test]
    fn memory_is_of_those_who_live() {
        let (_, memory, instances) = collect(
            0,
            &[
                line("web/0", 0, 20, 0.0, 100),
                line("web/1", 0, 21, 0.0, 50),
                line("web/0", 0, 40, 0.0, 60),
                line("web/0", 0, 60, 0.0, 70),
            ],
        );
        assert_eq!(memory, Some(Memory { now: 70, peak: 150 }));
        let each: Vec<_> = instances.iter().map(|instance| instance.memory.unwrap()).collect();
        assert_eq!(each, [Memory { now: 70, peak: 100 }, Memory { now: 0, peak: 50 }]);
        assert_eq!(instances[0].zone.as_deref(), Some("a"));
    }

    #[test]
    fn only_the_hosting_is_believed() {
        let own = line("web/0", 10, 20, 3.0, 7).replace("menagerie.role", "other");
        assert_eq!(collect(0, &[own]), (None, None, Vec::new()));
        let mut collector = Collector::new(0);
        assert!(!collector.take(b"{\"resourceMetrics\": 7}"));
        let requests = BTreeMap::from([(("web".to_owned(), "web/0".to_owned()), 3)]);
        assert_eq!(collector.finish(&requests).2[0].requests, 3);
    }
}
