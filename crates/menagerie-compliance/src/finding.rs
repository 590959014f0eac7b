//! [`Finding`]: what a rule says of a resource, when it is not that all is well.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::mask;
use crate::path::Node;
use crate::record::{Location, Source};
use crate::rule::RuleId;
use crate::severity::Severity;

/// What a rule says of an attribute of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// Somebody answers for it.
    Waived,
    /// It can't be told before it is applied.
    Unknown,
    /// It does not hold.
    Fail,
    /// It could not be judged.
    Error,
}

/// What a rule found that is no pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// The rule's severity.
    pub severity: Severity,
    /// What it says.
    pub verdict: Verdict,
    /// Whether it counts: a failure does, an unknown where its rule says so, a waived one never.
    pub counts: bool,
    /// What the rule is about.
    pub source: Source,
    /// The root module, for a finding of a plan; empty where nobody said.
    pub root: String,
    /// The environment whose plan it is of.
    pub environment: Option<String>,
    /// The resource; none where it is about all of them.
    pub address: Option<String>,
    /// The attribute; none where it is about the resource.
    pub attribute: Option<String>,
    /// What is wrong, without any value that is marked as sensitive.
    pub message: String,
    /// By which a waiver and a later run know it again.
    pub fingerprint: Fingerprint,
    /// Where it stands in a file, as far as that is known.
    pub location: Option<Location>,
    /// All waivers that it meets, by their places in the policy.
    pub waivers: Vec<usize>,
}

/// Root module, rule, address, attribute and value of a finding, as 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

/// A text that is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{}` is no fingerprint, which is of 16 hexadecimal digits and stands with each finding", .0.escape_debug())]
pub struct FingerprintError(String);

impl Fingerprint {
    /// Returns the fingerprint of what was found; `class` is the value as far as it may be known.
    pub fn of(
        root: &str,
        rule: &RuleId,
        address: Option<&str>,
        attribute: Option<&str>,
        class: &str,
    ) -> Self {
        let mut hash = Sha256::new();
        let (address, attribute) = (address.unwrap_or_default(), attribute.unwrap_or_default());
        for part in [root, rule.as_str(), address, attribute, class] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let mut text = String::new();
        for byte in &hash.finalize()[..8] {
            write!(text, "{byte:02x}").expect("writing to a string can't fail");
        }
        Self(text)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 16 && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(FingerprintError(text.to_owned()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The most characters of a value that are shown.
const SHOWN: usize = 80;

/// Returns a value as a finding may show it.
pub(crate) fn shown(node: Node<'_>) -> String {
    if mask::has_any(node.sensitive) {
        return "(sensitive)".to_owned();
    }
    if node.value.is_null() {
        return "not set".to_owned();
    }
    let text = node.value.to_string();
    if text.chars().count() <= SHOWN {
        return format!("`{text}`");
    }
    let cut: String = text.chars().take(SHOWN).collect();
    format!("`{cut}…`")
}

/// Returns what of a value a fingerprint may depend on.
pub(crate) fn class(node: Node<'_>) -> String {
    if mask::has_any(node.sensitive) {
        return "sensitive".to_owned();
    }
    match node.value {
        Value::Null => "absent".to_owned(),
        value => format!("value {value}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_sensitive_is_shown_or_hashed() {
        let value = json!({"a": [{"token": "hunter2"}]});
        let sensitive = json!({"a": [{"token": true}]});
        let node =
            Node { value: &value, unknown: &mask::NOTHING, sensitive: &sensitive, is_json: false };
        assert_eq!((shown(node), class(node)), ("(sensitive)".to_owned(), "sensitive".to_owned()));
        let node = Node { sensitive: &mask::NOTHING, ..node };
        assert_eq!(shown(node), r#"`{"a":[{"token":"hunter2"}]}`"#);
        let value = json!("ü".repeat(100));
        assert_eq!(shown(Node { value: &value, ..node }).chars().count(), 83);
    }

    #[test]
    fn fingerprints() {
        let of = |address, attribute, class| {
            Fingerprint::of("", &"A-1".parse().unwrap(), address, attribute, class)
        };
        let one = of(Some("a.b"), Some("c"), "value 1");
        assert_eq!(one.to_string().parse(), Ok(one.clone()));
        assert_ne!(one, of(Some("a.b"), Some("c"), "value 2"));
        assert_ne!(one, of(Some("a."), Some("bc"), "value 1"));
        assert!("0123456789ABCDEF".parse::<Fingerprint>().is_err());
    }
}
