//! Actions of this repository that steps name, wherever they lie.

use std::collections::BTreeSet;
use std::io;

use super::{action, read_yaml};
use crate::{Evidence, Files};

/// Reads the actions that steps name by `./`, and those that these name. What is not there comes from elsewhere: from another
/// repository that the job fetches, or from what it builds, and so may change without this one.
pub(super) fn read(files: &dyn Files, mut known: BTreeSet<String>, evidence: &mut Evidence) {
    let mut index = 0;
    while index < evidence.records.len() {
        let named = named(evidence, index).map(str::to_owned);
        index += 1;
        let Some(named) = named else { continue };
        let Some(path) = find(files, &named) else {
            let values = &mut evidence.records[index - 1].values;
            values["is_local"] = false.into();
            values["is_pinned"] = false.into();
            continue;
        };
        if known.insert(path.clone()) {
            read_yaml(files, &path, evidence, action::read);
        }
    }
}

/// Returns the directory that a step names, as it is written.
fn named(evidence: &Evidence, index: usize) -> Option<&str> {
    let record = &evidence.records[index];
    let is_local = record.kind == "step" && record.values.get("is_local")?.as_bool()?;
    record.values.get("action")?.as_str().filter(|_| is_local)
}

/// Returns the file that says what an action does.
fn find(files: &dyn Files, directory: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in directory.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    let is_there = |path: &String| !matches!(files.read(path), Err(error) if error.kind() == io::ErrorKind::NotFound);
    let candidates = ["action.yml", "action.yaml"]
        .map(|name| parts.iter().copied().chain([name]).collect::<Vec<_>>().join("/"));
    candidates.into_iter().find(is_there)
}
