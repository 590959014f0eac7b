//! What environments share, and production beside it: applied by the real Terraform in one rehearsal, one after the other.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::modules::copy;
use crate::terraform::{built, has_terraform, succeed};
use crate::tree::tree;

const COMMON: &str = r#"
region            = "eu-central-1"
owner             = "platform"
github_repository = "example/guestbook"
eks               = { version = "1.34" }
"#;

const PRODUCTION: &str = r#"
region     = "eu-central-1"
owner      = "platform"
repository = "example/guestbook"
image      = "registry.example/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

domain = {
  name            = "www.example.com"
  zone_id         = "Z0123456789ABCDEFGHIJ"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
}
"#;

/// Where root modules are applied, and what is said to exist there.
struct Rehearsal {
    directory: tempfile::TempDir,
    reattach: String,
    handle: duct::Handle,
    hold: std::io::PipeWriter,
}

impl Rehearsal {
    fn start() -> Option<Self> {
        if !has_terraform() {
            return None;
        }
        let provider = built("menagerie-provider")?;
        let directory = tempfile::tempdir().unwrap();
        let (stdin, hold) = std::io::pipe().unwrap();
        let (answer, stdout) = std::io::pipe().unwrap();
        let world = directory.path().join("world");
        let handle =
            duct::cmd(&provider, ["rehearse".as_ref(), "--dir".as_ref(), world.as_os_str()])
                .stdin_file(stdin)
                .stdout_file(stdout)
                .stderr_path(directory.path().join("provider.log"))
                .unchecked()
                .start()
                .unwrap();
        let mut reattach = String::new();
        BufReader::new(answer).read_line(&mut reattach).unwrap();
        // A copy, since a root module is given another backend, and leaves its state beside itself.
        copy(&tree(), &directory.path().join("tf"));
        Some(Self { directory, reattach, handle, hold })
    }

    fn root(&self, name: &str) -> PathBuf {
        self.directory.path().join("tf").join(name)
    }

    fn terraform(&self, root: &Path, arguments: &[&str]) -> String {
        succeed(root, arguments, &[("TF_REATTACH_PROVIDERS", self.reattach.trim())])
    }

    /// Applies a root module, and returns the plan that it then has; a plan with changes fails the test.
    fn apply(&self, name: &str, variables: &str) -> Value {
        let root = self.root(name);
        fs::write(root.join("local_override.tf"), "terraform {\n  backend \"local\" {}\n}\n")
            .unwrap();
        fs::write(root.join("terraform.tfvars"), variables).unwrap();
        self.terraform(&root, &["init", "-no-color", "-input=false"]);
        self.terraform(&root, &["apply", "-no-color", "-input=false", "-auto-approve"]);
        // Exit code 2 would be a change.
        self.terraform(
            &root,
            &["plan", "-no-color", "-input=false", "-detailed-exitcode", "-out=tfplan"],
        );
        serde_json::from_str(&self.terraform(&root, &["show", "-json", "tfplan"])).unwrap()
    }

    fn end(self) {
        drop(self.hold);
        assert!(self.handle.wait().unwrap().status.success(), "the rehearsal ends well");
    }
}

/// Returns all resources of a plan: type and values.
fn resources(module: &Value) -> Vec<(&str, &Value)> {
    let here = module["resources"].as_array().into_iter().flatten();
    let here = here.map(|resource| (resource["type"].as_str().unwrap(), &resource["values"]));
    let below = module["child_modules"].as_array().into_iter().flatten();
    here.chain(below.flat_map(resources)).collect()
}

#[track_caller]
fn only<'a>(resources: &[(&str, &'a Value)], wanted: &str) -> &'a Value {
    let mut found = resources.iter().filter(|(name, _)| *name == wanted).map(|(_, values)| *values);
    let first = found.next().unwrap_or_else(|| panic!("there is no `{wanted}`"));
    assert!(found.next().is_none(), "there is more than one `{wanted}`");
    first
}

#[test]
fn production_stands_on_what_common_made_and_is_protected() {
    let Some(rehearsal) = Rehearsal::start() else { return };
    let common = rehearsal.apply("common", COMMON);
    let contract = &common["planned_values"]["outputs"]["contract"]["value"];
    let boundary = contract["permissions_boundary_arn"].as_str().unwrap();
    assert_eq!(contract["cluster_name"], "menagerie");
    let demanding = resources(&common["planned_values"]["root_module"])
        .into_iter()
        .filter_map(|(name, values)| (name == "aws_iam_policy").then_some(values))
        .filter(|policy| policy["name"].as_str().unwrap().ends_with("-roles"))
        .inspect(|policy| assert!(policy["policy"].as_str().unwrap().contains(boundary)))
        .count();
    assert_eq!(demanding, 2, "who applies makes roles below that boundary only");

    let production = rehearsal.apply("production", PRODUCTION);
    let found = resources(&production["planned_values"]["root_module"]);

    let database = only(&found, "aws_db_instance");
    assert_eq!(database["deletion_protection"], true);
    assert_eq!(database["skip_final_snapshot"], false);
    assert_eq!(database["delete_automated_backups"], false);
    assert_eq!(database["multi_az"], true);
    assert_eq!(database["storage_encrypted"], true);
    assert!(database["backup_retention_period"].as_u64().unwrap() >= 7);
    assert_eq!(only(&found, "aws_lb")["enable_deletion_protection"], true);
    assert_eq!(only(&found, "aws_s3_bucket")["force_destroy"], false);
    assert!(only(&found, "aws_ecs_service")["desired_count"].as_u64().unwrap() >= 2);
    let subnets = &only(&found, "aws_db_subnet_group")["subnet_ids"];
    assert_eq!(subnets.as_array().unwrap().len(), 2, "it is in the network of common");

    for (name, values) in &found {
        if *name == "aws_iam_role" {
            assert_eq!(values["permissions_boundary"], boundary);
            assert_eq!(values["path"], "/menagerie/environment/");
        }
        if let Some(tags) = values.get("tags_all") {
            assert_eq!(tags["environment"], "production", "{name}");
            assert_eq!(tags["managed-by"], "menagerie", "{name}");
            assert_eq!(tags.get("expires-at"), None, "{name}: production expires never");
        }
    }
    rehearsal.end();
}
