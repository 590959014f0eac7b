//! The life of one environment: up, killed, healed, changed, lost, destroyed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::playground::{Answer, Playground, eventually, has, has_postgres};

const NAME: &str = "calm-otter";

#[test]
fn a_proxy_is_not_asked_for_what_is_on_this_machine() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let up = playground.command(&["up", NAME]).env("HTTP_PROXY", "http://127.0.0.1:1");
    let answer = crate::playground::run(&up);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
}

#[test]
fn with_sqlite() {
    if has("terraform") {
        lives(&Playground::new(), "sqlite");
    }
}

#[test]
fn with_postgres() {
    if has("terraform") && has_postgres() {
        lives(&Playground::with_engine("postgres"), "postgres");
    }
}

/// From `up` through crashes of all that runs to `destroy`, with one row that must not be lost.
fn lives(playground: &Playground, engine: &str) {
    let up = playground.json(&["up", NAME]);
    let url = text(&up, "url");
    assert_eq!(text(&up, "name"), NAME);
    assert_eq!(text(&up, "phase"), "deployed");
    assert_eq!(text(&up, "owner"), "ada@example.invalid");
    assert_eq!(text(&up, "health"), "healthy");
    assert_eq!(Path::new(&text(&up, "path")), playground.root().join("tf/envs").join(NAME),);
    assert!(text(&up, "created") < text(&up, "expires"), "{up}");
    let (status, page) = get(&url, "/");
    assert_eq!(status, 200);
    assert!(page.contains(NAME), "{page}");
    write_row(&url, "kept through a crash");

    let plan = playground.env(&["plan", NAME]);
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert!(plan.stderr.contains("there is nothing to apply"), "{}", plan.stderr);

    let status = playground.json(&["status", NAME]);
    assert_eq!(text(&status["databases"][0], "engine"), engine);
    let replica = number(&status["services"][0]["replicas"][0]);
    kill(replica);
    eventually("the supervisor starts the replica again", || {
        let status = playground.json(&["status", NAME]);
        let now = &status["services"][0]["replicas"][0];
        now["pid"] != replica && now["status"] == "ready" && status["health"] == "healthy"
    });
    assert_has_row(&url, "kept through a crash");

    kill_everything(playground);
    assert!(TcpStream::connect(address(&url)).is_err(), "something still answers");
    let status = playground.json(&["status", NAME]);
    assert_eq!(text(&status, "health"), "silent");
    assert_eq!(status["drift"]["has_drifted"], true, "{status}");
    let plan = playground.json(&["plan", NAME]);
    assert_ne!(plan["counts"]["update"], 0, "{plan}");
    for count in ["create", "replace", "destroy"] {
        assert_eq!(plan["counts"][count], 0, "{plan}");
    }
    let healed = playground.json(&["apply", NAME]);
    assert_eq!(text(&healed, "url"), url, "the address stays");
    assert_eq!(text(&healed, "health"), "healthy");
    assert_has_row(&url, "kept through a crash");

    let data = database_directory(playground);
    assert!(data.exists(), "the test looks for the data where it is: {}", data.display());
    let server = playground.json(&["status", NAME])["databases"][0]["pid"].as_i64();
    destroy(playground);
    assert!(!data.exists(), "data is left in {}", data.display());
    if let Some(server) = server {
        assert!(!is_alive(server), "the database's server is left");
    }
}

#[test]
fn what_was_shown_is_what_is_applied() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["up", NAME]);
    let replicas = || {
        let status = playground.json(&["status", NAME]);
        status["services"][0]["replicas"].as_array().unwrap().len()
    };
    let nothing = playground.json(&["plan", NAME]);

    set_replicas(&playground, 2);
    let plan = playground.json(&["plan", NAME]);
    assert_eq!(plan["counts"]["update"], 1, "{plan}");
    assert_eq!(replicas(), 1, "a plan changes nothing");
    refuses(
        &playground.env(&["apply", NAME, "--digest", &text(&nothing, "digest")]),
        "is no longer the one that was shown",
        "env plan calm-otter",
    );
    assert_eq!(replicas(), 1, "what was refused changes nothing");
    playground.ok(&["apply", NAME, "--digest", &text(&plan, "digest")]);
    assert_eq!(replicas(), 2);

    set_replicas(&playground, 3);
    playground.ok(&["plan", NAME]);
    set_replicas(&playground, 4);
    let answer = playground.env(&["apply", NAME]);
    refuses(&answer, "is no longer the one that was shown", "env plan calm-otter");
    for (sign, change) in [('-', "replicas: 2 → 3"), ('+', "replicas: 2 → 4")] {
        let mut lines = answer.stderr.lines();
        let is_told = lines.any(|line| line.starts_with(sign) && line.ends_with(change));
        assert!(is_told, "`{sign} {change}` is not in:\n{}", answer.stderr);
    }
    assert_eq!(replicas(), 2, "what was refused changes nothing");
    // Asking twice is not a way around being shown it, and what was shown is still good.
    let again = playground.env(&["apply", NAME]);
    refuses(&again, "is no longer the one that was shown", "env plan calm-otter");
    set_replicas(&playground, 3);
    playground.ok(&["apply", NAME]);
    assert_eq!(replicas(), 3);
    set_replicas(&playground, 4);
    playground.ok(&["plan", NAME]);
    playground.ok(&["apply", NAME]);
    assert_eq!(replicas(), 4);

    // With no plan waiting, a digest still names the only plan that is agreed to.
    set_replicas(&playground, 1);
    refuses(
        &playground.env(&["apply", NAME, "--digest", &text(&plan, "digest")]),
        "is no longer the one that was shown",
        "env plan calm-otter",
    );
    assert_eq!(replicas(), 4, "what was refused changes nothing");
    destroy(&playground);
}

#[test]
fn nothing_is_replaced_unseen() {
    if !has("terraform") || !has_postgres() {
        return;
    }
    let playground = Playground::new();
    let url = text(&playground.json(&["up", NAME]), "url");
    write_row(&url, "in the first database");
    edit(&playground, "\"sqlite\"", "\"postgres\"");
    for command in ["apply", "up"] {
        refuses(
            &playground.env(&[command, NAME]),
            "would destroy or replace something that was not shown",
            "env plan calm-otter",
        );
        assert_has_row(&url, "in the first database");
    }
    let plan = playground.json(&["plan", NAME]);
    assert_eq!(plan["counts"]["replace"], 1, "{plan}");
    playground.ok(&["apply", NAME]);
    let status = playground.json(&["status", NAME]);
    assert_eq!(text(&status["databases"][0], "engine"), "postgres");
    assert_eq!(get(&url, "/entries"), (200, "[]".to_owned()));
    destroy(&playground);
}

#[test]
fn a_lost_directory_loses_no_environment() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let url = text(&playground.json(&["up", NAME]), "url");
    write_row(&url, "without a directory");
    playground.git(&["clean", "--quiet", "-ffdx"]);
    assert!(!playground.root().join("tf/envs").join(NAME).exists());
    assert!(playground.ok(&["list"]).contains(NAME));
    let show = playground.json(&["show", NAME]);
    assert_eq!(text(&show, "phase"), "deployed");
    assert_eq!(text(&show, "owner"), "ada@example.invalid");
    assert_eq!(show["path"], Value::Null);

    kill_everything(&playground);
    let plan = playground.json(&["plan", NAME]);
    assert_eq!(text(&plan, "source"), "bundle");
    playground.ok(&["apply", NAME]);
    assert_has_row(&url, "without a directory");
    destroy(&playground);
    assert!(!playground.ok(&["list"]).contains(NAME));
}

#[test]
fn edits_that_no_commit_holds_are_kept() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["new", NAME]);
    edit(&playground, "desired_count            = 1", "desired_count            = 7");
    let main = fs::read_to_string(main_file(&playground)).unwrap();
    let answer = playground.env(&["destroy", NAME, "--confirm", NAME]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    playground.assert_nothing_left(NAME);
    let kept = playground.root().join(".git/menagerie/journals/calm-otter.edits");
    assert!(answer.stderr.contains(kept.to_str().unwrap()), "{}", answer.stderr);
    assert_eq!(fs::read_to_string(kept.join("main.tf")).unwrap(), main);
}

#[test]
fn what_was_destroyed_does_not_come_back() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["up", NAME]);
    playground.git(&["add", "--all"]);
    playground.git(&["commit", "--quiet", "--message=Environment"]);
    destroy(&playground);
    // As a checkout of an older commit brings it back.
    playground.git(&["checkout", "--quiet", "--", "tf/envs"]);
    for command in ["plan", "apply", "up"] {
        let answer = playground.env(&[command, NAME]);
        assert_eq!(answer.code, Some(7), "`env {command}`:\n{}", answer.stderr);
        assert!(answer.stderr.contains(NAME), "{}", answer.stderr);
    }
    assert_eq!(playground.processes(), []);
    let again = playground.env(&["destroy", NAME, "--confirm", NAME]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("gone already"), "{}", again.stderr);
}

#[test]
fn a_port_in_use() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = playground.env(&["up", NAME, "--set", &format!("port={port}")]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    let expected = format!("port {port} on 127.0.0.1 is in use by ");
    assert!(answer.stderr.contains(&expected), "`{expected}` is not in:\n{}", answer.stderr);
    assert!(playground.ok(&["list"]).contains(NAME));

    drop(listener);
    let up = playground.json(&["up", NAME]);
    assert_eq!(text(&up, "url"), format!("http://127.0.0.1:{port}"));
    assert_eq!(get(&text(&up, "url"), "/readyz").0, 200);
    destroy(&playground);
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free again");
}

#[track_caller]
fn destroy(playground: &Playground) {
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
}

/// Checks that something was refused, with the reason and a hint that names the way out.
#[track_caller]
fn refuses(answer: &Answer, reason: &str, way_out: &str) {
    assert_eq!(answer.code, Some(7), "{}", answer.stderr);
    assert!(answer.stderr.contains(reason), "`{reason}` is not in:\n{}", answer.stderr);
    let hint = answer.stderr.lines().last().unwrap();
    assert!(hint.starts_with("hint: ") && hint.contains(way_out), "no way out:\n{}", answer.stderr);
}

fn main_file(playground: &Playground) -> PathBuf {
    playground.root().join("tf/envs").join(NAME).join("main.tf")
}

/// Replaces a text that is in `main.tf` once.
#[track_caller]
fn edit(playground: &Playground, from: &str, to: &str) {
    let path = main_file(playground);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "`{from}` in:\n{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn set_replicas(playground: &Playground, count: u32) {
    let path = main_file(playground);
    let lines: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| match line.split_once("= ") {
            Some((key, _)) if key.trim() == "desired_count" => format!("{key}= {count}"),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

/// Kills the supervisor, then all that it can no longer start again.
fn kill_everything(playground: &Playground) {
    let status = playground.json(&["status", NAME]);
    let all = playground.processes();
    let is_supervisor = |(_, line): &&(u32, String)| line.contains(" supervise ");
    let supervisor = all.iter().find(is_supervisor).expect("one supervises").0;
    kill(i64::from(supervisor));
    let services = status["services"].as_array().unwrap();
    let replicas = services.iter().flat_map(|service| service["replicas"].as_array().unwrap());
    let databases = status["databases"].as_array().unwrap();
    for pid in replicas.chain(databases).filter_map(|process| process["pid"].as_i64()) {
        kill(pid);
    }
    eventually("what was killed is gone", || playground.processes().is_empty());
}

/// Returns where the data of the database lies, as the hosting has it on record.
fn database_directory(playground: &Playground) -> PathBuf {
    let databases = playground.records(NAME).join("local/databases");
    let record = databases.join(NAME).join("database.json");
    let text = fs::read_to_string(&record).expect("a database is on record");
    let record: Value = serde_json::from_str(&text).unwrap();
    record["data"].as_str().unwrap().into()
}

fn kill(pid: i64) {
    kill_process(process(pid), Signal::KILL).expect("what is killed is alive");
}

fn is_alive(pid: i64) -> bool {
    rustix::process::test_kill_process(process(pid)).is_ok()
}

fn process(pid: i64) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

#[track_caller]
fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {value}")).to_owned()
}

#[track_caller]
fn number(replica: &Value) -> i64 {
    replica["pid"].as_i64().unwrap_or_else(|| panic!("no pid in {replica}"))
}

pub(crate) fn write_row(url: &str, message: &str) {
    let body = serde_json::json!({ "name": "Ada", "message": message }).to_string();
    let (status, answer) = ask(
        url,
        &format!(
            "POST /entries HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        ),
        &body,
    );
    assert_eq!(status, 201, "{answer}");
}

#[track_caller]
fn assert_has_row(url: &str, message: &str) {
    let (status, rows) = get(url, "/entries");
    assert_eq!(status, 200, "{rows}");
    assert!(rows.contains(message), "{rows}");
}

pub(crate) fn get(url: &str, path: &str) -> (u16, String) {
    ask(url, &format!("GET {path} HTTP/1.1\r\n"), "")
}

/// Sends a request and returns the status and the body of the answer.
fn ask(url: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address(url)).expect("something listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "{head}host: localhost\r\nconnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.expect("an answer has a status"), body.to_owned())
}

fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap().trim_end_matches('/')
}
