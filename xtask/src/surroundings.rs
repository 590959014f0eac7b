//! The process's own surroundings: the one place that reads environment variables and the current directory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// Returns an environment variable; one that is empty is as good as absent.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns all environment variables.
pub(crate) fn variables() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().collect()
}

/// Returns the current directory.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn current_directory() -> io::Result<PathBuf> {
    std::env::current_dir()
}

/// Returns where this user's programs keep what they can find out again: the XDG base directory specification's, with a
/// directory of ours in it.
pub(crate) fn cache_directory() -> Option<PathBuf> {
    let base = match variable("XDG_CACHE_HOME") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(variable("HOME")?).join(".cache"),
    };
    base.is_absolute().then(|| base.join("menagerie"))
}
