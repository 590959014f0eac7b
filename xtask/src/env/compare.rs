//! `env compare`.

mod outcome;

use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use menagerie_config::DatabaseEngine;
use menagerie_lifecycle::{Entry, Phase, Repository};
use menagerie_naming::EnvName;
use menagerie_telemetry::load::{Answer, Client, Pair, Target};
use menagerie_telemetry::{Comparing, Metrics, Unclear, Verdict, compare};

use crate::env::metrics::period;
use crate::env::name;
use crate::output::{self, Format, Terminal};
use crate::progress::Display;
use crate::quantity::count;
use crate::report::Problem;
use crate::{exit, interrupt, session};
use outcome::Outcome;

/// Find out whether environment B is slower than environment A
///
/// Sends the same load to both, request by request in turns, and estimates how many times as long B takes, with a confidence
/// interval. B is called slower only if the whole interval lies beyond the threshold. `docs/measuring.md` says how to read it.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The environment to compare with: without the change
    #[arg(value_parser = name::parse)]
    a: EnvName,

    /// The environment to judge: with the change
    #[arg(value_parser = name::parse)]
    b: EnvName,

    /// Ask for this path of both, with GET
    #[arg(long, default_value = "/", value_parser = path)]
    path: String,

    /// Send so many requests to each, and up to four times as many while noise leaves it open
    #[arg(long, value_name = "N", default_value_t = 2000,
        value_parser = clap::value_parser!(u32).range(i64::from(Comparing::FEWEST_REQUESTS)..=1_000_000))]
    requests: u32,

    /// Let a difference count from so many percent on
    #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = threshold)]
    threshold: f64,

    /// Be so many percent sure that the interval holds the truth
    #[arg(long, value_name = "PERCENT", default_value = "99", value_parser = confidence)]
    confidence: f64,

    /// Stop after this time, and judge what was measured until then
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = period)]
    time_limit: Duration,

    /// Draw the order of the requests from this number; without it, from another one each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Compare environments of different size, hosting, number of replicas or database engine
    #[arg(long)]
    unequal: bool,

    /// Exit with 12 if B is slower, and with 13 if that can't be told
    #[arg(long)]
    fail_if_slower: bool,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Reads a path, with or without a query.
fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("it begins with `/`".to_owned()) }
}

fn threshold(text: &str) -> Result<f64, String> {
    let share = share(text).filter(|share| *share > 0.0 && *share <= 10.0);
    share.ok_or_else(|| "it is a number of percent, above 0 and up to 1000".to_owned())
}

fn confidence(text: &str) -> Result<f64, String> {
    let share = share(text).filter(|share| (0.5..=Comparing::MOST_CONFIDENCE).contains(share));
    share.ok_or_else(|| "it is a number of percent, from 50 to 99.9".to_owned())
}

/// Reads percent, with or without their sign.
fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok()?;
    // 99.9 is not to become 0.9990000000000001.
    Some((percent * 1e7).round() / 1e9)
}

impl Compare {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        if self.a == self.b {
            return Err(Problem::usage(format!("`{}` can't be compared with itself", self.a))
                .hint("make a second environment, with the change that you want to judge")
                .into());
        }
        let repository = session::repository()?;
        let now = Timestamp::now();
        let a = menagerie_lifecycle::find(&repository, &self.a, now)?;
        let b = menagerie_lifecycle::find(&repository, &self.b, now)?;
        if let Some(difference) = difference(&a, &b) {
            if !self.unequal {
                return Err(Problem::new(exit::REFUSED, difference)
                    .hint("give `--unequal` to compare them all the same")
                    .into());
            }
            terminal.warn(&difference);
        }
        let targets = [self.target(&a)?, self.target(&b)?];
        let is_interrupted = interrupt::flag().context("failed to listen for signals")?;
        let begun = SystemTime::now();
        let seed = self.seed.unwrap_or_else(random_seed);
        let comparison = self.measure(terminal, targets, seed, is_interrupted)?;
        let usage =
            [&a, &b].map(|entry| Metrics::read(&telemetry(&repository, entry), Some(begun)));
        let [usage_a, usage_b] = usage;
        let outcome = Outcome {
            a: &a,
            b: &b,
            path: &self.path,
            comparing: self.comparing(seed),
            comparison: &comparison,
            usage: [usage_a?, usage_b?],
        };
        match self.format {
            Format::Json => output::print_json(&outcome.shown())?,
            Format::Text => output::print(&outcome.render())?,
        }
        if let Some(text) = outcome.differ_in_size() {
            terminal.warn(&text);
        }
        let verdict = comparison.verdict;
        if let Verdict::Unclear(Unclear::Noise { more_requests: Some(more) }) = verdict {
            let requests = comparison.a.requests + more;
            terminal.next(&format!("`--requests {requests}` would probably tell"));
        }
        match verdict {
            Verdict::Slower if self.fail_if_slower => {
                Err(Problem::new(exit::SLOWER, format!("`{}` is slower than `{}`", self.b, self.a))
                    .into())
            }
            Verdict::Unclear(_) if self.fail_if_slower => Err(Problem::new(
                exit::UNCLEAR,
                format!("whether `{}` is slower than `{}` can't be told", self.b, self.a),
            )
            .into()),
            _ => Ok(()),
        }
    }

    fn comparing(&self, seed: u64) -> Comparing {
        let Self { requests, confidence, threshold, .. } = *self;
        Comparing { requests, confidence, threshold, seed }
    }

    /// Returns where an environment is asked, and that it answers there.
    fn target(&self, entry: &Entry) -> Result<Target, Problem> {
        let name = &entry.name;
        let Some(url) = &entry.url else {
            let problem =
                Problem::new(exit::FAILED, format!("`{name}` has no URL: it is {}", entry.phase));
            return Err(match entry.phase {
                Phase::Wanted | Phase::Deployed => {
                    problem.hint(format!("`cargo xtask env up {name}` starts it"))
                }
                Phase::Destroying | Phase::DestroyFailed | Phase::Gone => problem,
            });
        };
        let target = Target::new(url, &self.path).map_err(|error| {
            let message = format!("`{name}` can't be asked for `{}`", self.path.escape_debug());
            Problem::new(exit::REFUSED, message)
                .hint("only what runs on this machine is put under load")
                .cause(error)
        })?;
        match Client::new(target.clone()).ask() {
            Answer::Answered { .. } => Ok(target),
            Answer::Failed(why) => {
                let path = self.path.escape_debug();
                let message = format!("`{name}` does not answer well at `{path}`: {why}");
                Err(Problem::new(exit::FAILED, message)
                    .hint(format!("`cargo xtask env status {name}` shows whether it is healthy; `--path` asks elsewhere")))
            }
        }
    }

    fn measure(
        &self,
        terminal: Terminal,
        [a, b]: [Target; 2],
        seed: u64,
        is_interrupted: Arc<AtomicBool>,
    ) -> anyhow::Result<menagerie_telemetry::Comparison> {
        let comparing = self.comparing(seed);
        let mut said = (0, comparing.blocks());
        let mut display = Display::new(terminal, false);
        display.begin(format!(
            "Sending {} requests each to `{}` and `{}`",
            count(comparing.requests().into()),
            self.a,
            self.b
        ));
        let mut pair = Pair::new(a, b, Instant::now() + self.time_limit, is_interrupted);
        let comparison = compare(&comparing, &mut pair, |done, blocks| {
            said = (done, blocks);
            if terminal.is_interactive() {
                display.begin(format!(
                    "Comparing `{}` and `{}`: {done} of {blocks} blocks",
                    self.a, self.b
                ));
            }
        });
        display.end();
        comparison.ok_or_else(|| {
            let (done, blocks) = said;
            let message = format!("interrupted after {done} of {blocks} blocks");
            Problem::new(exit::INTERRUPTED, message).into()
        })
    }
}

/// Returns a number that differs from run to run.
fn random_seed() -> u64 {
    RandomState::new().hash_one(0)
}

fn telemetry(repository: &Repository, entry: &Entry) -> PathBuf {
    repository.home().environment(&entry.name).telemetry()
}

/// Returns how two environments differ in what no change to the application should differ in.
fn difference(a: &Entry, b: &Entry) -> Option<String> {
    let (of_a, of_b) = (a.environment.as_ref()?, b.environment.as_ref()?);
    let replicas = |count: Option<u32>| count.unwrap_or(1).to_string();
    let engine =
        |engine: Option<DatabaseEngine>| engine.map_or("automatic", DatabaseEngine::as_str);
    let (settings_a, settings_b) = (&of_a.settings, &of_b.settings);
    let differences: Vec<String> = [
        ("hosting", of_a.hosting.to_string(), of_b.hosting.to_string()),
        ("size", of_a.size.to_string(), of_b.size.to_string()),
        ("desired_count", replicas(settings_a.desired_count), replicas(settings_b.desired_count)),
        (
            "database_engine",
            engine(settings_a.database_engine).to_owned(),
            engine(settings_b.database_engine).to_owned(),
        ),
    ]
    .into_iter()
    .filter(|(_, a, b)| a != b)
    .map(|(key, a, b)| format!("{key} is {a} and {b}"))
    .collect();
    let (a, b) = (&a.name, &b.name);
    (!differences.is_empty())
        .then(|| format!("`{a}` and `{b}` are not set up alike: {}", differences.join("; ")))
}

#[cfg(test)]
mod tests {
    use menagerie_config::Size;

    use super::*;
    use crate::env::facts::tests::{deployed, failed};

    #[test]
    fn percent() {
        assert_eq!(threshold("5"), Ok(0.05));
        assert_eq!(threshold("2.5%"), Ok(0.025));
        assert!((confidence("99.9 %").unwrap() - 0.999).abs() < 1e-9);
        for wrong in ["0", "-1", "NaN", "inf", "", "%", "many", "1001"] {
            assert!(threshold(wrong).is_err() && confidence(wrong).is_err(), "{wrong}");
        }
        assert!(confidence("100").is_err() && confidence("49").is_err());
    }

    #[test]
    fn what_differs_is_told() {
        let a = deployed("calm-otter");
        let mut b = deployed("brave-newt");
        assert_eq!(difference(&a, &b), None);
        assert_eq!(difference(&a, &failed("lost-lynx")), None);
        let environment = b.environment.as_mut().unwrap();
        environment.settings.desired_count = None;
        environment.settings.environment.clear();
        environment.size = Size::Large;
        assert_eq!(
            difference(&a, &b).unwrap(),
            "`calm-otter` and `brave-newt` are not set up alike: size is small and large; desired_count is 2 and 1"
        );
    }
}
