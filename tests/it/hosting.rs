//! What the local hosting has besides what runs: telemetry, zones.

use std::fs;

use serde_json::Value;

use crate::life::get;
use crate::playground::{Playground, eventually, has};

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
