//! One number for what a plan would do.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::mask;
use crate::plan::{Action, Change, ChangeKind, Plan, ResourceChange};

/// The digest of a plan: equal for two plans that would do the same.
///
/// It is written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest([u8; 32]);

/// Returns the digest of what `plan` would do.
///
/// It covers the resources and outputs that change: address, actions, values before and after. It does not cover the time,
/// the tool's version, drift, variables, or the order in which anything is listed. A sensitive value enters only as "sensitive", and
/// whether it changes: nothing can be found out about a secret by guessing it and comparing digests.
pub fn digest(plan: &Plan) -> Digest {
    let mut resources: Vec<Vec<u8>> =
        plan.resource_changes.iter().filter(|resource| resource.is_change()).map(canonical_resource).collect();
    resources.sort();
    let outputs = plan.output_changes.iter().filter(|(_, change)| change.kind() != ChangeKind::NoOp);
    let outputs: Vec<Vec<u8>> = outputs.map(|(name, change)| canonical_output(name, change)).collect();

    // The number changes with the encoding, so that a digest of an older menagerie never matches by accident.
    let mut hasher = Sha256::new_with_prefix(b"menagerie plan 1\n");
    for (kind, items) in [(b"resource\n", resources), (b"output\n\n\n", outputs)] {
        for item in items {
            hasher.update(kind);
            hasher.update((item.len() as u64).to_be_bytes());
            hasher.update(item);
        }
    }
    Digest(hasher.finalize().into())
}

fn canonical_resource(resource: &ResourceChange) -> Vec<u8> {
    let mut out = Canonical::default();
    out.text(&resource.address);
    out.optional(resource.deposed.as_deref());
    out.optional(resource.previous_address.as_deref());
    out.text(&resource.provider_name);
    out.optional(resource.change.importing.as_ref().map(|importing| importing.id.as_deref().unwrap_or_default()));
    let mut replace_paths: Vec<String> =
        resource.change.replace_paths.iter().map(|path| Value::from(path.as_slice()).to_string()).collect();
    replace_paths.sort();
    out.count(replace_paths.len());
    replace_paths.iter().for_each(|path| out.text(path));
    out.change(&resource.change);
    out.0
}

fn canonical_output(name: &str, change: &Change) -> Vec<u8> {
    let mut out = Canonical::default();
    out.text(name);
    out.change(change);
    out.0
}

/// An encoding without ambiguity: a letter for what follows, and a length before what has one.
#[derive(Default)]
struct Canonical(Vec<u8>);

impl Canonical {
    fn count(&mut self, count: usize) {
        self.0.extend((count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.0.push(b's');
        self.count(text.len());
        self.0.extend(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.0.push(b'n'),
        }
    }

    fn change(&mut self, change: &Change) {
        self.count(change.actions.len());
        self.0.extend(change.actions.iter().map(|action| match action {
            Action::NoOp => b'=',
            Action::Create => b'+',
            Action::Read => b'<',
            Action::Update => b'~',
            Action::Delete => b'-',
            Action::Forget => b'.',
        }));
        let other_side = Side { value: &change.after, sensitive: &change.after_sensitive, unknown: &change.after_unknown };
        let before = Side { value: &change.before, sensitive: &change.before_sensitive, unknown: &Value::Null };
        self.side(before, other_side);
        self.side(other_side, before);
    }

    /// Writes `side`; `other` tells whether something sensitive changes.
    fn side(&mut self, side: Side<'_>, other: Side<'_>) {
        if mask::is_set(side.sensitive) {
            self.0.push(b'*');
            self.0.push(u8::from(side.value == other.value));
            return;
        }
        if mask::is_set(side.unknown) {
            self.0.push(b'?');
            return;
        }
        match side.value {
            Value::Array(elements) => {
                self.0.push(b'a');
                self.count(elements.len());
                for index in 0..elements.len() {
                    self.side(side.at_index(index), other.at_index(index));
                }
            }
            // Unknown attributes are left out of the value, and are in the mask only.
            Value::Object(_) => {
                let keys = side.keys();
                self.0.push(b'o');
                self.count(keys.len());
                for key in keys {
                    self.text(key);
                    self.side(side.at_key(key), other.at_key(key));
                }
            }
            _ if mask::is_set_anywhere(side.unknown) => self.0.push(b'?'),
            Value::Null => self.0.push(b'n'),
            Value::Bool(value) => self.0.push(if *value { b't' } else { b'f' }),
            Value::Number(number) => {
                self.0.push(b'd');
                let number = number.to_string();
                self.count(number.len());
                self.0.extend(number.as_bytes());
            }
            Value::String(text) => self.text(text),
        }
    }
}

/// A value before or after, and its masks.
#[derive(Clone, Copy)]
struct Side<'a> {
    value: &'a Value,
    sensitive: &'a Value,
    unknown: &'a Value,
}

impl<'a> Side<'a> {
    fn at_key(self, key: &str) -> Self {
        Self {
            value: self.value.get(key).unwrap_or(&Value::Null),
            sensitive: mask::at_key(self.sensitive, key),
            unknown: mask::at_key(self.unknown, key),
        }
    }

    fn at_index(self, index: usize) -> Self {
        Self {
            value: self.value.get(index).unwrap_or(&Value::Null),
            sensitive: mask::at_index(self.sensitive, index),
            unknown: mask::at_index(self.unknown, index),
        }
    }

    fn keys(self) -> std::collections::BTreeSet<&'a str> {
        [self.value, self.unknown]
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(serde_json::Map::keys)
            .map(String::as_str)
            .collect()
    }
}

impl Digest {
    /// Returns the first eight digits: enough to be told apart by a person, not to be compared by a program.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text is no [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no digest: 64 lower-case hexadecimal digits are expected")]
pub struct ParseDigestError(String);

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseDigestError(text.to_owned());
        if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(error());
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| error())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = ParseDigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
