//! [`parity`]: what a plan has otherwise than production, as records that rules judge.

mod same;
mod side;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::input::InputError;
use crate::mask;
use crate::record::Record;
use same::is_same;
use side::{Resource, Side};

/// The kind of the record that compares all of both.
const COMPOSITION: &str = "composition";

/// Returns a record for each resource of a plan or a state that production has, too, and one of kind `composition` for all of
/// both. `is_about` tells of which types resources are compared.
///
/// Its counterpart has the same address; else it is the only block of the same name and type, else the only one of its type, on
/// both sides. The names of the environment and of production count as the same text.
pub fn parity(
    plan: &[u8],
    production: &[u8],
    is_about: &dyn Fn(&str) -> bool,
) -> Result<Vec<Record>, InputError> {
    let here = Side::read(plan, is_about)?;
    let there = Side::read(production, is_about)
        .map_err(|error| InputError::Production(error.to_string()))?;
    let mut records = Vec::new();
    for (address, resource) in &here.resources {
        if let Some((counterpart, other)) = there.counterpart(&here, address, resource) {
            let compared = Compared::of(
                (resource, here.name.as_deref()),
                (other, there.name.as_deref()),
                here.is_state || there.is_state,
            );
            records.push(compared.record(address, resource, counterpart));
        }
    }
    if is_about(COMPOSITION) {
        let only = |one: &Side, other: &Side| -> Vec<String> {
            one.kinds.difference(&other.kinds).cloned().collect()
        };
        records.push(Record {
            kind: COMPOSITION.to_owned(),
            address: COMPOSITION.to_owned(),
            values: json!({"only_here": only(&here, &there), "only_in_production": only(&there, &here)}),
            unknown: Value::Null,
            place: None,
        });
    }
    Ok(records)
}

/// Two resources, attribute by attribute.
struct Compared {
    same: Map<String, Value>,
    unknown: Map<String, Value>,
    differences: Option<Vec<String>>,
}

impl Compared {
    fn of(
        (here, name): (&Resource, Option<&str>),
        (there, other_name): (&Resource, Option<&str>),
        is_of_states: bool,
    ) -> Self {
        let mut compared =
            Self { same: Map::new(), unknown: Map::new(), differences: Some(Vec::new()) };
        let attributes: BTreeSet<&String> = [here, there]
            .into_iter()
            .flat_map(|side| [&side.values, &side.unknown])
            .filter_map(Value::as_object)
            .flat_map(Map::keys)
            .collect();
        for attribute in attributes {
            let is_same = is_same(
                (&here.values[attribute], mask::at_key(&here.unknown, attribute)),
                (&there.values[attribute], mask::at_key(&there.unknown, attribute)),
                (name, other_name),
            );
            match is_same {
                Some(is_same) => {
                    compared.same.insert(attribute.clone(), Value::Bool(is_same));
                }
                None => {
                    compared.unknown.insert(attribute.clone(), Value::Bool(true));
                }
            }
            if let (Some(false), Some(differences)) = (is_same, &mut compared.differences) {
                differences.push(attribute.clone());
            }
        }
        // A state has what the cloud made up, too, which is never the same.
        if is_of_states {
            compared.differences = None;
        }
        compared
    }

    fn record(self, address: &str, resource: &Resource, counterpart: &str) -> Record {
        let mut unknown = Map::new();
        if !self.unknown.is_empty() {
            unknown.insert("same".to_owned(), Value::Object(self.unknown));
        }
        if self.differences.is_none() {
            unknown.insert("differences".to_owned(), Value::Bool(true));
        }
        Record {
            kind: resource.kind.clone(),
            address: address.to_owned(),
            values: json!({
                "counterpart": counterpart,
                "module": resource.module,
                "same": self.same,
                "differences": self.differences,
            }),
            unknown: Value::Object(unknown),
            place: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::address::Address;

    fn plan(resources: &[(&str, Value, Value)]) -> String {
        let changes: Vec<Value> = resources
            .iter()
            .map(|(address, after, unknown)| {
                json!({"address": address, "mode": "managed", "type": Address::parse(address).kind, "change": {
                    "actions": ["create"], "after": after, "after_unknown": unknown}})
            })
            .collect();
        json!({"format_version": "1.2", "resource_changes": changes}).to_string()
    }

    fn records(plan: &str, production: &str) -> Vec<Record> {
        parity(plan.as_bytes(), production.as_bytes(), &|_| true).unwrap()
    }

    #[track_caller]
    fn check(
        (here, here_unknown): (Value, Value),
        (there, there_unknown): (Value, Value),
        expected: &Value,
    ) {
        let here = plan(&[("aws_x.a", here, here_unknown)]);
        let there = plan(&[("aws_x.a", there, there_unknown)]);
        let record = records(&here, &there).remove(0);
        let told =
            json!([record.values["same"], record.unknown["same"], record.values["differences"]]);
        assert_eq!(&told, expected);
    }

    #[test]
    fn attributes() {
        let known = json!({});
        check(
            (json!({"a": 1, "b": "x", "c": null, "d": []}), known.clone()),
            (json!({"a": 1, "b": "y", "c": {}, "d": null}), known.clone()),
            &json!([{"a": true, "b": false, "c": true, "d": true}, null, ["b"]]),
        );
        check(
            (json!({"a": 1, "b": {"c": 1}}), json!({"id": true, "b": {"d": true}})),
            (json!({"a": 2, "b": {"c": 2, "d": 1}, "id": "x"}), known.clone()),
            &json!([{"a": false, "b": false}, {"id": true}, ["a", "b"]]),
        );
        // Names are no difference, and where they are in a set they change its order.
        let side = |name: &str, set: &[&str]| {
            (
                json!({"tags_all": {"environment": name}, "name": format!("{name}-db"), "set": set}),
                known.clone(),
            )
        };
        check(
            side("bold-lark", &["a", "bold-lark"]),
            side("aa", &["aa", "b"]),
            &json!([{"tags_all": true, "name": true, "set": false}, null, ["set"]]),
        );
        check(
            side("bold-lark", &["bold-lark", "c"]),
            side("production", &["c", "production"]),
            &json!([{"tags_all": true, "name": true, "set": true}, null, []]),
        );
    }

    #[test]
    fn counterparts() {
        let some = || (json!({}), json!({}));
        let side = |addresses: &[&str]| {
            let resources: Vec<_> =
                addresses.iter().map(|address| (*address, some().0, some().1)).collect();
            plan(&resources)
        };
        let counterpart = |here: &[&str], there: &[&str]| {
            let records = records(&side(here), &side(there));
            records
                .first()
                .and_then(|record| record.values["counterpart"].as_str().map(str::to_owned))
        };
        assert_eq!(counterpart(&["a.b[1]"], &["a.b[0]", "a.b[1]"]).unwrap(), "a.b[1]");
        assert_eq!(counterpart(&["a.b[2]"], &["a.b[0]", "a.b[1]"]).unwrap(), "a.b[0]");
        assert_eq!(
            counterpart(&["module.x.module.lb.a.b"], &["a.c", "module.lb.a.b"]).unwrap(),
            "module.lb.a.b"
        );
        assert_eq!(counterpart(&["module.x.a.b"], &["module.y.a.c"]).unwrap(), "module.y.a.c");
        assert_eq!(counterpart(&["module.x.a.b"], &["module.y.a.c", "module.y.a.d"]), None);
        assert_eq!(counterpart(&["a.b"], &["c.b"]), None);
        let of_networks = ["a.b[\"x.y\"]", "a.b[\"z\"]"];
        assert_eq!(counterpart(&["module.m[0].a.b[\"z\"]"], &of_networks).unwrap(), of_networks[1]);
        assert_eq!(counterpart(&["a.b[\"w\"]"], &of_networks), None);
    }

    #[test]
    fn what_only_one_side_has() {
        let (here, there) = (
            plan(&[("a.b", json!({}), json!({})), ("b.b", json!({}), json!({}))]),
            plan(&[
                ("b.b", json!({}), json!({})),
                ("c.b", json!(null), json!({})),
                ("d.b", json!({}), json!({})),
            ]),
        );
        let composition = records(&here, &there).pop().unwrap();
        assert_eq!(composition.values, json!({"only_here": ["a"], "only_in_production": ["d"]}));
    }

    #[test]
    fn a_state_has_too_much_to_be_compared_as_a_whole() {
        let state = json!({"format_version": "1.0", "values": {"root_module": {"child_modules": [{"resources": [
            {"address": "module.m.a.b", "mode": "managed", "type": "a", "values": {"x": 1}},
            {"address": "module.m.data.a.b", "mode": "data", "type": "a", "values": {"x": 2}}]}]}}});
        let here = plan(&[("module.m.a.b", json!({"x": 1}), json!({}))]);
        let record = records(&here, &state.to_string()).remove(0);
        assert_eq!(record.values["same"], json!({"x": true}));
        assert_eq!(record.unknown, json!({"differences": true}));
    }

    #[test]
    fn what_is_no_plan() {
        let good = plan(&[]);
        let check = |production: &str, expected: &str| {
            let error = parity(good.as_bytes(), production.as_bytes(), &|_| true).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check("{", "production");
        check("{}", "JSON of another kind");
        check(r#"{"format_version": "2.0"}"#, "format `2.0`");
        check(r#"{"format_version": "1.2", "errored": true}"#, "not complete");
        check(r#"{"format_version": "1.2", "resource_changes": [1]}"#, "line 1");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            "[ab]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c]|environment|tags_all", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_never_panics_and_each_side_is_like_itself(one in value(), unknown in value(), other in value()) {
            let (here, there) = (plan(&[("a.b", one, unknown.clone())]), plan(&[("a.b", other, unknown)]));
            for record in records(&here, &here) {
                let differences = record.values.get("differences").and_then(Value::as_array);
                prop_assert!(differences.is_none_or(Vec::is_empty), "{record:?}");
            }
            let _ = records(&here, &there);
            let _ = parity(here.as_bytes(), &there.as_bytes()[..there.len() / 2], &|_| true);
        }
    }
}
