//! What is refused before anything is made, and where it is shown.

use super::Rehearsal;
use crate::harness::{Environment, has};
use serde_json::json;
use std::fs;

#[track_caller]
fn refuse(text: &str, says: &[&str]) {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    rehearsal.configure(text);
    let output = rehearsal.run(&["validate"]).code(1);
    output.says(says);
    rehearsal.close();
}

#[test]
fn an_error_is_shown_at_its_line() {
    refuse(
        "resource \"aws_ecs_service\" \"this\" {\n  name    = \"app\"\n  replicas = 2\n}\n",
        &["Unsupported argument", "main.tf line 15", "replicas = 2"],
    );
    refuse(
        "resource \"aws_lb\" \"this\" {\n  internal = true\n  name     = \"a-name-that-is-much-longer-than-it-may-be\"\n}\n",
        &["REHEARSAL: invalid value for `name`", "main.tf line 15", "at most 32"],
    );
}

#[test]
fn what_aws_refuses_is_refused() {
    for (text, says) in [
        ("resource \"aws_vpc\" \"this\" {\n  cidr_block = \"10.0.0.1/16\"\n}\n", "CIDR"),
        (
            "resource \"aws_cloudwatch_log_group\" \"this\" {\n  retention_in_days = 8\n}\n",
            "one of 0, 1, 3, 5, 7, 14",
        ),
        (
            "resource \"aws_iam_role\" \"this\" {\n  assume_role_policy = \"{\"\n}\n",
            "expected JSON",
        ),
        ("resource \"aws_s3_bucket\" \"this\" {\n  bucket = \"Files\"\n}\n", "lower-case letters"),
        (
            "resource \"aws_lb_target_group\" \"this\" {\n  port = 70000\n}\n",
            "a number from 1 to 65535",
        ),
        (
            "resource \"aws_iam_role_policy_attachment\" \"this\" {\n  role       = \"r\"\n  policy_arn = \"AdministratorAccess\"\n}\n",
            "expected an ARN",
        ),
        (
            "resource \"aws_security_group\" \"this\" {\n  name        = \"a\"\n  name_prefix = \"b\"\n}\n",
            "arguments conflict",
        ),
        (
            "resource \"aws_vpc_security_group_ingress_rule\" \"this\" {\n  security_group_id = \"sg-1\"\n  ip_protocol       = \"-1\"\n}\n",
            "an argument is missing",
        ),
        (
            "resource \"aws_vpc_security_group_ingress_rule\" \"this\" {\n  security_group_id = \"sg-1\"\n  ip_protocol       = \"tcp\"\n  cidr_ipv4         = \"10.0.0.0/8\"\n}\n",
            "needs `from_port` and `to_port`",
        ),
        (
            "resource \"aws_ecs_task_definition\" \"this\" {\n  family                   = \"a\"\n  requires_compatibilities = [\"FARGATE\"]\n  network_mode             = \"awsvpc\"\n  cpu                      = 256\n  memory                   = 4096\n  container_definitions    = \"[]\"\n}\n",
            "Fargate has no task of 256 CPU units with 4096 MiB",
        ),
        (
            "resource \"kubernetes_namespace_v1\" \"this\" {\n  metadata {\n    name = \"Calm_Otter\"\n  }\n}\n",
            "`metadata.name`",
        ),
    ] {
        refuse(text, &[says]);
    }
}

#[test]
fn what_is_not_known_yet_is_no_error() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    rehearsal.configure(
        "resource \"aws_sns_topic\" \"this\" {\n  count = 2\n  name  = \"t${count.index}\"\n}\nresource \"aws_cloudwatch_metric_alarm\" \"this\" {\n  alarm_name          = \"a\"\n  comparison_operator = \"LessThanThreshold\"\n  evaluation_periods  = 1\n  alarm_actions       = toset([for topic in aws_sns_topic.this : topic.arn])\n}\nresource \"aws_security_group\" \"this\" {\n  name = \"a\"\n  ingress {\n    from_port       = 1\n    to_port         = 2\n    protocol        = \"tcp\"\n    description     = aws_sns_topic.this[0].arn\n    security_groups = [aws_sns_topic.this[1].arn]\n  }\n}\n",
    );
    rehearsal.apply().success();
    rehearsal.plan().code(0);
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    rehearsal.close();
}

#[test]
fn nobody_answers_for_an_account_but_fixtures() {
    if !has("terraform") {
        return;
    }
    let text = "data \"aws_vpc\" \"this\" {\n  tags = { Name = \"main\" }\n}\noutput \"id\" {\n  value = data.aws_vpc.this.cidr_block\n}\nephemeral \"aws_secretsmanager_secret_version\" \"this\" {\n  secret_id = \"s\"\n}\nresource \"aws_ssm_parameter\" \"this\" {\n  name             = \"/p\"\n  type             = \"SecureString\"\n  value_wo         = ephemeral.aws_secretsmanager_secret_version.this.secret_string\n  value_wo_version = 1\n}\n";
    let rehearsal = Rehearsal::new(&[]);
    rehearsal.configure(text);
    rehearsal.plan().code(1).says(&[
        "REHEARSAL: nobody answers `data.aws_vpc`",
        "\"match\": {}",
        "fixtures",
    ]);
    let file = rehearsal.environment.root.path().join("fixtures.json");
    let answers = json!({ "data": { "aws_vpc": [
        { "match": { "tags": { "Name": "other" } }, "result": { "cidr_block": "10.9.0.0/16" } },
        { "match": { "tags": { "Name": "main" } }, "result": { "cidr_block": "10.8.0.0/16" } },
    ] } });
    fs::write(&file, answers.to_string()).unwrap();
    let rehearsal = rehearsal.again(&["--fixtures", file.to_str().unwrap()]);
    rehearsal.apply().success().says(&["id = \"10.8.0.0/16\""]);
    rehearsal.plan().code(0);
    rehearsal.destroy().success();
    rehearsal.close();
}

#[test]
fn a_policy_document_is_rendered() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    rehearsal.configure(
        "data \"aws_iam_policy_document\" \"this\" {\n  statement {\n    actions   = [\"s3:GetObject\"]\n    resources = [\"*\"]\n  }\n}\nresource \"aws_iam_policy\" \"this\" {\n  name   = \"p\"\n  policy = data.aws_iam_policy_document.this.json\n}\noutput \"action\" {\n  value = jsondecode(aws_iam_policy.this.policy).Statement[0].Action\n}\n",
    );
    rehearsal.apply().success().says(&["action = \"s3:GetObject\""]);
    rehearsal.close();
}

#[test]
fn what_is_served_is_listed() {
    let environment = Environment::new();
    let listed = environment.provider(&["schemas"]).success();
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let aws = &listed["providers"][0];
    assert_eq!((&listed["version"], &aws["source"]), (&json!(1), &json!("hashicorp/aws")));
    assert!(aws["version"].as_str().unwrap().starts_with("6."));
    assert!(aws["resources"].as_array().unwrap().contains(&json!("aws_ecs_service")));
}

#[test]
fn wrong_usage_says_how() {
    let environment = Environment::new();
    let dir = environment.dir.to_str().unwrap();
    environment
        .provider(&["rehearse", "--dir", dir, "--fault", "aws_vpc:make:half"])
        .code(2)
        .says(&["TYPE[.NAME]:OPERATION:KIND[xN]"]);
    environment
        .provider(&["rehearse", "--dir", dir, "--schema", "aws"])
        .code(1)
        .says(&["SOURCE=FILE"]);
    environment
        .provider(&["rehearse", "--dir", dir, "--fixtures", "/nowhere.json"])
        .code(1)
        .says(&["failed to read the fixtures"]);
    fs::create_dir_all(dir).unwrap();
    let file = environment.dir.join("fixtures.json");
    fs::write(&file, "{\"dat\": {}}").unwrap();
    environment
        .provider(&["rehearse", "--dir", dir, "--fixtures", file.to_str().unwrap()])
        .code(1)
        .says(&["unknown field `dat`", "`data`"]);
}

#[test]
fn a_provider_of_the_users_own_is_served_from_its_schema() {
    if !has("terraform") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("thing.json");
    // Protocol 6 has attributes inside of attributes, which none of the schemas that come along uses.
    let size = json!({ "required": true, "type": "number" });
    let state = json!({ "computed": true, "type": "string" });
    let secret = json!({ "optional": true, "write_only": true, "type": "string" });
    let nested = |mode: &str| {
        let attributes = json!({ "size": size, "state": state });
        json!({ "optional": true, "nested_type": { "nesting_mode": mode, "attributes": attributes } })
    };
    let attributes = json!({
        "id": state, "any": { "optional": true, "type": "dynamic" }, "secret": secret,
        "one": nested("single"), "list": nested("list"), "set": nested("set"), "map": nested("map"),
    });
    let blocks = json!({ "group": { "nesting_mode": "group", "block": { "attributes": { "size": { "optional": true, "type": "number" } } } } });
    let schema = json!({
        "provider": { "version": 0, "block": {} },
        "resource_schemas": { "thing": { "version": 3, "block": { "attributes": attributes, "block_types": blocks } } },
    });
    fs::write(&file, schema.to_string()).unwrap();
    let rehearsal =
        Rehearsal::new(&["--schema", &format!("acme.example/acme/thing={}", file.display())]);
    let configure = |size: u32| {
        rehearsal.write(
            "main.tf",
            &format!(
                "terraform {{\n  required_providers {{\n    thing = {{ source = \"acme.example/acme/thing\" }}\n  }}\n}}\nresource \"thing\" \"this\" {{\n  any    = {{ a = [1, \"x\", null] }}\n  secret = \"hush\"\n  one    = {{ size = {size} }}\n  list   = [{{ size = 1 }}, {{ size = {size} }}]\n  set    = [{{ size = 1 }}, {{ size = {size} }}]\n  map    = {{ a = {{ size = {size} }} }}\n}}\n"
            ),
        );
    };
    for size in [2, 3] {
        configure(size);
        rehearsal.apply().success();
        rehearsal.plan().code(0);
    }
    let state = rehearsal.state();
    assert_eq!(state["thing.this"]["any"], json!({ "a": [1, "x", null] }));
    for place in [
        &state["thing.this"]["one"],
        &state["thing.this"]["list"][1],
        &state["thing.this"]["map"]["a"],
    ] {
        assert_eq!(place["size"], 3);
        assert!(
            place["state"].as_str().is_some_and(|state| state.starts_with("state-")),
            "{place}"
        );
    }
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    rehearsal.close();
}
