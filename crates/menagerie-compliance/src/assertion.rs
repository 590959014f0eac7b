//! [`Assertion`]: what a rule asks of an attribute, as it is written and as it is told.

use std::fmt;
use std::str::FromStr;

use regex_lite::Regex;
use serde_json::Value;

use crate::need::Need;
use crate::path::AttributePath;
use crate::table::{Reader, Table};

/// What is asked of the values at a path, or of the resource as a whole.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// Where it looks; none for the resource as a whole.
    pub(crate) attribute: Option<AttributePath>,
    /// What must hold there, all of it.
    pub(crate) operators: Vec<Operator>,
    /// Whether an absent value is right, too.
    pub(crate) optional: bool,
    /// What is wrong where it does not hold, in the words of the rule.
    pub(crate) message: Option<String>,
}

/// One thing that must hold.
#[derive(Clone, Debug)]
pub(crate) enum Operator {
    Equals(Value),
    NotEquals(Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    Matches(Regex),
    NotMatches(Regex),
    AtLeast(f64),
    AtMost(f64),
    SubsetOf(Vec<Value>),
    Contains(Vec<Value>),
    ContainsMatch(Regex),
    Lacks(Vec<Value>),
    LacksMatch(Regex),
    Count(Count),
    Present(bool),
    Unique,
    ReferencedBy(ReferencedBy),
    Any(Vec<Assertion>),
    Never(Vec<Assertion>),
}

/// How many there may be, such as `>=1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    least: usize,
    most: usize,
}

/// Another resource that has to name this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReferencedBy {
    pub(crate) kind: String,
    pub(crate) attribute: String,
}

/// The keys of an assertion.
pub(crate) const KEYS: &[&str] = &[
    "attribute",
    "optional",
    "message",
    "equals",
    "not_equals",
    "in",
    "not_in",
    "matches",
    "not_matches",
    "at_least",
    "at_most",
    "subset_of",
    "contains",
    "contains_match",
    "lacks",
    "lacks_match",
    "count",
    "present",
    "unique",
    "referenced_by",
    "any",
    "never",
];

/// Where an assertion stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// It is the rule's own.
    Top,
    /// It is a part of another, or says which resources are meant.
    Inner,
}

impl Assertion {
    /// Reads the assertions of a key.
    pub(crate) fn read_all<'a>(
        reader: &mut Reader<'a>,
        table: &Table<'_, 'a>,
        key: &str,
        position: Position,
    ) -> Vec<Self> {
        let tables = reader.tables(table, key);
        tables.iter().map(|table| Self::read(reader, table, position)).collect()
    }

    fn read<'a>(reader: &mut Reader<'a>, table: &Table<'_, 'a>, position: Position) -> Self {
        reader.allow(table, KEYS);
        let mut operators = Vec::new();
        operators.extend(reader.value(table, "equals").map(Operator::Equals));
        operators.extend(reader.value(table, "not_equals").map(Operator::NotEquals));
        operators.extend(reader.values(table, "in").map(Operator::In));
        operators.extend(reader.values(table, "not_in").map(Operator::NotIn));
        operators.extend(reader.parsed(table, "matches").map(Operator::Matches));
        operators.extend(reader.parsed(table, "not_matches").map(Operator::NotMatches));
        operators.extend(reader.number(table, "at_least").map(Operator::AtLeast));
        operators.extend(reader.number(table, "at_most").map(Operator::AtMost));
        operators.extend(reader.values(table, "subset_of").map(Operator::SubsetOf));
        operators.extend(reader.values(table, "contains").map(Operator::Contains));
        operators.extend(reader.parsed(table, "contains_match").map(Operator::ContainsMatch));
        operators.extend(reader.values(table, "lacks").map(Operator::Lacks));
        operators.extend(reader.parsed(table, "lacks_match").map(Operator::LacksMatch));
        operators.extend(reader.parsed(table, "count").map(Operator::Count));
        operators.extend(reader.boolean(table, "present").map(Operator::Present));
        if let Some(unique) = reader.boolean(table, "unique") {
            operators.push(Operator::Unique);
            if !unique {
                reader.note(&table.span_of("unique"), "`unique` is true, or it is not there");
            }
        }
        if let Some(companion) = reader.table(table, "referenced_by") {
            reader.allow(&companion, &["type", "attribute"]);
            reader.require(&companion, "type", "\"aws_s3_bucket_public_access_block\"");
            reader.require(&companion, "attribute", "\"bucket\"");
            let kind = reader.string(&companion, "type").unwrap_or_default();
            let attribute = reader.string(&companion, "attribute").unwrap_or_default();
            operators.push(Operator::ReferencedBy(ReferencedBy { kind, attribute }));
        }
        for key in ["any", "never"] {
            if table.has(key) {
                let inner = Self::read_all(reader, table, key, Position::Inner);
                if inner.is_empty() && reader.is_right() {
                    reader.note(&table.span_of(key), format!("`{key}` is empty"));
                }
                operators.push(if key == "any" {
                    Operator::Any(inner)
                } else {
                    Operator::Never(inner)
                });
            }
        }
        let attribute = reader.parsed(table, "attribute");
        let assertion = Self {
            attribute,
            operators,
            optional: reader.boolean(table, "optional").unwrap_or_default(),
            message: reader.string(table, "message"),
        };
        assertion.check(reader, table, position);
        assertion
    }

    /// Notes what fits nothing or could not hold.
    fn check<'a>(&self, reader: &mut Reader<'a>, table: &Table<'_, 'a>, position: Position) {
        if !reader.is_right() {
            return;
        }
        if self.operators.is_empty() {
            let hint = "for example `equals = true`";
            reader.note_with_hint(&table.span(), "this asks nothing of the attribute", hint);
        }
        let needs_none = |operator: &Operator| {
            matches!(operator, Operator::Any(_) | Operator::Never(_) | Operator::ReferencedBy(_))
        };
        if self.attribute.is_none() && !self.operators.iter().all(needs_none) {
            reader.require(table, "attribute", "\"storage_encrypted\"");
        }
        for operator in &self.operators {
            let key = match operator {
                Operator::Unique => "unique",
                Operator::ReferencedBy(_) => "referenced_by",
                _ => continue,
            };
            if position == Position::Inner {
                let message =
                    format!("`{key}` stands in a rule's own `[[assert]]`, not in another");
                reader.note(&table.span_of(key), message);
            } else if key == "referenced_by" && self.attribute.is_some() {
                let message = "`referenced_by` is asked of the resource, not of an attribute";
                reader.note(&table.span_of(key), message);
            }
        }
    }

    /// Needs what it reads of a resource, or of the place that it is about.
    pub(crate) fn add_needs(&self, from: &mut Need) {
        let need = match &self.attribute {
            Some(path) => path.need(from),
            None => Some(from),
        };
        let Some(need) = need else { return };
        for operator in &self.operators {
            match operator {
                Operator::Any(inner) | Operator::Never(inner) => {
                    for inner in inner {
                        inner.add_needs(need);
                    }
                }
                Operator::ReferencedBy(_) => need.key("id").all(),
                _ => need.all(),
            }
        }
    }

    /// Returns what it is made of.
    pub(crate) fn inner(&self) -> impl Iterator<Item = &Self> {
        self.operators.iter().flat_map(|operator| match operator {
            Operator::Any(inner) | Operator::Never(inner) => inner.as_slice(),
            _ => &[],
        })
    }

    /// Returns what it says where it does not hold, in the words of the rule.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error =
            || format!("`{}` is no count; it is such as `>=1`, `<=3` or `=2`", text.escape_debug());
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| error());
        if let Some(least) = text.strip_prefix(">=") {
            return Ok(Self { least: number(least)?, most: usize::MAX });
        }
        if let Some(most) = text.strip_prefix("<=") {
            return Ok(Self { least: 0, most: number(most)? });
        }
        let exact = number(text.strip_prefix('=').unwrap_or(text))?;
        Ok(Self { least: exact, most: exact })
    }
}

impl Count {
    /// Returns whether there may be this many.
    pub(crate) fn allows(self, count: usize) -> bool {
        (self.least..=self.most).contains(&count)
    }

    /// Returns a number that is not allowed, if there is one; the nearest below, else above.
    pub(crate) fn forbidden(self) -> Option<usize> {
        self.least.checked_sub(1).or_else(|| self.most.checked_add(1))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, usize::MAX) => write!(formatter, "at least {least}"),
            (0, most) if most > 0 => write!(formatter, "at most {most}"),
            (least, _) => write!(formatter, "{least}"),
        }
    }
}

/// What it asks, as the end of a sentence whose subject is the attribute.
impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(value) => write!(formatter, "must be `{value}`"),
            Self::NotEquals(value) => write!(formatter, "must not be `{value}`"),
            Self::In(values) => write!(formatter, "must be one of {}", list(values)),
            Self::NotIn(values) => write!(formatter, "must be none of {}", list(values)),
            Self::Matches(regex) => write!(formatter, "must match `{regex}`"),
            Self::NotMatches(regex) => write!(formatter, "must not match `{regex}`"),
            Self::AtLeast(number) => write!(formatter, "must be at least {number}"),
            Self::AtMost(number) => write!(formatter, "must be at most {number}"),
            Self::SubsetOf(values) => write!(formatter, "may hold {} only", list(values)),
            Self::Contains(values) => write!(formatter, "must hold {}", list(values)),
            Self::ContainsMatch(regex) => write!(formatter, "must hold one that matches `{regex}`"),
            Self::Lacks(values) => write!(formatter, "must hold none of {}", list(values)),
            Self::LacksMatch(regex) => write!(formatter, "must hold none that matches `{regex}`"),
            Self::Count(count) => write!(formatter, "must hold {count}"),
            Self::Present(true) => formatter.write_str("must be set"),
            Self::Present(false) => formatter.write_str("must not be set"),
            Self::Unique => formatter.write_str("must differ from that of every other"),
            Self::ReferencedBy(ReferencedBy { kind, attribute }) => {
                write!(formatter, "must be named by the `{attribute}` of an `{kind}`")
            }
            Self::Any(inner) => write!(formatter, "needs one of: {}", sentence(inner, "; or ")),
            Self::Never(inner) => write!(formatter, "must not have it that {}", held(inner)),
        }
    }
}

/// What it asks, as a sentence.
impl fmt::Display for Assertion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            Some(path) => write!(formatter, "`{path}` ")?,
            None => formatter.write_str("it ")?,
        }
        for (index, operator) in self.operators.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" and ")?;
            }
            write!(formatter, "{operator}")?;
        }
        if self.optional {
            formatter.write_str(", if it is set")?;
        }
        Ok(())
    }
}

fn sentence(assertions: &[Assertion], separator: &str) -> String {
    assertions.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

/// Returns the same as what is so, not as what must be.
pub(crate) fn held(assertions: &[Assertion]) -> String {
    let text = sentence(assertions, " and ");
    [
        ("it needs one of: ", ""),
        ("; or ", " or "),
        ("must not be set", "is not set"),
        ("must be set", "is set"),
        ("must not be", "is not"),
        ("must be", "is"),
        ("must not match", "does not match"),
        ("must match", "matches"),
        ("must hold", "holds"),
        ("must not", "does not"),
        ("must differ", "differs"),
    ]
    .iter()
    .fold(text, |text, (must, is)| text.replace(must, is))
}

fn list(values: &[Value]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, allowed: &[usize], refused: &[usize]) {
        let count: Count = text.parse().unwrap();
        assert!(allowed.iter().all(|number| count.allows(*number)), "{text}");
        assert!(!refused.iter().any(|number| count.allows(*number)), "{text}");
    }

    #[test]
    fn counts() {
        check(">=1", &[1, 9], &[0]);
        check("<= 2", &[0, 2], &[3]);
        check("=2", &[2], &[1, 3]);
        check("0", &[0], &[1]);
        for text in ["", "x", ">1", "=-1", ">=", "1.5"] {
            assert!(text.parse::<Count>().is_err(), "{text}");
        }
        assert_eq!(">=0".parse::<Count>().unwrap().forbidden(), None);
        assert_eq!("<=2".parse::<Count>().unwrap().forbidden(), Some(3));
    }
}
