//! The resource types, and what they have in common: schemas, diagnostics, the shape of a change.

pub(crate) mod collector;
pub(crate) mod database;
pub(crate) mod service;

use crate::{
    client::{Client, Kind},
    control::Fault,
    process::Identity,
    value::{Object, Value, attribute},
    wire::{self, AttributePath, Diagnostic, Step},
};
use std::sync::atomic::AtomicBool;

/// A resource type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resource {
    Service,
    Database,
    Collector,
}

/// An attribute of a resource type.
#[derive(Debug)]
pub(crate) struct Attribute {
    name: &'static str,
    /// As JSON.
    r#type: &'static str,
    presence: Presence,
    description: &'static str,
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Presence {
    Required,
    Optional,
    /// The user, else the provider.
    Either,
    Computed,
}

/// On whose behalf something is applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    /// The Terraform process.
    pub(crate) process: Option<&'a Identity>,
    /// Set when it wants to stop, or has gone.
    pub(crate) cancelled: &'a AtomicBool,
}

/// A change that Terraform plans.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) config: Object,
    pub(crate) prior: Option<Object>,
    /// The configuration, with prior values where it says nothing and the provider may.
    pub(crate) proposed: Object,
}

/// What is planned.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) object: Object,
    /// Attributes whose change replaces the resource.
    pub(crate) replaces: Vec<&'static str>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// The outcome of an apply: the state as it is now, also where it failed.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) state: Option<Object>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Resource {
    pub(crate) const ALL: [Self; 3] = [Self::Service, Self::Database, Self::Collector];

    pub(crate) fn parse(type_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.type_name() == type_name)
    }

    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Service => "menagerie_service",
            Self::Database => "menagerie_database",
            Self::Collector => "menagerie_collector",
        }
    }

    fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::Service => service::ATTRIBUTES,
            Self::Database => database::ATTRIBUTES,
            Self::Collector => collector::ATTRIBUTES,
        }
    }

    pub(crate) fn schema(self) -> wire::Schema {
        let description = match self {
            Self::Service => service::DESCRIPTION,
            Self::Database => database::DESCRIPTION,
            Self::Collector => collector::DESCRIPTION,
        };
        let attributes = self.attributes().iter().map(Attribute::to_wire).collect();
        let block = wire::Block {
            attributes,
            description: description.to_owned(),
            ..wire::Block::default()
        };
        wire::Schema { version: 0, block: Some(block) }
    }

    pub(crate) fn has_attribute(self, name: &str) -> bool {
        self.attributes().iter().any(|attribute| attribute.name == name)
    }

    /// Checks a configuration; what is unknown yet passes.
    pub(crate) fn validate(self, config: &Object) -> Vec<Diagnostic> {
        match self {
            Self::Service => service::validate(config),
            Self::Database => database::validate(config),
            Self::Collector => collector::validate(config),
        }
    }

    /// Plans a create or an update; it looks at nothing that runs.
    pub(crate) fn plan(self, client: &Client, change: Change) -> Planned {
        match self {
            Self::Service => service::plan(client, change),
            Self::Database => database::plan(client, change),
            Self::Collector => collector::plan(client, change),
        }
    }

    /// Creates or updates.
    pub(crate) fn put(
        self,
        client: &Client,
        planned: &Object,
        prior: Option<&Object>,
        caller: Caller<'_>,
    ) -> Applied {
        if prior.is_none()
            && let Ok(name) = name_of(planned)
            && !client.claim(caller.process, self.kind(), &name)
        {
            let summary = format!("two resources are the {} `{name}`", self.noun());
            let detail = "one of them was created in this run already: give the other another name";
            return Applied {
                state: None,
                diagnostics: vec![attribute_error("name", &summary, detail)],
            };
        }
        match self {
            Self::Service => service::put(client, planned, prior, caller.cancelled),
            Self::Database => database::put(client, planned, prior, caller.cancelled),
            Self::Collector => collector::put(client, planned, prior, caller.cancelled),
        }
    }

    /// Destroys; the state stays where that fails.
    pub(crate) fn remove(self, client: &Client, prior: Object, caller: Caller<'_>) -> Applied {
        let removed = name_of(&prior).and_then(|name| {
            client.remove(self.kind(), &name)?;
            client.release(caller.process, self.kind(), &name);
            Ok(())
        });
        match removed {
            Ok(()) => Applied::default(),
            Err(fault) => {
                let summary =
                    format!("failed to remove the {} `{}`", self.noun(), text(&prior, "name"));
                Applied { state: Some(prior), diagnostics: vec![error_of(&summary, &fault, "")] }
            }
        }
    }

    /// Returns what is really there; `None` when even the record is gone.
    pub(crate) fn read(
        self,
        client: &Client,
        state: &Object,
    ) -> Result<Option<Object>, Diagnostic> {
        let read = name_of(state).and_then(|name| {
            client.await_removal(self.kind(), &name).map_err(|error| Fault::new(&error))?;
            match self {
                Self::Service => service::read(client, &name, Some(state)),
                Self::Database => database::read(client, &name),
                Self::Collector => collector::read(client, &name),
            }
        });
        read.map_err(|fault| {
            error_of(
                &format!("failed to read the {} `{}`", self.noun(), text(state, "name")),
                &fault,
                "",
            )
        })
    }

    /// Returns what a name stands for, so that Terraform adopts it.
    pub(crate) fn import(self, client: &Client, id: &str) -> Result<Object, Diagnostic> {
        let state = Object::from([("name".to_owned(), Value::from(id))]);
        let hint = format!(
            "the name of a {} that runs here is expected, in `{}`",
            self.noun(),
            client.layout.directory().display()
        );
        match self.read(client, &state)? {
            Some(found) => Ok(found),
            None => Err(error(&format!("there is no {} `{id}`", self.noun()), &hint)),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Service => Kind::Service,
            Self::Database => Kind::Database,
            Self::Collector => Kind::Collector,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Database => "database",
            Self::Collector => "collector",
        }
    }

    /// Fills an object up, so that every attribute is there.
    pub(crate) fn complete(self, mut object: Object) -> Object {
        for attribute in self.attributes() {
            object.entry(attribute.name.to_owned()).or_insert(Value::Null);
        }
        object
    }
}

impl Attribute {
    const fn new(
        name: &'static str,
        r#type: &'static str,
        presence: Presence,
        description: &'static str,
    ) -> Self {
        Self { name, r#type, presence, description }
    }

    fn to_wire(&self) -> wire::Attribute {
        wire::Attribute {
            name: self.name.to_owned(),
            r#type: self.r#type.as_bytes().to_vec(),
            description: self.description.to_owned(),
            required: self.presence == Presence::Required,
            optional: matches!(self.presence, Presence::Optional | Presence::Either),
            computed: matches!(self.presence, Presence::Either | Presence::Computed),
            ..wire::Attribute::default()
        }
    }
}

const STRING: &str = r#""string""#;
const NUMBER: &str = r#""number""#;
const LIST_OF_STRING: &str = r#"["list","string"]"#;
const MAP_OF_STRING: &str = r#"["map","string"]"#;

/// An error about the resource as a whole.
pub(crate) fn error(summary: &str, detail: &str) -> Diagnostic {
    Diagnostic {
        severity: 1,
        summary: summary.to_owned(),
        detail: detail.to_owned(),
        attribute: None,
    }
}

/// An error about one attribute.
fn attribute_error(attribute: &str, summary: &str, detail: &str) -> Diagnostic {
    Diagnostic { attribute: Some(path(attribute)), ..error(summary, detail) }
}

/// Marks the element of a map as the one to blame.
fn at_key(mut diagnostic: Diagnostic, key: &str) -> Diagnostic {
    if let Some(path) = &mut diagnostic.attribute {
        path.steps.push(Step { element_key_string: Some(key.to_owned()), ..Step::default() });
    }
    diagnostic
}

/// Marks the element of a list as the one to blame.
fn at_index(mut diagnostic: Diagnostic, index: usize) -> Diagnostic {
    if let Some(path) = &mut diagnostic.attribute {
        path.steps.push(Step { element_key_int: i64::try_from(index).ok(), ..Step::default() });
    }
    diagnostic
}

/// An error from the supervisor, with the end of a log below it.
fn error_of(summary: &str, fault: &Fault, log: &str) -> Diagnostic {
    let mut detail = fault.message.clone();
    if let Some(hint) = &fault.hint {
        detail.push_str("\nhint: ");
        detail.push_str(hint);
    }
    if !log.is_empty() {
        detail.push_str("\nthe end of its log:\n");
        detail.push_str(log);
    }
    Diagnostic { attribute: fault.attribute.as_deref().map(path), ..error(summary, &detail) }
}

pub(crate) fn path(attribute: &str) -> AttributePath {
    AttributePath {
        steps: vec![Step { attribute_name: Some(attribute.to_owned()), ..Step::default() }],
    }
}

fn name_of(object: &Object) -> Result<crate::name::Name, Fault> {
    text(object, "name")
        .parse()
        .map_err(|error: crate::name::NameError| Fault::new(&error).with_attribute("name"))
}

fn text(object: &Object, name: &str) -> String {
    attribute(object, name).as_str().unwrap_or_default().to_owned()
}

fn set(object: &mut Object, name: &str, value: impl Into<Value>) {
    object.insert(name.to_owned(), value.into());
}

fn validate_name(config: &Object, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(name) = attribute(config, "name").as_str()
        && let Err(error) = name.parse::<crate::name::Name>()
    {
        diagnostics.push(attribute_error("name", "invalid name", &error.to_string()));
    }
}

/// Returns the attributes that replace the resource when they differ from what is.
fn replaces(prior: Option<&Object>, planned: &Object, names: &[&'static str]) -> Vec<&'static str> {
    let Some(prior) = prior else { return Vec::new() };
    names
        .iter()
        .copied()
        .filter(|name| attribute(prior, name) != attribute(planned, name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_name_and_described() {
        for resource in Resource::ALL {
            assert_eq!(Resource::parse(resource.type_name()), Some(resource));
            for attribute in resource.attributes() {
                assert!(attribute.description.ends_with('.'), "{}", attribute.name);
                assert!(
                    serde_json::from_str::<serde_json::Value>(attribute.r#type).is_ok(),
                    "{}",
                    attribute.name
                );
            }
        }
        assert_eq!(Resource::parse("menagerie_cat"), None);
    }
}
