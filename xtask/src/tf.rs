//! `cargo xtask tf …`: one module per subcommand.

mod docs;
mod test;

use clap::Subcommand;

use crate::output::Terminal;

/// The subcommands of `tf`.
#[derive(Debug, Subcommand)]
pub(crate) enum Tf {
    Docs(docs::Docs),
    Test(test::Test),
}

impl Tf {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        match self {
            Self::Docs(docs) => docs.run(),
            Self::Test(test) => test.run(terminal),
        }
    }
}
