//! Rules as SARIF has them.

use menagerie_compliance::{About, Severity};
use serde_json::{Value, json};

use crate::harmless;

/// The most tags of a rule that GitHub shows.
pub(super) const TAGS: usize = 10;

/// Returns a rule, as GitHub shows it beside each of its results.
pub(super) fn rule(about: &About) -> Value {
    let mut tags = vec!["security"];
    for tag in about.frameworks.iter().map(String::as_str) {
        if tags.len() < TAGS && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let mut properties = json!({"tags": tags});
    if let Some(score) = score(about.severity) {
        properties["security-severity"] = score.into();
    }
    let (rationale, remediation) = (about.rationale.trim(), about.remediation.trim());
    json!({
        "id": about.id,
        "shortDescription": {"text": or_id(about, about.title.trim())},
        "fullDescription": {"text": or_id(about, rationale)},
        "help": {
            "text": format!("{rationale}\n\nHow to put it right: {remediation}"),
            "markdown": format!(
                "{}\n\n**How to put it right**\n\n{}",
                harmless::comment_lines(rationale),
                harmless::comment_lines(remediation)
            ),
        },
        "defaultConfiguration": {"level": level(about.severity)},
        "properties": properties,
    })
}

fn or_id<'a>(about: &'a About, text: &'a str) -> &'a str {
    if text.is_empty() { about.id.as_str() } else { text }
}

/// Returns how bad it is for readers that know three levels.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// Returns a score that GitHub reads as the severity of the same name; it knows none for what is only worth knowing.
fn score(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => None,
    }
}
