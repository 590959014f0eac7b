//! Reads, validates and edits the two files of a repository with environments.
//!
//! - [`Project`] is `menagerie.toml`, at the repository's root: how the application is built and
//!   run, and the defaults and limits of new environments.
//! - [`Environment`] is `tf/envs/<name>/env.toml`: what one environment is meant to be. What it
//!   *is* never stands there.
//!
//! A file is right as a whole or it is refused with **all** its problems at once, each with its
//! line, its column and the line itself ([`ConfigErrors`]). A value has a type that cannot hold a
//! wrong one ([`Ttl`], [`Owner`], [`Hosting`], …). This crate decides nothing: it does not know
//! what the values are for.
//!
//! Every key is described in `docs/configuration.md`, which a test holds against the code.
//!
//! ```
//! use std::path::Path;
//!
//! use menagerie_config::Project;
//!
//! let text = r#"
//! [application]
//! run = ["target/debug/sample-app"]
//!
//! [environment]
//! ttl = "90m"
//! hostin = "local"
//! "#;
//! let errors = Project::parse(text, Path::new("menagerie.toml")).unwrap_err();
//! assert_eq!(errors.to_string(), "\
//! menagerie.toml:7:1: unknown key `environment.hostin`
//!   |
//! 7 | hostin = \"local\"
//!   | ^^^^^^
//!   = hint: did you mean `hosting`?");
//! ```

mod choice;
mod cloud;
mod command_line;
mod document;
pub mod edit;
mod environment;
mod errors;
mod health_check_path;
mod keys;
mod owner;
mod platform;
mod project;
mod settings;
mod template;
mod test;
mod ttl;
mod variables;

pub use choice::{DatabaseEngine, Hosting, Method, Observability, Size, UnknownChoice};
pub use cloud::{
    BucketName, Cidr, CloudValueError, Endpoint, HostName, Identifier, ImageReference, KmsKey,
    Region, SecretReference,
};
pub use command_line::{CommandLine, CommandLineError};
pub use environment::{Environment, WrongDirectory};
pub use errors::{ConfigErrors, Problem, ReadError};
pub use health_check_path::{HealthCheckPath, HealthCheckPathError};
pub use owner::{Owner, OwnerError};
pub use platform::{Aws, Domain, Ingress, MissingPlatform, Platform, S3Backend, Telemetry};
pub use project::{Application, Database, Defaults, MissingRun, Project};
pub use settings::{SettingError, Settings};
pub use template::{Checksum, ChecksumError, Template};
pub use test::{
    HeaderError, HeaderName, HeaderValue, RequestPath, RequestPathError, TestRequest, Tests,
    Timeout, TimeoutError,
};
pub use ttl::{Ttl, TtlError};
pub use variables::{VariableError, VariableName, VariableValue, Variables};
