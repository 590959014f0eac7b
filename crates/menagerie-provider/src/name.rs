//! The name of a service or a database: safe as a file name, short enough for every derived path.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A lower-case label: `[a-z][a-z0-9-]{0,62}`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Name(String);

/// A text that is no name.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{0}` is no name: lower-case letters, digits and `-`, a letter first, at most 63 characters"
)]
pub(crate) struct NameError(String);

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let mut characters = text.chars();
        let first = characters.next().is_some_and(|character| character.is_ascii_lowercase());
        let rest = characters.all(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        });
        if first && rest && text.len() <= 63 {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError(text.to_owned()))
        }
    }
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, valid: bool) {
        assert_eq!(text.parse::<Name>().is_ok(), valid, "{text:?}");
    }

    #[test]
    fn labels_are_names() {
        check("web", true);
        check("calm-otter-2", true);
        check(&"a".repeat(63), true);
    }

    #[test]
    fn everything_else_is_not() {
        check("", false);
        check("Web", false);
        check("2web", false);
        check("-web", false);
        check("..", false);
        check("a/b", false);
        check("a\n", false);
        check("é", false);
        check(&"a".repeat(64), false);
    }

    proptest! {
        #[test]
        fn a_name_is_one_path_component(text in ".{0,80}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(std::path::Path::new(name.as_str()).components().count(), 1);
            }
        }
    }
}
