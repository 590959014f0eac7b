//! Where root modules are rendered to be judged.

use crate::file::{self, Context as _, FileError};
use crate::repository::Repository;
use menagerie_naming::EnvName;
use menagerie_template::File;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A tree that looks to Terraform like the repository, with the rendered root modules in the place of its environments.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn create(repository: &Repository, directory: PathBuf) -> Result<Self, FileError> {
        // A run that was killed left it.
        file::remove_directory_if_present(&directory)?;
        let scratch = Self(directory);
        file::create_private_directory(&scratch.0)?;
        link(repository.root(), &scratch.0, &["tf", ".git"])?;
        let tree = scratch.0.join("tf");
        file::create_private_directory(&tree.join("envs"))?;
        link(&repository.root().join("tf"), &tree, &["envs", "templates"])?;
        for part in ["run", "run/local", "run/output"] {
            file::create_private_directory(&scratch.0.join(part))?;
        }
        Ok(scratch)
    }

    pub(super) fn root_module(&self, name: &EnvName) -> PathBuf {
        self.environments().join(name.as_str())
    }

    /// Returns the directory of all root modules.
    pub(super) fn environments(&self) -> PathBuf {
        self.0.join("tf/envs")
    }

    pub(super) fn run(&self, part: &str) -> PathBuf {
        self.0.join("run").join(part)
    }

    pub(super) fn write(&self, name: &EnvName, files: &[File]) -> Result<(), FileError> {
        let directory = self.root_module(name);
        file::create_private_directory(&directory)?;
        for File { path, text } in files {
            let path = directory.join(path);
            fs::write(&path, text).during("write", &path)?;
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is removed by the next one.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn link(from: &Path, to: &Path, except: &[&str]) -> Result<(), FileError> {
    for name in file::list(from)?.iter().filter(|name| !except.contains(&name.as_str())) {
        let target = to.join(name);
        symlink(from.join(name), &target).during("create", &target)?;
    }
    Ok(())
}
