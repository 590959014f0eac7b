//! The crates: who uses whom, what they share, what must stay out.

use super::{assert_none, read, root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What is of use in this repository only; all else can be packaged, and used by others.
const APPLICATIONS: [&str; 5] =
    ["menagerie-bench", "menagerie-comply", "menagerie-schema", "sample-app", "xtask"];

/// A crate of this workspace, as cargo sees it.
struct Member {
    name: String,
    /// Its `Cargo.toml`.
    manifest: String,
    /// What it is linked with; not what only its tests use.
    dependencies: BTreeSet<String>,
}

#[track_caller]
fn cargo(arguments: &[&str]) -> String {
    let command =
        duct::cmd("cargo", arguments).dir(root()).stdout_capture().stderr_capture().unchecked();
    let output = command.run().expect("`cargo` is on the PATH");
    assert!(
        output.status.success(),
        "`cargo {}` failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("names are UTF-8")
}

fn members() -> Vec<Member> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"]))
            .expect("`cargo metadata` prints JSON");
    let packages = metadata["packages"].as_array().expect("there is a list of packages");
    let mut members: Vec<Member> = packages.iter().map(member).collect();
    members.sort_by(|one, other| one.name.cmp(&other.name));
    members
}

fn member(package: &Value) -> Member {
    let text = |value: &Value| value.as_str().expect("it is a string").to_owned();
    let dependencies = package["dependencies"].as_array().expect("it is a list").iter();
    Member {
        name: text(&package["name"]),
        manifest: read(text(&package["manifest_path"])),
        dependencies: dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(&dependency["name"]))
            .collect(),
    }
}

/// Returns the names of all crates, sorted.
pub(super) fn names() -> Vec<String> {
    members().into_iter().map(|member| member.name).collect()
}

/// Returns who uses whom, one crate a line.
fn graph() -> String {
    let members = members();
    let names: BTreeSet<&String> = members.iter().map(|member| &member.name).collect();
    let mut graph = String::new();
    for member in &members {
        let used: Vec<&str> = member
            .dependencies
            .iter()
            .filter(|name| names.contains(name))
            .map(|name| short(name))
            .collect();
        let used = if used.is_empty() { "nothing".to_owned() } else { used.join(", ") };
        writeln!(graph, "{:<10} uses {used}", short(&member.name)).expect("a string takes it");
    }
    graph
}

fn short(name: &str) -> &str {
    name.strip_prefix("menagerie-").unwrap_or(name)
}

#[test]
fn the_crate_graph_is_the_reviewed_one() {
    insta::assert_snapshot!(graph(), @"
    bench      uses compliance, config, naming, plan, template, terraform
    compliance uses config
    comply     uses compliance, evidence, rego, report
    config     uses naming
    evidence   uses compliance, config
    installer  uses nothing
    lifecycle  uses config, naming, plan, template, terraform
    naming     uses nothing
    plan       uses nothing
    provider   uses nothing
    rego       uses compliance, config
    report     uses compliance
    schema     uses terraform
    telemetry  uses nothing
    template   uses config, naming
    terraform  uses plan
    sample-app uses nothing
    xtask      uses config, lifecycle, naming, plan, telemetry, terraform
    ");
}

#[test]
fn the_architecture_page_shows_the_crate_graph() {
    let graph = graph();
    assert!(
        read("docs/architecture.md").contains(&graph),
        "docs/architecture.md should hold:\n{graph}"
    );
}

#[test]
fn every_crate_inherits_from_the_workspace() {
    let mut violations = Vec::new();
    for Member { name, manifest, .. } in members() {
        let inherited = ["version", "edition", "rust-version", "license", "publish"];
        let mut lines = inherited.map(|key| format!("{key}.workspace = true"));
        if APPLICATIONS.contains(&name.as_str()) {
            "publish = false".clone_into(&mut lines[4]);
        }
        for line in lines {
            if !manifest.lines().any(|found| found == line) {
                violations.push(format!("{name} lacks `{line}`"));
            }
        }
        if !manifest.contains("\n[lints]\nworkspace = true\n") {
            violations.push(format!("{name} has lints of its own, or none"));
        }
        if !manifest.lines().any(|line| line.starts_with("description = ")) {
            violations.push(format!("{name} has no description"));
        }
        violations.extend(
            versions(&manifest).map(|line| format!("{name} gives `{line}` a version of its own")),
        );
    }
    assert_none("a crate says of itself only what is its own", &violations);
}

/// Returns the dependencies that do not come from the workspace's table.
fn versions(manifest: &str) -> impl Iterator<Item = &str> {
    let mut in_dependencies = false;
    manifest.lines().filter(move |line| {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
            return false;
        }
        in_dependencies
            && line.contains('=')
            && !line.starts_with('#')
            && !line.contains("workspace = true")
    })
}

#[test]
fn a_version_of_its_own_is_found() {
    let manifest = "[dependencies]\na.workspace = true\nb = { workspace = true, features = [] }\n\n[dev-dependencies]\nc = \"1\"\n[lints]\nd = 1\n";
    assert_eq!(versions(manifest).collect::<Vec<_>>(), ["c = \"1\""]);
}

#[test]
fn xtask_stays_quick_to_build() {
    let tree = cargo(&[
        "tree",
        "--locked",
        "--package",
        "xtask",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let linked: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(linked.contains("menagerie-lifecycle"), "the tree is xtask's");
    let heavy = ["h2", "octocrab", "regorus", "sqlx", "tokio", "tonic"];
    let violations: Vec<String> =
        heavy.into_iter().filter(|name| linked.contains(name)).map(str::to_owned).collect();
    assert_none("these belong in a binary that xtask starts", &violations);
}

#[test]
fn no_crate_is_a_bag() {
    let bags = ["common", "core", "helpers", "shared", "util", "utils"];
    let names = names();
    let violations: Vec<String> =
        names.into_iter().filter(|name| name.split('-').any(|word| bags.contains(&word))).collect();
    assert_none("a crate is named after what it is", &violations);
}

#[test]
fn the_toolchain_is_the_one_the_manifest_asks_for() {
    let value = |file: &str, key: &str| {
        let text = read(file);
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
        line.unwrap_or_else(|| panic!("{file} has no `{key}`")).trim_matches('"').to_owned()
    };
    let channel = value("rust-toolchain.toml", "channel");
    let minimum = value("Cargo.toml", "rust-version");
    assert!(
        channel == minimum || channel.starts_with(&format!("{minimum}.")),
        "channel {channel}, rust-version {minimum}"
    );
}
