//! Each command where all goes well.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use menagerie_plan::{Event, Summary};
use menagerie_terraform::{DestroyOptions, Notice};

use crate::support::{Root, done, ignore};

const MAIN: &str = r#"
resource "terraform_data" "web" {
  input = "hello"
}

output "greeting" {
  value = terraform_data.web.output
}

output "password" {
  value     = "hunter2"
  sensitive = true
}
"#;

#[test]
fn from_nothing_to_something_and_back() {
    let Some(root) = Root::new(MAIN) else { return };
    assert!(done(root.plan("a.tfplan")).changes);
    let mode = root.beside("a.tfplan").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let plan = root
        .workdir
        .show_plan(&root.terraform, &root.beside("a.tfplan"), &mut ignore, &root.cancel)
        .unwrap();
    assert_eq!(Summary::of(&done(plan)).counts.create, 1);

    let outputs = done(root.apply("a.tfplan")).outputs;
    assert_eq!(outputs["greeting"].value.as_ref().unwrap(), "hello");
    assert!(outputs["password"].sensitive && outputs["password"].value.is_none());
    assert!(!done(root.plan("b.tfplan")).changes);

    let outputs = done(root.workdir.output(&root.terraform, &mut ignore, &root.cancel).unwrap());
    assert_eq!(outputs["password"].value.as_ref().unwrap(), "hunter2");
    let state = done(root.workdir.show_state(&root.terraform, &mut ignore, &root.cancel).unwrap());
    assert_eq!(
        state.resources().map(|resource| resource.address.as_str()).collect::<Vec<_>>(),
        ["terraform_data.web"]
    );

    assert_eq!(root.state().managed(), ["terraform_data.web"]);
    let options = DestroyOptions::default();
    done(root.workdir.destroy(&root.terraform, &options, &mut ignore, &root.cancel).unwrap());
    assert!(root.state().is_empty());
    // Nothing is left to destroy, and that is no failure.
    done(root.workdir.destroy(&root.terraform, &options, &mut ignore, &root.cancel).unwrap());
    assert_eq!(
        root.commands(),
        ["plan", "show", "apply", "plan", "output", "show", "destroy", "destroy"]
    );
    assert!(root.workdir.journal.as_ref().unwrap().unfinished().unwrap().is_empty());
}

#[test]
fn no_secret_is_left_in_the_logs() {
    let Some(root) = Root::new(MAIN) else { return };
    root.apply_all();
    done(root.workdir.output(&root.terraform, &mut ignore, &root.cancel).unwrap());
    done(root.workdir.show_state(&root.terraform, &mut ignore, &root.cancel).unwrap());
    for file in fs::read_dir(&root.workdir.runs_directory).unwrap() {
        let path = file.unwrap().path();
        assert!(!fs::read_to_string(&path).unwrap().contains("hunter2"), "{}", path.display());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn events_arrive_while_it_runs() {
    let Some(root) = Root::new("resource \"terraform_data\" \"web\" {}\n") else { return };
    let mut seen = Vec::new();
    let mut notices = |notice: Notice<'_>| match notice {
        Notice::Event(Event::Version { .. }) => seen.push("version"),
        Notice::Event(Event::PlannedChange(_)) => seen.push("planned change"),
        Notice::Event(Event::ChangeSummary(_)) => seen.push("summary"),
        Notice::Event(Event::Other { .. } | Event::Text(_)) | Notice::AtRisk => {
            seen.push("unexpected");
        }
        _ => {}
    };
    let options = root.plan_options("a.tfplan");
    done(root.workdir.plan(&root.terraform, &options, &mut notices, &root.cancel).unwrap());
    assert_eq!(seen, ["version", "planned change", "summary"]);
}

#[test]
fn validate_answers_whether_it_is_valid() {
    let Some(root) = Root::new(MAIN) else { return };
    let validate =
        || done(root.workdir.validate(&root.terraform, &mut ignore, &root.cancel).unwrap());
    assert!(validate().valid);
    root.write("broken.tf", "output \"x\" {\n  value = local.missing\n}\n");
    let validation = validate();
    assert!(!validation.valid);
    assert_eq!(validation.diagnostics[0].range.as_ref().unwrap().start.line, 2);
    root.write("broken.tf", "output \"x\" {\n");
    assert!(!validate().valid);
}

#[test]
fn paths_may_hold_anything() {
    let Some(mut root) = Root::new(MAIN) else { return };
    let odd = root.beside("two words ü 🦦 ${x} 'q'");
    fs::create_dir_all(&odd).unwrap();
    fs::rename(&root.workdir.directory, odd.join("root")).unwrap();
    root.workdir.directory = odd.join("root");
    root.workdir.data_directory = odd.join("data");
    root.workdir.runs_directory = odd.clone();
    root.apply_all();
    assert_eq!(root.state().managed().len(), 1);
}
