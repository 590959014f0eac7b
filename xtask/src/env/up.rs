//! `env up`.

use clap::Args;
use jiff::Timestamp;
use menagerie_config::Owner;
use menagerie_lifecycle::{ApplyOptions, Entry, Explain as _, Kind, Phase, Progress, Repository};
use menagerie_naming::EnvName;

use crate::env::creation::Creation;
use crate::env::facts::relative;
use crate::env::{deployment, name, new, plan};
use crate::exit;
use crate::output::{Format, Terminal};
use crate::report::Problem;
use crate::session::{self, Verbosity};

/// Create an environment and start it, or bring one up to date
///
/// Without NAME it makes a new one. One that exists is planned again and applied, so that an `up` that was interrupted goes
/// on from where it is; a plan that would destroy or replace something is refused.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// The environment [default: a new one with a pet name that was never used]
    #[arg(value_parser = name::parse)]
    name: Option<EnvName>,

    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    verbosity: Verbosity,

    #[command(flatten)]
    creation: Creation,
}

impl Up {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        match self.name.clone() {
            Some(name) if exists(&repository, &name)? => self.update(terminal, &repository, &name),
            _ => self.create(terminal, &repository),
        }
    }

    fn update(
        self,
        terminal: Terminal,
        repository: &Repository,
        name: &EnvName,
    ) -> anyhow::Result<()> {
        if let Some(option) = self.creation.given() {
            let problem =
                Problem::usage(format!("`{name}` exists, so `{option}` has nothing to create"));
            return Err(problem.hint(format!("leave it out, or edit `tf/envs/{name}`")).into());
        }
        if self.dry_run {
            return plan::run(terminal, repository, name, self.format, self.verbosity);
        }
        let deployed = session::with(terminal, repository, self.verbosity, |session| {
            deployment::apply(session, name, &ApplyOptions::default())
        })?;
        deployment::print(terminal, repository, &deployed, self.format)
    }

    fn create(self, terminal: Terminal, repository: &Repository) -> anyhow::Result<()> {
        let is_drawn = self.name.is_none();
        let now = Timestamp::now();
        let request = self.creation.request(self.name, repository)?;
        if request.hosting.is_cloud() {
            let hosting = request.hosting;
            let problem = Problem::new(
                exit::REFUSED,
                format!(
                    "`env up` can't bring up `{hosting}` yet: Menagerie does not see states that are not on this machine"
                ),
            );
            let hint = format!(
                "`cargo xtask env new --hosting {hosting}` makes its root module, and `cargo xtask env rehearse --hosting {hosting}` shows that it works, with no account"
            );
            return Err(problem.hint(hint).into());
        }
        if self.dry_run {
            let draft = menagerie_lifecycle::draft(repository, &request, now)?;
            return new::print_draft(&draft, self.format, repository.root(), now);
        }
        if is_drawn {
            remind(terminal, repository, &request.owner, now)?;
        }
        // The session comes first: without Terraform or a provider, no name is used up.
        let deployed = session::with(terminal, repository, self.verbosity, |session| {
            let draft = menagerie_lifecycle::create(repository, &request, now)?;
            let created = relative(&draft.directory, repository.root());
            (session.observer)(Progress::Note(&format!("created `{created}`")));
            deployment::apply(session, &draft.environment.name, &ApplyOptions::default())
        })?;
        deployment::print(terminal, repository, &deployed, self.format)
    }
}

/// Returns whether a name is an environment's; what was destroyed is none, and its name is not free either.
fn exists(repository: &Repository, name: &EnvName) -> anyhow::Result<bool> {
    match menagerie_lifecycle::find(repository, name, Timestamp::now()) {
        Ok(entry) => Ok(entry.phase != Phase::Gone),
        Err(error) if error.kind() == Kind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Says which environments of this machine and this owner still want something: a new one hides an interrupted one.
fn remind(
    terminal: Terminal,
    repository: &Repository,
    owner: &Owner,
    now: Timestamp,
) -> anyhow::Result<()> {
    let entries = menagerie_lifecycle::list(repository, now)?;
    let is_ours = |entry: &&Entry| {
        let is_owners =
            entry.environment.as_ref().is_none_or(|environment| environment.owner == *owner);
        is_owners && repository.home().journal(&entry.name).exists()
    };
    for reminder in entries.iter().filter(is_ours).flat_map(reminders) {
        terminal.note(&reminder);
    }
    Ok(())
}

fn reminders(entry: &Entry) -> Vec<String> {
    let name = &entry.name;
    match entry.phase {
        Phase::Wanted if entry.notes.is_empty() => {
            vec![format!(
                "`{name}` is not deployed yet: `cargo xtask env up {name}` goes on with it"
            )]
        }
        _ => entry.notes.iter().map(|note| format!("`{name}`: {note}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::facts::tests::{deployed, failed};

    #[track_caller]
    fn check(entry: &Entry, expected: &[&str]) {
        assert_eq!(reminders(entry), expected);
    }

    #[test]
    fn reminders_of_what_is_unfinished() {
        check(&deployed("calm-otter"), &[]);
        check(&failed("lost-lynx"), &["`lost-lynx`: the last destroy failed: no\nwonder"]);
        let wanted = Entry { phase: Phase::Wanted, ..deployed("keen-newt") };
        check(
            &wanted,
            &["`keen-newt` is not deployed yet: `cargo xtask env up keen-newt` goes on with it"],
        );
    }
}
