//! `env destroy`: ends an environment, proves that nothing is left, and says so in a certificate.

use crate::file::{self, FileError};
use crate::home::Home;
use crate::hosting::{LocalHosting, Swept};
use crate::inventory::{self, Phase};
use crate::milestone::{self, Milestone};
use crate::plan::{init_options, lock};
use crate::repository::Repository;
use crate::run::RunError;
use crate::session::{Held, Session, Source, Step};
use jiff::Timestamp;
use menagerie_config::Environment;
use menagerie_naming::EnvName;
use menagerie_terraform::DestroyOptions;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The proof that an environment is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The version of this format.
    pub version: u32,
    /// The environment.
    pub name: EnvName,
    /// Whose it was, as far as that is known.
    pub owner: Option<String>,
    /// When its state was seen empty and nothing of it ran.
    pub destroyed: Timestamp,
    /// The addresses of the resources that its state held when the destroy began.
    pub resources: Vec<String>,
    /// What was still there when Terraform had finished.
    pub swept: Swept,
    /// The Terraform that destroyed it.
    pub terraform: String,
    /// The version of Menagerie that destroyed it.
    pub tool: String,
}

/// Destroys an environment with what was applied last, wherever its directory is. One that is gone already stays so.
pub fn destroy(session: &mut Session<'_>, name: &EnvName) -> Result<Certificate, RunError> {
    if inventory::find(session.repository, name, Timestamp::now())?.phase == Phase::Gone {
        return gone(session.repository, name);
    }
    let held = session.hold(name, "a destroy")?;
    if held.entry.phase == Phase::Gone {
        // Another run was quicker.
        return gone(session.repository, name);
    }
    let proven = if let Some(Milestone::Proven { certificate }) = milestone::last(&held.journal)? {
        // An earlier run got this far: only files are left.
        *certificate
    } else {
        // Refused before it begins: with a state that can't be read, nobody knows what is to be destroyed.
        inventory::state(session.repository, name)?;
        check_never_applied(&held)?;
        milestone::append(session.repository.home(), name, &Milestone::DestroyStarted)?;
        let proven = prove(session, &held);
        if let Err(error) = &proven {
            let failed = Milestone::DestroyFailed { reason: error.reason() };
            milestone::append(session.repository.home(), name, &failed)?;
        }
        proven?
    };
    remove(session, &held, &proven)?;
    Ok(proven)
}

/// Refuses an environment whose state is elsewhere and may hold something, which nobody here can see. Nothing of ours applies
/// one, so that only a Terraform that was run by hand can have.
fn check_never_applied(held: &Held) -> Result<(), RunError> {
    let Some(directory) = &held.entry.directory else { return held.entry.check_here() };
    let was_run =
        [".terraform", ".terraform.lock.hcl"].iter().any(|name| directory.join(name).exists());
    if was_run && held.entry.check_here().is_err() {
        return Err(RunError::ByHand(held.name.clone()));
    }
    Ok(())
}

/// Destroys all resources, ends what else is on record, and looks whether that is so.
fn prove(session: &mut Session<'_>, held: &Held) -> Result<Certificate, RunError> {
    let resources = resources(session.repository, &held.name)?;
    if !resources.is_empty() {
        let ended = run(session, held);
        let remaining = self::resources(session.repository, &held.name)?;
        if !remaining.is_empty() {
            let source = ended.err().map(Box::new);
            return Err(RunError::Incomplete { name: held.name.clone(), remaining, source });
        }
        // With an empty state an error is about something else than what was to be destroyed; it is still one.
        ended?;
    }
    session.step(&held.name, Step::Sweep);
    let hosting = LocalHosting::borrow(&session.provider, &held.records.local());
    let swept = hosting.down()?;
    let left = hosting.running()?;
    let remaining: Vec<String> = left
        .supervisor
        .iter()
        .map(|supervisor| format!("supervisor (pid {})", supervisor.pid))
        .chain(left.services.iter().map(|service| format!("service `{}`", service.name)))
        .chain(left.databases.iter().map(|database| format!("database `{}`", database.name)))
        .collect();
    if !remaining.is_empty() {
        return Err(RunError::Incomplete { name: held.name.clone(), remaining, source: None });
    }
    let certificate = Certificate {
        version: 1,
        name: held.name.clone(),
        owner: held
            .entry
            .environment
            .as_ref()
            .map(|environment| environment.owner.as_str().to_owned()),
        destroyed: Timestamp::now(),
        resources,
        swept,
        terraform: session.terraform.version().to_string(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let proven = Milestone::Proven { certificate: Box::new(certificate.clone()) };
    milestone::append(session.repository.home(), &held.name, &proven)?;
    Ok(certificate)
}

fn run(session: &mut Session<'_>, held: &Held) -> Result<(), RunError> {
    let source = session.source(held, Source::Bundle)?;
    let hosting = LocalHosting::install(&session.provider, &held.records.local())?;
    let ready = session.ready(held, &hosting, source)?;
    session.check_interrupt(&held.name, "the plan")?;
    session.step(&held.name, Step::Destroy);
    let init = init_options(held);
    let options = DestroyOptions {
        variable_files: vec![held.records.variables()],
        lock: lock(),
        ..DestroyOptions::default()
    };
    session.terraform(&held.name, "destroy", |terraform, events, cancel| {
        ready.workdir.destroy_with_init(terraform, &init, &options, events, cancel)
    })?;
    Ok(())
}

/// Removes the directory and the records, in an order in which a run that is cut short is gone on with.
fn remove(session: &mut Session<'_>, held: &Held, proven: &Certificate) -> Result<(), RunError> {
    let home = session.repository.home().clone();
    let directory = session.repository.directory(&held.name);
    if directory.exists() {
        if let Some(kept) = rescue(session.repository, &home, held, &directory)? {
            session.note(&format!(
                "the directory had edits that no commit holds; they are kept in `{}`",
                kept.display()
            ));
        }
        file::remove_directory_if_present(&directory)?;
    }
    file::remove_directory_if_present(held.records.directory())?;
    let text = serde_json::to_vec_pretty(proven).expect("names, times and text are JSON");
    file::write_private(&home.certificate(&held.name), &text)?;
    milestone::append(&home, &held.name, &Milestone::Destroyed)?;
    Ok(())
}

/// Keeps a copy of a directory that was edited and never committed.
fn rescue(
    repository: &Repository,
    home: &Home,
    held: &Held,
    directory: &Path,
) -> Result<Option<std::path::PathBuf>, RunError> {
    // Where git cannot say, the answer that loses nothing is no.
    if !is_edited(held.entry.environment.as_ref(), directory)?
        || repository.git().is_committed(directory).unwrap_or(false)
    {
        return Ok(None);
    }
    let kept = home.rescued(&held.name);
    file::copy_tree(directory, &kept, &[])?;
    Ok(Some(kept))
}

fn is_edited(environment: Option<&Environment>, directory: &Path) -> Result<bool, FileError> {
    let Some(environment) = environment else { return Ok(true) };
    let checksums = &environment.template.checksums;
    for name in file::list(directory)? {
        // Terraform writes the lock file, and the next `init` writes it again.
        if name == "env.toml" || name == ".terraform.lock.hcl" {
            continue;
        }
        let text = file::read_if_present(&directory.join(&name)).ok().flatten();
        let same = match (checksums.get(&name), text) {
            (Some(checksum), Some(text)) => menagerie_template::checksum(&text) == *checksum,
            _ => false,
        };
        if !same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the certificate of what is gone.
fn gone(repository: &Repository, name: &EnvName) -> Result<Certificate, RunError> {
    let path = repository.home().certificate(name);
    let text = file::read_if_present(&path)?.unwrap_or_default();
    serde_json::from_str(&text).map_err(|source| {
        RunError::File(FileError { action: "read", path, source: std::io::Error::from(source) })
    })
}

fn resources(repository: &Repository, name: &EnvName) -> Result<Vec<String>, RunError> {
    Ok(inventory::state(repository, name)?.map(|state| state.managed()).unwrap_or_default())
}
