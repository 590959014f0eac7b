//! Finds Terraform or OpenTofu, and refuses a version that is too old.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::arguments::version_arguments;
use crate::version::{Flavour, Version};
use crate::version_cache::{self, Executable};

/// An executable that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terraform {
    path: PathBuf,
    flavour: Flavour,
    version: Version,
}

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// This one and no other.
    pub explicit: Option<PathBuf>,
    /// The environment that it is run in; its `PATH` is searched for `terraform`, then for `tofu`.
    pub environment: BTreeMap<OsString, OsString>,
}

/// There is none that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// None is on the `PATH`.
    #[error("neither `terraform` nor `tofu` is on the PATH")]
    NotFound,
    /// The one that was named is not there.
    #[error("`{}` is not an executable file", .0.display())]
    NotExecutable(PathBuf),
    /// It did not start.
    #[error("failed to start `{}`", path.display())]
    Start {
        /// The executable.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// It does not say its version.
    #[error("`{} version -json` did not print a version: {output}", path.display())]
    NoVersion {
        /// The executable.
        path: PathBuf,
        /// What it said instead.
        output: String,
    },
    /// It is too old.
    #[error("`{}` is {flavour} {version}, and {} or newer is needed", path.display(), Version::OLDEST)]
    TooOld {
        /// The executable.
        path: PathBuf,
        /// Which of the two it is.
        flavour: Flavour,
        /// Its version.
        version: Version,
    },
}

impl Terraform {
    /// Finds one and asks for its version.
    pub fn discover(search: &Search) -> Result<Self, DiscoverError> {
        let path = locate(search)?;
        let version = ask_version(&path, &search.environment)?;
        Self::check(path, version)
    }

    /// Finds one, and asks for its version only if the executable is another than the one that `cache` knows.
    ///
    /// The cache is a file of the caller's that need not exist; one that cannot be read or written costs one more question. A script
    /// is asked each time: a version manager's may start another version in another directory.
    pub fn discover_with_cache(search: &Search, cache: &Path) -> Result<Self, DiscoverError> {
        let path = locate(search)?;
        let Some(executable) = Executable::identify(&path) else { return Self::discover(search) };
        if let Some(version) = version_cache::look_up(cache, &executable) {
            return Self::check(path, version);
        }
        let version = ask_version(&path, &search.environment)?;
        version_cache::remember(cache, &executable, version);
        Self::check(path, version)
    }

    fn check(path: PathBuf, version: Version) -> Result<Self, DiscoverError> {
        // Both print the same JSON; the link that a version manager made may be called either way.
        let resolved = path.canonicalize().unwrap_or_else(|_| path.clone());
        let is_tofu =
            [&path, &resolved].iter().any(|path| path.file_name() == Some(OsStr::new("tofu")));
        let flavour = if is_tofu { Flavour::OpenTofu } else { Flavour::Terraform };
        if version < Version::OLDEST {
            return Err(DiscoverError::TooOld { path, flavour, version });
        }
        Ok(Self { path, flavour, version })
    }

    /// Returns the executable.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns which of the two it is.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Returns its version.
    pub fn version(&self) -> Version {
        self.version
    }
}

/// Returns the absolute path: it is run in other directories than ours.
fn locate(search: &Search) -> Result<PathBuf, DiscoverError> {
    let path = match &search.explicit {
        Some(path) if is_executable(path) => path.clone(),
        Some(path) => return Err(DiscoverError::NotExecutable(path.clone())),
        None => find(search.environment.get(OsStr::new("PATH"))).ok_or(DiscoverError::NotFound)?,
    };
    std::path::absolute(&path).map_err(|source| DiscoverError::Start { path, source })
}

fn find(path: Option<&OsString>) -> Option<PathBuf> {
    let directories: Vec<PathBuf> = std::env::split_paths(path?).collect();
    ["terraform", "tofu"].iter().find_map(|name| {
        directories
            .iter()
            .map(|directory| directory.join(name))
            .find(|candidate| is_executable(candidate))
    })
}

fn ask_version(
    path: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Version, DiscoverError> {
    #[derive(Deserialize)]
    struct Answer {
        terraform_version: Version,
    }
    let question = duct::cmd(path.as_os_str(), version_arguments())
        .full_env(environment)
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked();
    let answered = retry_while_busy(|| question.run());
    let output =
        answered.map_err(|source| DiscoverError::Start { path: path.to_owned(), source })?;
    serde_json::from_slice(&output.stdout).map(|answer: Answer| answer.terraform_version).map_err(
        |_| {
            let text = [output.stdout.clone(), output.stderr.clone()].concat();
            let output = String::from_utf8_lossy(&text).trim().chars().take(200).collect();
            DiscoverError::NoVersion { path: path.to_owned(), output }
        },
    )
}

/// A version manager may be writing the executable right now.
fn retry_while_busy<T>(mut start: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    const ATTEMPTS: usize = 20;
    for _ in 1..ATTEMPTS {
        match start() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(50));
            }
            answered => return answered,
        }
    }
    start()
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn fake(directory: &Path, name: &str, script: &str) {
        let path = directory.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[track_caller]
    fn check(scripts: &[(&str, &str)], expected: &str) {
        let directory = tempfile::tempdir().unwrap();
        for (name, script) in scripts {
            fake(directory.path(), name, script);
        }
        let environment = [("PATH".into(), directory.path().as_os_str().to_owned())].into();
        let found = match Terraform::discover(&Search { explicit: None, environment }) {
            Ok(terraform) => format!("{} {}", terraform.flavour(), terraform.version()),
            Err(error) => error.to_string().replace(directory.path().to_str().unwrap(), "DIR"),
        };
        assert_eq!(found, expected);
    }

    fn version(version: &str) -> String {
        format!("echo '{{\"terraform_version\": \"{version}\", \"platform\": \"linux_amd64\"}}'")
    }

    #[test]
    fn the_first_on_the_path_that_is_new_enough() {
        check(
            &[("terraform", &version("1.11.4")), ("tofu", &version("1.11.1"))],
            "Terraform 1.11.4",
        );
        check(&[("tofu", &version("1.11.1"))], "OpenTofu 1.11.1");
        check(&[("terraform", &version("2.0.0-beta1"))], "Terraform 2.0.0");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        check(&[], "neither `terraform` nor `tofu` is on the PATH");
        check(
            &[("terraform", &version("1.10.9"))],
            "`DIR/terraform` is Terraform 1.10.9, and 1.11.0 or newer is needed",
        );
        check(
            &[("tofu", &version("1.9.0"))],
            "`DIR/tofu` is OpenTofu 1.9.0, and 1.11.0 or newer is needed",
        );
        check(
            &[("terraform", "echo no such version >&2")],
            "`DIR/terraform version -json` did not print a version: no such version",
        );
        let missing = Search { explicit: Some("/does/not/exist".into()), ..Search::default() };
        assert!(matches!(Terraform::discover(&missing), Err(DiscoverError::NotExecutable(_))));
    }
}
