//! Plans that are made to be judged.

use clap::Args;
use jiff::Timestamp;
use jiff::tz::Offset;
use menagerie_config::{Hosting, Settings, Ttl};
use menagerie_lifecycle::{PlanDocument, Repository, Request};
use menagerie_naming::EnvName;
use serde_json::{Value, json};

use super::handover::hand_over;
use super::program::Call;
use crate::env::creation::choice;
use crate::env::name;
use crate::output::{self, Terminal};
use crate::session::{self, Verbosity};

/// Which plans are made.
#[derive(Debug, Default, Args)]
pub(super) struct Plans {
    /// Plan this environment, and judge that too; may be given several times
    ///
    /// One of a cloud is rehearsed, with no account and as if nothing were there.
    #[arg(long = "env", value_name = "NAME", value_parser = name::parse, conflicts_with = "plan")]
    environments: Vec<EnvName>,

    /// Rehearse a new environment of this hosting, which is never made, and judge that too; may be given several times
    #[arg(long = "hosting", value_parser = choice::<Hosting>(Hosting::ALL, Hosting::as_str), conflicts_with = "plan")]
    hostings: Vec<Hosting>,

    #[command(flatten)]
    verbosity: Verbosity,
}

impl Plans {
    /// Returns whether none is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.environments.is_empty() && self.hostings.is_empty()
    }

    /// Makes the plans, and hands them over.
    pub(super) fn tell(
        &self,
        call: &mut Call,
        terminal: Terminal,
        repository: &Repository,
    ) -> anyhow::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        // Before Terraform is looked for and the provider built: a typing error is told at once.
        let mut hostings = Vec::new();
        for name in &self.environments {
            let entry = menagerie_lifecycle::find(repository, name, Timestamp::now())?;
            hostings.push((name, entry.environment.is_some_and(|known| known.hosting.is_cloud())));
        }
        let requests = self.hostings.iter().map(|hosting| request(repository, *hosting));
        let requests = requests.collect::<anyhow::Result<Vec<Request>>>()?;
        let documents = session::with(terminal, repository, self.verbosity, |session| {
            let mut documents = Vec::new();
            for (name, is_cloud) in hostings {
                documents.push(if is_cloud {
                    menagerie_lifecycle::rehearse_document(session, name)?
                } else {
                    menagerie_lifecycle::plan_document(session, name)?
                });
            }
            for request in &requests {
                documents.push(menagerie_lifecycle::rehearse_new_document(session, request)?);
            }
            Ok(documents)
        })?;
        for document in &documents {
            if document.is_rehearsal {
                output::say(&format!(
                    "REHEARSAL: `{}` was planned over a stand-in for its cloud, as if nothing were there",
                    document.root_module
                ));
            }
            call.option("--subject", subject(document)?.to_string());
        }
        Ok(())
    }
}

/// Returns what a new environment of a hosting is, as `env rehearse` has it.
fn request(repository: &Repository, hosting: Hosting) -> anyhow::Result<Request> {
    Ok(Request {
        name: None,
        hosting,
        size: repository.project()?.environment.size,
        owner: "rehearsal".parse().expect("a word is an owner"),
        ttl: Ttl::DEFAULT,
        settings: Settings::default(),
        seed: None,
    })
}

/// Returns what the program is told of a plan.
fn subject(document: &PlanDocument) -> anyhow::Result<Value> {
    let environment = document.environment.as_ref().map(|environment| {
        // The day on which it ends is the last one.
        let last = Offset::UTC.to_datetime(environment.expires).date();
        json!({"name": environment.name.as_str(), "expires": last.to_string()})
    });
    let files = match &document.files[..] {
        [] => None,
        files => Some(hand_over(json!(files).to_string().as_bytes())?),
    };
    Ok(json!({
        "root": document.root_module,
        "plan": hand_over(&document.json)?,
        "environment": environment,
        "files": files,
        "is_rehearsal": document.is_rehearsal,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_plan() {
        let document = PlanDocument {
            root_module: "tf/envs/rehearsal-ecs".to_owned(),
            environment: None,
            is_rehearsal: true,
            files: vec![("main.tf".to_owned(), "# Nothing.\n".to_owned())],
            json: b"{}".to_vec(),
        };
        let subject = subject(&document).unwrap();
        let read = |key: &str| std::fs::read_to_string(subject[key].as_str().unwrap()).unwrap();
        assert_eq!(read("plan"), "{}");
        assert_eq!(read("files"), r##"[["main.tf","# Nothing.\n"]]"##);
        assert_eq!(
            (&subject["environment"], &subject["is_rehearsal"]),
            (&Value::Null, &true.into())
        );
    }
}
