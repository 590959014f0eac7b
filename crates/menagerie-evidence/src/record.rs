//! [`Record`], what is judged like a resource, and where it stands.

use serde_json::Value;

/// Where something stands, in a file of the repository; lines and columns from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to the repository, with `/`.
    pub file: String,
    /// The first line.
    pub line: usize,
    /// The first character on it.
    pub column: usize,
    /// The last line.
    pub end_line: usize,
    /// The character behind the last one.
    pub end_column: usize,
}

/// Where a finding points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// What a person changes.
    pub primary: Place,
    /// The rest of the way, each with a few words.
    pub related: Vec<(Place, String)>,
}

/// What is judged like a resource of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What it is: `module`, `workflow`, …
    pub kind: String,
    /// `WHERE:WHAT`.
    pub address: String,
    /// Its attributes.
    pub values: Value,
    /// Which of them are not known, as in a plan's `after_unknown`; null where all are.
    pub unknown: Value,
    /// Where it stands.
    pub place: Option<Place>,
}
