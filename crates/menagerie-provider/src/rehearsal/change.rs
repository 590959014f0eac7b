//! Changes: what will be, and what became of it.

use super::{
    answer::{Answer, called, fingerprint, key, lost, names, object, private, problem},
    double::Double,
    fault::{Kind, Operation},
    make::{self, Maker},
    rules::Ruled,
    schema::{Block, Schema},
    shape,
};
use crate::{
    value::{self, Object, Value, attribute},
    wire::{
        ApplyResourceChangeRequest, ApplyResourceChangeResponse, AttributePath, Diagnostic,
        PlanResourceChangeRequest, PlanResourceChangeResponse, Step,
    },
};

/// What the values of one resource grow from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed<'a> {
    pub(crate) type_name: &'a str,
    pub(crate) digits: &'a str,
    pub(crate) count: u64,
}

impl Double<'_> {
    pub(crate) fn plan(&self, request: PlanResourceChangeRequest) -> PlanResourceChangeResponse {
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
            response.diagnostics.push(diagnostic);
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
            for name in Ruled::of(type_name).volatile() {
                if computed(name) {
                    planned.insert(name.clone(), Value::Unknown);
                }
            }
        }
        planned
    }

    pub(crate) fn apply(&self, request: ApplyResourceChangeRequest) -> ApplyResourceChangeResponse {
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
                diagnostics: vec![diagnostic],
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
        let kind = format!("{type_name}/{}", fingerprint(planned));
        let name = format!("{type_name} {}", names(planned).first().copied().unwrap_or_default());
        let build = |seed: &str, count: u64| {
            let made =
                self.fill(&schema.block, planned, None, Seed { type_name, digits: seed, count });
            let id = attribute(&made, "id").as_str().unwrap_or(&seed[..16]);
            (format!("{type_name}/{id}"), made)
        };
        let unique = Ruled::of(type_name).unique();
        let made = self.stage.world.create(&kind, &name, build, unique);
        match made.map_err(|error| lost(&error))? {
            Ok((key, made)) => Ok(Applied::new(made, &key, half_done(fault, type_name))),
            Err(key) => Err(problem(
                &format!("creating {type_name}{}: AlreadyExists", called(&names(planned))),
                &format!(
                    "There is one already: `{key}` in `{}`.",
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
        let seed = Seed { type_name, digits: &seed, count: 1 };
        let made = self.fill(&schema.block, planned, Some(prior), seed);
        if !self.stage.world.update(&key, made.clone()).map_err(|error| lost(&error))? {
            return Err(problem(
                &format!("updating {type_name}: NotFound"),
                &format!("`{key}` is not in `{}` any more", self.stage.world.path().display()),
            ));
        }
        Ok(Applied::new(made, &key, half_done(fault, type_name)))
    }

    fn delete(&self, request: &ApplyResourceChangeRequest, prior: Object) -> Answer<Applied> {
        let type_name = &request.type_name;
        let key = match key(&request.planned_private) {
            Ok(key) => key,
            // Terraform 1.11 does not give back what it keeps for a tainted resource.
            Err(diagnostic) => {
                let id = attribute(&prior, "id");
                let found = self.stage.world.find(type_name, |found| attribute(found, "id") == id);
                found.map_err(|error| lost(&error))?.ok_or(diagnostic)?.0
            }
        };
        let fault = self.may_fail(type_name, Operation::Delete, &prior)?;
        if !self.stage.ignore_protection {
            refuse_protected(type_name, &prior)?;
        }
        self.stage.world.delete(&key).map_err(|error| lost(&error))?;
        Ok(match half_done(fault, type_name) {
            // It is gone, and Terraform does not know yet: it finds out when it reads.
            Some(diagnostic) => Applied::new(prior, &key, Some(diagnostic)),
            None => Applied::default(),
        })
    }

    /// Makes up what is open; a number that an update changes is one more than it was.
    pub(crate) fn fill(
        &self,
        block: &Block,
        planned: &Object,
        prior: Option<&Object>,
        Seed { type_name, digits: seed, count }: Seed<'_>,
    ) -> Object {
        let configuration = self.configuration();
        let maker = Maker {
            type_name,
            rules: Ruled::of(type_name),
            seed,
            region: configuration.region(),
            count,
            known: planned,
        };
        shape::fill(block, planned, "", &mut |path, r#type| match prior
            .map(|prior| attribute(prior, path))
        {
            Some(Value::Number(before)) => Value::Number(before + 1.0),
            _ => maker.make(path, r#type),
        })
    }

    /// Fails where a fault is due that does nothing; `true` where the work is to be half done.
    pub(crate) fn may_fail(
        &self,
        type_name: &str,
        operation: Operation,
        object: &Object,
    ) -> Answer<bool> {
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
}

/// The error that comes after the work, where it was to be half done.
fn half_done(half: bool, type_name: &str) -> Option<Diagnostic> {
    half.then(|| {
        problem(
            &format!("changing {type_name}"),
            &format!(
                "operation error: {}\n\nThis fault was asked for.",
                Kind::Half.words(type_name)
            ),
        )
    })
}

/// What became of a change.
#[derive(Debug, Default)]
struct Applied {
    state: Option<Object>,
    private: Vec<u8>,
    diagnostics: Vec<Diagnostic>,
}

impl Applied {
    fn new(state: Object, key: &str, diagnostic: Option<Diagnostic>) -> Self {
        let diagnostics = diagnostic.into_iter().collect();
        Self { state: Some(state), private: private(key), diagnostics }
    }
}

/// What is protected stays, as it does in the cloud.
fn refuse_protected(type_name: &str, prior: &Object) -> Answer<()> {
    let protected = Ruled::of(type_name).protected();
    if let Some(path) = protected.filter(|path| *make::at(prior, path) == Value::Bool(true)) {
        return Err(problem(
            &format!("deleting {type_name}{}: OperationNotPermitted", called(&names(prior))),
            &format!("It is protected from deletion: set `{path}` to false, apply, and try again."),
        ));
    }
    // The provider itself refuses: it would not know how to call the snapshot.
    let without_snapshot = *attribute(prior, "skip_final_snapshot") != Value::Bool(true)
        && attribute(prior, "final_snapshot_identifier").is_null();
    if type_name == "aws_db_instance" && without_snapshot {
        return Err(problem(
            &format!("deleting {type_name}{}", called(&names(prior))),
            "`final_snapshot_identifier` is required when `skip_final_snapshot` is false.",
        ));
    }
    Ok(())
}

/// Returns the paths of what differs and can't be changed.
fn replaced(
    schema: &Schema,
    type_name: &str,
    prior: &Object,
    planned: &Object,
) -> Vec<AttributePath> {
    let attributes = schema.block.attributes.iter().filter(|(_, found)| !found.write_only);
    let names = attributes.map(|(name, _)| name).chain(schema.block.blocks.keys());
    let paths = Ruled::of(type_name).replaces(names.map(String::as_str));
    let differ = paths.into_iter().filter(|path| make::at(prior, path) != make::at(planned, path));
    differ.map(|path| AttributePath { steps: path.split('.').map(step).collect() }).collect()
}

fn step(part: &str) -> Step {
    match part.parse() {
        Ok(index) => Step { element_key_int: Some(index), ..Step::default() },
        Err(_) => Step { attribute_name: Some(part.to_owned()), ..Step::default() },
    }
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
