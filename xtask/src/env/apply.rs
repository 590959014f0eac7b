//! `env apply`.

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::ApplyOptions;
use menagerie_naming::EnvName;
use menagerie_plan::{Digest, ParseDigestError};

use crate::env::{deployment, name, plan};
use crate::output::{Format, Terminal};
use crate::session::{self, Verbosity};

/// Apply the plan that `env plan` showed, and no other
///
/// Where no plan was shown it plans anew, and refuses to destroy or replace anything without `--yes`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Apply only the plan with this digest
    #[arg(long, value_parser = parse_digest)]
    digest: Option<Digest>,

    /// Consent to a plan that was not shown and destroys or replaces something
    #[arg(long)]
    yes: bool,

    /// Show what would be done, as `env plan` does, and change nothing
    #[arg(long, conflicts_with_all = ["digest", "yes"])]
    dry_run: bool,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

impl Apply {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let name = &self.name;
        if self.dry_run {
            return plan::run(terminal, &repository, name, self.format, self.verbosity);
        }
        menagerie_lifecycle::find(&repository, name, Timestamp::now())?;
        let options = ApplyOptions { digest: self.digest, replace: self.yes };
        let deployed = session::with(terminal, &repository, self.verbosity, |session| {
            deployment::apply(session, name, &options)
        })?;
        deployment::print(terminal, &repository, &deployed, self.format)
    }
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|error: ParseDigestError| {
        format!("{error}\nhint: `cargo xtask env plan NAME` prints it")
    })
}
