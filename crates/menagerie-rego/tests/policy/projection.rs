//! What is built of a plan changes no finding: random policies over random plans, once with all of it and once with what is read.

use menagerie_rego::Options;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::{judge, lines, parse_with};

const LIBRARY: &str = include_str!("../../../../tf/compliance/lib/plan.rego");

/// Rules that the random ones use.
const HELPERS: &str = r#"package main
import data.lib.plan
import data.lib.plan as more

after(rc) := rc.change.after
key(rc, name) := rc.change.after[name]
changes := input.resource_changes
changed contains rc if { some rc in changes; rc.change.actions != ["no-op"] }
named[rc.address] := rc if some rc in changes
pairs contains [rc, rc.type] if some rc in input.resource_changes
kinds[rc.type] contains rc.change if some rc in plan.all
first := rc.change.after if { some rc in changes; rc.address == "a.x0" }
has(rc, name) if rc.change.after[name]
values(rc) := {"a": object.get(rc.change.after, "a", null), "rest": [v | some k, v in rc.change.after; k != "a"]}
default top(_) := "none"
top(rc) := rc.change.after.a.b
limits := {"a": 1, "b": input.resource_changes[0].change.after.b}
whole(x) := json.marshal(x)
"#;

/// Ways to get hold of a resource.
const SOURCES: &[&str] = &[
    "some rc in input.resource_changes",
    "rc := input.resource_changes[_]",
    "rc = input.resource_changes[i]",
    "some i; rc := input[\"resource_changes\"][i]",
    "some rc in plan.all",
    "some rc in plan.by_type.a",
    "some rc in more.by_type[_]",
    "rc := data.plan.by_address[_]",
    "some rc in changed",
    "changed[rc]",
    "some address; rc := named[address]",
    "some rc in [x | some x in changes; x.type == \"a\"]",
    "some [rc, kind] in pairs; kind == rc.type",
    "some change in kinds[_]; rc := {\"change\": change, \"address\": \"x\", \"type\": \"y\"}",
    "walk(input, [_, rc]); is_object(rc); rc.change",
    "some rc in object.get(input, \"resource_changes\", [])",
    "some rc in changes; rc == changes[_]",
    "some rc in array.concat(changes, plan.all)",
    "some x, rc in changes; x < 2",
    "some x in [changes]; some rc in x",
    "some rc in {x | some x in changes}",
    "some rc in (changed | {x | some x in plan.all})",
];

/// What may be read of it.
const VALUES: &[&str] = &[
    "rc.change.after.K",
    "rc.change.after.K.b",
    "rc[\"change\"].after[\"K\"]",
    "object.get(rc.change.after, \"K\", \"none\")",
    "object.get(rc, [\"change\", \"after\", \"K\"], 7)",
    "object.get(rc, [\"change\", \"after\", \"K\", 0, \"b\"], 7)",
    "after(rc).K",
    "key(rc, \"K\")",
    "values(rc).a",
    "values(rc).rest[_]",
    "top(rc)",
    "[v | some v in rc.change.after.K]",
    "{k | some k, _ in rc.change.after}",
    "{v | v := rc.change.after[_]}",
    "count(rc.change.after)",
    "count([x | some x in changes; x.type == rc.type])",
    "[x.type | some x in {y | some y in changes}]",
    "[x.type | changed[x]]",
    "count({y | some y in changes})",
    "count({y.change.after | some y in changes})",
    "whole(rc.change.after.K)",
    "plan.tags(rc)",
    "plan.known(rc, [\"K\"])",
    "rc.change.after_unknown.K",
    "rc.type",
    "[p | walk(rc.change.after.K, [p, _])]",
    "first.K",
    "limits[rc.type]",
    "type_name(rc.change.after.K)",
    "[rc.change.after[word] | some word in [\"K\", \"b\"]]",
    "rc.change.after[rc.change.after.K]",
    "[a | [a, _] := rc.change.after.K]",
    "[a | {\"b\": a} := rc.change.after.K]",
    "[x | x := after(rc) with input as {\"resource_changes\": []}]",
    "[x | x := count(changes) with input as {\"resource_changes\": [rc]}]",
    "is_string(rc.change.after.K)",
    "input.resource_changes[1].change.after.K",
    "data.plan.unknown[rc.address].K",
];

/// What is asked of it.
const CONDITIONS: &[&str] = &[
    "true",
    "v",
    "not v",
    "v == \"x\"",
    "v != 1",
    "v > 1",
    "is_string(v)",
    "not is_string(v)",
    "v in [1, \"x\", {}, null]",
    "not has(rc, \"K\")",
    "not rc.change.after.K",
    "every x in [v] { x != null }",
    "every x in rc.change.after.K { x != 1 }",
    "some other in changes; other.address != rc.address; other.change.after.K == v",
    "some other in changes; other != rc; other.change == rc.change",
    "w = v; w != false",
    "count([1 | has(rc, \"K\")]) == 1",
    "v == object.get(limits, \"K\", 1)",
    "rc.change.after.K[_] == rc.change.after.K[_]",
    "rc.change.before == null",
    "some word in [\"K\", \"b\"]; rc.change.after[word] == v",
    "some word in {\"K\", \"b\"}; not rc.change.after[word].b",
];

fn rule() -> impl Strategy<Value = String> {
    let key = || select(&["a", "b", "c"][..]);
    (select(SOURCES), select(VALUES), key(), select(CONDITIONS), key()).prop_map(
        |(source, value, key, condition, other)| {
            let value = value.replace('K', key);
            let condition = condition.replace('K', other);
            format!("deny contains sprintf(\"%v\", [v]) if {{\n\t{source}\n\tv := {value}\n\t{condition}\n}}\n")
        },
    )
}

fn policy() -> impl Strategy<Value = String> {
    prop::collection::vec(rule(), 1..4).prop_map(|rules| {
        // Each has its name, so that one that fails does not hide the others.
        let rules = rules.iter().enumerate();
        let rules: Vec<String> =
            rules.map(|(at, rule)| rule.replacen("deny", &format!("deny_{at}"), 1)).collect();
        format!("{HELPERS}\n{}", rules.join("\n"))
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        select(&["x", "y", "a"][..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

const ACTIONS: &[&[&str]] = &[&["create"], &["no-op"], &["delete"], &["delete", "create"]];

fn plan() -> impl Strategy<Value = String> {
    let fields = || prop::collection::btree_map("[abc]", value(), 0..4);
    let actions = select(ACTIONS);
    let change = (select(&["a", "b"][..]), fields(), prop::option::of("[abc]"), actions);
    prop::collection::vec(change, 0..4).prop_map(|changes| {
        let changes = changes.iter().enumerate().map(|(at, (kind, after, unknown, actions))| {
            let unknown: Value = unknown.iter().map(|key| (key.clone(), json!(true))).collect();
            json!({"address": format!("{kind}.x{at}"), "mode": "managed", "type": kind, "name": format!("x{at}"),
                "change": {"actions": actions, "before": null, "after": after, "after_unknown": unknown, "after_sensitive": {}}})
        });
        let changes: Vec<Value> = changes.collect();
        json!({"format_version": "1.2", "resource_changes": changes, "other": {"a": 1}}).to_string()
    })
}

fn found(policy: &str, plan: &str, is_projected: bool) -> Vec<String> {
    let options = Options { is_projected, ..Options::default() };
    let files = [("plan.rego", LIBRARY), ("main.rego", policy)];
    let policy = parse_with(&files, options).unwrap_or_else(|errors| panic!("{errors}"));
    lines(&judge(&policy, plan).expect("it is a plan"))
}

proptest! {
    #[test]
    fn what_is_built_of_a_plan_changes_no_finding(policy in policy(), plan in plan()) {
        prop_assert_eq!(found(&policy, &plan, true), found(&policy, &plan, false));
    }
}

#[test]
fn the_random_policies_find_something() {
    let mut runner = TestRunner::deterministic();
    let (mut fired, mut failed) = (0, 0);
    for _ in 0..100 {
        let policy = policy().new_tree(&mut runner).expect("it is never refused").current();
        let plan = plan().new_tree(&mut runner).expect("it is never refused").current();
        let found = found(&policy, &plan, true);
        fired += usize::from(found.iter().any(|line| line.contains(" Fail ")));
        failed += usize::from(found.iter().any(|line| line.contains(" Error ")));
    }
    println!("of 100 policies {fired} find something, and {failed} can't be evaluated");
    assert!(fired > 25 && failed < 50, "{fired} {failed}");
}
