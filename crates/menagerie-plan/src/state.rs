//! The state: as `terraform show -json` prints it, and as the file holds it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::mask;
use crate::parse::{ParseError, null_as_default, read, versioned};
use crate::plan::{Index, Mode};

/// A state, as `terraform show -json` prints it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct State {
    /// The version of the JSON format.
    pub format_version: String,
    /// The version of the tool that wrote the state.
    #[serde(default)]
    pub terraform_version: Option<String>,
    /// What is in it; absent where there is no state at all.
    #[serde(default)]
    pub values: Option<Values>,
}

impl State {
    /// Reads what `terraform show -json` printed.
    pub fn from_json(json: &[u8]) -> Result<Self, ParseError> {
        versioned("state", json)
    }

    /// Returns each resource instance of each module, the parents first.
    pub fn resources(&self) -> impl Iterator<Item = &StateResource> {
        let mut modules: Vec<&Module> =
            self.values.iter().map(|values| &values.root_module).collect();
        let mut next = 0;
        while let Some(module) = modules.get(next).copied() {
            modules.extend(&module.child_modules);
            next += 1;
        }
        modules.into_iter().flat_map(|module| &module.resources)
    }
}

/// The contents of a state.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Values {
    /// The outputs of the root module.
    #[serde(default, deserialize_with = "null_as_default")]
    pub outputs: BTreeMap<String, Output>,
    /// The root module.
    #[serde(default)]
    pub root_module: Module,
}

/// An output with its value, of a state or of `terraform output -json`.
///
/// Its `Debug` shows no sensitive value.
#[derive(Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Output {
    /// Whether it must not be shown.
    #[serde(default)]
    pub sensitive: bool,
    /// The value, in clear even where it is sensitive; absent where the source withholds it, as the event stream does for a
    /// sensitive one.
    #[serde(default, deserialize_with = "some_value")]
    pub value: Option<Value>,
}

/// Reads a `null` that is there as a value: an output can be null.
fn some_value<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            self.value.as_ref().map(|value| mask::masked(value, &Value::Bool(self.sensitive)));
        formatter
            .debug_struct("Output")
            .field("sensitive", &self.sensitive)
            .field("value", &shown)
            .finish()
    }
}

/// A module of a state.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Module {
    /// Its address; absent for the root module.
    #[serde(default)]
    pub address: Option<String>,
    /// Its resource instances.
    #[serde(default, deserialize_with = "null_as_default")]
    pub resources: Vec<StateResource>,
    /// The modules it calls.
    #[serde(default, deserialize_with = "null_as_default")]
    pub child_modules: Vec<Self>,
}

/// A resource instance of a state.
///
/// Its `Debug` shows no sensitive value.
#[derive(Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StateResource {
    /// The absolute address.
    pub address: String,
    /// Managed, or read only.
    pub mode: Mode,
    /// The resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name in the module.
    pub name: String,
    /// The instance's key, under `count` or `for_each`.
    #[serde(default)]
    pub index: Option<Index>,
    /// The provider's full address.
    #[serde(default)]
    pub provider_name: String,
    /// The attributes, in clear even where they are sensitive.
    #[serde(default)]
    pub values: Value,
    /// `true` in place of each sensitive attribute.
    #[serde(default)]
    pub sensitive_values: Value,
    /// Whether the next apply will replace it because its creation failed.
    #[serde(default)]
    pub tainted: bool,
    /// The key of a deposed object, left over from a replacement that failed.
    #[serde(default)]
    pub deposed_key: Option<String>,
}

impl fmt::Debug for StateResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StateResource")
            .field("address", &self.address)
            .field("values", &mask::masked(&self.values, &self.sensitive_values))
            .field("tainted", &self.tainted)
            .field("deposed_key", &self.deposed_key)
            .finish_non_exhaustive()
    }
}

/// The state as the local backend keeps it in `terraform.tfstate`, read without Terraform: enough to prove that it is empty.
///
/// The format is internal to Terraform, but its version 4 has been the same since 0.12 (2019).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StateFile {
    #[serde(default)]
    version: Value,
    /// Counts the writes.
    pub serial: u64,
    /// Names the state from its first write on; another lineage is another state.
    pub lineage: String,
    /// The version of the tool that wrote it.
    #[serde(default)]
    pub terraform_version: Option<String>,
    /// The outputs of the root module.
    #[serde(default, deserialize_with = "null_as_default")]
    pub outputs: BTreeMap<String, Output>,
    /// The resources, each with all its instances.
    #[serde(default, deserialize_with = "null_as_default")]
    pub resources: Vec<StateFileResource>,
}

impl StateFile {
    /// Reads a `terraform.tfstate` of version 4.
    pub fn from_json(json: &[u8]) -> Result<Self, ParseError> {
        #[derive(Deserialize)]
        struct Header {
            #[serde(default)]
            version: Value,
        }
        let parsed = read::<Self>("state file", json);
        // Nearly every file is of the version that is known: its version is looked at alone only where that may be the reason.
        let version = match &parsed {
            Ok(state) => state.version.clone(),
            Err(_) => read::<Header>("state file", json)?.version,
        };
        if version != 4 {
            let found = version.to_string();
            return Err(ParseError::Format { document: "state file", found, supported: "4" });
        }
        parsed
    }

    /// Returns the address of each managed instance, a deposed one as `ADDRESS (deposed KEY)`: all that a destroy would delete.
    pub fn managed(&self) -> Vec<String> {
        let managed = self.resources.iter().filter(|resource| resource.mode != Mode::Data);
        managed.flat_map(StateFileResource::addresses).collect()
    }

    /// Returns whether no managed instance is left.
    pub fn is_empty(&self) -> bool {
        self.managed().is_empty()
    }
}

/// A resource of a [`StateFile`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StateFileResource {
    /// The module it is in; absent in the root module.
    #[serde(default)]
    pub module: Option<String>,
    /// Managed, or read only.
    pub mode: Mode,
    /// The resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name in the module.
    pub name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    instances: Vec<Instance>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Instance {
    #[serde(default)]
    index_key: Option<Index>,
    #[serde(default)]
    deposed: Option<String>,
}

impl StateFileResource {
    fn addresses(&self) -> impl Iterator<Item = String> {
        let module = self.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
        let resource = format!("{module}{}.{}", self.kind, self.name);
        self.instances.iter().map(move |instance| {
            let index = match &instance.index_key {
                None => String::new(),
                Some(Index::Number(number)) => format!("[{number}]"),
                Some(Index::Key(key)) => format!("[{}]", Value::from(key.as_str())),
            };
            let deposed = instance
                .deposed
                .as_ref()
                .map(|key| format!(" (deposed {key})"))
                .unwrap_or_default();
            format!("{resource}{index}{deposed}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_state() {
        let state = State::from_json(include_bytes!("../tests/fixtures/state.json")).unwrap();
        let addresses: Vec<_> =
            state.resources().map(|resource| resource.address.as_str()).collect();
        insta::assert_snapshot!(addresses.join("\n"), @r#"
        terraform_data.forgotten
        terraform_data.many["one"]
        terraform_data.many["two"]
        terraform_data.old_name
        terraform_data.replaced
        terraform_data.same
        terraform_data.secret
        terraform_data.updated
        module.inner.terraform_data.this[0]
        module.inner.terraform_data.this[1]
        "#);
        let outputs = &state.values.as_ref().unwrap().outputs;
        assert_eq!(outputs["gone"].value.as_ref().unwrap(), "bye");
        assert_eq!(
            format!("{:?}", outputs["token"]),
            r#"Output { sensitive: true, value: Some(String("***")) }"#
        );
        let secret = state.resources().find(|resource| resource.name == "secret").unwrap();
        assert!(format!("{secret:?}").contains("\"token\": String(\"***\")"), "{secret:?}");
    }

    #[test]
    fn no_state_at_all() {
        let state = State::from_json(br#"{"format_version": "1.0"}"#).unwrap();
        assert_eq!(state.resources().count(), 0);
    }

    #[track_caller]
    fn check_managed(resources: &str, expected: &[&str]) {
        let json =
            format!(r#"{{"version": 4, "serial": 7, "lineage": "l", "resources": {resources}}}"#);
        let file = StateFile::from_json(json.as_bytes()).unwrap();
        assert_eq!((file.serial, file.lineage.as_str()), (7, "l"));
        assert_eq!(file.managed(), expected);
        assert_eq!(file.is_empty(), expected.is_empty());
    }

    #[test]
    fn what_a_state_file_still_has() {
        check_managed("[]", &[]);
        check_managed("null", &[]);
        check_managed(r#"[{"mode": "data", "type": "a", "name": "b", "instances": [{}]}]"#, &[]);
        check_managed(r#"[{"mode": "managed", "type": "a", "name": "b", "instances": []}]"#, &[]);
        check_managed(
            r#"[{"mode": "managed", "type": "a", "name": "b", "instances": [{"schema_version": 0}]}]"#,
            &["a.b"],
        );
        check_managed(
            r#"[{"module": "module.m[0]", "mode": "managed", "type": "a", "name": "b", "instances": [
                {"index_key": "k \"q\""}, {"index_key": 1, "deposed": "00000001"}]}]"#,
            &[r#"module.m[0].a.b["k \"q\""]"#, "module.m[0].a.b[1] (deposed 00000001)"],
        );
        // What this crate does not know yet is not nothing.
        check_managed(
            r#"[{"mode": "novel", "type": "a", "name": "b", "instances": [{}]}]"#,
            &["a.b"],
        );
    }

    #[test]
    fn a_file_that_is_not_understood_is_never_empty() {
        for json in [
            "",
            "{}",
            "{\"version\": 4}",
            "{\"version\": 5, \"serial\": 1, \"lineage\": \"l\"}",
            "[]",
            "null",
        ] {
            StateFile::from_json(json.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn a_real_state_file() {
        let file =
            StateFile::from_json(include_bytes!("../tests/fixtures/state_file.json")).unwrap();
        assert_eq!(file.managed().len(), 10);
        assert_eq!(file.managed()[0], "terraform_data.forgotten");
    }
}
