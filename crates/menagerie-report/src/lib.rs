//! What [`menagerie_compliance`] found, as people and programs read it.
//!
//! - [`findings`] and [`coverage`] are the text of an evaluation, [`Document`] its JSON with a version;
//! - [`tests`] and [`TestDocument`] are the same for the tests of rules;
//! - [`page()`] and [`index`] are the Markdown pages of rules.
//!
//! It decides no exit code and prints nothing. Names and values come from a plan, which anybody may have written: none of
//! their control characters, Markdown or HTML takes effect.
//!
//! ```
//! use menagerie_compliance::{Input, Policy, evaluate};
//! use menagerie_report::coverage;
//!
//! let plan = br#"{"format_version": "1.2", "resource_changes": []}"#;
//! let input = Input { plan: Some(plan), ..Input::default() };
//! let evaluation = evaluate(&Policy::default(), &input, "2026-11-24".parse()?)?;
//! assert!(coverage(&evaluation).starts_with("0 rules loaded, 0 evaluated"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod harmless;
mod json;
mod page;
mod test;
mod text;

pub use harmless::{plain, plain_lines};
pub use json::Document;
pub use page::{index, page};
pub use test::{TestDocument, score, tests};
pub use text::{coverage, findings, rule};
