//! One line of the stream that `plan -json`, `apply -json` and the like print.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::parse::{ParseError, is_major_one};
use crate::printable::printable;
use crate::state::Output;
use crate::test::{TestCleanup, TestFile, TestRun, TestSummary};

/// One line of the stream.
///
/// Terraform shows no sensitive value in it (measured with 1.11.4), so it may be shown and logged.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The first line: which tool, and which version of the stream.
    Version {
        /// The tool's version.
        version: String,
        /// The stream's version, `1.2`.
        ui: String,
    },
    /// A remark.
    Log {
        /// How important it is.
        level: Level,
        /// The remark.
        message: String,
    },
    /// An error or a warning.
    Diagnostic(Diagnostic),
    /// A resource is about to be read.
    RefreshStart(Hook),
    /// It was read.
    RefreshComplete(Hook),
    /// A resource is about to be changed; during a plan too, where a data source is read ([`PlannedAction::Read`]).
    ApplyStart(Hook),
    /// It is still being changed; every ten seconds.
    ApplyProgress(Hook),
    /// It was changed.
    ApplyComplete(Hook),
    /// Changing it failed.
    ApplyErrored(Hook),
    /// A provisioner starts.
    ProvisionStart(Hook),
    /// A provisioner printed [`Hook::output`].
    ProvisionProgress(Hook),
    /// A provisioner is done.
    ProvisionComplete(Hook),
    /// A provisioner failed.
    ProvisionErrored(Hook),
    /// What will happen to one resource. `apply` of a saved plan repeats these.
    PlannedChange(PlannedChange),
    /// One resource was changed outside of Terraform.
    ResourceDrift(PlannedChange),
    /// How many resources will be, or were, changed. A failed plan prints it too, a failed apply does not.
    ChangeSummary(ChangeSummary),
    /// The outputs that will change, after a plan.
    PlannedOutputs(BTreeMap<String, PlannedOutput>),
    /// The outputs with their values, after an apply.
    Outputs(BTreeMap<String, Output>),
    /// A step of `init`.
    InitOutput {
        /// Which, `initializing_backend_message`; absent for some.
        code: Option<String>,
        /// The same in words.
        message: String,
    },
    /// The state is about to be locked.
    StateLockAcquire {
        /// The same in words.
        message: String,
    },
    /// The state is about to be unlocked.
    StateLockRelease {
        /// The same in words.
        message: String,
    },
    /// How far a file of tests is.
    TestFile(TestFile),
    /// How far one `run` block is.
    TestRun(TestRun),
    /// How all tests came out.
    TestSummary(TestSummary),
    /// What tests made and could not destroy.
    TestCleanup(TestCleanup),
    /// Tests were interrupted twice: what they made is still there.
    TestInterrupt {
        /// The same in words.
        message: String,
    },
    /// A line of a type that this crate does not know.
    Other {
        /// The type.
        kind: String,
        /// The same in words.
        message: String,
        /// The whole line.
        value: Value,
    },
    /// A line that is no event: `init -json` prints some, with colors (hashicorp/terraform#37911).
    Text(String),
}

/// How important a [`Event::Log`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Level {
    /// For a developer of Terraform.
    Trace,
    /// For a developer of a provider.
    Debug,
    /// For everyone.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
}

/// What happens to a resource right now.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Hook {
    /// The resource.
    pub resource: ResourceAddress,
    /// What is done to it; absent for a refresh and a provisioner.
    #[serde(default)]
    pub action: Option<PlannedAction>,
    /// The attribute that names the object, `id`.
    #[serde(default)]
    pub id_key: Option<String>,
    /// Its value.
    #[serde(default)]
    pub id_value: Option<String>,
    /// The seconds since the start.
    #[serde(default)]
    pub elapsed_seconds: Option<f64>,
    /// The provisioner, `local-exec`.
    #[serde(default)]
    pub provisioner: Option<String>,
    /// What it printed.
    #[serde(default)]
    pub output: Option<String>,
    /// The same in words.
    #[serde(skip)]
    pub message: String,
}

/// The address of a resource instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[non_exhaustive]
pub struct ResourceAddress {
    /// The absolute address.
    #[serde(rename = "addr")]
    pub address: String,
    /// The module it is in; empty for the root module.
    #[serde(default)]
    pub module: String,
    /// The resource type.
    #[serde(rename = "resource_type", default)]
    pub kind: String,
    /// The name in the module.
    #[serde(rename = "resource_name", default)]
    pub name: String,
}

/// What is done to a resource, in the stream's words.
///
/// A resource that is forgotten is announced as `remove` (hashicorp/terraform#34612), and a summary of the stream counts it
/// nowhere: where that matters, read [`crate::Plan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlannedAction {
    /// Nothing.
    #[serde(alias = "noop")]
    NoOp,
    /// A new object.
    Create,
    /// A data source is read.
    Read,
    /// In place.
    Update,
    /// A new object in place of the old one.
    Replace,
    /// The object is deleted.
    Delete,
    /// Its address changes.
    Move,
    /// An existing object comes into the state.
    Import,
    /// The state forgets it.
    Remove,
    /// Anything newer.
    #[serde(other)]
    Other,
}

/// What will happen to one resource, or what happened to it outside of Terraform.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PlannedChange {
    /// The resource.
    pub resource: ResourceAddress,
    /// What will happen.
    pub action: PlannedAction,
    /// Why, in Terraform's words.
    #[serde(default)]
    pub reason: Option<String>,
    /// Its address before a move.
    #[serde(default)]
    pub previous_resource: Option<ResourceAddress>,
    /// The same in words.
    #[serde(skip)]
    pub message: String,
}

/// How many resources will be, or were, changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChangeSummary {
    /// New ones, the new half of a replacement too.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Imported.
    #[serde(default)]
    pub import: usize,
    /// Deleted, the old half of a replacement too.
    pub remove: usize,
    /// Whether it is planned or done.
    pub operation: Operation,
    /// The same in words.
    #[serde(skip)]
    pub message: String,
}

/// What a [`ChangeSummary`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// A plan: these will be changed.
    Plan,
    /// An apply: these were changed.
    Apply,
    /// A destroy: these were deleted.
    Destroy,
    /// Anything newer.
    #[serde(other)]
    Other,
}

/// How an output will change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PlannedOutput {
    /// Whether its value must not be shown.
    #[serde(default)]
    pub sensitive: bool,
    /// What will happen.
    pub action: PlannedAction,
}

impl Event {
    /// Reads one line, without its newline.
    ///
    /// Only a stream of another major version is an error. A line that is no event is [`Event::Text`]; one of an unknown type,
    /// or of a known type in an unknown shape, is [`Event::Other`].
    pub fn from_line(line: &str) -> Result<Self, ParseError> {
        let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(line) else {
            return Ok(Self::Text(line.to_owned()));
        };
        let Some(kind) = value.get("type").and_then(Value::as_str).map(str::to_owned) else {
            return Ok(Self::Text(line.to_owned()));
        };
        if kind == "version" {
            let ui = text(&value, "ui");
            if !is_major_one(&ui) {
                return Err(ParseError::Format {
                    document: "event stream",
                    found: ui,
                    supported: "1.x",
                });
            }
            let product = if value.get("tofu").is_some() { "tofu" } else { "terraform" };
            return Ok(Self::Version { version: text(&value, product), ui });
        }
        let message = text(&value, "@message");
        let known = Self::known(&kind, &value, &message);
        Ok(known.unwrap_or(Self::Other { kind, message, value }))
    }

    fn known(kind: &str, value: &Value, message: &str) -> Option<Self> {
        let message = message.to_owned();
        let hook = || Some(Hook { message: message.clone(), ..field(value, "hook")? });
        let change = || Some(PlannedChange { message: message.clone(), ..field(value, "change")? });
        Some(match kind {
            "log" => Self::Log { level: field(value, "@level").unwrap_or(Level::Info), message },
            "diagnostic" => Self::Diagnostic(field(value, "diagnostic")?),
            "refresh_start" => Self::RefreshStart(hook()?),
            "refresh_complete" => Self::RefreshComplete(hook()?),
            "apply_start" => Self::ApplyStart(hook()?),
            "apply_progress" => Self::ApplyProgress(hook()?),
            "apply_complete" => Self::ApplyComplete(hook()?),
            "apply_errored" => Self::ApplyErrored(hook()?),
            "provision_start" => Self::ProvisionStart(hook()?),
            "provision_progress" => Self::ProvisionProgress(hook()?),
            "provision_complete" => Self::ProvisionComplete(hook()?),
            "provision_errored" => Self::ProvisionErrored(hook()?),
            "planned_change" => Self::PlannedChange(change()?),
            "resource_drift" => Self::ResourceDrift(change()?),
            "change_summary" => {
                Self::ChangeSummary(ChangeSummary { message, ..field(value, "changes")? })
            }
            // The same type for both: after a plan each output has an action, after an apply none has.
            "outputs" => match field(value, "outputs") {
                Some(planned) => Self::PlannedOutputs(planned),
                None => Self::Outputs(field(value, "outputs")?),
            },
            "init_output" => Self::InitOutput { code: field(value, "message_code"), message },
            "state_lock_acquire" => Self::StateLockAcquire { message },
            "test_file" => Self::TestFile(TestFile { message, ..field(value, "test_file")? }),
            "test_run" => Self::TestRun(TestRun { message, ..field(value, "test_run")? }),
            "test_summary" => {
                Self::TestSummary(TestSummary { message, ..field(value, "test_summary")? })
            }
            "test_cleanup" => {
                Self::TestCleanup(TestCleanup { message, ..field(value, "test_cleanup")? })
            }
            "test_interrupt" => Self::TestInterrupt { message },
            "state_lock_release" => Self::StateLockRelease { message },
            _ => return None,
        })
    }

    /// Returns the event in words, safe for a terminal; empty for outputs, which have none.
    pub fn message(&self) -> String {
        let message = match self {
            Self::Version { version, .. } => return format!("version {version}"),
            Self::Diagnostic(diagnostic) => {
                return format!("{}: {}", diagnostic.severity, printable(&diagnostic.summary));
            }
            Self::RefreshStart(hook)
            | Self::RefreshComplete(hook)
            | Self::ApplyStart(hook)
            | Self::ApplyProgress(hook)
            | Self::ApplyComplete(hook)
            | Self::ApplyErrored(hook)
            | Self::ProvisionStart(hook)
            | Self::ProvisionProgress(hook)
            | Self::ProvisionComplete(hook)
            | Self::ProvisionErrored(hook) => &hook.message,
            Self::PlannedChange(change) | Self::ResourceDrift(change) => &change.message,
            Self::ChangeSummary(summary) => &summary.message,
            Self::PlannedOutputs(_) | Self::Outputs(_) => "",
            Self::TestFile(file) => &file.message,
            Self::TestRun(run) => &run.message,
            Self::TestSummary(summary) => &summary.message,
            Self::TestCleanup(cleanup) => &cleanup.message,
            Self::Log { message, .. }
            | Self::InitOutput { message, .. }
            | Self::TestInterrupt { message }
            | Self::StateLockAcquire { message }
            | Self::StateLockRelease { message }
            | Self::Other { message, .. }
            | Self::Text(message) => message,
        };
        printable(message).into_owned()
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn field<T: DeserializeOwned>(value: &Value, key: &str) -> Option<T> {
    T::deserialize(value.get(key)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Names the variant of an event, with what it says.
    fn shown(line: &str) -> String {
        let event = Event::from_line(line).unwrap();
        let debug = format!("{event:?}");
        let variant = debug.split(|character: char| !character.is_alphanumeric()).next().unwrap();
        format!("{variant}: {}", event.message())
    }

    fn stream(text: &str) -> String {
        text.lines().map(shown).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_real_init() {
        insta::assert_snapshot!(stream(include_str!("../tests/fixtures/init.jsonl")), @r#"
        Version: version 1.11.4
        InitOutput: Initializing the backend...
        Text: \u{1b}[0m\u{1b}[32m
        Text: Successfully configured the backend "local"! Terraform will automatically
        Text: use this backend unless the backend configuration changes.\u{1b}[0m
        InitOutput: Initializing modules...
        Log: - inner in inner
        InitOutput: Initializing provider plugins...
        InitOutput: Terraform has been successfully initialized!
        InitOutput: You may now begin working with Terraform. Try running "terraform plan" to see
        any changes that are required for your infrastructure. All Terraform commands
        should now work.

        If you ever set or change modules or backend configuration for Terraform,
        rerun this command to reinitialize your working directory. If you forget, other
        commands will detect it and remind you to do so if necessary.
        "#);
    }

    #[test]
    fn a_real_plan() {
        insta::assert_snapshot!(stream(include_str!("../tests/fixtures/plan.jsonl")), @r#"
        Version: version 1.11.4
        RefreshStart: terraform_data.updated: Refreshing state... [id=40555e9e-60c4-63a4-230b-2b1a4cd1a776]
        RefreshComplete: terraform_data.updated: Refresh complete [id=40555e9e-60c4-63a4-230b-2b1a4cd1a776]
        PlannedChange: terraform_data.forgotten: Plan to remove
        PlannedChange: terraform_data.fresh: Plan to create
        PlannedChange: terraform_data.many["three"]: Plan to create
        PlannedChange: terraform_data.many["one"]: Plan to delete
        PlannedChange: terraform_data.updated: Plan to update
        PlannedChange: terraform_data.replaced: Plan to replace
        PlannedChange: data.terraform_remote_state.later: Plan to read
        PlannedChange: terraform_data.imported: Plan to import
        PlannedChange: terraform_data.new_name: Plan to move
        PlannedChange: terraform_data.secret: Plan to update
        ChangeSummary: Plan: 1 to import, 3 to add, 2 to change, 2 to destroy.
        PlannedOutputs: 
        Diagnostic: warning: Some objects will no longer be managed by Terraform
        "#);
    }

    #[test]
    fn a_real_apply() {
        insta::assert_snapshot!(stream(include_str!("../tests/fixtures/apply.jsonl")), @r#"
        Version: version 1.11.4
        PlannedChange: terraform_data.b: Plan to create
        PlannedChange: terraform_data.a: Plan to create
        ApplyStart: terraform_data.b: Creating...
        ApplyStart: terraform_data.a: Creating...
        ApplyComplete: terraform_data.b: Creation complete after 0s [id=c4e00336-8d3d-f701-27ec-b27a38d567d3]
        ProvisionStart: terraform_data.a: Provisioning with 'local-exec'...
        ProvisionProgress: terraform_data.a: (local-exec): Executing: ["/bin/sh" "-c" "sleep 3"]
        ProvisionComplete: terraform_data.a: (local-exec) Provisioning complete
        ApplyComplete: terraform_data.a: Creation complete after 3s [id=4ed21823-5a4c-89c7-0c8f-6a8a9ba799d8]
        ChangeSummary: Apply complete! Resources: 2 added, 0 changed, 0 destroyed.
        Outputs:
        "#);
    }

    #[test]
    fn outputs_of_a_plan_and_of_an_apply() {
        let planned = r#"{"type":"outputs","outputs":{"x":{"sensitive":true,"action":"create"}}}"#;
        let Event::PlannedOutputs(planned) = Event::from_line(planned).unwrap() else {
            panic!("planned")
        };
        assert_eq!((planned["x"].sensitive, planned["x"].action), (true, PlannedAction::Create));
        let done = r#"{"type":"outputs","outputs":{"x":{"sensitive":false,"type":"string","value":null},
            "y":{"sensitive":true,"type":"string"}}}"#;
        let Event::Outputs(done) = Event::from_line(done).unwrap() else { panic!("done") };
        assert_eq!((&done["x"].value, &done["y"].value), (&Some(Value::Null), &None));
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(shown(line), expected);
    }

    #[test]
    fn what_is_no_event_is_text() {
        check("", "Text: ");
        check("\u{1b}[32mSuccessfully configured", "Text: \\u{1b}[32mSuccessfully configured");
        check("{\"type\": ", "Text: {\"type\": ");
        check("[1]", "Text: [1]");
        check("{\"a\": 1}", "Text: {\"a\": 1}");
    }

    #[test]
    fn what_is_new_is_kept() {
        check(r#"{"type":"action_start","@message":"Action started"}"#, "Other: Action started");
        check(
            r#"{"type":"planned_change","@message":"of another shape"}"#,
            "Other: of another shape",
        );
        check(r#"{"type":"test_run","@message":"a run"}"#, "Other: a run");
        check(
            r#"{"type":"state_lock_acquire","@message":"Acquiring state lock"}"#,
            "StateLockAcquire: Acquiring state lock",
        );
        check(r#"{"type":"log","@level":"warn","@message":"careful"}"#, "Log: careful");
    }

    #[test]
    fn another_version_of_the_stream_is_refused() {
        check(r#"{"type":"version","terraform":"1.99.0","ui":"1.99"}"#, "Version: version 1.99.0");
        check(r#"{"type":"version","tofu":"1.10.0","ui":"1.2"}"#, "Version: version 1.10.0");
        let error =
            Event::from_line(r#"{"type":"version","terraform":"9.0.0","ui":"2.0"}"#).unwrap_err();
        assert!(error.to_string().starts_with("the event stream has format `2.0`"), "{error}");
    }

    proptest! {
        #[test]
        fn reading_never_panics(line: String) {
            let _ = Event::from_line(&line).map(|event| event.message());
        }

        #[test]
        fn a_message_never_moves_the_cursor(text: String) {
            let line = serde_json::json!({"type": "log", "@message": text}).to_string();
            let message = Event::from_line(&line).unwrap().message();
            prop_assert!(message.chars().all(|character| character == '\n' || character == '\t' || !character.is_control()));
        }
    }
}
