//! Bad input, one line a case: what is said, with which exit code, and that nothing was written.

use std::fs;

use crate::playground::{Playground, has};

/// Checks the exit code and that the error says this; and that no environment came of it.
#[track_caller]
fn refuses(playground: &Playground, arguments: &[&str], code: i32, expected: &str) {
    let answer = playground.env(arguments);
    assert_eq!(answer.code, Some(code), "{}", answer.stderr);
    assert!(answer.stderr.contains(expected), "`{expected}` is not in:\n{}", answer.stderr);
    let ways_out = ["hint: ", "tip: ", "[possible values: "];
    assert!(
        ways_out.iter().any(|way| answer.stderr.contains(way)),
        "no way out in:\n{}",
        answer.stderr
    );
    assert_eq!(answer.stdout, "");
}

#[test]
fn names() {
    let playground = Playground::new();
    for (name, expected) in [
        ("Calm-Otter", "lower-case"),
        ("../calm-otter", ".."),
        ("a/b", "/"),
        ("otter_1", "_"),
        ("9-lives", "9"),
        ("calm--otter", "hyphen"),
        ("production", "production"),
        ("a-name-that-is-much-too-long", "24"),
    ] {
        refuses(&playground, &["new", name], 2, expected);
    }
    assert!(!playground.root().join("tf/envs").exists());
}

#[test]
fn a_name_is_given_once() {
    let playground = Playground::new();
    playground.ok(&["new", "calm-otter"]);
    refuses(&playground, &["new", "calm-otter"], 7, "exists already");
    refuses(&playground, &["new", "calm-otters"], 7, "too easily mistaken");
    playground.ok(&["destroy", "calm-otter", "--confirm", "calm-otter"]);
    refuses(&playground, &["new", "calm-otter"], 7, "used before");
    refuses(&playground, &["up", "calm-otter"], 7, "calm-otter");
}

#[test]
fn a_branch_of_a_remote_takes_its_name() {
    let playground = Playground::new();
    let remote = playground.root().join("../remote.git");
    playground.git(&["init", "--quiet", "--bare", remote.to_str().unwrap()]);
    playground.git(&["remote", "add", "origin", &format!("file://{}", remote.display())]);
    playground.git(&["push", "--quiet", "origin", "main:refs/heads/env/brave-newt"]);
    playground.git(&["fetch", "--quiet", "origin"]);
    refuses(&playground, &["new", "brave-newt"], 7, "used before");
}

#[test]
fn times_to_live() {
    let playground = Playground::new();
    for (ttl, expected) in [
        ("0h", "0"),
        ("-1h", "-1h"),
        ("forever", "forever"),
        ("inf", "inf"),
        ("30d", "7d"),
        ("soon", "soon"),
    ] {
        refuses(&playground, &["new", &format!("--ttl={ttl}")], 2, expected);
    }
}

#[test]
fn choices_and_settings() {
    let playground = Playground::new();
    refuses(&playground, &["new", "--hosting", "moon"], 2, "moon");
    refuses(&playground, &["new", "--size", "huge"], 2, "huge");
    refuses(&playground, &["new", "--set", "desired_count=21"], 2, "desired_count");
    refuses(&playground, &["new", "--set", "desired_cont=2"], 2, "desired_count");
    for (setting, expected) in [
        ("desired_count=two", "a whole number from 0 to 20, not `two`"),
        ("desired_count=1.5", "a whole number from 0 to 20, not `1.5`"),
        ("desired_count=", "a whole number from 0 to 20, not ``"),
        ("port=true", "a whole number from 1024 to 65535, not `true`"),
        ("health_check_path=readyz", "a health check path starts with `/`"),
        ("database_engine=mysql", "there is `postgres`, `sqlite`"),
        ("environment.PORT=1", "`PORT` is set by the hosting"),
        ("environment.A-B=1", "`A-B` is no name of a variable"),
        ("environment={A=1}", "did you mean `environment.NAME`?"),
        ("desired_count", "a setting is written `KEY=VALUE`"),
    ] {
        refuses(&playground, &["new", "--set", setting], 2, expected);
    }
    assert!(!playground.root().join("tf/envs").exists());
    refuses(&playground, &["new", "--owner", "a\nb"], 2, "owner");
}

#[test]
fn unknown_environments() {
    let playground = Playground::new();
    playground.ok(&["new", "calm-otter"]);
    for command in [
        &["show"][..],
        &["status"],
        &["plan"],
        &["apply"],
        &["destroy", "--confirm", "calm-oter"],
        &["logs"],
        &["open"],
    ] {
        if matches!(command[0], "status" | "plan" | "apply" | "destroy") && !has("terraform") {
            continue;
        }
        let arguments = [&command[..1], &["calm-oter"], &command[1..]].concat();
        refuses(&playground, &arguments, 6, "did you mean `calm-otter`?");
    }
}

#[test]
fn destroying_is_confirmed_by_name() {
    let playground = Playground::new();
    playground.ok(&["new", "calm-otter"]);
    refuses(&playground, &["destroy", "calm-otter"], 7, "--confirm");
    refuses(&playground, &["destroy", "calm-otter", "--confirm", "brave-newt"], 7, "another name");
    assert!(playground.root().join("tf/envs/calm-otter/main.tf").exists());
}

#[test]
fn broken_files_are_told_with_line_and_column() {
    let playground = Playground::new();
    playground.ok(&["new", "calm-otter"]);
    playground.configure("engin = 1\n\n[environment]\nttl = \"0h\"\n");
    let answer = playground.env(&["new"]);
    assert_eq!(answer.code, Some(5), "{}", answer.stderr);
    for expected in ["menagerie.toml:7:1", "did you mean `engine`?", "menagerie.toml:10:7"] {
        assert!(answer.stderr.contains(expected), "`{expected}` is not in:\n{}", answer.stderr);
    }
    playground.configure("");
    let file = playground.root().join("tf/envs/calm-otter/env.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("size = \"small\"", "size = \"tiny\"")).unwrap();
    if has("terraform") {
        let answer = playground.env(&["plan", "calm-otter"]);
        assert_eq!(answer.code, Some(5), "{}", answer.stderr);
        assert!(
            answer.stderr.contains("env.toml:") && answer.stderr.contains("tiny"),
            "{}",
            answer.stderr
        );
    }
    // One broken file hides nobody.
    playground.ok(&["new", "brave-newt"]);
    let list = playground.ok(&["list"]);
    assert!(
        list.contains("calm-otter") && list.contains("brave-newt") && list.contains("tiny"),
        "{list}"
    );
}

#[test]
fn no_terraform_and_one_that_is_too_old() {
    let playground = Playground::new();
    playground.ok(&["new", "calm-otter"]);
    let git = duct::cmd!("sh", "-c", "command -v git").read().unwrap();
    let bin = playground.root().join("../path");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(git, bin.join("git")).unwrap();
    let answer =
        crate::playground::run(&playground.command(&["plan", "calm-otter"]).env("PATH", &bin));
    assert_eq!(answer.code, Some(9), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("on the PATH")
            && answer.stderr.contains("hint: `cargo xtask setup`"),
        "{}",
        answer.stderr
    );

    let old = bin.join("terraform");
    fs::write(&old, "#!/bin/sh\necho '{\"terraform_version\": \"1.5.7\"}'\n").unwrap();
    fs::set_permissions(&old, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let answer =
        crate::playground::run(&playground.command(&["plan", "calm-otter"]).env("PATH", &bin));
    assert_eq!(answer.code, Some(9), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("1.5.7") && answer.stderr.contains("1.11.0"),
        "{}",
        answer.stderr
    );
}

#[test]
fn fifty_at_once_get_fifty_names() {
    let playground = Playground::new();
    let running: Vec<_> = (0..50)
        .map(|_| playground.command(&["new", "--format", "json"]).start().unwrap())
        .collect();
    let mut names: Vec<String> = running
        .iter()
        .map(|handle| {
            let output = handle.wait().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            json["name"].as_str().unwrap().to_owned()
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 50);
    assert_eq!(fs::read_dir(playground.root().join("tf/envs")).unwrap().count(), 50);
    let ledger = fs::read_to_string(playground.root().join(".git/menagerie/ledger.jsonl")).unwrap();
    assert_eq!(ledger.lines().count(), 50);
}

#[test]
fn a_dry_run_writes_nothing_and_a_seed_repeats_itself() {
    let playground = Playground::new();
    let first = playground.ok(&["new", "--dry-run", "--seed", "7"]);
    let second = playground.ok(&["new", "--dry-run", "--seed", "7"]);
    let name =
        |text: &str| text.lines().find(|line| line.starts_with("name = ")).map(str::to_owned);
    assert!(name(&first).is_some());
    assert_eq!(name(&first), name(&second));
    assert!(!playground.root().join("tf/envs").exists());
    assert!(!playground.root().join(".git/menagerie/ledger.jsonl").exists());
}
