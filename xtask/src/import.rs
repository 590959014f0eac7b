//! `cargo xtask import …`: one module per subcommand.

mod production;

use clap::Subcommand;

use crate::output::Terminal;

/// The subcommands of `import`.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    Production(production::Production),
}

impl Import {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        match self {
            Self::Production(production) => production.run(terminal),
        }
    }
}
