//! Read-only types for what Terraform and OpenTofu print as JSON: a plan, a state, the answer of `validate`, and the
//! stream of events of `-json`, those of `test` too; the summary of a plan that a person reads; and the digest by which two plans are compared.
//!
//! It runs nothing, reads no file and knows no environment: bytes in, values out. Unknown fields are ignored; a
//! `format_version` of another major is an error, and so is an action that this crate does not know, because a change that
//! is not understood must not pass for none.
//!
//! ```
//! use menagerie_plan::{Plan, Summary, digest};
//!
//! let json = br#"{
//!     "format_version": "1.2",
//!     "terraform_version": "1.11.4",
//!     "resource_changes": [{
//!         "address": "terraform_data.web", "mode": "managed", "type": "terraform_data", "name": "web",
//!         "provider_name": "terraform.io/builtin/terraform",
//!         "change": {
//!             "actions": ["update"],
//!             "before": {"input": {"size": 256, "token": "old"}},
//!             "after": {"input": {"size": 512, "token": "new"}},
//!             "before_sensitive": {"input": {"token": true}},
//!             "after_sensitive": {"input": {"token": true}}
//!         }
//!     }]
//! }"#;
//! let plan = Plan::from_json(json)?;
//! let text = Summary::of(&plan).to_string();
//! assert!(text.contains("input.size: 256 → 512"));
//! assert!(text.contains("input.token: (sensitive) → (sensitive)"));
//! assert_eq!(digest(&plan).to_string().len(), 64);
//! # Ok::<(), menagerie_plan::ParseError>(())
//! ```

mod diagnostic;
mod digest;
mod event;
mod mask;
mod parse;
mod plan;
mod printable;
mod secrets;
mod state;
mod summary;
mod test;
mod validation;

pub use diagnostic::{Diagnostic, Expression, Position, Range, Severity, Snippet};
pub use digest::{Digest, ParseDigestError, digest};
pub use event::{
    ChangeSummary, Event, Hook, Level, Operation, PlannedAction, PlannedChange, PlannedOutput,
    ResourceAddress,
};
pub use parse::ParseError;
pub use plan::{Action, Change, ChangeKind, Importing, Index, Mode, Plan, ResourceChange};
pub use state::{Module, Output, State, StateFile, StateFileResource, StateResource, Values};
pub use summary::{AttributeChange, Counts, OutputSummary, ResourceSummary, Shown, Summary};
pub use test::{
    TestCleanup, TestFile, TestLeftover, TestProgress, TestRun, TestStatus, TestSummary,
};
pub use validation::Validation;
