//! [`Waiver`]: somebody answers for a finding, until a day.

use std::path::Path;

use jiff::civil::Date;
use menagerie_config::ConfigErrors;

use crate::finding::Fingerprint;
use crate::glob::Glob;
use crate::rule::RuleId;
use crate::table::{Reader, Table};

/// Findings that somebody answers for until a day: those of a rule, at an address, with one of these fingerprints.
///
/// The fingerprint holds the value, so that a finding whose value changes is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The rule.
    pub rule: RuleId,
    /// The addresses.
    pub address: Glob,
    /// The attribute, as it stands in the finding; all of them where there is none.
    pub attribute: Option<String>,
    /// The environment in whose plan they are; without one, none of an environment's findings are meant.
    pub environment: Option<String>,
    /// The fingerprints of the findings.
    pub fingerprints: Vec<Fingerprint>,
    /// Why.
    pub reason: String,
    /// Who puts it right.
    pub owner: String,
    /// Who agreed.
    pub approved_by: String,
    /// Where it is written down.
    pub ticket: String,
    /// The first day.
    pub created: Date,
    /// The last day.
    pub expires: Date,
}

const KEYS: &[&str] = &[
    "rule",
    "address",
    "attribute",
    "environment",
    "fingerprints",
    "reason",
    "owner",
    "approved_by",
    "ticket",
    "created",
    "expires",
];

impl Waiver {
    /// Parses the text of a file of `[[waiver]]`s, none of which holds for more than `most_days`.
    pub fn parse_all(text: &str, file: &Path, most_days: i64) -> Result<Vec<Self>, ConfigErrors> {
        let (mut reader, root) = Reader::parse(text);
        let table = Table::root(&root);
        reader.allow(&table, &["waiver"]);
        let tables = reader.tables(&table, "waiver");
        let waivers: Vec<Option<Self>> =
            tables.iter().map(|table| Self::read(&mut reader, table, most_days)).collect();
        reader.end(file)?;
        Ok(waivers.into_iter().flatten().collect())
    }

    fn read<'a>(reader: &mut Reader<'a>, table: &Table<'_, 'a>, most_days: i64) -> Option<Self> {
        reader.allow(table, KEYS);
        for (key, example) in [
            ("rule", "\"S3-001\""),
            ("address", "\"module.*.aws_s3_bucket.this\""),
            ("fingerprints", "[\"0123456789abcdef\"]"),
            ("reason", "\"why it is right for now\""),
            ("owner", "\"ada\""),
            ("approved_by", "\"grace\""),
            ("ticket", "\"SEC-1\""),
            ("created", "2026-07-24"),
            ("expires", "2026-08-24"),
        ] {
            reader.require(table, key, example);
        }
        let rule = reader.parsed(table, "rule");
        let address = reader.string(table, "address");
        let attribute = reader.string(table, "attribute");
        let environment = reader.string(table, "environment");
        let fingerprints = reader.list(table, "fingerprints");
        if fingerprints.is_empty() && table.has("fingerprints") && reader.is_right() {
            reader.note(
                &table.span_of("fingerprints"),
                "a waiver without a fingerprint waives nothing",
            );
        }
        let mut text = |key: &str| {
            let text = reader.string(table, key);
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                reader.note(&table.span_of(key), format!("`{key}` is empty"));
            }
            text
        };
        let (reason, owner) = (text("reason"), text("owner"));
        let (approved_by, ticket) = (text("approved_by"), text("ticket"));
        let created = reader.date(table, "created");
        let expires = reader.date(table, "expires");
        if let (Some(created), Some(expires)) = (created, expires) {
            let days = i64::from((expires - created).get_days());
            let span = table.span_of("expires");
            if days < 0 {
                reader.note(&span, "`expires` is before `created`");
            } else if days > most_days {
                let message = format!(
                    "this waiver holds for {days} days, and at most {most_days} are allowed"
                );
                reader.note_with_hint(
                    &span,
                    message,
                    "`max_waiver_days` in `policy.toml` sets the most",
                );
            }
        }
        Some(Self {
            rule: rule?,
            address: Glob::new(address?),
            attribute,
            environment,
            fingerprints,
            reason: reason?,
            owner: owner?,
            approved_by: approved_by?,
            ticket: ticket?,
            created: created?,
            expires: expires?,
        })
    }

    /// Returns whether it is in force.
    pub fn holds_on(&self, today: Date) -> bool {
        self.created <= today && today <= self.expires
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"[[waiver]]
rule = "S3-001"
address = "module.*"
fingerprints = ["0123456789abcdef"]
reason = "a public web site"
owner = "ada"
approved_by = "grace"
ticket = "SEC-1"
created = 2026-07-24
expires = 2026-08-24
"#;

    fn parse(text: &str) -> Result<Vec<Waiver>, String> {
        Waiver::parse_all(text, Path::new("waivers.toml"), 90).map_err(|error| error.to_string())
    }

    #[test]
    fn a_waiver() {
        let waivers = parse(TEXT).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (today, expected) in [
            ("2026-07-23", false),
            ("2026-07-24", true),
            ("2026-08-24", true),
            ("2026-08-25", false),
        ] {
            assert_eq!(waivers[0].holds_on(day(today)), expected, "{today}");
        }
    }

    #[track_caller]
    fn check(from: &str, to: &str, expected: &str) {
        let error = parse(&TEXT.replace(from, to)).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn one_that_never_ends() {
        assert_snapshot!(parse(&TEXT.replace("expires = 2026-08-24\n", "")).unwrap_err(), @r"
        waivers.toml:1:1: `expires` is missing
          |
        1 | [[waiver]]
          | ^^^^^^^^^^
          = hint: for example `expires = 2026-08-24`
        ");
        check("2026-08-24", "2027-08-24", "holds for 396 days, and at most 90 are allowed");
        check("2026-08-24", "2025-08-24", "waivers.toml:10:11: `expires` is before `created`");
        check("2026-08-24", "\"never\"", "is a date without quotes");
        check("0123456789abcdef", "*", "`*` is no fingerprint");
        check("[\"0123456789abcdef\"]", "[]", "a waiver without a fingerprint waives nothing");
        check("rule", "rul", "did you mean `rule`?");
        check("SEC-1", " ", "`ticket` is empty");
    }

    proptest! {
        #[test]
        fn what_is_no_waiver_is_refused_and_what_is_one_ends(
            text in "\\PC{0,60}",
            dates in "20(26|27)-[01][0-9]-[0-3][0-9]",
            at in 0..TEXT.len(),
            length in 0..20_usize,
        ) {
            let _ = parse(&text);
            let end = (at + length).min(TEXT.len());
            for text in [
                format!("{}{text}{}", &TEXT[..at], &TEXT[end..]),
                TEXT.replace("2026-08-24", &dates),
                TEXT.replace("2026-07-24", &dates),
                format!("{TEXT}{text}{TEXT}"),
            ] {
                for waiver in parse(&text).unwrap_or_default() {
                    let days = waiver.created.until(waiver.expires).unwrap().get_days();
                    prop_assert!((0..=90).contains(&days), "{}", text);
                    prop_assert!(!waiver.holds_on(waiver.expires.tomorrow().unwrap()));
                }
            }
        }
    }
}
