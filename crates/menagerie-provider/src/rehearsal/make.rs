//! What a cloud would have answered: ids, ARNs and host names, the same every time for the same seed.

use super::{rules::Ruled, schema::Type};
use crate::{
    random,
    value::{Object, Value, attribute},
};
use sha2::{Digest as _, Sha256};

/// The account that a rehearsal happens in: AWS's own example, which nobody has.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Names a resource goes by, the most telling first.
pub(crate) const NAMES: [&str; 8] = [
    "name",
    "identifier",
    "bucket",
    "family",
    "cluster_name",
    "cluster_identifier",
    "function_name",
    "title",
];

/// Deepest chain of templates that name each other.
const DEEPEST: u32 = 8;

/// Makes the values of one resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maker<'a> {
    pub(crate) type_name: &'a str,
    pub(crate) rules: Ruled,
    /// Hexadecimal digits that no other resource has.
    pub(crate) seed: &'a str,
    pub(crate) region: &'a str,
    /// How many of the same name there have been, this one included.
    pub(crate) count: u64,
    /// What is known of it so far.
    pub(crate) known: &'a Object,
}

impl Maker<'_> {
    /// Returns a value for a place, a path of names with dots.
    pub(crate) fn make(&self, path: &str, r#type: &Type) -> Value {
        self.by_rule(path, r#type, 0).unwrap_or_else(|| self.by_type(path, r#type, 0))
    }

    fn by_rule(&self, path: &str, r#type: &Type, depth: u32) -> Option<Value> {
        match self.rules.template(path)? {
            toml::Value::String(template) => {
                let text = self.expand(template, depth);
                Some(match r#type {
                    Type::Number => Value::Number(text.parse().unwrap_or_default()),
                    Type::Bool => Value::Bool(text == "true"),
                    Type::List(_) | Type::Set(_) => Value::List(vec![text.into()]),
                    _ => text.into(),
                })
            }
            value => Some(from_toml(value)),
        }
    }

    fn by_type(&self, path: &str, r#type: &Type, depth: u32) -> Value {
        let digest = Sha256::digest(format!("{}/{path}", self.seed));
        match r#type {
            Type::String => self.text(path, depth).into(),
            Type::Number => Value::Number(f64::from(u16::from(digest[0]) % 100)),
            Type::Bool => Value::Bool(false),
            Type::Dynamic => Value::Null,
            // A computed object is there to be read: `master_user_secret[0]`.
            Type::List(inner) | Type::Set(inner) => match **inner {
                Type::Object(_) => Value::List(vec![self.make(&format!("{path}.0"), inner)]),
                _ => Value::List(Vec::new()),
            },
            Type::Map(_) => Value::Map(Object::new()),
            Type::Object(types) => Value::Map(
                types
                    .iter()
                    .map(|(name, inner)| {
                        (name.clone(), self.make(&format!("{path}.{name}"), inner))
                    })
                    .collect(),
            ),
            Type::Tuple(types) => Value::List(
                types
                    .iter()
                    .enumerate()
                    .map(|(index, inner)| self.make(&format!("{path}.{index}"), inner))
                    .collect(),
            ),
        }
    }

    /// A text that looks like what its name says.
    fn text(&self, path: &str, depth: u32) -> String {
        let leaf = path.rsplit('.').next().unwrap_or(path);
        let top = path == leaf;
        match leaf {
            "id" if top => match self.name() {
                Some(name) => name,
                None => format!("{}-{}", self.short(), self.hex(path, 8)),
            },
            "arn" if top => {
                let (service, kind) = self.service();
                let id = self.expand("{id}", depth);
                format!("arn:aws:{service}:{}:{ACCOUNT}:{kind}/{id}", self.region)
            }
            "region" => self.region.to_owned(),
            "owner_id" | "account_id" | "registry_id" => ACCOUNT.to_owned(),
            "partition" => "aws".to_owned(),
            "json" => "{}".to_owned(),
            "name" if top => format!("terraform-{}", self.hex(path, 12)),
            _ if leaf.ends_with("_arn") => {
                let kind = leaf.trim_end_matches("_arn").replace('_', "-");
                format!(
                    "arn:aws:{}:{}:{ACCOUNT}:{kind}/{}",
                    self.service().0,
                    self.region,
                    self.hex(path, 12)
                )
            }
            _ => format!("{}-{}", leaf.replace('_', "-"), self.hex(path, 12)),
        }
    }

    /// What it is called in the configuration.
    pub(crate) fn name(&self) -> Option<String> {
        NAMES.into_iter().find_map(|name| {
            let name = attribute(self.known, name).as_str()?;
            (!name.is_empty()).then(|| name.to_owned())
        })
    }

    /// `aws_ecs_cluster` is a `cluster` of `ecs`.
    fn service(&self) -> (&str, String) {
        let (_, rest) = self.type_name.split_once('_').unwrap_or(("", self.type_name));
        let (service, kind) = rest.split_once('_').unwrap_or((rest, rest));
        (service, kind.replace('_', "-"))
    }

    fn short(&self) -> String {
        let (_, rest) = self.type_name.split_once('_').unwrap_or(("", self.type_name));
        rest.replace('_', "-")
    }

    fn hex(&self, path: &str, length: usize) -> String {
        let mut digits = random::hexadecimal(&Sha256::digest(format!("{}/{path}", self.seed)));
        digits.truncate(length);
        digits
    }

    fn digits(&self, path: &str, length: usize) -> String {
        let digest = Sha256::digest(format!("{}/{path}", self.seed));
        digest.iter().cycle().take(length).map(|byte| char::from(b'0' + byte % 10)).collect()
    }

    /// Replaces `{…}`: `{hexN}`, `{digitsN}`, `{uuid}`, `{count}`, `{region}`, `{account}`, an attribute, or the first of `{a|b}` that is there.
    fn expand(&self, template: &str, depth: u32) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            text.push_str(before);
            text.push_str(&self.placeholder(name, depth));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    fn placeholder(&self, name: &str, depth: u32) -> String {
        let length = |prefix: &str| name.strip_prefix(prefix)?.parse::<usize>().ok();
        if let Some(length) = length("hex") {
            return self.hex("id", length);
        }
        if let Some(length) = length("digits") {
            return self.digits("id", length);
        }
        match name {
            "region" => return self.region.to_owned(),
            "account" => return ACCOUNT.to_owned(),
            "count" => return self.count.to_string(),
            "uuid" => {
                let digits = self.hex("id", 32);
                let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
                return parts.join("-");
            }
            _ => {}
        }
        for name in name.split('|') {
            if let Some(text) = name.strip_prefix('"') {
                return text.trim_end_matches('"').to_owned();
            }
            let (path, part) = name.split_once('/').unwrap_or((name, ""));
            let text = match at(self.known, path) {
                Value::String(text) if !text.is_empty() => text.clone(),
                found @ (Value::Number(_) | Value::Bool(_)) => found.to_json_value().to_string(),
                _ => continue,
            };
            return match part {
                "last" => text.rsplit(['/', ':']).next().unwrap_or_default().to_owned(),
                "quoted" => text.split('"').nth(1).unwrap_or_default().to_owned(),
                _ => text,
            };
        }
        let own = name.split(['|', '/']).next().unwrap_or(name);
        if depth >= DEEPEST {
            return self.hex(own, 8);
        }
        let made = self
            .by_rule(own, &Type::String, depth + 1)
            .unwrap_or_else(|| self.by_type(own, &Type::String, depth + 1));
        made.as_str().unwrap_or_default().to_owned()
    }
}

/// Returns the value at a path of names and numbers with dots.
pub(crate) fn at<'a>(object: &'a Object, path: &str) -> &'a Value {
    let mut parts = path.split('.');
    let mut value = attribute(object, parts.next().unwrap_or_default());
    for part in parts {
        value = match value {
            Value::Map(object) => attribute(object, part),
            Value::List(values) => part
                .parse::<usize>()
                .ok()
                .and_then(|index| values.get(index))
                .unwrap_or(&Value::Null),
            _ => &Value::Null,
        };
    }
    value
}

/// Returns a value of a rules file.
pub(crate) fn from_toml(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        #[expect(clippy::cast_precision_loss, reason = "the numbers in a rules file are small")]
        toml::Value::Integer(number) => Value::Number(*number as f64),
        toml::Value::Float(number) => Value::Number(*number),
        toml::Value::Boolean(value) => Value::Bool(*value),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => Value::List(values.iter().map(from_toml).collect()),
        toml::Value::Table(values) => Value::Map(
            values.iter().map(|(name, value)| (name.clone(), from_toml(value))).collect(),
        ),
    }
}
