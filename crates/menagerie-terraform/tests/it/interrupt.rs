//! Interrupts, once and twice, timeouts, and what is killed with Terraform.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use menagerie_plan::Event;
use menagerie_terraform::{
    ApplyDone, ApplyOptions, Cancel, DestroyOptions, Ended, InitOptions, Limits, LockOptions,
    Notice, PlanOptions,
};

use crate::support::{Root, done, ignore, on_provision};

/// Returns a planned root module whose apply does one thing and then is busy; what a provisioner runs is killed by Terraform as
/// soon as that is interrupted.
fn root() -> Option<Root> {
    let root = Root::new(
        r#"
        resource "terraform_data" "fast" {}

        resource "terraform_data" "slow" {
          depends_on = [terraform_data.fast]
          provisioner "local-exec" {
            command = "exec sleep 60"
          }
        }
        "#,
    )?;
    done(root.plan("a.tfplan"));
    Some(root)
}

fn apply(root: &Root, limits: Limits, notices: &mut dyn FnMut(Notice<'_>)) -> Ended<ApplyDone> {
    let options = ApplyOptions { limits, ..ApplyOptions::new(root.beside("a.tfplan")) };
    root.workdir.apply(&root.terraform, &options, notices, &root.cancel).unwrap()
}

/// Checks that nothing finished was lost, that the lock is free, and that the journal is closed.
#[track_caller]
fn check_left_well(root: &Root) {
    assert_eq!(root.state().managed(), ["terraform_data.fast", "terraform_data.slow"]);
    let plan = root.workdir.plan(
        &root.terraform,
        &PlanOptions::default(),
        &mut ignore,
        &Cancel::default(),
    );
    assert!(done(plan.unwrap()).changes);
    assert!(root.workdir.journal.as_ref().unwrap().unfinished().unwrap().is_empty());
}

#[test]
fn once_it_stops_in_order() {
    let Some(root) = root() else { return };
    let cancel = root.cancel.clone();
    let ended = apply(&root, Limits::default(), &mut on_provision(|| cancel.interrupt()));
    assert_eq!(ended, Ended::Cancelled { forced: false });
    check_left_well(&root);
}

/// Starts a backend without a state, which on demand takes each question and never answers: Terraform cannot leave that by
/// itself.
fn backend() -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let is_silent = Arc::new(AtomicBool::new(false));
    let silent = Arc::clone(&is_silent);
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if silent.load(Ordering::SeqCst) {
                kept.push(stream);
                continue;
            }
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer =
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).unwrap();
        }
    });
    (address, is_silent)
}

#[test]
fn twice_it_stops_at_once_and_says_so_before() {
    let Some(root) = Root::new("terraform {\n  backend \"http\" {}\n}\n") else { return };
    let (address, is_silent) = backend();
    let init = InitOptions {
        backend_config: vec![format!("address=http://{address}").into()],
        ..InitOptions::default()
    };
    done(root.workdir.init(&root.terraform, &init, &mut ignore, &root.cancel).unwrap());
    is_silent.store(true, Ordering::SeqCst);
    let log = Mutex::new(Vec::new());
    let say = |what: &str| log.lock().unwrap().push(what.to_owned());
    let mut notices = |notice: Notice<'_>| match notice {
        Notice::AtRisk => say("at risk"),
        Notice::Event(Event::Version { .. }) => {
            root.cancel.interrupt();
            root.cancel.interrupt();
        }
        Notice::Event(event) if event.message().contains("Two interrupts received") => {
            say("two interrupts");
        }
        _ => {}
    };
    let ended = root
        .workdir
        .plan(&root.terraform, &PlanOptions::default(), &mut notices, &root.cancel)
        .unwrap();
    assert_eq!(ended, Ended::Cancelled { forced: true });
    assert_eq!(*log.lock().unwrap(), ["at risk", "two interrupts"]);
}

#[test]
fn what_takes_too_long_is_interrupted() {
    let Some(root) = root() else { return };
    let limits = Limits { timeout: Some(Duration::from_secs(2)), grace: None };
    assert_eq!(apply(&root, limits, &mut |_| ()), Ended::TimedOut { forced: false });
    check_left_well(&root);
}

#[test]
fn a_destroy_is_interrupted_too() {
    let Some(root) = Root::new(
        r#"
        resource "terraform_data" "slow" {
          provisioner "local-exec" {
            when    = destroy
            command = "exec sleep 60"
          }
        }
        "#,
    ) else {
        return;
    };
    root.apply_all();
    let cancel = root.cancel.clone();
    let options = DestroyOptions::default();
    let mut notices = on_provision(|| cancel.interrupt());
    let ended =
        root.workdir.destroy(&root.terraform, &options, &mut notices, &root.cancel).unwrap();
    assert_eq!(ended, Ended::Cancelled { forced: false });
    assert_eq!(root.state().managed(), ["terraform_data.slow"]);
}

#[test]
fn a_plan_that_waits_for_the_lock_is_interrupted() {
    let Some(root) = root() else { return };
    let cancel = root.cancel.clone();
    let (started, is_started) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let holder = scope.spawn(|| {
            apply(&root, Limits::default(), &mut on_provision(|| started.send(()).unwrap()))
        });
        is_started.recv().unwrap();
        let other = Cancel::default();
        let options = PlanOptions {
            lock: LockOptions::Wait(Duration::from_mins(2)),
            ..PlanOptions::default()
        };
        let mut notices = |notice: Notice<'_>| {
            if let Notice::Event(Event::Version { .. }) = notice {
                other.interrupt();
            }
        };
        let ended = root.workdir.plan(&root.terraform, &options, &mut notices, &other).unwrap();
        assert_eq!(ended, Ended::Cancelled { forced: false });
        cancel.interrupt();
        holder.join().unwrap();
    });
    check_left_well(&root);
}

#[test]
fn nothing_starts_after_an_interrupt() {
    let Some(root) = root() else { return };
    let before = root.commands();
    root.cancel.interrupt();
    assert_eq!(apply(&root, Limits::default(), &mut |_| ()), Ended::Cancelled { forced: false });
    assert_eq!(root.commands(), before);
}

#[test]
fn a_panic_on_our_side_leaves_nothing_running() {
    let Some(root) = root() else { return };
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        apply(&root, Limits::default(), &mut on_provision(|| panic!("on purpose")))
    }));
    assert!(panicked.is_err());
    assert_eq!(root.state().managed(), ["terraform_data.fast", "terraform_data.slow"]);
    let runs = root.workdir.journal.as_ref().unwrap().unfinished().unwrap();
    assert!(runs.iter().all(|run| run.command == "apply" && !run.is_alive()));
    assert_eq!(runs.len(), 1);
}
