//! Workspaces: never selected, found by their whole name.

use menagerie_terraform::{
    Ended, InitOptions, WorkspaceDeleteOptions, WorkspaceNewOptions, Workspaces,
};

use crate::support::{Root, done, ignore};

fn root() -> Option<Root> {
    let root = Root::new(
        "terraform {\n  backend \"local\" {}\n}\n\nresource \"terraform_data\" \"web\" {}\n",
    )?;
    let init = InitOptions::default();
    done(root.workdir.init(&root.terraform, &init, &mut ignore, &root.cancel).unwrap());
    Some(root)
}

fn list(root: &Root) -> Workspaces {
    done(root.workdir.workspaces(&root.terraform, &mut ignore, &root.cancel).unwrap())
}

fn current(root: &Root) -> String {
    done(root.workdir.workspace_show(&root.terraform, &mut ignore, &root.cancel).unwrap())
}

fn new(root: &Root, options: &WorkspaceNewOptions) -> Ended<()> {
    root.workdir.workspace_new(&root.terraform, options, &mut ignore, &root.cancel).unwrap()
}

fn delete(root: &Root, options: &WorkspaceDeleteOptions) -> Ended<()> {
    root.workdir.workspace_delete(&root.terraform, options, &mut ignore, &root.cancel).unwrap()
}

#[test]
fn from_new_to_deleted() {
    let Some(mut root) = root() else { return };
    done(new(&root, &WorkspaceNewOptions::new("pr-10")));
    assert!(matches!(new(&root, &WorkspaceNewOptions::new("pr-10")), Ended::Failed(_)));
    assert_eq!(current(&root), "default", "nobody was asked to select it");
    let workspaces = list(&root);
    assert_eq!(workspaces.names, ["default", "pr-10"]);
    assert!(workspaces.contains("pr-10") && !workspaces.contains("pr-1"));

    root.workdir.workspace = Some("pr-10".to_owned());
    assert_eq!(current(&root), "pr-10");
    root.apply_all();
    let delete_it = WorkspaceDeleteOptions::new("pr-10");
    let Ended::Failed(failure) = delete(&root, &delete_it) else { panic!("it is not empty") };
    assert!(failure.to_string().contains("Workspace is not empty"), "{failure}");
    done(delete(&root, &WorkspaceDeleteOptions { force: true, ..delete_it }));
    assert_eq!(list(&root).names, ["default"]);
    assert!(matches!(delete(&root, &WorkspaceDeleteOptions::new("pr-1")), Ended::Failed(_)));
}

#[test]
fn it_begins_with_a_state_of_another() {
    let Some(mut root) = root() else { return };
    root.apply_all();
    let state = Some(root.workdir.directory.join("terraform.tfstate"));
    done(new(&root, &WorkspaceNewOptions { state, ..WorkspaceNewOptions::new("copy") }));
    root.workdir.workspace = Some("copy".to_owned());
    assert!(!done(root.plan("a.tfplan")).changes);
}

#[test]
fn a_run_in_one_that_does_not_exist_does_not_touch_the_default_one() {
    let Some(mut root) = root() else { return };
    root.workdir.workspace = Some("pr-1".to_owned());
    root.apply_all();
    root.workdir.workspace = None;
    assert!(done(root.plan("a.tfplan")).changes);
    assert!(list(&root).contains("pr-1"));
}
