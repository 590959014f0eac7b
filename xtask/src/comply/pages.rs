//! `comply pages`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use menagerie_report::{index, page};

use super::policy::PolicyArgs;
use crate::output;

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
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let policy = self.policy.read()?;
        let failed = || format!("failed to write to `{}`", self.directory.display());
        fs::create_dir_all(&self.directory).with_context(failed)?;
        for rule in &policy.rules {
            fs::write(self.directory.join(format!("{}.md", rule.about.id)), page(rule))
                .with_context(failed)?;
        }
        fs::write(self.directory.join("README.md"), index(&policy)).with_context(failed)?;
        output::say(&format!(
            "wrote {} pages to `{}`",
            policy.rules.len() + 1,
            self.directory.display()
        ));
        Ok(())
    }
}
