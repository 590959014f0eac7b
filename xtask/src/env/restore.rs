//! `env restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{RestoreOptions, Restored};
use menagerie_naming::EnvName;
use serde::Serialize;

use crate::env::backup::{ShownBackup, rows, shown};
use crate::env::facts::{Facts, relative};
use crate::env::name;
use crate::env::question::Question;
use crate::output::{self, Format, Terminal};
use crate::session::{self, Verbosity};

/// Replace what an environment's database holds by a backup, or change nothing
///
/// What it holds is backed up before. The application is ended for a moment and started again on what was restored. It
/// asks for the name on a terminal and needs `--confirm NAME` elsewhere.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Restore this backup
    #[arg(long, value_name = "FILE")]
    input: PathBuf,

    /// Confirm by repeating the name
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,

    /// Restore without backing up first what the database holds now
    #[arg(long)]
    no_backup: bool,

    /// Restore this database, where the environment has several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

#[derive(Serialize)]
struct ShownRestore<'a> {
    #[serde(flatten)]
    backup: ShownBackup<'a>,
    /// The backup of what was there before.
    kept: Option<&'a Path>,
    /// What should be known besides, such as that a service does not run on it.
    note: Option<&'a str>,
}

impl Restore {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let name = &self.name;
        let now = Timestamp::now();
        let entry = menagerie_lifecycle::find(&repository, name, now)?;
        let input = self.input.display();
        let question = Question {
            name,
            action: "replace what its database holds",
            refused: format!("the database of `{name}` is left as it is"),
            command: format!("cargo xtask env restore {name} --input {input}"),
        };
        question.confirm(self.confirm.as_deref(), || {
            output::rows(&Facts::of(&entry).rows(repository.root(), now))
        })?;
        let restored = session::with(terminal, &repository, self.verbosity, |session| {
            let database = self.database.as_deref();
            let options = RestoreOptions { database, input: &self.input, keeps: !self.no_backup };
            Ok(menagerie_lifecycle::restore(session, name, options)?)
        })?;
        match self.format {
            Format::Json => output::print_json(&shown_restore(name, &restored))?,
            Format::Text => output::print(&render(name, &restored, repository.root()))?,
        }
        if let Some(note) = &restored.copied.note {
            terminal.warn(note);
        }
        if let Some(kept) = &restored.kept {
            let kept = relative(kept, repository.root());
            terminal.next(&format!(
                "`cargo xtask env restore {name} --input {kept} --confirm {name}` undoes it"
            ));
        }
        Ok(())
    }
}

fn shown_restore<'a>(name: &'a EnvName, restored: &'a Restored) -> ShownRestore<'a> {
    ShownRestore {
        backup: shown(name, &restored.copied),
        kept: restored.kept.as_deref(),
        note: restored.copied.note.as_deref(),
    }
}

fn render(name: &EnvName, restored: &Restored, root: &Path) -> String {
    let mut rows = rows(name, &restored.copied, root);
    rows.extend(restored.kept.as_deref().map(|kept| ("before", relative(kept, root))));
    output::rows(&rows)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::backup::tests::copied;
    use crate::env::facts::tests::ROOT;

    #[test]
    fn text_and_json() {
        let name = "calm-otter".parse().unwrap();
        let kept = Some(Path::new(ROOT).join("2-before-restore.backup"));
        let restored = Restored { copied: copied(Some("the service does not run")), kept };
        assert_snapshot!(render(&name, &restored, Path::new(ROOT)), @"
        name      calm-otter
        database  calm-otter (postgres)
        file      .git/menagerie/backups/calm-otter/1.backup
        bytes     4096
        created   2026-07-24T10:00:05Z
        before    2-before-restore.backup
        ");
        assert_snapshot!(output::json(&shown_restore(&name, &restored)), @r#"
        {
          "version": 1,
          "name": "calm-otter",
          "database": "calm-otter",
          "engine": "postgres",
          "file": "/repository/.git/menagerie/backups/calm-otter/1.backup",
          "bytes": 4096,
          "created": "2026-07-24T10:00:05Z",
          "kept": "/repository/2-before-restore.backup",
          "note": "the service does not run"
        }
        "#);
    }
}
