//! The report in `JUnit`'s format, as far as CI systems agree on it: <https://github.com/testmoapp/junitxml>.
//!
//! Written by hand: a library for it would add ten crates, and a third to the time that a fresh clone takes to build this.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use menagerie_lifecycle::{Case, Verdict};
use menagerie_naming::EnvName;

use super::count;

/// Returns the report of one run.
pub(super) fn render(name: &EnvName, cases: &[Case], at: Timestamp) -> String {
    let failures = count(cases, |verdict| matches!(verdict, Verdict::Failed { .. }));
    let skipped = count(cases, |verdict| matches!(verdict, Verdict::Skipped { .. }));
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{}\"",
        cases.len(),
        seconds(cases.iter().map(|case| case.time).sum()),
    );
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"env test\" {counts}>\n\
         <testsuite name=\"{name}\" timestamp=\"{at:.0}\" {counts}>\n"
    );
    for case in cases {
        text += &element(name, case);
    }
    text + "</testsuite>\n</testsuites>\n"
}

fn element(name: &EnvName, case: &Case) -> String {
    let (title, time) = (escape(&case.name), seconds(case.time));
    let start = format!("<testcase classname=\"{name}\" name=\"{title}\" time=\"{time}\"");
    match &case.verdict {
        Verdict::Passed => start + "/>\n",
        Verdict::Failed { reason, detail } => {
            let (reason, detail) = (escape(reason), escape(detail));
            format!("{start}>\n<failure message=\"{reason}\">{detail}</failure>\n</testcase>\n")
        }
        Verdict::Skipped { reason } => {
            format!("{start}>\n<skipped message=\"{}\"/>\n</testcase>\n", escape(reason))
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Returns text as it may stand in an element or an attribute: what XML 1.0 can't hold at all becomes a question mark.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // In an attribute, these would be read as spaces.
            '\t' | '\n' | '\r' => write!(escaped, "&#{};", u32::from(character))
                .expect("writing to a string can't fail"),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::env::facts::tests::now;
    use crate::env::test::tests::cases;

    #[test]
    fn one_of_each_verdict() {
        assert_snapshot!(render(&"calm-otter".parse().unwrap(), &cases(), now()), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="env test" tests="4" failures="2" errors="0" skipped="1" time="61.016">
        <testsuite name="calm-otter" timestamp="2026-07-24T10:00:05Z" tests="4" failures="2" errors="0" skipped="1" time="61.016">
        <testcase classname="calm-otter" name="health: GET /readyz" time="0.004"/>
        <testcase classname="calm-otter" name="read &lt;it&gt; back" time="0.012">
        <failure message="the status is 500, not &quot;200&quot;">&lt;h1&gt;a &amp; b?[m&lt;/h1&gt;</failure>
        </testcase>
        <testcase classname="calm-otter" name="command: make integration" time="61.000">
        <failure message="it ended with exit status: 1">one&#10;two ]]&gt;</failure>
        </testcase>
        <testcase classname="calm-otter" name="later" time="0.000">
        <skipped message="it is not healthy"/>
        </testcase>
        </testsuite>
        </testsuites>
        "#);
    }

    /// Whatever an application answers, a parser of XML reads it back.
    #[test]
    fn any_text() {
        let all: String = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
        let case = Case {
            name: all.clone(),
            time: Duration::ZERO,
            verdict: Verdict::Failed { reason: "]]>".to_owned(), detail: all.clone() },
            log: None,
        };
        let text = render(&"calm-otter".parse().unwrap(), &[case], now());
        let document = roxmltree::Document::parse(&text).unwrap();
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert_eq!(failure.attribute("message"), Some("]]>"));
        let is_told = |character: &char| !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        let read: String =
            failure.text().unwrap().chars().filter(|character| *character != '?').collect();
        let expected: String =
            all.chars().filter(|character| *character != '?').filter(is_told).collect();
        assert!(read == expected, "every other character comes back");
        let case = document.descendants().find(|node| node.has_tag_name("testcase")).unwrap();
        assert_eq!(case.attribute("name"), failure.text());
    }
}
