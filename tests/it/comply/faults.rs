//! What is wrong with what is judged, or with what it is judged by; and who goes away in the middle.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{RULE, Rules, change, check, comply, plan, root};
use crate::playground::{Answer, judge, run};

const REGO: &str = r#"package words

import rego.v1

# METADATA
# title: Words are right
# custom:
#   id: R-1
#   severity: high
deny contains {"msg": "is wrong", "address": change.address} if {
	some change in input.resource_changes
	change.change.after.input.word != "right"
}
"#;

fn wrong() -> Value {
    plan(&[change("terraform_data.b", json!({"input": {"word": "wrong"}}))])
}

#[test]
fn rules_in_rego_are_rules_like_others() {
    let rules = Rules::new(&[("X-1.toml", RULE), ("words.rego", REGO)]);
    check(
        &rules.judge(&wrong(), &[]),
        1,
        &["fail X-1", "fail R-1", "is wrong", "2 rules loaded, 2 evaluated", "error: 2 findings"],
    );
    let right = plan(&[change("terraform_data.b", json!({"input": {"word": "right"}}))]);
    check(&rules.judge(&right, &[]), 0, &["2 evaluated"]);
    // What is undefined is no failure in Rego, and no pass of the other rule.
    let undefined = plan(&[change("terraform_data.b", json!({}))]);
    check(&rules.judge(&undefined, &[]), 1, &["fail X-1", "error: 1 finding"]);

    let directory = rules.directory.path().to_str().unwrap();
    let explain = ["explain", "R-1", "--policy", directory, "--plan", "-"];
    check(
        &comply(&explain, wrong().to_string().as_bytes()),
        0,
        &["R-1 (high)", "words.rego", "is wrong"],
    );
    let pages = tempfile::tempdir().unwrap();
    check(&comply(&["pages", pages.path().to_str().unwrap(), "--policy", directory], b""), 0, &[]);
    assert!(fs::read_to_string(pages.path().join("R-1.md")).unwrap().contains("words.rego"));
}

#[test]
fn what_is_wrong_with_a_policy_in_rego_is_never_a_pass() {
    let strict = REGO.replace(
        "change.change.after.input.word != \"right\"",
        "not endswith(change.change.after.input.word, \"t\")",
    );
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("a.rego", "package a\n\ndeny contains")], "a.rego:3:"),
        (&[("a.rego", &REGO.replace("!= \"right\"", "== call_home(1)"))], "call_home"),
        (
            &[("a.rego", &REGO.replace("id: R-1", "id: X-1")), ("X-1.toml", RULE)],
            "the id `X-1` is taken by",
        ),
        (&[("a.rego", "package a\n\nx := y\ny := x\ndeny contains x if true\n")], "a.rego:"),
        (&[("a.rego", &REGO.replace("!= \"right\"", "== sprintf(\"%d\", [1 / 0])"))], "R-1"),
    ];
    for (files, expected) in cases {
        check(&Rules::new(files).judge(&wrong(), &[]), 3, &[expected]);
    }
    let rules = Rules::new(&[("a.rego", &strict)]);
    check(&rules.judge(&wrong(), &["--not", "strict"]), 3, &["a.rego:12:"]);
    check(&rules.judge(&wrong(), &["--not", "opa"]), 1, &["fail R-1"]);
}

#[test]
fn no_format_makes_a_wrong_plan_right_or_lets_a_name_take_effect() {
    let rules = Rules::new(&[("X-1.toml", RULE), ("words.rego", REGO)]);
    let name = "terraform_data.a[\"\u{1b}[31m<b>](javascript:x)\u{202e}\n::error::x|`\"]";
    let hostile = plan(&[change(name, json!({"input": {"word": "]]>\u{1b}[2J<script>"}}))]);
    for format in ["text", "json", "sarif", "junit", "markdown", "github"] {
        let answer = rules.judge(&hostile, &["--format", format]);
        check(&answer, 1, &["2 rules loaded, 2 evaluated"]);
        let all = answer.stdout + &answer.stderr;
        for bad in ["\u{1b}", "\u{202e}", "\n::error::x"] {
            assert!(!all.contains(bad), "{format}: {bad:?} in {all}");
        }
        let cut = hostile.to_string();
        let directory = rules.directory.path().to_str().unwrap();
        let arguments = ["--plan", "-", "--policy", directory, "--format", format];
        check(&comply(&arguments, &cut.as_bytes()[..cut.len() - 9]), 4, &["cut short"]);
    }
}

#[test]
fn a_long_plan_that_is_cut_short_is_never_right() {
    let rules = Rules::new(&[("X-1.toml", RULE)]);
    let filler = "x".repeat(1 << 20);
    let right = json!({"input": {"word": "right", "filler": filler}});
    let long =
        plan(&[change("terraform_data.a", right.clone()), change("terraform_data.b", right)]);
    let mut long = long.to_string();
    // 50 MB of what is right, and its end is missing.
    let end = long.len() - 2;
    let one = format!(
        ",{}",
        change("terraform_data.c", json!({"input": {"word": "right", "filler": filler}}))
    );
    long.truncate(end);
    for _ in 0..50 {
        long.push_str(&one);
    }
    let directory = rules.directory.path().to_str().unwrap();
    check(&comply(&["--plan", "-", "--policy", directory], long.as_bytes()), 4, &["cut short"]);
    check(
        &comply(&["--plan", "-", "--policy", directory], &long.as_bytes()[..1_000_000]),
        4,
        &["cut short"],
    );
}

/// Judges a plan as that of an environment which ends on a day.
fn of_environment(rules: &Rules, ends: &str) -> Answer {
    of_environment_kept(rules, ends, None)
}

/// Does the same, and keeps the report.
fn of_environment_kept(rules: &Rules, ends: &str, kept: Option<&Path>) -> Answer {
    let file = rules.directory.path().join("plan.json");
    fs::write(&file, wrong().to_string()).unwrap();
    let subject = json!({"root": "tf/envs/bold-lark", "plan": file, "files": null, "is_rehearsal": true,
        "environment": {"name": "bold-lark", "expires": ends}});
    let words = [
        "judge".to_owned(),
        format!("--policy={}", rules.directory.path().display()),
        format!("--subject={subject}"),
    ];
    let kept = kept.map(|kept| format!("--record={}", kept.display()));
    let words = words.into_iter().chain(kept);
    run(&duct::cmd(judge(), words).stdin_null().stdout_capture().stderr_capture().unchecked())
}

#[test]
fn a_waiver_ends_with_its_environment_and_is_for_no_other() {
    let day = |days: i64| {
        let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
        today.saturating_add(jiff::Span::new().days(days)).to_string()
    };
    let bare = Rules::new(&[("X-1.toml", RULE)]);
    let told = of_environment(&bare, &day(5));
    check(&told, 1, &["REHEARSAL", "fail X-1", "tf/envs/bold-lark"]);
    let fingerprint = told.stdout.split("fingerprint: ").nth(1).unwrap()[..16].to_owned();
    let waiver = |environment: &str, expires: &str| {
        format!(
            "[[waiver]]\nrule = \"X-1\"\naddress = \"*\"\n{environment}fingerprints = [\"{fingerprint}\"]\nreason = \"r\"\nowner = \"ada\"\napproved_by = \"grace\"\nticket = \"SEC-1\"\ncreated = {}\nexpires = {expires}\n",
            day(-1)
        )
    };
    let with = |text: &str| {
        of_environment(&Rules::new(&[("X-1.toml", RULE), ("waivers.toml", text)]), &day(5))
    };
    let lark = "environment = \"bold-lark\"\n";
    check(&with(&waiver(lark, &day(5))), 0, &["waived X-1", "1 used"]);
    check(&with(&waiver(lark, &day(6))), 1, &["fail X-1", "1 outliving"]);
    check(&with(&waiver("", &day(5))), 1, &["fail X-1", "1 elsewhere"]);
    check(
        &with(&waiver("environment = \"calm-otter\"\n", &day(5))),
        1,
        &["fail X-1", "1 elsewhere"],
    );
    let both = waiver(lark, &day(4)) + &waiver(lark, &day(3));
    check(&with(&both), 0, &["waived X-1", "2 used"]);
    // `waive` knows until when it lives, from the report.
    let kept = bare.directory.path().join("kept.json");
    let waive = |expires: String| {
        let words = [
            "waive".to_owned(),
            format!("--policy={}", bare.directory.path().display()),
            format!("--last={}", kept.display()),
            format!("--expires={expires}"),
            fingerprint.clone(),
        ];
        let who = ["--reason=r", "--owner=ada", "--approved-by=grace", "--ticket=SEC-1"];
        let words = words.iter().map(String::as_str).chain(who);
        run(&duct::cmd(judge(), words).stdin_null().stdout_capture().stderr_capture().unchecked())
    };
    check(&waive(day(5)), 2, &["nothing was judged here yet"]);
    check(&of_environment_kept(&bare, &day(5), Some(&kept)), 1, &[]);
    check(&waive(day(6)), 7, &["no waiver outlives its environment", &day(5)]);
    check(&waive(day(5)), 0, &["is waived until"]);
    check(&of_environment(&bare, &day(5)), 0, &["waived X-1", "1 used"]);
    check(&of_environment(&bare, "never"), 2, &["--subject"]);
}

#[test]
fn who_reads_no_more_and_who_stops_it_do_no_harm() {
    let many: Vec<Value> = (0..20_000)
        .map(|number| {
            change(&format!("terraform_data.a[{number}]"), json!({"input": {"word": "wrong"}}))
        })
        .collect();
    let rules = Rules::new(&[("X-1.toml", RULE)]);
    let file = rules.directory.path().join("plan.json");
    fs::write(&file, plan(&many).to_string()).unwrap();
    let command = |arguments: &[&str]| {
        let directory = rules.directory.path().to_str().unwrap();
        let words = [&["comply", "--policy", directory], arguments].concat();
        duct::cmd(env!("CARGO_BIN_EXE_xtask"), words)
            .dir(root())
            .env("MENAGERIE_COMPLY", judge())
            .stderr_capture()
            .unchecked()
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let judged = command(&["--plan", file.to_str().unwrap(), "--format", "json"]);
    let output = judged.stdin_null().stdout_file(writer).run().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // The reader has what it wanted; what was found still decides.
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked") && said.contains("20000 findings"), "{said}");

    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"{\"format_version\": \"1.2\",").unwrap();
    let waiting = command(&["--plan", "-"]).stdin_file(reader).stdout_null().start().unwrap();
    // It waits for the rest, in the program that it became.
    std::thread::sleep(Duration::from_millis(300));
    let pid = i32::try_from(waiting.pids()[0]).ok().and_then(rustix::process::Pid::from_raw);
    let interrupt = rustix::process::Signal::INT;
    rustix::process::kill_process(pid.unwrap(), interrupt).unwrap();
    let begun = Instant::now();
    let status = waiting.wait().unwrap().status;
    assert!(!status.success() && begun.elapsed() < Duration::from_secs(20), "{status}");
    drop(writer);
}
