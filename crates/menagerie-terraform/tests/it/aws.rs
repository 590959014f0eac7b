//! The real `aws` provider against moto, a stand-in for AWS: what a provider of our own cannot show.
//!
//! The provider is one of 2021, since that is the one which can be had as a package. It shows how the runner works, not whether a
//! module is right for the provider of today.

mod moto;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use menagerie_plan::{Event, Summary};
use menagerie_terraform::{
    ApplyOptions, Cancel, DestroyOptions, Ended, FillOptions, InitOptions, Limits, Mirror, Notice,
    PackageSource, PlanOptions, RetryOptions, write_variables,
};

use crate::aws::moto::Moto;
use crate::support::{Root, done, ignore, setting, skip};

const PLUGIN: &str = "terraform-provider-aws_3.39.0_linux_amd64.zip";
/// Of the unpacked plugin, as Terraform 1.11.4 wrote it. The package is somebody else's re-pack: this says that it is the same as last
/// time, not that its maker signed it.
const CHECKSUM: &str = "h1:goOMfGE4SjLps+hpxJFEM/pZFiNgvi6BMG8/w86+f6k=";
const SOURCE: &str = "registry.terraform.io/hashicorp/aws";

/// A root module of ten resources, the provider in a mirror, and the stand-in.
struct Cloud {
    root: Root,
    moto: Moto,
    mirror: Mirror,
}

impl Cloud {
    /// `None`, with the reason printed, where something is missing.
    fn new() -> Option<Self> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            println!("skipped: the plugin's package is for Linux on x86-64 only");
            return None;
        }
        let plugin = setting("MENAGERIE_AWS_PLUGIN", &format!("aws/{PLUGIN}"));
        let program = setting("MENAGERIE_MOTO", "moto/bin/moto_server");
        for (path, what) in [(&plugin, "the `aws` plugin"), (&program, "moto")] {
            if !path.is_file() {
                skip(&format!("{what} is not at `{}`: see CONTRIBUTING.md", path.display()));
                return None;
            }
        }
        if duct::cmd!("curl", "--version").stdout_null().run().is_err() {
            skip("there is no `curl`");
            return None;
        }
        let mut root = Root::new(include_str!("aws/main.tf"))?;
        root.workdir.environment.retain(|name, _| !name.to_string_lossy().starts_with("AWS_"));
        root.workdir.environment.remove(&OsString::from("TF_CLI_CONFIG_FILE"));
        root.workdir.environment.insert("HOME".into(), root.beside("home").into());
        root.write(
            ".terraform.lock.hcl",
            &format!("provider \"{SOURCE}\" {{\n  version     = \"3.39.0\"\n  constraints = \"3.39.0\"\n  hashes = [\n    \"{CHECKSUM}\",\n  ]\n}}\n"),
        );
        let moto = Moto::start(&program, &root.beside("moto.log"));
        let endpoint = serde_json::json!({"endpoint": moto.url()});
        write_variables(&root.beside("variables.tfvars.json"), endpoint.as_object().unwrap())
            .unwrap();

        let mirror = Mirror::new(root.beside("mirror"));
        let options = FillOptions {
            lock_file: root.workdir.directory.join(".terraform.lock.hcl"),
            source: PackageSource::Archives(vec![plugin]),
            environment: root.workdir.environment.clone(),
            runs_directory: root.workdir.runs_directory.clone(),
            limits: Limits::default(),
            retry: RetryOptions::default(),
        };
        let filled = mirror.fill(&root.terraform, &options, &mut ignore, &root.cancel).unwrap();
        assert_eq!(done(filled).added, [format!("{SOURCE} 3.39.0")]);
        assert!(
            mirror
                .serve(&root.terraform, &options.lock_file, &mut root.workdir.environment)
                .unwrap()
        );
        Some(Self { root, moto, mirror })
    }

    fn variable_files(&self) -> Vec<PathBuf> {
        vec![self.root.beside("variables.tfvars.json")]
    }

    fn plan_options(&self) -> PlanOptions {
        PlanOptions { variable_files: self.variable_files(), ..self.root.plan_options("a.tfplan") }
    }

    /// Plans, after `init` where that is needed, and returns whether there are changes.
    fn plan(&self, options: &PlanOptions) -> bool {
        let Root { workdir, terraform, .. } = &self.root;
        let (init, cancel) =
            (InitOptions { lock_file_readonly: true, ..InitOptions::default() }, Cancel::default());
        done(workdir.plan_with_init(terraform, &init, options, &mut ignore, &cancel).unwrap())
            .changes
    }

    fn apply(&self, notices: &mut dyn FnMut(Notice<'_>)) -> Ended<()> {
        let Root { workdir, terraform, cancel, .. } = &self.root;
        let options = ApplyOptions::new(self.root.beside("a.tfplan"));
        workdir.apply(terraform, &options, notices, cancel).unwrap().map(drop)
    }

    fn summary(&self) -> String {
        let Root { workdir, terraform, .. } = &self.root;
        let (plan, cancel) = (self.root.beside("a.tfplan"), Cancel::default());
        let plan = workdir.show_plan(terraform, &plan, &mut ignore, &cancel);
        Summary::of(&done(plan.unwrap())).to_string()
    }

    fn destroy(&self) {
        let Root { workdir, terraform, .. } = &self.root;
        let options =
            DestroyOptions { variable_files: self.variable_files(), ..DestroyOptions::default() };
        done(workdir.destroy(terraform, &options, &mut ignore, &Cancel::default()).unwrap());
        assert!(self.root.state().is_empty());
    }

    /// Returns what ECS says of the cluster's status.
    fn cluster_status(&self) -> Option<String> {
        let operation = "AmazonEC2ContainerServiceV20141113.DescribeClusters";
        let answer = self.moto.call("ecs", operation, r#"{"clusters": ["calm-otter"]}"#);
        answer["clusters"]
            .as_array()
            .unwrap()
            .first()
            .map(|cluster| cluster["status"].as_str().unwrap().to_owned())
    }

    /// Returns what carries the environment's tag, whatever Terraform knows of it.
    fn tagged(&self) -> Vec<String> {
        let filter = r#"{"TagFilters": [{"Key": "environment", "Values": ["calm-otter"]}]}"#;
        let answer =
            self.moto.call("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources", filter);
        let found = answer["ResourceTagMappingList"].as_array().unwrap().iter();
        found.map(|found| found["ResourceARN"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn from_a_plan_to_drift_to_nothing_left() {
    let Some(cloud) = Cloud::new() else { return };
    // `init` only when it is needed; and it makes a link, of 177 MB.
    let ran = |commands: &[&str]| assert_eq!(cloud.root.commands(), commands);
    assert!(cloud.plan(&cloud.plan_options()));
    ran(&["init", "init", "plan"]);
    let installed =
        cloud.root.workdir.data_directory.join("providers").join(SOURCE).join("3.39.0/linux_amd64");
    let link = fs::read_link(installed).unwrap();
    assert!(
        link.starts_with(cloud.mirror.providers().canonicalize().unwrap()),
        "{}",
        link.display()
    );

    done(cloud.apply(&mut ignore));
    assert_eq!(cloud.root.state().managed().len(), 10);
    assert!(!cloud.plan(&cloud.plan_options()));
    ran(&["init", "init", "plan", "apply", "plan"]);

    // Behind Terraform's back one is deleted, another changed, and a third one made.
    let url = format!("{}/123456789012/calm-otter", cloud.moto.url());
    cloud.moto.call("sqs", "AmazonSQS.DeleteQueue", &format!("{{\"QueueUrl\": \"{url}\"}}"));
    let parameter = r#"{"Name": "/calm-otter/greeting", "Value": "changed", "Overwrite": true}"#;
    cloud.moto.call("ssm", "AmazonSSM.PutParameter", parameter);
    let stray = r#"{"QueueName": "stray", "tags": {"environment": "calm-otter"}}"#;
    cloud.moto.call("sqs", "AmazonSQS.CreateQueue", stray);
    let blind = PlanOptions { skip_refresh: true, ..cloud.plan_options() };
    assert!(!cloud.plan(&blind), "without a look at the cloud nothing has changed");
    assert!(cloud.plan(&cloud.plan_options()));
    let summary = cloud.summary();
    assert!(
        summary.contains("aws_sqs_queue.this") && summary.contains("aws_ssm_parameter.this"),
        "{summary}"
    );
    assert!(summary.ends_with("Plan: 1 to create, 1 to update"), "{summary}");
    done(cloud.apply(&mut ignore));
    assert!(!cloud.plan(&cloud.plan_options()));

    // What Terraform knows is gone, and the tag finds what it does not know.
    cloud.destroy();
    assert_eq!(cloud.tagged(), ["arn:aws:sqs:eu-central-1:123456789012:stray"]);
}

#[test]
fn an_interrupt_while_a_cluster_is_made_loses_nothing() {
    let Some(cloud) = Cloud::new() else { return };
    cloud.root.write(
        "cluster.tf",
        "resource \"aws_ecs_cluster\" \"this\" {\n  name = \"calm-otter\"\n}\n",
    );
    assert!(cloud.plan(&cloud.plan_options()));
    // The provider waits some ten seconds for a cluster: it is there, and in no state yet.
    let (cancel, mut completed) = (cloud.root.cancel.clone(), BTreeMap::new());
    let ended = thread::scope(|scope| {
        cloud.apply(&mut |notice| match notice {
            Notice::Event(Event::ApplyStart(hook))
                if hook.resource.address == "aws_ecs_cluster.this" =>
            {
                scope.spawn(|| {
                    let start = Instant::now();
                    while cloud.cluster_status().is_none() {
                        assert!(start.elapsed() < Duration::from_mins(2), "no cluster is made");
                        thread::sleep(Duration::from_millis(20));
                    }
                    cancel.interrupt();
                });
            }
            Notice::Event(Event::ApplyComplete(hook)) => {
                completed.insert(hook.resource.address.clone(), cancel.count());
            }
            _ => {}
        })
    });
    assert_eq!(ended, Ended::Cancelled { forced: false });
    assert_eq!(completed["aws_ecs_cluster.this"], 1, "it was done after the interrupt");
    let mut known = cloud.root.state().managed();
    known.sort_unstable();
    assert_eq!(known, completed.keys().map(String::as_str).collect::<Vec<_>>());

    // The lock is free, and what is left to do is what was not started.
    let is_whole = completed.len() == 11;
    assert_eq!(cloud.plan(&cloud.plan_options()), !is_whole);
    assert!(!cloud.summary().contains("replace"), "nothing is tainted: {}", cloud.summary());
    cloud.destroy();
    // ECS keeps a deleted cluster for a while, tags and all.
    assert_eq!(cloud.cluster_status().as_deref(), Some("INACTIVE"));
    assert_eq!(cloud.tagged(), ["arn:aws:ecs:eu-central-1:123456789012:cluster/calm-otter"]);
}
