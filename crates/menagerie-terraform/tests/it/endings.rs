//! Each way in which a command ends other than well.

use std::thread;

use menagerie_terraform::{ApplyOptions, Ended, PlanOptions};

use crate::support::{Root, done, ignore, on_provision};

#[test]
fn failed_with_file_and_line() {
    let Some(root) =
        Root::new("resource \"terraform_data\" \"web\" {\n  input = local.missing\n}\n")
    else {
        return;
    };
    let Ended::Failed(failure) = root.plan("a.tfplan") else { panic!("it can't be planned") };
    assert_eq!(failure.exit_code, Some(1));
    insta::assert_snapshot!(failure, @r#"
    error: Reference to undeclared local value
     --> main.tf:2:11
      |
    2 |   input = local.missing
      |           ^^^^^^^^^^^^^
      = in resource "terraform_data" "web"

    A local value with the name "missing" has not been declared.
    "#);
    assert!(!root.beside("a.tfplan").exists());
    assert!(failure.log.exists());
}

#[test]
fn failed_in_the_middle_of_an_apply() {
    let Some(root) = Root::new(
        r#"
        resource "terraform_data" "good" {}

        resource "terraform_data" "bad" {
          depends_on = [terraform_data.good]
          provisioner "local-exec" {
            command = "echo no such luck >&2; exit 3"
          }
        }
        "#,
    ) else {
        return;
    };
    done(root.plan("a.tfplan"));
    let Ended::Failed(failure) = root.apply("a.tfplan") else { panic!("the provisioner fails") };
    assert!(failure.to_string().contains("exit status 3"), "{failure}");
    assert_eq!(root.state().managed(), ["terraform_data.bad", "terraform_data.good"]);
}

#[test]
fn failed_without_events() {
    let Some(root) = Root::new("") else { return };
    let shown = root
        .workdir
        .show_plan(&root.terraform, &root.beside("absent"), &mut ignore, &root.cancel)
        .unwrap();
    let Ended::Failed(failure) = shown else { panic!("there is no plan") };
    assert!(failure.to_string().contains("Failed to read the given file"), "{failure}");
    assert!(failure.log.exists());
}

#[test]
fn a_directory_that_is_gone_is_named() {
    let Some(mut root) = Root::new("") else { return };
    root.workdir.directory = root.beside("gone");
    let error = root
        .workdir
        .plan(&root.terraform, &PlanOptions::default(), &mut ignore, &root.cancel)
        .unwrap_err();
    assert!(error.to_string().ends_with("gone`"), "{error}");
}

#[test]
fn stale() {
    let Some(root) = Root::new("resource \"terraform_data\" \"web\" {}\n") else { return };
    done(root.plan("first.tfplan"));
    done(root.plan("second.tfplan"));
    done(root.apply("first.tfplan"));
    assert_eq!(root.apply("second.tfplan"), Ended::Stale);
}

#[test]
fn locked_by_another() {
    let Some(root) = Root::new(
        r#"
        resource "terraform_data" "slow" {
          provisioner "local-exec" {
            command = "exec sleep 60"
          }
        }
        "#,
    ) else {
        return;
    };
    done(root.plan("a.tfplan"));
    let (started, is_started) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let mut notices = on_provision(|| started.send(()).unwrap());
            let options = ApplyOptions::new(root.beside("a.tfplan"));
            root.workdir.apply(&root.terraform, &options, &mut notices, &root.cancel).unwrap()
        });
        is_started.recv().unwrap();
        let other = menagerie_terraform::Cancel::default();
        let ended = root
            .workdir
            .plan(&root.terraform, &PlanOptions::default(), &mut ignore, &other)
            .unwrap();
        root.cancel.interrupt();
        assert_eq!(holder.join().unwrap(), Ended::Cancelled { forced: false });
        let Ended::Locked(lock) = ended else { panic!("{ended}") };
        assert_eq!(lock.operation, "OperationTypeApply");
        assert!(
            lock.who.contains('@') && !lock.id.is_empty() && !lock.created.is_empty(),
            "{lock:?}"
        );
    });
}
