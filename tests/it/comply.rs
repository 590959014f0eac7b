//! `cargo xtask comply`: rules over plans, with what is wrong told and never a wrong 0.

mod change;
mod faults;
mod rehearsed;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::playground::{Answer, has, judge, run};

const RULE: &str = r#"id = "X-1"
title = "Words are right"
severity = "high"
rationale = "They must be."
remediation = "Write another."

[match]
type = "terraform_data"

[[assert]]
attribute = "input.word"
equals = "right"
"#;

/// The top of the work tree.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ is in the work tree")
}

fn comply(arguments: &[&str], input: &[u8]) -> Answer {
    comply_in(root(), arguments, input)
}

fn comply_in(directory: &Path, arguments: &[&str], input: &[u8]) -> Answer {
    let command = duct::cmd(env!("CARGO_BIN_EXE_xtask"), [&["comply"], arguments].concat())
        .dir(directory)
        .env("MENAGERIE_COMPLY", judge())
        .env("NO_COLOR", "1")
        .stdin_bytes(input)
        .stdout_capture()
        .stderr_capture()
        .unchecked();
    run(&command)
}

/// A policy in a directory of its own.
struct Rules {
    directory: TempDir,
}

impl Rules {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { directory }
    }

    fn judge(&self, plan: &Value, more: &[&str]) -> Answer {
        let directory = self.directory.path().to_str().unwrap();
        comply(
            &[&["--plan", "-", "--policy", directory], more].concat(),
            plan.to_string().as_bytes(),
        )
    }
}

fn change(address: &str, after: impl Into<Value>) -> Value {
    let after = after.into();
    json!({"address": address, "mode": "managed", "type": "terraform_data",
        "change": {"actions": ["create"], "after": after, "after_unknown": {}}})
}

fn plan(changes: &[Value]) -> Value {
    json!({"format_version": "1.2", "resource_changes": changes})
}

#[track_caller]
fn check(answer: &Answer, code: i32, expected: &[&str]) {
    assert_eq!(answer.code, Some(code), "{answer:?}");
    for text in expected {
        let is_there = answer.stdout.contains(text) || answer.stderr.contains(text);
        assert!(is_there, "no `{text}` in {answer:?}");
    }
}

#[test]
fn the_rules_that_ship_notice_every_change() {
    let answer = comply(&["test", "--format", "json"], b"");
    check(&answer, 0, &[]);
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(report["noticed"], report["mutations"]);
    let rules = report["rules"].as_array().unwrap();
    assert!(rules.len() >= 25, "{} rules", rules.len());
    for rule in rules {
        assert_eq!((&rule["right"], &rule["covered"]), (&true.into(), &true.into()), "{rule:#}");
        assert!(rule["mutations"].as_u64().unwrap() > 0, "{rule:#}");
    }
}

#[test]
fn each_rule_has_its_three_files_and_no_page_is_old() {
    let pages = tempfile::tempdir().unwrap();
    check(&comply(&["pages", pages.path().to_str().unwrap()], b""), 0, &[]);
    let committed = root().join("docs/compliance/rules");
    let names = |directory: &Path| {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(
        names(pages.path()),
        names(&committed),
        "cargo xtask comply pages docs/compliance/rules"
    );
    for name in names(&committed) {
        let (new, old) = (pages.path().join(&name), committed.join(&name));
        assert_eq!(
            fs::read_to_string(new).unwrap(),
            fs::read_to_string(old).unwrap(),
            "{} is out of date: review what `cargo xtask comply pages docs/compliance/rules` changes",
            name.display()
        );
        let id = name.to_str().unwrap().trim_end_matches(".md");
        if id != "README" {
            let is_there = |ending: &str| {
                root().join("tf/compliance/rules").join(format!("{id}.{ending}")).exists()
            };
            assert!(is_there("toml") || is_there("rego"), "`{id}` is not in the file of its name");
            assert!(is_there("test.toml"), "`{id}` has no tests");
        }
    }
}

#[test]
fn findings_verdicts_and_codes() {
    let rules = Rules::new(&[("X-1.toml", RULE)]);
    let right = change("terraform_data.a", json!({"input": {"word": "right"}}));
    let wrong = change("terraform_data.b", json!({"input": {"word": "wrong"}}));
    check(
        &rules.judge(&plan(std::slice::from_ref(&right)), &[]),
        0,
        &["1 rules loaded, 1 evaluated", "1 pass", "X-1 1"],
    );
    let answer = rules.judge(&plan(&[right.clone(), wrong.clone()]), &[]);
    insta::assert_snapshot!(answer.stdout, @r#"
    fail X-1 (high): Words are right
     |
     = `input.word` must be `"right"`, but is `"wrong"`
     = address: terraform_data.b
     = fix: Write another.
     = fingerprint: 23fe96e771fd2dd9

    1 rules loaded, 1 evaluated; 2 resources, 0 records; 1 pass, 1 fail, 0 unknown, 0 waived, 0 errors
    examined by rule: X-1 2
    "#);
    check(&answer, 1, &["error: 1 finding at or above `low`"]);
    check(
        &rules.judge(&plan(std::slice::from_ref(&wrong)), &["--threshold", "critical"]),
        0,
        &["1 fail"],
    );
    check(&rules.judge(&plan(&[]), &[]), 4, &["nothing was judged", "examined by rule: none"]);
    let mut unknown = change("terraform_data.c", json!({}));
    unknown["change"]["after_unknown"] = json!({"input": true});
    check(
        &rules.judge(&plan(&[unknown.clone()]), &[]),
        0,
        &["unknown X-1", "is known after apply only", "0 pass"],
    );
    let denying =
        Rules::new(&[("X-1.toml", &RULE.replace("[match]", "on_unknown = \"deny\"\n[match]"))]);
    check(&denying.judge(&plan(&[unknown]), &[]), 1, &["1 unknown"]);
    let misfit = change("terraform_data.d", json!({"input": ["word"]}));
    check(&rules.judge(&plan(&[misfit, wrong.clone()]), &[]), 3, &["error X-1", "is a list"]);
    let expecting =
        Rules::new(&[("X-1.toml", &RULE.replace("[match]", "expect = \">=2\"\n[match]"))]);
    check(
        &expecting.judge(&plan(&[right]), &[]),
        1,
        &["there must be at least 2 of `terraform_data`, but there are 1"],
    );
    let report: Value =
        serde_json::from_str(&rules.judge(&plan(&[wrong]), &["--format", "json"]).stdout).unwrap();
    assert_eq!(
        (&report["version"], &report["failed"], &report["judged"][0]["plan"]),
        (&1.into(), &true.into(), &"plan".into())
    );
    assert_eq!(report["findings"][0]["verdict"], "fail");
    assert_eq!(report["rules"][0]["examined"], 1);
}

#[test]
fn waivers_hold_for_a_while_and_for_what_they_were_given() {
    let waiver = |fingerprint: &str, created: &str, expires: &str| {
        format!(
            "[[waiver]]\nrule = \"X-1\"\naddress = \"terraform_data.*\"\nfingerprints = [\"{fingerprint}\"]\nreason = \"r\"\nowner = \"ada\"\napproved_by = \"grace\"\nticket = \"SEC-1\"\ncreated = {created}\nexpires = {expires}\n"
        )
    };
    let wrong = plan(&[change("terraform_data.b", json!({"input": {"word": "wrong"}}))]);
    let other = plan(&[change("terraform_data.b", json!({"input": {"word": "other"}}))]);
    let right = plan(&[change("terraform_data.b", json!({"input": {"word": "right"}}))]);
    let (ours, long) = ("23fe96e771fd2dd9", "max_waiver_days = 3650\n");
    let rules = |waivers: &str| {
        Rules::new(&[("X-1.toml", RULE), ("waivers.toml", waivers), ("policy.toml", long)])
    };
    let holding = rules(&waiver(ours, "2024-01-01", "2033-01-01"));
    check(
        &holding.judge(&wrong, &[]),
        0,
        &["waived X-1", "waiver: until 2033-01-01 by ada (SEC-1): r", "waivers: 1 used"],
    );
    check(&holding.judge(&other, &[]), 1, &["fail X-1", "has changed", "1 changed"]);
    check(&holding.judge(&right, &[]), 0, &["meets no finding", "1 unused"]);
    let over = rules(&waiver(ours, "2024-01-01", "2024-02-01"));
    check(
        &over.judge(&wrong, &[]),
        1,
        &["fail X-1", "is in force from 2024-01-01 to 2024-02-01 only", "1 expired"],
    );
    let two = rules(
        &(waiver(ours, "2024-01-01", "2024-02-01") + &waiver(ours, "2024-01-01", "2033-01-01")),
    );
    check(
        &two.judge(&wrong, &[]),
        0,
        &["waiver: until 2024-02-01", "waiver: until 2033-01-01", "1 used", "1 expired"],
    );
    let endless = waiver(ours, "2024-01-01", "2033-01-01").replace("expires = 2033-01-01\n", "");
    check(&rules(&endless).judge(&wrong, &[]), 3, &["`expires` is missing"]);
}

#[test]
fn what_is_no_plan_is_never_right() {
    let long: Vec<Value> = (0..2000)
        .map(|number| {
            change(&format!("terraform_data.a[{number}]"), json!({"input": {"word": "right"}}))
        })
        .collect();
    let whole = plan(&long).to_string();
    let rules = Rules::new(&[("X-1.toml", RULE)]);
    let directory = rules.directory.path().to_str().unwrap();
    let judge = |input: &[u8]| comply(&["--plan", "-", "--policy", directory], input);
    check(&judge(whole.as_bytes()), 0, &["X-1 2000"]);
    for at in [0, 1, 20, 1000, whole.len() / 2, whole.len() - 1] {
        check(&judge(&whole.as_bytes()[..at]), 4, &["cut short"]);
    }
    check(&judge(b"{}"), 4, &["JSON of another kind"]);
    check(&judge(b"\xff\xfe"), 4, &["this is no plan"]);
    check(&judge(br#"{"format_version": "2.0", "resource_changes": []}"#), 4, &["format `2.0`"]);
    check(
        &comply(&["--plan", "does-not-exist.json"], b""),
        4,
        &["failed to read `does-not-exist.json`"],
    );
    check(&comply(&["--plan", "-", "--env", "calm-otter"], b""), 2, &["cannot be used with"]);
    check(
        &comply(&["--plan", "-", "--threshold", "severe"], b""),
        2,
        &["possible values: info, low, medium, high, critical"],
    );
    check(&comply(&["explain", "x-9"], b""), 2, &["there is no rule `x-9`"]);
    check(&comply(&["explain", "net-001"], b""), 2, &["did you mean `NET-001`?"]);
}

#[test]
fn what_is_wrong_with_a_policy_is_told_with_its_line() {
    let good = plan(&[change("terraform_data.a", json!({}))]);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("a.toml", RULE), ("b.toml", RULE)], "the id `X-1` is taken by"),
        (&[("a.toml", &RULE.replace("severity", "severty"))], "a.toml:3:1: unknown key `severty`"),
        (
            &[("a.toml", &RULE.replace("\"high\"", "\"bad\""))],
            "a.toml:3:12: there is no severity `bad`",
        ),
        (
            &[("a.toml", &RULE.replace("equals = \"right\"", ""))],
            "a.toml:10:1: this asks nothing of the attribute",
        ),
        (&[("a.toml", &RULE.replace("equals = \"right\"", "matches = '('"))], "a.toml:12:11: "),
        (&[("a.toml", &RULE.replace("input.word", "input..word"))], "is no path of an attribute"),
        (&[("a.toml", "id = ")], "a.toml:1:"),
        (
            &[("a.toml", RULE), ("Y-1.test.toml", "[[case]]\nname = \"n\"\nverdict = \"pass\"\n")],
            "there is no rule `Y-1`",
        ),
        (&[("a.toml", RULE), ("policy.toml", "max_waiver_days = 0")], "from 1 to 3650"),
    ];
    for (files, expected) in cases {
        check(&Rules::new(files).judge(&good, &[]), 3, &[expected, "hint: "]);
    }
    check(&Rules::new(&[]).judge(&good, &[]), 4, &["there is no rule in"]);
    check(
        &comply(&["--plan", "-", "--policy", "does-not-exist"], b"{}"),
        3,
        &["failed to read the rules in `does-not-exist`"],
    );
}

#[test]
fn the_schema_knows_what_a_rule_is() {
    let schema = fs::read_to_string(root().join("docs/compliance/rule.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let read = |text: &str| -> Value {
        serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
    };
    let mut count = 0;
    for entry in fs::read_dir(root().join("tf/compliance/rules")).unwrap() {
        let path = entry.unwrap().path();
        let is_rule = path.extension().is_some_and(|extension| extension == "toml")
            && !path.to_str().unwrap().ends_with(".test.toml");
        if !is_rule {
            continue;
        }
        let rule = read(&fs::read_to_string(&path).unwrap());
        let errors: Vec<String> =
            schema.iter_errors(&rule).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{}", path.display());
        count += 1;
    }
    assert!(count >= 25, "{count} rules");
    // What the one refuses, the other does too.
    let words = [
        ("severity = \"high\"", "severity = \"bad\""),
        ("severity = \"high\"", "severty = \"high\""),
        ("id = \"X-1\"", "id = \"1\""),
        ("id = \"X-1\"", "id = 1"),
        ("type = \"terraform_data\"", ""),
        ("type = \"terraform_data\"", "type = 1"),
        ("type = \"terraform_data\"", "type = \"x\"\naction = \"explode\""),
        ("type = \"terraform_data\"", "type = \"x\"\nmode = \"y\""),
        ("equals = \"right\"", ""),
        ("equals = \"right\"", "equal = 1"),
        ("equals = \"right\"", "count = \"some\""),
        ("equals = \"right\"", "present = 1"),
        ("equals = \"right\"", "at_least = \"x\""),
        ("equals = \"right\"", "unique = false"),
        ("equals = \"right\"", "any = []"),
        ("equals = \"right\"", "any = [{ attribute = \"a\" }]"),
        ("title = \"Words are right\"", "title = \"t\"\non_unknown = \"x\""),
        ("title = \"Words are right\"", "title = \"t\"\nexpect = \"x\""),
        ("title = \"Words are right\"", ""),
    ];
    assert!(schema.is_valid(&read(RULE)));
    for (from, to) in words {
        let text = RULE.replace(from, to);
        assert!(!schema.is_valid(&read(&text)), "{text}");
        check(&Rules::new(&[("a.toml", &text)]).judge(&plan(&[]), &[]), 3, &["a.toml:"]);
    }
}

#[test]
fn a_rule_that_is_tested_badly_is_told() {
    let test = |text: &str| {
        let rules = Rules::new(&[("X-1.toml", RULE), ("X-1.test.toml", text)]);
        comply(&["test", "--policy", rules.directory.path().to_str().unwrap()], b"")
    };
    let case = |verdict: &str, word: &str| {
        format!(
            "[[case]]\nname = \"{word}\"\nverdict = \"{verdict}\"\n[[case.resource]]\naddress = \"terraform_data.a\"\nvalues = {{ input = {{ word = \"{word}\" }} }}\n"
        )
    };
    check(
        &test(&(case("pass", "right") + &case("fail", "wrong"))),
        0,
        &["mutation score 100 % (2 of 2)"],
    );
    check(&test(&case("pass", "right")), 3, &["it has no case that passes, or none that fails"]);
    check(&test(&case("fail", "wrong")), 3, &["can be made wrong for assertion 1"]);
    check(
        &test(&(case("pass", "wrong") + &case("fail", "wrong"))),
        3,
        &["the verdict is fail, not pass"],
    );
    let idle =
        case("pass", "right").replace("terraform_data.a", "other.a") + &case("fail", "wrong");
    check(&test(&idle), 3, &["the rule is about none of its resources"]);
}

#[test]
fn hostile_names_do_nothing_and_secrets_are_not_told() {
    let rules = Rules::new(&[("X-1.toml", RULE)]);
    let mut secret = change(
        "terraform_data.a[\"\u{1b}]0;x\u{7}\n<img>\u{202e}\"]",
        json!({"input": {"word": "hunter2"}}),
    );
    secret["change"]["after_sensitive"] = json!({"input": {"word": true}});
    for format in ["text", "json"] {
        let answer = rules.judge(&plan(&[secret.clone()]), &["--format", format]);
        check(&answer, 1, &["(sensitive)"]);
        let all = answer.stdout + &answer.stderr;
        assert!(
            !all.contains("hunter2") && !all.contains('\u{1b}') && !all.contains('\u{7}'),
            "{all}"
        );
    }
    // Not even where it has a type that nobody expected.
    secret["change"]["after"] = json!("hunter2");
    let answer = rules.judge(&plan(&[secret]), &[]);
    check(&answer, 4, &["there should be the attributes of a resource"]);
    assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
}

#[test]
fn a_real_plan_and_a_real_state() {
    if !has("terraform") {
        return;
    }
    let rules = Rules::new(&[("X-1.toml", RULE)]);
    let directory = tempfile::tempdir().unwrap();
    let text = "resource \"terraform_data\" \"a\" {\n  for_each = toset([\"x.y\", \"z\"])\n  input    = { word = each.key == \"z\" ? \"right\" : \"wrong\", more = sensitive(\"hunter2\") }\n}\n";
    fs::write(directory.path().join("main.tf"), text).unwrap();
    let terraform = |arguments: &[&str]| {
        let mut command = duct::cmd("terraform", arguments)
            .dir(directory.path())
            .env("CHECKPOINT_DISABLE", "1")
            .stdin_null();
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("TF_") {
                command = command.env_remove(name.as_ref());
            }
        }
        command.stderr_capture().read().unwrap()
    };
    terraform(&["init", "-input=false"]);
    terraform(&["plan", "-input=false", "-out=plan.tfplan"]);
    let judge = |json: &str| {
        let policy = rules.directory.path().to_str().unwrap();
        comply(&["--plan", "-", "--policy", policy], json.as_bytes())
    };
    let finding = "`input.word` must be `\"right\"`, but is `\"wrong\"`\n = address: terraform_data.a[\"x.y\"]";
    check(&judge(&terraform(&["show", "-json", "plan.tfplan"])), 1, &[finding, "1 pass, 1 fail"]);
    let saved = PathBuf::from(directory.path()).join("plan.tfplan");
    check(
        &comply(&["--plan", saved.to_str().unwrap()], b""),
        4,
        &["this is a saved plan", "terraform show -json"],
    );
    terraform(&["apply", "-input=false", "-auto-approve", "plan.tfplan"]);
    check(&judge(&terraform(&["show", "-json"])), 1, &[finding, "1 pass, 1 fail"]);
    let file = fs::read_to_string(directory.path().join("terraform.tfstate")).unwrap();
    check(&judge(&file), 4, &["this is a state file"]);
}
