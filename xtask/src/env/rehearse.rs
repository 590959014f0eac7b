//! `env rehearse`.

use std::time::Instant;

use clap::Args;
use menagerie_config::{Hosting, Size, Ttl};
use menagerie_lifecycle::{RehearsedStep, Request};
use serde::Serialize;

use crate::env::creation::{choice, settings};
use crate::env::facts::VERSION;
use crate::env::rehearsed::{PAGE, Stand, UNCHECKED};
use crate::output::{self, Format, Terminal};
use crate::report::Problem;
use crate::session::{self, Verbosity};

/// Rehearse the whole life of an environment that is never made, with no account: plan, apply, plan again, test, destroy
///
/// A stand-in answers for the cloud, with the true schemas of its providers, and makes nothing. No name is used up, nothing
/// is written to the tree, and no credentials are read. docs/rehearsal.md says what it can't know.
#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// Rehearse this hosting [default: `environment.hosting` of menagerie.toml]
    #[arg(long, value_parser = choice::<Hosting>(Hosting::ALL, Hosting::as_str))]
    hosting: Option<Hosting>,

    /// Give it this much of what it runs on [default: `environment.size` of menagerie.toml]
    #[arg(long, value_parser = choice::<Size>(Size::ALL, Size::as_str))]
    size: Option<Size>,

    /// Set what it has otherwise than the others, as for `env new`; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,

    #[command(flatten)]
    stand: Stand,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

/// A rehearsal that reached its end.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    rehearsal: bool,
    hosting: Hosting,
    steps: Vec<ShownStep<'a>>,
    /// Where it says what was not checked.
    unchecked: &'static str,
}

#[derive(Serialize)]
struct ShownStep<'a> {
    step: &'static str,
    result: &'a str,
    seconds: f64,
}

impl Rehearse {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let settings = settings(&self.settings)?;
        let defaults = repository.project()?.environment;
        let hosting = self.hosting.unwrap_or(defaults.hosting);
        if !hosting.is_cloud() {
            let problem = Problem::usage(
                "the hosting `local` needs no rehearsal: `cargo xtask env up` runs it for real, with no account",
            );
            return Err(problem.hint("name another one, such as `--hosting ecs`").into());
        }
        let request = Request {
            name: None,
            hosting,
            size: self.size.unwrap_or(defaults.size),
            owner: "rehearsal".parse().expect("a word is an owner"),
            ttl: Ttl::DEFAULT,
            settings,
            seed: None,
        };
        let options = self.stand.options();
        let started = Instant::now();
        let mut steps: Vec<RehearsedStep> = Vec::new();
        session::with(terminal, &repository, self.verbosity, |session| {
            let mut tell = |step: &RehearsedStep| steps.push(step.clone());
            Ok(menagerie_lifecycle::rehearse(session, &request, &options, &mut tell)?)
        })?;
        match self.format {
            Format::Json => output::print_json(&report(hosting, &steps))?,
            Format::Text => output::print(&render(hosting, &steps))?,
        }
        let seconds = started.elapsed().as_secs_f64();
        output::say(&format!(
            "REHEARSAL: `{hosting}` lives and dies, in {seconds:.1} s; nothing was made"
        ));
        terminal.note(UNCHECKED);
        Ok(())
    }
}

fn report(hosting: Hosting, steps: &[RehearsedStep]) -> Report<'_> {
    let steps = steps.iter().map(|step| ShownStep {
        step: step.step,
        result: &step.result,
        seconds: (step.time.as_secs_f64() * 1000.0).round() / 1000.0,
    });
    Report { version: VERSION, rehearsal: true, hosting, steps: steps.collect(), unchecked: PAGE }
}

fn render(hosting: Hosting, steps: &[RehearsedStep]) -> String {
    let lines: Vec<[String; 3]> = steps
        .iter()
        .map(|step| {
            let seconds = format!("{:.1} s", step.time.as_secs_f64());
            [step.step.to_owned(), seconds, step.result.clone()]
        })
        .collect();
    format!("REHEARSAL of `{hosting}`\n{}", output::table(["STEP", "TIME", "RESULT"], &lines))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;

    use super::*;

    fn steps() -> [RehearsedStep; 2] {
        let step = |step, result: &str, milliseconds| RehearsedStep {
            step,
            result: result.to_owned(),
            time: Duration::from_millis(milliseconds),
        };
        [step("plan", "31 to create", 1_234), step("destroy", "nothing is left", 800)]
    }

    #[test]
    fn text() {
        assert_snapshot!(render(Hosting::Ecs, &steps()), @r"
        REHEARSAL of `ecs`
        STEP     TIME   RESULT
        plan     1.2 s  31 to create
        destroy  0.8 s  nothing is left
        ");
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&report(Hosting::Ecs, &steps())), @r#"
        {
          "version": 1,
          "rehearsal": true,
          "hosting": "ecs",
          "steps": [
            {
              "step": "plan",
              "result": "31 to create",
              "seconds": 1.234
            },
            {
              "step": "destroy",
              "result": "nothing is left",
              "seconds": 0.8
            }
          ],
          "unchecked": "docs/rehearsal.md"
        }
        "#);
    }
}
