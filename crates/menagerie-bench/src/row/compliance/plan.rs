//! A plan as Terraform prints it of many environments of one kind: most are made, some are there already.
//!
//! Sizes are like those of real plans: the attributes are those of the provider `aws`, most of them null or known after apply
//! only; a half of the types is of no interest to the rules; each value stands there twice, and that of what exists four times.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The attributes of the resources of an environment, one of each type, by type: as they are planned, and what is computed.
const RESOURCES: &str = include_str!("resources.json");
/// What of these is not as the rules want it in each so-many-th environment: the place, and what is there.
const WRONG: [(&str, &str, &str); 7] = [
    ("aws_s3_bucket_public_access_block", "/block_public_policy", "false"),
    ("aws_security_group", "/ingress/0/cidr_blocks/0", r#""0.0.0.0/0""#),
    ("aws_db_instance", "/storage_encrypted", "false"),
    (
        "aws_iam_role_policy",
        "/policy",
        r#""{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}""#,
    ),
    ("aws_cloudwatch_log_group", "/retention_in_days", "0"),
    ("aws_launch_template", "/metadata_options/0/http_tokens", r#""optional""#),
    ("aws_ecs_service", "/tags_all/owner", r#""""#),
];
const IS_WRONG: usize = 12;
/// How many environments a call of the module makes.
const INSTANCES: usize = 10;
/// Each so-many-th environment exists already.
const EXISTING: usize = 16;
const PROVIDER: &str = "registry.terraform.io/hashicorp/aws";

/// Returns a plan of so many resources.
pub(in crate::row) fn plan(count: usize) -> anyhow::Result<Vec<u8>> {
    let kinds: BTreeMap<String, Kind> = serde_json::from_str(RESOURCES)?;
    let kinds: Vec<(String, Kind)> = kinds.into_iter().collect();
    let environments = count.div_ceil(kinds.len());
    let resource = |number: usize| {
        let (name, kind) = &kinds[number % kinds.len()];
        Resource::new(number / kinds.len(), name, kind)
    };
    let planned = |json: &mut Vec<u8>, environment: usize| {
        let first = environment * kinds.len();
        json.extend_from_slice(br#"{"resources":["#);
        list(json, first..count.min(first + kinds.len()), |json, number| {
            Ok(serde_json::to_writer(json, &resource(number).planned())?)
        })?;
        json.extend_from_slice(br#"],"address":"#);
        serde_json::to_writer(&mut *json, &module(environment))?;
        json.push(b'}');
        Ok(())
    };
    let blocks: Vec<Value> = kinds.iter().map(|(kind, _)| block(kind)).collect();
    let mut json = Vec::with_capacity(count * 2_400);
    json.extend_from_slice(br#"{"format_version":"1.2","terraform_version":"1.11.4","variables":{"region":{"value":"eu-central-1"}},"planned_values":{"root_module":{"child_modules":["#);
    list(&mut json, 0..environments, planned)?;
    json.extend_from_slice(br#"]}},"resource_changes":["#);
    list(&mut json, 0..count, |json, number| {
        Ok(serde_json::to_writer(json, &resource(number).change())?)
    })?;
    json.extend_from_slice(br#"],"prior_state":{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{"child_modules":["#);
    list(&mut json, (0..environments).step_by(EXISTING), planned)?;
    json.extend_from_slice(br#"]}}},"configuration":{"provider_config":{"aws":{"name":"aws","full_name":"registry.terraform.io/hashicorp/aws","version_constraint":"~> 6.0"}},"root_module":{"module_calls":{"#);
    for call in 0..environments.div_ceil(INSTANCES) {
        let comma = if call == 0 { "" } else { "," };
        write!(json, "{comma}\"team_{call}\":")?;
        let call = json!({"source": "../modules/stack", "for_each_expression": {"references": ["local.environments"]},
            "expressions": {"name": {"references": ["each.key"]}}, "module": {"resources": blocks, "variables": {"name": {}}}});
        serde_json::to_writer(&mut json, &call)?;
    }
    json.extend_from_slice(br#"}}},"relevant_attributes":[],"timestamp":"2026-11-24T10:00:00Z","applyable":true,"complete":true,"errored":false}"#);
    json.push(b'\n');
    Ok(json)
}

fn list(
    json: &mut Vec<u8>,
    numbers: impl Iterator<Item = usize>,
    write: impl Fn(&mut Vec<u8>, usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for (place, number) in numbers.enumerate() {
        if place > 0 {
            json.push(b',');
        }
        write(json, number)?;
    }
    Ok(())
}

fn module(environment: usize) -> String {
    format!("module.team_{}[\"environment-{environment}\"]", environment / INSTANCES)
}

fn block(kind: &str) -> Value {
    let bucket = ["aws_s3_bucket.this.id", "aws_s3_bucket.this"];
    json!({"address": format!("{kind}.this"), "mode": "managed", "type": kind, "name": "this", "provider_config_key": "aws",
        "expressions": {"name": {"references": ["var.name"]}, "bucket": {"references": bucket}, "tags": {"references": ["var.tags"]}}, "schema_version": 0})
}

/// A type of resources.
#[derive(Deserialize)]
struct Kind {
    values: Value,
    after_unknown: Value,
}

struct Resource<'k> {
    environment: usize,
    kind: &'k str,
    values: Value,
    unknown: &'k Value,
}

impl<'k> Resource<'k> {
    fn new(environment: usize, kind: &'k str, Kind { values, after_unknown }: &'k Kind) -> Self {
        let mut values = values.clone();
        values["region"] = json!("eu-central-1");
        for key in ["name", "family", "identifier", "db_subnet_group_name", "alarm_name"] {
            if let Some(name) = values.get_mut(key) {
                *name = json!(format!("environment-{environment}"));
            }
        }
        if values.get("tags").is_some() {
            values["tags"] = json!({"Name": format!("environment-{environment}")});
            values["tags_all"] = json!({"Name": format!("environment-{environment}"), "owner": "ada@example.com", "environment": "calm-otter",
                "managed-by": "menagerie", "hosting": "ecs", "created-at": "2026-11-24T10:00:00Z", "expires-at": "2026-11-24T18:00:00Z",
                "repository": "https://example.com/menagerie"});
        }
        for (_, place, wrong) in
            WRONG.iter().filter(|(of, ..)| *of == kind && environment.is_multiple_of(IS_WRONG))
        {
            let value = values.pointer_mut(place).expect("it is in the resources");
            *value = serde_json::from_str(wrong).expect("it is JSON");
        }
        Self { environment, kind, values, unknown: after_unknown }
    }

    fn address(&self) -> String {
        format!("{}.{}.this", module(self.environment), self.kind)
    }

    fn sensitive(&self) -> Value {
        match self.kind {
            "aws_db_instance" => {
                json!({"password": true, "replicas": [], "tags": {}, "tags_all": {}})
            }
            _ => json!({"tags": {}, "tags_all": {}}),
        }
    }

    fn planned(&self) -> PlannedResource<'_> {
        PlannedResource {
            address: self.address(),
            mode: "managed",
            kind: self.kind,
            name: "this",
            provider_name: PROVIDER,
            schema_version: 0,
            values: &self.values,
            sensitive_values: self.sensitive(),
        }
    }

    fn change(&self) -> ResourceChange<'_> {
        let exists = self.environment.is_multiple_of(EXISTING);
        let change = Change {
            actions: [if exists { "no-op" } else { "create" }],
            before: exists.then_some(&self.values),
            after: &self.values,
            after_unknown: if exists { json!({}) } else { self.unknown.clone() },
            before_sensitive: if exists { self.sensitive() } else { json!(false) },
            after_sensitive: self.sensitive(),
        };
        ResourceChange {
            address: self.address(),
            module_address: module(self.environment),
            mode: "managed",
            kind: self.kind,
            name: "this",
            provider_name: PROVIDER,
            change,
        }
    }
}

// In the order in which Terraform writes them.

#[derive(Serialize)]
struct PlannedResource<'r> {
    address: String,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: &'r str,
    name: &'static str,
    provider_name: &'static str,
    schema_version: u64,
    values: &'r Value,
    sensitive_values: Value,
}

#[derive(Serialize)]
struct ResourceChange<'r> {
    address: String,
    module_address: String,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: &'r str,
    name: &'static str,
    provider_name: &'static str,
    change: Change<'r>,
}

#[derive(Serialize)]
struct Change<'r> {
    actions: [&'static str; 1],
    before: Option<&'r Value>,
    after: &'r Value,
    after_unknown: Value,
    before_sensitive: Value,
    after_sensitive: Value,
}
