//! Reading TOML value by value, while all problems are collected with their places.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use jiff::civil::Date;
use menagerie_config::{ConfigErrors, Problem};
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place.
pub(crate) type Item<'a> = Spanned<DeValue<'a>>;

/// A text that is being read, and what is wrong with it.
pub(crate) struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

/// A table that is being read.
#[derive(Clone)]
pub(crate) struct Table<'t, 'a> {
    pub(crate) entries: &'t DeTable<'a>,
    span: Range<usize>,
}

impl<'a> Reader<'a> {
    /// Parses a text, and notes what is no TOML.
    pub(crate) fn parse(text: &'a str) -> (Self, Spanned<DeTable<'a>>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut problems: Vec<Problem> = errors
            .iter()
            .map(|error| {
                let span = error.span().unwrap_or(0..0);
                Problem::at(text, &span, error.message().to_owned(), None)
            })
            .collect();
        problems.sort_by_key(|problem| problem.line);
        problems.dedup_by_key(|problem| problem.line);
        (Self { text, problems }, root)
    }

    /// Returns whether nothing is wrong so far.
    pub(crate) fn is_right(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns what is wrong with the file, if anything is.
    pub(crate) fn end(self, file: &Path) -> Result<(), ConfigErrors> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(ConfigErrors::new(file.to_owned(), self.problems))
    }

    /// Notes a problem.
    pub(crate) fn note(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem::at(self.text, span, message.into(), None));
    }

    /// Notes a problem with a way out.
    pub(crate) fn note_with_hint(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems.push(Problem::at(self.text, span, message.into(), Some(hint.into())));
    }

    /// Notes each key that is none of these.
    pub(crate) fn allow(&mut self, table: &Table<'_, 'a>, keys: &[&str]) {
        for name in table.entries.keys() {
            if keys.contains(&name.get_ref().as_ref()) {
                continue;
            }
            let message = format!("unknown key `{}`", name.get_ref().escape_debug());
            let hint = match nearest(name.get_ref(), keys) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there is {}", list(keys)),
            };
            self.note_with_hint(&name.span(), message, hint);
        }
    }

    /// Notes that a key is missing.
    pub(crate) fn require(&mut self, table: &Table<'_, 'a>, key: &str, example: &str) {
        if table.entries.get(key).is_none() {
            let hint = format!("for example `{key} = {example}`");
            self.note_with_hint(&table.span, format!("`{key}` is missing"), hint);
        }
    }

    /// Returns the text of a key.
    pub(crate) fn string(&mut self, table: &Table<'_, 'a>, key: &str) -> Option<String> {
        self.parsed(table, key)
    }

    /// Returns what a key's text is parsed to.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        table: &Table<'_, 'a>,
        key: &str,
    ) -> Option<T> {
        let item = table.entries.get(key)?;
        self.parse_item(key, item)
    }

    /// Returns what the texts of a key are parsed to, which may be one text or a list of them.
    pub(crate) fn list<T: FromStr<Err: Display>>(
        &mut self,
        table: &Table<'_, 'a>,
        key: &str,
    ) -> Vec<T> {
        let Some(item) = table.entries.get(key) else { return Vec::new() };
        match item.get_ref() {
            DeValue::Array(items) => {
                items.iter().filter_map(|item| self.parse_item(key, item)).collect()
            }
            _ => self.parse_item(key, item).into_iter().collect(),
        }
    }

    fn parse_item<T: FromStr<Err: Display>>(&mut self, key: &str, item: &Item<'a>) -> Option<T> {
        let Some(text) = item.get_ref().as_str() else {
            self.wrong_type(key, "a text", item);
            return None;
        };
        text.parse().map_err(|error: T::Err| self.note(&item.span(), error.to_string())).ok()
    }

    /// Returns the boolean of a key.
    pub(crate) fn boolean(&mut self, table: &Table<'_, 'a>, key: &str) -> Option<bool> {
        let item = table.entries.get(key)?;
        let value = item.get_ref().as_bool();
        if value.is_none() {
            self.wrong_type(key, "`true` or `false`", item);
        }
        value
    }

    /// Returns the date of a key.
    pub(crate) fn date(&mut self, table: &Table<'_, 'a>, key: &str) -> Option<Date> {
        let item = table.entries.get(key)?;
        let date = item.get_ref().as_datetime().filter(|found| found.time.is_none());
        let date = date.and_then(|found| found.to_string().parse().ok());
        if date.is_none() {
            self.wrong_type(key, "a date without quotes, such as `2026-07-24`,", item);
        }
        date
    }

    /// Returns the number of a key.
    pub(crate) fn number(&mut self, table: &Table<'_, 'a>, key: &str) -> Option<f64> {
        let item = table.entries.get(key)?;
        let number = json(item.get_ref()).and_then(|value| value.as_f64());
        if number.is_none() {
            self.wrong_type(key, "a number", item);
        }
        number
    }

    /// Returns a key's value as JSON.
    pub(crate) fn value(&mut self, table: &Table<'_, 'a>, key: &str) -> Option<Value> {
        let item = table.entries.get(key)?;
        let value = json(item.get_ref());
        if value.is_none() {
            self.note(
                &item.span(),
                format!("`{key}` holds a date or a number that no resource can have"),
            );
        }
        value
    }

    /// Returns a key's values, of a list or of one.
    pub(crate) fn values(&mut self, table: &Table<'_, 'a>, key: &str) -> Option<Vec<Value>> {
        let value = self.value(table, key)?;
        Some(if let Value::Array(values) = value { values } else { vec![value] })
    }

    /// Returns the table of a key.
    pub(crate) fn table<'t>(&mut self, table: &Table<'t, 'a>, key: &str) -> Option<Table<'t, 'a>> {
        let item = table.entries.get(key)?;
        let found = Table::of(item);
        if found.is_none() {
            self.wrong_type(key, "a table", item);
        }
        found
    }

    /// Returns the tables of a key that is a list of them.
    pub(crate) fn tables<'t>(&mut self, table: &Table<'t, 'a>, key: &str) -> Vec<Table<'t, 'a>> {
        let Some(item) = table.entries.get(key) else { return Vec::new() };
        let Some(items) = item.get_ref().as_array() else {
            self.wrong_type(key, "a list of tables", item);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            match Table::of(item) {
                Some(table) => tables.push(table),
                None => self.wrong_type(key, "a list of tables", item),
            }
        }
        tables
    }

    /// Returns the texts of a table of them.
    pub(crate) fn strings(&mut self, table: &Table<'_, 'a>, key: &str) -> BTreeMap<String, String> {
        let Some(table) = self.table(table, key) else { return BTreeMap::new() };
        let mut strings = BTreeMap::new();
        for (name, item) in table.entries {
            if let Some(text) = self.parse_item(name.get_ref(), item) {
                strings.insert(name.get_ref().to_string(), text);
            }
        }
        strings
    }

    fn wrong_type(&mut self, key: &str, expected: &str, item: &Item<'a>) {
        let found = match item.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.note(&item.span(), format!("`{}` is {expected} not {found}", key.escape_debug()));
    }
}

impl<'t, 'a> Table<'t, 'a> {
    /// Returns the root of a text.
    pub(crate) fn root(root: &'t Spanned<DeTable<'a>>) -> Self {
        // What is missing in a file is missing at its start.
        Self { entries: root.get_ref(), span: 0..0 }
    }

    fn of(item: &'t Item<'a>) -> Option<Self> {
        Some(Self { entries: item.get_ref().as_table()?, span: item.span() })
    }

    /// Returns where it is.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns where the value of a key is, else the table itself.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.entries.get(key).map_or_else(|| self.span(), Spanned::span)
    }

    /// Returns whether a key is there, right or wrong.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.get(key).is_some()
    }
}

/// Returns the value as JSON; none for what JSON has not.
pub(crate) fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(integer) => {
            Value::from(i64::from_str_radix(integer.as_str(), integer.radix()).ok()?)
        }
        DeValue::Float(float) => {
            let number = float.as_str().replace('_', "").parse().ok()?;
            Value::Number(serde_json::Number::from_f64(number)?)
        }
        DeValue::Boolean(boolean) => Value::Bool(*boolean),
        DeValue::Datetime(_) => return None,
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| json(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => {
            let entries = table.iter();
            let entries = entries
                .map(|(name, item)| Some((name.get_ref().to_string(), json(item.get_ref())?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}

fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // A key that nobody could have meant is not worth the quadratic time.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    let distance = |key: &str| strsim::damerau_levenshtein(&word, key);
    let (distance, key) = known.iter().map(|key| (distance(key), *key)).min()?;
    (distance <= (word.len() / 3).max(1)).then_some(key)
}

fn list(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
