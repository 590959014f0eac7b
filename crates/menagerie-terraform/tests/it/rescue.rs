//! A state that Terraform could not hand to its backend comes to it all the same.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use menagerie_terraform::{Ended, InitOptions, Rescue, RescueOptions, RescueOutcome};

use crate::postgres::Server;
use crate::support::{Root, done, ignore};

fn try_rescue(root: &Root, init: &InitOptions) -> Ended<Vec<Rescue>> {
    let options = RescueOptions::default();
    root.workdir.rescue(&root.terraform, init, &options, &mut ignore, &root.cancel).unwrap()
}

fn rescue(root: &Root) -> Vec<Rescue> {
    done(try_rescue(root, &InitOptions::default()))
}

/// The last thing that the apply does is to end the database that is to keep its state.
#[test]
fn a_database_that_dies_at_the_end_of_an_apply() {
    let (Some(mut server), Some(mut root)) = (Server::start(), Root::new("")) else { return };
    root.write(
        "main.tf",
        &format!(
            r#"
            terraform {{
              backend "pg" {{}}
            }}

            resource "terraform_data" "fast" {{}}

            resource "terraform_data" "last" {{
              depends_on = [terraform_data.fast]
              provisioner "local-exec" {{
                command = "{}"
              }}
            }}
            "#,
            server.crash_command()
        ),
    );
    root.workdir.environment.insert("PG_CONN_STR".into(), server.url().into());
    let (init, plan) = (InitOptions::default(), root.plan_options("a.tfplan"));
    let planned =
        root.workdir.plan_with_init(&root.terraform, &init, &plan, &mut ignore, &root.cancel);
    done(planned.unwrap());
    let Ended::Failed(failure) = root.apply("a.tfplan") else { panic!("it cannot be written") };
    assert!(failure.to_string().contains("Failed to persist state to backend"), "{failure}");
    server.wait();
    assert_eq!(root.workdir.errored_states().unwrap().len(), 1);

    // The database is still down: nothing is lost by trying.
    let ended = try_rescue(&root, &init);
    assert!(matches!(ended, Ended::Failed(_)), "{ended}");
    assert!(!root.workdir.directory.join("errored.tfstate").exists(), "out of Terraform's way");
    assert_eq!(root.workdir.errored_states().unwrap().len(), 1);

    server.start_again();
    let rescued = rescue(&root);
    assert!(rescued.len() == 1 && rescued[0].outcome.is_safe(), "{rescued:?}");
    assert!(matches!(rescued[0].outcome, RescueOutcome::Pushed { .. }));
    let mode = rescued[0].file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let pulled = root.workdir.state_pull(&root.terraform, &mut ignore, &root.cancel).unwrap();
    let state = done(pulled).unwrap();
    assert_eq!(state.file().managed(), ["terraform_data.fast", "terraform_data.last"]);
    assert!(rescue(&root).is_empty() && root.workdir.errored_states().unwrap().is_empty());
    assert!(!done(root.plan("b.tfplan")).changes);
}

#[test]
fn one_that_does_not_fit_is_kept_and_not_pushed() {
    let Some(root) = Root::new("resource \"terraform_data\" \"web\" {}\n") else { return };
    root.apply_all();
    let state = fs::read_to_string(root.workdir.directory.join("terraform.tfstate")).unwrap();
    let errored = |text: &str| {
        root.write("errored.tfstate", text);
        let mut rescued = rescue(&root);
        assert_eq!(fs::read_to_string(&rescued[0].file).unwrap(), text);
        rescued.remove(0).outcome
    };
    assert!(matches!(errored(&state), RescueOutcome::AlreadyThere));
    let older = state.replace("\"serial\": 1", "\"serial\": 0");
    assert!(matches!(errored(&older), RescueOutcome::Superseded { serial: 0, current: 1 }));
    let foreign = state.replace("\"lineage\": \"", "\"lineage\": \"0");
    assert!(matches!(errored(&foreign), RescueOutcome::Foreign));
    assert!(matches!(errored("{\"serial\": "), RescueOutcome::Unreadable(_)));
    let newer = state.replace("\"serial\": 1", "\"serial\": 2");
    assert!(matches!(errored(&newer), RescueOutcome::Pushed { serial: 2 }));
    assert_eq!(root.state().serial, 2);
    assert!(root.workdir.errored_states().unwrap().is_empty());
}

#[test]
fn one_that_a_backend_without_any_state_takes() {
    let Some(root) = Root::new("resource \"terraform_data\" \"web\" {}\n") else { return };
    root.apply_all();
    let state = root.workdir.directory.join("terraform.tfstate");
    fs::rename(&state, root.workdir.directory.join("errored.tfstate")).unwrap();
    assert!(matches!(rescue(&root)[0].outcome, RescueOutcome::Pushed { .. }));
    assert_eq!(root.state().managed(), ["terraform_data.web"]);
}

#[test]
fn without_one_nothing_is_run() {
    let Some(root) = Root::new("") else { return };
    assert!(rescue(&root).is_empty());
    // It found no room: there is nothing in it.
    root.write("errored.tfstate", "");
    assert!(rescue(&root).is_empty());
    assert!(!root.workdir.directory.join("errored.tfstate").exists());
    assert!(root.commands().is_empty());
}
