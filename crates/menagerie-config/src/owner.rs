//! [`Owner`]: who answers for an environment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Who answers for an environment: what a person or CI calls itself, at most [`Owner::MAX_LENGTH`]
/// characters on one line.
///
/// It is text and nothing else: whoever puts it into a file writes it as a literal of that file's
/// language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Owner(String);

/// Why a text is no owner.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OwnerError {
    /// There is nothing but spaces.
    #[error("an owner can't be empty")]
    Empty,
    /// It has more than [`Owner::MAX_LENGTH`] characters.
    #[error("an owner has at most {max} characters, this one has {0}", max = Owner::MAX_LENGTH)]
    TooLong(usize),
    /// It has a control character, such as the end of a line.
    #[error("an owner is one line of text, but character {position} is `{}`", .character.escape_debug())]
    Control {
        /// The character.
        character: char,
        /// Its place, from 1.
        position: usize,
    },
}

impl Owner {
    /// The most characters of an owner.
    pub const MAX_LENGTH: usize = 128;

    /// Returns the owner as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether a character could end a line, move the cursor or turn the direction of what a
/// terminal shows.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl TryFrom<String> for Owner {
    type Error = OwnerError;

    fn try_from(text: String) -> Result<Self, OwnerError> {
        if text.trim().is_empty() {
            return Err(OwnerError::Empty);
        }
        let length = text.chars().count();
        if length > Self::MAX_LENGTH {
            return Err(OwnerError::TooLong(length));
        }
        match text.chars().enumerate().find(|(_, character)| is_control(*character)) {
            Some((index, character)) => Err(OwnerError::Control { character, position: index + 1 }),
            None => Ok(Self(text)),
        }
    }
}

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, OwnerError> {
        text.to_owned().try_into()
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> Self {
        owner.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let actual = text.parse::<Owner>().map(String::from).map_err(|error| error.to_string());
        assert_eq!(actual, expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn owners() {
        for text in [
            "ada",
            "Ada Lovelace <ada@example.com>",
            r#"${var.x} "%{if}" \n '; rm -rf /"#,
            "日本",
            "team/web",
        ] {
            check(text, Ok(text));
        }
    }

    #[test]
    fn others() {
        check("", Err("an owner can't be empty"));
        check("  ", Err("an owner can't be empty"));
        check(&"é".repeat(129), Err("an owner has at most 128 characters, this one has 129"));
        check("ada\nbob", Err(r"an owner is one line of text, but character 4 is `\n`"));
        check("\u{1b}[31m", Err(r"an owner is one line of text, but character 1 is `\u{1b}`"));
        check("a\u{202e}b", Err(r"an owner is one line of text, but character 2 is `\u{202e}`"));
    }
}
