//! A report as Markdown for a comment on a pull request, of no more than so many characters.

use std::fmt::Write as _;

use menagerie_compliance::{Finding, Source, Verdict};

use crate::harmless::{code, comment, comment_lines, plain};
use crate::report::{Difference, Judgement, Report, many};
use crate::text::{
    examined, idle, said, spot, verdict_of_head, verdicts, waiver_uses, where_it_is,
};

/// So many characters fit into a comment, with room for what stands around them.
pub const COMMENT: usize = 60_000;

/// So many environments are named.
const NAMED: usize = 20;

/// No finding is told in fewer characters.
const SHORTEST: usize = 30;

/// What has to be left for the last line.
const LAST: usize = 200;

/// Text under a heading, or folded under one.
struct Section {
    heading: String,
    is_folded: bool,
    /// Each is there as a whole or not at all, with how many findings it is about.
    blocks: Vec<(String, usize)>,
    /// How many findings more there are, for which there is no room.
    rest: usize,
}

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

/// Returns all that follows, the most important first, with at most so many findings in each section.
fn sections(report: &Report<'_>, most: usize) -> Vec<Section> {
    let judgement = &report.judgement;
    let ordered = judgement.ordered();
    let of = |is_wanted: &dyn Fn(&Finding) -> bool| {
        let findings = ordered.iter().copied().filter(|finding| is_wanted(finding));
        findings.collect::<Vec<&Finding>>()
    };
    let gating = of(&|finding| judgement.gates(finding));
    let below = of(&|finding| finding.verdict == Verdict::Fail && !judgement.gates(finding));
    let unknown = of(&|finding| finding.verdict == Verdict::Unknown && !judgement.gates(finding));
    let waived = of(&|finding| finding.verdict == Verdict::Waived);
    let failing = many(gating.len(), "finding fails", "findings fail");
    let mut sections = vec![
        Section { is_folded: false, ..findings(judgement, failing, &gating, most) },
        section("Why, and how to put it right".to_owned(), true, explanations(judgement, &gating)),
    ];
    if let Some(head) = &report.head {
        sections.push(second(&judgement.difference(head)));
    }
    sections.push(section("Notes".to_owned(), false, notes(report)));
    for (heading, found) in [
        (many(below.len(), "finding below the threshold", "findings below the threshold"), below),
        (many(unknown.len(), "value is not known yet", "values are not known yet"), unknown),
        (many(waived.len(), "finding is waived", "findings are waived"), waived),
    ] {
        sections.push(findings(judgement, heading, &found, most));
    }
    sections
}

fn section(heading: String, is_folded: bool, blocks: Vec<(String, usize)>) -> Section {
    Section { heading, is_folded, blocks, rest: 0 }
}

/// Returns findings, those of a rule under its name, folded.
fn findings(
    judgement: &Judgement<'_>,
    heading: String,
    findings: &[&Finding],
    most: usize,
) -> Section {
    let mut blocks = Vec::new();
    let mut last = None;
    for finding in findings.iter().take(most) {
        let mut block = String::new();
        if last != Some((&finding.rule, finding.verdict)) {
            let word = match finding.verdict {
                Verdict::Error => "could not be judged: ",
                Verdict::Unknown if finding.counts => "unknown, which counts: ",
                _ => "",
            };
            let (rule, severity, title) =
                (&finding.rule, finding.severity, comment(judgement.title(&finding.rule)));
            let gap = if last.is_none() { "" } else { "\n" };
            block = format!("{gap}**{rule}** ({severity}): {word}{title}\n\n");
        }
        last = Some((&finding.rule, finding.verdict));
        block.push_str(&item(judgement, finding));
        blocks.push((block, 1));
    }
    let rest = findings.len().saturating_sub(most);
    Section { rest, ..section(heading, true, blocks) }
}

/// Returns one finding as an item of a list.
fn item(judgement: &Judgement<'_>, finding: &Finding) -> String {
    let place = finding.location.as_ref().map(|location| spot(&location.primary));
    let place = place.map(|place| format!("{} ", code(&place))).unwrap_or_default();
    let mut item = format!("- {place}{}: {}", code(&where_it_is(finding)), code(&said(finding)));
    let related = finding.location.iter().flat_map(|location| &location.related);
    for (place, words) in related {
        write!(item, "; {} {}", comment(words), code(&spot(place)))
            .expect("writing to a string can't fail");
    }
    if finding.verdict == Verdict::Waived {
        for waiver in judgement.waivers_of(finding) {
            write!(
                item,
                "; until {} by {} ({}): {}",
                waiver.expires,
                comment(&waiver.owner),
                comment(&waiver.ticket),
                comment(&waiver.reason)
            )
            .expect("writing to a string can't fail");
        }
    }
    item + &format!(" ({})\n", code(&finding.fingerprint.to_string()))
}

/// Returns why the rules of findings are there, and what to do.
fn explanations(judgement: &Judgement<'_>, findings: &[&Finding]) -> Vec<(String, usize)> {
    let mut rules = Vec::new();
    for finding in findings {
        if !rules.contains(&&finding.rule) {
            rules.push(&finding.rule);
        }
    }
    let abouts = rules.into_iter().filter_map(|rule| judgement.about(rule));
    abouts
        .map(|about| {
            let (why, fix) = (comment_lines(&about.rationale), comment_lines(&about.remediation));
            (format!("**{}**: {why}\n\n{fix}\n\n", about.id), 0)
        })
        .collect()
}

/// Returns what the rules of the proposed change would make of it.
fn second(difference: &Difference<'_>) -> Section {
    let mut blocks = Vec::new();
    for (label, findings) in
        [("no longer told", &difference.gone), ("told in addition", &difference.new)]
    {
        for finding in findings {
            let (at, said) = (code(&where_it_is(finding)), code(&said(finding)));
            blocks.push((format!("- {label}: {} {at}: {said}\n", finding.rule), 0));
        }
    }
    section("By the rules and waivers of this change".to_owned(), true, blocks)
}

fn notes(report: &Report<'_>) -> Vec<(String, usize)> {
    let judgement = &report.judgement;
    let waivers = judgement.waivers.iter().zip(&judgement.evaluation.waivers);
    let idle = waivers.filter_map(|(waiver, became)| {
        let why = idle(waiver, *became)?;
        let (address, ticket) = (code(waiver.address.as_str()), comment(&waiver.ticket));
        Some(format!("- the waiver of {} for {address} ({ticket}) {why}\n", waiver.rule))
    });
    let notes = report.notes.iter().map(|note| format!("- {}\n", comment_lines(&plain(note))));
    idle.chain(notes).map(|note| (note, 0)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use insta::assert_snapshot;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;
    use crate::sample::{another, sample};

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
