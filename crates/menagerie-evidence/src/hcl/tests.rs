use insta::assert_snapshot;
use std::fmt::Write as _;

use super::*;
use crate::files::Texts;

#[track_caller]
fn read(files: &[(&str, &str)]) -> String {
    let files: Texts = files.iter().copied().collect();
    let configuration = Configuration::read(&files, "tf");
    let mut shown = String::new();
    for record in configuration.records() {
        let place = record.place.as_ref().unwrap();
        write!(
            shown,
            "{}:{} {} {} {}",
            place.file, place.line, record.kind, record.address, record.values
        )
        .unwrap();
        if record.unknown.is_null() {
            shown.push('\n');
        } else {
            writeln!(shown, " unknown {}", record.unknown).unwrap();
        }
    }
    for unreadable in configuration.unreadable() {
        writeln!(shown, "{unreadable}").unwrap();
    }
    shown
}

const MAIN: &str = r#"module "vpc" {
  source = "../modules/vpc"
}

module "remote" {
  source  = "a/b/c"
  version = "~> 1.0"
}

module "exact" {
  source  = "a/b/c"
  version = "1.2.3"
}

module "git" {
  source = "git::https://example.com/a.git?ref=v1"
}

module "computed" {
  source = var.source
}

resource "aws_db_instance" "this" {
  provider = aws.west
  count    = 1
  password = "hunter2"

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [tags["a"], size]
  }

  provisioner "local-exec" {
    command = "true"
  }
  provisioner "remote-exec" {}
  connection {}
}

resource "terraform_data" "this" {
  lifecycle {
    prevent_destroy = var.prevent
    ignore_changes  = all
  }
}

check "health" {
  data "http" "this" {}
}

data "external" "this" {
  for_each = var.x
}

removed {
  from = aws_s3_bucket.old

  lifecycle {
    destroy = false
  }
  provisioner "local-exec" {}
}
"#;

const TERRAFORM: &str = r#"terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
    old = "1.0"
  }
  backend "s3" {}
}

provider "aws" {
  alias      = "west"
  access_key = "AKIA"

  assume_role {}
  dynamic "ignore_tags" {
    for_each = []
    content {}
  }
}

variable "a" {
  type      = list(string)
  sensitive = true
}
variable "b" { default = 1 }
output "c" {
  value     = 1
  sensitive = var.a
}
"#;

#[test]
fn blocks_are_records() {
    let shown = read(&[
        ("tf/production/main.tf", MAIN),
        ("tf/production/terraform.tf", TERRAFORM),
        (
            "tf/production/.terraform.lock.hcl",
            r#"provider "registry.example.com/hashicorp/aws" {
  version = "6.1.0"
  hashes = ["h1:a", "zh:b"]
}
"#,
        ),
        ("tf/modules/vpc/main.tf", ""),
        ("tf/templates/main.tf", "{{ not HCL }}"),
        ("tf/production/.terraform/modules/a/main.tf", "not HCL either"),
        ("tf/compliance/templates/main.tf", "output \"d\" {}"),
    ]);
    assert_snapshot!(shown, @r#"
    tf/production/.terraform.lock.hcl:1 lock tf/production:lock.registry.example.com/hashicorp/aws {"hashes":2,"source":"registry.example.com/hashicorp/aws","version":"6.1.0"}
    tf/compliance/templates/main.tf:1 output tf/compliance/templates:output.d {"name":"d","sensitive":false}
    tf/compliance/templates/main.tf:1 terraform tf/compliance/templates:terraform {"backend":null,"required_version":null}
    tf/modules/vpc/main.tf:1 terraform tf/modules/vpc:terraform {"backend":null,"required_version":null}
    tf/production/main.tf:1 module tf/production:module.vpc {"is_local":true,"is_pinned":true,"name":"vpc","ref":null,"source":"../modules/vpc","source_kind":"local","version":null}
    tf/production/main.tf:5 module tf/production:module.remote {"is_local":false,"is_pinned":false,"name":"remote","ref":null,"source":"a/b/c","source_kind":"registry","version":"~> 1.0"}
    tf/production/main.tf:10 module tf/production:module.exact {"is_local":false,"is_pinned":true,"name":"exact","ref":null,"source":"a/b/c","source_kind":"registry","version":"1.2.3"}
    tf/production/main.tf:15 module tf/production:module.git {"is_local":false,"is_pinned":false,"name":"git","ref":"v1","source":"git::https://example.com/a.git?ref=v1","source_kind":"git","version":null}
    tf/production/main.tf:19 module tf/production:module.computed {"name":"computed","version":null} unknown {"is_local":true,"is_pinned":true,"ref":true,"source":true,"source_kind":true}
    tf/production/main.tf:23 resource tf/production:aws_db_instance.this {"connection":true,"has_count":true,"has_for_each":false,"lifecycle":{"create_before_destroy":null,"ignore_changes":["tags[\"a\"]","size"],"prevent_destroy":true},"name":"this","provider":"aws.west","provisioners":["local-exec","remote-exec"],"type":"aws_db_instance"}
    tf/production/main.tf:40 resource tf/production:terraform_data.this {"connection":false,"has_count":false,"has_for_each":false,"lifecycle":{"create_before_destroy":null,"ignore_changes":"all"},"name":"this","provider":null,"provisioners":[],"type":"terraform_data"} unknown {"lifecycle":{"prevent_destroy":true}}
    tf/production/main.tf:48 data tf/production:data.http.this {"connection":false,"has_count":false,"has_for_each":false,"lifecycle":{"create_before_destroy":null,"ignore_changes":null,"prevent_destroy":null},"name":"this","provider":null,"provisioners":[],"type":"http"}
    tf/production/main.tf:51 data tf/production:data.external.this {"connection":false,"has_count":false,"has_for_each":true,"lifecycle":{"create_before_destroy":null,"ignore_changes":null,"prevent_destroy":null},"name":"this","provider":null,"provisioners":[],"type":"external"}
    tf/production/main.tf:55 removed tf/production:removed.aws_s3_bucket.old {"from":"aws_s3_bucket.old","provisioners":["local-exec"]}
    tf/production/terraform.tf:14 provider tf/production:provider.aws.west {"alias":"west","keys":["access_key","assume_role","ignore_tags"],"name":"aws"}
    tf/production/terraform.tf:25 variable tf/production:variable.a {"has_default":false,"name":"a","sensitive":true,"type":"list(string)"}
    tf/production/terraform.tf:29 variable tf/production:variable.b {"has_default":true,"name":"b","sensitive":false,"type":null}
    tf/production/terraform.tf:30 output tf/production:output.c {"name":"c"} unknown {"sensitive":true}
    tf/production/terraform.tf:1 terraform tf/production:terraform {"backend":"s3","required_version":">= 1.9"}
    tf/production/terraform.tf:5 required_provider tf/production:required_provider.aws {"name":"aws","source":"hashicorp/aws","version":"~> 6.0"}
    tf/production/main.tf:51 required_provider tf/production:required_provider.external {"name":"external","source":"hashicorp/external","version":null}
    tf/production/main.tf:48 required_provider tf/production:required_provider.http {"name":"http","source":"hashicorp/http","version":null}
    tf/production/terraform.tf:9 required_provider tf/production:required_provider.old {"name":"old","source":"hashicorp/old","version":"1.0"}
    "#);
}

#[test]
fn overrides_have_the_last_word() {
    let shown = read(&[
        (
            "tf/z.tf",
            "module \"a\" {\n  source = \"./a\"\n  version = \"1\"\n}\nresource \"a_b\" \"c\" {\n  lifecycle {\n    prevent_destroy = true\n    create_before_destroy = true\n  }\n  provisioner \"file\" {}\n}\nterraform {\n  required_version = \"1\"\n}\nterraform {\n  cloud {}\n}\n",
        ),
        (
            "tf/a_override.tf",
            "module \"a\" {\n  source = \"b/c/d\"\n}\nresource \"a_b\" \"c\" {\n  lifecycle {\n    prevent_destroy = false\n  }\n  provisioner \"local-exec\" {}\n}\nterraform {\n  backend \"local\" {}\n}\n",
        ),
    ]);
    assert_snapshot!(shown, @r#"
    tf/z.tf:1 module tf:module.a {"is_local":false,"is_pinned":false,"name":"a","ref":null,"source":"b/c/d","source_kind":"registry","version":"1"}
    tf/z.tf:5 resource tf:a_b.c {"connection":false,"has_count":false,"has_for_each":false,"lifecycle":{"create_before_destroy":true,"ignore_changes":null,"prevent_destroy":false},"name":"c","provider":null,"provisioners":["local-exec"],"type":"a_b"}
    tf/z.tf:12 terraform tf:terraform {"backend":"local","required_version":"1"}
    tf/z.tf:5 required_provider tf:required_provider.a {"name":"a","source":"hashicorp/a","version":null}
    "#);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    let shown = read(&[
        ("tf/a/bad.tf", "resource \"a\" \"b\" {\n  c = \n}\n"),
        (
            "tf/a/good.tf",
            "output \"a\" {}\nmodule \"out\" {\n  source = \"../../../out\"\n}\nmodule \"none\" {\n  source = \"./none\"\n}\nmodule \"elsewhere\" {\n  source = \"../../lib\"\n}\n",
        ),
        ("tf/a/json.tf.json", "{}"),
        ("tf/a/own.tofu", ""),
        ("tf/a/.hidden.tf", "what?"),
        ("tf/a/backup.tf~", "what?"),
        ("tf/b/.terraform.lock.hcl", "provider"),
        ("lib/main.tf", "output \"b\" {}"),
        ("other/main.tf", "not called"),
    ]);
    assert_snapshot!(shown, @r#"
    lib/main.tf:1 output lib:output.b {"name":"b","sensitive":false}
    lib/main.tf:1 terraform lib:terraform {"backend":null,"required_version":null}
    tf/a/good.tf:1 output tf/a:output.a {"name":"a","sensitive":false}
    tf/a/good.tf:2 module tf/a:module.out {"is_local":true,"is_pinned":true,"name":"out","ref":null,"source":"../../../out","source_kind":"local","version":null}
    tf/a/good.tf:5 module tf/a:module.none {"is_local":true,"is_pinned":true,"name":"none","ref":null,"source":"./none","source_kind":"local","version":null}
    tf/a/good.tf:8 module tf/a:module.elsewhere {"is_local":true,"is_pinned":true,"name":"elsewhere","ref":null,"source":"../../lib","source_kind":"local","version":null}
    tf/a/good.tf:1 terraform tf/a:terraform {"backend":null,"required_version":null}
    tf/a/bad.tf:2:7: is no HCL: invalid expression; expected `"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit
    tf/a/good.tf:3:3: `../../../out` leads out of the repository
    tf/a/good.tf:6:3: the module `tf/a/none` can't be read: there is none
    tf/a/json.tf.json:1:1: is JSON; configuration is read as HCL only
    tf/a/own.tofu:1:1: takes the place of another file for OpenTofu only; it is not read
    tf/b/.terraform.lock.hcl:1:1: is no HCL: unexpected token
    "#);
}

#[test]
fn a_repository_without_a_tree_has_no_configuration() {
    assert_eq!(read(&[("README.md", "")]), "");
}

#[test]
fn a_link_to_a_directory_is_told_unless_it_is_called_as_a_module() {
    use std::fs;
    use std::os::unix::fs::symlink;

    let tree = tempfile::tempdir().unwrap();
    for directory in ["tf/live", "lib/vpc"] {
        fs::create_dir_all(tree.path().join(directory)).unwrap();
    }
    let main = "module \"a\" {\n  source = \"../called\"\n}\n";
    fs::write(tree.path().join("tf/live/main.tf"), main).unwrap();
    fs::write(tree.path().join("lib/vpc/main.tf"), "output \"b\" {}\n").unwrap();
    symlink("../lib/vpc", tree.path().join("tf/called")).unwrap();
    symlink("../lib/vpc", tree.path().join("tf/forgotten")).unwrap();
    let files = crate::files::WorkTree::open(tree.path()).unwrap();
    let configuration = Configuration::read(&files, "tf");
    assert_eq!(
        configuration.unreadable().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["tf/forgotten:1:1: is a link to a directory, which is not followed"]
    );
    let addresses = configuration.records().iter().map(|record| record.address.as_str());
    assert!(addresses.collect::<Vec<_>>().contains(&"tf/called:output.b"));
}
