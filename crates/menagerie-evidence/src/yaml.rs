//! YAML as GitHub reads it: one document of the core schema, with anchors, without merge keys.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_json::{Map, Number, Value};

/// How large a document may be, in bytes of its texts and some for each value, with all that aliases repeat. GitHub reads no
/// workflow of more than half a megabyte.
const LARGEST: usize = 4 << 20;

/// What a value counts besides its text.
const OVERHEAD: usize = 16;

/// How deep values may lie in each other, with those that aliases repeat.
const DEEPEST: usize = 200;

/// A value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) content: Content,
    /// Bytes of the text. Of a list or a map, up to where the parser noticed that it ends.
    pub(crate) span: Range<usize>,
    size: usize,
    depth: usize,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Content {
    Scalar { text: String, is_text: bool },
    List(Vec<Rc<Node>>),
    Map(Vec<(Key, Rc<Node>)>),
}

/// The name of a value.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

/// Returns the document, if there is any, and what in it GitHub would refuse.
pub(crate) fn parse(text: &str) -> Result<(Option<Rc<Node>>, Vec<Fault>), Fault> {
    let mut builder = Builder::default();
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| scan_fault(text, &error))?;
        builder.take(event, &bytes(text, &span))?;
    }
    Ok((builder.root, builder.faults))
}

impl Node {
    /// Returns the value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Returns a key and its value.
    pub(crate) fn entry(&self, key: &str) -> Option<(&Key, &Self)> {
        let entry = self.entries()?.iter().find(|(name, _)| name.text == key)?;
        Some((&entry.0, &entry.1))
    }

    /// Returns the keys of a map.
    pub(crate) fn entries(&self) -> Option<&[(Key, Rc<Self>)]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the elements of a list.
    pub(crate) fn elements(&self) -> Option<&[Rc<Self>]> {
        match &self.content {
            Content::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the text of what is neither a list, a map nor null, as it is written.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// Returns whether nothing is given.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, is_text: false } if scalar(text).is_null())
    }

    /// Returns the value as JSON.
    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar { text, is_text: true } => Value::String(text.clone()),
            Content::Scalar { text, is_text: false } => scalar(text),
            Content::List(elements) => {
                Value::Array(elements.iter().map(|element| element.to_value()).collect())
            }
            Content::Map(entries) => {
                let pairs = entries.iter().map(|(key, node)| (key.text.clone(), node.to_value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }
}

/// Returns what a plain scalar is in YAML's core schema; unlike in YAML 1.1, `on` and `yes` are texts.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let number = integer(text).map(Number::from).or_else(|| float(text).and_then(Number::from_f64));
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn integer(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().filter(|number| *number >= 0);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok().filter(|number| *number >= 0);
    }
    text.parse().ok()
}

fn float(text: &str) -> Option<f64> {
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if is_number { text.parse().ok() } else { None }
}

#[derive(Default)]
struct Builder {
    root: Option<Rc<Node>>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    faults: Vec<Fault>,
}

/// A list or a map whose end was not seen yet.
struct Open {
    start: usize,
    anchor: usize,
    size: usize,
    depth: usize,
    content: Content,
    key: Option<Key>,
    names: HashSet<String>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Range<usize>) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                let is_text = style != ScalarStyle::Plain;
                let size = OVERHEAD + text.len();
                let content = Content::Scalar { text: text.into_owned(), is_text };
                self.place(Node { content, span: span.clone(), size, depth: 1 }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.open(span.start, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.open(span.start, anchor, Content::Map(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => self.put(Rc::clone(node), span),
                None => Err(Fault::new(span.start, "this alias is a part of what it stands for")),
            },
            Event::DocumentStart(..) => {
                if self.root.is_some() {
                    self.faults.push(Fault::new(span.start, "there is more than one document"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A tag says which type a value is of, and readers do not agree on what becomes of it.
    fn refuse_tag(&mut self, is_tagged: bool, span: &Range<usize>) {
        if is_tagged {
            self.faults.push(Fault::new(span.start, "no value needs a tag (`!…`) here"));
        }
    }

    fn open(&mut self, start: usize, anchor: usize, content: Content) -> Result<(), Fault> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(start));
        }
        let names = HashSet::new();
        self.open.push(Open { start, anchor, size: OVERHEAD, depth: 1, content, key: None, names });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let span = open.start..end.max(open.start);
        let node = Node { content: open.content, span, size: open.size, depth: open.depth };
        self.place(node, open.anchor)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        let span = node.span.clone();
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node, &span)
    }

    /// Puts a value where it belongs; `span` is where it is asked for, which of an alias is not where it stands.
    fn put(&mut self, node: Rc<Node>, span: &Range<usize>) -> Result<(), Fault> {
        let level = self.open.len();
        let Some(open) = self.open.last_mut() else {
            // Of several documents the first one counts.
            self.root.get_or_insert(node);
            return Ok(());
        };
        open.size += node.size;
        open.depth = open.depth.max(node.depth + 1);
        if open.size > LARGEST {
            return Err(Fault::new(span.start, "it is too large, with all that aliases repeat"));
        }
        if level + node.depth > DEEPEST {
            return Err(too_deep(span.start));
        }
        match &mut open.content {
            Content::List(elements) => elements.push(node),
            Content::Map(entries) => match open.key.take() {
                Some(key) => entries.push((key, node)),
                None => match &node.content {
                    Content::Scalar { text, .. } if !node.is_null() => {
                        let message = if text == "<<" {
                            Some("GitHub knows no merge keys".to_owned())
                        } else {
                            let is_new = open.names.insert(text.clone());
                            (!is_new).then(|| format!("`{}` is there twice", text.escape_debug()))
                        };
                        self.faults.extend(message.map(|message| Fault::new(span.start, message)));
                        open.key = Some(Key { text: text.clone(), span: span.clone() });
                    }
                    _ => return Err(Fault::new(span.start, "a key must be a text")),
                },
            },
            Content::Scalar { .. } => {}
        }
        Ok(())
    }
}

impl Fault {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}

fn too_deep(offset: usize) -> Fault {
    Fault::new(offset, format!("values lie more than {DEEPEST} deep in each other"))
}

fn bytes(text: &str, span: &Span) -> Range<usize> {
    let start = span.start.byte_offset().unwrap_or(0).min(text.len());
    start..span.end.byte_offset().unwrap_or(start).clamp(start, text.len())
}

fn scan_fault(text: &str, error: &ScanError) -> Fault {
    let offset = error.marker().byte_offset().unwrap_or(text.len());
    Fault::new(offset, format!("this is no YAML: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Value) {
        let (root, faults) = parse(text).unwrap();
        assert_eq!((&root.unwrap().to_value(), faults), (expected, Vec::new()));
    }

    #[track_caller]
    fn check_fault(text: &str, offset: usize, message: &str) {
        let fault = match parse(text) {
            Ok((_, mut faults)) => faults.swap_remove(0),
            Err(fault) => fault,
        };
        assert_eq!((fault.offset, fault.message.as_str()), (offset, message));
    }

    #[test]
    fn values_of_the_core_schema() {
        check("on: push\ntrue: yes\n", &json!({"on": "push", "true": "yes"}));
        check(
            "[null, ~, '', True, 'true', 1, -2, 0x1f, 0o17, 1.5, 1e3, 017, .inf, 1_0, 2026-01-01]",
            &json!([
                null,
                null,
                "",
                true,
                "true",
                1,
                -2,
                31,
                15,
                1.5,
                1000.0,
                17,
                ".inf",
                "1_0",
                "2026-01-01"
            ]),
        );
        check("a: |\n  x\n  y\nb: >-\n  x\n  y\n", &json!({"a": "x\ny\n", "b": "x y"}));
        check("a: &x {b: 1}\nc: *x\n", &json!({"a": {"b": 1}, "c": {"b": 1}}));
    }

    #[test]
    fn what_github_would_refuse() {
        check_fault("a: 1\na: 2\n", 5, "`a` is there twice");
        check_fault("a: &x {b: 1}\nc:\n  <<: *x\n", 18, "GitHub knows no merge keys");
        check_fault("a: 1\n---\nb: 2\n", 5, "there is more than one document");
        check_fault("{[a]: 1}", 1, "a key must be a text");
        check_fault("a: !!str 1", 9, "no value needs a tag (`!…`) here");
        check_fault("null: 1", 0, "a key must be a text");
        check_fault("a: &x [*x]\n", 7, "this alias is a part of what it stands for");
        check_fault("a: [\n", 3, "this is no YAML: unclosed bracket '['");
    }

    #[test]
    fn what_is_made_to_take_for_ever() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
        }
        assert_eq!(
            parse(&bomb).unwrap_err().message,
            "it is too large, with all that aliases repeat"
        );
        let mut chain = "a0: &a0 x\n".to_owned();
        for level in 1..300 {
            writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
        }
        assert_eq!(parse(&chain).unwrap_err().message, too_deep(0).message);
        for text in ["[".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000)] {
            assert!(parse(&text).is_err());
        }
        let keys: String = (0..50_000).fold(String::new(), |mut text, key| {
            writeln!(text, "k{key}: 1").unwrap();
            text
        });
        assert_eq!(parse(&keys).unwrap().0.unwrap().entries().map(<[_]>::len), Some(50_000));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(?s)[-a:&*\\[\\]{},\n '\"|>#!%?<~\u{e9}\u{feff}]{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn spans_are_those_of_the_text(text in "(?s)[-a: &*\\[\\]{},\n'é]{0,100}") {
            if let Ok((Some(root), _)) = parse(&text) {
                let mut open = vec![&*root];
                while let Some(node) = open.pop() {
                    prop_assert!(text.get(node.span.clone()).is_some());
                    open.extend(node.elements().unwrap_or_default().iter().map(|node| &**node));
                    open.extend(node.entries().unwrap_or_default().iter().map(|(_, node)| &**node));
                }
            }
        }
    }
}
