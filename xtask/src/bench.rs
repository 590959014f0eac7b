//! `bench`: builds the benchmarks and what they measure, and becomes them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::binary;
use crate::output::{self, Format};
use crate::session;

/// Measure what this costs: each row of work against a baseline, in the same run
///
/// A bar that is not met is an answer, not a failure. `docs/benchmarks.md` says how to read the figures.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Measure these rows [default: all but `clone`]
    #[arg(value_name = "ROW")]
    rows: Vec<Row>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    /// Measure less of everything, to see that it works; no bar is judged
    #[arg(long)]
    quick: bool,
}

/// The rows of `menagerie-bench`; a test compares the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Row {
    /// How many Terraform processes a plan and an apply start
    Processes,
    /// What a run of Terraform costs beyond Terraform
    Overhead,
    /// `env list` among 10,000 environments
    List,
    /// `env new` among 10,000 environments
    New,
    /// Many plans at once against `xargs -P`
    Parallel,
    /// Plan and apply against the eight commands of a script
    Sequence,
    /// `env up` of a new environment, all built
    Up,
    /// From a fresh clone to a URL that answers; takes minutes
    Clone,
    /// Rendering a root module
    Render,
    /// Reading a plan: parsing, summary and digest
    Plan,
    /// Judging a plan of 10,000 resources by ten rules
    Comply,
    /// Judging it by ten rules in Rego against Open Policy Agent
    Rego,
}

impl Bench {
    /// Returns only if something does not build or start.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let root = repository.root();
        let optimised = |package: &str| {
            output::say(&format!("Building `{package}`, optimised"));
            binary::build_for_release(package, root)
        };
        // As `env up` has them: what a user waits for, not what could be.
        let usual = |package: &str| {
            output::say(&format!("Building `{package}`"));
            binary::build(package, root)
        };
        let bench = optimised("menagerie-bench")?;
        let programs = Programs {
            xtask: optimised("xtask")?,
            provider: usual("menagerie-provider")?,
            application: usual("sample-app")?,
            // It takes minutes the first time, and one row needs it.
            comply: self.has(Row::Rego).then(|| optimised("menagerie-comply")).transpose()?,
        };
        Err(binary::become_program(&bench, &self.arguments(root, &programs)))
    }

    fn has(&self, row: Row) -> bool {
        self.rows.is_empty() || self.rows.contains(&row)
    }

    fn arguments(&self, repository: &Path, programs: &Programs) -> Vec<OsString> {
        let format = if self.format == Format::Json { "json" } else { "text" };
        let mut arguments: Vec<OsString> = vec!["--format".into(), format.into()];
        if self.quick {
            arguments.push("--quick".into());
        }
        for (option, path) in [
            ("--repository", repository),
            ("--xtask", &programs.xtask),
            ("--provider", &programs.provider),
            ("--application", &programs.application),
        ] {
            arguments.extend([option.into(), path.into()]);
        }
        if let Some(comply) = &programs.comply {
            arguments.extend(["--comply".into(), comply.into()]);
        }
        let rows = self.rows.iter().filter_map(ValueEnum::to_possible_value);
        arguments.extend(rows.map(|row| row.get_name().into()));
        arguments
    }
}

/// What is measured.
struct Programs {
    xtask: PathBuf,
    provider: PathBuf,
    application: PathBuf,
    comply: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_passed_on() {
        let bench = Bench { rows: vec![Row::List, Row::New], format: Format::Json, quick: true };
        let mut programs = Programs {
            xtask: "x".into(),
            provider: "p".into(),
            application: "a".into(),
            comply: None,
        };
        let arguments = |programs: &Programs| {
            bench.arguments(Path::new("r"), programs).join(" ".as_ref()).into_string().unwrap()
        };
        let usual = "--format json --quick --repository r --xtask x --provider p --application a";
        assert_eq!(arguments(&programs), format!("{usual} list new"));
        programs.comply = Some("c".into());
        assert_eq!(arguments(&programs), format!("{usual} --comply c list new"));
    }
}
