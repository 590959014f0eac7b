//! Files of data beside the rules.

use std::path::{Component, Path};

use menagerie_compliance::PolicyFile;
use menagerie_config::Problem;
use serde_json::{Map, Value};

use crate::error::Notes;

/// Reads all files in directories `data`; what is in `data/a/b.json` is below `data.a`.
pub(crate) fn read(files: &[PolicyFile<'_>], notes: &mut Notes) -> regorus::Value {
    let mut root = Value::Object(Map::new());
    for file in files {
        let Some((directories, is_json)) = place(file.path) else { continue };
        match parse(file.text, is_json) {
            Ok(value) => {
                let value = directories.iter().rev().fold(value, |value, directory| {
                    Value::Object(Map::from_iter([((*directory).to_owned(), value)]))
                });
                if let Err(at) = merge(&mut root, value, "data".to_owned()) {
                    let message = format!("`{at}` is in another file of data already");
                    notes.note(file.path, Problem::of_file(message, None));
                }
            }
            Err(problem) => notes.note(file.path, problem),
        }
    }
    regorus::Value::from(root)
}

/// Returns the directories below `data`, and whether it is JSON, for a file of data.
fn place(path: &Path) -> Option<(Vec<&str>, bool)> {
    let is_json = match path.extension()?.to_str()? {
        "json" => true,
        "yaml" | "yml" => false,
        _ => return None,
    };
    let parts: Vec<&str> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    let (_, directories) = parts.split_last()?;
    let at = directories.iter().rposition(|directory| *directory == "data")?;
    Some((directories[at + 1..].to_vec(), is_json))
}

fn parse(text: &str, is_json: bool) -> Result<Value, Problem> {
    let (line, column, reason) = if is_json {
        match serde_json::from_str(text) {
            Ok(value) => return Ok(value),
            Err(error) => (error.line(), error.column(), error.to_string()),
        }
    } else {
        match serde_saphyr::from_str(text) {
            Ok(value) => return Ok(value),
            Err(error) => crate::error::of_yaml(&error),
        }
    };
    let at = crate::rewrite::offset(text, line, column);
    Err(Problem::at(text, &(at..at), format!("this is no data: {reason}"), None))
}

/// Puts `from` into `into`, or says where both have something.
fn merge(into: &mut Value, from: Value, at: String) -> Result<(), String> {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                let at = format!("{at}.{key}");
                match into.get_mut(&key) {
                    Some(there) => merge(there, value, at)?,
                    None => {
                        into.insert(key, value);
                    }
                }
            }
            Ok(())
        }
        _ => Err(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_where_its_directory_is() {
        let file = |path, text| PolicyFile { path: Path::new(path), text };
        let mut notes = Notes::default();
        let files = [
            file("p/data/a.json", r#"{"x": {"y": 1}}"#),
            file("p/data/x/b.yaml", "z: [2]"),
            file("p/other.json", "{"),
        ];
        let data = read(&files, &mut notes);
        assert!(notes.is_empty());
        assert_eq!(data.to_string(), r#"{"x":{"y":1,"z":[2]}}"#);
        read(&[file("data/a.json", "{"), file("data/b.json", "[]")], &mut notes);
        let errors = notes.end().unwrap_err().to_string();
        assert!(
            errors.contains("data/a.json:1:") && errors.contains("`data` is in another file"),
            "{errors}"
        );
    }
}
