//! [`HealthCheckPath`]: where an application says that it is ready.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The path of a URL at which an application answers 200 when it is ready.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HealthCheckPath(String);

/// Why a text is no such path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HealthCheckPathError {
    /// It does not start with a slash.
    #[error("a health check path starts with `/`")]
    Start,
    /// It has a character that has to be written otherwise in a request, or that ends the path.
    #[error("a health check path is part of a URL, in which character {position}, `{}`, can't stand", .character.escape_debug())]
    Character {
        /// The character.
        character: char,
        /// Its place, from 1.
        position: usize,
    },
    /// It is longer than what a load balancer takes.
    #[error("a health check path has at most {max} characters, this one has {0}", max = HealthCheckPath::MAX_LENGTH)]
    TooLong(usize),
}

impl HealthCheckPath {
    /// The most characters: those of `HealthCheckPath` in the `CreateTargetGroup` reference of
    /// Elastic Load Balancing.
    pub const MAX_LENGTH: usize = 1024;

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for HealthCheckPath {
    fn default() -> Self {
        Self("/healthz".to_owned())
    }
}

impl FromStr for HealthCheckPath {
    type Err = HealthCheckPathError;

    fn from_str(text: &str) -> Result<Self, HealthCheckPathError> {
        if !text.starts_with('/') {
            return Err(HealthCheckPathError::Start);
        }
        if let Some((position, character)) = wrong_character(text) {
            return Err(HealthCheckPathError::Character { character, position });
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(HealthCheckPathError::TooLong(text.len()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Returns the first character that has to be written otherwise in a request, with its place from 1.
pub(crate) fn wrong_character(text: &str) -> Option<(usize, char)> {
    let is_wrong =
        |character: char| !character.is_ascii_graphic() || "\"#<>\\^`{|}".contains(character);
    let (index, character) =
        text.chars().enumerate().find(|(_, character)| is_wrong(*character))?;
    Some((index + 1, character))
}

impl fmt::Display for HealthCheckPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        let actual = text.parse::<HealthCheckPath>();
        assert_eq!(
            actual.map(|_| ()).map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn paths() {
        check("/", Ok(()));
        check("/health/ready?deep=1&x=%20", Ok(()));
        check(HealthCheckPath::default().as_str(), Ok(()));
        check("", Err("a health check path starts with `/`"));
        check("readyz", Err("a health check path starts with `/`"));
        check(
            "/a b",
            Err("a health check path is part of a URL, in which character 3, ` `, can't stand"),
        );
        check(
            "/é",
            Err("a health check path is part of a URL, in which character 2, `é`, can't stand"),
        );
        check(
            "/${x}",
            Err("a health check path is part of a URL, in which character 3, `{`, can't stand"),
        );
        check(
            "/\r\nHost:",
            Err(r"a health check path is part of a URL, in which character 2, `\r`, can't stand"),
        );
        check(
            &"/".repeat(1025),
            Err("a health check path has at most 1024 characters, this one has 1025"),
        );
    }
}
