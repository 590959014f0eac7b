//! One JSON object a line on standard output.

use std::io::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::settings::Level;

/// Joins an error and its causes, but for those that the one above already says: sqlx repeats them.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said {
        said if said.is_empty() => cause,
        said if said.ends_with(&cause) => said,
        said => format!("{said}: {cause}"),
    })
}

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

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let refused = std::io::Error::other("refused");
        let error = anyhow!(sqlx::Error::Io(refused)).context("failed to connect");
        let told = "failed to connect: error communicating with database: refused";
        assert_eq!(chain(&error), told);
        assert_eq!(
            chain(&anyhow!("first").context("second").context("third")),
            "third: second: first"
        );
    }
}
