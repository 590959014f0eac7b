//! What the repository itself is judged on, with plans that are made for it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{check, comply, root};
use crate::playground::{Answer, Playground, has};

const CLOUD: &str = "\n[aws]\nregion = \"eu-central-1\"\n\n[backend.s3]\nbucket = \"acme-state\"\n";

fn report(answer: &Answer) -> Value {
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error} in {answer:?}"))
}

fn write(playground: &Playground, path: &str, text: &str) {
    let path = playground.root().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Returns what is wrong, but for what is only worth knowing.
fn failures(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| ["fail", "error"].contains(&finding["verdict"].as_str().unwrap()))
        .filter(|finding| finding["severity"] != "info")
        .map(|finding| format!("{} {}", finding["rule"], finding["address"]))
        .collect()
}

#[test]
fn this_repository_is_judged_offline() {
    let answer = comply(&["--format", "json"], b"");
    let report = report(&answer);
    assert_eq!(report["judged"][0]["sources"].as_array().unwrap().len(), 4, "{report:#}");
    assert_eq!(failures(&report), [""; 0]);
    assert!(report["records"].as_u64().unwrap() > 500, "{report:#}");
    check(&answer, 0, &["note: no plan was judged: `--env NAME`", "--branch-rules"]);
    for finding in report["findings"].as_array().unwrap() {
        // What GitHub knows stands in no file.
        let is_in_a_file = !finding["address"].as_str().unwrap().starts_with("branch:");
        let file = finding["location"]["file"].as_str();
        assert!(
            !is_in_a_file || file.is_none_or(|file| root().join(file).is_file()),
            "{finding:#}"
        );
    }
}

#[test]
fn a_new_environment_of_a_cloud_is_judged_by_its_rehearsal() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::with_engine("postgres");
    let answer = playground.comply(&["--hosting", "ecs", "--format", "json"]);
    let report = report(&answer);
    check(&answer, 0, &["REHEARSAL: `tf/envs/rehearsal-ecs` was planned"]);
    assert_eq!(
        (&report["rehearsal"], &report["judged"][0]["plan"]),
        (&true.into(), &"plan".into())
    );
    assert_eq!(failures(&report), [""; 0]);
    // A finding of a plan points at a file that is there, though the root module is not.
    let findings = report["findings"].as_array().unwrap().iter();
    let of_plan: Vec<&Value> = findings.filter(|finding| finding["source"] == "plan").collect();
    assert!(!of_plan.is_empty(), "{report:#}");
    for finding in of_plan {
        assert_eq!(finding["root"], "tf/envs/rehearsal-ecs");
        let file = finding["location"]["file"].as_str().unwrap_or_else(|| panic!("{finding:#}"));
        assert!(playground.root().join(file).is_file(), "{finding:#}");
    }
    assert!(!playground.root().join("tf/envs").exists());

    // What the tree does wrong is found, at its line.
    let file = "tf/modules/application_hosting/ecs/main.tf";
    let text = fs::read_to_string(playground.root().join(file)).unwrap();
    let wrong = text.replacen("retention_in_days = ", "retention_in_days = 0 # ", 1);
    assert_ne!(text, wrong, "the module keeps logs for some days");
    write(&playground, file, &wrong);
    let line = wrong.lines().position(|line| line.contains("= 0 # ")).unwrap() + 1;
    let answer = playground.comply(&["--hosting", "ecs"]);
    check(&answer, 1, &["REHEARSAL: ", &format!("--> {file}:{line}:"), "in tf/envs/rehearsal-ecs"]);
    // A waiver for a rehearsal belongs to no environment, as the finding.
    check(&playground.comply(&["--hosting", "local"]), 7, &["needs no rehearsal"]);
}

#[test]
fn an_environment_is_judged_by_its_own_plan() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::with_engine("postgres");
    playground.configure(CLOUD);
    playground.ok(&["new", "calm-otter"]);
    playground.ok(&["new", "keen-newt", "--hosting", "ecs", "--ttl", "3d"]);
    let asked = ["--env", "calm-otter", "--env", "keen-newt", "--format", "json"];
    let answer = playground.comply(&asked);
    let report = report(&answer);
    assert_eq!(failures(&report), [""; 0]);
    let judged: Vec<&Value> =
        report["judged"].as_array().unwrap().iter().map(|judged| &judged["environment"]).collect();
    assert_eq!(judged, [&Value::from("calm-otter"), &"keen-newt".into(), &Value::Null]);
    assert!(report["judged"][0]["expires"].is_string(), "{report:#}");
    // The plan that is judged is none that an apply is held to.
    assert!(!playground.records("calm-otter").join("plan/judged.tfplan").exists());
    assert!(!playground.records("calm-otter").join("plan/plan.json").exists());
    check(&playground.comply(&["--env", "calm-oter"]), 6, &["did you mean `calm-otter`?"]);

    // A waiver of an environment's finding ends with it.
    let findings = report["findings"].as_array().unwrap();
    let of_newt = findings.iter().find(|finding| finding["environment"] == "keen-newt");
    let fingerprint = of_newt.unwrap()["fingerprint"].as_str().unwrap();
    let waive = ["waive", fingerprint, "--reason=r", "--approved-by=grace", "--ticket=SEC-1"];
    let answer = playground.comply(&[&waive[..], &["--expires=2999-01-01"]].concat());
    check(&answer, 7, &["there is nothing to waive"]);

    playground.ok(&["destroy", "calm-otter", "--confirm", "calm-otter"]);
    playground.ok(&["destroy", "keen-newt", "--confirm", "keen-newt"]);
}

#[test]
fn what_can_not_be_read_is_never_right() {
    let playground = Playground::new();
    fs::remove_dir_all(playground.root().join("tf/modules")).unwrap();
    let cases = [
        ("tf/production/broken.tf", "resource \"a\" {\n", "tf/production/broken.tf:"),
        ("tf/envs/calm-otter/env.toml", "name = \"calm-otter\"\n", "tf/envs/calm-otter/env.toml:"),
        (".github/workflows/ci.yml", "on: [push\njobs: {", ".github/workflows/ci.yml:"),
        ("Cargo.lock", "[[package]]\nname = 1\n", "Cargo.lock:"),
    ];
    for (path, text, expected) in cases {
        let before = fs::read_to_string(playground.root().join(path)).ok();
        write(&playground, path, text);
        let expected = format!("not read: {expected}");
        check(&playground.comply(&[]), 3, &[&expected, "could not be read, and so not be judged"]);
        match before {
            Some(text) => write(&playground, path, &text),
            None => fs::remove_file(playground.root().join(path)).unwrap(),
        }
    }
    let answers = playground.root().join("answers.json");
    fs::write(&answers, "[]").unwrap();
    let answers = answers.to_str().unwrap();
    check(&playground.comply(&["--branch-rules", answers]), 3, &["what GitHub answered"]);
}

#[test]
fn nothing_is_left_of_a_rehearsal_that_is_refused() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::with_engine("postgres");
    let file = "tf/modules/application_hosting/ecs/extra.tf";
    write(&playground, file, "data \"external\" \"x\" {\n  program = [\"true\"]\n}\n");
    check(&playground.comply(&["--hosting", "ecs"]), 7, &[&format!("{file}:1")]);
    let left = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().count();
    let rehearsals = playground.root().join(".git/menagerie/rehearsals");
    for tree in fs::read_dir(rehearsals).unwrap().flatten() {
        assert_eq!(left(&tree.path().join("rehearsal-ecs")), 0);
    }
}

#[test]
fn the_walk_through_is_what_happens() {
    if !has("terraform") {
        return;
    }
    let page = fs::read_to_string(root().join("docs/compliance/README.md")).unwrap();
    let page = page.split("## From a sentence to a rule").nth(1).unwrap();
    let block = |language: &str, number: usize| {
        let text = page.split(&format!("```{language}\n")).nth(number).unwrap();
        text.split("```").next().unwrap().to_owned()
    };
    let playground = Playground::with_engine("postgres");
    write(&playground, "tf/compliance/rules/LOG-005.toml", &block("toml", 1));
    write(&playground, "tf/compliance/rules/LOG-005.test.toml", &block("toml", 2));
    // Behind the command is what it prints.
    let printed = |number| block("console", number).split_once('\n').unwrap().1.to_owned();
    assert_eq!(playground.comply(&["test", "LOG-005"]).stdout, printed(1));

    let answer = playground.comply(&["--hosting", "ecs"]);
    check(&answer, 1, &[]);
    assert!(answer.stdout.starts_with(printed(2).trim_end()), "{}", answer.stdout);

    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    let expires = format!("--expires={}", today.tomorrow().unwrap());
    let waive =
        ["waive", "6795dc", "--reason=r", "--approved-by=grace", "--ticket=SEC-42", &expires];
    check(&playground.comply(&waive), 0, &["tf/compliance/waivers/LOG-005.toml"]);
    check(&playground.comply(&["--hosting", "ecs"]), 1, &["waived LOG-005", "waivers: 1 used"]);
}
