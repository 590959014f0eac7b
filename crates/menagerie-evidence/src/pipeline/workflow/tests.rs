//! Whole workflows, as people write them and as nobody should.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use crate::{Evidence, PipelineOptions, Record, Texts, read_pipeline};

const DEPLOY: &str = r#"name: deploy
on:
  push:
    branches: [development]
  workflow_dispatch:
permissions: {}
concurrency:
  group: deploy-${{ github.ref }}
  cancel-in-progress: false
jobs:
  plan:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - &checkout
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: exec cargo xtask ci plan
  deploy:
    needs: plan
    runs-on: ${{ matrix.runner }}
    environment:
      name: ${{ github.event_name == 'release' && 'production' || 'development' }}
    permissions:
      contents: read
      id-token: write
    services:
      postgres:
        image: postgres:17
    steps:
      - *checkout
      - uses: aws-actions/configure-aws-credentials@v6
        with: { role-to-assume: "${{ vars.APPLY_ROLE_ARN }}" }
      - name: deploy
        run: exec cargo xtask ci deploy
        env:
          GITHUB_TOKEN: ${{ github.token }}
  call:
    uses: org/shared/.github/workflows/x.yml@main
    secrets: inherit
"#;

fn read(text: &str) -> Evidence {
    let files: Texts = [(".github/workflows/a.yml", text)].into_iter().collect();
    let mut evidence = read_pipeline(&files, PipelineOptions::default());
    evidence.records.retain(|record| record.kind != "codeowners");
    evidence
}

fn find(evidence: &Evidence, what: &str) -> Record {
    let address = format!(".github/workflows/a.yml:{what}");
    let record = evidence.records.iter().find(|record| record.address == address);
    record.unwrap_or_else(|| panic!("{address} is there")).clone()
}

/// Returns place, kind and address of each record, and what could not be read.
fn summary(evidence: &Evidence) -> String {
    let records = evidence.records.iter().map(|record| {
        let place = record.place.as_ref().unwrap();
        let what = record.address.split_once(':').unwrap().1;
        format!("{}:{}-{} {} {what}", place.line, place.column, place.end_column, record.kind)
    });
    let unreadable = evidence.unreadable.iter().map(ToString::to_string);
    records.chain(unreadable).collect::<Vec<_>>().join("\n")
}

#[test]
fn places() {
    assert_snapshot!(summary(&read(DEPLOY)), @"
    1:1-5 workflow workflow
    11:3-7 job jobs.plan
    16:15-72 step jobs.plan.steps[0]
    19:9-12 step jobs.plan.steps[1]
    20:3-9 job jobs.deploy
    16:15-72 step jobs.deploy.steps[0]
    33:15-55 step jobs.deploy.steps[1]
    36:9-12 step jobs.deploy.steps[2]
    39:3-7 job jobs.call
    ");
}

#[test]
fn a_workflow() {
    let workflow = find(&read(DEPLOY), "workflow");
    assert_eq!(
        workflow.values,
        json!({
            "name": "deploy",
            "triggers": ["push", "workflow_dispatch"],
            "on": {"push": {"branches": ["development"]}, "workflow_dispatch": {}},
            "has_permissions": true,
            "permissions": {},
            "writes": [],
            "concurrency": {"group": "deploy-${{ github.ref }}", "cancel_in_progress": false},
        })
    );
    assert_eq!(workflow.unknown, json!(null));
}

#[test]
fn jobs() {
    let evidence = read(DEPLOY);
    let plan = find(&evidence, "jobs.plan");
    assert_eq!(
        (&plan.values["permissions"], &plan.values["timeout_minutes"], &plan.values["runs_on"]),
        (&json!({}), &json!(30), &json!(["ubuntu-24.04"]))
    );
    let deploy = find(&evidence, "jobs.deploy");
    assert_eq!(deploy.unknown, json!({"runs_on": true, "environment": true}));
    assert_eq!(deploy.values["writes"], json!(["id-token"]));
    assert_eq!(deploy.values["needs"], json!(["plan"]));
    assert_eq!(deploy.values["timeout_minutes"], json!(null));
    assert_eq!(deploy.values["images"], json!(["postgres:17"]));
    assert_eq!(deploy.values["has_pinned_images"], json!(false));
    let call = find(&evidence, "jobs.call");
    assert_eq!(call.values["action"], "org/shared/.github/workflows/x.yml");
    assert_eq!((&call.values["ref"], &call.values["secrets"]), (&json!("main"), &json!("inherit")));
}

#[test]
fn steps() {
    let evidence = read(DEPLOY);
    let checkout = find(&evidence, "jobs.deploy.steps[0]").values;
    assert_eq!(
        (&checkout["is_pinned"], &checkout["persist_credentials"]),
        (&json!(true), &json!(false))
    );
    let aws = find(&evidence, "jobs.deploy.steps[1]").values;
    assert_eq!(
        (&aws["action"], &aws["is_pinned"]),
        (&json!("aws-actions/configure-aws-credentials"), &json!(false))
    );
    assert_eq!(aws.get("persist_credentials"), None);
    let run = find(&evidence, "jobs.deploy.steps[2]").values;
    assert_eq!(
        (&run["run"], &run["env"]),
        (&json!("exec cargo xtask ci deploy"), &json!({"GITHUB_TOKEN": "${{ github.token }}"}))
    );
    assert_eq!(run.get("uses"), None);
}

#[test]
fn what_nobody_says_is_not_known() {
    let evidence = read(
        "on: push\njobs:\n  a:\n    continue-on-error: ${{ matrix.x }}\n    timeout-minutes: ${{ vars.T }}\n    steps:\n      - uses: Actions/Checkout@v7\n",
    );
    let job = find(&evidence, "jobs.a");
    assert_eq!(job.values["has_permissions"], json!(false));
    assert_eq!(
        job.unknown,
        json!({"permissions": true, "writes": true, "timeout_minutes": true, "continue_on_error": true})
    );
    assert_eq!(find(&evidence, "jobs.a.steps[0]").values["persist_credentials"], json!(true));
}

#[test]
fn permissions_in_words() {
    let evidence = read(
        "on: [push, pull_request]\npermissions: write-all\njobs:\n  a:\n    permissions: read-all\n  b: {}\n",
    );
    assert_eq!(find(&evidence, "jobs.a").values["writes"], json!([]));
    let writes = find(&evidence, "jobs.b").values["writes"].clone();
    assert!(writes.as_array().unwrap().contains(&json!("contents")), "{writes}");
    assert_eq!(find(&evidence, "workflow").values["triggers"], json!(["pull_request", "push"]));
}

#[test]
fn what_is_no_workflow_is_told_and_the_rest_is_read() {
    let summary_of = |text| summary(&read(text));
    assert_snapshot!(summary_of(""), @".github/workflows/a.yml:1:1: there is no map of keys and values");
    assert_snapshot!(summary_of("on: push\njobs: [a]\n"), @"
    1:1-3 workflow workflow
    .github/workflows/a.yml:2:7: `jobs` is no map of jobs
    ");
    assert_snapshot!(summary_of("jobs:\n  a:\n    permissions: all\n    steps: {}\n  'b c': {}\n  d: 1\n  e:\n    steps:\n      - x\n      - run: y\n"), @"
    1:1-5 workflow workflow
    2:3-4 job jobs.a
    7:3-4 job jobs.e
    10:9-12 step jobs.e.steps[1]
    .github/workflows/a.yml:1:1: a workflow says in `on` what starts it
    .github/workflows/a.yml:3:18: `permissions` is a map, `read-all` or `write-all`; `{}` allows nothing
    .github/workflows/a.yml:4:12: `jobs.a.steps` is no list
    .github/workflows/a.yml:5:3: the name of a job is at most 100 letters, digits, `-` and `_`
    .github/workflows/a.yml:6:6: `jobs.d` is no map
    .github/workflows/a.yml:9:9: `jobs.e.steps[0]` is no map
    ");
}

#[test]
fn actions_of_the_repository() {
    let files: Texts = [
        (".github/actions/a/action.yml", "name: a\nruns:\n  using: composite\n  steps:\n    - uses: ./x\n    - run: y\n      shell: bash\n"),
        (".github/actions/b/action.yaml", "runs: {using: docker, image: 'docker://alpine:3'}\n"),
        ("action.yml", "name: c\n"),
        ("elsewhere/action.yml", "]"),
    ].into_iter().collect();
    let evidence = read_pipeline(&files, PipelineOptions::default());
    let found: Vec<_> = evidence
        .records
        .iter()
        .map(|record| (record.address.as_str(), &record.values["is_pinned"]))
        .collect();
    assert_eq!(
        found[..4],
        [
            (".github/actions/a/action.yml:action", &json!(true)),
            (".github/actions/a/action.yml:runs.steps[0]", &json!(false)),
            (".github/actions/a/action.yml:runs.steps[1]", &json!(null)),
            (".github/actions/b/action.yaml:action", &json!(false)),
        ]
    );
    assert_eq!(evidence.unreadable.len(), 1);
}

#[test]
fn actions_that_are_named_are_read_wherever_they_lie() {
    let workflow = "on: push\njobs:\n  a:\n    steps:\n      - uses: ./ci/one\n      - uses: ./ci/../ci/one/\n      - uses: ./fetched/two\n      - uses: ./../out\n";
    let one = "runs:\n  using: composite\n  steps:\n    - uses: ./ci/one\n    - uses: ./\n    - uses: org/a@v1\n";
    let files: Texts = [
        (".github/workflows/a.yml", workflow),
        ("ci/one/action.yaml", one),
        ("action.yml", "runs: {using: node24, main: a.js}"),
    ]
    .into_iter()
    .collect();
    let evidence = read_pipeline(&files, PipelineOptions::default());
    let steps: Vec<String> = evidence
        .records
        .iter()
        .filter(|record| record.kind == "step")
        .map(|record| {
            format!("{} {}", record.values["uses"].as_str().unwrap(), record.values["is_pinned"])
        })
        .collect();
    assert_eq!(
        steps,
        [
            "./ci/one true",
            "./ci/../ci/one/ true",
            "./fetched/two false",
            "./../out false",
            "./ci/one true",
            "./ true",
            "org/a@v1 false"
        ]
    );
    assert_eq!(evidence.unreadable, []);
}

fn yaml() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "on",
        "jobs",
        "steps",
        "uses",
        "run",
        "with",
        "permissions",
        "environment",
        "name",
        "concurrency",
        "secrets",
        "services",
        "container",
        "runs-on",
        "persist-credentials",
        "read-all",
        "write-all",
        "actions/checkout@v1",
        "${{ x }}",
        "a",
        "",
        "1",
    ]);
    let leaf = words.clone().prop_map(|word| format!("{word:?}"));
    leaf.prop_recursive(6, 60, 5, move |inner| {
        let pair =
            (words.clone(), inner.clone()).prop_map(|(key, value)| format!("{key:?}: {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5)
                .prop_map(|values| format!("[{}]", values.join(", "))),
            prop::collection::vec(pair, 0..8).prop_map(|pairs| format!("{{{}}}", pairs.join(", "))),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_stands_there_nothing_panics(jobs in yaml(), root in yaml(), job in yaml()) {
        for text in [&root, &format!("{{on: push, jobs: {jobs}}}"), &format!("{{on: {root}, jobs: {{a: {job}}}}}")] {
            let files: Texts = [(".github/workflows/a.yml", text.as_str()), ("action.yml", text)].into_iter().collect();
            let evidence = read_pipeline(&files, PipelineOptions::default());
            prop_assert!(!evidence.records.is_empty());
            for record in evidence.records.iter().filter(|record| record.kind != "codeowners") {
                prop_assert!(record.place.is_some());
                prop_assert!(record.values.is_object());
            }
        }
    }
}
