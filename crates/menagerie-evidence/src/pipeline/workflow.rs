//! Workflows and their jobs.

use serde_json::{Map, Value, json};

use super::Document;
use super::step::{self, is_expression, set_typed};
use super::uses::Uses;
use crate::Evidence;
use crate::fields::Fields;
use crate::image::ImageName;
use crate::yaml::{Key, Node};

/// What a token may be allowed to do, of which `write-all` allows everything.
const SCOPES: &[&str] = &[
    "actions",
    "artifact-metadata",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
];

/// Each job repeats what its workflow says, so that this must have an end.
const MOST_SCOPES: usize = 64;

pub(super) fn read(document: &Document<'_>, evidence: &mut Evidence) {
    let root = document.root;
    let mut fields = Fields::default();
    fields.set("name", root.get("name").and_then(Node::text));
    set_triggers(document, evidence, &mut fields);
    set_permissions(document, evidence, &mut fields, root.get("permissions"));
    set_concurrency(&mut fields, root.get("concurrency"));
    let first = root.entries().and_then(<[_]>::first).map(|(key, _)| key);
    let span = first.map_or_else(|| root.span.clone(), |key| key.span.clone());
    document.add(evidence, ("workflow", "workflow"), fields, &span);

    let Some(jobs) = root.get("jobs").and_then(Node::entries) else {
        document.refuse(evidence, root.get("jobs").unwrap_or(root), "`jobs` is no map of jobs");
        return;
    };
    for (key, job) in jobs {
        read_job(document, evidence, key, job);
    }
}

fn read_job(document: &Document<'_>, evidence: &mut Evidence, key: &Key, job: &Node) {
    let what = format!("jobs.{}", key.text);
    if !is_job_id(&key.text) {
        let message = "the name of a job is at most 100 letters, digits, `-` and `_`";
        document.text.refuse(evidence, key.span.start, message);
        return;
    }
    if job.entries().is_none() {
        document.refuse(evidence, job, format!("`{what}` is no map"));
        return;
    }
    let mut fields = Fields::default();
    fields.set("id", key.text.as_str());
    for name in ["name", "if"] {
        fields.set(name, job.get(name).and_then(Node::text));
    }
    let permissions = job.get("permissions").or_else(|| document.root.get("permissions"));
    set_permissions(document, evidence, &mut fields, permissions);
    set_concurrency(&mut fields, job.get("concurrency"));
    set_typed(&mut fields, "timeout_minutes", job.get("timeout-minutes"));
    set_typed(&mut fields, "continue_on_error", job.get("continue-on-error"));
    set_environment(&mut fields, job.get("environment"));
    set_runner(&mut fields, job.get("runs-on"));
    fields.set("needs", texts(job.get("needs")));
    fields.set("env", job.get("env").map_or(Value::Null, Node::to_value));
    fields.set("secrets", secrets(job.get("secrets")));
    set_images(&mut fields, job);
    if let Some(uses) = job.get("uses").and_then(Node::text) {
        Uses::parse(uses).set(&mut fields);
        fields.set("with", job.get("with").map_or(Value::Null, Node::to_value));
    }
    document.add(evidence, ("job", &what), fields, &key.span);
    if let Some(steps) = job.get("steps") {
        step::read(document, evidence, &what, steps);
    }
}

fn is_job_id(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Sets what starts the workflow: the names in `triggers`, and in `on` what is asked of each.
fn set_triggers(document: &Document<'_>, evidence: &mut Evidence, fields: &mut Fields) {
    let mut on = Map::new();
    match document.root.get("on") {
        None => document.refuse(evidence, document.root, "a workflow says in `on` what starts it"),
        Some(node) => {
            if let Some(entries) = node.entries() {
                for (key, value) in entries {
                    let filter = if value.is_null() { json!({}) } else { value.to_value() };
                    on.insert(key.text.clone(), filter);
                }
            } else {
                on.extend(texts(Some(node)).into_iter().map(|name| (name, json!({}))));
            }
        }
    }
    fields.set("triggers", on.keys().cloned().collect::<Vec<_>>());
    fields.set("on", on);
}

/// Sets what the token may do. Where nobody says it, it is what the repository's settings say, which no file shows.
fn set_permissions(
    document: &Document<'_>,
    evidence: &mut Evidence,
    fields: &mut Fields,
    permissions: Option<&Node>,
) {
    fields.set("has_permissions", permissions.is_some());
    let Some(node) = permissions else {
        fields.set_unknown("permissions");
        fields.set_unknown("writes");
        return;
    };
    let value = node.to_value();
    let writes: Vec<&str> = match &value {
        Value::Object(scopes) if scopes.len() <= MOST_SCOPES => {
            let writes = scopes.iter().filter(|(_, access)| *access == "write");
            writes.map(|(scope, _)| scope.as_str()).collect()
        }
        Value::String(text) if text == "write-all" => SCOPES.to_vec(),
        Value::String(text) if text == "read-all" => Vec::new(),
        _ => {
            document.refuse(
                evidence,
                node,
                "`permissions` is a map, `read-all` or `write-all`; `{}` allows nothing",
            );
            fields.set_unknown("permissions");
            fields.set_unknown("writes");
            return;
        }
    };
    fields.set("writes", writes);
    fields.set("permissions", value);
}

fn set_concurrency(fields: &mut Fields, concurrency: Option<&Node>) {
    let Some(node) = concurrency.filter(|node| !node.is_null()) else {
        fields.set("concurrency", Value::Null);
        return;
    };
    let cancel = node.get("cancel-in-progress").map(Node::to_value);
    let is_unknown = cancel.as_ref().and_then(Value::as_str).is_some_and(is_expression);
    let group = node.text().or_else(|| node.get("group").and_then(Node::text));
    let cancel = if is_unknown { Value::Null } else { cancel.unwrap_or(Value::Bool(false)) };
    fields.set("concurrency", json!({ "group": group, "cancel_in_progress": cancel }));
    if is_unknown {
        fields.set_unknown_part("concurrency", "cancel_in_progress");
    }
}

fn set_environment(fields: &mut Fields, environment: Option<&Node>) {
    let name = environment.and_then(|node| node.text().or_else(|| node.get("name")?.text()));
    match name {
        Some(name) if is_expression(name) => fields.set_unknown("environment"),
        name => fields.set("environment", name),
    }
}

/// Sets the labels of the runner, and its group.
fn set_runner(fields: &mut Fields, runner: Option<&Node>) {
    let group = runner.and_then(|node| node.get("group")).and_then(Node::text);
    let labels = match runner {
        Some(node) if node.entries().is_some() => texts(node.get("labels")),
        node => texts(node),
    };
    if labels.iter().any(|label| is_expression(label)) {
        fields.set_unknown("runs_on");
    } else {
        fields.set("runs_on", labels);
    }
    fields.set("runner_group", group);
}

/// Returns what of its secrets a job gives to the workflow that it calls: `inherit`, or their names.
fn secrets(secrets: Option<&Node>) -> Value {
    match secrets {
        None => Value::Null,
        Some(node) => match node.entries() {
            Some(entries) => entries.iter().map(|(key, _)| key.text.clone()).collect(),
            None => node.to_value(),
        },
    }
}

/// Sets the images of a job's container and services, and whether none of them can change.
fn set_images(fields: &mut Fields, job: &Node) {
    let services = job.get("services").and_then(Node::entries).unwrap_or_default();
    let containers = job.get("container").into_iter();
    let images: Vec<&str> = containers
        .chain(services.iter().map(|(_, service)| &**service))
        .filter_map(|node| node.text().or_else(|| node.get("image")?.text()))
        .collect();
    if images.iter().any(|image| is_expression(image)) {
        fields.set_unknown("images");
        fields.set_unknown("has_pinned_images");
    } else {
        fields.set(
            "has_pinned_images",
            images.iter().all(|image| ImageName::parse(image).is_pinned()),
        );
        fields.set("images", images);
    }
}

/// Returns a text, or the texts of a list.
fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let elements = node.elements().unwrap_or_default().iter().filter_map(|element| element.text());
    node.text().into_iter().chain(elements).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
