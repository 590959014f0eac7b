//! `judge`: all that was handed over, by rules.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use menagerie_compliance::{About, Policy, Severity};
use menagerie_report::{Report, coverage, json, text};

use crate::material::{Material, MaterialArgs};
use crate::output::{Color, Styles};
use crate::policy::{Base, PolicyArgs};
use crate::problem::Problem;
use crate::verdict::Verdict;
use crate::{output, record};

/// Judge by rules
#[derive(Debug, Args)]
pub(crate) struct Judge {
    #[command(flatten)]
    policy: PolicyArgs,

    /// Judge by the rules and waivers in this file; those of the directory are a second verdict, which gates nothing
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,

    #[command(flatten)]
    material: MaterialArgs,

    /// Keep the report here, for `waive`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    /// Fail from this severity on [default: that of `policy.toml`, else low]
    #[arg(long, value_name = "SEVERITY")]
    threshold: Option<Severity>,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: one object with a version
    Json,
}

impl Judge {
    pub(crate) fn run(self, color: Color) -> Result<(), Problem> {
        let base = self.base.as_deref().map(Base::read).transpose()?;
        let policy = match &base {
            Some(base) => base.policy()?,
            None => self.policy.read()?,
        };
        let material = Material::read(&self.material)?;
        let gate = Verdict::of(&policy, self.threshold, &material)?;
        // What is wrong with the checkout's own rules is told after what gates, and not instead of it.
        let head_policy = base.as_ref().map(|_| self.policy.read()).transpose();
        let (head_policy, wrong) = match head_policy {
            Ok(policy) => (policy, None),
            Err(problem) => (None, Some(problem)),
        };
        let head = head_policy
            .as_ref()
            .map(|policy| Verdict::of(policy, self.threshold, &material))
            .transpose()?;
        self.tell((&policy, &gate), head_policy.as_ref().zip(head.as_ref()), &material, color)?;
        if let Some(base) = &base {
            output::say(&format!(
                "judged by the rules of `{}` ({}); those of this checkout gate nothing",
                base.reference.escape_debug(),
                base.commit.get(..10).unwrap_or(&base.commit)
            ));
        }
        wrong.map_or(Ok(()), Err)?;
        gate.outcome()
    }

    fn tell(
        &self,
        (policy, gate): (&Policy, &Verdict),
        head: Option<(&Policy, &Verdict)>,
        material: &Material,
        color: Color,
    ) -> Result<(), Problem> {
        let rules = abouts(policy);
        let head_rules = head.map(|(policy, _)| abouts(policy)).unwrap_or_default();
        let report = Report {
            judgement: gate.judgement(policy, &rules),
            head: head.map(|(policy, head)| head.judgement(policy, &head_rules)),
            is_rehearsal: material.is_rehearsal(),
            notes: material.notes(),
            files: &|path| material.text(path),
        };
        let document = json(&report);
        if let Some(path) = &self.record {
            keep(path, &document);
        }
        match self.format {
            Format::Text => output::print(&text(&report, Styles::of_data(color).is_colored())),
            Format::Json => {
                output::print(&document)?;
                output::say(&coverage(&gate.evaluation));
                Ok(())
            }
        }
    }
}

fn abouts(policy: &Policy) -> Vec<&About> {
    policy.rules.iter().map(|rule| &rule.about).collect()
}

/// Keeps a report; what was judged is right without it too.
fn keep(path: &Path, document: &str) {
    if let Err(error) = record::write(path, document, 0o600) {
        output::say(&format!("the report is not kept in `{}`: {error}", path.display()));
    }
}
