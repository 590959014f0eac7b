//! Judging a plan by rules, against only seeing whether its bytes are JSON.

pub(super) mod plan;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use menagerie_compliance::{Evaluation, Input, Policy, PolicyFile, evaluate};
use serde::de::IgnoredAny;

use crate::report::{Limit, Measure, Of, Unit};
use crate::row::Setting;
use crate::sample::{interleaved, milliseconds};
use crate::statistics::{Distribution, Fit};

/// Ten of the rules that ship: of attributes, lists of blocks, JSON in text, tags, references and numbers.
const RULES: [&str; 10] = [
    "EC2-001", "IAM-001", "LOG-001", "NET-001", "RDS-001", "RDS-002", "S3-001", "S3-002",
    "SIZE-002", "TAG-001",
];

pub(crate) fn comply(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let is_judged = setting.is_judged();
    let sizes: &[usize] = if is_judged { &[1_000, 10_000, 30_000, 100_000] } else { &[100, 400] };
    // The size that the bars are about.
    let usual = if is_judged { 10_000 } else { 400 };
    let rounds = setting.rounds(11);
    let policy = policy(setting)?;
    let today = "2026-11-24".parse()?;
    let judge = |json: &[u8]| -> anyhow::Result<Evaluation> {
        let input = Input { plan: Some(json), ..Input::default() };
        Ok(evaluate(&policy, &input, today)?)
    };
    let (mut points, mut measures, mut time) = (Vec::new(), Vec::new(), None);
    // Before anything else: memory that was given back is used again, and does not count.
    let json = plan::plan(usual)?;
    let what = format!("ten rules on {usual} resources ({} KiB)", json.len() / 1024);
    if let Some(most) = memory(|| judge(&json))? {
        let what = format!("{what}: MiB of memory beyond the plan itself");
        measures.push(Measure::alone(what, Unit::Count, &[most]).with_bar(
            Of::Ours,
            Limit::AtMost,
            40.0,
            is_judged,
        ));
    }
    for &size in sizes {
        let json = plan::plan(size)?;
        let evaluation = judge(&json)?;
        let is_all = evaluation.resources == size
            && evaluation.coverage.iter().all(|rule| rule.examined > 0);
        anyhow::ensure!(is_all && !evaluation.findings.is_empty(), "a rule examined nothing");
        let rounds = if size > usual { rounds.min(5) } else { rounds };
        let pairs = interleaved(
            rounds,
            || milliseconds(|| judge(&json)),
            || milliseconds(|| Ok(serde_json::from_slice::<IgnoredAny>(&json)?)),
        )?;
        points.push((f64::from(u32::try_from(size)?), Distribution::of(&pairs.ours).median));
        if size == usual {
            let baseline = "seeing that its bytes are JSON";
            time = Some(Measure::against(&what, Unit::Milliseconds, baseline, &pairs).with_bar(
                Of::Ratio,
                Limit::AtMost,
                2.5,
                is_judged,
            ));
        }
    }
    let time = time.context("the usual size is one of the sizes")?.with_fit(Fit::of(points));
    measures.insert(0, time);
    Ok(measures)
}

fn policy(setting: &Setting) -> anyhow::Result<Policy> {
    let directory = setting.repository().join("tf/compliance/rules");
    let mut files = Vec::new();
    for rule in RULES {
        let path: PathBuf = directory.join(format!("{rule}.toml"));
        let text = fs::read_to_string(&path)
            .with_context(|| format!("failed to read `{}`", path.display()))?;
        files.push((path, text));
    }
    let files: Vec<PolicyFile<'_>> =
        files.iter().map(|(path, text)| PolicyFile { path, text }).collect();
    Ok(Policy::parse(&files)?)
}

/// Returns by how many MiB the memory of this process grew at most; none where the system does not tell.
fn memory<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Option<f64>> {
    // Linux counts the most since this was written: proc(5).
    if fs::write("/proc/self/clear_refs", "5").is_err() {
        return Ok(None);
    }
    let before = kibibytes("VmHWM:");
    drop(work()?);
    Ok(before.zip(kibibytes("VmHWM:")).map(|(before, after)| (after - before) / 1024.0))
}

fn kibibytes(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
