use std::fmt::Write as _;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

/// Shows where an address leads: the primary place with what stands there, then the others.
fn show(files: &Texts, location: Option<Location>) -> String {
    let Some(location) = location else { return "nowhere".to_owned() };
    let mut shown = String::new();
    let primary = (location.primary, String::new());
    for (place, words) in std::iter::once(primary).chain(location.related) {
        let text = files.read(&place.file).unwrap_or_default();
        let line = text.lines().nth(place.line - 1).unwrap_or_default();
        let cut = line.chars().skip(place.column - 1).take(place.end_column - place.column);
        let cut: String = cut.collect();
        let separator = if words.is_empty() { "" } else { " ← " };
        writeln!(shown, "{}:{}:{} {cut}{separator}{words}", place.file, place.line, place.column)
            .unwrap();
    }
    shown.replace('\u{1b}', "ESC")
}

/// Locates in `live/main.tf`, which this text is.
#[track_caller]
fn check(text: &str, address: &str, attribute: &str, expected: &str) {
    let files: Texts = [("live/main.tf", text)].into_iter().collect();
    let locator = Locator::read("live", &files);
    let attribute = Some(attribute).filter(|attribute| !attribute.is_empty());
    let shown = show(&files, locator.locate(address, attribute));
    assert_eq!(shown.trim_end().replace("live/main.tf:", ""), expected, "{address} {attribute:?}");
}

const BLOCK: &str = r#"resource "a_b" "c" {
  plain = 1
  list  = ["x", "y"]
  map   = { k = "v", "q r" = { s = 2 } }
  rule {
    inner {
      key = "ü"
    }
  }
  rule { other = 1 }
  ingress { cidr = ["a"] }
  ingress { port = 2 }
  dynamic "tag" {
    for_each = [1]
    content {
      name = "n"
    }
  }
  policy = jsonencode({
    Statement = [
      { Action = "s3:*" },
      {
        Action = [
          "a",
          "b",
        ]
      },
    ]
  })
  joined = concat(["a"], ["b", "c"], d)
  merged = merge({ a = 1 }, b, { "c" = 2 })
  count  = 2
  heredoc = <<-EOT
    {"a": 1}
  EOT
  tags = { n = 1 }
}
"#;

#[test]
fn attributes_are_found_as_near_as_they_are_written() {
    let c = |attribute, expected| check(BLOCK, "a_b.c[0]", attribute, expected);
    c("", r#"1:1 resource "a_b" "c""#);
    c("none", r#"1:1 resource "a_b" "c""#);
    c("plain", "2:3 plain = 1");
    c("plain.of[3]", "2:3 plain = 1");
    c("list", r#"3:3 list  = ["x", "y"]"#);
    c("list[1]", r#"3:17 "y""#);
    c("list[7]", r#"3:3 list  = ["x", "y"]"#);
    c("list[*]", r#"3:3 list  = ["x", "y"]"#);
    c("map.k", r#"4:13 k = "v""#);
    c(r#"map["q r"].s"#, "4:32 s = 2");
    c("rule[0].inner[0].key", r#"7:7 key = "ü""#);
    c("rule[0].inner[0].none", "6:5 inner");
    c("rule[1].other", "10:10 other = 1");
    c("rule[1]", "10:3 rule");
    c("rule[2].other", "10:10 other = 1");
    c("policy::Statement[0].Action", r#"21:9 Action = "s3:*""#);
    c("policy::Statement[1].Action[1]", r#"25:11 "b""#);
    c("policy::Version", "19:3 policy = jsonencode({");
    c("joined[2]", r#"30:32 "c""#);
    c("joined[3]", r#"30:3 joined = concat(["a"], ["b", "c"], d)"#);
    c("merged.a", "31:20 a = 1");
    c("merged.c", r#"31:34 "c" = 2"#);
    c("merged.d", r#"31:3 merged = merge({ a = 1 }, b, { "c" = 2 })"#);
    c("heredoc::a", "33:3 heredoc = <<-EOT");
    c("tags_all.n", "36:12 n = 1");
    c("tag[0].name", r#"16:7 name = "n""#);
}

#[test]
fn blocks_that_are_made_come_in_the_order_in_which_they_are_written() {
    let text = r#"resource "a_b" "c" {
  box { size = 1 }
  dynamic "box" {
    for_each = [2, 3]
    content {
      size = box.value
    }
  }
  pot { size = 1 }
  dynamic "pot" {
    for_each = []
    content {
      size = 2
    }
  }
  pot { size = 3 }
}
"#;
    check(text, "a_b.c", "box[0].size", "2:9 size = 1");
    let made = "6:7 size = box.value\n4:5 for_each = [2, 3] ← `for_each` is set here";
    check(text, "a_b.c", "box[1].size", made);
    check(text, "a_b.c", "box[2].size", made);
    check(text, "a_b.c", "pot[0].size", "9:9 size = 1");
    // How many stand before the last one is not known.
    check(
        text,
        "a_b.c",
        "pot[1].size",
        "1:1 resource \"a_b\" \"c\"\n9:3 pot ← or this `pot`\n10:3 dynamic \"pot\" ← or this `pot`\n16:3 pot ← or this `pot`",
    );
}

#[test]
fn of_a_set_the_one_is_found_that_has_it_or_all_are_told() {
    check(BLOCK, "a_b.c", "ingress[1].cidr[0]", r#"11:21 "a""#);
    check(BLOCK, "a_b.c", "ingress[0].port", "12:13 port = 2");
    check(
        BLOCK,
        "a_b.c",
        "ingress[0].from",
        "1:1 resource \"a_b\" \"c\"\n11:3 ingress ← or this `ingress`\n12:3 ingress ← or this `ingress`",
    );
}

#[test]
fn an_override_has_the_last_word() {
    let files: Texts = [
        ("main.tf", "resource \"a_b\" \"c\" {\n  x = 1\n  y = 1\n}\n"),
        ("z_override.tf", "resource \"a_b\" \"c\" {\n  y = 2\n}\n"),
    ]
    .into_iter()
    .collect();
    let locator = Locator::read("", &files);
    let at = |attribute| show(&files, locator.locate("a_b.c", Some(attribute)));
    assert_eq!(at("x"), "main.tf:2:3 x = 1\n");
    assert_eq!(at("y"), "z_override.tf:2:3 y = 2\n");
    assert_eq!(at("z"), "main.tf:1:1 resource \"a_b\" \"c\"\n");
}

/// A root module, a local module that calls another one, and one that was fetched.
fn tree() -> Texts {
    [
        (
            "live/main.tf",
            r#"module "app" {
  source   = "../modules/app"
  for_each = { "a.b" = 1 }
  size     = local.sizes["big"]
}

module "far" {
  source  = "example/far/aws"
  version = "1.0.0"
}

module "gone" {
  source = "example/gone/aws"
}

locals {
  sizes = { small = 1, big = 2 }
}

provider "aws" {
  default_tags {
    tags = {
      owner = "ada"
    }
  }
}
"#,
        ),
        (
            "modules/app/main.tf",
            r#"module "db" {
  source  = "./../db"
  storage = var.size * 10
  name    = var.name
}

data "aws_ami" "this" {
  owners = ["self"]
}
"#,
        ),
        ("modules/app/variables.tf", "variable \"size\" {}\nvariable \"name\" {\n  default = \"n\"\n}\n"),
        (
            "modules/db/main.tf",
            r#"resource "aws_db_instance" "this" {
  storage = max(var.storage, 20)
  name    = "${var.name}-db"
  tags    = { Name = var.name }
}

resource "aws_iam_policy" "this" {
  for_each = var.names
  name     = each.value
  policy   = data.aws_iam_policy_document.this.json
}

data "aws_iam_policy_document" "this" {
  statement {
    actions = ["s3:GetObject", "*"]
  }
}
"#,
        ),
        (
            "live/.terraform/modules/modules.json",
            r#"{"Modules": [{"Key": "", "Source": "", "Dir": "."}, {"Key": "app", "Source": "../modules/app", "Dir": "../modules/app"},
                {"Key": "far", "Source": "registry.terraform.io/example/far/aws", "Dir": ".terraform/modules/far/sub"},
                {"Key": "evil", "Source": "x", "Dir": "../../../etc/.terraform/"}]}"#,
        ),
        ("live/.terraform/modules/far/sub/main.tf", "module \"in\" {\n  source = \"./in\"\n}\n"),
        ("live/.terraform/modules/far/sub/in/main.tf", "resource \"aws_s3_bucket\" \"this\" {\n  bucket = \"b\"\n}\n"),
    ]
    .into_iter()
    .collect()
}

#[track_caller]
fn locate(address: &str, attribute: Option<&str>) -> String {
    let files = tree();
    let read = show(&files, Locator::read("live", &files).locate(address, attribute));
    let shared = Configuration::read(&files, "live").locator("live", &files);
    assert_eq!(read, show(&files, shared.locate(address, attribute)));
    read
}

#[test]
fn the_way_leads_through_local_modules_to_who_sets_the_value() {
    assert_snapshot!(locate(r#"module.app["a.b"].module.db.aws_db_instance.this"#, Some("storage")), @r#"
    modules/db/main.tf:2:3 storage = max(var.storage, 20)
    modules/app/main.tf:3:3 storage = var.size * 10 ← `storage` is set here
    live/main.tf:4:3 size     = local.sizes["big"] ← `size` is set here
    live/main.tf:17:24 big = 2 ← `local.sizes` is set here
    modules/app/main.tf:1:1 module "db" ← `module.db` is called here
    live/main.tf:1:1 module "app" ← `module.app` is called here
    "#);
    assert_snapshot!(locate(r#"module.app["a.b"].module.db.aws_db_instance.this"#, Some("tags_all.Name")), @r#"
    modules/db/main.tf:4:15 Name = var.name
    modules/app/main.tf:4:3 name    = var.name ← `name` is set here
    modules/app/variables.tf:3:3 default = "n" ← `var.name` has its default here
    modules/app/main.tf:1:1 module "db" ← `module.db` is called here
    live/main.tf:1:1 module "app" ← `module.app` is called here
    "#);
    assert_snapshot!(locate(r#"module.app["a.b"].module.db.aws_db_instance.this"#, Some("tags_all.owner")), @r#"
    modules/db/main.tf:4:3 tags    = { Name = var.name }
    modules/app/main.tf:4:3 name    = var.name ← `name` is set here
    modules/app/variables.tf:3:3 default = "n" ← `var.name` has its default here
    live/main.tf:23:7 owner = "ada" ← the tags of all resources are set here
    modules/app/main.tf:1:1 module "db" ← `module.db` is called here
    live/main.tf:1:1 module "app" ← `module.app` is called here
    "#);
    assert_snapshot!(locate(r#"module.app["a.b"].data.aws_ami.this"#, Some("owners[0]")), @r#"
    modules/app/main.tf:8:13 "self"
    live/main.tf:1:1 module "app" ← `module.app` is called here
    "#);
    assert_snapshot!(locate(r#"module.app["x"].module.db.aws_iam_policy.this["a"]"#, Some("policy::Statement[0].Action[1]")), @r#"
    modules/db/main.tf:10:3 policy   = data.aws_iam_policy_document.this.json
    modules/db/main.tf:15:32 "*" ← `data.aws_iam_policy_document.this` is written here
    modules/app/main.tf:1:1 module "db" ← `module.db` is called here
    live/main.tf:1:1 module "app" ← `module.app` is called here
    "#);
    assert_snapshot!(locate(r#"module.app["x"].module.db.aws_iam_policy.this["a"]"#, Some("name")), @r#"
    modules/db/main.tf:9:3 name     = each.value
    modules/db/main.tf:8:3 for_each = var.names ← `for_each` is set here
    modules/app/main.tf:1:1 module "db" ← `module.db` is called here
    live/main.tf:1:1 module "app" ← `module.app` is called here
    "#);
}

#[test]
fn what_was_fetched_is_pointed_at_by_its_call() {
    assert_snapshot!(locate("module.far.module.in.aws_s3_bucket.this", Some("bucket")), @r#"
    live/main.tf:7:1 module "far"
    live/.terraform/modules/far/sub/in/main.tf:2:3 bucket = "b" ← `aws_s3_bucket.this` is written here
    live/.terraform/modules/far/sub/main.tf:1:1 module "in" ← `module.in` is called here
    "#);
    assert_snapshot!(locate("module.gone.aws_s3_bucket.this", None), @r#"
    live/main.tf:12:1 module "gone"
    live/main.tf:12:1 module "gone" ← `module.gone.aws_s3_bucket.this` was not found from here
    "#);
}

#[test]
fn what_is_not_there_is_pointed_at_by_what_is_nearest() {
    assert_snapshot!(locate("module.app[\"x\"].aws_s3_bucket.none", Some("bucket")), @r#"
    live/main.tf:1:1 module "app"
    live/main.tf:1:1 module "app" ← `module.app["x"].aws_s3_bucket.none` was not found from here
    "#);
    assert_snapshot!(locate("module.none.aws_s3_bucket.none", None), @r#"
    live/main.tf:1:1 module "app" {
    live/main.tf:1:1 module "app" { ← `module.none.aws_s3_bucket.none` was not found from here
    "#);
    assert_snapshot!(locate("\u{1b}[31m`", None), @r#"
    live/main.tf:1:1 module "app" {
    live/main.tf:1:1 module "app" { ← `ESC[31m`` was not found from here
    "#);
    let files = tree();
    assert_eq!(Locator::read("dead", &files).locate("a.b", None), None);
}

#[test]
fn a_root_module_that_is_nowhere_is_never_pointed_at() {
    let files = tree();
    let own = r#"module "db" {
  source  = "../../modules/db"
  storage = 1
}
resource "a_b" "c" {}
"#;
    let texts = [("main.tf".to_owned(), own.to_owned())];
    let locator = Locator::read_texts("envs/none", &texts, &files);
    assert_snapshot!(show(&files, locator.locate("module.db.aws_db_instance.this", Some("storage"))), @"modules/db/main.tf:2:3 storage = max(var.storage, 20)");
    assert_eq!(locator.locate("a_b.c", None), None);
    assert_eq!(locator.locate("module.gone.a_b.c", None), None);
}

#[test]
fn a_module_is_pointed_at_by_its_call_and_all_of_a_plan_by_its_root() {
    assert_snapshot!(locate("module.app.module.db", None), @r#"
    modules/app/main.tf:1:1 module "db"
    live/main.tf:1:1 module "app" ← `module.app` is called here
    "#);
    assert_snapshot!(locate("", None), @r#"live/main.tf:1:1 module "app" {"#);
}

#[test]
fn attributes_of_records_are_found_where_they_are_written() {
    let text = r#"terraform {
  required_version = ">= 1"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6"
    }
  }
  backend "local" {}
}
module "m" {
  source = "a/b/c"
}
resource "a" "b" {
  provisioner "file" {}
  provisioner "local-exec" {}
  lifecycle {
    prevent_destroy = false
  }
}
module "n" {
  source = "a/b/c"
  version = "~> 1"
}
"#;
    let files: Texts = [("tf/main.tf", text)].into_iter().collect();
    let configuration = Configuration::read(&files, "tf");
    let check = |address, attribute, expected: &str| {
        let shown = show(&files, configuration.locate(address, attribute));
        assert_eq!(shown.trim_end().replace("tf/main.tf:", ""), expected, "{address} {attribute}");
    };
    check("tf:terraform", "required_version", "2:3 required_version = \">= 1\"");
    check("tf:terraform", "backend", "9:3 backend \"local\"");
    check("tf:required_provider.aws", "version", "6:7 version = \"6\"");
    check("tf:required_provider.none", "version", "3:3 required_providers");
    check("tf:module.m", "is_pinned", "12:3 source = \"a/b/c\"");
    check("tf:module.m", "version", "nowhere");
    check("tf:module.n", "is_pinned", "23:3 version = \"~> 1\"");
    check("tf:module.n", "is_local", "22:3 source = \"a/b/c\"");
    check("tf:a.b", "provisioners[1]", "16:3 provisioner \"local-exec\"");
    check("tf:a.b", "lifecycle.prevent_destroy", "18:5 prevent_destroy = false");
    check("tf:a.b", "lifecycle.ignore_changes", "17:3 lifecycle");
    check("tf", "a", "nowhere");
}

#[test]
fn modules_that_call_each_other_end() {
    let files: Texts = [
        ("a/main.tf", "module \"b\" {\n  source = \"../b\"\n  x = var.x\n}\nvariable \"x\" {\n  default = 1\n}\n"),
        ("b/main.tf", "module \"a\" {\n  source = \"../a\"\n  x = local.x\n}\nlocals {\n  x = local.y\n  y = local.x\n}\n"),
    ]
    .into_iter()
    .collect();
    let locator = Locator::read("a", &files);
    let address = format!("{}c.d", "module.b.module.a.".repeat(200));
    let location = locator.locate(&address, Some("x")).unwrap();
    assert_eq!(location.primary.file, "b/main.tf");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        main in "([a-c=\"{}\\[\\]().,$%~<>!?:*\\-/# 0-9\n\rü]|module \"a\" |resource \"a\" \"b\" |source = \"\\.\"|\\$\\{|<<E\n|\nE\n|dynamic|content|locals|var\\.a|jsonencode\\(){0,40}",
        address in "(module|\\.|a|b|\\[|\\]|\"|\\\\|ü|data|0){0,12}",
        attribute in "[a-c0-9.:*\"\\\\\\[\\]ü]{0,16}",
    ) {
        let files: Texts = [("a/main.tf", main.as_str()), ("a/.terraform/modules/modules.json", main.as_str())]
            .into_iter()
            .collect();
        let configuration = Configuration::read(&files, "a");
        if let Some(location) = configuration.locator("a", &files).locate(&address, Some(&attribute)) {
            prop_assert_eq!(location.primary.file, "a/main.tf");
            prop_assert!(location.primary.line > 0 && location.primary.column > 0);
        }
    }
}
