//! What `env new` makes, and that no value in it becomes code.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use menagerie_config::{Hosting, Project, Settings, Size};
use menagerie_template::{File, Rendered, Root, Tags, Templates, checksum};
use proptest::prelude::*;

use crate::terraform::{has_terraform, succeed, terraform};

fn rendered(size: Size, settings: &[&str], project: &str) -> Rendered {
    let mut all = Settings::default();
    for setting in settings {
        all.set(setting).unwrap();
    }
    let project = Project::parse(project, Path::new("menagerie.toml")).unwrap();
    let name = "calm-otter".parse().unwrap();
    Templates::default()
        .render(&Root {
            name: &name,
            hosting: Hosting::Local,
            size,
            tags: Tags::default(),
            settings: &all,
            project: &project,
        })
        .unwrap()
}

fn file<'a>(rendered: &'a Rendered, path: &str) -> &'a File {
    rendered.files.iter().find(|file| file.path == path).unwrap()
}

#[test]
fn a_root_with_defaults() {
    let rendered = rendered(Size::Small, &[], "");
    let texts =
        rendered.files.iter().map(|File { path, text }| format!("==> {path} <==\n{text}\n"));
    let text = texts.collect::<Vec<_>>().concat();
    insta::assert_snapshot!(text, @r###"
    ==> terraform.tf <==
    # Generated once by `cargo xtask env new` from template version 2; yours to edit.

    terraform {
      required_version = ">= 1.11.0"

      required_providers {
        menagerie = {
          source = "menagerie.local/menagerie/menagerie"
        }
      }
    }

    ==> backend.tf <==
    # Generated once by `cargo xtask env new` from template version 2; yours to edit.

    # The path of the state is given by `cargo xtask env`: it lies outside the working tree and outlives this directory.
    terraform {
      backend "local" {}
    }

    ==> providers.tf <==
    # Generated once by `cargo xtask env new` from template version 2; yours to edit.

    provider "menagerie" {}

    ==> variables.tf <==
    # Generated once by `cargo xtask env new` from template version 2; yours to edit.

    variable "image" {
      type        = string
      description = "What the hosting runs: the path of an executable, given by `cargo xtask env` after each build."
      nullable    = false
    }

    ==> main.tf <==
    # Generated once by `cargo xtask env new` from template version 2; yours to edit.

    module "development" {
      source = "../../development/local"

      name = "calm-otter"
      size = "small"
    }

    module "observability" {
      source = "../../modules/observability/local"

      name               = "calm-otter"
      alarm_dimensions   = module.application_hosting.alarm_dimensions
      database_id        = module.development.database_id
      alarm_topic_arn    = module.development.alarm_topic_arn
      log_retention_days = 7
    }

    module "application_hosting" {
      source = "../../modules/application_hosting/local"

      name                     = "calm-otter"
      image                    = var.image
      size                     = { cpu = 256, memory = 512 }
      desired_count            = 1
      network                  = module.development.network
      secrets                  = module.development.secrets
      health_check_path        = "/healthz"
      ingress_cidrs            = ["127.0.0.0/8"]
      collector                = module.observability.collector
      log_retention_days       = 7
      permissions_boundary_arn = module.development.permissions_boundary_arn

      environment = merge(
        {},
        module.development.environment,
      )
    }

    ==> outputs.tf <==
    # Generated once by `cargo xtask env new` from template version 2; yours to edit.

    output "name" {
      description = "Name of the environment."
      value       = "calm-otter"
    }

    output "url" {
      description = "Where the application answers."
      value       = module.application_hosting.url
    }

    output "service_id" {
      description = "Identifier of the running service in its platform."
      value       = module.application_hosting.service_id
    }

    output "log_group" {
      description = "Where the application's logs are kept."
      value       = module.application_hosting.log_group
    }

    output "telemetry" {
      description = "Where a person looks at traces, metrics and logs."
      value       = module.observability.location
    }
    "###);
}

#[test]
fn a_root_with_everything_set() {
    let project = r#"
        [application]
        health_check_path = "/readyz"
        environment = { LOG_LEVEL = "info", GREETING = "a ${b}" }
        [database]
        engine = "sqlite"
    "#;
    let settings = [
        "desired_count=5",
        "port=8080",
        "log_retention_days=30",
        "health_check_path=/live",
        "database_engine=postgres",
        "environment.LOG_LEVEL=debug",
        "environment.MOTTO=\"quoted\"\nsecond line",
    ];
    insta::assert_snapshot!(file(&rendered(Size::Large, &settings, project), "main.tf").text, @r###"
    # Generated once by `cargo xtask env new` from template version 2; yours to edit.

    module "development" {
      source = "../../development/local"

      name = "calm-otter"
      size = "large"

      database_engine = "postgres"
    }

    module "observability" {
      source = "../../modules/observability/local"

      name               = "calm-otter"
      alarm_dimensions   = module.application_hosting.alarm_dimensions
      database_id        = module.development.database_id
      alarm_topic_arn    = module.development.alarm_topic_arn
      log_retention_days = 30
    }

    module "application_hosting" {
      source = "../../modules/application_hosting/local"

      name                     = "calm-otter"
      image                    = var.image
      size                     = { cpu = 1024, memory = 2048 }
      desired_count            = 5
      port                     = 8080
      network                  = module.development.network
      secrets                  = module.development.secrets
      health_check_path        = "/live"
      ingress_cidrs            = ["127.0.0.0/8"]
      collector                = module.observability.collector
      log_retention_days       = 30
      permissions_boundary_arn = module.development.permissions_boundary_arn

      environment = merge(
        {
          "GREETING"  = "a $${b}"
          "LOG_LEVEL" = "debug"
          "MOTTO"     = "\"quoted\"\nsecond line"
        },
        module.development.environment,
      )
    }
    "###);
}

#[test]
fn sizes() {
    let main = rendered(Size::Medium, &[], "");
    let main = &file(&main, "main.tf").text;
    assert!(main.contains("  size                     = { cpu = 512, memory = 1024 }\n"), "{main}");
    assert!(main.contains("  desired_count            = 2\n"), "{main}");
}

#[test]
fn rendering_is_deterministic_and_each_file_has_its_checksum() {
    let once = rendered(Size::Small, &["environment.A=1", "environment.B=2"], "");
    assert_eq!(once, rendered(Size::Small, &["environment.B=2", "environment.A=1"], ""));
    assert_eq!(once.checksums.len(), once.files.len());
    for File { path, text } in &once.files {
        assert_eq!(once.checksums[path], checksum(text));
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
    }
}

/// What has a meaning to HCL, to Tera, to a terminal or to Unicode.
fn text() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        4 => proptest::sample::select(vec![
            "${", "%{", "$${", "%%{", "$", "%", "{", "}", "~}", "${x}", "%{ if true }", "\"", "\\", "\\\"", "\\n", "\n",
            "\r\n", "\t", "<<EOT\n", "<<-EOT\n", "\nEOT\n", "{{ name }}", "{% if x %}", "{#", "#}", "# ", "//", "/* ",
            "e\u{301}", "\u{301}", "漢字", "👨‍👩‍👧", "\u{202e}", "\u{feff}", "\u{2028}", "\u{85}", "\u{7f}", "\u{1b}[31m",
            "\u{1}", "\u{61c}\u{ad}\u{fe0f}", "\u{e0041}", "=", " = ", "null",
        ]).prop_map(str::to_owned),
        2 => any::<char>().prop_filter("no variable holds it", |character| *character != '\0').prop_map(String::from),
        1 => "[ -~]{0,8}",
    ];
    prop_oneof![
        20 => proptest::collection::vec(fragment.clone(), 0..12).prop_map(|fragments| fragments.concat()),
        1 => fragment.prop_map(|fragment| fragment.repeat(10_000 / fragment.len().max(1))),
    ]
}

/// The variables of several environments: one Terraform process judges them all.
fn environments() -> impl Strategy<Value = Vec<BTreeMap<String, String>>> {
    let name = "[A-Za-z_][A-Za-z0-9_]{0,20}".prop_filter("the hosting sets it", |name| {
        name != "PORT" && name != "DATABASE_URL" && !name.starts_with("MENAGERIE_")
    });
    proptest::collection::vec(proptest::collection::btree_map(name, text(), 0..6), 1..24)
}

fn with_environment(environment: &BTreeMap<String, String>) -> Rendered {
    let settings: Vec<_> =
        environment.iter().map(|(name, value)| format!("environment.{name}={value}")).collect();
    rendered(Size::Small, &settings.iter().map(String::as_str).collect::<Vec<_>>(), "")
}

/// Returns the literal map of the application's variables in a rendered `main.tf`.
fn environment_of(rendered: &Rendered) -> Expression {
    let body: Body = file(rendered, "main.tf").text.parse().unwrap();
    let hosting = body
        .get_blocks("module")
        .find(|block| block.has_exact_labels(&["application_hosting"]))
        .unwrap();
    let merge = hosting.body.get_attribute("environment").unwrap().value.as_func_call().unwrap();
    merge.args.get(0).unwrap().clone()
}

/// Returns it as it stands there.
fn environment_text(rendered: &Rendered) -> &str {
    let (_, from) =
        file(rendered, "main.tf").text.split_once("\n  environment = merge(\n").unwrap();
    let (literal, _) = from.rsplit_once(",\n    module.development.environment,\n").unwrap();
    literal.trim_start()
}

fn texts_of(object: &Expression) -> BTreeMap<String, String> {
    let text = |expression: &Expression| {
        expression.as_str().expect("a text without interpolations").to_owned()
    };
    let entries = object.as_object().unwrap().iter();
    entries.map(|(key, value)| (text(key.as_expr().unwrap()), text(value.expr()))).collect()
}

proptest! {
    #[test]
    fn variables_parse_back(environments in environments()) {
        for environment in &environments {
            prop_assert_eq!(&texts_of(&environment_of(&with_environment(environment))), environment);
        }
    }
}

proptest! {
    // One process judges some dozen roots.
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn terraform_fmt_leaves_the_files_as_they_are(environments in environments()) {
        if !has_terraform() {
            return Ok(());
        }
        let scratch = tempfile::tempdir().unwrap();
        for (index, environment) in environments.iter().enumerate() {
            let directory = scratch.path().join(index.to_string());
            fs::create_dir(&directory).unwrap();
            for File { path, text } in with_environment(environment).files {
                fs::write(directory.join(path), text).unwrap();
            }
        }
        let output = terraform(scratch.path(), &["fmt", "-check", "-diff", "-recursive"], &[]);
        let difference = String::from_utf8_lossy(&output.stdout);
        prop_assert!(output.status.success(), "{}{}", difference, String::from_utf8_lossy(&output.stderr));
        prop_assert_eq!(difference, "");
    }

    #[test]
    fn terraform_reads_the_same_values(environments in environments()) {
        if !has_terraform() {
            return Ok(());
        }
        let same = same_as_terraform(&environments.iter().map(with_environment).collect::<Vec<_>>(), &environments);
        prop_assert_eq!(same, vec![true; environments.len()]);
    }
}

#[test]
fn terraform_notices_another_value() {
    if has_terraform() {
        let [one, other] =
            ["${x}", "$${x}"].map(|text| BTreeMap::from([("A".to_owned(), text.to_owned())]));
        let rendered = [with_environment(&one), with_environment(&one)];
        assert_eq!(same_as_terraform(&rendered, &[one, other]), [true, false]);
    }
}

/// Returns for each root whether Terraform reads its variables' literals as the expected values, which it gets as JSON.
///
/// It compares them itself, since it brings both into Unicode's normal form C.
fn same_as_terraform(rendered: &[Rendered], expected: &[BTreeMap<String, String>]) -> Vec<bool> {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(
        scratch.path().join("expected.json"),
        ascii(&serde_json::to_string(expected).unwrap()),
    )
    .unwrap();
    let comparison = |(index, rendered)| {
        format!(
            "    jsondecode(file(\"expected.json\"))[{index}] == {},\n",
            environment_text(rendered)
        )
    };
    let comparisons = rendered.iter().enumerate().map(comparison).collect::<Vec<_>>().concat();
    let main = format!("output \"same\" {{\n  value = [\n{comparisons}  ]\n}}\n");
    fs::write(scratch.path().join("main.tf"), main).unwrap();
    succeed(scratch.path(), &["apply", "-auto-approve", "-no-color"], &[]);
    serde_json::from_str(&succeed(scratch.path(), &["output", "-json", "same"], &[])).unwrap()
}

/// Escapes what is not ASCII: Terraform normalises a file as it reads it, in which `\n` and an accent become `\ń`.
fn ascii(json: &str) -> String {
    let escaped = |unit: u16| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    json.encode_utf16().map(escaped).collect()
}
