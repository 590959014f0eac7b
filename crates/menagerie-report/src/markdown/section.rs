//! What follows the verdict, the most important first.

use std::fmt::Write as _;

use menagerie_compliance::{Finding, Verdict};

use crate::harmless::{code, comment, comment_lines, plain};
use crate::report::{Difference, Judgement, Report, many};
use crate::text::{idle, said, spot, where_it_is};

/// Text under a heading, or folded under one.
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) is_folded: bool,
    /// Each is there as a whole or not at all, with how many findings it is about.
    pub(super) blocks: Vec<(String, usize)>,
    /// How many findings more there are, for which there is no room.
    pub(super) rest: usize,
}

/// Returns all that follows, the most important first, with at most so many findings in each section.
pub(super) fn sections(report: &Report<'_>, most: usize) -> Vec<Section> {
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
