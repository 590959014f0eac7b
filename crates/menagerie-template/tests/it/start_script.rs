//! What an instance of EC2 runs when it starts, made by the real Terraform over a rehearsal and run by the real bash and jq.
//! Docker and AWS are stand-ins that write down how they were called.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::modules::copy;
use crate::terraform::{absent, built, has_terraform, succeed, variable};
use crate::tree::tree;

const IMAGE: &str =
    "app.example.com/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What stands in for every program that an instance has and this machine lacks: each argument on a line of its own, as JSON.
const STAND_IN: &str = r#"#!/bin/bash
name=$(basename "$0")
jq --null-input --compact-output '$ARGS.positional' --args -- "$name" "$@" >>"$CALLS"
case "$name $*" in
  "aws secretsmanager"*) cat "$SECRET" ;;
  curl*) while (($# > 1)); do [[ $1 == --output ]] && : >"$2"; shift; done ;;
esac
"#;

/// Values that try to be more than values.
fn hostile() -> BTreeMap<String, String> {
    [
        "it's \"quoted\" $HOME ${HOME} $(touch PWNED) `touch PWNED` \\ \\' end",
        "'; touch PWNED; '",
        "\"; touch PWNED; \"",
        "first\nsecond\n'\ntouch PWNED\n'",
        "%{ for x in y } %% ${x} $${x} $$ $",
        "EOF\n\tEOF\r\n<<EOF",
        "--privileged",
        " {{ go }} !tag &anchor *alias # not a comment: x ",
        "ünïcode \u{1f9a6} \u{2028}",
        "",
    ]
    .iter()
    .enumerate()
    .map(|(index, value)| (format!("HOSTILE_{index}"), (*value).to_owned()))
    .collect()
}

struct Instance {
    directory: TempDir,
    /// How the stand-ins were called: the program and its arguments.
    calls: Vec<Vec<String>>,
}

impl Instance {
    /// Starts a replica of a hosting; `None` where something is absent that it takes.
    fn start(hosting: &str, secret: &str) -> Option<Self> {
        if !has_terraform() {
            return None;
        }
        let path = variable("PATH").unwrap_or_default();
        if !std::env::split_paths(&path).any(|directory| directory.join("jq").is_file())
            && !absent("`jq` is not on PATH")
        {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let script = user_data(&built("menagerie-provider")?, directory.path(), hosting);
        let root = directory.path().to_str().unwrap();
        let script =
            ["/etc/menagerie", "/run/menagerie", "/usr/local/lib/docker", "/var/lib/cloud"]
                .iter()
                .fold(script, |script, path| script.replace(path, &format!("{root}{path}")));
        fs::create_dir_all(directory.path().join("var/lib/cloud/data")).unwrap();
        fs::write(directory.path().join("var/lib/cloud/data/instance-id"), "i-0123\n").unwrap();
        let stand_in = directory.path().join("stand-in");
        fs::write(&stand_in, STAND_IN).unwrap();
        fs::set_permissions(&stand_in, PermissionsExt::from_mode(0o755)).unwrap();
        let programs = directory.path().join("programs");
        fs::create_dir(&programs).unwrap();
        for name in ["aws", "curl", "dnf", "docker", "sha256sum", "systemctl"] {
            symlink(&stand_in, programs.join(name)).unwrap();
        }
        let calls = directory.path().join("calls");
        let kept = directory.path().join("secret.json");
        fs::write(&kept, json!({ "SecretString": secret }).to_string()).unwrap();
        let first = [programs].into_iter().chain(std::env::split_paths(&path));
        let output = duct::cmd!("bash", "-s")
            .stdin_bytes(script.clone())
            .full_env([
                ("PATH", std::env::join_paths(first).unwrap()),
                ("CALLS", calls.clone().into()),
                ("SECRET", kept.into()),
            ])
            .dir(directory.path())
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{script}");
        assert!(!directory.path().join("PWNED").exists(), "a value was run:\n{script}");
        assert!(!script.contains("hunter2"), "a secret is in the user data");
        let calls = fs::read_to_string(calls).unwrap();
        let calls = calls.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Some(Self { directory, calls })
    }

    fn calls_of(&self, start: &[&str]) -> Vec<&[String]> {
        let calls = self.calls.iter().map(Vec::as_slice);
        calls
            .filter(|call| {
                call.len() >= start.len() && call.iter().zip(start).all(|(one, other)| one == other)
            })
            .collect()
    }
}

/// Applies a hosting in a rehearsal, and returns the script that its instances are given.
fn user_data(provider: &Path, directory: &Path, hosting: &str) -> String {
    copy(&tree(), &directory.join("tf"));
    let module: PathBuf = directory.join("tf/modules/application_hosting").join(hosting);
    let secret = |name: &str| {
        format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf")
    };
    let variables = json!({
        "name": "calm-otter",
        "image": IMAGE,
        "size": { "cpu": 256, "memory": 512 },
        "network": { "vpc_id": "vpc-1", "public_subnet_ids": ["subnet-1", "subnet-2"], "private_subnet_ids": ["subnet-3", "subnet-4"] },
        "ingress_cidrs": ["10.0.0.0/8"],
        "environment": hostile(),
        "secrets": { "WHOLE": secret("whole"), "PART": format!("{}:password::", secret("part")) },
        "collector": { "image": IMAGE, "config": hostile()["HOSTILE_0"], "secrets": { "WHOLE": secret("other") } },
    });
    fs::write(module.join("terraform.tfvars.json"), variables.to_string()).unwrap();
    fs::write(module.join("provider.tf"), "provider \"aws\" {\n  region = \"eu-central-1\"\n}\n")
        .unwrap();
    let (stdin, hold) = std::io::pipe().unwrap();
    let (answer, stdout) = std::io::pipe().unwrap();
    let world = directory.join("world");
    let handle = duct::cmd(provider, ["rehearse".as_ref(), "--dir".as_ref(), world.as_os_str()])
        .stdin_file(stdin)
        .stdout_file(stdout)
        .stderr_path(directory.join("provider.log"))
        .unchecked()
        .start()
        .unwrap();
    let mut reattach = String::new();
    BufReader::new(answer).read_line(&mut reattach).unwrap();
    let environment = [("TF_REATTACH_PROVIDERS", reattach.trim())];
    succeed(&module, &["init", "-no-color", "-input=false"], &environment);
    succeed(&module, &["apply", "-no-color", "-input=false", "-auto-approve"], &environment);
    drop(hold);
    assert!(handle.wait().unwrap().status.success(), "the rehearsal ended badly");

    let state = fs::read_to_string(module.join("terraform.tfstate")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    let mut resources = state["resources"].as_array().unwrap().iter();
    let template = resources.find(|resource| resource["type"] == "aws_launch_template").unwrap();
    let packed = template["instances"][0]["attributes"]["user_data"].as_str().unwrap();
    duct::cmd!("bash", "-c", "base64 --decode | gzip --decompress --stdout")
        .stdin_bytes(packed)
        .read()
        .unwrap()
}

/// A text that is JSON, with a password that tries to be more than that.
fn secret() -> (String, String) {
    let password = "hunter2' \"$HOME\" $(touch PWNED) `id`\n$$ ${x}".to_owned();
    (json!({ "password": password }).to_string(), password)
}

#[test]
fn docker_gets_values_as_they_are() {
    let (whole, part) = secret();
    let Some(instance) = Instance::start("ec2_docker", &whole) else { return };
    let calls = instance.calls_of(&["docker", "run"]);
    assert_eq!(calls.len(), 2, "an application and a collector: {calls:?}");
    let given = |call: &[String]| -> BTreeMap<String, String> {
        let pairs = call.windows(2).filter(|pair| pair[0] == "--env");
        pairs
            .map(|pair| pair[1].split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    let application = given(calls[0]);
    for (name, value) in hostile() {
        assert_eq!(application[&name], value, "{name}");
    }
    assert_eq!((&application["WHOLE"], &application["PART"]), (&whole, &part));
    assert_eq!(calls[0].last().unwrap(), IMAGE, "nothing comes after the image");
    let collector = given(calls[1]);
    assert_eq!(collector["OTEL_CONFIG"], hostile()["HOSTILE_0"]);
    assert!(
        !collector.contains_key("PART"),
        "the collector does not get the application's secrets"
    );
    assert_eq!(calls[1].last().unwrap(), "--config=env:OTEL_CONFIG");
}

#[test]
fn compose_gets_values_as_they_are() {
    let (whole, part) = secret();
    let Some(instance) = Instance::start("ec2_compose", &whole) else { return };
    assert_eq!(instance.calls_of(&["docker", "compose"]).len(), 1);
    assert_eq!(instance.calls_of(&["sha256sum", "--check"]).len(), 1);
    // Terraform reads YAML; it answers in a form that no escaping is mixed up with.
    let file = instance.directory.path().join("etc/menagerie/compose.yaml");
    let expression =
        format!("base64encode(jsonencode(yamldecode(file({:?}))))", file.to_str().unwrap());
    let json = duct::cmd!("bash", "-c", "terraform console | tr --delete '\"' | base64 --decode")
        .stdin_bytes(expression)
        .full_env([
            ("PATH", variable("PATH").unwrap_or_default()),
            ("HOME", instance.directory.path().into()),
        ])
        .dir(instance.directory.path())
        .read()
        .unwrap();
    let project: Value = serde_json::from_str(&json).unwrap();
    let secrets = fs::read(instance.directory.path().join("run/menagerie/secrets.json")).unwrap();
    let secrets: Value = serde_json::from_slice(&secrets).unwrap();
    let value = |file: &Value, service: &str, name: &str| {
        interpolate(file["services"][service]["environment"][name].as_str().unwrap())
    };
    for (name, expected) in hostile() {
        assert_eq!(value(&project, "application", &name), expected, "{name}");
    }
    assert_eq!(value(&project, "collector", "OTEL_CONFIG"), hostile()["HOSTILE_0"]);
    assert_eq!(value(&secrets, "application", "WHOLE"), whole);
    assert_eq!(value(&secrets, "application", "PART"), part);
    assert_eq!(value(&secrets, "collector", "WHOLE"), whole);
    assert_eq!(secrets["services"]["collector"]["environment"]["PART"], Value::Null);
    assert_eq!(project["services"]["application"].get("command"), None);
}

/// Does what Compose does with a value: `$$` is a dollar, and any other would be a variable.
#[track_caller]
fn interpolate(text: &str) -> String {
    let halves: Vec<_> = text.split("$$").collect();
    assert!(halves.iter().all(|half| !half.contains('$')), "Compose finds a variable in {text:?}");
    halves.join("$")
}
