//! What the environment's own processes use, as OpenTelemetry's `process.cpu.time` and `process.memory.usage`.

use super::{
    Export, Signal,
    otlp::{
        KeyValue, Metric, Metrics, NumberDataPoint, Resource, ResourceMetrics, Scope, ScopeMetrics,
        Sum, metric, number_data_point::Value,
    },
};
use crate::process::{Identity, Usage};
use std::{collections::HashMap, time::SystemTime};

/// A process to look at, and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) identity: Identity,
    /// The service or the database.
    pub(crate) name: String,
    /// Tells one replica from another: `web/0`.
    pub(crate) instance: String,
    pub(crate) role: &'static str,
    pub(crate) zone: Option<&'static str>,
}

/// Looks at processes, again and again.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    seen: HashMap<Identity, Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    start: u64,
    user: f64,
    system: f64,
}

const CUMULATIVE: i32 = 2;

impl Sampler {
    /// Returns what processes use now; `None` where none of them is there.
    pub(crate) fn sample(&mut self, subjects: &[Subject]) -> Option<Export> {
        let now = nanoseconds(SystemTime::now());
        let mut seen = HashMap::new();
        let mut resource_metrics = Vec::new();
        for subject in subjects {
            let Some(usage) = subject.identity.usage() else { continue };
            let latest = self.latest(subject, &usage, now);
            seen.insert(subject.identity.clone(), latest);
            resource_metrics.push(describe(subject, latest, usage.memory, now));
        }
        self.seen = seen;
        if resource_metrics.is_empty() {
            return None;
        }
        let body = serde_json::to_vec(&Metrics { resource_metrics }).ok()?;
        Signal::Metrics.read_json(&body).ok()
    }

    /// A sum never falls, also where a descendant ended whose time nobody inherited, and its start never moves.
    fn latest(&self, subject: &Subject, usage: &Usage, now: u64) -> Seen {
        let (user, system) = (usage.user.as_secs_f64(), usage.system.as_secs_f64());
        let Some(before) = self.seen.get(&subject.identity) else {
            let age = u64::try_from(usage.age.as_nanos()).unwrap_or_default();
            return Seen { start: now.saturating_sub(age), user, system };
        };
        Seen { start: before.start, user: user.max(before.user), system: system.max(before.system) }
    }
}

fn describe(subject: &Subject, seen: Seen, memory: u64, now: u64) -> ResourceMetrics {
    let mut attributes = vec![
        KeyValue::text("service.name", &subject.name),
        KeyValue::text("service.instance.id", &subject.instance),
        KeyValue::text("menagerie.role", subject.role),
    ];
    attributes.extend(subject.zone.map(|zone| KeyValue::text("menagerie.zone", zone)));
    let point = |mode: Option<&str>, value| NumberDataPoint {
        attributes: mode.map(|mode| KeyValue::text("cpu.mode", mode)).into_iter().collect(),
        start_time_unix_nano: seen.start,
        time_unix_nano: now,
        value: Some(value),
        ..NumberDataPoint::default()
    };
    let sum = |name: &str, unit: &str, is_monotonic, data_points| Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        data: Some(metric::Data::Sum(Sum {
            data_points,
            aggregation_temporality: CUMULATIVE,
            is_monotonic,
        })),
        ..Metric::default()
    };
    let cpu = vec![
        point(Some("user"), Value::Double(seen.user)),
        point(Some("system"), Value::Double(seen.system)),
    ];
    let memory = vec![point(None, Value::Int(i64::try_from(memory).unwrap_or(i64::MAX)))];
    let metrics = vec![
        sum("process.cpu.time", "s", true, cpu),
        sum("process.memory.usage", "By", false, memory),
    ];
    let scope = Scope {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Scope::default()
    };
    ResourceMetrics {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_metrics: vec![ScopeMetrics {
            scope: Some(scope),
            metrics,
            ..ScopeMetrics::default()
        }],
        ..ResourceMetrics::default()
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_says_whose_it_is_and_never_falls() {
        let subject = Subject {
            identity: Identity::own().unwrap(),
            name: "web".to_owned(),
            instance: "web/1".to_owned(),
            role: "replica",
            zone: Some("b"),
        };
        let gone = Subject {
            identity: Identity { pid: 999_999_999, started: "0".to_owned() },
            ..subject.clone()
        };
        let mut sampler = Sampler::default();
        let first = sampler.sample(&[gone.clone(), subject.clone()]).unwrap();
        assert_eq!(first.items, 3);
        let value: serde_json::Value = serde_json::from_slice(&first.line).unwrap();
        let found = &value["resourceMetrics"][0];
        assert_eq!(value["resourceMetrics"].as_array().unwrap().len(), 1);
        assert_eq!(
            found["resource"]["attributes"].to_string(),
            r#"[{"key":"service.name","value":{"stringValue":"web"}},{"key":"service.instance.id","value":{"stringValue":"web/1"}},{"key":"menagerie.role","value":{"stringValue":"replica"}},{"key":"menagerie.zone","value":{"stringValue":"b"}}]"#
        );
        let metrics = &found["scopeMetrics"][0]["metrics"];
        assert_eq!(
            (&metrics[0]["name"], &metrics[0]["unit"]),
            (&"process.cpu.time".into(), &"s".into())
        );
        assert_eq!(metrics[0]["sum"]["isMonotonic"], true);
        let memory = &metrics[1]["sum"]["dataPoints"][0]["asInt"];
        assert!(memory.as_str().unwrap().parse::<u64>().unwrap() > 100_000, "{memory}");
        let again: serde_json::Value =
            serde_json::from_slice(&sampler.sample(&[subject]).unwrap().line).unwrap();
        let cpu = |value: &serde_json::Value, index: usize, field: &str| {
            value["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"][index]
                [field]
                .clone()
        };
        assert_eq!(cpu(&again, 0, "startTimeUnixNano"), cpu(&value, 0, "startTimeUnixNano"));
        assert_eq!(
            cpu(&again, 1, "attributes").to_string(),
            r#"[{"key":"cpu.mode","value":{"stringValue":"system"}}]"#
        );
        for index in [0, 1] {
            assert!(
                cpu(&again, index, "asDouble").as_f64() >= cpu(&value, index, "asDouble").as_f64()
            );
        }
        assert_eq!(sampler.sample(&[gone]), None);
    }
}
