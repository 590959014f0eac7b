//! Steps of jobs and of composite actions.

use serde_json::Value;

use super::Document;
use super::uses::Uses;
use crate::Evidence;
use crate::fields::Fields;
use crate::yaml::Node;

/// Reads a list of steps; `owner` is what they belong to.
pub(super) fn read(document: &Document<'_>, evidence: &mut Evidence, owner: &str, steps: &Node) {
    let Some(steps) = steps.elements() else {
        document.refuse(evidence, steps, format!("`{owner}.steps` is no list"));
        return;
    };
    for (index, step) in steps.iter().enumerate() {
        read_step(document, evidence, &format!("{owner}.steps[{index}]"), step);
    }
}

fn read_step(document: &Document<'_>, evidence: &mut Evidence, what: &str, step: &Node) {
    let Some([first, ..]) = step.entries() else {
        document.refuse(evidence, step, format!("`{what}` is no map"));
        return;
    };
    let mut fields = Fields::default();
    for name in ["id", "name", "if", "run", "shell", "working-directory"] {
        fields.set(&name.replace('-', "_"), step.get(name).and_then(Node::text));
    }
    for name in ["with", "env"] {
        fields.set(name, step.get(name).map_or(Value::Null, Node::to_value));
    }
    for name in ["continue-on-error", "timeout-minutes"] {
        set_typed(&mut fields, &name.replace('-', "_"), step.get(name));
    }
    let uses = step.get("uses").and_then(Node::text).map(Uses::parse);
    if let Some(uses) = &uses {
        uses.set(&mut fields);
        if uses.action().eq_ignore_ascii_case("actions/checkout") {
            set_persist_credentials(&mut fields, step.get("with"));
        }
    }
    let span = match (step.get("uses"), step.entry("run")) {
        (Some(uses), _) => &uses.span,
        (None, Some((key, _))) => &key.span,
        (None, None) => &first.0.span,
    };
    document.add(evidence, ("step", what), fields, span);
}

/// Sets whether the token stays in the work tree, which is so where nobody asks otherwise.
fn set_persist_credentials(fields: &mut Fields, with: Option<&Node>) {
    const NAME: &str = "persist_credentials";
    match with.and_then(|with| with.get("persist-credentials")).and_then(Node::text) {
        None => fields.set(NAME, true),
        Some(text) if text.eq_ignore_ascii_case("true") => fields.set(NAME, true),
        Some(text) if is_expression(text) => fields.set_unknown(NAME),
        // The action takes everything but `true` for no.
        Some(_) => fields.set(NAME, false),
    }
}

/// Sets a value that decides something: where an expression stands for it, it is unknown.
pub(super) fn set_typed(fields: &mut Fields, name: &str, node: Option<&Node>) {
    match node.map(Node::to_value) {
        Some(Value::String(text)) if is_expression(&text) => fields.set_unknown(name),
        value => fields.set(name, value.unwrap_or(Value::Null)),
    }
}

/// Returns whether a part of a text is known to a run of the workflow only.
pub(super) fn is_expression(text: &str) -> bool {
    text.contains("${{")
}
