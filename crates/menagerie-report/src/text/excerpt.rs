//! The lines that findings are about.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use annotate_snippets::{AnnotationKind, Element, Origin, Snippet};
use menagerie_compliance::Place;

use crate::harmless::{is_effective, plain};

/// A line with more characters is not shown: it is written by a machine.
const LONGEST: usize = 400;

/// Files, read once.
pub(super) struct Excerpts<'a> {
    files: &'a dyn Fn(&str) -> Option<String>,
    read: RefCell<BTreeMap<String, Option<Rc<str>>>>,
}

impl<'a> Excerpts<'a> {
    pub(super) fn new(files: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { files, read: RefCell::default() }
    }

    /// Returns a place with its line and what is said of it; only the place, as an error, where there is no such line.
    pub(super) fn element(
        &self,
        place: &Place,
        label: &str,
    ) -> Result<Element<'static>, Element<'static>> {
        let path = plain(&place.file);
        match self.line(place) {
            Some((line, span)) => {
                let annotation = AnnotationKind::Primary.span(span).label(label.to_owned());
                let snippet = Snippet::source(line).line_start(place.line).path(path);
                Ok(snippet.annotation(annotation).into())
            }
            None => Err(Self::origin(place)),
        }
    }

    /// Returns a place without its line.
    pub(super) fn origin(place: &Place) -> Element<'static> {
        Origin::path(plain(&place.file)).line(place.line).char_column(place.column).into()
    }

    /// Returns the first line of a place, and which of its bytes are meant.
    fn line(&self, place: &Place) -> Option<(String, Range<usize>)> {
        let text = self.text(&place.file)?;
        let line = text.lines().nth(place.line.checked_sub(1)?)?;
        if line.chars().count() > LONGEST {
            return None;
        }
        let line = shown(line);
        let at = |column: usize| {
            let index = column.saturating_sub(1);
            line.char_indices().nth(index).map_or(line.len(), |(byte, _)| byte)
        };
        let start = at(place.column);
        let end = if place.end_line == place.line { at(place.end_column) } else { line.len() };
        Some((line.clone(), start..end.max(start)))
    }

    fn text(&self, file: &str) -> Option<Rc<str>> {
        if let Some(text) = self.read.borrow().get(file) {
            return text.clone();
        }
        let text: Option<Rc<str>> = (self.files)(file).map(Into::into);
        self.read.borrow_mut().insert(file.to_owned(), text.clone());
        text
    }
}

/// Returns a line whose characters are where they were, and have no effect.
fn shown(line: &str) -> String {
    let line = line.strip_prefix('\u{feff}').unwrap_or(line).replace("##[", "##⟦");
    line.chars()
        .map(|letter| if letter != '\t' && is_effective(letter) { '\u{fffd}' } else { letter })
        .collect()
}
