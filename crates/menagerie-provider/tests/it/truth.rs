//! A rehearsal against the truth: the same configuration over the real provider `aws` of 2021, in front of moto, and over the stand-in
//! made from that provider's own schema. What differs is what a rehearsal cannot know: `docs/rehearsal.md` lists it.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::PROVIDER;

const PLUGIN: &str = "terraform-provider-aws_3.39.0_linux_amd64.zip";

/// Values by `resource.attribute`, and `unknown` for what a plan does not know yet.
type Values = BTreeMap<String, String>;

/// Returns a file that CI has in `target/ci`, or says why the test is skipped, or fails it where nothing may be.
fn fetched(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ci").join(path);
    if let Ok(path) = path.canonicalize() {
        return Some(path);
    }
    assert!(
        env::var("MENAGERIE_REQUIRE").as_deref() != Ok("all"),
        "there is no `{}`: `.ci/run` fetches it",
        path.display()
    );
    println!("skipped: there is no `{}`: `.ci/run` fetches it", path.display());
    None
}

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a stand-in for AWS's servers, and returns its URL.
fn start_moto(program: &Path, log: &Path) -> (Running, String) {
    let mut command = Command::new(program);
    command.args(["-H", "127.0.0.1", "-p", "0"]).stdin(Stdio::null()).stdout(Stdio::null());
    let running = Running(command.stderr(fs::File::create(log).unwrap()).spawn().unwrap());
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(log).unwrap();
        if let Some((_, url)) = text.split_once("Running on ") {
            return (running, url.lines().next().unwrap().trim().to_owned());
        }
        assert!(start.elapsed() < Duration::from_mins(2), "moto does not start: {text}");
        sleep(Duration::from_millis(50));
    }
}

/// The configuration in a directory of its own.
struct Root {
    directory: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Root {
    fn new(variable: &'static str, value: String, endpoint: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("main.tf"), include_str!("truth.tf")).unwrap();
        let variables = vec![
            (variable, value),
            ("TF_VAR_endpoint", endpoint.to_owned()),
            ("CHECKPOINT_DISABLE", "1".to_owned()),
            ("PATH", env::var("PATH").unwrap()),
            ("HOME", directory.path().to_str().unwrap().to_owned()),
        ];
        Self { directory, variables }
    }

    #[track_caller]
    fn terraform(&self, arguments: &[&str]) -> String {
        let output = Command::new("terraform")
            .args(arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn plan(&self, name: &str, variable: &str) -> Value {
        self.terraform(&["plan", "-input=false", "-out", name, "-var", variable]);
        serde_json::from_str(&self.terraform(&["show", "-json", name])).unwrap()
    }

    /// Returns the plans of a life, and the state in the middle of it.
    fn live(&self) -> (Vec<(&'static str, Value)>, Value) {
        self.terraform(&["init", "-input=false"]);
        let create = self.plan("create", "zones=2");
        self.terraform(&["apply", "-input=false", "create"]);
        let state = serde_json::from_str(&self.terraform(&["show", "-json"])).unwrap();
        let again = self.plan("again", "zones=2");
        let update = self.plan("update", "purpose=other");
        let replace = self.plan("replace", "cidr_block=10.1.0.0/16");
        let shrink = self.plan("shrink", "zones=1");
        self.terraform(&["apply", "-input=false", "shrink"]);
        self.terraform(&["destroy", "-input=false", "-auto-approve"]);
        let plans = vec![
            ("create", create),
            ("again", again),
            ("update", update),
            ("replace", replace),
            ("shrink", shrink),
        ];
        (plans, state)
    }
}

/// Returns what a plan does: each resource with its actions and what makes a replacement necessary.
fn actions(plan: &Value) -> Vec<String> {
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    changes
        .map(|change| {
            let (address, change) = (&change["address"], &change["change"]);
            format!("{address} {} {}", change["actions"], change["replace_paths"])
        })
        .collect()
}

fn planned(plan: &Value) -> Values {
    let mut values = Values::new();
    for change in plan["resource_changes"].as_array().unwrap() {
        let address = change["address"].as_str().unwrap();
        add(address, &change["change"]["after"], &mut values);
        let mut unknown = Values::new();
        add(address, &change["change"]["after_unknown"], &mut unknown);
        let unknown = unknown.into_iter().filter(|(_, value)| value == "true");
        values.extend(unknown.map(|(path, _)| (path, "unknown".to_owned())));
    }
    values
}

fn kept(state: &Value) -> Values {
    let mut values = Values::new();
    for resource in state["values"]["root_module"]["resources"].as_array().unwrap() {
        add(resource["address"].as_str().unwrap(), &resource["values"], &mut values);
    }
    values
}

fn add(path: &str, value: &Value, values: &mut Values) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            object.iter().for_each(|(name, value)| add(&format!("{path}.{name}"), value, values));
        }
        Value::Array(array) if !array.is_empty() => {
            let array = array.iter().enumerate();
            array.for_each(|(index, value)| add(&format!("{path}[{index}]"), value, values));
        }
        _ => {
            values.insert(path.to_owned(), value.to_string());
        }
    }
}

/// Returns what differs, a line each, and of how many; texts that were made up in the place of others are only counted.
fn difference(real: &Values, rehearsed: &Values) -> String {
    let paths: BTreeSet<&String> = real.keys().chain(rehearsed.keys()).collect();
    let of =
        |values: &Values, path: &String| values.get(path).cloned().unwrap_or("absent".to_owned());
    let is_text = |value: &str| value.starts_with('"') && value.len() > 2;
    let (mut made_up, mut lines) = (0, Vec::new());
    for path in &paths {
        let (real, rehearsed) = (of(real, path), of(rehearsed, path));
        if is_text(&real) && is_text(&rehearsed) {
            made_up += usize::from(real != rehearsed);
        } else if real != rehearsed {
            let rehearsed = if is_text(&rehearsed) { "a text" } else { &rehearsed };
            lines.push(format!("{path}: {real}, rehearsed {rehearsed}"));
        }
    }
    format!("of {}: {made_up} texts, and {}\n{}", paths.len(), lines.len(), lines.join("\n"))
}

#[test]
fn the_real_provider_and_its_stand_in() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("skipped: the plugin's package is for Linux on x86-64 only");
        return;
    }
    let (plugin, moto) = (fetched(&format!("aws/{PLUGIN}")), fetched("moto/bin/moto_server"));
    let (Some(plugin), Some(moto)) = (plugin, moto) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mirror = scratch.path().join("mirror/registry.terraform.io/hashicorp/aws");
    fs::create_dir_all(&mirror).unwrap();
    fs::copy(&plugin, mirror.join(PLUGIN)).unwrap();
    let settings = scratch.path().join("terraformrc");
    let path = scratch.path().join("mirror");
    fs::write(
        &settings,
        format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            path.display()
        ),
    )
    .unwrap();

    let (_moto, endpoint) = start_moto(&moto, &scratch.path().join("moto.log"));
    let root = Root::new("TF_CLI_CONFIG_FILE", settings.to_str().unwrap().to_owned(), &endpoint);
    let (real, real_state) = root.live();
    let mut schemas: Value =
        serde_json::from_str(&root.terraform(&["providers", "schema", "-json"])).unwrap();
    let source = "registry.terraform.io/hashicorp/aws";
    let schema = scratch.path().join("aws.json");
    fs::write(&schema, schemas["provider_schemas"][source].take().to_string()).unwrap();

    let mut command = Command::new(PROVIDER);
    command.args(["rehearse", "--schema", &format!("{source}={}", schema.display()), "--dir"]);
    command.arg(scratch.path().join("world")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut double = Running(command.spawn().unwrap());
    let mut reattach = String::new();
    BufReader::new(double.0.stdout.take().unwrap()).read_line(&mut reattach).unwrap();
    let root = Root::new("TF_REATTACH_PROVIDERS", reattach.trim().to_owned(), &endpoint);
    let (rehearsed, rehearsed_state) = root.live();

    for ((name, real), (_, rehearsed)) in real.iter().zip(&rehearsed) {
        assert_eq!(actions(real), actions(rehearsed), "{name}");
    }
    assert_snapshot!(difference(&planned(&real[0].1), &planned(&rehearsed[0].1)), @r#"
    of 107: 0 texts, and 14
    aws_iam_role.task.force_detach_policies: false, rehearsed null
    aws_iam_role.task.inline_policy: unknown, rehearsed []
    aws_iam_role.task.max_session_duration: 3600, rehearsed null
    aws_iam_role.task.path: "/", rehearsed null
    aws_s3_bucket.this.acl: "private", rehearsed null
    aws_s3_bucket.this.region: unknown, rehearsed a text
    aws_s3_bucket.this.versioning: unknown, rehearsed []
    aws_subnet.private[0].assign_ipv6_address_on_creation: false, rehearsed null
    aws_subnet.private[0].map_public_ip_on_launch: false, rehearsed null
    aws_subnet.private[1].assign_ipv6_address_on_creation: false, rehearsed null
    aws_subnet.private[1].map_public_ip_on_launch: false, rehearsed null
    aws_vpc.this.assign_generated_ipv6_cidr_block: false, rehearsed null
    aws_vpc.this.enable_dns_support: true, rehearsed null
    aws_vpc.this.instance_tenancy: "default", rehearsed null
    "#);
    assert_snapshot!(difference(&kept(&real_state), &kept(&rehearsed_state)), @r#"
    of 111: 18 texts, and 29
    aws_iam_role.task.description: "", rehearsed null
    aws_iam_role.task.force_detach_policies: false, rehearsed null
    aws_iam_role.task.inline_policy: absent, rehearsed []
    aws_iam_role.task.inline_policy[0].name: "", rehearsed absent
    aws_iam_role.task.inline_policy[0].policy: "", rehearsed absent
    aws_iam_role.task.max_session_duration: 3600, rehearsed null
    aws_iam_role.task.path: "/", rehearsed null
    aws_s3_bucket.this.acl: "private", rehearsed null
    aws_s3_bucket.this.request_payer: "", rehearsed a text
    aws_s3_bucket.this.versioning: absent, rehearsed []
    aws_s3_bucket.this.versioning[0].enabled: false, rehearsed absent
    aws_s3_bucket.this.versioning[0].mfa_delete: false, rehearsed absent
    aws_s3_bucket.this.website_domain: null, rehearsed ""
    aws_s3_bucket.this.website_endpoint: null, rehearsed ""
    aws_subnet.private[0].assign_ipv6_address_on_creation: false, rehearsed null
    aws_subnet.private[0].customer_owned_ipv4_pool: "", rehearsed null
    aws_subnet.private[0].ipv6_cidr_block: "", rehearsed null
    aws_subnet.private[0].map_customer_owned_ip_on_launch: false, rehearsed null
    aws_subnet.private[0].map_public_ip_on_launch: false, rehearsed null
    aws_subnet.private[0].outpost_arn: "", rehearsed null
    aws_subnet.private[1].assign_ipv6_address_on_creation: false, rehearsed null
    aws_subnet.private[1].customer_owned_ipv4_pool: "", rehearsed null
    aws_subnet.private[1].ipv6_cidr_block: "", rehearsed null
    aws_subnet.private[1].map_customer_owned_ip_on_launch: false, rehearsed null
    aws_subnet.private[1].map_public_ip_on_launch: false, rehearsed null
    aws_subnet.private[1].outpost_arn: "", rehearsed null
    aws_vpc.this.assign_generated_ipv6_cidr_block: false, rehearsed null
    aws_vpc.this.enable_dns_support: true, rehearsed null
    aws_vpc.this.instance_tenancy: "default", rehearsed null
    "#);
}
