//! Two zones: one may go, and updates one replica after another, while the service answers.

use crate::harness::{Environment, body, echo_service, get, has, kill, until};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// Asks a service all the time; what it answers is looked at in the end.
struct Visitor {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(u32, Vec<String>)>,
}

impl Visitor {
    fn start(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut count, mut failures) = (0, Vec::new());
            while !stopped.load(Ordering::Relaxed) {
                count += 1;
                match get(port, "/pid") {
                    Ok((200, _)) => {}
                    other => failures.push(format!("{other:?}")),
                }
            }
            (count, failures)
        });
        Self { stop, thread }
    }

    #[track_caller]
    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let (count, failures) = self.thread.join().unwrap();
        assert!(count > 10, "{count} requests are too few to tell anything");
        assert_eq!(failures, [""; 0], "of {count} requests some failed");
    }
}

fn in_zone(environment: &Environment, zone: &str) -> Vec<i32> {
    let status = environment.status();
    let replicas = status["services"][0]["replicas"].as_array().unwrap();
    replicas
        .iter()
        .filter(|replica| replica["zone"] == zone)
        .filter_map(|replica| replica["pid"].as_i64())
        .map(|pid| i32::try_from(pid).unwrap())
        .collect()
}

fn is_running(environment: &Environment) -> bool {
    environment.status()["services"][0]["status"] == "running"
}

#[test]
fn a_zone_that_is_lost_again_and_again_costs_no_request() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], "  replicas = 4"));
    environment.apply().success();
    let port = environment.port();
    let zones: Vec<String> = (0..8).map(|_| body(port, "/env/MENAGERIE_ZONE")).collect();
    assert_eq!(zones.iter().filter(|zone| *zone == "a").count(), 4, "{zones:?}");
    let seen: BTreeSet<_> = (0..8).map(|_| body(port, "/env/MENAGERIE_REPLICA")).collect();
    assert_eq!(seen.len(), 4, "all replicas are asked");

    let visitor = Visitor::start(port);
    for zone in ["a", "b"] {
        for _ in 0..5 {
            let other = if zone == "a" { "b" } else { "a" };
            in_zone(&environment, zone).into_iter().for_each(kill);
            // What comes now is answered, whether the loss is noticed already or not.
            for _ in 0..10 {
                body(port, "/pid");
            }
            assert_eq!(in_zone(&environment, other).len(), 2, "the other zone is left alone");
        }
        until("both zones serve", || is_running(&environment));
    }
    visitor.end();
    environment.plan().code(0);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn an_update_of_one_or_two_replicas_never_stops_answering() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    let configure = |version: &str, replicas: u32| {
        let lines =
            format!("  environment = {{ VERSION = \"{version}\" }}\n  replicas = {replicas}");
        environment.configure(&echo_service(&["slow=200"], &lines));
        environment.apply().success();
    };
    configure("1", 1);
    let (port, first) = (environment.port(), environment.replica(0));
    let visitor = Visitor::start(port);
    // A second one leaves the first as it is.
    configure("1", 2);
    assert_eq!(environment.replica(0), first);
    configure("2", 2);
    assert_ne!(environment.replica(0), first);
    assert_eq!([body(port, "/env/VERSION"), body(port, "/env/VERSION")], ["2", "2"]);
    let second = environment.replica(0);
    configure("2", 1);
    assert_eq!(environment.replica(0), second);
    // The only one: another one stands in for it.
    configure("3", 1);
    visitor.end();
    assert_eq!(body(port, "/env/VERSION"), "3");
    let replicas = environment.status()["services"][0]["replicas"].clone();
    assert_eq!(replicas.as_array().map(Vec::len), Some(1), "{replicas}");
    assert_eq!(replicas[0]["restarts"], Value::from(2));
    environment.plan().code(0);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_broken_revision_of_the_only_replica_leaves_the_old_one_serving() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    let (port, first) = (environment.port(), environment.replica(0));
    let visitor = Visitor::start(port);
    environment.configure(&echo_service(&["fail"], ""));
    environment
        .apply()
        .code(1)
        .says(&["replica 1: ended with exit status: 3", "echo fails as told"]);
    assert_eq!(body(port, "/pid"), first.to_string());
    // Back to what it was: nothing has to be started anew.
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    visitor.end();
    assert_eq!(environment.replica(0), first);
    assert_eq!(environment.status()["services"][0]["replicas"].as_array().map(Vec::len), Some(1));
    environment.destroy().success();
    environment.assert_nothing_left();
}
