//! `pages`.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;
use menagerie_report::index;

use crate::policy::PolicyArgs;
use crate::problem::Problem;
use crate::{exit, output};

/// Write a page of Markdown for each rule, and one that lists them
#[derive(Debug, Args)]
pub(crate) struct Pages {
    /// The directory to write them to
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    #[command(flatten)]
    policy: PolicyArgs,
}

impl Pages {
    pub(crate) fn run(self) -> Result<(), Problem> {
        let rules = self.policy.read()?;
        let failed = |error: io::Error| {
            let message = format!("failed to write to `{}`", self.directory.display());
            Problem::new(exit::FAILED, message).cause(error)
        };
        let abouts = rules.abouts();
        fs::create_dir_all(&self.directory).map_err(failed)?;
        for about in &abouts {
            let path = self.directory.join(format!("{}.md", about.id));
            fs::write(path, rules.describe(about).page()).map_err(failed)?;
        }
        fs::write(self.directory.join("README.md"), index(&abouts)).map_err(failed)?;
        output::say(&format!("wrote {} pages to `{}`", abouts.len() + 1, self.directory.display()));
        Ok(())
    }
}
