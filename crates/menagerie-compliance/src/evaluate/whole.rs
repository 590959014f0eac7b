//! The law of reading: what is found in the parts that rules read is what is found in all of it.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::judge::Judge;
use super::{Evaluation, judge};
use crate::arbitrary::{map, text, value, written};
use crate::input::{Block, InputKind, Resource, Sink as _};
use crate::record::Input;
use crate::rule::{Action, Mode, Rule};

const ACTIONS: [(&[&str], Action); 9] = [
    (&["no-op"], Action::NoOp),
    (&["create"], Action::Create),
    (&["read"], Action::Read),
    (&["update"], Action::Update),
    (&["delete"], Action::Delete),
    (&["forget"], Action::Forget),
    (&["delete", "create"], Action::Replace),
    (&["create", "delete"], Action::Replace),
    (&["create", "forget"], Action::Replace),
];

/// Judges without passing over anything, as slowly as it takes.
fn judged_as_a_whole(rules: &[&Rule], input: &Value) -> Evaluation {
    let mut judge = Judge::new(rules, "");
    let of = |value: &Value, key: &str| value.get(key).cloned().unwrap_or_default();
    let take = |judge: &mut Judge<'_>,
                resource: &Value,
                action: Action,
                [values, unknown, sensitive]: [Value; 3]| {
        judge.count();
        let mode = match of(resource, "mode").as_str() {
            Some("managed") => Mode::Managed,
            Some("data") => Mode::Data,
            _ => return,
        };
        let (address, kind) = (of(resource, "address"), of(resource, "type"));
        let (Some(address), Some(kind)) = (address.as_str(), kind.as_str()) else {
            unreachable!("each has both")
        };
        if let Some(interest) = judge.interest(kind) {
            let (values, unknown, sensitive) = (&values, &unknown, &sensitive);
            let resource = Resource { address, kind, mode, action, values, unknown, sensitive };
            judge.resource(resource, &interest);
        }
    };
    let Some(changes) = input["resource_changes"].as_array() else {
        let mut modules = vec![&input["values"]["root_module"]];
        while let Some(module) = modules.pop() {
            for resource in module["resources"].as_array().into_iter().flatten() {
                let attributes = ["values", "unknown", "sensitive_values"];
                take(&mut judge, resource, Action::NoOp, attributes.map(|key| of(resource, key)));
            }
            modules.extend(module["child_modules"].as_array().into_iter().flatten());
        }
        judge.end_of_plan(InputKind::State);
        return sorted(judge);
    };
    for resource in changes {
        let change = &resource["change"];
        let action = ACTIONS.into_iter().find(|(actions, _)| change["actions"] == json!(actions));
        let (_, action) = action.expect("each is one of these");
        let attributes = match action {
            Action::Delete | Action::Forget => ["before", "none", "before_sensitive"],
            _ => ["after", "after_unknown", "after_sensitive"],
        };
        take(&mut judge, resource, action, attributes.map(|key| of(change, key)));
    }
    for (module, resources) in [
        ("", &input["configuration"]["root_module"]["resources"]),
        (
            "module.m",
            &input["configuration"]["root_module"]["module_calls"]["m"]["module"]["resources"],
        ),
    ] {
        for block in resources.as_array().into_iter().flatten() {
            let kind = block["type"].as_str().unwrap();
            if judge.wants_blocks(Some(kind)) {
                let expressions = of(block, "expressions");
                judge.block(Block {
                    module: module.to_owned(),
                    kind: kind.to_owned(),
                    expressions,
                });
            }
        }
    }
    judge.end_of_plan(InputKind::Plan);
    sorted(judge)
}

fn sorted(judge: Judge<'_>) -> Evaluation {
    let mut evaluation = judge.end();
    evaluation.sort();
    evaluation
}

fn operator() -> impl Strategy<Value = String> {
    let simple = r#"(not_)?equals = (1|"x"|true|\[1\])|(in|not_in|subset_of|contains|lacks) = \[1, "x"\]|(not_|contains_|lacks_)?match(es)? = "x"|at_(least|most) = [0-3]|count = ">=1"|present = (true|false)"#;
    text(simple).prop_map(|text| {
        // Of the keys with `match`, those with `contains` and `lacks` are in the singular.
        if text.starts_with("contains_") || text.starts_with("lacks_") {
            text.replace("matches", "match")
        } else {
            text.replace("match =", "matches =")
        }
    })
}

const PATH: &str = r#"([a-g]|tags)(\.[a-g]|\[\*\]|\[[01]\]|\.\*|::e|\["ü"\]){0,3}"#;

fn assertion() -> impl Strategy<Value = String> {
    let path = || text(PATH).prop_map(|path| format!("attribute = '{path}'"));
    let simple = || (path(), operator()).prop_map(|(path, operator)| format!("{path}, {operator}"));
    let group = || {
        (text("any|never"), prop::collection::vec(simple(), 1..3))
            .prop_map(|(key, parts)| format!("{key} = [{{ {} }}]", parts.join(" }, { ")))
    };
    prop_oneof![
        4 => simple(),
        2 => (path(), group()).prop_map(|(path, group)| format!("{path}, {group}")),
        1 => group(),
        1 => path().prop_map(|path| format!("{path}, unique = true")),
        1 => Just("referenced_by = { type = 'x_b', attribute = 'a' }".to_owned()),
    ]
}

/// Any rule that parses.
fn rule() -> impl Strategy<Value = Rule> {
    // Seldom, or a rule would be about next to nothing.
    let seldom = |pattern: &str| prop_oneof![5 => Just(String::new()), 1 => text(pattern)];
    let subject = (
        text(r#"type = ("x_a"|"x_\*"|\["y", "x_b"\]|"\*"|"\*")"#),
        seldom(r#"mode = "data""#),
        seldom(r#"action = \["(create|delete|forget|replace|no-op)"(, "update")?\]"#),
        seldom(r#"module = "(|module\.m)""#),
        seldom(r#"tags = \{ a = "\*" \}"#),
        prop::option::weighted(0.2, assertion()),
    );
    let assertions = prop::collection::vec(assertion(), 1..4);
    (subject, assertions, text("defer|warn|deny")).prop_filter_map(
        "it is no rule",
        |((kind, mode, action, module, tags, condition), assertions, on_unknown)| {
            let condition =
                condition.map(|text| format!("where = [{{ {text} }}]")).unwrap_or_default();
            let assertions = assertions.join(" }, { ");
            let text = format!(
                "id = 'X-1'\ntitle = 't'\nseverity = 'low'\nrationale = 'r'\nremediation = 'r'\non_unknown = '{on_unknown}'\nassert = [{{ {assertions} }}]\n\n[match]\n{kind}\n{mode}\n{action}\n{module}\n{tags}\n{condition}\n"
            );
            Rule::parse(&text, Path::new("X-1.toml")).ok()
        },
    )
}

fn attributes() -> BoxedStrategy<Value> {
    map(value())
}

/// A mask, more or less: the rest is to be taken as it comes.
fn mask() -> impl Strategy<Value = Value> {
    prop_oneof![3 => attributes(), 1 => any::<bool>().prop_map(Value::from), 1 => Just(Value::Null)]
}

fn identity() -> impl Strategy<Value = (String, String)> {
    (text("x_a|x_b|y|z"), text("(module\\.m(\\[\"ü\\.\"\\])?\\.)?"), text("n(\\[0\\])?"))
        .prop_map(|(kind, module, name)| (format!("{module}{kind}.{name}"), kind))
}

fn plan() -> impl Strategy<Value = Value> {
    let change = (0..ACTIONS.len(), attributes(), attributes(), mask(), mask(), mask()).prop_map(
        |(action, before, after, unknown, before_sensitive, after_sensitive)| {
            let (actions, action) = ACTIONS[action];
            let after = if action == Action::Delete { Value::Null } else { after };
            json!({"actions": actions, "before": before, "after": after, "after_unknown": unknown,
                "before_sensitive": before_sensitive, "after_sensitive": after_sensitive, "importing": {"id": "i"}})
        },
    );
    let resource =
        (identity(), text("managed|managed|data|other"), change).prop_map(|((address, kind), mode, change)| {
            json!({"address": address, "mode": mode, "type": kind, "name": "n", "change": change, "deposed": [1]})
        });
    let block = (text("x_b|y"), text("(x_a\\.n|var\\.a|local\\.b|x_b\\.n)(\\.id)?"), value()).prop_map(
        |(kind, reference, other)| {
            json!({"type": kind, "name": "n", "expressions": {"a": {"references": [reference]}, "b": other}})
        },
    );
    let blocks = || prop::collection::vec(block.clone(), 0..3);
    let resources = prop::collection::vec(resource, 0..4);
    (resources, blocks(), blocks(), value()).prop_map(|(resources, root, inner, other)| {
        json!({"format_version": "1.2", "resource_changes": resources, "planned_values": other, "prior_state": {"values": other},
            "configuration": {"provider_config": other, "root_module": {"resources": root, "module_calls": {"m": {"source": "s", "module": {"resources": inner}}}}}})
    })
}

fn state() -> impl Strategy<Value = Value> {
    let resource = (identity(), attributes(), mask()).prop_map(|((address, kind), values, sensitive)| {
        json!({"address": address, "mode": "managed", "type": kind, "values": values, "sensitive_values": sensitive, "schema_version": 1})
    });
    // All in one module: of two modules, which is read first would be a matter of the order of keys.
    let resources = prop::collection::vec(resource, 0..4);
    (resources, 0..3, value()).prop_map(|(resources, depth, other)| {
        let module = (0..depth).fold(
            json!({"resources": resources}),
            |inner, _| json!({"address": "module.m", "child_modules": [inner]}),
        );
        json!({"format_version": "1.0", "values": {"outputs": other, "root_module": module}})
    })
}

/// What is judged besides does not matter: it stands there, so that it is passed over.
fn with_more(mut input: Value, more: &Value) -> Value {
    let Value::Object(more) = more else { return input };
    let known: Map<String, Value> = input.as_object().cloned().unwrap_or_default();
    for (key, value) in more.iter().filter(|(key, _)| !known.contains_key(*key)) {
        input[key] = value.clone();
    }
    input
}

proptest! {
    #[test]
    fn nothing_changes_by_reading_only_what_rules_read(
        rules in prop::collection::vec(rule(), 1..4),
        input in prop_oneof![2 => plan(), 1 => state()],
        more in attributes(),
        style in any::<u64>(),
    ) {
        let rules: Vec<&Rule> = rules.iter().collect();
        let json = written(&with_more(input, &more), style);
        let expected = judged_as_a_whole(&rules, &serde_json::from_str(&json).unwrap());
        let input = Input { plan: Some(json.as_bytes()), ..Input::default() };
        let actual = judge(&rules, &input).unwrap();
        prop_assert_eq!(&actual.findings, &expected.findings, "{}", json);
        prop_assert_eq!(&actual.coverage, &expected.coverage, "{}", json);
        prop_assert_eq!(actual.resources, expected.resources);
    }
}
