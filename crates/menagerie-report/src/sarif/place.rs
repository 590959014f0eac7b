//! Places as SARIF has them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use menagerie_compliance::{Finding, Place};
use serde_json::{Value, json};

use crate::harmless::is_inside;

/// What all files are relative to.
pub(super) const BASE: &str = "%SRCROOT%";

/// Files that stand for all of a root module, or of the repository.
const NEAR: [&str; 5] = ["main.tf", "terraform.tf", "versions.tf", "env.toml", "README.md"];

/// The places of findings.
pub(super) struct Places<'a> {
    files: &'a dyn Fn(&str) -> Option<String>,
    near: BTreeMap<String, Option<String>>,
    /// How many have none.
    pub(super) nowhere: usize,
}

impl<'a> Places<'a> {
    pub(super) fn new(files: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { files, near: BTreeMap::new(), nowhere: 0 }
    }

    /// Returns where a finding points: one place, or none.
    pub(super) fn of(&mut self, finding: &Finding) -> Vec<Value> {
        let primary = finding.location.as_ref().map(|location| &location.primary);
        let mut at = primary.and_then(location).or_else(|| self.near(finding));
        if at.is_none() {
            self.nowhere += 1;
        }
        if let (Some(at), Some(address)) = (&mut at, &finding.address) {
            at["logicalLocations"] = json!([{"fullyQualifiedName": address, "kind": "resource"}]);
        }
        at.into_iter().collect()
    }

    /// Returns the file that is nearest to a finding without a place: of its root module, or where its record is.
    fn near(&mut self, finding: &Finding) -> Option<Value> {
        let address = finding.address.as_deref().unwrap_or_default();
        let place = match address.split_once(':') {
            Some((place, _)) if finding.root.is_empty() => place,
            _ => &finding.root,
        };
        let files = self.files;
        let near = self.near.entry(place.to_owned()).or_insert_with(|| {
            let place = place.trim_end_matches('/');
            let below = NEAR.iter().map(|file| format!("{place}/{file}"));
            let top = NEAR.iter().rev().map(|file| (*file).to_owned());
            let mut candidates = std::iter::once(place.to_owned()).chain(below).chain(top);
            candidates.find(|file| uri(file).is_some() && files(file).is_some())
        });
        let file = near.clone()?;
        location(&Place { file, line: 1, column: 1, end_line: 1, end_column: 1 })
    }
}

/// Returns a place; none where its file is not one of the repository.
pub(super) fn location(place: &Place) -> Option<Value> {
    let line = place.line.max(1);
    let column = place.column.max(1);
    let end_line = place.end_line.max(line);
    let end_column =
        if end_line == line { place.end_column.max(column) } else { place.end_column.max(1) };
    Some(json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&place.file)?, "uriBaseId": BASE},
        "region": {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column},
    }}))
}

/// Returns a path as a relative reference; none where it is no path inside of the repository.
fn uri(path: &str) -> Option<String> {
    if !is_inside(path) {
        return None;
    }
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("writing to a string can't fail");
        }
    }
    Some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        for (path, expected) in [
            ("tf/a/main.tf", "tf/a/main.tf"),
            ("a b/c#d?e%.tf", "a%20b/c%23d%3Fe%25.tf"),
            ("größe\\x:y.tf", "gr%C3%B6%C3%9Fe%5Cx%3Ay.tf"),
            ("javascript:alert(1)", "javascript%3Aalert%281%29"),
            (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
        ] {
            assert_eq!(uri(path).as_deref(), Some(expected));
        }
        for path in ["", "/etc/passwd", "../a", "a/../b", "a//b", "./a", "a/"] {
            assert_eq!(uri(path), None, "{path}");
        }
    }

    #[test]
    fn a_place_never_ends_before_it_begins() {
        let place = Place { file: "a".to_owned(), line: 3, column: 9, end_line: 3, end_column: 0 };
        let region = &location(&place).unwrap()["physicalLocation"]["region"];
        assert_eq!(region["endColumn"], 9);
        let region = &location(&Place { line: 0, end_line: 0, ..place }).unwrap();
        assert_eq!(region["physicalLocation"]["region"]["startLine"], 1);
    }
}
