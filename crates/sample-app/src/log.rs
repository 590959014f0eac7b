//! One JSON object a line on standard output.

use std::io::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::settings::Level;

/// Writes lines that all carry the environment's name.
#[derive(Clone)]
pub(crate) struct Log {
    environment: Arc<str>,
    least: Level,
}

impl Log {
    pub(crate) fn new(environment: &str, least: Level) -> Self {
        Self { environment: environment.into(), least }
    }

    /// Writes a line with these fields, which are an object.
    pub(crate) fn line(&self, level: Level, message: &str, fields: Value) {
        if level < self.least {
            return;
        }
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), Timestamp::now().to_string().into());
        line.insert("level".to_owned(), level.as_str().into());
        line.insert("environment".to_owned(), self.environment.as_ref().into());
        line.insert("message".to_owned(), message.into());
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
        // A log that nobody reads any more is no reason to stop serving.
        let _ = writeln!(std::io::stdout().lock(), "{}", Value::Object(line));
    }
}
