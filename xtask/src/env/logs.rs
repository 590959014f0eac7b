//! `env logs`.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{Follow, Lines, Log, Phase, Repository};
use menagerie_naming::EnvName;

use crate::env::name;
use crate::interrupt::Asked;
use crate::output::{self, Terminal};
use crate::report::Problem;
use crate::session;

/// Print the last lines that an environment's services wrote
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Print only this service's lines
    #[arg(long)]
    service: Option<String>,

    /// Print at most so many lines of each replica
    #[arg(long, value_name = "N", default_value_t = 100)]
    lines: usize,

    /// Go on with what is written from now on, also by replicas that come later, until Ctrl-C or the environment's end
    #[arg(long, short)]
    follow: bool,
}

impl Logs {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let name = &self.name;
        let logs = menagerie_lifecycle::logs(&repository, name)?;
        let is_gone = || -> anyhow::Result<bool> {
            let entry = menagerie_lifecycle::find(&repository, name, Timestamp::now())?;
            Ok(entry.phase == Phase::Gone)
        };
        let follows = self.follow && !is_gone()?;
        if logs.is_empty() {
            let waiting = if follows { " yet: waiting for them" } else { "" };
            terminal.note(&format!("`{name}` has no logs on this machine{waiting}"));
        } else {
            check_service(&logs, self.service.as_deref())?;
        }
        let mut follow = Follow::new(&repository, name, self.service.clone(), self.lines);
        if follows {
            return self.follow(terminal, &repository, &mut follow);
        }
        print(&follow.read()?)?;
        print(&follow.rest()).map(drop)
    }

    /// Prints until the user, the reader or the environment has had enough.
    fn follow(
        &self,
        terminal: Terminal,
        repository: &Repository,
        follow: &mut Follow,
    ) -> anyhow::Result<()> {
        const PAUSE: Duration = Duration::from_millis(100);
        let asked = Asked::listen().context("failed to listen for signals")?;
        let records = repository.home().environment(&self.name);
        while !asked.to_stop() {
            // Looked for first, so that nothing is missed that was written before it went.
            let is_there = records.directory().exists();
            if !print(&follow.read()?)? || !output::pause(PAUSE) {
                return Ok(());
            }
            if !is_there && !repository.directory(&self.name).exists() {
                terminal.note(&format!("`{}` is gone", self.name));
                break;
            }
        }
        print(&follow.rest()).map(drop)
    }
}

/// Prints lines with whose they are; returns whether somebody still reads.
fn print(lines: &[Lines]) -> anyhow::Result<bool> {
    for Lines { log, text } in lines {
        let prefix = format!("{}/{} | ", log.service, log.replica);
        if !output::print_to_reader(&prefixed(text, &prefix))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Refuses a service that there is not.
fn check_service(logs: &[Log], service: Option<&str>) -> Result<(), Problem> {
    let Some(service) = service else { return Ok(()) };
    if logs.iter().any(|log| log.service == service) {
        return Ok(());
    }
    let services: BTreeSet<String> = logs.iter().map(|log| format!("`{}`", log.service)).collect();
    let services = Vec::from_iter(services).join(", ");
    Err(Problem::usage(format!("there is no service `{}`", service.escape_debug()))
        .hint(format!("there is {services}")))
}

/// Puts a prefix before each line.
fn prefixed(text: &[u8], prefix: &str) -> Vec<u8> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.flat_map(|line| [prefix.as_bytes(), line].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_whose_they_are() {
        assert_eq!(prefixed(b"a\n\nb\n", "web/0 | "), b"web/0 | a\nweb/0 | \nweb/0 | b\n");
        assert_eq!(prefixed(b"", "web/0 | "), b"");
    }

    #[test]
    fn one_service() {
        let log = |service: &str| Log {
            service: service.to_owned(),
            replica: "0".to_owned(),
            path: "/log".into(),
        };
        let logs = [log("web"), log("worker")];
        check_service(&logs, None).unwrap();
        check_service(&logs, Some("web")).unwrap();
        assert_eq!(
            check_service(&logs, Some("db\n")).unwrap_err().to_string(),
            r"there is no service `db\n`"
        );
    }
}
