//! Where the tree is tested: a copy of it, and beside it what the runs of each directory keep.

use crate::file::{self, FileError};
use crate::hosting::{LocalHosting, Served, merge_reattach, serve};
use menagerie_terraform::{Cancel, Journal};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::TreeTestError;

/// The provider for this machine, as modules require it.
const LOCAL_PROVIDER: &str = "menagerie.local/menagerie/menagerie";

/// What a rehearsal answers for data sources, beside the tree that asks.
const FIXTURES: &str = "tf/rehearsal.fixtures.json";

/// A copy of the tree, which is removed when this is dropped.
pub(super) struct Scratch(PathBuf);

/// The two providers of one directory's tests, while they are served.
pub(super) struct Providers {
    local: LocalHosting,
    served: Option<[Served; 2]>,
    /// The value of `TF_REATTACH_PROVIDERS`.
    pub(super) reattach: String,
}

impl Scratch {
    pub(super) fn create(
        root: &Path,
        place: PathBuf,
        provider: &Path,
        cancel: &Cancel,
    ) -> Result<Self, TreeTestError> {
        // A run that was killed left it, perhaps with what its tests had started.
        for left in file::list(&place.join("run"))? {
            end(&place.join("run").join(left), provider, cancel)?;
        }
        file::remove_directory_if_present(&place)?;
        let scratch = Self(place);
        copy_tree(&root.join("tf"), &scratch.0.join("tf"))?;
        file::create_private_directory(&scratch.0.join("run"))?;
        Ok(scratch)
    }

    /// Returns where a directory of the work tree is here.
    pub(super) fn directory(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Returns where the runs of a directory keep their things.
    pub(super) fn run(&self, index: usize) -> PathBuf {
        self.0.join("run").join(index.to_string())
    }

    /// Returns where it is written down which Terraform runs for a directory.
    pub(super) fn journal(&self, index: usize) -> Journal {
        journal(&self.run(index))
    }

    pub(super) fn images(&self) -> PathBuf {
        self.0.join("images")
    }

    /// Returns whether a directory is a hosting on this machine, which runs the application.
    pub(super) fn needs_image(&self, path: &str) -> bool {
        let read = |name| fs::read_to_string(self.0.join(path).join(name)).unwrap_or_default();
        read("terraform.tf").contains(LOCAL_PROVIDER)
            && read("variables.tf").contains("variable \"image\"")
    }

    /// Starts both providers.
    pub(super) fn serve(&self, index: usize, program: &Path) -> Result<Providers, TreeTestError> {
        let run = self.run(index);
        let part = |name: &str| run.join(name);
        for name in ["local", "rehearsal", "output", "plugins"] {
            file::create_private_directory(&part(name))?;
        }
        let local = LocalHosting::borrow(program, &part("local"));
        let here = local.serve(&part("output").join("local.log"))?;
        let mut arguments: Vec<OsString> =
            vec!["rehearse".into(), "--dir".into(), part("rehearsal").into()];
        // A test cleans up what it made, also what it protected.
        arguments.push("--ignore-protection".into());
        let fixtures = self.0.join(FIXTURES);
        if fixtures.exists() {
            arguments.extend(["--fixtures".into(), fixtures.into()]);
        }
        let log = part("output").join("rehearsal.log");
        let rehearsed = serve(program, "rehearse", &arguments, &log)?;
        let reattach = merge_reattach(&here.reattach, &rehearsed.reattach);
        Ok(Providers { local, served: Some([here, rehearsed]), reattach })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is removed by the next one.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Providers {
    /// Ends both, and whatever tests left on this machine: a test that failed to destroy what it had made has said so.
    pub(super) fn end(mut self) -> Result<(), TreeTestError> {
        // It holds what `down` needs.
        self.served = None;
        self.local.down()?;
        Ok(())
    }
}

/// Has a Terraform that outlived its parent destroy what it had made, and ends what is left then.
fn end(run: &Path, provider: &Path, cancel: &Cancel) -> Result<(), TreeTestError> {
    for orphan in journal(run).unfinished()? {
        // One that ends at this moment needs no signal.
        let _ = orphan.interrupt();
        while orphan.is_alive() {
            if cancel.count() > 0 {
                return Err(TreeTestError::Interrupted);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    let local = run.join("local");
    if local.exists() {
        LocalHosting::borrow(provider, &local).down()?;
    }
    Ok(())
}

fn journal(run: &Path) -> Journal {
    Journal::new(run.join("journal.jsonl"))
}

/// Copies the tree of modules and roots, but none of what is generated.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), FileError> {
    copy(from, to, &["envs", "templates"])
}

/// Copies a tree of plain files without what is hidden: neither what Terraform keeps in a module nor its lock files.
fn copy(from: &Path, to: &Path, skip: &[&str]) -> Result<(), FileError> {
    file::create_private_directory(to)?;
    for name in file::list(from)? {
        if name.starts_with('.') || skip.contains(&name.as_str()) {
            continue;
        }
        let (source, target) = (from.join(&name), to.join(&name));
        if source.is_dir() {
            copy(&source, &target, &[])?;
        } else {
            file::copy(&source, &target)?;
        }
    }
    Ok(())
}
