//! The files: where they may not point, what they may not be called, how long they may get.

use super::{assert_none, files, files_with, root};
use std::fs;

/// A file with more tells two stories.
const LONGEST: usize = 700;

#[test]
fn no_file_names_a_place_of_one_machine() {
    let mut violations = Vec::new();
    for path in files() {
        let text = fs::read(root().join(&path)).expect("git lists files that can be read");
        let text = String::from_utf8_lossy(&text);
        for (index, line) in text.lines().enumerate() {
            // A lock file names the default registry's index for every crate.
            let host = (!path.ends_with("Cargo.lock")).then(|| registry_host(line)).flatten();
            if let Some(found) = machine_path(line).or(host) {
                violations.push(format!("{}:{}: {found}", path.display(), index + 1));
            }
        }
    }
    assert_none("a path or a registry's host is a matter of the machine that builds", &violations);
}

/// Finds an absolute path below a home directory or a work directory.
fn machine_path(line: &str) -> Option<&str> {
    let begins = |at: usize| {
        line[..at]
            .chars()
            .next_back()
            .is_none_or(|before| !before.is_ascii_alphanumeric() && !"_.-".contains(before))
    };
    let is_user = |rest: &str| rest.starts_with(|first: char| first.is_ascii_lowercase());
    [concat!("/", "root/"), concat!("/", "work/"), concat!("/", "home/"), concat!("/", "Users/")]
        .into_iter()
        .find_map(|start| {
            let mut found = line.match_indices(start);
            let named = |rest: &str| matches!(start.as_bytes()[1], b'r' | b'w') || is_user(rest);
            found
                .find(|(at, _)| begins(*at) && named(&line[at + start.len()..]))
                .map(|(at, _)| &line[at..])
        })
}

/// Finds the host of a package registry, which each machine sets for itself.
fn registry_host(line: &str) -> Option<&str> {
    let hosts = [
        concat!("index.", "crates.io"),
        concat!("static.", "crates.io"),
        concat!("pypi", ".org"),
        concat!("files.", "pythonhosted.org"),
        concat!("registry.", "npmjs.org"),
        concat!("deb.", "debian.org"),
        concat!("security.", "debian.org"),
    ];
    hosts.into_iter().find_map(|host| line.find(host).map(|at| &line[at..]))
}

#[test]
fn a_path_of_one_machine_is_told_from_others() {
    #[track_caller]
    fn check(before: &str, directory: &str, after: &str, is_found: bool) {
        let line = format!("{before}/{directory}/{after}");
        assert_eq!(machine_path(&line).is_some(), is_found, "{line}");
    }
    check("", "root", "x", true);
    check("in \"", "work", "x", true);
    check("file://", "home", "ada/x", true);
    check("", "Users", "ada", true);
    check("below ", "home", "<user>/x", false);
    check("../..", "work", "x", false);
    check("services/web", "work", "x", false);
    check("", "var", "lib", false);
    assert!(registry_host(concat!("from https://pypi", ".org/simple")).is_some());
    assert!(registry_host("from the registry").is_none());
}

#[test]
fn a_module_lies_beside_its_directory() {
    let violations: Vec<String> = files_with("rs")
        .iter()
        .filter(|path| path.ends_with("mod.rs"))
        .map(|path| path.display().to_string())
        .collect();
    assert_none("`env.rs` and `env/`, not `env/mod.rs`", &violations);
}

#[test]
fn a_file_tells_one_story() {
    let mut violations = Vec::new();
    for path in files_with("rs") {
        let lines = fs::read_to_string(root().join(&path)).expect("Rust is UTF-8").lines().count();
        if lines > LONGEST {
            violations.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert_none("look for the second story", &violations);
}

#[test]
fn a_text_file_ends_its_last_line() {
    let mut violations = Vec::new();
    for extension in ["hcl", "md", "rs", "sh", "tera", "tf", "toml"] {
        for path in files_with(extension) {
            let text = fs::read(root().join(&path)).expect("git lists files that can be read");
            if !text.is_empty() && (!text.ends_with(b"\n") || text.ends_with(b"\n\n")) {
                violations.push(path.display().to_string());
            }
        }
    }
    assert_none("one newline at the end", &violations);
}
