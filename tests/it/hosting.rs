//! What the local hosting has besides what runs: telemetry, zones.

use std::fs;

use serde_json::Value;

use crate::life::{get, write_row};
use crate::playground::{Playground, eventually, has, has_postgres};

const NAME: &str = "calm-otter";

#[test]
fn a_request_leaves_a_trace_and_what_runs_leaves_its_usage() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let up = playground.json(&["up", NAME]);
    let url = up["url"].as_str().unwrap();
    let status = playground.json(&["status", NAME]);
    assert_eq!(status["telemetry"]["status"], "running", "{status}");
    assert_eq!(status["services"][0]["replicas"][0]["zone"], "a", "{status}");
    let directory = playground.records(NAME).join("local/telemetry");
    assert_eq!(status["telemetry"]["directory"], directory.to_str().unwrap());

    assert_eq!(get(url, "/nowhere-else").0, 404);
    let lines = |signal: &str| -> Vec<Value> {
        let text = fs::read_to_string(directory.join(signal)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    };
    eventually("the trace of the request is there", || {
        lines("traces.ndjson").iter().any(|line| {
            line["resourceSpans"].is_array() && line.to_string().contains("\"/nowhere-else\"")
        })
    });
    eventually("the usage of the replica is there", || {
        lines("metrics.ndjson").iter().any(|line| {
            let text = line.to_string();
            text.contains("process.cpu.time") && text.contains(&format!("\"{NAME}/0\""))
        })
    });
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
}

#[test]
fn a_row_of_sqlite_comes_back() {
    if has("terraform") {
        comes_back(&Playground::new());
    }
}

#[test]
fn a_row_of_postgres_comes_back() {
    if has("terraform") && has_postgres() {
        comes_back(&Playground::with_engine("postgres"));
    }
}

/// A row is written, backed up, overwritten, and restored; then into another environment, after the first is gone.
fn comes_back(playground: &Playground) {
    let url = playground.json(&["up", NAME])["url"].as_str().unwrap().to_owned();
    let page = || get(&url, "/").1;
    write_row(&url, "kept in a backup");
    let backup = playground.json(&["backup", NAME]);
    let file = backup["file"].as_str().unwrap().to_owned();
    assert!(file.contains("/menagerie/backups/calm-otter/"), "{backup}");
    write_row(&url, "written later");
    assert!(page().contains("kept in a backup") && page().contains("written later"));

    let answer = playground.env(&["restore", NAME, "--input", &file]);
    assert_eq!(answer.code, Some(7), "{}", answer.stderr);
    assert!(answer.stderr.contains("was not confirmed"), "{}", answer.stderr);
    let readme = playground.root().join("menagerie.toml");
    let wrong = ["restore", NAME, "--input", readme.to_str().unwrap(), "--confirm", NAME];
    let answer = playground.env(&wrong);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(answer.stderr.contains("is no backup of Menagerie"), "{}", answer.stderr);
    assert!(page().contains("written later"), "nothing changed");

    let restored = playground.json(&["restore", NAME, "--input", &file, "--confirm", NAME]);
    assert_eq!(restored["note"], Value::Null, "{restored}");
    assert!(page().contains("kept in a backup") && !page().contains("written later"), "{}", page());
    // What was there before the restore is kept, and comes back as well.
    let before = restored["kept"].as_str().unwrap();
    playground.ok(&["restore", NAME, "--input", before, "--confirm", NAME, "--no-backup"]);
    assert!(page().contains("written later"), "{}", page());
    let plan = playground.env(&["plan", NAME]);
    assert!(plan.stderr.contains("there is nothing to apply"), "{}", plan.stderr);

    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
    assert!(fs::exists(&file).unwrap(), "a backup outlives its environment");
    let answer = playground.env(&["backup", NAME]);
    assert_eq!(answer.code, Some(7), "{}", answer.stderr);
    assert!(!playground.records(NAME).exists());
    let other = "kind-lynx";
    let url = playground.json(&["up", other])["url"].as_str().unwrap().to_owned();
    playground.ok(&["restore", other, "--input", &file, "--confirm", other]);
    assert!(get(&url, "/").1.contains("kept in a backup"));
    playground.ok(&["destroy", other, "--confirm", other]);
    playground.assert_nothing_left(other);
}
