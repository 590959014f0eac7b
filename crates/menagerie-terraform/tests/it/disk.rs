//! A full disk: what is ours says which file, and what is Terraform's comes out as it says it.

use std::error::Error as _;
use std::fs;
use std::path::PathBuf;

use menagerie_terraform::Ended;

use crate::support::{Root, done};

/// A file system of a few kilobytes.
struct SmallDisk {
    directory: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts one; `None`, with the reason printed, where we may not.
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted =
            duct::cmd!("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory.path())
                .stderr_to_stdout()
                .stdout_capture()
                .unchecked()
                .run();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { directory }),
            Ok(output) => {
                println!(
                    "skipped, a small disk can't be mounted: {}",
                    String::from_utf8_lossy(&output.stdout).trim()
                );
                None
            }
            Err(error) => {
                println!("skipped, a small disk can't be mounted: {error}");
                None
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn fill(&self) {
        for size in [4096, 1] {
            let mut text = Vec::new();
            while fs::write(self.path(&format!("filler-{size}")), &text).is_ok() {
                text.resize(text.len() + size, b'x');
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = duct::cmd!("umount", self.directory.path()).stderr_null().unchecked().run();
    }
}

#[test]
fn our_own_file_is_named() {
    let (Some(disk), Some(mut root)) = (SmallDisk::mount(), Root::new("")) else { return };
    disk.fill();
    let journal = disk.path("journal.jsonl");
    root.workdir.journal = Some(menagerie_terraform::Journal::new(journal.clone()));
    let error = root.try_apply("a.tfplan").unwrap_err();
    assert_eq!(error.to_string(), format!("failed to write the journal `{}`", journal.display()));
    assert!(error.source().unwrap().to_string().contains("No space left"), "{error:?}");
}

#[test]
fn the_state_that_terraform_cannot_write_is_reported() {
    let (Some(disk), Some(root)) = (
        SmallDisk::mount(),
        Root::new(
            "terraform {\n  backend \"local\" {}\n}\n\nresource \"terraform_data\" \"large\" {\n  count = 20\n  input = \
             join(\"\", [for i in range(1000) : \"0123456789\"])\n}\n",
        ),
    ) else {
        return;
    };
    let mut path = std::ffi::OsString::from("path=");
    path.push(disk.path("terraform.tfstate"));
    let init =
        menagerie_terraform::InitOptions { backend_config: vec![path], ..Default::default() };
    let plan = root.plan_options("a.tfplan");
    let mut ignore = crate::support::ignore;
    done(
        root.workdir
            .plan_with_init(&root.terraform, &init, &plan, &mut ignore, &root.cancel)
            .unwrap(),
    );
    let ended = root.apply("a.tfplan");
    let Ended::Failed(failure) = ended else { panic!("{ended}") };
    assert!(failure.to_string().contains("no space left on device"), "{failure}");
}

#[test]
fn output_that_found_no_room_is_no_success() {
    let (Some(disk), Some(mut root)) =
        (SmallDisk::mount(), Root::new("resource \"terraform_data\" \"web\" {}\n"))
    else {
        return;
    };
    done(root.plan("a.tfplan"));
    disk.fill();
    root.workdir.runs_directory = disk.directory.path().to_owned();
    // Files without content fit, and what Terraform prints does not.
    match root.try_apply("a.tfplan") {
        Err(error) => assert!(error.to_string().contains("is not whole"), "{error}"),
        Ok(ended) => panic!("{ended}"),
    }
    assert_eq!(root.state().managed(), ["terraform_data.web"]);
}

/// Half a list would read as a shorter one, and no state at all as nothing to destroy.
#[test]
fn a_list_that_found_no_room_is_no_shorter_list() {
    let (Some(disk), Some(mut root)) =
        (SmallDisk::mount(), Root::new("resource \"terraform_data\" \"web\" {}\n"))
    else {
        return;
    };
    root.apply_all();
    disk.fill();
    root.workdir.runs_directory = disk.directory.path().to_owned();
    let (terraform, mut ignore) = (&root.terraform, crate::support::ignore);
    let options = menagerie_terraform::StateListOptions::default();
    let listed = root.workdir.state_list(terraform, &options, &mut ignore, &root.cancel);
    assert!(listed.unwrap_err().to_string().contains("is not whole"));
    let pulled = root.workdir.state_pull(terraform, &mut ignore, &root.cancel);
    assert!(pulled.unwrap_err().to_string().contains("is not whole"));
}

/// Then the state is in no file, only in what was printed.
#[test]
fn a_state_that_can_be_written_nowhere_is_kept() {
    let (Some(disk), Some(mut root)) = (SmallDisk::mount(), Root::new("")) else { return };
    root.workdir.directory = disk.directory.path().to_owned();
    root.write(
        "main.tf",
        "resource \"terraform_data\" \"large\" {\n  count = 20\n  input = join(\"\", [for i in range(1000) : \
         sensitive(\"0123456789\")])\n}\n",
    );
    done(root.plan("a.tfplan"));
    let mut shown = Vec::new();
    let mut notices = |notice: menagerie_terraform::Notice<'_>| shown.push(format!("{notice:?}"));
    let options = menagerie_terraform::ApplyOptions::new(root.beside("a.tfplan"));
    let ended = root.workdir.apply(&root.terraform, &options, &mut notices, &root.cancel).unwrap();
    let Ended::Failed(failure) = ended else { panic!("{ended}") };
    assert!(failure.to_string().contains("Failed to persist state to backend"), "{failure}");
    let shown = shown.concat();
    assert!(shown.contains("Emergency state dump") && !shown.contains("0123456789"));

    // What is left of the state is what a person, or whoever knows the backend, has to clear away.
    fs::remove_file(disk.path("terraform.tfstate")).unwrap();
    root.workdir.directory = root.beside("root");
    let (init, options) = Default::default();
    let rescued = root.workdir.rescue(
        &root.terraform,
        &init,
        &options,
        &mut crate::support::ignore,
        &root.cancel,
    );
    let rescued = done(rescued.unwrap());
    assert!(rescued.len() == 1 && rescued[0].outcome.is_safe(), "{rescued:?}");
    assert_eq!(root.state().managed().len(), 20);
}
