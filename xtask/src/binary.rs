//! Binaries of this workspace that are built when they are needed, so that what needs none is quick to build.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::surroundings;

/// Builds a package's binary of the same name, in the profile that this program was built in, and returns its path.
pub(crate) fn build(package: &str, root: &Path) -> anyhow::Result<PathBuf> {
    build_with(&arguments(package), package, root)
}

/// Builds an example of a package, and returns its path: a program that is too heavy for xtask and too small for a crate.
pub(crate) fn build_example(package: &str, example: &str, root: &Path) -> anyhow::Result<PathBuf> {
    let mut arguments = arguments(package);
    let bin = arguments.iter().position(|argument| *argument == "--bin").expect("it names one");
    arguments.splice(bin..bin + 2, ["--example", example]);
    build_with(&arguments, example, root)
}

/// Builds a package's binary of the same name, optimised, and returns its path.
pub(crate) fn build_for_release(package: &str, root: &Path) -> anyhow::Result<PathBuf> {
    let mut arguments = arguments(package);
    if cfg!(debug_assertions) {
        arguments.push("--release");
    }
    build_with(&arguments, package, root)
}

fn build_with(arguments: &[&str], package: &str, root: &Path) -> anyhow::Result<PathBuf> {
    let shown = format!("cargo {}", arguments.join(" "));
    // The one that runs us, not another of the PATH.
    let cargo = surroundings::variable("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = duct::cmd(cargo, arguments)
        .dir(root)
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .with_context(|| format!("failed to start `{shown}`"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        anyhow::bail!("`{shown}` failed with {}\n\n{}", output.status, stderr.trim_end());
    }
    executable(&output.stdout, package)
        .with_context(|| format!("`{shown}` made no executable `{package}`"))
}

/// Becomes a program: its output, its exit code and the user's Ctrl-C are its own from here on. Returns only if that fails.
#[expect(clippy::disallowed_methods, reason = "no process is started: this one becomes another")]
pub(crate) fn become_program(path: &Path, arguments: &[OsString]) -> anyhow::Error {
    let error = std::process::Command::new(path).args(arguments).exec();
    anyhow::Error::new(error).context(format!("failed to start `{}`", path.display()))
}

fn arguments(package: &str) -> Vec<&str> {
    let mut arguments = vec![
        "build",
        "--quiet",
        "--locked",
        "--package",
        package,
        "--bin",
        package,
        "--message-format=json-render-diagnostics",
    ];
    if !cfg!(debug_assertions) {
        arguments.push("--release");
    }
    arguments
}

/// Finds the path of an executable in cargo's messages: <https://doc.rust-lang.org/cargo/reference/external-tools.html>.
fn executable(messages: &[u8], name: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        target: Target,
        executable: PathBuf,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    // Messages of other kinds have no executable, and do not parse as this one.
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Message>(line).ok())
        .find(|message| message.target.name == name)
        .map(|message| message.executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(messages: &str, expected: Option<&str>) {
        assert_eq!(
            executable(messages.as_bytes(), "menagerie-provider"),
            expected.map(PathBuf::from)
        );
    }

    #[test]
    fn the_executable_among_other_messages() {
        let library = r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"menagerie-provider"},"executable":null}"#;
        let other = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"sample-app"},"executable":"/t/sample-app"}"#;
        let wanted = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"menagerie-provider"},"executable":"/t/a b"}"#;
        let end = r#"{"reason":"build-finished","success":true}"#;
        check(&[library, other, wanted, end].join("\n"), Some("/t/a b"));
        check(&[library, other, end].join("\n"), None);
        check("", None);
    }

    #[test]
    fn the_command() {
        let expected =
            "build --quiet --locked --package x --bin x --message-format=json-render-diagnostics";
        assert!(arguments("x").join(" ").starts_with(expected));
    }
}
