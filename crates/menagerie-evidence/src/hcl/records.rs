//! The records of a module: what its blocks say without being evaluated.

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::Structure;
use menagerie_compliance::{Place, Record};
use serde_json::{Map, Value};

use super::directory::{Directory, Item};
use super::file::{File, header};
use super::literal::{self, Literal};
use super::providers::Required;
use super::source::{ModuleSource, SourceKind, is_exact};

/// The attributes of a record while it is made. What is not written is null, what can't be told without evaluating is
/// unknown.
#[derive(Debug, Default)]
pub(crate) struct Values {
    values: Map<String, Value>,
    unknown: Map<String, Value>,
}

impl Values {
    /// Sets an attribute.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Says of an attribute that it is not known.
    pub(crate) fn unknown(&mut self, name: &str) {
        self.unknown.insert(name.to_owned(), Value::Bool(true));
    }

    /// Sets an attribute to what an expression is, and to null where there is none.
    pub(crate) fn expression(&mut self, name: &str, expression: Option<&Expression>) {
        let Some(expression) = expression else { return self.set(name, Value::Null) };
        let Literal { value, unknown } = Literal::of(expression);
        if unknown == Value::Bool(true) {
            self.values.remove(name);
        } else {
            self.set(name, value);
        }
        if unknown != Value::Bool(false) {
            self.unknown.insert(name.to_owned(), unknown);
        }
    }

    /// Returns whether an attribute was set, or is not known.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.unknown.contains_key(name)
    }

    /// Makes a record of them.
    pub(crate) fn record(
        self,
        kind: &str,
        directory: &str,
        what: &str,
        place: Option<Place>,
    ) -> Record {
        let unknown =
            if self.unknown.is_empty() { Value::Null } else { Value::Object(self.unknown) };
        Record {
            kind: kind.to_owned(),
            address: format!("{directory}:{what}"),
            values: Value::Object(self.values),
            unknown,
            place,
        }
    }
}

/// Adds the records of a module.
pub(crate) fn of(directory: &Directory, records: &mut Vec<Record>) {
    let mut providers = Required::default();
    let mut terraform = None;
    for item in directory.items() {
        let values = match item.kind() {
            "module" => module(&item),
            "resource" | "data" | "ephemeral" | "action" => {
                providers.used(&item);
                resource(&item)
            }
            "provider" => {
                providers.named(item.label(0), &item);
                provider(&item)
            }
            "removed" => removed(&item),
            "variable" => variable(&item),
            "output" => output(&item),
            "terraform" => {
                providers.required(&item);
                terraform = Some(item);
                continue;
            }
            _ => continue,
        };
        let (file, block) = item.first();
        let kind = item.kind();
        let what = if kind == "removed" {
            values.values.get("from").and_then(Value::as_str)
        } else {
            None
        };
        let what = what.map_or_else(|| item.key.to_owned(), |from| format!("removed.{from}"));
        records.push(values.record(kind, &directory.path, &what, Some(file.place(header(block)))));
    }
    records.extend(terraform_record(directory, terraform.as_ref()));
    providers.records(directory, records);
}

fn value<'a>(item: &Item<'a>, name: &str) -> Option<&'a Expression> {
    item.attribute(name).map(|(_, attribute)| &attribute.value)
}

fn module(item: &Item<'_>) -> Values {
    let mut values = Values::default();
    values.set("name", item.label(0));
    values.expression("version", value(item, "version"));
    values.expression("source", value(item, "source"));
    let Some(source) = value(item, "source") else {
        for name in ["source_kind", "ref"] {
            values.set(name, Value::Null);
        }
        for name in ["is_local", "is_pinned"] {
            values.set(name, false);
        }
        return values;
    };
    let Some(source) = literal::text(source) else {
        for name in ["is_local", "source_kind", "ref", "is_pinned"] {
            values.unknown(name);
        }
        return values;
    };
    let ModuleSource { kind, reference, is_fixed } = ModuleSource::parse(&source);
    values.set("is_local", kind == SourceKind::Local);
    values.set("source_kind", kind.as_str());
    values.set("ref", reference);
    match (kind, value(item, "version").map(literal::text)) {
        (SourceKind::Registry, Some(None)) => values.unknown("is_pinned"),
        (SourceKind::Registry, Some(Some(version))) => values.set("is_pinned", is_exact(&version)),
        _ => values.set("is_pinned", is_fixed),
    }
    values
}

fn resource(item: &Item<'_>) -> Values {
    let mut values = Values::default();
    values.set("type", item.label(0));
    values.set("name", item.label(1));
    values.set("provider", written_in(item, "provider"));
    values.set("provisioners", provisioners(item));
    values.set("connection", !item.inside("connection").is_empty());
    values.set("has_count", item.attribute("count").is_some());
    values.set("has_for_each", item.attribute("for_each").is_some());
    let names = ["prevent_destroy", "create_before_destroy"];
    let Values { values: inside, unknown } = lifecycle(item, &names);
    values.set("lifecycle", inside);
    if !unknown.is_empty() {
        values.unknown.insert("lifecycle".to_owned(), Value::Object(unknown));
    }
    values
}

fn provisioners(item: &Item<'_>) -> Vec<Value> {
    let named = item.inside("provisioner").into_iter();
    named.map(|(_, block)| Value::from(block.labels.first().map_or("", |l| l.as_str()))).collect()
}

/// Returns what is said of a resource's life; an override takes the place of single attributes.
fn lifecycle(item: &Item<'_>, names: &[&str]) -> Values {
    let blocks = item.merged("lifecycle");
    let find = |name: &str| {
        let mut blocks = blocks.iter().rev();
        blocks.find_map(|(file, block)| Some((*file, &block.body.get_attribute(name)?.value)))
    };
    let mut values = Values::default();
    for name in names {
        values.expression(name, find(name).map(|(_, expression)| expression));
    }
    let ignored = match find("ignore_changes") {
        Some((file, Expression::Array(paths))) => {
            paths.iter().map(|path| Value::from(written(file, path))).collect()
        }
        Some((file, all)) => Value::from(written(file, all)),
        None => Value::Null,
    };
    values.set("ignore_changes", ignored);
    values
}

/// Returns an expression that names something, as it is written.
pub(crate) fn written(file: &File, expression: &Expression) -> String {
    file.slice(expression.span().unwrap_or_default()).to_owned()
}

fn written_in(item: &Item<'_>, name: &'static str) -> Option<String> {
    item.attribute(name).map(|(file, attribute)| written(file, &attribute.value))
}

fn provider(item: &Item<'_>) -> Values {
    let mut values = Values::default();
    values.set("name", item.label(0));
    values.expression("alias", value(item, "alias"));
    let mut keys: Vec<&str> = Vec::new();
    for (_, block) in &item.blocks {
        keys.extend(block.body.iter().map(|structure| match structure {
            Structure::Attribute(attribute) => attribute.key.as_str(),
            // What a block is made from says nothing, which block it is does.
            Structure::Block(inner) if inner.has_ident("dynamic") => {
                inner.labels.first().map_or("dynamic", |label| label.as_str())
            }
            Structure::Block(inner) => inner.ident.as_str(),
        }));
    }
    keys.retain(|key| *key != "alias");
    keys.sort_unstable();
    keys.dedup();
    values.set("keys", keys);
    values
}

fn removed(item: &Item<'_>) -> Values {
    let mut values = Values::default();
    values.set("from", written_in(item, "from"));
    values.set("provisioners", provisioners(item));
    values
}

fn variable(item: &Item<'_>) -> Values {
    let mut values = Values::default();
    values.set("name", item.label(0));
    values.set("type", written_in(item, "type"));
    values.set("has_default", item.attribute("default").is_some());
    sensitive(&mut values, item);
    values
}

fn output(item: &Item<'_>) -> Values {
    let mut values = Values::default();
    values.set("name", item.label(0));
    sensitive(&mut values, item);
    values
}

fn sensitive(values: &mut Values, item: &Item<'_>) {
    match value(item, "sensitive") {
        Some(expression) => values.expression("sensitive", Some(expression)),
        None => values.set("sensitive", false),
    }
}

/// Returns where a module's state lies.
fn backend(terraform: &Item<'_>) -> Option<String> {
    if let Some((_, block)) = terraform.inside("backend").last() {
        return Some(block.labels.first().map_or("", |label| label.as_str()).to_owned());
    }
    (!terraform.inside("cloud").is_empty()).then(|| "cloud".to_owned())
}

/// Returns what a module says of Terraform itself; there is always one, so that a rule can ask for what is missing.
fn terraform_record(directory: &Directory, item: Option<&Item<'_>>) -> Option<Record> {
    let mut values = Values::default();
    let required = item.and_then(|item| value(item, "required_version"));
    values.expression("required_version", required);
    values.set("backend", item.and_then(backend));
    let place = if let Some(item) = item {
        let (file, block) = item.first();
        file.place(header(block))
    } else {
        let main = directory.main()?;
        main.place(0..main.text.len())
    };
    Some(values.record("terraform", &directory.path, "terraform", Some(place)))
}
