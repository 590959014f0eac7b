//! [`Input`]: all that is judged, any part of which may be missing.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

/// What is judged. A part that is not there was not read: its rules say nothing, not even that something is missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Input<'a> {
    /// The directory of the root module, relative to the repository; empty where nobody said. Findings of a plan carry it, so
    /// that a waiver for one root module is none for another.
    pub root: &'a str,
    /// The environment whose plan it is.
    pub environment: Option<&'a EnvironmentFacts>,
    /// A plan or a state, as `terraform show -json` prints it.
    pub plan: Option<&'a [u8]>,
    /// Production's plan or state, with which the other is compared.
    pub production: Option<&'a [u8]>,
    /// What the HCL sources say.
    pub configuration: Option<&'a [Record]>,
    /// Workflows, code owners, and the rules of branches.
    pub pipeline: Option<&'a [Record]>,
    /// The environments that are wanted.
    pub inventory: Option<&'a [Record]>,
    /// What the application is made of.
    pub application: Option<&'a [Record]>,
}

/// What a waiver has to know of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentFacts {
    /// Its name.
    pub name: String,
    /// The last day on which it lives.
    pub expires: Date,
}

/// Something beside a plan that is judged as a resource is.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What it is, as a rule's `type` names it: `module`, `job`, `branch`, ….
    pub kind: String,
    /// Where it is and what, `WHERE:WHAT`: `tf/production:module.database`.
    pub address: String,
    /// Its attributes.
    pub values: Value,
    /// Which of them are not known: `true` in their places, as in a plan's `after_unknown`; null where all are known.
    pub unknown: Value,
    /// Where it stands, if it stands in a file.
    pub place: Option<Place>,
}

/// A stretch of a file of the repository. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The file, relative to the repository, with `/`.
    pub file: String,
    /// The line where it begins.
    pub line: usize,
    /// The column where it begins.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column after its last character.
    pub end_column: usize,
}

/// Where a finding points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// What a person would change.
    pub primary: Place,
    /// The rest of the way, each with a few words.
    pub related: Vec<(Place, String)>,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A plan or a state.
    #[default]
    Plan,
    /// The HCL sources.
    Configuration,
    /// Workflows, code owners, and the rules of branches.
    Pipeline,
    /// The environments that are wanted.
    Inventory,
    /// What the application is made of.
    Application,
    /// What a plan has otherwise than production.
    Parity,
}

impl<'a> Input<'a> {
    /// Returns the records of a source; none where it was not read, or is the plan.
    pub fn records(&self, source: Source) -> Option<&'a [Record]> {
        match source {
            Source::Plan | Source::Parity => None,
            Source::Configuration => self.configuration,
            Source::Pipeline => self.pipeline,
            Source::Inventory => self.inventory,
            Source::Application => self.application,
        }
    }

    /// Returns whether a source was read.
    pub fn has(&self, source: Source) -> bool {
        match source {
            Source::Plan => self.plan.is_some(),
            Source::Parity => self.plan.is_some() && self.production.is_some(),
            source => self.records(source).is_some(),
        }
    }
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Plan,
        Self::Configuration,
        Self::Pipeline,
        Self::Inventory,
        Self::Application,
        Self::Parity,
    ];

    /// Returns whether what is found belongs to the root module and the environment whose plan is judged.
    pub fn is_of_plan(self) -> bool {
        matches!(self, Self::Plan | Self::Parity)
    }

    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Configuration => "configuration",
            Self::Pipeline => "pipeline",
            Self::Inventory => "inventory",
            Self::Application => "application",
            Self::Parity => "parity",
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|source| source.as_str() == text).ok_or_else(|| {
            format!(
                "there is no input `{}`; there is {}",
                text.escape_debug(),
                Self::ALL.map(|source| format!("`{source}`")).join(", ")
            )
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_back() {
        for source in Source::ALL {
            assert_eq!(source.to_string().parse(), Ok(source));
        }
        let error = "Plan\n".parse::<Source>().unwrap_err();
        assert!(error.starts_with(r"there is no input `Plan\n`; there is `plan`, "), "{error}");
    }
}
