use serde_json::{Value, json};

use crate::{judge, lines, parse};

const LIBRARY: &str = include_str!("../../../../tf/compliance/lib/plan.rego");

const RULES: &str = r#"package main
import data.lib.plan

deny_kinds contains sprintf("%v", [[type | some type, _ in plan.by_type]]) if true
deny_all contains rc.address if some rc in plan.all
deny_known contains plan.finding(rc, "acl", "is known") if {
	some rc in plan.by_type.aws_s3_bucket
	plan.known(rc, ["acl"])
	plan.known(rc, ["versioning", 0, "enabled"])
}
deny_unknown contains {"address": address, "msg": sprintf("%v", [mask])} if some address, mask in plan.unknown
deny_tags contains sprintf("%s %v", [rc.address, plan.tags(rc)]) if some rc in plan.by_address
deny_modules contains sprintf("%v", [plan.modules(rc)]) if some rc in plan.all
"#;

#[expect(clippy::needless_pass_by_value, reason = "they are made for it")]
fn resource(address: &str, kind: &str, actions: &[&str], after: Value, unknown: Value) -> Value {
    json!({"address": address, "mode": "managed", "type": kind, "name": "x",
        "change": {"actions": actions, "before": null, "after": after, "after_unknown": unknown}})
}

fn changes() -> Value {
    json!([
        resource("aws_s3_bucket.a", "aws_s3_bucket", &["create"], json!({"acl": "x", "tags": {"a": "b"}}), json!({"versioning": [{"enabled": true}]})),
        resource("module.m[\"a.b\"].module.n.aws_s3_bucket.b[0]", "aws_s3_bucket", &["no-op"], json!({"tags_all": {"c": "d"}, "tags": {}}), json!({"versioning": [{}]})),
        resource("aws_vpc.gone", "aws_vpc", &["delete"], Value::Null, json!(false)),
        resource("aws_vpc.replaced", "aws_vpc", &["delete", "create"], json!({"tags": null}), json!({"acl": true})),
        {"address": "data.aws_ami.x", "mode": "data", "type": "aws_ami", "change": {"actions": ["read"], "after": {}}},
    ])
}

const EXPECTED: [&str; 13] = [
    "main.deny_all Fail - -: aws_s3_bucket.a",
    "main.deny_all Fail - -: aws_vpc.replaced",
    "main.deny_all Fail - -: module.m[\"a.b\"].module.n.aws_s3_bucket.b[0]",
    "main.deny_kinds Fail - -: [\"aws_s3_bucket\", \"aws_vpc\"]",
    "main.deny_known Fail module.m[\"a.b\"].module.n.aws_s3_bucket.b[0] acl: is known",
    "main.deny_modules Fail - -: [\"module.m[\\\"a.b\\\"]\", \"module.n\"]",
    "main.deny_modules Fail - -: []",
    "main.deny_tags Fail - -: aws_s3_bucket.a {\"a\": \"b\"}",
    "main.deny_tags Fail - -: aws_vpc.replaced {}",
    "main.deny_tags Fail - -: module.m[\"a.b\"].module.n.aws_s3_bucket.b[0] {\"c\": \"d\"}",
    "main.deny_unknown Fail aws_s3_bucket.a -: {\"versioning\": [{\"enabled\": true}]}",
    "main.deny_unknown Fail aws_vpc.replaced -: {\"acl\": true}",
    "main.deny_unknown Fail module.m[\"a.b\"].module.n.aws_s3_bucket.b[0] -: {\"versioning\": [{}]}",
];

#[test]
fn by_the_ready_index_and_without() {
    let plan = json!({"format_version": "1.2", "resource_changes": changes()}).to_string();
    let with = parse(&[("lib/plan.rego", LIBRARY), ("main.rego", RULES)]).unwrap();
    assert_eq!(lines(&judge(&with, &plan).unwrap()), EXPECTED);
    // The same where there is no `data.plan`, as with OPA.
    let without = LIBRARY.replace("data.plan.", "data.none.");
    let without = parse(&[("lib/plan.rego", &without), ("main.rego", RULES)]).unwrap();
    assert_eq!(lines(&judge(&without, &plan).unwrap()), EXPECTED);
}

#[test]
fn of_a_state_what_is_there() {
    let state = json!({"format_version": "1.0", "values": {"root_module": {
        "resources": [{"address": "aws_s3_bucket.a", "mode": "managed", "type": "aws_s3_bucket", "values": {"acl": "x", "tags": {"a": "b"}}}],
        "child_modules": [{"resources": [{"address": "module.m.aws_vpc.b", "mode": "managed", "type": "aws_vpc", "values": {}}]}],
    }}});
    let policy = parse(&[("lib/plan.rego", LIBRARY), ("main.rego", RULES)]).unwrap();
    let found = lines(&judge(&policy, &state.to_string()).unwrap());
    assert!(
        found.contains(&"main.deny_known Fail aws_s3_bucket.a acl: is known".to_owned()),
        "{found:?}"
    );
    assert!(found.contains(&"main.deny_modules Fail - -: [\"module.m\"]".to_owned()), "{found:?}");
}
