//! `env test`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{Case, Tested, Verdict};
use menagerie_naming::EnvName;
use menagerie_terraform::Cancel;
use serde::Serialize;

use crate::env::facts::VERSION;
use crate::env::{name, open};
use crate::output::{self, Format, Terminal};
use crate::progress::Display;
use crate::report::Problem;
use crate::{exit, interrupt, junit, session};

/// Test whether an environment works: its health, the requests and the command of `[test]` in `menagerie.toml`
///
/// A test that fails is an exit code of its own. The command runs at the repository's root, with the environment's URL in
/// `MENAGERIE_URL` and its name in `MENAGERIE_ENVIRONMENT`; what it prints goes to a file.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Write a report in `JUnit`'s format to this file, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    name: &'a EnvName,
    url: &'a str,
    passed: bool,
    cases: Vec<ShownCase<'a>>,
}

#[derive(Serialize)]
struct ShownCase<'a> {
    name: &'a str,
    /// `passed`, `failed` or `skipped`.
    verdict: &'static str,
    seconds: f64,
    /// Why it failed or was skipped.
    reason: Option<&'a str>,
    /// What came instead of what was expected.
    detail: Option<&'a str>,
    /// The file with what a command printed.
    log: Option<&'a Path>,
}

impl Test {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let now = Timestamp::now();
        let entry = menagerie_lifecycle::find(&repository, &self.name, now)?;
        let url = open::url(&entry)?;
        let mut display = Display::new(terminal, false);
        let cancel = Cancel::default();
        interrupt::listen(cancel.clone(), display.voice())
            .context("failed to listen for signals")?;
        let voice = display.voice();
        let format = self.format;
        let mut printed = Ok(());
        let tested = Tested { repository: &repository, entry: &entry, url, cancel: &cancel };
        let cases = menagerie_lifecycle::test(
            &tested,
            &mut |name| display.begin(format!("Testing {name}")),
            &mut |case| {
                if format == Format::Text && printed.is_ok() {
                    voice.aside(|| printed = output::print(&line(case)));
                }
            },
        );
        display.end();
        let cases = cases?;
        printed?;
        if let Some(file) = &self.junit {
            junit::write(file, "env test", &[suite(&self.name, &cases)], now)?;
        }
        if format == Format::Json {
            output::print_json(&report(&self.name, url, &cases))?;
        }
        conclude(terminal, &self.name, &cases)
    }
}

fn suite<'a>(name: &'a EnvName, cases: &'a [Case]) -> junit::Suite<'a> {
    let case = |case: &'a Case| junit::Case {
        name: &case.name,
        place: None,
        time: case.time,
        outcome: match &case.verdict {
            Verdict::Passed => junit::Outcome::Passed,
            Verdict::Failed { reason, detail } => {
                junit::Outcome::Failed { message: reason, text: detail }
            }
            Verdict::Skipped { reason } => junit::Outcome::Skipped { message: reason },
        },
    };
    junit::Suite { name: name.as_str(), cases: cases.iter().map(case).collect() }
}

/// Returns the line of a case, with what came instead below it.
fn line(case: &Case) -> String {
    let (word, reason, detail) = match &case.verdict {
        Verdict::Passed => ("ok", "", ""),
        Verdict::Failed { reason, detail } => ("FAILED", &**reason, &**detail),
        Verdict::Skipped { reason } => ("skipped", &**reason, ""),
    };
    let separator = if reason.is_empty() { "" } else { ": " };
    let seconds = case.time.as_secs_f64();
    let mut text = format!("{word:7}  {seconds:7.3} s  {}{separator}{reason}\n", case.name);
    for line in detail.lines() {
        writeln!(text, "         | {}", printable(line)).expect("writing to a string can't fail");
    }
    if let (Verdict::Failed { .. }, Some(log)) = (&case.verdict, &case.log) {
        writeln!(text, "         all of it is in `{}`", log.display())
            .expect("writing to a string can't fail");
    }
    text
}

/// What an application answers or prints must not reach the terminal as an order to it.
fn printable(line: &str) -> String {
    line.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn report<'a>(name: &'a EnvName, url: &'a str, cases: &'a [Case]) -> Report<'a> {
    let shown = |case: &'a Case| {
        let (verdict, reason, detail) = match &case.verdict {
            Verdict::Passed => ("passed", None, None),
            Verdict::Failed { reason, detail } => ("failed", Some(&**reason), Some(&**detail)),
            Verdict::Skipped { reason } => ("skipped", Some(&**reason), None),
        };
        let seconds = case.time.as_secs_f64();
        ShownCase { name: &case.name, verdict, seconds, reason, detail, log: case.log.as_deref() }
    };
    let passed = count(cases, |verdict| matches!(verdict, Verdict::Failed { .. })) == 0;
    Report { version: VERSION, name, url, passed, cases: cases.iter().map(shown).collect() }
}

fn count(cases: &[Case], is_counted: impl Fn(&Verdict) -> bool) -> usize {
    cases.iter().filter(|case| is_counted(&case.verdict)).count()
}

/// Says what came of all, and fails where one has failed.
fn conclude(terminal: Terminal, name: &EnvName, cases: &[Case]) -> anyhow::Result<()> {
    let failed = count(cases, |verdict| matches!(verdict, Verdict::Failed { .. }));
    if failed > 0 {
        let message = format!("`{name}` failed {failed} of {} tests", cases.len());
        return Err(Problem::new(exit::TEST_FAILED, message)
            .hint(format!("`cargo xtask env logs {name}` shows what it says"))
            .into());
    }
    if let [_] = cases {
        terminal.note("only its health was tested: `[test]` in `menagerie.toml` has neither a request nor a command");
    }
    let passed = count(cases, |verdict| *verdict == Verdict::Passed);
    output::say(&match passed {
        1 => format!("`{name}` passed its test"),
        _ => format!("`{name}` passed all {passed} tests"),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;

    use super::*;

    /// One of each verdict.
    fn cases() -> Vec<Case> {
        let case = |name: &str, millis, verdict| Case {
            name: name.to_owned(),
            time: Duration::from_millis(millis),
            verdict,
            log: name.starts_with("command").then(|| "/log".into()),
        };
        let failed = |reason: &str, detail: &str| Verdict::Failed {
            reason: reason.to_owned(),
            detail: detail.to_owned(),
        };
        vec![
            case("health: GET /readyz", 4, Verdict::Passed),
            case(
                "read <it> back",
                12,
                failed("the status is 500, not \"200\"", "<h1>a & b\u{1b}[m</h1>"),
            ),
            case(
                "command: make integration",
                61_000,
                failed("it ended with exit status: 1", "one\ntwo ]]>"),
            ),
            case("later", 0, Verdict::Skipped { reason: "it is not healthy".to_owned() }),
        ]
    }

    #[test]
    fn text() {
        let text: String = cases().iter().map(line).collect();
        assert_snapshot!(text, @r#"
        ok         0.004 s  health: GET /readyz
        FAILED     0.012 s  read <it> back: the status is 500, not "200"
                 | <h1>a & b [m</h1>
        FAILED    61.000 s  command: make integration: it ended with exit status: 1
                 | one
                 | two ]]>
                 all of it is in `/log`
        skipped    0.000 s  later: it is not healthy
        "#);
    }

    #[test]
    fn json() {
        let cases = cases();
        let name = "calm-otter".parse().unwrap();
        assert_snapshot!(output::json(&report(&name, "http://127.0.0.1:1", &cases[1..3])), @r#"
        {
          "version": 1,
          "name": "calm-otter",
          "url": "http://127.0.0.1:1",
          "passed": false,
          "cases": [
            {
              "name": "read <it> back",
              "verdict": "failed",
              "seconds": 0.012,
              "reason": "the status is 500, not \"200\"",
              "detail": "<h1>a & b\u001b[m</h1>",
              "log": null
            },
            {
              "name": "command: make integration",
              "verdict": "failed",
              "seconds": 61.0,
              "reason": "it ended with exit status: 1",
              "detail": "one\ntwo ]]>",
              "log": "/log"
            }
          ]
        }
        "#);
    }

    #[test]
    fn conclusions() {
        let name = "calm-otter".parse().unwrap();
        let terminal = Terminal::new(output::Color::Never);
        let error = conclude(terminal, &name, &cases()).unwrap_err();
        assert_eq!(error.to_string(), "`calm-otter` failed 2 of 4 tests");
        assert_eq!(crate::report::code(&error), exit::TEST_FAILED);
        conclude(terminal, &name, &cases()[..1]).unwrap();
    }
}
