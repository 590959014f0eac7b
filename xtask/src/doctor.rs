//! `doctor`: what is here, what is missing, how to get it.

mod check;

use std::fs;
use std::thread;

use clap::Args;
use jiff::Timestamp;
use menagerie_terraform::closed_environment;
use serde::Serialize;

use crate::doctor::check::{Check, Verdict};
use crate::output::{self, Format};
use crate::report::Problem;
use crate::{exit, session, surroundings};

/// Look at what is here and what is missing, and say how to get it
///
/// It changes nothing and asks no network. The exit code is 0 where all is there that has to be.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Of the JSON that is printed.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    checks: &'a [Check],
}

impl Doctor {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let checks = examine();
        match self.format {
            Format::Json => output::print_json(&Report { version: VERSION, checks: &checks })?,
            Format::Text => output::print(&render(&checks))?,
        }
        match checks.iter().filter(|check| check.verdict == Verdict::Error).count() {
            0 => Ok(()),
            1 => Err(Problem::new(exit::FAILED, "something that is needed is missing or wrong")),
            many => Err(Problem::new(
                exit::FAILED,
                format!("{many} things that are needed are missing or wrong"),
            )),
        }
        .map_err(anyhow::Error::new)
    }
}

fn examine() -> Vec<Check> {
    let variables = surroundings::variables();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut checks = vec![
        check::system(std::env::consts::OS, std::env::consts::ARCH, cores),
        check::compiler(&variables),
    ];
    let repository = session::repository();
    let tools = repository.as_ref().ok().map(|repository| repository.home().tools());
    checks.push(check::terraform(session::terraform(
        &closed_environment(variables.clone()),
        tools.as_deref(),
    )));
    checks.extend(check::terraform_variables(&variables));
    checks.push(check::postgresql(&variables));
    match repository {
        Err(error) => checks.push(check::no_repository(&error)),
        Ok(repository) => {
            checks.push(check::repository(repository.root()));
            checks.push(check::owner(repository.git().user(), &variables));
            checks.push(check::project(repository.project()));
            let home = repository.home().directory();
            checks.push(check::records(home, fs::metadata(home), rustix::fs::statvfs(home)));
            checks.push(check::environments(menagerie_lifecycle::list(
                &repository,
                Timestamp::now(),
            )));
        }
    }
    checks
}

fn render(checks: &[Check]) -> String {
    let labels: Vec<String> =
        checks.iter().map(|check| format!("{:7}  {}", check.verdict, check.what)).collect();
    let lines: Vec<_> =
        labels.iter().zip(checks).map(|(label, check)| (label.as_str(), told(check))).collect();
    output::rows(&lines)
}

/// Returns what was found and, on lines of their own, the way out.
fn told(check: &Check) -> String {
    let hint = check.hint.iter().flat_map(|hint| hint.lines()).map(|line| format!("\n→ {line}"));
    check.found.clone() + &hint.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        let check = |verdict, what, found: &str, hint: Option<&str>| Check {
            verdict,
            what,
            found: found.to_owned(),
            hint: hint.map(str::to_owned),
        };
        let checks = [
            check(Verdict::Ok, "system", "linux x86_64, 2 cores", None),
            check(Verdict::Warning, "configuration", "a\nb", Some("c\nd")),
            check(Verdict::Error, "terraform", "none", Some("get one")),
        ];
        insta::assert_snapshot!(render(&checks), @"
        ok       system         linux x86_64, 2 cores
        warning  configuration  a
                                b
                                → c
                                → d
        error    terraform      none
                                → get one
        ");
        insta::assert_snapshot!(output::json(&Report { version: VERSION, checks: &checks[1..2] }), @r#"
        {
          "version": 1,
          "checks": [
            {
              "verdict": "warning",
              "what": "configuration",
              "found": "a\nb",
              "hint": "c\nd"
            }
          ]
        }
        "#);
    }
}
