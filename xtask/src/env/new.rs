//! `env new`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use menagerie_config::{Hosting, Owner, Size};
use menagerie_lifecycle::Draft;
use menagerie_naming::EnvName;
use serde::Serialize;

use crate::env::creation::Creation;
use crate::env::facts::{VERSION, relative};
use crate::env::name;
use crate::expiry;
use crate::output::{self, Format, Terminal};
use crate::session;

/// Create an environment's directory, `tf/envs/NAME`, and run nothing
///
/// The directory is a Terraform root module that may be edited before `env up NAME`.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The environment [default: a pet name that was never used]
    #[arg(value_parser = name::parse)]
    name: Option<EnvName>,

    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    creation: Creation,
}

#[derive(Serialize)]
struct Drafted<'a> {
    version: u32,
    name: &'a EnvName,
    path: Cow<'a, str>,
    owner: &'a Owner,
    created: Timestamp,
    expires: Timestamp,
    hosting: Hosting,
    size: Size,
    /// Whether it exists now; false for `--dry-run`.
    written: bool,
    files: Vec<String>,
}

impl New {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let now = Timestamp::now();
        let request = self.creation.request(self.name, &repository)?;
        if self.dry_run {
            let draft = menagerie_lifecycle::draft(&repository, &request, now)?;
            return print_draft(&draft, self.format, repository.root(), now);
        }
        let draft = menagerie_lifecycle::create(&repository, &request, now)?;
        match self.format {
            Format::Json => output::print_json(&created(&draft, true))?,
            Format::Text => output::print(&render(&draft, repository.root(), now))?,
        }
        let name = &draft.environment.name;
        output::say(&format!(
            "created `{}`; nothing runs yet",
            relative(&draft.directory, repository.root())
        ));
        let next = if draft.environment.hosting.is_cloud() {
            format!(
                "`cargo xtask env plan {name} --rehearse` shows what it would make, with no account"
            )
        } else {
            format!("`cargo xtask env up {name}` starts it")
        };
        terminal.next(&format!("edit it if you like, then {next}"));
        Ok(())
    }
}

/// Prints what would be created, for `--dry-run` here and of `env up`.
pub(crate) fn print_draft(
    draft: &Draft,
    format: Format,
    root: &Path,
    now: Timestamp,
) -> anyhow::Result<()> {
    match format {
        Format::Json => output::print_json(&created(draft, false))?,
        Format::Text => output::print(&(render(draft, root, now) + &render_files(draft, root)))?,
    }
    output::say("nothing was written, and the name is not taken");
    Ok(())
}

fn created(draft: &Draft, written: bool) -> Drafted<'_> {
    let environment = &draft.environment;
    Drafted {
        version: VERSION,
        name: &environment.name,
        path: draft.directory.to_string_lossy(),
        owner: &environment.owner,
        created: environment.created,
        expires: environment.expires,
        hosting: environment.hosting,
        size: environment.size,
        written,
        files: draft
            .files
            .iter()
            .map(|file| draft.directory.join(&file.path).display().to_string())
            .collect(),
    }
}

fn render(draft: &Draft, root: &Path, now: Timestamp) -> String {
    let environment = &draft.environment;
    output::rows(&[
        ("name", environment.name.to_string()),
        ("owner", environment.owner.to_string()),
        ("expires", expiry::absolute(environment.expires, now)),
        ("hosting", environment.hosting.to_string()),
        ("size", environment.size.to_string()),
        ("path", relative(&draft.directory, root)),
    ])
}

fn render_files(draft: &Draft, root: &Path) -> String {
    let mut text = String::new();
    for file in &draft.files {
        let path = relative(&draft.directory.join(&file.path), root);
        write!(text, "\n==> {path} <==\n{}", file.text).expect("writing to a string can't fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::facts::tests::{ROOT, deployed, now};

    fn draft() -> Draft {
        let entry = deployed("calm-otter");
        let file = |path: &str, text: &str| menagerie_template::File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        Draft {
            environment: entry.environment.unwrap(),
            directory: entry.directory.unwrap(),
            files: vec![
                file("main.tf", "module \"development\" {}\n"),
                file("env.toml", "name = \"calm-otter\"\n"),
            ],
        }
    }

    #[test]
    fn text() {
        let draft = draft();
        assert_snapshot!(render(&draft, Path::new(ROOT), now()) + &render_files(&draft, Path::new(ROOT)), @r#"
        name     calm-otter
        owner    ada@example.com
        expires  2026-07-24T18:00:00Z (in 8 hours)
        hosting  local
        size     small
        path     tf/envs/calm-otter

        ==> tf/envs/calm-otter/main.tf <==
        module "development" {}

        ==> tf/envs/calm-otter/env.toml <==
        name = "calm-otter"
        "#);
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&created(&draft(), false)), @r#"
        {
          "version": 1,
          "name": "calm-otter",
          "path": "/repository/tf/envs/calm-otter",
          "owner": "ada@example.com",
          "created": "2026-07-24T10:00:00Z",
          "expires": "2026-07-24T18:00:00Z",
          "hosting": "local",
          "size": "small",
          "written": false,
          "files": [
            "/repository/tf/envs/calm-otter/main.tf",
            "/repository/tf/envs/calm-otter/env.toml"
          ]
        }
        "#);
    }
}
