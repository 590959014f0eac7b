//! An evaluation for people.

use std::fmt::Write as _;

use menagerie_compliance::{Evaluation, Finding, Policy, Rule, Verdict, WaiverUse};

use crate::harmless::{plain, plain_lines};

/// Returns the findings of an evaluation, and what became of waivers that did not do what they were for.
pub fn findings(policy: &Policy, evaluation: &Evaluation) -> String {
    let mut text = String::new();
    for finding in &evaluation.findings {
        let rule = policy.rule(finding.rule.as_str());
        text.push_str(&one(policy, rule, finding));
        text.push('\n');
    }
    for (waiver, became) in policy.waivers.iter().zip(&evaluation.waivers) {
        let why = match became {
            WaiverUse::Used | WaiverUse::Elsewhere => continue,
            WaiverUse::Unused => "meets no finding: remove it".to_owned(),
            WaiverUse::Changed => {
                "does not hold any more: the value that it was given for has changed".to_owned()
            }
            WaiverUse::Expired => {
                format!("is in force from {} to {} only", waiver.created, waiver.expires)
            }
            WaiverUse::Outlives => "does not hold: it ends after its environment does".to_owned(),
        };
        let address = plain(waiver.address.as_str());
        let ticket = plain(&waiver.ticket);
        writeln!(text, "waiver of {} for `{address}` ({ticket}) {why}", waiver.rule)
            .expect("writing to a string can't fail");
    }
    text
}

fn one(policy: &Policy, rule: Option<&Rule>, finding: &Finding) -> String {
    let title = rule.map(|rule| plain(&rule.about.title)).unwrap_or_default();
    let mut lines =
        vec![format!("{} {} ({}): {title}", word(finding), finding.rule, finding.severity)];
    lines.push(format!(
        "  {}",
        finding.address.as_deref().map_or("the resources as a whole".to_owned(), plain)
    ));
    let attribute =
        finding.attribute.as_deref().map(|attribute| format!("`{}` ", plain(attribute)));
    lines.push(format!("  {}{}", attribute.unwrap_or_default(), plain(&finding.message)));
    if let Some(rule) = rule.filter(|_| finding.verdict == Verdict::Fail) {
        lines.push(format!(
            "  fix: {}",
            plain_lines(&rule.about.remediation).replace('\n', "\n       ")
        ));
    }
    for waiver in finding.waivers.iter().filter_map(|index| policy.waivers.get(*index)) {
        let (owner, ticket) = (plain(&waiver.owner), plain(&waiver.ticket));
        let reason = plain(&waiver.reason);
        lines.push(format!("  waiver until {} by {owner} ({ticket}): {reason}", waiver.expires));
    }
    lines.push(format!("  fingerprint: {}\n", finding.fingerprint));
    lines.join("\n")
}

fn word(finding: &Finding) -> &'static str {
    match finding.verdict {
        Verdict::Pass => "pass",
        Verdict::Waived => "waived",
        Verdict::Unknown if finding.counts => "fail, as it is unknown:",
        Verdict::Unknown => "unknown",
        Verdict::Fail => "fail",
        Verdict::Error => "error",
    }
}

/// Returns what was examined, in two lines: what a run without findings is worth.
pub fn coverage(evaluation: &Evaluation) -> String {
    let evaluated: Vec<String> = evaluation
        .coverage
        .iter()
        .filter(|coverage| coverage.examined > 0)
        .map(|coverage| format!("{} {}", coverage.rule, coverage.examined))
        .collect();
    let waivers = |became| evaluation.waivers.iter().filter(|waiver| **waiver == became).count();
    let passed: usize = evaluation.coverage.iter().map(|coverage| coverage.passed).sum();
    format!(
        "{} rules loaded, {} evaluated; {} resources, {} records; {passed} pass, {} fail, {} unknown, {} waived, {} errors; waivers: {} used, {} unused, {} changed, {} expired, {} outliving, {} elsewhere\nresources examined: {}\n",
        evaluation.coverage.len(),
        evaluated.len(),
        evaluation.resources,
        evaluation.records,
        evaluation.count(Verdict::Fail),
        evaluation.count(Verdict::Unknown),
        evaluation.count(Verdict::Waived),
        evaluation.count(Verdict::Error),
        waivers(WaiverUse::Used),
        waivers(WaiverUse::Unused),
        waivers(WaiverUse::Changed),
        waivers(WaiverUse::Expired),
        waivers(WaiverUse::Outlives),
        waivers(WaiverUse::Elsewhere),
        if evaluated.is_empty() { "none".to_owned() } else { evaluated.join(", ") },
    )
}

/// Returns what a rule wants, for people.
pub fn rule(rule: &Rule) -> String {
    let mut text = format!(
        "{} ({}): {}\n\n{}\n\nabout    {}\n",
        rule.about.id,
        rule.about.severity,
        plain(&rule.about.title),
        plain_lines(&rule.about.rationale),
        plain(&rule.subject()),
    );
    let mut row = |label: &str, value: &str| {
        writeln!(text, "{label:<8} {value}").expect("writing to a string can't fail");
    };
    for assertion in &rule.assertions {
        row("wants", &plain(&assertion.to_string()));
    }
    if rule.forbid {
        row("wants", "that there is none");
    }
    if let Some(expect) = rule.expect {
        row("wants", &format!("{expect} of them"));
    }
    row("unknown", &rule.on_unknown.to_string());
    if !rule.about.frameworks.is_empty() {
        row("part of", &plain(&rule.about.frameworks.join(", ")));
    }
    row("fix", &plain_lines(&rule.about.remediation).replace('\n', "\n         "));
    text
}
