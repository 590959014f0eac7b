//! `tf docs`.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;

use crate::{binary, output, session};

const PROGRAM: &str = "module_reference";

/// Write a reference page for each module, `docs/tf/`: what it makes, needs, takes and gives
///
/// A test says when a page is out of date.
#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// Write nothing, and fail where a page is out of date
    #[arg(long)]
    check: bool,
}

impl Docs {
    /// Becomes the program that does it, since its parser of HCL would cost every build of xtask seconds.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let root = repository.root();
        output::say(&format!("Building `{PROGRAM}`"));
        let program = binary::build_example("menagerie-template", PROGRAM, root)?;
        Err(binary::become_program(&program, &self.arguments(root)))
    }

    fn arguments(&self, root: &Path) -> Vec<OsString> {
        let mut arguments = vec![root.join("tf").into(), root.join("docs/tf").into()];
        if self.check {
            arguments.push("--check".into());
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_passed_on() {
        let arguments = |check| Docs { check }.arguments(Path::new("/r")).join(" ".as_ref());
        assert_eq!(arguments(false), "/r/tf /r/docs/tf");
        assert_eq!(arguments(true), "/r/tf /r/docs/tf --check");
    }
}
