//! One pure function a command: options in, arguments out.

mod change;
mod configuration;
mod providers;
mod state;
mod workspace;

use std::ffi::OsString;
use std::time::Duration;

pub use change::{
    ApplyOptions, DestroyOptions, InitOptions, PlanMode, PlanOptions, apply_arguments,
    destroy_arguments, init_arguments, output_arguments, plan_arguments, show_arguments,
    validate_arguments, version_arguments,
};
pub use configuration::{
    FormatMode, FormatOptions, GraphKind, GraphOptions, TestOptions, format_arguments,
    graph_arguments, test_arguments,
};
pub use providers::{
    ProvidersLockOptions, ProvidersMirrorOptions, providers_lock_arguments,
    providers_mirror_arguments, providers_schema_arguments,
};
pub use state::{
    ImportOptions, StateListOptions, StateMoveOptions, StatePushOptions, StateRemoveOptions,
    force_unlock_arguments, import_arguments, state_list_arguments, state_move_arguments,
    state_pull_arguments, state_push_arguments, state_remove_arguments, state_show_arguments,
};
pub use workspace::{
    WorkspaceDeleteOptions, WorkspaceNewOptions, workspace_delete_arguments,
    workspace_list_arguments, workspace_new_arguments, workspace_show_arguments,
};

/// How long a command may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take in all; then it is interrupted, as by the user.
    pub timeout: Option<Duration>,
    /// How long it may go on after an interrupt before it is killed. Where this is `None`, 30 seconds for what only reads, and
    /// for ever for what changes resources or the state, since a kill loses track of what is being created.
    pub grace: Option<Duration>,
}

/// How a command treats the lock of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockOptions {
    /// Takes it, and waits this long for another holder.
    Wait(Duration),
    /// Does without: for a plan that nobody will apply.
    Without,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self::Wait(Duration::ZERO)
    }
}

pub(crate) fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(Into::into).collect()
}

pub(crate) fn push_if(arguments: &mut Vec<OsString>, condition: bool, argument: &str) {
    if condition {
        arguments.push(argument.into());
    }
}

pub(crate) fn push_all<T: Clone + Into<OsString>>(
    arguments: &mut Vec<OsString>,
    flag: &str,
    values: &[T],
) {
    for value in values {
        let mut argument = OsString::from(flag);
        argument.push(value.clone().into());
        arguments.push(argument);
    }
}

pub(crate) fn push_lock(arguments: &mut Vec<OsString>, lock: &LockOptions) {
    match lock {
        LockOptions::Wait(Duration::ZERO) => {}
        LockOptions::Wait(duration) => {
            arguments.push(format!("-lock-timeout={}s", duration.as_secs().max(1)).into());
        }
        LockOptions::Without => arguments.push("-lock=false".into()),
    }
}

pub(crate) fn push_parallelism(arguments: &mut Vec<OsString>, parallelism: Option<u16>) {
    arguments.extend(parallelism.map(|count| format!("-parallelism={count}").into()));
}

/// Adds what is no option, so that none of it can be taken for one.
pub(crate) fn push_operands<T: Clone + Into<OsString>>(
    arguments: &mut Vec<OsString>,
    operands: &[T],
) {
    if !operands.is_empty() {
        arguments.push("--".into());
        arguments.extend(operands.iter().cloned().map(Into::into));
    }
}

#[cfg(test)]
#[track_caller]
fn check(arguments: &[OsString], expected: &str) {
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_str().unwrap()).collect();
    assert_eq!(arguments.join(" "), expected);
}

/// Limits are ours to keep, and never an argument.
#[cfg(test)]
fn limits() -> Limits {
    Limits { timeout: Some(Duration::from_secs(1)), grace: Some(Duration::from_secs(2)) }
}
