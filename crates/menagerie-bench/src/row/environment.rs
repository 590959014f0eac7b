//! Environments that really run: how many Terraform processes, and how long until the URL answers.

use std::time::Instant;

use crate::report::{Limit, Measure, Of, Unit};
use crate::repository::{Repository, output};
use crate::row::Setting;
use crate::sample::{milliseconds, repeated};

fn repository(setting: &Setting) -> anyhow::Result<Repository> {
    Repository::make(
        setting.directory()?,
        setting.repository(),
        setting.xtask(),
        setting.programs()?,
        setting.environment(),
    )
}

pub(crate) fn processes(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    const NAME: &str = "calm-otter";
    let repository = repository(setting)?;
    repository.env(&["new", NAME])?;
    // Each run of Terraform is a line of the journal, written before it starts.
    let count = |arguments: &[&str]| -> anyhow::Result<(f64, Vec<String>)> {
        let before = started(&repository.journal(NAME)?).len();
        repository.env(arguments)?;
        let commands = started(&repository.journal(NAME)?).split_off(before);
        Ok((f64::from(u32::try_from(commands.len())?), commands))
    };
    let (_, first) = count(&["plan", NAME])?;
    anyhow::ensure!(first.iter().any(|command| command == "init"), "no `init`, but {first:?}");
    let mut measures = Vec::new();
    for (what, arguments, bar) in [
        ("plan of what was planned before", ["plan", NAME], 2.0),
        ("apply of the plan that was shown", ["apply", NAME], 1.0),
    ] {
        let (processes, commands) = count(&arguments)?;
        let what = format!("{what} ({})", commands.join(", "));
        measures.push(
            // A count is the same each time, so once is enough to judge it.
            Measure::alone(what, Unit::Count, &[processes]).with_bar(
                Of::Ours,
                Limit::Exactly,
                bar,
                true,
            ),
        );
    }
    destroy(&repository, NAME)?;
    Ok(measures)
}

/// Returns the commands that were started, by the journal.
fn started(journal: &str) -> Vec<String> {
    let lines = journal.lines().filter_map(|line| serde_json::from_str(line).ok());
    lines
        .filter(|line: &serde_json::Value| line["event"] == "terraform-starting")
        .filter_map(|line| line["command"].as_str().map(str::to_owned))
        .collect()
}

pub(crate) fn up(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let repository = repository(setting)?;
    let (mut again, mut gone, mut database) = (Vec::new(), Vec::new(), "");
    let mut number = 0;
    let new = repeated(setting.rounds(7), || {
        number += 1;
        let name = format!("measured-{number}");
        let taken = milliseconds(|| repository.env(&["up", &name]))?;
        database = repository.database(&name)?;
        again.push(milliseconds(|| repository.env(&["up", &name]))?);
        gone.push(milliseconds(|| destroy(&repository, &name))?);
        Ok(taken)
    })?;
    let what = format!("`env up` of a new environment with {database}");
    Ok(vec![
        Measure::alone(what, Unit::Milliseconds, &new).with_bar(
            Of::Ours,
            Limit::AtMost,
            3_000.0,
            setting.is_judged() && database == "PostgreSQL",
        ),
        Measure::alone("`env up NAME` with nothing to do", Unit::Milliseconds, &again),
        Measure::alone("`env destroy NAME`", Unit::Milliseconds, &gone),
    ])
}

fn destroy(repository: &Repository, name: &str) -> anyhow::Result<String> {
    repository.env(&["destroy", name, "--confirm", name])
}

pub(crate) fn clone(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let root = setting.directory()?.join("clone");
    let mut variables = setting.environment().clone();
    // Its own target directory, which is empty, and the tools of cargo as a shell would find them.
    variables.retain(|name, _| {
        let name = name.to_string_lossy();
        !name.starts_with("CARGO_") || name == "CARGO_HOME"
    });
    let source = setting.repository().to_owned();
    let start = Instant::now();
    let cloned = duct::cmd!("git", "clone", "--quiet", source, &root).full_env(&variables);
    output("git clone", &cloned)?;
    let xtask = |arguments: &[&str]| {
        let command = duct::cmd("cargo", [&["xtask", "env"], arguments].concat());
        let shown = format!("cargo xtask env {}", arguments.join(" "));
        output(&shown, &command.dir(&root).full_env(&variables))
    };
    let since = |start: Instant| start.elapsed().as_secs_f64() * 1000.0;
    xtask(&["new", "--dry-run"])?;
    let shown = since(start);
    xtask(&["up", "fresh-clone"])?;
    let up = since(start);
    xtask(&["destroy", "fresh-clone", "--confirm", "fresh-clone"])?;
    let judged = setting.is_judged();
    Ok(vec![
        Measure::alone("fresh clone → `env new --dry-run`", Unit::Milliseconds, &[shown]).with_bar(
            Of::Ours,
            Limit::AtMost,
            60_000.0,
            judged,
        ),
        Measure::alone("fresh clone → `env up`: the URL answers", Unit::Milliseconds, &[up])
            .with_bar(Of::Ours, Limit::AtMost, 180_000.0, judged),
    ])
}
