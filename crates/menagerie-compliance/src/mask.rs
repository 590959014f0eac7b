//! Terraform's masks: a value in whose shape `true` marks what is unknown or sensitive, with all below it.

use serde_json::Value;

/// A mask that marks nothing.
pub(crate) const NOTHING: Value = Value::Bool(false);

/// Returns whether this and all below it is marked.
pub(crate) fn is_set(mask: &Value) -> bool {
    mask == &Value::Bool(true)
}

/// Returns whether this or anything below it is marked.
pub(crate) fn has_any(mask: &Value) -> bool {
    match mask {
        Value::Bool(is_set) => *is_set,
        Value::Array(elements) => elements.iter().any(has_any),
        Value::Object(attributes) => attributes.values().any(has_any),
        Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

/// Returns the mask of an attribute.
pub(crate) fn at_key<'a>(mask: &'a Value, key: &str) -> &'a Value {
    match mask {
        Value::Object(attributes) => attributes.get(key).unwrap_or(&NOTHING),
        Value::Bool(_) => mask,
        _ => &NOTHING,
    }
}

/// Returns the mask of an element.
pub(crate) fn at_index(mask: &Value, index: usize) -> &Value {
    match mask {
        Value::Array(elements) => elements.get(index).unwrap_or(&NOTHING),
        Value::Bool(_) => mask,
        _ => &NOTHING,
    }
}
