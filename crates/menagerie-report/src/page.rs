//! The pages of rules, in Markdown.

use std::fmt::Write as _;

use menagerie_compliance::{OnUnknown, Policy, Rule};

use crate::harmless::{markdown, plain, prose};

const NOTE: &str = "<!-- `cargo xtask comply pages` wrote this from the rule. -->";

/// Returns the page of a rule.
pub fn page(rule: &Rule) -> String {
    let mut page = format!(
        "# {}: {}\n\n{NOTE}\n\n{}\n",
        rule.about.id,
        markdown(&rule.about.title),
        prose(&rule.about.rationale)
    );
    let mut row = |label: &str, value: &str| {
        writeln!(page, "| {label} | {} |", value.replace('|', "\\|"))
            .expect("writing to a string can't fail");
    };
    row("", "");
    row("---", "---");
    row("severity", rule.about.severity.as_str());
    row("is about", &prose(&plain(&rule.subject())));
    for assertion in &rule.assertions {
        row("wants", &prose(&plain(&assertion.to_string())));
    }
    if rule.forbid {
        row("wants", "that there is none");
    }
    if let Some(expect) = rule.expect {
        row("wants", &format!("{expect} of them"));
    }
    row("unknown before apply", unknown(rule.on_unknown));
    if !rule.about.frameworks.is_empty() {
        row("part of", &markdown(&rule.about.frameworks.join(", ")));
    }
    page = page.replace("\n|  |  |\n", "\n\n| | |\n");
    write!(page, "\n## How to put it right\n\n{}\n", prose(&rule.about.remediation))
        .expect("writing to a string can't fail");
    page
}

fn unknown(on_unknown: OnUnknown) -> &'static str {
    match on_unknown {
        OnUnknown::Deny => "counts as a failure",
        OnUnknown::Warn => "is told, and does not fail a run",
        OnUnknown::Defer => "is told, and shows in the applied state",
    }
}

/// Returns the page that lists all rules.
pub fn index(policy: &Policy) -> String {
    let mut page = format!("# Rules\n\n{NOTE}\n\n| rule | severity | wants |\n|---|---|---|\n");
    for rule in &policy.rules {
        let (id, severity, title) =
            (&rule.about.id, rule.about.severity, markdown(&rule.about.title));
        writeln!(page, "| [{id}]({id}.md) | {severity} | {title} |")
            .expect("writing to a string can't fail");
    }
    page
}
