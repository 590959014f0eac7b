//! `pages`.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;
use menagerie_report::{Description, index};

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
        let policy = self.policy.read()?;
        let failed = |error: io::Error| {
            let message = format!("failed to write to `{}`", self.directory.display());
            Problem::new(exit::FAILED, message).cause(error)
        };
        let rules: Vec<_> = policy.rules.iter().map(|rule| &rule.about).collect();
        fs::create_dir_all(&self.directory).map_err(failed)?;
        for rule in &policy.rules {
            let path = self.directory.join(format!("{}.md", rule.about.id));
            fs::write(path, Description::of(rule).page()).map_err(failed)?;
        }
        fs::write(self.directory.join("README.md"), index(&rules)).map_err(failed)?;
        output::say(&format!(
            "wrote {} pages to `{}`",
            policy.rules.len() + 1,
            self.directory.display()
        ));
        Ok(())
    }
}
