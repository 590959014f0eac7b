//! Whatever a file says: no panic, no hang.

use std::time::Duration;

use menagerie_rego::Options;
use proptest::prelude::*;
use serde_json::json;

use crate::{judge, parse_with, plan};

const RULE: &str = r#"# METADATA
# title: One
# custom:
#   id: A-1
package main

import data.lib.plan as p
import rego.v1

changed contains rc if { some rc in input.resource_changes; not f(rc.change.after.x) with input.a as 1 }
f(x) := y if { y := [z | some i, z in x; i > 1] } else := {"a": 1}
deny contains {"msg": msg, "address": rc.address} if {
	some rc in changed
	every tag in rc.change.after.tags { startswith(tag, "a") }
	msg := sprintf("%-5s|%v|%[1]d", [rc.type, count({1, 2} | {3})])
}
deny_old[msg] := 1 if { walk(input, [path, msg]); path[0] == `raw` }
default allow := false
exception contains ["old"] if allow
"#;

const WORDS: &[&str] = &[
    "if",
    "contains",
    "some",
    "every",
    "in",
    "not",
    "with",
    "as",
    "else",
    "default",
    "import",
    "package",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ":=",
    "=",
    "==",
    "|",
    "&",
    "\n",
    " ",
    ";",
    ",",
    ".",
    "input",
    "data",
    "rc",
    "deny",
    "main",
    "sprintf",
    "\"x\"",
    "`",
    "#",
    "# METADATA\n",
    "1",
    "-",
    "/ 0",
    "_",
    "\t",
    "é",
];

/// Parses it, and judges by it if it is a policy.
fn try_out(text: &str) {
    let options = Options { time_limit: Duration::from_millis(500), ..Options::default() };
    if let Ok(policy) = parse_with(&[("main.rego", text)], options) {
        let _ = judge(&policy, &plan(&[("a.b", json!({"x": [1, 2, 3], "tags": {"a": "ab"}}))]));
    }
}

proptest! {
    #[test]
    fn no_source_makes_it_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..30), any in "\\PC{0,40}") {
        try_out(&words.concat());
        try_out(&format!("package main\n{}", words.join(" ")));
        try_out(&any);
    }

    #[test]
    fn no_change_of_a_rule_makes_it_panic(
        at in 0..1usize << 16,
        length in 0..30usize,
        words in prop::collection::vec(prop::sample::select(WORDS), 0..4),
    ) {
        let at = RULE.floor_char_boundary(at % RULE.len());
        let end = RULE.floor_char_boundary((at + length).min(RULE.len()));
        try_out(&format!("{}{}{}", &RULE[..at], words.concat(), &RULE[end..]));
    }
}

#[test]
fn what_is_deep_or_long_is_parsed_or_refused() {
    for (before, repeated, after) in [
        ("package main\nx := ", "[", ""),
        ("package main\nx := ", "not ", "y"),
        ("package main\nx := input", ".a", ""),
        ("package main\nx := input", "\n.a", ""),
        ("package main\nx := input", "[0]", ""),
        ("package main\nx := 1", " +\n1", ""),
        ("package a", ".a", "\nx := 1"),
        ("", "# METADATA\n", ""),
        ("package main\n", "deny contains 1 if true\n", ""),
        ("package main\n", "import data.x\n", ""),
        ("package main\ndeny[x] { x := 1 }", " { x := 2 }", ""),
    ] {
        try_out(&format!("{before}{}{after}", repeated.repeat(3000)));
    }
}
