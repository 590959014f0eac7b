//! `menagerie_collector`: where an application sends its telemetry.

use super::{
    Applied, Attribute, Change, NUMBER, Planned, Presence, STRING, error_of, name_of, replaces,
    set, text, validate_name,
};
use crate::{
    client::Client,
    control::{Fault, Request},
    name::Name,
    record::{self, CollectorRecord},
    status::{self, Condition},
    value::{Object, Value, attribute},
    wire::Diagnostic,
};
use std::{sync::atomic::AtomicBool, time::Duration};

pub(super) const DESCRIPTION: &str = "The receiving end of OpenTelemetry on this machine, one for an environment: OTLP over HTTP in, files with a line of JSON for each request out. It also notes what the environment's processes use.";

pub(super) const ATTRIBUTES: &[Attribute] = &[
    Attribute::new(
        "name",
        STRING,
        Presence::Required,
        "Name of the collector; another name is another collector.",
    ),
    Attribute::new("id", STRING, Presence::Computed, "The name."),
    Attribute::new(
        "port",
        NUMBER,
        Presence::Computed,
        "Port on 127.0.0.1, the same for as long as the collector lives.",
    ),
    Attribute::new(
        "endpoint",
        STRING,
        Presence::Computed,
        "Base URL, for an application's `OTEL_EXPORTER_OTLP_ENDPOINT`; the protocol is `http/protobuf` or `http/json`.",
    ),
    Attribute::new(
        "directory",
        STRING,
        Presence::Computed,
        "Directory with `traces.ndjson`, `metrics.ndjson` and `logs.ndjson`; it goes with the collector.",
    ),
    Attribute::new(
        "status",
        STRING,
        Presence::Computed,
        "`running`, `degraded` (its port is another's) or `stopped`.",
    ),
];

const START: Duration = Duration::from_secs(30);

pub(super) fn validate(config: &Object) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    validate_name(config, &mut diagnostics);
    diagnostics
}

pub(super) fn plan(client: &Client, change: Change) -> Planned {
    let Change { prior, proposed: mut object, config: _ } = change;
    let replaces = replaces(prior.as_ref(), &object, &["name"]);
    if prior.is_none() {
        for name in ["port", "endpoint"] {
            set(&mut object, name, Value::Unknown);
        }
    }
    let name = attribute(&object, "name").clone();
    set(&mut object, "id", name);
    set(&mut object, "directory", directory(client));
    set(&mut object, "status", Condition::Running.as_str());
    Planned { object, replaces, diagnostics: Vec::new() }
}

pub(super) fn put(
    client: &Client,
    planned: &Object,
    prior: Option<&Object>,
    cancelled: &AtomicBool,
) -> Applied {
    let summary = format!("the collector `{}` does not run", text(planned, "name"));
    let failed =
        |fault: &Fault, state| Applied { state, diagnostics: vec![error_of(&summary, fault, "")] };
    let name = match name_of(planned) {
        Ok(name) => name,
        Err(fault) => return failed(&fault, prior.cloned()),
    };
    // Known in an update: another port would not be what was planned.
    let port = attribute(planned, "port").as_whole().and_then(|port| u16::try_from(port).ok());
    let waited = client
        .put(&Request::PutCollector { name: name.clone(), port })
        .and_then(|()| client.wait(&Request::CollectorProgress(name.clone()), START, cancelled));
    match (waited, read(client, &name)) {
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
    let record = record::read::<CollectorRecord>(&client.layout.collector())
        .map_err(|error| Fault::new(&error))?;
    let Some(record) = record.filter(|record| record.name == *name) else { return Ok(None) };
    let found = client.status()?.collector.filter(|_| !record.removing);
    let status = found.map_or(Condition::Stopped, |collector| collector.status);
    Ok(Some(Object::from([
        ("id".to_owned(), name.as_str().into()),
        ("name".to_owned(), name.as_str().into()),
        ("port".to_owned(), record.port.into()),
        ("endpoint".to_owned(), status::url(record.port).into()),
        ("directory".to_owned(), directory(client)),
        ("status".to_owned(), status.as_str().into()),
    ])))
}

fn directory(client: &Client) -> Value {
    client.layout.telemetry().to_string_lossy().into_owned().into()
}
