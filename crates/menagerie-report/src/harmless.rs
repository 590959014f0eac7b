//! Texts of somebody else's, which must stay texts.

use std::fmt::Write as _;

use serde::Serialize;

/// Returns a text as a terminal may show it, on one line: what would move the cursor, color or turn the line stands as its
/// escape.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        // In the log of a workflow, `##[` begins a command wherever it stands.
        if letter == '[' && shown.ends_with("##") {
            shown.push_str("\\u{5b}");
        } else if is_effective(letter) {
            write!(shown, "{}", letter.escape_default()).expect("writing to a string can't fail");
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Returns the same for a text of several lines.
pub fn plain_lines(text: &str) -> String {
    let line = |line: &str| {
        let line = plain(line);
        // In the log of a workflow, a line that begins so is a command.
        if line.trim_start().starts_with("::") { format!("\\{}", line.trim_start()) } else { line }
    };
    text.trim().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns whether a character would move the cursor, color, turn the line, or make a text look like another.
pub(crate) fn is_effective(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns a value as JSON for people and programs, in whose texts no character has an effect.
pub(crate) fn json(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).expect("nothing in it can fail to be written");
    let mut shown = String::with_capacity(json.len() + 1);
    for letter in json.replace("##[", "##\\u005b").chars() {
        // Line ends are those of the layout: in texts they are escaped already.
        if letter != '\n' && is_effective(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(shown, "\\u{unit:04x}").expect("writing to a string can't fail");
            }
        } else {
            shown.push(letter);
        }
    }
    shown.push('\n');
    shown
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
        assert_eq!(plain("a##[error]b\u{e0041}"), "a##\\u{5b}error]b\\u{e0041}");
        assert_eq!(plain_lines("a\r\nb\u{7}\n  ::error::c"), "a\nb\\u{7}\n\\::error::c");
        let value = serde_json::json!(["\u{1b}\u{9b}\u{202e}##[x\u{e0041}\n"]);
        let shown = json(&value);
        assert_eq!(shown, "[\n  \"\\u001b\\u009b\\u202e##\\u005bx\\udb40\\udc41\\n\"\n]\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        assert_eq!(
            markdown("<img src=x> [a](b) | *c* @team"),
            "&lt;img src=x&gt; \\[a\\](b) \\| \\*c\\* \\@team"
        );
        assert_eq!(prose("use `a<b` & <b>"), "use `a<b` &amp; &lt;b&gt;");
    }
}
