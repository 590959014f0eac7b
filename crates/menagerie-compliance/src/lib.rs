//! Judges what Terraform and OpenTofu print as JSON, a plan or a state, and what stands beside it, by rules that are written in TOML.
//!
//! - A [`Policy`] is the files of a directory: rules, their tests, waivers and settings. What is wrong with them is told all
//!   at once, with line and column.
//! - An [`Input`] is a plan or a state, and [`Record`]s of the HCL sources, the pipeline, the inventory and the application;
//!   any of it may be missing. All are judged by the same rules.
//! - [`evaluate()`] reads the plan once, keeps only what the rules read, and returns [`Finding`]s and what each rule examined.
//! - A value that is known after apply only makes the verdict `unknown`, never a pass.
//! - A [`Waiver`] silences a finding until a day, and only as long as the value stays what it was given for.
//! - [`test_rules`] runs the rules' own tests, and changes what passes to see that it no longer does.
//!
//! It reads no file, prints nothing and has no clock. No value that Terraform marked as sensitive is in a finding or in a
//! fingerprint.
//!
//! ```
//! use std::path::Path;
//!
//! use menagerie_compliance::{Input, Policy, PolicyFile, Verdict, evaluate};
//!
//! let rule = r#"
//! id = "S3-001"
//! title = "Buckets refuse public access lists"
//! severity = "high"
//! rationale = "What is public by accident is the most common leak."
//! remediation = "Set `block_public_acls`."
//!
//! [match]
//! type = "aws_s3_bucket_public_access_block"
//!
//! [[assert]]
//! attribute = "block_public_acls"
//! equals = true
//! "#;
//! let policy = Policy::parse(&[PolicyFile { path: Path::new("S3-001.toml"), text: rule }])?;
//! let plan = br#"{"format_version": "1.2", "resource_changes": [{
//!     "address": "aws_s3_bucket_public_access_block.logs", "mode": "managed",
//!     "type": "aws_s3_bucket_public_access_block", "name": "logs",
//!     "change": {"actions": ["create"], "after": {"block_public_acls": false}, "after_unknown": {}}
//! }]}"#;
//! let input = Input { plan: Some(plan), ..Input::default() };
//! let evaluation = evaluate(&policy, &input, "2026-11-24".parse()?)?;
//! let finding = &evaluation.findings[0];
//! assert_eq!(finding.verdict, Verdict::Fail);
//! assert_eq!(finding.message, "must be `true`, but is `false`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
#[cfg(test)]
mod arbitrary;
mod assertion;
mod case;
mod evaluate;
mod finding;
mod glob;
mod input;
mod mask;
mod mutation;
mod need;
mod parity;
mod path;
mod policy;
mod program;
mod record;
mod rule;
mod severity;
mod table;
mod truth;
mod waiver;

pub use assertion::{Assertion, Count};
pub use case::{Case, CaseFailure, Cases};
pub use evaluate::{Coverage, Evaluation, Judged, WaiverUse, evaluate, judge};
pub use finding::{Finding, Fingerprint, FingerprintError, Verdict};
pub use glob::Glob;
pub use input::{InputError, InputKind};
pub use mutation::{Mutation, RuleTest, Survivor, test_rules};
pub use parity::parity;
pub use path::{AttributePath, PathError};
pub use policy::{Policy, PolicyErrors, PolicyFile, Settings};
pub use program::test_program;
pub use record::{EnvironmentFacts, Input, Location, Place, Record, Source};
pub use rule::{About, OnUnknown, Rule, RuleId, RuleIdError};
pub use severity::{Severity, UnknownSeverity};
pub use waiver::Waiver;
