//! One number for what a plan would do.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::mask;
use crate::plan::{Action, Change, ChangeKind, Plan, ResourceChange};
use crate::secrets::Secrets;

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
    let secrets = &Secrets::of(plan);
    let mut resources: Vec<Vec<u8>> = plan
        .resource_changes
        .iter()
        .filter(|resource| resource.is_change())
        .map(|resource| canonical_resource(resource, secrets))
        .collect();
    resources.sort();
    let outputs =
        plan.output_changes.iter().filter(|(_, change)| change.kind() != ChangeKind::NoOp);
    let outputs: Vec<Vec<u8>> =
        outputs.map(|(name, change)| canonical_output(name, change, secrets)).collect();

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

fn canonical_resource(resource: &ResourceChange, secrets: &Secrets) -> Vec<u8> {
    let mut out = Canonical { bytes: Vec::new(), secrets };
    out.text(&resource.address);
    out.optional(resource.deposed.as_deref());
    out.optional(resource.previous_address.as_deref());
    out.text(&resource.provider_name);
    out.optional(
        resource
            .change
            .importing
            .as_ref()
            .map(|importing| importing.id.as_deref().unwrap_or_default()),
    );
    let mut replace_paths: Vec<String> = resource
        .change
        .replace_paths
        .iter()
        .map(|path| Value::from(path.as_slice()).to_string())
        .collect();
    replace_paths.sort();
    out.count(replace_paths.len());
    for path in &replace_paths {
        out.text(path);
    }
    out.change(&resource.change);
    out.bytes
}

fn canonical_output(name: &str, change: &Change, secrets: &Secrets) -> Vec<u8> {
    let mut out = Canonical { bytes: Vec::new(), secrets };
    out.text(name);
    out.change(change);
    out.bytes
}

/// An encoding without ambiguity: a letter for what follows, and a length before what has one.
struct Canonical<'a> {
    bytes: Vec<u8>,
    secrets: &'a Secrets,
}

impl Canonical<'_> {
    fn count(&mut self, count: usize) {
        self.bytes.extend((count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.bytes.push(b's');
        self.count(text.len());
        self.bytes.extend(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.bytes.push(b'n'),
        }
    }

    fn change(&mut self, change: &Change) {
        self.count(change.actions.len());
        self.bytes.extend(change.actions.iter().map(|action| match action {
            Action::NoOp => b'=',
            Action::Create => b'+',
            Action::Read => b'<',
            Action::Update => b'~',
            Action::Delete => b'-',
            Action::Forget => b'.',
        }));
        let other_side = Side {
            value: &change.after,
            sensitive: &change.after_sensitive,
            unknown: &change.after_unknown,
        };
        let before = Side {
            value: &change.before,
            sensitive: &change.before_sensitive,
            unknown: &Value::Null,
        };
        self.side(before, other_side);
        self.side(other_side, before);
    }

    /// Writes `side`; `other` tells whether something sensitive changes.
    fn side(&mut self, side: Side<'_>, other: Side<'_>) {
        let is_secret = side.value.as_str().is_some_and(|text| self.secrets.are_in_text(text));
        if mask::is_set(side.sensitive) || is_secret {
            self.bytes.push(b'*');
            self.bytes.push(u8::from(side.value == other.value));
            return;
        }
        if mask::is_set(side.unknown) {
            self.bytes.push(b'?');
            return;
        }
        match side.value {
            Value::Array(elements) => {
                self.bytes.push(b'a');
                self.count(elements.len());
                for index in 0..elements.len() {
                    self.side(side.at_index(index), other.at_index(index));
                }
            }
            // Unknown attributes are left out of the value, and are in the mask only.
            Value::Object(_) => {
                let keys = side.keys();
                self.bytes.push(b'o');
                self.count(keys.len());
                for key in keys {
                    self.text(key);
                    self.side(side.at_key(key), other.at_key(key));
                }
            }
            _ if mask::is_set_anywhere(side.unknown) => self.bytes.push(b'?'),
            Value::Null => self.bytes.push(b'n'),
            Value::Bool(value) => self.bytes.push(if *value { b't' } else { b'f' }),
            Value::Number(number) => {
                self.bytes.push(b'd');
                let number = number.to_string();
                self.count(number.len());
                self.bytes.extend(number.as_bytes());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::strategy;
    use proptest::prelude::*;
    use serde_json::json;

    const MIXED: &[u8] = include_bytes!("../tests/fixtures/mixed.json");

    fn of(plan: &Value) -> Digest {
        digest(&Plan::from_json(plan.to_string().as_bytes()).unwrap())
    }

    /// Changes the plan of the fixture and tells whether that is another digest.
    #[track_caller]
    fn check(change: impl Fn(&mut Value), is_another: bool) {
        let mut plan: Value = serde_json::from_slice(MIXED).unwrap();
        let before = of(&plan);
        change(&mut plan);
        assert_eq!(of(&plan) != before, is_another);
    }

    fn resource<'a>(plan: &'a mut Value, address: &str) -> &'a mut Value {
        let resources = plan["resource_changes"].as_array_mut().unwrap();
        resources.iter_mut().find(|resource| resource["address"] == address).unwrap()
    }

    #[test]
    fn another_release_gives_the_same_digest() {
        // If this fails on purpose, change the number in `digest` too.
        let digest = digest(&Plan::from_json(MIXED).unwrap());
        insta::assert_snapshot!(digest, @"0cb176a46ebfcc2446b53a2e2be8a5347277d08b47a2e5690d9f7755b5146ddc");
        assert_eq!(digest.short(), digest.to_string()[..8]);
    }

    /// Changes one value of a resource.
    #[track_caller]
    fn check_resource(address: &str, path: &str, value: &Value, is_another: bool) {
        let set = |plan: &mut Value| {
            let mut place = resource(plan, address);
            for key in path.split('.') {
                place = &mut place[key];
            }
            *place = value.clone();
        };
        check(set, is_another);
    }

    #[test]
    fn what_is_not_done_does_not_count() {
        check(|plan| plan["timestamp"] = json!("2030-01-01T00:00:00Z"), false);
        check(|plan| plan["terraform_version"] = json!("1.99.0"), false);
        check(|plan| plan["variables"] = json!({}), false);
        check(|plan| plan["resource_drift"] = json!([]), false);
        check(|plan| plan["resource_changes"].as_array_mut().unwrap().reverse(), false);
        check_resource("terraform_data.same", "change.after.input", &json!("x"), false);
        check_resource("terraform_data.fresh", "action_reason", &json!("x"), false);
    }

    #[test]
    fn what_is_done_counts() {
        check_resource("terraform_data.fresh", "change.after.input", &json!("x"), true);
        check_resource("terraform_data.fresh", "change.after_unknown.id", &json!(false), true);
        check_resource("terraform_data.fresh", "deposed", &json!("12345678"), true);
        check_resource("terraform_data.fresh", "provider_name", &json!("x"), true);
        check_resource("terraform_data.forgotten", "change.actions", &json!(["delete"]), true);
        check_resource("terraform_data.replaced", "change.replace_paths", &json!([]), true);
        check_resource(
            "terraform_data.replaced",
            "change.actions",
            &json!(["create", "delete"]),
            true,
        );
        check_resource(
            "terraform_data.new_name",
            "previous_address",
            &json!("terraform_data.x"),
            true,
        );
        check_resource("terraform_data.imported", "change.importing.id", &json!("x"), true);
        check(|plan| plan["output_changes"]["gone"]["before"] = json!("x"), true);
        check(|plan| drop(plan["resource_changes"].as_array_mut().unwrap().remove(0)), true);
    }

    #[test]
    fn of_a_secret_only_whether_it_changes_counts() {
        check_resource(
            "terraform_data.secret",
            "change.after.input.token",
            &json!("another"),
            false,
        );
        check_resource(
            "terraform_data.secret",
            "change.after.input.token",
            &json!("hunter2"),
            true,
        );
        // The provider copied the value from before to where nothing is marked.
        check(
            |plan| {
                *plan =
                    serde_json::from_str(&plan.to_string().replace("hunter2", "guessed!")).unwrap();
            },
            false,
        );
    }

    #[test]
    fn an_encoding_without_ambiguity() {
        let of = |after: Value, unknown: Value| {
            of(&json!({"format_version": "1.2", "output_changes": {"x": {
                "actions": ["create"], "after": after, "after_unknown": unknown,
            }}}))
        };
        let digests = [
            of(json!(null), json!(null)),
            of(json!(null), json!(true)),
            of(json!({}), json!(null)),
            of(json!({}), json!({"a": true})),
            of(json!([]), json!(null)),
            of(json!(""), json!(null)),
            of(json!("1"), json!(null)),
            of(json!(1), json!(null)),
            of(json!(["a", "b"]), json!(null)),
            of(json!(["ab", ""]), json!(null)),
            of(json!({"a": null}), json!(null)),
            of(json!("(sensitive)"), json!(null)),
        ];
        let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }

    proptest! {
        #[test]
        fn order_and_what_is_not_done_never_count((plan, seed) in (strategy::plan(), any::<u64>())) {
            let mut other = plan.clone();
            let resources = other["resource_changes"].as_array_mut().unwrap();
            let middle = usize::try_from(seed % 7).unwrap().min(resources.len());
            resources.rotate_left(middle);
            other["timestamp"] = json!(seed.to_string());
            other["configuration"] = json!({"seed": seed});
            prop_assert_eq!(of(&plan), of(&other));
        }

        #[test]
        fn another_value_is_another_digest(
            mut plan in strategy::plan(),
            (before, after) in (strategy::value(), strategy::value()),
        ) {
            prop_assume!(before != after);
            let output = |value: &Value| json!({"actions": ["update"], "after": value});
            plan["output_changes"]["probe"] = output(&before);
            let one = of(&plan);
            plan["output_changes"]["probe"] = output(&after);
            prop_assert_ne!(one, of(&plan));
        }

        #[test]
        fn no_secret_counts(plan in strategy::plan()) {
            let other = plan.to_string().replace(strategy::SECRET, "another-secret");
            prop_assert_eq!(of(&plan), of(&serde_json::from_str(&other).unwrap()));
        }

        #[test]
        fn what_prints_parses_back(bytes: [u8; 32]) {
            let digest = Digest(bytes);
            prop_assert_eq!(digest.to_string().parse(), Ok(digest));
            prop_assert_eq!(serde_json::from_value::<Digest>(serde_json::to_value(digest).unwrap()).unwrap(), digest);
        }

        #[test]
        fn parsing_never_panics(text: String) {
            let _ = text.parse::<Digest>();
        }
    }
}
