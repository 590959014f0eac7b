//! `env destroy`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{Certificate, Entry, Phase, Repository};
use menagerie_naming::EnvName;
use menagerie_plan::StateFile;
use serde::Serialize;

use crate::env::facts::{Facts, VERSION, relative};
use crate::env::name;
use crate::env::question::Question;
use crate::output::{self, Format, Terminal};
use crate::session::{self, Verbosity};

/// Destroy an environment, prove that nothing is left, and write a certificate of that
///
/// It asks for the name on a terminal and needs `--confirm NAME` elsewhere. One that was interrupted is gone on with.
#[derive(Debug, Args)]
pub(crate) struct Destroy {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Confirm by repeating the name
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,

    /// Show what would be destroyed, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

#[derive(Serialize)]
struct Ending<'a> {
    version: u32,
    name: &'a EnvName,
    phase: &'static str,
    /// When nothing of it was left.
    destroyed: Timestamp,
    /// The resources that Terraform destroyed.
    resources: &'a [String],
    /// What still ran after that, and was ended.
    ended: Vec<String>,
    /// What still lay there after that, and was removed.
    removed: Vec<String>,
    certificate: String,
}

#[derive(Serialize)]
struct Doomed<'a> {
    version: u32,
    #[serde(flatten)]
    facts: Facts<'a>,
    /// The addresses of the resources in its state.
    would_destroy: &'a [String],
}

impl Destroy {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let name = &self.name;
        let now = Timestamp::now();
        let entry = menagerie_lifecycle::find(&repository, name, now)?;
        if self.dry_run {
            return print_doomed(terminal, &repository, &entry, self.format, now);
        }
        question(name).confirm(self.confirm.as_deref(), || {
            output::rows(&Facts::of(&entry).rows(repository.root(), now))
        })?;
        let certificate = session::with(terminal, &repository, self.verbosity, |session| {
            Ok(menagerie_lifecycle::destroy(session, name)?)
        })?;
        let path = repository.home().certificate(name);
        match self.format {
            Format::Json => output::print_json(&destroyed(&certificate, &path))?,
            Format::Text => {
                output::print(&render(&certificate, &relative(&path, repository.root())))?;
            }
        }
        if entry.phase == Phase::Gone {
            output::say(&format!("`{name}` was gone already"));
        } else {
            output::say(&format!("`{name}` is gone; its name is never used again"));
        }
        if let Some(directory) = menagerie_lifecycle::find(&repository, name, now)?.directory {
            terminal.next(&format!(
                "remove `{}`, which this checkout still has",
                relative(&directory, repository.root())
            ));
        }
        Ok(())
    }
}

/// Returns the question that is asked before something is destroyed.
pub(crate) fn question(name: &EnvName) -> Question<'_> {
    Question {
        name,
        action: "destroy it",
        refused: format!("`{name}` is not destroyed"),
        command: format!("cargo xtask env destroy {name}"),
    }
}

fn destroyed<'a>(certificate: &'a Certificate, path: &Path) -> Ending<'a> {
    Ending {
        version: VERSION,
        name: &certificate.name,
        phase: Phase::Gone.as_str(),
        destroyed: certificate.destroyed,
        resources: &certificate.resources,
        ended: ended(certificate),
        removed: certificate.swept.removed.iter().map(|path| path.display().to_string()).collect(),
        certificate: path.display().to_string(),
    }
}

fn ended(certificate: &Certificate) -> Vec<String> {
    certificate
        .swept
        .ended
        .iter()
        .map(|ended| format!("{} `{}` (pid {})", ended.kind, ended.name, ended.pid))
        .collect()
}

fn render(certificate: &Certificate, path: &str) -> String {
    let mut rows = vec![
        ("name", certificate.name.to_string()),
        ("phase", Phase::Gone.to_string()),
        ("destroyed", format!("{:.0}", certificate.destroyed)),
    ];
    let mut list = |label, lines: Vec<String>| {
        rows.extend((!lines.is_empty()).then(|| (label, lines.join("\n"))));
    };
    list("resources", certificate.resources.clone());
    list("ended", ended(certificate));
    rows.push(("certificate", path.to_owned()));
    output::rows(&rows)
}

fn print_doomed(
    terminal: Terminal,
    repository: &Repository,
    entry: &Entry,
    format: Format,
    now: Timestamp,
) -> anyhow::Result<()> {
    let resources = resources(&repository.home().environment(&entry.name).state())?;
    match format {
        Format::Json => output::print_json(&Doomed {
            version: VERSION,
            facts: Facts::of(entry),
            would_destroy: &resources,
        })?,
        Format::Text => output::print(&render_doomed(entry, &resources, repository.root(), now))?,
    }
    let name = &entry.name;
    if entry.phase == Phase::Gone {
        output::say(&format!("`{name}` is gone already"));
    } else {
        output::say("nothing was destroyed");
        terminal.next(&format!("`cargo xtask env destroy {name} --confirm {name}` destroys it"));
    }
    Ok(())
}

/// Returns the addresses of what a state holds; a state that is absent holds nothing.
fn resources(state: &Path) -> anyhow::Result<Vec<String>> {
    let failed = || format!("failed to read `{}`", state.display());
    match fs::read(state) {
        Ok(json) => Ok(StateFile::from_json(&json).with_context(failed)?.managed()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(failed),
    }
}

fn render_doomed(entry: &Entry, resources: &[String], root: &Path, now: Timestamp) -> String {
    let mut rows = Facts::of(entry).rows(root, now);
    rows.extend((!resources.is_empty()).then(|| ("resources", resources.join("\n"))));
    rows.extend(entry.notes.iter().map(|note| ("note", note.clone())));
    output::rows(&rows)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use menagerie_lifecycle::{Ended, Swept};

    use super::*;
    use crate::env::facts::tests::{ROOT, deployed, now};

    fn certificate(swept: Swept) -> Certificate {
        Certificate {
            version: 1,
            name: "calm-otter".parse().unwrap(),
            owner: Some("ada@example.com".to_owned()),
            destroyed: now(),
            resources: vec![
                "module.development.module.database.menagerie_database.this".to_owned(),
            ],
            swept,
            terraform: "1.11.4".to_owned(),
            tool: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn text() {
        assert_snapshot!(render(&certificate(Swept::default()), ".git/menagerie/certificates/calm-otter.json"), @"
        name         calm-otter
        phase        gone
        destroyed    2026-07-24T10:00:05Z
        resources    module.development.module.database.menagerie_database.this
        certificate  .git/menagerie/certificates/calm-otter.json
        ");
        assert_snapshot!(render_doomed(&deployed("calm-otter"), &["a.b".to_owned(), "c.d".to_owned()], Path::new(ROOT), now()), @"
        name       calm-otter
        phase      deployed
        url        http://127.0.0.1:40001
        owner      ada@example.com
        created    2026-07-24T10:00:00Z (5 seconds ago)
        expires    2026-07-24T18:00:00Z (in 8 hours)
        hosting    local
        size       small
        path       tf/envs/calm-otter
        resources  a.b
                   c.d
        ");
    }

    #[test]
    fn json() {
        let ended = vec![Ended { kind: "replica".to_owned(), name: "web/0".to_owned(), pid: 7 }];
        let certificate =
            certificate(Swept { ended, removed: vec!["/var/lib/menagerie/x".into()] });
        assert_snapshot!(output::json(&destroyed(&certificate, Path::new("/certificates/calm-otter.json"))), @r#"
        {
          "version": 1,
          "name": "calm-otter",
          "phase": "gone",
          "destroyed": "2026-07-24T10:00:05Z",
          "resources": [
            "module.development.module.database.menagerie_database.this"
          ],
          "ended": [
            "replica `web/0` (pid 7)"
          ],
          "removed": [
            "/var/lib/menagerie/x"
          ],
          "certificate": "/certificates/calm-otter.json"
        }
        "#);
    }

    #[test]
    fn an_absent_state_holds_nothing_and_a_broken_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("terraform.tfstate");
        assert_eq!(resources(&state).unwrap(), Vec::<String>::new());
        fs::write(&state, "{").unwrap();
        assert!(resources(&state).unwrap_err().to_string().starts_with("failed to read `"));
    }
}
