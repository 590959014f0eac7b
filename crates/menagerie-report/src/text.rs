//! A report for people.

mod excerpt;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use annotate_snippets::{Group, Level, Renderer};
use menagerie_compliance::{Finding, Place, Verdict, Waiver, WaiverUse};

use crate::coverage::coverage;
use crate::harmless::{plain, plain_lines};
use crate::report::{Judgement, Report, many, word};
use excerpt::Excerpts;

/// So many findings that are alike are shown with the lines that they are about.
const SHOWN: usize = 3;
/// So many more have a line each.
const LISTED: usize = 20;
/// Wider than any line that is shown, so that none is cut.
const WIDTH: usize = 4096;

/// Returns a report for people: the findings, the worst first; waivers that did not do what they were for; the second verdict;
/// notes; and what was examined.
///
/// Of many findings of one rule, the first are shown, more are listed, and the rest is counted.
pub fn text(report: &Report<'_>, is_colored: bool) -> String {
    let judgement = &report.judgement;
    let mut text = String::new();
    if report.is_rehearsal {
        text.push_str("REHEARSAL: a plan that this is about was made without an account\n\n");
    }
    text.push_str(&findings(report, is_colored));
    text.push_str(&idle_waivers(judgement));
    if let Some(head) = &report.head {
        text.push_str(&second(judgement, head));
    }
    for note in report.notes {
        writeln!(text, "note: {}", plain(note)).expect("writing to a string can't fail");
    }
    text + &coverage(judgement.evaluation)
}

/// Returns the findings, those that are alike together.
fn findings(report: &Report<'_>, is_colored: bool) -> String {
    let renderer = if is_colored { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(WIDTH);
    let excerpts = Excerpts::new(report.files);
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut places = BTreeMap::new();
    for finding in report.judgement.ordered() {
        let key = (&finding.rule, word(finding), finding.counts);
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    let mut text = String::new();
    for group in groups {
        // What may still turn out well needs no more than a line.
        let is_open = group[0].verdict == Verdict::Unknown && !group[0].counts;
        let (shown, rest) = group.split_at(if is_open { 0 } else { SHOWN.min(group.len()) });
        for (index, finding) in shown.iter().enumerate() {
            let shown = one(&report.judgement, finding, index == 0, &excerpts);
            text.push_str(&renderer.render(&[shown]));
            text.push_str("\n\n");
        }
        text.push_str(&more(&report.judgement, rest, shown.is_empty()));
    }
    text
}

/// Returns a finding, and how to put it right if it `is_first` of its kind.
fn one(
    judgement: &Judgement<'_>,
    finding: &Finding,
    is_first: bool,
    excerpts: &Excerpts<'_>,
) -> Group<'static> {
    let note = |name: &'static str, text: String| Level::NOTE.with_name(name).message(text);
    let mut group = Group::with_title(
        level(judgement, finding)
            .with_name(heading(finding))
            .primary_title(plain(judgement.title(&finding.rule))),
    );
    let message = said(finding);
    let place = finding.location.as_ref().map(|location| {
        if hides(finding) {
            Err(Excerpts::origin(&location.primary))
        } else {
            excerpts.element(&location.primary, &message)
        }
    });
    let has_said = matches!(place, Some(Ok(_)));
    if let Some(Ok(element) | Err(element)) = place {
        group = group.element(element);
    }
    if !has_said {
        group = group.element(Level::NOTE.no_name().message(message));
    }
    for (place, words) in finding.location.iter().flat_map(|location| &location.related) {
        group = group.element(note("note", format!("{}: {}", plain(words), spot(place))));
    }
    group = group.element(note("address", where_it_is(finding)));
    let is_wrong = finding.counts || finding.verdict == Verdict::Fail;
    for waiver in judgement.waivers_of(finding) {
        group = group.element(note("waiver", waived(waiver)));
    }
    if let Some(about) = judgement.about(&finding.rule).filter(|_| is_first && is_wrong) {
        group = group.element(note("fix", plain_lines(&about.remediation)));
    }
    group.element(note("fingerprint", finding.fingerprint.to_string()))
}

/// Returns what is left of findings that are alike, or all of them: a line for some, and the number of the rest.
fn more(judgement: &Judgement<'_>, rest: &[&Finding], is_all: bool) -> String {
    let Some(first) = rest.first() else {
        return String::new();
    };
    let title = plain(judgement.title(&first.rule));
    let mut text = format!("{}: {title}", heading(first));
    if !is_all {
        write!(text, ": {} more", rest.len()).expect("writing to a string can't fail");
    }
    text.push('\n');
    for finding in rest.iter().take(LISTED) {
        let place = finding.location.as_ref().map(|location| spot(&location.primary) + ": ");
        let (place, at, said) = (place.unwrap_or_default(), where_it_is(finding), said(finding));
        writeln!(text, "  {} {place}{at}: {said}", finding.fingerprint)
            .expect("writing to a string can't fail");
    }
    if let Some(counted) = rest.len().checked_sub(LISTED + 1) {
        writeln!(text, "  and {} that are only counted here", counted + 1)
            .expect("writing to a string can't fail");
    }
    text.push('\n');
    text
}

fn level(judgement: &Judgement<'_>, finding: &Finding) -> Level<'static> {
    match finding.verdict {
        _ if judgement.gates(finding) => Level::ERROR,
        Verdict::Waived | Verdict::Pass => Level::NOTE,
        Verdict::Fail | Verdict::Unknown | Verdict::Error => Level::WARNING,
    }
}

fn heading(finding: &Finding) -> String {
    let word = match finding.verdict {
        Verdict::Unknown if finding.counts => "fail, as it is unknown:",
        _ => word(finding),
    };
    format!("{word} {} ({})", finding.rule, finding.severity)
}

/// Returns what is wrong, with the attribute.
pub(crate) fn said(finding: &Finding) -> String {
    let message = plain(&finding.message);
    match &finding.attribute {
        Some(attribute) => format!("`{}` {message}", plain(attribute)),
        None => message,
    }
}

/// Returns the address of a finding, with its root module and environment.
pub(crate) fn where_it_is(finding: &Finding) -> String {
    let mut text =
        finding.address.as_deref().map_or_else(|| "the resources as a whole".to_owned(), plain);
    if !finding.root.is_empty() {
        write!(text, " in {}", plain(&finding.root)).expect("writing to a string can't fail");
    }
    if let Some(environment) = &finding.environment {
        write!(text, " of {}", plain(environment)).expect("writing to a string can't fail");
    }
    text
}

/// Returns a place as editors and terminals know it.
pub(crate) fn spot(place: &Place) -> String {
    format!("{}:{}:{}", plain(&place.file), place.line, place.column)
}

/// Returns who answers for a finding.
pub(crate) fn waived(waiver: &Waiver) -> String {
    let (owner, ticket) = (plain(&waiver.owner), plain(&waiver.ticket));
    format!("until {} by {owner} ({ticket}): {}", waiver.expires, plain(&waiver.reason))
}

/// Returns whether the line of a finding could show what may not be shown.
fn hides(finding: &Finding) -> bool {
    finding.message.contains("(sensitive)")
}

/// Returns why a waiver did not do what it was for.
pub(crate) fn idle(waiver: &Waiver, became: WaiverUse) -> Option<String> {
    Some(match became {
        WaiverUse::Used | WaiverUse::Elsewhere => return None,
        WaiverUse::Unused => "meets no finding: remove it".to_owned(),
        WaiverUse::Changed => {
            "does not hold any more: the value that it was given for has changed".to_owned()
        }
        WaiverUse::Expired => {
            format!("is in force from {} to {} only", waiver.created, waiver.expires)
        }
        WaiverUse::Outlives => "does not hold: it ends after its environment does".to_owned(),
    })
}

fn idle_waivers(judgement: &Judgement<'_>) -> String {
    let mut text = String::new();
    for (waiver, became) in judgement.waivers.iter().zip(&judgement.evaluation.waivers) {
        if let Some(why) = idle(waiver, *became) {
            let (address, ticket) = (plain(waiver.address.as_str()), plain(&waiver.ticket));
            writeln!(text, "waiver of {} for `{address}` ({ticket}) {why}", waiver.rule)
                .expect("writing to a string can't fail");
        }
    }
    text
}

/// Returns what the rules of the proposed change would make of it.
fn second(judgement: &Judgement<'_>, head: &Judgement<'_>) -> String {
    let difference = judgement.difference(head);
    let mut text = format!("{}\n", verdict_of_head(head));
    for (label, findings) in
        [("no longer told", difference.gone), ("told in addition", difference.new)]
    {
        for finding in findings.iter().take(LISTED) {
            let (at, said) = (where_it_is(finding), said(finding));
            writeln!(text, "  {label}: {} {} {at}: {said}", finding.rule, finding.fingerprint)
                .expect("writing to a string can't fail");
        }
        if findings.len() > LISTED {
            writeln!(text, "  {label}: {} more", findings.len() - LISTED)
                .expect("writing to a string can't fail");
        }
    }
    text
}

/// Returns the second verdict in a line.
pub(crate) fn verdict_of_head(head: &Judgement<'_>) -> String {
    let gating = head.gating().count();
    let outcome = if gating == 0 {
        "nothing would fail".to_owned()
    } else {
        format!("{} would fail", many(gating, "finding", "findings"))
    };
    format!("by the rules and waivers of this change, which decide nothing, {outcome}")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::sample::{another, sample};

    #[test]
    fn one_of_each_verdict() {
        let sample = sample();
        assert_snapshot!(text(&sample.report(&sample.rules()), false), @r#"
        fail S3-001 (critical): Buckets are private
         --> tf/a/main.tf:6:2
          |
        6 |     acl = "public-read" # hier
          |     ^^^^^^^^^^^^^^^^^^^ `acl` must be `"private"`, but is `"public-read"`
          |
          = note: called here: tf/a/main.tf:1:1
          = address: aws_s3_bucket.größe in tf/envs/bold-lark of bold-lark
          = fix: Set `acl = "private"`.
                 Ask <security> where it can't be.
          = fingerprint: 1118e7f711ea9e9d

        fail PIN-1 (medium): Modules are pinned
         --> tf/a/main.tf:1:1
          |
        1 | module "storage" {
          | ^^^^^^^^^^^^^^^^ `version` must be set, but is not set
          |
          = address: tf/a:module.storage
          = fix: Name a version.
          = fingerprint: 58d5d9a7e5bca62a

        unknown S3-001 (critical): Buckets are private
          0ecc00c5fc39de0a aws_s3_bucket.c in tf/envs/bold-lark of bold-lark: `acl` must be `"private"`, but is known after apply only

        waived NAME-1 (low): Names are short
         |
         = `bucket` must match `^.{1,20}$`, but is `"a-name-that-is-older-than-its-rule"`
         = address: aws_s3_bucket.b in tf/envs/bold-lark of bold-lark
         = waiver: until 2026-12-01 by ada (SEC-1): it is | older <than> the rule
         = fingerprint: 3d8be15cc4e9316b

        waiver of S3-001 for `aws_s3_bucket.gone` (SEC-2) meets no finding: remove it
        note: the pipeline was not judged
        3 rules loaded, 3 evaluated; 3 resources, 1 records; 3 pass, 2 fail, 1 unknown, 1 waived, 0 errors; waivers: 1 used, 1 unused, 0 changed, 0 expired, 0 outliving, 0 elsewhere
        examined by rule: NAME-1 3, PIN-1 1, S3-001 3
        "#);
    }

    #[test]
    fn many_that_are_alike() {
        let mut sample = sample();
        let more: Vec<Finding> = (1..=500).map(|number| another(&sample, number)).collect();
        sample.evaluation.findings.extend(more);
        let rules = sample.rules();
        let text = text(&sample.report(&rules), false);
        assert_eq!(text.matches("= fix: Set").count(), 1, "{text}");
        assert_eq!(text.matches("public-read\" # hier").count(), 3, "{text}");
        assert!(text.contains("fail S3-001 (critical): Buckets are private: 498 more\n"), "{text}");
        assert!(text.contains("  and 478 that are only counted here\n"), "{text}");
        assert!(text.lines().count() < 110, "{text}");
    }

    #[test]
    fn a_second_verdict() {
        let sample = sample();
        let rules = sample.rules();
        let mut report = sample.report(&rules);
        let mut evaluation = sample.evaluation.clone();
        evaluation.findings.remove(sample.worst());
        evaluation.findings.push(another(&sample, 7));
        let head = Judgement { evaluation: &evaluation, ..report.judgement };
        (report.head, report.is_rehearsal) = (Some(head), true);
        let text = text(&report, false);
        assert!(text.starts_with("REHEARSAL: "), "{text}");
        let at = text.find("by the rules").unwrap();
        assert_snapshot!(&text[at..text.find("note: the").unwrap()], @r#"
        by the rules and waivers of this change, which decide nothing, 2 findings would fail
          no longer told: S3-001 1118e7f711ea9e9d aws_s3_bucket.größe in tf/envs/bold-lark of bold-lark: `acl` must be `"private"`, but is `"public-read"`
          told in addition: S3-001 02034cf0c2eb1534 aws_s3_bucket.more[7] in tf/envs/bold-lark of bold-lark: `acl` must be `"private"`, but is `"public-read"`
        "#);
    }

    #[test]
    fn no_line_is_shown_that_holds_what_is_sensitive_or_is_not_there() {
        let mut sample = sample();
        let worst = sample.worst();
        sample.evaluation.findings[worst].message = "must be `1`, but is (sensitive)".to_owned();
        let rules = sample.rules();
        let shown = text(&sample.report(&rules), false);
        assert!(!shown.contains("# hier") && shown.contains("--> tf/a/main.tf:6:2"), "{shown}");
        let report = Report { files: &|_| None, ..sample.report(&rules) };
        assert!(!text(&report, false).contains("module \"storage\""));
        let colored = text(&sample.report(&rules), true);
        assert!(colored.contains("\u{1b}[1m"), "{colored}");
        assert!(!shown.contains('\u{1b}'));
    }
}
