//! [`ConfigErrors`]: all that is wrong with a file, shown as a compiler would.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a file could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused, or it is not text.
    #[error("failed to read `{}`", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It says something that it can't say.
    #[error(transparent)]
    Invalid(#[from] ConfigErrors),
}

/// All that is wrong with a file, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    file: PathBuf,
    problems: Vec<Problem>,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The way out, where there is one to tell.
    pub hint: Option<String>,
    excerpt: Option<Excerpt>,
}

/// The line of a problem, safe to show on a terminal, and what of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    before: usize,
    marked: usize,
}

/// The most characters of a line that are shown, so that a line of 10 kB does not bury the message.
const WIDTH: usize = 120;

impl ConfigErrors {
    /// Collects the problems of a file; there is at least one.
    pub fn new(file: PathBuf, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Self { file, problems }
    }

    /// Returns the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Problem {
    /// Returns a problem with what stands at `span` of `text`.
    pub fn at(text: &str, span: &Range<usize>, message: String, hint: Option<String>) -> Self {
        let start = text.floor_char_boundary(span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let column = text[line_start..start].chars().count();
        let end = text.floor_char_boundary(span.end).max(start);
        let marked = text[start..end].lines().next().unwrap_or_default().chars().count();
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: column + 1,
            message,
            hint,
            excerpt: Some(Excerpt::new(line, column, marked)),
        }
    }

    /// Returns it without the text of its line, which may hold what nobody should see.
    pub(crate) fn without_excerpt(self) -> Self {
        Self { excerpt: None, ..self }
    }

    /// Returns a problem with a file as a whole.
    pub fn of_file(message: String, hint: Option<String>) -> Self {
        Self { line: 1, column: 1, message, hint, excerpt: None }
    }
}

impl Excerpt {
    fn new(line: &str, column: usize, marked: usize) -> Self {
        // A long line is shown from a little before what is meant.
        let skipped = if column < WIDTH { 0 } else { column - WIDTH / 4 };
        // A tab would move the mark, and an escape sequence could do anything to a terminal.
        let shown = |character: char| if character == '\t' { ' ' } else { character };
        let safe = |character: char| if character.is_control() { '\u{fffd}' } else { character };
        let text: String = line.chars().skip(skipped).take(WIDTH).map(shown).map(safe).collect();
        let before = column - skipped;
        let marked = marked.clamp(1, (WIDTH - before).max(1));
        Self { text, before, marked }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n\n" };
            write!(formatter, "{separator}{}:{problem}", self.file.display())?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.line, self.column, self.message)?;
        let margin = self.line.to_string().len();
        if let Some(Excerpt { text, before, marked }) = &self.excerpt {
            // A line that is empty leaves no space behind the bar.
            let line = format!("{} | {text}", self.line);
            write!(formatter, "\n{:margin$} |\n{}\n", "", line.trim_end())?;
            write!(formatter, "{:margin$} | {:before$}{}", "", "", "^".repeat(*marked))?;
        }
        if let Some(hint) = &self.hint {
            write!(formatter, "\n{:margin$} = hint: {hint}", "")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn show(text: &str, span: Range<usize>) -> String {
        Problem::at(text, &span, "wrong".to_owned(), None).to_string()
    }

    #[test]
    fn a_mark_under_what_is_meant() {
        assert_snapshot!(show("a = 1\nbcd = 2\n", 6..9), @"
        2:1: wrong
          |
        2 | bcd = 2
          | ^^^
        ");
        assert_snapshot!(show("\té = 1", 1..3), @"
        1:2: wrong
          |
        1 |  é = 1
          |  ^
        ");
    }

    #[test]
    fn a_span_over_lines_is_marked_on_the_first() {
        assert_snapshot!(show("a = [\n  1,\n]\n", 4..12), @"
        1:5: wrong
          |
        1 | a = [
          |     ^
        ");
    }

    #[test]
    fn the_end_of_the_text() {
        assert_snapshot!(show("a =", 3..3), @"
        1:4: wrong
          |
        1 | a =
          |    ^
        ");
        assert_snapshot!(show("", 0..0), @"
        1:1: wrong
          |
        1 |
          | ^
        ");
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = format!("{}b = 1{}", " ".repeat(5_000), "2".repeat(5_000));
        assert_snapshot!(show(&text, 5_000..5_001), @"
        1:5001: wrong
          |
        1 |                               b = 12222222222222222222222222222222222222222222222222222222222222222222222222222222222222
          |                               ^
        ");
    }

    #[test]
    fn an_escape_sequence_is_not_shown() {
        assert_snapshot!(show("a = \"\u{1b}[31m\"", 4..11), @r#"
        1:5: wrong
          |
        1 | a = "�[31m"
          |     ^^^^^^^
        "#);
    }

    #[test]
    fn problems_are_in_the_order_of_the_file() {
        let text = "a = 1\nb = 2\n";
        let late = Problem::at(text, &(6..7), "late".to_owned(), Some("leave it out".to_owned()));
        let early = Problem::at(text, &(0..1), "early".to_owned(), None);
        let whole = Problem::of_file("`c` is missing".to_owned(), None);
        assert_snapshot!(ConfigErrors::new("env.toml".into(), vec![late, whole, early]), @"
        env.toml:1:1: `c` is missing

        env.toml:1:1: early
          |
        1 | a = 1
          | ^

        env.toml:2:1: late
          |
        2 | b = 2
          | ^
          = hint: leave it out
        ");
    }

    proptest! {
        #[test]
        fn showing_never_panics(text in any::<String>(), start in 0_usize..40, length in 0_usize..40) {
            show(&text, start..start + length);
        }
    }
}
