//! Small parts of all answers: errors that say REHEARSAL, values in and out, and the mark on a state.

use super::{
    make::{self, NAMES},
    schema::Block,
    shape,
    world::WorldError,
};
use crate::{
    random, report,
    value::{self, Object, Value, attribute},
    wire::{Diagnostic, DynamicValue},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// An answer, or the error that Terraform shows instead.
pub(crate) type Answer<T> = Result<T, Diagnostic>;

/// What Terraform keeps beside a state, and gives back: where in the world it is.
#[derive(Debug, Serialize, Deserialize)]
struct Private {
    rehearsal: String,
}

/// An error that says that nothing of it is real.
pub(crate) fn problem(summary: &str, detail: &str) -> Diagnostic {
    Diagnostic {
        severity: 1,
        summary: format!("REHEARSAL: {summary}"),
        detail: detail.to_owned(),
        attribute: None,
    }
}

pub(crate) fn lost(error: &WorldError) -> Diagnostic {
    problem("the world can't be used", &report::chain(error))
}

pub(crate) fn object(value: Option<&DynamicValue>) -> Answer<Option<Object>> {
    value::object(value).map_err(|error| {
        problem("a value from Terraform is not understood", &report::chain(&error))
    })
}

pub(crate) fn whole(block: &Block, object: &Object, place: &str) -> Answer<Object> {
    shape::conform(block, object).map_err(|path| {
        problem(
            "a value has the wrong type",
            &format!("`{path}` of {place} is not what the schema says"),
        )
    })
}

pub(crate) fn private(key: &str) -> Vec<u8> {
    serde_json::to_vec(&Private { rehearsal: key.to_owned() }).expect("a string is written")
}

/// A state without our mark is of something real: nothing is said about it, above all not that it is gone.
pub(crate) fn key(private: &[u8]) -> Answer<String> {
    serde_json::from_slice(private).map(|private: Private| private.rehearsal).map_err(|_| {
        problem(
            "this state is not of a rehearsal",
            "It was written by a real provider, so that what it names may exist. A rehearsal starts without a state, or with one of its own.",
        )
    })
}

/// Returns what tells one configuration from others, whatever its address.
pub(crate) fn fingerprint(object: &Object) -> String {
    let json = Value::Map(object.clone()).to_json_value().to_string();
    random::hexadecimal(&Sha256::digest(json))
}

/// Returns what a resource is called in the cloud.
pub(crate) fn names(object: &Object) -> Vec<&str> {
    let plain = NAMES.into_iter().chain(["id"]).map(|name| attribute(object, name));
    let tagged = ["metadata.0.name", "tags.Name"].into_iter().map(|path| make::at(object, path));
    plain.chain(tagged).filter_map(Value::as_str).collect()
}

pub(crate) fn called(names: &[&str]) -> String {
    names.first().map(|name| format!(" ({name})")).unwrap_or_default()
}
