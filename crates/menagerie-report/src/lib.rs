//! What [`menagerie_compliance`] found, as people and programs read it.
//!
//! - A [`Report`] is what all formats are made from: an evaluation, the rules and waivers that it was made with, and the files
//!   that its findings point at;
//! - [`text()`] is for people, [`json()`] for programs, with a version; [`sarif()`] is for code scanning, [`junit()`] for CI
//!   systems, [`markdown()`] for a comment, [`github()`] for the log of a workflow;
//! - [`tests`] and [`tests_json`] are the same for the tests of rules;
//! - a [`Description`] is what a rule wants, for its page and for whoever asks.
//!
//! It decides no exit code and prints nothing. Names and values come from a plan, which anybody may have written: none of
//! their control characters, Markdown, HTML or commands of a workflow takes effect.
//!
//! ```
//! use menagerie_compliance::{Input, Policy, Severity, evaluate};
//! use menagerie_report::{Judgement, Report, text};
//!
//! let plan = br#"{"format_version": "1.2", "resource_changes": []}"#;
//! let input = Input { plan: Some(plan), ..Input::default() };
//! let policy = Policy::default();
//! let evaluation = evaluate(&policy, &input, "2026-11-24".parse()?)?;
//! let rules: Vec<_> = policy.rules.iter().map(|rule| &rule.about).collect();
//! let report = Report {
//!     judgement: Judgement {
//!         rules: &rules,
//!         waivers: &policy.waivers,
//!         evaluation: &evaluation,
//!         threshold: Severity::Low,
//!     },
//!     head: None,
//!     is_rehearsal: false,
//!     notes: &[],
//!     files: &|_| None,
//! };
//! assert!(text(&report, false).starts_with("0 rules loaded, 0 evaluated"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod coverage;
mod description;
mod github;
mod harmless;
#[cfg(test)]
mod hostile;
mod json;
mod junit;
mod markdown;
mod report;
#[cfg(test)]
mod sample;
mod sarif;
mod test;
mod text;

pub use coverage::coverage;
pub use description::{Description, index};
pub use github::github;
pub use harmless::{plain, plain_lines};
pub use json::json;
pub use junit::junit;
pub use markdown::{COMMENT, markdown};
pub use report::{Judgement, Report};
pub use sarif::sarif;
pub use test::{score, tests, tests_json};
pub use text::text;
