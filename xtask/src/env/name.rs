//! The argument NAME.

use menagerie_naming::{EnvName, NameError};

/// Parses the name of an environment; the error says what a right one would be.
pub(crate) fn parse(text: &str) -> Result<EnvName, String> {
    text.parse().map_err(|error: NameError| match suggestion(text) {
        None if matches!(error, NameError::Reserved { .. }) => {
            format!("{error}\nhint: take another name, or none: one is drawn")
        }
        Some(name) => format!("{error}\nhint: `{name}` would do"),
        None => format!("{error}\nhint: a name is like `calm-otter`: words of `a-z` and `0-9` with a hyphen between them"),
    })
}

/// Returns the text as a name, where it is one but for its case and what stands between the words.
fn suggestion(text: &str) -> Option<EnvName> {
    let is_near = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | ' ')
    };
    if !text.chars().all(is_near) || text.contains("..") {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split(['-', '_', '.', ' ']).filter(|word| !word.is_empty()).collect();
    words.join("-").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).unwrap_err(), expected);
    }

    #[test]
    fn a_name() {
        assert_eq!(parse("calm-otter").unwrap().as_str(), "calm-otter");
    }

    #[test]
    fn what_is_nearly_a_name() {
        check(
            "Calm_Otter",
            "a name is lower-case, but character 1 is `C`\nhint: `calm-otter` would do",
        );
        check("calm--otter", "a name has no two hyphens in a row\nhint: `calm-otter` would do");
    }

    #[test]
    fn what_is_reserved() {
        let reason = "it would read as production, which is never disposable";
        let hint = "hint: take another name, or none: one is drawn";
        check("production", &format!("`production` is reserved: {reason}\n{hint}"));
    }

    #[test]
    fn what_is_none() {
        let hint = "\nhint: a name is like `calm-otter`: words of `a-z` and `0-9` with a hyphen between them";
        check("../otter", &format!("a name is one word, not a path: it holds `..`{hint}"));
        check("", &format!("a name can't be empty{hint}"));
        check(&"a".repeat(25), &format!("a name has at most 24 characters, this one has 25{hint}"));
    }
}
