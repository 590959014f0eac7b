use menagerie_compliance::{Input, Place, Record, Severity, Source, Verdict};
use serde_json::json;

use crate::{found, judge, lines, parse, plan};

const RULE: &str = r#"# METADATA
# title: Buckets are not public
# description: What is public by accident leaks.
# related_resources:
# - https://example.com/why
# custom:
#   id: S3-900
#   severity: HIGH
#   frameworks: [CIS 1, CIS 2]
#   remediation: Set `acl = "private"`.
package s3

deny contains {"msg": msg, "address": change.address, "attribute": "acl"} if {
	some change in input.resource_changes
	change.change.after.acl == "public-read"
	msg := sprintf("is %s", [change.change.after.acl])
}

unknown contains {"msg": "can't be told yet", "address": change.address} if {
	some change in input.resource_changes
	change.change.after_unknown.acl
}
"#;

#[test]
fn a_rule_with_metadata() {
    let policy = parse(&[("S3-900.rego", RULE)]).unwrap();
    let [about] = &policy.rules()[..] else { panic!() };
    assert_eq!((about.id.as_str(), about.severity), ("S3-900", Severity::High));
    assert_eq!(about.title, "Buckets are not public");
    assert_eq!(about.frameworks, ["CIS 1", "CIS 2"]);
    assert_eq!(
        about.rationale,
        "What is public by accident leaks.\n\nSee <https://example.com/why>."
    );
    assert_eq!(about.remediation, "Set `acl = \"private\"`.");
    assert_eq!(policy.sources(&about.id), [Source::Plan]);
    assert_eq!(policy.only(&about.id).rules(), policy.rules());
    assert!(policy.only(&"S3-901".parse().unwrap()).rules().is_empty());
    let plan = plan(&[
        ("aws_s3_bucket.a", json!({"acl": "public-read"})),
        ("module.m.aws_s3_bucket.b", json!({"acl": "private"})),
    ]);
    let evaluation = judge(&policy, &plan).unwrap();
    assert_eq!(lines(&evaluation), ["S3-900 Fail aws_s3_bucket.a acl: is public-read"]);
    assert_eq!((evaluation.coverage.len(), evaluation.coverage[0].examined), (1, 2));
    let unknown = plan.replace("\"after_unknown\":{}", "\"after_unknown\":{\"acl\":true}");
    let unknown = unknown.replace("public-read", "x");
    assert_eq!(
        lines(&judge(&policy, &unknown).unwrap()),
        [
            "S3-900 Unknown, does not count aws_s3_bucket.a -: can't be told yet",
            "S3-900 Unknown, does not count module.m.aws_s3_bucket.b -: can't be told yet"
        ]
    );
}

#[test]
fn a_dozen_rules_of_one_name() {
    let text = r#"package main

# METADATA
# title: One
# custom: {id: A-1, severity: low}
deny contains "one" if true

# METADATA
# custom: {id: A-2, severity: critical}
deny contains {"msg": "two", "address": "a.b"} if true

warn contains "three" if true

# METADATA
# custom: {id: A-2}
unknown contains "perhaps two" if true

# METADATA
# custom: {id: A-1}
deny contains "one more" if { 1 / 0 }
"#;
    assert_eq!(
        found(text, &plan(&[])),
        [
            "A-2 Fail a.b -: two",
            "A-2 Unknown, does not count - -: perhaps two",
            "A-1 Error - -: could not be evaluated, main.rego:20:33: divide by zero (ask before whether it is 0)",
            "main.warn Fail, does not count - -: three",
        ]
    );
}

#[test]
fn rules_of_conftest() {
    let text = r#"package main
import rego.v1

deny contains "a text" if true
violation contains {"msg": "an object", "details": {"resource": "a.b"}} if true
warn_old contains "a warning" if true
deny_open contains "excepted" if true
exception contains rules if { rules := ["open"] }
deny_not_used(x) if x == 1
"#;
    assert_eq!(
        found(text, &plan(&[])),
        [
            "main.deny Fail - -: a text",
            "main.deny_open Waived, does not count - -: excepted (but `exception` of the policy lets it pass)",
            "main.violation Fail a.b -: an object",
            "main.warn_old Fail, does not count - -: a warning",
        ]
    );
}

#[test]
fn a_value_that_is_no_finding_is_an_error_and_the_others_are_judged() {
    let text = r#"package main
deny_text := "x"
deny_object contains {"message_": 1} if true
deny_map[k] := 1 if some k in ["a"]
deny_bool if true
deny_zero contains 1 / count(input.nothing) if true
deny_div contains x if { x := 1 / count([]) }
"#;
    assert_eq!(
        found(text, &plan(&[])),
        [
            "main.deny_bool Fail - -: main.deny_bool",
            "main.deny_div Error - -: could not be evaluated, main.rego:7:33: divide by zero (ask before whether it is 0)",
            "main.deny_map Error - -: could not be evaluated, main.rego: the value of `deny_map` must be a set of findings, but is an object",
            "main.deny_object Error - -: could not be evaluated, main.rego: the value of `deny_object` must be a text, or have one as `msg`, but is an object",
            "main.deny_text Error - -: could not be evaluated, main.rego: the value of `deny_text` must be a set of findings, but is a text",
        ]
    );
}

#[test]
fn records_are_judged_and_what_was_not_read_is_not() {
    let text = r#"package main
deny contains {"msg": "is not pinned", "address": step.address} if {
	some step in data.pipeline.step
	not step.is_pinned
}
deny_both contains "reads both" if { data.pipeline.step; input.resource_changes }
"#;
    let policy = parse(&[("main.rego", text)]).unwrap();
    let place = Place { file: "ci.yml".into(), line: 3, column: 5, end_line: 3, end_column: 9 };
    let record = |address: &str, is_pinned: bool| Record {
        kind: "step".into(),
        address: address.into(),
        values: json!({"is_pinned": is_pinned}),
        unknown: json!(null),
        place: Some(place.clone()),
    };
    let records = [record("ci.yml:a", true), record("ci.yml:b", false)];
    let evaluation = policy
        .judge(&Input { pipeline: Some(&records), root: "tf/a", ..Input::default() })
        .unwrap();
    assert_eq!(lines(&evaluation), ["main.deny Fail ci.yml:b -: is not pinned"]);
    let finding = &evaluation.findings[0];
    assert_eq!((finding.source, finding.root.as_str()), (Source::Pipeline, ""));
    assert_eq!(finding.location.as_ref().unwrap().primary, place);
    let examined: Vec<usize> = evaluation.coverage.iter().map(|rule| rule.examined).collect();
    assert_eq!(examined, [2, 0]);
    let plan = plan(&[("a.b", json!({}))]);
    let evaluation = policy
        .judge(&Input {
            pipeline: Some(&records),
            plan: Some(plan.as_bytes()),
            root: "tf/a",
            ..Input::default()
        })
        .unwrap();
    assert_eq!(evaluation.count(Verdict::Fail), 2);
    assert_eq!(evaluation.findings[1].root, "tf/a");
}

#[test]
fn no_finding_tells_what_is_sensitive() {
    let text = r#"package main
deny contains {"msg": sprintf("is %v", [rc.change.after.password]), "attribute": rc.change.after.password, "address": rc.address} if {
	some rc in input.resource_changes
}
deny_variable contains input.variables.token.value if true
deny_error contains x if { x := to_number(input.resource_changes[0].change.after.password) }
deny_type contains x if { x := startswith({"a": input.resource_changes[0].change.after.password}, "x") }
"#;
    let plan = json!({"format_version": "1.2", "resource_changes": [{
        "address": "a.hunter2", "mode": "managed", "type": "a", "name": "b",
        "change": {"actions": ["create"], "after": {"password": "hunter2"}, "after_sensitive": {"password": true}}}],
        "variables": {"token": {"value": "s3cret"}},
        "configuration": {"root_module": {"variables": {"token": {"sensitive": true}}}}});
    let found = found(text, &plan.to_string());
    assert_eq!(found.len(), 4);
    assert!(
        found.iter().any(|line| line.contains("a.hunter2 (sensitive): is (sensitive)")),
        "{found:#?}"
    );
    let told = found.concat().replace("a.hunter2", "");
    assert!(!told.contains("hunter2") && !told.contains("s3cret"), "{found:#?}");
}

#[test]
fn production_is_there_to_compare_with() {
    let text = r#"package main
import data.lib.plan
deny contains plan.finding(rc, "engine", msg) if {
	some rc in plan.by_type.aws_db_instance
	some theirs in data.production.by_type.aws_db_instance
	rc.change.after.engine != theirs.change.after.engine
	msg := sprintf("is %s, in production %s", [rc.change.after.engine, theirs.change.after.engine])
}
"#;
    let library = include_str!("../../../../tf/compliance/lib/plan.rego");
    let policy = parse(&[("plan.rego", library), ("main.rego", text)]).unwrap();
    let of = |engine: &str| plan(&[("aws_db_instance.this", json!({"engine": engine}))]);
    let (ours, theirs) = (of("mysql"), of("postgres"));
    let input = Input { plan: Some(ours.as_bytes()), root: "tf/a", ..Input::default() };
    assert!(policy.judge(&input).unwrap().findings.is_empty());
    let input = Input { production: Some(theirs.as_bytes()), ..input };
    let evaluation = policy.judge(&input).unwrap();
    assert_eq!(
        lines(&evaluation),
        ["main.deny Fail aws_db_instance.this engine: is mysql, in production postgres"]
    );
    assert_eq!(evaluation.findings[0].root, "tf/a");
    let broken = policy.judge(&Input { production: Some(b"{"), ..input }).unwrap_err();
    assert!(broken.to_string().starts_with("production's plan or state: "), "{broken}");
}
