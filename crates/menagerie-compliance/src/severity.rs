//! [`Severity`]: how bad it is.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// How bad a finding is; the least comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be put right some day.
    Low,
    /// Should be put right soon.
    Medium,
    /// Should be put right before it is applied.
    High,
    /// Somebody can do harm with it today.
    Critical,
}

/// A word that is no severity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no severity `{}`; there is `info`, `low`, `medium`, `high`, `critical`", .0.escape_debug())]
pub struct UnknownSeverity(String);

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        let found = Self::ALL.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_back_and_are_in_order() {
        for pair in Severity::ALL.windows(2) {
            assert!(pair[0] < pair[1]);
        }
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().parse(), Ok(severity));
        }
        let error = "High\n".parse::<Severity>().unwrap_err();
        assert!(error.to_string().starts_with(r"there is no severity `High\n`; "), "{error}");
    }
}
