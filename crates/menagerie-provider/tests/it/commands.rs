//! `status` and `down`: with a supervisor, without, and with nothing at all.

use crate::harness::{Environment, PROVIDER, echo_service, finish, get, has, kill, until};
use serde_json::json;
use std::process::Stdio;

#[test]
fn nothing_is_an_answer() {
    let environment = Environment::new();
    assert_eq!(
        environment.status(),
        json!({"version": 1, "supervisor": null, "services": [], "databases": [], "collector": null})
    );
    assert_eq!(environment.down(), json!({"version": 1, "ended": [], "removed": []}));
    assert!(!environment.dir.exists(), "asking makes nothing");
}

#[test]
fn wrong_usage_is_2_and_says_how() {
    let environment = Environment::new();
    environment.provider(&["status"]).code(2).says(&["--dir"]);
    environment.provider(&["dance"]).code(2).says(&["unrecognized subcommand"]);
    environment.provider(&["--help"]).code(0).says(&["serve", "status", "down"]);
}

#[test]
fn serve_leaves_when_nobody_comes() {
    let environment = Environment::new();
    let server = environment.serve();
    assert!(
        server.reattach.starts_with("{\"menagerie.local/menagerie/menagerie\":{"),
        "{}",
        server.reattach
    );
    server.close();
    environment.assert_nothing_left();
}

#[test]
fn status_tells_what_runs_and_down_ends_it() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    let database =
        "resource \"menagerie_database\" \"main\" {\n  name = \"main\"\n  engine = \"sqlite\"\n}\n";
    environment.configure(&(database.to_owned() + &echo_service(&[], "  replicas = 2")));
    environment.apply().success();
    let (port, supervisor) = (environment.port(), environment.supervisor());
    let replicas = [environment.replica(0), environment.replica(1)];
    let status = environment.status();
    let dir = environment.dir.canonicalize().unwrap();
    let log = |index: u32| dir.join(format!("services/web/logs/replica-{index}.log"));
    let expected = |status: &str, condition: &str, supervisor: serde_json::Value| {
        json!({"version": 1, "supervisor": supervisor, "services": [{
            "name": "web", "port": port, "url": format!("http://127.0.0.1:{port}"), "status": status,
            "health_check_path": "/healthz", "error": null, "replicas": [
                {"index": 0, "zone": "a", "pid": replicas[0], "status": condition, "restarts": 0, "log": log(0)},
                {"index": 1, "zone": "b", "pid": replicas[1], "status": condition, "restarts": 0, "log": log(1)}]}],
            "databases": [{"name": "main", "engine": "sqlite", "status": "running", "port": null, "pid": null, "error": null}], "collector": null})
    };
    assert_eq!(status, expected("running", "ready", json!({ "pid": supervisor })));
    kill(supervisor);
    until("the supervisor is gone", || environment.status()["supervisor"].is_null());
    assert_eq!(environment.status(), expected("degraded", "unsupervised", json!(null)));

    let down = environment.down();
    assert_eq!(
        down["ended"],
        json!([
        {"kind": "replica", "name": "web/0", "pid": replicas[0]},
        {"kind": "replica", "name": "web/1", "pid": replicas[1]}])
    );
    assert!(get(port, "/").is_err());
    environment.assert_nothing_left();
    assert_eq!(environment.down()["ended"], json!([]), "again, it does nothing");
}

#[test]
fn down_ends_a_supervisor_and_postgres_with_its_data() {
    if !has("terraform") || !has("postgres") {
        return;
    }
    let environment = Environment::new();
    let database = "resource \"menagerie_database\" \"main\" {\n  name = \"main\"\n  engine = \"postgres\"\n}\n";
    environment.configure(&(database.to_owned() + &echo_service(&[], "")));
    environment.apply().success();
    let expected = json!([
        {"kind": "replica", "name": "web/0", "pid": environment.replica(0)},
        {"kind": "database", "name": "main", "pid": environment.database()},
        {"kind": "supervisor", "name": "supervisor", "pid": environment.supervisor()}]);
    assert_eq!(environment.down()["ended"], expected);
    environment.assert_nothing_left();
    // Terraform finds nothing, and has nothing to destroy.
    environment.destroy().success().says(&["0 destroyed"]);
}

#[test]
fn one_supervisor_at_a_time() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    let (supervisor, replica) = (environment.supervisor(), environment.replica(0));
    let mut command = environment.command(PROVIDER);
    command
        .args(["supervise", "--dir"])
        .arg(&environment.dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = finish(command.spawn().unwrap()).success();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert_eq!((environment.supervisor(), environment.replica(0)), (supervisor, replica));
    // A cleaner of temporary files takes the socket away; it comes back.
    let sockets = environment.root.path().join("run");
    std::fs::remove_dir_all(&sockets).unwrap();
    std::fs::create_dir(&sockets).unwrap();
    until("it is reached again", || environment.status()["services"][0]["status"] == "running");
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_copy_of_the_directory_is_refused() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    let copy = environment.root.path().join("copy");
    let mut command = environment.command("cp");
    command.args(["-R", environment.dir.to_str().unwrap(), copy.to_str().unwrap()]);
    finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).success();
    for command in ["status", "down", "serve", "supervise"] {
        environment
            .provider(&[command, "--dir", copy.to_str().unwrap()])
            .code(1)
            .says(&["is a copy of", "hint: remove it"]);
    }
    assert_eq!(environment.status()["services"][0]["status"], "running");
    std::fs::remove_dir_all(&copy).unwrap();
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn exec_becomes_nothing_when_its_supervisor_is_gone() {
    let environment = Environment::new();
    let path = |name: &str| environment.root.path().join(name).to_str().unwrap().to_owned();
    let (record, log, proof) = (path("0.json"), path("log"), path("proof"));
    let exec = |supervisor: &str, record: &str| {
        let directory = environment.root.path().to_str().unwrap();
        environment.provider(&[
            "exec",
            "--record",
            record,
            "--supervisor",
            supervisor,
            "--log",
            &log,
            "--directory",
            directory,
            "--",
            "touch",
            &proof,
        ])
    };
    assert_eq!(exec("999999:0@none", &record).code(1).stdout, "its supervisor is gone");
    assert!(!std::path::Path::new(&proof).exists() && !std::path::Path::new(&record).exists());
    assert!(
        exec("999999:0@none", "/nowhere/0.json")
            .code(1)
            .stdout
            .contains("failed to write the record")
    );
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let Some(since) = stat.rsplit(") ").next().and_then(|fields| fields.split(' ').nth(19)) else {
        return;
    };
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    exec(&format!("{}:{since}@{}", std::process::id(), &boot[..8]), &record).code(0);
    assert!(std::path::Path::new(&proof).exists());
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    assert!(written["pid"].as_i64().unwrap() > 1);
}
