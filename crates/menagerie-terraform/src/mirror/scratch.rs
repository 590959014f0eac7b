//! Where one filler of a mirror works: Terraform installs the providers of a made-up root module here.

use std::fmt::Write as _;
use std::fs;
use std::os::unix;
use std::path::{Path, PathBuf};

use crate::arguments::InitOptions;
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::Ended;
use crate::execute::Notice;
use crate::mirror::lock_file::Locked;
use crate::mirror::{
    FillOptions, MirrorError, PackageSource, configuration, create_directory, package, unique,
    write,
};
use crate::retry::retry;
use crate::workdir::Workdir;

/// Where one filler works, in the mirror's own directory so that a package is moved and not copied; removed at its end.
pub(crate) struct Scratch {
    pub(crate) path: PathBuf,
}

impl Scratch {
    /// What its name begins with.
    pub(crate) const PREFIX: &str = "filling-";

    pub(crate) fn new(mirror: &Path) -> Result<Self, MirrorError> {
        let path = mirror.join(format!("{}{}", Self::PREFIX, unique()));
        create_directory(&path.join("root"))?;
        Ok(Self { path })
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Has Terraform install providers for a root module that asks for nothing else.
    pub(crate) fn install(
        &self,
        terraform: &Terraform,
        providers: &[&Locked],
        options: &FillOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, MirrorError> {
        let root = self.path.join("root");
        write(&root.join("terraform.tf"), &root_module(providers))?;
        let lock_file = root.join(".terraform.lock.hcl");
        fs::copy(&options.lock_file, &lock_file)
            .map_err(|source| MirrorError::file("copy", &options.lock_file, source))?;
        let mut environment = options.environment.clone();
        if let Some(packages) = self.packages(&options.source, providers)? {
            let path = self.path.join("packages.tfrc");
            write(&path, &configuration::only(&packages))?;
            environment.insert(configuration::VARIABLE.into(), path.into());
        }
        let workdir = Workdir {
            runs_directory: options.runs_directory.clone(),
            ..Workdir::new(root, &self.path, environment)
        };
        let init = InitOptions { limits: options.limits, ..InitOptions::default() };
        Ok(retry(&options.retry, notices, cancel, |notices| {
            workdir.init(terraform, &init, notices, cancel)
        })?)
    }

    /// Returns the directory that packages are taken from, where it is not for the user's configuration to say.
    fn packages(
        &self,
        source: &PackageSource,
        providers: &[&Locked],
    ) -> Result<Option<PathBuf>, MirrorError> {
        let absolute = |path: &Path| {
            fs::canonicalize(path).map_err(|source| MirrorError::file("find", path, source))
        };
        match source {
            PackageSource::Configured => Ok(None),
            PackageSource::Directory(directory) => Ok(Some(absolute(directory)?)),
            PackageSource::Archives(archives) => {
                let packages = self.path.join("packages");
                create_directory(&packages)?;
                for archive in archives {
                    let archive = absolute(archive)?;
                    for provider in providers {
                        let name = archive_name(provider);
                        if archive.file_name().is_some_and(|found| found.to_str() == Some(&name)) {
                            let directory = packages.join(&provider.source);
                            create_directory(&directory)?;
                            let link = directory.join(name);
                            unix::fs::symlink(&archive, &link)
                                .map_err(|source| MirrorError::file("create", &link, source))?;
                        }
                    }
                }
                Ok(Some(packages))
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The next filler tries again.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Returns the configuration of a root module that needs exactly these providers.
fn root_module(providers: &[&Locked]) -> String {
    let mut text = "terraform {\n  required_providers {\n".to_owned();
    for (index, Locked { source, version, .. }) in providers.iter().enumerate() {
        writeln!(
            text,
            "    p{index} = {{\n      source  = \"{source}\"\n      version = \"{version}\"\n    }}"
        )
        .expect("a string takes it");
    }
    text + "  }\n}\n"
}

fn archive_name(provider: &Locked) -> String {
    format!(
        "terraform-provider-{}_{}_{}.zip",
        provider.name(),
        provider.version,
        package::platform()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_module_that_asks_for_nothing_else() {
        let locked = |source: &str| Locked {
            source: source.to_owned(),
            version: "1.0.0".to_owned(),
            checksums: Vec::new(),
        };
        let (one, other) =
            (locked("registry.terraform.io/hashicorp/aws"), locked("localhost/lab/aws"));
        insta::assert_snapshot!(root_module(&[&one, &other]), @r#"
        terraform {
          required_providers {
            p0 = {
              source  = "registry.terraform.io/hashicorp/aws"
              version = "1.0.0"
            }
            p1 = {
              source  = "localhost/lab/aws"
              version = "1.0.0"
            }
          }
        }
        "#);
        assert!(archive_name(&other).starts_with("terraform-provider-aws_1.0.0_"));
    }
}
