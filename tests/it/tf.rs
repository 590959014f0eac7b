//! `xtask tf …`: what is about the tree of modules itself.

use std::fs;

use duct::Expression;
use serde_json::Value;

use crate::playground::{Answer, Playground, has, provider, run};

/// Returns a command that runs `xtask tf` with these arguments.
fn command(playground: &Playground, arguments: &[&str]) -> Expression {
    duct::cmd(env!("CARGO_BIN_EXE_xtask"), [&["tf"], arguments].concat())
        .dir(playground.root())
        .env("MENAGERIE_PROVIDER", provider())
        .env("NO_COLOR", "1")
        .env_remove("TF_CLI_CONFIG_FILE")
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked()
}

fn test(playground: &Playground, arguments: &[&str]) -> Answer {
    run(&command(playground, &[&["test"], arguments].concat()))
}

fn put(playground: &Playground, path: &str, text: &str) {
    let path = playground.root().join("tf").join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Asserts that nothing runs for this repository, and that its tree is as it was.
#[track_caller]
fn assert_nothing_left(playground: &Playground) {
    assert_eq!(playground.processes(), []);
    assert_eq!(playground.git(&["status", "--porcelain", "--ignored", "tf"]), "");
    let records = playground.root().join(".git/menagerie/tree-tests");
    let left: Vec<_> = fs::read_dir(records)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    assert!(left.iter().all(|path| path.extension().is_some_and(|end| end == "lock")), "{left:?}");
}

/// The modules for this machine, over their real provider; the others are tested by `.ci/run`.
#[test]
fn the_modules_for_this_machine_pass() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let paths = [
        "tf/development/local",
        "tf/modules/application_hosting/local",
        "tf/modules/database/local",
        "tf/modules/observability/local",
    ];
    let junit = playground.root().join(".git/report/tf.xml");
    let junit = junit.to_str().unwrap();
    let more = ["--junit", junit, "--format", "json"];
    let answer = test(&playground, &[&paths[..], &more].concat());
    assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(report["passed"], true);
    let runs = report["runs"].as_array().unwrap();
    // As many as there are blocks, each at its line.
    let mut written = 0;
    for path in paths {
        let tests = playground.root().join(path).join("tests");
        for entry in fs::read_dir(tests).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            written += text.lines().filter(|line| line.starts_with("run ")).count();
        }
    }
    assert!(written > 20, "the modules have tests");
    assert_eq!(runs.len(), written);
    for run in runs {
        let file = fs::read_to_string(playground.root().join(run["file"].as_str().unwrap()));
        let line = usize::try_from(run["line"].as_u64().unwrap()).unwrap();
        let expected = format!("run {} {{", run["name"]);
        assert_eq!(file.unwrap().lines().nth(line - 1), Some(expected.as_str()));
    }
    let xml = fs::read_to_string(junit).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    assert_eq!(document.root_element().attribute("tests"), Some(&*written.to_string()));
    assert_eq!(document.root_element().attribute("failures"), Some("0"));
    assert_nothing_left(&playground);
}

const MODULE: &str = "terraform {\n  backend \"s3\" {}\n}\n\nvariable \"count_of\" {\n  type = number\n}\n\nresource \"terraform_data\" \"this\" {\n  input = var.count_of\n}\n";

#[test]
fn what_fails_is_told_with_file_and_line() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    put(&playground, "modules/one/main.tf", MODULE);
    put(
        &playground,
        "modules/one/tests/one.tftest.hcl",
        "variables {\n  count_of = 1\n}\n\nrun \"holds\" {\n}\n\nrun \"fails\" {\n  assert {\n    condition     = terraform_data.this.output == 2\n    error_message = \"One is not two.\"\n  }\n}\n\nrun \"is_wrong\" {\n  variables {\n    count_of = {}\n  }\n}\n\nrun \"follows\" {\n}\n",
    );
    // A module that one of the tests calls, and whose error is in a file of its own.
    put(
        &playground,
        "modules/two/main.tf",
        "resource \"terraform_data\" \"this\" {\n  inputt = 1\n}\n",
    );
    put(&playground, "modules/two/tests/two.tftest.hcl", "run \"two\" {\n}\n");
    put(&playground, "modules/three/main.tf", "locals {}\n");
    put(&playground, "modules/three/tests/three.tftest.hcl", "variables {\n}\n");
    let answer = test(&playground, &["tf/modules/one", "tf/modules/two", "tf/modules/three"]);
    assert_eq!(answer.code, Some(11), "{}", answer.stderr);
    let expected = [
        "ok  ",
        "tf/modules/one/tests/one.tftest.hcl:5: holds\n",
        "tf/modules/one/tests/one.tftest.hcl:8: fails\n         | error: Test assertion failed\n",
        "--> tf/modules/one/tests/one.tftest.hcl:10:21\n",
        "| One is not two.\n",
        "tf/modules/one/tests/one.tftest.hcl:15: is_wrong\n",
        "--> tf/modules/one/tests/one.tftest.hcl:17:16\n",
        "tf/modules/one/tests/one.tftest.hcl:21: follows\n",
        "--> tf/modules/two/main.tf:2:3\n",
        "nothing was run: there is no `run` block\n",
    ];
    for part in expected {
        assert!(answer.stdout.contains(part), "{part}\n{}{}", answer.stdout, answer.stderr);
    }
    assert!(answer.stderr.contains(" runs in 3 directories failed"), "{}", answer.stderr);
    // One file of them, with the same exit code; a filter chooses likewise.
    let one = test(&playground, &["tf/modules/one/tests", "--filter", "one.tftest"]);
    assert_eq!(one.code, Some(11), "{}", one.stderr);
    assert!(!one.stdout.contains("tf/modules/two"), "{}", one.stdout);
    assert_eq!(playground.processes(), []);
}

#[test]
fn what_is_not_there_is_no_success() {
    let playground = Playground::new();
    put(&playground, "modules/untested/main.tf", MODULE);
    for (arguments, expected) in [
        (&["tf/modules/nowhere"][..], "is no part of the tree in `tf`"),
        (&["menagerie.toml"], "is no part of the tree in `tf`"),
        (&["tf/modules/untested"], "there are no tests in `tf/modules/untested`"),
        (&["--filter", "nowhere"], "there are no tests in a file whose path contains `nowhere`"),
    ] {
        let answer = test(&playground, arguments);
        assert_eq!(answer.code, Some(1), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(expected), "{}", answer.stderr);
        assert!(answer.stderr.contains("hint: "), "{}", answer.stderr);
        assert_eq!(answer.stdout, "");
    }
}

/// What a killed run had started is ended by the next one.
#[test]
fn a_killed_run_leaves_nothing_to_the_next() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let mark = playground.root().join("tf/started");
    let slow = format!(
        "resource \"terraform_data\" \"wait\" {{\n  triggers_replace = [menagerie_database.this.id]\n\n  provisioner \"local-exec\" {{\n    command = \"touch {} && sleep 8\"\n  }}\n}}\n",
        mark.display()
    );
    put(&playground, "modules/database/local/slow.tf", &slow);
    let arguments = ["test", "tf/modules/database/local", "--filter", "database"];
    let killed = command(&playground, &arguments).start().unwrap();
    crate::playground::eventually("a test runs", || mark.exists());
    killed.kill().unwrap();
    let _ = killed.wait();
    fs::remove_file(playground.root().join("tf/modules/database/local/slow.tf")).unwrap();
    let answer = test(&playground, &["tf/modules/database/local"]);
    assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
    fs::remove_file(mark).unwrap();
    // A provider leaves a moment after the Terraform that was ended.
    crate::playground::eventually("all providers leave", || playground.processes().is_empty());
    assert_nothing_left(&playground);
}
