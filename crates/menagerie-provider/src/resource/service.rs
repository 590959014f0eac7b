//! `menagerie_service`: a program that answers HTTP, in one or more replicas behind one port.

use super::{
    Applied, Attribute, Change, LIST_OF_STRING, MAP_OF_STRING, NUMBER, Planned, Presence, STRING,
    at_index, at_key, attribute_error, error_of, name_of, replaces, set, text, validate_name,
};
use crate::{
    client::Client,
    control::{Fault, Request},
    log,
    name::Name,
    record::{self, ServiceRecord, ServiceSpec},
    secret,
    status::{self, Condition, ServiceStatus},
    value::{Object, Value, attribute},
    wire::Diagnostic,
};
use std::{collections::BTreeMap, path::Path, sync::atomic::AtomicBool, time::Duration};

pub(super) const DESCRIPTION: &str = "A program that answers HTTP on this machine: started, watched, and started again when it ends.";

pub(super) const ATTRIBUTES: &[Attribute] = &[
    Attribute::new(
        "name",
        STRING,
        Presence::Required,
        "Name of the service in its environment; another name is another service.",
    ),
    Attribute::new(
        "command",
        LIST_OF_STRING,
        Presence::Required,
        "Program (an absolute path, or a name on PATH) and its arguments. It listens on the port in `PORT`.",
    ),
    Attribute::new(
        "environment",
        MAP_OF_STRING,
        Presence::Optional,
        "Environment variables of the program. The provider sets `PORT`, `HOST`, `MENAGERIE_REPLICA` (its number, from 0) and `MENAGERIE_ZONE`; where `OTEL_RESOURCE_ATTRIBUTES` is given, it adds `service.instance.id` and `menagerie.zone` to it.",
    ),
    Attribute::new(
        "secrets",
        MAP_OF_STRING,
        Presence::Optional,
        "Environment variables whose values are read from `file:///…` when a replica starts; the values never pass through Terraform.",
    ),
    Attribute::new(
        "port",
        NUMBER,
        Presence::Either,
        "Port on 127.0.0.1. Chosen once where none is given, and kept for as long as the service lives.",
    ),
    Attribute::new(
        "replicas",
        NUMBER,
        Presence::Either,
        "How many run at once, 0 to 20; 1 where none is given. They alternate between the zones `a` and `b`.",
    ),
    Attribute::new(
        "health_check_path",
        STRING,
        Presence::Either,
        "Path that answers 2xx when a replica is ready; `/healthz` where none is given.",
    ),
    Attribute::new("id", STRING, Presence::Computed, "The name."),
    Attribute::new("url", STRING, Presence::Computed, "Address of the service."),
    Attribute::new(
        "log_directory",
        STRING,
        Presence::Computed,
        "Directory with a log for each replica.",
    ),
    Attribute::new(
        "status",
        STRING,
        Presence::Computed,
        "`running`, `degraded` (some of it fails, or nobody supervises it) or `stopped`.",
    ),
];

const DEFAULT_HEALTH_CHECK_PATH: &str = "/healthz";
const MOST_REPLICAS: i64 = 20;

/// How long all replicas may take to answer.
const START: Duration = Duration::from_secs(30);

/// What the supervisor sets itself.
const RESERVED: [&str; 4] = ["PORT", "HOST", "MENAGERIE_REPLICA", "MENAGERIE_ZONE"];

/// Lines of a log that an error carries.
const LOG_LINES: usize = 20;

pub(super) fn validate(config: &Object) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    validate_name(config, &mut diagnostics);
    validate_command(config, &mut diagnostics);
    let mut blame = |name: &str, detail: &str| {
        diagnostics.push(attribute_error(name, &format!("invalid {name}"), detail));
    };
    if is_outside(attribute(config, "port"), 1024, 65_535) {
        blame("port", "a whole number from 1024 to 65535 is expected");
    }
    if is_outside(attribute(config, "replicas"), 0, MOST_REPLICAS) {
        blame("replicas", "a whole number from 0 to 20 is expected");
    }
    if attribute(config, "health_check_path").as_str().is_some_and(|path| {
        !path.starts_with('/')
            || path.chars().any(|character| character.is_whitespace() || character.is_control())
    }) {
        blame("health_check_path", "a path that begins with `/` and has no spaces is expected");
    }
    validate_variables(config, &mut diagnostics);
    diagnostics
}

fn validate_command(config: &Object, diagnostics: &mut Vec<Diagnostic>) {
    let Some(command) = attribute(config, "command").as_list() else { return };
    let error = |detail: &str| attribute_error("command", "invalid command", detail);
    match command.first() {
        None => diagnostics.push(error("the command is empty: give at least the program")),
        Some(Value::String(program)) if program.is_empty() => {
            diagnostics.push(at_index(error("the program has no name"), 0));
        }
        Some(Value::String(program)) if program.contains('/') && !program.starts_with('/') => {
            diagnostics.push(at_index(
                error(&format!(
                    "`{program}` is relative: give an absolute path, or a name on PATH"
                )),
                0,
            ));
        }
        _ => {}
    }
    for (index, argument) in command.iter().enumerate() {
        if argument.is_null() || argument.as_str().is_some_and(|text| text.contains('\0')) {
            diagnostics.push(at_index(error("null, or a NUL character, is no argument"), index));
        }
    }
}

fn validate_variables(config: &Object, diagnostics: &mut Vec<Diagnostic>) {
    let empty = Object::new();
    let environment = attribute(config, "environment").as_map().unwrap_or(&empty);
    let secrets = attribute(config, "secrets").as_map().unwrap_or(&empty);
    for (name, variables) in [("environment", environment), ("secrets", secrets)] {
        for (variable, value) in variables {
            let detail = if variable.is_empty() || variable.contains(['=', '\0']) {
                Some(format!("`{variable}` is no name of a variable"))
            } else if RESERVED.contains(&variable.as_str()) {
                Some(format!("`{variable}` is set by the provider"))
            } else if value.is_null() || value.as_str().is_some_and(|text| text.contains('\0')) {
                Some(format!("`{variable}` is null, or has a NUL character"))
            } else if name == "secrets" && environment.contains_key(variable) {
                Some(format!("`{variable}` is in `environment` too"))
            } else if let (true, Some(reference)) = (name == "secrets", value.as_str()) {
                secret::path(reference).err().map(|error| error.to_string())
            } else {
                None
            };
            let error =
                detail.map(|detail| attribute_error(name, &format!("invalid {name}"), &detail));
            diagnostics.extend(error.map(|error| at_key(error, variable)));
        }
    }
}

/// Whether a known value is no whole number in a range.
fn is_outside(value: &Value, first: i64, last: i64) -> bool {
    !value.is_null()
        && !value.is_unknown()
        && !value.as_whole().is_some_and(|number| (first..=last).contains(&number))
}

pub(super) fn plan(client: &Client, change: Change) -> Planned {
    let Change { config, prior, proposed: mut object } = change;
    let prior = prior.as_ref();
    // A prior value must not outlive its line in the configuration where there is a default.
    if attribute(&config, "replicas").is_null() {
        set(&mut object, "replicas", 1_u32);
    }
    if attribute(&config, "health_check_path").is_null() {
        set(&mut object, "health_check_path", DEFAULT_HEALTH_CHECK_PATH);
    }
    let replaces = replaces(prior, &object, &["name"]);
    if attribute(&object, "port").is_null() {
        set(&mut object, "port", Value::Unknown);
    }
    let url = match attribute(&object, "port").as_whole().and_then(|port| u16::try_from(port).ok())
    {
        Some(port) => status::url(port).into(),
        None => Value::Unknown,
    };
    set(&mut object, "url", url);
    let name = attribute(&object, "name").clone();
    let logs = match name.as_str().map(str::parse::<Name>) {
        Some(Ok(name)) => path_text(&client.layout.service(&name).logs()).into(),
        _ => Value::Unknown,
    };
    set(&mut object, "id", name);
    set(&mut object, "log_directory", logs);
    let status = match attribute(&object, "replicas").as_whole() {
        Some(0) => Condition::Stopped.as_str().into(),
        Some(_) => Condition::Running.as_str().into(),
        None => Value::Unknown,
    };
    set(&mut object, "status", status);
    Planned { object, replaces, diagnostics: Vec::new() }
}

pub(super) fn put(
    client: &Client,
    planned: &Object,
    prior: Option<&Object>,
    cancelled: &AtomicBool,
) -> Applied {
    let summary = format!("the service `{}` does not run", text(planned, "name"));
    let spec = match spec(planned) {
        Ok(spec) => spec,
        Err(fault) => {
            return Applied {
                state: prior.cloned(),
                diagnostics: vec![error_of(&summary, &fault, "")],
            };
        }
    };
    let name = spec.name.clone();
    if let Err(fault) = client.put(&Request::PutService(spec)) {
        // What is recorded is what is: also where the order arrived and its answer did not.
        let state = read(client, &name, Some(planned)).unwrap_or_else(|_| prior.cloned());
        return Applied { state, diagnostics: vec![error_of(&summary, &fault, "")] };
    }
    let waited = client.wait(&Request::ServiceProgress(name.clone()), START, cancelled);
    let mut diagnostics = Vec::new();
    if let Err(fault) = waited {
        diagnostics.push(error_of(
            &summary,
            &fault,
            &newest_log(&client.layout.service(&name).logs()),
        ));
    }
    match read(client, &name, Some(planned)) {
        Ok(Some(mut state)) => {
            // It was seen to run; what happens a moment later is for the next plan to find.
            if diagnostics.is_empty() {
                set(&mut state, "status", attribute(planned, "status").clone());
            }
            Applied { state: Some(state), diagnostics }
        }
        Ok(None) => {
            diagnostics.push(error_of(
                &summary,
                &Fault::text("its record is gone: something else removed it"),
                "",
            ));
            Applied { state: None, diagnostics }
        }
        Err(fault) => {
            diagnostics.push(error_of(&summary, &fault, ""));
            Applied { state: prior.cloned(), diagnostics }
        }
    }
}

/// Reads the record, and asks how its replicas are. `like` tells empty maps from none, which a record can't.
pub(super) fn read(
    client: &Client,
    name: &Name,
    like: Option<&Object>,
) -> Result<Option<Object>, Fault> {
    let layout = client.layout.service(name);
    let record =
        record::read::<ServiceRecord>(&layout.record()).map_err(|error| Fault::new(&error))?;
    let Some(record) = record else { return Ok(None) };
    let found = client.status()?.services.into_iter().find(|service| service.name == *name);
    let like =
        |attribute: &str| like.and_then(|object| object.get(attribute)).unwrap_or(&Value::Null);
    let ServiceSpec { name, command, environment, secrets, port: _, replicas, health_check_path } =
        record.spec;
    Ok(Some(Object::from([
        ("id".to_owned(), name.as_str().into()),
        ("name".to_owned(), name.as_str().into()),
        ("command".to_owned(), Value::List(command.into_iter().map(Value::from).collect())),
        ("environment".to_owned(), map(environment, like("environment"))),
        ("secrets".to_owned(), map(secrets, like("secrets"))),
        ("port".to_owned(), record.port.into()),
        ("replicas".to_owned(), replicas.into()),
        ("health_check_path".to_owned(), health_check_path.into()),
        ("url".to_owned(), status::url(record.port).into()),
        ("log_directory".to_owned(), path_text(&layout.logs()).into()),
        ("status".to_owned(), condition(found.as_ref(), record.removing).as_str().into()),
    ])))
}

fn condition(found: Option<&ServiceStatus>, removing: bool) -> Condition {
    match found {
        Some(service) if !removing => service.status,
        _ => Condition::Stopped,
    }
}

fn map(entries: BTreeMap<String, String>, like: &Value) -> Value {
    if entries.is_empty() && like.is_null() {
        return Value::Null;
    }
    Value::Map(entries.into_iter().map(|(name, value)| (name, value.into())).collect())
}

fn spec(planned: &Object) -> Result<ServiceSpec, Fault> {
    let problem = validate(planned).into_iter().next();
    if let Some(problem) = problem {
        // Values that were unknown when the configuration was validated.
        return Err(Fault::text(format!("{}: {}", problem.summary, problem.detail)));
    }
    let strings = |name: &str| -> BTreeMap<String, String> {
        let entries = attribute(planned, name).as_map().into_iter().flatten();
        entries
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect()
    };
    let command = attribute(planned, "command").as_list().into_iter().flatten();
    Ok(ServiceSpec {
        name: name_of(planned)?,
        command: command.filter_map(|value| value.as_str().map(str::to_owned)).collect(),
        environment: strings("environment"),
        secrets: strings("secrets"),
        port: attribute(planned, "port").as_whole().and_then(|port| u16::try_from(port).ok()),
        replicas: attribute(planned, "replicas")
            .as_whole()
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(1),
        health_check_path: text(planned, "health_check_path"),
    })
}

/// Returns the end of the log that was written last.
fn newest_log(directory: &Path) -> String {
    let logs = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let newest = logs
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "log"))
        .max_by_key(|entry| entry.metadata().and_then(|found| found.modified()).ok());
    newest.map_or_else(String::new, |entry| log::tail(&entry.path(), LOG_LINES))
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, Value)]) -> Object {
        let mut object = Object::from([
            ("name".to_owned(), Value::from("web")),
            ("command".to_owned(), Value::List(vec!["/bin/app".into()])),
        ]);
        object.extend(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        object
    }

    #[track_caller]
    fn check(name: &str, value: Value, expected: &str) {
        let found: Vec<_> =
            validate(&config(&[(name, value)])).into_iter().map(|found| found.detail).collect();
        assert_eq!(found.join("; "), expected);
    }

    #[test]
    fn names_and_numbers() {
        check("name", "web-2".into(), "");
        check("name", Value::Unknown, "");
        check(
            "name",
            "Web".into(),
            "`Web` is no name: lower-case letters, digits and `-`, a letter first, at most 63 characters",
        );
        check("port", 1024_u16.into(), "");
        check("port", 1023_u16.into(), "a whole number from 1024 to 65535 is expected");
        check("port", Value::Number(8080.5), "a whole number from 1024 to 65535 is expected");
        check("port", 65_536_u32.into(), "a whole number from 1024 to 65535 is expected");
        check("replicas", 0_u32.into(), "");
        check("replicas", 21_u32.into(), "a whole number from 0 to 20 is expected");
        check("replicas", Value::Number(-1.0), "a whole number from 0 to 20 is expected");
        check("replicas", Value::Number(f64::NAN), "a whole number from 0 to 20 is expected");
    }

    #[test]
    fn commands() {
        check("command", Value::List(vec![]), "the command is empty: give at least the program");
        check("command", Value::List(vec!["app".into()]), "");
        check("command", Value::List(vec![Value::Unknown]), "");
        check("command", Value::List(vec!["".into()]), "the program has no name");
        check(
            "command",
            Value::List(vec!["./app".into()]),
            "`./app` is relative: give an absolute path, or a name on PATH",
        );
        check(
            "command",
            Value::List(vec!["app".into(), "a\0b".into()]),
            "null, or a NUL character, is no argument",
        );
    }

    #[test]
    fn paths_and_variables() {
        let map =
            |name: &str, value: &str| Value::Map(Object::from([(name.to_owned(), value.into())]));
        check(
            "health_check_path",
            "healthz".into(),
            "a path that begins with `/` and has no spaces is expected",
        );
        check(
            "health_check_path",
            "/a\r\nX: y".into(),
            "a path that begins with `/` and has no spaces is expected",
        );
        check("environment", map("LOG_LEVEL", "debug"), "");
        check("environment", map("PORT", "1"), "`PORT` is set by the provider");
        check("environment", map("A=B", "1"), "`A=B` is no name of a variable");
        check("secrets", map("DATABASE_URL", "file:///run/url"), "");
        check(
            "secrets",
            map("DATABASE_URL", "hunter2"),
            "`hunter2` is no reference of the form `file:///absolute/path`",
        );
    }
}
