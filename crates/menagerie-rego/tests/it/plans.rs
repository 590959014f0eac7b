//! Random plans, with the few names and values that the random policies ask for, so that much of it meets.

use serde_json::{Map, Value, json};

use crate::dice::Dice;

pub(crate) const TYPES: [&str; 5] =
    ["aws_db_instance", "aws_iam_policy", "aws_instance", "aws_s3_bucket", "aws_security_group"];
pub(crate) const NAMES: [&str; 8] =
    ["app", "logs", "Über-logs", "app-db-2", "café", "a.b", "x/y z", ""];
pub(crate) const CIDRS: [&str; 8] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.2.0/24",
    "10.1.2.128/25",
    "192.168.0.0/16",
    "::/0",
    "fd00::/8",
    "203.0.113.7/32",
];
const CLASSES: [&str; 4] = ["db.t4g.micro", "db.r6g.large", "t3.nano", "m7i.24xlarge"];
const VERSIONS: [&str; 5] = ["1.2.3", "1.10.0", "2.0.0-rc.1", "16.4.0", "2.0.0"];
const OWNERS: [&str; 4] = ["ada@example.com", "grace@example.com", "nobody", "team:web"];

/// Returns a plan in Terraform's shape. In a `wild` one any attribute can be of any type; else what is there has its type.
pub(crate) fn plan(dice: &mut Dice, wild: bool) -> Value {
    let count = dice.pick(&[0, 1, 2, 4, 7, 12]);
    let resources: Vec<Value> = (0..count).map(|number| resource(dice, number, wild)).collect();
    json!({
        "format_version": "1.2", "terraform_version": dice.pick(&["1.11.4", "1.9.0"]), "resource_changes": resources,
        "variables": {"environment": {"value": dice.pick(&["calm-otter", "production"])}},
    })
}

fn resource(dice: &mut Dice, number: usize, wild: bool) -> Value {
    let kind = dice.pick(&TYPES);
    let name = format!("{}_{number}", dice.pick(&["this", "logs", "web"]));
    let module = dice.pick(&["", "", "module.app.", "module.net[0].", "module.net[\"a b\"]."]);
    let actions = dice.pick(&[
        json!(["create"]),
        json!(["create"]),
        json!(["update"]),
        json!(["delete", "create"]),
        json!(["delete"]),
        json!(["no-op"]),
    ]);
    let after = if actions == json!(["delete"]) { Value::Null } else { values(dice, wild) };
    let before = if dice.is(40) { values(dice, wild) } else { Value::Null };
    let unknown = if dice.is(40) { json!({"id": true, "arn": dice.is(50)}) } else { json!({}) };
    json!({
        "address": format!("{module}{kind}.{name}"), "mode": dice.pick(&["managed", "managed", "managed", "data"]),
        "type": kind, "name": name,
        "change": {"actions": actions, "before": before, "after": after, "after_unknown": unknown},
    })
}

/// Returns attributes; some are absent, some are null.
fn values(dice: &mut Dice, wild: bool) -> Value {
    let mut values = Map::new();
    for key in [
        "name",
        "class",
        "version",
        "size",
        "port",
        "ratio",
        "encrypted",
        "public",
        "cidrs",
        "tags",
        "policy",
        "rules",
    ] {
        if dice.is(12) {
            continue;
        }
        let value = if dice.is(6) {
            Value::Null
        } else if wild && dice.is(15) {
            anything(dice, 2)
        } else {
            value(dice, key)
        };
        values.insert(key.to_owned(), value);
    }
    Value::Object(values)
}

fn value(dice: &mut Dice, key: &str) -> Value {
    match key {
        "name" => json!(dice.pick(&NAMES)),
        "class" => json!(dice.pick(&CLASSES)),
        "version" => json!(dice.pick(&VERSIONS)),
        "size" => json!(dice.pick(&[0_i64, 1, 2, 20, 100, -5, 9_007_199_254_740_993])),
        "port" => json!(dice.pick(&[22, 80, 443, 8080])),
        "ratio" => json!(dice.pick(&[0.5, 1.5, 2.25, -3.75])),
        "encrypted" | "public" => json!(dice.is(50)),
        "cidrs" => cidrs(dice),
        "tags" => {
            let mut tags = Map::new();
            for (key, values) in
                [("owner", &OWNERS[..]), ("environment", &NAMES[..]), ("Name", &NAMES[..])]
            {
                if dice.is(60) {
                    tags.insert(key.to_owned(), json!(dice.pick(values)));
                }
            }
            Value::Object(tags)
        }
        "policy" => {
            let statements: Vec<Value> = (0..dice.below(3)).map(|_| statement(dice)).collect();
            json!(json!({"Version": "2012-10-17", "Statement": statements}).to_string())
        }
        _ => {
            let rule = |dice: &mut Dice| {
                json!({"from": dice.pick(&[0, 22, 80, 443]), "to": dice.pick(&[22, 80, 443, 65535]),
                    "cidrs": cidrs(dice), "description": dice.pick(&["", "web", "ssh from <b>anywhere</b>"])})
            };
            Value::Array((0..dice.below(4)).map(|_| rule(dice)).collect())
        }
    }
}

fn cidrs(dice: &mut Dice) -> Value {
    (0..dice.below(4)).map(|_| dice.pick(&CIDRS)).collect()
}

fn statement(dice: &mut Dice) -> Value {
    let actions = ["*", "s3:*", "s3:GetObject", "iam:PassRole"];
    let action = if dice.is(50) {
        json!(dice.pick(&actions))
    } else {
        json!([dice.pick(&actions), dice.pick(&actions)])
    };
    json!({"Effect": dice.pick(&["Allow", "Deny"]), "Action": action, "Resource": dice.pick(&["*", "arn:aws:s3:::logs/*"])})
}

/// Returns any JSON, not deeper than `depth`.
pub(crate) fn anything(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(dice.is(50)),
        2 => json!(dice.pick(&[0, 1, 22, -1])),
        3 => json!(dice.pick(&[0.5, 1.5, -2.5])),
        4 => json!(dice.pick(&NAMES)),
        5 => (0..dice.below(3)).map(|_| anything(dice, depth - 1)).collect(),
        _ => (0..dice.below(3))
            .map(|_| (dice.pick(&NAMES).to_owned(), anything(dice, depth - 1)))
            .collect(),
    }
}
