//! `env plan --rehearse`: the plan over a stand-in, and what all rehearsals are told.

use clap::Args;
use menagerie_config::Hosting;
use menagerie_lifecycle::{RehearsalOptions, RehearsedPlan, Repository};
use menagerie_naming::EnvName;
use menagerie_plan::Summary;
use serde::Serialize;

use crate::env::facts::VERSION;
use crate::env::plan::{
    ShownCounts, ShownOutput, ShownResource, shown_counts, shown_outputs, shown_resources,
};
use crate::output::{self, Format, Terminal};
use crate::session::{self, Verbosity};

/// The page that says what a rehearsal can't know.
pub(crate) const PAGE: &str = "docs/rehearsal.md";

pub(crate) const UNCHECKED: &str = "a rehearsal checks shapes, not what a cloud says itself (names that are taken, quotas, permissions): docs/rehearsal.md";

/// How the stand-in is to play.
#[derive(Debug, Default, Args)]
pub(crate) struct Stand {
    /// Plan with this image [default: a stand-in, which is said]
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,

    /// Let this go wrong, as often as xN says; may be given several times
    ///
    /// The operation is create, read, update or delete. The kind is throttle, denied, quota or timeout, where nothing was
    /// done, or half, where it was done and then came an error: `aws_db_instance:create:throttle`, `aws_lb.this:delete:halfx2`.
    #[arg(long = "rehearse-fault", value_name = "TYPE[.NAME]:OPERATION:KIND[xN]", value_parser = parse_fault)]
    faults: Vec<String>,
}

/// Takes a fault that the stand-in takes too: it would say so only when it is started.
fn parse_fault(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_right = match parts[..] {
        [kind_of, operation, kind] => {
            let (kind, times) = kind.rsplit_once('x').unwrap_or((kind, "1"));
            !kind_of.is_empty()
                && ["create", "read", "update", "delete"].contains(&operation)
                && ["throttle", "denied", "quota", "timeout", "half"].contains(&kind)
                && times.parse::<u32>().is_ok_and(|times| times > 0)
        }
        _ => false,
    };
    is_right.then(|| text.to_owned()).ok_or_else(|| {
        "a fault is a type, an operation (create, read, update or delete) and a kind (throttle, denied, quota, timeout or half)\nhint: for example `aws_db_instance:create:throttle`"
            .to_owned()
    })
}

impl Stand {
    pub(crate) fn options(self) -> RehearsalOptions {
        RehearsalOptions { image: self.image, faults: self.faults }
    }

    /// Returns the first option that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let image = self.image.is_some().then_some("--image");
        image.or_else(|| (!self.faults.is_empty()).then_some("--rehearse-fault"))
    }
}

/// A rehearsed plan, with nothing sensitive in it: no values at all.
#[derive(Serialize)]
struct ShownRehearsal<'a> {
    version: u32,
    /// Always true: nothing of this exists, and none of it can be applied.
    rehearsal: bool,
    name: &'a EnvName,
    hosting: Hosting,
    image: &'a str,
    /// Whether the image is one that stands in, since none was given.
    image_is_stand_in: bool,
    has_changes: bool,
    counts: ShownCounts,
    resources: Vec<ShownResource<'a>>,
    outputs: Vec<ShownOutput<'a>>,
    drift: Vec<ShownResource<'a>>,
    /// Where it says what was not checked.
    unchecked: &'static str,
}

/// Rehearses the plan of an environment, and prints it.
pub(crate) fn run(
    terminal: Terminal,
    repository: &Repository,
    name: &EnvName,
    (stand, from): (Stand, Option<&str>),
    (format, verbosity): (Format, Verbosity),
) -> anyhow::Result<()> {
    let options = stand.options();
    let planned = session::with(terminal, repository, verbosity, |session| {
        Ok(menagerie_lifecycle::rehearse_plan(session, name, &options, from)?)
    })?;
    match format {
        Format::Json => output::print_json(&shown(name, &planned))?,
        Format::Text => output::print(&render(name, &planned))?,
    }
    output::say("REHEARSAL: nothing was made or changed, and none of this can be applied");
    terminal.note(UNCHECKED);
    Ok(())
}

fn render(name: &EnvName, planned: &RehearsedPlan) -> String {
    let RehearsedPlan { hosting, image, is_stand_in, summary } = planned;
    let image = if *is_stand_in {
        "a stand-in for the image (`--image` names one)".to_owned()
    } else {
        format!("`{image}`")
    };
    format!(
        "REHEARSAL of `{name}` on `{hosting}`, with {image}\n{summary}\nREHEARSAL: this is no plan of what exists\n"
    )
}

fn shown<'a>(name: &'a EnvName, planned: &'a RehearsedPlan) -> ShownRehearsal<'a> {
    let Summary { counts, resources, outputs, drift, .. } = &planned.summary;
    ShownRehearsal {
        version: VERSION,
        rehearsal: true,
        name,
        hosting: planned.hosting,
        image: &planned.image,
        image_is_stand_in: planned.is_stand_in,
        has_changes: !planned.summary.is_empty(),
        counts: shown_counts(counts),
        resources: shown_resources(resources),
        outputs: shown_outputs(outputs),
        drift: shown_resources(drift),
        unchecked: PAGE,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::plan::tests::heals;

    fn planned() -> RehearsedPlan {
        RehearsedPlan {
            hosting: Hosting::Ecs,
            image: "web:1".to_owned(),
            is_stand_in: false,
            summary: heals(),
        }
    }

    #[test]
    fn faults() {
        for right in ["aws_lb:create:throttle", "aws_lb.this:delete:halfx2"] {
            assert_eq!(parse_fault(right), Ok(right.to_owned()));
        }
        for wrong in [
            "",
            "aws_lb",
            "aws_lb:create",
            "aws_lb:make:throttle",
            "aws_lb:create:slow",
            "aws_lb:create:halfx0",
            ":create:half",
        ] {
            assert!(parse_fault(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn text() {
        let name = "calm-otter".parse().unwrap();
        assert_snapshot!(render(&name, &planned()), @r#"
        REHEARSAL of `calm-otter` on `ecs`, with `web:1`
          ~ module.application_hosting.menagerie_service.this
              status: "stopped" → "running"
        Outputs:
          + url: "http://127.0.0.1:40001"
        Plan: 1 to update
        REHEARSAL: this is no plan of what exists
        "#);
        assert_snapshot!(render(&name, &RehearsedPlan { is_stand_in: true, ..planned() }).lines().next().unwrap(), @"REHEARSAL of `calm-otter` on `ecs`, with a stand-in for the image (`--image` names one)");
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&shown(&"calm-otter".parse().unwrap(), &planned())), @r#"
        {
          "version": 1,
          "rehearsal": true,
          "name": "calm-otter",
          "hosting": "ecs",
          "image": "web:1",
          "image_is_stand_in": false,
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
          "drift": [],
          "unchecked": "docs/rehearsal.md"
        }
        "#);
    }
}
