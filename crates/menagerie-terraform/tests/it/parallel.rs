//! Many real Terraforms at once.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use menagerie_plan::Event;
use menagerie_terraform::{ApplyOptions, Cancel, Ended, JobEnd, Notice, PlanOptions, Pool};

use crate::support::{Root, done, ignore};

fn pool(limit: usize) -> Pool {
    Pool::new(NonZeroUsize::new(limit).unwrap())
}

#[test]
fn each_plan_is_told_from_the_others() {
    let main =
        |name: &str| format!("resource \"terraform_data\" \"{name}\" {{\n  count = 20\n}}\n");
    let names = ["web", "worker", "cache"];
    let Some(mut roots) =
        names.map(|name| Root::new(&main(name))).into_iter().collect::<Option<Vec<_>>>()
    else {
        return;
    };
    roots.insert(1, Root::new("resource \"terraform_data\" \"broken\" {\n").unwrap());
    let mut heard: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut observer = |index: usize, notice: Notice<'_>| {
        if let Notice::Event(Event::PlannedChange(change)) = notice {
            heard.entry(index).or_default().push(change.resource.address.clone());
        }
    };
    let ends = pool(4).run(&roots, &mut observer, &Cancel::default(), |job| {
        let root = job.input;
        let mut notices = |notice: Notice<'_>| job.notice(notice);
        root.workdir.plan(&root.terraform, &PlanOptions::default(), &mut notices, &root.cancel)
    });
    let ends: Vec<_> = ends
        .into_iter()
        .map(|end| match end {
            JobEnd::Done(ended) => ended,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(matches!(&ends[1], Ended::Failed(failure) if failure.to_string().contains("broken")));
    assert_eq!(heard.len(), 3);
    for (index, name) in [(0, "web"), (2, "worker"), (3, "cache")] {
        assert!(
            matches!(&ends[index], Ended::Done(done) if done.changes),
            "{name}: {}",
            ends[index]
        );
        assert_eq!(heard[&index].len(), 20);
        assert!(
            heard[&index]
                .iter()
                .all(|address| address.starts_with(&format!("terraform_data.{name}[")))
        );
    }
}

#[test]
fn an_interrupt_reaches_each_once_and_nothing_new_starts() {
    let main = r#"
    resource "terraform_data" "fast" {}

    resource "terraform_data" "slow" {
      depends_on = [terraform_data.fast]
      provisioner "local-exec" {
        command = "exec sleep 60"
      }
    }
    "#;
    let Some(roots) = (0..4).map(|_| Root::new(main)).collect::<Option<Vec<_>>>() else { return };
    for root in &roots {
        done(root.plan("a.tfplan"));
    }
    let cancel = Cancel::default();
    let mut busy = 0;
    let mut observer = |_: usize, notice: Notice<'_>| match notice {
        Notice::Event(Event::ProvisionStart(_)) => {
            busy += 1;
            if busy == 2 {
                cancel.interrupt();
            }
        }
        Notice::AtRisk => panic!("nobody insisted"),
        _ => {}
    };
    let ends = pool(2).run(&roots, &mut observer, &cancel, |job| {
        let root = job.input;
        let options = ApplyOptions::new(root.beside("a.tfplan"));
        let mut notices = |notice: Notice<'_>| job.notice(notice);
        root.workdir
            .apply(&root.terraform, &options, &mut notices, &cancel)
            .map_err(|error| error.to_string())
    });
    let cancelled = JobEnd::Done(Ended::Cancelled { forced: false });
    assert_eq!(ends, [cancelled.clone(), cancelled, JobEnd::NotStarted, JobEnd::NotStarted]);
    for root in &roots[..2] {
        assert_eq!(root.state().managed(), ["terraform_data.fast", "terraform_data.slow"]);
        let said = said(&root.workdir.runs_directory);
        assert_eq!(said.matches("Interrupt received").count(), 1, "{said}");
        assert!(!said.contains("Two interrupts"), "{said}");
        // The lock is free.
        let plan = PlanOptions::default();
        done(root.workdir.plan(&root.terraform, &plan, &mut ignore, &Cancel::default()).unwrap());
    }
    for root in &roots[2..] {
        assert_eq!(root.commands(), ["plan"]);
    }
}

fn said(runs: &Path) -> String {
    let logs = fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.extension().is_some_and(|extension| extension == "out"));
    logs.map(|path| fs::read_to_string(path).unwrap()).collect()
}
