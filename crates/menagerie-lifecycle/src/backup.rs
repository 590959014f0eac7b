//! `env backup` and `env restore`: what an environment's database holds, out of it and back.

use crate::file;
use crate::hosting::{Copied, HostingError, LocalHosting};
use crate::inventory::{self, Phase};
use crate::run::RunError;
use crate::session::{Held, Session, Step};
use jiff::Timestamp;
use menagerie_naming::EnvName;
use menagerie_terraform::Journal;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How a database is restored.
#[derive(Debug, Clone, Copy)]
pub struct RestoreOptions<'a> {
    /// The database; the only one where none is named.
    pub database: Option<&'a str>,
    /// The backup.
    pub input: &'a Path,
    /// Backs up what the database holds before it is replaced.
    pub keeps: bool,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup that was restored.
    pub copied: Copied,
    /// Where the content is that it took the place of.
    pub kept: Option<PathBuf>,
}

/// A line of the journal. It is no milestone, for none of what an environment is changes with it.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    BackedUp { database: &'a str, file: &'a Path },
    Restored { database: &'a str, file: &'a Path },
}

/// Backs up an environment's database into a new file: `output`, else one among the environment's backups.
pub fn back_up(
    session: &mut Session<'_>,
    name: &EnvName,
    database: Option<&str>,
    output: Option<&Path>,
) -> Result<Copied, RunError> {
    check_not_gone(session, name)?;
    let held = session.hold(name, "a backup")?;
    held.entry.check_here()?;
    session.step(name, Step::BackUp);
    let output = match output {
        Some(output) => output.to_owned(),
        None => new_file(session, name, "")?,
    };
    let copied = hosting(session, &held).back_up(database, &output);
    finish(session, &held, "the backup", copied, |copied| Event::BackedUp {
        database: &copied.database,
        file: &copied.file,
    })
}

/// Puts a backup in the place of what an environment's database holds, or changes nothing.
pub fn restore(
    session: &mut Session<'_>,
    name: &EnvName,
    options: RestoreOptions<'_>,
) -> Result<Restored, RunError> {
    check_not_gone(session, name)?;
    let held = session.hold(name, "a restore")?;
    held.entry.check_here()?;
    held.check_wanted()?;
    let mut kept = None;
    if options.keeps {
        session.step(name, Step::BackUp);
        let output = new_file(session, name, "-before-restore")?;
        let copied = hosting(session, &held).back_up(options.database, &output);
        let copied = finish(session, &held, "the backup", copied, |copied| Event::BackedUp {
            database: &copied.database,
            file: &copied.file,
        })?;
        session.note(&format!("what it holds now is kept in `{}`", copied.file.display()));
        kept = Some(copied.file);
    }
    session.step(name, Step::Restore);
    let copied = hosting(session, &held).restore(options.database, options.input);
    let copied = finish(session, &held, "the restore", copied, |copied| Event::Restored {
        database: &copied.database,
        file: &copied.file,
    })?;
    Ok(Restored { copied, kept })
}

/// Looks before it is held, which would leave a directory of records.
fn check_not_gone(session: &Session<'_>, name: &EnvName) -> Result<(), RunError> {
    match inventory::find(session.repository, name, Timestamp::now())?.phase {
        Phase::Gone => Err(RunError::Ending(name.clone())),
        _ => Ok(()),
    }
}

fn hosting(session: &Session<'_>, held: &Held) -> LocalHosting {
    LocalHosting::borrow(&session.provider, &held.records.local())
}

/// Writes into the journal what was done, or tells an interrupt from a failure: Ctrl-C reaches the provider's command
/// too, but not the supervisor.
fn finish(
    session: &Session<'_>,
    held: &Held,
    during: &'static str,
    copied: Result<Copied, HostingError>,
    event: impl FnOnce(&Copied) -> Event<'_>,
) -> Result<Copied, RunError> {
    match copied {
        Ok(copied) => {
            Journal::new(held.journal.clone()).append(&event(&copied))?;
            Ok(copied)
        }
        Err(_) if session.cancel.count() > 0 => {
            Err(RunError::Interrupted { name: held.name.clone(), during })
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns a path that nothing has, with the time in its name.
fn new_file(session: &Session<'_>, name: &EnvName, what: &str) -> Result<PathBuf, RunError> {
    let directory = session.repository.home().backups(name);
    file::create_private_directory(&directory)?;
    for entry in file::list(&directory)? {
        // Of a backup that was cut short: nobody else is at it, since the environment is held.
        if entry.starts_with('.') && entry.ends_with(".partial") {
            file::remove_file_if_present(&directory.join(entry))?;
        }
    }
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut path = directory.join(format!("{time}{what}.backup"));
    let mut number = 1;
    while path.exists() {
        number += 1;
        path = directory.join(format!("{time}{what}-{number}.backup"));
    }
    Ok(path)
}
