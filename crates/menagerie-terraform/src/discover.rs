//! Finds Terraform or OpenTofu, and refuses a version that is too old.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use crate::arguments::version_arguments;

/// An executable that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terraform {
    path: PathBuf,
    flavour: Flavour,
    version: Version,
}

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// HashiCorp's.
    Terraform,
    /// The Linux Foundation's.
    OpenTofu,
}

/// A version, without what follows the third number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second.
    pub minor: u64,
    /// The third.
    pub patch: u64,
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
    #[error("`{}` is {flavour} {version}, and {} or newer is needed", path.display(), flavour.oldest())]
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
        let path = match &search.explicit {
            Some(path) if is_executable(path) => path.clone(),
            Some(path) => return Err(DiscoverError::NotExecutable(path.clone())),
            None => find(search.environment.get(OsStr::new("PATH"))).ok_or(DiscoverError::NotFound)?,
        };
        let output = duct::cmd(path.as_os_str(), version_arguments())
            .full_env(&search.environment)
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .map_err(|source| DiscoverError::Start { path: path.clone(), source })?;
        #[derive(Deserialize)]
        struct Answer {
            terraform_version: Version,
        }
        let Ok(Answer { terraform_version: version }) = serde_json::from_slice(&output.stdout) else {
            let text = [output.stdout.clone(), output.stderr.clone()].concat();
            let output = String::from_utf8_lossy(&text).trim().chars().take(200).collect();
            return Err(DiscoverError::NoVersion { path, output });
        };
        // Both print the same JSON; the link that a version manager made may be called either way.
        let resolved = path.canonicalize().unwrap_or_else(|_| path.clone());
        let is_tofu = [&path, &resolved].iter().any(|path| path.file_name() == Some(OsStr::new("tofu")));
        let flavour = if is_tofu { Flavour::OpenTofu } else { Flavour::Terraform };
        if version < flavour.oldest() {
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

impl Flavour {
    /// Returns the oldest version whose behaviour this crate knows: write-only arguments and S3 lock files came with
    /// Terraform 1.11, a per-state lock of the `pg` backend with OpenTofu 1.10.
    pub fn oldest(self) -> Version {
        match self {
            Self::Terraform => Version { major: 1, minor: 11, patch: 0 },
            Self::OpenTofu => Version { major: 1, minor: 10, patch: 0 },
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Terraform => "Terraform",
            Self::OpenTofu => "OpenTofu",
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let parsed: Option<Vec<u64>> = numbers.split('.').map(|number| number.parse().ok()).collect();
        match parsed.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self { major, minor, patch }),
            _ => Err(format!("`{text}` is no version")),
        }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Returns how Terraform is installed on a system, from the text of its `/etc/os-release` where it has one.
pub fn installation(os_release: Option<&str>) -> &'static str {
    let words = |key: &str| {
        let line = os_release.unwrap_or_default().lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let names = format!("{} {}", words("ID="), words("ID_LIKE="));
    let is = |name: &str| names.split_whitespace().any(|word| word == name);
    if cfg!(target_os = "macos") {
        "`brew install hashicorp/tap/terraform`, or `brew install opentofu`"
    } else if is("arch") {
        "`pacman -S terraform`, or `pacman -S opentofu`"
    } else if is("alpine") {
        "`apk add opentofu`"
    } else if is("debian") || is("ubuntu") {
        "add HashiCorp's apt repository (https://developer.hashicorp.com/terraform/install#linux), then `apt-get install terraform`"
    } else if is("fedora") || is("rhel") {
        "add HashiCorp's dnf repository (https://developer.hashicorp.com/terraform/install#linux), then `dnf install terraform`"
    } else {
        "see https://developer.hashicorp.com/terraform/install or https://opentofu.org/docs/intro/install"
    }
}

fn find(path: Option<&OsString>) -> Option<PathBuf> {
    let directories: Vec<PathBuf> = std::env::split_paths(path?).collect();
    ["terraform", "tofu"].iter().find_map(|name| {
        directories.iter().map(|directory| directory.join(name)).find(|candidate| is_executable(candidate))
    })
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
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
        check(&[("terraform", &version("1.11.4")), ("tofu", &version("1.10.1"))], "Terraform 1.11.4");
        check(&[("tofu", &version("1.10.1"))], "OpenTofu 1.10.1");
        check(&[("terraform", &version("2.0.0-beta1"))], "Terraform 2.0.0");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        check(&[], "neither `terraform` nor `tofu` is on the PATH");
        check(&[("terraform", &version("1.10.9"))], "`DIR/terraform` is Terraform 1.10.9, and 1.11.0 or newer is needed");
        check(&[("tofu", &version("1.9.0"))], "`DIR/tofu` is OpenTofu 1.9.0, and 1.10.0 or newer is needed");
        check(&[("terraform", "echo no such version >&2")], "`DIR/terraform version -json` did not print a version: no such version");
        let missing = Search { explicit: Some("/does/not/exist".into()), ..Search::default() };
        assert!(matches!(Terraform::discover(&missing), Err(DiscoverError::NotExecutable(_))));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn how_to_get_it_depends_on_the_system() {
        assert!(installation(Some("ID=debian\n")).contains("apt-get"));
        assert!(installation(Some("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n")).contains("apt-get"));
        assert!(installation(Some("NAME=x\nID=arch\n")).contains("pacman"));
        assert!(installation(None).starts_with("see https://"));
    }
}
