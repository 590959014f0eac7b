//! The law of a provider: what was just made has no difference to what was asked for. Held by every type that is served.

use super::Rehearsal;
use crate::harness::has;
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};
use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

const PROVIDERS: [(&str, &str); 5] = [
    ("aws", "hashicorp/aws"),
    ("kubernetes", "hashicorp/kubernetes"),
    ("nomad", "hashicorp/nomad"),
    ("datadog", "datadog/datadog"),
    ("newrelic", "newrelic/newrelic"),
];

/// How deep blocks that need not be there are made.
const DEEP: usize = 2;

/// Makes configurations that follow a schema and the rules.
struct Generator {
    rules: toml::Table,
    random: u64,
    /// Whether also what is optional is set.
    everything: bool,
}

impl Generator {
    fn new(everything: bool) -> Self {
        let rules = include_str!("../../../src/rehearsal/rules.toml").parse().unwrap();
        Self { rules, random: 7, everything }
    }

    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.random >> 33
    }

    fn rules(&self, type_name: &str) -> Vec<toml::Value> {
        let own = self.rules["type"].get(type_name).cloned();
        let prefixes = self.rules["prefix"].as_table().unwrap();
        let prefix = prefixes.iter().find(|(prefix, _)| type_name.starts_with(*prefix));
        own.into_iter().chain(prefix.map(|(_, rules)| rules.clone())).collect()
    }

    /// Whether another of the same list is there already, or comes first.
    fn is_left_out(&self, type_name: &str, name: &str) -> bool {
        let lists = |rules: &toml::Value, key: &str| {
            rules.get(key).and_then(|lists| lists.as_array()).cloned().unwrap_or_default()
        };
        self.rules(type_name).iter().any(|rules| {
            let lists = lists(rules, "conflicts").into_iter().chain(lists(rules, "exactly"));
            lists.into_iter().any(|list| {
                let place =
                    list.as_array().unwrap().iter().position(|known| known.as_str() == Some(name));
                place.is_some_and(|place| place > 0)
            })
        })
    }

    fn is_first_of_many(&self, type_name: &str, name: &str) -> bool {
        self.rules(type_name).iter().any(|rules| {
            let lists = rules.get("exactly").and_then(|lists| lists.as_array());
            lists.into_iter().flatten().any(|list| list[0].as_str() == Some(name))
        })
    }

    fn block(&mut self, type_name: &str, schema: &Value, path: &str, depth: usize) -> Value {
        let mut object = Map::new();
        for (name, attribute) in schema["attributes"].as_object().into_iter().flatten() {
            let wanted = attribute["required"] == true
                || (depth == 0 && self.is_first_of_many(type_name, name))
                || (self.everything && attribute["optional"] == true && name != "id");
            if wanted && !(depth == 0 && self.is_left_out(type_name, name)) {
                let value = self.value(type_name, &attribute["type"], &format!("{path}{name}"));
                object.insert(name.clone(), value);
            }
        }
        for (name, nested) in schema["block_types"].as_object().into_iter().flatten() {
            let least = nested["min_items"].as_u64().unwrap_or(0);
            let wanted = least > 0 || (self.everything && depth < DEEP);
            if !wanted || (depth == 0 && self.is_left_out(type_name, name)) {
                continue;
            }
            let mut make =
                || self.block(type_name, &nested["block"], &format!("{path}{name}."), depth + 1);
            let value = match nested["nesting_mode"].as_str().unwrap() {
                "single" | "group" => make(),
                "map" => json!({ "key": make() }),
                _ => (0..least.max(1)).map(|_| make()).collect(),
            };
            object.insert(name.clone(), value);
        }
        Value::Object(object)
    }

    fn value(&mut self, type_name: &str, r#type: &Value, path: &str) -> Value {
        match (r#type.as_str(), r#type[0].as_str()) {
            (Some("bool"), _) => self.random().is_multiple_of(2).into(),
            (Some(_), _) => self.scalar(type_name, r#type == "number", path),
            (_, Some("list" | "set")) => json!([self.value(type_name, &r#type[1], path)]),
            (_, Some("map")) => {
                let key = format!("key{}", self.random() % 9);
                let inner = self.value(type_name, &r#type[1], "");
                json!({ key: inner, "ünï": self.value(type_name, &r#type[1], "") })
            }
            (_, Some("object")) => r#type[1]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, inner)| (name.clone(), self.value(type_name, inner, "")))
                .collect(),
            _ => panic!("{type_name}: {type}"),
        }
    }

    fn scalar(&mut self, type_name: &str, number: bool, path: &str) -> Value {
        let check = self.rules(type_name).into_iter().find_map(|rules| {
            let checks = rules.get("check")?.as_table()?;
            let fits = |known: &str| {
                known
                    .strip_prefix('*')
                    .is_some_and(|end| !path.contains('.') && path.ends_with(end))
            };
            let found = checks.iter().find(|(known, _)| *known == path || fits(known));
            found.map(|(_, check)| check.clone())
        });
        let Some(check) = check else {
            let text = format!("s{}-\u{1F9A6}\"$", self.random() % 1000);
            return if number { (self.random() % 50 + 7).into() } else { text.into() };
        };
        if let Some(format) = check.get("format").and_then(|format| format.as_str()) {
            return self.rules["format"][format]["example"].as_str().unwrap().into();
        }
        if let Some(known) = check.get("one_of") {
            return match &known[0] {
                toml::Value::Integer(number) => (*number).into(),
                known => known.as_str().unwrap().into(),
            };
        }
        check
            .get("range")
            .map_or_else(|| "text".into(), |range| range[0].as_integer().unwrap().into())
    }

    /// Returns a root module with one of each type; `kind` is Terraform's word, `key` that of the schemas.
    fn root(&mut self, kind: &str, key: &str) -> Value {
        let mut required = Map::new();
        let mut blocks = Map::new();
        for (name, source) in PROVIDERS {
            required.insert(name.to_owned(), json!({ "source": source }));
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.json.gz"));
            let mut text = String::new();
            GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
            let schemas: Value = serde_json::from_str(&text).unwrap();
            for (type_name, schema) in schemas[key].as_object().into_iter().flatten() {
                let block = self.block(type_name, &schema["block"], "", 0);
                blocks.insert(type_name.clone(), json!({ "this": block }));
            }
        }
        json!({
            "terraform": { "required_providers": required },
            "provider": {
                "aws": { "region": "eu-west-1", "default_tags": [{ "tags": { "environment": "x" } }] },
            },
            kind: escaped(blocks.into()),
        })
    }
}

/// JSON is read as templates, so that what starts one is written twice.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace("${", "$${").replace("%{", "%%{").into(),
        Value::Array(values) => values.into_iter().map(escaped).collect(),
        Value::Object(values) => {
            values.into_iter().map(|(name, value)| (name, escaped(value))).collect()
        }
        value => value,
    }
}

#[test]
fn what_was_made_is_what_was_asked_for_whatever_the_type() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&["--ignore-protection"]);
    let types = {
        let root = Generator::new(false).root("resource", "resource_schemas");
        rehearsal.write("main.tf.json", &root.to_string());
        root["resource"].as_object().unwrap().len()
    };
    rehearsal.apply().success();
    assert_eq!(rehearsal.world().as_object().unwrap().len(), types);
    rehearsal.plan().code(0);
    // The same with all that may be set: some of it changes in place, some makes it anew.
    rehearsal.write(
        "main.tf.json",
        &Generator::new(true).root("resource", "resource_schemas").to_string(),
    );
    rehearsal.apply().success();
    rehearsal.plan().code(0);
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    rehearsal.close();
}

#[test]
fn every_data_source_and_ephemeral_resource_is_answered_from_fixtures() {
    if !has("terraform") {
        return;
    }
    let data = Generator::new(false).root("data", "data_source_schemas");
    let ephemeral = Generator::new(false).root("ephemeral", "ephemeral_resource_schemas");
    let answers: Map<_, _> = data["data"]
        .as_object()
        .unwrap()
        .keys()
        .map(|type_name| (type_name.clone(), json!([{ "result": {} }])))
        .collect();
    assert!(!answers.is_empty() && !ephemeral["ephemeral"].as_object().unwrap().is_empty());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("fixtures.json");
    fs::write(&file, json!({ "data": answers }).to_string()).unwrap();
    let rehearsal = Rehearsal::new(&["--fixtures", file.to_str().unwrap()]);
    for root in [data, ephemeral] {
        rehearsal.write("main.tf.json", &root.to_string());
        rehearsal.apply().success();
        rehearsal.plan().code(0);
    }
    rehearsal.close();
}
