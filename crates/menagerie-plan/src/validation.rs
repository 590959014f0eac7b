//! The answer of `terraform validate -json`.

use serde::Deserialize;

use crate::diagnostic::Diagnostic;
use crate::parse::{ParseError, null_as_default, versioned};

/// The answer of `terraform validate -json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Validation {
    /// Whether there are no errors.
    pub valid: bool,
    /// The number of errors.
    #[serde(default)]
    pub error_count: usize,
    /// The number of warnings.
    #[serde(default)]
    pub warning_count: usize,
    /// What was found.
    #[serde(default, deserialize_with = "null_as_default")]
    pub diagnostics: Vec<Diagnostic>,
}

impl Validation {
    /// Reads what `terraform validate -json` printed, whatever its exit code.
    pub fn from_json(json: &[u8]) -> Result<Self, ParseError> {
        versioned("validation", json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_answer() {
        let validation =
            Validation::from_json(include_bytes!("../tests/fixtures/validation.json")).unwrap();
        assert_eq!(
            (validation.valid, validation.error_count, validation.warning_count),
            (false, 1, 0)
        );
        assert_eq!(validation.diagnostics[0].range.as_ref().unwrap().start.line, 9);
    }

    #[test]
    fn text_is_no_answer() {
        Validation::from_json(b"Error: no").unwrap_err();
    }
}
