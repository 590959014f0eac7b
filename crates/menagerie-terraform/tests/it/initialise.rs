//! `init` runs when it is needed, and only then.

use menagerie_terraform::{Ended, InitOptions};

use crate::support::{Root, done, ignore};

const BACKEND: &str = "terraform {\n  backend \"local\" {}\n}\n";

fn options(root: &Root, state: &str) -> InitOptions {
    let mut path = std::ffi::OsString::from("path=");
    path.push(root.beside(state));
    InitOptions { backend_config: vec![path], ..InitOptions::default() }
}

#[track_caller]
fn plan_with_init(root: &Root, init: &InitOptions, expected: &[&str]) {
    let before = root.commands().len();
    let options = root.plan_options("a.tfplan");
    let ended = root
        .workdir
        .plan_with_init(&root.terraform, init, &options, &mut ignore, &root.cancel)
        .unwrap();
    done(ended);
    assert_eq!(root.commands()[before..], *expected);
}

#[test]
fn each_command_says_that_it_is_needed() {
    let Some(root) = Root::new(BACKEND) else { return };
    assert!(matches!(root.plan("a.tfplan"), Ended::NeedsInit(_)));
    let shown = root.workdir.show_state(&root.terraform, &mut ignore, &root.cancel).unwrap();
    assert!(matches!(shown, Ended::NeedsInit(_)), "{shown}");
    let outputs = root.workdir.output(&root.terraform, &mut ignore, &root.cancel).unwrap();
    assert!(matches!(outputs, Ended::NeedsInit(_)), "{outputs}");
    root.write("main.tf", "module \"inner\" {\n  source = \"./inner\"\n}\n");
    root.write("inner/main.tf", "");
    let validation = root.workdir.validate(&root.terraform, &mut ignore, &root.cancel).unwrap();
    assert!(matches!(validation, Ended::NeedsInit(_)), "{validation}");
}

#[test]
fn it_runs_once_until_something_changes() {
    let Some(mut root) = Root::new(BACKEND) else { return };
    let init = options(&root, "state/terraform.tfstate");
    plan_with_init(&root, &init, &["init", "plan"]);
    plan_with_init(&root, &init, &["plan"]);
    root.write("outputs.tf", "output \"x\" {\n  value = 1\n}\n");
    plan_with_init(&root, &init, &["init", "plan"]);
    // Where a provider listens is new in each run; which ones do is what counts.
    root.workdir.reattach_providers = Some("{}".to_owned());
    plan_with_init(&root, &init, &["plan"]);
    std::fs::remove_dir_all(&root.workdir.data_directory).unwrap();
    plan_with_init(&root, &init, &["init", "plan"]);
    plan_with_init(&root, &InitOptions { upgrade: true, ..init.clone() }, &["init", "plan"]);
}

#[test]
fn plan_finds_what_could_not_be_told_before() {
    let Some(root) = Root::new("module \"outer\" {\n  source = \"./outer\"\n}\n") else { return };
    root.write("outer/main.tf", "");
    root.write("inner/main.tf", "");
    let init = InitOptions::default();
    plan_with_init(&root, &init, &["init", "plan"]);
    root.write("outer/main.tf", "module \"inner\" {\n  source = \"../inner\"\n}\n");
    plan_with_init(&root, &init, &["plan", "init", "plan"]);
    plan_with_init(&root, &init, &["plan"]);
}

#[test]
fn another_backend_is_taken_only_when_asked_to() {
    let Some(root) = Root::new(BACKEND) else { return };
    plan_with_init(&root, &options(&root, "first.tfstate"), &["init", "plan"]);
    let second = options(&root, "second.tfstate");
    let ended = root.workdir.init(&root.terraform, &second, &mut ignore, &root.cancel).unwrap();
    let Ended::Failed(failure) = ended else { panic!("{ended}") };
    assert!(failure.to_string().starts_with("error: Backend configuration changed"), "{failure}");
    plan_with_init(&root, &InitOptions { reconfigure: true, ..second }, &["init", "plan"]);
}
