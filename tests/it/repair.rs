//! `env repair`: each thing that can be wrong is found, named and mended, and nothing that nobody asked for is done.

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::playground::{Answer, Playground, eventually, has};

const NAME: &str = "calm-otter";

/// Returns the kinds of what is wrong, as `--dry-run` tells them.
fn kinds(playground: &Playground) -> Vec<String> {
    let found = playground.json(&["repair", NAME, "--dry-run"]);
    let troubles = found["environments"][0]["troubles"].as_array().unwrap().clone();
    troubles.iter().map(|trouble| trouble["kind"].as_str().unwrap().to_owned()).collect()
}

/// Repairs, which must find these kinds and leave nothing.
#[track_caller]
fn mends(playground: &Playground, expected: &[&str]) -> Value {
    assert_eq!(kinds(playground), expected);
    assert_eq!(kinds(playground), expected, "looking changes nothing");
    let repaired = playground.json(&["repair", NAME]);
    assert_eq!(repaired["remains"], serde_json::json!([]), "{repaired}");
    assert_eq!(repaired["health"], "healthy", "{repaired}");
    assert!(kinds(playground).is_empty());
    repaired
}

fn state(playground: &Playground) -> PathBuf {
    playground.records(NAME).join("terraform.tfstate")
}

/// Leaves what a run leaves that was killed right after it wrote this milestone.
fn begin(playground: &Playground, milestone: &str) {
    let home = playground.root().join(".git/menagerie");
    fs::write(home.join("unfinished").join(NAME), "").unwrap();
    let journal = home.join("journals").join(format!("{NAME}.jsonl"));
    let mut journal = File::options().append(true).open(journal).unwrap();
    writeln!(journal, r#"{{"at":"2026-11-24T10:00:00Z",{milestone}}}"#).unwrap();
}

/// Kills all that runs, what would start the rest again first.
fn kill_everything(playground: &Playground) {
    let mut processes = playground.processes();
    processes.sort_by_key(|(_, line)| !line.contains(" supervise "));
    for (pid, _) in processes {
        // A replica may end with its supervisor.
        let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
    }
    eventually("what was killed is gone", || playground.processes().is_empty());
}

fn replica(playground: &Playground) -> Value {
    let status = playground.json(&["status", NAME]);
    status["services"][0]["replicas"][0]["pid"].clone()
}

#[track_caller]
fn refuses(answer: &Answer, code: i32, expected: &str, hint: &str) {
    assert_eq!(answer.code, Some(code), "{}", answer.stderr);
    assert!(answer.stderr.contains(expected), "`{expected}` is not in:\n{}", answer.stderr);
    assert!(answer.stderr.contains(hint), "`{hint}` is not in:\n{}", answer.stderr);
}

#[test]
fn what_stopped_runs_again_and_no_edit_is_applied() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["new", NAME]);
    let wanted = playground.env(&["repair", NAME]);
    assert_eq!(wanted.code, Some(0), "{}", wanted.stderr);
    assert!(wanted.stderr.contains("`cargo xtask env up calm-otter` deploys"), "{}", wanted.stderr);
    playground.ok(&["up", NAME]);
    let nothing = playground.env(&["repair", NAME]);
    assert_eq!(nothing.code, Some(0), "{}", nothing.stderr);
    assert!(nothing.stderr.contains("nothing is wrong with `calm-otter`"), "{}", nothing.stderr);

    let main = playground.root().join("tf/envs").join(NAME).join("main.tf");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, text.replace("desired_count            = 1", "desired_count            = 2"))
        .unwrap();
    let plan = playground.json(&["plan", NAME]);
    kill_everything(&playground);
    let repaired = mends(&playground, &["unsupervised", "not-running"]);
    // The collector is the second; what it is, its supervisor is.
    assert_eq!(repaired["applied"]["update"], 2, "{repaired}");
    let status = playground.json(&["status", NAME]);
    assert_eq!(status["services"][0]["replicas"].as_array().unwrap().len(), 1, "{status}");
    // The plan that was shown still waits, and is what an apply is held to.
    playground.ok(&["apply", NAME, "--digest", plan["digest"].as_str().unwrap()]);
    let status = playground.json(&["status", NAME]);
    assert_eq!(status["services"][0]["replicas"].as_array().unwrap().len(), 2, "{status}");

    let table = playground.ok(&["repair"]);
    assert_eq!(table, "");
    kill_everything(&playground);
    let table = playground.ok(&["repair"]);
    assert!(table.contains("WHAT IS WRONG") && table.contains("its supervisor is gone"), "{table}");
    assert_eq!(playground.processes(), [], "without a name it only looks");
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
    let gone = playground.env(&["repair", NAME]);
    assert_eq!(gone.code, Some(0), "{}", gone.stderr);
}

#[test]
fn an_apply_that_failed_is_gone_on_with() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let failed = playground.env(&["up", NAME, "--set", &format!("port={port}")]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(kinds(&playground).contains(&"unfinished-apply".to_owned()));
    let again = playground.env(&["repair", NAME]);
    assert_eq!(again.code, Some(1), "what stands in the way still does: {}", again.stderr);
    assert!(again.stderr.contains(&format!("port {port}")), "{}", again.stderr);
    drop(listener);
    let repaired = playground.json(&["repair", NAME]);
    assert_eq!(repaired["remains"], serde_json::json!([]), "{repaired}");
    assert_eq!(repaired["health"], "healthy");

    // Killed between its end and the line that says so, an apply left nothing to do.
    begin(&playground, r#""event":"apply-started","digest":"x""#);
    mends(&playground, &["unfinished-apply"]);
    let show = playground.json(&["show", NAME]);
    assert_eq!(show["notes"], serde_json::json!([]));
}

#[test]
fn states_that_are_torn_damaged_unsaved_or_lost() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["up", NAME]);
    let path = state(&playground);
    let whole = fs::read_to_string(&path).unwrap();
    let process = replica(&playground);

    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let found = kinds(&playground);
    assert_eq!(found[0], "torn-state");
    mends(&playground, &found.iter().map(String::as_str).collect::<Vec<_>>());

    let errored = playground.root().join("tf/envs").join(NAME).join("errored.tfstate");
    fs::copy(&path, &errored).unwrap();
    fs::write(&path, b"<<<<<<< ours\n\xff\xfe").unwrap();
    assert!(playground.ok(&["list"]).contains("env repair calm-otter"), "the list says what to do");
    let found = kinds(&playground);
    assert_eq!(found[0], "damaged-state");
    mends(&playground, &found.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(path.with_extension("tfstate.damaged").exists(), "what was damaged is kept");
    assert!(!errored.exists(), "what took its place is not found again");

    // Terraform failed to write the state after the service was made.
    let whole = fs::read_to_string(&path).unwrap();
    let mut newer: Value = serde_json::from_str(&whole).unwrap();
    newer["serial"] = (newer["serial"].as_u64().unwrap() + 1).into();
    let mut older = newer.clone();
    let services = older["resources"].as_array_mut().unwrap();
    services.retain(|resource| resource["type"] != "menagerie_service");
    older["serial"] = (newer["serial"].as_u64().unwrap() - 1).into();
    fs::write(&path, older.to_string()).unwrap();
    fs::write(&errored, newer.to_string()).unwrap();
    let repaired = mends(&playground, &["unsaved-state", "unrecorded"]);
    assert_eq!(repaired["applied"]["create"], 0, "{repaired}");
    assert!(!errored.exists());

    // One that is not newer is not ours to judge.
    fs::write(&errored, older.to_string()).unwrap();
    assert_eq!(kinds(&playground), ["other-state"]);
    let answer = playground.env(&["repair", NAME]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stderr.contains("superseded.tfstate`"), "{}", answer.stderr);
    assert!(!errored.exists() && kinds(&playground).is_empty());

    fs::remove_file(&path).unwrap();
    let repaired = mends(&playground, &["unrecorded", "unrecorded"]);
    // The collector, which has no process of its own, is the third.
    assert_eq!(repaired["applied"]["create"], 3, "{repaired}");
    assert_eq!(replica(&playground), process, "what ran was taken over, not started again");
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
}

#[test]
fn leftovers_notes_locks_and_a_lost_directory() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["up", NAME]);
    let records = playground.records(NAME);
    fs::create_dir(records.join("images/making")).unwrap();
    fs::write(records.join("images/making/half"), "x").unwrap();
    fs::write(records.join("env.toml.new"), "x").unwrap();
    let note = r#"{"ID":"1","Operation":"OperationTypeApply","Who":"ada@host","Created":"2026-11-24T10:00:00Z"}"#;
    fs::write(records.join(".terraform.tfstate.lock.info"), note).unwrap();
    mends(&playground, &["lock-note", "leftover", "leftover"]);
    assert!(!records.join("images/making").exists() && !records.join("env.toml.new").exists());

    let mut lock = File::options().read(true).write(true).open(records.join("lock")).unwrap();
    lock.lock().unwrap();
    lock.set_len(0).unwrap();
    lock.rewind().unwrap();
    lock.write_all(b"an apply (pid 7)").unwrap();
    assert_eq!(kinds(&playground), ["busy"]);
    refuses(&playground.env(&["repair", NAME]), 8, "an apply (pid 7)", "wait until it has ended");
    drop(lock);

    let directory = playground.root().join("tf/envs").join(NAME);
    let main = fs::read_to_string(directory.join("main.tf")).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    let repaired = playground.env(&["repair", NAME]);
    assert_eq!(repaired.code, Some(0), "{}", repaired.stderr);
    assert!(!directory.exists(), "a checkout need not have it");
    assert!(repaired.stderr.contains("--directory"), "{}", repaired.stderr);
    playground.ok(&["repair", NAME, "--directory"]);
    assert_eq!(fs::read_to_string(directory.join("main.tf")).unwrap(), main);
    let plan = playground.env(&["plan", NAME]);
    assert!(plan.stderr.contains("there is nothing to apply"), "{}", plan.stderr);

    // A destroy goes on only where that is confirmed.
    begin(&playground, r#""event":"destroy-started""#);
    assert_eq!(kinds(&playground), ["unfinished-destroy"]);
    refuses(&playground.env(&["repair", NAME]), 7, "its destroy did not finish", "--confirm");
    refuses(&playground.env(&["repair", NAME, "--confirm", "x"]), 7, "another name", "--confirm");
    assert!(!playground.processes().is_empty(), "what was refused ends nothing");
    let repaired = playground.json(&["repair", NAME, "--confirm", NAME]);
    assert_eq!(repaired["destroyed"], true);
    playground.assert_nothing_left(NAME);
}
