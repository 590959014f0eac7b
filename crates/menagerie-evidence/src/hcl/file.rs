//! [`File`]: a parsed `.tf` file that knows where on which line everything stands.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::structure::{Attribute, Block, Body};
use menagerie_compliance::Place;

use super::guard;
use crate::unreadable::Unreadable;

/// A file that was parsed.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path, relative to the repository.
    pub(crate) path: String,
    /// Its text, without a byte order mark.
    pub(crate) text: String,
    /// What it says.
    pub(crate) body: Body,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl File {
    /// Parses a file.
    pub(crate) fn parse(path: String, text: String) -> Result<Self, Unreadable> {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        if let Some((at, reason)) = guard::refuse(&text) {
            let before = &text[..at];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            return Err(Unreadable { file: path, line, column, message: reason.to_owned() });
        }
        let body = match hcl_edit::parser::parse_body(&text) {
            Ok(body) => body,
            Err(error) => {
                let (line, column) = (error.location().line(), error.location().column());
                let message = format!("is no HCL: {}", error.message());
                return Err(Unreadable { file: path, line, column, message });
            }
        };
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        let lines = std::iter::once(0).chain(ends.map(|end| end + 1)).collect();
        Ok(Self { path, text, body, lines })
    }

    /// Returns whether Terraform merges it into what the other files say.
    pub(crate) fn is_override(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "override.tf" || name.ends_with("_override.tf")
    }

    /// Returns what stands between two bytes.
    pub(crate) fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// Returns the place of what stands between two bytes, up to the end of its first line.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        let (line, column) = self.position(span.start);
        let rest = self.slice(span.clone());
        let first = rest.split('\n').next().unwrap_or_default().trim_end();
        let (end_line, end_column) = (line, column + first.chars().count());
        Place { file: self.path.clone(), line, column, end_line, end_column }
    }

    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line.saturating_sub(1)];
        (line, self.slice(start..at).chars().count() + 1)
    }
}

/// Returns where the kind and the labels of a block stand.
pub(crate) fn header(block: &Block) -> Range<usize> {
    let ident = block.ident.span().unwrap_or_default();
    let last = block.labels.last().and_then(hcl_edit::Span::span);
    ident.start..last.unwrap_or(ident).end
}

/// Returns where an attribute stands.
pub(crate) fn whole(attribute: &Attribute) -> Range<usize> {
    let key = attribute.key.span().unwrap_or_default();
    let value = attribute.value.span().unwrap_or_else(|| key.clone());
    key.start..value.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn places(text: &str) -> Vec<String> {
        let file = File::parse("a.tf".to_owned(), text.to_owned()).unwrap();
        let mut found = Vec::new();
        let show = |span: Range<usize>| {
            let place = file.place(span.clone());
            let Place { line, column, end_line, end_column, .. } = place;
            format!("{line}:{column}-{end_line}:{end_column} {}", file.slice(span))
        };
        for block in file.body.blocks() {
            found.push(show(header(block)));
            found.extend(block.body.attributes().map(|attribute| show(whole(attribute))));
        }
        found
    }

    #[test]
    fn lines_and_columns_are_those_of_an_editor() {
        assert_eq!(
            places("\u{feff}a \"ü\" c {\r\n  /* ö */ d = 1 # x\r\n\te = [\r\n  2]\r\n}\nb {\n}\n"),
            ["1:1-1:8 a \"ü\" c", "2:11-2:16 d = 1", "3:2-3:7 e = [\r\n  2]", "6:1-6:2 b"]
        );
        assert_eq!(places("a {}"), ["1:1-1:2 a"]);
        assert_eq!(places(""), [""; 0]);
    }

    #[test]
    fn what_is_no_hcl_is_told_with_its_place() {
        let error = File::parse("a/b.tf".to_owned(), "a = 1\nb = ü ]\n".to_owned()).unwrap_err();
        assert_eq!(error.to_string(), "a/b.tf:2:7: is no HCL: expected newline or eof");
    }
}
