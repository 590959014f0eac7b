//! What is judged beside a plan, as [`Record`]s: the files of a repository, read without running or fetching anything.
//!
//! - [`Files`] is where texts come from: [`WorkTree`] is a directory, and never leads out of it; [`Texts`] is memory.
//! - [`Configuration`] is the `.tf` files and lock files, each parsed once.
//! - [`Locator`] finds the line that a resource of a plan comes from, and who sets the value that is found there.
//! - [`read_pipeline`] reads workflows, actions and code owners, and what GitHub answered about branches.
//! - [`read_application`] reads lock files and Dockerfiles.
//! - [`read_inventory`] reads the environments that are wanted, and who answers for them.
//! - What could not be read is an [`Unreadable`], with file, line and column; the rest is still read.
//!
//! It decides nothing: `menagerie-compliance` judges the records as it judges the resources of a plan.
//!
//! ```
//! use menagerie_evidence::{Configuration, Texts};
//!
//! let production = "module \"database\" {\n  source = \"../modules/rds\"\n  public = true\n}\n";
//! let rds = "resource \"aws_db_instance\" \"this\" {\n  publicly_accessible = var.public\n}\n";
//! let files: Texts =
//!     [("tf/production/main.tf", production), ("tf/modules/rds/main.tf", rds)].into_iter().collect();
//!
//! let configuration = Configuration::read(&files, "tf");
//! assert!(configuration.records().iter().any(|record| record.address == "tf/production:module.database"));
//!
//! let locator = configuration.locator("tf/production", &files);
//! let location = locator
//!     .locate("module.database.aws_db_instance.this", Some("publicly_accessible"))
//!     .ok_or("there is a root module")?;
//! assert_eq!((location.primary.file.as_str(), location.primary.line), ("tf/modules/rds/main.tf", 2));
//! let (place, words) = &location.related[0];
//! assert_eq!((place.file.as_str(), place.line), ("tf/production/main.tf", 3));
//! assert_eq!(words, "`public` is set here");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
