//! One provider's answers to Terraform, from its schema, the rules and the world.

use super::{
    answer::{Answer, fingerprint, key, lost, object, private, problem, whole},
    change::Seed,
    check, data,
    fault::{Faults, Operation},
    fixture::Fixtures,
    make::{self, ACCOUNT},
    schema::{ProviderSchema, Schema},
    shape,
    source::Source,
    world::World,
};
use crate::{
    provider::{Status, UNIMPLEMENTED, on},
    value::{self, Object, Value, attribute},
    wire::{
        CallFunctionRequest, CallFunctionResponse, ConfigureProviderRequest,
        ConfigureProviderResponse, Diagnostic, DynamicValue, FunctionError,
        ImportResourceStateRequest, ImportResourceStateResponse, ImportedResource,
        MoveResourceStateResponse, OpenEphemeralResourceResponse, ReadDataSourceRequest,
        ReadDataSourceResponse, ReadResourceRequest, ReadResourceResponse,
        UpgradeResourceStateRequest, UpgradeResourceStateResponse, ValidateResourceConfigRequest,
        ValidateResourceConfigResponse,
    },
};
use prost::Message as _;
use std::sync::{Mutex, PoisonError};

/// Where a provider block names no region, and no environment may: credentials and regions of the shell are not looked at.
const REGION: &str = "eu-central-1";

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) fixtures: Fixtures,
    pub(crate) faults: Faults,
    /// Whether what is protected may be deleted all the same.
    pub(crate) ignore_protection: bool,
}

/// What a provider block said on one connection.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) region: Value,
    pub(crate) default_tags: Value,
}

/// One connection to one provider.
#[derive(Debug)]
pub(crate) struct Double<'a> {
    pub(crate) source: &'a Source,
    pub(crate) stage: &'a Stage,
    pub(crate) configuration: &'a Mutex<Configuration>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { region: REGION.into(), default_tags: Value::Map(Object::new()) }
    }
}

impl Configuration {
    /// The region, where it is known.
    pub(crate) fn region(&self) -> &str {
        self.region.as_str().unwrap_or(REGION)
    }
}

impl Double<'_> {
    /// Calls a method.
    pub(crate) fn call(&self, method: &str, body: &[u8]) -> Result<Vec<u8>, Status> {
        match method {
            "GetProviderSchema" => Ok(self.source.answer().to_vec()),
            "ConfigureProvider" => on(body, |request| self.configure(&request)),
            "ValidateResourceConfig" => on(body, |request| self.validate(&request)),
            "UpgradeResourceState" => on(body, |request| self.upgrade(&request)),
            "ReadResource" => on(body, |request| self.read(request)),
            "PlanResourceChange" => on(body, |request| self.plan(request)),
            "ApplyResourceChange" => on(body, |request| self.apply(request)),
            "ImportResourceState" => on(body, |request| self.import(&request)),
            "ReadDataSource" => on(body, |request| self.read_data(&request)),
            "OpenEphemeralResource" => on(body, |request| self.open(&request)),
            "MoveResourceState" => Ok(refuse_move().encode_to_vec()),
            "CallFunction" => on(body, |request| call_function(&request)),
            // An empty message says that there is nothing to say.
            "ValidateProviderConfig"
            | "ValidateDataResourceConfig"
            | "ValidateEphemeralResourceConfig"
            | "RenewEphemeralResource"
            | "CloseEphemeralResource"
            | "GetFunctions"
            | "GetResourceIdentitySchemas"
            | "StopProvider" => Ok(Vec::new()),
            _ => Err(Status {
                code: UNIMPLEMENTED,
                message: format!("REHEARSAL: {method} is not implemented"),
            }),
        }
    }

    pub(crate) fn schema(&self) -> &ProviderSchema {
        self.source.schema()
    }

    pub(crate) fn configuration(&self) -> Configuration {
        self.configuration.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn configure(&self, request: &ConfigureProviderRequest) -> ConfigureProviderResponse {
        let config = match object(request.config.as_ref()) {
            Ok(config) => config.unwrap_or_default(),
            Err(diagnostic) => return ConfigureProviderResponse { diagnostics: vec![diagnostic] },
        };
        let mut configuration = Configuration::default();
        match attribute(&config, "region") {
            Value::Null => {}
            region => configuration.region = region.clone(),
        }
        let tags = make::at(&config, "default_tags.0.tags");
        if !tags.is_null() {
            configuration.default_tags = tags.clone();
        }
        *self.configuration.lock().unwrap_or_else(PoisonError::into_inner) = configuration;
        ConfigureProviderResponse {
            diagnostics: self.source.say_once(warning).into_iter().collect(),
        }
    }

    fn validate(&self, request: &ValidateResourceConfigRequest) -> ValidateResourceConfigResponse {
        let checked = || -> Answer<Vec<Diagnostic>> {
            let schema = self.resource(&request.type_name)?;
            let config = object(request.config.as_ref())?.unwrap_or_default();
            Ok(check::check(&request.type_name, &schema.block, &config))
        };
        let diagnostics = checked().unwrap_or_else(|diagnostic| vec![diagnostic]);
        ValidateResourceConfigResponse { diagnostics }
    }

    /// The state file's JSON goes back as the schema has it.
    fn upgrade(&self, request: &UpgradeResourceStateRequest) -> UpgradeResourceStateResponse {
        let json = request.raw_state.as_ref().map(|raw| raw.json.clone()).unwrap_or_default();
        let upgraded = self.resource(&request.type_name).and_then(|schema| {
            let state = object(Some(&DynamicValue { msgpack: Vec::new(), json }))?;
            state.map(|state| whole(&schema.block, &state, "the state")).transpose()
        });
        match upgraded {
            Ok(state) => UpgradeResourceStateResponse {
                upgraded_state: Some(value::dynamic(state)),
                diagnostics: Vec::new(),
            },
            Err(diagnostic) => {
                UpgradeResourceStateResponse { upgraded_state: None, diagnostics: vec![diagnostic] }
            }
        }
    }

    fn read(&self, request: ReadResourceRequest) -> ReadResourceResponse {
        let read = || -> Answer<Option<Object>> {
            let schema = self.resource(&request.type_name)?;
            let Some(state) = object(request.current_state.as_ref())? else { return Ok(None) };
            let key = key(&request.private)?;
            self.may_fail(&request.type_name, Operation::Read, &state)?;
            let Some(found) = self.stage.world.get(&key).map_err(|error| lost(&error))? else {
                return Ok(None);
            };
            let place = format!("`{key}` in `{}`", self.stage.world.path().display());
            whole(&schema.block, &found, &place).map(Some)
        };
        match read() {
            Ok(state) => ReadResourceResponse {
                new_state: Some(value::dynamic(state)),
                diagnostics: Vec::new(),
                private: request.private,
            },
            // A failed look is no absence: the state stays as it was.
            Err(diagnostic) => ReadResourceResponse {
                new_state: request.current_state,
                diagnostics: vec![diagnostic],
                private: request.private,
            },
        }
    }

    fn import(&self, request: &ImportResourceStateRequest) -> ImportResourceStateResponse {
        let type_name = &request.type_name;
        let import = || -> Answer<(Object, String)> {
            let schema = self.resource(type_name)?;
            let key = format!("{type_name}/{}", request.id);
            if let Some(found) = self.stage.world.get(&key).map_err(|error| lost(&error))? {
                return Ok((whole(&schema.block, &found, &key)?, key));
            }
            let Some(mut found) = self.stage.fixtures.import(type_name, &request.id) else {
                return Err(problem(
                    &format!("importing {type_name}: nothing has the id `{}`", request.id),
                    &format!(
                        "A rehearsal knows what it made itself, and what the fixtures say was made by hand. Add it there: {{\"import\": {{\"{type_name}\": {{\"{}\": {{…}}}}}}}}",
                        request.id
                    ),
                ));
            };
            found.entry("id".to_owned()).or_insert_with(|| request.id.as_str().into());
            let mut found = whole(&schema.block, &found, "the fixture")?;
            let configuration = self.configuration();
            for (name, value) in
                [("region", configuration.region), ("tags_all", attribute(&found, "tags").clone())]
            {
                if found.get(name).is_some_and(Value::is_null) {
                    found.insert(name.to_owned(), value);
                }
            }
            // What only the cloud computes is made up; the rest would be configuration that nobody wrote.
            for (name, attribute) in &schema.block.attributes {
                if attribute.computed && !attribute.optional && found[name].is_null() {
                    found.insert(name.clone(), Value::Unknown);
                }
            }
            let seed = Seed { type_name, digits: &fingerprint(&found), count: 1 };
            let found = self.fill(&schema.block, &found, None, seed);
            let build = |_: &str, _| (key.clone(), found.clone());
            let made =
                self.stage.world.create(&key, &key, build, true).map_err(|error| lost(&error))?;
            made.map(|(key, found)| (found, key)).map_err(|key| problem("importing", &key))
        };
        match import() {
            Ok((state, key)) => ImportResourceStateResponse {
                imported_resources: vec![ImportedResource {
                    type_name: type_name.clone(),
                    state: Some(value::dynamic(Some(state))),
                    private: private(&key),
                }],
                diagnostics: Vec::new(),
            },
            Err(diagnostic) => ImportResourceStateResponse {
                imported_resources: Vec::new(),
                diagnostics: vec![diagnostic],
            },
        }
    }

    fn read_data(&self, request: &ReadDataSourceRequest) -> ReadDataSourceResponse {
        let read = || -> Answer<Object> {
            let type_name = &request.type_name;
            let schema = self.schema().data_sources.get(type_name);
            let schema = schema.ok_or_else(|| self.unknown(type_name, "data source"))?;
            let config = object(request.config.as_ref())?.unwrap_or_default();
            let configuration = self.configuration();
            let found = data::answer(self.stage, &configuration, type_name, &config)?;
            self.complete(schema, type_name, config, found)
        };
        match read() {
            Ok(state) => ReadDataSourceResponse {
                state: Some(value::dynamic(Some(state))),
                diagnostics: Vec::new(),
            },
            Err(diagnostic) => {
                ReadDataSourceResponse { state: None, diagnostics: vec![diagnostic] }
            }
        }
    }

    fn open(&self, request: &ReadDataSourceRequest) -> OpenEphemeralResourceResponse {
        let open = || -> Answer<Object> {
            let type_name = &request.type_name;
            let schema = self.schema().ephemeral.get(type_name);
            let schema = schema.ok_or_else(|| self.unknown(type_name, "ephemeral resource"))?;
            let config = object(request.config.as_ref())?.unwrap_or_default();
            let found = self.stage.fixtures.ephemeral(type_name, &config).unwrap_or_default();
            self.complete(schema, type_name, config, found)
        };
        match open() {
            Ok(result) => OpenEphemeralResourceResponse {
                result: Some(value::dynamic(Some(result))),
                diagnostics: Vec::new(),
            },
            Err(diagnostic) => {
                OpenEphemeralResourceResponse { result: None, diagnostics: vec![diagnostic] }
            }
        }
    }

    /// Makes up what an answer leaves open.
    fn complete(
        &self,
        schema: &Schema,
        type_name: &str,
        config: Object,
        found: Object,
    ) -> Answer<Object> {
        let seed = fingerprint(&config);
        let mut object = config;
        for (name, value) in found {
            if attribute(&object, &name).is_null() || !schema.block.attributes.contains_key(&name) {
                object.insert(name, value);
            }
        }
        let asked = whole(&schema.block, &object, "the answer")?;
        let planned = shape::plan(&schema.block, &asked, None);
        Ok(self.fill(&schema.block, &planned, None, Seed { type_name, digits: &seed, count: 1 }))
    }

    pub(crate) fn resource(&self, type_name: &str) -> Answer<&Schema> {
        self.schema()
            .resources
            .get(type_name)
            .ok_or_else(|| self.unknown(type_name, "resource type"))
    }

    fn unknown(&self, type_name: &str, what: &str) -> Diagnostic {
        problem(
            &format!("unknown {what}"),
            &format!("`{}` is rehearsed without `{type_name}`", self.source.address()),
        )
    }
}

/// Said in the first run that a server serves; each run of `xtask` has a server of its own.
fn warning(address: &str) -> Diagnostic {
    let summary = format!("{address} is a stand-in");
    let detail = format!(
        "Nothing that is planned or applied here exists, whatever it looks like: the account {ACCOUNT} is nobody's."
    );
    Diagnostic { severity: 2, ..problem(&summary, &detail) }
}

fn refuse_move() -> MoveResourceStateResponse {
    MoveResourceStateResponse {
        diagnostics: vec![problem(
            "a resource can't become another type",
            "A rehearsal does not know how the real provider would convert its state.",
        )],
    }
}

fn call_function(request: &CallFunctionRequest) -> CallFunctionResponse {
    let text = format!(
        "REHEARSAL: the provider's function `{}` is not rehearsed; use what Terraform itself offers",
        request.name
    );
    CallFunctionResponse { error: Some(FunctionError { text }) }
}
