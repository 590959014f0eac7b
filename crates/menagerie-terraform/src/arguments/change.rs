//! From a root module to resources and back: `init`, `validate`, `plan`, `show`, `apply`, `destroy`, `output`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::arguments::{
    Limits, LockOptions, push_all, push_if, push_lock, push_parallelism, words,
};

/// What `init` can be told.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of `init`")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitOptions {
    /// `KEY=VALUE` or the path of a file, for the backend. It ends up in the data directory and in plan files: no secrets.
    pub backend_config: Vec<OsString>,
    /// Takes the backend as it is configured now, and forgets another one that the data directory knows.
    pub reconfigure: bool,
    /// Leaves the backend alone: for `validate` and `test`, which read no state.
    pub without_backend: bool,
    /// Looks for newer modules and providers.
    pub upgrade: bool,
    /// Fails rather than change the lock file.
    pub lock_file_readonly: bool,
    /// Takes providers from these directories only.
    pub plugin_directories: Vec<PathBuf>,
    /// How long it may take.
    pub limits: Limits,
}

/// What is planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PlanMode {
    /// What the configuration wants.
    #[default]
    Normal,
    /// The end of everything.
    Destroy,
    /// Only the state catches up with what is there.
    RefreshOnly,
}

/// What `plan` can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// Where the plan is written; it holds variables in clear, so the file is made readable for its owner only.
    pub out: Option<PathBuf>,
    /// What is planned.
    pub mode: PlanMode,
    /// Files with variables.
    pub variable_files: Vec<PathBuf>,
    /// Trusts the state instead of asking the providers what is there.
    pub skip_refresh: bool,
    /// Only these addresses and what they depend on.
    pub targets: Vec<String>,
    /// All but these addresses and what depends on them. OpenTofu only.
    pub excludes: Vec<String>,
    /// Replaces these addresses.
    pub replace: Vec<String>,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How many resources at once; Terraform's default is 10.
    pub parallelism: Option<u16>,
    /// Where configuration for `import` blocks is written; the file must not exist.
    pub generate_config_out: Option<PathBuf>,
    /// How long it may take.
    pub limits: Limits,
}

/// What `apply` can be told. It applies a saved plan: what was not planned and read is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyOptions {
    /// The saved plan.
    pub plan: PathBuf,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How many resources at once; Terraform's default is 10.
    pub parallelism: Option<u16>,
    /// How long it may take.
    pub limits: Limits,
}

impl ApplyOptions {
    /// Returns the options that apply this plan, with all else as Terraform has it.
    pub fn new(plan: PathBuf) -> Self {
        Self { plan, lock: LockOptions::default(), parallelism: None, limits: Limits::default() }
    }
}

/// What `destroy` can be told. It asks nobody: that is the caller's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestroyOptions {
    /// Files with variables.
    pub variable_files: Vec<PathBuf>,
    /// Only these addresses and what depends on them.
    pub targets: Vec<String>,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How many resources at once; Terraform's default is 10.
    pub parallelism: Option<u16>,
    /// How long it may take.
    pub limits: Limits,
}

/// Returns the arguments of `version`. It knows no `-no-color`, and prints no color either.
pub fn version_arguments() -> Vec<OsString> {
    words(&["version", "-json"])
}

/// Returns the arguments of `init`.
pub fn init_arguments(options: &InitOptions) -> Vec<OsString> {
    let mut arguments = words(&["init", "-json", "-no-color", "-input=false"]);
    push_all(&mut arguments, "-backend-config=", &options.backend_config);
    push_if(&mut arguments, options.reconfigure, "-reconfigure");
    push_if(&mut arguments, options.without_backend, "-backend=false");
    push_if(&mut arguments, options.upgrade, "-upgrade");
    push_if(&mut arguments, options.lock_file_readonly, "-lockfile=readonly");
    push_all(&mut arguments, "-plugin-dir=", &options.plugin_directories);
    arguments
}

/// Returns the arguments of `validate`.
pub fn validate_arguments() -> Vec<OsString> {
    words(&["validate", "-json", "-no-color"])
}

/// Returns the arguments of `plan`.
pub fn plan_arguments(options: &PlanOptions) -> Vec<OsString> {
    let mut arguments =
        words(&["plan", "-json", "-no-color", "-input=false", "-detailed-exitcode"]);
    push_if(&mut arguments, options.mode == PlanMode::Destroy, "-destroy");
    push_if(&mut arguments, options.mode == PlanMode::RefreshOnly, "-refresh-only");
    push_if(&mut arguments, options.skip_refresh, "-refresh=false");
    push_all(&mut arguments, "-var-file=", &options.variable_files);
    push_all(&mut arguments, "-target=", &options.targets);
    push_all(&mut arguments, "-exclude=", &options.excludes);
    push_all(&mut arguments, "-replace=", &options.replace);
    push_lock(&mut arguments, &options.lock);
    push_parallelism(&mut arguments, options.parallelism);
    push_all(&mut arguments, "-generate-config-out=", options.generate_config_out.as_slice());
    push_all(&mut arguments, "-out=", options.out.as_slice());
    arguments
}

/// Returns the arguments of `show`, of a saved plan or else of the state.
pub fn show_arguments(plan: Option<&Path>) -> Vec<OsString> {
    let mut arguments = words(&["show", "-json", "-no-color"]);
    arguments.extend(plan.map(Into::into));
    arguments
}

/// Returns the arguments of `apply`.
pub fn apply_arguments(options: &ApplyOptions) -> Vec<OsString> {
    let mut arguments = words(&["apply", "-json", "-no-color", "-input=false"]);
    push_lock(&mut arguments, &options.lock);
    push_parallelism(&mut arguments, options.parallelism);
    arguments.push(options.plan.clone().into());
    arguments
}

/// Returns the arguments of `destroy`.
pub fn destroy_arguments(options: &DestroyOptions) -> Vec<OsString> {
    let mut arguments = words(&["destroy", "-json", "-no-color", "-input=false", "-auto-approve"]);
    push_all(&mut arguments, "-var-file=", &options.variable_files);
    push_all(&mut arguments, "-target=", &options.targets);
    push_lock(&mut arguments, &options.lock);
    push_parallelism(&mut arguments, options.parallelism);
    arguments
}

/// Returns the arguments of `output`, for all outputs or for one.
pub fn output_arguments(name: Option<&str>) -> Vec<OsString> {
    let mut arguments = words(&["output", "-json", "-no-color"]);
    arguments.extend(name.map(Into::into));
    arguments
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::arguments::{check, limits};

    #[test]
    fn defaults() {
        check(&version_arguments(), "version -json");
        check(&init_arguments(&InitOptions::default()), "init -json -no-color -input=false");
        check(&validate_arguments(), "validate -json -no-color");
        check(
            &plan_arguments(&PlanOptions::default()),
            "plan -json -no-color -input=false -detailed-exitcode",
        );
        check(&show_arguments(None), "show -json -no-color");
        check(
            &apply_arguments(&ApplyOptions::new("a.tfplan".into())),
            "apply -json -no-color -input=false a.tfplan",
        );
        check(
            &destroy_arguments(&DestroyOptions::default()),
            "destroy -json -no-color -input=false -auto-approve",
        );
        check(&output_arguments(None), "output -json -no-color");
    }

    #[test]
    fn init_with_everything() {
        let options = InitOptions {
            backend_config: vec!["path=/a b".into(), "backend.hcl".into()],
            reconfigure: true,
            without_backend: true,
            upgrade: true,
            lock_file_readonly: true,
            plugin_directories: vec!["plugins".into()],
            limits: limits(),
        };
        check(
            &init_arguments(&options),
            "init -json -no-color -input=false -backend-config=path=/a b -backend-config=backend.hcl -reconfigure \
             -backend=false -upgrade -lockfile=readonly -plugin-dir=plugins",
        );
    }

    #[test]
    fn plan_with_everything() {
        let options = PlanOptions {
            out: Some("a.tfplan".into()),
            mode: PlanMode::Destroy,
            variable_files: vec!["a.tfvars.json".into()],
            skip_refresh: true,
            targets: vec!["module.a".into()],
            excludes: vec!["module.b".into()],
            replace: vec!["x.y[\"k\"]".into()],
            lock: LockOptions::Without,
            parallelism: Some(30),
            generate_config_out: Some("generated.tf".into()),
            limits: limits(),
        };
        check(
            &plan_arguments(&options),
            "plan -json -no-color -input=false -detailed-exitcode -destroy -refresh=false -var-file=a.tfvars.json -target=module.a \
             -exclude=module.b -replace=x.y[\"k\"] -lock=false -parallelism=30 -generate-config-out=generated.tf -out=a.tfplan",
        );
        let refresh = PlanOptions { mode: PlanMode::RefreshOnly, ..PlanOptions::default() };
        check(
            &plan_arguments(&refresh),
            "plan -json -no-color -input=false -detailed-exitcode -refresh-only",
        );
    }

    #[test]
    fn apply_destroy_show_and_output_with_everything() {
        let lock = LockOptions::Wait(Duration::from_secs(20));
        let apply = ApplyOptions {
            lock: lock.clone(),
            parallelism: Some(1),
            limits: limits(),
            ..ApplyOptions::new("a.tfplan".into())
        };
        check(
            &apply_arguments(&apply),
            "apply -json -no-color -input=false -lock-timeout=20s -parallelism=1 a.tfplan",
        );
        let destroy = DestroyOptions {
            variable_files: vec!["a.tfvars.json".into()],
            targets: vec!["a.b".into()],
            lock,
            parallelism: Some(1),
            limits: limits(),
        };
        check(
            &destroy_arguments(&destroy),
            "destroy -json -no-color -input=false -auto-approve -var-file=a.tfvars.json -target=a.b -lock-timeout=20s -parallelism=1",
        );
        check(&show_arguments(Some(Path::new("a.tfplan"))), "show -json -no-color a.tfplan");
        check(&output_arguments(Some("url")), "output -json -no-color url");
    }
}
