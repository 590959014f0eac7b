//! `env list`.

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::Entry;
use serde::Serialize;

use crate::env::facts::{Facts, VERSION};
use crate::expiry;
use crate::output::{self, Format, Terminal};
use crate::session;

/// List environments: those of this checkout and those that this machine has records of
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Listing<'a> {
    version: u32,
    environments: Vec<Facts<'a>>,
}

impl List {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let now = Timestamp::now();
        let entries = menagerie_lifecycle::list(&repository, now)?;
        match self.format {
            Format::Json => {
                let environments = entries.iter().map(Facts::of).collect();
                output::print_json(&Listing { version: VERSION, environments })
            }
            Format::Text if entries.is_empty() => {
                output::say("there is no environment");
                terminal.next("`cargo xtask env up` makes one and starts it");
                Ok(())
            }
            Format::Text => output::print(&render(&entries, now)),
        }
    }
}

fn render(entries: &[Entry], now: Timestamp) -> String {
    let lines: Vec<_> = entries.iter().map(|entry| line(entry, now)).collect();
    let mut text = output::table(["NAME", "PHASE", "OWNER", "HOSTING", "EXPIRES", "URL"], &lines);
    let notes =
        entries.iter().flat_map(|entry| entry.notes.iter().map(move |note| (&entry.name, note)));
    let notes: Vec<String> =
        notes.map(|(name, note)| format!("{name}: {}\n", note.replace('\n', "\n  "))).collect();
    if !notes.is_empty() {
        text.push('\n');
        text.push_str(&notes.concat());
    }
    text
}

fn line(entry: &Entry, now: Timestamp) -> [String; 6] {
    let environment = entry.environment.as_ref();
    let unknown = || "?".to_owned();
    [
        entry.name.to_string(),
        entry.phase.to_string(),
        environment.map_or_else(unknown, |environment| environment.owner.to_string()),
        environment.map_or_else(unknown, |environment| environment.hosting.to_string()),
        environment.map_or_else(unknown, |environment| expiry::relative(environment.expires, now)),
        entry.url.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::facts::tests::{deployed, failed, now};

    #[test]
    fn a_table_and_notes() {
        assert_snapshot!(render(&[deployed("calm-otter"), failed("lost-lynx")], now()), @"
        NAME        PHASE           OWNER            HOSTING  EXPIRES     URL
        calm-otter  deployed        ada@example.com  local    in 8 hours  http://127.0.0.1:40001
        lost-lynx   destroy-failed  ?                ?        ?           -

        lost-lynx: the last destroy failed: no
          wonder
        ");
    }

    #[test]
    fn no_notes() {
        assert_snapshot!(render(&[deployed("calm-otter")], now()), @"
        NAME        PHASE     OWNER            HOSTING  EXPIRES     URL
        calm-otter  deployed  ada@example.com  local    in 8 hours  http://127.0.0.1:40001
        ");
    }
}
