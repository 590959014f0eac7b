//! [`Rewrite`]: changes to a source that keep each line where it is.

use std::ops::Range;

/// Texts that come in between, and stretches that become blanks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rewrite {
    insertions: Vec<(usize, String)>,
    blanks: Vec<Range<usize>>,
}

impl Rewrite {
    /// Puts a text, which has no line break, before what is at `at`.
    pub(crate) fn insert(&mut self, at: usize, text: String) {
        debug_assert!(!text.contains('\n'), "lines stay where they are");
        self.insertions.push((at, text));
    }

    pub(crate) fn blank(&mut self, range: Range<usize>) {
        self.blanks.push(range);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.insertions.is_empty() && self.blanks.is_empty()
    }

    pub(crate) fn apply(&mut self, text: &str) -> String {
        self.insertions.sort_by_key(|(at, _)| *at);
        let mut rewritten = String::with_capacity(text.len() + 64);
        let mut insertions = self.insertions.iter().peekable();
        for (at, character) in text.char_indices() {
            while let Some((_, inserted)) = insertions.next_if(|(place, _)| *place <= at) {
                rewritten.push_str(inserted);
            }
            let is_blank = self.blanks.iter().any(|range| range.contains(&at));
            rewritten.push(if is_blank && !matches!(character, '\n' | '\r') {
                ' '
            } else {
                character
            });
        }
        for (_, inserted) in insertions {
            rewritten.push_str(inserted);
        }
        rewritten
    }

    /// Returns where a column of the rewritten text is in the original one.
    pub(crate) fn column(&self, original: &str, line: usize, column: usize) -> usize {
        let start = line_start(original, line);
        let end = original[start..].find('\n').map_or(original.len(), |length| start + length);
        let mut inserted = 0;
        for (at, text) in &self.insertions {
            if (start..=end).contains(at) {
                let place = original[start..*at].chars().count() + inserted;
                if place + 1 > column {
                    break;
                }
                let length = text.chars().count();
                // Within what was put in: where that stands.
                if place + length >= column {
                    return original[start..*at].chars().count() + 1;
                }
                inserted += length;
            }
        }
        column - inserted
    }
}

/// Returns where a line begins.
pub(crate) fn line_start(text: &str, line: usize) -> usize {
    text.match_indices('\n').nth(line.wrapping_sub(2)).map_or(0, |(at, _)| at + 1)
}

/// Returns the column in characters of one that regorus counted: a tab is four of its columns.
pub(crate) fn characters(text: &str, line: usize, column: usize) -> usize {
    let (mut counted, mut characters) = (1, 1);
    for character in text[line_start(text, line)..].chars().take_while(|found| *found != '\n') {
        if counted >= column {
            break;
        }
        counted += if character == '\t' { 4 } else { 1 };
        characters += 1;
    }
    characters
}

/// Returns the place of a line and a column in bytes.
pub(crate) fn offset(text: &str, line: usize, column: usize) -> usize {
    let start = line_start(text, line);
    let mut characters = text[start..].char_indices().take_while(|(_, found)| *found != '\n');
    characters.nth(column.saturating_sub(1)).map_or(start, |(at, _)| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_and_columns_are_found_again() {
        let text = "package a\nx := 1 y\nimport data.b\n";
        let mut rewrite = Rewrite::default();
        rewrite.insert(9, " import data.b".to_owned());
        rewrite.insert(17, "abc ".to_owned());
        rewrite.blank(19..32);
        let rewritten = rewrite.apply(text);
        assert_eq!(rewritten, "package a import data.b\nx := 1 abc y\n             \n");
        assert_eq!(rewrite.column(text, 2, 12), 8);
        assert_eq!(rewrite.column(text, 2, 9), 8);
        assert_eq!(rewrite.column(text, 2, 3), 3);
        assert_eq!(rewrite.column(text, 1, 20), 10);
        assert_eq!(rewrite.column(text, 3, 3), 3);
        assert_eq!((offset(text, 2, 8), offset(text, 1, 1), offset(text, 9, 9)), (17, 0, 8));
    }
}
