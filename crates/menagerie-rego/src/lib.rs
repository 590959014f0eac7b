//! Judges what Terraform and OpenTofu print as JSON by policies written in Rego, for Open Policy Agent or for conftest.
//!
//! - A [`RegoPolicy`] is the `.rego` files of a directory, in the syntax of OPA 1.0 or of before, with what they say below
//!   `# METADATA`, and files of data. What is wrong with them is told all at once, with file, line and column.
//! - [`RegoPolicy::judge`] takes the same [`Input`] as native rules do, and returns the same findings: waivers, formats and
//!   exit codes do not tell one from the other.
//! - Of a plan only what the rules read is built, and `data.plan` is a ready index of it.
//!
//! It reads no file, prints nothing and has no clock, and no rule can: there is no `http.send`, and `time.now_ns()` is what
//! the caller says. The interpreter is that of `regorus`.
//!
//! ```
//! use std::path::Path;
//!
//! use menagerie_compliance::{Input, PolicyFile};
//! use menagerie_rego::{Options, RegoPolicy};
//!
//! let rule = r#"
//! package main
//!
//! deny contains {"msg": "is public", "address": change.address} if {
//!     some change in input.resource_changes
//!     change.change.after.acl == "public-read"
//! }
//! "#;
//! let files = [PolicyFile { path: Path::new("main.rego"), text: rule }];
//! let policy = RegoPolicy::parse(&files, Options::default())?;
//! let plan = br#"{"format_version": "1.2", "resource_changes": [{
//!     "address": "aws_s3_bucket.logs", "mode": "managed", "type": "aws_s3_bucket", "name": "logs",
//!     "change": {"actions": ["create"], "after": {"acl": "public-read"}, "after_unknown": {}}
//! }]}"#;
//! let evaluation = policy.judge(&Input { plan: Some(plan), ..Input::default() })?;
//! assert_eq!(evaluation.findings[0].address.as_deref(), Some("aws_s3_bucket.logs"));
//! assert_eq!(evaluation.findings[0].message, "is public");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Input`]: menagerie_compliance::Input

mod builtins;
mod data;
mod document;
mod entry;
mod error;
mod graph;
mod index;
mod iteration;
mod judge;
mod metadata;
mod need;
mod negation;
mod policy;
mod reads;
mod rewrite;
mod seed;
mod sensitive;
mod shape;
mod source;
mod walk;

pub use error::{RegoError, RegoErrors};
pub use policy::{Not, Options, RegoPolicy};
