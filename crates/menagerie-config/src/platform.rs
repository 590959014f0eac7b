//! [`Platform`]: what `menagerie.toml` says for hostings that are not on this machine.

use thiserror::Error;

use crate::document::Document;
use crate::{
    BucketName, Cidr, Endpoint, HostName, Hosting, Identifier, ImageReference, KmsKey,
    Observability, Region, SecretReference,
};

/// What environments share that do not run on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// `[aws]`.
    pub aws: Aws,
    /// `[backend.s3]`: where their states are.
    pub backend: Option<S3Backend>,
    /// `[ingress]`: who reaches them, and where.
    pub ingress: Ingress,
    /// `[observability]`: what receives their telemetry.
    pub telemetry: Telemetry,
}

/// `[aws]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aws {
    /// The region in which everything is made.
    pub region: Option<Region>,
}

/// `[backend.s3]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Backend {
    /// The bucket of the states.
    pub bucket: BucketName,
    /// Its region; `None` is that of `[aws]`.
    pub region: Option<Region>,
    /// The key that encrypts them; `None` is the bucket's own.
    pub kms_key_id: Option<KmsKey>,
}

/// `[ingress]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingress {
    /// The networks that may reach an application; nobody, where there is none.
    pub cidrs: Vec<Cidr>,
    /// Whether they may hold everyone.
    pub public: bool,
    /// The domain below which each environment has a name; `None` is the platform's own name for it.
    pub domain: Option<Domain>,
}

/// `[ingress.domain]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its name: an environment answers at `<name>.<this>`.
    pub name: HostName,
    /// The hosted zone of Route 53 that holds it.
    pub zone_id: Identifier,
    /// The certificate of ACM for all names below it.
    pub certificate_arn: Identifier,
}

/// `[observability]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// What receives it; `None` is `CloudWatch`.
    pub backend: Option<Observability>,
    /// The collector beside each replica; `None` is the backend's own.
    pub collector_image: Option<ImageReference>,
    /// Where the backend takes it; `None` is what `tf/common` says, else the backend's own default.
    pub endpoint: Option<Endpoint>,
    /// The secret that it is written with; `None` is what `tf/common` says, if it takes one.
    pub secret: Option<SecretReference>,
}

/// `menagerie.toml` does not say what a hosting needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MissingPlatform {
    /// There is no remote backend.
    #[error("the hosting `{0}` keeps its state in S3, but `menagerie.toml` has no `[backend.s3]`")]
    Backend(Hosting),
    /// There is no region.
    #[error("the hosting `{0}` is in a region of AWS, but `menagerie.toml` has no `aws.region`")]
    Region(Hosting),
}

impl Platform {
    /// Refuses what a hosting can't do without.
    pub fn check(&self, hosting: Hosting) -> Result<(), MissingPlatform> {
        if !hosting.is_cloud() {
            return Ok(());
        }
        if self.backend.is_none() {
            return Err(MissingPlatform::Backend(hosting));
        }
        if self.aws.region.is_none() {
            return Err(MissingPlatform::Region(hosting));
        }
        Ok(())
    }

    /// Returns it with stand-ins for what a hosting can't do without: a rehearsal reaches neither bucket nor region.
    #[must_use]
    pub fn with_stand_ins(self) -> Self {
        let stand_in = |text: &str| text.parse().expect("a region");
        let region = self.aws.region.unwrap_or_else(|| stand_in("eu-central-1"));
        let bucket = || "rehearsal".parse().expect("a name of a bucket");
        let backend = self.backend.unwrap_or_else(|| S3Backend {
            bucket: bucket(),
            region: None,
            kms_key_id: None,
        });
        Self { aws: Aws { region: Some(region) }, backend: Some(backend), ..self }
    }

    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        Self {
            aws: Aws { region: document.string("aws.region") },
            backend: backend(document),
            ingress: ingress(document),
            telemetry: Telemetry {
                backend: document.string("observability.backend"),
                collector_image: document.string("observability.collector_image"),
                endpoint: document.secret("observability.endpoint"),
                secret: document.secret("observability.secret"),
            },
        }
    }
}

impl MissingPlatform {
    /// Returns what to write.
    pub fn hint(self) -> String {
        let (lines, hosting) = match self {
            Self::Backend(hosting) => ("[backend.s3]\nbucket = \"YOUR-BUCKET\"", hosting),
            Self::Region(hosting) => ("[aws]\nregion = \"eu-central-1\"", hosting),
        };
        let lines = lines.replace('\n', "\n    ");
        format!(
            "write into `menagerie.toml`\n\n    {lines}\n\n`cargo xtask env rehearse --hosting {hosting}` needs neither that nor an account"
        )
    }
}

fn backend(document: &mut Document<'_>) -> Option<S3Backend> {
    if !document.has("backend.s3") {
        return None;
    }
    document.require("backend.s3.bucket", "\"acme-terraform-state\"");
    let bucket = document.string("backend.s3.bucket");
    let region = document.string("backend.s3.region");
    let kms_key_id = document.string("backend.s3.kms_key_id");
    Some(S3Backend { bucket: bucket?, region, kms_key_id })
}

fn ingress(document: &mut Document<'_>) -> Ingress {
    let public = document.boolean("ingress.public").unwrap_or_default();
    let cidrs: Vec<Cidr> = document.list("ingress.cidrs");
    if !public && cidrs.iter().any(Cidr::is_everyone) {
        document.refuse(
            "ingress.cidrs",
            "everyone may reach environments only where `ingress.public = true` says so".to_owned(),
        );
    }
    Ingress { cidrs, public, domain: domain(document) }
}

fn domain(document: &mut Document<'_>) -> Option<Domain> {
    if !document.has("ingress.domain") {
        return None;
    }
    document.require("ingress.domain.name", "\"preview.example.com\"");
    document.require("ingress.domain.zone_id", "\"Z0123456789ABC\"");
    document.require(
        "ingress.domain.certificate_arn",
        "\"arn:aws:acm:eu-central-1:111122223333:certificate/…\"",
    );
    let name = document.string("ingress.domain.name");
    let zone_id = document.string("ingress.domain.zone_id");
    let certificate_arn = document.string("ingress.domain.certificate_arn");
    Some(Domain { name: name?, zone_id: zone_id?, certificate_arn: certificate_arn? })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::*;
    use crate::Project;

    fn parse(text: &str) -> Result<Platform, String> {
        let project = Project::parse(text, Path::new("menagerie.toml"));
        project.map(|project| project.platform).map_err(|errors| errors.to_string())
    }

    #[test]
    fn what_a_cloud_needs() {
        let platform = Platform::default();
        assert_eq!(platform.check(Hosting::Local), Ok(()));
        let missing = platform.check(Hosting::Ecs).unwrap_err();
        assert_snapshot!(format!("{missing}\n{}", missing.hint()), @r#"
        the hosting `ecs` keeps its state in S3, but `menagerie.toml` has no `[backend.s3]`
        write into `menagerie.toml`

            [backend.s3]
            bucket = "YOUR-BUCKET"

        `cargo xtask env rehearse --hosting ecs` needs neither that nor an account
        "#);
        let platform = parse("backend.s3.bucket = 'acme-state'").unwrap();
        assert_eq!(platform.check(Hosting::Ecs), Err(MissingPlatform::Region(Hosting::Ecs)));
        let platform =
            parse("backend.s3.bucket = 'acme-state'\naws.region = 'eu-central-1'").unwrap();
        assert_eq!(platform.check(Hosting::Ecs), Ok(()));
        assert_eq!(platform.clone().with_stand_ins(), platform);
        assert_eq!(Platform::default().with_stand_ins().check(Hosting::Nomad), Ok(()));
    }

    #[test]
    fn everyone_is_nobody_s_default() {
        assert_eq!(parse("").unwrap().ingress, Ingress::default());
        assert!(parse("ingress = { cidrs = ['0.0.0.0/0'], public = true }").is_ok());
        assert_snapshot!(parse("ingress.cidrs = ['10.0.0.0/8', '::/0', 'x']").unwrap_err(), @r"
        menagerie.toml:1:17: everyone may reach environments only where `ingress.public = true` says so
          |
        1 | ingress.cidrs = ['10.0.0.0/8', '::/0', 'x']
          |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^

        menagerie.toml:1:40: a network is written in CIDR notation, such as `10.0.0.0/8`
          |
        1 | ingress.cidrs = ['10.0.0.0/8', '::/0', 'x']
          |                                        ^^^
        ");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let error =
            parse("observability = { secret = 'hunter2', backend = 'cloudwatch' }").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        assert_snapshot!(error, @"menagerie.toml:1:28: this is a value, not a reference: write the ARN of a secret in Secrets Manager, optionally followed by `:json-key::`");
    }

    #[test]
    fn what_belongs_together() {
        assert_snapshot!(parse("[backend.s3]\nregion = 'x'\n[ingress.domain]\nname = 'a.example.com'\nzone_id = 'Z1'").unwrap_err(), @r#"
        menagerie.toml:1:1: `backend.s3.bucket` is missing
          |
        1 | [backend.s3]
          | ^^^^^^^^^^^^
          = hint: for example `bucket = "acme-terraform-state"`

        menagerie.toml:2:10: a region of AWS is written as `eu-central-1` is
          |
        2 | region = 'x'
          |          ^^^

        menagerie.toml:3:1: `ingress.domain.certificate_arn` is missing
          |
        3 | [ingress.domain]
          | ^^^^^^^^^^^^^^^^
          = hint: for example `certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/…"`
        "#);
    }
}
