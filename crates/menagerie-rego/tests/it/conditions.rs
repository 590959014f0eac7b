//! Random expressions of Rego about one resource, `rc`: the part that is the same in both syntaxes.

use crate::dice::Dice;
use crate::plans::{CIDRS, NAMES, TYPES};

const AFTER: &str = "rc.change.after";

/// Writes expressions; each new variable has a name of its own.
pub(crate) struct Writer<'a> {
    pub(crate) dice: &'a mut Dice,
    /// Functions of one resource that give a truth.
    pub(crate) tests: Vec<String>,
    variables: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(dice: &'a mut Dice) -> Self {
        Self { dice, tests: Vec::new(), variables: 0 }
    }

    pub(crate) fn variable(&mut self) -> String {
        self.variables += 1;
        format!("x{}", self.variables)
    }

    /// Returns some lines, all of which must hold.
    pub(crate) fn conditions(&mut self, most: usize) -> Vec<String> {
        (0..=self.dice.below(most)).map(|_| self.condition()).collect()
    }

    fn condition(&mut self) -> String {
        loop {
            let condition = self.any_condition();
            // After a line that ends with a reference this would be a call: a difference of its own.
            if !condition.starts_with('(') {
                return condition;
            }
        }
    }

    fn any_condition(&mut self) -> String {
        match self.dice.below(24) {
            0 | 1 => format!("{} {} {}", self.number(2), self.comparison(), self.number(1)),
            2 => format!("{} {} {}", self.text(2), self.comparison(), self.text(1)),
            3 => format!("{AFTER}.{} == {}", self.flag(), self.truth()),
            4 => format!("{AFTER}.{} != {}", self.flag(), self.truth()),
            5 => format!("not {AFTER}.{}", self.flag()),
            6 => format!("not {AFTER}.tags.{}", self.dice.pick(&["owner", "Name"])),
            7 => {
                let function = self.dice.pick(&["startswith", "endswith", "contains"]);
                format!("{function}({}, {})", self.text(1), self.short())
            }
            8 => {
                let pattern = self.dice.pick(&[
                    "^db\\\\.[rt]\\\\dg?\\\\.",
                    "(?i)LOGS",
                    "\\\\w+@example\\\\.com$",
                    "[^a-z]",
                    "^$",
                    "é",
                ]);
                format!("regex.match(\"{pattern}\", {})", self.text(1))
            }
            9 => {
                let (pattern, delimiters) = self.dice.pick(&[
                    ("db.*", "[\".\"]"),
                    ("db.*", "[]"),
                    ("**", "[]"),
                    ("?pp", "null"),
                    ("{app,logs}", "[]"),
                    ("[a-f]*", "[\"-\"]"),
                ]);
                format!("glob.match(\"{pattern}\", {delimiters}, {})", self.text(1))
            }
            10 => format!("{} in {}", self.text(1), self.set(1)),
            11 => format!("not {} in {}", self.text(1), self.list(1)),
            12 => format!("{} == {}", self.set(1), self.set(1)),
            13 => format!("count({}) {} {}", self.set(2), self.comparison(), self.dice.below(4)),
            14 => {
                format!("net.cidr_contains({}, {AFTER}.cidrs[_])", quoted(self.dice.pick(&CIDRS)))
            }
            15 => {
                format!("net.cidr_intersects({AFTER}.cidrs[_], {})", quoted(self.dice.pick(&CIDRS)))
            }
            16 => {
                let (index, element) = (self.variable(), self.variable());
                format!(
                    "some {index}, {element} in {AFTER}.rules\n{element}.from {} {}\n{index} >= {}",
                    self.comparison(),
                    self.number(0),
                    self.dice.below(2)
                )
            }
            17 => {
                let element = self.variable();
                let inner = format!("{element}.to {} {}", self.comparison(), self.number(0));
                format!("every {element} in {AFTER}.rules {{\n{inner}\n}}")
            }
            18 => {
                let (element, statement) = (self.variable(), self.variable());
                format!(
                    "{element} := json.unmarshal({AFTER}.policy)\n{statement} := {element}.Statement[_]\n{statement}.Effect == \"Allow\"\n\"*\" in as_list({statement}.Action)"
                )
            }
            19 => match self.tests.len() {
                0 => "true".to_owned(),
                some => {
                    let test = self.tests[self.dice.below(some)].clone();
                    let not = if self.dice.is(40) { "not " } else { "" };
                    format!("{not}{test}(rc)")
                }
            },
            20 => {
                let kind =
                    self.dice.pick(&["string", "number", "boolean", "array", "object", "null"]);
                format!("type_name({AFTER}.{}) == \"{kind}\"", self.any())
            }
            21 => format!(
                "object.get({AFTER}, \"{}\", {}) == {}",
                self.any(),
                self.literal(),
                self.literal()
            ),
            22 => {
                let (path, value) = (self.variable(), self.variable());
                format!(
                    "walk({AFTER}, [{path}, {value}])\ncount({path}) > {}\n{value} == {}",
                    self.dice.below(3),
                    self.literal()
                )
            }
            _ => format!("{} == {}", self.object(1), self.object(0)),
        }
    }

    pub(crate) fn comparison(&mut self) -> &'static str {
        self.dice.pick(&["==", "!=", "<", "<=", ">", ">="])
    }

    fn flag(&mut self) -> &'static str {
        self.dice.pick(&["encrypted", "public"])
    }

    pub(crate) fn any(&mut self) -> &'static str {
        self.dice.pick(&[
            "name",
            "class",
            "size",
            "port",
            "ratio",
            "encrypted",
            "cidrs",
            "tags",
            "policy",
            "rules",
        ])
    }

    fn truth(&mut self) -> bool {
        self.dice.is(50)
    }

    fn short(&mut self) -> String {
        quoted(self.dice.pick(&["a", "l", "-", "db", "", "é", "aws_"]))
    }

    fn literal(&mut self) -> String {
        let text = quoted(self.dice.pick(&NAMES));
        self.dice.pick(&["null", "true", "false", "0", "22", "[]", "{}", &text]).to_string()
    }

    pub(crate) fn text(&mut self, depth: usize) -> String {
        let choices = if depth == 0 { 8 } else { 18 };
        let inner = depth.saturating_sub(1);
        match self.dice.below(choices) {
            0 => format!("{AFTER}.name"),
            1 => format!("{AFTER}.class"),
            2 => format!("{AFTER}.tags.owner"),
            3 => "rc.address".to_owned(),
            4 => quoted(self.dice.pick(&NAMES)),
            5 => quoted(self.dice.pick(&TYPES)),
            6 => "rc.type".to_owned(),
            7 => "rc.name".to_owned(),
            8 => format!("object.get({AFTER}, [\"tags\", \"owner\"], \"none\")"),
            9 => {
                let function = self.dice.pick(&["lower", "upper", "trim_space", "strings.reverse"]);
                format!("{function}({})", self.text(inner))
            }
            10 => {
                let function = self.dice.pick(&[
                    "trim",
                    "trim_left",
                    "trim_right",
                    "trim_prefix",
                    "trim_suffix",
                ]);
                format!("{function}({}, {})", self.text(inner), self.short())
            }
            11 => format!("replace({}, {}, {})", self.text(inner), self.short(), self.short()),
            12 => format!(
                "substring({}, {}, {})",
                self.text(inner),
                self.dice.below(3),
                self.dice.below(5)
            ),
            13 => format!("concat(\"-\", [{}, {}])", self.text(inner), self.text(inner)),
            14 => format!("split({}, {})[{}]", self.text(inner), self.short(), self.dice.below(2)),
            15 => format!(
                "sprintf({}, [{}])",
                quoted(self.dice.pick(&["%s", "%v!", "%q", "%8s|", "%-6s|"])),
                self.text(inner)
            ),
            16 => format!("json.marshal({})", self.text(inner)),
            _ => format!("regex.replace({}, \"[aeiou]\", \"_\")", self.text(inner)),
        }
    }

    pub(crate) fn number(&mut self, depth: usize) -> String {
        let choices = if depth == 0 { 5 } else { 16 };
        let inner = depth.saturating_sub(1);
        match self.dice.below(choices) {
            0 => format!("{AFTER}.size"),
            1 => format!("{AFTER}.port"),
            2 => format!("{AFTER}.ratio"),
            3 | 4 => self.dice.pick(&["0", "1", "2", "20", "22", "80", "-1", "0.5"]).to_owned(),
            5 => format!("count({})", self.list(inner)),
            6 => format!("count({})", self.text(inner)),
            7 => format!("{} + {}", self.number(inner), self.number(inner)),
            8 => format!("({} * {})", self.number(inner), self.number(inner)),
            9 => format!("({} - {})", self.number(inner), self.number(inner)),
            10 => format!("({} / {})", self.number(inner), self.dice.pick(&["2", "4", "3"])),
            11 => format!("({AFTER}.port % {})", self.dice.pick(&["2", "7"])),
            12 => {
                let function = self.dice.pick(&["abs", "ceil", "floor", "round"]);
                format!("{function}({})", self.number(inner))
            }
            13 => {
                let function = self.dice.pick(&["max", "min", "sum", "product"]);
                format!("{function}([{}, {}])", self.number(inner), self.number(inner))
            }
            14 => format!(
                "indexof({}, {})",
                self.text(inner),
                quoted(self.dice.pick(&["a", "-", "é"]))
            ),
            _ => format!("to_number({})", self.dice.pick(&["\"12\"", "\"0.5\"", "true", "null"])),
        }
    }

    pub(crate) fn list(&mut self, depth: usize) -> String {
        let choices = if depth == 0 { 3 } else { 9 };
        let inner = depth.saturating_sub(1);
        match self.dice.below(choices) {
            0 => format!("{AFTER}.cidrs"),
            1 => "rc.change.actions".to_owned(),
            2 => {
                format!("[{}, {}]", quoted(self.dice.pick(&NAMES)), quoted(self.dice.pick(&CIDRS)))
            }
            3 => format!("split({}, {})", self.text(inner), self.short()),
            4 => format!("array.concat({}, {})", self.list(inner), self.list(inner)),
            5 => format!(
                "array.slice({}, {}, {})",
                self.list(inner),
                self.dice.below(2),
                self.dice.below(4)
            ),
            6 => format!("sort({})", self.list(inner)),
            7 => format!("array.reverse({})", self.list(inner)),
            _ => {
                let element = self.variable();
                format!(
                    "[{element} | {element} := {}[_]; {element} != {}]",
                    self.list(inner),
                    quoted(self.dice.pick(&CIDRS))
                )
            }
        }
    }

    pub(crate) fn set(&mut self, depth: usize) -> String {
        let choices = if depth == 0 { 3 } else { 7 };
        let inner = depth.saturating_sub(1);
        let element = self.variable();
        match self.dice.below(choices) {
            0 => format!("{{{element} | {element} := {}[_]}}", self.list(inner)),
            1 => format!(
                "{{{}, {}}}",
                quoted(self.dice.pick(&NAMES)),
                quoted(self.dice.pick(&CIDRS))
            ),
            2 => format!("{{{element} | {AFTER}.tags[{element}]}}"),
            3 => format!("object.keys({})", self.object(inner)),
            4 => format!("({} & {})", self.set(inner), self.set(inner)),
            5 => format!("({} | {})", self.set(inner), self.set(inner)),
            _ => format!("({} - {})", self.set(inner), self.set(inner)),
        }
    }

    pub(crate) fn object(&mut self, depth: usize) -> String {
        let choices = if depth == 0 { 2 } else { 6 };
        let inner = depth.saturating_sub(1);
        let (key, value) = (self.variable(), self.variable());
        match self.dice.below(choices) {
            0 => format!("{AFTER}.tags"),
            1 => format!("{{\"owner\": {}}}", self.text(0)),
            2 => format!("object.union({}, {})", self.object(inner), self.object(inner)),
            3 => format!("object.remove({}, [\"owner\"])", self.object(inner)),
            4 => format!("object.filter({}, [\"owner\", \"Name\"])", self.object(inner)),
            _ => format!(
                "{{{key}: {value} | {value} := {}[{key}]; {value} != \"\"}}",
                self.object(inner)
            ),
        }
    }
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
