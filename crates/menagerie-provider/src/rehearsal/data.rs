//! Data sources: from the fixtures, else from what the rehearsal made itself, else from what everybody knows.

use super::{
    answer::problem,
    double::{Configuration, Stage},
    make::ACCOUNT,
    policy,
};
use crate::{
    report,
    value::{Object, Value, attribute},
    wire::Diagnostic,
};

/// Returns what is known of what was asked for; the rest is made up.
pub(crate) fn answer(
    stage: &Stage,
    configuration: &Configuration,
    type_name: &str,
    config: &Object,
) -> Result<Object, Diagnostic> {
    if let Some(found) = stage.fixtures.data(type_name, config) {
        return Ok(found);
    }
    if type_name == "aws_iam_policy_document" {
        let rendered = policy::render(config);
        return rendered
            .map_err(|error| problem("the policy can't be rendered", &report::chain(&error)));
    }
    if let Some(found) = made(stage, type_name, config)? {
        return Ok(found);
    }
    built_in(configuration, type_name, config).ok_or_else(|| {
        problem(
            &format!("nobody answers `data.{type_name}`"),
            &format!(
                "A rehearsal has no account to look into. Add the answer to the fixtures: {{\"data\": {{\"{type_name}\": [{{\"match\": {{}}, \"result\": {{…}}}}]}}}}"
            ),
        )
    })
}

/// Something of the same type that the rehearsal made, and that has all that was asked for.
fn made(stage: &Stage, type_name: &str, config: &Object) -> Result<Option<Object>, Diagnostic> {
    let asked: Vec<_> = config
        .iter()
        .filter(|(name, value)| name.as_str() != "region" && !is_empty(value))
        .collect();
    if asked.is_empty() {
        return Ok(None);
    }
    let fits = |object: &Object| {
        asked
            .iter()
            .all(|(name, value)| object.get(name.as_str()).is_some_and(|found| found == *value))
    };
    let found = stage.world.find(type_name, fits);
    found
        .map(|found| found.map(|(_, object)| object))
        .map_err(|error| problem("the world can't be used", &report::chain(&error)))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(values) => values.is_empty(),
        Value::Map(values) => values.is_empty(),
        _ => false,
    }
}

fn built_in(configuration: &Configuration, type_name: &str, config: &Object) -> Option<Object> {
    let region = match attribute(config, "region") {
        Value::String(region) => region.as_str(),
        _ => configuration.region(),
    };
    let known: &[(&str, Value)] = &match type_name {
        "aws_region" => vec![
            ("id", region.into()),
            ("name", region.into()),
            ("endpoint", format!("ec2.{region}.amazonaws.com").into()),
        ],
        "aws_caller_identity" => vec![
            ("id", ACCOUNT.into()),
            ("account_id", ACCOUNT.into()),
            ("user_id", "AIDAREHEARSAL".into()),
            ("arn", format!("arn:aws:sts::{ACCOUNT}:assumed-role/rehearsal/rehearsal").into()),
        ],
        "aws_partition" => vec![
            ("id", "aws".into()),
            ("partition", "aws".into()),
            ("dns_suffix", "amazonaws.com".into()),
            ("reverse_dns_prefix", "com.amazonaws".into()),
        ],
        "aws_availability_zones" => {
            let zones = |text: &dyn Fn(char) -> String| {
                Value::List(['a', 'b', 'c'].into_iter().map(|zone| text(zone).into()).collect())
            };
            vec![
                ("id", region.into()),
                ("names", zones(&|zone| format!("{region}{zone}"))),
                ("zone_ids", zones(&|zone| format!("{region}-az{}", u32::from(zone) - 96))),
                ("group_names", Value::List(vec![region.into()])),
            ]
        }
        "aws_default_tags" => {
            vec![("id", "aws".into()), ("tags", configuration.default_tags.clone())]
        }
        // A cluster that is shared is the platform's; what it is like is made up.
        "aws_eks_cluster" | "aws_eks_cluster_auth" => {
            vec![("id", attribute(config, "name").clone())]
        }
        "aws_ssm_parameter" => {
            let name = attribute(config, "name").as_str()?;
            // Public parameters, which every account can read.
            if !name.starts_with("/aws/service/") {
                return None;
            }
            let value = if name.contains("ami") {
                Value::from("ami-0123456789abcdef0")
            } else {
                name.rsplit('/').next().unwrap_or_default().into()
            };
            vec![
                ("id", name.into()),
                ("type", "String".into()),
                ("arn", format!("arn:aws:ssm:{region}::parameter{name}").into()),
                ("value", value.clone()),
                ("insecure_value", value),
            ]
        }
        _ => return None,
    };
    Some(known.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}
