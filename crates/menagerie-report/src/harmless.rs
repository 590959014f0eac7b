//! Texts of somebody else's, which must stay texts.

use std::fmt::Write as _;

use serde::Serialize;

/// Returns a text as a terminal may show it, on one line: what would move the cursor, color or turn the line stands as its
/// escape.
pub fn plain(text: &str) -> String {
    let has_control = || text.bytes().any(|byte| byte.is_ascii_control());
    if text.is_ascii() && !text.contains("##[") && !has_control() {
        return text.to_owned();
    }
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

/// Returns whether a path leads to a file inside of the repository.
pub(crate) fn is_inside(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Returns a value as JSON for people and programs, in whose texts no character has an effect.
pub(crate) fn json(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).expect("nothing in it can fail to be written");
    let json = json.replace("##[", "##\\u005b");
    let mut shown = String::with_capacity(json.len() + 1);
    // Line ends are those of the layout: in texts they are escaped already, as are all other controls of ASCII but one.
    for line in json.split_inclusive('\n') {
        if line.is_ascii() && !line.contains('\u{7f}') {
            shown.push_str(line);
            continue;
        }
        for letter in line.chars() {
            if letter == '\n' || !is_effective(letter) {
                shown.push(letter);
                continue;
            }
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(shown, "\\u{unit:04x}").expect("writing to a string can't fail");
            }
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

/// Returns a text of one line as Markdown for a comment, where GitHub also makes links of names, numbers and addresses,
/// whether they are escaped or not: an empty comment of HTML parts what would be one.
pub(crate) fn comment(text: &str) -> String {
    const PART: &str = "<!-- -->";
    let text = plain(text);
    let mut shown = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '@' | '#' => {
                shown.push('\\');
                shown.push(letter);
                shown.push_str(PART);
            }
            // `https://`, `www.` and `GH-1`.
            ':' if text[at..].starts_with("://") => {
                shown.push(':');
                shown.push_str(PART);
            }
            '.' if ends_with(&text[..at], "www") => {
                shown.push_str(PART);
                shown.push('.');
            }
            '-' if ends_with(&text[..at], "gh") => {
                shown.push_str(PART);
                shown.push('-');
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                shown.push('\\');
                shown.push(letter);
            }
            // At the start of a line, a list or what makes the line above a heading.
            '-' | '+' | '=' if shown.is_empty() => {
                shown.push('\\');
                shown.push(letter);
            }
            other => shown.push(other),
        }
    }
    shown
}

fn ends_with(text: &str, word: &str) -> bool {
    let at = text.len().checked_sub(word.len());
    at.and_then(|at| text.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// Returns text as code in Markdown, whatever is in it.
pub(crate) fn code(text: &str) -> String {
    let text = plain(text);
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // Code of spaces only, or that begins or ends with a backtick, needs a space at each end, which is taken away again.
    let needs_space = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty();
    if needs_space { format!("{fence} {text} {fence}") } else { format!("{fence}{text}{fence}") }
}

/// Returns the lines of a text of a rule's author as Markdown for a comment, in which code stays code.
pub(crate) fn comment_lines(text: &str) -> String {
    let line = |line: &str| {
        let parts: Vec<&str> = line.split('`').collect();
        // An even number of single backticks, each pair around something.
        let is_code = parts.len() % 2 == 1
            && parts.iter().skip(1).step_by(2).all(|part| !part.is_empty())
            && !line.contains("``");
        if !is_code {
            return comment(line);
        }
        let shown = parts.iter().enumerate().map(|(index, part)| {
            if index % 2 == 1 {
                code(part)
            } else if part.is_empty() {
                String::new()
            } else {
                comment(part)
            }
        });
        shown.collect()
    };
    text.trim().lines().map(|text| line(text.trim())).collect::<Vec<String>>().join("\n")
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
