//! The inventory: directories in the checkout and local records, taken together. Nothing that runs is missing from it.

use crate::bundle::Bundle;
use crate::concurrent;
use crate::file::{self, Context as _, FileError};
use crate::kind::{Explain, Kind};
use crate::milestone::{self, Milestone};
use crate::repository::Repository;
use crate::run::RunError;
use jiff::Timestamp;
use menagerie_config::{Environment, ReadError};
use menagerie_naming::EnvName;
use menagerie_plan::{ParseError, StateFile};
use menagerie_terraform::JournalError;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One environment as it is: what is wanted, by its directory, and what exists, by its state and journal.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: EnvName,
    /// Where it is in its life.
    pub phase: Phase,
    /// Its directory, where this checkout has it.
    pub directory: Option<PathBuf>,
    /// What it is meant to be; `None` where no readable `env.toml` is left.
    pub environment: Option<Environment>,
    /// Where it answers.
    pub url: Option<String>,
    /// How many resources its state holds.
    pub resources: usize,
    /// Whether its time is over.
    pub expired: bool,
    /// What a person should know beside.
    pub notes: Vec<String>,
}

impl Entry {
    /// Refuses an environment whose state is not on this machine.
    pub(crate) fn check_here(&self) -> Result<(), RunError> {
        match &self.environment {
            Some(Environment { hosting, .. }) if hosting.is_cloud() => {
                Err(RunError::Remote { name: self.name.clone(), hosting: *hosting })
            }
            _ => Ok(()),
        }
    }
}

/// Where an environment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its directory exists, and nothing else.
    Wanted,
    /// Its state holds resources.
    Deployed,
    /// A destroy was started and has not ended.
    Destroying,
    /// A destroy left something, which is not forgotten.
    DestroyFailed,
    /// It was destroyed, and that was proven.
    Gone,
}

impl Phase {
    /// Returns the phase's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Deployed => "deployed",
            Self::Destroying => "destroying",
            Self::DestroyFailed => "destroy-failed",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The inventory could not be read. It is never taken for an empty one.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A file or directory could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A state is damaged.
    #[error("the state of `{name}` in `{}` cannot be read", path.display())]
    State {
        /// Whose state.
        name: EnvName,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// A state is there and cannot be opened.
    #[error("the state of `{name}` cannot be read")]
    Unreadable {
        /// Whose state.
        name: EnvName,
        /// Which file, and why.
        #[source]
        source: FileError,
    },
    /// Nobody knows this name.
    #[error("there is no environment `{name}`")]
    NotFound {
        /// The name that was asked for.
        name: EnvName,
        /// The ones that there are.
        known: Vec<EnvName>,
    },
}

impl Explain for InventoryError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. } => Kind::NotFound,
            Self::File(_) | Self::Journal(_) | Self::State { .. } | Self::Unreadable { .. } => {
                Kind::Failed
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { name, known } => Some(match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => {
                    "there is none yet: `cargo xtask env up` makes one".to_owned()
                }
                None => "`cargo xtask env list` shows the ones that there are".to_owned(),
            }),
            Self::State { name, .. } => {
                Some(format!("`cargo xtask env repair {name}` puts an earlier one in its place"))
            }
            Self::Unreadable { source, .. } => Some(format!(
                "see that `{}` is a file that you may read and write, and run the command again",
                source.path.display()
            )),
            Self::File(_) | Self::Journal(_) => None,
        }
    }
}

/// What an environment may have left behind, by the names in the directories that such things are in.
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each directory that may have the name, in any combination"
)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Traces {
    /// There may be a directory in the checkout.
    directory: bool,
    /// There are records.
    records: bool,
    /// There is a certificate.
    certificate: bool,
    /// Its journal says that something was begun and not ended.
    unfinished: bool,
}

/// Lists all environments but the ones that are gone without a trace in this checkout, sorted by name.
///
/// No file is read twice, and of a journal only the end, where something was begun and not ended.
pub fn list(repository: &Repository, now: Timestamp) -> Result<Vec<Entry>, InventoryError> {
    let mut known = known(repository)?;
    // What is certified is gone, and is listed only for the directory that this checkout still has of it.
    known.retain(|(_, traces)| traces.directory || !traces.certificate);
    let entries = concurrent::map(&known, |(name, traces)| entry(repository, name, *traces, now));
    let is_listed = |entry: &Entry| entry.phase != Phase::Gone || entry.directory.is_some();
    entries
        .into_iter()
        .filter_map(Result::transpose)
        .filter(|entry| entry.as_ref().map_or(true, is_listed))
        .collect()
}

/// Returns the names that any directory of ours knows, sorted, each with where it was found.
fn known(repository: &Repository) -> Result<Vec<(EnvName, Traces)>, FileError> {
    let home = repository.home();
    let none = Traces::default();
    let places = [
        (repository.environments(), "", Traces { directory: true, ..none }),
        (home.environments(), "", Traces { records: true, ..none }),
        (home.certificates(), ".json", Traces { certificate: true, ..none }),
        // A destroy that was cut short between its last two steps has neither directory nor records, only an open journal.
        (home.unfinished(), "", Traces { unfinished: true, ..none }),
    ];
    let mut known = Vec::new();
    for names in concurrent::map(&places, |(directory, suffix, traces)| {
        names(directory, suffix).map(|names| (names, *traces))
    }) {
        let (names, traces) = names?;
        known.extend(names.into_iter().map(|name| (name, traces)));
    }
    // Four sorted runs, which a stable sort only merges.
    known.sort_by(|(left, _), (right, _)| left.cmp(right));
    known.dedup_by(|(name, traces), (kept, all)| {
        let is_same = name == kept;
        if is_same {
            all.directory |= traces.directory;
            all.records |= traces.records;
            all.certificate |= traces.certificate;
            all.unfinished |= traces.unfinished;
        }
        is_same
    });
    Ok(known)
}

/// Finds one environment, also one that is gone.
pub fn find(
    repository: &Repository,
    name: &EnvName,
    now: Timestamp,
) -> Result<Entry, InventoryError> {
    let home = repository.home();
    let traces = Traces {
        directory: true,
        records: home.environment(name).directory().exists(),
        certificate: home.certificate(name).exists(),
        unfinished: home.unfinished().join(name.as_str()).exists(),
    };
    if let Some(entry) = entry(repository, name, traces, now)? {
        return Ok(entry);
    }
    let known = list(repository, now)?.into_iter().map(|entry| entry.name).collect();
    Err(InventoryError::NotFound { name: name.clone(), known })
}

/// Reads an environment's state; a missing one is `None`.
///
/// Terraform empties the file before it writes it, so a kill in that instant or a full disk leaves one that is cut short. The
/// state is then the newest that Terraform put elsewhere, and where it put none, it is not known: `None`.
pub(crate) fn state(
    repository: &Repository,
    name: &EnvName,
) -> Result<Option<StateFile>, InventoryError> {
    let path = repository.home().environment(name).state();
    let read = file::present(file::read_small(&path)).during("read", &path);
    let Some(json) = read.map_err(|source| unreadable(name, source))? else { return Ok(None) };
    if let Some(parsed) = parse_whole(name, &path, &json) {
        return parsed.map(Some);
    }
    for path in spare_states(repository, name)? {
        let text = read_state(&path).map_err(|source| unreadable(name, source))?;
        if let Some(text) = text
            && let Some(parsed) = parse_whole(name, &path, text.as_bytes())
        {
            return parsed.map(Some);
        }
    }
    Ok(None)
}

/// Parses a state; `None` is one that was cut short.
fn parse_whole(
    name: &EnvName,
    path: &Path,
    json: &[u8],
) -> Option<Result<StateFile, InventoryError>> {
    match StateFile::from_json(json) {
        Ok(state) => Some(Ok(state)),
        Err(_) if !is_whole(&String::from_utf8_lossy(json)) => None,
        Err(source) => {
            Some(Err(InventoryError::State { name: name.clone(), path: path.to_owned(), source }))
        }
    }
}

/// Puts the newest state that is whole in the place of one that was cut short; returns whether there was anything to do.
pub(crate) fn restore_state(
    repository: &Repository,
    name: &EnvName,
) -> Result<bool, InventoryError> {
    let state = repository.home().environment(name).state();
    restore(&state, &spare_states(repository, name)?).map_err(|source| {
        if source.action == "read" { unreadable(name, source) } else { source.into() }
    })
}

fn unreadable(name: &EnvName, source: FileError) -> InventoryError {
    InventoryError::Unreadable { name: name.clone(), source }
}

fn restore(state: &Path, spares: &[PathBuf]) -> Result<bool, FileError> {
    let Some(torn) = read_state(state)?.filter(|text| !is_whole(text)) else {
        return Ok(false);
    };
    for spare in spares {
        if let Some(text) = read_state(spare)?.filter(|text| is_whole(text)) {
            file::write_private(state, text.as_bytes())?;
            // One that is put back must not be found again after a later accident.
            let is_backup = *spare == backup(state);
            return if is_backup { Ok(()) } else { file::remove_file_if_present(spare) }
                .map(|()| true);
        }
    }
    // Terraform would refuse it for ever. A person may still find something in it.
    if !torn.is_empty() {
        fs::rename(state, state.with_extension("tfstate.torn")).during("rename", state)?;
    }
    Ok(!torn.is_empty())
}

/// Reads the text of a state; bytes that are no text are damage, which its parser tells.
pub(crate) fn read_state(path: &Path) -> Result<Option<String>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).during("read", path),
    }
}

/// Returns whether JSON is not cut short; one that is damaged otherwise is what `env repair` is for.
pub(crate) fn is_whole(text: &str) -> bool {
    !serde_json::from_str::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof())
}

/// Returns where Terraform puts a state beside its place, the newest first: one that it failed to write goes to the root
/// module, the one before the last change is kept.
pub(crate) fn spare_states(
    repository: &Repository,
    name: &EnvName,
) -> Result<Vec<PathBuf>, FileError> {
    let records = repository.home().environment(name);
    let bundle = Bundle::open(&records.bundle())?.map(|bundle| bundle.root_module());
    let root_modules = [Some(repository.directory(name)), bundle];
    let errored = root_modules.into_iter().flatten().map(|root| root.join("errored.tfstate"));
    Ok(errored.chain([backup(&records.state())]).collect())
}

/// Where the `local` backend keeps the state before the last change.
fn backup(state: &Path) -> PathBuf {
    state.with_extension("tfstate.backup")
}

/// Returns the environment names among a directory's entries with this suffix, in the order of the entries.
pub(crate) fn names(directory: &Path, suffix: &str) -> Result<Vec<EnvName>, FileError> {
    let entries = file::list(directory)?;
    Ok(entries.iter().filter_map(|entry| entry.strip_suffix(suffix)?.parse().ok()).collect())
}

fn is_ending(milestone: Option<&Milestone>) -> bool {
    matches!(
        milestone,
        Some(
            Milestone::DestroyStarted | Milestone::DestroyFailed { .. } | Milestone::Proven { .. }
        )
    )
}

/// Returns what there is of an environment, or `None` where there is nothing.
fn entry(
    repository: &Repository,
    name: &EnvName,
    traces: Traces,
    now: Timestamp,
) -> Result<Option<Entry>, InventoryError> {
    let records = repository.home().environment(name);
    let mut notes = Vec::new();
    let place = repository.directory(name);
    let intent = if traces.directory {
        read_intent(&place.join("env.toml"), name, &mut notes)
    } else {
        Intent::Missing
    };
    let (directory, environment) = match intent {
        Intent::Missing if traces.records => {
            (None, read_intent(&records.intent(), name, &mut notes).environment())
        }
        Intent::Missing => (None, None),
        found => (Some(place), found.environment()),
    };
    let last = if traces.unfinished && !traces.certificate {
        milestone::last(&repository.home().journal(name))?
    } else {
        None
    };
    if directory.is_none() && !traces.records && !traces.certificate && !is_ending(last.as_ref()) {
        return Ok(None);
    }
    // A damaged state must not hide the others, and is never taken for an empty one.
    let found = if traces.records { state(repository, name) } else { Ok(None) };
    let (state, is_damaged) = match found {
        Ok(state) => (state, false),
        Err(error @ InventoryError::State { .. }) => {
            notes.push(format!("{error}: `cargo xtask env repair {name}` mends that"));
            (None, true)
        }
        Err(error @ InventoryError::Unreadable { .. }) => {
            notes.push(error.to_string());
            (None, true)
        }
        Err(error) => return Err(error),
    };
    let resources = state.as_ref().map_or(0, |state| state.managed().len());
    let phase = match &last {
        _ if traces.certificate => Phase::Gone,
        Some(Milestone::DestroyFailed { reason }) => {
            notes.push(format!("the last destroy failed: {reason}"));
            Phase::DestroyFailed
        }
        Some(Milestone::DestroyStarted | Milestone::Proven { .. }) => {
            notes.push(format!("its destroy did not finish: `cargo xtask env destroy {name} --confirm {name}` goes on with it"));
            Phase::Destroying
        }
        Some(Milestone::ApplyStarted { .. } | Milestone::ApplyFailed { .. }) => {
            notes.push(format!(
                "its last apply did not finish: `cargo xtask env up {name}` goes on with it"
            ));
            if resources > 0 { Phase::Deployed } else { Phase::Wanted }
        }
        _ if resources > 0 || is_damaged => Phase::Deployed,
        _ => Phase::Wanted,
    };
    if phase == Phase::Gone && directory.is_some() {
        notes.push(format!(
            "it was destroyed, but this checkout has its directory: remove `tf/envs/{name}`"
        ));
    }
    if directory.is_none() && phase == Phase::Deployed {
        notes.push("its directory is not in this checkout; plan, apply and destroy use the bundle of its last apply".to_owned());
    }
    let expired = environment.as_ref().is_some_and(|environment| environment.expires <= now);
    if expired && phase != Phase::Gone {
        notes.push(format!("its time is over: `cargo xtask env destroy {name} --confirm {name}`"));
    }
    let url = state
        .as_ref()
        .and_then(|state| state.outputs.get("url")?.value.as_ref()?.as_str().map(str::to_owned));
    Ok(Some(Entry {
        name: name.clone(),
        phase,
        directory,
        environment,
        url,
        resources,
        expired,
        notes,
    }))
}

/// What a file says of what an environment is meant to be.
enum Intent {
    /// There is no such file.
    Missing,
    /// It cannot be read or is not valid.
    Unreadable,
    Read(Box<Environment>),
}

impl Intent {
    fn environment(self) -> Option<Environment> {
        match self {
            Self::Read(environment) => Some(*environment),
            Self::Missing | Self::Unreadable => None,
        }
    }
}

/// Reads what an environment is meant to be; one broken file must not hide the others, so what is wrong becomes a note.
fn read_intent(path: &Path, name: &EnvName, notes: &mut Vec<String>) -> Intent {
    match Environment::read(path) {
        Ok(environment) => {
            if let Err(error) = environment.check_directory(name.as_str()) {
                notes.push(error.to_string());
            }
            Intent::Read(Box::new(environment))
        }
        Err(ReadError::Io { source, .. })
            if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            Intent::Missing
        }
        Err(error) => {
            notes.push(error.to_string());
            Intent::Unreadable
        }
    }
}

/// Returns the known name that is nearest, if it is near enough to be meant.
fn nearest<'a>(name: &EnvName, known: &'a [EnvName]) -> Option<&'a EnvName> {
    let distances =
        known.iter().map(|other| (strsim::osa_distance(name.as_str(), other.as_str()), other));
    distances.filter(|(distance, _)| *distance <= 3).min().map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_was_cut_short_is_the_newest_that_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("terraform.tfstate");
        let errored = directory.path().join("errored.tfstate");
        let spares = [errored.clone(), backup(&state)];
        assert!(!restore(&state, &spares).unwrap(), "there is none");
        fs::write(&state, "").unwrap();
        assert!(!restore(&state, &spares).unwrap(), "it was never written");
        fs::write(backup(&state), "{\"serial\": 1}").unwrap();
        assert!(restore(&state, &spares).unwrap());
        assert_eq!(fs::read_to_string(&state).unwrap(), "{\"serial\": 1}");
        assert!(!restore(&state, &spares).unwrap(), "it is whole");

        fs::write(&errored, "{\"serial\": 2}").unwrap();
        fs::write(&state, "{\"serial\": ").unwrap();
        assert!(restore(&state, &spares).unwrap());
        assert_eq!(fs::read_to_string(&state).unwrap(), "{\"serial\": 2}");
        assert!(!errored.exists());

        fs::remove_file(backup(&state)).unwrap();
        fs::write(&state, "{\"serial\": ").unwrap();
        assert!(restore(&state, &spares).unwrap());
        assert!(!state.exists());
        assert!(directory.path().join("terraform.tfstate.torn").exists());

        fs::write(&state, "{<<<<<<< ours").unwrap();
        assert!(!restore(&state, &spares).unwrap(), "that is no accident of ours");
    }

    /// A repository whose directories are made by hand, as any version of ours and any accident may leave them.
    struct Left {
        directory: tempfile::TempDir,
    }

    impl Left {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            duct::cmd!("git", "init", "--quiet").dir(directory.path()).run().unwrap();
            Self { directory }
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.directory.path().join(path.replace("HOME", ".git/menagerie"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn intent(&self, path: &str, name: &str) {
            let text = format!(
                "name = \"{name}\"\nowner = \"ada\"\ncreated = 2026-07-24T10:00:00Z\nexpires = 2026-07-24T18:00:00Z\n\
                 hosting = \"local\"\nsize = \"small\"\n[template]\nversion = 1\n"
            );
            self.write(&format!("{path}/{name}/env.toml"), &text);
        }

        fn state(&self, name: &str, file: &str, resources: usize) {
            let resource =
                r#"{"mode":"managed","type":"a","name":"b","instances":[{"index_key":0}]}"#;
            let resources = vec![resource; resources].join(",");
            let text = format!(
                r#"{{"version":4,"serial":1,"lineage":"l","outputs":{{"url":{{"value":"http://{name}"}}}},"resources":[{resources}]}}"#
            );
            self.write(&format!("HOME/envs/{name}/{file}"), &text);
        }

        /// As a run leaves it that is killed right after the last of these.
        fn journal(&self, name: &str, milestones: &[Milestone]) {
            let repository = Repository::open(self.directory.path()).unwrap();
            let name = name.parse().unwrap();
            for milestone in milestones {
                milestone::append(repository.home(), &name, milestone).unwrap();
            }
            menagerie_terraform::Journal::new(repository.home().journal(&name))
                .append(&serde_json::json!({"event": "terraform-started"}))
                .unwrap();
        }

        fn list(&self) -> String {
            let repository = Repository::open(self.directory.path()).unwrap();
            let now = "2026-07-24T12:00:00Z".parse().unwrap();
            let entries = list(&repository, now).unwrap();
            for entry in &entries {
                let found = find(&repository, &entry.name, now).unwrap();
                assert_eq!(format!("{entry:?}"), format!("{found:?}"));
            }
            let line = |entry: &Entry| {
                format!(
                    "{} {} {} {} {} {}\n",
                    entry.name,
                    entry.phase,
                    if entry.directory.is_some() { "here" } else { "away" },
                    entry
                        .environment
                        .as_ref()
                        .map_or("?", |environment| environment.owner.as_str()),
                    entry.url.as_deref().unwrap_or("-"),
                    entry.notes.len()
                )
            };
            entries.iter().map(line).collect()
        }
    }

    #[test]
    fn whatever_was_left_is_found() {
        let left = Left::new();
        assert_eq!(left.list(), "");
        left.intent("tf/envs", "wanted-newt");
        left.write("tf/envs/no-intent/main.tf", "");
        left.write("tf/envs/a-file", "");
        left.write("tf/envs/Not-a-name/env.toml", "");
        left.write("tf/envs/broken-intent/env.toml", "name = ");
        left.intent("tf/envs", "live-otter");
        left.state("live-otter", "terraform.tfstate", 2);
        left.journal("live-otter", &[Milestone::Created, Milestone::Applied]);
        left.intent("HOME/envs", "away-otter");
        left.state("away-otter", "terraform.tfstate", 1);
        left.journal("away-otter", &[Milestone::Applied]);
        left.state("empty-state", "terraform.tfstate", 0);
        left.write("HOME/envs/no-state/lock", "");
        left.write("HOME/envs/damaged-state/terraform.tfstate", "{<<<<<<< ours");
        left.write("HOME/envs/newer-state/terraform.tfstate", r#"{"version":5}"#);
        left.write("HOME/envs/torn-state/terraform.tfstate", r#"{"version":4,"#);
        left.write("HOME/envs/saved-state/terraform.tfstate", r#"{"version":5,"#);
        left.state("saved-state", "terraform.tfstate.backup", 1);
        left.journal("ending-lynx", &[Milestone::Applied, Milestone::DestroyStarted]);
        left.journal("once-planned", &[Milestone::Created]);
        left.write("HOME/certificates/gone-cat.json", "{}");
        left.state("gone-cat", "terraform.tfstate", 1);
        left.journal("gone-cat", &[Milestone::DestroyStarted]);
        left.write("HOME/certificates/gone-dog.json", "{}");
        left.intent("tf/envs", "gone-dog");
        insta::assert_snapshot!(left.list(), @"
        away-otter deployed away ada http://away-otter 1
        broken-intent wanted here ? - 1
        damaged-state deployed away ? - 2
        empty-state wanted away ? http://empty-state 0
        ending-lynx destroying away ? - 1
        gone-dog gone here ada - 1
        live-otter deployed here ada http://live-otter 0
        newer-state deployed away ? - 2
        no-state wanted away ? - 0
        saved-state deployed away ? http://saved-state 1
        torn-state wanted away ? - 0
        wanted-newt wanted here ada - 0
        ");
    }

    #[test]
    fn a_state_that_cannot_be_read_is_no_empty_one_and_hides_no_other() {
        let left = Left::new();
        left.intent("tf/envs", "calm-otter");
        left.intent("tf/envs", "keen-newt");
        left.write("HOME/envs/calm-otter/terraform.tfstate/x", "");
        let repository = Repository::open(left.directory.path()).unwrap();
        let entries = list(&repository, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(
            entries.iter().map(|entry| entry.phase).collect::<Vec<_>>(),
            [Phase::Deployed, Phase::Wanted]
        );
        assert_eq!(entries[0].notes, ["the state of `calm-otter` cannot be read"]);
    }

    #[test]
    fn a_listing_that_cannot_be_read_is_no_empty_answer() {
        let left = Left::new();
        left.write("tf/envs", "");
        let repository = Repository::open(left.directory.path()).unwrap();
        let error = list(&repository, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(error.to_string().starts_with("failed to read"), "{error}");
        let unknown = find(&repository, &"keen-newt".parse().unwrap(), Timestamp::UNIX_EPOCH);
        assert!(matches!(unknown, Err(InventoryError::File(_))), "{unknown:?}");
    }
}
