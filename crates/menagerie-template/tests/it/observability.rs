//! What a collector is told for each backend of observability: rendered by the real Terraform in a rehearsal, read by a YAML
//! parser. No collector can be had where these tests run, so that what it refuses of a configuration is checked here instead.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::modules::copy;
use crate::terraform::{built, has_terraform, succeed};
use crate::tree::tree;

/// The providers as a generated root has them: keys come from the environment, and a rehearsal needs none.
const PROVIDERS: &str = r#"provider "aws" {
  region = "eu-central-1"
}
"#;

/// Each with its endpoint, and what its secret is called.
const BACKENDS: [(&str, Option<&str>, Option<&str>); 5] = [
    ("cloudwatch", None, None),
    ("datadog", Some("https://api.datadoghq.eu"), Some("datadog")),
    ("newrelic", None, Some("newrelic")),
    ("elk", Some("https://apm.example.com:8200"), Some("elk")),
    ("tick", Some("http://telegraf.internal:4317"), None),
];

/// Returns the planned collectors, by backend: each with `image`, `config` and `secrets`.
fn collectors() -> Option<Value> {
    if !has_terraform() {
        return None;
    }
    let provider = built("menagerie-provider")?;
    let directory = tempfile::tempdir().unwrap();
    let (stdin, hold) = std::io::pipe().unwrap();
    let (answer, stdout) = std::io::pipe().unwrap();
    let world = directory.path().join("world");
    let handle = duct::cmd(&provider, ["rehearse".as_ref(), "--dir".as_ref(), world.as_os_str()])
        .stdin_file(stdin)
        .stdout_file(stdout)
        .stderr_path(directory.path().join("provider.log"))
        .unchecked()
        .start()
        .unwrap();
    let mut reattach = String::new();
    BufReader::new(answer).read_line(&mut reattach).unwrap();
    assert!(
        !reattach.trim().is_empty(),
        "{:?}",
        fs::read_to_string(directory.path().join("provider.log"))
    );

    // A copy, since what a local source leads to must lie in one tree with what leads there.
    copy(&tree(), &directory.path().join("tf"));
    let root = directory.path().join("tf/root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("main.tf"), PROVIDERS.to_owned() + &calls()).unwrap();
    let environment = [("TF_REATTACH_PROVIDERS", reattach.trim())];
    succeed(&root, &["init", "-no-color", "-input=false"], &environment);
    succeed(&root, &["plan", "-no-color", "-input=false", "-out=tfplan"], &environment);
    let plan = succeed(&root, &["show", "-json", "tfplan"], &environment);
    drop(hold);
    assert!(handle.wait().unwrap().status.success(), "the rehearsal ends well");
    let plan: Value = serde_json::from_str(&plan).unwrap();
    Some(plan["planned_values"]["outputs"]["collectors"]["value"].clone())
}

fn calls() -> String {
    let mut calls = String::new();
    let mut values = Vec::new();
    let quoted = |text: Option<String>| text.map_or("null".to_owned(), |text| format!("{text:?}"));
    for (backend, endpoint, key) in BACKENDS {
        let endpoint = quoted(endpoint.map(str::to_owned));
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret";
        let secret = quoted(key.map(|key| format!("{arn}:{key}")));
        write!(
            calls,
            r#"
module "{backend}" {{
  source   = "../modules/observability/{backend}"
  name     = "calm-otter"
  endpoint = {endpoint}
  secret   = {secret}
}}
"#
        )
        .unwrap();
        values.push(format!("{backend} = module.{backend}.collector"));
    }
    calls + "output \"collectors\" {\n  value = { " + &values.join(", ") + " }\n}\n"
}

#[test]
fn what_collectors_are_told() {
    let Some(collectors) = collectors() else { return };
    let mut outlines = Vec::new();
    for (backend, ..) in BACKENDS {
        let collector = &collectors[backend];
        assert_eq!(collector["image"], collectors["cloudwatch"]["image"], "one image is enough");
        let text = collector["config"].as_str().expect("it is known when planning");
        let config: Value = serde_saphyr::from_str(text).unwrap();
        check_parts(backend, &config);
        check_secrets(backend, text, &collector["secrets"]);
        outlines.push((backend, outline(&config)));
    }
    let is_common = |line: &String| outlines.iter().all(|(_, lines)| lines.contains(line));
    let (_, first) = &outlines[0];
    let mut told = String::from("all of them\n");
    for line in first.iter().filter(|line| is_common(line)) {
        writeln!(told, "    {line}").unwrap();
    }
    for (backend, lines) in &outlines {
        writeln!(told, "{backend}").unwrap();
        for line in lines.iter().filter(|line| !is_common(line)) {
            writeln!(told, "    {line}").unwrap();
        }
    }
    insta::assert_snapshot!(told, @r#"
    all of them
        extensions health_check: {"endpoint":"0.0.0.0:13133"}
        receivers otlp: {"protocols":{"grpc":{"endpoint":"0.0.0.0:4317"},"http":{"endpoint":"0.0.0.0:4318"}}}
        processors batch: {"send_batch_max_size":200,"send_batch_size":200,"timeout":"5s"}
        processors memory_limiter: {"check_interval":"1s","limit_percentage":75,"spike_limit_percentage":20}
        processors resource: {"attributes":[{"action":"upsert","key":"deployment.environment.name","value":"calm-otter"}]}
        telemetry of its own: {"metrics":{"level":"none"}}
    cloudwatch
        extensions sigv4auth/logs: {"region":"eu-central-1","service":"logs"}
        extensions sigv4auth/metrics: {"region":"eu-central-1","service":"monitoring"}
        extensions sigv4auth/traces: {"region":"eu-central-1","service":"xray"}
        exporters otlp_http/logs: {"auth":{"authenticator":"sigv4auth/logs"},"compression":"gzip","headers":{"x-aws-log-group":"/menagerie/calm-otter/telemetry","x-aws-log-stream":"otlp"},"logs_endpoint":"https://logs.eu-central-1.amazonaws.com/v1/logs"}
        exporters otlp_http/metrics: {"auth":{"authenticator":"sigv4auth/metrics"},"compression":"gzip","metrics_endpoint":"https://monitoring.eu-central-1.amazonaws.com/v1/metrics"}
        exporters otlp_http/traces: {"auth":{"authenticator":"sigv4auth/traces"},"compression":"gzip","traces_endpoint":"https://xray.eu-central-1.amazonaws.com/v1/traces"}
        starts ["health_check","sigv4auth/logs","sigv4auth/metrics","sigv4auth/traces"]
        logs: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_http/logs"]
        metrics: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_http/metrics"]
        traces: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_http/traces"]
    datadog
        connectors datadog/connector: {}
        exporters datadog: {"api":{"key":"${env:DD_API_KEY}","site":"datadoghq.eu"},"host_metadata":{"enabled":false}}
        starts ["health_check"]
        logs: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["datadog"]
        metrics: ["otlp","datadog/connector"] -> ["memory_limiter","resource","batch"] -> ["datadog"]
        traces: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["datadog","datadog/connector"]
    newrelic
        processors cumulativetodelta: {}
        exporters otlp_http: {"compression":"gzip","endpoint":"https://otlp.nr-data.net","headers":{"api-key":"${env:NEW_RELIC_LICENSE_KEY}"}}
        starts ["health_check"]
        logs: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_http"]
        metrics: ["otlp"] -> ["memory_limiter","resource","cumulativetodelta","batch"] -> ["otlp_http"]
        traces: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_http"]
    elk
        exporters otlp_http: {"compression":"gzip","endpoint":"https://apm.example.com:8200","headers":{"Authorization":"ApiKey ${env:ELASTIC_API_KEY}"}}
        starts ["health_check"]
        logs: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_http"]
        metrics: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_http"]
        traces: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_http"]
    tick
        exporters otlp_grpc: {"compression":"gzip","endpoint":"http://telegraf.internal:4317","tls":{"insecure":true}}
        starts ["health_check"]
        logs: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_grpc"]
        metrics: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_grpc"]
        traces: ["otlp"] -> ["memory_limiter","resource","batch"] -> ["otlp_grpc"]
    "#);
}

/// Returns a configuration, one line each part.
fn outline(config: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for section in ["extensions", "receivers", "processors", "connectors", "exporters"] {
        for (name, settings) in config[section].as_object().unwrap() {
            lines.push(format!("{section} {name}: {settings}"));
        }
    }
    let service = &config["service"];
    lines.push(format!("starts {}", service["extensions"]));
    lines.push(format!("telemetry of its own: {}", service["telemetry"]));
    for (signal, pipeline) in service["pipelines"].as_object().unwrap() {
        let [from, by, to] = ["receivers", "processors", "exporters"].map(|part| &pipeline[part]);
        lines.push(format!("{signal}: {from} -> {by} -> {to}"));
    }
    lines
}

/// A collector refuses to start with a part that nobody defined, and warns of nothing where one that is defined goes unused.
#[track_caller]
fn check_parts(backend: &str, config: &Value) {
    let names = |value: &Value| -> BTreeSet<String> {
        let name = |name: &Value| name.as_str().unwrap().to_owned();
        value.as_array().unwrap().iter().map(name).collect()
    };
    let defined = |section: &str| -> BTreeSet<String> {
        config[section].as_object().unwrap().keys().cloned().collect()
    };
    let pipelines = config["service"]["pipelines"].as_object().unwrap();
    let signals: Vec<_> = pipelines.keys().map(String::as_str).collect();
    assert_eq!(signals, ["logs", "metrics", "traces"], "{backend}");
    let used = |section: &str| -> BTreeSet<String> {
        pipelines.values().flat_map(|pipeline| names(&pipeline[section])).collect()
    };
    let both = |section: &str| -> BTreeSet<String> {
        defined(section).union(&defined("connectors")).cloned().collect()
    };
    assert_eq!(used("receivers"), both("receivers"), "{backend}");
    assert_eq!(used("exporters"), both("exporters"), "{backend}");
    assert_eq!(used("processors"), defined("processors"), "{backend}");
    assert_eq!(names(&config["service"]["extensions"]), defined("extensions"), "{backend}");
    for exporter in config["exporters"].as_object().unwrap().values() {
        if let Some(authenticator) = exporter["auth"]["authenticator"].as_str() {
            assert!(defined("extensions").contains(authenticator), "{backend}: {authenticator}");
        }
    }
    for pipeline in pipelines.values() {
        let processors = pipeline["processors"].as_array().unwrap();
        assert_eq!(
            processors.first().unwrap(),
            "memory_limiter",
            "{backend}: what is refused costs nothing"
        );
        assert_eq!(
            processors.last().unwrap(),
            "batch",
            "{backend}: what is sent together was changed before"
        );
    }
}

/// What is read from the environment is what the hosting is asked to set, and it is asked for references.
#[track_caller]
fn check_secrets(backend: &str, text: &str, secrets: &Value) {
    let read: BTreeSet<_> =
        text.split("${env:").skip(1).map(|rest| rest.split_once('}').unwrap().0).collect();
    let secrets = secrets.as_object().unwrap();
    assert_eq!(read, secrets.keys().map(String::as_str).collect(), "{backend}");
    for reference in secrets.values() {
        let reference = reference.as_str().unwrap();
        assert!(reference.starts_with("arn:aws:secretsmanager:"), "{backend}: {reference}");
        assert!(!text.contains(reference), "{backend}: a reference means nothing to a collector");
    }
}
