//! The tags of an environment on everything that takes tags: by them it is found, paid for and taken away.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, PipeWriter};
use std::path::Path;

use serde_json::Value;

use crate::playground::{Playground, has, provider};

/// The stand-in for AWS and the others, for as long as this is there.
struct Double {
    reattach: String,
    hold: Option<PipeWriter>,
    handle: duct::Handle,
}

impl Double {
    fn start(playground: &Playground) -> Self {
        let (stdin, hold) = std::io::pipe().unwrap();
        let (answer, stdout) = std::io::pipe().unwrap();
        let root = playground.root();
        let arguments: [OsString; 5] = [
            "rehearse".into(),
            "--dir".into(),
            root.join(".git/world").into(),
            "--fixtures".into(),
            root.join("tf/rehearsal.fixtures.json").into(),
        ];
        let handle = duct::cmd(provider(), arguments)
            .stdin_file(stdin)
            .stdout_file(stdout)
            .unchecked()
            .start()
            .unwrap();
        let mut reattach = String::new();
        BufReader::new(answer).read_line(&mut reattach).unwrap();
        Self { reattach: reattach.trim().to_owned(), hold: Some(hold), handle }
    }

    #[track_caller]
    fn terraform(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = duct::cmd("terraform", arguments)
            .dir(directory)
            .env("TF_REATTACH_PROVIDERS", &self.reattach)
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("TF_CLI_CONFIG_FILE")
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "terraform {arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.hold = None;
        let _ = self.handle.kill();
    }
}

const VALUES: &str = r#"
region          = "eu-central-1"
owner           = "platform"
repository      = "example/guestbook"
image           = "registry.example/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
collector_image = "registry.example/collector:0.140.0"
domain = {
  name            = "www.example.com"
  zone_id         = "Z0123456789ABCDEFGHIJ"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
}
"#;

/// Plans production's root with another hosting in the place of its own, and returns the resources of the plan.
fn plan(playground: &Playground, double: &Double, hosting: &str) -> Vec<Value> {
    let root = playground.root().join("tf").join(hosting);
    fs::create_dir(&root).unwrap();
    for file in ["main.tf", "outputs.tf", "providers.tf", "terraform.tf", "variables.tf"] {
        let text = fs::read_to_string(playground.root().join("tf/production").join(file)).unwrap();
        let text =
            text.replace("application_hosting/ecs\"", &format!("application_hosting/{hosting}\""));
        // What a hosting can't do is refused by it: a name of one's own, or to be open to everyone.
        let text = match hosting {
            "kubernetes" => text.replace("= var.domain\n", "= null\n"),
            "nomad" => text
                .replace("= var.domain\n", "= null\n")
                .replace("= var.ingress_cidrs\n", "= [\"10.0.0.0/8\"]\n")
                .replace("public                   = true\n", ""),
            _ => text,
        };
        fs::write(root.join(file), text).unwrap();
    }
    fs::write(root.join("terraform.tfvars"), VALUES).unwrap();
    double.terraform(&root, &["init", "-no-color", "-input=false"]);
    double.terraform(&root, &["plan", "-no-color", "-input=false", "-out=plan.tfplan"]);
    let shown = double.terraform(&root, &["show", "-json", "plan.tfplan"]);
    let mut plan: Value = serde_json::from_str(&shown).unwrap();
    let Value::Array(changes) = plan["resource_changes"].take() else {
        panic!("{hosting}: no changes")
    };
    changes.into_iter().filter(|change| change["mode"] == "managed").collect()
}

/// Types that could carry tags and are given them in another way than by the provider's `default_tags`, each asserted below.
const OTHERWISE: &[&str] = &["aws_autoscaling_group"];

#[test]
fn everything_that_takes_tags_has_those_of_the_environment() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let double = Double::start(&playground);
    for hosting in ["ecs", "ec2_docker", "ec2_compose", "eks", "kubernetes", "nomad"] {
        let resources = plan(&playground, &double, hosting);
        let mut tagged = BTreeSet::new();
        for resource in &resources {
            let (address, kind) = (&resource["address"], resource["type"].as_str().unwrap());
            let after = &resource["change"]["after"];
            if OTHERWISE.contains(&kind) || after.get("tags_all").is_none() {
                assert!(
                    resource["change"]["after_unknown"].get("tags_all").is_none(),
                    "{hosting}: {address}"
                );
                continue;
            }
            let tags = &after["tags_all"];
            for (name, value) in
                [("environment", "production"), ("owner", "platform"), ("managed-by", "menagerie")]
            {
                assert_eq!(tags[name], value, "{hosting}: {address} has {tags}");
            }
            tagged.insert(kind);
        }
        assert!(
            tagged.contains("aws_db_instance") && tagged.contains("aws_s3_bucket"),
            "{hosting}: {tagged:?}"
        );
        passed_on(hosting, &resources);
    }
}

/// What a resource makes in its turn has the tags, too: instances, their disks, tasks, pods.
#[track_caller]
fn passed_on(hosting: &str, resources: &[Value]) {
    let of = |kind: &str| {
        let found = resources.iter().find(|resource| resource["type"] == kind);
        &found.unwrap_or_else(|| panic!("{hosting} has no {kind}"))["change"]["after"]
    };
    match hosting {
        "ecs" => assert_eq!(of("aws_ecs_service")["propagate_tags"], "SERVICE"),
        "ec2_docker" | "ec2_compose" => {
            let tags = of("aws_autoscaling_group")["tag"].as_array().unwrap();
            let environment = tags.iter().find(|tag| tag["key"] == "environment").unwrap();
            assert_eq!(environment["value"], "production");
            assert_eq!(environment["propagate_at_launch"], true);
            let specifications =
                of("aws_launch_template")["tag_specifications"].as_array().unwrap();
            let volume =
                specifications.iter().find(|tags| tags["resource_type"] == "volume").unwrap();
            assert_eq!(volume["tags"]["environment"], "production");
        }
        "eks" | "kubernetes" => {
            let labels =
                &of("kubernetes_deployment_v1")["spec"][0]["template"][0]["metadata"][0]["labels"];
            assert!(
                labels.as_object().unwrap().values().any(|label| label == "production"),
                "{labels}"
            );
        }
        // A job is text, which is known in full when the database is: its name is its own tag.
        _ => assert!(resources.iter().any(|resource| resource["type"] == "nomad_job")),
    }
}
