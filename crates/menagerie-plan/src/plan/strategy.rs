//! Plans at random, as JSON.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Marked as sensitive wherever it stands, and never a part of another text.
pub(crate) const SECRET: &str = "SECRET-VALUE";

/// Values as attributes have them.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|attributes| attributes.into_iter().collect::<Value>()),
        ]
    })
}

/// A change whose attribute `token` is sensitive, and is copied to `copy`, where it is not marked.
fn change() -> impl Strategy<Value = Value> {
    let actions = prop::sample::select(vec![
        json!(["no-op"]),
        json!(["create"]),
        json!(["read"]),
        json!(["update"]),
        json!(["delete"]),
        json!(["forget"]),
        json!(["delete", "create"]),
        json!(["create", "delete"]),
    ]);
    (actions, value(), value(), any::<bool>()).prop_map(|(actions, before, after, unknown)| {
        json!({
            "actions": actions,
            "before": {"value": before, "token": SECRET, "copy": format!("url://{SECRET}@host")},
            "after": {"value": after, "token": format!("{SECRET}-2")},
            "after_unknown": {"id": unknown, "copy": true},
            "before_sensitive": {"token": true},
            "after_sensitive": {"token": true},
        })
    })
}

/// Plans of up to eight resources and outputs.
pub(crate) fn plan() -> impl Strategy<Value = Value> {
    let changes = || prop::collection::vec(change(), 0..8);
    (changes(), changes()).prop_map(|(resources, outputs)| {
        let resource = |(index, change): (usize, Value)| {
            json!({
                "address": format!("a.b[{index}]"), "mode": "managed", "type": "a", "name": "b", "index": index,
                "change": change,
            })
        };
        let resources: Value = resources.into_iter().enumerate().map(resource).collect();
        let outputs: Value =
            outputs.into_iter().enumerate().map(|(index, change)| (format!("o{index}"), change)).collect();
        json!({"format_version": "1.2", "resource_changes": resources, "output_changes": outputs})
    })
}
