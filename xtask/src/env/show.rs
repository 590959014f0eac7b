//! `env show`.

use clap::Args;
use jiff::Timestamp;
use menagerie_config::{DatabaseEngine, HealthCheckPath, Settings, VariableName};
use menagerie_lifecycle::Entry;
use menagerie_naming::EnvName;
use serde::Serialize;
use std::path::Path;

use crate::env::facts::{Facts, VERSION};
use crate::env::name;
use crate::output::{self, Format};
use crate::session;

/// Show what an environment is meant to be and what this machine knows of it
///
/// Runs nothing; `env status` looks whether it is healthy and has drifted.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Shown<'a> {
    version: u32,
    #[serde(flatten)]
    facts: Facts<'a>,
    template_version: Option<u32>,
    settings: Option<ShownSettings<'a>>,
}

/// Settings; the values of variables stay out, since what should not have been written there need not be spread.
#[derive(Serialize)]
struct ShownSettings<'a> {
    desired_count: Option<u32>,
    port: Option<u16>,
    health_check_path: Option<&'a str>,
    log_retention_days: Option<u32>,
    database_engine: Option<&'static str>,
    variables: Vec<&'a str>,
}

impl Show {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let now = Timestamp::now();
        let entry = menagerie_lifecycle::find(&repository, &self.name, now)?;
        match self.format {
            Format::Json => output::print_json(&shown(&entry)),
            Format::Text => output::print(&render(&entry, repository.root(), now)),
        }
    }
}

fn shown(entry: &Entry) -> Shown<'_> {
    let environment = entry.environment.as_ref();
    Shown {
        version: VERSION,
        facts: Facts::of(entry),
        template_version: environment.map(|environment| environment.template.version),
        settings: environment.map(|environment| shown_settings(&environment.settings)),
    }
}

fn shown_settings(settings: &Settings) -> ShownSettings<'_> {
    ShownSettings {
        desired_count: settings.desired_count,
        port: settings.port,
        health_check_path: settings.health_check_path.as_ref().map(HealthCheckPath::as_str),
        log_retention_days: settings.log_retention_days,
        database_engine: settings.database_engine.map(DatabaseEngine::as_str),
        variables: settings.environment.keys().map(VariableName::as_str).collect(),
    }
}

fn render(entry: &Entry, root: &Path, now: Timestamp) -> String {
    let mut rows = Facts::of(entry).rows(root, now);
    if let Some(environment) = &entry.environment {
        let settings = settings_text(&environment.settings);
        rows.extend((!settings.is_empty()).then_some(("settings", settings)));
        rows.push(("template", format!("version {}", environment.template.version)));
    }
    rows.push(("resources", entry.resources.to_string()));
    rows.extend(entry.notes.iter().map(|note| ("note", note.clone())));
    output::rows(&rows)
}

fn settings_text(settings: &Settings) -> String {
    let ShownSettings {
        desired_count,
        port,
        health_check_path,
        log_retention_days,
        database_engine,
        variables,
    } = shown_settings(settings);
    let mut lines = Vec::new();
    lines.extend(desired_count.map(|count| format!("desired_count = {count}")));
    lines.extend(port.map(|port| format!("port = {port}")));
    lines.extend(health_check_path.map(|path| format!("health_check_path = {path}")));
    lines.extend(log_retention_days.map(|days| format!("log_retention_days = {days}")));
    lines.extend(database_engine.map(|engine| format!("database_engine = {engine}")));
    lines.extend(variables.iter().map(|name| format!("environment.{name}")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::facts::tests::{ROOT, deployed, failed, now};

    #[test]
    fn text() {
        assert_snapshot!(render(&deployed("calm-otter"), Path::new(ROOT), now()), @"
        name       calm-otter
        phase      deployed
        url        http://127.0.0.1:40001
        owner      ada@example.com
        created    2026-07-24T10:00:00Z (5 seconds ago)
        expires    2026-07-24T18:00:00Z (in 8 hours)
        hosting    local
        size       small
        path       tf/envs/calm-otter
        settings   desired_count = 2
                   environment.LOG_LEVEL
        template   version 1
        resources  2
        ");
        assert_snapshot!(render(&failed("lost-lynx"), Path::new(ROOT), now()), @"
        name       lost-lynx
        phase      destroy-failed
        resources  1
        note       the last destroy failed: no
                   wonder
        ");
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&shown(&deployed("calm-otter"))), @r#"
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
          "template_version": 1,
          "settings": {
            "desired_count": 2,
            "port": null,
            "health_check_path": null,
            "log_retention_days": null,
            "database_engine": null,
            "variables": [
              "LOG_LEVEL"
            ]
          }
        }
        "#);
    }
}
