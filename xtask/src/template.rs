//! `cargo xtask template …`: one module per subcommand.

mod check;

use clap::Subcommand;

use crate::output::Terminal;

/// The subcommands of `template`.
#[derive(Debug, Subcommand)]
pub(crate) enum Template {
    Check(check::Check),
}

impl Template {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        match self {
            Self::Check(check) => check.run(terminal),
        }
    }
}
