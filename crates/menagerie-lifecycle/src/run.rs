//! What can go wrong in an operation that runs Terraform.

use crate::file::FileError;
use crate::hosting::HostingError;
use crate::image::ImageError;
use crate::inventory::InventoryError;
use crate::kind::{Explain, Kind};
use crate::lock::LockError;
use crate::milestone::MilestoneError;
use menagerie_config::{Hosting, MissingRun, ReadError};
use menagerie_naming::EnvName;
use menagerie_terraform::JournalError;

/// An operation on an environment did not reach its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The environment is not known, or what is known of it cannot be read.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// Another run works on it.
    #[error("`{name}` is being worked on by {holder}")]
    Held {
        /// The environment.
        name: EnvName,
        /// What the other run says of itself.
        holder: String,
    },
    /// Neither a directory nor a bundle says what it is made of.
    #[error("`{0}` has neither a directory in this checkout nor a bundle of an earlier apply")]
    NoSource(EnvName),
    /// Its state is not on this machine.
    #[error(
        "`{name}` runs on `{hosting}`, and Menagerie does not see states that are not on this machine yet"
    )]
    Remote {
        /// The environment.
        name: EnvName,
        /// Where it runs.
        hosting: Hosting,
    },
    /// Terraform was run in its directory by hand.
    #[error("Terraform was run by hand in `tf/envs/{0}`, so its state in S3 may hold something")]
    ByHand(EnvName),
    /// It is on its way out.
    #[error("`{0}` is being destroyed, or was: nothing else can be done with it any more")]
    Ending(EnvName),
    /// `menagerie.toml` or `env.toml` is wrong.
    #[error(transparent)]
    Project(#[from] ReadError),
    /// `menagerie.toml` does not say what to run.
    #[error(transparent)]
    Run(#[from] MissingRun),
    /// The application could not be built or copied.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The provider did not do what it was asked.
    #[error(transparent)]
    Hosting(#[from] HostingError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Terraform could not be run.
    #[error("failed to run `terraform {command}` for `{name}`")]
    Terraform {
        /// The environment.
        name: EnvName,
        /// Which command.
        command: &'static str,
        /// What is wrong.
        #[source]
        source: menagerie_terraform::RunError,
    },
    /// Terraform ended with errors.
    #[error("`terraform {command}` failed for `{name}`\n\n{diagnostics}")]
    Failed {
        /// The environment.
        name: EnvName,
        /// Which command.
        command: &'static str,
        /// Its diagnostics, as a person reads them.
        diagnostics: String,
    },
    /// Another Terraform holds the state's lock.
    #[error("the state of `{name}` is locked by {holder}")]
    StateLocked {
        /// The environment.
        name: EnvName,
        /// Who, as the lock says.
        holder: String,
    },
    /// It was interrupted.
    #[error("interrupted during {during} of `{name}`")]
    Interrupted {
        /// The environment.
        name: EnvName,
        /// What was being done.
        during: &'static str,
    },
    /// Terraform took longer than it may.
    #[error("`terraform {command}` took too long for `{name}` and was ended")]
    TimedOut {
        /// The environment.
        name: EnvName,
        /// Which command.
        command: &'static str,
    },
    /// The plan that would be applied is not the one that was shown.
    #[error(
        "the plan of `{name}` is no longer the one that was shown ({shown}, now {now})\n\n{difference}"
    )]
    PlanChanged {
        /// The environment.
        name: EnvName,
        /// The digest of the plan that was shown.
        shown: String,
        /// The digest of the plan as it would be now.
        now: String,
        /// What differs.
        difference: String,
    },
    /// The plan would destroy something, and nobody was shown that.
    #[error(
        "the plan of `{name}` would destroy or replace something that was not shown before\n\n{summary}"
    )]
    WouldDestroy {
        /// The environment.
        name: EnvName,
        /// The plan.
        summary: String,
    },
    /// Terraform found a plan stale that was made a moment ago.
    #[error("the state of `{0}` was changed by somebody else while its plan was made")]
    Stale(EnvName),
    /// A destroy left something.
    #[error("`{name}` is not destroyed; what remains:\n{}", remaining.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))]
    Incomplete {
        /// The environment.
        name: EnvName,
        /// What remains, one a line.
        remaining: Vec<String>,
        /// What stopped it.
        #[source]
        source: Option<Box<Self>>,
    },
}

impl From<MilestoneError> for RunError {
    fn from(error: MilestoneError) -> Self {
        match error {
            MilestoneError::File(error) => Self::File(error),
            MilestoneError::Journal(error) => Self::Journal(error),
        }
    }
}

impl RunError {
    pub(crate) fn held(name: &EnvName, error: LockError) -> Self {
        match error {
            LockError::Held { holder, .. } => Self::Held { name: name.clone(), holder },
            LockError::File(error) => Self::File(error),
        }
    }

    /// Tells in one line why an operation failed, for the journal.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Incomplete { remaining, .. } => format!("what remains: {}", remaining.join(", ")),
            _ => self.to_string().lines().next().unwrap_or_default().to_owned(),
        }
    }
}

impl Explain for RunError {
    fn kind(&self) -> Kind {
        match self {
            Self::Inventory(error) => error.kind(),
            Self::Held { .. } | Self::StateLocked { .. } => Kind::Locked,
            Self::Project(_) | Self::Run(_) => Kind::Invalid,
            Self::Ending(_)
            | Self::Remote { .. }
            | Self::ByHand(_)
            | Self::PlanChanged { .. }
            | Self::WouldDestroy { .. } => Kind::Refused,
            Self::Interrupted { .. } | Self::Image(ImageError::Interrupted) => Kind::Interrupted,
            Self::Incomplete { source, .. } => match source.as_deref() {
                Some(Self::Interrupted { .. }) => Kind::Interrupted,
                _ => Kind::Incomplete,
            },
            Self::NoSource(_)
            | Self::Image(_)
            | Self::Hosting(_)
            | Self::File(_)
            | Self::Journal(_)
            | Self::Terraform { .. }
            | Self::Failed { .. }
            | Self::TimedOut { .. }
            | Self::Stale(_) => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Inventory(error) => return error.hint(),
            Self::Hosting(HostingError::Refused { hint, .. }) => return hint.clone(),
            Self::Held { .. } => "wait until it has ended, and run the command again".to_owned(),
            Self::StateLocked { .. } => "if no Terraform runs any more, `terraform force-unlock` releases it".to_owned(),
            Self::NoSource(name) => format!("check out the branch that has `tf/envs/{name}`"),
            Self::Remote { name, .. } => format!(
                "`cargo xtask env plan {name} --rehearse` shows the plan without an account; its root module is whole, so that \
                 Terraform makes it by hand: `terraform -chdir=tf/envs/{name} init`, then `plan -var image=…`"
            ),
            Self::ByHand(name) => format!(
                "`terraform -chdir=tf/envs/{name} destroy -var image=…`, then remove `tf/envs/{name}`"
            ),
            Self::Ending(name) => {
                format!("`cargo xtask env destroy {name} --confirm {name}` finishes it; a new one has a new name")
            }
            Self::Run(_) => "docs/configuration.md describes `application.run`".to_owned(),
            Self::Image(ImageError::NotAPath(word)) => {
                format!("give the path of an executable file, such as `target/debug/{word}`: it is copied for each environment")
            }
            Self::Image(ImageError::NotExecutable(_)) => {
                "see that `application.build` in `menagerie.toml` makes it, and that `application.run` names it".to_owned()
            }
            Self::Interrupted { name, during: "the plan" | "the build" } => {
                format!("nothing was changed; `cargo xtask env up {name}` starts again")
            }
            Self::Interrupted { name, during: during @ ("the backup" | "the restore") } => {
                format!("{during} may go on without this command: `cargo xtask env status {name}` shows how it is")
            }
            Self::Interrupted { name, .. } => format!("`cargo xtask env up {name}` goes on from where it is"),
            Self::PlanChanged { name, .. } => format!("`cargo xtask env plan {name}` shows the new plan, and `env apply` applies that"),
            Self::WouldDestroy { name, .. } => {
                format!("`cargo xtask env plan {name}`, read it, then `cargo xtask env apply {name}`; or `--yes`")
            }
            Self::Stale(name) => format!("`cargo xtask env plan {name}` plans anew"),
            Self::Incomplete { name, .. } => {
                format!("`cargo xtask env destroy {name} --confirm {name}` tries again; it stays in `env list` until it is gone")
            }
            _ => return None,
        };
        Some(hint)
    }
}
