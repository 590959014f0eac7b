use serde_json::json;

use crate::{found, judge, lines, parse, parse_with, plan};

#[test]
fn before_and_after_opa_1() {
    let old = r#"package main

deny[msg] {
	input.resource_changes[_].type == "a"
	msg := "one"
} {
	input.resource_changes[_].type == "b"
	msg := "two"
}

is_a(x) { x == "a" } { x == "b" }

deny[msg] {
	is_a(input.resource_changes[_].type)
	contains("three", "hr")
	msg := three
}

three = concat("", {"three"}) { true }

import data.lib

deny[lib.four] { true }
"#;
    let lib =
        "package lib\n\nfour := \"four\"\nimport data.other as more\nfive := more.x if true\n";
    let policy =
        parse(&[("old.rego", old), ("lib.rego", lib)]).unwrap_or_else(|error| panic!("{error}"));
    let evaluation = judge(&policy, &plan(&[("b.x", json!({}))])).unwrap();
    assert_eq!(
        lines(&evaluation),
        ["main.deny Fail - -: four", "main.deny Fail - -: three", "main.deny Fail - -: two"]
    );
}

#[test]
fn data_and_namespaces() {
    let files = [
        ("p/a.rego", "package a\ndeny contains x if some x in data.allowed.names"),
        ("p/b.rego", "package b\ndeny contains \"b\" if true"),
        ("p/data/allowed/n.yaml", "names: [one, two]"),
        ("p/a_test.rego", "this is no rego"),
    ];
    let options =
        menagerie_rego::Options { namespaces: Some(vec!["a".into()]), ..Default::default() };
    let policy = parse_with(&files, options).unwrap();
    let evaluation = judge(&policy, &plan(&[])).unwrap();
    assert_eq!(lines(&evaluation), ["a.deny Fail - -: one", "a.deny Fail - -: two"]);
}

#[test]
fn what_a_rule_prints_goes_nowhere() {
    assert!(
        found("package main\ndeny contains 1 if { print(input); false }", &plan(&[])).is_empty()
    );
}
