//! `tf test`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{Progress, TreeRun, TreeSelection, TreeVerdict};
use serde::Serialize;

use crate::env::facts::VERSION;
use crate::output::{self, Format, Terminal};
use crate::report::Problem;
use crate::session::{self, Verbosity};
use crate::{exit, junit, surroundings};

/// Run the tests of the modules, `*.tftest.hcl`, over providers that need no account and no download
///
/// Modules for this machine are tested over their real provider, all others in a rehearsal, which knows the true schemas and
/// makes nothing: docs/rehearsal.md says what it can't know. Nothing is left in the tree. A test that fails is an exit code
/// of its own.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Only what is in these directories, or these files
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Only files whose path, as seen from the top of the repository, contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

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
    passed: bool,
    runs: Vec<ShownRun<'a>>,
}

#[derive(Serialize)]
struct ShownRun<'a> {
    directory: &'a str,
    file: &'a str,
    line: Option<usize>,
    name: &'a str,
    /// `passed`, `failed` or `skipped`.
    verdict: &'static str,
    seconds: f64,
    /// Why it failed, as a person reads it.
    reason: Option<String>,
}

impl Test {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let now = Timestamp::now();
        let here = surroundings::current_directory()?;
        let selection = TreeSelection {
            paths: self.paths.iter().map(|path| here.join(path)).collect(),
            filter: self.filter,
        };
        // Before Terraform is looked for and the provider built: a typing error is told at once.
        let directories = menagerie_lifecycle::select_tests(&repository, &selection)?;
        let mut printed = Ok(());
        let is_text = self.format == Format::Text;
        let runs = session::with(terminal, &repository, Verbosity::default(), |session| {
            let count = directories.len();
            let noun = if count == 1 { "directory" } else { "directories" };
            (session.observer)(Progress::Note(&format!("testing {count} {noun}")));
            let mut tell = |runs: &[TreeRun]| {
                if is_text && printed.is_ok() {
                    printed = output::print(&runs.iter().map(lines).collect::<String>());
                }
            };
            Ok(menagerie_lifecycle::test_tree(session, &directories, &mut tell)?)
        })?;
        printed?;
        if let Some(file) = &self.junit {
            write_junit(file, &runs, now)?;
        }
        if self.format == Format::Json {
            output::print_json(&report(&runs))?;
        }
        conclude(&runs, directories.len())
    }
}

/// Returns the line of a run, with what Terraform says about it below.
fn lines(run: &TreeRun) -> String {
    let word = match run.verdict {
        TreeVerdict::Passed => "ok",
        TreeVerdict::Failed { .. } => "FAILED",
        TreeVerdict::Skipped => "skipped",
    };
    let line = run.line.map(|line| format!(":{line}")).unwrap_or_default();
    let (seconds, file, name) = (run.time.as_secs_f64(), &run.file, &run.name);
    let mut text = format!("{word:7}  {seconds:7.3} s  {file}{line}: {name}\n");
    for line in reason(run).iter().flat_map(|reason| reason.lines()) {
        writeln!(text, "{}", format!("         | {line}").trim_end())
            .expect("writing to a string can't fail");
    }
    text
}

/// Returns why a run failed.
fn reason(run: &TreeRun) -> Option<String> {
    let TreeVerdict::Failed { diagnostics, remarks } = &run.verdict else { return None };
    let said = diagnostics.iter().map(ToString::to_string);
    Some(said.chain(remarks.iter().cloned()).collect::<Vec<_>>().join("\n\n"))
}

fn write_junit(file: &Path, runs: &[TreeRun], now: Timestamp) -> anyhow::Result<()> {
    let reasons: Vec<_> = runs.iter().map(|run| reason(run).unwrap_or_default()).collect();
    let mut suites: Vec<junit::Suite<'_>> = Vec::new();
    for (run, reason) in runs.iter().zip(&reasons) {
        let case = junit::Case {
            name: &run.name,
            place: Some((&run.file, run.line)),
            time: run.time,
            outcome: match run.verdict {
                TreeVerdict::Passed => junit::Outcome::Passed,
                TreeVerdict::Failed { .. } => junit::Outcome::Failed {
                    message: reason.lines().next().unwrap_or_default(),
                    text: reason,
                },
                TreeVerdict::Skipped => {
                    junit::Outcome::Skipped { message: "one before it could not be run" }
                }
            },
        };
        match suites.last_mut() {
            Some(suite) if suite.name == run.directory => suite.cases.push(case),
            _ => suites.push(junit::Suite { name: &run.directory, cases: vec![case] }),
        }
    }
    junit::write(file, "tf test", &suites, now)
}

fn report(runs: &[TreeRun]) -> Report<'_> {
    Report { version: VERSION, passed: passes(runs), runs: runs.iter().map(shown).collect() }
}

fn shown(run: &TreeRun) -> ShownRun<'_> {
    ShownRun {
        directory: &run.directory,
        file: &run.file,
        line: run.line,
        name: &run.name,
        verdict: match run.verdict {
            TreeVerdict::Passed => "passed",
            TreeVerdict::Failed { .. } => "failed",
            TreeVerdict::Skipped => "skipped",
        },
        seconds: run.time.as_secs_f64(),
        reason: reason(run),
    }
}

fn passes(runs: &[TreeRun]) -> bool {
    runs.iter().all(|run| run.verdict == TreeVerdict::Passed)
}

/// Says what came of all, and fails where one has failed.
fn conclude(runs: &[TreeRun], directories: usize) -> anyhow::Result<()> {
    let places = if directories == 1 { "directory" } else { "directories" };
    let count =
        |verdict: fn(&TreeVerdict) -> bool| runs.iter().filter(|run| verdict(&run.verdict)).count();
    if passes(runs) {
        output::say(&match runs.len() {
            1 => format!("`{}` passed", runs[0].name),
            count => format!("all {count} runs in {directories} {places} passed"),
        });
        return Ok(());
    }
    let failed = count(|verdict| matches!(verdict, TreeVerdict::Failed { .. }));
    let skipped = match count(|verdict| *verdict == TreeVerdict::Skipped) {
        0 => String::new(),
        skipped => format!(", and {skipped} could not be run after them"),
    };
    let total = runs.len();
    let message = format!("{failed} of {total} runs in {directories} {places} failed{skipped}");
    Err(Problem::new(exit::TEST_FAILED, message)
        .hint("`cargo xtask tf test PATH` runs the tests of one directory or file")
        .into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;

    use super::*;

    fn runs() -> Vec<TreeRun> {
        let run = |name: &str, line, verdict| TreeRun {
            directory: "tf/modules/vpc".to_owned(),
            file: "tf/modules/vpc/tests/vpc.tftest.hcl".to_owned(),
            line,
            name: name.to_owned(),
            time: Duration::from_millis(412),
            verdict,
        };
        let diagnostic = serde_json::from_str(
            r#"{"severity": "error", "summary": "Test assertion failed", "detail": "Three zones have three subnets.",
                "range": {"filename": "tf/modules/vpc/tests/vpc.tftest.hcl", "start": {"line": 12, "column": 21}, "end": {"line": 12, "column": 36}}}"#,
        )
        .unwrap();
        let failed = |diagnostics, remarks: &[&str]| TreeVerdict::Failed {
            diagnostics,
            remarks: remarks.iter().map(|remark| (*remark).to_owned()).collect(),
        };
        vec![
            run("two_zones", Some(3), TreeVerdict::Passed),
            run("three_zones", Some(9), failed(vec![diagnostic], &["`aws_vpc.this` is left"])),
            run("no_zone", Some(17), TreeVerdict::Skipped),
        ]
    }

    #[test]
    fn text() {
        assert_snapshot!(runs().iter().map(lines).collect::<String>(), @r"
        ok         0.412 s  tf/modules/vpc/tests/vpc.tftest.hcl:3: two_zones
        FAILED     0.412 s  tf/modules/vpc/tests/vpc.tftest.hcl:9: three_zones
                 | error: Test assertion failed
                 |  --> tf/modules/vpc/tests/vpc.tftest.hcl:12:21
                 |
                 | Three zones have three subnets.
                 |
                 | `aws_vpc.this` is left
        skipped    0.412 s  tf/modules/vpc/tests/vpc.tftest.hcl:17: no_zone
        ");
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&report(&runs()[1..])), @r#"
        {
          "version": 1,
          "passed": false,
          "runs": [
            {
              "directory": "tf/modules/vpc",
              "file": "tf/modules/vpc/tests/vpc.tftest.hcl",
              "line": 9,
              "name": "three_zones",
              "verdict": "failed",
              "seconds": 0.412,
              "reason": "error: Test assertion failed\n --> tf/modules/vpc/tests/vpc.tftest.hcl:12:21\n\nThree zones have three subnets.\n\n`aws_vpc.this` is left"
            },
            {
              "directory": "tf/modules/vpc",
              "file": "tf/modules/vpc/tests/vpc.tftest.hcl",
              "line": 17,
              "name": "no_zone",
              "verdict": "skipped",
              "seconds": 0.412,
              "reason": null
            }
          ]
        }
        "#);
    }

    #[test]
    fn conclusions() {
        let error = conclude(&runs(), 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "1 of 3 runs in 1 directory failed, and 1 could not be run after them"
        );
        assert_eq!(crate::report::code(&error), exit::TEST_FAILED);
        conclude(&runs()[..1], 1).unwrap();
    }
}
