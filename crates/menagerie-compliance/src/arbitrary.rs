//! What the tests of laws are made of: any JSON, written in any way.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Map, Value};

/// Any text of a pattern, which is read once and not for each text.
pub(crate) fn text(pattern: &str) -> BoxedStrategy<String> {
    prop::string::string_regex(pattern).expect("it is a pattern").boxed()
}

/// Any text up to a length.
pub(crate) fn any_text(length: usize) -> BoxedStrategy<String> {
    prop::collection::vec(any::<char>(), 0..=length)
        .prop_map(|letters| letters.into_iter().collect())
        .boxed()
}

/// Any value, of few different names, so that rules meet something.
pub(crate) fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..4).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text("[abcx1]{0,2}").prop_map(Value::from),
        any_text(12).prop_map(Value::from),
        text(r#"\{"e": ?(\[1, ?"x"\]|"x"|2)\}|\{|\[\]"#).prop_map(Value::from),
    ]
    .boxed();
    // As `prop_recursive` does, which makes all of it again for each value.
    (0..3).fold(leaf.clone(), |inner, _| {
        prop_oneof![
            2 => leaf.clone(),
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            1 => map(inner),
        ]
        .boxed()
    })
}

/// Any map of such names.
pub(crate) fn map(values: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let names = prop_oneof![6 => text("[a-g]|tags|tags_all|id|ü"), 1 => any_text(3)];
    prop::collection::vec((names, values), 0..7)
        .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>()))
        .boxed()
}

/// Any JSON.
pub(crate) fn json() -> impl Strategy<Value = String> {
    (value(), any::<u64>()).prop_map(|(value, style)| written(&value, style))
}

/// Writes JSON in one of many ways: with and without blanks, in another order of keys, with characters that are escaped.
pub(crate) fn written(value: &Value, style: u64) -> String {
    let mut text = String::new();
    Writer { style }.write(value, &mut text);
    text
}

struct Writer {
    style: u64,
}

impl Writer {
    /// Returns the next number below another, by the style.
    fn next(&mut self, below: u64) -> u64 {
        // As Knuth's MMIX does; only its upper half is of use.
        self.style = self
            .style
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.style >> 33) % below
    }

    fn blank(&mut self, text: &mut String) {
        text.push_str(
            ["", "", "", "", " ", "\n", "\t\r\n "][usize::try_from(self.next(7)).unwrap()],
        );
    }

    fn write(&mut self, value: &Value, text: &mut String) {
        self.blank(text);
        match value {
            Value::Array(elements) => {
                text.push('[');
                for (place, element) in elements.iter().enumerate() {
                    text.push_str(if place == 0 { "" } else { "," });
                    self.write(element, text);
                }
                self.blank(text);
                text.push(']');
            }
            Value::Object(attributes) => {
                let mut attributes: Vec<(&String, &Value)> = attributes.iter().collect();
                let turn = self.next(attributes.len().max(1) as u64);
                attributes.rotate_left(usize::try_from(turn).unwrap());
                text.push('{');
                for (place, (name, value)) in attributes.into_iter().enumerate() {
                    text.push_str(if place == 0 { "" } else { "," });
                    self.blank(text);
                    self.text(name, text);
                    self.blank(text);
                    text.push(':');
                    self.write(value, text);
                }
                self.blank(text);
                text.push('}');
            }
            Value::String(word) => self.text(word, text),
            other => text.push_str(&other.to_string()),
        }
        self.blank(text);
    }

    fn text(&mut self, word: &str, text: &mut String) {
        text.push('"');
        for letter in word.chars() {
            if self.next(16) == 0 || matches!(letter, '"' | '\\' | ..' ') {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    write!(text, "\\u{unit:04x}").expect("writing to a string can't fail");
                }
            } else {
                text.push(letter);
            }
        }
        text.push('"');
    }
}
