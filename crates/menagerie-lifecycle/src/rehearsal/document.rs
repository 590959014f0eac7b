//! Plans that are rehearsed to be judged: as Terraform prints them, which is more than a summary shows.

use super::scratch::Scratch;
use super::stage::Stage;
use super::{RehearsalError, put_up};
use crate::create::Request;
use crate::inventory;
use crate::plan::PlanDocument;
use crate::session::{Session, Step};
use jiff::Timestamp;
use menagerie_config::Environment;
use menagerie_naming::EnvName;

/// Plans an environment of a cloud over the stand-in, as if nothing were there, and returns the plan.
pub fn rehearse_document(
    session: &mut Session<'_>,
    name: &EnvName,
) -> Result<PlanDocument, RehearsalError> {
    let entry = inventory::find(session.repository, name, Timestamp::now())?;
    let directory = entry.directory.ok_or_else(|| RehearsalError::NoDirectory(name.clone()))?;
    let environment = Environment::read(&directory.join("env.toml"))?;
    if !environment.hosting.is_cloud() {
        return Err(RehearsalError::Local(name.clone()));
    }
    let scratch = Scratch::create(session.repository, &format!("plan-{name}"), &session.cancel)?;
    scratch.fill(session.repository.root(), Some(name.as_str()))?;
    let root_module = format!("tf/envs/{name}");
    let json = plan(session, &scratch, name, &root_module)?;
    Ok(PlanDocument {
        root_module,
        environment: Some(environment),
        is_rehearsal: true,
        files: Vec::new(),
        json,
    })
}

/// Plans a new environment that is never made over the stand-in, and returns the plan.
pub fn rehearse_new_document(
    session: &mut Session<'_>,
    request: &Request,
) -> Result<PlanDocument, RehearsalError> {
    let (draft, scratch, root_module) = put_up(session, request)?;
    let json = plan(session, &scratch, &draft.environment.name, &root_module)?;
    let files = draft.files.into_iter().map(|file| (file.path, file.text)).collect();
    Ok(PlanDocument { root_module, environment: None, is_rehearsal: true, files, json })
}

fn plan(
    session: &mut Session<'_>,
    scratch: &Scratch,
    name: &EnvName,
    root_module: &str,
) -> Result<Vec<u8>, RehearsalError> {
    let mut stage = Stage::set(session, scratch, root_module, None, &[])?;
    session.step(name, Step::Rehearse("plan"));
    stage.plan_json(session)
}
