//! Finds the files of a repository.

use std::io;

use crate::{Evidence, Files, Unreadable};

/// Returns the files below a directory, sorted, without those of directories that `is_skipped` by their names.
pub(crate) fn walk(
    files: &dyn Files,
    directory: &str,
    is_skipped: fn(&str) -> bool,
    evidence: &mut Evidence,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for (path, is_directory) in list(files, &directory, evidence) {
            if !is_directory {
                found.push(path);
            } else if !is_skipped(path.rsplit('/').next().unwrap_or(&path)) {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Returns the paths of what is in a directory, and whether each is a directory; nothing where there is no such directory.
pub(crate) fn list(
    files: &dyn Files,
    directory: &str,
    evidence: &mut Evidence,
) -> Vec<(String, bool)> {
    match files.list(directory) {
        Ok(entries) => {
            let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
            let path = |name: &str| format!("{prefix}{name}");
            entries.iter().map(|entry| (path(&entry.name), entry.is_directory)).collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            evidence.unreadable.push(unreadable(directory, &error));
            Vec::new()
        }
    }
}

/// Returns the text of a file; none, and that is told, where it can't be read.
pub(crate) fn read(files: &dyn Files, path: &str, evidence: &mut Evidence) -> Option<String> {
    match files.read(path) {
        Ok(text) => Some(text),
        Err(error) => {
            evidence.unreadable.push(unreadable(path, &error));
            None
        }
    }
}

fn unreadable(path: &str, error: &io::Error) -> Unreadable {
    Unreadable {
        file: path.to_owned(),
        line: 1,
        column: 1,
        message: format!("can't be read: {error}"),
    }
}
