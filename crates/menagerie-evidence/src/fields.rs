//! [`Fields`]: the values of a record while it is put together.

use serde_json::{Map, Value, json};

use crate::{Place, Record};

/// Values by name, and which of them are unknown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    values: Map<String, Value>,
    unknown: Map<String, Value>,
}

impl Fields {
    /// Sets what is known.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Says that a value is not known.
    pub(crate) fn set_unknown(&mut self, name: &str) {
        self.set(name, Value::Null);
        self.unknown.insert(name.to_owned(), Value::Bool(true));
    }

    /// Says that a part of a value is not known.
    pub(crate) fn set_unknown_part(&mut self, name: &str, part: &str) {
        self.unknown.insert(name.to_owned(), json!({ part: true }));
    }

    /// Sets what is known, or says that it is not.
    pub(crate) fn set_if_known(&mut self, name: &str, value: Option<impl Into<Value>>) {
        match value {
            Some(value) => self.set(name, value),
            None => self.set_unknown(name),
        }
    }

    /// Returns the record of them.
    pub(crate) fn into_record(self, kind: &str, address: String, place: Option<Place>) -> Record {
        let unknown =
            if self.unknown.is_empty() { Value::Null } else { Value::Object(self.unknown) };
        Record {
            kind: kind.to_owned(),
            address,
            values: Value::Object(self.values),
            unknown,
            place,
        }
    }
}
