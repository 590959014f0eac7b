//! A pack of thousands of rules that we did not write: `cdk-preflight`, which is for `CloudFormation`.
//!
//! Its host gives it some functions and a document of resources. The functions are here, in the same Rego for both engines; the
//! documents are made of the words that the rules themselves use, so that some of them fire.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::engines::{Tally, ours, policy, theirs};
use crate::opa::{self, Opa};
use crate::seeds;

#[test]
fn rules_that_we_did_not_write_say_the_same() {
    let Some(directory) = opa::directory() else { return };
    let Some(mut opa) = Opa::start() else { return };
    let mut tally = Tally::default();
    let (mut rules, mut refused, mut fired, mut wrong) = (0, 0, BTreeSet::new(), Vec::new());
    for part in parts(&directory, 8) {
        let modules: Vec<(&str, &str)> =
            part.modules.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        if let Err(error) = opa.load(&modules, &json!({})) {
            eprintln!("{}: OPA refuses {} rules: {error}", part.service, part.rules);
            refused += part.rules;
            continue;
        }
        let policy = match policy(&modules) {
            Ok(policy) => policy,
            Err(error) => {
                wrong.push(format!("{}: {error}", part.service));
                continue;
            }
        };
        rules += part.rules;
        for seed in seeds(1) {
            let input = part.input(&mut Dice::new(seed)).to_string();
            let theirs = theirs(&mut opa, "cdk_preflight", &["violation"], &input);
            let ours = ours(&policy, "cdk_preflight", &["violation"], &input);
            if let Ok(found) = &theirs[0] {
                fired.extend(
                    found
                        .iter()
                        .filter_map(|(message, _)| message.split(' ').next().map(str::to_owned)),
                );
            }
            tally.count(&ours[0], &theirs[0], format_args!("{}, seed {seed}", part.service));
        }
    }
    eprintln!(
        "cdk-preflight: {rules} rules, of which {} fired; OPA refuses {refused} more",
        fired.len()
    );
    tally.end("cdk-preflight", 200);
    assert!(
        wrong.is_empty(),
        "what OPA compiles is refused {} times:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(rules > 3_000 && fired.len() > 150, "this shows little");
}

/// The functions that its host gives it.
pub(crate) const HOST: &str = r#"package cdk_preflight

import rego.v1

deploy_region := "eu-central-1"

deploy_account := "123456789012"

resources_of_type(kind) := [name | some name, resource in input.resources; resource.type == kind]

resolve(name, path) := value if {
    steps := array.slice(split(path, "."), 1, 100)
    value := object.get(input.resources[name].properties, steps, null)
    value != null
}

flatten_list(name, path) := [{"index": index, "value": value} |
    list := resolve(name, path)
    is_array(list)
    some index, value in list
]

coerce_to_bool(value) := value if is_boolean(value)

coerce_to_bool(value) := lower(value) == "true" if is_string(value)

make_diag_full(id, severity, name, path, message, _, _) := {"msg": sprintf("%s %s: %s", [id, path, message]), "address": name, "severity": severity}
"#;

/// Some rules with the helpers that they need, and what their inputs are made of.
pub(crate) struct Part {
    pub(crate) service: String,
    pub(crate) rules: usize,
    pub(crate) modules: Vec<(String, String)>,
    kinds: Vec<String>,
    words: Words,
}

/// What rules are about: the paths and keys that they read, and the values that they compare with.
#[derive(Default)]
struct Words {
    paths: Vec<Vec<String>>,
    keys: Vec<String>,
    texts: Vec<String>,
    numbers: Vec<i64>,
}

/// Reads the pack, in parts of at most `size` rules of one service.
pub(crate) fn parts(directory: &Path, size: usize) -> Vec<Part> {
    let text = fs::read_to_string(directory.join("cdk-preflight.json")).expect("it is installed");
    let pack: Value = serde_json::from_str(&text).expect("its installation wrote JSON");
    let texts = |list: &str, name: &str| -> Vec<(String, String)> {
        let each = pack[list].as_array().expect("it is a list").iter();
        each.map(|module| (format!("{}.rego", text_of(&module[name])), text_of(&module["rego"])))
            .collect()
    };
    // Some of the rules use what others define.
    let libraries: Vec<_> =
        texts("BUNDLED_LIBS", "name").into_iter().chain(texts("BUNDLED_RULES", "id")).collect();
    let mut definers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, (_, text)) in libraries.iter().enumerate() {
        for name in names(text, true) {
            definers.entry(name).or_default().push(number);
        }
    }
    let mut services: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for rule in pack["BUNDLED_RULES"].as_array().expect("it is a list") {
        services.entry(text_of(&rule["service"])).or_default().push(rule);
    }
    let mut parts = Vec::new();
    for (service, rules) in services {
        for rules in rules.chunks(size) {
            let own = rules
                .iter()
                .map(|rule| (format!("{}.rego", text_of(&rule["id"])), text_of(&rule["rego"])));
            let mut modules = with_needed(own.collect(), &libraries, &definers);
            let kinds = rules
                .iter()
                .flat_map(|rule| rule["resourceTypes"].as_array().into_iter().flatten());
            let kinds: BTreeSet<String> = kinds.map(text_of).collect();
            let words = Words::of(&modules);
            modules.push(("host.rego".to_owned(), HOST.to_owned()));
            parts.push(Part {
                service: service.clone(),
                rules: rules.len(),
                modules,
                kinds: kinds.into_iter().collect(),
                words,
            });
        }
    }
    parts
}

fn text_of(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
}

/// Adds the modules that define what these, or one that was added, name.
fn with_needed(
    mut modules: Vec<(String, String)>,
    libraries: &[(String, String)],
    definers: &BTreeMap<String, Vec<usize>>,
) -> Vec<(String, String)> {
    let mut place = 0;
    while place < modules.len() {
        let used = names(&modules[place].1, false);
        for &needed in used.iter().filter_map(|name| definers.get(name)).flatten() {
            if modules.iter().all(|(path, _)| *path != libraries[needed].0) {
                modules.push(libraries[needed].clone());
            }
        }
        place += 1;
    }
    modules
}

/// Returns the words of a module that can name something of its own; only those that begin a line, where that is asked for.
fn names(text: &str, at_beginning: bool) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        if at_beginning {
            let first = words.next().filter(|word| *word != "default");
            let name = if line.starts_with("default ") { words.next() } else { first };
            names.extend(name.filter(|word| word.starts_with('_')).map(str::to_owned));
        } else {
            names.extend(words.filter(|word| word.starts_with('_')).map(str::to_owned));
        }
    }
    names
}

impl Words {
    fn of(modules: &[(String, String)]) -> Self {
        let (mut paths, mut keys, mut texts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut numbers = BTreeSet::from([-1, 0, 1, 2]);
        for line in modules
            .iter()
            .flat_map(|(_, text)| text.lines())
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            for (place, quoted) in line.split('"').enumerate() {
                if place % 2 == 0 {
                    let words = quoted.split(|letter: char| !letter.is_ascii_alphanumeric());
                    for word in words {
                        if let Ok(number) = word.parse::<i64>() {
                            numbers.extend([number - 1, number, number + 1]);
                        } else if word.starts_with(|first: char| first.is_ascii_uppercase()) {
                            keys.insert(word.to_owned());
                        }
                    }
                } else if let Some(path) = quoted.strip_prefix("Properties.") {
                    paths.insert(path.split('.').map(str::to_owned).collect());
                } else if quoted.len() < 40 {
                    let is_key = quoted.starts_with(|first: char| first.is_ascii_uppercase())
                        && quoted.chars().all(|letter| letter.is_ascii_alphanumeric());
                    if is_key {
                        keys.insert(quoted.to_owned());
                    }
                    texts.insert(quoted.to_owned());
                }
            }
        }
        let mut texts: Vec<String> = texts.into_iter().collect();
        texts.extend(
            ["", "x", "a-b_c.d", "10.0.0.0/16", "arn:aws:iam::123456789012:role/x", "*"]
                .map(str::to_owned),
        );
        Self {
            paths: paths.into_iter().collect(),
            keys: keys.into_iter().collect(),
            texts,
            numbers: numbers.into_iter().collect(),
        }
    }

    fn value(&self, dice: &mut Dice, depth: usize) -> Value {
        match dice.below(if depth == 0 { 8 } else { 14 }) {
            0 => json!(dice.is(50)),
            1 | 2 => json!(dice.pick(&self.numbers)),
            3 => json!("x".repeat(dice.pick(&[1, 63, 65, 129, 257, 1025]))),
            4 => json!(dice.pick(&self.numbers).to_string()),
            5..8 => json!(dice.pick(&self.texts)),
            8..11 => self.object(dice, depth - 1),
            _ => (0..=dice.below(3)).map(|_| self.value(dice, depth - 1)).collect(),
        }
    }

    fn object(&self, dice: &mut Dice, depth: usize) -> Value {
        if self.keys.is_empty() {
            return json!({});
        }
        (0..=dice.below(6)).map(|_| (dice.pick(&self.keys), self.value(dice, depth))).collect()
    }
}

impl Part {
    /// Returns a document in the form in which the pack's host shows a template.
    pub(crate) fn input(&self, dice: &mut Dice) -> Value {
        let mut resources = Map::new();
        for (number, kind) in self.kinds.iter().enumerate() {
            for copy in 0..2 {
                let mut properties = match self.words.object(dice, 3) {
                    Value::Object(properties) if dice.is(50) => properties,
                    _ => Map::new(),
                };
                for path in &self.words.paths {
                    if dice.is(60) {
                        set(&mut properties, path, self.words.value(dice, 3));
                    }
                }
                resources.insert(
                    format!("Resource{number}{copy}"),
                    json!({"type": kind, "properties": properties}),
                );
            }
        }
        // Whatever it is, it is judged as a plan.
        json!({"format_version": "1.2", "resource_changes": [], "resources": resources, "outputs": {}, "parameters": {}})
    }
}

/// Sets the value at a path, as far as what is on it is an object.
fn set(object: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            object.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = object.entry(first.clone()).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}
