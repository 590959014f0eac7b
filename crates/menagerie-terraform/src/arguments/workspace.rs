//! Workspaces: `workspace list`, `show`, `new`, `delete`.
//!
//! There is no `select`: it writes a file that the next command of anybody in the same data directory obeys. A workspace is
//! chosen for a run, by [`crate::Workdir::workspace`].

use std::ffi::OsString;
use std::path::PathBuf;

use crate::arguments::{Limits, LockOptions, push_all, push_if, push_lock, push_operands, words};

/// What `workspace new` can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceNewOptions {
    /// The name of one that does not exist.
    pub name: String,
    /// The state that it begins with; none where this is `None`.
    pub state: Option<PathBuf>,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How long it may take.
    pub limits: Limits,
}

impl WorkspaceNewOptions {
    /// Returns the options that make an empty one, with all else as Terraform has it.
    pub fn new(name: impl Into<String>) -> Self {
        let (lock, limits) = (LockOptions::default(), Limits::default());
        Self { name: name.into(), state: None, lock, limits }
    }
}

/// What `workspace delete` can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceDeleteOptions {
    /// Which one.
    pub name: String,
    /// Also one whose state has resources, which nobody keeps track of any more then.
    pub force: bool,
    /// How the lock is treated.
    pub lock: LockOptions,
    /// How long it may take.
    pub limits: Limits,
}

impl WorkspaceDeleteOptions {
    /// Returns the options that delete an empty one, with all else as Terraform has it.
    pub fn new(name: impl Into<String>) -> Self {
        let (lock, limits) = (LockOptions::default(), Limits::default());
        Self { name: name.into(), force: false, lock, limits }
    }
}

/// Returns the arguments of `workspace list`.
pub fn workspace_list_arguments() -> Vec<OsString> {
    words(&["workspace", "list", "-no-color"])
}

/// Returns the arguments of `workspace show`.
pub fn workspace_show_arguments() -> Vec<OsString> {
    words(&["workspace", "show", "-no-color"])
}

/// Returns the arguments of `workspace new`.
pub fn workspace_new_arguments(options: &WorkspaceNewOptions) -> Vec<OsString> {
    let mut arguments = words(&["workspace", "new", "-no-color"]);
    push_all(&mut arguments, "-state=", options.state.as_slice());
    push_lock(&mut arguments, &options.lock);
    push_operands(&mut arguments, std::slice::from_ref(&options.name));
    arguments
}

/// Returns the arguments of `workspace delete`.
pub fn workspace_delete_arguments(options: &WorkspaceDeleteOptions) -> Vec<OsString> {
    let mut arguments = words(&["workspace", "delete", "-no-color"]);
    push_if(&mut arguments, options.force, "-force");
    push_lock(&mut arguments, &options.lock);
    push_operands(&mut arguments, std::slice::from_ref(&options.name));
    arguments
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::arguments::{check, limits};

    #[test]
    fn defaults() {
        check(&workspace_list_arguments(), "workspace list -no-color");
        check(&workspace_show_arguments(), "workspace show -no-color");
        check(
            &workspace_new_arguments(&WorkspaceNewOptions::new("pr-1")),
            "workspace new -no-color -- pr-1",
        );
        check(
            &workspace_delete_arguments(&WorkspaceDeleteOptions::new("pr-1")),
            "workspace delete -no-color -- pr-1",
        );
    }

    #[test]
    fn with_everything() {
        let lock = LockOptions::Wait(Duration::from_secs(20));
        let new = WorkspaceNewOptions {
            state: Some("a.tfstate".into()),
            lock: lock.clone(),
            limits: limits(),
            ..WorkspaceNewOptions::new("pr-1")
        };
        check(
            &workspace_new_arguments(&new),
            "workspace new -no-color -state=a.tfstate -lock-timeout=20s -- pr-1",
        );
        let delete = WorkspaceDeleteOptions {
            force: true,
            lock,
            limits: limits(),
            ..WorkspaceDeleteOptions::new("pr-1")
        };
        check(
            &workspace_delete_arguments(&delete),
            "workspace delete -no-color -force -lock-timeout=20s -- pr-1",
        );
    }
}
