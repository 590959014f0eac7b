//! `env metrics`.

use std::path::Path;
use std::time::{Duration, SystemTime};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use menagerie_naming::EnvName;
use menagerie_telemetry::{Cpu, Instance, Latency, Memory, Metrics as Found, Requests, Route};
use serde::Serialize;

use crate::env::facts::VERSION;
use crate::env::name;
use crate::output::{self, Format, Terminal};
use crate::quantity::{bytes, count, duration, percent, three_digits};
use crate::session;

/// Show how fast an environment answered, how often it failed, and what it used
///
/// Reads what the application told its collector and what the hosting sampled; runs nothing. `docs/measuring.md` says how to
/// read it, and what has to be there for it.
#[derive(Debug, Args)]
pub(crate) struct Metrics {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Count only what happened in this time until now, such as `15m`; without it, all that is on record
    #[arg(long, value_name = "DURATION", value_parser = period)]
    last: Option<Duration>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Reads a duration that is more than none.
pub(crate) fn period(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok();
    let duration = parsed.and_then(|duration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "give it the form `90s`, `15m` or `1h 30m`".to_owned())
}

#[derive(Serialize)]
struct Shown<'a> {
    version: u32,
    name: &'a EnvName,
    /// From the first request to the last one; null without requests.
    window: Option<ShownWindow>,
    requests: ShownRequests,
    /// How many requests came a second; null without a window of a second at least.
    rate: Option<f64>,
    routes: Vec<ShownRoute<'a>>,
    cpu: Option<ShownCpu>,
    memory: Option<ShownMemory>,
    instances: Vec<ShownInstance<'a>>,
    /// How many lines of the files could not be understood.
    damaged_lines: u64,
    /// How many older requests were left out.
    requests_left_out: u64,
}

#[derive(Serialize)]
struct ShownWindow {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    seconds: f64,
}

#[derive(Serialize)]
struct ShownRequests {
    count: u64,
    errors: u64,
    error_rate: Option<f64>,
    latency: Option<ShownLatency>,
}

/// Percentiles, in seconds.
#[derive(Serialize)]
pub(crate) struct ShownLatency {
    p50: f64,
    p95: f64,
    p99: f64,
}

#[derive(Serialize)]
struct ShownRoute<'a> {
    method: &'a str,
    route: &'a str,
    #[serde(flatten)]
    requests: ShownRequests,
}

/// Processor time in a window, both in seconds.
#[derive(Serialize)]
pub(crate) struct ShownCpu {
    used: f64,
    window: f64,
    cores: Option<f64>,
}

/// Memory, in bytes.
#[derive(Serialize)]
pub(crate) struct ShownMemory {
    now: u64,
    peak: u64,
}

#[derive(Serialize)]
struct ShownInstance<'a> {
    service: &'a str,
    instance: &'a str,
    role: Option<&'a str>,
    zone: Option<&'a str>,
    requests: u64,
    cpu: Option<ShownCpu>,
    memory: Option<ShownMemory>,
}

impl Metrics {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let now = SystemTime::now();
        menagerie_lifecycle::find(&repository, &self.name, Timestamp::now())?;
        let directory = repository.home().environment(&self.name).telemetry();
        let since = self.last.and_then(|last| now.checked_sub(last));
        let found = Found::read(&directory, since)?;
        match self.format {
            Format::Json => output::print_json(&shown(&self.name, &found))?,
            Format::Text => output::print(&render(&self.name, &found))?,
        }
        if found.damaged_lines > 0 {
            let lines = count(found.damaged_lines);
            terminal.warn(&format!("{lines} lines of its telemetry could not be understood"));
        }
        if found.requests_left_out > 0 {
            let requests = count(found.requests_left_out);
            terminal.warn(&format!("{requests} older requests are left out"));
        }
        if found.requests.count == 0 {
            terminal.note(&nothing(&directory, self.last.is_some()));
        }
        Ok(())
    }
}

/// Says why there may be no requests.
fn nothing(directory: &Path, has_period: bool) -> String {
    if !directory.exists() {
        return "it has no telemetry on this machine: `env apply` gives it a collector".to_owned();
    }
    let period = if has_period { " in this time" } else { "" };
    format!(
        "the application told of no request{period}: it sends traces where `OTEL_EXPORTER_OTLP_ENDPOINT` says, or it does not trace"
    )
}

fn shown<'a>(name: &'a EnvName, found: &'a Found) -> Shown<'a> {
    Shown {
        version: VERSION,
        name,
        window: found.window.map(|window| ShownWindow {
            start: window.start.try_into().ok(),
            end: window.end.try_into().ok(),
            seconds: window.length().as_secs_f64(),
        }),
        requests: shown_requests(&found.requests),
        rate: found.window.and_then(|window| found.requests.rate(window)),
        routes: found
            .routes
            .iter()
            .map(|Route { method, route, requests }| ShownRoute {
                method,
                route,
                requests: shown_requests(requests),
            })
            .collect(),
        cpu: found.cpu.as_ref().map(shown_cpu),
        memory: found.memory.as_ref().map(shown_memory),
        instances: found.instances.iter().map(shown_instance).collect(),
        damaged_lines: found.damaged_lines,
        requests_left_out: found.requests_left_out,
    }
}

fn shown_requests(requests: &Requests) -> ShownRequests {
    ShownRequests {
        count: requests.count,
        errors: requests.errors,
        error_rate: requests.error_rate(),
        latency: requests.latency.as_ref().map(shown_latency),
    }
}

pub(crate) fn shown_latency(latency: &Latency) -> ShownLatency {
    let [p50, p95, p99] =
        [latency.p50, latency.p95, latency.p99].map(|latency| latency.as_secs_f64());
    ShownLatency { p50, p95, p99 }
}

pub(crate) fn shown_cpu(cpu: &Cpu) -> ShownCpu {
    let (used, window) = (cpu.used.as_secs_f64(), cpu.window.as_secs_f64());
    ShownCpu { used, window, cores: cpu.cores() }
}

pub(crate) fn shown_memory(memory: &Memory) -> ShownMemory {
    ShownMemory { now: memory.now, peak: memory.peak }
}

fn shown_instance(instance: &Instance) -> ShownInstance<'_> {
    ShownInstance {
        service: &instance.service,
        instance: &instance.instance,
        role: instance.role.as_deref(),
        zone: instance.zone.as_deref(),
        requests: instance.requests,
        cpu: instance.cpu.as_ref().map(shown_cpu),
        memory: instance.memory.as_ref().map(shown_memory),
    }
}

fn render(name: &EnvName, found: &Found) -> String {
    let requests = &found.requests;
    let mut rows = vec![("name", name.to_string())];
    if let Some(window) = found.window {
        let time = |time: SystemTime| {
            Timestamp::try_from(time).map_or_else(|_| "?".to_owned(), |time| format!("{time:.0}"))
        };
        let length = duration(window.length());
        let (start, end) = (time(window.start), time(window.end));
        rows.push(("window", format!("{start} to {end} ({length})")));
        let rate = requests.rate(window);
        let rate = rate.map(|rate| format!(" ({} a second)", three_digits(rate)));
        let rate = rate.unwrap_or_default();
        rows.push(("requests", format!("{}{rate}", count(requests.count))));
        let share = requests.error_rate().map(percent).unwrap_or_default();
        rows.push(("errors", format!("{} ({share})", count(requests.errors))));
    } else {
        rows.push(("requests", "none".to_owned()));
    }
    rows.extend(requests.latency.map(|Latency { p50, p95, p99 }| {
        let [p50, p95, p99] = [p50, p95, p99].map(duration);
        ("latency", format!("p50 {p50}, p95 {p95}, p99 {p99}"))
    }));
    rows.extend(found.cpu.map(|cpu| ("cpu", cpu_text(&cpu))));
    rows.extend(found.memory.map(|memory| ("memory", memory_text(&memory))));
    let mut text = output::rows(&rows);
    if !found.routes.is_empty() {
        let lines: Vec<_> = found.routes.iter().map(route_line).collect();
        text.push('\n');
        let header = ["METHOD", "ROUTE", "REQUESTS", "ERRORS", "P50", "P95", "P99"];
        text.push_str(&output::table(header, &lines));
    }
    if !found.instances.is_empty() {
        let lines: Vec<_> = found.instances.iter().map(instance_line).collect();
        text.push('\n');
        let header = ["INSTANCE", "ROLE", "ZONE", "REQUESTS", "CPU", "MEMORY", "PEAK"];
        text.push_str(&output::table(header, &lines));
    }
    text
}

pub(crate) fn cpu_text(cpu: &Cpu) -> String {
    let used = duration(cpu.used);
    match cpu.cores() {
        Some(cores) => {
            format!("{} cores ({used} in {})", three_digits(cores), duration(cpu.window))
        }
        None => used,
    }
}

pub(crate) fn memory_text(memory: &Memory) -> String {
    format!("{}, at most {}", bytes(memory.now), bytes(memory.peak))
}

/// What strangers asked for is shown with its control characters escaped.
fn route_line(Route { method, route, requests }: &Route) -> [String; 7] {
    let latency = |of: fn(&Latency) -> Duration| {
        requests.latency.as_ref().map(|latency| duration(of(latency))).unwrap_or_default()
    };
    [
        method.escape_debug().to_string(),
        route.escape_debug().to_string(),
        count(requests.count),
        count(requests.errors),
        latency(|latency| latency.p50),
        latency(|latency| latency.p95),
        latency(|latency| latency.p99),
    ]
}

fn instance_line(instance: &Instance) -> [String; 7] {
    let cores = instance.cpu.and_then(|cpu| cpu.cores());
    let name = if instance.instance.is_empty() { &instance.service } else { &instance.instance };
    [
        name.escape_debug().to_string(),
        instance.role.as_deref().unwrap_or("-").escape_debug().to_string(),
        instance.zone.as_deref().unwrap_or("-").escape_debug().to_string(),
        count(instance.requests),
        cores.map_or_else(|| "-".to_owned(), |cores| format!("{} cores", three_digits(cores))),
        instance.memory.map_or_else(|| "-".to_owned(), |memory| bytes(memory.now)),
        instance.memory.map_or_else(|| "-".to_owned(), |memory| bytes(memory.peak)),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use insta::assert_snapshot;
    use menagerie_telemetry::Window;

    use super::*;

    fn found() -> Found {
        let requests = |count, errors| Requests {
            count,
            errors,
            latency: Some(Latency {
                p50: Duration::from_micros(2_345),
                p95: Duration::from_micros(15_678),
                p99: Duration::from_millis(120),
            }),
        };
        let route = |method: &str, route: &str, requests| Route {
            method: method.to_owned(),
            route: route.to_owned(),
            requests,
        };
        let start = UNIX_EPOCH + Duration::from_hours(495_802);
        let cpu = Cpu { used: Duration::from_millis(7_500), window: Duration::from_mins(1) };
        let memory = Memory { now: 41 << 20, peak: 52 << 20 };
        Found {
            window: Some(Window { start, end: start + Duration::from_mins(1) }),
            requests: requests(1_200, 3),
            routes: vec![
                route("GET", "/", requests(1_100, 0)),
                route("POST", "/entries\u{1b}[31m", requests(100, 3)),
            ],
            cpu: Some(cpu),
            memory: Some(memory),
            instances: vec![
                Instance {
                    service: "calm-otter".to_owned(),
                    instance: "calm-otter/0".to_owned(),
                    role: Some("replica".to_owned()),
                    zone: Some("a".to_owned()),
                    requests: 1_200,
                    cpu: Some(cpu),
                    memory: Some(memory),
                },
                Instance {
                    service: "main".to_owned(),
                    instance: "main".to_owned(),
                    role: None,
                    zone: None,
                    requests: 0,
                    cpu: None,
                    memory: None,
                },
            ],
            damaged_lines: 0,
            requests_left_out: 0,
        }
    }

    #[test]
    fn text() {
        let name: EnvName = "calm-otter".parse().unwrap();
        assert_snapshot!(render(&name, &found()), @r"
        name      calm-otter
        window    2026-07-24T10:00:00Z to 2026-07-24T10:01:00Z (60 s)
        requests  1,200 (20 a second)
        errors    3 (0.25 %)
        latency   p50 2.34 ms, p95 15.7 ms, p99 120 ms
        cpu       0.12 cores (7.5 s in 60 s)
        memory    41 MiB, at most 52 MiB

        METHOD  ROUTE               REQUESTS  ERRORS  P50      P95      P99
        GET     /                   1,100     0       2.34 ms  15.7 ms  120 ms
        POST    /entries\u{1b}[31m  100       3       2.34 ms  15.7 ms  120 ms

        INSTANCE      ROLE     ZONE  REQUESTS  CPU         MEMORY  PEAK
        calm-otter/0  replica  a     1,200     0.12 cores  41 MiB  52 MiB
        main          -        -     0         -           -       -
        ");
        assert_snapshot!(render(&name, &Found::default()), @"
        name      calm-otter
        requests  none
        ");
    }

    #[test]
    fn json() {
        let name: EnvName = "calm-otter".parse().unwrap();
        assert_snapshot!(output::json(&shown(&name, &found())), @r#"
        {
          "version": 1,
          "name": "calm-otter",
          "window": {
            "start": "2026-07-24T10:00:00Z",
            "end": "2026-07-24T10:01:00Z",
            "seconds": 60.0
          },
          "requests": {
            "count": 1200,
            "errors": 3,
            "error_rate": 0.0025,
            "latency": {
              "p50": 0.002345,
              "p95": 0.015678,
              "p99": 0.12
            }
          },
          "rate": 20.0,
          "routes": [
            {
              "method": "GET",
              "route": "/",
              "count": 1100,
              "errors": 0,
              "error_rate": 0.0,
              "latency": {
                "p50": 0.002345,
                "p95": 0.015678,
                "p99": 0.12
              }
            },
            {
              "method": "POST",
              "route": "/entries\u001b[31m",
              "count": 100,
              "errors": 3,
              "error_rate": 0.03,
              "latency": {
                "p50": 0.002345,
                "p95": 0.015678,
                "p99": 0.12
              }
            }
          ],
          "cpu": {
            "used": 7.5,
            "window": 60.0,
            "cores": 0.125
          },
          "memory": {
            "now": 42991616,
            "peak": 54525952
          },
          "instances": [
            {
              "service": "calm-otter",
              "instance": "calm-otter/0",
              "role": "replica",
              "zone": "a",
              "requests": 1200,
              "cpu": {
                "used": 7.5,
                "window": 60.0,
                "cores": 0.125
              },
              "memory": {
                "now": 42991616,
                "peak": 54525952
              }
            },
            {
              "service": "main",
              "instance": "main",
              "role": null,
              "zone": null,
              "requests": 0,
              "cpu": null,
              "memory": null
            }
          ],
          "damaged_lines": 0,
          "requests_left_out": 0
        }
        "#);
    }

    #[test]
    fn periods() {
        assert_eq!(period("15m"), Ok(Duration::from_mins(15)));
        assert_eq!(period("1h 30m"), Ok(Duration::from_mins(90)));
        for wrong in ["", "0s", "-5m", "15", "soon"] {
            assert!(period(wrong).is_err(), "{wrong}");
        }
    }
}
