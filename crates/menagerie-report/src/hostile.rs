//! Laws that hold of all formats, whoever wrote what they show.

use menagerie_compliance::{
    About, Evaluation, Finding, Location, Place, Severity, Verdict, Waiver, WaiverUse,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::harmless::is_effective;
use crate::markdown::tests::check_harmless;
use crate::report::{Judgement, Report};
use crate::sample::{MAIN_TF, sample};
use crate::{github, json, junit, markdown, sarif, text};

/// What has an effect in one of the formats.
const FRAGMENTS: &[&str] = &[
    "\u{1b}[31m",
    "\u{9b}2J",
    "\n",
    "\r\n",
    "\n\n",
    "::error::x",
    "::stop-commands::x",
    "##[error]x",
    "##",
    "[",
    "%0A",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{e0041}",
    "\u{fffe}",
    "\u{0}",
    "<b>",
    "</details>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&lt;",
    "&#0;",
    "`",
    "``",
    "```\n",
    "~~~",
    "[a](https://b)",
    "![a](b)",
    "[a]: b",
    "@team",
    "#1",
    "GH-1",
    "https://x.y",
    "www.x.y",
    "a@b.c",
    "|",
    "$x$",
    "\\",
    "\"",
    "'",
    "*a*",
    "__a__",
    "- ",
    "1. ",
    "# ",
    "> ",
    "---",
    "===",
    "    a",
    "\t",
    "{0}",
    "../",
    "/",
    "a/",
    ":",
    ",",
    "ä",
    "(sensitive)",
];

fn words() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => select(FRAGMENTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z0-9_.]{1,8}",
    ];
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn place() -> impl Strategy<Value = Place> {
    let file = prop_oneof![Just("tf/a/main.tf".to_owned()), words()];
    let number = || prop_oneof![0_usize..12, Just(usize::MAX)];
    (file, number(), number(), number(), number()).prop_map(
        |(file, line, column, end_line, end_column)| Place {
            file,
            line,
            column,
            end_line,
            end_column,
        },
    )
}

fn finding() -> impl Strategy<Value = Finding> {
    let verdict = select(&[Verdict::Fail, Verdict::Unknown, Verdict::Waived, Verdict::Error][..]);
    let texts = (option::of(words()), option::of(words()), words(), words(), option::of(words()));
    let location = option::of((place(), vec((place(), words()), 0..3)));
    let rule = select(&["S3-001", "NAME-1", "PIN-1", "GONE-1"][..]);
    (
        verdict,
        any::<bool>(),
        texts,
        location,
        rule,
        select(&Severity::ALL[..]),
        vec(0_usize..3, 0..3),
    )
        .prop_map(|(verdict, counts, texts, location, rule, severity, waivers)| {
            let (address, attribute, message, root, environment) = texts;
            let location = location.map(|(primary, related)| Location { primary, related });
            Finding {
                rule: rule.parse().unwrap(),
                severity,
                verdict,
                counts,
                address,
                attribute,
                message,
                root,
                environment,
                location,
                waivers,
                ..sample().evaluation.findings[0].clone()
            }
        })
}

/// A policy and an evaluation, of which every text is somebody else's.
#[derive(Clone, Debug)]
struct Hostile {
    abouts: Vec<About>,
    waivers: Vec<Waiver>,
    evaluation: Evaluation,
    head: Option<Evaluation>,
    notes: Vec<String>,
    is_rehearsal: bool,
    file: String,
}

fn hostile() -> impl Strategy<Value = Hostile> {
    let texts = vec(words(), 12);
    let file = prop_oneof![
        Just(MAIN_TF.to_owned()),
        vec(words(), 0..8).prop_map(|lines| lines.join("\n"))
    ];
    let uses = vec(
        select(
            &[
                WaiverUse::Used,
                WaiverUse::Unused,
                WaiverUse::Changed,
                WaiverUse::Expired,
                WaiverUse::Outlives,
            ][..],
        ),
        2,
    );
    let head = option::of(vec(finding(), 0..3));
    (vec(finding(), 0..9), head, texts, file, uses, any::<bool>()).prop_map(
        |(findings, head, texts, file, uses, is_rehearsal)| {
            let mut sample = sample();
            let mut texts = texts.into_iter();
            let mut next = || texts.next().unwrap_or_default();
            let mut abouts: Vec<About> =
                sample.policy.rules.iter().map(|rule| rule.about.clone()).collect();
            for about in &mut abouts[..2] {
                (about.title, about.rationale) = (next(), next());
                (about.remediation, about.frameworks) = (next(), vec![next()]);
            }
            for waiver in &mut sample.policy.waivers {
                (waiver.owner, waiver.reason) = (next(), next());
            }
            let evaluation = |findings| Evaluation {
                findings,
                waivers: uses.clone(),
                ..sample.evaluation.clone()
            };
            let mut hostile = Hostile {
                abouts,
                head: head.map(evaluation),
                evaluation: evaluation(findings),
                waivers: sample.policy.waivers.clone(),
                notes: vec![next()],
                is_rehearsal,
                file,
            };
            if let Some(environment) = &mut hostile.evaluation.judged[0].environment {
                environment.name = hostile.notes[0].clone();
            }
            hostile
        },
    )
}

/// Panics if anything in a text could move a cursor, or be a command in the log of a workflow.
fn check_plain(text: &str) {
    let effective = text.chars().find(|letter| *letter != '\n' && is_effective(*letter));
    assert_eq!(effective, None, "{text}");
    assert!(!text.contains("##["), "{text}");
}

fn check_no_command(text: &str) {
    check_plain(text);
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
}

fn check_github(text: &str) {
    check_plain(text);
    for kind in ["error", "warning", "notice"] {
        let begin = format!("::{kind} ");
        assert!(text.lines().filter(|line| line.starts_with(&begin)).count() <= 10, "{text}");
    }
    for line in text.lines() {
        let kinds = ["::error ", "::warning ", "::notice "];
        if let Some(kind) = kinds.iter().find(|kind| line.starts_with(**kind)) {
            let (properties, _) = line[kind.len()..].split_once("::").unwrap();
            for property in properties.split(',') {
                let (key, value) = property.split_once('=').unwrap();
                let keys = ["file", "line", "endLine", "col", "endColumn", "title"];
                assert!(keys.contains(&key), "{line}");
                assert!(!value.contains(':'), "{line}");
            }
        } else {
            assert!(line.starts_with("left out, "), "{line}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_others_has_an_effect(hostile in hostile(), most in 0_usize..8_000) {
        let rules: Vec<&About> = hostile.abouts.iter().collect();
        let judgement = |evaluation| Judgement {
            rules: &rules,
            waivers: &hostile.waivers,
            evaluation,
            threshold: Severity::Medium,
        };
        let report = Report {
            judgement: judgement(&hostile.evaluation),
            head: hostile.head.as_ref().map(judgement),
            is_rehearsal: hostile.is_rehearsal,
            notes: &hostile.notes,
            files: &|file| (file != "README.md").then(|| hostile.file.clone()),
        };

        check_no_command(&text(&report, false));
        text(&report, true);

        let told = json(&report);
        check_plain(&told);
        let document: Value = serde_json::from_str(&told).unwrap();
        prop_assert_eq!(document["findings"].as_array().unwrap().len(), hostile.evaluation.findings.len());
        for (row, finding) in document["findings"].as_array().unwrap().iter().zip(&hostile.evaluation.findings) {
            prop_assert_eq!(row["message"].as_str().unwrap(), &finding.message);
        }

        let told = sarif(&report);
        check_plain(&told);
        let document: Value = serde_json::from_str(&told).unwrap();
        let wrong = crate::sarif::tests::wrong(&document).unwrap_or_default();
        prop_assert_eq!(wrong, Vec::<String>::new());
        for result in document["runs"][0]["results"].as_array().unwrap() {
            for location in result["locations"].as_array().unwrap() {
                let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
                prop_assert!(!uri.starts_with('/') && !uri.contains(':'), "{}", uri);
                prop_assert!(uri.split('/').all(|part| part != ".."), "{}", uri);
            }
        }

        let told = junit(&report);
        check_plain(&told);
        let document = roxmltree::Document::parse(&told).unwrap();
        let failures = document.descendants().filter(|node| node.has_tag_name("failure")).count();
        prop_assert_eq!(document.root_element().attribute("failures"), Some(&*failures.to_string()));

        check_github(&github(&report));

        let told = markdown(&report, most);
        check_plain(&told);
        check_harmless(&told);
        check_harmless(&markdown(&report, usize::MAX));
    }
}
