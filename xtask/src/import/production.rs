//! `import production`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use menagerie_lifecycle::{AdoptOptions, Adopted, Adoption, Generated, Progress, Tag};
use serde::Serialize;

use crate::env::facts::VERSION;
use crate::output::{self, Format, Terminal};
use crate::report::Problem;
use crate::session::{self, Verbosity};
use crate::{exit, surroundings};

/// Adopt into `tf/production` what was made by hand: write `import` blocks, and plan
///
/// It succeeds where the plan shows only imports: then the configuration says what is there, and an apply changes nothing of
/// it. The state is left alone; the apply is yours. Configuration that is missing is drafted in `tf/production/generated.tf`.
/// docs/importing.md leads through it.
#[derive(Debug, Args)]
pub(crate) struct Production {
    /// Lines `ADDRESS = "ID"` of what to import
    #[arg(long, value_name = "FILE", required_unless_present = "tag")]
    ids: Option<PathBuf>,

    /// Ask the AWS CLI instead for all that carries this tag, in the region of its settings
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "ids")]
    tag: Option<Tag>,

    /// Rehearse it: over a stand-in for AWS, in a copy of the tree, with no account
    #[arg(long)]
    rehearse: bool,

    /// What the stand-in answers instead of `tf/rehearsal.fixtures.json`: docs/rehearsal.md describes the file
    #[arg(long, value_name = "FILE", requires = "rehearse")]
    fixtures: Option<PathBuf>,

    /// Variables of the root module
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,

    /// Settings of the root module's backend: `KEY=VALUE`, or a file
    #[arg(long, value_name = "SETTING", conflicts_with = "rehearse")]
    backend_config: Vec<OsString>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    rehearsal: bool,
    /// Whether the plan shows only imports.
    passed: bool,
    wanted: usize,
    summary: &'a menagerie_plan::Summary,
    generated: Option<String>,
    unknown: &'a [String],
}

impl Production {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let here = surroundings::current_directory()?;
        // Before Terraform is looked for and the provider built: a typing error is told at once.
        let listed = self.ids.as_ref().map(|file| Adoption::read(file)).transpose()?;
        let options = AdoptOptions {
            variable_files: self.var_file.iter().map(|file| here.join(file)).collect(),
            backend_config: self
                .backend_config
                .iter()
                .map(|setting| absolute(setting, &here))
                .collect(),
            is_rehearsal: self.rehearse,
            fixtures: self.fixtures.as_ref().map(|file| here.join(file)),
        };
        let (adoption, adopted) =
            session::with(terminal, &repository, Verbosity::default(), |session| {
                let adoption = match (listed, &self.tag) {
                    (Some(listed), _) => listed,
                    (None, Some(tag)) => Adoption::look_up(tag, &session.variables)?,
                    (None, None) => unreachable!("clap asks for one of them"),
                };
                let noun = if adoption.len() == 1 { "object" } else { "objects" };
                let rehearsal = if self.rehearse { "REHEARSAL: " } else { "" };
                let note = format!("{rehearsal}planning the import of {} {noun}", adoption.len());
                (session.observer)(Progress::Note(&note));
                let adopted = menagerie_lifecycle::adopt(session, &adoption, &options)?;
                Ok((adoption, adopted))
            })?;
        match self.format {
            Format::Json => output::print_json(&report(&adoption, &adopted, self.rehearse))?,
            Format::Text => output::print(&render(&adoption, &adopted, self.rehearse))?,
        }
        conclude(terminal, &adoption, &adopted, self.rehearse)
    }
}

/// Terraform runs in the root module, and a file is named from here.
fn absolute(setting: &OsString, here: &std::path::Path) -> OsString {
    let is_pair = setting.to_str().is_some_and(|setting| setting.contains('='));
    if is_pair { setting.clone() } else { here.join(setting).into_os_string() }
}

fn report<'a>(adoption: &'a Adoption, adopted: &'a Adopted, rehearsal: bool) -> Report<'a> {
    Report {
        version: VERSION,
        rehearsal,
        passed: adopted.holds(),
        wanted: adopted.wanted,
        summary: &adopted.summary,
        generated: adopted.generated.as_ref().map(generated),
        unknown: &adoption.unknown,
    }
}

fn generated(generated: &Generated) -> String {
    match generated {
        Generated::File(path) => path.display().to_string(),
        Generated::Text(text) => text.clone(),
    }
}

fn render(adoption: &Adoption, adopted: &Adopted, rehearsal: bool) -> String {
    let mut parts = Vec::new();
    if rehearsal {
        parts.push("REHEARSAL: nothing of this exists".to_owned());
    }
    parts.push(adopted.summary.to_string().trim_end().to_owned());
    if let Some(Generated::Text(configuration)) = &adopted.generated {
        parts.push("\nTerraform would draft as `generated.tf`:".to_owned());
        parts.push(configuration.trim_end().to_owned());
    }
    if !adoption.unknown.is_empty() {
        parts.push("\nNot known to this command, to be listed for `--ids`:".to_owned());
        parts.extend(adoption.unknown.iter().map(|arn| format!("  {arn}")));
    }
    parts.join("\n") + "\n"
}

/// Says what to do next, and fails where an apply would do more than import.
fn conclude(
    terminal: Terminal,
    adoption: &Adoption,
    adopted: &Adopted,
    rehearsal: bool,
) -> anyhow::Result<()> {
    let imported = adopted.summary.counts.import;
    if let Some(rest) = adopted.wanted.checked_sub(imported).filter(|rest| *rest > 0) {
        terminal.note(&format!("{rest} of them are in the state already"));
    }
    if let Some(Generated::File(path)) = &adopted.generated {
        terminal.note(&format!(
            "wrote `{}`, a draft: read it, clean it, and give it a place",
            path.display()
        ));
    }
    if !adopted.holds() {
        let message =
            "the plan would do more than import: the configuration does not say what is there";
        let message = if rehearsal { format!("REHEARSAL: {message}") } else { message.to_owned() };
        return Err(Problem::new(exit::REFUSED, message)
            .hint("change the configuration until nothing but imports is left; what is there is right")
            .into());
    }
    if !adoption.unknown.is_empty() {
        let message =
            format!("{} of what carries the tag can't be imported by it", adoption.unknown.len());
        return Err(Problem::new(exit::REFUSED, message)
            .hint("list them with their ids in a file for `--ids`, or take their tag away")
            .into());
    }
    output::say("the plan shows only imports");
    if !rehearsal {
        terminal.next("`terraform apply` in `tf/production`, then remove `imports.tf`");
    }
    Ok(())
}
