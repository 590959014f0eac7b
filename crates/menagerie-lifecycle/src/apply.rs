//! `env apply`: does what was shown, and nothing else.

use crate::bundle::{Bundle, fingerprint};
use crate::image;
use crate::inventory;
use crate::milestone::{self, Milestone};
use crate::plan::{Planned, contents, lock, make, prepare};
use crate::probe::{Health, probe};
use crate::run::RunError;
use crate::saved_plan::SavedPlan;
use crate::session::{Held, Ready, Session, Step};
use jiff::Timestamp;
use menagerie_naming::EnvName;
use menagerie_plan::{ChangeKind, Digest, ResourceSummary, Summary};
use menagerie_terraform::ApplyOptions as TerraformApplyOptions;

/// How an apply is meant.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// The plan that was agreed to, where the caller names it.
    pub digest: Option<Digest>,
    /// Consents to destroying or replacing resources though no plan was shown before.
    pub replace: bool,
}

/// An apply that reached its end.
#[derive(Debug)]
pub struct Applied {
    /// What was done.
    pub summary: Summary,
    /// Where the environment answers.
    pub url: Option<String>,
    /// Whether it does.
    pub health: Option<Health>,
}

/// Applies the plan that was shown; where none waits, makes one and applies it if it destroys nothing.
///
/// A plan that was shown is applied only while it holds: if what it was made from has changed, or Terraform finds it stale,
/// a new one is made, and applied only if its digest is the same.
pub fn apply(
    session: &mut Session<'_>,
    name: &EnvName,
    options: &ApplyOptions,
) -> Result<Applied, RunError> {
    inventory::find(session.repository, name, Timestamp::now())?.check_here()?;
    let held = session.hold(name, "an apply")?;
    held.check_wanted()?;
    let ready = prepare(session, &held)?;
    let saved = SavedPlan::read(&held.records)?;
    if let (Some(saved), Some(digest)) = (&saved, &options.digest)
        && saved.digest != *digest
    {
        return Err(changed(&held, digest, &saved.digest, String::new()));
    }
    let holds = match &saved {
        Some(saved) => saved.holds(&held.records, &fingerprint(&contents(session, &held, &ready))?),
        None => false,
    };
    let summary = match saved {
        Some(saved) if holds => match apply_plan(session, &held, &ready, &saved.digest)? {
            Outcome::Done => saved.summary,
            Outcome::Stale => apply_same(session, &held, &ready, saved)?,
        },
        Some(saved) => apply_same(session, &held, &ready, saved)?,
        None => apply_unseen(session, &held, &ready, options)?,
    };
    SavedPlan::forget(&held.records)?;
    finish(session, &held, summary)
}

/// Plans again, and applies the new plan only if it is the one that was shown.
fn apply_same(
    session: &mut Session<'_>,
    held: &Held,
    ready: &Ready,
    saved: SavedPlan,
) -> Result<Summary, RunError> {
    let made = make(session, held, ready)?;
    if made.planned.digest != saved.digest {
        let difference = saved.difference(&made.planned.summary);
        let refused = changed(held, &saved.digest, &made.planned.digest, difference);
        // Asked again, the answer is the same: only `plan` shows another one.
        saved.write_detached(&held.records)?;
        return Err(refused);
    }
    apply_made(session, held, ready, made.planned)
}

/// Plans and applies what nobody was shown, unless it would take something away.
pub(crate) fn apply_unseen(
    session: &mut Session<'_>,
    held: &Held,
    ready: &Ready,
    options: &ApplyOptions,
) -> Result<Summary, RunError> {
    let planned = make(session, held, ready)?.planned;
    if let Some(digest) = options.digest.as_ref().filter(|digest| **digest != planned.digest) {
        return Err(changed(held, digest, &planned.digest, planned.summary.to_string()));
    }
    let takes_away = planned.summary.resources.iter().any(takes_away);
    if options.digest.is_none() && !options.replace && takes_away {
        return Err(RunError::WouldDestroy {
            name: held.name.clone(),
            summary: planned.summary.to_string(),
        });
    }
    apply_made(session, held, ready, planned)
}

/// Returns whether a change takes something away that somebody may miss. What is tainted was never made whole: replacing it
/// is how an apply that was cut short is gone on with.
fn takes_away(change: &ResourceSummary) -> bool {
    match change.kind {
        ChangeKind::Destroy | ChangeKind::Forget => true,
        ChangeKind::Replace => change.reason.as_deref() != Some("replace_because_tainted"),
        ChangeKind::NoOp | ChangeKind::Create | ChangeKind::Update | ChangeKind::Read => false,
    }
}

fn apply_made(
    session: &mut Session<'_>,
    held: &Held,
    ready: &Ready,
    planned: Planned,
) -> Result<Summary, RunError> {
    if !planned.summary.is_empty() {
        // Nobody else can have changed the state since: the environment is held.
        if let Outcome::Stale = apply_plan(session, held, ready, &planned.digest)? {
            return Err(RunError::Stale(held.name.clone()));
        }
    } else if matches!(
        milestone::last(&held.journal)?,
        Some(Milestone::ApplyStarted { .. } | Milestone::ApplyFailed { .. })
    ) {
        // Whoever was cut short had nothing left to do.
        milestone::append(session.repository.home(), &held.name, &Milestone::Applied)?;
    }
    Ok(planned.summary)
}

enum Outcome {
    Done,
    Stale,
}

/// Applies the plan on the disk. What is needed to destroy its resources is on record before the first of them exists.
fn apply_plan(
    session: &mut Session<'_>,
    held: &Held,
    ready: &Ready,
    digest: &Digest,
) -> Result<Outcome, RunError> {
    session.check_interrupt(&held.name, "the plan")?;
    Bundle::write(&held.records.bundle(), &contents(session, held, ready))?;
    let home = session.repository.home();
    milestone::append(home, &held.name, &Milestone::ApplyStarted { digest: digest.to_string() })?;
    SavedPlan::use_up(&held.records)?;
    session.step(&held.name, Step::Apply);
    let options = TerraformApplyOptions {
        lock: lock(),
        ..TerraformApplyOptions::new(SavedPlan::path(&held.records))
    };
    let ended = session.terraform(&held.name, "apply", |terraform, events, cancel| {
        ready.workdir.apply(terraform, &options, events, cancel)
    });
    let (milestone, outcome) = match ended {
        Ok(_) => (Milestone::Applied, Ok(Outcome::Done)),
        // Terraform refused before it touched anything.
        Err(RunError::Stale(_)) => return Ok(Outcome::Stale),
        Err(error) => (Milestone::ApplyFailed { reason: error.reason() }, Err(error)),
    };
    milestone::append(session.repository.home(), &held.name, &milestone)?;
    outcome
}

/// Cleans up after an apply, and looks what came of it.
pub(crate) fn finish(
    session: &mut Session<'_>,
    held: &Held,
    summary: Summary,
) -> Result<Applied, RunError> {
    if let Some(image) = image::current(&held.records.variables())? {
        image::keep_only(&held.records.images(), &image)?;
    }
    let url = inventory::find(session.repository, &held.name, Timestamp::now())?.url;
    let health = url.as_deref().map(|url| {
        session.step(&held.name, Step::Probe);
        probe(url)
    });
    Ok(Applied { summary, url, health })
}

fn changed(held: &Held, shown: &Digest, now: &Digest, difference: String) -> RunError {
    RunError::PlanChanged {
        name: held.name.clone(),
        shown: shown.short(),
        now: now.short(),
        difference,
    }
}
