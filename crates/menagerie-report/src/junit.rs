//! A report in `JUnit`'s format, as far as CI systems agree on it: a suite for each rule.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use menagerie_compliance::{Coverage, Finding, RuleId, Verdict};

use crate::harmless::{plain, plain_lines};
use crate::report::{Judgement, Report, many};
use crate::text::{idle, said, spot, verdict_of_head, waived, where_it_is};

/// The case of what passes, under the same name in each run.
const PASSES: &str = "what passes";

/// What came of a case.
enum Outcome {
    Passed { said: String },
    Failed { message: String, text: String },
    Error { message: String },
    Skipped { message: String },
}

struct Suite<'a> {
    name: &'a str,
    cases: Vec<(String, Outcome)>,
}

/// Returns a report as `JUnit`: what fails a run is a failure, what could not be judged an error; what is unknown, waived or below
/// the threshold is skipped, with the reason. What passes is one case of each rule, and counted there.
pub fn junit(report: &Report<'_>) -> String {
    let judgement = &report.judgement;
    let mut of_rule: BTreeMap<&RuleId, Vec<&Finding>> = BTreeMap::new();
    for finding in judgement.ordered() {
        of_rule.entry(&finding.rule).or_default().push(finding);
    }
    let suites: Vec<Suite<'_>> = judgement
        .evaluation
        .coverage
        .iter()
        .map(|coverage| suite(judgement, coverage, of_rule.get(&coverage.rule)))
        .collect();
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let [tests, failures, errors, _] = counts(all());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"comply\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n"
    );
    for suite in &suites {
        text.push_str(&element(suite));
    }
    let told = told(report);
    if !told.is_empty() {
        let told = escape(&told);
        writeln!(
            text,
            "<testsuite name=\"comply\" tests=\"0\" failures=\"0\" errors=\"0\" skipped=\"0\">\n<system-out>{told}</system-out>\n</testsuite>"
        )
        .expect("writing to a string can't fail");
    }
    text + "</testsuites>\n"
}

fn suite<'a>(
    judgement: &Judgement<'_>,
    coverage: &'a Coverage,
    findings: Option<&Vec<&Finding>>,
) -> Suite<'a> {
    let mut cases: Vec<(String, Outcome)> = findings
        .into_iter()
        .flatten()
        .map(|finding| (name(finding), outcome(judgement, finding)))
        .collect();
    if coverage.passed > 0 {
        let examined = many(coverage.examined, "resource is examined", "resources are examined");
        let said = format!("{examined}, {}", many(coverage.passed, "place passes", "places pass"));
        cases.push((PASSES.to_owned(), Outcome::Passed { said }));
    } else if cases.is_empty() {
        let message = "there is nothing that it is about".to_owned();
        cases.push((PASSES.to_owned(), Outcome::Skipped { message }));
    }
    Suite { name: coverage.rule.as_str(), cases }
}

fn name(finding: &Finding) -> String {
    match &finding.attribute {
        Some(attribute) => format!("{}: {attribute}", where_it_is(finding)),
        None => where_it_is(finding),
    }
}

fn outcome(judgement: &Judgement<'_>, finding: &Finding) -> Outcome {
    let message = said(finding);
    match finding.verdict {
        Verdict::Error => Outcome::Error { message },
        Verdict::Waived | Verdict::Pass => {
            let waivers: Vec<String> = judgement.waivers_of(finding).map(waived).collect();
            Outcome::Skipped { message: format!("waived: {message}: {}", waivers.join("; ")) }
        }
        _ if judgement.gates(finding) => {
            let about = judgement.about(&finding.rule);
            let location = finding.location.as_ref();
            let place = location.map(|location| format!("{}\n", spot(&location.primary)));
            let fix = about.map(|about| format!("fix: {}\n", plain_lines(&about.remediation)));
            let text = format!(
                "{} ({})\n{}{}fingerprint: {}",
                judgement.title(&finding.rule),
                finding.severity,
                place.unwrap_or_default(),
                fix.unwrap_or_default(),
                finding.fingerprint
            );
            Outcome::Failed { message, text }
        }
        Verdict::Unknown => Outcome::Skipped { message: format!("unknown: {message}") },
        Verdict::Fail => Outcome::Skipped {
            message: format!("{}, below the threshold: {message}", finding.severity),
        },
    }
}

/// Returns how many cases there are, how many of them failed, had errors and were skipped.
fn counts<'a>(cases: impl Iterator<Item = &'a (String, Outcome)>) -> [usize; 4] {
    let mut counts = [0; 4];
    for (_, outcome) in cases {
        counts[0] += 1;
        match outcome {
            Outcome::Passed { .. } => {}
            Outcome::Failed { .. } => counts[1] += 1,
            Outcome::Error { .. } => counts[2] += 1,
            Outcome::Skipped { .. } => counts[3] += 1,
        }
    }
    counts
}

fn element(suite: &Suite<'_>) -> String {
    let rule = escape(suite.name);
    let [tests, failures, errors, skipped] = counts(suite.cases.iter());
    let mut text = format!(
        "<testsuite name=\"{rule}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"0\">\n"
    );
    for (name, outcome) in &suite.cases {
        let inner = match outcome {
            Outcome::Passed { said } => format!("<system-out>{}</system-out>", escape(said)),
            Outcome::Failed { message, text } => {
                format!("<failure message=\"{}\">{}</failure>", escape(message), escape(text))
            }
            Outcome::Error { message } => format!("<error message=\"{}\"/>", escape(message)),
            Outcome::Skipped { message } => format!("<skipped message=\"{}\"/>", escape(message)),
        };
        let name = escape(name);
        writeln!(
            text,
            "<testcase classname=\"{rule}\" name=\"{name}\" time=\"0\">\n{inner}\n</testcase>"
        )
        .expect("writing to a string can't fail");
    }
    text + "</testsuite>\n"
}

/// Returns what a reader has to know of the run, a line each.
fn told(report: &Report<'_>) -> String {
    let judgement = &report.judgement;
    let mut told = Vec::new();
    if report.is_rehearsal {
        told.push("REHEARSAL: a plan that this is about was made without an account".to_owned());
    }
    told.extend(judgement.waivers.iter().zip(&judgement.evaluation.waivers).filter_map(
        |(waiver, became)| {
            let why = idle(waiver, *became)?;
            Some(format!("the waiver of {} for `{}` {why}", waiver.rule, waiver.address.as_str()))
        },
    ));
    told.extend(report.head.as_ref().map(verdict_of_head));
    told.extend(report.notes.iter().cloned());
    told.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n")
}

/// Returns a text of lines as it may stand in an element or an attribute.
fn escape(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(plain).collect();
    let mut escaped = String::with_capacity(text.len());
    for letter in lines.join("\n").chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // In an attribute, it would be read as a space.
            '\n' => escaped.push_str("&#10;"),
            // XML can't hold them.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use insta::assert_snapshot;
    use menagerie_compliance::Severity;

    use super::*;
    use crate::sample::{is_required, sample};

    /// Panics unless it is right by the schema of Jenkins, where that and `xmllint` were installed.
    fn check_schema(xml: &str) {
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ci/junit-10.xsd");
        if !schema.exists() {
            assert!(!is_required(), "no {}", schema.display());
            println!("skipped: no schema of JUnit; `.ci/run` installs it");
            return;
        }
        let schema = schema.to_str().unwrap();
        let command =
            duct::cmd!("timeout", "60", "xmllint", "--noout", "--nonet", "--schema", schema, "-");
        match command.stdin_bytes(xml).stderr_to_stdout().stdout_capture().unchecked().run() {
            Ok(output) if output.status.code() == Some(127) => {
                assert!(!is_required(), "no `xmllint`");
                println!("skipped: no `xmllint`; `.ci/run` installs it");
            }
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{said}\n{xml}");
            }
            Err(error) => {
                assert!(!is_required(), "no `timeout`: {error}");
                println!("skipped: no `timeout`: {error}");
            }
        }
    }

    #[test]
    fn one_of_each_outcome() {
        let mut sample = sample();
        let mut error = sample.evaluation.findings[sample.worst()].clone();
        error.verdict = Verdict::Error;
        error.message = "is a list & no <text>".to_owned();
        error.attribute = None;
        sample.evaluation.findings.push(error);
        let rules = sample.rules();
        let mut report = sample.report(&rules);
        report.judgement.threshold = Severity::High;
        let xml = junit(&report);
        assert_snapshot!(xml, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="comply" tests="7" failures="1" errors="1">
        <testsuite name="NAME-1" tests="2" failures="0" errors="0" skipped="1" time="0">
        <testcase classname="NAME-1" name="aws_s3_bucket.b in tf/envs/bold-lark of bold-lark: bucket" time="0">
        <skipped message="waived: `bucket` must match `^.{1,20}$`, but is `&quot;a-name-that-is-older-than-its-rule&quot;`: until 2026-12-01 by ada (SEC-1): it is | older &lt;than&gt; the rule"/>
        </testcase>
        <testcase classname="NAME-1" name="what passes" time="0">
        <system-out>3 resources are examined, 2 places pass</system-out>
        </testcase>
        </testsuite>
        <testsuite name="PIN-1" tests="1" failures="0" errors="0" skipped="1" time="0">
        <testcase classname="PIN-1" name="tf/a:module.storage: version" time="0">
        <skipped message="medium, below the threshold: `version` must be set, but is not set"/>
        </testcase>
        </testsuite>
        <testsuite name="S3-001" tests="4" failures="1" errors="1" skipped="1" time="0">
        <testcase classname="S3-001" name="aws_s3_bucket.größe in tf/envs/bold-lark of bold-lark" time="0">
        <error message="is a list &amp; no &lt;text&gt;"/>
        </testcase>
        <testcase classname="S3-001" name="aws_s3_bucket.größe in tf/envs/bold-lark of bold-lark: acl" time="0">
        <failure message="`acl` must be `&quot;private&quot;`, but is `&quot;public-read&quot;`">Buckets are private (critical)&#10;tf/a/main.tf:6:2&#10;fix: Set `acl = &quot;private&quot;`.&#10;Ask &lt;security&gt; where it can't be.&#10;fingerprint: 1118e7f711ea9e9d</failure>
        </testcase>
        <testcase classname="S3-001" name="aws_s3_bucket.c in tf/envs/bold-lark of bold-lark: acl" time="0">
        <skipped message="unknown: `acl` must be `&quot;private&quot;`, but is known after apply only"/>
        </testcase>
        <testcase classname="S3-001" name="what passes" time="0">
        <system-out>3 resources are examined, 1 place passes</system-out>
        </testcase>
        </testsuite>
        <testsuite name="comply" tests="0" failures="0" errors="0" skipped="0">
        <system-out>the waiver of S3-001 for `aws_s3_bucket.gone` meets no finding: remove it&#10;the pipeline was not judged</system-out>
        </testsuite>
        </testsuites>
        "#);
        check_schema(&xml);
    }

    #[test]
    fn nothing_was_examined() {
        let mut sample = sample();
        sample.evaluation.findings.clear();
        for coverage in &mut sample.evaluation.coverage {
            (coverage.examined, coverage.passed) = (0, 0);
        }
        let rules = sample.rules();
        let xml = junit(&sample.report(&rules));
        assert_eq!(xml.matches("<skipped message=\"there is nothing").count(), 3, "{xml}");
        check_schema(&xml);
    }

    #[test]
    fn what_is_hostile_stays_text() {
        let hostile = "]]></failure><x a=\"\u{1}\">&#0; \u{fffe}\u{ffff}\u{9b}\n\t'";
        let mut sample = sample();
        let worst = sample.worst();
        sample.evaluation.findings[worst].address = Some(hostile.to_owned());
        sample.evaluation.findings[worst].message = hostile.to_owned();
        sample.policy.rules[2].about.remediation = hostile.to_owned();
        let rules = sample.rules();
        check_schema(&junit(&sample.report(&rules)));
    }
}
