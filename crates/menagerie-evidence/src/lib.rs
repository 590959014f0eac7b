//! What is judged beside a plan, as [`Record`]s: the files of a repository, read without running or fetching anything.
//!
//! - [`Files`] is where texts come from: [`WorkTree`] is a directory, and never leads out of it; [`Texts`] is memory.
//! - [`read_pipeline`] reads workflows, actions and code owners, and what GitHub answered about branches.
//! - [`read_application`] reads lock files and Dockerfiles.
//! - [`read_inventory`] reads the environments that are wanted, and who answers for them.
//! - What could not be read is an [`Unreadable`], with file, line and column; the rest is still read.
//!
//! It decides nothing: `menagerie-compliance` judges the records as it judges the resources of a plan.

mod application;
mod fields;
mod files;
mod hcl;
mod image;
mod inventory;
mod locator;
mod pipeline;
mod text;
mod tree;
mod unreadable;
mod yaml;

pub use application::read_application;
pub use files::{Entry, Files, Texts, WorkTree};
pub use hcl::Configuration;
pub use inventory::read_inventory;
pub use locator::Locator;
pub use menagerie_compliance::{Location, Place, Record};
pub use pipeline::{
    GithubAnswers, GithubAnswersError, PipelineOptions, read_pipeline, unknown_of_branches,
};
pub use unreadable::{Evidence, Unreadable};
