//! Runs Terraform or OpenTofu on a root module: typed commands in, typed endings out, events while it runs.
//!
//! - Its output goes to files that only their owner may read, and is tailed from there: whoever reads it may die, Terraform
//!   does not (a broken pipe kills it and loses what it has not written yet, hashicorp/terraform#31911).
//! - It runs in a process group of its own, so that one [`Cancel`] is one signal: it then finishes what is in flight, writes
//!   the state and releases the lock. A second one is passed on only when the user insists, and is announced as
//!   [`Notice::AtRisk`].
//! - Its environment is closed ([`closed_environment`]): no `TF_CLI_ARGS`, `TF_WORKSPACE` or `TF_VAR_…` of the parent changes
//!   what a command means.
//! - Each run is written to a [`Journal`] before it starts, so that the next run finds a Terraform that outlived its parent.
//! - `init` runs only when something that it depends on has changed.
//!
//! It does not know what an environment is, keeps no state of its own, reads no environment variable, and prints nothing.
//!
//! This plans a root module and shows what would be done:
//!
//! ```
//! use menagerie_plan::Summary;
//! use menagerie_terraform::{
//!     Cancel, Ended, InitOptions, Notice, PlanOptions, Search, Terraform, Workdir, closed_environment,
//! };
//!
//! fn plan(directory: &std::path::Path, scratch: &std::path::Path) -> Result<String, Box<dyn std::error::Error>> {
//!     let environment = closed_environment(std::env::vars_os());
//!     let terraform = Terraform::discover(&Search { explicit: None, environment: environment.clone() })?;
//!     let workdir = Workdir {
//!         directory: directory.to_owned(),
//!         data_directory: scratch.join("data"),
//!         runs_directory: scratch.to_owned(),
//!         environment,
//!         reattach_providers: None,
//!         journal: None,
//!     };
//!     let (mut notices, cancel) = (|_: Notice<'_>| (), Cancel::default());
//!     let out = scratch.join("plan.tfplan");
//!     let options = PlanOptions { out: Some(out.clone()), ..PlanOptions::default() };
//!     let init = InitOptions::default();
//!     let planned = workdir.plan_with_init(&terraform, &init, &options, &mut notices, &cancel)?;
//!     let shown = planned.and_then(|_| workdir.show_plan(&terraform, &out, &mut notices, &cancel))?;
//!     Ok(match shown {
//!         Ended::Done(plan) => Summary::of(&plan).to_string(),
//!         other => format!("not planned: {other}"),
//!     })
//! }
//! # let root = tempfile::tempdir()?;
//! # let scratch = tempfile::tempdir()?;
//! # std::fs::write(root.path().join("main.tf"), "resource \"terraform_data\" \"web\" {}\n")?;
//! # match plan(root.path(), scratch.path()) {
//! #     Ok(text) => assert!(text.ends_with("Plan: 1 to create"), "{text}"),
//! #     // Where there is no Terraform the example is only compiled.
//! #     Err(error) => assert!(error.downcast_ref().is_some_and(|error| matches!(error, menagerie_terraform::DiscoverError::NotFound))),
//! # }
//! # Ok::<(), std::io::Error>(())
//! ```

mod arguments;
mod cancel;
mod child;
mod discover;
mod ended;
mod environment;
mod execute;
mod files;
mod initialise;
mod installation;
mod journal;
mod process;
mod tail;
mod variables;
mod version;
mod version_cache;
mod workdir;

pub use arguments::{
    ApplyOptions, DestroyOptions, InitOptions, Limits, LockOptions, PlanMode, PlanOptions,
    apply_arguments, destroy_arguments, init_arguments, output_arguments, plan_arguments,
    show_arguments, validate_arguments, version_arguments,
};
pub use cancel::Cancel;
pub use discover::{DiscoverError, Search, Terraform};
pub use ended::{ApplyDone, Ended, Failure, LockInfo, PlanDone};
pub use environment::closed_environment;
pub use execute::{Notice, RunError};
pub use installation::installation;
pub use journal::{Journal, JournalError, RunRecord};
pub use variables::write_variables;
pub use version::{Flavour, Version};
pub use workdir::Workdir;
