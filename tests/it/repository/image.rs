//! The image of the sample application: what its Dockerfile promises, and where something can build it, that it can be built.

use super::{files, read, root};
use crate::playground::{copy, has};
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the instructions of the Dockerfile, each on one line.
fn instructions() -> Vec<(String, String)> {
    let text = read("Dockerfile");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let words = |line: &str| {
        let (instruction, rest) = line.split_once(' ').expect("an instruction has arguments");
        (instruction.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    joined.lines().filter(|line| !line.trim().is_empty()).map(words).collect()
}

fn of<'a>(all: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    all.iter().filter(|(found, _)| found == name).map(|(_, rest)| rest.as_str()).collect()
}

#[test]
fn it_is_built_as_here_and_runs_as_nobody() {
    let all = instructions();
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap();
    let expected = format!("rust:{}-alpine AS build", channel.trim_matches('"'));
    assert_eq!(of(&all, "FROM"), [expected.as_str(), "scratch"]);
    let last = all.iter().rposition(|(name, _)| name == "FROM").unwrap();
    let image = &all[last..];
    let user = of(image, "USER")[0];
    let numbers: Vec<u32> = user.split(':').map(|number| number.parse().unwrap()).collect();
    assert!(numbers.len() == 2 && numbers.iter().all(|number| *number != 0), "{user}");
    let build = of(&all, "RUN").join(" ");
    assert!(build.contains("cargo build --locked --release --package sample-app"), "{build}");
    // Its arguments would be in the image's history.
    assert_eq!(of(&all, "ARG"), [""; 0]);
}

/// Returns a directory with what a builder is given.
fn context() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let ignore = read(".dockerignore");
    let mut rules = ignore.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"), "what is not named stays out");
    let tracked = files();
    for rule in rules {
        let path = Path::new(rule.strip_prefix('!').expect("only exceptions follow"));
        let inside: Vec<&PathBuf> = tracked.iter().filter(|file| file.starts_with(path)).collect();
        assert!(!inside.is_empty(), "`{rule}` lets nothing in");
        for file in inside {
            let target = directory.path().join(file);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(root().join(file), target).unwrap();
        }
    }
    directory
}

#[test]
fn what_a_builder_is_given_is_enough() {
    let context = context();
    let arguments = ["metadata", "--locked", "--offline", "--format-version=1", "--no-deps"];
    let metadata = duct::cmd(env!("CARGO"), arguments)
        .dir(context.path())
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    assert!(String::from_utf8_lossy(&metadata.stdout).contains("\"sample-app\""));
    for secret in [".git", ".env", "target", "tf", "menagerie.toml"] {
        assert!(
            !context.path().join(secret).exists(),
            "`{secret}` is none of a builder's business"
        );
    }
}

#[test]
fn hadolint_has_nothing_to_say() {
    if !has("hadolint") {
        return;
    }
    let said = duct::cmd!("hadolint", "Dockerfile")
        .dir(root())
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
}

/// Builds the image for real. A builder may be missing even where nothing may be skipped: one that can't reach the registry of
/// the base image, or has no daemon, is as good as none, and which CI has one is not ours to say. It takes minutes, so
/// `MENAGERIE_IMAGE=build` asks for it.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
fn a_builder_builds_it_where_that_is_asked_for() {
    if std::env::var("MENAGERIE_IMAGE").as_deref() != Ok("build") {
        eprintln!("skipped: `MENAGERIE_IMAGE=build` has it built, by docker, podman or buildah");
        return;
    }
    let answers = |builder: &&str| {
        let asked = duct::cmd!(*builder, "info").stdout_null().stderr_null().unchecked().run();
        asked.is_ok_and(|output| output.status.success())
    };
    let builder = ["docker", "podman", "buildah"].into_iter().find(answers);
    let builder = builder.expect("docker, podman or buildah answers `info`");
    let context = tempfile::tempdir().unwrap();
    copy(self::context().path(), context.path());
    for file in ["Dockerfile", ".dockerignore"] {
        fs::copy(root().join(file), context.path().join(file)).unwrap();
    }
    let build = ["build", "--tag", "menagerie-sample-app:test", "."];
    duct::cmd(builder, build).dir(context.path()).stdout_to_stderr().run().unwrap();
    if builder == "buildah" {
        return;
    }
    // Without settings it says what it misses: the program starts, and needs no library.
    let run = ["run", "--rm", "--read-only", "menagerie-sample-app:test"];
    let said = duct::cmd(builder, run).stderr_to_stdout().stdout_capture().unchecked().run();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    assert!(said.contains("DATABASE_URL is not set"), "{said}");
}
