//! Providers: `providers lock`, `mirror`, `schema`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::arguments::{Limits, push_all, push_if, push_operands, words};

/// What `providers lock` can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvidersLockOptions {
    /// Platforms such as `linux_amd64`; the one that it runs on where there are none.
    pub platforms: Vec<String>,
    /// Takes packages from this directory instead of the registry.
    pub filesystem_mirror: Option<PathBuf>,
    /// Takes packages from this `https:` address instead of the registry.
    pub network_mirror: Option<String>,
    /// Takes packages from the plugin cache of the configuration file, where it has them.
    pub use_plugin_cache: bool,
    /// Only these providers, `hashicorp/aws`.
    pub providers: Vec<String>,
    /// How long it may take.
    pub limits: Limits,
}

/// What `providers mirror` can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvidersMirrorOptions {
    /// The directory that is filled.
    pub target: PathBuf,
    /// Platforms such as `linux_amd64`; the one that it runs on where there are none.
    pub platforms: Vec<String>,
    /// Takes the newest versions that are allowed, and not those of the lock file. Terraform only.
    pub ignore_lock_file: bool,
    /// How long it may take.
    pub limits: Limits,
}

/// Returns the arguments of `providers lock`.
pub fn providers_lock_arguments(options: &ProvidersLockOptions) -> Vec<OsString> {
    let mut arguments = words(&["providers", "lock", "-no-color"]);
    push_all(&mut arguments, "-platform=", &options.platforms);
    push_all(&mut arguments, "-fs-mirror=", options.filesystem_mirror.as_slice());
    push_all(&mut arguments, "-net-mirror=", options.network_mirror.as_slice());
    push_if(&mut arguments, options.use_plugin_cache, "-enable-plugin-cache");
    push_operands(&mut arguments, &options.providers);
    arguments
}

/// Returns the arguments of `providers mirror`.
pub fn providers_mirror_arguments(options: &ProvidersMirrorOptions) -> Vec<OsString> {
    let mut arguments = words(&["providers", "mirror", "-no-color"]);
    push_all(&mut arguments, "-platform=", &options.platforms);
    push_if(&mut arguments, options.ignore_lock_file, "-lock-file=false");
    push_operands(&mut arguments, std::slice::from_ref(&options.target));
    arguments
}

/// Returns the arguments of `providers schema`.
pub fn providers_schema_arguments() -> Vec<OsString> {
    words(&["providers", "schema", "-json", "-no-color"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{check, limits};

    #[test]
    fn defaults() {
        check(
            &providers_lock_arguments(&ProvidersLockOptions::default()),
            "providers lock -no-color",
        );
        let options =
            ProvidersMirrorOptions { target: "mirror".into(), ..ProvidersMirrorOptions::default() };
        check(&providers_mirror_arguments(&options), "providers mirror -no-color -- mirror");
        check(&providers_schema_arguments(), "providers schema -json -no-color");
    }

    #[test]
    fn with_everything() {
        let platforms = vec!["linux_amd64".to_owned(), "darwin_arm64".to_owned()];
        let lock = ProvidersLockOptions {
            platforms: platforms.clone(),
            filesystem_mirror: Some("mirror".into()),
            network_mirror: Some("https://mirror.example/".into()),
            use_plugin_cache: true,
            providers: vec!["hashicorp/aws".into()],
            limits: limits(),
        };
        check(
            &providers_lock_arguments(&lock),
            "providers lock -no-color -platform=linux_amd64 -platform=darwin_arm64 -fs-mirror=mirror \
             -net-mirror=https://mirror.example/ -enable-plugin-cache -- hashicorp/aws",
        );
        let mirror = ProvidersMirrorOptions {
            target: "mirror".into(),
            platforms,
            ignore_lock_file: true,
            limits: limits(),
        };
        check(
            &providers_mirror_arguments(&mirror),
            "providers mirror -no-color -platform=linux_amd64 -platform=darwin_arm64 -lock-file=false -- mirror",
        );
    }
}
