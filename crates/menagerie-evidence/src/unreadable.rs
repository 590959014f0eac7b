//! [`Evidence`]: what was read, and what could not be.

use menagerie_compliance::Record;
use thiserror::Error;

/// What files said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// What was read.
    pub records: Vec<Record>,
    /// What could not be.
    pub unreadable: Vec<Unreadable>,
}

/// A file, or a part of one, that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Unreadable {
    /// The file, relative to the repository.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character on it, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}
