//! Options that not every supported tool has: refused by name, before anything runs, instead of by a usage text after it.

use crate::discover::Terraform;
use crate::execute::RunError;
use crate::version::{Flavour, Version};

/// The tool does not have an option that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("`{option}` of `{command}` is not in {flavour} {version}{}", hint(self))]
#[non_exhaustive]
pub struct Unsupported {
    /// The command.
    pub command: &'static str,
    /// The option.
    pub option: &'static str,
    /// Which tool it is.
    pub flavour: Flavour,
    /// Its version.
    pub version: Version,
    /// The version of the same tool that has it, where one has.
    pub since: Option<Version>,
}

fn hint(Unsupported { flavour, since, .. }: &Unsupported) -> String {
    match (since, flavour) {
        (Some(since), _) => format!(", but in {since} and later"),
        (None, Flavour::Terraform) => ", only in OpenTofu".to_owned(),
        (None, Flavour::OpenTofu) => ", only in Terraform".to_owned(),
    }
}

/// An option, and since when each tool has it; `None` where it has not.
#[derive(Debug)]
pub(crate) struct Gate {
    option: &'static str,
    terraform: Option<Version>,
    opentofu: Option<Version>,
}

/// `plan -exclude`.
pub(crate) const EXCLUDE: Gate =
    Gate { option: "-exclude", terraform: None, opentofu: Some(Version::OLDEST) };

/// `test -junit-xml`; for OpenTofu it is asked for in opentofu/opentofu#2501.
pub(crate) const JUNIT_XML: Gate =
    Gate { option: "-junit-xml", terraform: Some(Version::OLDEST), opentofu: None };

/// `test -parallelism`.
pub(crate) const TEST_PARALLELISM: Gate = Gate {
    option: "-parallelism",
    terraform: Some(Version { major: 1, minor: 12, patch: 0 }),
    opentofu: None,
};

/// `providers mirror -lock-file`.
pub(crate) const MIRROR_LOCK_FILE: Gate =
    Gate { option: "-lock-file", terraform: Some(Version::OLDEST), opentofu: None };

impl Gate {
    /// Refuses an option that is used and that the tool does not have.
    pub(crate) fn check(
        &self,
        is_used: bool,
        terraform: &Terraform,
        command: &'static str,
    ) -> Result<(), RunError> {
        let (flavour, version) = (terraform.flavour(), terraform.version());
        let since = match flavour {
            Flavour::Terraform => self.terraform,
            Flavour::OpenTofu => self.opentofu,
        };
        if !is_used || since.is_some_and(|since| since <= version) {
            return Ok(());
        }
        let option = self.option;
        let unsupported = Unsupported { command, option, flavour, version, since };
        Err(RunError::Unsupported(Box::new(unsupported)))
    }
}
