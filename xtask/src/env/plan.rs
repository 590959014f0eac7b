//! `env plan`.

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{Planned, Repository, Source};
use menagerie_naming::EnvName;
use menagerie_plan::{ChangeKind, Counts, Digest, OutputSummary, ResourceSummary, Summary};
use serde::Serialize;

use crate::env::facts::VERSION;
use crate::env::name;
use crate::env::rehearsed::{self, Stand};
use crate::output::{self, Format, Terminal};
use crate::report::Problem;
use crate::session::{self, Verbosity};

/// Show what an apply would do, and keep the plan for `env apply`
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Plan over a stand-in for the cloud, with no account and no credentials, and as if nothing were there
    #[arg(long)]
    rehearse: bool,

    /// Rehearse what changes from how the environment is at this commit
    #[arg(long, value_name = "REF", requires = "rehearse")]
    from: Option<String>,

    #[command(flatten)]
    stand: Stand,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,
}

/// A plan, with nothing sensitive in it: no values at all.
#[derive(Serialize)]
struct ShownPlan<'a> {
    version: u32,
    name: &'a EnvName,
    /// What `env apply --digest` takes.
    digest: Digest,
    /// `directory` or `bundle`: where the root module came from.
    source: &'static str,
    has_changes: bool,
    counts: ShownCounts,
    resources: Vec<ShownResource<'a>>,
    outputs: Vec<ShownOutput<'a>>,
    drift: Vec<ShownResource<'a>>,
}

/// How many resources change.
#[derive(Serialize)]
pub(crate) struct ShownCounts {
    create: usize,
    update: usize,
    replace: usize,
    destroy: usize,
    import: usize,
    r#move: usize,
    forget: usize,
    read: usize,
}

/// What happens to one resource.
#[derive(Serialize)]
pub(crate) struct ShownResource<'a> {
    address: &'a str,
    action: ChangeKind,
}

/// What happens to one output.
#[derive(Serialize)]
pub(crate) struct ShownOutput<'a> {
    name: &'a str,
    action: ChangeKind,
}

impl Plan {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        if self.rehearse {
            let played = (self.stand, self.from.as_deref());
            return rehearsed::run(
                terminal,
                &repository,
                &self.name,
                played,
                (self.format, self.verbosity),
            );
        }
        if let Some(option) = self.stand.given() {
            let problem = Problem::usage(format!("`{option}` is for a rehearsal only"));
            return Err(problem.hint("give `--rehearse` too").into());
        }
        run(terminal, &repository, &self.name, self.format, self.verbosity)
    }
}

/// Plans and prints the plan, also for `--dry-run` of `env up` and `env apply`.
pub(crate) fn run(
    terminal: Terminal,
    repository: &Repository,
    name: &EnvName,
    format: Format,
    verbosity: Verbosity,
) -> anyhow::Result<()> {
    // Before Terraform is looked for and the provider built: a typing error is told at once.
    menagerie_lifecycle::find(repository, name, Timestamp::now())?;
    let planned = session::with(terminal, repository, verbosity, |session| {
        Ok(menagerie_lifecycle::plan(session, name)?)
    })?;
    match format {
        Format::Json => output::print_json(&shown(name, &planned))?,
        Format::Text => output::print(&render(&planned))?,
    }
    if planned.summary.is_empty() {
        output::say(&format!("`{name}` is as it should be; there is nothing to apply"));
    } else {
        output::say("nothing was changed yet");
        terminal.next(&format!(
            "`cargo xtask env apply {name} --digest {}` does exactly this",
            planned.digest
        ));
    }
    Ok(())
}

fn render(planned: &Planned) -> String {
    if planned.summary.is_empty() {
        return format!("{}\n", planned.summary);
    }
    format!("{}\nDigest: {}\n", planned.summary, planned.digest)
}

fn shown<'a>(name: &'a EnvName, planned: &'a Planned) -> ShownPlan<'a> {
    let Summary { counts, resources, outputs, drift, .. } = &planned.summary;
    ShownPlan {
        version: VERSION,
        name,
        digest: planned.digest,
        source: match planned.source {
            Source::Directory => "directory",
            Source::Bundle => "bundle",
        },
        has_changes: !planned.summary.is_empty(),
        counts: shown_counts(counts),
        resources: shown_resources(resources),
        outputs: shown_outputs(outputs),
        drift: shown_resources(drift),
    }
}

pub(crate) fn shown_counts(counts: &Counts) -> ShownCounts {
    let Counts { create, update, replace, destroy, import, moved, forget, read, .. } = *counts;
    ShownCounts { create, update, replace, destroy, import, r#move: moved, forget, read }
}

pub(crate) fn shown_outputs(outputs: &[OutputSummary]) -> Vec<ShownOutput<'_>> {
    outputs.iter().map(|output| ShownOutput { name: &output.name, action: output.kind }).collect()
}

pub(crate) fn shown_resources(resources: &[ResourceSummary]) -> Vec<ShownResource<'_>> {
    resources
        .iter()
        .map(|resource| ShownResource { address: &resource.address, action: resource.kind })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::output;

    /// A plan with one update that heals a stopped service.
    pub(crate) fn heals() -> Summary {
        let json = br#"{
            "format_version": "1.2",
            "resource_changes": [{
                "address": "module.application_hosting.menagerie_service.this", "mode": "managed",
                "type": "menagerie_service", "name": "this", "provider_name": "menagerie.local/menagerie/menagerie",
                "change": {"actions": ["update"], "before": {"status": "stopped"}, "after": {"status": "running"}}
            }],
            "output_changes": {"url": {"actions": ["create"], "after": "http://127.0.0.1:40001"}}
        }"#;
        Summary::of(&menagerie_plan::Plan::from_json(json).unwrap())
    }

    fn planned(summary: Summary) -> Planned {
        Planned {
            digest: "0123456789abcdef".repeat(4).parse().unwrap(),
            summary,
            source: Source::Directory,
        }
    }

    #[test]
    fn text() {
        assert_snapshot!(render(&planned(heals())), @r#"
          ~ module.application_hosting.menagerie_service.this
              status: "stopped" → "running"
        Outputs:
          + url: "http://127.0.0.1:40001"
        Plan: 1 to update
        Digest: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        "#);
        let nothing =
            Summary::of(&menagerie_plan::Plan::from_json(br#"{"format_version": "1.2"}"#).unwrap());
        assert_snapshot!(render(&planned(nothing)), @"No changes");
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&shown(&"calm-otter".parse().unwrap(), &planned(heals()))), @r#"
        {
          "version": 1,
          "name": "calm-otter",
          "digest": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
          "source": "directory",
          "has_changes": true,
          "counts": {
            "create": 0,
            "update": 1,
            "replace": 0,
            "destroy": 0,
            "import": 0,
            "move": 0,
            "forget": 0,
            "read": 0
          },
          "resources": [
            {
              "address": "module.application_hosting.menagerie_service.this",
              "action": "update"
            }
          ],
          "outputs": [
            {
              "name": "url",
              "action": "create"
            }
          ],
          "drift": []
        }
        "#);
    }
}
