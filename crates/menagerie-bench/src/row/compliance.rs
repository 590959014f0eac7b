//! Judging a plan by rules, against only seeing whether its bytes are JSON.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use menagerie_compliance::{Evaluation, Input, Policy, PolicyFile, evaluate};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::report::{Limit, Measure, Of, Unit};
use crate::row::Setting;
use crate::sample::{interleaved, milliseconds};
use crate::statistics::{Distribution, Fit};

/// Ten of the rules that ship: of attributes, lists of blocks, JSON in text, tags, references and numbers.
const RULES: [&str; 10] = [
    "EC2-001", "IAM-001", "LOG-001", "NET-001", "RDS-001", "RDS-002", "S3-001", "S3-002",
    "SIZE-002", "TAG-001",
];

pub(crate) fn comply(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let is_judged = setting.is_judged();
    let sizes: &[usize] = if is_judged { &[1_000, 10_000, 30_000, 100_000] } else { &[100, 400] };
    // The size that the bars are about.
    let usual = if is_judged { 10_000 } else { 400 };
    let rounds = setting.rounds(11);
    let policy = policy(setting)?;
    let today = "2026-11-24".parse()?;
    let judge = |json: &[u8]| -> anyhow::Result<Evaluation> {
        {
            let input = Input { plan: Some(json), ..Input::default() };
            Ok(evaluate(&policy, &input, today)?)
        }
    };
    let (mut points, mut measures, mut time) = (Vec::new(), Vec::new(), None);
    // Before anything else: memory that was given back is used again, and does not count.
    let json = plan(usual)?;
    let what = format!("ten rules on {usual} resources ({} KiB)", json.len() / 1024);
    if let Some(most) = memory(|| judge(&json))? {
        let what = format!("{what}: MiB of memory beyond the plan itself");
        measures.push(Measure::alone(what, Unit::Count, &[most]).with_bar(
            Of::Ours,
            Limit::AtMost,
            40.0,
            is_judged,
        ));
    }
    for &size in sizes {
        let json = plan(size)?;
        let evaluation = judge(&json)?;
        let is_all = evaluation.resources == size
            && evaluation.coverage.iter().all(|rule| rule.examined > 0);
        anyhow::ensure!(is_all && !evaluation.findings.is_empty(), "a rule examined nothing");
        let rounds = if size > usual { rounds.min(5) } else { rounds };
        let pairs = interleaved(
            rounds,
            || milliseconds(|| judge(&json)),
            || milliseconds(|| Ok(serde_json::from_slice::<IgnoredAny>(&json)?)),
        )?;
        points.push((f64::from(u32::try_from(size)?), Distribution::of(&pairs.ours).median));
        if size == usual {
            let baseline = "seeing that its bytes are JSON";
            time = Some(Measure::against(&what, Unit::Milliseconds, baseline, &pairs).with_bar(
                Of::Ratio,
                Limit::AtMost,
                2.5,
                is_judged,
            ));
        }
    }
    let time = time.context("the usual size is one of the sizes")?.with_fit(Fit::of(points));
    measures.insert(0, time);
    Ok(measures)
}

fn policy(setting: &Setting) -> anyhow::Result<Policy> {
    let directory = setting.repository().join("tf/compliance/rules");
    let mut files = Vec::new();
    for rule in RULES {
        let path: PathBuf = directory.join(format!("{rule}.toml"));
        let text = fs::read_to_string(&path)
            .with_context(|| format!("failed to read `{}`", path.display()))?;
        files.push((path, text));
    }
    let files: Vec<PolicyFile<'_>> =
        files.iter().map(|(path, text)| PolicyFile { path, text }).collect();
    Ok(Policy::parse(&files)?)
}

/// Returns by how many MiB the memory of this process grew at most; none where the system does not tell.
fn memory<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Option<f64>> {
    // Linux counts the most since this was written: proc(5).
    if fs::write("/proc/self/clear_refs", "5").is_err() {
        return Ok(None);
    }
    let before = kibibytes("VmHWM:");
    drop(work()?);
    Ok(before.zip(kibibytes("VmHWM:")).map(|(before, after)| (after - before) / 1024.0))
}

fn kibibytes(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Returns a plan in the shape of what Terraform prints: what changes, what is planned, and the configuration.
fn plan(count: usize) -> anyhow::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(count * 2_300);
    json.extend_from_slice(br#"{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"root_module":{"resources":["#);
    list(&mut json, count, |number| {
        let resource = resource(number);
        let (kind, name) = (resource.kind, block_name(number));
        json!({"address": resource.address, "mode": "managed", "type": kind, "name": name, "index": instance(number),
            "provider_name": "registry.terraform.io/hashicorp/aws", "schema_version": 0, "values": resource.values, "sensitive_values": {"tags": {}, "tags_all": {}}})
    })?;
    json.extend_from_slice(br#"]}},"resource_changes":["#);
    list(&mut json, count, |number| {
        let resource = resource(number);
        json!({"address": resource.address, "mode": "managed", "type": resource.kind, "name": block_name(number), "index": instance(number),
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {"actions": ["create"], "before": null, "after": resource.values,
                "after_unknown": {"arn": true, "id": true, "owner_id": true, "tags": {}, "tags_all": {}, "timeouts": [{}]},
                "before_sensitive": false, "after_sensitive": {"tags": {}, "tags_all": {}}}})
    })?;
    json.extend_from_slice(br#"],"configuration":{"root_module":{"resources":["#);
    list(&mut json, count.div_ceil(TYPES * INSTANCES) * TYPES, |block| {
        let name = format!("this_{}", block / TYPES);
        let (kind, bucket) = (resource(block % TYPES).kind, format!("aws_s3_bucket.{name}"));
        json!({"address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "provider_config_key": "aws", "schema_version": 0, "count_expression": {"constant_value": INSTANCES},
            "expressions": {"bucket": {"references": [format!("{bucket}[0].id"), format!("{bucket}[0]"), bucket]}, "name": {"references": ["var.name"]}}})
    })?;
    json.extend_from_slice(b"]}}}");
    Ok(json)
}

/// How many types there are.
const TYPES: usize = 8;
/// How many instances each block has.
const INSTANCES: usize = 10;

fn block_name(number: usize) -> String {
    format!("this_{}", number / (TYPES * INSTANCES))
}

fn instance(number: usize) -> usize {
    number / TYPES % INSTANCES
}

fn list(json: &mut Vec<u8>, count: usize, element: impl Fn(usize) -> Value) -> anyhow::Result<()> {
    for number in 0..count {
        if number > 0 {
            json.write_all(b",")?;
        }
        serde_json::to_writer(&mut *json, &element(number))?;
    }
    Ok(())
}

struct Resource {
    kind: &'static str,
    address: String,
    values: Value,
}

/// Returns a resource of one of eight types; of each hundred some are not as the rules want them.
fn resource(number: usize) -> Resource {
    let is_right = number % 100 >= 8;
    let (kind, mut values) = match number % TYPES {
        0 => (
            "aws_s3_bucket",
            json!({"bucket_prefix": "menagerie-", "force_destroy": false, "object_lock_enabled": false}),
        ),
        1 => (
            "aws_s3_bucket_public_access_block",
            json!({"block_public_acls": true, "block_public_policy": is_right, "ignore_public_acls": true, "restrict_public_buckets": true}),
        ),
        2 => (
            "aws_security_group",
            json!({"description": "the application", "name": format!("app-{number}"), "revoke_rules_on_delete": null, "egress": [], "ingress": [
                {"cidr_blocks": [if is_right { "10.0.0.0/8" } else { "0.0.0.0/0" }], "description": "", "from_port": 8080, "to_port": 8080,
                 "protocol": "tcp", "ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": [], "self": false}]}),
        ),
        3 => (
            "aws_db_instance",
            json!({"allocated_storage": 20, "engine": "postgres", "instance_class": "db.t4g.micro", "storage_encrypted": is_right,
                "publicly_accessible": false, "backup_retention_period": 7, "deletion_protection": true, "apply_immediately": true,
                "blue_green_update": [], "copy_tags_to_snapshot": true, "iam_database_authentication_enabled": false, "skip_final_snapshot": false}),
        ),
        4 => (
            "aws_iam_role_policy",
            json!({"name": format!("policy-{number}"), "role": "app", "policy": json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::menagerie/*"},
                {"Sid": "Logs", "Effect": "Allow", "Action": if is_right { "logs:PutLogEvents" } else { "*" }, "Resource": "*"}]}).to_string()}),
        ),
        5 => (
            "aws_cloudwatch_log_group",
            json!({"name": format!("/menagerie/{number}"), "retention_in_days": if is_right { 14 } else { 0 }, "skip_destroy": false, "kms_key_id": null}),
        ),
        6 => (
            "aws_launch_template",
            json!({"instance_type": "t4g.small", "image_id": "ami-0123456789abcdef0", "metadata_options": [
                {"http_tokens": if is_right { "required" } else { "optional" }, "http_endpoint": "enabled", "http_put_response_hop_limit": 1}],
                "block_device_mappings": [], "monitoring": [{"enabled": true}], "network_interfaces": []}),
        ),
        _ => (
            "aws_ecs_service",
            json!({"name": format!("service-{number}"), "desired_count": 2, "launch_type": "FARGATE", "deployment_maximum_percent": 200,
                "enable_execute_command": false, "health_check_grace_period_seconds": null, "propagate_tags": "SERVICE", "wait_for_steady_state": true}),
        ),
    };
    let tags = json!({"owner": "ada@example.com", "environment": "calm-otter", "managed-by": "menagerie", "hosting": "ecs",
        "created-at": "2026-11-24T10:00:00Z", "expires-at": "2026-11-24T18:00:00Z", "repository": "https://example.com/menagerie"});
    if kind.starts_with("aws_") && number % TYPES != 1 && number % TYPES != 4 {
        values["tags"] = json!({});
        values["tags_all"] = tags;
    }
    values["region"] = json!("eu-central-1");
    values["timeouts"] = Value::Null;
    Resource {
        kind,
        address: format!("module.stack[{}].{kind}.this[{number}]", number / 8),
        values,
    }
}
