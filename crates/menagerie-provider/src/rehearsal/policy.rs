//! `data.aws_iam_policy_document`, which asks nobody: it renders JSON, here as the provider does.

use crate::value::{Object, Value, attribute};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

/// Version of the policy language where none is named.
const VERSION: &str = "2012-10-17";

/// A document, its members in the order in which the provider writes them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(
        rename = "Statement",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Statement {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_action: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_resource: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_principal: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Json>,
}

/// A document that can't be rendered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    #[error("a policy document to start from is no JSON policy")]
    Json(#[from] serde_json::Error),
    #[error("two statements have the sid `{0}`")]
    Duplicate(String),
}

/// Returns what the data source computes.
pub(crate) fn render(config: &Object) -> Result<Object, PolicyError> {
    let mut document = Document::default();
    for text in texts(attribute(config, "source_policy_documents")) {
        let source: Document = serde_json::from_str(text)?;
        let seen =
            |sid: &str| document.statements.iter().any(|known| known.sid.as_deref() == Some(sid));
        if let Some(sid) =
            source.statements.iter().filter_map(|found| found.sid.as_deref()).find(|sid| seen(sid))
        {
            return Err(PolicyError::Duplicate(sid.to_owned()));
        }
        document.merge(source);
    }
    document.merge(own(config)?);
    for text in texts(attribute(config, "override_policy_documents")) {
        document.merge(serde_json::from_str(text)?);
    }
    let pretty = escaped(&serde_json::to_string_pretty(&document)?);
    let minified = escaped(&serde_json::to_string(&document)?);
    let digest =
        pretty.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let pairs = [("id", digest.to_string()), ("json", pretty), ("minified_json", minified)];
    Ok(pairs.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect())
}

fn own(config: &Object) -> Result<Document, PolicyError> {
    let mut document = Document {
        version: Some(attribute(config, "version").as_str().unwrap_or(VERSION).to_owned()),
        id: text(config, "policy_id"),
        statements: Vec::new(),
    };
    for statement in objects(attribute(config, "statement")) {
        let sid = text(statement, "sid");
        if let Some(sid) = &sid
            && document.statements.iter().any(|known| known.sid.as_ref() == Some(sid))
        {
            return Err(PolicyError::Duplicate(sid.clone()));
        }
        document.statements.push(Statement {
            sid,
            effect: Some(text(statement, "effect").unwrap_or_else(|| "Allow".to_owned())),
            action: sorted(attribute(statement, "actions")),
            not_action: sorted(attribute(statement, "not_actions")),
            resource: sorted(attribute(statement, "resources")),
            not_resource: sorted(attribute(statement, "not_resources")),
            principal: principals(attribute(statement, "principals")),
            not_principal: principals(attribute(statement, "not_principals")),
            condition: conditions(attribute(statement, "condition")),
        });
    }
    Ok(document)
}

impl Document {
    /// A statement replaces the one with its sid, and is added otherwise.
    fn merge(&mut self, other: Self) {
        self.id = other.id.or(self.id.take());
        self.version = self.version.take().max(other.version);
        for statement in other.statements {
            let same = self
                .statements
                .iter_mut()
                .find(|known| statement.sid.is_some() && known.sid == statement.sid);
            match same {
                Some(known) => *known = statement,
                None => self.statements.push(statement),
            }
        }
    }
}

/// A single statement may stand without brackets.
fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Statement>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Statements {
        Many(Vec<Statement>),
        One(Box<Statement>),
    }
    Ok(match Statements::deserialize(deserializer)? {
        Statements::Many(statements) => statements,
        Statements::One(statement) => vec![*statement],
    })
}

/// A set is written from its last element to its first; a single element stands alone.
fn sorted(value: &Value) -> Option<Json> {
    let mut texts: Vec<_> = texts(value).map(with_variables).collect();
    texts.sort_unstable_by(|one, other| other.cmp(one));
    one_or_all(texts)
}

fn one_or_all(mut texts: Vec<String>) -> Option<Json> {
    match texts.len() {
        0 => None,
        1 => texts.pop().map(Json::from),
        _ => Some(texts.into()),
    }
}

fn principals(value: &Value) -> Option<Json> {
    let mut all: Map<String, Json> = Map::new();
    for principal in objects(value) {
        let kind = text(principal, "type").unwrap_or_default();
        let Some(identifiers) = sorted(attribute(principal, "identifiers")) else { continue };
        // Everybody, with or without a name.
        if kind == "*" && identifiers == "*" {
            return Some("*".into());
        }
        let together = match (all.remove(&kind), identifiers) {
            (None, identifiers) => identifiers,
            (Some(known), more) => list(known).into_iter().chain(list(more)).collect(),
        };
        all.insert(kind, together);
    }
    (!all.is_empty()).then_some(Json::Object(all))
}

fn conditions(value: &Value) -> Option<Json> {
    let mut all = json!({});
    for condition in objects(value) {
        let test = text(condition, "test").unwrap_or_default();
        let variable = with_variables(&text(condition, "variable").unwrap_or_default());
        // Their order has a meaning for whoever reads them.
        let values = texts(attribute(condition, "values")).map(with_variables).collect();
        let Some(values) = one_or_all(values) else { continue };
        let place = &mut all[test][variable];
        *place = match place.take() {
            Json::Null => values,
            known => list(known).into_iter().chain(list(values)).collect(),
        };
    }
    (all != json!({})).then_some(all)
}

fn list(value: Json) -> Vec<Json> {
    match value {
        Json::Array(values) => values,
        value => vec![value],
    }
}

/// Terraform keeps `${` for itself, so that the provider takes `&{`.
fn with_variables(text: &str) -> String {
    text.replace("&{", "${")
}

/// Go writes JSON so that it can stand in HTML.
fn escaped(json: &str) -> String {
    json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

fn text(object: &Object, name: &str) -> Option<String> {
    attribute(object, name).as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_list().unwrap_or_default().iter().filter_map(Value::as_str)
}

fn objects(value: &Value) -> impl Iterator<Item = &Object> {
    value.as_list().unwrap_or_default().iter().filter_map(Value::as_map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(config: &Json, expected: &str) {
        let Value::Map(config) = Value::from_json_value(config) else { panic!("an object") };
        let rendered = render(&config).unwrap();
        let minified: Json =
            serde_json::from_str(attribute(&rendered, "minified_json").as_str().unwrap()).unwrap();
        let pretty: Json =
            serde_json::from_str(attribute(&rendered, "json").as_str().unwrap()).unwrap();
        assert_eq!(minified, pretty);
        assert_eq!(attribute(&rendered, "minified_json").as_str().unwrap(), expected);
    }

    #[test]
    fn statements_are_written_as_the_provider_does() {
        check(&json!({}), r#"{"Version":"2012-10-17"}"#);
        check(
            &json!({"statement": [{"sid": "A", "actions": ["s3:A", "s3:B"], "resources": ["*"],
                "principals": [{"type": "AWS", "identifiers": ["1"]}, {"type": "AWS", "identifiers": ["2", "3"]}],
                "condition": [{"test": "StringLike", "variable": "aws:&{x}", "values": ["b", "a"]}]}]}),
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["s3:B","s3:A"],"Resource":"*","Principal":{"AWS":["1","3","2"]},"Condition":{"StringLike":{"aws:${x}":["b","a"]}}}]}"#,
        );
        check(
            &json!({"statement": [{"effect": "Deny", "principals": [{"type": "*", "identifiers": ["*"]}]}]}),
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*"}]}"#,
        );
    }

    #[test]
    fn documents_are_merged_by_sid() {
        check(
            &json!({
                "source_policy_documents": [r#"{"Version":"2008-10-17","Statement":{"Sid":"A","Effect":"Deny"}}"#],
                "statement": [{"sid": "A", "actions": ["a"]}, {"actions": ["b"]}],
                "override_policy_documents": [r#"{"Statement":[{"Sid":"A","Effect":"Allow","Action":"c"}]}"#]}),
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"c"},{"Effect":"Allow","Action":"b"}]}"#,
        );
    }

    #[test]
    fn two_of_one_sid_are_refused() {
        let config = json!({"statement": [{"sid": "A"}, {"sid": "A"}]});
        let Value::Map(config) = Value::from_json_value(&config) else { panic!("an object") };
        assert!(matches!(render(&config), Err(PolicyError::Duplicate(sid)) if sid == "A"));
    }
}
