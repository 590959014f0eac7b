//! The collector: what is sent to it is kept, and what the processes use is noted.

use crate::harness::{Environment, echo_service, entries, has, is_root, kill, until};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
};

const COLLECTOR: &str = "resource \"menagerie_collector\" \"this\" {\n  name = \"main\"\n}\n";
const SPANS: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /"}]}]}]}"#;

fn send(endpoint: &str, body: &str) -> String {
    let port: u16 = endpoint.strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let length = body.len();
    write!(stream, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_collector_lives_and_goes_with_what_it_kept() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    let lines = "  replicas = 2\n  environment = {\n    OTEL_EXPORTER_OTLP_ENDPOINT = menagerie_collector.this.endpoint\n    OTEL_RESOURCE_ATTRIBUTES = \"a=b,menagerie.zone=mine\"\n  }";
    environment.configure(&(COLLECTOR.to_owned() + &echo_service(&[], lines)));
    environment.apply().success();
    environment.plan().code(0);
    let endpoint = environment.attribute("menagerie_collector", "endpoint");
    let endpoint = endpoint.as_str().unwrap();
    let mut told: Vec<_> = (0..2)
        .map(|_| crate::harness::body(environment.port(), "/env/OTEL_RESOURCE_ATTRIBUTES"))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "a=b,menagerie.zone=mine,service.instance.id=web/0",
            "a=b,menagerie.zone=mine,service.instance.id=web/1"
        ]
    );
    let mut zones: Vec<_> =
        (0..2).map(|_| crate::harness::body(environment.port(), "/env/MENAGERIE_ZONE")).collect();
    zones.sort();
    assert_eq!(zones, ["a", "b"]);

    let answer = send(endpoint, SPANS);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n{}"), "{answer}");
    let directory = environment.dir.join("telemetry");
    assert_eq!(fs::read_to_string(directory.join("traces.ndjson")).unwrap(), format!("{SPANS}\n"));
    let metrics = || fs::read_to_string(directory.join("metrics.ndjson")).unwrap_or_default();
    until("it is noted what both replicas use", || {
        metrics().contains("\"web/0\"") && metrics().contains("\"web/1\"")
    });
    let line: Value = serde_json::from_str(metrics().lines().last().unwrap()).unwrap();
    let names = &line["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    assert_eq!(
        (&names[0]["name"], &names[1]["name"]),
        (&json!("process.cpu.time"), &json!("process.memory.usage"))
    );

    // Killed, it is drift like all the rest, and comes back where it was, with what it had.
    kill(environment.supervisor());
    assert_eq!(environment.status()["collector"]["status"], "stopped");
    environment.plan().code(2).says(&["0 to add, 2 to change, 0 to destroy"]);
    environment.apply().success();
    assert_eq!(environment.attribute("menagerie_collector", "endpoint"), endpoint);
    send(endpoint, SPANS);
    assert_eq!(fs::read_to_string(directory.join("traces.ndjson")).unwrap().lines().count(), 2);

    let second = COLLECTOR.replace("\"this\"", "\"other\"").replace("main", "other");
    environment.configure(&(COLLECTOR.to_owned() + &second + &echo_service(&[], lines)));
    environment.apply().code(1).says(&["there is a collector `main` already"]);
    environment.configure(&(COLLECTOR.to_owned() + &echo_service(&[], lines)));
    environment.terraform(&["state", "rm", "menagerie_collector.this"]).success();
    environment
        .terraform(&["import", "-no-color", "-input=false", "menagerie_collector.this", "main"])
        .success();
    environment.plan().code(0);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn down_ends_a_collector() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(COLLECTOR);
    environment.apply().success();
    send(environment.attribute("menagerie_collector", "endpoint").as_str().unwrap(), SPANS);
    environment.down();
    assert_eq!(entries(&environment.dir), [""; 0]);
    environment.assert_nothing_left();
}

/// 64 KiB is less than what is always left to the application.
#[test]
fn a_full_disk_costs_telemetry_and_nothing_else() {
    if !has("terraform") {
        return;
    }
    if !is_root() || !cfg!(target_os = "linux") {
        println!("skipped: only root mounts a small disk, on Linux");
        return;
    }
    let environment = Environment::new();
    let disk = crate::faults::small_disk(&environment);
    environment.configure(&(COLLECTOR.to_owned() + &echo_service(&[], "")));
    environment.apply().success();
    let endpoint = environment.attribute("menagerie_collector", "endpoint");
    let answer = send(endpoint.as_str().unwrap(), SPANS);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(
        answer.contains("\"partialSuccess\"") && answer.contains("no space left on device"),
        "{answer}"
    );
    assert!(answer.contains("\"rejectedSpans\":\"1\""), "{answer}");
    assert!(environment.status()["collector"]["dropped"].as_u64().unwrap() >= 1);
    assert_eq!(environment.status()["services"][0]["status"], "running");
    environment.destroy().success();
    environment.assert_nothing_left();
    drop(disk);
}
