use menagerie_compliance::InputError;
use menagerie_rego::RegoError;

use crate::{judge, parse, plan};

#[track_caller]
fn check(text: &str, expected: &str) {
    let errors = parse(&[("main.rego", text)]).map(|_| ()).expect_err("it is not right");
    assert!(errors.contains(expected), "{errors}");
}

#[test]
fn what_is_no_policy_is_told_with_its_place() {
    check(
        "package main\n\ndeny contains x if { x := }",
        "main.rego:3:24: expecting `}` while parsing set",
    );
    check("package main\ndeny[x] { x := ", "main.rego:2:");
    check("", "main.rego:1:1: ");
    check(
        "package main\nx := [[[[[[[[[[[[[1]]]]]]]]]]]]]",
        "main.rego:2:18: brackets stand in each other more than 12 deep",
    );
    check(
        "package main\n\ndeny contains x if x := crypto.md5(\"a\")",
        "main.rego:3:25: there is no function `crypto.md5`",
    );
    check(
        "package main\ndeny contains x if { false; x := sprntf(\"\", []) }",
        "did you mean `sprintf`?",
    );
    check("package main\ndeny contains 1 if http.send({})", "no rule reaches the network");
    check(
        "package main\ndeny contains x if x := count([], [], [])",
        "`count` takes 1, but is given 3",
    );
    check("package main\nf(a) := 1\ndeny contains 1 if f()", "`f` takes 1, but is given 0");
    check(
        "package main\na := b\nb := a",
        "main.rego:2:1: a rule can't need itself: `main.a` needs `main.b` needs `main.a`",
    );
    check("package main\nf(x) := f(x)", "`main.f` needs `main.f`");
    check("package main\na := data[x] if x := \"main\"", "a rule can't need itself");
    check(
        "# METADATA\n# custom: {id: A-1, severity: bad}\npackage main\ndeny contains 1",
        "main.rego:2:1: there is no severity `bad`",
    );
    check("# METADATA\n# custom: {id: \"a b\"}\npackage main\ndeny contains 1", "`a b` is no id");
    check(
        "package main\n# METADATA\n# custom: {id: A-1}\ndeny contains 1 if true\n# METADATA\n# custom: {id: A-2}\ndeny contains 2 if true\nall := deny",
        "main.rego:5:1: `deny`, which another rule asks for, has another id already: `A-1`",
    );
}

#[test]
fn a_name_of_its_own_is_no_recursion() {
    for text in [
        "package main\ntags contains t if { some tags in input.x; t := tags }",
        "package main\nx := y if { y := 1 }\ny := x",
        "package main\nf(f) := f",
        "package main\na.b contains 1 if true\nc := a.b",
    ] {
        parse(&[("main.rego", text)]).unwrap_or_else(|errors| panic!("{errors}"));
    }
}

#[test]
fn two_rules_of_one_id() {
    let metadata = "# METADATA\n# custom: {id: A-1}\n";
    let one = format!("{metadata}package a\ndeny contains 1");
    let two = format!("{metadata}package b\ndeny contains 1");
    let errors = parse(&[("a.rego", &one), ("b.rego", &two)]).map(|_| ()).unwrap_err();
    assert!(errors.contains("b.rego:1:1: the id `A-1` is taken by `a.rego`"), "{errors}");
}

#[test]
fn what_is_no_plan() {
    let policy = parse(&[("main.rego", "package main\ndeny contains 1 if input.x")]).unwrap();
    let whole = plan(&[]);
    let error = judge(&policy, &whole[..whole.len() - 3]).unwrap_err();
    assert!(matches!(error, RegoError::Input(InputError::CutShort { .. })), "{error}");
    assert!(judge(&policy, "{}").is_err());
}

#[test]
fn what_does_not_end_is_given_up() {
    let text = "package main\nbig := numbers.range(1, 3000)\ndeny contains \"x\" if { some a in big; some b in big; some c in big; a + b + c == -1 }";
    let options = menagerie_rego::Options {
        time_limit: std::time::Duration::from_millis(200),
        ..Default::default()
    };
    let policy = crate::parse_with(&[("main.rego", text)], options).unwrap();
    let error = judge(&policy, &plan(&[])).unwrap_err();
    assert_eq!(error.to_string(), "the policy had not come to an end after 0.2 s");
}
