//! Reading Terraform's masks: trees of the value's shape that hold `true` in place of what is sensitive or unknown.

use serde_json::Value;

/// Returns the part of `mask` for the attribute `key`, or for all of it when the whole is marked.
pub(crate) fn at_key<'a>(mask: &'a Value, key: &str) -> &'a Value {
    if is_set(mask) { mask } else { mask.get(key).unwrap_or(&Value::Null) }
}

/// Returns the part of `mask` for the element `index`, or for all of it when the whole is marked.
pub(crate) fn at_index(mask: &Value, index: usize) -> &Value {
    if is_set(mask) { mask } else { mask.get(index).unwrap_or(&Value::Null) }
}

/// Returns whether the whole value is marked.
pub(crate) fn is_set(mask: &Value) -> bool {
    mask == &Value::Bool(true)
}

/// Returns whether the value, or anything in it, is marked.
pub(crate) fn is_set_anywhere(mask: &Value) -> bool {
    match mask {
        Value::Bool(set) => *set,
        Value::Array(elements) => elements.iter().any(is_set_anywhere),
        Value::Object(attributes) => attributes.values().any(is_set_anywhere),
        Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

/// Returns `value` with `***` for each marked part.
pub(crate) fn masked(value: &Value, mask: &Value) -> Value {
    if is_set(mask) {
        return Value::from("***");
    }
    match value {
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(index, element)| masked(element, at_index(mask, index)))
            .collect(),
        Value::Object(attributes) => attributes
            .iter()
            .map(|(key, attribute)| (key.clone(), masked(attribute, at_key(mask, key))))
            .collect(),
        _ => value.clone(),
    }
}
