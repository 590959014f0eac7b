//! [`literal`]: a value → the text of its HCL literal, laid out as `terraform fmt` does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tera::value::{Map, ValueKind};
use tera::{TeraResult, Value};

/// Returns the HCL literal of a value that starts on a line indented by `indent` spaces.
///
/// HCL's syntax: <https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md>.
pub(crate) fn literal(value: &Value, indent: usize) -> TeraResult<String> {
    if let Some(text) = value.as_str() {
        return Ok(string(text, is_invisible));
    }
    if let Some(items) = value.as_array() {
        return list(items, indent);
    }
    if let Some(entries) = value.as_map() {
        return map(entries, indent);
    }
    match value.kind() {
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Undefined => Err(tera::Error::message("there is no such value")),
        ValueKind::Bool => Ok(value.to_string()),
        _ => number(value),
    }
}

fn number(value: &Value) -> TeraResult<String> {
    match value.as_f64().filter(|_| value.is_f64()) {
        // Rust writes no exponent here, and a number without a decimal point is the same number to HCL.
        Some(float) if float.is_finite() => Ok(float.to_string()),
        None if value.is_number() => Ok(value.to_string()),
        _ => Err(tera::Error::message(format!("`{}` has no HCL literal", value.name()))),
    }
}

fn list(items: &[Value], indent: usize) -> TeraResult<String> {
    let inner = indent + STEP;
    let literals = items.iter().map(|item| literal(item, inner)).collect::<TeraResult<Vec<_>>>()?;
    if !literals.iter().any(|literal| literal.contains('\n')) {
        return Ok(format!("[{}]", literals.join(", ")));
    }
    let mut text = "[\n".to_owned();
    for literal in literals {
        writeln!(text, "{:inner$}{literal},", "").expect("a string takes every write");
    }
    Ok(format!("{text}{:indent$}]", ""))
}

fn map(entries: &Map, indent: usize) -> TeraResult<String> {
    let inner = indent + STEP;
    let mut literals = BTreeMap::new();
    for (key, value) in entries {
        let key = key.as_str().ok_or_else(|| tera::Error::message("a key of a map is no text"))?;
        literals.insert(key, literal(value, inner)?);
    }
    if literals.is_empty() {
        return Ok("{}".to_owned());
    }
    // `terraform fmt` aligns by grapheme clusters of whichever Unicode it was built with: a key in ASCII has only one
    // width.
    let lines: Vec<(String, String)> = literals
        .into_iter()
        .map(|(key, literal)| {
            (string(key, |character| !character.is_ascii() || is_invisible(character)), literal)
        })
        .collect();
    let mut text = "{\n".to_owned();
    // It aligns entries of one line that follow each other; one of more lines stands between two such groups.
    for group in lines.chunk_by(|(_, one), (_, next)| !one.contains('\n') && !next.contains('\n')) {
        let width = group.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        for (key, literal) in group {
            writeln!(text, "{:inner$}{key:width$} = {literal}", "")
                .expect("a string takes every write");
        }
    }
    Ok(format!("{text}{:indent$}}}", ""))
}

/// How far a nested line is indented.
const STEP: usize = 2;

fn string(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // `${` is an interpolation and `%{` a directive; doubled, they are themselves.
            '$' | '%' if characters.peek() == Some(&'{') => literal.extend([character, character]),
            _ if !is_escaped(character) => literal.push(character),
            '\0'..='\u{ffff}' => {
                write!(literal, "\\u{:04x}", u32::from(character))
                    .expect("a string takes every write");
            }
            _ => write!(literal, "\\U{:08x}", u32::from(character))
                .expect("a string takes every write"),
        }
    }
    literal.push('"');
    literal
}

/// Returns whether a reviewer would not see a character, or see others in its place.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Line and paragraph separator, bidirectional embeddings and overrides.
            '\u{2028}'..='\u{202e}'
            // `Default_Ignorable_Code_Point` in Unicode's DerivedCoreProperties.txt: what has no glyph of its own.
            | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use hcl_edit::expr::Expression;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: &serde_json::Value, expected: &str) {
        assert_eq!(literal(&Value::from_serializable(value), 0).unwrap(), expected);
    }

    #[test]
    fn texts() {
        check(&json!(""), r#""""#);
        check(&json!("漢字 e\u{301} 👨‍👩‍👧"), "\"漢字 e\u{301} 👨\\u200d👩\\u200d👧\"");
        check(&json!("a\"b\\c\n\r\td"), r#""a\"b\\c\n\r\td""#);
        check(&json!("${a} %{b} $c %d $"), r#""$${a} %%{b} $c %d $""#);
        check(&json!("$${a} $$${b} %%{c}"), r#""$$${a} $$$${b} %%%{c}""#);
        check(
            &json!("\0\u{1b}\u{7f}\u{85}\u{61c}\u{202e}\u{feff}\u{e0041}"),
            r#""\u0000\u001b\u007f\u0085\u061c\u202e\ufeff\U000e0041""#,
        );
        check(&json!("<<EOT\n${x}\nEOT"), r#""<<EOT\n$${x}\nEOT""#);
    }

    #[test]
    fn scalars() {
        check(&json!(null), "null");
        check(&json!(true), "true");
        check(&json!(-7), "-7");
        check(&json!(u64::MAX), "18446744073709551615");
        check(&json!(0.25), "0.25");
        check(&json!(1e20), "100000000000000000000");
    }

    #[test]
    fn lists_and_maps() {
        check(&json!([]), "[]");
        check(&json!({}), "{}");
        check(&json!(["a", 1, null, [true]]), r#"["a", 1, null, [true]]"#);
        check(
            &json!({"long_key": "a", "b": [1]}),
            "{\n  \"b\"        = [1]\n  \"long_key\" = \"a\"\n}",
        );
        check(
            &json!({"é": 1, "😀${": 2}),
            "{\n  \"\\u00e9\"        = 1\n  \"\\U0001f600$${\" = 2\n}",
        );
        // The entry of several lines is aligned with nothing.
        check(
            &json!({"a": 1, "bbb": {"c": 1}, "dd": 1, "eee": 2}),
            "{\n  \"a\" = 1\n  \"bbb\" = {\n    \"c\" = 1\n  }\n  \"dd\"  = 1\n  \"eee\" = 2\n}",
        );
        check(&json!(["a", {"b": 1}]), "[\n  \"a\",\n  {\n    \"b\" = 1\n  },\n]");
    }

    #[test]
    fn what_has_no_literal() {
        for value in [
            Value::undefined(),
            Value::bytes(*b"a"),
            Value::from(f64::NAN),
            Value::from(f64::INFINITY),
        ] {
            assert!(literal(&value, 0).is_err(), "{value:?}");
        }
        assert!(literal(&Value::from_serializable(&BTreeMap::from([(1, 2)])), 0).is_err());
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let text = "(\\PC|[\"\\\\$%{}\n\r\t\0\u{1b}\u{202e}e\u{301}]){0,12}";
        let leaf = prop_oneof![
            4 => text.prop_map(serde_json::Value::from),
            1 => any::<bool>().prop_map(serde_json::Value::from),
            1 => (-i64::MAX..=i64::MAX).prop_map(serde_json::Value::from),
            1 => (-1e9..1e9).prop_map(serde_json::Value::from),
            1 => Just(serde_json::Value::Null),
        ];
        leaf.prop_recursive(3, 24, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                proptest::collection::btree_map(text, inner, 0..6)
                    .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    fn read(expression: &Expression) -> serde_json::Value {
        match expression {
            Expression::Null(_) => serde_json::Value::Null,
            Expression::Bool(value) => json!(**value),
            Expression::String(text) => json!(text.as_str()),
            Expression::Number(number) => number
                .as_i64()
                .map_or_else(|| json!(number.as_f64().unwrap()), |integer| json!(integer)),
            Expression::Array(items) => items.iter().map(read).collect(),
            Expression::Object(entries) => {
                let entry =
                    |(key, value): (&hcl_edit::expr::ObjectKey, &hcl_edit::expr::ObjectValue)| {
                        (
                            key.as_expr().and_then(Expression::as_str).unwrap().to_owned(),
                            read(value.expr()),
                        )
                    };
                entries.iter().map(entry).collect()
            }
            Expression::UnaryOp(negated) => match read(&negated.expr) {
                number if number.is_i64() => json!(-number.as_i64().unwrap()),
                number => json!(-number.as_f64().unwrap()),
            },
            other => panic!("not a literal: {other:?}"),
        }
    }

    proptest! {
        #[test]
        fn literals_parse_back(value in value(), indent in 0_usize..6) {
            let text = literal(&Value::from_serializable(&value), indent).unwrap();
            let expression: Expression = text.parse().unwrap();
            prop_assert_eq!(read(&expression), value);
        }
    }
}
