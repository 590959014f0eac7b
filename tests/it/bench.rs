//! The benchmarks run, and print what programs can read; how long anything takes is no matter of tests.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use crate::playground::{Answer, has, is_required, judge, run};

/// The benchmarks, which are built here with what they measure where nobody has built them yet.
static BENCH: LazyLock<PathBuf> = LazyLock::new(|| {
    let packages = ["-p", "menagerie-bench", "-p", "menagerie-provider", "-p", "sample-app"];
    let build = [&["build", "--quiet", "--locked"][..], &packages].concat();
    duct::cmd(env!("CARGO"), build).dir(env!("CARGO_MANIFEST_DIR")).run().expect("it builds");
    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.parent().expect("a program is in a directory").join("menagerie-bench")
});

fn beside(name: &str) -> String {
    BENCH.with_file_name(name).into_os_string().into_string().expect("its path is UTF-8")
}

fn bench(arguments: &[&str]) -> Answer {
    let repository =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the repository");
    let repository = repository.to_str().expect("its path is UTF-8");
    let usual = ["--repository", repository, "--xtask", env!("CARGO_BIN_EXE_xtask")];
    let command = duct::cmd(&*BENCH, [arguments, &usual, &["--format", "json"]].concat())
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked();
    run(&command)
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error} in {answer:?}"))
}

#[test]
fn rows_are_measured_and_not_judged_when_it_must_be_quick() {
    let answer = bench(&["--quick", "list", "new", "render", "plan"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let report = parsed(&answer);
    assert_eq!((&report["version"], &report["quick"]), (&1.into(), &true.into()));
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["row"].as_str().unwrap()).collect();
    assert_eq!(names, ["list", "new", "render", "plan"]);
    for measure in rows.iter().flat_map(|row| row["measures"].as_array().unwrap()) {
        assert!(measure["ours"]["median"].as_f64().unwrap() > 0.0, "{measure:#}");
        assert!(measure["baseline"]["median"].as_f64().unwrap() > 0.0, "{measure:#}");
        assert!(measure["ratio"]["median"].as_f64().unwrap() > 0.0, "{measure:#}");
        assert_eq!(measure["bar"].get("met"), measure["bar"].is_object().then_some(&Value::Null));
    }
    assert_eq!(rows[0]["measures"][0]["fit"]["points"].as_array().unwrap().len(), 2);
}

#[test]
fn terraform_is_measured() {
    if !has("terraform") {
        return;
    }
    let answer = bench(&["--quick", "overhead", "parallel", "sequence"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert_eq!(parsed(&answer)["rows"][2]["measures"].as_array().unwrap().len(), 2);
}

#[test]
fn both_engines_of_rego_are_measured() {
    let opa = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ci/opa/libopabridge.so");
    if !opa.exists() {
        assert!(!is_required(), "MENAGERIE_REQUIRE=all: no Open Policy Agent: {}", opa.display());
        eprintln!("skipped: no Open Policy Agent, which `tests/opa.py` of menagerie-rego installs");
        return;
    }
    let judge = judge().into_os_string().into_string().expect("its path is UTF-8");
    let answer = bench(&["--comply", &judge, "--quick", "rego"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert_eq!(parsed(&answer)["rows"][0]["measures"].as_array().unwrap().len(), 2);
}

#[test]
fn processes_are_counted_where_environments_run() {
    if !has("terraform") {
        return;
    }
    let (provider, application) = (beside("menagerie-provider"), beside("sample-app"));
    let programs = ["--provider", &provider, "--application", &application];
    let answer = bench(&[&programs[..], &["processes"]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let measures = parsed(&answer)["rows"][0]["measures"].clone();
    assert_eq!(
        (&measures[0]["bar"]["met"], &measures[1]["bar"]["met"]),
        (&true.into(), &true.into())
    );
}

#[test]
fn what_cannot_be_run_is_told_and_the_rest_goes_on() {
    // No provider is given, without which nothing can be brought up.
    let answer = bench(&["--quick", "up", "render"]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    let rows = &parsed(&answer)["rows"];
    assert_eq!(rows[0]["error"], "`--provider` is missing");
    assert_eq!(rows[0]["measures"], serde_json::json!([]));
    assert_eq!(rows[1]["error"], Value::Null);
}

#[test]
fn the_front_end_knows_every_row() {
    let rows = |program: &Path, arguments: &[&str]| {
        let help = duct::cmd(program, arguments).read().unwrap();
        let lines = help.lines().map(str::trim).filter(|line| line.starts_with("- "));
        lines
            .map(str::to_owned)
            .filter(|line| !line.starts_with("- text") && !line.starts_with("- json"))
            .collect::<Vec<_>>()
    };
    let front = rows(Path::new(env!("CARGO_BIN_EXE_xtask")), &["bench", "--help"]);
    let front: Vec<String> = front
        .into_iter()
        .filter(|line| {
            !["- auto", "- always", "- never"].iter().any(|other| line.starts_with(other))
        })
        .collect();
    assert!(front.iter().any(|row| row.starts_with("- list:")), "{front:?}");
    assert_eq!(front, rows(&BENCH, &["--help"]));
}
