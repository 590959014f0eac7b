//! [`Document`]: a TOML text whose keys are known, read value by value while all problems are
//! collected.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use jiff::Timestamp;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::errors::{ConfigErrors, Problem};
use crate::keys::{self, Key, Kind, nearest};

/// A TOML text that is being read.
pub(crate) struct Document<'a> {
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    /// What is no TOML, one problem a line: the parser goes on, and what it says next is often
    /// about the same slip.
    syntax: Vec<Problem>,
    problems: Vec<Problem>,
}

impl<'a> Document<'a> {
    /// Parses a text, and notes what is no TOML and which keys are not among `keys`.
    pub(crate) fn parse(text: &'a str, keys: &'static [Key]) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let at = |error: &toml::de::Error| {
            Problem::at(text, &error.span().unwrap_or(0..0), error.message().to_owned(), None)
        };
        let mut syntax: Vec<Problem> = errors.iter().map(at).collect();
        syntax.sort_by_key(|problem| problem.line);
        syntax.dedup_by_key(|problem| problem.line);
        let mut problems = Vec::new();
        walk(text, root.get_ref(), "", keys, &mut problems);
        Self { text, root, syntax, problems }
    }

    /// Returns whether nothing is wrong so far.
    pub(crate) fn is_right(&self) -> bool {
        self.syntax.is_empty() && self.problems.is_empty()
    }

    /// Returns what is wrong.
    pub(crate) fn into_errors(self, file: &Path) -> ConfigErrors {
        let mut problems = self.syntax;
        let broken: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
        // What the parser made of a broken line is not what was meant.
        problems
            .extend(self.problems.into_iter().filter(|problem| !broken.contains(&problem.line)));
        ConfigErrors::new(file.to_owned(), problems)
    }

    /// Notes a problem with the value of a key.
    pub(crate) fn refuse(&mut self, path: &str, message: String) {
        let span = self.find(path).map_or(0..0, Spanned::span);
        self.note(&span, message);
    }

    /// Notes that a key is missing, unless there is no telling because its table, or the text, is
    /// broken.
    pub(crate) fn require(&mut self, path: &str, example: &str) {
        if !self.syntax.is_empty() || self.find(path).is_some() {
            return;
        }
        let (table, key) = keys::split(path);
        let message = format!("`{}` is missing", shown(path));
        let hint = Some(format!("for example `{key} = {example}`"));
        let problem = match self.find(table) {
            Some(parent) if !parent.get_ref().is_table() => return,
            Some(parent) => Problem::at(self.text, &parent.span(), message, hint),
            None => Problem::of_file(message, hint),
        };
        self.problems.push(problem);
    }

    /// Returns the value of a key that holds a string, if it is there and right.
    pub(crate) fn string<T: FromStr<Err: Display>>(&mut self, path: &str) -> Option<T> {
        self.value(path, |value| {
            let text = value.as_str().ok_or_else(|| wrong_type(path, "a string", value))?;
            text.parse().map_err(|error: T::Err| error.to_string())
        })
    }

    /// Returns what `read` makes of a key that holds an integer, if it is there and right.
    pub(crate) fn integer<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(i64) -> Result<T, String>,
    ) -> Option<T> {
        self.value(path, |value| {
            let integer =
                value.as_integer().ok_or_else(|| wrong_type(path, "an integer", value))?;
            let number = i64::from_str_radix(integer.as_str(), integer.radix());
            read(number.map_err(|_| format!("`{}` has too many digits", shown(path)))?)
        })
    }

    /// Returns the value of a key that is true or false, if it is there and right.
    pub(crate) fn boolean(&mut self, path: &str) -> Option<bool> {
        self.value(path, |value| {
            value.as_bool().ok_or_else(|| wrong_type(path, "a boolean", value))
        })
    }

    /// Returns the value of a key that holds a string, if it is there and right. A wrong one is not shown.
    pub(crate) fn secret<T: FromStr<Err: Display>>(&mut self, path: &str) -> Option<T> {
        let read = self.string(path);
        if read.is_none() && self.has(path) {
            let problem = self.problems.pop().expect("what is there and was not read is noted");
            self.problems.push(problem.without_excerpt());
        }
        read
    }

    /// Returns the elements of a key that holds an array of strings, without the wrong ones.
    pub(crate) fn list<T: FromStr<Err: Display>>(&mut self, path: &str) -> Vec<T> {
        let mut list = Vec::new();
        for (place, word) in self.words(path).unwrap_or_default().into_iter().enumerate() {
            match word.parse::<T>() {
                Ok(read) => list.push(read),
                Err(error) => self.refuse(&format!("{path}.{place}"), error.to_string()),
            }
        }
        list
    }

    /// Returns the value of a key that holds an instant, if it is there and right.
    pub(crate) fn timestamp(&mut self, path: &str) -> Option<Timestamp> {
        self.value(path, |value| {
            let time = value
                .as_datetime()
                .ok_or_else(|| wrong_type(path, "a date-time (without quotes)", value))?;
            let example = "`2026-07-24T18:00:00Z`";
            if time.date.is_none() || time.time.is_none() || time.offset.is_none() {
                return Err(format!("`{path}` is a date, a time and an offset, such as {example}"));
            }
            time.to_string()
                .parse()
                .map_err(|_| format!("`{path}` is no instant such as {example}"))
        })
    }

    /// Returns the value of a key that holds an array of strings, if it is there and right.
    pub(crate) fn words(&mut self, path: &str) -> Option<Vec<String>> {
        let words: Vec<(Range<usize>, Option<String>)> = self.value(path, |value| {
            let array =
                value.as_array().ok_or_else(|| wrong_type(path, "an array of strings", value))?;
            Ok(array
                .iter()
                .map(|word| (word.span(), word.get_ref().as_str().map(str::to_owned)))
                .collect())
        })?;
        for (span, _) in words.iter().filter(|(_, word)| word.is_none()) {
            self.note(span, format!("`{path}` holds strings only"));
        }
        words.into_iter().map(|(_, word)| word).collect()
    }

    /// Returns the entries of a key that holds keys of the writer's choice, without the wrong ones.
    pub(crate) fn map<K, V>(&mut self, path: &str) -> BTreeMap<K, V>
    where
        K: FromStr<Err: Display> + Ord,
        V: FromStr<Err: Display>,
    {
        let mut map = BTreeMap::new();
        let mut wrong = Vec::new();
        for (key, value) in
            self.find(path).and_then(|value| value.get_ref().as_table()).into_iter().flatten()
        {
            let name = key.get_ref();
            let read_key = name.parse::<K>().map_err(|error| (key.span(), error.to_string()));
            let read_value = match value.get_ref().as_str() {
                Some(text) => text.parse::<V>().map_err(|error| (value.span(), error.to_string())),
                None => Err((
                    value.span(),
                    wrong_type(&format!("{path}.{name}"), "a string", value.get_ref()),
                )),
            };
            match (read_key, read_value) {
                (Ok(key), Ok(value)) => {
                    map.insert(key, value);
                }
                (key, value) => wrong.extend(key.err().into_iter().chain(value.err())),
            }
        }
        for (span, message) in wrong {
            self.note(&span, message);
        }
        map
    }

    fn value<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.find(path)?;
        let span = value.span();
        match read(value.get_ref()) {
            Ok(read) => Some(read),
            Err(message) => {
                self.note(&span, message);
                None
            }
        }
    }

    /// Returns how many tables a key that is an array of tables holds.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.find(path).and_then(|value| value.get_ref().as_array()).map_or(0, |array| array.len())
    }

    /// Returns whether a key is there, right or wrong.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Finds the value of a key; in an array of tables, a number counts them from 0.
    fn find(&self, path: &str) -> Option<&Spanned<DeValue<'a>>> {
        let mut keys = path.split('.');
        let first = self.root.get_ref().get(keys.next()?)?;
        keys.try_fold(first, |value, key| match value.get_ref() {
            DeValue::Array(array) => array.get(key.parse::<usize>().ok()?),
            value => value.as_table()?.get(key),
        })
    }

    fn note(&mut self, span: &Range<usize>, message: String) {
        self.problems.push(Problem::at(self.text, span, message, None));
    }
}

/// Notes unknown keys, and what should be a table and is not.
fn walk(
    text: &str,
    table: &DeTable<'_>,
    parent: &str,
    keys: &'static [Key],
    problems: &mut Vec<Problem>,
) {
    for (name, value) in table {
        let Some(key) = keys::find(keys, parent, name.get_ref()) else {
            let separator = if parent.is_empty() { "" } else { "." };
            let message =
                format!("unknown key `{parent}{separator}{}`", name.get_ref().escape_debug());
            let hint = suggestion(name.get_ref(), parent, keys);
            problems.push(Problem::at(text, &name.span(), message, hint));
            continue;
        };
        match (key.kind, value.get_ref().as_table()) {
            (Kind::Value(_), _) | (Kind::Map, Some(_)) => {}
            (Kind::Table, Some(table)) => walk(text, table, key.path, keys, problems),
            (Kind::Tables, _) => walk_all(text, value, key.path, keys, problems),
            (Kind::Table | Kind::Map, None) => {
                let message = wrong_type(key.path, "a table", value.get_ref());
                problems.push(Problem::at(text, &value.span(), message, None));
            }
        }
    }
}

/// Walks through an array of tables.
fn walk_all(
    text: &str,
    value: &Spanned<DeValue<'_>>,
    path: &str,
    keys: &'static [Key],
    problems: &mut Vec<Problem>,
) {
    let mut wrong = |value: &Spanned<DeValue<'_>>, expected: &str| {
        let message = wrong_type(path, expected, value.get_ref());
        problems.push(Problem::at(text, &value.span(), message, None));
    };
    let Some(array) = value.get_ref().as_array() else {
        return wrong(value, "an array of tables");
    };
    for element in array.iter().filter(|element| !element.get_ref().is_table()) {
        wrong(element, "a table in each place");
    }
    for table in array.iter().filter_map(|element| element.get_ref().as_table()) {
        walk(text, table, path, keys, problems);
    }
}

/// Returns a path as its writer knows it: without the places in arrays.
fn shown(path: &str) -> String {
    let is_place = |key: &&str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    path.split('.').filter(|key| !is_place(key)).collect::<Vec<_>>().join(".")
}

/// Returns what an unknown key was most likely meant to be: one of its own table, else the same
/// word in another.
fn suggestion(name: &str, parent: &str, keys: &'static [Key]) -> Option<String> {
    let parts = || keys.iter().map(|key| keys::split(key.path));
    let siblings = parts().filter(|(table, _)| *table == parent).map(|(_, word)| word);
    let elsewhere = || keys.iter().map(|key| key.path).find(|path| keys::split(path).1 == name);
    nearest(name, siblings).or_else(elsewhere).map(|meant| format!("did you mean `{meant}`?"))
}

fn wrong_type(path: &str, expected: &str, found: &DeValue<'_>) -> String {
    let found = match found {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date-time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    format!("`{}` is {expected}, not {found}", shown(path).escape_debug())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut document = Document::parse(text, keys::ENVIRONMENT);
        document.require("template.version", "1");
        document.words("template.version");
        let errors = document.into_errors(Path::new("env.toml"));
        let actual: Vec<String> = errors
            .problems()
            .iter()
            .map(|problem| format!("{}:{}: {}", problem.line, problem.column, problem.message))
            .collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn unknown_keys() {
        check("colour = 1\ntemplate.version = []", &["1:1: unknown key `colour`"]);
        check("template = { version = [], x.y = 1 }", &["1:28: unknown key `template.x`"]);
        check("template.version = []\n\"a.b\\n\" = 1", &["2:1: unknown key `a.b\\n`"]);
        check(
            "template.version = []\n\"settings.port\" = 1",
            &["2:1: unknown key `settings.port`"],
        );
    }

    #[test]
    fn no_tables() {
        check("template = 1", &["1:12: `template` is a table, not an integer"]);
        check("[[template]]", &["1:1: `template` is a table, not an array"]);
        check(
            "settings = []",
            &["1:1: `template.version` is missing", "1:12: `settings` is a table, not an array"],
        );
    }

    #[test]
    fn missing_keys() {
        check("", &["1:1: `template.version` is missing"]);
        check("\n[template]", &["2:1: `template.version` is missing"]);
    }

    #[test]
    fn wrong_types() {
        check(
            "template.version = 1.5",
            &["1:20: `template.version` is an array of strings, not a float"],
        );
        check(
            "template.version = ['a', 1, true]",
            &[
                "1:26: `template.version` holds strings only",
                "1:29: `template.version` holds strings only",
            ],
        );
    }

    #[test]
    fn broken_lines_are_told_once_and_the_rest_is_read_on() {
        check(
            "name = calm-otter\nsize = \"small\ncolour = 1\n",
            &[
                "1:8: string values must be quoted, expected literal string",
                "2:14: invalid basic string, expected `\"`",
                "3:1: unknown key `colour`",
            ],
        );
        check("name = ''\nname = ''", &["2:1: duplicate key"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(\\PC|[\n\\[\\]{}=.,'\"#0-9a-t]){0,60}") {
            let mut document = Document::parse(&text, keys::ENVIRONMENT);
            document.require("name", "1");
            document.timestamp("created");
            document.into_errors(Path::new("env.toml")).to_string();
        }
    }
}
