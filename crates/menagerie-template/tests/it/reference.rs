//! The reference pages of the modules, `docs/tf`, which `cargo xtask tf docs` writes.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::terraform::built;
use crate::tree::tree;

/// Runs the program; returns whether it succeeded, and what it said.
fn run(arguments: &[&OsStr]) -> Option<(bool, String)> {
    let program = built("examples/module_reference")?;
    let output = duct::cmd(program, arguments)
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .unwrap();
    Some((output.status.success(), String::from_utf8(output.stdout).unwrap()))
}

fn write(tree: &Path, pages: &Path, more: &[&str]) -> Option<(bool, String)> {
    let mut arguments = vec![tree.as_os_str(), pages.as_os_str()];
    arguments.extend(more.iter().map(OsStr::new));
    run(&arguments)
}

#[test]
fn the_pages_are_what_the_modules_say() {
    let pages = tree().parent().unwrap().join("docs/tf");
    let Some((is_fine, said)) = write(&tree(), &pages, &["--check"]) else { return };
    assert!(is_fine, "{said}\n`cargo xtask tf docs` writes them: review what it changes");
}

const MAIN: &str = r#"# A bucket for one environment. Its name follows from
# the account's.
data "aws_region" "current" {}

resource "aws_s3_bucket" "logs" {
  bucket = "a"
}

resource "aws_s3_bucket" "this" {
  bucket = "b"
}

module "database" {
  source = "../../database/rds"
}

module "vpc" {
  source = "terraform-aws-modules/vpc/aws"
}
"#;

const VARIABLES: &str = r#"variable "size" {
  type = object({
    cpu    = number # 1/1024 vCPU
    memory = optional(number, 512)
    zones  = list(string)
  })
  description = "How much a replica gets: `cpu` | `memory`."
  default = {
    cpu   = 256
    zones = []
  }

  validation {
    condition     = var.size.cpu > 0
    error_message = "Some is needed."
  }
}

variable "name" {
  type        = string
  description = "Name, ${1 + 1} times."
}
"#;

#[test]
fn a_page() {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tf");
    let module = tree.join("modules/storage/s3");
    fs::create_dir_all(module.join("tests/fixture")).unwrap();
    for (file, text) in [
        ("main.tf", MAIN),
        ("variables.tf", VARIABLES),
        (
            "outputs.tf",
            "output \"key\" {\n  description = \"The key.\"\n  sensitive = true\n  value = 1\n}\n",
        ),
        (
            "terraform.tf",
            "terraform {\n  required_version = \">= 1.11.0\"\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"~> 6.60\"\n    }\n  }\n}\n",
        ),
        ("tests/fixture/main.tf", "locals {}\n"),
    ] {
        fs::write(module.join(file), text).unwrap();
    }
    let pages = directory.path().join("docs/tf");
    let Some((false, said)) = write(&tree, &pages, &["--check"]) else { return };
    insta::assert_snapshot!(said, @r"
    `README.md` is out of date
    `modules/storage/s3.md` is out of date
    ");
    fs::create_dir_all(&pages).unwrap();
    fs::write(pages.join("gone.md"), "old").unwrap();
    assert_eq!(write(&tree, &pages, &[]), Some((true, "2 pages: wrote 2, removed 1\n".to_owned())));
    assert_eq!(
        write(&tree, &pages, &["--check"]),
        Some((true, "all 2 pages are up to date\n".to_owned()))
    );
    insta::assert_snapshot!(fs::read_to_string(pages.join("README.md")).unwrap(), @r"
    # Reference of the modules

    <!-- Made by `cargo xtask tf docs`: edit the module instead. -->

    What each module and root of [`tf`](../../tf/README.md) makes, needs, takes and gives.

    | | makes |
    |---|---|
    | [`modules/storage/s3`](modules/storage/s3.md) | A bucket for one environment. |
    ");
    insta::assert_snapshot!(fs::read_to_string(pages.join("modules/storage/s3.md")).unwrap(), @r"
    # `modules/storage/s3`

    <!-- Made by `cargo xtask tf docs`: edit the module instead. -->

    A bucket for one environment. Its name follows from the account's.

    [Its files](../../../../tf/modules/storage/s3/), [all modules](../../README.md).

    ## Needs

    | | version |
    |---|---|
    | Terraform or OpenTofu | `>= 1.11.0` |
    | provider `hashicorp/aws` | `~> 6.60` |

    ## Takes

    | input | type | default | |
    |---|---|---|---|
    | `size` | `object({ cpu = number, memory = optional(number, 512), zones = list(string) })` | `{ cpu = 256, zones = [] }` | How much a replica gets: `cpu` \| `memory`.<br>Some is needed. |
    | `name` | `string` | required | Name, ${1 + 1} times. |

    ## Gives

    | output | |
    |---|---|
    | `key` | The key. Sensitive. |

    ## Is made of

    | | |
    |---|---|
    | makes `aws_s3_bucket` | `logs`, `this` |
    | reads `aws_region` | `current` |
    | calls `database` | [`modules/database/rds`](../../modules/database/rds.md) |
    | calls `vpc` | `terraform-aws-modules/vpc/aws` |
    ");
    fs::write(module.join("broken.tf"), "resource {\n").unwrap();
    let (is_fine, said) = write(&tree, &pages, &[]).unwrap();
    assert!(!is_fine && said.contains("modules/storage/s3/broken.tf`"), "{said}");
}
