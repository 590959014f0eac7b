//! Inputs that are damaged, hostile or large.

use std::fmt::Write as _;
use std::path::Path;

use menagerie_compliance::{Evaluation, Input, InputError, Rule, judge};

const RULE: &str = r#"
id = "S3-001"
title = "Buckets are private"
severity = "high"
rationale = "r"
remediation = "r"

[match]
type = "aws_s3_bucket"

[[assert]]
attribute = "acl"
equals = "private"

[[assert]]
attribute = "rule[*].name"
matches = '^[a-z]*$'
"#;

fn judged(json: &[u8]) -> Result<Evaluation, InputError> {
    let rule = Rule::parse(RULE, Path::new("S3-001.toml")).unwrap();
    judge(&[&rule], &Input { plan: Some(json), ..Input::default() })
}

/// Returns the change of a bucket, of which `after` is what is planned.
fn bucket(name: &str, after: &str) -> String {
    format!(
        r#"{{"address":"aws_s3_bucket.{name}","mode":"managed","type":"aws_s3_bucket","name":"{name}","change":{{"actions":["create"],"before":null,"after":{after},"after_unknown":{{"id":true}}}}}}"#
    )
}

fn plan(changes: &str) -> String {
    format!(r#"{{"format_version":"1.2","resource_changes":[{changes}],"errored":false}}"#)
}

/// Judges a plan of one bucket, and returns how it ended, in words.
fn ended(json: &[u8]) -> String {
    match judged(json) {
        Ok(evaluation) if evaluation.findings.is_empty() => "passed".to_owned(),
        Ok(evaluation) => {
            let found: Vec<_> =
                evaluation.findings.iter().map(|finding| finding.message.as_str()).collect();
            found.join("; ")
        }
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check(after: &str, expected: &str) {
    let actual = ended(plan(&bucket("this", after)).as_bytes());
    assert!(actual.contains(expected), "{actual}");
}

/// A plan of so many buckets, each fifth of which is public, and with much that no rule reads.
fn large(count: usize) -> String {
    let mut changes = String::new();
    for number in 0..count {
        let acl = if number % 5 == 0 { "public-read" } else { "private" };
        let after = format!(
            r#"{{"acl":"{acl}","bucket":"b-{number}","policy":"{{\"Statement\":[{{\"Effect\":\"Allow\"}}]}}","rule":[{{"name":"a","days":[1,2.5e1,null]}}],"tags":{{"owner":"ädä","team":"\ud83d\udc3b"}}}}"#
        );
        let comma = if number == 0 { "" } else { "," };
        write!(changes, "{comma}{}", bucket(&format!("b{number}"), &after)).unwrap();
    }
    plan(&changes)
}

#[test]
fn a_hundred_thousand_resources() {
    let evaluation = judged(large(100_000).as_bytes()).unwrap();
    assert_eq!(evaluation.resources, 100_000);
    assert_eq!(evaluation.coverage[0].examined, 100_000);
    assert_eq!(evaluation.findings.len(), 20_000);
}

#[test]
fn fifty_megabytes_that_end_too_early() {
    let json = large(145_000);
    assert!(json.len() > 50_000_000, "{}", json.len());
    let bytes = json.as_bytes();
    let in_a_letter = json.rfind('ä').unwrap() + 1;
    let in_an_escape = json.rfind("\\ud83d").unwrap() + 3;
    for end in [1_000_000, in_a_letter, in_an_escape, bytes.len() - 1] {
        let error = judged(&bytes[..end]).unwrap_err();
        let InputError::CutShort { line: 1, column } = error else { panic!("{end}: {error}") };
        assert!(column.abs_diff(end) <= 1, "{end}: {column}");
    }
}

#[test]
fn what_ends_too_early_is_cut_short_wherever_it_ends() {
    let json = large(2);
    for end in 0..json.len() {
        let error = judged(&json.as_bytes()[..end]).unwrap_err();
        assert!(matches!(error, InputError::CutShort { .. }), "{end}: {error}");
    }
}

#[test]
fn depth() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    // What no rule reads may be of any depth, what one reads may not.
    check(&format!(r#"{{"acl":"private","other":{}}}"#, nested(100_000)), "passed");
    check(&format!(r#"{{"acl":{}}}"#, nested(100_000)), "recursion limit exceeded");
    check(&format!(r#"{{"acl":"private","rule":{}}}"#, nested(100_000)), "nested too deeply");
    for open in ["{\"rule\":", "{\"acl\":"] {
        check(&open.repeat(100_000), "this is no plan or state");
    }
    let modules = format!(
        r#"{{"format_version":"1.0","values":{{"root_module":{}"#,
        r#"{"child_modules":["#.repeat(100_000)
    );
    assert!(ended(modules.as_bytes()).contains("nested too deeply"));
    assert!(ended(nested(100_000).as_bytes()).contains("there should be a plan or a state"));
}

#[test]
fn numbers() {
    for number in
        ["NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "0x10", "1e", "1_000", "-"]
    {
        check(&format!(r#"{{"acl":{number}}}"#), "this is no plan or state");
        check(&format!(r#"{{"acl":"private","other":[{number}]}}"#), "this is no plan or state");
    }
    let long = "9".repeat(10_000);
    for number in ["-0", "1e-999999999", "123456789012345678901234567890", &long] {
        check(&format!(r#"{{"acl":"private","other":{number}}}"#), "passed");
    }
}

#[test]
fn texts() {
    let long = "x".repeat(10_000_000);
    check(&format!(r#"{{"acl":"private","other":"{long}"}}"#), "passed");
    check(&format!(r#"{{"acl":"{long}"}}"#), "xxx…");
    check(r#"{"\u0061cl":"priv\u0061te"}"#, "passed");
    check(r#"{"acl":"private","other":"\ud83d"}"#, "passed");
    check(r#"{"acl":"\ud83d"}"#, "this is no plan or state");
    check(r#"{"acl":"private\u0000"}"#, "must be");
    check(r#"{"acl":"private","other":"\x"}"#, "this is no plan or state");
    check("{\"acl\":\"private\",\"other\":\"a\nb\"}", "this is no plan or state");
    check("{\"acl\":\"private\",\"other\":\"\u{1}\"}", "this is no plan or state");
}

#[test]
fn keys_that_stand_there_twice() {
    // The last one counts, as everywhere else.
    check(r#"{"acl":"private","acl":"public-read"}"#, "must be");
    check(r#"{"acl":"public-read","\u0061cl":"private"}"#, "passed");
    // By its type it is told which attributes are read.
    let twice = plan(&bucket("this", "{}")).replace(r#""name""#, r#""type":"aws_vpc","name""#);
    assert!(ended(twice.as_bytes()).contains("`type` stands there twice"));
}

#[test]
fn bytes_that_are_no_text() {
    let json = plan(&bucket("this", r#"{"acl":"private","other":"?"}"#));
    let at = json.find('?').unwrap();
    for wrong in
        [&[0xff][..], &[0xc3], &[0xed, 0xa0, 0x80], &[0xf5, 0x80, 0x80, 0x80], &[0xc0, 0xaf]]
    {
        let bytes = [&json.as_bytes()[..at], wrong, &json.as_bytes()[at + 1..]].concat();
        let actual = ended(&bytes);
        assert!(
            actual.contains(&format!("it is not UTF-8 at line 1 column {}", at + 1)),
            "{actual}"
        );
    }
    for wrong in ["\u{feff}", "\0"] {
        let actual = ended(format!("{wrong}{json}").as_bytes());
        assert!(actual.contains("this is no plan or state"), "{actual}");
    }
    assert!(ended(format!("{json}\0").as_bytes()).contains("trailing characters"));
}
