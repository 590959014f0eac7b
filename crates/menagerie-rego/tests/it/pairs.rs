//! Random rules twice: as a native rule, and in Rego that says the same of known values.

use std::fmt::Write as _;

use crate::dice::Dice;
use crate::plans::{CIDRS, NAMES, TYPES};

/// The same rule twice.
pub(crate) struct Pair {
    pub(crate) native: String,
    /// The addresses where it does not hold are in `data.pair.wrong`.
    pub(crate) rego: String,
}

/// What a path leads to.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    Any,
}

/// Paths of a resource of [`plans`](crate::plans), natively and as the steps of Rego; an empty one is each element.
const PATHS: [(&str, &str, Kind); 14] = [
    ("name", "name", Kind::Text),
    ("class", "class", Kind::Text),
    ("version", "version", Kind::Text),
    ("tags.owner", "tags/owner", Kind::Text),
    ("tags[\"Name\"]", "tags/Name", Kind::Text),
    ("size", "size", Kind::Number),
    ("port", "port", Kind::Number),
    ("ratio", "ratio", Kind::Number),
    ("encrypted", "encrypted", Kind::Flag),
    ("public", "public", Kind::Flag),
    ("cidrs", "cidrs", Kind::Texts),
    ("tags", "tags", Kind::Any),
    ("rules", "rules", Kind::Any),
    ("policy", "policy", Kind::Any),
];
/// Paths inside an element of `rules[*]`.
const INNER_PATHS: [(&str, &str, Kind); 4] = [
    ("from", "from", Kind::Number),
    ("to", "to", Kind::Number),
    ("description", "description", Kind::Text),
    ("cidrs", "cidrs", Kind::Texts),
];

pub(crate) fn pair(dice: &mut Dice) -> Pair {
    let kinds = [dice.pick(&TYPES), dice.pick(&TYPES)];
    let mut native = format!(
        "id = \"PAIR-1\"\ntitle = \"a pair\"\nseverity = \"low\"\nrationale = \"r\"\nremediation = \"r\"\n\n[match]\ntype = [\"{}\", \"{}\"]\n",
        kinds[0], kinds[1]
    );
    let mut rego = format!(
        r#"package pair

import rego.v1

about contains change if {{
    some change in input.resource_changes
    change.mode == "managed"
    change.change.actions != ["delete"]
    change.type in {kinds:?}
}}

wrong contains change.address if {{
    some change in about
    applies(change.change.after)
    not holds(change.change.after)
}}

elements(value) := value if is_array(value)

elements(value) := [] if value == null

elements(value) := [value] if {{
    not is_array(value)
    value != null
}}

in_json(text) := json.unmarshal(text) if is_string(text)

in_json(text) := {{}} if not is_string(text)
"#
    );
    let mut writer = Writer { dice, rego: &mut rego, functions: 0 };
    if writer.dice.is(30) {
        let (table, function) = writer.assertion(&PATHS, 0);
        writeln!(native, "where = [{table}]").expect("writing to a string can't fail");
        writer.define(&format!("applies(place) if {function}(place)"));
    } else {
        writer.define("applies(_) := true");
    }
    let asserted: Vec<(String, String)> =
        (0..=writer.dice.below(2)).map(|_| writer.assertion(&PATHS, 2)).collect();
    let all: Vec<String> =
        asserted.iter().map(|(_, function)| format!("{function}(place)")).collect();
    writer.define(&format!("holds(place) if {{ {} }}", all.join("; ")));
    let tables: Vec<&str> = asserted.iter().map(|(table, _)| table.as_str()).collect();
    // Keys of a table come before its own tables.
    let native =
        native.replacen("[match]", &format!("assert = [{}]\n\n[match]", tables.join(", ")), 1);
    Pair { native, rego }
}

struct Writer<'a> {
    dice: &'a mut Dice,
    rego: &'a mut String,
    functions: usize,
}

impl Writer<'_> {
    fn define(&mut self, text: &str) {
        write!(self.rego, "\n{text}\n").expect("writing to a string can't fail");
    }

    fn function(&mut self) -> String {
        self.functions += 1;
        format!("f{}", self.functions)
    }

    /// Returns an inline table of TOML, and the function of Rego that holds where it does.
    fn assertion(
        &mut self,
        paths: &[(&'static str, &'static str, Kind)],
        depth: usize,
    ) -> (String, String) {
        let function = self.function();
        if depth > 0 && self.dice.is(30) {
            let key = self.dice.pick(&["any", "never"]);
            let (attribute, places, inner) = match self.dice.below(if paths.len() > 4 {
                3
            } else {
                1
            }) {
                0 => (String::new(), "[place]", paths.to_vec()),
                1 => (
                    "attribute = \"rules[*]\", ".to_owned(),
                    "elements(object.get(place, \"rules\", null))",
                    INNER_PATHS.to_vec(),
                ),
                _ => (
                    "attribute = \"policy::Statement[*]\", ".to_owned(),
                    "elements(object.get(in_json(object.get(place, \"policy\", null)), \"Statement\", null))",
                    vec![("Effect", "Effect", Kind::Text), ("Resource", "Resource", Kind::Text)],
                ),
            };
            let parts: Vec<(String, String)> =
                (0..=self.dice.below(2)).map(|_| self.assertion(&inner, depth - 1)).collect();
            let tables: Vec<&str> = parts.iter().map(|(table, _)| table.as_str()).collect();
            let table = format!("{{ {attribute}{key} = [{}] }}", tables.join(", "));
            let calls: Vec<String> =
                parts.iter().map(|(_, part)| format!("{part}(place)")).collect();
            if key == "any" {
                for call in calls {
                    self.define(&format!("{function}_one(place) if {call}"));
                }
                self.define(&format!(
                    "{function}(place) if {{ every inner in {places} {{ {function}_one(inner) }} }}"
                ));
            } else {
                self.define(&format!("{function}_one(place) if {{ {} }}", calls.join("; ")));
                self.define(&format!("{function}(place) if {{ every inner in {places} {{ not {function}_one(inner) }} }}"));
            }
            return (table, function);
        }
        let (native, steps, kind) = self.dice.pick(paths);
        let steps: Vec<String> = steps.split('/').map(|step| format!("\"{step}\"")).collect();
        let value = format!("object.get(place, [{}], null)", steps.join(", "));
        let (asked, mut holds) = self.asked(kind);
        let optional = self.dice.is(20);
        if optional {
            holds.push("value == null".to_owned());
        }
        for each in holds {
            self.define(&format!("{function}_one(value) if {{ {each} }}"));
        }
        self.define(&format!("{function}(place) if {function}_one({value})"));
        let optional = if optional { ", optional = true" } else { "" };
        (format!("{{ attribute = '{native}', {asked}{optional} }}"), function)
    }

    /// Returns what is asked in TOML, and the alternatives in Rego of which one must hold of `value`.
    fn asked(&mut self, kind: Kind) -> (String, Vec<String>) {
        match kind {
            Kind::Text => self.asked_of_text(),
            Kind::Number => self.asked_of_number(),
            Kind::Flag => {
                let truth = self.dice.is(50);
                match self.dice.below(3) {
                    0 => one(format!("equals = {truth}"), format!("value == {truth}")),
                    1 => one(format!("not_equals = {truth}"), format!("value != {truth}")),
                    _ => present(),
                }
            }
            Kind::Texts => self.asked_of_texts(),
            Kind::Any => present(),
        }
    }

    fn asked_of_text(&mut self) -> (String, Vec<String>) {
        let text = format!("{:?}", self.dice.pick(&NAMES));
        let other = self.dice.pick(&NAMES);
        let list = format!("[{text}, {other:?}, \"db.t4g.micro\", \"Allow\", \"*\"]");
        let patterns = ["^db[.]t", "[a-z]+@example[.]com$", "o", "^[0-9]+[.]", "^$", "(?i)LOG"];
        let pattern = self.dice.pick(&patterns);
        match self.dice.below(7) {
            0 => one(format!("equals = {text}"), format!("value == {text}")),
            1 => one(format!("not_equals = {text}"), format!("value != {text}")),
            2 => one(format!("in = {list}"), format!("value in {list}")),
            3 => one(format!("not_in = {list}"), format!("not value in {list}")),
            4 => one(
                format!("matches = '{pattern}'"),
                format!("is_string(value); regex.match(`{pattern}`, value)"),
            ),
            5 => (
                format!("not_matches = '{pattern}'"),
                vec![
                    "not is_string(value)".to_owned(),
                    format!("is_string(value); not regex.match(`{pattern}`, value)"),
                ],
            ),
            _ => present(),
        }
    }

    fn asked_of_number(&mut self) -> (String, Vec<String>) {
        let numbers = ["0", "1", "20", "22", "80", "443", "1.0", "0.5", "-5", "9007199254740993"];
        let number = self.dice.pick(&numbers);
        match self.dice.below(6) {
            0 => one(format!("equals = {number}"), format!("value == {number}")),
            1 => one(format!("not_equals = {number}"), format!("value != {number}")),
            2 => {
                one(format!("in = [{number}, 22, 8080]"), format!("value in [{number}, 22, 8080]"))
            }
            3 => {
                one(format!("at_least = {number}"), format!("is_number(value); value >= {number}"))
            }
            4 => one(format!("at_most = {number}"), format!("is_number(value); value <= {number}")),
            _ => present(),
        }
    }

    fn asked_of_texts(&mut self) -> (String, Vec<String>) {
        let list = format!("[{:?}, {:?}]", self.dice.pick(&CIDRS), self.dice.pick(&CIDRS));
        let counts = [(">=", ">=", 1), ("<=", "<=", 2), ("=", "==", 0), (">=", ">=", 3)];
        let (sign, operator, count) = self.dice.pick(&counts);
        match self.dice.below(6) {
            0 => one(
                format!("subset_of = {list}"),
                format!("every part in elements(value) {{ part in {list} }}"),
            ),
            1 => one(
                format!("contains = {list}"),
                format!("every part in {list} {{ part in elements(value) }}"),
            ),
            2 => one(
                format!("lacks = {list}"),
                format!("every part in {list} {{ not part in elements(value) }}"),
            ),
            3 => one(
                "contains_match = '[.]0/'".to_owned(),
                "some part in elements(value); regex.match(`[.]0/`, part)".to_owned(),
            ),
            4 => one(
                format!("count = \"{sign}{count}\""),
                format!("count(elements(value)) {operator} {count}"),
            ),
            _ => present(),
        }
    }
}

fn one(native: String, condition: String) -> (String, Vec<String>) {
    (native, vec![condition])
}

fn present() -> (String, Vec<String>) {
    ("present = true".to_owned(), vec!["not value in [null, \"\", [], {}]".to_owned()])
}
