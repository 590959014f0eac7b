//! Faults that were asked for, and those that happen.

use super::Rehearsal;
use crate::harness::{has, until};
use serde_json::json;

const CHAIN: &str = r#"
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_security_group" "this" {
  name   = "calm-otter"
  vpc_id = aws_vpc.this.id
}
resource "aws_s3_bucket" "this" {
  bucket     = "calm-otter-files"
  tags       = { group = aws_security_group.this.id }
}
"#;

#[track_caller]
fn check(fault: &str, says: &str, exist_after: usize) {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&["--fault", fault]);
    rehearsal.configure(CHAIN);
    rehearsal.apply().code(1).says(&["REHEARSAL: ", says, "This fault was asked for."]);
    assert_eq!(rehearsal.world().as_object().unwrap().len(), exist_after);
    rehearsal.assert_agreement();
    rehearsal.apply().success();
    rehearsal.plan().code(0);
    rehearsal.assert_agreement();
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    rehearsal.close();
}

#[test]
fn an_apply_that_failed_is_finished_by_the_next() {
    check("aws_security_group:create:throttle", "ThrottlingException: Rate exceeded", 1);
    check("aws_s3_bucket.calm-otter-files:create:denied", "not authorized to perform", 2);
    check("aws_vpc:create:quota", "LimitExceededException", 0);
}

#[test]
fn what_was_half_made_is_tainted_and_made_anew() {
    check("aws_s3_bucket:create:half", "carried out, and its answer was lost", 3);
}

#[test]
fn a_destroy_that_failed_is_finished_by_the_next() {
    if !has("terraform") {
        return;
    }
    for (fault, left) in [("aws_vpc:delete:timeoutx2", 1), ("aws_security_group:delete:half", 1)] {
        let rehearsal = Rehearsal::new(&["--fault", fault]);
        rehearsal.configure(CHAIN);
        rehearsal.apply().success();
        rehearsal.destroy().code(1).says(&["This fault was asked for."]);
        assert_eq!(rehearsal.world().as_object().unwrap().len(), left, "{fault}");
        if fault.ends_with("x2") {
            rehearsal.destroy().code(1);
        }
        rehearsal.destroy().success();
        assert_eq!(rehearsal.world(), json!({}));
        rehearsal.assert_agreement();
        rehearsal.close();
    }
}

#[test]
fn a_failed_update_or_look_changes_nothing() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[
        "--fault",
        "aws_s3_bucket:update:denied",
        "--fault",
        "aws_vpc:read:throttle",
    ]);
    rehearsal.configure(CHAIN);
    rehearsal.apply().success();
    rehearsal.plan().code(1).says(&["reading aws_vpc", "ThrottlingException"]);
    rehearsal.configure(&CHAIN.replace("{ group", "{ size = \"small\", group"));
    rehearsal.apply().code(1).says(&["updating aws_s3_bucket (calm-otter-files)"]);
    assert_eq!(rehearsal.world()["aws_s3_bucket/calm-otter-files"]["tags"]["size"], json!(null));
    rehearsal.apply().success();
    rehearsal.plan().code(0);
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    rehearsal.close();
}

#[test]
fn what_is_protected_stays_until_it_is_not() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    let balancer = "resource \"aws_lb\" \"this\" {\n  name                       = \"calm-otter\"\n  enable_deletion_protection = true\n}\n";
    rehearsal.configure(balancer);
    rehearsal.apply().success();
    rehearsal.destroy().code(1).says(&["OperationNotPermitted", "`enable_deletion_protection`"]);
    rehearsal.assert_agreement();
    rehearsal.configure(&balancer.replace("true", "false"));
    rehearsal.apply().success();
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    rehearsal.close();
}

/// What was made and is not in the state is in the world, as it would be in an account.
#[test]
fn a_terraform_that_is_killed_loses_nothing_that_the_world_does_not_know() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    rehearsal.configure(
        "resource \"aws_vpc\" \"this\" {\n  count      = 200\n  cidr_block = \"10.0.0.0/16\"\n}\n",
    );
    let mut terraform = rehearsal.environment.start_terraform(
        &rehearsal.server,
        &["apply", "-auto-approve", "-input=false", "-no-color", "-lock=false"],
    );
    // What nobody reads would stop it.
    let mut output = terraform.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    until("something is made", || {
        std::fs::read(rehearsal.environment.dir.join("world.json")).is_ok()
    });
    terraform.kill().unwrap();
    terraform.wait().unwrap();
    reader.join().unwrap().unwrap();
    let rehearsal = rehearsal.again(&[]);
    let (state, world) = (rehearsal.state(), rehearsal.world());
    let known = world.as_object().unwrap();
    for (address, found) in state.as_object().unwrap() {
        assert!(
            known.contains_key(&format!("aws_vpc/{}", found["id"].as_str().unwrap())),
            "{address}"
        );
    }
    // The state is destroyed; what it never knew remains, and is named.
    let orphans = known.len() - state.as_object().unwrap().len();
    rehearsal.run(&["destroy", "-auto-approve", "-input=false", "-lock=false"]).success();
    assert_eq!(rehearsal.world().as_object().unwrap().len(), orphans);
    rehearsal.close();
}

#[test]
fn a_state_of_something_real_is_refused() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    rehearsal.configure("resource \"aws_vpc\" \"this\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n");
    rehearsal.apply().success();
    let path = rehearsal.environment.root.path().join("terraform.tfstate");
    let mut state: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    // The provider itself writes the version of its schema there.
    state["resources"][0]["instances"][0]["private"] = "eyJzY2hlbWFfdmVyc2lvbiI6IjEifQ==".into();
    std::fs::write(&path, state.to_string()).unwrap();
    rehearsal.plan().code(1).says(&["REHEARSAL: this state is not of a rehearsal"]);
    rehearsal.destroy().code(1).says(&["REHEARSAL: this state is not of a rehearsal"]);
    assert_eq!(rehearsal.world().as_object().unwrap().len(), 1);
    rehearsal.close();
}
