//! Errors and warnings with the place in the configuration they are about.

use std::fmt;

use serde::Deserialize;

use crate::parse::null_as_default;
use crate::printable::{one_line, printable};

/// An error or a warning of Terraform.
///
/// Its `Display` is what a person reads: the summary, the place, the code with the part in question underlined, the values
/// involved, and the detail. It has no final newline.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub summary: String,
    /// More about it, often several lines.
    #[serde(default)]
    pub detail: String,
    /// The resource it is about.
    #[serde(default)]
    pub address: Option<String>,
    /// The place in the configuration.
    #[serde(default)]
    pub range: Option<Range>,
    /// The code at that place.
    #[serde(default)]
    pub snippet: Option<Snippet>,
}

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// The operation failed.
    Error,
    /// It went on.
    Warning,
    /// Terraform could not say.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Unknown => "note",
        })
    }
}

/// A part of a file; `end` is just behind it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Range {
    /// The file, relative to the directory Terraform ran in.
    pub filename: String,
    /// Its beginning.
    pub start: Position,
    /// Its end.
    pub end: Position,
}

/// A position in a file; line and column start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in grapheme clusters.
    #[serde(default)]
    pub column: usize,
    /// The offset in bytes from the start of the file.
    #[serde(default)]
    pub byte: usize,
}

/// The code that a [`Diagnostic`] is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Snippet {
    /// The block it is in, `resource "terraform_data" "web"`.
    #[serde(default)]
    pub context: Option<String>,
    /// Whole lines.
    pub code: String,
    /// The number of the first line, from 1.
    pub start_line: usize,
    /// Where the part in question starts, in bytes from the start of `code`.
    pub highlight_start_offset: usize,
    /// Where it ends.
    pub highlight_end_offset: usize,
    /// The expressions in it that have a value worth knowing.
    #[serde(default, deserialize_with = "null_as_default")]
    pub values: Vec<Expression>,
}

/// An expression in a [`Snippet`] and what it stands for; Terraform writes `(sensitive value)` by itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Expression {
    /// The expression, `var.size`.
    pub traversal: String,
    /// What it is, `is 20`.
    pub statement: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last_line = self
            .snippet
            .as_ref()
            .map_or(0, |snippet| snippet.start_line + snippet.code.lines().count());
        let gutter = last_line.to_string().len();
        write!(formatter, "{}: {}", self.severity, one_line(&self.summary))?;
        if let Some(range) = &self.range {
            let Position { line, column, .. } = range.start;
            write!(formatter, "\n{:gutter$}--> {}:{line}:{column}", "", one_line(&range.filename))?;
        }
        if let Some(snippet) = &self.snippet {
            snippet.render(formatter, gutter)?;
        }
        let context = self.snippet.as_ref().and_then(|snippet| snippet.context.as_deref());
        if let Some(place) = self.address.as_deref().or(context) {
            write!(formatter, "\n{:gutter$} = in {}", "", one_line(place))?;
        }
        for expression in self.snippet.iter().flat_map(|snippet| &snippet.values) {
            let Expression { traversal, statement } = expression;
            write!(
                formatter,
                "\n{:gutter$} = {} {}",
                "",
                one_line(traversal),
                one_line(statement)
            )?;
        }
        if !self.detail.is_empty() {
            write!(formatter, "\n\n{}", printable(self.detail.trim_end()))?;
        }
        Ok(())
    }
}

impl Snippet {
    /// Writes each line of code with its number, the part in question underlined by carets.
    fn render(&self, formatter: &mut fmt::Formatter<'_>, gutter: usize) -> fmt::Result {
        write!(formatter, "\n{:gutter$} |", "")?;
        let mut offset = 0;
        for (number, line) in self.code.split('\n').enumerate() {
            let (before, marked) = self.split(line, offset);
            write!(formatter, "\n{:>gutter$} | {}", self.start_line + number, printable(line))?;
            if !marked.is_empty() {
                // Tabs stay tabs, so that the carets are below the code whatever the terminal makes of them.
                let padding: String =
                    before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
                let carets = "^".repeat(marked.chars().count());
                write!(formatter, "\n{:gutter$} | {padding}{carets}", "")?;
            }
            offset += line.len() + 1;
        }
        Ok(())
    }

    /// Returns what precedes the part in question on `line`, which starts at `offset`, and that part of it.
    fn split<'a>(&self, line: &'a str, offset: usize) -> (&'a str, &'a str) {
        let within = |position: usize| {
            line.floor_char_boundary(position.saturating_sub(offset).min(line.len()))
        };
        let (start, end) = (within(self.highlight_start_offset), within(self.highlight_end_offset));
        let marked = &line[start..end.max(start)];
        let indentation = marked.len() - marked.trim_start().len();
        (&line[..start + indentation], marked.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undeclared() -> Diagnostic {
        serde_json::from_str(
            r#"{
                "severity": "error",
                "summary": "Reference to undeclared local value",
                "detail": "A local value with the name \"missing\" has not been declared.",
                "range": {
                    "filename": "main.tf",
                    "start": {"line": 9, "column": 22, "byte": 174},
                    "end": {"line": 9, "column": 35, "byte": 187}
                },
                "snippet": {
                    "context": "resource \"terraform_data\" \"a\"",
                    "code": "  input = var.size + local.missing",
                    "start_line": 9,
                    "highlight_start_offset": 21,
                    "highlight_end_offset": 34,
                    "values": [{"traversal": "var.size", "statement": "is 20"}]
                }
            }"#,
        )
        .unwrap()
    }

    #[test]
    fn shows_place_code_values_and_detail() {
        insta::assert_snapshot!(undeclared(), @r#"
        error: Reference to undeclared local value
          --> main.tf:9:22
           |
         9 |   input = var.size + local.missing
           |                      ^^^^^^^^^^^^^
           = in resource "terraform_data" "a"
           = var.size is 20

        A local value with the name "missing" has not been declared.
        "#);
    }

    #[test]
    fn underlines_every_line_of_a_long_part() {
        let mut diagnostic = undeclared();
        let snippet = diagnostic.snippet.as_mut().unwrap();
        snippet.code = "\tinput = {\n\t\tä = 1\n\n\t}".to_owned();
        (snippet.highlight_start_offset, snippet.highlight_end_offset) = (9, snippet.code.len());
        insta::assert_snapshot!(diagnostic, @r#"
        error: Reference to undeclared local value
          --> main.tf:9:22
           |
         9 | 	input = {
           | 	        ^
        10 | 		ä = 1
           | 		^^^^^
        11 | 
        12 | 	}
           | 	^
           = in resource "terraform_data" "a"
           = var.size is 20

        A local value with the name "missing" has not been declared.
        "#);
    }

    #[test]
    fn needs_neither_place_nor_detail() {
        let diagnostic: Diagnostic =
            serde_json::from_str(r#"{"severity": "fatal", "summary": "no\u001b[31m color"}"#)
                .unwrap();
        insta::assert_snapshot!(diagnostic, @r"note: no\u{1b}[31m color");
    }

    #[test]
    fn survives_offsets_outside_of_the_code() {
        for (start, end) in [(0, 0), (9, 2), (500, 900), (3, 900)] {
            let mut diagnostic = undeclared();
            let snippet = diagnostic.snippet.as_mut().unwrap();
            snippet.code = "ääää".to_owned();
            (snippet.highlight_start_offset, snippet.highlight_end_offset) = (start, end);
            assert!(diagnostic.to_string().contains("ääää"));
        }
    }
}
