//! A report as Markdown for a comment on a pull request, of no more than so many characters.

mod section;

use std::fmt::Write as _;

use menagerie_compliance::Source;

use crate::coverage::{examined, verdicts, waiver_uses};
use crate::harmless::code;
use crate::report::{Report, many};
use crate::text::verdict_of_head;
use section::sections;

/// So many characters fit into a comment, with room for what stands around them.
pub const COMMENT: usize = 60_000;

/// So many environments are named.
const NAMED: usize = 20;

/// No finding is told in fewer characters.
const SHORTEST: usize = 30;

/// What has to be left for the last line.
const LAST: usize = 200;

/// Returns a report as Markdown of at most `most` characters, if that is enough for the verdict: what is least important is left out
/// first, and the last line says how much that is.
pub fn markdown(report: &Report<'_>, most: usize) -> String {
    let mut text = head(report);
    let mut length = text.chars().count();
    let room = most.saturating_sub(LAST);
    let (mut findings, mut other) = (0, 0);
    let mut is_full = false;
    for section in sections(report, most / SHORTEST) {
        let (open, close) = if section.is_folded {
            (format!("\n<details><summary>{}</summary>\n\n", section.heading), "\n</details>\n")
        } else {
            (format!("\n### {}\n\n", section.heading), "")
        };
        let frame = open.chars().count() + close.chars().count();
        let mut inner = String::new();
        let mut inner_length = 0;
        for (block, about) in section.blocks {
            let more = block.chars().count();
            is_full |= length + frame + inner_length + more > room;
            if is_full {
                findings += about;
                other += usize::from(about == 0);
            } else {
                inner.push_str(&block);
                inner_length += more;
            }
        }
        findings += section.rest;
        is_full |= section.rest > 0;
        if inner_length > 0 {
            text.push_str(&open);
            text.push_str(inner.trim_end());
            text.push('\n');
            text.push_str(close);
            length += frame + inner_length;
        }
    }
    if findings + other > 0 {
        let mut left = Vec::new();
        if findings > 0 {
            left.push(many(findings, "finding", "findings"));
        }
        if other > 0 {
            left.push(many(other, "explanation or note", "explanations and notes"));
        }
        write!(text, "\nLeft out for length: {}.\n", left.join(", "))
            .expect("writing to a string can't fail");
    }
    text
}

/// Returns the verdict and the table of what it is worth.
fn head(report: &Report<'_>) -> String {
    let judgement = &report.judgement;
    let evaluation = judgement.evaluation;
    let gating = judgement.gating().count();
    let verdict = if evaluation.has_errors() {
        "not all could be judged".to_owned()
    } else if gating > 0 {
        many(gating, "finding fails", "findings fail")
    } else if evaluation.is_empty() {
        "nothing was judged".to_owned()
    } else {
        "passes".to_owned()
    };
    let mut text = format!("## Compliance: {verdict}\n\n");
    if report.is_rehearsal {
        text.push_str("**REHEARSAL**: a plan that this is about was made without an account.\n\n");
    }
    let judged = |source| evaluation.judged.iter().any(|judged| judged.sources.contains(source));
    let sources: Vec<&str> =
        Source::ALL.iter().filter(|source| judged(source)).map(|source| source.as_str()).collect();
    let mut environments: Vec<String> = evaluation
        .judged
        .iter()
        .filter_map(|judged| judged.environment.as_ref())
        // In a cell of a table, `|` would end it, also in code.
        .map(|environment| code(&environment.name).replace('|', "\\|"))
        .collect();
    environments.dedup();
    let many_more = environments.len().saturating_sub(NAMED);
    environments.truncate(NAMED);
    if many_more > 0 {
        environments.push(format!("{many_more} more"));
    }
    let rows = [
        ("judged", sources.join(", ")),
        ("environments", environments.join(", ")),
        ("examined", examined(evaluation)),
        ("verdicts", verdicts(evaluation)),
        ("waivers", waiver_uses(evaluation)),
        ("fails from", judgement.threshold.to_string()),
    ];
    text.push_str("| | |\n|---|---|\n");
    for (label, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(text, "| {label} | {value} |").expect("writing to a string can't fail");
    }
    if let Some(head) = &report.head {
        write!(text, "\nBy{}.\n", verdict_of_head(head).trim_start_matches("by"))
            .expect("writing to a string can't fail");
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use insta::assert_snapshot;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;
    use crate::report::Judgement;
    use crate::sample::{another, sample};
    use menagerie_compliance::Finding;

    /// Panics if anything in it does more than to be read, or what is opened is not closed.
    #[track_caller]
    pub(crate) fn check_harmless(markdown: &str) {
        let mut text = String::new();
        let (mut opened, mut closed) = (0, 0);
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_MATH
            | Options::ENABLE_GFM;
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Text(more) => {
                    text.push_str(&more);
                    continue;
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    let html = html.trim();
                    if html.starts_with("<details><summary>") {
                        let inner = html.strip_prefix("<details><summary>").unwrap();
                        let inner = inner.strip_suffix("</summary>").unwrap();
                        assert!(!inner.contains('<'), "{html}");
                        opened += 1;
                    } else if html == "</details>" {
                        closed += 1;
                    } else {
                        assert_eq!(html, "<!-- -->");
                    }
                }
                Event::Start(
                    Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_),
                ) => {
                    panic!("{event:?} in {markdown}")
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    assert!((2..=3).contains(&(level as usize)), "{markdown}");
                }
                Event::InlineMath(_)
                | Event::DisplayMath(_)
                | Event::FootnoteReference(_)
                | Event::Rule
                | Event::TaskListMarker(_)
                | Event::Start(Tag::Strikethrough) => panic!("{event:?} in {markdown}"),
                _ => {}
            }
            check_text(&text, markdown);
            text.clear();
        }
        check_text(&text, markdown);
        assert_eq!(opened, closed, "{markdown}");
    }

    /// Panics if GitHub would make a link of it.
    fn check_text(text: &str, markdown: &str) {
        let letters: Vec<char> = text.chars().collect();
        for pair in letters.windows(2) {
            let is_mention = pair[0] == '@' && pair[1].is_alphanumeric();
            let is_number = pair[0] == '#' && pair[1].is_ascii_digit();
            assert!(!is_mention && !is_number, "{text:?} in {markdown}");
        }
        let text = text.to_ascii_lowercase();
        assert!(
            !text.contains("://") && !text.contains("www.") && !text.contains("gh-"),
            "{text:?} in {markdown}"
        );
    }

    #[test]
    fn one_of_each_verdict() {
        let sample = sample();
        let rules = sample.rules();
        let text = markdown(&sample.report(&rules), COMMENT);
        assert_snapshot!(text, @r#"
        ## Compliance: 2 findings fail

        | | |
        |---|---|
        | judged | plan, configuration |
        | environments | `bold-lark` |
        | examined | 3 rules loaded, 3 evaluated; 3 resources, 1 records |
        | verdicts | 3 pass, 2 fail, 1 unknown, 1 waived, 0 errors |
        | waivers | 1 used, 1 unused, 0 changed, 0 expired, 0 outliving, 0 elsewhere |
        | fails from | low |

        ### 2 findings fail

        **S3-001** (critical): Buckets are private

        - `tf/a/main.tf:6:2` `aws_s3_bucket.größe in tf/envs/bold-lark of bold-lark`: `` `acl` must be `"private"`, but is `"public-read"` ``; called here `tf/a/main.tf:1:1` (`1118e7f711ea9e9d`)

        **PIN-1** (medium): Modules are pinned

        - `tf/a/main.tf:1:1` `tf/a:module.storage`: `` `version` must be set, but is not set `` (`58d5d9a7e5bca62a`)

        <details><summary>Why, and how to put it right</summary>

        **S3-001**: What is public by accident is the most common leak.

        Set `acl = "private"`.
        Ask &lt;security&gt; where it can't be.

        **PIN-1**: r

        Name a version.

        </details>

        ### Notes

        - the waiver of S3-001 for `aws_s3_bucket.gone` (SEC-2) meets no finding: remove it
        - the pipeline was not judged

        <details><summary>1 value is not known yet</summary>

        **S3-001** (critical): Buckets are private

        - `aws_s3_bucket.c in tf/envs/bold-lark of bold-lark`: `` `acl` must be `"private"`, but is known after apply only `` (`0ecc00c5fc39de0a`)

        </details>

        <details><summary>1 finding is waived</summary>

        **NAME-1** (low): Names are short

        - `aws_s3_bucket.b in tf/envs/bold-lark of bold-lark`: `` `bucket` must match `^.{1,20}$`, but is `"a-name-that-is-older-than-its-rule"` ``; until 2026-12-01 by ada (SEC-1): it is \| older &lt;than&gt; the rule (`3d8be15cc4e9316b`)

        </details>
        "#);
        check_harmless(&text);
    }

    #[test]
    fn the_least_important_is_left_out() {
        let mut sample = sample();
        let more: Vec<Finding> = (0..400).map(|number| another(&sample, number)).collect();
        sample.evaluation.findings.extend(more);
        let rules = sample.rules();
        let mut report = sample.report(&rules);
        let other = sample.evaluation.clone();
        report.head = Some(Judgement { evaluation: &other, ..report.judgement });
        let whole = markdown(&report, usize::MAX);
        assert!(!whole.contains("Left out"), "{whole}");
        for most in [2_000, 5_000, 20_000, COMMENT] {
            let text = markdown(&report, most);
            assert!(text.chars().count() <= most, "{} of {most}", text.chars().count());
            assert!(text.starts_with("## Compliance: 402 findings fail\n"), "{text}");
            check_harmless(&text);
            let shown = text.matches("\n- ").count();
            let last = text.lines().last().unwrap();
            assert!(last.starts_with("Left out for length: ") || most == COMMENT, "{shown} {last}");
        }
    }

    #[test]
    fn what_is_hostile_stays_text() {
        let hostile = "`` ` ``` </details><img src=x onerror=alert(1)> [a](https://x) @team #1 GH-1 www.x.y ~~s~~ $x$ | ![i](j)\n# h\n- [ ] t\n\n```\n";
        let mut sample = sample();
        for finding in &mut sample.evaluation.findings {
            finding.address = Some(hostile.to_owned());
            finding.attribute = Some(hostile.to_owned());
            finding.message = hostile.to_owned();
            finding.root = hostile.to_owned();
            finding.environment = Some(hostile.to_owned());
            if let Some(location) = &mut finding.location {
                location.primary.file = hostile.to_owned();
                location.related[..].iter_mut().for_each(|(_, words)| *words = hostile.to_owned());
            }
        }
        for judged in &mut sample.evaluation.judged {
            judged.environment.as_mut().unwrap().name = hostile.to_owned();
        }
        for waiver in &mut sample.policy.waivers {
            waiver.reason = hostile.to_owned();
            waiver.owner = hostile.to_owned();
            waiver.ticket = hostile.to_owned();
        }
        for rule in &mut sample.policy.rules {
            rule.about.title = hostile.to_owned();
            rule.about.rationale = hostile.to_owned();
            rule.about.remediation = hostile.to_owned();
        }
        sample.notes.push(hostile.to_owned());
        let rules = sample.rules();
        check_harmless(&markdown(&sample.report(&rules), COMMENT));
    }
}
