//! `env status`.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{Health, Replica, Running, Status as Found};
use menagerie_naming::EnvName;
use menagerie_plan::Summary;
use serde::Serialize;

use crate::env::facts::{Facts, VERSION, health_text, health_word};
use crate::env::name;
use crate::env::plan::{ShownCounts, ShownResource, shown_counts, shown_resources};
use crate::output::{self, Format, Terminal};
use crate::session::{self, Verbosity};

/// Look whether an environment is healthy, when it expires, and whether it has drifted
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

#[derive(Serialize)]
struct ShownStatus<'a> {
    version: u32,
    #[serde(flatten)]
    facts: Facts<'a>,
    /// `healthy`, `unhealthy` or `silent`; null where there is no URL.
    health: Option<&'static str>,
    services: Vec<ShownService<'a>>,
    databases: Vec<ShownDatabase<'a>>,
    /// What receives telemetry; null where nothing does.
    telemetry: Option<ShownTelemetry<'a>>,
    /// What an apply would have to mend; null where that is not known.
    drift: Option<Drift<'a>>,
}

#[derive(Serialize)]
struct ShownService<'a> {
    name: &'a str,
    status: &'a str,
    replicas: Vec<ShownReplica<'a>>,
}

#[derive(Serialize)]
struct ShownReplica<'a> {
    index: u32,
    zone: &'a str,
    status: &'a str,
    pid: Option<u32>,
    restarts: u32,
}

#[derive(Serialize)]
struct ShownDatabase<'a> {
    name: &'a str,
    engine: &'a str,
    status: &'a str,
    pid: Option<u32>,
}

#[derive(Serialize)]
struct ShownTelemetry<'a> {
    status: &'a str,
    directory: &'a Path,
    /// What could not be kept: the disk was full.
    dropped: u64,
}

#[derive(Serialize)]
struct Drift<'a> {
    has_drifted: bool,
    counts: ShownCounts,
    resources: Vec<ShownResource<'a>>,
}

impl Status {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let now = Timestamp::now();
        menagerie_lifecycle::find(&repository, &self.name, now)?;
        let status = session::with(terminal, &repository, self.verbosity, |session| {
            Ok(menagerie_lifecycle::status(session, &self.name, now)?)
        })?;
        match self.format {
            Format::Json => output::print_json(&shown(&status))?,
            Format::Text => output::print(&render(&status, repository.root(), now))?,
        }
        let name = &self.name;
        if status.drift.as_ref().is_some_and(|drift| !drift.is_empty()) {
            terminal.next(&format!("`cargo xtask env apply {name}` heals it"));
        } else if matches!(status.health, Some(Health::Unhealthy(_) | Health::Silent(_))) {
            terminal.next(&format!("`cargo xtask env logs {name}` shows what it says"));
        }
        Ok(())
    }
}

fn shown(status: &Found) -> ShownStatus<'_> {
    let Running { services, databases, collector, .. } = &status.running;
    ShownStatus {
        version: VERSION,
        facts: Facts::of(&status.entry),
        health: status.health.as_ref().map(health_word),
        services: services
            .iter()
            .map(|service| ShownService {
                name: &service.name,
                status: &service.status,
                replicas: service
                    .replicas
                    .iter()
                    .map(|replica| ShownReplica {
                        index: replica.index,
                        zone: &replica.zone,
                        status: &replica.status,
                        pid: replica.pid,
                        restarts: replica.restarts,
                    })
                    .collect(),
            })
            .collect(),
        databases: databases
            .iter()
            .map(|database| ShownDatabase {
                name: &database.name,
                engine: &database.engine,
                status: &database.status,
                pid: database.pid,
            })
            .collect(),
        telemetry: collector.as_ref().map(|collector| ShownTelemetry {
            status: &collector.status,
            directory: &collector.directory,
            dropped: collector.dropped,
        }),
        drift: status.drift.as_ref().map(|drift| Drift {
            has_drifted: !drift.is_empty(),
            counts: shown_counts(&drift.counts),
            resources: shown_resources(&drift.resources),
        }),
    }
}

fn render(status: &Found, root: &Path, now: Timestamp) -> String {
    let mut rows = Facts::of(&status.entry).rows(root, now);
    rows.push(("health", health_text(status.health.as_ref())));
    let Running { services, databases, collector, .. } = &status.running;
    rows.extend(services.iter().map(|service| {
        let replicas = service.replicas.iter().map(|replica| {
            let restarts = match replica.restarts {
                0 => String::new(),
                1 => ", restarted once".to_owned(),
                count => format!(", restarted {count} times"),
            };
            let Replica { index, zone, status, .. } = replica;
            format!("{}/{index} in zone {zone}: {status}{restarts}", service.name)
        });
        let lines: Vec<String> = std::iter::once(format!("{}: {}", service.name, service.status))
            .chain(replicas)
            .collect();
        ("service", lines.join("\n"))
    }));
    rows.extend(databases.iter().map(|database| {
        ("database", format!("{}: {} ({})", database.name, database.status, database.engine))
    }));
    rows.extend(collector.as_ref().map(|collector| {
        let dropped = match collector.dropped {
            0 => String::new(),
            count => format!(", {count} dropped since the disk is full"),
        };
        ("telemetry", format!("{}{dropped}", collector.status))
    }));
    rows.push(("drift", drift_text(status.drift.as_ref())));
    rows.extend(status.entry.notes.iter().map(|note| ("note", note.clone())));
    output::rows(&rows)
}

fn drift_text(drift: Option<&Summary>) -> String {
    match drift {
        None => "not known".to_owned(),
        Some(drift) if drift.is_empty() => "none".to_owned(),
        Some(drift) if drift.resources.is_empty() => "only outputs".to_owned(),
        Some(drift) => {
            let mut lines = vec![drift.counts.to_string()];
            lines.extend(drift.resources.iter().map(ToString::to_string));
            lines.join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use menagerie_lifecycle::{Collector, Database, Service};

    use super::*;
    use crate::env::facts::tests::{ROOT, deployed, failed, now};
    use crate::env::plan::tests::heals;

    fn drifted() -> Found {
        let replica = |index, status: &str, pid, restarts| Replica {
            index,
            zone: if index == 0 { "a" } else { "b" }.to_owned(),
            pid,
            status: status.to_owned(),
            restarts,
            log: "/log".into(),
        };
        Found {
            entry: deployed("calm-otter"),
            health: Some(Health::Unhealthy(503)),
            running: Running {
                supervisor: None,
                services: vec![Service {
                    name: "web".to_owned(),
                    url: "http://127.0.0.1:40001".to_owned(),
                    status: "degraded".to_owned(),
                    replicas: vec![
                        replica(0, "running", Some(7), 1),
                        replica(1, "stopped", None, 3),
                    ],
                }],
                databases: vec![Database {
                    name: "main".to_owned(),
                    engine: "postgres".to_owned(),
                    status: "running".to_owned(),
                    pid: Some(9),
                }],
                collector: Some(Collector {
                    status: "running".to_owned(),
                    directory: "/telemetry".into(),
                    dropped: 2,
                }),
            },
            drift: Some(heals()),
        }
    }

    #[test]
    fn text() {
        assert_snapshot!(render(&drifted(), Path::new(ROOT), now()), @r#"
        name       calm-otter
        phase      deployed
        url        http://127.0.0.1:40001
        owner      ada@example.com
        created    2026-07-24T10:00:00Z (5 seconds ago)
        expires    2026-07-24T18:00:00Z (in 8 hours)
        hosting    local
        size       small
        path       tf/envs/calm-otter
        health     unhealthy (answers 503)
        service    web: degraded
                   web/0 in zone a: running, restarted once
                   web/1 in zone b: stopped, restarted 3 times
        database   main: running (postgres)
        telemetry  running, 2 dropped since the disk is full
        drift      1 to update
                     ~ module.application_hosting.menagerie_service.this
                         status: "stopped" → "running"
        "#);
        let failed = Found {
            entry: failed("lost-lynx"),
            health: None,
            running: Running::default(),
            drift: None,
        };
        assert_snapshot!(render(&failed, Path::new(ROOT), now()), @"
        name    lost-lynx
        phase   destroy-failed
        health  not known: it has no URL
        drift   not known
        note    the last destroy failed: no
                wonder
        ");
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&shown(&drifted())), @r#"
        {
          "version": 1,
          "name": "calm-otter",
          "phase": "deployed",
          "url": "http://127.0.0.1:40001",
          "path": "/repository/tf/envs/calm-otter",
          "owner": "ada@example.com",
          "created": "2026-07-24T10:00:00Z",
          "expires": "2026-07-24T18:00:00Z",
          "expired": false,
          "hosting": "local",
          "size": "small",
          "resources": 2,
          "notes": [],
          "health": "unhealthy",
          "services": [
            {
              "name": "web",
              "status": "degraded",
              "replicas": [
                {
                  "index": 0,
                  "zone": "a",
                  "status": "running",
                  "pid": 7,
                  "restarts": 1
                },
                {
                  "index": 1,
                  "zone": "b",
                  "status": "stopped",
                  "pid": null,
                  "restarts": 3
                }
              ]
            }
          ],
          "databases": [
            {
              "name": "main",
              "engine": "postgres",
              "status": "running",
              "pid": 9
            }
          ],
          "telemetry": {
            "status": "running",
            "directory": "/telemetry",
            "dropped": 2
          },
          "drift": {
            "has_drifted": true,
            "counts": {
              "create": 0,
              "update": 1,
              "replace": 0,
              "destroy": 0,
              "import": 0,
              "move": 0,
              "forget": 0,
              "read": 0
            },
            "resources": [
              {
                "address": "module.application_hosting.menagerie_service.this",
                "action": "update"
              }
            ]
          }
        }
        "#);
    }
}
