//! `env metrics` and `env compare`, over real environments.

use std::time::Instant;

use duct::unix::HandleExt as _;
use rustix::process::Signal;
use serde_json::Value;

use crate::life::{get, write_row};
use crate::playground::{Playground, eventually, has, run};

/// How many entries each guestbook holds, so that its page is some work.
const ENTRIES: usize = 100;

/// Makes an environment whose application takes so many times as long, fills its guestbook, and returns its name.
fn environment(playground: &Playground, slowdown: f64) -> String {
    let slowdown = format!("environment.SLOWDOWN={slowdown}");
    let made = playground.json(&["new", "--set", &slowdown]);
    let name = made["name"].as_str().unwrap().to_owned();
    let up = playground.json(&["up", &name]);
    for number in 0..ENTRIES {
        write_row(up["url"].as_str().unwrap(), &format!("entry {number} {}", "x".repeat(200)));
    }
    name
}

fn destroy(playground: &Playground, name: &str) {
    playground.ok(&["destroy", name, "--confirm", name]);
}

/// Returns how often a comparison of an environment with one that takes so many times as long ends with each verdict.
fn verdicts(runs: u32, slowdown: f64, requests: &str) -> [u32; 4] {
    const WORDS: [&str; 4] = ["slower", "same", "faster", "unclear"];
    let playground = Playground::new();
    let mut counts = [0; 4];
    for number in 1..=runs {
        // New ones each time: two processes of the same program are never quite alike.
        let (a, b) = (environment(&playground, 1.0), environment(&playground, slowdown));
        let begin = Instant::now();
        let compared = playground.json(&["compare", &a, &b, "--requests", requests]);
        let verdict = compared["verdict"].as_str().unwrap();
        let index = WORDS.iter().position(|word| *word == verdict).expect("it is one of these");
        counts[index] += 1;
        eprintln!(
            "{number} of {runs}, {slowdown}: {verdict} {} in {:.0?}",
            compared["ratio"],
            begin.elapsed()
        );
        assert_eq!(compared["a"]["failures"], 0, "{compared}");
        assert_eq!(compared["b"]["failures"], 0, "{compared}");
        destroy(&playground, &a);
        destroy(&playground, &b);
    }
    counts
}

/// The confusion matrix of `env compare`.
///
/// Without a number of runs this is one of each, with a slowdown that no noise hides, so that it holds on a busy machine too.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
fn a_planted_slowdown_is_found_and_none_is_made_up() {
    if !has("terraform") {
        return;
    }
    let runs = std::env::var("MENAGERIE_COMPARE_RUNS").ok();
    let runs = runs.map(|runs| runs.parse().expect("MENAGERIE_COMPARE_RUNS is a number"));
    let (runs, slowdown, requests) = match runs {
        Some(runs) => (runs, 1.2, "2000"),
        None => (1, 3.0, "400"),
    };
    let none = verdicts(runs, 1.0, requests);
    let planted = verdicts(runs, slowdown, requests);
    eprintln!("planted    slower  same  faster  unclear");
    for (name, [slower, same, faster, unclear]) in
        [("none", none), (&slowdown.to_string(), planted)]
    {
        eprintln!("{name:<9}  {slower:>6}  {same:>4}  {faster:>6}  {unclear:>7}");
    }
    assert_eq!((none[0], none[2]), (0, 0), "a difference was made up");
    assert_eq!(planted, [runs, 0, 0, 0], "what was planted was not found");
}

#[test]
fn what_was_asked_is_what_is_measured() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let before = playground.env(&["metrics", "calm-otter"]);
    assert_eq!(before.code, Some(6), "{}", before.stderr);
    let name = environment(&playground, 1.0);
    let url = playground.json(&["show", &name])["url"].as_str().unwrap().to_owned();
    for _ in 0..20 {
        assert_eq!(get(&url, "/entries?limit=5").0, 200);
    }
    assert_eq!(get(&url, "/nowhere").0, 404);
    let mut metrics = Value::Null;
    eventually("all requests and the usage of the processes are there", || {
        metrics = playground.json(&["metrics", &name]);
        route(&metrics, "GET", "/entries") == 20
            && route(&metrics, "GET", "unmatched") == 1
            && metrics["memory"]["now"].as_u64() > Some(1_000_000)
            && metrics["cpu"]["used"].as_f64() > Some(0.0)
    });
    assert_eq!(route(&metrics, "POST", "/entries"), ENTRIES as u64, "{metrics}");
    assert_eq!((&metrics["requests"]["errors"], &metrics["damaged_lines"]), (&0.into(), &0.into()));
    let latency = &metrics["requests"]["latency"];
    assert!(
        latency["p50"].as_f64() > Some(0.0) && latency["p99"].as_f64() >= latency["p95"].as_f64()
    );
    let replica = format!("{name}/0");
    let instances = metrics["instances"].as_array().unwrap();
    let replica = instances.iter().find(|instance| instance["instance"] == replica.as_str());
    let replica = replica.unwrap_or_else(|| panic!("no `{name}/0` in {metrics}"));
    assert_eq!((&replica["role"], &replica["zone"]), (&"replica".into(), &"a".into()), "{replica}");
    let all = &metrics["requests"]["count"];
    assert_eq!(&replica["requests"], all, "requests and usage are of the same instance: {metrics}");
    assert!(all.as_u64() >= Some(ENTRIES as u64 + 21), "{metrics}");

    let text = playground.ok(&["metrics", &name]);
    assert!(text.contains("/entries") && text.contains("p50"), "{text}");
    // No longer ago than a nanosecond, nothing has happened.
    let nothing = playground.env(&["metrics", &name, "--last", "1ns"]);
    assert_eq!(nothing.code, Some(0));
    assert!(nothing.stderr.contains("told of no request in this time"), "{}", nothing.stderr);
    destroy(&playground, &name);
}

#[track_caller]
fn check(playground: &Playground, arguments: &[&str], code: i32, expected: &str) {
    let answer = playground.env(&[&["compare"], arguments].concat());
    assert_eq!(answer.code, Some(code), "{}", answer.stderr);
    assert!(answer.stderr.contains(expected), "`{expected}` is not in:\n{}", answer.stderr);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let a = playground.json(&["up", "calm-otter"])["name"].as_str().unwrap().to_owned();
    playground.ok(&["new", "brave-newt", "--set", "desired_count=2"]);
    check(&playground, &[&a, &a], 2, "can't be compared with itself");
    check(&playground, &[&a, "lost-lynx"], 6, "there is no environment `lost-lynx`");
    check(&playground, &[&a, "brave-newt"], 7, "desired_count is 1 and 2");
    check(&playground, &[&a, "brave-newt", "--unequal"], 1, "`brave-newt` has no URL");
    check(&playground, &[&a, "brave-newt", "--threshold", "0"], 2, "percent");
    check(&playground, &[&a, "brave-newt", "--path", "entries"], 2, "it begins with `/`");

    playground.ok(&["up", "brave-newt"]);
    check(&playground, &[&a, "brave-newt", "--unequal", "--path", "/nowhere"], 1, "answered 404");
    // A threshold that nothing stays below by chance, and nothing exceeds.
    let far = ["--unequal", "--requests", "70", "--threshold", "1000", "--fail-if-slower"];
    check(&playground, &[&[a.as_str(), "brave-newt"], &far[..]].concat(), 0, "not set up alike");
    // No time to measure anything.
    let short = ["--unequal", "--time-limit", "1ms", "--fail-if-slower"];
    check(&playground, &[&[a.as_str(), "brave-newt"], &short[..]].concat(), 13, "can't be told");
    interrupted(&playground, &a, "brave-newt");
    for name in [a.as_str(), "brave-newt"] {
        destroy(&playground, name);
    }
}

/// Returns how many requests an environment answered of one method to one route.
fn route(metrics: &Value, method: &str, route: &str) -> u64 {
    let routes = metrics["routes"].as_array().unwrap();
    let is_it = |found: &&Value| found["method"] == method && found["route"] == route;
    routes.iter().find(is_it).map_or(0, |found| found["count"].as_u64().unwrap())
}

/// Interrupts a comparison that would take minutes.
fn interrupted(playground: &Playground, a: &str, b: &str) {
    let load = ["--unequal", "--requests", "1000000", "--time-limit", "3m", "--path", "/entries"];
    let running = playground.command(&[&["compare", a, b], &load[..]].concat()).start().unwrap();
    // One request asks whether it answers; those that are measured come after it listens for signals.
    eventually("it measures", || route(&playground.json(&["metrics", a]), "GET", "/entries") > 10);
    running.send_signal(Signal::INT.as_raw()).unwrap();
    let output = running.wait().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("error: interrupted after "), "{said}");
    assert!(output.stdout.is_empty(), "half a comparison is none");
}

#[test]
fn a_slower_one_can_fail_a_pipeline() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let (a, b) = (environment(&playground, 1.0), environment(&playground, 3.0));
    let arguments = ["compare", &a, &b, "--requests", "400", "--fail-if-slower"];
    let answer = run(&playground.command(&arguments));
    assert_eq!(answer.code, Some(12), "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains(&format!("slower: `{b}` takes ")), "{}", answer.stdout);
    for name in [a, b] {
        destroy(&playground, &name);
    }
}
