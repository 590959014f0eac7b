//! [`Root`] → the variables that templates have.

use std::collections::BTreeMap;

use menagerie_config::{DatabaseEngine, Hosting, Project, Settings, Size};
use menagerie_naming::EnvName;
use tera::{Context, context};

use crate::size::Replica;

/// How many days logs are kept, where the settings do not say.
const LOG_RETENTION_DAYS: u32 = 7;

/// What an environment is meant to be.
#[derive(Clone, Copy, Debug)]
pub struct Root<'a> {
    /// Its name.
    pub name: &'a EnvName,
    /// Where it runs.
    pub hosting: Hosting,
    /// How much it gets.
    pub size: Size,
    /// What it has otherwise than the others.
    pub settings: &'a Settings,
    /// What all environments of the project have.
    pub project: &'a Project,
}

/// The variables of templates with their types, as `docs/templates.md` describes them.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("name", "text"),
    ("hosting", "text"),
    ("size", "text"),
    ("cpu", "number"),
    ("memory", "number"),
    ("desired_count", "number"),
    ("port", "number or none"),
    ("health_check_path", "text"),
    ("log_retention_days", "number"),
    ("database_engine", "text or none"),
    ("environment", "map of texts"),
];

impl Root<'_> {
    pub(crate) fn context(&self) -> Context {
        let Self { name, hosting, size, settings, project } = self;
        let replica = Replica::of(*size);
        let engine = settings.database_engine.or(project.database.engine);
        let health_check_path =
            settings.health_check_path.as_ref().unwrap_or(&project.application.health_check_path);
        // The environment's own variables come last, so they win.
        let environment: BTreeMap<&str, &str> =
            [&project.application.environment, &settings.environment]
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
        context! {
            name => name.as_str(),
            hosting => hosting.as_str(),
            size => size.as_str(),
            cpu => &replica.cpu,
            memory => &replica.memory,
            desired_count => &settings.desired_count.unwrap_or(replica.desired_count),
            port => &settings.port,
            health_check_path => health_check_path.as_str(),
            log_retention_days => &settings.log_retention_days.unwrap_or(LOG_RETENTION_DAYS),
            database_engine => &engine.map(DatabaseEngine::as_str),
            environment => &environment,
        }
    }
}
