//! An evaluation for the tests of all formats, and hostile ones.

use std::path::Path;

use menagerie_compliance::{
    About, EnvironmentFacts, Evaluation, Finding, Fingerprint, Input, Location, Place, Policy,
    PolicyFile, Record, Severity, Verdict, evaluate,
};
use serde_json::json;

use crate::report::{Judgement, Report};

const BUCKETS: &str = r#"id = "S3-001"
title = "Buckets are private"
severity = "critical"
frameworks = ["CIS AWS 2.1.4", "SOC 2 CC6.1"]
rationale = "What is public by accident is the most common leak."
remediation = "Set `acl = \"private\"`.\nAsk <security> where it can't be."

[match]
type = "aws_s3_bucket"

[[assert]]
attribute = "acl"
equals = "private"
"#;

const NAMES: &str = r#"id = "NAME-1"
title = "Names are short"
severity = "low"
rationale = "r"
remediation = "Cut it."

[match]
type = "aws_s3_bucket"

[[assert]]
attribute = "bucket"
matches = "^.{1,20}$"
"#;

const MODULES: &str = r#"id = "PIN-1"
title = "Modules are pinned"
severity = "medium"
rationale = "r"
remediation = "Name a version."
input = "configuration"

[match]
type = "module"

[[assert]]
attribute = "version"
present = true
"#;

/// The file that findings point at.
pub(crate) const MAIN_TF: &str = "module \"storage\" {\n  source = \"../storage\"\n}\n\nresource \"aws_s3_bucket\" \"größe\" {\n\tacl = \"public-read\" # hier\n}\n";

/// What a report is made from.
pub(crate) struct Sample {
    pub(crate) policy: Policy,
    pub(crate) evaluation: Evaluation,
    pub(crate) notes: Vec<String>,
}

/// Returns an evaluation with one finding of each verdict but `error`, a waiver of each kind that is told, and locations.
pub(crate) fn sample() -> Sample {
    let first = judged("");
    let fingerprint = |rule: &str| {
        let found = first.evaluation.findings.iter().filter(|found| found.rule.as_str() == rule);
        found.map(|found| found.fingerprint.to_string()).next().expect("it is found")
    };
    let waivers = format!(
        r#"[[waiver]]
rule = "NAME-1"
address = "aws_s3_bucket.b"
environment = "bold-lark"
fingerprints = ["{}"]
reason = "it is | older <than> the rule"
owner = "ada"
approved_by = "grace"
ticket = "SEC-1"
created = 2026-11-01
expires = 2026-12-01

[[waiver]]
rule = "S3-001"
address = "aws_s3_bucket.gone"
environment = "bold-lark"
fingerprints = ["0123456789abcdef"]
reason = "r"
owner = "ada"
approved_by = "grace"
ticket = "SEC-2"
created = 2026-11-01
expires = 2026-12-01
"#,
        fingerprint("NAME-1")
    );
    judged(&waivers)
}

fn judged(waivers: &str) -> Sample {
    let file = |path, text| PolicyFile { path: Path::new(path), text };
    let policy = Policy::parse(&[
        file("S3-001.toml", BUCKETS),
        file("NAME-1.toml", NAMES),
        file("PIN-1.toml", MODULES),
        file("waivers.toml", if waivers.is_empty() { "waiver = []" } else { waivers }),
    ])
    .unwrap();
    let bucket = |name: &str, acl: &str, unknown: bool, bucket: &str| {
        json!({"address": format!("aws_s3_bucket.{name}"), "mode": "managed", "type": "aws_s3_bucket",
            "change": {"actions": ["create"], "after": {"acl": acl, "bucket": bucket}, "after_unknown": {"acl": unknown}}})
    };
    let plan = json!({"format_version": "1.2", "resource_changes": [
        bucket("größe", "public-read", false, "a"),
        bucket("b", "private", false, "a-name-that-is-older-than-its-rule"),
        bucket("c", "", true, "c"),
    ]});
    let record = Record {
        kind: "module".to_owned(),
        address: "tf/a:module.storage".to_owned(),
        values: json!({"source": "../storage"}),
        unknown: json!(null),
        place: Some(place(1, 1, 20)),
    };
    let plan = plan.to_string();
    let facts =
        EnvironmentFacts { name: "bold-lark".to_owned(), expires: "2027-01-01".parse().unwrap() };
    let input = Input {
        root: "tf/envs/bold-lark",
        environment: Some(&facts),
        plan: Some(plan.as_bytes()),
        configuration: Some(&[record]),
        ..Input::default()
    };
    let mut evaluation = evaluate(&policy, &input, "2026-11-24".parse().unwrap()).unwrap();
    for finding in &mut evaluation.findings {
        if finding.address.as_deref() == Some("aws_s3_bucket.größe") {
            let related = vec![(place(1, 1, 17), "called here".to_owned())];
            finding.location = Some(Location { primary: place(6, 2, 21), related });
        }
        if finding.rule.as_str() == "PIN-1" {
            finding.location = Some(Location { primary: place(1, 1, 17), related: Vec::new() });
        }
    }
    Sample { policy, evaluation, notes: vec!["the pipeline was not judged".to_owned()] }
}

/// Returns a place in [`MAIN_TF`].
pub(crate) fn place(line: usize, column: usize, end_column: usize) -> Place {
    Place { file: "tf/a/main.tf".to_owned(), line, column, end_line: line, end_column }
}

/// Returns a finding like the worst of the sample, of another bucket.
pub(crate) fn another(sample: &Sample, number: usize) -> Finding {
    let mut finding = sample.evaluation.findings[sample.worst()].clone();
    let address = format!("aws_s3_bucket.more[{number}]");
    finding.fingerprint =
        Fingerprint::of(&finding.root, &finding.rule, Some(&address), None, "value 1");
    finding.address = Some(address);
    finding
}

/// Returns whether a test must not miss what it needs.
#[expect(clippy::disallowed_methods, reason = "a test may be told to miss nothing")]
pub(crate) fn is_required() -> bool {
    std::env::var("MENAGERIE_REQUIRE").is_ok_and(|value| value == "all")
}

impl Sample {
    /// Returns where the finding stands that fails.
    pub(crate) fn worst(&self) -> usize {
        let mut findings = self.evaluation.findings.iter();
        findings.position(|finding| finding.verdict == Verdict::Fail).expect("one fails")
    }

    pub(crate) fn rules(&self) -> Vec<&About> {
        self.policy.rules.iter().map(|rule| &rule.about).collect()
    }

    pub(crate) fn report<'a>(&'a self, rules: &'a [&'a About]) -> Report<'a> {
        Report {
            judgement: Judgement {
                rules,
                waivers: &self.policy.waivers,
                evaluation: &self.evaluation,
                threshold: Severity::Low,
            },
            head: None,
            is_rehearsal: false,
            notes: &self.notes,
            files: &|file| (file == "tf/a/main.tf").then(|| MAIN_TF.to_owned()),
        }
    }
}
