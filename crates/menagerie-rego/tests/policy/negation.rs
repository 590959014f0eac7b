use menagerie_rego::{Not, Options};
use serde_json::json;

use crate::{found, parse_with, plan};

/// Each statement, and whether it holds in OPA 1.20.2, where `input.nope` is undefined.
const STATEMENTS: [(&str, bool); 24] = [
    ("not f(input.nope)", false),
    ("x := input.nope; not f(x)", false),
    ("not f(input.n.y)", false),
    ("not input.nope == 1", true),
    ("not input.nope = 1", true),
    ("not startswith(input.nope, \"q\")", false),
    ("not f(count(input.nope))", false),
    ("not g([input.nope])", false),
    ("y := input.format_version; not g([y, input.nope])", false),
    ("not input.nope in [1]", false),
    ("not zz == 2", true),
    ("not f(zz)", false),
    ("not {input.nope} == {1}", false),
    ("not f(input.nope + 1)", false),
    ("not count(input.nope) > 1", false),
    ("not input.nope > 1", false),
    ("not input.nope != 1", false),
    ("not input.nope[0].x", true),
    ("not input.resource_changes[input.nope]", false),
    ("not f(input.format_version)", true),
    ("not input.nope + 1 == 3", false),
    ("not g([z | z := input.nope])", true),
    ("not f(input.nope) with input.nope as 7", true),
    ("not f(input.other) with input.nope as 7", false),
];

#[test]
fn what_is_undefined_is_negated_as_in_opa() {
    for (statement, holds) in STATEMENTS {
        let text = format!(
            "package main\nf(x) if x == input.one\ng(x) if x == input.one\nzz := 1 if input.nope\ndeny contains \"x\" if {{\n\t{statement}\n}}\n"
        );
        let actual = !found(&text, &plan(&[("a.b", json!({}))])).is_empty();
        assert_eq!(actual, holds, "{statement}");
    }
}

#[test]
fn strict_wants_a_name() {
    let text = "package main\nf(x) if x == 1\ndeny contains \"x\" if {\n\tnot f(input.nope)\n}\n";
    let options = Options { not: Not::Strict, ..Options::default() };
    let errors = parse_with(&[("main.rego", text)], options.clone()).map(|_| ()).unwrap_err();
    assert!(errors.starts_with("main.rego:4:8: what is negated may be undefined"), "{errors}");
    let text = text.replace("not f(input.nope)", "x := input.nope; not f(x); not input.x == 1");
    parse_with(&[("main.rego", &text)], options).unwrap_or_else(|errors| panic!("{errors}"));
}

#[test]
fn columns_are_those_of_the_file() {
    let text = "package main\nf(x) if x == 1\ndeny contains \"x\" if { not f(input.nope); x := 1 / 0 }\n\ndeny contains \"y\" if { not f(input.format_version); x := 1 / 0 }\n";
    let found = found(text, &plan(&[]));
    assert_eq!(
        found,
        [
            "main.deny Error - -: could not be evaluated, main.rego:5:60: divide by zero (ask before whether it is 0)"
        ]
    );
}
