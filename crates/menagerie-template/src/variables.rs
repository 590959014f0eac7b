//! [`Root`] → the variables that templates have.

use std::collections::BTreeMap;

use jiff::Timestamp;
use menagerie_config::{
    Cidr, DatabaseEngine, Domain, Endpoint, Hosting, ImageReference, KmsKey, Observability,
    Platform, Project, Region, SecretReference, Settings, Size,
};
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
    /// Whose it is, and when; what is made in a cloud is tagged with it.
    pub tags: Tags<'a>,
    /// What it has otherwise than the others.
    pub settings: &'a Settings,
    /// What all environments of the project have.
    pub project: &'a Project,
}

/// What the resources of an environment are tagged with, besides its name and hosting.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tags<'a> {
    /// Who answers for it.
    pub owner: &'a str,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it is no longer wanted.
    pub expires: Timestamp,
    /// The repository that it was made from, such as `acme/web`.
    pub repository: &'a str,
}

impl Tags<'_> {
    /// Returns the tags of an environment, each with a value that AWS takes for one.
    fn all(&self, name: &EnvName, hosting: Hosting) -> BTreeMap<&'static str, String> {
        [
            ("environment", name.to_string()),
            ("owner", tag(self.owner)),
            ("managed-by", "menagerie".to_owned()),
            ("created-at", tag(&self.created.to_string())),
            ("expires-at", tag(&self.expires.to_string())),
            ("hosting", hosting.to_string()),
            ("repository", tag(self.repository)),
        ]
        .into()
    }
}

/// Returns a text with what no tag can hold replaced: letters, digits, spaces and `+-=._:/@` may stand in one, 256 at most
/// ("Tag naming limits and requirements" in the guide to tagging AWS resources).
fn tag(text: &str) -> String {
    let is_right =
        |character: char| character.is_ascii_alphanumeric() || " +-=._:/@".contains(character);
    let shown = text.chars().map(|character| if is_right(character) { character } else { '_' });
    shown.take(256).collect::<String>().trim().to_owned()
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
    ("tags", "map of texts"),
    ("aws_region", "text or none"),
    ("state_bucket", "text or none"),
    ("state_region", "text or none"),
    ("state_kms_key_id", "text or none"),
    ("observability", "text"),
    ("collector_image", "text or none"),
    ("telemetry_endpoint", "text or none"),
    ("telemetry_secret", "text or none"),
    ("ingress_cidrs", "list of texts"),
    ("public", "boolean"),
    ("domain", "map of texts or none"),
];

impl Root<'_> {
    pub(crate) fn context(&self) -> Context {
        let Self { name, hosting, size, tags, settings, project } = self;
        let Platform { aws, backend, ingress, telemetry } = &project.platform;
        let backend = backend.as_ref();
        let observability = settings.observability.or(telemetry.backend);
        let observability = if hosting.is_cloud() {
            observability.unwrap_or(Observability::Cloudwatch).as_str()
        } else {
            hosting.as_str()
        };
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
            tags => &tags.all(name, *hosting),
            aws_region => &aws.region.as_ref().map(Region::as_str),
            state_bucket => &backend.map(|backend| backend.bucket.as_str()),
            state_region => &backend
                .and_then(|backend| backend.region.as_ref())
                .or(aws.region.as_ref())
                .map(Region::as_str),
            state_kms_key_id => &backend
                .and_then(|backend| backend.kms_key_id.as_ref())
                .map(KmsKey::as_str),
            observability => observability,
            collector_image => &telemetry.collector_image.as_ref().map(ImageReference::as_str),
            telemetry_endpoint => &telemetry.endpoint.as_ref().map(Endpoint::as_str),
            telemetry_secret => &telemetry.secret.as_ref().map(SecretReference::as_str),
            ingress_cidrs => &ingress.cidrs.iter().map(Cidr::as_str).collect::<Vec<_>>(),
            public => &ingress.public,
            domain => &ingress.domain.as_ref().map(|domain| domain_of(name, domain)),
        }
    }
}

/// Returns the host name of an environment, with what is needed to give it that.
fn domain_of(name: &EnvName, domain: &Domain) -> BTreeMap<&'static str, String> {
    let Domain { name: parent, zone_id, certificate_arn } = domain;
    [
        ("name", format!("{name}.{parent}")),
        ("zone_id", zone_id.to_string()),
        ("certificate_arn", certificate_arn.to_string()),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(tag(text), expected);
    }

    #[test]
    fn values_of_tags() {
        check("ada@example.com", "ada@example.com");
        check("Ada \"${x}\" Lovelace", "Ada ___x__ Lovelace");
        check("team/web ", "team/web");
        check("漢字\n", "___");
        check(&"a".repeat(300), &"a".repeat(256));
    }
}
