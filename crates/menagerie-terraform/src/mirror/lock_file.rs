//! Which providers a root module is locked to: what `.terraform.lock.hcl` says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::mirror::MirrorError;

/// A provider at the version and with the checksums that a lock file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Locked {
    /// Its address with the host, such as `registry.terraform.io/hashicorp/aws`.
    pub(crate) source: String,
    pub(crate) version: String,
    /// Checksums of the unpacked package, one a platform, beginning with `h1:`.
    pub(crate) checksums: Vec<String>,
}

impl Locked {
    /// Returns where its packages lie in a mirror or in a data directory; one for each platform is in there.
    pub(crate) fn directory(&self, providers: &Path) -> PathBuf {
        providers.join(&self.source).join(&self.version)
    }

    /// Returns the last part of the address.
    pub(crate) fn name(&self) -> &str {
        self.source.rsplit('/').next().unwrap_or_default()
    }

    /// Returns whether both parts can stand in a path and in a configuration, whoever wrote the file.
    fn is_well_formed(&self) -> bool {
        let is_word = |word: &str, more: &str| {
            let first = word.chars().next();
            first.is_some_and(char::is_alphanumeric)
                && word.chars().all(|letter| letter.is_alphanumeric() || more.contains(letter))
        };
        self.source.split('/').count() == 3
            && self.source.split('/').all(|part| is_word(part, "-._:"))
            && is_word(&self.version, ".+-")
    }
}

/// Reads the lock file of a root module.
pub(crate) fn read(path: &Path) -> Result<Vec<Locked>, MirrorError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            parse(&text).map_err(|line| MirrorError::LockFile { path: path.to_owned(), line })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(MirrorError::NoLockFile(path.to_owned()))
        }
        Err(source) => Err(MirrorError::file("read", path, source)),
    }
}

/// Parses the file as Terraform writes it, each thing on a line of its own; the error is the number of a line that is not so.
fn parse(text: &str) -> Result<Vec<Locked>, usize> {
    let mut providers = Vec::new();
    let mut current: Option<Locked> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let malformed = index + 1;
        if let Some(rest) = line.strip_prefix("provider ") {
            let source = rest.strip_suffix('{').and_then(quoted);
            let source = source.filter(|_| current.is_none()).ok_or(malformed)?.to_owned();
            current = Some(Locked { source, version: String::new(), checksums: Vec::new() });
        } else if line == "}" {
            let provider = current.take().filter(Locked::is_well_formed).ok_or(malformed)?;
            providers.push(provider);
        } else if let (Some(provider), Some((key, value))) = (&mut current, line.split_once('=')) {
            match (key.trim(), quoted(value)) {
                ("version", Some(version)) => version.clone_into(&mut provider.version),
                ("version", None) => return Err(malformed),
                // Checksums end with `=`, so that they come here too.
                _ => provider.checksums.extend(checksum(line)),
            }
        } else if let Some(provider) = &mut current {
            provider.checksums.extend(checksum(line));
        } else if !(line.is_empty() || line.starts_with('#') || line.starts_with("//")) {
            return Err(malformed);
        }
    }
    if current.is_some() { Err(text.lines().count()) } else { Ok(providers) }
}

fn quoted(text: &str) -> Option<&str> {
    text.trim().strip_prefix('"')?.strip_suffix('"')
}

fn checksum(line: &str) -> Option<String> {
    // A list of one may stand on the line of its name.
    let start = line.find("\"h1:")?;
    let checksum = line[start + 1..].split('"').next()?;
    Some(checksum.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# This file is maintained automatically by "terraform init".

provider "registry.terraform.io/hashicorp/aws" {
  version     = "3.39.0"
  constraints = "~> 3.0, != 3.1"
  hashes = [
    "h1:goOMfGE4SjLps+hpxJFEM/pZFiNgvi6BMG8/w86+f6k=",
    "zh:00",
    "h1:x=",
  ]
}

provider "localhost:8443/lab/tiny" {
  version = "1.0.0-rc.1+meta"
  hashes  = ["h1:y="]
}
"#;

    #[test]
    fn providers_with_their_versions_and_checksums() {
        let expected = [
            Locked {
                source: "registry.terraform.io/hashicorp/aws".into(),
                version: "3.39.0".into(),
                checksums: vec![
                    "h1:goOMfGE4SjLps+hpxJFEM/pZFiNgvi6BMG8/w86+f6k=".into(),
                    "h1:x=".into(),
                ],
            },
            Locked {
                source: "localhost:8443/lab/tiny".into(),
                version: "1.0.0-rc.1+meta".into(),
                checksums: vec!["h1:y=".into()],
            },
        ];
        assert_eq!(parse(TEXT).unwrap(), expected);
        assert_eq!(parse("# nothing\n").unwrap(), []);
    }

    #[track_caller]
    fn check(text: &str, line: usize) {
        assert_eq!(parse(text).unwrap_err(), line, "{text}");
    }

    #[test]
    fn what_is_no_lock_file_is_refused() {
        check("resource \"x\" \"y\" {\n", 1);
        check("provider \"a/b/c\" {\n  version = \"1.0.0\"\n", 2);
        check("provider \"a/b/c\" {\n  version = 1\n}\n", 2);
        check("provider \"a/b/c\" {\n}\n", 2);
        check("provider \"b/c\" {\n  version = \"1.0.0\"\n}\n", 3);
        check("provider \"a/../c\" {\n  version = \"1.0.0\"\n}\n", 3);
        check("provider \"a/b/c\" {\n  version = \"${path.root}\"\n}\n", 3);
        check("provider \"a/b/c\" {\n  version = \"../1\"\n}\n", 3);
    }
}
