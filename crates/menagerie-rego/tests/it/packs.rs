//! The rules in Rego that ship, over the cases of their own tests and random changes of these.

use std::fs;
use std::path::{Path, PathBuf};

use menagerie_compliance::{Input, Record, Verdict};
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::engines::{Answer, Found, Tally, found, policy};
use crate::opa::Opa;
use crate::plans::anything;
use crate::seeds;

const SOURCES: [&str; 4] = ["configuration", "pipeline", "inventory", "application"];

#[test]
fn rules_that_ship_say_the_same() {
    let Some(mut opa) = Opa::start() else { return };
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tf/compliance");
    let library = fs::read_to_string(directory.join("lib/plan.rego")).expect("it ships");
    let mut tally = Tally::default();
    let mut silent = Vec::new();
    let paths = rules(&directory.join("rules"));
    for path in &paths {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("it is UTF-8");
        let text = fs::read_to_string(path).expect("it was listed");
        let modules = [("plan.rego", library.as_str()), ("rule.rego", text.as_str())];
        let policy = policy(&modules).unwrap_or_else(|error| panic!("{error}"));
        let package = text.lines().find_map(|line| line.strip_prefix("package "));
        let query = format!("data.{}", package.expect("it has a package"));
        let tests = fs::read_to_string(path.with_extension("test.toml")).expect("it has tests");
        let tests: Value = toml::from_str(&tests).expect("they are TOML");
        let mut fired = 0;
        for (number, case) in tests["case"].as_array().into_iter().flatten().enumerate() {
            for seed in 0..=seeds(5).end {
                // The first is the case as it is.
                let case = Case::of(case, &mut Dice::new(seed), if seed == 0 { 0 } else { 15 });
                let ours = case.ours(&policy);
                let theirs = case.theirs(&mut opa, &modules, &query);
                fired += theirs.as_ref().map_or(0, Found::len);
                tally.count(&ours, &theirs, format_args!("{name}, case {number}, seed {seed}"));
            }
        }
        if fired == 0 {
            silent.push(name);
        }
    }
    assert!(silent.is_empty(), "these say nothing of their own cases: {silent:?}");
    tally.end(&format!("{} rules that ship", paths.len()), paths.len());
}

fn rules(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("it ships");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut rules: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "rego")).collect();
    rules.sort();
    rules
}

/// What a case judges.
struct Case {
    plan: String,
    records: Vec<(&'static str, Vec<Record>)>,
}

impl Case {
    /// Reads a case of a test; of its values so many of a hundred become something else.
    fn of(case: &Value, dice: &mut Dice, changed: usize) -> Self {
        let list = |key: &str| case[key].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut values = |fixture: &Value| {
            let mut values = fixture.get("values").cloned().unwrap_or_else(|| json!({}));
            change(&mut values, dice, changed);
            values
        };
        let planned = |fixture: Value| {
            let address = text(&fixture["address"]);
            let action = fixture["action"].as_str().unwrap_or("create").to_owned();
            let kind = address.rsplit('.').nth(1).unwrap_or_default();
            let mut unknown = json!({});
            for path in
                fixture["unknown"].as_array().into_iter().flatten().filter_map(Value::as_str)
            {
                // Deeper ones don't matter here: both engines get the same.
                unknown[path] = json!(true);
            }
            let (before, after) = match action.as_str() {
                "delete" | "forget" => (values(&fixture), Value::Null),
                _ => (Value::Null, values(&fixture)),
            };
            json!({"address": address, "mode": "managed", "type": kind,
                "change": {"actions": [action], "before": before, "after": after, "after_unknown": unknown}})
        };
        let resources: Vec<Value> = list("resource").into_iter().map(planned).collect();
        let plan = json!({"format_version": "1.2", "resource_changes": resources}).to_string();
        let mut records = SOURCES.map(|source| (source, Vec::new()));
        for fixture in list("record") {
            let record = Record {
                kind: text(&fixture["type"]),
                address: text(&fixture["address"]),
                values: values(&fixture),
                unknown: Value::Null,
                place: None,
            };
            let source = text(&fixture["input"]);
            let of_source = records.iter_mut().find(|(name, _)| *name == source);
            of_source.expect("there is such an input").1.push(record);
        }
        Self { plan, records: records.into() }
    }

    fn ours(&self, policy: &menagerie_rego::RegoPolicy) -> Answer {
        let [configuration, pipeline, inventory, application] =
            [0, 1, 2, 3].map(|at| Some(&*self.records[at].1));
        let plan = Some(self.plan.as_bytes());
        let input =
            Input { plan, configuration, pipeline, inventory, application, ..Input::default() };
        let mut all = Found::new();
        for finding in policy.judge(&input).expect("it is a plan").findings {
            if finding.verdict == Verdict::Error {
                return Err(finding.message);
            }
            all.insert((finding.message, finding.address));
        }
        Ok(all)
    }

    /// Asks for all that the rule's package says; the index of the plan is the library's there.
    fn theirs(&self, opa: &mut Opa, modules: &[(&str, &str)], query: &str) -> Answer {
        let mut data = Map::new();
        for (source, records) in &self.records {
            let mut kinds = json!({});
            for record in records {
                let mut values = record.values.clone();
                values["address"] = json!(record.address);
                if kinds.get(&record.kind).is_none() {
                    kinds[&record.kind] = json!([]);
                }
                kinds[&record.kind].as_array_mut().expect("it was made").push(values);
            }
            data.insert((*source).to_owned(), kinds);
        }
        opa.load(modules, &Value::Object(data))?;
        let package = opa.ask(query, &self.plan)?;
        let is_asked = |name: &str| {
            let first = name.split('_').next().unwrap_or_default();
            ["deny", "violation", "warn", "unknown"].contains(&first)
        };
        let rules = package.as_object().into_iter().flatten().filter(|(name, _)| is_asked(name));
        Ok(rules.flat_map(|(_, value)| value.as_array().into_iter().flatten().map(found)).collect())
    }
}

/// Makes something else of some of the values inside.
fn change(value: &mut Value, dice: &mut Dice, of_a_hundred: usize) {
    let inner: Vec<&mut Value> = match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(object) => object.values_mut().collect(),
        _ => Vec::new(),
    };
    for inner in inner {
        if dice.is(of_a_hundred) {
            *inner = match inner {
                Value::Bool(truth) => json!(!*truth),
                Value::Number(_) => json!(dice.pick(&[0, 1, 22, 1000])),
                _ if dice.is(50) => Value::Null,
                _ => anything(dice, 1),
            };
        } else {
            change(inner, dice, of_a_hundred);
        }
    }
}
