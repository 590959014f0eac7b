//! `docs/compliance/records.md` and the records have the same kinds and attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use menagerie_evidence::{
    GithubAnswers, PipelineOptions, Texts, read_application, read_inventory, read_pipeline,
};
use serde_json::Value;

type Names = BTreeMap<String, BTreeSet<String>>;

const WORKFLOW: &str = "
on: push
concurrency: one
jobs:
  build:
    services: { db: { image: postgres } }
    steps:
      - uses: actions/checkout@v7
  call:
    uses: ./.github/workflows/a.yml
";

const ENVIRONMENT: &str = r#"
name = "calm-otter"
owner = "ada"
created = 2026-11-20T10:00:00Z
expires = 2026-11-24T23:00:00Z
hosting = "local"
size = "small"
[template]
version = 1
"#;

/// Returns the kinds that are read, each with its attributes, and with theirs where these are always the same.
fn read() -> Names {
    let files: Texts = [
        (".github/workflows/a.yml", WORKFLOW),
        ("action.yml", "runs: { using: docker, image: 'docker://alpine' }"),
        ("CODEOWNERS", "* @ada"),
        ("tf/envs/calm-otter/env.toml", ENVIRONMENT),
        ("Cargo.lock", "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n"),
        ("Dockerfile", "FROM alpine"),
    ]
    .into_iter()
    .collect();
    let answers = r#"{"environments/production": {"name": "production"}}"#;
    let answers = GithubAnswers::parse(answers).expect("it is what GitHub answers");
    let options = PipelineOptions { branches: &["development"], answers: Some(&answers) };
    let today = "2026-11-24".parse().expect("it is a day");
    let mut names = Names::new();
    for evidence in
        [read_pipeline(&files, options), read_inventory(&files, today), read_application(&files)]
    {
        assert_eq!(evidence.unreadable, []);
        for record in evidence.records {
            let attributes = names.entry(record.kind).or_default();
            for (name, value) in record.values.as_object().expect("attributes have names") {
                attributes.insert(name.clone());
                if let ("concurrency" | "settings", Value::Object(inner)) = (name.as_str(), value) {
                    attributes.extend(inner.keys().cloned());
                }
            }
        }
    }
    names
}

/// Returns the kinds of the page's tables from a heading on, each with all that its row sets in code.
fn page() -> Names {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compliance/records.md");
    let text = std::fs::read_to_string(path).expect("the page is there");
    let sections = ["pipeline", "inventory", "application"].map(|input| {
        let heading = format!("## `input = \"{input}\"`");
        let start = text.find(&heading).unwrap_or_else(|| panic!("the page has {heading}"));
        let rest = &text[start + heading.len()..];
        &rest[..rest.find("\n## ").unwrap_or(rest.len())]
    });
    let rows = sections.into_iter().flat_map(str::lines).filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [kind, _, attributes] = cells[..] else { panic!("a row has three cells: {row}") };
        let code = |cell: &str| -> Vec<String> {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        (code(kind).swap_remove(0), code(attributes).into_iter().collect())
    })
    .collect()
}

/// Words of a row that are no attributes: examples of values.
const EXAMPLES: &[&str] = &[
    "\"inherit\"",
    "2026-11-24T18:00:00Z",
    "--checksum",
    "ADD",
    "USER",
    "actions/checkout",
    "cargo",
    "npm",
    "pip",
    "scratch",
    "uses",
];

#[test]
fn the_page_has_each_kind_and_attribute_and_no_other() {
    let (read, page) = (read(), page());
    assert_eq!(read.keys().collect::<Vec<_>>(), page.keys().collect::<Vec<_>>());
    for (kind, attributes) in &read {
        let told = &page[kind];
        let missing: Vec<_> = attributes.difference(told).collect();
        assert!(missing.is_empty(), "the row of `{kind}` lacks {missing:?}");
        let excess: Vec<_> =
            told.difference(attributes).filter(|word| !EXAMPLES.contains(&word.as_str())).collect();
        assert!(excess.is_empty(), "`{kind}` has no {excess:?}");
    }
}
