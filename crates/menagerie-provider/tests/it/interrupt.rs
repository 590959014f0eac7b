//! ^C once, and twice.

use crate::harness::{Environment, body, echo_service, finish, has, signal, until};
use rustix::process::Signal;
use std::process::Child;

const APPLY: [&str; 4] = ["apply", "-auto-approve", "-no-color", "-input=false"];

fn pid(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap()
}

#[test]
fn one_interrupt_ends_the_wait_and_keeps_what_was_made() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&["slow=15000"], ""));
    let server = environment.serve();
    let terraform = environment.start_terraform(&server, &APPLY);
    until("the replica runs", || {
        environment.status()["services"][0]["replicas"][0]["pid"].is_number()
    });
    signal(pid(&terraform), Signal::INT);
    // Only Terraform is meant: the provider ignores the ^C that reaches it too.
    signal(server.pid(), Signal::INT);
    finish(terraform)
        .code(1)
        .says(&["interrupted before it was ready", "apply again to wait for it"]);
    server.close();
    assert_eq!(environment.attribute("menagerie_service", "status"), "degraded");
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    environment.plan().code(0);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn after_two_interrupts_the_next_apply_adopts_what_runs() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&["slow=3000"], ""));
    let server = environment.serve();
    let terraform = environment.start_terraform(&server, &APPLY);
    until("the replica runs", || {
        environment.status()["services"][0]["replicas"][0]["pid"].is_number()
    });
    let replica = environment.replica(0);
    // Terraform takes the second for a wish to end at once, whatever is lost by it.
    signal(pid(&terraform), Signal::INT);
    signal(pid(&terraform), Signal::TERM);
    let output = finish(terraform);
    assert!(!output.status.success());
    server.close();
    environment.apply().success();
    environment.plan().code(0);
    if !output.stdout.contains("interrupted before it was ready") {
        assert_eq!(environment.replica(0), replica, "what ran was adopted, not started anew");
        assert_eq!(body(environment.port(), "/pid"), replica.to_string());
    }
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn the_provider_outlives_whoever_started_it_while_terraform_runs() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&["slow=1500"], ""));
    let mut server = environment.serve();
    let terraform = environment.start_terraform(&server, &APPLY);
    until("the replica runs", || {
        environment.status()["services"][0]["replicas"][0]["pid"].is_number()
    });
    // What a killed xtask leaves: an end of input.
    drop(server.child.stdin.take());
    finish(terraform).success();
    server.close();
    environment.plan().code(0);
    environment.destroy().success();
    environment.assert_nothing_left();
}
