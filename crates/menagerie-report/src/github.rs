//! A report as commands of a GitHub workflow, which become annotations of the lines of a change:
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.

use std::fmt::Write as _;

use menagerie_compliance::{Finding, Verdict};

use crate::harmless::{is_inside, plain, plain_lines};
use crate::report::{Judgement, Report, many};
use crate::text::{idle, said, where_it_is};

/// So many of each kind does GitHub keep of a step.
const KEPT: usize = 10;

/// Returns a report as annotations, the worst first: errors for what fails a run, warnings for other failures and for waivers that do
/// not do what they were for, notices for what is unknown. What is more than GitHub keeps is counted in the last line.
pub fn github(report: &Report<'_>) -> String {
    let judgement = &report.judgement;
    let mut kinds = [Kind::new("error"), Kind::new("warning"), Kind::new("notice")];
    for finding in judgement.ordered() {
        let kind = match finding.verdict {
            _ if judgement.gates(finding) => 0,
            Verdict::Fail => 1,
            Verdict::Unknown => 2,
            Verdict::Waived | Verdict::Pass | Verdict::Error => continue,
        };
        kinds[kind].add(|word| annotation(word, judgement, finding));
    }
    for (waiver, became) in judgement.waivers.iter().zip(&judgement.evaluation.waivers) {
        if let Some(why) = idle(waiver, *became) {
            let message = format!("for `{}` ({}) {why}", waiver.address.as_str(), waiver.ticket);
            let title = format!("waiver of {}", waiver.rule);
            kinds[1].add(|word| command(word, &[("title", &title)], &plain(&message)));
        }
    }
    let mut text: String = kinds.iter().map(|kind| kind.text.as_str()).collect();
    let left: Vec<String> = kinds.iter().filter_map(Kind::left).collect();
    if !left.is_empty() {
        writeln!(text, "left out, since GitHub keeps {KEPT} of each: {}", left.join(", "))
            .expect("writing to a string can't fail");
    }
    text
}

/// Annotations of one kind.
struct Kind {
    word: &'static str,
    count: usize,
    text: String,
}

impl Kind {
    fn new(word: &'static str) -> Self {
        Self { word, count: 0, text: String::new() }
    }

    fn add(&mut self, annotation: impl FnOnce(&str) -> String) {
        self.count += 1;
        if self.count <= KEPT {
            self.text.push_str(&annotation(self.word));
        }
    }

    /// Returns how many more there are than are kept.
    fn left(&self) -> Option<String> {
        let left = self.count.checked_sub(KEPT + 1)? + 1;
        Some(many(left, self.word, &format!("{}s", self.word)))
    }
}

fn annotation(kind: &str, judgement: &Judgement<'_>, finding: &Finding) -> String {
    let title =
        format!("{} ({}): {}", finding.rule, finding.severity, judgement.title(&finding.rule));
    let mut message = format!("{}: {}", where_it_is(finding), said(finding));
    if let Some(about) = judgement.about(&finding.rule).filter(|_| finding.verdict == Verdict::Fail)
    {
        message = format!("{message}\nfix: {}", plain_lines(&about.remediation));
    }
    let place = finding.location.as_ref().map(|location| &location.primary);
    let Some(place) = place.filter(|place| is_inside(&place.file)) else {
        return command(kind, &[("title", &title)], &message);
    };
    let (line, end_line) = (place.line.to_string(), place.end_line.to_string());
    let (column, end_column) = (place.column.to_string(), place.end_column.to_string());
    let mut properties =
        vec![("file", place.file.as_str()), ("line", &line), ("endLine", &end_line)];
    // Columns mean something on one line only.
    if line == end_line {
        properties.extend([("col", column.as_str()), ("endColumn", end_column.as_str())]);
    }
    properties.push(("title", &title));
    command(kind, &properties, &message)
}

/// Returns a command: nothing in its properties or message ends it or begins another one.
fn command(kind: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(key, value)| {
            format!("{key}={}", data(&plain(value)).replace(':', "%3A").replace(',', "%2C"))
        })
        .collect();
    format!("::{kind} {}::{}\n", properties.join(","), data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use menagerie_compliance::Severity;

    use super::*;
    use crate::sample::{another, sample};

    #[test]
    fn one_of_each_kind() {
        let sample = sample();
        let rules = sample.rules();
        let mut report = sample.report(&rules);
        report.judgement.threshold = Severity::High;
        assert_snapshot!(github(&report), @r#"
        ::error file=tf/a/main.tf,line=6,endLine=6,col=2,endColumn=21,title=S3-001 (critical)%3A Buckets are private::aws_s3_bucket.größe in tf/envs/bold-lark of bold-lark: `acl` must be `"private"`, but is `"public-read"`%0Afix: Set `acl = "private"`.%0AAsk <security> where it can't be.
        ::warning file=tf/a/main.tf,line=1,endLine=1,col=1,endColumn=17,title=PIN-1 (medium)%3A Modules are pinned::tf/a:module.storage: `version` must be set, but is not set%0Afix: Name a version.
        ::warning title=waiver of S3-001::for `aws_s3_bucket.gone` (SEC-2) meets no finding: remove it
        ::notice title=S3-001 (critical)%3A Buckets are private::aws_s3_bucket.c in tf/envs/bold-lark of bold-lark: `acl` must be `"private"`, but is known after apply only
        "#);
    }

    #[test]
    fn no_more_than_are_kept() {
        let mut sample = sample();
        let more: Vec<Finding> = (0..30).map(|number| another(&sample, number)).collect();
        sample.evaluation.findings.extend(more);
        let rules = sample.rules();
        let text = github(&sample.report(&rules));
        assert_eq!(text.matches("::error ").count(), 10);
        assert!(text.ends_with("left out, since GitHub keeps 10 of each: 22 errors\n"), "{text}");
    }

    #[test]
    fn nothing_gets_out_of_its_place() {
        let mut sample = sample();
        let worst = sample.worst();
        let finding = &mut sample.evaluation.findings[worst];
        finding.address = Some("a\n::error::b,line=1::%0A\r".to_owned());
        finding.location.as_mut().unwrap().primary.file = "a,title=b::c\n.tf".to_owned();
        let rules = sample.rules();
        let text = github(&sample.report(&rules));
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("::error file=a%2Ctitle=b%3A%3Ac\\n.tf,line=6,"), "{first}");
        assert!(first.contains("::a\\n::error::b,line=1::%250A\\r in tf/envs"), "{first}");
        assert_eq!(text.lines().filter(|line| line.starts_with("::error")).count(), 2);
    }
}
