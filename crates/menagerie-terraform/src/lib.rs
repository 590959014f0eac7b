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
//! - Many root modules share unpacked providers in a [`Mirror`], and run at once in a [`Pool`].
//!
//! This shows what an apply of a root module would do, wherever it comes from:
//!
//! ```
//! use menagerie_plan::Summary;
//! use menagerie_terraform::{
//!     Cancel, Ended, InitOptions, Notice, PlanOptions, Search, Terraform, Workdir, closed_environment,
//! };
//! use std::{error::Error, path::Path};
//!
//! fn preview(directory: &Path, scratch: &Path) -> Result<String, Box<dyn Error>> {
//!     let environment = closed_environment(std::env::vars_os());
//!     let terraform = Terraform::discover(&Search { explicit: None, environment: environment.clone() })?;
//!     let workdir = Workdir::new(directory, scratch, environment);
//!     let (init, plan) = (InitOptions::default(), PlanOptions::default());
//!     let mut notices = |notice: Notice<'_>| {
//!         if let Notice::Event(event) = notice {
//!             eprintln!("{}", event.message());
//!         }
//!     };
//!     // Whoever handles Ctrl-C keeps a clone, and calls `interrupt` on it.
//!     let cancel = Cancel::default();
//!     Ok(match workdir.preview(&terraform, &init, &plan, &mut notices, &cancel)? {
//!         Ended::Done(plan) => Summary::of(&plan).to_string(),
//!         other => format!("not planned: {other}"),
//!     })
//! }
//! # let root = tempfile::tempdir()?;
//! # let scratch = tempfile::tempdir()?;
//! # std::fs::write(root.path().join("main.tf"), "resource \"terraform_data\" \"web\" {}\n")?;
//! # match preview(root.path(), scratch.path()) {
//! #     Ok(text) => assert!(text.ends_with("Plan: 1 to create"), "{text}"),
//! #     // Where there is no Terraform the example is only compiled.
//! #     Err(error) => assert!(error.downcast_ref().is_some_and(|error| matches!(error, menagerie_terraform::DiscoverError::NotFound))),
//! # }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Commands
//!
//! For each there is a pure function that returns its arguments, and a method of [`Workdir`] that runs it.
//!
//! | commands | gives |
//! |---|---|
//! | `init` ([when needed](Workdir::init_if_needed)), `validate`, `plan`, `show`, `apply`, `destroy`, `output` | whether there are changes; the plan, the state, the outputs, the diagnostics as types of `menagerie_plan` |
//! | [`fmt`](Workdir::format), [`graph`](Workdir::graph), [`test`](Workdir::test) | files and differences; DOT; each `run` block, and what could not be destroyed |
//! | [`state list`](Workdir::state_list), [`show`](Workdir::state_show), [`mv`](Workdir::state_move), [`rm`](Workdir::state_remove), [`pull`](Workdir::state_pull), [`push`](Workdir::state_push), [`import`](Workdir::import), [`force-unlock`](Workdir::force_unlock) | addresses; a whole state that is not shown by accident |
//! | [`workspace list`](Workdir::workspaces), [`show`](Workdir::workspace_show), [`new`](Workdir::workspace_new), [`delete`](Workdir::workspace_delete) | names, compared as a whole; there is no `select`, see [`Workdir::workspace`] |
//! | [`providers lock`](Workdir::providers_lock), [`mirror`](Workdir::providers_mirror), [`schema`](Workdir::providers_schema) | the lock file; packages; JSON |
//!
//! What may hold secrets (`show`, `output`, `state show`, `state pull`) is read from a file that has no name any more; only where
//! Terraform could write the state nowhere and prints it, it is in the output of that run, for its owner to read. What
//! changes resources or the state is never killed unless a limit or the user says so: see [`Limits`].
//!
//! # When it fails
//!
//! Each way in which a command ends is a value of [`Ended`]; an `Err` means that it could not be run or not be understood.
//!
//! - **For a reason that passes**, [`retry()`] repeats what only reads, by the table of [`Transient`]. An apply is never repeated as it was: [`Workdir::apply_replanning`] plans again, says how the new plan
//!   follows from the one that was shown ([`Relation`]), and applies it only where the caller agrees.
//! - **Because the backend did not take the state**, Terraform leaves `errored.tfstate` in the root module.
//!   [`Workdir::rescue`] puts it aside, where nothing overwrites it, and pushes it if it follows the state that the backend has;
//!   [`RescueOutcome`] says what it found. Nothing is pushed by force.
//! - **Because its parent died**, it goes on, and [`Journal::unfinished`] finds it.
//!
//! # Terraform and OpenTofu
//!
//! Both from 1.11 on. Terraform 1.11.4 is what the tests run; of OpenTofu no copy could be had for them, so a script plays it
//! where the two differ, by its documentation.
//!
//! | | Terraform | OpenTofu | here |
//! |---|---|---|---|
//! | program | `terraform` | `tofu` | told by the name of the executable; the first that the `PATH` has, Terraform before OpenTofu |
//! | the version in events | field `terraform` | field `tofu` | both are read |
//! | files | `.tf` | `.tofu` too, which takes the place of a `.tf` of the same name | a change of either makes `init` run |
//! | host of `hashicorp/aws` and the like | `registry.terraform.io` | `registry.opentofu.org` | the keys of [`Workdir::reattach_providers`] are the caller's: with a host of their own they are the same for both |
//! | settings | `TF_…`, `.terraformrc` | `TF_…` too, `.tofurc` or else `.terraformrc` | only `TF_CLI_CONFIG_FILE` passes |
//! | encrypted state and plans | no | in `terraform { encryption { … } }` or `TF_ENCRYPTION` | the variable is in the closed environment only if the caller puts it there; `state pull` is in clear with both; an encrypted `errored.tfstate` is put aside and not pushed |
//! | `plan -exclude` | no | yes | [`PlanOptions::excludes`] is refused for Terraform |
//! | `test -junit-xml` | yes | no (opentofu/opentofu#2501) | [`TestOptions::junit_xml`] is refused for OpenTofu |
//! | `test -parallelism` | from 1.12 | no | [`TestOptions::parallelism`] is refused elsewhere |
//! | `providers mirror -lock-file` | yes | not documented | [`ProvidersMirrorOptions::ignore_lock_file`] is refused for OpenTofu |
//! | `init -json` | yes | yes | lines that are no JSON (hashicorp/terraform#37911) are [`menagerie_plan::Event::Text`] |
//! | `-json-into` | no | from 1.12 | not used: one way for both |
//! | `applyable`, `complete` in a plan | yes | absent | see [`menagerie_plan::Plan::is_applyable`] |
//! | the first apply of a new state in `pg` | locks the states of the whole database | locks its own (from 1.10) | [`Workdir::state_push`] of an empty state beforehand avoids it |
//!
//! # What it does not do
//!
//! It does not know what an environment is, keeps no state of its own, reads no environment variable, and prints nothing. It
//! downloads no Terraform, talks to no cloud and to no HCP Terraform, asks nobody anything, and does not run on Windows.

mod arguments;
mod cancel;
mod child;
mod discover;
mod ended;
mod environment;
mod execute;
mod files;
mod gate;
mod initialise;
mod installation;
mod journal;
mod mirror;
mod parallel;
mod process;
mod reapply;
mod rescue;
mod retry;
mod said;
mod tail;
mod tested;
mod variables;
mod version;
mod version_cache;
mod workdir;

pub use arguments::{
    ApplyOptions, DestroyOptions, FormatMode, FormatOptions, GraphKind, GraphOptions,
    ImportOptions, InitOptions, Limits, LockOptions, PlanMode, PlanOptions, ProvidersLockOptions,
    ProvidersMirrorOptions, StateListOptions, StateMoveOptions, StatePushOptions,
    StateRemoveOptions, TestOptions, WorkspaceDeleteOptions, WorkspaceNewOptions, apply_arguments,
    destroy_arguments, force_unlock_arguments, format_arguments, graph_arguments, import_arguments,
    init_arguments, output_arguments, plan_arguments, providers_lock_arguments,
    providers_mirror_arguments, providers_schema_arguments, show_arguments, state_list_arguments,
    state_move_arguments, state_pull_arguments, state_push_arguments, state_remove_arguments,
    state_show_arguments, test_arguments, validate_arguments, version_arguments,
    workspace_delete_arguments, workspace_list_arguments, workspace_new_arguments,
    workspace_show_arguments,
};
pub use cancel::Cancel;
pub use discover::{DiscoverError, Search, Terraform};
pub use ended::{ApplyDone, Ended, Failure, LockInfo, PlanDone};
pub use environment::closed_environment;
pub use execute::{Notice, RunError};
pub use gate::Unsupported;
pub use installation::installation;
pub use journal::{Journal, JournalError, RunRecord};
/// Its types are in what this crate returns.
pub use menagerie_plan;
pub use mirror::{FillOptions, Filled, Mirror, MirrorError, PackageSource};
pub use parallel::{Job, JobEnd, Load, Pool, WhenOneFails, default_limit};
pub use reapply::{Decision, Reapplied, Reapply, Relation, Replanned};
pub use rescue::{Rescue, RescueOptions, RescueOutcome};
pub use retry::{Cause, RetryOptions, Transient, retry};
pub use tested::TestDone;
pub use variables::write_variables;
pub use version::{Flavour, Version};
pub use workdir::{Formatted, StateSnapshot, Workdir, Workspaces};
