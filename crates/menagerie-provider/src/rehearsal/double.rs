//! One provider's answers to Terraform, from its schema, the rules and the world.

use super::{
    data,
    fault::{Faults, Kind, Operation},
    fixture::Fixtures,
    make::{Maker, NAMES},
    rules::Rules,
    schema::{Block, ProviderSchema, Schema},
    shape,
    source::Source,
    world::{World, WorldError},
};
use crate::{
    provider::{Status, UNIMPLEMENTED, on},
    report,
    value::{self, Object, Value, attribute},
    wire::{
        ApplyResourceChangeRequest, ApplyResourceChangeResponse, AttributePath,
        CallFunctionRequest, CallFunctionResponse, ConfigureProviderRequest,
        ConfigureProviderResponse, Diagnostic, DynamicValue, FunctionError,
        ImportResourceStateRequest, ImportResourceStateResponse, ImportedResource,
        MoveResourceStateResponse, OpenEphemeralResourceResponse, PlanResourceChangeRequest,
        PlanResourceChangeResponse, ReadDataSourceRequest, ReadDataSourceResponse,
        ReadResourceRequest, ReadResourceResponse, Step, UpgradeResourceStateRequest,
        UpgradeResourceStateResponse, ValidateResourceConfigRequest,
        ValidateResourceConfigResponse,
    },
};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// Where a provider block names no region, and no environment may: credentials and regions of the shell are not looked at.
const REGION: &str = "eu-central-1";

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) fixtures: Fixtures,
    pub(crate) faults: Faults,
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

/// What Terraform keeps beside a state, and gives back: where in the world it is.
#[derive(Debug, Serialize, Deserialize)]
struct Private {
    rehearsal: String,
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

type Answer<T> = Result<T, Box<Diagnostic>>;

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
            "ImportResourceState" => on(body, |request| self.import(request)),
            "ReadDataSource" => on(body, |request| self.read_data(request)),
            "OpenEphemeralResource" => on(body, |request| self.open(request)),
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

    fn schema(&self) -> &ProviderSchema {
        self.source.schema()
    }

    fn configuration(&self) -> Configuration {
        self.configuration.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn configure(&self, request: &ConfigureProviderRequest) -> ConfigureProviderResponse {
        let config = match object(request.config.as_ref()) {
            Ok(config) => config.unwrap_or_default(),
            Err(diagnostic) => return ConfigureProviderResponse { diagnostics: vec![*diagnostic] },
        };
        let mut configuration = Configuration::default();
        match attribute(&config, "region") {
            Value::Null => {}
            region => configuration.region = region.clone(),
        }
        let tags = super::make::at(&config, "default_tags.0.tags");
        if !tags.is_null() {
            configuration.default_tags = tags.clone();
        }
        *self.configuration.lock().unwrap_or_else(PoisonError::into_inner) = configuration;
        ConfigureProviderResponse::default()
    }

    fn validate(&self, request: &ValidateResourceConfigRequest) -> ValidateResourceConfigResponse {
        let checked =
            self.resource(&request.type_name).and_then(|_| object(request.config.as_ref()));
        match checked {
            Ok(_) => ValidateResourceConfigResponse::default(),
            Err(diagnostic) => ValidateResourceConfigResponse { diagnostics: vec![*diagnostic] },
        }
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
            Err(diagnostic) => UpgradeResourceStateResponse {
                upgraded_state: None,
                diagnostics: vec![*diagnostic],
            },
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
                diagnostics: vec![*diagnostic],
                private: request.private,
            },
        }
    }

    fn plan(&self, request: PlanResourceChangeRequest) -> PlanResourceChangeResponse {
        let mut response = PlanResourceChangeResponse {
            planned_private: request.prior_private,
            ..PlanResourceChangeResponse::default()
        };
        let plan = || -> Answer<()> {
            let schema = self.resource(&request.type_name)?;
            let Some(proposed) = object(request.proposed_new_state.as_ref())? else {
                response.planned_state = request.proposed_new_state;
                return Ok(());
            };
            let prior = object(request.prior_state.as_ref())?;
            let config = object(request.config.as_ref())?.unwrap_or_default();
            let planned = self.plan_object(
                &schema.block,
                &config,
                &proposed,
                prior.as_ref(),
                &request.type_name,
            );
            if let Some(prior) = &prior {
                response.requires_replace = replaced(schema, &request.type_name, prior, &planned);
            }
            response.planned_state = Some(value::dynamic(Some(planned)));
            Ok(())
        };
        if let Err(diagnostic) = plan() {
            response.diagnostics.push(*diagnostic);
        }
        response
    }

    fn plan_object(
        &self,
        block: &Block,
        config: &Object,
        proposed: &Object,
        prior: Option<&Object>,
        type_name: &str,
    ) -> Object {
        let mut planned = shape::plan(block, proposed, prior);
        let configuration = self.configuration();
        let computed = |name: &str| {
            block.attributes.get(name).is_some_and(|found| found.computed)
                && attribute(config, name).is_null()
        };
        if computed("tags_all") && block.attributes.contains_key("tags") {
            let tags = merge(&configuration.default_tags, attribute(&planned, "tags"));
            planned.insert("tags_all".to_owned(), tags);
        }
        if computed("region") {
            planned.insert("region".to_owned(), configuration.region);
        }
        // What an update makes anew.
        if prior.is_some_and(|prior| *prior != planned) {
            for name in &Rules::get().of(type_name).volatile {
                if computed(name) {
                    planned.insert(name.clone(), Value::Unknown);
                }
            }
        }
        planned
    }

    fn apply(&self, request: ApplyResourceChangeRequest) -> ApplyResourceChangeResponse {
        let change = || -> Answer<Applied> {
            let schema = self.resource(&request.type_name)?;
            let prior = object(request.prior_state.as_ref())?;
            let planned = object(request.planned_state.as_ref())?;
            match (prior, planned) {
                (None, Some(planned)) => self.create(schema, &request, &planned),
                (Some(prior), Some(planned)) => self.update(schema, &request, &prior, &planned),
                (Some(prior), None) => self.delete(&request, prior),
                (None, None) => Ok(Applied::default()),
            }
        };
        match change() {
            Ok(applied) => ApplyResourceChangeResponse {
                new_state: Some(value::dynamic(applied.state)),
                private: applied.private,
                diagnostics: applied.diagnostics,
            },
            Err(diagnostic) => ApplyResourceChangeResponse {
                new_state: request.prior_state,
                private: request.planned_private,
                diagnostics: vec![*diagnostic],
            },
        }
    }

    fn create(
        &self,
        schema: &Schema,
        request: &ApplyResourceChangeRequest,
        planned: &Object,
    ) -> Answer<Applied> {
        let type_name = &request.type_name;
        let fault = self.may_fail(type_name, Operation::Create, planned)?;
        let rules = Rules::get().of(type_name);
        let kind = format!("{type_name}/{}", fingerprint(planned));
        let build = |seed: &str| {
            let made = self.fill(&schema.block, planned, type_name, seed);
            let id = attribute(&made, "id").as_str().unwrap_or(&seed[..16]);
            (format!("{type_name}/{id}"), made)
        };
        let made = self.stage.world.create(&kind, build, rules.unique);
        match made.map_err(|error| lost(&error))? {
            Ok((key, made)) => Ok(Applied::new(made, &key, self.half(fault, type_name))),
            Err(key) => Err(problem(
                &format!("creating {type_name}: AlreadyExists"),
                &format!(
                    "there is one already: `{key}` in `{}`",
                    self.stage.world.path().display()
                ),
            )),
        }
    }

    fn update(
        &self,
        schema: &Schema,
        request: &ApplyResourceChangeRequest,
        prior: &Object,
        planned: &Object,
    ) -> Answer<Applied> {
        let type_name = &request.type_name;
        let key = key(&request.planned_private)?;
        let fault = self.may_fail(type_name, Operation::Update, prior)?;
        let seed = format!("{key}/{}", fingerprint(planned));
        let made = self.fill(&schema.block, planned, type_name, &seed);
        if !self.stage.world.update(&key, made.clone()).map_err(|error| lost(&error))? {
            return Err(problem(
                &format!("updating {type_name}: NotFound"),
                &format!("`{key}` is not in `{}` any more", self.stage.world.path().display()),
            ));
        }
        Ok(Applied::new(made, &key, self.half(fault, type_name)))
    }

    fn delete(&self, request: &ApplyResourceChangeRequest, prior: Object) -> Answer<Applied> {
        let type_name = &request.type_name;
        let key = key(&request.planned_private)?;
        let fault = self.may_fail(type_name, Operation::Delete, &prior)?;
        self.stage.world.delete(&key).map_err(|error| lost(&error))?;
        Ok(match self.half(fault, type_name) {
            // It is gone, and Terraform does not know yet: it finds out when it reads.
            Some(diagnostic) => Applied::new(prior, &key, Some(diagnostic)),
            None => Applied::default(),
        })
    }

    fn fill(&self, block: &Block, planned: &Object, type_name: &str, seed: &str) -> Object {
        let configuration = self.configuration();
        let rules = Rules::get().of(type_name);
        let maker =
            Maker { type_name, rules, seed, region: configuration.region(), known: planned };
        shape::fill(block, planned, "", &mut |path, r#type| maker.make(path, r#type))
    }

    /// Fails where a fault is due that does nothing; `true` where the work is to be half done.
    fn may_fail(&self, type_name: &str, operation: Operation, object: &Object) -> Answer<bool> {
        let names = names(object);
        match self.stage.faults.take(type_name, operation, &names) {
            None => Ok(false),
            Some(Kind::Half) => Ok(true),
            Some(kind) => Err(problem(
                &format!("{operation} {type_name}{}", called(&names)),
                &format!("operation error: {}\n\nThis fault was asked for.", kind.words(type_name)),
            )),
        }
    }

    #[expect(clippy::unused_self, reason = "reads as the other half of `may_fail`")]
    fn half(&self, half: bool, type_name: &str) -> Option<Box<Diagnostic>> {
        half.then(|| {
            let words = Kind::Half.words(type_name);
            problem(
                &format!("changing {type_name}"),
                &format!("operation error: {words}\n\nThis fault was asked for."),
            )
        })
    }

    fn import(&self, request: ImportResourceStateRequest) -> ImportResourceStateResponse {
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
            let build = |_: &str| (key.clone(), found.clone());
            let made = self.stage.world.create(&key, build, true).map_err(|error| lost(&error))?;
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
                diagnostics: vec![*diagnostic],
            },
        }
    }

    fn read_data(&self, request: ReadDataSourceRequest) -> ReadDataSourceResponse {
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
                ReadDataSourceResponse { state: None, diagnostics: vec![*diagnostic] }
            }
        }
    }

    fn open(&self, request: ReadDataSourceRequest) -> OpenEphemeralResourceResponse {
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
                OpenEphemeralResourceResponse { result: None, diagnostics: vec![*diagnostic] }
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
        Ok(self.fill(&schema.block, &planned, type_name, &seed))
    }

    fn resource(&self, type_name: &str) -> Answer<&Schema> {
        self.schema()
            .resources
            .get(type_name)
            .ok_or_else(|| self.unknown(type_name, "resource type"))
    }

    fn unknown(&self, type_name: &str, what: &str) -> Box<Diagnostic> {
        problem(
            &format!("unknown {what}"),
            &format!("`{}` is rehearsed without `{type_name}`", self.source.address()),
        )
    }
}

/// What became of a change.
#[derive(Debug, Default)]
struct Applied {
    state: Option<Object>,
    private: Vec<u8>,
    diagnostics: Vec<Diagnostic>,
}

impl Applied {
    fn new(state: Object, key: &str, diagnostic: Option<Box<Diagnostic>>) -> Self {
        let diagnostics = diagnostic.into_iter().map(|diagnostic| *diagnostic).collect();
        Self { state: Some(state), private: private(key), diagnostics }
    }
}

/// An error that says that nothing of it is real.
pub(crate) fn problem(summary: &str, detail: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic {
        severity: 1,
        summary: format!("REHEARSAL: {summary}"),
        detail: detail.to_owned(),
        attribute: None,
    })
}

fn lost(error: &WorldError) -> Box<Diagnostic> {
    problem("the world can't be used", &report::chain(error))
}

fn object(value: Option<&DynamicValue>) -> Answer<Option<Object>> {
    value::object(value).map_err(|error| {
        problem("a value from Terraform is not understood", &report::chain(&error))
    })
}

fn whole(block: &Block, object: &Object, place: &str) -> Answer<Object> {
    shape::conform(block, object).map_err(|path| {
        problem(
            "a value has the wrong type",
            &format!("`{path}` of {place} is not what the schema says"),
        )
    })
}

fn private(key: &str) -> Vec<u8> {
    serde_json::to_vec(&Private { rehearsal: key.to_owned() }).expect("a string is written")
}

/// A state without our mark is of something real: nothing is said about it, above all not that it is gone.
fn key(private: &[u8]) -> Answer<String> {
    serde_json::from_slice(private).map(|private: Private| private.rehearsal).map_err(|_| {
        problem(
            "this state is not of a rehearsal",
            "It was written by a real provider, so that what it names may exist. A rehearsal starts without a state, or with one of its own.",
        )
    })
}

/// Returns what tells one configuration from others, whatever its address.
fn fingerprint(object: &Object) -> String {
    use sha2::{Digest as _, Sha256};
    let json = Value::Map(object.clone()).to_json_value().to_string();
    crate::random::hexadecimal(&Sha256::digest(json))
}

/// Returns what a resource is called in the cloud.
fn names(object: &Object) -> Vec<&str> {
    let plain = NAMES.into_iter().chain(["id"]).map(|name| attribute(object, name));
    let tagged =
        ["metadata.0.name", "tags.Name"].into_iter().map(|path| super::make::at(object, path));
    plain.chain(tagged).filter_map(Value::as_str).collect()
}

fn called(names: &[&str]) -> String {
    names.first().map(|name| format!(" ({name})")).unwrap_or_default()
}

fn replaced(
    schema: &Schema,
    type_name: &str,
    prior: &Object,
    planned: &Object,
) -> Vec<AttributePath> {
    let names =
        schema.block.attributes.iter().filter(|(_, found)| !found.write_only).map(|(name, _)| name);
    names
        .chain(schema.block.blocks.keys())
        .filter(|name| Rules::get().replaces(type_name, name))
        .filter(|name| attribute(prior, name) != attribute(planned, name))
        .map(|name| AttributePath {
            steps: vec![Step { attribute_name: Some(name.clone()), ..Step::default() }],
        })
        .collect()
}

/// Tags of the resource win over those of the provider.
fn merge(defaults: &Value, tags: &Value) -> Value {
    match (defaults, tags) {
        (Value::Unknown, _) | (_, Value::Unknown) => Value::Unknown,
        (Value::Map(defaults), Value::Map(tags)) => {
            let mut all = defaults.clone();
            all.extend(tags.clone());
            Value::Map(all)
        }
        (defaults, _) => defaults.clone(),
    }
}

fn refuse_move() -> MoveResourceStateResponse {
    MoveResourceStateResponse {
        diagnostics: vec![*problem(
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
