//! `env repair`.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{
    Entry, Health, Mender, Phase, RepairOptions, Repaired, Repository, Trouble,
};
use menagerie_naming::EnvName;
use serde::Serialize;

use crate::env::destroy;
use crate::env::facts::{VERSION, health_text, health_word, relative};
use crate::env::name;
use crate::env::plan::{ShownCounts, shown_counts};
use crate::exit;
use crate::output::{self, Format, Terminal};
use crate::report::Problem;
use crate::session::{self, Verbosity};

/// Find what is wrong with an environment, and mend it
///
/// It waits for a Terraform that was left behind, puts back a state that was cut short or not written, removes what killed
/// runs left, and applies what was applied last, so that what stopped runs again. Each line says which command does the
/// same. It applies no edit, and refuses a plan that destroys or replaces something.
///
/// Without NAME it looks at all environments and changes nothing.
#[derive(Debug, Args)]
pub(crate) struct Repair {
    /// The environment [default: look at all]
    #[arg(value_parser = name::parse)]
    name: Option<EnvName>,

    /// Show what is wrong and what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Go on with a destroy that did not finish; confirm by repeating the name
    #[arg(long, value_name = "NAME", requires = "name")]
    confirm: Option<String>,

    /// Put the directory of the last apply back, where this checkout has none
    #[arg(long, requires = "name", conflicts_with = "dry_run")]
    directory: bool,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

/// What is wrong, for programs.
#[derive(Serialize)]
struct Examination<'a> {
    version: u32,
    environments: Vec<Examined<'a>>,
}

#[derive(Serialize)]
struct Examined<'a> {
    name: &'a EnvName,
    phase: &'static str,
    troubles: Vec<ShownTrouble>,
}

#[derive(Serialize)]
struct ShownTrouble {
    /// One of the words of `menagerie_lifecycle::Trouble::kind`.
    kind: &'static str,
    text: String,
    remedy: String,
    /// `repair`, `confirmed` (with `--confirm NAME`) or `person`.
    mender: &'static str,
}

/// What a repair came to, for programs.
#[derive(Serialize)]
struct Outcome<'a> {
    version: u32,
    name: &'a EnvName,
    found: Vec<ShownTrouble>,
    remains: Vec<ShownTrouble>,
    /// What an apply had to change; null where none was made.
    applied: Option<ShownCounts>,
    /// `healthy`, `unhealthy` or `silent`; null where its URL was not asked.
    health: Option<&'static str>,
    destroyed: bool,
}

impl Repair {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let now = Timestamp::now();
        let Some(name) = self.name.clone() else {
            let entries = menagerie_lifecycle::list(&repository, now)?;
            return self.examine(terminal, &repository, &entries);
        };
        let entry = menagerie_lifecycle::find(&repository, &name, now)?;
        if self.dry_run {
            return self.examine(terminal, &repository, &[entry]);
        }
        if let Some(answer) = &self.confirm {
            destroy::question(&name).check(answer)?;
        }
        let options = RepairOptions { destroy: self.confirm.is_some(), directory: self.directory };
        let repaired = session::with(terminal, &repository, self.verbosity, |session| {
            Ok(menagerie_lifecycle::repair(session, &name, options)?)
        })?;
        match self.format {
            Format::Json => output::print_json(&shown(&name, &repaired))?,
            Format::Text => output::print(&render(&name, &repaired, repository.root()))?,
        }
        if let Some(directory) = &repaired.directory {
            let path = relative(directory, repository.root());
            terminal.note(&format!("`{path}` is back, as it was applied last"));
        } else if entry.directory.is_none() && entry.phase == Phase::Deployed {
            terminal.next(&format!(
                "`cargo xtask env repair {name} --directory` puts its directory back, if you want to edit it here"
            ));
        }
        conclude(&name, &repaired)?;
        if repaired.certificate.is_none()
            && menagerie_lifecycle::find(&repository, &name, now)?.phase == Phase::Wanted
        {
            terminal.next(&format!("`cargo xtask env up {name}` deploys it"));
        }
        Ok(())
    }

    /// Looks at environments and says what is wrong; that something is, is an outcome and no failure.
    fn examine(
        &self,
        terminal: Terminal,
        repository: &Repository,
        entries: &[Entry],
    ) -> anyhow::Result<()> {
        let provider = session::provider(terminal, repository, self.verbosity)?;
        let mut examined = Vec::new();
        for entry in entries {
            let troubles = match menagerie_lifecycle::look(repository, &provider, &entry.name) {
                Ok(troubles) => troubles,
                // One that can't be looked at must not hide the others.
                Err(error) if self.name.is_none() => {
                    vec![Trouble::Unknown { reason: error.to_string() }]
                }
                Err(error) => return Err(error.into()),
            };
            examined.push((entry, troubles));
        }
        match self.format {
            Format::Json => output::print_json(&examination(&examined))?,
            Format::Text => output::print(&render_examination(&examined, repository.root()))?,
        }
        if examined.iter().all(|(_, troubles)| troubles.is_empty()) {
            output::say(&match entries {
                [entry] => format!("nothing is wrong with `{}`", entry.name),
                entries => format!("nothing is wrong with {} environments", entries.len()),
            });
        }
        let next: Vec<_> =
            examined.iter().filter_map(|(entry, found)| next(entry, found)).collect();
        match &next[..] {
            [] => {}
            [command] => terminal.next(&format!("`{command}` mends it")),
            _ => terminal.next("`cargo xtask env repair NAME` mends one"),
        }
        Ok(())
    }
}

/// Returns the command that mends the most of it, where one does.
fn next(entry: &Entry, troubles: &[Trouble]) -> Option<String> {
    let name = &entry.name;
    let is_mended_by = |mender| troubles.iter().any(|trouble| trouble.mender() == mender);
    match (is_mended_by(Mender::Repair), is_mended_by(Mender::Confirmed)) {
        (_, true) => Some(format!("cargo xtask env repair {name} --confirm {name}")),
        (true, false) => Some(format!("cargo xtask env repair {name}")),
        (false, false) => None,
    }
}

fn examination<'a>(examined: &'a [(&'a Entry, Vec<Trouble>)]) -> Examination<'a> {
    let environments = examined.iter().map(|(entry, troubles)| Examined {
        name: &entry.name,
        phase: entry.phase.as_str(),
        troubles: shown_troubles(&entry.name, troubles),
    });
    Examination { version: VERSION, environments: environments.collect() }
}

fn shown_troubles(name: &EnvName, troubles: &[Trouble]) -> Vec<ShownTrouble> {
    let shown = |trouble: &Trouble| ShownTrouble {
        kind: trouble.kind(),
        text: trouble.to_string(),
        remedy: trouble.remedy(name),
        mender: match trouble.mender() {
            Mender::Repair => "repair",
            Mender::Confirmed => "confirmed",
            Mender::Person => "person",
        },
    };
    troubles.iter().map(shown).collect()
}

fn shown<'a>(name: &'a EnvName, repaired: &Repaired) -> Outcome<'a> {
    Outcome {
        version: VERSION,
        name,
        found: shown_troubles(name, &repaired.found),
        remains: shown_troubles(name, &repaired.remains),
        applied: repaired.applied.as_ref().map(|applied| shown_counts(&applied.counts)),
        health: repaired.health.as_ref().map(health_word),
        destroyed: repaired.certificate.is_some(),
    }
}

/// Returns what is wrong with each, and who mends it how; empty where nothing is.
fn render_examination(examined: &[(&Entry, Vec<Trouble>)], root: &Path) -> String {
    let lines: Vec<[String; 4]> = examined
        .iter()
        .flat_map(|(entry, troubles)| {
            troubles.iter().map(|trouble| line(&entry.name, trouble, root))
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    output::table(["NAME", "WHAT IS WRONG", "MENDED BY", "HOW"], &lines)
}

fn line(name: &EnvName, trouble: &Trouble, root: &Path) -> [String; 4] {
    let mender = match trouble.mender() {
        Mender::Repair => "repair",
        Mender::Confirmed => "--confirm",
        Mender::Person => "you",
    };
    let (text, remedy) = (trouble.to_string(), trouble.remedy(name));
    [name.to_string(), one_line(&short(&text, root)), mender.to_owned(), short(&remedy, root)]
}

/// Shows paths from the repository's root on.
fn short(text: &str, root: &Path) -> String {
    text.replace(&format!("{}/", root.display()), "")
}

/// An error can have many lines, and a table has one for each.
fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn render(name: &EnvName, repaired: &Repaired, root: &Path) -> String {
    let mut rows = vec![("name", name.to_string())];
    let lines = |troubles: &[Trouble]| {
        troubles
            .iter()
            .map(|trouble| short(&trouble.to_string(), root))
            .collect::<Vec<_>>()
            .join("\n")
    };
    rows.extend((!repaired.found.is_empty()).then(|| ("wrong", lines(&repaired.found))));
    rows.extend(repaired.applied.as_ref().map(|applied| {
        let text = if applied.is_empty() {
            "nothing: all is as it was applied last".to_owned()
        } else {
            applied.counts.to_string()
        };
        ("applied", text)
    }));
    rows.extend((!repaired.remains.is_empty()).then(|| ("remains", lines(&repaired.remains))));
    rows.extend(repaired.health.as_ref().map(|health| ("health", health_text(Some(health)))));
    output::rows(&rows)
}

/// Says what is true now, and fails where that is not what it should be.
fn conclude(name: &EnvName, repaired: &Repaired) -> anyhow::Result<()> {
    if repaired.certificate.is_some() {
        output::say(&format!("`{name}` is gone; its name is never used again"));
        return Ok(());
    }
    if let Some(trouble) = repaired.remains.first() {
        let code = match trouble.mender() {
            Mender::Confirmed => exit::REFUSED,
            _ if matches!(trouble, Trouble::Busy { .. }) => exit::LOCKED,
            Mender::Repair | Mender::Person => exit::FAILED,
        };
        return Err(Problem::new(code, format!("`{name}` is not mended: {trouble}"))
            .hint(trouble.remedy(name))
            .into());
    }
    if let Some(health @ (Health::Unhealthy(_) | Health::Silent(_))) = &repaired.health {
        let message = format!("all of `{name}` runs, but it is {}", health_text(Some(health)));
        return Err(Problem::new(exit::FAILED, message)
            .hint(format!("`cargo xtask env logs {name}` shows what it says"))
            .into());
    }
    let has_changed = repaired.applied.as_ref().is_some_and(|applied| !applied.is_empty());
    output::say(&if repaired.found.is_empty() && !has_changed {
        format!("nothing is wrong with `{name}`")
    } else {
        format!("`{name}` is mended")
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::facts::tests::{ROOT, deployed, failed};
    use crate::env::plan::tests::heals;
    use crate::report;

    fn troubles() -> Vec<Trouble> {
        let what = "service `web`".to_owned();
        let path = Path::new(ROOT).join(".git/menagerie/envs/calm-otter/images/making");
        vec![
            Trouble::Orphan { command: "apply".to_owned(), pid: Some(7) },
            Trouble::Leftover { path },
            Trouble::NotRunning { what, status: "stopped".to_owned() },
        ]
    }

    fn unfinished() -> Vec<Trouble> {
        vec![Trouble::UnfinishedDestroy { reason: Some("no\nwonder".to_owned()) }]
    }

    #[test]
    fn what_is_wrong() {
        let (otter, lynx) = (deployed("calm-otter"), failed("lost-lynx"));
        let examined = [(&otter, troubles()), (&lynx, unfinished())];
        assert_snapshot!(render_examination(&examined, Path::new(ROOT)), @"
        NAME        WHAT IS WRONG                                                         MENDED BY  HOW
        calm-otter  `terraform apply` (pid 7) has outlived the run that started it        repair     wait until it has ended; `kill -INT 7` stops it
        calm-otter  a killed run has left `.git/menagerie/envs/calm-otter/images/making`  repair     remove it: `rm -r .git/menagerie/envs/calm-otter/images/making`
        calm-otter  service `web` is stopped                                              repair     apply what was applied last: `cargo xtask env up calm-otter`
        lost-lynx   its destroy did not finish: no                                        --confirm  go on with it: `cargo xtask env destroy lost-lynx --confirm lost-lynx`
        ");
        assert_eq!(render_examination(&[(&otter, Vec::new())], Path::new(ROOT)), "");
        assert_eq!(next(&otter, &troubles()).unwrap(), "cargo xtask env repair calm-otter");
        assert_eq!(
            next(&lynx, &unfinished()).unwrap(),
            "cargo xtask env repair lost-lynx --confirm lost-lynx"
        );
        assert_eq!(next(&otter, &[Trouble::NoBundle]), None);
        let json = output::json(&examination(&[(&lynx, unfinished())]));
        assert_snapshot!(json, @r#"
        {
          "version": 1,
          "environments": [
            {
              "name": "lost-lynx",
              "phase": "destroy-failed",
              "troubles": [
                {
                  "kind": "unfinished-destroy",
                  "text": "its destroy did not finish: no\nwonder",
                  "remedy": "go on with it: `cargo xtask env destroy lost-lynx --confirm lost-lynx`",
                  "mender": "confirmed"
                }
              ]
            }
          ]
        }
        "#);
    }

    #[test]
    fn what_was_mended() {
        let name: EnvName = "calm-otter".parse().unwrap();
        let mended = Repaired {
            found: troubles(),
            applied: Some(heals()),
            health: Some(Health::Healthy(200)),
            ..Repaired::default()
        };
        assert_snapshot!(render(&name, &mended, Path::new(ROOT)), @"
        name     calm-otter
        wrong    `terraform apply` (pid 7) has outlived the run that started it
                 a killed run has left `.git/menagerie/envs/calm-otter/images/making`
                 service `web` is stopped
        applied  1 to update
        health   healthy (answers 200)
        ");
        conclude(&name, &mended).unwrap();
        let nothing = Repaired {
            applied: Some(menagerie_plan::Summary::of(&menagerie_plan::Plan::default())),
            ..Repaired::default()
        };
        assert_snapshot!(render(&name, &nothing, Path::new(ROOT)), @"
        name     calm-otter
        applied  nothing: all is as it was applied last
        ");
        let left = Repaired { found: unfinished(), remains: unfinished(), ..Repaired::default() };
        assert_snapshot!(render(&name, &left, Path::new(ROOT)), @"
        name     calm-otter
        wrong    its destroy did not finish: no
                 wonder
        remains  its destroy did not finish: no
                 wonder
        ");
        let error = conclude(&name, &left).unwrap_err();
        assert_eq!(report::code(&error), exit::REFUSED);
        let silent = Repaired { health: Some(Health::Unhealthy(503)), ..Repaired::default() };
        assert_eq!(report::code(&conclude(&name, &silent).unwrap_err()), exit::FAILED);
    }
}
