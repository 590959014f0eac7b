//! The inventory of environments and the operations on it.
//!
//! An environment is a directory `tf/envs/<name>/` (what is wanted), a Terraform state (what exists) and a journal (what was
//! done), see [`list`]. The operations are [`create()`], [`plan()`], [`apply()`], [`status()`] and [`destroy()`]. Each holds the
//! environment for itself, writes down what it is about to do before it does it, and goes on from wherever a run before it
//! was cut short.
//!
//! This crate prints nothing, reads no environment variable and decides no exit code: paths, programs and variables come
//! with [`Session`], and [`Explain`] tells what kind of failure an error is and the way out.
//!
//! ```
//! use menagerie_lifecycle::{Repository, list};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # duct::cmd!("git", "init", "--quiet").dir(directory.path()).run()?;
//! let repository = Repository::open(directory.path())?;
//! for entry in list(&repository, jiff::Timestamp::now())? {
//!     println!("{} {}", entry.name, entry.phase);
//! }
//! # Ok(())
//! # }
//! ```

mod adoption;
mod apply;
mod backup;
mod bundle;
mod check_templates;
mod concurrent;
mod create;
mod destroy;
mod file;
mod git;
mod home;
mod hosting;
mod image;
mod inventory;
mod kind;
mod ledger;
mod lock;
mod logs;
mod milestone;
mod plan;
mod probe;
mod process_group;
mod rehearsal;
mod repair;
mod repository;
mod run;
mod saved_plan;
mod session;
mod status;
mod templates;
mod test;
mod tree_tests;

pub use adoption::{AdoptOptions, Adopted, Adoption, AdoptionError, Generated, Tag, adopt};
pub use apply::{Applied, ApplyOptions, apply};
pub use backup::{RestoreOptions, Restored, back_up, restore};
pub use check_templates::{
    CheckTemplatesError, CheckedTemplates, TemplateProblem, check_templates,
};
pub use create::{CreateError, Draft, Request, create, draft};
pub use destroy::{Certificate, destroy};
pub use file::FileError;
pub use git::{Committed, Git, GitError};
pub use home::{EnvironmentHome, Home};
pub use hosting::{
    Collector, Copied, Database, Ended, HostingError, Replica, Running, Service, Supervisor, Swept,
};
pub use image::ImageError;
pub use inventory::{Entry, InventoryError, Phase, find, list};
pub use kind::{Explain, Kind};
pub use logs::{Follow, Lines, Log, logs};
pub use plan::{PlanDocument, Planned, plan, plan_document};
pub use probe::Health;
pub use rehearsal::{
    Finding, RehearsalError, RehearsalOptions, RehearsedPlan, RehearsedStep, rehearse,
    rehearse_document, rehearse_new_document, rehearse_plan,
};
pub use repair::{Mender, RepairOptions, Repaired, Trouble, look, repair};
pub use repository::{OpenError, Repository};
pub use run::RunError;
pub use session::{Progress, Session, Source, Step};
pub use status::{Status, status};
pub use templates::TemplatesError;
pub use test::{Case, TestError, Tested, Verdict, test};
pub use tree_tests::{
    TestDirectory, TreeRun, TreeSelection, TreeTestError, TreeVerdict, select_tests, test_tree,
};

/// Writes bytes as lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
