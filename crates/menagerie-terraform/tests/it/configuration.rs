//! The configuration: its format, its graph, its tests.

use std::fs;
use std::path::PathBuf;

use menagerie_plan::{Event, TestStatus};
use menagerie_terraform::{
    Ended, FormatMode, FormatOptions, GraphKind, GraphOptions, Notice, TestDone, TestOptions,
};

use crate::support::{Root, done, ignore};

const UGLY: &str = "resource \"terraform_data\"   \"web\" {\n}\n";
const PRETTY: &str = "resource \"terraform_data\" \"web\" {\n}\n";

#[test]
fn the_format_is_checked_shown_and_written() {
    let Some(root) = Root::new(UGLY) else { return };
    root.write("inner/main.tf", UGLY);
    let format = |mode, recursive| {
        let options = FormatOptions { mode, recursive, ..FormatOptions::default() };
        done(root.workdir.format(&root.terraform, &options, &mut ignore, &root.cancel).unwrap())
    };
    let (main, inner) = (PathBuf::from("main.tf"), PathBuf::from("inner/main.tf"));
    assert_eq!(format(FormatMode::Check, false).files, std::slice::from_ref(&main));
    let shown = format(FormatMode::Diff, true);
    assert_eq!(shown.files, [inner.clone(), main.clone()]);
    assert!(shown.diff.contains("+resource \"terraform_data\" \"web\" {"), "{}", shown.diff);
    assert_eq!(fs::read_to_string(root.workdir.directory.join("main.tf")).unwrap(), UGLY);
    assert_eq!(format(FormatMode::Write, true).files, [inner, main]);
    assert_eq!(fs::read_to_string(root.workdir.directory.join("main.tf")).unwrap(), PRETTY);
    assert!(format(FormatMode::Check, true).files.is_empty());
    assert!(format(FormatMode::Diff, true).diff.is_empty());
}

#[test]
fn what_is_no_configuration_has_no_format() {
    let Some(root) = Root::new("resource {\n") else { return };
    let format = |targets: &[&str]| {
        let targets = targets.iter().map(Into::into).collect();
        let options = FormatOptions { targets, ..FormatOptions::default() };
        root.workdir.format(&root.terraform, &options, &mut ignore, &root.cancel).unwrap()
    };
    for (targets, expected) in
        [(&[][..], "Unclosed configuration block"), (&["absent.tf"][..], "No file or directory")]
    {
        let Ended::Failed(failure) = format(targets) else { panic!("it can't be read") };
        assert!(failure.to_string().contains(expected), "{failure}");
    }
}

#[test]
fn the_graph() {
    let Some(root) = Root::new(PRETTY) else { return };
    let graph = |options: &GraphOptions| {
        done(root.workdir.graph(&root.terraform, options, &mut ignore, &root.cancel).unwrap())
    };
    assert!(graph(&GraphOptions::default()).contains("\"terraform_data.web\""));
    done(root.plan("a.tfplan"));
    let options = GraphOptions {
        kind: Some(GraphKind::Apply),
        plan: Some(root.beside("a.tfplan")),
        draw_cycles: true,
    };
    assert!(graph(&options).contains("[root] terraform_data.web"));
}

const TESTED: &str = r#"
variable "name" {
  type    = string
  default = "x"
}

resource "terraform_data" "web" {
  input = var.name
}
"#;

fn test(root: &Root, options: &TestOptions) -> Ended<TestDone> {
    root.workdir.test(&root.terraform, options, &mut ignore, &root.cancel).unwrap()
}

#[test]
fn tests_that_hold_and_tests_that_do_not() {
    let Some(root) = Root::new(TESTED) else { return };
    root.write("tests/good.tftest.hcl", "run \"good\" {}\n");
    root.write(
        "tests/bad.tftest.hcl",
        "run \"bad\" {\n  command = plan\n  assert {\n    condition     = var.name == \"y\"\n    \
         error_message = \"name is not y\"\n  }\n}\n",
    );
    let tested = done(test(&root, &TestOptions::default()));
    assert!(!tested.passed());
    assert_eq!((tested.summary.passed, tested.summary.failed), (1, 1));
    let runs: Vec<_> = tested.runs.iter().map(|run| (run.run.as_str(), run.status)).collect();
    assert_eq!(runs, [("bad", Some(TestStatus::Fail)), ("good", Some(TestStatus::Pass))]);
    assert_eq!(tested.diagnostics[0].detail, "name is not y");

    root.write("y.tfvars", "name = \"y\"\n");
    let junit = root.beside("junit.xml");
    let options = TestOptions {
        filters: vec!["tests/bad.tftest.hcl".into()],
        variable_files: vec!["y.tfvars".into()],
        junit_xml: Some(junit.clone()),
        ..TestOptions::default()
    };
    let tested = done(test(&root, &options));
    assert!(tested.passed() && tested.runs.len() == 1, "{tested:?}");
    assert!(fs::read_to_string(junit).unwrap().contains("<testcase name=\"bad\""));
}

#[test]
fn no_test_at_all_is_no_success() {
    let Some(root) = Root::new(TESTED) else { return };
    let options =
        TestOptions { filters: vec!["absent.tftest.hcl".into()], ..TestOptions::default() };
    let tested = done(test(&root, &options));
    assert_eq!(tested.summary.status, TestStatus::Pass, "Terraform says so");
    assert!(!tested.passed());
}

#[test]
fn what_a_test_leaves_is_named() {
    let Some(root) = Root::new(
        "resource \"terraform_data\" \"web\" {\n  provisioner \"local-exec\" {\n    when    = destroy\n    command = \
         \"exit 1\"\n  }\n}\n",
    ) else {
        return;
    };
    root.write("main.tftest.hcl", "run \"good\" {}\n");
    let tested = done(test(&root, &TestOptions::default()));
    assert!(!tested.passed());
    assert_eq!(tested.left[0].instance, "terraform_data.web");
}

#[test]
fn tests_that_cannot_be_read_are_a_failure() {
    let Some(root) = Root::new(TESTED) else { return };
    root.write("main.tftest.hcl", "run \"good\" {\n");
    assert!(matches!(test(&root, &TestOptions::default()), Ended::Failed(_)));
    root.write("main.tftest.hcl", "run \"good\" {}\n");
    root.write("inner/main.tf", "");
    root.write("module.tf", "module \"inner\" {\n  source = \"./inner\"\n}\n");
    assert!(matches!(test(&root, &TestOptions::default()), Ended::NeedsInit(_)));
}

/// Terraform lets the run that is in progress finish, says that all passed, and exits with 0.
#[test]
fn an_interrupted_test_has_not_passed() {
    let Some(root) = Root::new(
        "resource \"terraform_data\" \"web\" {\n  provisioner \"local-exec\" {\n    command = \"sleep 1\"\n  }\n}\n",
    ) else {
        return;
    };
    root.write("main.tftest.hcl", "run \"good\" {}\n");
    let cancel = root.cancel.clone();
    let mut passed = false;
    let mut notices = |notice: Notice<'_>| match notice {
        Notice::Event(Event::TestRun(_)) if cancel.count() == 0 => cancel.interrupt(),
        Notice::Event(Event::TestSummary(summary)) => {
            passed = summary.status == TestStatus::Pass;
        }
        _ => {}
    };
    let options = TestOptions::default();
    let ended = root.workdir.test(&root.terraform, &options, &mut notices, &root.cancel).unwrap();
    assert_eq!(ended, Ended::Cancelled { forced: false });
    assert!(passed, "this is what makes it hard to tell");
}
