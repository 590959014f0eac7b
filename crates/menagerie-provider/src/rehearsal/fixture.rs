//! Answers of a user's own: `--fixtures FILE`.

use crate::value::{Object, Value, attribute};
use serde::Deserialize;
use serde_json::Map;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// A file that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FixtureError {
    #[error("failed to read the fixtures `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the fixtures `{}` are not as they should be", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
}

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Fixtures {
    /// Data sources by type.
    data: BTreeMap<String, Vec<Answer>>,
    /// Ephemeral resources by type.
    ephemeral: BTreeMap<String, Vec<Answer>>,
    /// What was made by hand: type, id, attributes.
    import: BTreeMap<String, BTreeMap<String, Map<String, serde_json::Value>>>,
}

/// An answer to those who ask with the same attributes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[serde(default, rename = "match")]
    asked: Map<String, serde_json::Value>,
    result: Map<String, serde_json::Value>,
}

impl Fixtures {
    pub(crate) fn read(path: &Path) -> Result<Self, FixtureError> {
        let bytes = fs::read(path)
            .map_err(|source| FixtureError::Read { path: path.to_owned(), source })?;
        serde_json::from_slice(&bytes)
            .map_err(|source| FixtureError::Json { path: path.to_owned(), source })
    }

    pub(crate) fn data(&self, type_name: &str, config: &Object) -> Option<Object> {
        answer(self.data.get(type_name)?, config)
    }

    pub(crate) fn ephemeral(&self, type_name: &str, config: &Object) -> Option<Object> {
        answer(self.ephemeral.get(type_name)?, config)
    }

    pub(crate) fn import(&self, type_name: &str, id: &str) -> Option<Object> {
        Some(object(self.import.get(type_name)?.get(id)?))
    }
}

/// The first that matches wins.
fn answer(answers: &[Answer], config: &Object) -> Option<Object> {
    let matches = |answer: &&Answer| {
        answer
            .asked
            .iter()
            .all(|(name, value)| *attribute(config, name) == Value::from_json_value(value))
    };
    answers.iter().find(matches).map(|answer| object(&answer.result))
}

fn object(map: &Map<String, serde_json::Value>) -> Object {
    map.iter().map(|(name, value)| (name.clone(), Value::from_json_value(value))).collect()
}
