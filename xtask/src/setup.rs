//! `setup`: fetches Terraform.

use std::ffi::OsString;

use clap::Args;

use crate::{binary, output, session};

/// Fetch the pinned Terraform, verify its checksum, and use it for this repository
///
/// It goes into the git common directory, where all worktrees find it and no commit does, and is used instead of the one on
/// the PATH. Remove `.git/menagerie/tools` to do without. Its transfer is `curl`'s.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// Fetch this version instead of the pinned one
    #[arg(long, value_name = "VERSION", requires = "sha256")]
    terraform: Option<OsString>,

    /// The SHA-256 of that version's archive for this platform, as its publisher's `SHA256SUMS` has it
    #[arg(long, value_name = "SUM", requires = "terraform")]
    sha256: Option<OsString>,

    /// Fetch it from this mirror of releases.hashicorp.com
    #[arg(long, value_name = "URL")]
    from: Option<OsString>,
}

impl Setup {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        const INSTALLER: &str = "menagerie-installer";
        let repository = session::repository()?;
        output::say(&format!("Building `{INSTALLER}`"));
        let installer = binary::build(INSTALLER, repository.root())?;
        let mut arguments = vec!["--into".into(), repository.home().tools().into()];
        for (option, value) in
            [("--terraform", self.terraform), ("--sha256", self.sha256), ("--from", self.from)]
        {
            arguments.extend(value.into_iter().flat_map(|value| [option.into(), value]));
        }
        Err(binary::become_program(&installer, &arguments))
    }
}
