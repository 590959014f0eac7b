//! Errors as commands without a stream of events print them: as text, for a person.

use std::borrow::Cow;

/// What an error says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    /// What is wrong, in a few words.
    pub(crate) summary: Cow<'a, str>,
    /// More about it, often several lines.
    pub(crate) detail: Cow<'a, str>,
}

/// Returns the errors in a text. One that does not name any, as some commands print, is itself one.
pub(crate) fn in_text(text: &str) -> Vec<Said<'static>> {
    let mut said: Vec<(String, String)> = Vec::new();
    let mut is_error = false;
    for line in text.lines() {
        // With colors each line of an error stands behind the side of a box.
        let line = line.strip_prefix("│ ").or(line.strip_prefix('│')).unwrap_or(line);
        if let Some(summary) = line.strip_prefix("Error: ") {
            is_error = true;
            said.push((summary.trim_end().to_owned(), String::new()));
        } else if line.starts_with("Warning: ") || matches!(line, "╷" | "╵") {
            is_error = false;
        } else if let Some((_, detail)) = said.last_mut().filter(|_| is_error) {
            detail.push_str(line);
            detail.push('\n');
        }
    }
    if said.is_empty() {
        let mut lines = text.trim().splitn(2, '\n');
        let (summary, detail) =
            (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        said.extend((!summary.is_empty()).then(|| (summary.to_owned(), detail.to_owned())));
    }
    let said = said.into_iter();
    said.map(|(summary, detail)| Said {
        summary: summary.into(),
        detail: detail.trim().to_owned().into(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let said = in_text(text);
        let said: Vec<_> = said.iter().map(|said| (&*said.summary, &*said.detail)).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn errors_in_text() {
        check("", &[]);
        check(
            "\nError: Module not installed\n\nRun init.\n\n",
            &[("Module not installed", "Run init.")],
        );
        check(
            "╷\n│ Warning: Old\n│ \n│ Very.\n╵\n╷\n│ Error: First\n│ \n│   on main.tf line 1:\n╵\n╷\n│ Error: Second\n╵\n",
            &[("First", "on main.tf line 1:"), ("Second", "")],
        );
        check(
            "Failed to write state: cannot import state with serial 1\nover newer state\n",
            &[("Failed to write state: cannot import state with serial 1", "over newer state")],
        );
    }
}
