//! An evaluation for programs: JSON with a version.

use menagerie_compliance::{
    Finding, Fingerprint, InputKind, Judged, Location, Place, RuleId, Severity, Source, Verdict,
    WaiverUse,
};
use serde::Serialize;

use crate::harmless;
use crate::report::{Judgement, Report};

/// Returns a report for programs: version 1 of its JSON.
pub fn json(report: &Report<'_>) -> String {
    harmless::json(&Document::of(report))
}

/// A report as version 1 of its JSON.
#[derive(Debug, Serialize)]
struct Document<'a> {
    version: u32,
    rehearsal: bool,
    judged: Vec<JudgedRow<'a>>,
    threshold: Severity,
    failed: bool,
    resources: usize,
    records: usize,
    rules: Vec<RuleRow<'a>>,
    findings: Vec<FindingRow<'a>>,
    waivers: Vec<WaiverRow<'a>>,
    head: Option<HeadRow<'a>>,
    notes: &'a [String],
}

/// The second verdict.
#[derive(Debug, Serialize)]
struct HeadRow<'a> {
    threshold: Severity,
    failed: bool,
    /// What fails, and would not by it.
    gone: Vec<KeyRow<'a>>,
    /// What does not fail, and would by it.
    new: Vec<FindingRow<'a>>,
}

#[derive(Debug, Serialize)]
struct KeyRow<'a> {
    rule: &'a RuleId,
    fingerprint: &'a Fingerprint,
    environment: Option<&'a str>,
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
    location: Option<LocationRow<'a>>,
    title: Option<&'a str>,
    remediation: Option<&'a str>,
    frameworks: &'a [String],
    waivers: &'a [usize],
}

#[derive(Debug, Serialize)]
struct LocationRow<'a> {
    #[serde(flatten)]
    place: &'a Place,
    related: Vec<RelatedRow<'a>>,
}

#[derive(Debug, Serialize)]
struct RelatedRow<'a> {
    words: &'a str,
    #[serde(flatten)]
    place: &'a Place,
}

#[derive(Debug, Serialize)]
struct WaiverRow<'a> {
    rule: &'a RuleId,
    address: &'a str,
    environment: Option<&'a str>,
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
    fn of(report: &Report<'a>) -> Self {
        let judgement = report.judgement;
        let evaluation = judgement.evaluation;
        let rules = evaluation.coverage.iter().map(|coverage| RuleRow {
            rule: &coverage.rule,
            source: coverage.source,
            examined: coverage.examined,
            passed: coverage.passed,
        });
        let findings = evaluation.findings.iter().map(|found| FindingRow::of(&judgement, found));
        let waivers = judgement.waivers.iter().zip(&evaluation.waivers);
        let waivers = waivers.map(|(waiver, became)| WaiverRow {
            rule: &waiver.rule,
            address: waiver.address.as_str(),
            environment: waiver.environment.as_deref(),
            owner: &waiver.owner,
            ticket: &waiver.ticket,
            expires: waiver.expires.to_string(),
            became: *became,
        });
        Self {
            version: 1,
            rehearsal: report.is_rehearsal,
            judged: evaluation.judged.iter().map(JudgedRow::of).collect(),
            threshold: judgement.threshold,
            failed: evaluation.has_failed(judgement.threshold),
            resources: evaluation.resources,
            records: evaluation.records,
            rules: rules.collect(),
            findings: findings.collect(),
            waivers: waivers.collect(),
            head: report.head.map(|head| HeadRow::of(&judgement, &head)),
            notes: report.notes,
        }
    }
}

impl<'a> FindingRow<'a> {
    fn of(judgement: &Judgement<'a>, finding: &'a Finding) -> Self {
        let about = judgement.about(&finding.rule);
        Self {
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
            location: finding.location.as_ref().map(LocationRow::of),
            title: about.map(|about| about.title.as_str()),
            remediation: about.map(|about| about.remediation.trim()),
            frameworks: about.map_or(&[], |about| &about.frameworks),
            waivers: &finding.waivers,
        }
    }
}

impl<'a> LocationRow<'a> {
    fn of(location: &'a Location) -> Self {
        let related = location.related.iter().map(|(place, words)| RelatedRow { words, place });
        Self { place: &location.primary, related: related.collect() }
    }
}

impl<'a> HeadRow<'a> {
    fn of(judgement: &Judgement<'a>, head: &Judgement<'a>) -> Self {
        let difference = judgement.difference(head);
        let keys = |findings: Vec<&'a Finding>| {
            findings.into_iter().map(|finding| KeyRow {
                rule: &finding.rule,
                fingerprint: &finding.fingerprint,
                environment: finding.environment.as_deref(),
            })
        };
        Self {
            threshold: head.threshold,
            failed: head.evaluation.has_failed(head.threshold),
            gone: keys(difference.gone).collect(),
            new: difference.new.into_iter().map(|found| FindingRow::of(head, found)).collect(),
        }
    }
}
