//! Text from outside, made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns `text` with control characters but newline and tab escaped: a value from a cloud, or from a pull request, must not
/// move the cursor or change what was printed before it.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_plain =
        |character: char| character == '\n' || character == '\t' || !is_control(character);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_plain(character) {
            escaped.push(character);
        } else {
            push_escape(&mut escaped, character);
        }
    }
    Cow::Owned(escaped)
}

/// Returns `text` on one line: as [`printable`], with newline and tab escaped too.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    match printable(text) {
        Cow::Borrowed(text) if !text.contains(['\n', '\t']) => Cow::Borrowed(text),
        text => Cow::Owned(text.replace('\n', "\\n").replace('\t', "\\t")),
    }
}

/// Returns whether `character` is a control character or changes the direction of the text around it.
pub(crate) fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends the escape of `character`, in the form `\u{1b}`.
pub(crate) fn push_escape(text: &mut String, character: char) {
    write!(text, "\\u{{{:x}}}", u32::from(character)).expect("writing to a string can't fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(one_line(input), expected);
    }

    #[test]
    fn escapes_what_moves_the_cursor() {
        check("plain ü 🦦", "plain ü 🦦");
        check("a\u{1b}[2Jb", "a\\u{1b}[2Jb");
        check("a\r\nb\tc", "a\\u{d}\\nb\\tc");
        check("a\u{202e}b", "a\\u{202e}b");
    }
}
