//! What is true after an apply, for `env up` and `env apply`.

use std::path::Path;

use jiff::Timestamp;
use menagerie_lifecycle::{Applied, ApplyOptions, Entry, Health, Repository, Session};
use menagerie_naming::EnvName;
use serde::Serialize;

use crate::env::facts::{Facts, VERSION, health_text, health_word};
use crate::exit;
use crate::expiry;
use crate::output::{self, Format, Terminal};
use crate::report::Problem;

#[derive(Serialize)]
struct Deployment<'a> {
    version: u32,
    #[serde(flatten)]
    facts: Facts<'a>,
    health: Option<&'static str>,
}

/// Applies, and looks what the environment is then.
pub(crate) fn apply(
    session: &mut Session<'_>,
    name: &EnvName,
    options: &ApplyOptions,
) -> anyhow::Result<(Applied, Entry)> {
    let applied = menagerie_lifecycle::apply(session, name, options)?;
    let entry = menagerie_lifecycle::find(session.repository, name, Timestamp::now())?;
    Ok((applied, entry))
}

/// Prints an environment that was just applied, and fails where it does not answer as it should.
pub(crate) fn print(
    terminal: Terminal,
    repository: &Repository,
    (applied, entry): &(Applied, Entry),
    format: Format,
) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let health = applied.health.as_ref();
    match format {
        Format::Json => output::print_json(&deployment(entry, health))?,
        Format::Text => output::print(&render(entry, health, repository.root(), now))?,
    }
    let name = &entry.name;
    if !applied.summary.is_empty() {
        output::say(&format!("applied the plan: {}", applied.summary.counts));
    }
    match health {
        Some(health @ (Health::Unhealthy(_) | Health::Silent(_))) => {
            let message = format!("`{name}` is deployed, but it is {}", health_text(Some(health)));
            Err(Problem::new(exit::FAILED, message)
                .hint(format!("`cargo xtask env logs {name}` shows what it says"))
                .into())
        }
        Some(Health::Healthy(_)) | None => {
            output::say(&conclusion(entry, now));
            terminal.next(&format!(
                "`cargo xtask env destroy {name} --confirm {name}` when you no longer need it"
            ));
            Ok(())
        }
    }
}

fn deployment<'a>(entry: &'a Entry, health: Option<&Health>) -> Deployment<'a> {
    Deployment { version: VERSION, facts: Facts::of(entry), health: health.map(health_word) }
}

fn render(entry: &Entry, health: Option<&Health>, root: &Path, now: Timestamp) -> String {
    let mut rows = Facts::of(entry).rows(root, now);
    rows.push(("health", health_text(health)));
    rows.extend(entry.notes.iter().map(|note| ("note", note.clone())));
    output::rows(&rows)
}

fn conclusion(entry: &Entry, now: Timestamp) -> String {
    let mut parts = vec![match &entry.url {
        Some(url) => format!("`{}` answers at {url}", entry.name),
        None => format!("`{}` is {}", entry.name, entry.phase),
    }];
    if let Some(environment) = &entry.environment {
        parts.push(format!("owned by {}", environment.owner));
        parts.push(format!("expires {}", expiry::relative(environment.expires, now)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::facts::tests::{ROOT, deployed, failed, now};

    #[test]
    fn text() {
        let health = Health::Healthy(200);
        assert_snapshot!(render(&deployed("calm-otter"), Some(&health), Path::new(ROOT), now()), @"
        name     calm-otter
        phase    deployed
        url      http://127.0.0.1:40001
        owner    ada@example.com
        created  2026-07-24T10:00:00Z (5 seconds ago)
        expires  2026-07-24T18:00:00Z (in 8 hours)
        hosting  local
        size     small
        path     tf/envs/calm-otter
        health   healthy (answers 200)
        ");
        assert_snapshot!(conclusion(&deployed("calm-otter"), now()), @"`calm-otter` answers at http://127.0.0.1:40001, owned by ada@example.com, expires in 8 hours");
        assert_snapshot!(conclusion(&failed("lost-lynx"), now()), @"`lost-lynx` is destroy-failed");
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&deployment(&deployed("calm-otter"), Some(&Health::Healthy(200)))), @r#"
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
          "health": "healthy"
        }
        "#);
    }
}
