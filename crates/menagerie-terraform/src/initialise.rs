//! Whether `init` has anything to do, told without running it.
//!
//! A key over all that `init` reads is kept in the data directory. It need not be perfect: a module that comes in by a module
//! is not in it, and then `plan` says so before it touches anything.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::arguments::{InitOptions, init_arguments};
use crate::discover::Terraform;
use crate::execute::RunError;
use crate::files::{file_error, read_if_present};
use crate::workdir::Workdir;

const KEY: &str = "menagerie-init.key";

/// Returns whether the last `init` was run with all as it is now.
pub(crate) fn is_done(
    workdir: &Workdir,
    terraform: &Terraform,
    options: &InitOptions,
) -> Result<bool, RunError> {
    match read_if_present(&workdir.data_directory.join(KEY))? {
        Some(known) => Ok(known == key(workdir, terraform, options)?.as_bytes()),
        None => Ok(false),
    }
}

/// Remembers that `init` was run with all as it is now.
pub(crate) fn remember(
    workdir: &Workdir,
    terraform: &Terraform,
    options: &InitOptions,
) -> Result<(), RunError> {
    let directory = &workdir.data_directory;
    // Terraform makes none for a root that has no backend, no modules and no providers to install.
    fs::create_dir_all(directory).map_err(|source| file_error("create", directory, source))?;
    let path = directory.join(KEY);
    fs::write(&path, key(workdir, terraform, options)?)
        .map_err(|source| file_error("write", &path, source))
}

fn key(
    workdir: &Workdir,
    terraform: &Terraform,
    options: &InitOptions,
) -> Result<String, RunError> {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    part(terraform.path().as_os_str().as_encoded_bytes());
    part(terraform.version().to_string().as_bytes());
    for argument in init_arguments(options) {
        part(argument.as_encoded_bytes());
    }
    if let Some(path) = workdir.environment.get(std::ffi::OsStr::new("TF_CLI_CONFIG_FILE")) {
        part(&read_if_present(Path::new(path))?.unwrap_or_default());
    }
    for provider in reattached(workdir.reattach_providers.as_deref().unwrap_or("{}")) {
        part(provider.as_bytes());
    }
    // Where `init` puts the modules: without it they must be fetched again.
    part(&[u8::from(workdir.data_directory.join("modules/modules.json").exists())]);
    for name in configuration(&workdir.directory)? {
        part(name.as_bytes());
        part(&read_if_present(&workdir.directory.join(name))?.unwrap_or_default());
    }
    Ok(hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

/// Returns which providers need not be installed, sorted. Where they listen is new in each run.
fn reattached(variable: &str) -> Vec<String> {
    let providers: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(variable).unwrap_or_default();
    let mut addresses: Vec<String> = providers.into_iter().map(|(address, _)| address).collect();
    addresses.sort_unstable();
    addresses
}

/// Returns the names of the files of a root module that `init` reads, sorted.
fn configuration(directory: &Path) -> Result<Vec<String>, RunError> {
    let error = |source| file_error("read", directory, source);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(error)? {
        let name = entry.map_err(error)?.file_name().to_string_lossy().into_owned();
        let is_read = [".tf", ".tf.json", ".tofu", ".tofu.json", ".terraform.lock.hcl"]
            .iter()
            .any(|end| name.ends_with(end));
        if is_read {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
