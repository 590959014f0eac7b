//! What is judged, as values of the interpreter.

use menagerie_compliance::{Input, InputError, Record, Source};
use regorus::Value;
use serde_json::json;

use crate::index::index;
use crate::need::Need;
use crate::seed;

/// What rules see as `input` and below `data`.
pub(crate) struct Document {
    pub(crate) input: Value,
    pub(crate) data: Value,
    /// Production's plan or state; undefined where no rule reads it.
    pub(crate) production: Value,
}

impl Document {
    /// Builds what is needed of it; the index of the plan only if any rule reads it.
    pub(crate) fn of(
        input: &Input<'_>,
        need: &Need,
        has_index: bool,
        has_production: bool,
    ) -> Result<Self, InputError> {
        let plan = match input.plan {
            Some(json) => seed::read(json, need)?,
            None => Value::Undefined,
        };
        let production = match input.production.filter(|_| has_production) {
            Some(json) => {
                read_production(json).map_err(|error| InputError::Production(error.to_string()))?
            }
            None => Value::Undefined,
        };
        let mut data = Value::new_object();
        let fields = data.as_object_mut().expect("it was made as one");
        for source in Source::ALL {
            if let Some(records) = input.records(source) {
                fields.insert(Value::from(source.as_str()), kinds(records));
            }
        }
        if has_index && plan != Value::Undefined {
            fields.insert(Value::from(Source::Plan.as_str()), index(&plan));
        }
        if production != Value::Undefined {
            fields.insert(Value::from("production"), index(&production));
        }
        Ok(Self { input: plan, data, production })
    }
}

/// Reads production's plan or state, once it is seen to be one.
fn read_production(json: &[u8]) -> Result<Value, InputError> {
    menagerie_compliance::judge(&[], &Input { plan: Some(json), ..Input::default() })?;
    seed::read(json, &Need::all())
}

/// Returns records by their kinds.
fn kinds(records: &[Record]) -> Value {
    let mut kinds = serde_json::Map::new();
    for record in records {
        let mut value = record.values.clone();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("address".to_owned(), json!(record.address));
            if let Some(place) = &record.place {
                fields.insert("file".to_owned(), json!(place.file));
                fields.insert("line".to_owned(), json!(place.line));
            }
        }
        let list = kinds.entry(record.kind.clone()).or_insert_with(|| json!([]));
        list.as_array_mut().expect("it was made as one").push(value);
    }
    Value::from(serde_json::Value::Object(kinds))
}
