//! [`Settings`]: what one environment has otherwise than the others.

use std::ops::RangeInclusive;

use thiserror::Error;
use toml_edit::{Item, Table, Value, value};

use crate::document::Document;
use crate::keys::{self, Kind};
use crate::{
    DatabaseEngine, HealthCheckPath, HealthCheckPathError, Observability, UnknownChoice,
    VariableError, VariableName, VariableValue, Variables,
};

/// What one environment has otherwise than the others: `[settings]` of `env.toml`, and `--set` of
/// `env new`.
///
/// What is absent is as the project or the template has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How many replicas run: 0 to 20.
    pub desired_count: Option<u32>,
    /// The port of the URL: 1024 to 65535.
    pub port: Option<u16>,
    /// Where the application says that it is ready.
    pub health_check_path: Option<HealthCheckPath>,
    /// How many days logs are kept: 1 to 3653.
    pub log_retention_days: Option<u32>,
    /// The kind of the database.
    pub database_engine: Option<DatabaseEngine>,
    /// What receives its telemetry, where that is not on this machine.
    pub observability: Option<Observability>,
    /// What the application is given besides the project's.
    pub environment: Variables,
}

/// Why something can't be set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingError {
    /// It is not written `KEY=VALUE`. What it is may be a secret, and is not repeated.
    #[error("a setting is written `KEY=VALUE`")]
    Form,
    /// There is no such setting.
    #[error("there is no setting `{}`; {}", .key.escape_debug(), hint(*.meant))]
    UnknownKey {
        /// What was to be set.
        key: String,
        /// What was probably meant.
        meant: Option<&'static str>,
    },
    /// It is no number, or not within its limits.
    #[error("`{key}` is a whole number from {min} to {max}, not `{}`", .value.escape_debug())]
    Number {
        /// What was to be set.
        key: &'static str,
        /// To what.
        value: String,
        /// The least that it can be.
        min: u32,
        /// The most that it can be.
        max: u32,
    },
    /// It is not a path of a URL.
    #[error(transparent)]
    HealthCheckPath(#[from] HealthCheckPathError),
    /// It is none of the words that there are.
    #[error(transparent)]
    Choice(#[from] UnknownChoice),
    /// It is no variable that can be given.
    #[error(transparent)]
    Variable(#[from] VariableError),
}

impl Settings {
    /// Sets what `KEY=VALUE` says; `environment.NAME=VALUE` gives the application a variable.
    pub fn set(&mut self, assignment: &str) -> Result<(), SettingError> {
        let (key, value) = assignment.split_once('=').ok_or(SettingError::Form)?;
        self.assign(key, value)
    }

    fn assign(&mut self, key: &str, value: &str) -> Result<(), SettingError> {
        match key {
            "desired_count" => self.desired_count = Some(number("desired_count", value, 0..=20)?),
            "port" => self.port = Some(number("port", value, 1024..=65535)?),
            "health_check_path" => self.health_check_path = Some(value.parse()?),
            "log_retention_days" => {
                self.log_retention_days = Some(number("log_retention_days", value, 1..=3653)?);
            }
            "database_engine" => self.database_engine = Some(value.parse()?),
            "observability" => self.observability = Some(value.parse()?),
            _ => {
                let name = key.strip_prefix("environment.").ok_or_else(|| unknown(key))?;
                self.environment
                    .insert(name.parse::<VariableName>()?, value.parse::<VariableValue>()?);
            }
        }
        Ok(())
    }

    /// Reads `[settings]`, each value through the check that `--set` has.
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let mut settings = Self::default();
        for (key, kind) in keys::settings() {
            let path = format!("settings.{key}");
            match kind {
                keys::INTEGER => {
                    document.integer(&path, |number| {
                        settings.assign(key, &number.to_string()).map_err(|error| error.to_string())
                    });
                }
                Kind::Map => settings.environment = document.map(&path),
                _ => {
                    if let Some(text) = document.string::<String>(&path)
                        && let Err(error) = settings.assign(key, &text)
                    {
                        document.refuse(&path, error.to_string());
                    }
                }
            }
        }
        settings
    }

    /// Returns `[settings]` with what is set.
    pub(crate) fn to_table(&self) -> Table {
        let mut table = Table::new();
        let mut put = |key: &str, text: Option<Value>| {
            if let Some(set) = text {
                table.insert(key, Item::Value(set));
            }
        };
        put("desired_count", self.desired_count.map(|count| i64::from(count).into()));
        put("port", self.port.map(|port| i64::from(port).into()));
        put("health_check_path", self.health_check_path.as_ref().map(|path| path.as_str().into()));
        put("log_retention_days", self.log_retention_days.map(|days| i64::from(days).into()));
        put("database_engine", self.database_engine.map(|engine| engine.as_str().into()));
        put("observability", self.observability.map(|backend| backend.as_str().into()));
        if !self.environment.is_empty() {
            let variables =
                self.environment.iter().map(|(name, text)| (name.as_str(), value(text.as_str())));
            table.insert("environment", Item::Table(variables.collect()));
        }
        table
    }
}

fn number<T: TryFrom<u32>>(
    key: &'static str,
    value: &str,
    limits: RangeInclusive<u32>,
) -> Result<T, SettingError> {
    let number = value.parse().ok().filter(|number| limits.contains(number));
    number.and_then(|number| number.try_into().ok()).ok_or_else(|| SettingError::Number {
        key,
        value: value.to_owned(),
        min: *limits.start(),
        max: *limits.end(),
    })
}

fn unknown(key: &str) -> SettingError {
    let word = key.split('.').next().unwrap_or(key);
    SettingError::UnknownKey {
        key: key.to_owned(),
        meant: keys::nearest(word, keys::settings().map(|(key, _)| key)),
    }
}

fn hint(meant: Option<&'static str>) -> String {
    let written = |key| if key == "environment" { "environment.NAME" } else { key };
    if let Some(key) = meant {
        return format!("did you mean `{}`?", written(key));
    }
    let all = keys::settings().map(|(key, _)| format!("`{}`", written(key)));
    format!("there is {}", all.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(assignment: &str, expected: Result<&str, &str>) {
        let mut settings = Settings::default();
        let actual = settings.set(assignment).map(|()| settings.to_table().to_string());
        assert_eq!(
            actual.map_err(|error| error.to_string()),
            expected.map(str::to_owned).map_err(str::to_owned)
        );
    }

    #[test]
    fn settings() {
        check("desired_count=0", Ok("desired_count = 0\n"));
        check("port=1024", Ok("port = 1024\n"));
        check("port=65535", Ok("port = 65535\n"));
        check("health_check_path=/readyz", Ok("health_check_path = \"/readyz\"\n"));
        check("log_retention_days=3653", Ok("log_retention_days = 3653\n"));
        check("observability=datadog", Ok("observability = \"datadog\"\n"));
        check("database_engine=sqlite", Ok("database_engine = \"sqlite\"\n"));
    }

    #[track_caller]
    fn check_variable(assignment: &str, name: &str, expected: &str) {
        let mut settings = Settings::default();
        settings.set(assignment).unwrap();
        let variables =
            settings.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(variables.collect::<Vec<_>>(), [(name, expected)]);
    }

    #[test]
    fn variables() {
        check_variable("environment.LOG_LEVEL=debug", "LOG_LEVEL", "debug");
        check_variable("environment.EMPTY=", "EMPTY", "");
        check_variable("environment.QUERY=a=b=${c}\n", "QUERY", "a=b=${c}\n");
    }

    #[test]
    fn the_last_one_counts() {
        let mut settings = Settings::default();
        for assignment in ["port=2000", "port=3000", "environment.A=1", "environment.A=2"] {
            settings.set(assignment).unwrap();
        }
        assert_eq!(settings.port, Some(3000));
        assert_eq!(settings.environment.into_values().collect::<Vec<_>>(), ["2".parse().unwrap()]);
    }

    #[test]
    fn a_refused_one_changes_nothing() {
        let mut settings = Settings::default();
        settings.set("port=2000").unwrap();
        settings.set("port=80").unwrap_err();
        assert_eq!(settings.port, Some(2000));
    }

    #[test]
    fn forms() {
        check("port", Err("a setting is written `KEY=VALUE`"));
        check("", Err("a setting is written `KEY=VALUE`"));
    }

    #[test]
    fn unknown_settings() {
        check("prot=1", Err("there is no setting `prot`; did you mean `port`?"));
        check(
            "desired-count=1",
            Err("there is no setting `desired-count`; did you mean `desired_count`?"),
        );
        check(
            "environment=x",
            Err("there is no setting `environment`; did you mean `environment.NAME`?"),
        );
        check(
            "enviroment.A=x",
            Err("there is no setting `enviroment.A`; did you mean `environment.NAME`?"),
        );
        check(
            "=1",
            Err("there is no setting ``; there is `desired_count`, `port`, `health_check_path`, \
                 `log_retention_days`, `database_engine`, `observability`, `environment.NAME`"),
        );
    }

    #[test]
    fn numbers() {
        check("desired_count=21", Err("`desired_count` is a whole number from 0 to 20, not `21`"));
        check("desired_count=-1", Err("`desired_count` is a whole number from 0 to 20, not `-1`"));
        check("port=80", Err("`port` is a whole number from 1024 to 65535, not `80`"));
        check("port=65536", Err("`port` is a whole number from 1024 to 65535, not `65536`"));
        check(
            "log_retention_days=0",
            Err("`log_retention_days` is a whole number from 1 to 3653, not `0`"),
        );
        check("port=8080\n", Err(r"`port` is a whole number from 1024 to 65535, not `8080\n`"));
    }

    #[test]
    fn other_values() {
        check("health_check_path=readyz", Err("a health check path starts with `/`"));
        check(
            "database_engine=mysql",
            Err("there is no database engine `mysql`; there is `postgres`, `sqlite`"),
        );
        check(
            "observability=local",
            Err(
                "there is no backend of observability `local`; there is `cloudwatch`, `datadog`, `newrelic`, `elk`, `tick`",
            ),
        );
        check("environment.PORT=1", Err("`PORT` is set by the hosting, so it can't be given"));
        check("environment.A=\0", Err("the value of a variable can't hold a zero byte"));
    }

    proptest! {
        #[test]
        fn setting_never_panics(text in "\\PC*|[a-z_]{0,9}(\\.[A-Z]{0,3})?=\\PC*") {
            let _ = Settings::default().set(&text);
        }
    }
}
