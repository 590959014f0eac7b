//! The destroy bundle: what is needed to plan, heal or destroy an environment when its directory is not in the checkout.
//!
//! It is written before an apply starts, so that no resource exists whose bundle does not.

use crate::file::{self, Context as _, FileError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::{Component, Path, PathBuf};

const MANIFEST: &str = "manifest.json";

/// A complete bundle on the disk.
#[derive(Debug)]
pub(crate) struct Bundle {
    directory: PathBuf,
    manifest: Manifest,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    /// The root module below `files/`.
    root_module: PathBuf,
    /// The version of Menagerie that wrote it.
    tool: String,
    /// The version of Terraform that planned with it.
    terraform: String,
    at: Timestamp,
}

/// What a bundle is made from.
pub(crate) struct Contents {
    /// The top of the work tree, or `files/` of the bundle that is used again.
    pub(crate) root: PathBuf,
    pub(crate) root_module: PathBuf,
    /// Terraform's data directory, where it says which modules it resolved.
    pub(crate) data: PathBuf,
    pub(crate) variables: PathBuf,
    pub(crate) terraform: String,
}

impl Bundle {
    /// Returns the complete bundle in this directory, or the next one that a killed run had not put in its place yet.
    pub(crate) fn open(directory: &Path) -> Result<Option<Self>, FileError> {
        for candidate in [directory.to_owned(), next(directory)] {
            let path = candidate.join(MANIFEST);
            if let Some(text) = file::read_if_present(&path)? {
                let manifest =
                    serde_json::from_str(&text).map_err(io::Error::from).during("read", &path)?;
                return Ok(Some(Self { directory: candidate, manifest }));
            }
        }
        Ok(None)
    }

    /// Writes a bundle and puts it in place of the one before, which stays usable until the new one is complete.
    pub(crate) fn write(directory: &Path, contents: &Contents) -> Result<(), FileError> {
        let next = next(directory);
        if !directory.join(MANIFEST).exists() && next.join(MANIFEST).exists() {
            file::remove_directory_if_present(directory)?;
            std::fs::rename(&next, directory).during("create", directory)?;
        }
        file::remove_directory_if_present(&next)?;
        let files = next.join("files");
        for module in modules(contents)? {
            let Ok(below) = module.strip_prefix(&contents.root) else { continue };
            file::copy_tree(&module, &files.join(below), &[".terraform", "tests"])?;
        }
        file::copy(&contents.variables, &next.join("variables.tfvars.json"))?;
        let manifest = Manifest {
            version: 1,
            root_module: contents
                .root_module
                .strip_prefix(&contents.root)
                .unwrap_or(&contents.root_module)
                .to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            terraform: contents.terraform.clone(),
            at: Timestamp::now(),
        };
        let text = serde_json::to_string_pretty(&manifest)
            .expect("paths of ours, versions and times are JSON");
        file::write_private(&next.join(MANIFEST), text.as_bytes())?;
        file::remove_directory_if_present(directory)?;
        std::fs::rename(&next, directory).during("create", directory)
    }

    /// Returns the top of the tree that it holds.
    pub(crate) fn files(&self) -> PathBuf {
        self.directory.join("files")
    }

    /// Returns the root module in it.
    pub(crate) fn root_module(&self) -> PathBuf {
        self.files().join(&self.manifest.root_module)
    }

    /// Returns the variables that were applied with it.
    pub(crate) fn variables(&self) -> PathBuf {
        self.directory.join("variables.tfvars.json")
    }
}

/// Returns whether there is a complete bundle in this very directory.
pub(crate) fn is_complete(directory: &Path) -> bool {
    directory.join(MANIFEST).exists()
}

/// Returns where the next bundle is made.
pub(crate) fn next(directory: &Path) -> PathBuf {
    directory.with_extension("next")
}

/// Returns a fingerprint of all files that a plan is made from.
pub(crate) fn fingerprint(contents: &Contents) -> Result<String, FileError> {
    let mut hash = Sha256::new();
    for module in modules(contents)? {
        for name in file::list(&module)? {
            let path = module.join(&name);
            if path.is_file() {
                hash_file(&mut hash, &path)?;
            }
        }
    }
    hash_file(&mut hash, &contents.variables)?;
    Ok(crate::hex(&hash.finalize()))
}

fn hash_file(hash: &mut Sha256, path: &Path) -> Result<(), FileError> {
    let text = std::fs::read(path).during("read", path)?;
    let length = u64::try_from(text.len()).expect("a file that was read fits in memory");
    hash.update(path.as_os_str().as_encoded_bytes());
    hash.update([0]);
    hash.update(length.to_be_bytes());
    hash.update(text);
    Ok(())
}

/// Returns the directories of the root module and of all modules below it, as Terraform resolved them.
fn modules(contents: &Contents) -> Result<Vec<PathBuf>, FileError> {
    #[derive(Deserialize)]
    struct Resolved {
        #[serde(rename = "Modules")]
        modules: Vec<Module>,
    }
    #[derive(Deserialize)]
    struct Module {
        #[serde(rename = "Dir")]
        directory: PathBuf,
    }
    let path = contents.data.join("modules/modules.json");
    let mut directories = vec![contents.root_module.clone()];
    if let Some(text) = file::read_if_present(&path)? {
        let resolved: Resolved =
            serde_json::from_str(&text).map_err(io::Error::from).during("read", &path)?;
        directories.extend(
            resolved
                .modules
                .iter()
                .map(|module| normal(&contents.root_module.join(&module.directory))),
        );
    }
    directories.sort_unstable();
    directories.dedup();
    Ok(directories)
}

/// Resolves `.` and `..` by the text alone: a module may be a link, and its callers go up from where it is linked.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn it_holds_the_root_module_and_the_modules_it_calls() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("repository");
        let module = root.join("tf/envs/calm-otter");
        for (path, text) in [
            ("tf/envs/calm-otter/main.tf", "root"),
            ("tf/modules/a/main.tf", "a"),
            ("tf/modules/b/main.tf", "b"),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        let data = directory.path().join("data");
        fs::create_dir_all(data.join("modules")).unwrap();
        fs::write(data.join("modules/modules.json"), r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"a","Source":"","Dir":"../../modules/a"}]}"#).unwrap();
        let variables = directory.path().join("variables");
        fs::write(&variables, "{}").unwrap();
        let contents =
            Contents { root, root_module: module, data, variables, terraform: "1.11.4".into() };
        let place = directory.path().join("bundle");
        assert!(Bundle::open(&place).unwrap().is_none());
        for _ in 0..2 {
            Bundle::write(&place, &contents).unwrap();
            let bundle = Bundle::open(&place).unwrap().unwrap();
            assert_eq!(fs::read_to_string(bundle.root_module().join("main.tf")).unwrap(), "root");
            assert_eq!(
                fs::read_to_string(bundle.root_module().join("../../modules/a/main.tf")).unwrap(),
                "a"
            );
            assert!(!bundle.files().join("tf/modules/b").exists());
            assert_eq!(fs::read_to_string(bundle.variables()).unwrap(), "{}");
        }
        // A run that was killed between taking the old one away and putting the new one in its place.
        fs::rename(&place, next(&place)).unwrap();
        assert!(Bundle::open(&place).unwrap().is_some());
        Bundle::write(&place, &contents).unwrap();
        assert!(Bundle::open(&place).unwrap().is_some_and(|bundle| bundle.directory == place));
    }
}
