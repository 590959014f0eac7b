//! `env list` and `env new` among many environments.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use crate::population::Population;
use crate::report::{Limit, Measure, Of, Unit};
use crate::repository::output;
use crate::row::Setting;
use crate::sample::{interleaved, milliseconds};
use crate::statistics::{Distribution, Fit};

/// How long either may take among the most.
const BAR: f64 = 150.0;

/// Returns the sizes that are measured, the largest last.
fn sizes(setting: &Setting) -> &'static [usize] {
    if setting.is_judged() { &[1_000, 2_000, 5_000, 10_000] } else { &[50, 200] }
}

pub(crate) fn list(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    measure(
        setting,
        &["env", "list"],
        "reading their files one after the other",
        |population, _| milliseconds(|| population.read_all()),
    )
}

pub(crate) fn new(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let empty = setting.population(0)?.root().to_owned();
    let command = ["env", "new"];
    measure(setting, &command, "the same among none", move |_, run| run(&empty, &command))
}

type Run<'a> = &'a dyn Fn(&Path, &[&str]) -> anyhow::Result<f64>;

/// Measures a command at each size, and draws the line through them.
fn measure(
    setting: &mut Setting,
    command: &[&str],
    baseline: &str,
    sample_baseline: impl Fn(&Population, Run<'_>) -> anyhow::Result<f64>,
) -> anyhow::Result<Vec<Measure>> {
    let (rounds, is_judged) = (setting.rounds(15), setting.is_judged());
    let (xtask, variables) = (setting.xtask().to_owned(), setting.environment().clone());
    let run = |root: &Path, command: &[&str]| {
        let command = duct::cmd(&xtask, command)
            .dir(root)
            .full_env(&variables)
            .stdin_null()
            .stdout_null()
            .stderr_null();
        milliseconds(|| Ok(command.run()?))
    };
    let mut points = Vec::new();
    let mut last = None;
    for &size in sizes(setting) {
        let population = setting.population(size)?;
        if command == ["env", "list"] {
            check(population, |root| {
                output(
                    "xtask env list",
                    &duct::cmd!(&xtask, "env", "list", "--format", "json")
                        .dir(root)
                        .full_env(&variables),
                )
            })?;
        }
        let pairs = interleaved(
            rounds,
            || run(population.root(), command),
            || sample_baseline(population, &run),
        )?;
        let count = f64::from(u32::try_from(size)?);
        points.push((count, Distribution::of(&pairs.ours).median));
        last = Some((size, pairs));
    }
    let (size, pairs) = last.context("there is a size")?;
    let what = format!("`{}` among {size}", command.join(" "));
    let measure = Measure::against(what, Unit::Milliseconds, baseline, &pairs)
        .with_fit(Fit::of(points))
        .with_bar(Of::Ours, Limit::AtMost, BAR, is_judged);
    Ok(vec![measure])
}

/// Checks that the environments are listed as what they are: a list of something else would be measured otherwise.
fn check(
    population: &Population,
    list: impl FnOnce(&Path) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Listing {
        environments: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        phase: String,
        owner: Option<String>,
    }
    let listing: Listing = serde_json::from_str(&list(population.root())?)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for listed in &listing.environments {
        anyhow::ensure!(listed.owner.is_some(), "an `env.toml` that was made is not valid");
        *counts.entry(&listed.phase).or_default() += 1;
    }
    let expected = population.expected();
    // Measuring `env new` adds some that are wanted.
    let is_as_made = ["deployed", "destroying"]
        .iter()
        .all(|phase| counts.get(phase).copied() == expected.get(phase).copied());
    anyhow::ensure!(is_as_made, "{counts:?} are listed, but {expected:?} were made");
    Ok(())
}
