//! [`Text`]: the text of a file that is being read, and where its bytes stand for people.

use std::cell::Cell;
use std::ops::Range;

use crate::{Evidence, Place, Unreadable};

/// How many bytes there are between two places whose characters are counted ahead. One line may be the whole file.
const STEP: usize = 4096;

/// How much of a file is told that can't be read: a person reads no more, and a file may be made to have a million.
const MOST_TOLD: usize = 100;

/// A file whose bytes have lines and columns.
pub(crate) struct Text<'a> {
    pub(crate) path: &'a str,
    /// Without a byte order mark.
    pub(crate) content: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    /// How many characters begin before each multiple of [`STEP`].
    characters: Vec<usize>,
    told: Cell<usize>,
}

impl<'a> Text<'a> {
    pub(crate) fn new(path: &'a str, text: &'a str) -> Self {
        let content = text.strip_prefix('\u{feff}').unwrap_or(text);
        let newlines = content.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        let mut count = 0;
        let characters = content
            .as_bytes()
            .chunks(STEP)
            .map(|chunk| {
                let before = count;
                count += begun(chunk);
                before
            })
            .collect();
        Self { path, content, lines, characters, told: Cell::new(0) }
    }

    /// Returns line and column of a byte, both from 1.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.content.floor_char_boundary(offset);
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        (line, self.characters_before(offset) - self.characters_before(start) + 1)
    }

    fn characters_before(&self, offset: usize) -> usize {
        let step = offset / STEP;
        let Some(counted) = self.characters.get(step) else {
            return self.content.chars().count();
        };
        counted + begun(&self.content.as_bytes()[step * STEP..offset])
    }

    /// Returns where bytes stand; the end is the first character after them.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(span.end.max(span.start));
        Place { file: self.path.to_owned(), line, column, end_line, end_column }
    }

    /// Returns where a line stands, from 1, without the spaces around it.
    pub(crate) fn place_of_line(&self, line: usize) -> Place {
        let index = line.clamp(1, self.lines.len()) - 1;
        let start = self.lines[index];
        let end = self.lines.get(index + 1).copied().unwrap_or(self.content.len());
        let text = &self.content[start..end];
        let start = start + (text.len() - text.trim_start().len());
        self.place(&(start..start + text.trim().len()))
    }

    /// Returns the byte at line and column, both from 1, where columns count bytes, as parsers of other formats tell them.
    pub(crate) fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.lines[line.clamp(1, self.lines.len()) - 1];
        (start + column.saturating_sub(1)).min(self.content.len())
    }

    /// Tells that what stands at `offset` can't be read.
    pub(crate) fn refuse(
        &self,
        evidence: &mut Evidence,
        offset: usize,
        message: impl Into<String>,
    ) {
        self.told.set(self.told.get() + 1);
        let message = match self.told.get() {
            ..=MOST_TOLD => message.into(),
            told if told == MOST_TOLD + 1 => {
                "here and below there is more that can't be read".to_owned()
            }
            _ => return,
        };
        let (line, column) = self.position(offset);
        evidence.unreadable.push(Unreadable { file: self.path.to_owned(), line, column, message });
    }
}

/// Returns how many characters begin in these bytes.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0b1100_0000) != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Text<'_> {
        Text::new("a.txt", text)
    }

    #[test]
    fn positions() {
        let text = of("\u{feff}aü\n\n  xyz \nend");
        assert_eq!(text.position(0), (1, 1));
        assert_eq!(text.position(3), (1, 3));
        assert_eq!(text.position(4), (2, 1));
        assert_eq!(text.position(999), (4, 4));
        let place = text.place_of_line(3);
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (3, 3, 3, 6));
        assert_eq!(text.place_of_line(99).line, 4);
    }

    #[test]
    fn not_all_is_told_of_a_file_that_is_wrong_all_over() {
        let (text, mut evidence) = (of("abc"), Evidence::default());
        for _ in 0..1000 {
            text.refuse(&mut evidence, 0, "x");
        }
        assert_eq!(evidence.unreadable.len(), MOST_TOLD + 1);
    }

    proptest! {
        #[test]
        fn positions_are_those_of_a_count(text in "(?s)[aü😀\n]{0,20}", repeated in 1..900_usize, offset in 0..60_000_usize) {
            let all = text.repeat(repeated);
            let text = of(&all);
            let before = &all[..all.floor_char_boundary(offset)];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            prop_assert_eq!(text.position(offset), (line, column));
        }
    }
}
