//! The index that rules find as `data.plan`.

use std::collections::BTreeMap;

use regorus::Value;

/// Returns `by_type`, `by_address` and `unknown` of a plan or a state: all that is managed and will be there.
pub(crate) fn index(document: &Value) -> Value {
    let mut resources = Vec::new();
    match document["resource_changes"].as_array() {
        Ok(changes) => resources.extend(changes.iter().filter(|change| will_be(change)).cloned()),
        Err(_) => of_module(&document["values"]["root_module"], &mut resources),
    }
    let mut by_type: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    let (mut by_address, mut unknown) = (BTreeMap::new(), BTreeMap::new());
    for resource in resources {
        let mask = &resource["change"]["after_unknown"];
        let mask = if mask.as_object().is_ok() { mask.clone() } else { Value::new_object() };
        unknown.insert(resource["address"].clone(), mask);
        by_address.insert(resource["address"].clone(), resource.clone());
        by_type.entry(resource["type"].clone()).or_default().push(resource);
    }
    let by_type: BTreeMap<Value, Value> =
        by_type.into_iter().map(|(kind, list)| (kind, Value::from(list))).collect();
    object([
        ("by_type", Value::from(by_type)),
        ("by_address", Value::from(by_address)),
        ("unknown", Value::from(unknown)),
    ])
}

fn will_be(change: &Value) -> bool {
    let actions = &change["change"]["actions"];
    let goes = [Value::from("delete"), Value::from("forget")];
    change["mode"] == Value::from("managed")
        && actions
            .as_array()
            .is_ok_and(|actions| actions.iter().any(|action| !goes.contains(action)))
}

/// Adds what a state has, in the form of changes that change nothing.
fn of_module(module: &Value, resources: &mut Vec<Value>) {
    for resource in module["resources"].as_array().into_iter().flat_map(|list| list.iter()) {
        if resource["mode"] != Value::from("managed") {
            continue;
        }
        let values = &resource["values"];
        let sensitive = &resource["sensitive_values"];
        let mut fields: BTreeMap<Value, Value> = BTreeMap::new();
        let kept = ["address", "mode", "type", "name", "index", "provider_name"];
        for key in kept {
            if resource[key] != Value::Undefined {
                fields.insert(Value::from(key), resource[key].clone());
            }
        }
        let change = object([
            ("actions", Value::from(vec![Value::from("no-op")])),
            ("before", values.clone()),
            ("after", values.clone()),
            ("after_unknown", Value::new_object()),
            ("after_sensitive", sensitive.clone()),
            ("before_sensitive", sensitive.clone()),
        ]);
        fields.insert(Value::from("change"), change);
        resources.push(Value::from(fields));
    }
    for child in module["child_modules"].as_array().into_iter().flat_map(|list| list.iter()) {
        of_module(child, resources);
    }
}

/// Returns an object of what is not undefined.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| *value != Value::Undefined);
    Value::from(fields.map(|(key, value)| (Value::from(key), value)).collect::<BTreeMap<_, _>>())
}
