//! `comply pages`.

use std::path::PathBuf;

use clap::Args;

use super::policy::PolicyArgs;
use super::program::Call;
use crate::output::Color;

/// Write a page of Markdown for each rule, and one that lists them
#[derive(Debug, Args)]
pub(super) struct Pages {
    /// The directory to write them to
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    #[command(flatten)]
    policy: PolicyArgs,
}

impl Pages {
    pub(super) fn run(self, color: Color) -> anyhow::Result<()> {
        let mut call = Call::new("pages");
        self.policy.tell(&mut call)?;
        call.words([self.directory]);
        call.make(color)
    }
}
