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
    /// The last day of the environment.
    expires: Option<String>,
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
            expires: judged.environment.as_ref().map(|environment| environment.expires.to_string()),
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

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::Value;

    use super::*;
    use crate::sample::sample;

    /// Version 1: a key may be added, and none goes or changes its meaning.
    #[test]
    fn version_1() {
        let sample = sample();
        let rules = sample.rules();
        let mut report = sample.report(&rules);
        let mut other = sample.evaluation.clone();
        other.findings.clear();
        report.head = Some(Judgement { evaluation: &other, ..report.judgement });
        let mut document: Value = serde_json::from_str(&json(&report)).unwrap();
        document["rules"].as_array_mut().unwrap().truncate(1);
        document["waivers"].as_array_mut().unwrap().truncate(1);
        let findings = document.as_object_mut().unwrap().remove("findings").unwrap();
        assert_eq!(findings.as_array().unwrap().len(), 4);
        let worst = &findings[sample.worst()];
        assert_snapshot!(serde_json::to_string_pretty(worst).unwrap(), @r#"
        {
          "address": "aws_s3_bucket.größe",
          "attribute": "acl",
          "counts": true,
          "environment": "bold-lark",
          "fingerprint": "1118e7f711ea9e9d",
          "frameworks": [
            "CIS AWS 2.1.4",
            "SOC 2 CC6.1"
          ],
          "location": {
            "column": 2,
            "end_column": 21,
            "end_line": 6,
            "file": "tf/a/main.tf",
            "line": 6,
            "related": [
              {
                "column": 1,
                "end_column": 17,
                "end_line": 1,
                "file": "tf/a/main.tf",
                "line": 1,
                "words": "called here"
              }
            ]
          },
          "message": "must be `\"private\"`, but is `\"public-read\"`",
          "remediation": "Set `acl = \"private\"`.\nAsk <security> where it can't be.",
          "root": "tf/envs/bold-lark",
          "rule": "S3-001",
          "severity": "critical",
          "source": "plan",
          "title": "Buckets are private",
          "verdict": "fail",
          "waivers": []
        }
        "#);
        let keys = document.as_object().unwrap();
        let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        assert_snapshot!(keys.join("\n"), @r#"
        failed: true
        head: {"failed":false,"gone":[{"environment":"bold-lark","fingerprint":"1118e7f711ea9e9d","rule":"S3-001"},{"environment":null,"fingerprint":"58d5d9a7e5bca62a","rule":"PIN-1"}],"new":[],"threshold":"low"}
        judged: [{"environment":"bold-lark","expires":"2027-01-01","plan":"plan","sources":["plan","configuration"]}]
        notes: ["the pipeline was not judged"]
        records: 1
        rehearsal: false
        resources: 3
        rules: [{"examined":3,"passed":2,"rule":"NAME-1","source":"plan"}]
        threshold: "low"
        version: 1
        waivers: [{"address":"aws_s3_bucket.b","became":"used","environment":"bold-lark","expires":"2026-12-01","owner":"ada","rule":"NAME-1","ticket":"SEC-1"}]
        "#);
    }
}
