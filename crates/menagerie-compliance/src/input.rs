//! Reading a plan or a state: once, and of it only what the rules read.

mod change;
mod configuration;
mod scanner;

use std::borrow::Cow;
use std::rc::Rc;

use serde::de::IgnoredAny;
use serde_json::Value;
use thiserror::Error;

use crate::need::Need;
use crate::rule::{Action, Mode};
use change::{Change, attributes};
use scanner::{Fault, Reason, Scanner};

/// Why an input could not be judged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// It ends in the middle.
    #[error(
        "the plan or state is cut short: it ends in the middle, in line {line}, column {column}"
    )]
    CutShort {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
    },
    /// It is not JSON, or not in the shape that Terraform prints.
    #[error("this is no plan or state as Terraform prints it in JSON: {reason}")]
    Json {
        /// Where and why, without what stands there.
        reason: String,
    },
    /// It is something else that Terraform writes.
    #[error("this is {0}, not a plan or a state as `terraform show -json` prints it")]
    Other(&'static str),
    /// It is of another format.
    #[error("the plan or state has format `{}`, but only `1.x` is understood: this Terraform is too new or too old", .0.escape_debug())]
    Format(String),
    /// What it is to be compared with is wrong.
    #[error("production's plan or state: {0}")]
    Production(String),
    /// Planning failed half-way.
    #[error("the plan is not complete: planning ended with an error")]
    Errored,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// What would be.
    Plan,
    /// What is.
    State,
}

/// What of a type of resources is read.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    /// The rules that are about this type, by their places.
    pub(crate) rules: Vec<usize>,
    /// What any of them reads.
    pub(crate) need: Need,
    /// Whether one is about what is deleted.
    pub(crate) reads_before: bool,
}

/// A resource, of which only attributes of interest need be there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource<'a> {
    pub(crate) address: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) mode: Mode,
    pub(crate) action: Action,
    pub(crate) values: &'a Value,
    pub(crate) unknown: &'a Value,
    pub(crate) sensitive: &'a Value,
}

/// A block of the configuration that may name others.
#[derive(Debug)]
pub(crate) struct Block {
    /// The module, without the keys of instances.
    pub(crate) module: String,
    pub(crate) kind: String,
    /// The expressions by attribute.
    pub(crate) expressions: Value,
}

/// What is told of an input while it is read.
pub(crate) trait Sink {
    /// Returns what of this type is of interest.
    fn interest(&mut self, kind: &str) -> Option<Rc<Interest>>;
    /// Takes a resource of interest.
    fn resource(&mut self, resource: Resource<'_>, interest: &Interest);
    /// Counts a resource.
    fn count(&mut self);
    /// Returns whether blocks of this type are of interest; of any type, where none is given.
    fn wants_blocks(&self, kind: Option<&str>) -> bool;
    /// Takes a block of interest.
    fn block(&mut self, block: Block);
}

/// Reads an input to its end.
pub(crate) fn read(json: &[u8], sink: &mut impl Sink) -> Result<InputKind, InputError> {
    if json.starts_with(b"PK\x03\x04") {
        return Err(InputError::Other("a saved plan"));
    }
    // Seeing once that all of it is UTF-8 is quicker than seeing it for each text.
    let json = std::str::from_utf8(json).map_err(|error| {
        let (line, column) = position(json, error.valid_up_to());
        match error.error_len() {
            // It ends within a character.
            None => InputError::CutShort { line, column },
            Some(_) => InputError::Json {
                reason: format!("it is not UTF-8 at line {line} column {column}"),
            },
        }
    })?;
    let mut scanner = Scanner::new(json);
    let header = document(&mut scanner, sink).map_err(|fault| failure(json, fault))?;
    if header.written == Written::Event {
        return Err(InputError::Other("the stream of events of `-json`"));
    }
    if !scanner.is_at_end() {
        return Err(failure(json, Fault::syntax()));
    }
    let kind = match header.written {
        Written::Plan => InputKind::Plan,
        Written::State => InputKind::State,
        Written::StateFile | Written::Event => return Err(InputError::Other("a state file")),
    };
    let Some(version) = header.format_version else {
        return Err(InputError::Other("JSON of another kind"));
    };
    if version.split('.').next() != Some("1") {
        return Err(InputError::Format(version));
    }
    if header.errored {
        return Err(InputError::Errored);
    }
    Ok(kind)
}

/// Says what is wrong, without what stands there: that may be a secret.
fn failure(json: &str, fault: Fault) -> InputError {
    let (at, reason) = match fault.reason() {
        Reason::Expected { at, what } => (at, format!("there should be {what}")),
        Reason::Wrong { at, why: reason } => (at, reason),
        // Where and why is told by what tells it best.
        Reason::Syntax => match serde_json::from_str::<IgnoredAny>(json) {
            Err(error) => {
                // A number that ends with its point or sign counts as an invalid number there.
                let is_number = json.ends_with(['-', '+', '.', 'e', 'E'])
                    && (error.line(), error.column() + 1) == position(json.as_bytes(), json.len());
                if error.is_eof() || is_number {
                    return InputError::CutShort { line: error.line(), column: error.column() };
                }
                return InputError::Json { reason: error.to_string() };
            }
            Ok(_) => (json.len(), "it is no JSON".to_owned()),
        },
    };
    let (line, column) = position(json.as_bytes(), at);
    InputError::Json { reason: format!("{reason} at line {line} column {column}") }
}

/// Returns line and column, in bytes and from 1.
fn position(json: &[u8], at: usize) -> (usize, usize) {
    let mut lines = json[..at].split(|byte| *byte == b'\n');
    (lines.clone().count(), 1 + lines.next_back().map_or(0, <[u8]>::len))
}

#[derive(Default)]
struct Header {
    format_version: Option<String>,
    errored: bool,
    /// What it must be, by the last key that tells.
    written: Written,
}

#[derive(Default, PartialEq, Eq)]
enum Written {
    #[default]
    State,
    Plan,
    StateFile,
    Event,
}

fn document(scanner: &mut Scanner<'_>, sink: &mut impl Sink) -> Result<Header, Fault> {
    let mut header = Header::default();
    scanner.map("a plan or a state", |scanner, key| {
        match key {
            "format_version" => {
                header.format_version = scanner.optional_text()?.map(Cow::into_owned);
                return Ok(());
            }
            "errored" => {
                header.errored = scanner.boolean()?.unwrap_or_default();
                return Ok(());
            }
            "resource_changes" => {
                header.written = Written::Plan;
                return scanner.list("the list of changes", |scanner| resource(scanner, sink));
            }
            "values" => return state(scanner, sink),
            "configuration" if sink.wants_blocks(None) => {
                return configuration::read(scanner, sink);
            }
            "planned_values" => header.written = Written::Plan,
            "version" => header.written = Written::StateFile,
            "@level" => header.written = Written::Event,
            _ => {}
        }
        scanner.skip()
    })?;
    Ok(header)
}

fn state(scanner: &mut Scanner<'_>, sink: &mut impl Sink) -> Result<(), Fault> {
    scanner.map("the values of a state", |scanner, key| match key {
        "root_module" => state_module(scanner, sink),
        _ => scanner.skip(),
    })
}

fn state_module(scanner: &mut Scanner<'_>, sink: &mut impl Sink) -> Result<(), Fault> {
    scanner.map("a module of a state", |scanner, key| match key {
        "resources" => scanner.list("the resources of a state", |scanner| resource(scanner, sink)),
        "child_modules" => {
            scanner.list("the modules of a state", |scanner| state_module(scanner, sink))
        }
        _ => scanner.skip(),
    })
}

/// Reads a resource of a plan or of a state: they differ in where the attributes are.
fn resource(scanner: &mut Scanner<'_>, sink: &mut impl Sink) -> Result<(), Fault> {
    let start = scanner.at();
    let (mut address, mut kind, mut mode) = (None, None::<Cow<'_, str>>, None);
    let (mut interest, mut change) = (None, None);
    // What stands before the type, which tells whether any rule reads it.
    let mut early = Vec::new();
    scanner.map("a resource", |scanner, key| {
        let part = match key {
            "address" => {
                address = Some(scanner.text()?);
                return Ok(());
            }
            "type" => {
                if kind.is_some() {
                    return Err(scanner.wrong("`type` stands there twice"));
                }
                let text = scanner.text()?;
                interest = sink.interest(&text);
                kind = Some(text);
                return Ok(());
            }
            "mode" => {
                mode = match &*scanner.text()? {
                    "managed" => Some(Mode::Managed),
                    "data" => Some(Mode::Data),
                    _ => None,
                };
                return Ok(());
            }
            "change" => Part::Change,
            "values" => Part::Values,
            "sensitive_values" => Part::Sensitive,
            _ => return scanner.skip(),
        };
        if let Some(interest) = &interest {
            return part.read(scanner, interest, &mut change);
        }
        if kind.is_none() {
            early.push((part, scanner.at()));
        }
        scanner.skip()
    })?;
    let missing = |key| Fault::wrong(start, format!("missing field `{key}`"));
    let address = address.ok_or_else(|| missing("address"))?;
    let kind = kind.ok_or_else(|| missing("type"))?;
    sink.count();
    let Some((mode, interest)) = mode.zip(interest) else { return Ok(()) };
    for (part, at) in early {
        scanner.back_to(at, |scanner| part.read(scanner, &interest, &mut change))?;
    }
    if let Some(Change { action, values, unknown, sensitive }) = &change {
        let (action, address, kind) = (*action, &*address, &*kind);
        sink.resource(
            Resource { address, kind, mode, action, values, unknown, sensitive },
            &interest,
        );
    }
    Ok(())
}

/// A part of a resource that holds attributes.
#[derive(Clone, Copy)]
enum Part {
    Change,
    Values,
    Sensitive,
}

impl Part {
    fn read(
        self,
        scanner: &mut Scanner<'_>,
        interest: &Interest,
        change: &mut Option<Change>,
    ) -> Result<(), Fault> {
        match self {
            Self::Change => *change = Some(Change::read(scanner, interest)?),
            Self::Values => {
                change.get_or_insert_default().values = attributes(scanner, &interest.need)?;
            }
            Self::Sensitive => {
                change.get_or_insert_default().sensitive = attributes(scanner, &interest.need)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Sink for Nobody {
        fn interest(&mut self, _: &str) -> Option<Rc<Interest>> {
            Some(Rc::default())
        }

        fn resource(&mut self, _: Resource<'_>, _: &Interest) {}

        fn count(&mut self) {}

        fn wants_blocks(&self, _: Option<&str>) -> bool {
            true
        }

        fn block(&mut self, _: Block) {}
    }

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let actual = match read(json.as_bytes(), &mut Nobody) {
            Ok(kind) => format!("{kind:?}"),
            Err(error) => error.to_string(),
        };
        assert!(actual.contains(expected), "{actual}");
    }

    #[test]
    fn what_is_no_plan() {
        check("", "cut short");
        check(r#"{"format_version": "1.2", "resource_changes": ["#, "cut short");
        check("[]", "there should be a plan or a state at line 1 column 1");
        check("{}", "this is JSON of another kind");
        check(r#"{"version": 4, "resources": []}"#, "this is a state file");
        check("{\"@level\": \"info\"}\n{\"@level\": \"info\"}", "this is the stream of events");
        check("PK\u{3}\u{4}", "this is a saved plan");
        check(r#"{"format_version": "2.0", "planned_values": {}}"#, "format `2.0`");
        check(r#"{"format_version": "1.2", "errored": true}"#, "planning ended with an error");
        check(r#"{"format_version": "1.2"} {}"#, "trailing characters");
    }

    #[test]
    fn a_change_that_is_not_understood_does_not_pass_for_none() {
        let plan = |change: &str| {
            format!(
                r#"{{"format_version": "1.2", "resource_changes": [{{"type": "a", "address": "a.b", "change": {change}}}]}}"#
            )
        };
        check(&plan(r#"{"actions": ["explode"]}"#), "there should be one of `no-op`");
        check(&plan(r#"{"actions": []}"#), "there is no action that is known");
        check(&plan("{}"), "missing field `actions`");
        check(
            &plan(r#"{"actions": ["create"], "after": "hunter2"}"#),
            "there should be the attributes of a resource",
        );
        check(
            r#"{"format_version": "1.2", "resource_changes": [{"type": "a"}]}"#,
            "missing field `address`",
        );
    }

    #[test]
    fn plans_and_states() {
        check(r#"{"format_version": "1.2", "resource_changes": null}"#, "Plan");
        check(r#"{"format_version": "1.0", "values": {"root_module": {}}}"#, "State");
        check(r#"{"format_version": "1.0"}"#, "State");
    }
}
