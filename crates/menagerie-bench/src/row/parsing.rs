//! Reading a plan, against reading the same bytes as JSON of no type.

use menagerie_plan::{Plan, Summary, digest};
use serde_json::{Value, json};

use crate::report::{Measure, Unit};
use crate::row::Setting;
use crate::sample::{Pairs, interleaved, milliseconds};

pub(crate) fn plan(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let json = serde_json::to_vec(&large_plan(if setting.is_judged() { 1_000 } else { 50 }))?;
    let parsed = Plan::from_json(&json)?;
    let size = format!("{} changes, {} KiB", parsed.resource_changes.len(), json.len() / 1024);
    let rounds = setting.rounds(21);
    let untyped = || milliseconds(|| Ok(serde_json::from_slice::<Value>(&json)?));
    let pairs = |ours: &dyn Fn() -> anyhow::Result<f64>| -> anyhow::Result<Pairs> {
        interleaved(rounds, ours, untyped)
    };
    let against = |what: &str, pairs: &Pairs| {
        let what = format!("{what} of a plan ({size})");
        Measure::against(what, Unit::Milliseconds, "parsing it as JSON of no type", pairs)
    };
    Ok(vec![
        against("parsing", &pairs(&|| milliseconds(|| Ok(Plan::from_json(&json)?)))?),
        against("summary", &pairs(&|| milliseconds(|| Ok(Summary::of(&parsed).to_string())))?),
        against("digest", &pairs(&|| milliseconds(|| Ok(digest(&parsed).to_string())))?),
    ])
}

/// Returns a plan in the shape of what Terraform prints for services and their databases: half are made, half are changed.
fn large_plan(count: usize) -> Value {
    let changes = (0..count).map(|number| {
        let attributes = |port: usize| {
            json!({
                "name": format!("service-{number}"),
                "port": port,
                "command": ["bin/service", "--listen", "127.0.0.1"],
                "environment": { "LOG_LEVEL": "info", "GREETING": "hello ${name}" },
                "password": "swordfish",
                "tags": { "owner": "ada@example.com", "environment": "calm-otter" },
            })
        };
        let is_new = number % 2 == 0;
        json!({
            "address": format!("module.service[{number}].menagerie_service.this"),
            "module_address": format!("module.service[{number}]"),
            "mode": "managed",
            "type": "menagerie_service",
            "name": "this",
            "provider_name": "menagerie.local/menagerie/menagerie",
            "change": {
                "actions": if is_new { ["create"] } else { ["update"] },
                "before": if is_new { Value::Null } else { attributes(8000) },
                "after": attributes(9000),
                "after_unknown": { "id": true },
                "before_sensitive": if is_new { json!(false) } else { json!({ "password": true }) },
                "after_sensitive": { "password": true },
            },
        })
    });
    json!({
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": changes.collect::<Vec<_>>(),
    })
}
