//! `env test`: health, a write and a read, and a command of the application's own.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::playground::{Playground, eventually, has};

const NAME: &str = "calm-otter";

/// A write and a read of it, of which the read can be made to expect something else.
fn requests(contains: &str) -> String {
    format!(
        r#"
[[test.request]]
name = "write"
method = "POST"
path = "/entries"
body = '{{"name": "Ada", "message": "{{unique}}"}}'
status = 201

[[test.request]]
path = "/entries?limit=1"
contains = "{contains}"
"#
    )
}

/// Returns the verdicts and names of a run with its exit code.
fn verdicts(playground: &Playground) -> (Option<i32>, Vec<String>, Value) {
    let answer = playground.env(&["test", NAME, "--format", "json"]);
    let report: Value = serde_json::from_str(&answer.stdout).expect("it is a report");
    let cases = report["cases"].as_array().unwrap().iter();
    let text = |case: &Value, key: &str| case[key].as_str().unwrap().to_owned();
    let verdicts =
        cases.map(|case| format!("{} {}", text(case, "verdict"), text(case, "name"))).collect();
    assert_eq!(report["passed"], answer.code == Some(0));
    (answer.code, verdicts, report)
}

#[test]
fn what_works_passes_and_what_does_not_is_told() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let unknown = playground.env(&["test", NAME]);
    assert_eq!(unknown.code, Some(6), "{}", unknown.stderr);
    playground.ok(&["new", NAME]);
    let wanted = playground.env(&["test", NAME]);
    assert_eq!(wanted.code, Some(1), "{}", wanted.stderr);
    assert!(wanted.stderr.contains("`calm-otter` has no URL: it is wanted"), "{}", wanted.stderr);
    assert!(wanted.stderr.contains("env up calm-otter"), "{}", wanted.stderr);

    let up = playground.json(&["up", NAME]);
    let nothing = playground.env(&["test", NAME]);
    assert_eq!(nothing.code, Some(0), "{}", nothing.stderr);
    assert!(nothing.stderr.contains("only its health was tested"), "{}", nothing.stderr);
    assert!(nothing.stdout.starts_with("ok "), "{}", nothing.stdout);

    let script = "echo \"$MENAGERIE_ENVIRONMENT at $MENAGERIE_URL\"; pwd; echo loud >&2";
    let command = format!("[test]\ncommand = ['sh', '-c', '{script}']\n");
    playground.configure(&(command.clone() + &requests("{unique}")));
    let report = playground.root().join("reports/env test.xml");
    let passed = playground.env(&["test", NAME, "--junit", report.to_str().unwrap()]);
    assert_eq!(passed.code, Some(0), "{}", passed.stderr);
    assert_eq!(passed.stdout.lines().filter(|line| line.starts_with("ok ")).count(), 4);
    assert!(passed.stderr.contains("passed all 4 tests"), "{}", passed.stderr);
    let text = fs::read_to_string(&report).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(document.root_element().attribute("tests"), Some("4"));
    let (code, found, json) = verdicts(&playground);
    assert_eq!(
        (code, &found[..3]),
        (
            Some(0),
            &["passed health: GET /readyz", "passed write", "passed GET /entries?limit=1"]
                .map(str::to_owned)[..]
        )
    );
    let log = fs::read_to_string(json["cases"][3]["log"].as_str().unwrap()).unwrap();
    let expected = format!("{NAME} at {}", up["url"].as_str().unwrap());
    assert_eq!(
        log.lines().collect::<Vec<_>>(),
        [&expected, playground.root().to_str().unwrap(), "loud"]
    );

    // A read that finds something else, and a command that fails.
    let script = "echo out of order; exit 3";
    let command = format!("[test]\ncommand = ['sh', '-c', '{script}']\n");
    playground.configure(&(command + &requests("something else")));
    let report = playground.root().join("failed.xml");
    let failed = playground.env(&["test", NAME, "--junit", report.to_str().unwrap()]);
    assert_eq!(failed.code, Some(11), "{}", failed.stderr);
    assert!(failed.stderr.contains("failed 2 of 4 tests"), "{}", failed.stderr);
    for expected in [
        "the answer does not contain `something else`",
        "it ended with exit status: 3",
        "| out of order",
    ] {
        assert!(failed.stdout.contains(expected), "`{expected}` is not in:\n{}", failed.stdout);
    }
    let text = fs::read_to_string(&report).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(document.root_element().attribute("failures"), Some("2"));

    playground.configure("[test]\ncommand = ['no-such-program']\n");
    let missing = playground.env(&["test", NAME]);
    assert_eq!(missing.code, Some(1), "{}", missing.stderr);
    assert!(missing.stderr.contains("failed to run `no-such-program`"), "{}", missing.stderr);
    playground.configure("[[test.request]]\nmethod = 'FETCH'\n");
    let wrong = playground.env(&["test", NAME]);
    assert_eq!(wrong.code, Some(5), "{}", wrong.stderr);

    // What does not answer is not tested further.
    playground.configure(&requests("{unique}"));
    let supervisor = playground.processes();
    let supervisor = supervisor.iter().find(|(_, line)| line.contains(" supervise ")).unwrap().0;
    kill_process(Pid::from_raw(supervisor.cast_signed()).unwrap(), Signal::KILL).unwrap();
    let (code, found, _) = verdicts(&playground);
    let words: Vec<&str> = found.iter().map(|case| case.split(' ').next().unwrap()).collect();
    assert_eq!((code, &words[..]), (Some(11), &["failed", "skipped", "skipped"][..]));
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["up", NAME]);
    // The path of the repository marks what belongs to it, as `processes` looks for it.
    let mark = playground.root().join(".git/marks");
    fs::create_dir(&mark).unwrap();
    let is_left = || {
        let processes = playground.processes();
        processes.iter().any(|(_, line)| line.contains("marks"))
    };
    let script = format!("sh -c \"sleep 100; : {0}\" & sh -c \"sleep 100; : {0}\"", mark.display());
    playground.configure(&format!("[test]\ncommand = ['sh', '-c', '{script}']\ntimeout = '1s'\n"));
    let (code, found, report) = verdicts(&playground);
    assert_eq!(code, Some(11), "{report}");
    assert!(found[1].starts_with("failed command: sh"), "{found:?}");
    assert_eq!(report["cases"][1]["reason"], "it took more than 1s, and was ended");
    assert!(!is_left(), "{:?}", playground.processes());

    playground.configure(&format!("[test]\ncommand = ['sh', '-c', '{script}']\n"));
    let handle = playground.command(&["test", NAME]).start().unwrap();
    eventually("the command runs", is_left);
    kill_process(Pid::from_raw(handle.pids()[0].cast_signed()).unwrap(), Signal::INT).unwrap();
    let output = handle.wait_timeout(Duration::from_mins(1)).unwrap().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(!is_left(), "{:?}", playground.processes());
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
}

/// The repository's own application and its own tests, as `menagerie.toml` has them.
#[test]
fn the_sample_application_passes_its_own_tests() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["up", NAME]);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let ours = fs::read_to_string(source.join("menagerie.toml")).unwrap();
    let start = ours.find("[test]").expect("it tests itself");
    // Everything as it stands there, but that the sources are elsewhere.
    let manifest =
        format!("\"test\", \"--manifest-path\", \"{}\",", source.join("Cargo.toml").display());
    let tests = ours[start..]
        .replacen("\"test\",", &manifest, 1)
        .replace("\"target\"", &format!("\"{}\"", target().display()));
    playground.configure(&tests);
    let answer = playground.env(&["test", NAME]);
    assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
    assert_eq!(answer.stdout.lines().filter(|line| line.starts_with("ok ")).count(), 4);
    assert!(answer.stdout.contains("write an entry"), "{}", answer.stdout);
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
}

/// Returns the target directory of this build, where most is built already.
fn target() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_xtask"))
        .ancestors()
        .nth(2)
        .expect("it is in a profile's directory")
}
