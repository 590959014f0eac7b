//! Functions that regorus does not have, or has otherwise than OPA.

mod collection;
mod config;
mod glob;
mod network;
mod sprintf;
mod template;

use std::path::PathBuf;

use menagerie_compliance::PolicyFile;
use regorus::{Engine, Value};

use crate::policy::Options;

/// A function.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) arguments: u8,
    call: Call,
}

enum Call {
    /// It needs its arguments only.
    Plain(fn(&[Value]) -> anyhow::Result<Value>),
    /// It needs what the caller of the policy says.
    With(fn(&[Value], &Surroundings) -> anyhow::Result<Value>),
}

/// What the caller says.
#[derive(Clone)]
struct Surroundings {
    now_ns: i64,
    files: Vec<(PathBuf, String)>,
}

const fn plain(
    name: &'static str,
    arguments: u8,
    call: fn(&[Value]) -> anyhow::Result<Value>,
) -> Builtin {
    Builtin { name, arguments, call: Call::Plain(call) }
}

const fn with(
    name: &'static str,
    arguments: u8,
    call: fn(&[Value], &Surroundings) -> anyhow::Result<Value>,
) -> Builtin {
    Builtin { name, arguments, call: Call::With(call) }
}

/// All of them.
pub(crate) const TABLE: &[Builtin] = &[
    plain("array.flatten", 1, collection::flatten),
    plain("glob.match", 3, glob::matches),
    plain("glob.quote_meta", 1, glob::quote_meta),
    // Only `iteration` writes it.
    plain("internal.collection", 1, collection::collection),
    plain("net.cidr_contains_matches", 2, network::contains_matches),
    plain("net.cidr_intersects", 2, network::intersects),
    plain("net.cidr_merge", 1, network::merge),
    plain("object.subset", 2, collection::subset),
    plain("parse_config", 2, config::parse),
    with("parse_config_file", 1, config::parse_file),
    with("parse_combined_config_files", 1, config::parse_files),
    plain("sprintf", 2, sprintf::call),
    plain("strings.count", 2, collection::count),
    plain("strings.render_template", 2, template::render),
    with("time.now_ns", 0, |_, surroundings| Ok(Value::from(surroundings.now_ns))),
    plain("yaml.is_valid", 1, config::is_yaml),
    plain("yaml.unmarshal", 1, config::parse_yaml),
];

/// Adds all functions to an engine.
pub(crate) fn add(engine: &mut Engine, options: &Options, files: &[PolicyFile<'_>]) {
    let files = files.iter().filter(|file| config::is_config(file.path));
    let surroundings = Surroundings {
        now_ns: options.now_ns,
        files: files.map(|file| (file.path.to_owned(), file.text.to_owned())).collect(),
    };
    for builtin in TABLE {
        let added = match builtin.call {
            Call::Plain(call) => {
                let extension = move |values: Vec<Value>| call(&values);
                engine.add_extension(
                    builtin.name.to_owned(),
                    builtin.arguments,
                    Box::new(extension),
                )
            }
            Call::With(call) => {
                let surroundings = surroundings.clone();
                let extension = move |values: Vec<Value>| call(&values, &surroundings);
                engine.add_extension(
                    builtin.name.to_owned(),
                    builtin.arguments,
                    Box::new(extension),
                )
            }
        };
        added.expect("each name is in the table once");
    }
}

/// Returns an argument that is a text.
fn text<'v>(function: &str, value: &'v Value) -> anyhow::Result<&'v str> {
    match value {
        Value::String(text) => Ok(text),
        _ => anyhow::bail!("`{function}` takes a text here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks an expression: the value, or that it is an error.
    #[track_caller]
    pub(super) fn check(expression: &str, expected: &str) {
        let mut engine = Engine::new();
        engine.set_strict_builtin_errors(true);
        let options = Options { now_ns: 7, ..Options::default() };
        let file = |path, text| PolicyFile { path: std::path::Path::new(path), text };
        let files = [file("p/conf/a.yaml", "x: [1]"), file("p/b.json", "{\"y\": 2}")];
        add(&mut engine, &options, &files);
        let actual = match engine.eval_query(expression.to_owned(), false) {
            Ok(results) => {
                let value =
                    results.result.first().map(|result| result.expressions[0].value.clone());
                value.unwrap_or(Value::Undefined).to_string()
            }
            Err(error) => format!("error: {}", crate::error::Fault::of(&error).message),
        };
        assert!(
            actual == expected
                || expected.strip_suffix('…').is_some_and(|start| actual.starts_with(start)),
            "{expression}: {actual}, not {expected}"
        );
    }

    #[test]
    fn time_is_what_the_caller_says() {
        check("time.now_ns()", "7");
    }
}
