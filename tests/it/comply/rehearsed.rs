//! The rules that ship, over what the tree makes.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::root;
use crate::playground::{Playground, has};

const HOSTINGS: [&str; 6] = ["ecs", "ec2_docker", "ec2_compose", "eks", "kubernetes", "nomad"];

/// Returns the rules whose unknowns the page explains.
fn explained() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("docs/compliance/README.md")).unwrap();
    let (_, section) = page.split_once("\n## What a plan can't tell yet\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|rule| rule.trim().to_owned())
        .collect()
}

#[test]
fn nothing_counts_of_a_new_environment_and_what_is_unknown_is_explained() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::with_engine("postgres");
    let mut asked = vec!["--format", "json"];
    asked.extend(HOSTINGS.iter().flat_map(|hosting| ["--hosting", hosting]));
    let answer = playground.comply(&asked);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    let plans =
        report["judged"].as_array().unwrap().iter().filter(|judged| judged["plan"] == "plan");
    assert_eq!(plans.count(), HOSTINGS.len(), "{}", report["judged"]);
    let findings = report["findings"].as_array().unwrap().iter();
    let unknown: BTreeSet<String> = findings
        .filter(|finding| finding["verdict"] == "unknown")
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(unknown, explained());
}
