//! The report in `JUnit`'s format, as far as CI systems agree on it: <https://github.com/testmoapp/junitxml>.
//!
//! Written by hand: a library for it would add ten crates, and a third to the time that a fresh clone takes to build this.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;

use crate::output;

/// Cases that belong together.
pub(crate) struct Suite<'a> {
    pub(crate) name: &'a str,
    pub(crate) cases: Vec<Case<'a>>,
}

/// One case, and where it stands if it stands in a file.
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) place: Option<(&'a str, Option<usize>)>,
    pub(crate) time: Duration,
    pub(crate) outcome: Outcome<'a>,
}

/// What came of a case.
pub(crate) enum Outcome<'a> {
    Passed,
    Failed { message: &'a str, text: &'a str },
    Skipped { message: &'a str },
}

/// Writes the report of one run of a command; whoever reads it may be another user, unlike of all else that is written here.
pub(crate) fn write(
    file: &Path,
    command: &str,
    suites: &[Suite<'_>],
    at: Timestamp,
) -> anyhow::Result<()> {
    if let Some(parent) = file.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)
            .with_context(|| format!("failed to create `{}`", parent.display()))?;
    }
    fs::write(file, render(command, suites, at))
        .with_context(|| format!("failed to write `{}`", file.display()))?;
    output::say(&format!("wrote `{}`", file.display()));
    Ok(())
}

/// Returns the report of one run of a command.
fn render(command: &str, suites: &[Suite<'_>], at: Timestamp) -> String {
    let all = counts(suites.iter().flat_map(|suite| &suite.cases));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {all}>\n",
        escape(command)
    );
    for Suite { name, cases } in suites {
        let (name, counts) = (escape(name), counts(cases));
        writeln!(text, "<testsuite name=\"{name}\" timestamp=\"{at:.0}\" {counts}>")
            .expect("writing to a string can't fail");
        for case in cases {
            text += &element(&name, case);
        }
        text += "</testsuite>\n";
    }
    text + "</testsuites>\n"
}

fn counts<'a>(cases: impl IntoIterator<Item = &'a Case<'a>>) -> String {
    let (mut tests, mut failures, mut skipped, mut time) = (0, 0, 0, Duration::ZERO);
    for case in cases {
        tests += 1;
        time += case.time;
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Failed { .. } => failures += 1,
            Outcome::Skipped { .. } => skipped += 1,
        }
    }
    let time = seconds(time);
    format!(
        "tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time}\""
    )
}

fn element(suite: &str, case: &Case<'_>) -> String {
    let (title, time) = (escape(case.name), seconds(case.time));
    let place = case.place.map(|(file, line)| {
        let line = line.map(|line| format!(" line=\"{line}\"")).unwrap_or_default();
        format!(" file=\"{}\"{line}", escape(file))
    });
    let place = place.unwrap_or_default();
    let start = format!("<testcase classname=\"{suite}\" name=\"{title}\"{place} time=\"{time}\"");
    match &case.outcome {
        Outcome::Passed => start + "/>\n",
        Outcome::Failed { message, text } => {
            let (message, text) = (escape(message), escape(text));
            format!("{start}>\n<failure message=\"{message}\">{text}</failure>\n</testcase>\n")
        }
        Outcome::Skipped { message } => {
            format!("{start}>\n<skipped message=\"{}\"/>\n</testcase>\n", escape(message))
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

    fn case<'a>(name: &'a str, millis: u64, outcome: Outcome<'a>) -> Case<'a> {
        Case { name, place: None, time: Duration::from_millis(millis), outcome }
    }

    #[test]
    fn one_of_each_outcome() {
        let failed = |message, text| Outcome::Failed { message, text };
        let first = vec![
            case("health: GET /readyz", 4, Outcome::Passed),
            case(
                "read <it> back",
                12,
                failed("the status is 500, not \"200\"", "<h1>a & b\u{1b}[m</h1>"),
            ),
            case(
                "command: make integration",
                61_000,
                failed("it ended with exit status: 1", "one\ntwo ]]>"),
            ),
            case("later", 0, Outcome::Skipped { message: "it is not healthy" }),
        ];
        let place = Some(("tf/a/tests/one.tftest.hcl", Some(7)));
        let second = vec![Case { place, ..case("one", 1, Outcome::Passed) }];
        let suites =
            [Suite { name: "calm-otter", cases: first }, Suite { name: "tf/a", cases: second }];
        assert_snapshot!(render("env test", &suites, now()), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="env test" tests="5" failures="2" errors="0" skipped="1" time="61.017">
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
        <testsuite name="tf/a" timestamp="2026-07-24T10:00:05Z" tests="1" failures="0" errors="0" skipped="0" time="0.001">
        <testcase classname="tf/a" name="one" file="tf/a/tests/one.tftest.hcl" line="7" time="0.001"/>
        </testsuite>
        </testsuites>
        "#);
    }

    /// Whatever an application answers, a parser of XML reads it back.
    #[test]
    fn any_text() {
        let all: String = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
        let case = case(&all, 0, Outcome::Failed { message: "]]>", text: &all });
        let text = render("env test", &[Suite { name: "calm-otter", cases: vec![case] }], now());
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
