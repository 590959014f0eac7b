//! [`read_pipeline`]: workflows, actions, code owners and what GitHub says of branches.

mod action;
mod answers;
mod branch;
mod code_owners;
mod local;
mod pattern;
mod step;
mod uses;
mod workflow;

use std::collections::BTreeSet;
use std::ops::Range;

pub use answers::{GithubAnswers, GithubAnswersError};
pub use branch::unknown_of_branches;

use crate::fields::Fields;
use crate::text::Text;
use crate::yaml::{self, Node};
use crate::{Evidence, Files, tree};

/// What is asked about a pipeline besides its files.
#[derive(Clone, Copy, Debug, Default)]
pub struct PipelineOptions<'a> {
    /// The branches that must be told, also where nothing is known of them.
    pub branches: &'a [&'a str],
    /// What GitHub answered when it was asked about branches.
    pub answers: Option<&'a GithubAnswers>,
}

/// Reads workflows, the actions of this repository, code owners, and what GitHub answered about branches.
///
/// ```
/// use menagerie_evidence::{PipelineOptions, Texts, read_pipeline};
///
/// let text = "on: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v7\n";
/// let files: Texts = [(".github/workflows/ci.yml", text)].into_iter().collect();
/// let evidence = read_pipeline(&files, PipelineOptions::default());
/// let step = evidence.records.iter().find(|record| record.kind == "step").expect("there is a step");
/// assert_eq!(step.address, ".github/workflows/ci.yml:jobs.build.steps[0]");
/// assert_eq!(step.values["is_pinned"], false);
/// assert_eq!(step.place.as_ref().map(|place| (place.line, place.column)), Some((6, 15)));
/// ```
pub fn read_pipeline(files: &dyn Files, options: PipelineOptions<'_>) -> Evidence {
    let mut evidence = Evidence::default();
    for (path, is_directory) in tree::list(files, ".github/workflows", &mut evidence) {
        if !is_directory && is_yaml(&path) {
            read_yaml(files, &path, &mut evidence, workflow::read);
        }
    }
    let github = tree::walk(files, ".github", |_| false, &mut evidence);
    let root = tree::list(files, "", &mut evidence).into_iter().map(|(path, _)| path);
    let actions: BTreeSet<String> =
        root.chain(github.iter().cloned()).filter(|path| is_action(path)).collect();
    for path in &actions {
        read_yaml(files, path, &mut evidence, action::read);
    }
    local::read(files, actions, &mut evidence);
    code_owners::read(files, &github, &mut evidence);
    branch::read(options, &mut evidence);
    evidence
}

fn is_yaml(path: &str) -> bool {
    matches!(path.rsplit_once('.'), Some((_, "yml" | "yaml")))
}

fn is_action(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("action.yml" | "action.yaml"))
}

fn read_yaml(
    files: &dyn Files,
    path: &str,
    evidence: &mut Evidence,
    read: fn(&Document<'_>, &mut Evidence),
) {
    let Some(text) = tree::read(files, path, evidence) else { return };
    let text = Text::new(path, &text);
    match yaml::parse(text.content) {
        Ok((root, faults)) => {
            for fault in faults {
                text.refuse(evidence, fault.offset, fault.message);
            }
            match root {
                Some(root) if root.entries().is_some() => {
                    read(&Document { text: &text, root: &root }, evidence);
                }
                _ => text.refuse(evidence, 0, "there is no map of keys and values"),
            }
        }
        Err(fault) => text.refuse(evidence, fault.offset, fault.message),
    }
}

/// A file of YAML that is a map.
struct Document<'a> {
    text: &'a Text<'a>,
    root: &'a Node,
}

impl Document<'_> {
    /// Tells what in the file is not as GitHub wants it.
    fn refuse(&self, evidence: &mut Evidence, node: &Node, message: impl Into<String>) {
        self.text.refuse(evidence, node.span.start, message);
    }

    /// Adds a record of the file.
    fn add(
        &self,
        evidence: &mut Evidence,
        (kind, what): (&str, &str),
        fields: Fields,
        span: &Range<usize>,
    ) {
        let address = format!("{}:{what}", self.text.path);
        evidence.records.push(fields.into_record(kind, address, Some(self.text.place(span))));
    }
}
