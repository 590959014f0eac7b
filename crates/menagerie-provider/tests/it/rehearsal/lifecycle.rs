//! From nothing to nothing, over AWS and Kubernetes at once.

use super::Rehearsal;
use crate::harness::{finish, has};
use serde_json::{Value, json};
use std::fs;

const NETWORK: &str = r#"
data "aws_availability_zones" "these" {
  state = "available"
}
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "this" {
  count             = 2
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.these.names[count.index]
}
resource "aws_security_group" "this" {
  name   = "calm-otter"
  vpc_id = aws_vpc.this.id
  tags   = { Name = "calm-otter" }
}
"#;

const APPLICATION: &str = r#"
resource "aws_db_subnet_group" "this" {
  name       = "calm-otter"
  subnet_ids = aws_subnet.this[*].id
}
resource "aws_db_instance" "this" {
  identifier                  = "calm-otter"
  engine                      = "postgres"
  instance_class              = "db.t4g.micro"
  allocated_storage           = 20
  username                    = "app"
  manage_master_user_password = true
  db_subnet_group_name        = aws_db_subnet_group.this.name
  vpc_security_group_ids      = [aws_security_group.this.id]
  skip_final_snapshot         = true
}
resource "aws_secretsmanager_secret" "this" {
  name = "calm-otter"
}
resource "aws_ssm_parameter" "this" {
  name             = "/calm-otter/secret"
  type             = "SecureString"
  value_wo         = "hush-hush"
  value_wo_version = 1
}
resource "aws_ecs_task_definition" "this" {
  family                   = "calm-otter"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "app", image = "app:1", environment = [{ name = "PGHOST", value = aws_db_instance.this.address }] }])
}
resource "aws_ecs_service" "this" {
  name            = "app"
  cluster         = "calm-otter"
  launch_type     = "FARGATE"
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = 2
  network_configuration {
    subnets         = aws_subnet.this[*].id
    security_groups = [aws_security_group.this.id]
  }
}
resource "kubernetes_namespace_v1" "this" {
  metadata {
    name = "calm-otter"
  }
}
resource "kubernetes_config_map_v1" "this" {
  metadata {
    name      = "app"
    namespace = kubernetes_namespace_v1.this.metadata[0].name
  }
  data = { database = aws_db_instance.this.endpoint }
}
output "secret_arn" {
  value = aws_db_instance.this.master_user_secret[0].secret_arn
}
"#;

#[test]
fn what_is_made_looks_real_stays_so_and_goes() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    rehearsal.configure(&(NETWORK.to_owned() + APPLICATION));
    rehearsal.run(&["validate"]).success();
    rehearsal.plan().code(2).says(&["12 to add", "REHEARSAL: hashicorp/aws is a stand-in"]);
    assert_eq!(rehearsal.world(), json!({}), "a plan makes nothing");
    rehearsal.apply().success();
    rehearsal.plan().code(0);
    rehearsal.assert_agreement();

    let state = rehearsal.state();
    let starts = |address: &str, name: &str, expected: &str| {
        let found = state[address][name].as_str().unwrap();
        assert!(found.starts_with(expected), "{address}.{name} is `{found}`");
    };
    starts("aws_vpc.this", "id", "vpc-0");
    starts("aws_subnet.this[0]", "arn", "arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-0");
    starts("aws_db_instance.this", "endpoint", "calm-otter.c");
    starts(
        "aws_ecs_service.this",
        "id",
        "arn:aws:ecs:eu-west-1:123456789012:service/calm-otter/app",
    );
    starts("kubernetes_config_map_v1.this", "id", "calm-otter/app");
    assert_ne!(state["aws_subnet.this[0]"]["id"], state["aws_subnet.this[1]"]["id"]);
    assert_eq!(state["aws_db_instance.this"]["port"], 5432);
    let secret = state["aws_db_instance.this"]["master_user_secret"][0]["secret_arn"].as_str();
    assert!(secret.unwrap().contains(":secret:rds!db-"), "{secret:?}");
    assert_eq!(
        state["aws_security_group.this"]["tags_all"],
        json!({ "environment": "calm-otter", "Name": "calm-otter" })
    );
    assert_eq!(state["aws_vpc.this"]["tags_all"], json!({ "environment": "calm-otter" }));
    // A secret that is only written is in no state and in no world.
    assert_eq!(state["aws_ssm_parameter.this"]["value_wo"], Value::Null);
    for file in ["terraform.tfstate", "local/world.json"] {
        let text = fs::read_to_string(rehearsal.environment.root.path().join(file)).unwrap();
        assert!(!text.contains("hush-hush"), "{file}");
    }
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    rehearsal.assert_agreement();
    rehearsal.close();
}

#[test]
fn what_can_change_changes_and_the_rest_is_made_anew() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    let all = NETWORK.to_owned() + APPLICATION;
    rehearsal.configure(&all);
    rehearsal.apply().success();
    let before = rehearsal.state();

    rehearsal.configure(&all.replace("desired_count   = 2", "desired_count   = 3"));
    rehearsal.plan().code(2).says(&["0 to add, 1 to change, 0 to destroy"]);
    rehearsal.apply().success();
    assert_eq!(rehearsal.state()["aws_ecs_service.this"]["desired_count"], 3);

    // A new revision of a task, and the service follows.
    let all = all.replace("app:1", "app:2");
    rehearsal.configure(&all);
    rehearsal.plan().code(2).says(&[
        "container_definitions",
        "# forces replacement",
        "1 to add, 1 to change, 1 to destroy",
    ]);
    rehearsal.apply().success();
    rehearsal.plan().code(0);
    let arn = |state: &Value| state["aws_ecs_task_definition.this"]["arn"].to_string();
    assert!(
        arn(&before).ends_with("/calm-otter:1\"")
            && arn(&rehearsal.state()).ends_with("/calm-otter:2\"")
    );

    // What the network hangs on goes with it.
    rehearsal.configure(&all.replace("10.0.0.0/16", "10.1.0.0/16"));
    rehearsal.apply().success();
    rehearsal.plan().code(0);
    rehearsal.assert_agreement();
    assert_ne!(rehearsal.state()["aws_subnet.this[0]"]["id"], before["aws_subnet.this[0]"]["id"]);
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    rehearsal.close();
}

#[test]
fn the_same_again_has_the_same_ids() {
    if !has("terraform") {
        return;
    }
    let made = || {
        let rehearsal = Rehearsal::new(&[]);
        rehearsal.configure(&(NETWORK.to_owned() + APPLICATION));
        rehearsal.apply().success();
        let world = rehearsal.world();
        rehearsal.close();
        world
    };
    assert_eq!(made(), made());
}

#[test]
fn drift_is_rehearsed_by_editing_the_world() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    rehearsal.configure(NETWORK);
    rehearsal.apply().success();
    rehearsal.change_world(|world| {
        for (key, found) in world["resources"].as_object_mut().unwrap() {
            if key.starts_with("aws_security_group/") {
                found["tags"] = json!({ "Name": "someone else's" });
            }
        }
    });
    rehearsal
        .plan()
        .code(2)
        .says(&["0 to add, 1 to change, 0 to destroy", "\"someone else's\" -> \"calm-otter\""]);
    rehearsal.change_world(|world| {
        world["resources"].as_object_mut().unwrap().retain(|key, _| !key.starts_with("aws_vpc/"));
    });
    rehearsal.plan().code(2).says(&["# aws_vpc.this will be created"]);
    rehearsal.change_world(|world| {
        for found in world["resources"].as_object_mut().unwrap().values_mut() {
            found["vpc_id"] = json!(["no", "text"]);
        }
    });
    rehearsal.plan().code(1).says(&[
        "REHEARSAL: a value has the wrong type",
        "`vpc_id`",
        "world.json",
    ]);
    rehearsal.close();
}

#[test]
fn two_roots_share_a_world_and_find_each_others_things() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    let parameter = "resource \"aws_ssm_parameter\" \"this\" {\n  name  = \"/menagerie/common\"\n  type  = \"String\"\n  value = jsonencode({ contract = 1 })\n}\n";
    rehearsal.configure(parameter);
    rehearsal.apply().success();
    let other = rehearsal.environment.root.path().join("other");
    fs::create_dir(&other).unwrap();
    let text = fs::read_to_string(rehearsal.environment.root.path().join("main.tf")).unwrap();
    let look = "data \"aws_ssm_parameter\" \"this\" {\n  name = \"/menagerie/common\"\n}\nresource \"aws_sns_topic\" \"this\" {\n  name = \"contract-${jsondecode(nonsensitive(data.aws_ssm_parameter.this.value)).contract}\"\n}\n";
    fs::write(other.join("main.tf"), text.replace(parameter, look)).unwrap();
    rehearsal.run(&["-chdir=other", "apply", "-auto-approve", "-input=false"]).success();
    assert_eq!(
        rehearsal.world()["aws_sns_topic/arn:aws:sns:eu-west-1:123456789012:contract-1"]["name"],
        "contract-1"
    );
    // What is there once can't be made again.
    fs::write(other.join("main.tf"), text).unwrap();
    rehearsal
        .run(&["-chdir=other", "apply", "-auto-approve", "-input=false"])
        .code(1)
        .says(&["REHEARSAL: creating aws_ssm_parameter (/menagerie/common): AlreadyExists"]);
    rehearsal.run(&["-chdir=other", "destroy", "-auto-approve", "-input=false"]).success();
    rehearsal.assert_agreement();
    rehearsal.close();
}

#[test]
fn what_was_made_by_hand_is_imported_from_fixtures() {
    if !has("terraform") {
        return;
    }
    let fixtures = json!({ "import": { "aws_s3_bucket": { "old-files": { "bucket": "old-files", "tags": { "environment": "calm-otter" } } } } });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("fixtures.json");
    fs::write(&file, fixtures.to_string()).unwrap();
    let rehearsal = Rehearsal::new(&["--fixtures", file.to_str().unwrap()]);
    let bucket = "resource \"aws_s3_bucket\" \"this\" {\n  bucket = \"old-files\"\n  tags   = { environment = \"calm-otter\" }\n}\n";
    let import =
        |id: &str| format!("{bucket}import {{\n  to = aws_s3_bucket.this\n  id = \"{id}\"\n}}\n");
    rehearsal.configure(&import("no-files"));
    rehearsal
        .plan()
        .code(1)
        .says(&["REHEARSAL: importing aws_s3_bucket: nothing has the id `no-files`", "fixtures"]);
    rehearsal.configure(&import("old-files"));
    rehearsal.plan().code(2).says(&["1 to import, 0 to add, 0 to change, 0 to destroy"]);
    rehearsal.apply().success();
    rehearsal.plan().code(0);
    rehearsal.assert_agreement();
    assert_eq!(rehearsal.state()["aws_s3_bucket.this"]["arn"], "arn:aws:s3:::old-files");
    rehearsal.destroy().success();
    assert_eq!(rehearsal.world(), json!({}));
    // Configuration can be generated of it.
    fs::remove_file(rehearsal.environment.root.path().join("terraform.tfstate")).unwrap();
    rehearsal.configure("import {\n  to = aws_s3_bucket.this\n  id = \"old-files\"\n}\n");
    rehearsal.run(&["plan", "-generate-config-out=generated.tf", "-input=false"]).success();
    let generated =
        fs::read_to_string(rehearsal.environment.root.path().join("generated.tf")).unwrap();
    assert!(generated.contains("bucket") && !generated.contains("bucket-"), "{generated}");
    rehearsal.plan().code(2).says(&["1 to import, 0 to add, 0 to change, 0 to destroy"]);
    rehearsal.close();
}

#[test]
fn two_servers_change_one_world_at_once() {
    if !has("terraform") {
        return;
    }
    let rehearsal = Rehearsal::new(&[]);
    let other = rehearsal.environment.rehearse(&[]);
    let roots = ["one", "two"].map(|name| {
        let root = rehearsal.environment.root.path().join(name);
        fs::create_dir(&root).unwrap();
        rehearsal.write(&format!("{name}/main.tf"), &format!("terraform {{\n  required_providers {{\n    aws = {{ source = \"hashicorp/aws\" }}\n  }}\n}}\nresource \"aws_sns_topic\" \"this\" {{\n  count = 15\n  name  = \"{name}-${{count.index}}\"\n}}\nresource \"aws_vpc\" \"this\" {{\n  cidr_block = \"10.0.0.0/16\"\n}}\n"));
        format!("-chdir={name}")
    });
    for (command, exist) in [("apply", 32), ("destroy", 0)] {
        let running =
            [(&rehearsal.server, &roots[0]), (&other, &roots[1])].map(|(server, root)| {
                let arguments =
                    [root.as_str(), command, "-auto-approve", "-input=false", "-no-color"];
                rehearsal.environment.start_terraform(server, &arguments)
            });
        for terraform in running {
            finish(terraform).success();
        }
        assert_eq!(rehearsal.world().as_object().unwrap().len(), exist, "after {command}");
    }
    other.close();
    rehearsal.close();
}
