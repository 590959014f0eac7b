//! [`Variables`]: environment variables of an application.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Environment variables of an application, plain ones: a secret has no place in a file under
/// version control.
pub type Variables = BTreeMap<VariableName, VariableValue>;

/// The name of an environment variable that an application may be given: `[A-Za-z_][A-Za-z0-9_]*`,
/// and none of those that the hosting sets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableName(String);

/// The value of an environment variable: any text without a zero byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableValue(String);

/// Why a variable can't be given to an application.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VariableError {
    /// The name is not a name.
    #[error("`{}` is no name of a variable: it is letters, digits and `_`, and starts with no digit", .0.escape_debug())]
    Name(String),
    /// The hosting sets it.
    #[error("`{0}` is set by the hosting, so it can't be given")]
    SetByHosting(String),
    /// The value holds a zero byte, at which the operating system would end it. The value itself is
    /// not repeated.
    #[error("the value of a variable can't hold a zero byte")]
    ZeroByte,
}

impl VariableName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VariableValue {
    /// Returns the value as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VariableName {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, VariableError> {
        let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if !text.chars().all(is_name)
            || text.is_empty()
            || text.starts_with(|first: char| first.is_ascii_digit())
        {
            return Err(VariableError::Name(text.to_owned()));
        }
        if ["DATABASE_URL", "PORT"].contains(&text) || text.starts_with("MENAGERIE_") {
            return Err(VariableError::SetByHosting(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for VariableValue {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, VariableError> {
        if text.contains('\0') {
            return Err(VariableError::ZeroByte);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// Shows no value: what should not have been written here at least does not reach a log.
impl fmt::Debug for VariableValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Result<(), &str>) {
        let actual = name.parse::<VariableName>();
        assert_eq!(
            actual.map(|_| ()).map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn names() {
        check("LOG_LEVEL", Ok(()));
        check("_x9", Ok(()));
        check("PORTS", Ok(()));
        let no_name = |name: &str| {
            format!(
                "`{name}` is no name of a variable: it is letters, digits and `_`, and starts with no digit"
            )
        };
        for name in ["", "9X", "LOG-LEVEL", "A B", "A=B", "é", "${x}"] {
            check(name, Err(&no_name(name)));
        }
    }

    #[test]
    fn names_that_the_hosting_sets() {
        for name in ["PORT", "DATABASE_URL", "MENAGERIE_ENVIRONMENT", "MENAGERIE_"] {
            check(name, Err(&format!("`{name}` is set by the hosting, so it can't be given")));
        }
    }

    #[test]
    fn values() {
        assert_eq!("".parse::<VariableValue>().unwrap().as_str(), "");
        assert_eq!("a\n${b}\"".parse::<VariableValue>().unwrap().as_str(), "a\n${b}\"");
        assert_eq!("a\0b".parse::<VariableValue>(), Err(VariableError::ZeroByte));
        assert_eq!(format!("{:?}", "hush".parse::<VariableValue>().unwrap()), "***");
    }
}
