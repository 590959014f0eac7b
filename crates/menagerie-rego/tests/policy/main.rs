//! Policies and what they find, by the public interface.

mod errors;
mod findings;
mod hostile;
mod library;
mod negation;
mod projection;
mod shipped;
mod syntax;

use std::path::Path;

use menagerie_compliance::{Evaluation, Input, PolicyFile};
use menagerie_rego::{Options, RegoError, RegoPolicy};
use serde_json::{Value, json};

/// Parses files, given as path and text.
fn parse(files: &[(&str, &str)]) -> Result<RegoPolicy, String> {
    parse_with(files, Options::default())
}

fn parse_with(files: &[(&str, &str)], options: Options) -> Result<RegoPolicy, String> {
    let files: Vec<PolicyFile<'_>> =
        files.iter().map(|(path, text)| PolicyFile { path: Path::new(path), text }).collect();
    RegoPolicy::parse(&files, options).map_err(|errors| errors.to_string())
}

/// Returns a plan of changes, each an address and what will be.
fn plan(resources: &[(&str, Value)]) -> String {
    let changes: Vec<Value> = resources
        .iter()
        .map(|(address, after)| {
            let (kind, name) = address.rsplit_once('.').expect("it is an address");
            let kind = kind.rsplit('.').next().expect("there is one");
            json!({"address": address, "mode": "managed", "type": kind, "name": name,
                "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": {}}})
        })
        .collect();
    json!({"format_version": "1.2", "resource_changes": changes}).to_string()
}

fn judge(policy: &RegoPolicy, plan: &str) -> Result<Evaluation, RegoError> {
    policy.judge(&Input { plan: Some(plan.as_bytes()), ..Input::default() })
}

/// Judges a plan by one file, and returns a line for each finding.
#[track_caller]
fn found(text: &str, plan: &str) -> Vec<String> {
    let policy = parse(&[("main.rego", text)]).unwrap_or_else(|errors| panic!("{errors}"));
    lines(&judge(&policy, plan).expect("it can be judged"))
}

fn lines(evaluation: &Evaluation) -> Vec<String> {
    let line = |finding: &menagerie_compliance::Finding| {
        let counts = if finding.counts { "" } else { ", does not count" };
        format!(
            "{} {:?}{counts} {} {}: {}",
            finding.rule,
            finding.verdict,
            finding.address.as_deref().unwrap_or("-"),
            finding.attribute.as_deref().unwrap_or("-"),
            finding.message
        )
    };
    evaluation.findings.iter().map(line).collect()
}
