//! An evaluation for programs: JSON with a version.

use menagerie_compliance::{
    Evaluation, Fingerprint, InputKind, Policy, RuleId, Severity, Verdict, WaiverUse,
};
use serde::Serialize;

/// An evaluation as version 1 of its JSON.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    version: u32,
    input: &'static str,
    threshold: Severity,
    failed: bool,
    resources: usize,
    rules: Vec<RuleRow<'a>>,
    findings: Vec<FindingRow<'a>>,
    waivers: Vec<WaiverRow<'a>>,
}

#[derive(Debug, Serialize)]
struct RuleRow<'a> {
    rule: &'a RuleId,
    examined: usize,
    passed: usize,
}

#[derive(Debug, Serialize)]
struct FindingRow<'a> {
    rule: &'a RuleId,
    severity: Severity,
    verdict: Verdict,
    counts: bool,
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

impl<'a> Document<'a> {
    /// Returns the document of an evaluation that fails at this severity.
    pub fn of(policy: &'a Policy, evaluation: &'a Evaluation, threshold: Severity) -> Self {
        let rules = evaluation.coverage.iter().map(|coverage| RuleRow {
            rule: &coverage.rule,
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
                address: finding.address.as_deref(),
                attribute: finding.attribute.as_deref(),
                message: &finding.message,
                fingerprint: &finding.fingerprint,
                title: rule.map(|rule| rule.title.as_str()),
                remediation: rule.map(|rule| rule.remediation.trim()),
                frameworks: rule.map_or(&[], |rule| &rule.frameworks),
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
            input: match evaluation.kind {
                InputKind::Plan => "plan",
                InputKind::State => "state",
            },
            threshold,
            failed: evaluation.has_failed(threshold),
            resources: evaluation.resources,
            rules: rules.collect(),
            findings: findings.collect(),
            waivers: waivers.collect(),
        }
    }
}
