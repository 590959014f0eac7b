//! [`TemplateError`]: what is wrong with a template, with the line of it.

use std::io;
use std::ops::Range;

use menagerie_config::{ConfigErrors, Problem};
use tera::ErrorKind;
use thiserror::Error;

/// A template can't be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{errors}")]
pub struct TemplateError {
    /// Where, and what.
    errors: ConfigErrors,
    /// Whether it is a file of the project; else it is a mistake of this crate.
    pub is_override: bool,
}

/// Where the overrides of a repository lie, from its top.
pub const OVERRIDES: &str = "tf/templates";

/// What the names of the built-in templates start with, for templates that extend the one whose place they take.
pub(crate) const BUILTIN: &str = "builtin";

/// What is said of a value that is printed as it is.
pub(crate) const UNFILTERED: &str = "a value is printed without the filter `hcl`";

/// What Tera makes of an error of the function that escapes.
const REFUSED: &str = "Io error while writing";

impl TemplateError {
    pub(crate) fn new(path: &str, is_override: bool, problem: Problem) -> Self {
        let directory = if is_override { OVERRIDES } else { BUILTIN };
        let path = path.strip_prefix("builtin/").unwrap_or(path);
        let file = format!("{directory}/{path}");
        Self { errors: ConfigErrors::new(file.into(), vec![problem]), is_override }
    }
}

/// What Tera says, apart from how it shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// What is wrong.
    pub(crate) message: String,
    /// The template's name and the bytes of it, where Tera knows them.
    pub(crate) place: Option<(String, Range<usize>)>,
}

impl Said {
    /// Takes apart an error of Tera.
    pub(crate) fn of(error: &tera::Error, source: impl Fn(&str) -> Option<String>) -> Self {
        match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
                let message = if report.message().starts_with(REFUSED) {
                    UNFILTERED.to_owned()
                } else {
                    // The list of variables that follows is not what the template has: locals are in it.
                    let message = report.message().split(" Available ").next().unwrap_or_default();
                    sentence(message.trim_end_matches('.'))
                };
                let place = (report.filename().to_owned(), report.span().range.clone());
                Self { message, place: Some(place) }
            }
            ErrorKind::Io(io::ErrorKind::Other) => {
                Self { message: UNFILTERED.to_owned(), place: None }
            }
            ErrorKind::MissingParent { current, parent } => {
                Self::about(&format!("there is no template `{parent}` to extend"), current, source)
            }
            ErrorKind::CircularExtend { tpl, .. } => {
                Self::about("the template extends itself", tpl, source)
            }
            ErrorKind::CircularInclude { tpl, .. } => {
                Self::about("the template includes itself", tpl, source)
            }
            _ => {
                let text = error.to_string();
                Self::report(&text, source).unwrap_or(Self { message: text, place: None })
            }
        }
    }

    /// Returns what is said of the line of a template that names another.
    fn about(message: &str, name: &str, source: impl Fn(&str) -> Option<String>) -> Self {
        let at = source(name).and_then(|text| {
            let at = text.find("extends").or_else(|| text.find("include"))?;
            Some(at..at + "extends".len())
        });
        Self { message: message.to_owned(), place: Some((name.to_owned(), at.unwrap_or(0..0))) }
    }

    /// Reads the first of the reports that Tera gives only as text: `error: …`, ` --> name:line:column`.
    fn report(text: &str, source: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let mut lines = text.lines();
        let message = lines.next()?.strip_prefix("error: ")?;
        let mut place = lines.next()?.trim_start().strip_prefix("--> ")?.rsplitn(3, ':');
        let (column, line) = (place.next()?.parse().ok()?, place.next()?.parse().ok()?);
        let name = place.next()?;
        let marked = text.lines().nth(4).map_or(1, |line| line.matches('^').count());
        let start = offset(&source(name)?, line, column);
        let message = match message.strip_prefix("Unknown ") {
            Some(rest) => format!("there is no {rest}"),
            None => sentence(message),
        };
        Some(Self { message, place: Some((name.to_owned(), start..start + marked)) })
    }
}

/// Returns a message as all others are written here: with a small letter first.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// Returns the byte at a line and a column in characters, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let characters = text[start..].char_indices().nth(column.saturating_sub(1));
    characters.map_or(text.len(), |(at, _)| start + at)
}
