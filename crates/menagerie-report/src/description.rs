//! [`Description`]: what a rule wants, however it is written, for its page and for whoever asks.

use std::fmt::Write as _;

use menagerie_compliance::{About, OnUnknown, Rule};

use crate::harmless::{markdown, plain, plain_lines, prose};

const NOTE: &str = "<!-- `cargo xtask comply pages` wrote this from the rule. -->";

/// What a rule wants.
#[derive(Clone, Debug)]
pub struct Description<'a> {
    about: &'a About,
    rows: Vec<(&'static str, String)>,
}

impl<'a> Description<'a> {
    /// Returns that of a rule of keys and values.
    pub fn of(rule: &'a Rule) -> Self {
        let mut rows = vec![("is about", rule.subject())];
        rows.extend(rule.assertions.iter().map(|assertion| ("wants", assertion.to_string())));
        if rule.forbid {
            rows.push(("wants", "that there is none".to_owned()));
        }
        if let Some(expect) = rule.expect {
            rows.push(("wants", format!("{expect} of them")));
        }
        let unknown = match rule.on_unknown {
            OnUnknown::Deny => "counts as a failure",
            OnUnknown::Warn => "is told, and does not fail a run",
            OnUnknown::Defer => "is told, and shows in the applied state",
        };
        rows.push(("unknown before apply", unknown.to_owned()));
        Self { about: &rule.about, rows }
    }

    /// Returns that of a rule which is a program: where it stands, such as `package network in network.rego`.
    pub fn of_program(about: &'a About, place: &str) -> Self {
        Self { about, rows: vec![("is written in", place.to_owned())] }
    }

    /// Returns it for people.
    pub fn text(&self) -> String {
        let about = self.about;
        let mut text = format!(
            "{} ({}): {}\n\n{}\n\n",
            about.id,
            about.severity,
            plain(&about.title),
            plain_lines(&about.rationale),
        );
        let frameworks = about.frameworks.join(", ");
        let mut rows: Vec<(&str, String)> =
            self.rows.iter().map(|(label, value)| (*label, plain(value))).collect();
        if !frameworks.is_empty() {
            rows.push(("part of", plain(&frameworks)));
        }
        rows.push(("fix", plain_lines(&about.remediation)));
        let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
        for (label, value) in rows {
            let value = value.replace('\n', &format!("\n{:width$}  ", ""));
            writeln!(text, "{label:<width$}  {value}").expect("writing to a string can't fail");
        }
        text
    }

    /// Returns its page.
    pub fn page(&self) -> String {
        let about = self.about;
        let mut page = format!(
            "# {}: {}\n\n{NOTE}\n\n{}\n\n| | |\n| --- | --- |\n| severity | {} |\n",
            about.id,
            markdown(&about.title),
            prose(&about.rationale),
            about.severity
        );
        let mut row = |label: &str, value: &str| {
            writeln!(page, "| {label} | {} |", value.replace('|', "\\|"))
                .expect("writing to a string can't fail");
        };
        for (label, value) in &self.rows {
            row(label, &prose(&plain(value)));
        }
        if !about.frameworks.is_empty() {
            // It is escaped already.
            let frameworks = markdown(&about.frameworks.join(", ")).replace("\\|", "|");
            row("part of", &frameworks);
        }
        page + "\n## How to put it right\n\n" + &prose(&about.remediation) + "\n"
    }
}

/// Returns the page that lists all rules.
pub fn index(rules: &[&About]) -> String {
    let mut page = format!("# Rules\n\n{NOTE}\n\n| rule | severity | wants |\n|---|---|---|\n");
    for about in rules {
        let (id, severity, title) = (&about.id, about.severity, markdown(&about.title));
        writeln!(page, "| [{id}]({id}.md) | {severity} | {title} |")
            .expect("writing to a string can't fail");
    }
    page
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::sample::sample;

    #[test]
    fn a_rule_of_keys_and_values() {
        let sample = sample();
        let description = Description::of(sample.policy.rule("S3-001").unwrap());
        assert_snapshot!(description.text(), @r#"
        S3-001 (critical): Buckets are private

        What is public by accident is the most common leak.

        is about              `aws_s3_bucket`
        wants                 `acl` must be `"private"`
        unknown before apply  is told, and shows in the applied state
        part of               CIS AWS 2.1.4, SOC 2 CC6.1
        fix                   Set `acl = "private"`.
                              Ask <security> where it can't be.
        "#);
        assert_snapshot!(description.page(), @r#"
        # S3-001: Buckets are private

        <!-- `cargo xtask comply pages` wrote this from the rule. -->

        What is public by accident is the most common leak.

        | | |
        | --- | --- |
        | severity | critical |
        | is about | `aws_s3_bucket` |
        | wants | `acl` must be `"private"` |
        | unknown before apply | is told, and shows in the applied state |
        | part of | CIS AWS 2.1.4, SOC 2 CC6.1 |

        ## How to put it right

        Set `acl = "private"`.
        Ask &lt;security&gt; where it can't be.
        "#);
    }

    #[test]
    fn a_rule_that_is_a_program() {
        let sample = sample();
        let about = &sample.policy.rule("PIN-1").unwrap().about;
        let place = "package `a|b` in `pins.rego`\u{1b}";
        let description = Description::of_program(about, place);
        assert!(
            description.text().contains("is written in  package `a|b` in `pins.rego`\\u{1b}\n")
        );
        let page = description.page();
        assert!(
            page.contains("| is written in | package `a\\|b` in `pins.rego`\\u{1b} |\n"),
            "{page}"
        );
    }

    #[test]
    fn a_list_of_rules() {
        let sample = sample();
        let index = index(&sample.rules());
        assert!(
            index.contains("\n| [PIN-1](PIN-1.md) | medium | Modules are pinned |\n"),
            "{index}"
        );
    }
}
