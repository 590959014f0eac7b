//! `xtask import production`, rehearsed: a small production that was made by hand, and the gate.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::playground::{Answer, Playground, has, provider, run};

const ROOT: &str = r#"terraform {
  required_version = ">= 1.11.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.60"
    }
  }

  backend "s3" {}
}

provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = { environment = "production" }
  }
}

variable "class" {
  type    = string
  default = "db.t4g.small"
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_ecs_cluster" "this" {
  name = "shop"
}

resource "aws_s3_bucket" "this" {
  for_each = toset(["shop-files", "shop-logs"])

  bucket = each.key
}

resource "aws_db_instance" "this" {
  identifier          = "shop"
  engine              = "postgres"
  instance_class      = var.class
  allocated_storage   = 20
  skip_final_snapshot = true
}
"#;

/// What was made by hand, as AWS tells it.
const MADE: &str = r#"{
  "import": {
    "aws_vpc": { "vpc-0a1b": { "id": "vpc-0a1b", "cidr_block": "10.0.0.0/16", "tags_all": { "environment": "production" } } },
    "aws_subnet": { "subnet-0a1b": { "id": "subnet-0a1b", "vpc_id": "vpc-0a1b", "cidr_block": "10.0.1.0/24" } },
    "aws_ecs_cluster": { "shop": { "id": "arn:aws:ecs:eu-central-1:123456789012:cluster/shop", "name": "shop", "tags_all": { "environment": "production" } } },
    "aws_s3_bucket": {
      "shop-files": { "id": "shop-files", "bucket": "shop-files", "tags_all": { "environment": "production" } },
      "shop-logs": { "id": "shop-logs", "bucket": "shop-logs", "tags_all": { "environment": "production" } }
    },
    "aws_db_instance": { "shop": { "id": "db-ABC", "identifier": "shop", "engine": "postgres", "instance_class": "db.t4g.small", "allocated_storage": 20, "skip_final_snapshot": true, "tags_all": { "environment": "production" } } }
  }
}
"#;

const IDS: &str = "# Made by hand in 2021.\naws_vpc.this = \"vpc-0a1b\"\naws_ecs_cluster.this = shop\naws_s3_bucket.this[\"shop-files\"] shop-files\naws_s3_bucket.this[\"shop-logs\"] = \"shop-logs\"\naws_db_instance.this = shop\n";

/// A repository whose production is this.
fn playground() -> Playground {
    let playground = Playground::new();
    let root = playground.root().join("tf/production");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("main.tf"), ROOT).unwrap();
    fs::write(playground.root().join("made.json"), MADE).unwrap();
    fs::write(playground.root().join("ids"), IDS).unwrap();
    playground.git(&["add", "--all"]);
    playground
}

fn import(playground: &Playground, arguments: &[&str]) -> Answer {
    import_with(playground, arguments, &[])
}

fn import_with(playground: &Playground, arguments: &[&str], variables: &[(&str, &str)]) -> Answer {
    let words = [&["import", "production"], arguments].concat();
    let mut command = duct::cmd(env!("CARGO_BIN_EXE_xtask"), words)
        .dir(playground.root())
        .env("MENAGERIE_PROVIDER", provider())
        .env("NO_COLOR", "1")
        .env_remove("TF_CLI_CONFIG_FILE")
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked();
    for (name, value) in variables {
        command = command.env(name, value);
    }
    run(&command)
}

const REHEARSE: [&str; 5] = ["--ids", "ids", "--rehearse", "--fixtures", "made.json"];

/// Asserts that a rehearsal has left nothing: neither in the tree nor a process.
#[track_caller]
fn assert_untouched(playground: &Playground) {
    assert_eq!(playground.git(&["diff", "--stat", "--", "tf"]), "");
    assert_eq!(playground.git(&["ls-files", "--others", "--", "tf"]), "");
    assert!(!playground.root().join(".git/menagerie/import").exists());
    assert_eq!(playground.processes(), []);
}

#[test]
fn a_plan_that_shows_only_imports_passes() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    let answer = import(&playground, &REHEARSE);
    assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stdout.starts_with("REHEARSAL"), "{}", answer.stdout);
    assert!(answer.stdout.ends_with("Plan: 5 to import\n"), "{}", answer.stdout);
    assert!(answer.stderr.contains("the plan shows only imports"), "{}", answer.stderr);
    let json = import(&playground, &[&REHEARSE[..], &["--format", "json"]].concat());
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&report["passed"], &report["rehearsal"]), (&true.into(), &true.into()));
    assert_eq!((&report["wanted"], &report["generated"]), (&5.into(), &Value::Null));
    assert_untouched(&playground);
}

#[test]
fn what_differs_is_refused_and_told() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    fs::write(playground.root().join("large.tfvars"), "class = \"db.r7g.large\"\n").unwrap();
    let answer = import(&playground, &[&REHEARSE[..], &["--var-file", "large.tfvars"]].concat());
    assert_eq!(answer.code, Some(7), "{}{}", answer.stdout, answer.stderr);
    let expected = "  ~ aws_db_instance.this (imported as \"shop\")\n      instance_class: \"db.t4g.small\" → \"db.r7g.large\"\n";
    assert!(answer.stdout.contains(expected), "{}", answer.stdout);
    assert!(answer.stderr.contains("hint: "), "{}", answer.stderr);
    // What has configuration and is not on the list would be made anew.
    let some: Vec<&str> = IDS.lines().filter(|line| !line.contains("vpc")).collect();
    fs::write(playground.root().join("ids"), some.join("\n")).unwrap();
    let answer = import(&playground, &REHEARSE);
    assert_eq!(answer.code, Some(7), "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("  + aws_vpc.this\n"), "{}", answer.stdout);
    assert_untouched(&playground);
}

#[test]
fn missing_configuration_is_drafted() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    fs::write(playground.root().join("ids"), format!("{IDS}aws_subnet.a = subnet-0a1b\n")).unwrap();
    let answer = import(&playground, &REHEARSE);
    // Its draft has no tag that the provider's defaults would give it.
    assert_eq!(answer.code, Some(7), "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("\nresource \"aws_subnet\" \"a\" {\n"), "{}", answer.stdout);
    assert!(
        answer.stdout.contains("  ~ aws_subnet.a (imported as \"subnet-0a1b\")\n"),
        "{}",
        answer.stdout
    );
    assert_untouched(&playground);
}

#[test]
fn what_can_not_be_imported_is_told() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    for (line, code, expected) in [
        ("aws_vpc.this = vpc-0", 1, "nothing has the id `vpc-0`"),
        ("aws_nothing.x = a", 1, "provider does not support resource type for \"aws_nothing.x\""),
        ("module.gone.aws_vpc.this = vpc-0a1b", 1, "--> tf/production/imports.tf:5:8"),
        (
            "aws_vpc.this = vpc-1\naws_vpc.this = vpc-2",
            5,
            "ids:2: `aws_vpc.this` stands in line 1, too",
        ),
        (
            "aws_vpc.this = vpc-1\naws_vpc.that = vpc-1",
            5,
            "ids:2: the aws_vpc `vpc-1` stands in line 1, too",
        ),
        ("vpc-1", 5, "ids:1: an address has the form `TYPE.NAME`"),
        ("aws_vpc.a[\"${file(\"/etc/passwd\")}\"] = x", 5, "ids:1: a key holds neither"),
        ("# nothing", 5, "there is nothing to import in `ids`"),
    ] {
        fs::write(playground.root().join("ids"), line).unwrap();
        let answer = import(&playground, &REHEARSE);
        assert_eq!(answer.code, Some(code), "{line}: {}{}", answer.stdout, answer.stderr);
        assert!(answer.stderr.contains(expected), "{line}: {}", answer.stderr);
    }
    fs::write(playground.root().join("ids"), IDS).unwrap();
    let own = playground.root().join("tf/production/imports.tf");
    fs::write(&own, "import {\n  to = aws_vpc.this\n  id = \"vpc-0a1b\"\n}\n").unwrap();
    let answer = import(&playground, &REHEARSE);
    assert_eq!(answer.code, Some(7), "{}", answer.stderr);
    fs::remove_file(own).unwrap();
    for arguments in [
        &[][..],
        &["--tag", "team"],
        &["--ids", "ids", "--tag", "a=b"],
        &["--ids", "ids", "--fixtures", "made.json"],
    ] {
        assert_eq!(import(&playground, arguments).code, Some(2), "{arguments:?}");
    }
    assert_untouched(&playground);
    fs::remove_dir_all(playground.root().join("tf/production")).unwrap();
    let answer = import(&playground, &REHEARSE);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("there is no root module in `tf/production`"),
        "{}",
        answer.stderr
    );
}

/// The AWS CLI is one that answers as a real one did; what it is asked is looked at.
#[test]
fn what_carries_a_tag_is_found_by_the_aws_cli() {
    if !has("terraform") {
        return;
    }
    let playground = playground();
    let bin = playground.root().join(".git/bin");
    fs::create_dir(&bin).unwrap();
    let aws = bin.join("aws");
    let answer = r#"{"ResourceTagMappingList":[
        {"ResourceARN":"arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-0a1b","Tags":[{"Key":"Name","Value":"this"}]},
        {"ResourceARN":"arn:aws:rds:eu-central-1:123456789012:db:shop","Tags":[{"Key":"Name","Value":"this"}]},
        {"ResourceARN":"arn:aws:glacier:eu-central-1:123456789012:vaults/old","Tags":[]}]}"#;
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'resourcegroupstaggingapi get-resources --tag-filters Key=team,Values=shop --output json' ] || exit 9\ncat <<'END'\n{answer}\nEND\n"
    );
    fs::write(&aws, script).unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), variable("PATH"));
    let root = fs::read_to_string(playground.root().join("tf/production/main.tf")).unwrap();
    let end = root.find("resource \"aws_ecs_cluster\"").unwrap();
    let database = &root[root.find("resource \"aws_db_instance\"").unwrap()..];
    fs::write(
        playground.root().join("tf/production/main.tf"),
        format!("{}{database}", &root[..end]),
    )
    .unwrap();
    playground.git(&["add", "--all"]);
    let rehearse = ["--rehearse", "--fixtures", "made.json"];
    let arguments = [&["--tag", "team=shop"], &rehearse[..]].concat();
    let answer = import_with(&playground, &arguments, &[("PATH", &path)]);
    // Two are only imported, and the third is not forgotten.
    assert_eq!(answer.code, Some(7), "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("Plan: 2 to import\n"), "{}", answer.stdout);
    assert!(
        answer.stdout.contains("  arn:aws:glacier:eu-central-1:123456789012:vaults/old\n"),
        "{}",
        answer.stdout
    );
    let arguments = [&["--tag", "team=other"], &rehearse[..]].concat();
    let answer = import_with(&playground, &arguments, &[("PATH", &path)]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(answer.stderr.contains("failed to look for the tag"), "{}", answer.stderr);
    assert_untouched(&playground);
}

#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
