//! The one place where this program reads its environment.

use std::{collections::BTreeMap, path::PathBuf};

/// What a program started here may know of the developer's environment: enough to find programs and to
/// print right, no credentials.
const PASSED_ON: [&str; 6] = ["HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ"];

/// Where `PATH` is not set: what a login shell would give.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The part of the process environment that has a meaning here.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// Passed on to every process started.
    pub(crate) passed_on: BTreeMap<String, String>,
    /// Where sockets belong, if the system says so.
    pub(crate) runtime: Option<PathBuf>,
}

impl Environment {
    /// Reads the environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "a binary reads its environment in one place: here"
    )]
    pub(crate) fn read() -> Self {
        let mut passed_on: BTreeMap<_, _> = PASSED_ON
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
            .collect();
        passed_on.entry("PATH".to_owned()).or_insert_with(|| DEFAULT_PATH.to_owned());
        let runtime = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        Self { passed_on, runtime }
    }

    /// Returns the directories in which programs are found.
    pub(crate) fn path(&self) -> impl Iterator<Item = PathBuf> {
        self.passed_on["PATH"].split(':').filter(|part| part.starts_with('/')).map(PathBuf::from)
    }
}
