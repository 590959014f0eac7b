//! Where a rehearsal plays: a copy of the tree, a world and a state of its own, all of which go when it ends.

use super::RehearsalError;
use crate::file::{self, Context as _, FileError};
use crate::git::Git;
use crate::lock::{Lock, LockError};
use crate::repository::Repository;
use jiff::Timestamp;
use menagerie_terraform::{Cancel, Journal};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What stands in the directory of every rehearsal.
const MARK: &str =
    "This is a rehearsal: what the state and the world beside this file hold exists nowhere.\n";

/// What puts a state on this machine in the place of the one that the root module names: Terraform merges it in last.
const OVERRIDE: &str =
    "# A rehearsal keeps its state beside its world.\nterraform {\n  backend \"local\" {}\n}\n";

/// The directory of a rehearsal, which is removed when this is dropped.
pub(super) struct Scratch {
    directory: PathBuf,
    _lock: Lock,
}

impl Scratch {
    /// Makes the directory, after what a killed run left has ended and is removed.
    pub(super) fn create(
        repository: &Repository,
        title: &str,
        cancel: &Cancel,
    ) -> Result<Self, RehearsalError> {
        // The home is shared by all work trees.
        let digest = Sha256::digest(repository.root().as_os_str().as_encoded_bytes());
        let parent =
            repository.home().directory().join("rehearsals").join(crate::hex(&digest[..4]));
        file::create_private_directory(&parent)?;
        let directory = parent.join(title);
        let holder = format!("pid {}, since {:.0}", std::process::id(), Timestamp::now());
        let lock = match Lock::take(&directory.with_extension("lock"), &holder) {
            Ok(lock) => lock,
            Err(LockError::Held { holder, .. }) => return Err(RehearsalError::Held(holder)),
            Err(LockError::File(error)) => return Err(error.into()),
        };
        let scratch = Self { directory, _lock: lock };
        for orphan in scratch.journal().unfinished()? {
            // One that ends at this moment needs no signal.
            let _ = orphan.interrupt();
            while orphan.is_alive() {
                if cancel.count() > 0 {
                    return Err(RehearsalError::Interrupted);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        file::remove_directory_if_present(&scratch.directory)?;
        for name in ["data", "runs", "world", "plugins", "home"] {
            file::create_private_directory(&scratch.part(name))?;
        }
        file::write_private(&scratch.part("REHEARSAL"), MARK.as_bytes())?;
        file::write_private(&scratch.part("terraform.rc"), b"")?;
        Ok(scratch)
    }

    /// Returns a file or directory of it.
    pub(super) fn part(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Returns the top of the copied tree, which has the place of the work tree's top.
    pub(super) fn tree(&self) -> PathBuf {
        self.part("tree")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.part("terraform.tfstate")
    }

    pub(super) fn journal(&self) -> Journal {
        Journal::new(self.part("journal.jsonl"))
    }

    /// Copies the tree of a work tree, with the root module of one environment or none.
    pub(super) fn fill(&self, root: &Path, environment: Option<&str>) -> Result<(), FileError> {
        file::remove_directory_if_present(&self.tree())?;
        let bounds = root.canonicalize().during("read", root)?;
        let from = root.join("tf");
        copy(&from, &self.tree().join("tf"), &bounds, &|name| {
            !["envs", "templates"].contains(&name)
        })?;
        if let Some(name) = environment {
            let below = format!("tf/envs/{name}");
            copy(&root.join(&below), &self.tree().join(&below), &bounds, &|_| true)?;
        }
        Ok(())
    }

    /// Copies the tree as a commit has it.
    pub(super) fn fill_from(
        &self,
        git: &Git,
        reference: &str,
        environment: &str,
    ) -> Result<(), RehearsalError> {
        let before = self.part("before");
        file::remove_directory_if_present(&before)?;
        file::create_private_directory(&before)?;
        git.export(reference, "tf", &before, &self.part("before.index"))?;
        if !before.join("tf/envs").join(environment).is_dir() {
            return Err(RehearsalError::NotThere {
                name: environment.to_owned(),
                reference: reference.to_owned(),
            });
        }
        self.fill(&before, Some(environment))?;
        Ok(file::remove_directory_if_present(&before)?)
    }

    /// Puts a root module that is nowhere else into the tree.
    pub(super) fn write(
        &self,
        root_module: &str,
        files: &[menagerie_template::File],
    ) -> Result<(), FileError> {
        let directory = self.tree().join(root_module);
        file::create_private_directory(&directory)?;
        for file in files {
            file::write_private(&directory.join(&file.path), file.text.as_bytes())?;
        }
        Ok(())
    }

    /// Puts the rehearsal's state in the place of the root module's; what it is to replace was looked at before.
    pub(super) fn take_over(&self, root_module: &str) -> Result<(), FileError> {
        let path = self.tree().join(root_module).join("zz_override.tf");
        file::write_private(&path, OVERRIDE.as_bytes())
    }

    /// Returns what exists in the world, by type and identifier.
    pub(super) fn world(&self) -> Result<Vec<String>, FileError> {
        let path = self.part("world/world.json");
        let Some(text) = file::read_if_present(&path)? else { return Ok(Vec::new()) };
        let world: serde_json::Value =
            serde_json::from_str(&text).map_err(std::io::Error::from).during("read", &path)?;
        Ok(world["resources"]
            .as_object()
            .map(|all| all.keys().cloned().collect())
            .unwrap_or_default())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is removed by the next one.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Copies plain files without what is hidden: what Terraform keeps in a module, and its lock files. What a link leads to is
/// copied where it is a part of the repository, and else left out: it could be any file of this machine.
fn copy(
    from: &Path,
    to: &Path,
    bounds: &Path,
    takes: &dyn Fn(&str) -> bool,
) -> Result<(), FileError> {
    file::create_private_directory(to)?;
    for name in file::list(from)? {
        if name.starts_with('.') || name == "terraform.d" || !takes(&name) {
            continue;
        }
        let (source, target) = (from.join(&name), to.join(&name));
        let Ok(real) = source.canonicalize() else { continue };
        let below = real.strip_prefix(bounds);
        if !below.is_ok_and(|below| below.components().all(|part| part.as_os_str() != ".git")) {
            continue;
        }
        if real.is_dir() {
            // A link to a directory may lead back to what it is in.
            if !source.is_symlink() {
                copy(&source, &target, bounds, &|_| true)?;
            }
        } else {
            file::copy(&real, &target)?;
        }
    }
    Ok(())
}
