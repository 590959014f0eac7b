//! The real `terraform`, and other programs that may be absent.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Runs `terraform` in a directory, with an environment of its own. Its output goes to the result.
pub(crate) fn terraform(
    directory: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Output {
    let path = variable("PATH").unwrap_or_default();
    // Nothing of the caller's Terraform: no plugin cache, no variables, no `~/.terraformrc`.
    let own = [("PATH", path), ("HOME", directory.into()), ("CHECKPOINT_DISABLE", "1".into())];
    let given = environment.iter().map(|(name, value)| (*name, OsString::from(value)));
    duct::cmd("terraform", arguments)
        .full_env(own.into_iter().chain(given))
        .dir(directory)
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .expect("`terraform` was found")
}

/// Runs it as [`terraform`] does, and returns its standard output; fails the test where it fails.
#[track_caller]
pub(crate) fn succeed(
    directory: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> String {
    let output = terraform(directory, arguments, environment);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "terraform {arguments:?} failed:\n{stdout}\n{stderr}");
    stdout
}

/// Returns whether there is a `terraform`; says so where there is none.
pub(crate) fn has_terraform() -> bool {
    let path = variable("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|directory| directory.join("terraform").is_file());
    found || absent("`terraform` is not on PATH")
}

/// Returns a program of this workspace, where it has been built beside this test.
pub(crate) fn built(program: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().expect("a running program has a path");
    // The test is `target/debug/deps/it-…`.
    let path =
        test.ancestors().nth(2).expect("Cargo puts tests two directories deep").join(program);
    let exists = path.is_file()
        || absent(&format!("`{program}` is not built: run `cargo build --workspace --examples`"));
    exists.then_some(path)
}

pub(crate) fn absent(why: &str) -> bool {
    assert!(variable("MENAGERIE_REQUIRE").is_none_or(|required| required != "all"), "{why}");
    println!("skipped: {why}");
    false
}

#[expect(clippy::disallowed_methods, reason = "a test is its own edge: nothing passes these in")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
