//! `import production`: adopts what was made by hand. It writes `import` blocks and plans; the state is left to an apply.
//!
//! The gate is a plan that shows only imports: then the configuration says what is there, and an apply changes nothing of it.

mod address;
mod arn;
mod list;
mod look_up;
mod plan;

use self::list::Import;
use crate::file::FileError;
use crate::hosting::HostingError;
use crate::kind::{Explain, Kind};
use menagerie_plan::Summary;
use std::path::{Path, PathBuf};

pub use look_up::Tag;
pub use plan::adopt;

/// The root that adopts, as seen from the top of the work tree.
const ROOT: &str = "tf/production";

/// What is to be adopted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    imports: Vec<Import>,
    /// The ARNs of which it is not known what they are to Terraform.
    pub unknown: Vec<String>,
}

/// How it is adopted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdoptOptions {
    /// Files with variables of the root.
    pub variable_files: Vec<PathBuf>,
    /// `KEY=VALUE` or files for the root's backend.
    pub backend_config: Vec<std::ffi::OsString>,
    /// Over a stand-in instead of AWS, in a copy of the tree.
    pub is_rehearsal: bool,
    /// What the stand-in answers; that of the tree where none is given.
    pub fixtures: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Adopted {
    /// How many objects were to be adopted.
    pub wanted: usize,
    /// What the plan says.
    pub summary: Summary,
    /// Where Terraform has put configuration that was missing; in a rehearsal, the text of it.
    pub generated: Option<Generated>,
}

/// Configuration that Terraform has written for addresses that had none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generated {
    /// The file.
    File(PathBuf),
    /// What would be in it.
    Text(String),
}

impl Adoption {
    /// Reads a file of lines `ADDRESS = "ID"`.
    pub fn read(file: &Path) -> Result<Self, AdoptionError> {
        let text = std::fs::read_to_string(file).map_err(|source| FileError {
            action: "read",
            path: file.to_owned(),
            source,
        })?;
        let imports = list::parse(&text)
            .map_err(|problems| AdoptionError::List { file: file.to_owned(), problems })?;
        Self { imports, unknown: Vec::new() }.checked(format!("in `{}`", file.display()))
    }

    fn checked(self, place: String) -> Result<Self, AdoptionError> {
        if self.imports.is_empty() { Err(AdoptionError::Nothing(place)) } else { Ok(self) }
    }

    /// Returns how many objects there are.
    pub fn len(&self) -> usize {
        self.imports.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.imports.is_empty()
    }
}

impl Adopted {
    /// Returns whether the plan shows only imports.
    pub fn holds(&self) -> bool {
        let counts = self.summary.counts;
        let others = [
            counts.create,
            counts.update,
            counts.replace,
            counts.destroy,
            counts.moved,
            counts.forget,
        ];
        others.iter().all(|count| *count == 0)
    }
}

/// Nothing could be adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptionError {
    /// The list is wrong.
    #[error("`{}` is not a list of what to import\n{}", file.display(), told(file, problems))]
    List {
        /// The file.
        file: PathBuf,
        /// Lines, and what is wrong with them.
        problems: Vec<(usize, String)>,
    },
    /// There is nothing to adopt.
    #[error("there is nothing to import {0}")]
    Nothing(String),
    /// There is no root to adopt it.
    #[error("there is no root module in `{ROOT}`")]
    NoRoot,
    /// A file of the user's own is where ours would be.
    #[error("`{0}` was not written by `cargo xtask import production`")]
    NotOurs(String),
    /// A tag that can't be looked for.
    #[error("`{0}` is not of the form `KEY=VALUE`")]
    Tag(String),
    /// The `aws` command could not be run, or failed.
    #[error("failed to look for the tag by `{command}`: {message}")]
    LookUp {
        /// The command.
        command: String,
        /// What it said.
        message: String,
    },
    /// Terraform could not be run.
    #[error("failed to run `terraform {command}` in `{ROOT}`")]
    Terraform {
        /// Which command.
        command: &'static str,
        /// What is wrong.
        #[source]
        source: menagerie_terraform::RunError,
    },
    /// Terraform ended with errors.
    #[error("`terraform {command}` failed in `{ROOT}`\n\n{diagnostics}")]
    Failed {
        /// Which command.
        command: &'static str,
        /// Its diagnostics, as a person reads them.
        diagnostics: String,
        /// Whether Terraform has written configuration, which nobody has read yet.
        is_generated: bool,
    },
    /// Another run does the same.
    #[error("another run rehearses an import ({0})")]
    Held(String),
    /// It was interrupted.
    #[error("interrupted before the plan was there")]
    Interrupted,
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The stand-in did not do what it was asked.
    #[error(transparent)]
    Hosting(#[from] HostingError),
}

impl Explain for AdoptionError {
    fn kind(&self) -> Kind {
        match self {
            Self::List { .. } | Self::Nothing(_) => Kind::Invalid,
            Self::NotOurs(_) => Kind::Refused,
            Self::Held(_) => Kind::Locked,
            Self::Interrupted => Kind::Interrupted,
            _ => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::List { .. } | Self::Nothing(_) => {
                "a line is `ADDRESS = \"ID\"`, such as `module.vpc.aws_vpc.this = \"vpc-0a1b\"`; docs/importing.md says which id a type wants"
            }
            Self::NoRoot => "its configuration comes first: docs/importing.md says how",
            Self::NotOurs(_) => "move what is in it elsewhere, or remove it",
            Self::LookUp { .. } => {
                "is the AWS CLI installed, and are you signed in? `--ids FILE` needs neither"
            }
            Self::Failed { is_generated: true, .. } => {
                "Terraform writes every attribute into `generated.tf`, also those that exclude one another: take out what should not be there, and run it again"
            }
            Self::Held(_) => "try again when it has ended",
            Self::Interrupted => "nothing but files was written; run it again",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn told(file: &Path, problems: &[(usize, String)]) -> String {
    let lines =
        problems.iter().map(|(line, problem)| format!("  {}:{line}: {problem}", file.display()));
    lines.collect::<Vec<_>>().join("\n")
}
