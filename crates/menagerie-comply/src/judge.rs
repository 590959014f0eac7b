//! `judge`: all that was handed over, by rules.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use menagerie_compliance::Severity;
use menagerie_report::{
    COMMENT, Report, coverage, github, json, junit, markdown, plain, sarif, text,
};

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
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For what shows tests
    Junit,
    /// For a comment of a pull request, which it fits
    Markdown,
    /// For the log of a GitHub workflow, which shows annotations at their lines
    Github,
}

impl Judge {
    pub(crate) fn run(self, color: Color) -> Result<(), Problem> {
        let base = self.base.as_deref().map(Base::read).transpose()?;
        let rules = match &base {
            Some(base) => self.policy.read_base(base)?,
            None => self.policy.read()?,
        };
        let material = Material::read(&self.material)?;
        let gate = Verdict::of(rules, self.threshold, &material)?;
        // What is wrong with the checkout's own rules is told after what gates, and not instead of it.
        let (head, wrong) = match base.as_ref().map(|_| self.policy.read()).transpose() {
            Ok(rules) => (rules, None),
            Err(problem) => (None, Some(problem)),
        };
        let head = head.map(|rules| Verdict::of(rules, self.threshold, &material)).transpose()?;
        self.tell(&gate, head.as_ref(), &material, color)?;
        if let Some(base) = &base {
            output::say(&format!(
                "judged by the rules of `{}` ({}); those of this checkout gate nothing",
                base.reference.escape_debug(),
                base.commit.get(..10).unwrap_or(&base.commit)
            ));
        }
        wrong.map_or(Ok(()), Err)?;
        gate.outcome(&material)
    }

    fn tell(
        &self,
        gate: &Verdict,
        head: Option<&Verdict>,
        material: &Material,
        color: Color,
    ) -> Result<(), Problem> {
        let rules = gate.rules.abouts();
        let head_rules = head.map(|head| head.rules.abouts()).unwrap_or_default();
        let report = Report {
            judgement: gate.judgement(&rules),
            head: head.map(|head| head.judgement(&head_rules)),
            is_rehearsal: material.is_rehearsal(),
            notes: material.notes(),
            files: &|path| material.text(path),
        };
        let document = json(&report);
        if let Some(path) = &self.record {
            keep(path, &document);
        }
        output::print(&match self.format {
            Format::Text => {
                return output::print(&text(&report, Styles::of_data(color).is_colored()));
            }
            Format::Json => document,
            Format::Sarif => sarif(&report),
            Format::Junit => junit(&report),
            Format::Markdown => markdown(&report, COMMENT),
            Format::Github => github(&report),
        })?;
        for note in material.notes() {
            output::say(&format!("note: {}", plain(note)));
        }
        output::say(&coverage(&gate.evaluation));
        Ok(())
    }
}

/// Keeps a report; what was judged is right without it too.
fn keep(path: &Path, document: &str) {
    if let Err(error) = record::write(path, document, 0o600) {
        output::say(&format!("the report is not kept in `{}`: {error}", path.display()));
    }
}
