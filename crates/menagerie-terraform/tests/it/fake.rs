//! What the real Terraform does only in a crash, on a full disk, or in a version to come.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use menagerie_plan::Event;
use menagerie_terraform::{
    ApplyOptions, Ended, Flavour, Limits, Notice, PlanOptions, ProvidersMirrorOptions, RunError,
    Search, Terraform, TestOptions, closed_environment,
};

use crate::support::{Root, done, ignore};

pub(crate) fn root(behaviour: &str) -> Root {
    root_of(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fake/terraform"), behaviour)
}

fn root_of(explicit: PathBuf, behaviour: &str) -> Root {
    let environment = closed_environment(std::env::vars_os());
    let terraform = Terraform::discover(&Search { explicit: Some(explicit), environment }).unwrap();
    let mut root = Root::with(terraform, "");
    root.workdir.environment.insert("FAKE".into(), behaviour.into());
    root
}

#[test]
fn output_that_is_not_whole_is_no_success() {
    let root = root("torn");
    let error = root.try_apply("a.tfplan").unwrap_err();
    assert!(
        error.to_string().starts_with("`terraform apply` went through, but its output in `"),
        "{error}"
    );
}

#[test]
fn a_stream_of_another_version_is_refused() {
    let root = root("newer");
    let error = root.try_apply("a.tfplan").unwrap_err();
    assert_eq!(error.to_string(), "failed to understand what `terraform apply` printed");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("`2.0`"), "{source}");
}

#[test]
fn a_crash_is_shown() {
    let root = root("crash");
    let Ended::Failed(failure) = root.apply("a.tfplan") else { panic!("it crashed") };
    assert_eq!(failure.exit_code, Some(11));
    assert_eq!(failure.to_string(), "panic: runtime error");
}

#[test]
fn nothing_but_the_closed_environment_arrives() {
    let mut root = root("environment");
    root.workdir.reattach_providers = Some("{\"x\":1}".to_owned());
    root.workdir.environment.retain(|name, _| name == "FAKE" || name == "PATH");
    let mut names = Vec::new();
    let mut notices = |notice: Notice<'_>| {
        if let Notice::Event(Event::Text(line)) = notice {
            names.push(line.split('=').next().unwrap().to_owned());
        }
    };
    let options = ApplyOptions::new("a.tfplan".into());
    // It prints no summary, and so is not taken for a success.
    root.workdir.apply(&root.terraform, &options, &mut notices, &root.cancel).unwrap_err();
    // These the shell sets by itself.
    names.retain(|name| !matches!(name.as_str(), "PWD" | "OLDPWD" | "SHLVL" | "_"));
    assert_eq!(names, ["FAKE", "PATH", "TF_DATA_DIR", "TF_REATTACH_PROVIDERS"]);
}

/// It ignores interrupts, and what it has started ignores them too.
#[test]
fn after_the_grace_all_of_it_is_killed() {
    let root = root("hang");
    let mut child = String::new();
    let mut notices = |notice: Notice<'_>| {
        if let Notice::Event(Event::Text(pid)) = notice {
            child.clone_from(pid);
            root.cancel.interrupt();
        }
    };
    let limits = Limits { timeout: None, grace: Some(Duration::from_millis(200)) };
    let options = ApplyOptions { limits, ..ApplyOptions::new("a.tfplan".into()) };
    let ended = root.workdir.apply(&root.terraform, &options, &mut notices, &root.cancel).unwrap();
    assert_eq!(ended, Ended::Cancelled { forced: true });
    let is_alive = || {
        duct::cmd!("kill", "-0", &child).stderr_null().unchecked().run().unwrap().status.success()
    };
    for _ in 0..400 {
        if !is_alive() {
            return;
        }
        thread::sleep(Duration::from_millis(25));
    }
    panic!("process {child} outlived its group");
}

#[test]
fn a_plan_that_failed_is_removed() {
    let root = root("crash");
    let options = PlanOptions { out: Some(root.beside("a.tfplan")), ..PlanOptions::default() };
    let ended = root.workdir.plan(&root.terraform, &options, &mut ignore, &root.cancel).unwrap();
    assert!(matches!(ended, Ended::Failed(_)));
    assert!(!root.beside("a.tfplan").exists());
}

/// It is called by the name of the other tool; a version manager does the same.
#[test]
fn what_only_one_of_both_has_is_refused_for_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let tofu = directory.path().join("tofu");
    symlink(root("").terraform.path(), &tofu).unwrap();
    let check = |root: &Root, expected: [&str; 4]| {
        let (terraform, cancel) = (&root.terraform, &root.cancel);
        let junit = TestOptions { junit_xml: Some("junit.xml".into()), ..TestOptions::default() };
        let parallel = TestOptions { parallelism: Some(2), ..TestOptions::default() };
        let exclude = PlanOptions { excludes: vec!["a.b".into()], ..PlanOptions::default() };
        let mirror =
            ProvidersMirrorOptions { ignore_lock_file: true, ..ProvidersMirrorOptions::default() };
        let errors = [
            root.workdir.test(terraform, &junit, &mut ignore, cancel).err(),
            root.workdir.test(terraform, &parallel, &mut ignore, cancel).err(),
            root.workdir.plan(terraform, &exclude, &mut ignore, cancel).err(),
            root.workdir.providers_mirror(terraform, &mirror, &mut ignore, cancel).err(),
        ];
        let texts = errors.map(|error| match error {
            Some(error @ RunError::Unsupported(_)) => error.to_string(),
            _ => String::new(),
        });
        assert_eq!(texts, expected);
    };
    let is_terraform = root("summary-plan");
    check(
        &is_terraform,
        [
            "",
            "`-parallelism` of `test` is not in Terraform 1.11.4, but in 1.12.0 and later",
            "`-exclude` of `plan` is not in Terraform 1.11.4, only in OpenTofu",
            "",
        ],
    );
    let is_tofu = root_of(tofu, "summary-plan");
    assert_eq!(is_tofu.terraform.flavour(), Flavour::OpenTofu);
    check(
        &is_tofu,
        [
            "`-junit-xml` of `test` is not in OpenTofu 1.11.4, only in Terraform",
            "`-parallelism` of `test` is not in OpenTofu 1.11.4, only in Terraform",
            "",
            "`-lock-file` of `providers mirror` is not in OpenTofu 1.11.4, only in Terraform",
        ],
    );
    assert_eq!(is_tofu.commands(), ["plan"], "what is refused is not started");
}

/// OpenTofu names itself in another field.
#[test]
fn both_are_understood() {
    let root = root("tofu");
    let mut version = String::new();
    let mut notices = |notice: Notice<'_>| {
        if let Notice::Event(Event::Version { version: told, .. }) = notice {
            version.clone_from(told);
        }
    };
    let options = PlanOptions::default();
    let ended = root.workdir.plan(&root.terraform, &options, &mut notices, &root.cancel).unwrap();
    assert!(!done(ended).changes);
    assert_eq!(version, "1.11.1");
}
