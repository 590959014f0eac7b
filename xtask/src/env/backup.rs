//! `env backup`.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::Copied;
use menagerie_naming::EnvName;
use serde::Serialize;

use crate::env::facts::{VERSION, relative};
use crate::env::name;
use crate::output::{self, Format, Terminal};
use crate::session::{self, Verbosity};

/// Back up an environment's database into a file
///
/// The application goes on; with SQLite it is paused while the file is copied. A backup outlives its environment, and can
/// be restored into another one with the same kind of database.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Write this file, which must not exist; without it a new one in `.git/menagerie/backups/`
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Back up this database, where the environment has several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

/// A backup, as it is printed.
#[derive(Serialize)]
pub(super) struct ShownBackup<'a> {
    version: u32,
    name: &'a EnvName,
    database: &'a str,
    engine: &'a str,
    file: &'a Path,
    bytes: u64,
    created: Timestamp,
}

impl Backup {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let name = &self.name;
        menagerie_lifecycle::find(&repository, name, Timestamp::now())?;
        let copied = session::with(terminal, &repository, self.verbosity, |session| {
            let (database, output) = (self.database.as_deref(), self.output.as_deref());
            Ok(menagerie_lifecycle::back_up(session, name, database, output)?)
        })?;
        match self.format {
            Format::Json => output::print_json(&shown(name, &copied))?,
            Format::Text => output::print(&output::rows(&rows(name, &copied, repository.root())))?,
        }
        let file = relative(&copied.file, repository.root());
        terminal.next(&format!(
            "`cargo xtask env restore {name} --input {file} --confirm {name}` brings it back"
        ));
        Ok(())
    }
}

pub(super) fn shown<'a>(name: &'a EnvName, copied: &'a Copied) -> ShownBackup<'a> {
    ShownBackup {
        version: VERSION,
        name,
        database: &copied.database,
        engine: &copied.engine,
        file: &copied.file,
        bytes: copied.bytes,
        created: created(copied),
    }
}

pub(super) fn rows(name: &EnvName, copied: &Copied, root: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("name", name.to_string()),
        ("database", format!("{} ({})", copied.database, copied.engine)),
        ("file", relative(&copied.file, root)),
        ("bytes", copied.bytes.to_string()),
        ("created", format!("{:.0}", created(copied))),
    ]
}

fn created(copied: &Copied) -> Timestamp {
    i64::try_from(copied.created)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
pub(super) mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::facts::tests::ROOT;

    pub(in crate::env) fn copied(note: Option<&str>) -> Copied {
        Copied {
            database: "calm-otter".to_owned(),
            engine: "postgres".to_owned(),
            file: Path::new(ROOT).join(".git/menagerie/backups/calm-otter/1.backup"),
            bytes: 4096,
            created: 1_784_887_205,
            note: note.map(str::to_owned),
        }
    }

    #[test]
    fn text_and_json() {
        let name = "calm-otter".parse().unwrap();
        assert_snapshot!(output::rows(&rows(&name, &copied(None), Path::new(ROOT))), @"
        name      calm-otter
        database  calm-otter (postgres)
        file      .git/menagerie/backups/calm-otter/1.backup
        bytes     4096
        created   2026-07-24T10:00:05Z
        ");
        assert_snapshot!(output::json(&shown(&name, &copied(None))), @r#"
        {
          "version": 1,
          "name": "calm-otter",
          "database": "calm-otter",
          "engine": "postgres",
          "file": "/repository/.git/menagerie/backups/calm-otter/1.backup",
          "bytes": 4096,
          "created": "2026-07-24T10:00:05Z"
        }
        "#);
    }
}
