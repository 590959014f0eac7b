//! A repository with very many environments, as a team leaves them after a year: files only, nothing runs.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use menagerie_naming::{EnvName, Taken, draw};

/// The files of a real environment with PostgreSQL, deployed once; its names, places and times are replaced.
const STATE: &str = include_str!("population/state.json");
const JOURNAL: &str = include_str!("population/journal.jsonl");
const INTENT: &str = include_str!("population/env.toml");

/// A repository with environments that are only files.
#[derive(Debug)]
pub(crate) struct Population {
    root: PathBuf,
    names: Vec<EnvName>,
}

/// What is left of an environment, by its number: of each twenty, sixteen are deployed, and so are the one whose directory is on
/// another branch and the one whose destroy was cut short; two are only wanted. For each two there is a third that is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Deployed,
    Away,
    Destroying,
    Wanted,
}

impl Kind {
    fn of(number: usize) -> Self {
        match number % 20 {
            3 => Self::Away,
            7 => Self::Destroying,
            11 | 17 => Self::Wanted,
            _ => Self::Deployed,
        }
    }
}

impl Population {
    /// Makes a repository in an empty directory.
    pub(crate) fn make(
        root: PathBuf,
        count: usize,
        variables: &BTreeMap<OsString, OsString>,
    ) -> anyhow::Result<Self> {
        for arguments in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["config", "user.email", "ada@example.com"],
        ] {
            duct::cmd("git", arguments).dir(&root).full_env(variables).run()?;
        }
        let mut names = names(count + count / 2)?;
        let gone = names.split_off(count);
        let population = Self { root, names };
        population.write("menagerie.toml", "[application]\nrun = [\"bin/sample-app\"]\n")?;
        for directory in ["envs", "journals", "certificates", "unfinished"] {
            fs::create_dir_all(population.home().join(directory))?;
        }
        for (number, name) in population.names.iter().enumerate() {
            population.leave(name, Kind::of(number))?;
        }
        for name in &gone {
            population.write_record(&format!("certificates/{name}.json"), "{}\n")?;
            let end = r#"{"at":"2026-07-24T10:00:00Z","event":"destroyed"}"#;
            population.write_journal(name, &format!("{JOURNAL}{end}\n"))?;
        }
        let all = population.names.iter().chain(&gone);
        let line = |name| {
            format!(
                "{{\"name\":\"{name}\",\"at\":\"2026-07-24T10:00:00Z\",\"owner\":\"ada@example.com\"}}\n"
            )
        };
        population.write_record("ledger.jsonl", &all.map(line).collect::<String>())?;
        Ok(population)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns how many are listed with this phase.
    pub(crate) fn expected(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for number in 0..self.names.len() {
            let phase = match Kind::of(number) {
                Kind::Deployed | Kind::Away => "deployed",
                Kind::Destroying => "destroying",
                Kind::Wanted => "wanted",
            };
            *counts.entry(phase).or_default() += 1;
        }
        counts
    }

    /// Reads what nobody who lists these environments gets around: the intent and the state of each, and the journal of one
    /// that is being destroyed, one after the other; returns how many bytes they have.
    pub(crate) fn read_all(&self) -> anyhow::Result<usize> {
        let mut bytes = 0;
        for (number, name) in self.names.iter().enumerate() {
            let kind = Kind::of(number);
            let records = self.home().join("envs").join(name.as_str());
            let intent = if kind == Kind::Away {
                records.join("env.toml")
            } else {
                self.root.join("tf/envs").join(name.as_str()).join("env.toml")
            };
            bytes += fs::read(intent)?.len();
            if kind != Kind::Wanted {
                bytes += fs::read(records.join("terraform.tfstate"))?.len();
            }
            if kind == Kind::Destroying {
                bytes +=
                    fs::read(self.home().join("journals").join(format!("{name}.jsonl")))?.len();
            }
        }
        Ok(bytes)
    }

    fn home(&self) -> PathBuf {
        self.root.join(".git/menagerie")
    }

    fn leave(&self, name: &EnvName, kind: Kind) -> anyhow::Result<()> {
        let now = Timestamp::now();
        let in_a_week = now.checked_add(SignedDuration::from_hours(7 * 24))?;
        let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let intent = INTENT
            .replace("@NAME@", name.as_str())
            .replace("@CREATED@", &time(now))
            .replace("@EXPIRES@", &time(in_a_week));
        if kind != Kind::Away {
            self.write(&format!("tf/envs/{name}/env.toml"), &intent)?;
        }
        if kind == Kind::Wanted {
            let created = JOURNAL.split_inclusive('\n').next().unwrap_or_default();
            return self.write_journal(name, created);
        }
        self.write_record(&format!("envs/{name}/env.toml"), &intent)?;
        let state = STATE
            .replace("@NAME@", name.as_str())
            .replace("@HOME@", &self.home().to_string_lossy());
        self.write_record(&format!("envs/{name}/terraform.tfstate"), &state)?;
        let end = r#"{"at":"2026-07-24T10:00:00Z","event":"destroy-started"}"#;
        match kind {
            Kind::Destroying => {
                self.write_record(&format!("unfinished/{name}"), "")?;
                self.write_journal(name, &format!("{JOURNAL}{end}\n"))
            }
            _ => self.write_journal(name, JOURNAL),
        }
    }

    fn write_journal(&self, name: &EnvName, text: &str) -> anyhow::Result<()> {
        let text =
            text.replace("@NAME@", name.as_str()).replace("@HOME@", &self.home().to_string_lossy());
        self.write_record(&format!("journals/{name}.jsonl"), &text)
    }

    fn write_record(&self, path: &str, text: &str) -> anyhow::Result<()> {
        self.write(&format!(".git/menagerie/{path}"), text)
    }

    fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.root.join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&path, text).with_context(|| format!("failed to write `{}`", path.display()))
    }
}

/// Draws this many names, all different, the same each time.
fn names(count: usize) -> anyhow::Result<Vec<EnvName>> {
    let (mut names, mut drawn) = (Vec::with_capacity(count), HashSet::new());
    let taken = Taken::default();
    let mut seed = 0;
    while names.len() < count {
        let name = draw(Some(seed), &taken)?;
        if drawn.insert(name.clone()) {
            names.push(name);
        }
        seed += 1;
    }
    Ok(names)
}
