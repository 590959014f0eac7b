//! The state itself: `state …`, `import`, `force-unlock`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::arguments::{Limits, LockOptions, push_all, push_if, push_lock, push_operands, words};

/// What `state list` can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateListOptions {
    /// Only what is at or below these addresses; one that is not in the state is an error.
    pub addresses: Vec<String>,
    /// Only instances whose attribute `id` is this.
    pub id: Option<String>,
}

/// What `state mv` can be told. Prefer a `moved` block: it is reviewed, and works for everybody's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateMoveOptions {
    /// The address now.
    pub source: String,
    /// The address after.
    pub destination: String,
    /// Only says what would be moved.
    pub dry_run: bool,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How long it may take.
    pub limits: Limits,
}

impl StateMoveOptions {
    /// Returns the options that move this, with all else as Terraform has it.
    pub fn new(source: impl Into<String>, destination: impl Into<String>) -> Self {
        let (source, destination) = (source.into(), destination.into());
        let (lock, limits) = (LockOptions::default(), Limits::default());
        Self { source, destination, dry_run: false, lock, limits }
    }
}

/// What `state rm` can be told. It forgets and deletes nothing; prefer a `removed` block, which is reviewed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateRemoveOptions {
    /// What is forgotten, each with all that is below it.
    pub addresses: Vec<String>,
    /// Only says what would be forgotten.
    pub dry_run: bool,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How long it may take.
    pub limits: Limits,
}

/// What `state push` can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatePushOptions {
    /// The state that takes the place of the one that the backend has.
    pub state: PathBuf,
    /// Takes one of another lineage or with a lower serial too. This is how states are lost: not without a copy of the other.
    pub force: bool,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How long it may take.
    pub limits: Limits,
}

impl StatePushOptions {
    /// Returns the options that push this state, with all else as Terraform has it.
    pub fn new(state: PathBuf) -> Self {
        Self { state, force: false, lock: LockOptions::default(), limits: Limits::default() }
    }
}

/// What `import` can be told.
///
/// Prefer an `import` block in the configuration: it is planned, reviewed and applied like all else, can write the
/// configuration of what it imports ([`crate::PlanOptions::generate_config_out`]), and this crate knows its outcome by the
/// plan. This command changes the state at once, and shows nobody what the next plan will do to the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The address, which the configuration must have.
    pub address: String,
    /// The object's id, as its provider knows it.
    pub id: String,
    /// Files with variables.
    pub variable_files: Vec<PathBuf>,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How long it may take.
    pub limits: Limits,
}

impl ImportOptions {
    /// Returns the options that import this, with all else as Terraform has it.
    pub fn new(address: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            id: id.into(),
            variable_files: Vec::new(),
            lock: LockOptions::default(),
            limits: Limits::default(),
        }
    }
}

/// Returns the arguments of `state list`.
pub fn state_list_arguments(options: &StateListOptions) -> Vec<OsString> {
    let mut arguments = words(&["state", "list", "-no-color"]);
    push_all(&mut arguments, "-id=", options.id.as_slice());
    push_operands(&mut arguments, &options.addresses);
    arguments
}

/// Returns the arguments of `state show`.
pub fn state_show_arguments(address: &str) -> Vec<OsString> {
    let mut arguments = words(&["state", "show", "-no-color"]);
    push_operands(&mut arguments, &[address]);
    arguments
}

/// Returns the arguments of `state mv`.
pub fn state_move_arguments(options: &StateMoveOptions) -> Vec<OsString> {
    let mut arguments = words(&["state", "mv", "-no-color"]);
    push_if(&mut arguments, options.dry_run, "-dry-run");
    push_lock(&mut arguments, &options.lock);
    push_operands(&mut arguments, &[&options.source, &options.destination]);
    arguments
}

/// Returns the arguments of `state rm`.
pub fn state_remove_arguments(options: &StateRemoveOptions) -> Vec<OsString> {
    let mut arguments = words(&["state", "rm", "-no-color"]);
    push_if(&mut arguments, options.dry_run, "-dry-run");
    push_lock(&mut arguments, &options.lock);
    push_operands(&mut arguments, &options.addresses);
    arguments
}

/// Returns the arguments of `state pull`.
pub fn state_pull_arguments() -> Vec<OsString> {
    words(&["state", "pull", "-no-color"])
}

/// Returns the arguments of `state push`.
pub fn state_push_arguments(options: &StatePushOptions) -> Vec<OsString> {
    let mut arguments = words(&["state", "push", "-no-color"]);
    push_if(&mut arguments, options.force, "-force");
    push_lock(&mut arguments, &options.lock);
    push_operands(&mut arguments, std::slice::from_ref(&options.state));
    arguments
}

/// Returns the arguments of `import`.
pub fn import_arguments(options: &ImportOptions) -> Vec<OsString> {
    let mut arguments = words(&["import", "-no-color", "-input=false"]);
    push_all(&mut arguments, "-var-file=", &options.variable_files);
    push_lock(&mut arguments, &options.lock);
    push_operands(&mut arguments, &[&options.address, &options.id]);
    arguments
}

/// Returns the arguments of `force-unlock`, which asks nobody.
pub fn force_unlock_arguments(lock_id: &str) -> Vec<OsString> {
    let mut arguments = words(&["force-unlock", "-no-color", "-force"]);
    push_operands(&mut arguments, &[lock_id]);
    arguments
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::arguments::{check, limits};

    const LOCK: LockOptions = LockOptions::Wait(Duration::from_secs(20));

    #[test]
    fn defaults() {
        check(&state_list_arguments(&StateListOptions::default()), "state list -no-color");
        check(&state_show_arguments("a.b[\"k\"]"), "state show -no-color -- a.b[\"k\"]");
        check(
            &state_move_arguments(&StateMoveOptions::new("a.b", "a.c")),
            "state mv -no-color -- a.b a.c",
        );
        check(&state_remove_arguments(&StateRemoveOptions::default()), "state rm -no-color");
        check(&state_pull_arguments(), "state pull -no-color");
        check(
            &state_push_arguments(&StatePushOptions::new("a b.tfstate".into())),
            "state push -no-color -- a b.tfstate",
        );
        check(
            &import_arguments(&ImportOptions::new("a.b", "-1")),
            "import -no-color -input=false -- a.b -1",
        );
        check(&force_unlock_arguments("8d6c"), "force-unlock -no-color -force -- 8d6c");
    }

    #[test]
    fn state_with_everything() {
        let list = StateListOptions {
            addresses: vec!["module.a".into(), "a.b".into()],
            id: Some("i-1".into()),
        };
        check(&state_list_arguments(&list), "state list -no-color -id=i-1 -- module.a a.b");
        let rename = StateMoveOptions {
            dry_run: true,
            lock: LOCK,
            limits: limits(),
            ..StateMoveOptions::new("a.b", "a.c")
        };
        check(
            &state_move_arguments(&rename),
            "state mv -no-color -dry-run -lock-timeout=20s -- a.b a.c",
        );
        let forget = StateRemoveOptions {
            addresses: vec!["a.b".into(), "module.c".into()],
            dry_run: true,
            lock: LOCK,
            limits: limits(),
        };
        check(
            &state_remove_arguments(&forget),
            "state rm -no-color -dry-run -lock-timeout=20s -- a.b module.c",
        );
        let push = StatePushOptions {
            force: true,
            lock: LockOptions::Without,
            limits: limits(),
            ..StatePushOptions::new("a.tfstate".into())
        };
        check(&state_push_arguments(&push), "state push -no-color -force -lock=false -- a.tfstate");
    }

    #[test]
    fn import_with_everything() {
        let options = ImportOptions {
            variable_files: vec!["a.tfvars.json".into()],
            lock: LOCK,
            limits: limits(),
            ..ImportOptions::new("a.b", "i-1")
        };
        check(
            &import_arguments(&options),
            "import -no-color -input=false -var-file=a.tfvars.json -lock-timeout=20s -- a.b i-1",
        );
    }
}
