//! An evaluation for programs: JSON with a version.

use menagerie_compliance::{
    Evaluation, Fingerprint, InputKind, Judged, Policy, RuleId, Severity, Source, Verdict,
    WaiverUse,
};
use serde::Serialize;

/// An evaluation as version 1 of its JSON.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    version: u32,
    judged: Vec<JudgedRow<'a>>,
    threshold: Severity,
    failed: bool,
    resources: usize,
    records: usize,
    rules: Vec<RuleRow<'a>>,
    findings: Vec<FindingRow<'a>>,
    waivers: Vec<WaiverRow<'a>>,
}

#[derive(Debug, Serialize)]
struct JudgedRow<'a> {
    sources: &'a [Source],
    plan: Option<&'static str>,
    environment: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct RuleRow<'a> {
    rule: &'a RuleId,
    source: Source,
    examined: usize,
    passed: usize,
}

#[derive(Debug, Serialize)]
struct FindingRow<'a> {
    rule: &'a RuleId,
    severity: Severity,
    verdict: Verdict,
    counts: bool,
    source: Source,
    root: &'a str,
    environment: Option<&'a str>,
    address: Option<&'a str>,
    attribute: Option<&'a str>,
    message: &'a str,
    fingerprint: &'a Fingerprint,
    title: Option<&'a str>,
    remediation: Option<&'a str>,
    frameworks: &'a [String],
    waivers: &'a [usize],
}

#[derive(Debug, Serialize)]
struct WaiverRow<'a> {
    rule: &'a RuleId,
    address: &'a str,
    owner: &'a str,
    ticket: &'a str,
    expires: String,
    became: WaiverUse,
}

impl<'a> JudgedRow<'a> {
    fn of(judged: &'a Judged) -> Self {
        Self {
            sources: &judged.sources,
            plan: judged.plan.map(|kind| match kind {
                InputKind::Plan => "plan",
                InputKind::State => "state",
            }),
            environment: judged.environment.as_ref().map(|environment| environment.name.as_str()),
        }
    }
}

impl<'a> Document<'a> {
    /// Returns the document of an evaluation that fails at this severity.
    pub fn of(policy: &'a Policy, evaluation: &'a Evaluation, threshold: Severity) -> Self {
        let rules = evaluation.coverage.iter().map(|coverage| RuleRow {
            rule: &coverage.rule,
            source: coverage.source,
            examined: coverage.examined,
            passed: coverage.passed,
        });
        let findings = evaluation.findings.iter().map(|finding| {
            let rule = policy.rule(finding.rule.as_str());
            FindingRow {
                rule: &finding.rule,
                severity: finding.severity,
                verdict: finding.verdict,
                counts: finding.counts,
                source: finding.source,
                root: &finding.root,
                environment: finding.environment.as_deref(),
                address: finding.address.as_deref(),
                attribute: finding.attribute.as_deref(),
                message: &finding.message,
                fingerprint: &finding.fingerprint,
                title: rule.map(|rule| rule.about.title.as_str()),
                remediation: rule.map(|rule| rule.about.remediation.trim()),
                frameworks: rule.map_or(&[], |rule| &rule.about.frameworks),
                waivers: &finding.waivers,
            }
        });
        let waivers =
            policy.waivers.iter().zip(&evaluation.waivers).map(|(waiver, became)| WaiverRow {
                rule: &waiver.rule,
                address: waiver.address.as_str(),
                owner: &waiver.owner,
                ticket: &waiver.ticket,
                expires: waiver.expires.to_string(),
                became: *became,
            });
        Self {
            version: 1,
            judged: evaluation.judged.iter().map(JudgedRow::of).collect(),
            threshold,
            failed: evaluation.has_failed(threshold),
            resources: evaluation.resources,
            records: evaluation.records,
            rules: rules.collect(),
            findings: findings.collect(),
            waivers: waivers.collect(),
        }
    }
}
