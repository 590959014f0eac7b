//! `menagerie_database`: PostgreSQL where it is installed, else SQLite.

use super::{
    Applied, Attribute, Change, NUMBER, Planned, Presence, STRING, attribute_error, error_of,
    name_of, replaces, set, text, validate_name,
};
use crate::{
    client::Client,
    control::{Fault, Request},
    name::Name,
    record::{self, DatabaseRecord, Engine},
    secret,
    status::Condition,
    supervisor::{postgres, sqlite},
    value::{Object, Value, attribute},
    wire::Diagnostic,
};
use std::{sync::atomic::AtomicBool, time::Duration};

pub(super) const DESCRIPTION: &str =
    "A database on this machine: a PostgreSQL server of its own, or an SQLite file.";

pub(super) const ATTRIBUTES: &[Attribute] = &[
    Attribute::new(
        "name",
        STRING,
        Presence::Required,
        "Name of the database in its environment; another name is another database.",
    ),
    Attribute::new(
        "engine",
        STRING,
        Presence::Either,
        "`postgres` or `sqlite`; where none is given, `postgres` if its programs are installed.",
    ),
    Attribute::new("id", STRING, Presence::Computed, "The name."),
    Attribute::new(
        "status",
        STRING,
        Presence::Computed,
        "`running`, `degraded` (nobody supervises it) or `stopped`.",
    ),
    Attribute::new("host", STRING, Presence::Computed, "Host of the server; null for SQLite."),
    Attribute::new(
        "port",
        NUMBER,
        Presence::Computed,
        "Port of the server, the same for as long as the database lives; null for SQLite.",
    ),
    Attribute::new(
        "database",
        STRING,
        Presence::Computed,
        "Name of the database in the server, or path of the SQLite file.",
    ),
    Attribute::new(
        "username",
        STRING,
        Presence::Computed,
        "Role that owns the database; null for SQLite.",
    ),
    Attribute::new(
        "connection_secret",
        STRING,
        Presence::Computed,
        "Reference (`file:///…`) to the URL with the password, for a service's `secrets`.",
    ),
];

/// Making a cluster takes half a second, on a machine under load much longer.
const START: Duration = Duration::from_mins(3);

/// What Terraform learns when a server starts.
const LEARNT: [&str; 5] = ["host", "port", "database", "username", "connection_secret"];

pub(super) fn validate(config: &Object) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    validate_name(config, &mut diagnostics);
    if let Some(text) = attribute(config, "engine").as_str()
        && engine(text).is_none()
    {
        let detail = format!("`{text}` is no engine: `postgres` or `sqlite` is expected");
        diagnostics.push(attribute_error("engine", "invalid engine", &detail));
    }
    diagnostics
}

fn engine(text: &str) -> Option<Engine> {
    [Engine::Postgres, Engine::Sqlite].into_iter().find(|engine| engine.as_str() == text)
}

pub(super) fn plan(client: &Client, change: Change) -> Planned {
    let Change { prior, proposed: mut object, config } = change;
    let prior = prior.as_ref();
    let mut diagnostics = Vec::new();
    let installed = || postgres::Binaries::find(&client.environment).is_some();
    // An existing database keeps its engine when the configuration names none.
    if attribute(&object, "engine").is_null() {
        let engine = if installed() { Engine::Postgres } else { Engine::Sqlite };
        set(&mut object, "engine", engine.as_str());
    }
    if prior.is_none() && attribute(&config, "engine").as_str() == Some("postgres") && !installed()
    {
        let detail = "no directory with `postgres` and `initdb` was found\nhint: install PostgreSQL, or set `engine` to `sqlite`";
        diagnostics.push(attribute_error("engine", "PostgreSQL is not installed", detail));
    }
    let replaces = replaces(prior, &object, &["name", "engine"]);
    if prior.is_none() {
        // The secret's path is no secret, but a new file behind it must restart who reads it.
        for name in LEARNT {
            set(&mut object, name, Value::Unknown);
        }
    }
    let name = attribute(&object, "name").clone();
    set(&mut object, "id", name);
    set(&mut object, "status", Condition::Running.as_str());
    Planned { object, replaces, diagnostics }
}

pub(super) fn put(
    client: &Client,
    planned: &Object,
    prior: Option<&Object>,
    cancelled: &AtomicBool,
) -> Applied {
    let summary = format!("the database `{}` does not run", text(planned, "name"));
    let failed =
        |fault: &Fault, state| Applied { state, diagnostics: vec![error_of(&summary, fault, "")] };
    let order = name_of(planned).and_then(|name| {
        let engine = attribute(planned, "engine").as_str().and_then(engine);
        let engine = engine.ok_or_else(|| {
            Fault::text("`postgres` or `sqlite` is expected").with_attribute("engine")
        })?;
        // Known in an update: another port would not be what was planned.
        let port = attribute(planned, "port").as_whole().and_then(|port| u16::try_from(port).ok());
        Ok((name.clone(), Request::PutDatabase { name, engine, port }))
    });
    let (name, order) = match order {
        Ok(order) => order,
        Err(fault) => return failed(&fault, prior.cloned()),
    };
    let waited = client
        .put(&order)
        .and_then(|()| client.wait(&Request::DatabaseProgress(name.clone()), START, cancelled));
    let state = read(client, &name);
    match (waited, state) {
        (Ok(()), Ok(Some(mut state))) => {
            // It was seen to run; what happens a moment later is for the next plan to find.
            set(&mut state, "status", Condition::Running.as_str());
            Applied { state: Some(state), diagnostics: Vec::new() }
        }
        (Ok(()), Ok(None)) => {
            failed(&Fault::text("its record is gone: something else removed it"), None)
        }
        (Err(fault), Ok(state)) => failed(&fault, state),
        (Ok(()) | Err(_), Err(fault)) => failed(&fault, prior.cloned()),
    }
}

pub(super) fn read(client: &Client, name: &Name) -> Result<Option<Object>, Fault> {
    let layout = client.layout.database(name);
    let record =
        record::read::<DatabaseRecord>(&layout.record()).map_err(|error| Fault::new(&error))?;
    let Some(record) = record else { return Ok(None) };
    let found = client.status()?.databases.into_iter().find(|database| database.name == *name);
    let status =
        found.filter(|_| !record.removing).map_or(Condition::Stopped, |database| database.status);
    let server = |value: Value| if record.engine == Engine::Postgres { value } else { Value::Null };
    let database = match record.engine {
        Engine::Postgres => name.as_str().into(),
        Engine::Sqlite => sqlite::path(&record).to_string_lossy().into_owned().into(),
    };
    Ok(Some(Object::from([
        ("id".to_owned(), name.as_str().into()),
        ("name".to_owned(), name.as_str().into()),
        ("engine".to_owned(), record.engine.as_str().into()),
        ("status".to_owned(), status.as_str().into()),
        ("host".to_owned(), server("127.0.0.1".into())),
        ("port".to_owned(), record.port.map_or(Value::Null, Value::from)),
        ("database".to_owned(), database),
        ("username".to_owned(), server(postgres::USERNAME.into())),
        ("connection_secret".to_owned(), secret::reference(&layout.url(&record)).into()),
    ])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: Value, expected: &str) {
        let mut config = Object::from([("name".to_owned(), Value::from("main"))]);
        config.insert(name.to_owned(), value);
        let found: Vec<_> = validate(&config).into_iter().map(|found| found.detail).collect();
        assert_eq!(found.join("; "), expected);
    }

    #[test]
    fn engines_and_names() {
        check("engine", "sqlite".into(), "");
        check("engine", "postgres".into(), "");
        check("engine", Value::Null, "");
        check("engine", Value::Unknown, "");
        check("engine", "mysql".into(), "`mysql` is no engine: `postgres` or `sqlite` is expected");
        check(
            "name",
            "a b".into(),
            "`a b` is no name: lower-case letters, digits and `-`, a letter first, at most 63 characters",
        );
    }
}
