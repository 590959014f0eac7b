//! What an expression is as JSON, as far as it says so itself.

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::template::{Element, Strip};
use serde_json::{Map, Number, Value};

/// A value, and what of it is not known: `true` in its place, as in `after_unknown`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Literal {
    pub(crate) value: Value,
    pub(crate) unknown: Value,
}

impl Literal {
    const UNKNOWN: Self = Self { value: Value::Null, unknown: Value::Bool(true) };

    fn known(value: impl Into<Value>) -> Self {
        Self { value: value.into(), unknown: Value::Bool(false) }
    }

    /// Evaluates an expression as far as it depends on nothing.
    pub(crate) fn of(expression: &Expression) -> Self {
        match expression {
            Expression::Null(_) => Self::known(Value::Null),
            Expression::Bool(value) => Self::known(*value.value()),
            Expression::Number(value) => number(value.value()).map_or(Self::UNKNOWN, Self::known),
            Expression::String(value) => Self::known(value.value().as_str()),
            Expression::Parenthesis(inner) => Self::of(inner.inner()),
            Expression::StringTemplate(_) | Expression::HeredocTemplate(_) => {
                text(expression).map_or(Self::UNKNOWN, Self::known)
            }
            Expression::Array(elements) => {
                let elements = elements.iter().map(Self::of);
                let (value, unknown): (Vec<_>, Vec<_>) =
                    elements.map(|element| (element.value, element.unknown)).unzip();
                Self { value: Value::from(value), unknown: Value::from(unknown) }
            }
            Expression::Object(entries) => {
                let (mut value, mut unknown) = (Map::new(), Map::new());
                for (key, entry) in entries {
                    // Of a map with a key that is not known, no other key can be said to be absent.
                    let Some(key) = self::key(key) else { return Self::UNKNOWN };
                    let entry = Self::of(entry.expr());
                    value.insert(key.clone(), entry.value);
                    unknown.insert(key, entry.unknown);
                }
                Self { value: Value::from(value), unknown: Value::from(unknown) }
            }
            _ => Self::UNKNOWN,
        }
    }
}

/// Returns the text that an expression is, if it depends on nothing.
pub(crate) fn text(expression: &Expression) -> Option<String> {
    match expression {
        Expression::String(value) => Some(value.value().clone()),
        Expression::Parenthesis(inner) => text(inner.inner()),
        Expression::StringTemplate(template) => template_text(template.iter()),
        Expression::HeredocTemplate(heredoc) => template_text(heredoc.template.iter()),
        _ => None,
    }
}

fn template_text<'a>(elements: impl Iterator<Item = &'a Element>) -> Option<String> {
    let mut whole = String::new();
    for element in elements {
        match element {
            Element::Literal(literal) => whole.push_str(literal),
            Element::Interpolation(inner) if inner.strip == Strip::None => {
                match Literal::of(&inner.expr) {
                    Literal { value: Value::String(text), .. } => whole.push_str(&text),
                    Literal { value: value @ (Value::Bool(_) | Value::Number(_)), .. } => {
                        whole.push_str(&value.to_string());
                    }
                    _ => return None,
                }
            }
            Element::Interpolation(_) | Element::Directive(_) => return None,
        }
    }
    Some(whole)
}

fn number(number: &hcl_edit::Number) -> Option<Value> {
    if let Some(number) = number.as_u64() {
        return Some(Value::from(number));
    }
    if let Some(number) = number.as_i64() {
        return Some(Value::from(number));
    }
    number.as_f64().and_then(Number::from_f64).map(Value::Number)
}

/// Returns the name that a key of an object is, if it depends on nothing.
pub(crate) fn key(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
        ObjectKey::Expression(expression) => match Literal::of(expression).value {
            Value::String(text) => Some(text),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            other => Some(other.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(expression: &str, value: &Value, unknown: &Value) {
        let body = hcl_edit::parser::parse_body(&format!("a = {expression}\n")).unwrap();
        let literal = Literal::of(&body.get_attribute("a").unwrap().value);
        assert_eq!((&literal.value, &literal.unknown), (value, unknown), "{expression}");
    }

    #[track_caller]
    fn known(expression: &str, value: &Value) {
        check(expression, value, &json!(false));
    }

    #[test]
    fn what_depends_on_nothing_is_known() {
        known("null", &json!(null));
        known("(true)", &json!(true));
        known("1.50", &json!(1.5));
        known("-3", &json!(-3));
        known("18446744073709551615", &json!(u64::MAX));
        known(r#""a\"\n\u00e4$${b}""#, &json!("a\"\nä${b}"));
        known(r#""a${"b"}${1}${true}""#, &json!("ab1true"));
        known("<<E\n  a\n b\nE", &json!("  a\n b\n"));
        known("<<-E\n  a\n   b\n  E", &json!("a\n b\n"));
        check(r#"[1, "b"]"#, &json!([1, "b"]), &json!([false, false]));
        check(
            r#"{ a = 1, "b" : 2, (3) = 4 }"#,
            &json!({"a": 1, "b": 2, "3": 4}),
            &json!({"a": false, "b": false, "3": false}),
        );
    }

    #[test]
    fn all_else_is_unknown_in_its_place() {
        for expression in ["var.a", "f(1)", "1 + 1", "\"${var.a}\"", "\"a ${~ 1 ~} b\"", "!true"] {
            check(expression, &json!(null), &json!(true));
        }
        check("[1, a]", &json!([1, null]), &json!([false, true]));
        check("{ a = 1, b = c }", &json!({"a": 1, "b": null}), &json!({"a": false, "b": true}));
        check("{ a = 1, (b) = 2 }", &json!(null), &json!(true));
    }
}
