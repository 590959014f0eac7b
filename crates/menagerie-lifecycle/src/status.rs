//! `env status`: what an environment is at this moment.

use crate::bundle::Bundle;
use crate::file::{self, Context as _};
use crate::hosting::{LocalHosting, Running};
use crate::inventory::{self, Entry, InventoryError, Phase};
use crate::plan::make;
use crate::probe::{Health, probe};
use crate::run::RunError;
use crate::saved_plan::SavedPlan;
use crate::session::{Held, Ready, Session, Source, Step};
use jiff::Timestamp;
use menagerie_naming::EnvName;
use menagerie_plan::Summary;

/// What an environment is.
#[derive(Debug)]
pub struct Status {
    /// As the inventory has it.
    pub entry: Entry,
    /// Whether its URL answers.
    pub health: Option<Health>,
    /// What of it runs on this machine.
    pub running: Running,
    /// What an apply of what was applied last would have to mend; `None` where that is not known.
    pub drift: Option<Summary>,
}

/// Looks at an environment: asks its URL, its hosting, and Terraform what has drifted. Changes nothing.
pub fn status(
    session: &mut Session<'_>,
    name: &EnvName,
    now: Timestamp,
) -> Result<Status, RunError> {
    let entry = inventory::find(session.repository, name, now)?;
    entry.check_here()?;
    let records = session.repository.home().environment(name);
    let running = LocalHosting::borrow(&session.provider, &records.local()).running()?;
    let health = entry.url.as_deref().map(|url| {
        session.step(name, Step::Probe);
        probe(url)
    });
    let drift = match entry.phase {
        Phase::Deployed => drift(session, name)?,
        _ => None,
    };
    Ok(Status { entry, health, running, drift })
}

/// Plans what was applied last against what is there.
fn drift(session: &mut Session<'_>, name: &EnvName) -> Result<Option<Summary>, RunError> {
    let held = match session.hold(name, "a status") {
        Ok(held) => held,
        Err(RunError::Held { holder, .. }) => {
            session.note(&format!("drift is not known while {holder} works on it"));
            return Ok(None);
        }
        Err(RunError::Inventory(error @ InventoryError::Unreadable { .. })) => {
            session.note(&format!("drift is not known: {error}"));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if let Err(error) = inventory::state(session.repository, name) {
        session.note(&format!("drift is not known: {error}"));
        return Ok(None);
    }
    if SavedPlan::read(&held.records)?.is_some() {
        session.note("drift is not looked for while a plan waits for its apply");
        return Ok(None);
    }
    let Some(ready) = from_bundle(session, &held)? else { return Ok(None) };
    let made = make(session, &held, &ready)?;
    SavedPlan::forget(&held.records)?;
    Ok(Some(made.planned.summary))
}

/// Makes what was applied last ready for Terraform; `None` where nothing was.
pub(crate) fn from_bundle(
    session: &mut Session<'_>,
    held: &Held,
) -> Result<Option<Ready>, RunError> {
    let Some(bundle) = Bundle::open(&held.records.bundle())? else { return Ok(None) };
    let variables = bundle.variables();
    let text = std::fs::read(&variables).during("read", &variables)?;
    file::write_private(&held.records.variables(), &text)?;
    let hosting = LocalHosting::install(&session.provider, &held.records.local())?;
    let source = session.source(held, Source::Bundle)?;
    session.ready(held, &hosting, source).map(Some)
}
