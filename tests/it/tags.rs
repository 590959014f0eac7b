//! The tags of an environment on everything that takes tags: by them it is found, paid for and taken away.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, PipeWriter};
use std::path::Path;

use jiff::Timestamp;
use menagerie_config::{Hosting, Project, Settings, Size};
use menagerie_template::{Root, Tags, Templates};
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

const PROJECT: &str = r#"
[aws]
region = "eu-central-1"

[backend.s3]
bucket = "states-of-guestbook"

[ingress]
cidrs = ["10.0.0.0/8"]

[observability]
collector_image = "registry.example/collector:0.140.0"
"#;

const IMAGE: &str =
    "registry.example/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What everything has that belongs to the environment `calm-otter`.
fn tags(hosting: Hosting) -> [(&'static str, &'static str); 7] {
    [
        ("environment", "calm-otter"),
        ("owner", "ada@example.com"),
        ("managed-by", "menagerie"),
        ("created-at", "1970-01-01T00:00:00Z"),
        ("expires-at", "1970-01-01T08:00:00Z"),
        ("hosting", hosting.as_str()),
        ("repository", "example/guestbook"),
    ]
}

/// Renders the root module of an environment, plans it, and returns the resources of the plan.
fn plan(playground: &Playground, double: &Double, hosting: Hosting) -> Vec<Value> {
    let project = Project::parse(PROJECT, Path::new("menagerie.toml")).unwrap();
    let tags = Tags {
        owner: "ada@example.com",
        created: Timestamp::UNIX_EPOCH,
        expires: Timestamp::from_second(8 * 3600).unwrap(),
        repository: "example/guestbook",
    };
    let rendered = Templates::default().render(&Root {
        name: &"calm-otter".parse().unwrap(),
        hosting,
        size: Size::Small,
        tags,
        settings: &Settings::default(),
        project: &project,
    });
    let root = playground.root().join("tf/envs").join(hosting.as_str());
    fs::create_dir_all(&root).unwrap();
    for file in rendered.unwrap().files {
        fs::write(root.join(file.path), file.text).unwrap();
    }
    fs::write(root.join("zz_override.tf"), "terraform {\n  backend \"local\" {}\n}\n").unwrap();
    let image = format!("-var=image={IMAGE}");
    double.terraform(&root, &["init", "-no-color", "-input=false"]);
    double.terraform(&root, &["plan", "-no-color", "-input=false", "-out=plan.tfplan", &image]);
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
    for hosting in Hosting::ALL.iter().copied().filter(|hosting| *hosting != Hosting::Local) {
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
            let found = &after["tags_all"];
            for (name, value) in tags(hosting) {
                assert_eq!(found[name], value, "{hosting}: {address} has {found}");
            }
            tagged.insert(kind);
        }
        assert!(
            tagged.contains("aws_db_instance") && tagged.contains("aws_s3_bucket"),
            "{hosting}: {tagged:?}"
        );
        passed_on(hosting.as_str(), &resources);
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
            assert_eq!(environment["value"], "calm-otter");
            assert_eq!(environment["propagate_at_launch"], true);
            let specifications =
                of("aws_launch_template")["tag_specifications"].as_array().unwrap();
            let volume =
                specifications.iter().find(|tags| tags["resource_type"] == "volume").unwrap();
            assert_eq!(volume["tags"]["environment"], "calm-otter");
        }
        "eks" | "kubernetes" => {
            let labels =
                &of("kubernetes_deployment_v1")["spec"][0]["template"][0]["metadata"][0]["labels"];
            assert!(
                labels.as_object().unwrap().values().any(|label| label == "calm-otter"),
                "{labels}"
            );
        }
        // A job is text, which is known in full when the database is: its name is its own tag.
        _ => assert!(resources.iter().any(|resource| resource["type"] == "nomad_job")),
    }
}
