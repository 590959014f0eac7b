//! The runner is killed; Terraform is not, and the next run finds it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use menagerie_terraform::{
    ApplyOptions, Cancel, Journal, RunRecord, Search, Terraform, closed_environment,
};

use crate::support::{self, Root, done, ignore};

/// Says to the process that plays the runner where to work; its name is the only thing that it is told by.
const SCRATCH: &str = "MENAGERIE_TEST_SCRATCH";

/// Plays the runner that is killed: it does nothing unless the tests below start it.
#[test]
fn runner() {
    let Some((_, scratch)) = std::env::vars_os().find(|(name, _)| name == SCRATCH) else { return };
    let scratch = PathBuf::from(scratch);
    let workdir = support::workdir(&scratch);
    let search = Search { environment: workdir.environment.clone(), ..Search::default() };
    let terraform = Terraform::discover(&search).unwrap();
    let options = ApplyOptions::new(scratch.join("a.tfplan"));
    workdir.apply(&terraform, &options, &mut ignore, &Cancel::default()).unwrap();
}

/// Starts an apply whose provisioner waits until the file `go` is there, and kills its runner.
fn orphan(root: &Root, wait_until: impl Fn(&Path) -> bool) -> RunRecord {
    let scratch = root.beside("");
    let mut environment = closed_environment(std::env::vars_os());
    environment.insert(SCRATCH.into(), scratch.clone().into());
    let runner = duct::cmd!(std::env::current_exe().unwrap(), "--exact", "outlive::runner")
        .full_env(environment)
        .stdout_null()
        .unchecked()
        .start()
        .unwrap();
    while !wait_until(&scratch) {
        assert!(runner.try_wait().unwrap().is_none(), "the runner ended early");
        thread::sleep(Duration::from_millis(1));
    }
    runner.kill().unwrap();
    runner.wait().unwrap();
    let mut unfinished = Journal::new(scratch.join("journal.jsonl")).unfinished().unwrap();
    assert_eq!(unfinished.len(), 1);
    unfinished.remove(0)
}

fn root() -> Option<Root> {
    let root = Root::new(
        r#"
        resource "terraform_data" "slow" {
          provisioner "local-exec" {
            command = "touch ../here; for i in $(seq 600); do test -e ../go && exit 0; echo still; sleep 0.1; done; exit 1"
          }
        }

        resource "terraform_data" "after" {
          depends_on = [terraform_data.slow]
        }
        "#,
    )?;
    done(root.plan("a.tfplan"));
    Some(root)
}

fn wait_for_end_of(run: &RunRecord) {
    for _ in 0..600 {
        if !run.is_alive() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{run:?} does not end");
}

#[test]
fn it_goes_on_and_loses_nothing() {
    let Some(root) = root() else { return };
    let run = orphan(&root, |scratch| scratch.join("here").exists());
    assert_eq!(run.command, "apply");
    assert!(run.is_alive() && run.pid().is_some());
    fs::write(root.beside("go"), "").unwrap();
    wait_for_end_of(&run);
    assert_eq!(root.state().managed(), ["terraform_data.after", "terraform_data.slow"]);
    let log = fs::read_to_string(&run.log).unwrap();
    assert!(log.contains("Apply complete!"), "{log}");
}

#[test]
fn it_can_be_interrupted() {
    let Some(root) = root() else { return };
    let run = orphan(&root, |scratch| scratch.join("here").exists());
    run.interrupt().unwrap();
    wait_for_end_of(&run);
    assert_eq!(root.state().managed(), ["terraform_data.slow"]);
}

#[test]
fn it_is_found_at_whatever_moment_its_runner_dies() {
    let Some(root) = root() else { return };
    // The first trace of the run: its process is not written down yet, or is not even started.
    let is_traced = |scratch: &Path| {
        let files = fs::read_dir(scratch.join("runs")).unwrap();
        files.flatten().any(|file| {
            file.path().extension() == Some(OsStr::new("err")) && has_apply(&file.path())
        }) && fs::read_to_string(scratch.join("journal.jsonl")).unwrap().contains("\"apply\"")
    };
    let run = orphan(&root, is_traced);
    if run.is_alive() {
        fs::write(root.beside("go"), "").unwrap();
        wait_for_end_of(&run);
        assert_eq!(root.state().managed(), ["terraform_data.after", "terraform_data.slow"]);
    } else {
        // It was killed before it could start anything.
        thread::sleep(Duration::from_millis(300));
        assert!(!root.beside("here").exists());
    }
}

fn has_apply(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-apply.err")
}
