//! Random policies, each in both syntaxes of Rego, with the same meaning in both.

use crate::conditions::{Writer, quoted};
use crate::dice::Dice;
use crate::plans::TYPES;

/// The names under which conftest, too, looks for what is wrong.
pub(crate) const NAMES: [&str; 3] = ["deny", "violation", "warn"];

/// The same policy twice.
pub(crate) struct Policy {
    pub(crate) v0: String,
    pub(crate) v1: String,
}

/// A rule, before it is written in one of the two.
enum Rule {
    /// Adds `element` for each of these bodies that holds.
    Set { name: String, element: String, bodies: Vec<Vec<String>> },
    /// Adds a key and its value.
    Map { name: String, key: String, value: String, body: Vec<String> },
    /// Is the value of the first branch whose body holds.
    Value { head: String, branches: Vec<(String, Vec<String>)> },
    /// Is this where no other holds.
    Default { head: String, value: String },
}

/// What all of them may use.
fn helpers() -> Vec<Rule> {
    let value = |head: &str, value: &str, body: &[&str]| Rule::Value {
        head: head.to_owned(),
        branches: vec![(value.to_owned(), lines(body))],
    };
    vec![
        value("as_list(x)", "x", &["is_array(x)"]),
        value("as_list(x)", "[x]", &["not is_array(x)"]),
        value(
            "is_kept(rc)",
            "true",
            &["rc.change.actions[_] == [\"create\", \"update\", \"no-op\"][_]"],
        ),
        Rule::Map {
            name: "by_type".to_owned(),
            key: "kind".to_owned(),
            value: "names".to_owned(),
            body: lines(&[
                "kind := input.resource_changes[_].type",
                "names := {rc.address | rc := input.resource_changes[_]; rc.type == kind}",
            ]),
        },
        Rule::Set {
            name: "kinds".to_owned(),
            element: "kind".to_owned(),
            bodies: vec![lines(&["kind := input.resource_changes[_].type"])],
        },
        Rule::Default { head: "has_owner(_)".to_owned(), value: "false".to_owned() },
        value("has_owner(rc)", "true", &["rc.change.after.tags.owner != \"nobody\""]),
    ]
}

pub(crate) fn policy(dice: &mut Dice) -> Policy {
    let mut rules = helpers();
    let mut writer = Writer::new(dice);
    writer.tests.extend(["is_kept".to_owned(), "has_owner".to_owned()]);
    for number in 0..=writer.dice.below(3) {
        let name = format!("test_{number}");
        rules.extend(function(&mut writer, &name));
        writer.tests.push(name);
    }
    for _ in 0..2 + writer.dice.below(5) {
        rules.push(verdict(&mut writer));
    }
    let later = if writer.dice.is(50) { "import rego.v1\n" } else { "" };
    let mut v1 = format!("package main\n\n{later}");
    let mut v0 =
        "package main\n\nimport future.keywords.in\nimport future.keywords.every\n".to_owned();
    for rule in &rules {
        v1.push_str(&rule.written(true));
        v0.push_str(&rule.written(false));
    }
    Policy { v0, v1 }
}

/// Returns a function of a resource: of branches, of several bodies, with a default, or any of these.
fn function(writer: &mut Writer<'_>, name: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    if writer.dice.is(30) {
        let value = writer.dice.pick(&["false", "true", "0"]).to_owned();
        rules.push(Rule::Default { head: format!("{name}(_)"), value });
    }
    let has_branches = writer.dice.is(40);
    let head = format!("{name}(rc)");
    for _ in 0..=writer.dice.below(2) {
        let mut branches = vec![("true".to_owned(), writer.conditions(2))];
        if has_branches {
            branches.push((writer.number(1), writer.conditions(2)));
        }
        rules.push(Rule::Value { head: head.clone(), branches });
        // Two that hold at once and differ are an error.
        if has_branches {
            break;
        }
    }
    rules
}

/// Returns a rule that says what is wrong.
fn verdict(writer: &mut Writer<'_>) -> Rule {
    let name = writer.dice.pick(&NAMES).to_owned();
    let mut element = "msg";
    let bodies = match writer.dice.below(10) {
        0 => vec![grouping(writer)],
        1 => vec![replaced(writer)],
        2 => vec![walked(writer)],
        3 => {
            element = "{\"msg\": msg, \"metadata\": {\"address\": rc.address}}";
            vec![resource(writer)]
        }
        4 => vec![resource(writer), resource(writer)],
        _ => vec![resource(writer)],
    };
    Rule::Set { name, element: element.to_owned(), bodies }
}

fn resource(writer: &mut Writer<'_>) -> Vec<String> {
    let each = match writer.dice.below(4) {
        0 => "some rc in input.resource_changes",
        1 => "rc := input.resource_changes[_]",
        2 => "some i\nrc := input.resource_changes[i]\ni >= 0",
        _ => "rc = input.resource_changes[_]",
    };
    let mut body = vec![each.to_owned()];
    match writer.dice.below(4) {
        0 => body.push(format!("rc.type == {}", quoted(writer.dice.pick(&TYPES)))),
        1 => body.push(format!("rc.type in {{{}, {}}}", quoted(TYPES[0]), quoted(TYPES[4]))),
        2 => body.push("is_kept(rc)".to_owned()),
        _ => {}
    }
    body.extend(writer.conditions(3));
    body.push(message(writer));
    body
}

fn message(writer: &mut Writer<'_>) -> String {
    let any = format!("object.get(rc.change, [\"after\", \"{}\"], null)", writer.any());
    let (format, argument) = match writer.dice.below(9) {
        0 => ("%s has %d", format!("count({})", writer.list(1))),
        1 => ("%s is %v", any),
        2 => ("%s: %s", writer.text(1)),
        3 => ("%s, %q", writer.text(0)),
        4 => ("%s; %v", writer.set(1)),
        5 => ("%s = %v", writer.object(1)),
        6 => ("%s ~ %v", writer.number(1)),
        7 => ("%s (%v)", "rc.change.after.encrypted".to_owned()),
        _ => ("%s #%05d", "count(rc.address)".to_owned()),
    };
    format!("msg := sprintf(\"{format}\", [rc.address, {argument}])")
}

/// Something about many resources.
fn grouping(writer: &mut Writer<'_>) -> Vec<String> {
    let comparison = writer.comparison();
    let count = writer.dice.below(4);
    let condition = writer.conditions(1).join("; ").replace('\n', "; ");
    match writer.dice.below(3) {
        0 => vec![
            format!("found := {{rc.address | rc := input.resource_changes[_]; {condition}}}"),
            format!("count(found) {comparison} {count}"),
            "msg := sprintf(\"%d found: %v\", [count(found), found])".to_owned(),
        ],
        1 => vec![
            "some kind in kinds".to_owned(),
            format!("count(by_type[kind]) {comparison} {count}"),
            "msg := sprintf(\"%v of %s\", [by_type[kind], kind])".to_owned(),
        ],
        _ => vec![
            "some one, other in input.resource_changes".to_owned(),
            "same := [rc.address | rc := input.resource_changes[_]; rc.change.after.port == other.change.after.port]".to_owned(),
            format!("count(same) {comparison} {count}"),
            "msg := sprintf(\"%d: %s has the port of %v\", [one, other.address, same])".to_owned(),
        ],
    }
}

/// Something that would be otherwise with another input.
fn replaced(writer: &mut Writer<'_>) -> Vec<String> {
    let kind = quoted(writer.dice.pick(&TYPES));
    match writer.dice.below(3) {
        0 => vec![
            "count(kinds) == 0 with input.resource_changes as []".to_owned(),
            "msg := sprintf(\"kinds: %v\", [kinds])".to_owned(),
        ],
        1 => vec![
            format!(
                "others := kinds with input as {{\"resource_changes\": [{{\"type\": {kind}}}]}}"
            ),
            "msg := sprintf(\"%v besides %v\", [others, kinds - others])".to_owned(),
        ],
        _ => vec![
            format!("not {kind} in kinds"),
            format!(
                "by_type[{kind}] == {{\"a\"}} with input as {{\"resource_changes\": [{{\"type\": {kind}, \"address\": \"a\"}}]}}"
            ),
            format!("msg := concat(\" \", [\"none of\", {kind}])"),
        ],
    }
}

/// Something at any depth.
fn walked(writer: &mut Writer<'_>) -> Vec<String> {
    let key = writer.any();
    let comparison = writer.comparison();
    vec![
        "walk(input, [path, value])".to_owned(),
        format!("path[count(path) - 1] == \"{key}\""),
        format!("type_name(value) {comparison} \"number\""),
        "msg := sprintf(\"%v: %v\", [concat(\"/\", [sprintf(\"%v\", [step]) | step := path[_]]), value])".to_owned(),
    ]
}

fn lines(body: &[&str]) -> Vec<String> {
    body.iter().map(|line| (*line).to_owned()).collect()
}

fn block(body: &[String]) -> String {
    let lines = body.iter().flat_map(|lines| lines.split('\n'));
    format!(" {{\n{}}}", lines.fold(String::new(), |text, line| text + "    " + line + "\n"))
}

impl Rule {
    /// Returns its text in the newer syntax, or in that of before.
    fn written(&self, is_new: bool) -> String {
        let (is, condition) = if is_new { (":=", " if") } else { ("=", "") };
        match self {
            Self::Set { name, element, bodies } if is_new => {
                let each =
                    |body: &Vec<String>| format!("\n{name} contains {element} if{}\n", block(body));
                bodies.iter().map(each).collect()
            }
            // Here one head may have several bodies.
            Self::Set { name, element, bodies } => {
                let bodies: String = bodies.iter().map(|body| block(body)).collect();
                format!("\n{name}[{element}]{bodies}\n")
            }
            Self::Map { name, key, value, body } => {
                format!("\n{name}[{key}] {is} {value}{condition}{}\n", block(body))
            }
            Self::Value { head, branches } => {
                let branch = |(value, body): &(String, Vec<String>)| {
                    format!(" {is} {value}{condition}{}", block(body))
                };
                let branches: Vec<String> = branches.iter().map(branch).collect();
                format!("\n{head}{}\n", branches.join(" else"))
            }
            Self::Default { head, value } => format!("\ndefault {head} {is} {value}\n"),
        }
    }
}
