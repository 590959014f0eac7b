//! [`EnvName`]: the name of an environment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::reserved;

/// The name of an environment: a lower-case DNS label of at most [`EnvName::MAX_LENGTH`] characters
/// that starts with a letter, without double hyphens, and not a reserved word.
///
/// It may stand in a path, a host name, a branch, a tag and the name of a cloud resource without
/// quoting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvName(String);

impl EnvName {
    /// The most characters of a name: what leaves eight of AWS's 32 for the hyphen and the part
    /// that says what it is.
    pub const MAX_LENGTH: usize = 24;

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no name of an environment.
///
/// Texts that could be long or hold anything are not repeated; the caller knows them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// There is no text.
    #[error("a name can't be empty")]
    Empty,
    /// It holds `..` or `/`, as a path would.
    #[error("a name is one word, not a path: it holds `{0}`")]
    Path(&'static str),
    /// It has more than [`EnvName::MAX_LENGTH`] characters.
    #[error("a name has at most {max} characters, this one has {0}", max = EnvName::MAX_LENGTH)]
    TooLong(usize),
    /// It has an upper-case letter.
    #[error("a name is lower-case, but character {position} is `{character}`")]
    UpperCase {
        /// The letter.
        character: char,
        /// Its place, from 1.
        position: usize,
    },
    /// It has a character other than `a-z`, `0-9` and `-`.
    #[error("a name holds only `a-z`, `0-9` and `-`, but character {position} is `{}`", .character.escape_debug())]
    Character {
        /// The character.
        character: char,
        /// Its place, from 1.
        position: usize,
    },
    /// It starts with a digit or a hyphen.
    #[error("a name starts with a letter, not with `{0}`")]
    Start(char),
    /// It has two hyphens in a row.
    #[error("a name has no two hyphens in a row")]
    DoubleHyphen,
    /// It ends with a hyphen.
    #[error("a name can't end with a hyphen")]
    TrailingHyphen,
    /// It is a word that would mislead, or that another system refuses.
    #[error("`{name}` is reserved: {reason}")]
    Reserved {
        /// The word.
        name: String,
        /// Why it is reserved.
        reason: &'static str,
    },
}

impl FromStr for EnvName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }
}

fn check(text: &str) -> Result<(), NameError> {
    // Ordered by what helps most: `../../etc` is told about paths, not that it starts with a dot.
    if let Some(part) = ["..", "/"].into_iter().find(|part| text.contains(part)) {
        return Err(NameError::Path(part));
    }
    let first = text.chars().next().ok_or(NameError::Empty)?;
    for (index, character) in text.chars().enumerate() {
        let position = index + 1;
        match character {
            'a'..='z' | '0'..='9' | '-' => {}
            _ if character.is_uppercase() => {
                return Err(NameError::UpperCase { character, position });
            }
            _ => return Err(NameError::Character { character, position }),
        }
    }
    if text.len() > EnvName::MAX_LENGTH {
        return Err(NameError::TooLong(text.len()));
    }
    if !first.is_ascii_lowercase() {
        return Err(NameError::Start(first));
    }
    if text.contains("--") {
        return Err(NameError::DoubleHyphen);
    }
    if text.ends_with('-') {
        return Err(NameError::TrailingHyphen);
    }
    match reserved::reason(text) {
        Some(reason) => Err(NameError::Reserved { name: text.to_owned(), reason }),
        None => Ok(()),
    }
}

impl TryFrom<String> for EnvName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        check(&text)?;
        Ok(Self(text))
    }
}

impl From<EnvName> for String {
    fn from(name: EnvName) -> Self {
        name.0
    }
}

impl AsRef<str> for EnvName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::name::strategy::any_name;

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        let actual = text.parse::<EnvName>();
        assert_eq!(
            actual.as_ref().map(|_| ()).map_err(ToString::to_string),
            expected.map_err(str::to_owned)
        );
        if let Ok(name) = actual {
            assert_eq!(name.as_str(), text);
        }
    }

    #[test]
    fn names() {
        check("calm-otter", Ok(()));
        check("a", Ok(()));
        check("pr-1234", Ok(()));
        check("abcdefghijklmnopqrstuvwx", Ok(()));
    }

    #[test]
    fn empty() {
        check("", Err("a name can't be empty"));
    }

    #[test]
    fn too_long() {
        check(
            "abcdefghijklmnopqrstuvwxy",
            Err("a name has at most 24 characters, this one has 25"),
        );
        check(&"a".repeat(10_000), Err("a name has at most 24 characters, this one has 10000"));
    }

    #[test]
    fn upper_case() {
        check("calm-Otter", Err("a name is lower-case, but character 6 is `O`"));
        check("École", Err("a name is lower-case, but character 1 is `É`"));
    }

    #[test]
    fn paths() {
        check("../otter", Err("a name is one word, not a path: it holds `..`"));
        check("..", Err("a name is one word, not a path: it holds `..`"));
        check("calm/otter", Err("a name is one word, not a path: it holds `/`"));
    }

    #[test]
    fn other_characters() {
        check("calm_otter", Err("a name holds only `a-z`, `0-9` and `-`, but character 5 is `_`"));
        check("calm.otter", Err("a name holds only `a-z`, `0-9` and `-`, but character 5 is `.`"));
        check("öl", Err("a name holds only `a-z`, `0-9` and `-`, but character 1 is `ö`"));
        check("a${b}", Err("a name holds only `a-z`, `0-9` and `-`, but character 2 is `$`"));
        check(
            "a\u{1b}[31m",
            Err("a name holds only `a-z`, `0-9` and `-`, but character 2 is `\\u{1b}`"),
        );
        check(
            "calm otter\n",
            Err("a name holds only `a-z`, `0-9` and `-`, but character 5 is ` `"),
        );
    }

    #[test]
    fn starts() {
        check("1otter", Err("a name starts with a letter, not with `1`"));
        check("-rf", Err("a name starts with a letter, not with `-`"));
    }

    #[test]
    fn hyphens() {
        check("xn--otter", Err("a name has no two hyphens in a row"));
        check("otter-", Err("a name can't end with a hyphen"));
    }

    #[test]
    fn reserved() {
        check(
            "production",
            Err("`production` is reserved: it would read as production, which is never disposable"),
        );
        check(
            "internal-tools",
            Err(
                "`internal-tools` is reserved: AWS refuses load balancers whose name begins with `internal-`",
            ),
        );
    }

    #[test]
    fn json_goes_through_parse() {
        assert_eq!(
            serde_json::from_str::<EnvName>(r#""calm-otter""#).unwrap().as_str(),
            "calm-otter"
        );
        let error = serde_json::from_str::<EnvName>(r#""../otter""#).unwrap_err();
        assert!(error.to_string().contains("not a path"), "{error}");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in any::<String>()) {
            let _ = text.parse::<EnvName>();
        }

        #[test]
        fn what_prints_parses_back(name in any_name()) {
            prop_assert_eq!(name.to_string().parse::<EnvName>(), Ok(name.clone()));
            let json = serde_json::to_string(&name).unwrap();
            prop_assert_eq!(serde_json::from_str::<EnvName>(&json).unwrap(), name);
        }

        /// The same rule, said as the regular expression of a DNS label.
        #[test]
        fn labels_parse_unless_long_or_reserved(text in "[a-z][a-z0-9]{0,4}(-[a-z0-9]{1,8}){0,3}") {
            match text.parse::<EnvName>() {
                Ok(_) => prop_assert!(text.len() <= EnvName::MAX_LENGTH),
                Err(NameError::TooLong(length)) => prop_assert_eq!(length, text.len()),
                Err(NameError::Reserved { name, .. }) => prop_assert_eq!(name, text),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod strategy {
    //! Names for the laws of this crate.

    use proptest::prelude::*;

    use super::EnvName;

    /// Returns any name, long ones among them.
    pub(crate) fn any_name() -> impl Strategy<Value = EnvName> {
        "[a-z][a-z0-9]{0,11}(-[a-z0-9]{1,5}){0,2}"
            .prop_filter_map("reserved", |text| text.parse().ok())
    }

    /// Returns names so short and alike that they are often near one another.
    pub(crate) fn alike_name() -> impl Strategy<Value = EnvName> {
        "[ab]{1,4}(-[ab]{1,2})?"
            .prop_map(|text| text.parse().expect("a label that is not reserved"))
    }
}
