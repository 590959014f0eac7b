//! Inputs of several parts, and waivers over them.

use std::path::Path;

use jiff::civil::{Date, date};
use menagerie_compliance::{
    EnvironmentFacts, Evaluation, Finding, Input, Place, Policy, PolicyFile, Record, Rule, Source,
    Verdict, WaiverUse, judge,
};
use serde_json::{Value, json};

const TODAY: Date = date(2026, 11, 24);

const PINNED: &str = r#"
id = "PIN-001"
title = "Modules are pinned"
severity = "high"
rationale = "r"
remediation = "r"
input = "configuration"

[match]
type = "module"
module = "tf/*"
where = [{ attribute = "is_local", equals = false }]

[[assert]]
attribute = "version"
present = true
"#;

const PRIVATE: &str = r#"
id = "S3-001"
title = "Buckets are private"
severity = "high"
rationale = "r"
remediation = "r"
expect = ">=1"

[match]
type = "aws_s3_bucket"

[[assert]]
attribute = "acl"
equals = "private"
"#;

fn policy(rules: &[&str], waivers: &str) -> Policy {
    let names: Vec<String> = (0..rules.len()).map(|number| format!("{number}.toml")).collect();
    let mut files: Vec<PolicyFile<'_>> = names
        .iter()
        .zip(rules)
        .map(|(name, text)| PolicyFile { path: Path::new(name), text })
        .collect();
    files.push(PolicyFile { path: Path::new("waivers.toml"), text: waivers });
    Policy::parse(&files).expect("the policy is right")
}

fn judged(policy: &Policy, input: &Input<'_>) -> Evaluation {
    let rules: Vec<&Rule> = policy.rules.iter().collect();
    judge(&rules, input).expect("the plan is one")
}

fn module(address: &str, values: Value, unknown: Value) -> Record {
    let place =
        Place { file: "tf/a/main.tf".to_owned(), line: 3, column: 1, end_line: 5, end_column: 2 };
    Record {
        kind: "module".to_owned(),
        address: address.to_owned(),
        values,
        unknown,
        place: Some(place),
    }
}

fn bucket(acl: &str) -> Vec<u8> {
    let change = json!({"actions": ["create"], "after": {"acl": acl}, "after_unknown": {}});
    let resource = json!({"address": "aws_s3_bucket.a", "mode": "managed", "type": "aws_s3_bucket", "change": change});
    json!({"format_version": "1.2", "resource_changes": [resource]}).to_string().into_bytes()
}

#[test]
fn records_are_judged_as_resources_are() {
    let records = [
        module("tf/a:module.pinned", json!({"is_local": false, "version": "1.2.3"}), Value::Null),
        module("tf/a:module.open", json!({"is_local": false, "version": null}), Value::Null),
        module("tf/a:module.near", json!({"is_local": true}), Value::Null),
        module("tf/a:module.dark", json!({"is_local": false}), json!({"version": true})),
        module("vendor:module.far", json!({"is_local": false}), Value::Null),
    ];
    let policy = policy(&[PINNED, PRIVATE], "");
    let input = Input { root: "tf/envs/a", configuration: Some(&records), ..Input::default() };
    let evaluation = judged(&policy, &input);
    let told: Vec<(&str, Verdict)> = evaluation
        .findings
        .iter()
        .map(|finding| (finding.address.as_deref().unwrap(), finding.verdict))
        .collect();
    assert_eq!(told, [("tf/a:module.dark", Verdict::Unknown), ("tf/a:module.open", Verdict::Fail)]);
    let open = &evaluation.findings[1];
    assert_eq!((open.source, open.root.as_str()), (Source::Configuration, ""));
    assert_eq!(open.location.as_ref().unwrap().primary.line, 3);
    assert_eq!((evaluation.records, evaluation.coverage[0].examined), (5, 3));
    // There was no plan, so nothing is said of the buckets that are not in it.
    assert_eq!(evaluation.coverage[1].examined, 0);
    let elsewhere = judged(&policy, &Input { root: "tf/envs/b", ..input });
    assert_eq!(elsewhere.findings[1].fingerprint, open.fingerprint);
}

#[test]
fn what_was_read_and_is_empty_is_missed() {
    let policy = policy(&[PINNED, PRIVATE], "");
    assert!(judged(&policy, &Input::default()).is_empty());
    let empty = br#"{"format_version": "1.2", "resource_changes": []}"#;
    let evaluation = judged(&policy, &Input { plan: Some(empty), ..Input::default() });
    assert_eq!(
        evaluation.findings[0].message,
        "there must be at least 1 of `aws_s3_bucket`, but there are 0"
    );
}

#[test]
fn the_same_in_another_root_is_another_finding() {
    let policy = policy(&[PRIVATE], "");
    let plan = bucket("public-read");
    let fingerprint = |root| {
        judged(&policy, &Input { root, plan: Some(&plan), ..Input::default() }).findings[0]
            .fingerprint
            .clone()
    };
    assert_ne!(fingerprint("tf/production"), fingerprint("tf/envs/a"));
    assert_eq!(fingerprint("tf/envs/a"), fingerprint("tf/envs/a"));
}

/// Judges a public bucket of production and one of the environment `bold-lark`, which lives until Christmas.
fn both(waiver: impl Fn(&[Finding]) -> String) -> (Vec<WaiverUse>, Vec<Verdict>) {
    let facts = EnvironmentFacts { name: "bold-lark".to_owned(), expires: date(2026, 12, 24) };
    let plan = bucket("public-read");
    let production = Input { root: "tf/production", plan: Some(&plan), ..Input::default() };
    let environment = Input { root: "tf/envs/bold-lark", environment: Some(&facts), ..production };
    let rules = policy(&[PRIVATE], "");
    let mut evaluation = judged(&rules, &production);
    evaluation.add(judged(&rules, &environment));
    // By root: the environment's comes first.
    let policy = policy(&[PRIVATE], &waiver(&evaluation.findings));
    evaluation.waive(&policy.waivers, TODAY);
    assert_eq!((evaluation.resources, evaluation.coverage[0].examined), (2, 2));
    (evaluation.waivers, evaluation.findings.iter().map(|finding| finding.verdict).collect())
}

fn waiver(finding: &Finding, environment: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\nrule = \"S3-001\"\naddress = \"*\"\nfingerprints = [\"{}\"]\nreason = \"r\"\nowner = \"o\"\napproved_by = \"a\"\nticket = \"t\"\ncreated = 2026-11-01\nexpires = {expires}\n{environment}",
        finding.fingerprint
    )
}

#[test]
fn a_waiver_of_an_environment_holds_there_and_nowhere_else() {
    const OF_LARK: &str = "environment = \"bold-lark\"\n";
    use Verdict::{Fail, Waived};
    let given = |of: usize, environment: &'static str, expires: &'static str| {
        both(|findings| waiver(&findings[of], environment, expires))
    };
    assert_eq!(given(0, OF_LARK, "2026-12-24"), (vec![WaiverUse::Used], vec![Waived, Fail]));
    assert_eq!(given(0, OF_LARK, "2026-12-25"), (vec![WaiverUse::Outlives], vec![Fail, Fail]));
    // Without the environment's name it is one for production, whose finding is another.
    assert_eq!(given(0, "", "2026-12-24"), (vec![WaiverUse::Changed], vec![Fail, Fail]));
    assert_eq!(given(1, "", "2026-12-24"), (vec![WaiverUse::Used], vec![Fail, Waived]));
    assert_eq!(given(1, OF_LARK, "2026-12-24"), (vec![WaiverUse::Changed], vec![Fail, Fail]));
    let other = "environment = \"calm-otter\"\n";
    assert_eq!(given(0, other, "2026-12-24"), (vec![WaiverUse::Elsewhere], vec![Fail, Fail]));
    // All that a finding meets are told.
    let twice = |findings: &[Finding]| {
        format!(
            "{}{}",
            waiver(&findings[1], "", "2026-12-24"),
            waiver(&findings[1], "", "2026-12-01")
        )
    };
    assert_eq!(both(twice), (vec![WaiverUse::Used; 2], vec![Fail, Waived]));
}

#[test]
fn a_rule_about_records_knows_no_actions() {
    let text = PINNED.replace("module = \"tf/*\"", "action = \"create\"").replace(
        "attribute = \"version\"\npresent = true",
        "referenced_by = { type = \"a\", attribute = \"b\" }",
    );
    let file = PolicyFile { path: Path::new("a.toml"), text: &text };
    let error = Policy::parse(&[file]).unwrap_err().to_string();
    assert!(error.contains("unknown key `action`"), "{error}");
    let text = text.replace("action = \"create\"\n", "");
    let file = PolicyFile { path: Path::new("a.toml"), text: &text };
    let error = Policy::parse(&[file]).unwrap_err().to_string();
    assert!(error.contains("`referenced_by` is of a plan, not of the configuration"), "{error}");
}
