//! The configuration itself: `fmt`, `graph`, `test`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::arguments::{Limits, push_all, push_if, push_operands, push_parallelism, words};

/// What `fmt` does with files that are not in the canonical format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FormatMode {
    /// Names them.
    #[default]
    Check,
    /// Shows what it would change in them.
    Diff,
    /// Rewrites them.
    Write,
}

/// What `fmt` can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormatOptions {
    /// What it does with files that are not in the canonical format.
    pub mode: FormatMode,
    /// Goes into directories below.
    pub recursive: bool,
    /// Files and directories; the root module where there are none.
    pub targets: Vec<PathBuf>,
    /// How long it may take.
    pub limits: Limits,
}

/// Which graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphKind {
    /// What a plan does.
    Plan,
    /// What a plan that only refreshes does.
    PlanRefreshOnly,
    /// What a plan to destroy does.
    PlanDestroy,
    /// What an apply does.
    Apply,
}

impl GraphKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::PlanRefreshOnly => "plan-refresh-only",
            Self::PlanDestroy => "plan-destroy",
            Self::Apply => "apply",
        }
    }
}

/// What `graph` can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphOptions {
    /// The steps of an operation; where this is `None`, only resources and what they refer to.
    pub kind: Option<GraphKind>,
    /// That of a saved plan, instead of the configuration's.
    pub plan: Option<PathBuf>,
    /// Marks circles; only with a [`GraphOptions::kind`].
    pub draw_cycles: bool,
}

/// What `test` can be told.
///
/// Tests make real things, and run provisioners even where the provider is a mock (hashicorp/terraform#35459): a test is as
/// trusted as an apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// Only these files, as seen from the root module. One that does not exist is no error, but then nothing is tested.
    pub filters: Vec<PathBuf>,
    /// Where tests are beside the root module itself; Terraform's default is `tests`.
    pub test_directory: Option<PathBuf>,
    /// Files with variables.
    pub variable_files: Vec<PathBuf>,
    /// Where a report in the format of `JUnit` is written. Terraform only.
    pub junit_xml: Option<PathBuf>,
    /// How many resources at once. Terraform 1.12 or later.
    pub parallelism: Option<u16>,
    /// How long it may take.
    pub limits: Limits,
}

/// Returns the arguments of `fmt`.
pub fn format_arguments(options: &FormatOptions) -> Vec<OsString> {
    let mut arguments = words(&["fmt", "-no-color"]);
    match options.mode {
        FormatMode::Check => arguments.extend(words(&["-check"])),
        // `-check` shows no difference beside `-list=false`.
        FormatMode::Diff => arguments.extend(words(&["-list=false", "-write=false", "-diff"])),
        FormatMode::Write => {}
    }
    push_if(&mut arguments, options.recursive, "-recursive");
    push_operands(&mut arguments, &options.targets);
    arguments
}

/// Returns the arguments of `graph`.
pub fn graph_arguments(options: &GraphOptions) -> Vec<OsString> {
    let mut arguments = words(&["graph", "-no-color"]);
    arguments.extend(options.kind.map(|kind| format!("-type={}", kind.as_str()).into()));
    push_all(&mut arguments, "-plan=", options.plan.as_slice());
    push_if(&mut arguments, options.draw_cycles, "-draw-cycles");
    arguments
}

/// Returns the arguments of `test`.
pub fn test_arguments(options: &TestOptions) -> Vec<OsString> {
    let mut arguments = words(&["test", "-json", "-no-color"]);
    push_all(&mut arguments, "-filter=", &options.filters);
    push_all(&mut arguments, "-test-directory=", options.test_directory.as_slice());
    push_all(&mut arguments, "-var-file=", &options.variable_files);
    push_all(&mut arguments, "-junit-xml=", options.junit_xml.as_slice());
    push_parallelism(&mut arguments, options.parallelism);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{check, limits};

    #[test]
    fn defaults() {
        check(&format_arguments(&FormatOptions::default()), "fmt -no-color -check");
        check(&graph_arguments(&GraphOptions::default()), "graph -no-color");
        check(&test_arguments(&TestOptions::default()), "test -json -no-color");
    }

    #[test]
    fn fmt_with_everything() {
        let options = |mode| FormatOptions {
            mode,
            recursive: true,
            targets: vec!["a".into(), "-b.tf".into()],
            limits: limits(),
        };
        check(
            &format_arguments(&options(FormatMode::Check)),
            "fmt -no-color -check -recursive -- a -b.tf",
        );
        check(
            &format_arguments(&options(FormatMode::Diff)),
            "fmt -no-color -list=false -write=false -diff -recursive -- a -b.tf",
        );
        check(
            &format_arguments(&options(FormatMode::Write)),
            "fmt -no-color -recursive -- a -b.tf",
        );
    }

    #[test]
    fn graph_with_everything() {
        let options = |kind| GraphOptions {
            kind: Some(kind),
            plan: Some("a.tfplan".into()),
            draw_cycles: true,
        };
        for (kind, name) in [
            (GraphKind::Plan, "plan"),
            (GraphKind::PlanRefreshOnly, "plan-refresh-only"),
            (GraphKind::PlanDestroy, "plan-destroy"),
            (GraphKind::Apply, "apply"),
        ] {
            check(
                &graph_arguments(&options(kind)),
                &format!("graph -no-color -type={name} -plan=a.tfplan -draw-cycles"),
            );
        }
    }

    #[test]
    fn test_with_everything() {
        let options = TestOptions {
            filters: vec!["tests/a.tftest.hcl".into(), "tests/b.tftest.hcl".into()],
            test_directory: Some("tests".into()),
            variable_files: vec!["a.tfvars.json".into()],
            junit_xml: Some("junit.xml".into()),
            parallelism: Some(4),
            limits: limits(),
        };
        check(
            &test_arguments(&options),
            "test -json -no-color -filter=tests/a.tftest.hcl -filter=tests/b.tftest.hcl -test-directory=tests \
             -var-file=a.tfvars.json -junit-xml=junit.xml -parallelism=4",
        );
    }
}
