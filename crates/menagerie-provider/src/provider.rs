//! Terraform's methods: request bytes in, response bytes out. Nothing here knows the transport.

use crate::{
    client::Client,
    resource::{self, Caller, Change, Resource},
    value::{self, Object, ValueError},
    wire::{
        ApplyResourceChangeRequest, ApplyResourceChangeResponse, Block, Diagnostic, DynamicValue,
        GetProviderSchemaResponse, ImportResourceStateRequest, ImportResourceStateResponse,
        ImportedResource, PlanResourceChangeRequest, PlanResourceChangeResponse,
        ReadResourceRequest, ReadResourceResponse, Schema, ServerCapabilities,
        UpgradeResourceStateRequest, UpgradeResourceStateResponse, ValidateResourceConfigRequest,
        ValidateResourceConfigResponse,
    },
};
use prost::Message;
use std::sync::atomic::Ordering;

/// Why a method has no answer: a gRPC status code and a message.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) message: String,
}

/// gRPC's code for a method that a server does not have.
pub(crate) const UNIMPLEMENTED: u16 = 12;

/// gRPC's code for a request that breaks an invariant.
pub(crate) const INTERNAL: u16 = 13;

/// Calls a method. Blocks: an apply waits for its programs, until its caller cancels.
pub(crate) fn call(
    client: &Client,
    method: &str,
    body: &[u8],
    caller: Caller<'_>,
) -> Result<Vec<u8>, Status> {
    match method {
        "GetProviderSchema" => Ok(schema().encode_to_vec()),
        "ValidateResourceConfig" => on(body, |request| validate(&request)),
        "UpgradeResourceState" => on(body, upgrade),
        "ReadResource" => on(body, |request| read(client, request)),
        "PlanResourceChange" => on(body, |request| plan(client, request)),
        "ApplyResourceChange" => on(body, |request| apply(client, request, caller)),
        "ImportResourceState" => on(body, |request| import(client, request)),
        "StopProvider" => {
            caller.cancelled.store(true, Ordering::Relaxed);
            Ok(Vec::new())
        }
        // There is nothing to configure; an empty message says so.
        "ValidateProviderConfig"
        | "ConfigureProvider"
        | "GetFunctions"
        | "GetResourceIdentitySchemas" => Ok(Vec::new()),
        _ => Err(Status { code: UNIMPLEMENTED, message: format!("{method} is not implemented") }),
    }
}

pub(crate) fn on<I: Message + Default, O: Message>(
    body: &[u8],
    answer: impl FnOnce(I) -> O,
) -> Result<Vec<u8>, Status> {
    let request =
        I::decode(body).map_err(|error| Status { code: INTERNAL, message: error.to_string() })?;
    Ok(answer(request).encode_to_vec())
}

fn schema() -> GetProviderSchemaResponse {
    GetProviderSchemaResponse {
        provider: Some(Schema { version: 0, block: Some(Block::default()) }),
        resource_schemas: Resource::ALL
            .into_iter()
            .map(|resource| (resource.type_name().to_owned(), resource.schema()))
            .collect(),
        server_capabilities: Some(ServerCapabilities { get_provider_schema_optional: true }),
        ..GetProviderSchemaResponse::default()
    }
}

fn validate(request: &ValidateResourceConfigRequest) -> ValidateResourceConfigResponse {
    let diagnostics = match parse(&request.type_name, request.config.as_ref()) {
        Ok((resource, Some(config))) => resource.validate(&config),
        Ok((_, None)) => Vec::new(),
        Err(diagnostic) => vec![diagnostic],
    };
    ValidateResourceConfigResponse { diagnostics }
}

/// The state file's JSON may go back as it is, less the attributes that are no longer known.
fn upgrade(request: UpgradeResourceStateRequest) -> UpgradeResourceStateResponse {
    let json = request.raw_state.unwrap_or_default().json;
    let upgraded = Resource::parse(&request.type_name)
        .ok_or_else(|| unknown_type(&request.type_name))
        .and_then(|resource| {
            let mut state: serde_json::Map<String, serde_json::Value> =
                serde_json::from_slice(&json)
                    .map_err(|error| resource::error("the state is damaged", &error.to_string()))?;
            state.retain(|name, _| resource.has_attribute(name));
            Ok(serde_json::Value::Object(state).to_string().into_bytes())
        });
    match upgraded {
        Ok(json) => UpgradeResourceStateResponse {
            upgraded_state: Some(DynamicValue { msgpack: Vec::new(), json }),
            diagnostics: Vec::new(),
        },
        Err(diagnostic) => {
            UpgradeResourceStateResponse { upgraded_state: None, diagnostics: vec![diagnostic] }
        }
    }
}

fn read(client: &Client, request: ReadResourceRequest) -> ReadResourceResponse {
    let read =
        parse(&request.type_name, request.current_state.as_ref()).and_then(|(resource, state)| {
            match state {
                Some(state) => resource.read(client, &state),
                None => Ok(None),
            }
        });
    match read {
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

fn plan(client: &Client, request: PlanResourceChangeRequest) -> PlanResourceChangeResponse {
    let parsed =
        parse(&request.type_name, request.prior_state.as_ref()).and_then(|(resource, prior)| {
            let object = |value: Option<&DynamicValue>| {
                value::object(value).map_err(|error| unreadable(&error))
            };
            Ok((
                resource,
                prior,
                object(request.proposed_new_state.as_ref())?,
                object(request.config.as_ref())?,
            ))
        });
    let mut response =
        PlanResourceChangeResponse { planned_private: request.prior_private, ..Default::default() };
    match parsed {
        // Destroying needs no plan.
        Ok((_, _, None, _)) => response.planned_state = request.proposed_new_state,
        Ok((resource, prior, Some(proposed), config)) => {
            let change = Change { config: config.unwrap_or_default(), prior, proposed };
            let planned = resource.plan(client, change);
            response.planned_state = Some(value::dynamic(Some(resource.complete(planned.object))));
            response.requires_replace = planned.replaces.into_iter().map(resource::path).collect();
            response.diagnostics = planned.diagnostics;
        }
        Err(diagnostic) => response.diagnostics.push(diagnostic),
    }
    response
}

fn apply(
    client: &Client,
    request: ApplyResourceChangeRequest,
    caller: Caller<'_>,
) -> ApplyResourceChangeResponse {
    let parsed =
        parse(&request.type_name, request.prior_state.as_ref()).and_then(|(resource, prior)| {
            let planned = value::object(request.planned_state.as_ref())
                .map_err(|error| unreadable(&error))?;
            Ok((resource, prior, planned))
        });
    let private = request.planned_private;
    let (resource, applied) = match parsed {
        Ok((resource, prior, Some(planned))) => {
            (resource, resource.put(client, &planned, prior.as_ref(), caller))
        }
        Ok((resource, Some(prior), None)) => (resource, resource.remove(client, prior, caller)),
        Ok((resource, None, None)) => (resource, resource::Applied::default()),
        Err(diagnostic) => {
            return ApplyResourceChangeResponse {
                new_state: request.prior_state,
                private,
                diagnostics: vec![diagnostic],
            };
        }
    };
    let state = applied.state.map(|state| resource.complete(state));
    ApplyResourceChangeResponse {
        new_state: Some(value::dynamic(state)),
        private,
        diagnostics: applied.diagnostics,
    }
}

fn import(client: &Client, request: ImportResourceStateRequest) -> ImportResourceStateResponse {
    let found = Resource::parse(&request.type_name)
        .ok_or_else(|| unknown_type(&request.type_name))
        .and_then(|resource| Ok(resource.complete(resource.import(client, &request.id)?)));
    match found {
        Ok(state) => ImportResourceStateResponse {
            imported_resources: vec![ImportedResource {
                type_name: request.type_name,
                state: Some(value::dynamic(Some(state))),
                private: Vec::new(),
            }],
            diagnostics: Vec::new(),
        },
        Err(diagnostic) => ImportResourceStateResponse {
            imported_resources: Vec::new(),
            diagnostics: vec![diagnostic],
        },
    }
}

fn parse(
    type_name: &str,
    value: Option<&DynamicValue>,
) -> Result<(Resource, Option<Object>), Diagnostic> {
    let resource = Resource::parse(type_name).ok_or_else(|| unknown_type(type_name))?;
    Ok((resource, value::object(value).map_err(|error| unreadable(&error))?))
}

fn unknown_type(type_name: &str) -> Diagnostic {
    resource::error("unknown resource type", &format!("this provider has no `{type_name}`"))
}

fn unreadable(error: &ValueError) -> Diagnostic {
    resource::error("a value from Terraform is not understood", &crate::report::chain(error))
}
