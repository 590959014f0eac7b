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
        let mut modules: Vec<&Module> = self.values.iter().map(|values| &values.root_module).collect();
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
fn some_value<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.value.as_ref().map(|value| mask::masked(value, &Value::Bool(self.sensitive)));
        formatter.debug_struct("Output").field("sensitive", &self.sensitive).field("value", &shown).finish()
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
        let header: Header = read("state file", json)?;
        if header.version != 4 {
            let found = header.version.to_string();
            return Err(ParseError::Format { document: "state file", found, supported: "4" });
        }
        read("state file", json)
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
            let deposed = instance.deposed.as_ref().map(|key| format!(" (deposed {key})")).unwrap_or_default();
            format!("{resource}{index}{deposed}")
        })
    }
}
