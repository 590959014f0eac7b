//! Texts of somebody else's, which must stay texts.

use std::fmt::Write as _;

/// Returns a text as a terminal may show it, on one line: what would move the cursor, color or turn the line stands as its
/// escape.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        push(&mut shown, letter);
    }
    shown
}

/// Returns the same for a text of several lines.
pub fn plain_lines(text: &str) -> String {
    text.trim().lines().map(plain).collect::<Vec<_>>().join("\n")
}

fn push(shown: &mut String, letter: char) {
    // What turns the direction of writing makes a text look like another.
    let is_turning = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    if letter.is_control() || is_turning {
        write!(shown, "{}", letter.escape_default()).expect("writing to a string can't fail");
    } else {
        shown.push(letter);
    }
}

/// Returns a text of one line as Markdown that shows it and does nothing else.
pub(crate) fn markdown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in plain(text).chars() {
        match letter {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => {
                shown.push('\\');
                shown.push(letter);
            }
            other => shown.push(other),
        }
    }
    shown
}

/// Returns the lines of a text of a rule's author as Markdown, in which code stays code.
pub(crate) fn prose(text: &str) -> String {
    let lines = plain_lines(text);
    let mut shown = String::with_capacity(lines.len());
    for (index, part) in lines.split('`').enumerate() {
        if index > 0 {
            shown.push('`');
        }
        if index % 2 == 1 {
            shown.push_str(part);
        } else {
            shown.push_str(&part.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_takes_effect() {
        assert_eq!(plain("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m\\nb\\u{202e}");
        assert_eq!(plain_lines("a\r\nb\u{7}"), "a\nb\\u{7}");
        assert_eq!(
            markdown("<img src=x> [a](b) | *c* @team"),
            "&lt;img src=x&gt; \\[a\\](b) \\| \\*c\\* \\@team"
        );
        assert_eq!(prose("use `a<b` & <b>"), "use `a<b` &amp; &lt;b&gt;");
    }
}
