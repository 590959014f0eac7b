//! The rules that ship, against what the providers really have: a rule about an attribute that no provider knows passes for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use toml::{Table, Value as Toml};

/// Types that rules are about and that the schema files do not hold, since no module of the tree makes them, with the reason why
/// a rule is about them all the same. Their attributes were compared once, with `hashicorp/aws` 6.69.1
/// and `hashicorp/kubernetes` 3.4.0.
const ABSENT: &[(&str, &[&str])] = &[
    ("another name of a type that the schema holds", &["aws_alb", "aws_alb_listener", "aws_elb"]),
    (
        "the type before this one had its `_v1`, and its siblings",
        &[
            "kubernetes_daemon_set_v1",
            "kubernetes_deployment",
            "kubernetes_namespace",
            "kubernetes_service",
            "kubernetes_service_account",
            "kubernetes_stateful_set_v1",
        ],
    ),
    (
        "what an environment that a developer extends is likely to keep data in",
        &[
            "aws_docdb_cluster",
            "aws_dynamodb_table",
            "aws_ebs_volume",
            "aws_efs_file_system",
            "aws_elasticache_replication_group",
            "aws_opensearch_domain",
            "aws_rds_cluster",
            "aws_rds_cluster_instance",
            "aws_rds_cluster_parameter_group",
            "aws_redshift_cluster",
            "aws_s3_object",
            "aws_sqs_queue",
        ],
    ),
    (
        "another way to the same hole",
        &[
            "aws_ecr_repository_policy",
            "aws_iam_access_key",
            "aws_iam_group_policy",
            "aws_iam_group_policy_attachment",
            "aws_iam_policy_attachment",
            "aws_iam_user",
            "aws_iam_user_login_profile",
            "aws_iam_user_policy",
            "aws_iam_user_policy_attachment",
            "aws_kms_key_policy",
            "aws_lambda_function_url",
            "aws_s3_bucket_acl",
            "aws_secretsmanager_secret_policy",
            "aws_secretsmanager_secret_version",
            "aws_security_group_rule",
            "aws_sqs_queue_policy",
            "aws_vpc_peering_connection",
        ],
    ),
];

/// By type, its block.
type Schemas = BTreeMap<String, Value>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schemas() -> Schemas {
    let read = |provider: &str| {
        let path = root().join(format!("crates/menagerie-provider/schemas/{provider}.json.gz"));
        let mut text = String::new();
        GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        let Value::Object(types) = schema["resource_schemas"].take() else { panic!("{provider}") };
        types.into_iter().map(|(name, mut schema)| (name, schema["block"].take()))
    };
    ["aws", "kubernetes", "nomad"].into_iter().flat_map(read).collect()
}

/// Returns the rules of an input, by the names of their files.
fn rules(input: &str) -> Vec<(String, Table)> {
    let mut rules = Vec::new();
    for entry in fs::read_dir(root().join("tf/compliance/rules")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        if !is_toml || name.ends_with(".test.toml") {
            continue;
        }
        let rule: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        if rule.get("input").map_or("plan", |input| input.as_str().unwrap()) == input {
            rules.push((name, rule));
        }
    }
    rules
}

fn texts(value: &Toml) -> Vec<String> {
    match value {
        Toml::Array(values) => values.iter().flat_map(texts).collect(),
        value => vec![value.as_str().unwrap().to_owned()],
    }
}

/// Collects the paths of assertions, those of their parts behind their own.
fn paths(assertions: Option<&Toml>, before: &str, into: &mut BTreeSet<String>) {
    for assertion in assertions.and_then(Toml::as_array).into_iter().flatten() {
        let own = assertion.get("attribute").and_then(Toml::as_str);
        let path = match own {
            Some(own) if before.is_empty() => own.to_owned(),
            Some(own) => format!("{before}.{own}"),
            None => before.to_owned(),
        };
        if own.is_some() {
            into.insert(path.clone());
        }
        paths(assertion.get("any"), &path, into);
        paths(assertion.get("never"), &path, into);
    }
}

/// Returns the keys of a path up to a text that is JSON: elements of lists are told by the schema.
fn keys(path: &str) -> Vec<String> {
    let path = path.split("::").next().unwrap();
    let mut keys = Vec::new();
    for part in path.split('"').enumerate() {
        match part {
            (index, quoted) if index % 2 == 1 => keys.push(quoted.to_owned()),
            (_, plain) => keys.extend(
                plain
                    .split(['.', '[', ']'])
                    .filter(|key| !key.is_empty() && *key != "*" && key.parse::<usize>().is_err())
                    .map(str::to_owned),
            ),
        }
    }
    keys
}

/// Returns whether a block has what a path leads to.
fn has(block: &Value, keys: &[String]) -> bool {
    let Some((key, rest)) = keys.split_first() else { return true };
    match (&block["attributes"][key], &block["block_types"][key]) {
        (Value::Null, Value::Null) => false,
        (Value::Null, nested) => has(&nested["block"], rest),
        (attribute, _) => holds(&attribute["type"], rest),
    }
}

/// Returns whether a value of a type has what a path leads to.
fn holds(kind: &Value, keys: &[String]) -> bool {
    let Some((key, rest)) = keys.split_first() else { return true };
    match (kind[0].as_str(), &kind[1]) {
        (Some("map"), inner) => holds(inner, rest),
        (Some("list" | "set"), inner) => holds(inner, keys),
        (Some("object"), attributes) => {
            attributes.get(key).is_some_and(|attribute| holds(attribute, rest))
        }
        _ => false,
    }
}

#[test]
fn rules_are_about_what_providers_have() {
    let schemas = schemas();
    let absent: BTreeSet<&str> =
        ABSENT.iter().flat_map(|(_, kinds)| kinds.iter().copied()).collect();
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (file, rule) in rules("plan") {
        let kinds = texts(&rule["match"]["type"]);
        let mut known = Vec::new();
        for kind in &kinds {
            match schemas.get(kind) {
                Some(block) => known.push(block),
                None if absent.contains(kind.as_str()) => {
                    used.insert(kind.clone());
                }
                None => wrong.push(format!("{file}: no provider has `{kind}`")),
            }
        }
        let mut asked = BTreeSet::new();
        paths(rule.get("assert"), "", &mut asked);
        paths(rule["match"].get("where"), "", &mut asked);
        for path in asked {
            let is_known = known.iter().any(|block| has(block, &keys(&path)));
            if !is_known && known.len() == kinds.len() {
                wrong.push(format!("{file}: none of {} has `{path}`", kinds.join(", ")));
            }
        }
        for assertion in rule.get("assert").and_then(Toml::as_array).into_iter().flatten() {
            let Some(companion) = assertion.get("referenced_by") else { continue };
            let (kind, attribute) =
                (companion["type"].as_str().unwrap(), companion["attribute"].as_str().unwrap());
            if !schemas.get(kind).is_some_and(|block| has(block, &keys(attribute))) {
                wrong.push(format!("{file}: `{kind}` has no `{attribute}`"));
            }
        }
    }
    for kind in &absent {
        if schemas.contains_key(*kind) {
            wrong.push(format!("`{kind}` is in the schema: take it out of the list"));
        } else if !used.contains(*kind) {
            wrong.push(format!("no rule is about `{kind}`: take it out of the list"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_no_provider_has_is_seen() {
    let schemas = schemas();
    let check = |kind: &str, path: &str, expected: bool| {
        assert_eq!(has(&schemas[kind], &keys(path)), expected, "{kind} {path}");
    };
    check("aws_lb", "tags_all[\"expires-at\"]", true);
    check("aws_lb", "tags_al", false);
    check("aws_lb_listener", "default_action[0].redirect[0].protocol", true);
    check("aws_lb_listener", "default_action[0].redirect[0].port_name", false);
    check("aws_security_group", "ingress[*].ipv6_cidr_blocks", true);
    check("aws_security_group", "ingress[*].cidrs", false);
    check("aws_iam_policy", "policy::Statement[*].Action", true);
    check("aws_db_instance", "storage_encrypted.yes", false);
}

#[test]
fn what_may_differ_from_production_is_there() {
    let schemas = schemas();
    let mut wrong = Vec::new();
    let rules = rules("parity");
    assert!(!rules.is_empty());
    for (file, rule) in rules {
        let kinds = texts(&rule["match"]["type"]);
        for assertion in rule["assert"].as_array().unwrap() {
            let named = assertion.get("subset_of").map(texts).unwrap_or_default();
            let is_composition = kinds == ["composition"];
            for name in named {
                let is_there = if is_composition {
                    schemas.contains_key(&name) || name == "terraform_data"
                } else {
                    kinds.iter().any(|kind| has(&schemas[kind], std::slice::from_ref(&name)))
                };
                if !is_there {
                    wrong.push(format!("{file}: no `{name}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
