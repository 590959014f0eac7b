//! Values for variables, handed over by a file.
//!
//! In a file they are seen by nobody else (arguments are, by `ps`), have no limit of size, and are literal: `${…}` in them is
//! text.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::{Map, Value};

/// Writes a `*.tfvars.json` that only its owner may read, all of it or nothing.
pub fn write_variables(path: &Path, variables: &Map<String, Value>) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = (|| {
        let text = serde_json::to_vec_pretty(variables)?;
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&text)?;
        drop(file);
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The first error is the one that matters.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_is_private_and_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("variables.tfvars.json");
        let variables = serde_json::json!({"name": "${path.root} \"quoted\"", "count": 2});
        for _ in 0..2 {
            write_variables(&path, variables.as_object().unwrap()).unwrap();
        }
        assert_eq!(serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).unwrap(), variables);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_left_where_it_fails() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("taken.tfvars.json");
        fs::create_dir_all(path.join("inside")).unwrap();
        write_variables(&path, &Map::new()).unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
