//! The state, handled as such.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use menagerie_terraform::{
    ApplyOptions, Cancel, Ended, ImportOptions, LockOptions, StateListOptions, StateMoveOptions,
    StatePushOptions, StateRemoveOptions, StateSnapshot, Workdir,
};

use crate::support::{Root, done, ignore, on_provision};

const MAIN: &str = r#"
resource "terraform_data" "web" {
  input = "hello"
}

resource "terraform_data" "key" {
  for_each = toset(["a", "b"])
  input    = sensitive("hunter2-${each.key}")
}
"#;

fn list(root: &Root, addresses: &[&str]) -> Ended<Vec<String>> {
    let addresses = addresses.iter().map(ToString::to_string).collect();
    let options = StateListOptions { addresses, ..StateListOptions::default() };
    root.workdir.state_list(&root.terraform, &options, &mut ignore, &root.cancel).unwrap()
}

fn pull(root: &Root) -> Option<StateSnapshot> {
    done(root.workdir.state_pull(&root.terraform, &mut ignore, &root.cancel).unwrap())
}

fn push(root: &Root, options: &StatePushOptions) -> Ended<()> {
    root.workdir.state_push(&root.terraform, options, &mut ignore, &root.cancel).unwrap()
}

fn forget(root: &Root, address: &str, dry_run: bool) -> Ended<()> {
    let addresses = vec![address.to_owned()];
    let options = StateRemoveOptions { addresses, dry_run, ..StateRemoveOptions::default() };
    root.workdir.state_remove(&root.terraform, &options, &mut ignore, &root.cancel).unwrap()
}

#[test]
fn what_is_in_it() {
    let Some(root) = Root::new(MAIN) else { return };
    assert_eq!(done(list(&root, &[])), Vec::<String>::new());
    assert_eq!(pull(&root), None);
    root.apply_all();
    let keys = ["terraform_data.key[\"a\"]", "terraform_data.key[\"b\"]"];
    assert_eq!(done(list(&root, &[])), [keys[0], keys[1], "terraform_data.web"]);
    assert_eq!(done(list(&root, &["terraform_data.key"])), keys);
    let by_id = StateListOptions { id: Some("none".into()), ..StateListOptions::default() };
    let found = root.workdir.state_list(&root.terraform, &by_id, &mut ignore, &root.cancel);
    assert!(done(found.unwrap()).is_empty());
    let Ended::Failed(failure) = list(&root, &["terraform_data.none"]) else {
        panic!("an address that is not there is no empty answer")
    };
    assert!(failure.to_string().contains("Unknown resource"), "{failure}");

    let show = |address: &str| {
        root.workdir.state_show(&root.terraform, address, &mut ignore, &root.cancel).unwrap()
    };
    assert!(done(show(keys[0])).contains("(sensitive value)"));
    let Ended::Failed(failure) = show("terraform_data.none") else { panic!("it is not there") };
    assert!(failure.to_string().starts_with("No instance found"), "{failure}");

    let snapshot = pull(&root).unwrap();
    assert_eq!(snapshot.file().managed().len(), 3);
    assert!(String::from_utf8_lossy(snapshot.json()).contains("hunter2-a"));
    assert!(!format!("{snapshot:?}").contains("hunter2"));
    for file in fs::read_dir(&root.workdir.runs_directory).unwrap() {
        let path = file.unwrap().path();
        assert!(!fs::read_to_string(&path).unwrap().contains("hunter2"), "{}", path.display());
    }
}

#[test]
fn it_is_changed() {
    let Some(root) = Root::new(MAIN) else { return };
    root.apply_all();
    let rename = |options: &StateMoveOptions| {
        root.workdir.state_move(&root.terraform, options, &mut ignore, &root.cancel).unwrap()
    };
    let options = StateMoveOptions::new("terraform_data.web", "terraform_data.site");
    done(rename(&StateMoveOptions { dry_run: true, ..options.clone() }));
    assert!(root.state().managed().contains(&"terraform_data.web".to_owned()));
    done(rename(&options));
    assert!(root.state().managed().contains(&"terraform_data.site".to_owned()));
    let Ended::Failed(failure) = rename(&options) else { panic!("it was moved away") };
    assert!(failure.to_string().contains("Invalid source address"), "{failure}");

    done(forget(&root, "terraform_data.site", true));
    done(forget(&root, "terraform_data.site", false));
    assert!(matches!(forget(&root, "terraform_data.site", false), Ended::Failed(_)));
    let import = |id: &str| {
        let options = ImportOptions::new("terraform_data.web", id);
        root.workdir.import(&root.terraform, &options, &mut ignore, &root.cancel).unwrap()
    };
    done(import("-id that looks like an option"));
    let Ended::Failed(failure) = import("again") else { panic!("it is managed by now") };
    assert!(failure.to_string().contains("already managed"), "{failure}");
    assert!(root.workdir.journal.as_ref().unwrap().unfinished().unwrap().is_empty());
}

#[test]
fn an_older_one_is_refused() {
    let Some(root) = Root::new(MAIN) else { return };
    root.apply_all();
    let (path, snapshot) = (root.beside("pulled.tfstate"), pull(&root).unwrap());
    fs::write(&path, snapshot.json()).unwrap();
    done(push(&root, &StatePushOptions::new(path.clone())));
    done(forget(&root, "terraform_data.web", false));
    let Ended::Failed(failure) = push(&root, &StatePushOptions::new(path.clone())) else {
        panic!("it is older")
    };
    assert!(failure.to_string().contains("over newer state"), "{failure}");
    done(push(&root, &StatePushOptions { force: true, ..StatePushOptions::new(path) }));
    assert_eq!(root.state().managed().len(), 3);
}

#[test]
fn its_lock_is_kept() {
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
        let other = Cancel::default();
        let options = StateRemoveOptions {
            addresses: vec!["terraform_data.slow".into()],
            lock: LockOptions::default(),
            ..StateRemoveOptions::default()
        };
        // Read out of a text: this command has no events.
        let ended = root.workdir.state_remove(&root.terraform, &options, &mut ignore, &other);
        root.cancel.interrupt();
        holder.join().unwrap();
        let Ended::Locked(lock) = ended.unwrap() else { panic!("it is locked") };
        assert_eq!(lock.operation, "OperationTypeApply");
        assert!(lock.who.contains('@') && !lock.id.is_empty(), "{lock:?}");
    });
}

#[test]
fn a_lock_that_nobody_holds() {
    let Some(root) = Root::new(MAIN) else { return };
    root.apply_all();
    let ended = root.workdir.force_unlock(&root.terraform, "8d6c", &mut ignore, &root.cancel);
    let Ended::Failed(failure) = ended.unwrap() else { panic!("there is no lock") };
    assert!(failure.to_string().contains("not locked"), "{failure}");
}

#[test]
fn a_directory_that_is_not_initialised_is_no_empty_state() {
    let Some(root) = Root::new("terraform {\n  backend \"local\" {}\n}\n") else { return };
    assert!(matches!(list(&root, &[]), Ended::NeedsInit(_)));
    let pulled = root.workdir.state_pull(&root.terraform, &mut ignore, &root.cancel).unwrap();
    assert!(matches!(pulled, Ended::NeedsInit(_)), "{pulled}");
}

#[test]
fn what_runs_print_is_for_their_owner_only() {
    let Some(root) = Root::new(MAIN) else { return };
    let scratch = root.beside("other/scratch");
    let environment = root.workdir.environment.clone();
    let workdir = Workdir::new(&root.workdir.directory, &scratch, environment);
    done(workdir.state_pull(&root.terraform, &mut ignore, &root.cancel).unwrap());
    let mode = workdir.runs_directory.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
