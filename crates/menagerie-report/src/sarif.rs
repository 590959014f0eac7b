//! A report as SARIF 2.1.0, the format of static analysis: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
//!
//! GitHub takes a part of it, and refuses a file that is over its limits or has a result without a place in a file:
//! <https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning>.

mod place;
mod rule;

use std::collections::BTreeMap;

use menagerie_compliance::{Finding, RuleId, Verdict, WaiverUse};
use serde_json::{Value, json};

use crate::harmless;
use crate::report::{Judgement, Report, many};
use crate::text::{idle, said, verdict_of_head, waived, where_it_is};
use place::Places;
use rule::{TAGS, level, rule};

/// The most results that GitHub takes of a run.
const RESULTS: usize = 25_000;
/// The most places beside the first that are kept of a result.
const RELATED: usize = 10;

/// Returns a report as SARIF.
///
/// What is unknown and does not count is `open`, what is waived is suppressed. A finding that points at no file has the file
/// that is nearest to it, as far as the report can read one.
pub fn sarif(report: &Report<'_>) -> String {
    harmless::json(&document(report, RESULTS))
}

fn document(report: &Report<'_>, most: usize) -> Value {
    let judgement = &report.judgement;
    let indexes: BTreeMap<&RuleId, usize> =
        judgement.rules.iter().enumerate().map(|(index, about)| (&about.id, index)).collect();
    let findings = judgement.ordered();
    let mut places = Places::new(report.files);
    let results: Vec<Value> = findings
        .iter()
        .take(most)
        .map(|finding| result(judgement, finding, &indexes, &mut places))
        .collect();
    let mut notifications = told(report, &indexes);
    let mut note = |text: String| notifications.push(notification("warning", &text));
    if let Some(left) = findings.len().checked_sub(most + 1) {
        note(format!("{} are left out: a run holds {most}", findings_of(left + 1)));
    }
    if places.nowhere > 0 {
        let findings = findings_of(places.nowhere);
        note(format!(
            "{findings} without a place in a file of the repository; GitHub refuses such a result"
        ));
    }
    let related = findings.iter().take(most).filter_map(|found| found.location.as_ref());
    let related = related.filter(|location| location.related.len() > RELATED).count();
    if related > 0 {
        note(format!(
            "{} with more than {RELATED} related places, of which the first are kept",
            findings_of(related)
        ));
    }
    let tags = judgement.rules.iter().filter(|about| about.frameworks.len() >= TAGS).count();
    if tags > 0 {
        note(format!(
            "{} with more than {TAGS} tags, of which the first are kept",
            many(tags, "rule", "rules")
        ));
    }
    let rules: Vec<Value> = judgement.rules.iter().map(|about| rule(about)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "menagerie",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {place::BASE: {"description": {"text": "The top of the repository."}}},
            "invocations": [{
                "executionSuccessful": !judgement.evaluation.has_errors(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

fn findings_of(count: usize) -> String {
    many(count, "finding", "findings")
}

fn result(
    judgement: &Judgement<'_>,
    finding: &Finding,
    indexes: &BTreeMap<&RuleId, usize>,
    places: &mut Places<'_>,
) -> Value {
    let (kind, level) = match finding.verdict {
        Verdict::Unknown if !finding.counts => ("open", "none"),
        Verdict::Error => ("open", "none"),
        _ => ("fail", level(finding.severity)),
    };
    let suppressions: Vec<Value> = judgement
        .waivers_of(finding)
        .zip(&finding.waivers)
        .filter(|(_, index)| {
            finding.verdict == Verdict::Waived
                && judgement.evaluation.waivers.get(**index) == Some(&WaiverUse::Used)
        })
        .map(|(waiver, _)| {
            json!({"kind": "external", "status": "accepted", "justification": waived(waiver)})
        })
        .collect();
    let suppressions = unique(suppressions);
    let mut result = json!({
        "ruleId": finding.rule,
        "kind": kind,
        "level": level,
        "message": {"text": message(&format!("{}: {}", where_it_is(finding), said(finding)))},
        "locations": places.of(finding),
        "partialFingerprints": {"menagerie/v1": fingerprint(finding)},
        "suppressions": suppressions,
        "properties": {
            "severity": finding.severity,
            "verdict": finding.verdict,
            "counts": judgement.gates(finding),
            "source": finding.source,
        },
    });
    if let Some(index) = indexes.get(&finding.rule) {
        result["ruleIndex"] = (*index).into();
    }
    let related = finding.location.iter().flat_map(|location| &location.related);
    let related: Vec<Value> = related
        .take(RELATED)
        .filter_map(|(place, words)| {
            let mut related = place::location(place)?;
            related["message"] = json!({"text": message(&harmless::plain(words))});
            Some(related)
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = unique(related).into();
    }
    result
}

/// Returns what differs: the schema forbids to say a thing twice.
fn unique(values: Vec<Value>) -> Vec<Value> {
    let mut unique = Vec::with_capacity(values.len());
    for value in values {
        if !unique.contains(&value) {
            unique.push(value);
        }
    }
    unique
}

/// Returns a fingerprint that differs between environments, as the findings of a module that several use do.
fn fingerprint(finding: &Finding) -> String {
    match &finding.environment {
        Some(environment) => format!("{}/{environment}", finding.fingerprint),
        None => finding.fingerprint.to_string(),
    }
}

/// Returns a text in which nothing is a link. Braces stay as they are: without `arguments` there is nothing to put in.
fn message(text: &str) -> String {
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text.to_owned() }
}

/// Returns what a reader has to know of the run.
fn told(report: &Report<'_>, indexes: &BTreeMap<&RuleId, usize>) -> Vec<Value> {
    let judgement = &report.judgement;
    let mut told = Vec::new();
    let errors = judgement.evaluation.findings.iter();
    for finding in errors.filter(|finding| finding.verdict == Verdict::Error).take(RESULTS) {
        let text = format!("{}: {}", where_it_is(finding), said(finding));
        let mut error = notification("error", &text);
        if let Some(index) = indexes.get(&finding.rule) {
            error["associatedRule"] = json!({"id": finding.rule, "index": index});
        }
        told.push(error);
    }
    for (waiver, became) in judgement.waivers.iter().zip(&judgement.evaluation.waivers) {
        if let Some(why) = idle(waiver, *became) {
            let address = waiver.address.as_str();
            let text = format!("the waiver of {} for `{address}` {why}", waiver.rule);
            told.push(notification("warning", &text));
        }
    }
    if report.is_rehearsal {
        told.push(notification(
            "note",
            "REHEARSAL: a plan that this is about was made without an account",
        ));
    }
    if let Some(head) = &report.head {
        told.push(notification("note", &verdict_of_head(head)));
    }
    told.extend(report.notes.iter().map(|note| notification("note", note)));
    told
}

fn notification(level: &str, text: &str) -> Value {
    json!({"level": level, "message": {"text": message(text)}})
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::*;
    use crate::sample::{another, is_required, sample};

    /// Returns what is wrong with SARIF by its schema, where that was installed.
    pub(crate) fn wrong(sarif: &Value) -> Option<Vec<String>> {
        thread_local! {
            static VALIDATOR: Option<jsonschema::Validator> = validator();
        }
        VALIDATOR.with(|validator| {
            let errors = validator.as_ref()?.iter_errors(sarif);
            Some(errors.map(|error| format!("{}: {error}", error.instance_path())).collect())
        })
    }

    fn validator() -> Option<jsonschema::Validator> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path = top.join("target/ci/sarif-2.1.0.json");
        let Ok(schema) = std::fs::read_to_string(&path) else {
            assert!(!is_required(), "no {}", path.display());
            println!("skipped: no schema of SARIF; `.ci/run` installs it");
            return None;
        };
        Some(jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap())
    }

    #[track_caller]
    fn check(report: &Report<'_>) -> Value {
        let sarif: Value = serde_json::from_str(&sarif(report)).unwrap();
        assert_eq!(wrong(&sarif).unwrap_or_default(), Vec::<String>::new());
        sarif
    }

    #[test]
    fn one_of_each_verdict() {
        let sample = sample();
        let rules = sample.rules();
        let sarif = check(&sample.report(&rules));
        let run = &sarif["runs"][0];
        let result = |index: usize, key: &str| run["results"][index][key].clone();
        assert_snapshot!(serde_json::to_string_pretty(&run["results"][0]).unwrap(), @r#"
        {
          "kind": "fail",
          "level": "error",
          "locations": [
            {
              "logicalLocations": [
                {
                  "fullyQualifiedName": "aws_s3_bucket.größe",
                  "kind": "resource"
                }
              ],
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "tf/a/main.tf",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "endColumn": 21,
                  "endLine": 6,
                  "startColumn": 2,
                  "startLine": 6
                }
              }
            }
          ],
          "message": {
            "text": "aws_s3_bucket.größe in tf/envs/bold-lark of bold-lark: `acl` must be `\"private\"`, but is `\"public-read\"`"
          },
          "partialFingerprints": {
            "menagerie/v1": "1118e7f711ea9e9d/bold-lark"
          },
          "properties": {
            "counts": true,
            "severity": "critical",
            "source": "plan",
            "verdict": "fail"
          },
          "relatedLocations": [
            {
              "message": {
                "text": "called here"
              },
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "tf/a/main.tf",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "endColumn": 17,
                  "endLine": 1,
                  "startColumn": 1,
                  "startLine": 1
                }
              }
            }
          ],
          "ruleId": "S3-001",
          "ruleIndex": 2,
          "suppressions": []
        }
        "#);
        let said = [0, 1, 2, 3].map(|index| (result(index, "kind"), result(index, "level")));
        let expected = [("fail", "error"), ("fail", "warning"), ("open", "none"), ("fail", "note")];
        assert_eq!(said, expected.map(|(kind, level)| (kind.into(), level.into())));
        assert_eq!(result(1, "partialFingerprints")["menagerie/v1"], "58d5d9a7e5bca62a");
        assert_eq!(
            result(3, "suppressions"),
            json!([{"kind": "external", "status": "accepted",
                "justification": "until 2026-12-01 by ada (SEC-1): it is | older <than> the rule"}])
        );
    }

    #[test]
    fn a_rule_and_what_is_told_of_the_run() {
        let sample = sample();
        let rules = sample.rules();
        let sarif = check(&sample.report(&rules));
        let run = &sarif["runs"][0];
        assert_snapshot!(serde_json::to_string_pretty(&run["tool"]["driver"]["rules"][2]).unwrap(), @r#"
        {
          "defaultConfiguration": {
            "level": "error"
          },
          "fullDescription": {
            "text": "What is public by accident is the most common leak."
          },
          "help": {
            "markdown": "What is public by accident is the most common leak.\n\n**How to put it right**\n\nSet `acl = \"private\"`.\nAsk &lt;security&gt; where it can't be.",
            "text": "What is public by accident is the most common leak.\n\nHow to put it right: Set `acl = \"private\"`.\nAsk <security> where it can't be."
          },
          "id": "S3-001",
          "properties": {
            "security-severity": "9.5",
            "tags": [
              "security",
              "CIS AWS 2.1.4",
              "SOC 2 CC6.1"
            ]
          },
          "shortDescription": {
            "text": "Buckets are private"
          }
        }
        "#);
        assert_snapshot!(run["invocations"][0], @r#"{"executionSuccessful":true,"toolExecutionNotifications":[{"level":"warning","message":{"text":"the waiver of S3-001 for `aws_s3_bucket.gone` meets no finding: remove it"}},{"level":"note","message":{"text":"the pipeline was not judged"}},{"level":"warning","message":{"text":"2 findings without a place in a file of the repository; GitHub refuses such a result"}}]}"#);
    }

    /// The filter that docs/compliance/formats.md tells leaves what fails.
    #[test]
    fn what_github_is_to_show() {
        let formats = include_str!("../../../docs/compliance/formats.md");
        let line = formats.lines().find(|line| line.trim().starts_with("jq '")).unwrap();
        let filter = line.split('\'').nth(1).unwrap();
        let sample = sample();
        let rules = sample.rules();
        let sarif = sarif(&sample.report(&rules));
        let command = duct::cmd!("timeout", "60", "jq", filter).stdin_bytes(sarif);
        let Ok(filtered) = command.stderr_null().read() else {
            assert!(!is_required(), "no `jq`");
            println!("skipped: no `jq`");
            return;
        };
        let filtered: Value = serde_json::from_str(&filtered).unwrap();
        assert_eq!(wrong(&filtered).unwrap_or_default(), Vec::<String>::new());
        let results = filtered["runs"][0]["results"].as_array().unwrap();
        let verdicts: Vec<&Value> =
            results.iter().map(|result| &result["properties"]["verdict"]).collect();
        assert_eq!(verdicts, ["fail", "fail"]);
    }

    #[test]
    fn what_is_left_out_is_told() {
        let mut sample = sample();
        let more = (0..20).map(|number| another(&sample, number));
        let mut more: Vec<Finding> = more.collect();
        let related = more[0].location.as_ref().unwrap().related[0].clone();
        more[0].location.as_mut().unwrap().related = vec![related; 12];
        sample.evaluation.findings.extend(more);
        let mut about = sample.policy.rules[0].about.clone();
        about.frameworks = (0..30).map(|number| format!("F {number}")).collect();
        let mut rules = sample.rules();
        rules[0] = &about;
        let report = Report { files: &|_| None, ..sample.report(&rules) };
        let sarif = document(&report, 7);
        assert_eq!(wrong(&sarif).unwrap_or_default(), Vec::<String>::new());
        let run = &sarif["runs"][0];
        assert_eq!(run["results"].as_array().unwrap().len(), 7);
        assert_eq!(
            run["tool"]["driver"]["rules"][0]["properties"]["tags"].as_array().unwrap().len(),
            TAGS
        );
        let told = run["invocations"][0]["toolExecutionNotifications"].to_string();
        for text in [
            "17 findings are left out: a run holds 7",
            "1 finding with more than 10 related places",
            "1 rule with more than 10 tags",
        ] {
            assert!(told.contains(text), "no `{text}` in {told}");
        }
    }

    #[test]
    fn a_finding_without_a_place_has_one_near_it() {
        let mut sample = sample();
        for finding in &mut sample.evaluation.findings {
            finding.location = None;
        }
        let rules = sample.rules();
        let near = |files: &dyn Fn(&str) -> Option<String>| {
            let sarif = check(&Report { files, ..sample.report(&rules) });
            let uri = |result: &Value| {
                let at = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
                at.as_str().unwrap_or_default().to_owned()
            };
            let results = sarif["runs"][0]["results"].as_array().unwrap();
            let uris: Vec<String> = results.iter().map(uri).collect();
            (uris.join(" "), sarif["runs"][0]["invocations"].to_string())
        };
        let (uris, _) = near(&|file| {
            ["tf/a/main.tf", "tf/envs/bold-lark/env.toml"].contains(&file).then(String::new)
        });
        let own = "tf/envs/bold-lark/env.toml";
        assert_eq!(uris, format!("{own} tf/a/main.tf {own} {own}"));
        assert_eq!(
            near(&|file| (file == "README.md").then(String::new)).0,
            ["README.md"; 4].join(" ")
        );
        let (uris, told) = near(&|_| None);
        assert_eq!(uris.trim(), "");
        assert!(told.contains("4 findings without a place in a file"), "{told}");
    }
}
