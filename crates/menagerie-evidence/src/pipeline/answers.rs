//! [`GithubAnswers`]: what GitHub said when it was asked, by the path that was asked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

/// What GitHub's REST API answered, by the part of the path behind `repos/OWNER/NAME/`; of a refusal its body.
///
/// ```
/// use menagerie_evidence::GithubAnswers;
///
/// let answers = GithubAnswers::parse(r#"{
///     "rules/branches/development": [{"type": "deletion", "ruleset_id": 1}],
///     "rulesets/1": {"id": 1, "bypass_actors": []},
///     "branches/development/protection": {"message": "Not Found", "status": "404"}
/// }"#)?;
/// # let _ = answers;
/// # Ok::<(), menagerie_evidence::GithubAnswersError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GithubAnswers {
    pub(super) branches: BTreeMap<String, BranchAnswers>,
    pub(super) environments: BTreeMap<String, Answer<Environment>>,
    pub(super) rulesets: BTreeMap<u64, Answer<Ruleset>>,
}

/// Why a text is no answers of GitHub.
#[derive(Debug, Error)]
pub enum GithubAnswersError {
    /// It is no JSON, or no object.
    #[error("it is no object of JSON: line {}, column {}", .0.line(), .0.column())]
    Json(#[source] serde_json::Error),
    /// Nothing is read of what was asked.
    #[error(
        "nothing is read of `{}`; paths are `rules/branches/BRANCH`, `branches/BRANCH`, `branches/BRANCH/protection`, \
         `rulesets/NUMBER` and `environments/NAME`", .0.escape_debug()
    )]
    Path(String),
    /// The same was asked twice.
    #[error("there are two answers to `{}`", .0.escape_debug())]
    Twice(String),
    /// The answer is not what GitHub answers there.
    #[error("what stands at `{}` is no answer of GitHub", .path.escape_debug())]
    Shape {
        /// What was asked.
        path: String,
        /// Why not.
        source: serde_json::Error,
    },
}

/// What was answered about a branch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BranchAnswers {
    pub(super) facts: Option<Answer<Facts>>,
    pub(super) rules: Option<Answer<Vec<Rule>>>,
    pub(super) protection: Option<Answer<Protection>>,
}

/// What was asked for, or the message of a refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer<T> {
    Given(T),
    Refused(String),
}

/// `GET branches/BRANCH`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Facts {
    pub(super) protected: bool,
}

/// One of `GET rules/branches/BRANCH`, of which GitHub tells only those that are in force.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Rule {
    #[serde(flatten)]
    pub(super) kind: RuleKind,
    pub(super) ruleset_id: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum RuleKind {
    PullRequest {
        parameters: PullRequest,
    },
    RequiredStatusChecks {
        parameters: RequiredChecks,
    },
    NonFastForward,
    Deletion,
    RequiredLinearHistory,
    RequiredSignatures,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "GitHub answers so")]
pub(super) struct PullRequest {
    pub(super) required_approving_review_count: u64,
    pub(super) require_code_owner_review: bool,
    pub(super) dismiss_stale_reviews_on_push: bool,
    pub(super) require_last_push_approval: bool,
    pub(super) required_review_thread_resolution: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct RequiredChecks {
    pub(super) required_status_checks: Vec<Check>,
    pub(super) strict_required_status_checks_policy: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Check {
    pub(super) context: String,
}

/// `GET rulesets/NUMBER`, which tells who passes by to those only who may change it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Ruleset {
    #[serde(rename = "id")]
    _id: u64,
    pub(super) bypass_actors: Option<Vec<Value>>,
}

/// `GET branches/BRANCH/protection`, the older kind of protection.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Protection {
    /// Always there; without it an empty object would be a protection.
    #[serde(rename = "url")]
    _url: String,
    pub(super) required_status_checks: Option<ProtectionChecks>,
    pub(super) required_pull_request_reviews: Option<ProtectionReviews>,
    #[serde(default)]
    pub(super) enforce_admins: Switch,
    #[serde(default)]
    pub(super) required_linear_history: Switch,
    #[serde(default)]
    pub(super) allow_force_pushes: Switch,
    #[serde(default)]
    pub(super) allow_deletions: Switch,
    #[serde(default)]
    pub(super) required_conversation_resolution: Switch,
    #[serde(default)]
    pub(super) required_signatures: Switch,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Switch {
    pub(super) enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct ProtectionChecks {
    #[serde(default)]
    pub(super) strict: bool,
    #[serde(default)]
    pub(super) contexts: Vec<String>,
    #[serde(default)]
    pub(super) checks: Vec<Check>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct ProtectionReviews {
    pub(super) dismiss_stale_reviews: bool,
    pub(super) require_code_owner_reviews: bool,
    /// Absent where no review is needed.
    #[serde(default)]
    pub(super) required_approving_review_count: u64,
    #[serde(default)]
    pub(super) require_last_push_approval: bool,
    #[serde(default)]
    pub(super) bypass_pull_request_allowances: Allowances,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Allowances {
    pub(super) users: Vec<Value>,
    pub(super) teams: Vec<Value>,
    pub(super) apps: Vec<Value>,
}

/// `GET environments/NAME`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Environment {
    #[serde(rename = "name")]
    _name: String,
    #[serde(default)]
    pub(super) protection_rules: Vec<EnvironmentRule>,
    /// Null where any branch may deploy.
    #[serde(default)]
    pub(super) deployment_branch_policy: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum EnvironmentRule {
    RequiredReviewers {
        #[serde(default)]
        prevent_self_review: bool,
        #[serde(default)]
        reviewers: Vec<Value>,
    },
    #[serde(other)]
    Other,
}

impl GithubAnswers {
    /// Parses an object of answers by their paths.
    pub fn parse(text: &str) -> Result<Self, GithubAnswersError> {
        let mut answers = Self::default();
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(GithubAnswersError::Json)?;
        for (path, value) in object {
            answers.take(&path, value)?;
        }
        Ok(answers)
    }

    fn take(&mut self, asked: &str, value: Value) -> Result<(), GithubAnswersError> {
        let path = asked.split('?').next().unwrap_or(asked).trim_start_matches('/');
        let is_new = if let Some(branch) = path.strip_prefix("rules/branches/") {
            self.branch(branch).rules.replace(answer(asked, value)?).is_none()
        } else if let Some(branch) = path.strip_prefix("branches/") {
            match branch.strip_suffix("/protection") {
                Some(branch) => {
                    self.branch(branch).protection.replace(answer(asked, value)?).is_none()
                }
                None => self.branch(branch).facts.replace(answer(asked, value)?).is_none(),
            }
        } else if let Some(name) = path.strip_prefix("environments/") {
            self.environments.insert(name.to_owned(), answer(asked, value)?).is_none()
        } else if let Some(Ok(number)) = path.strip_prefix("rulesets/").map(str::parse) {
            self.rulesets.insert(number, answer(asked, value)?).is_none()
        } else {
            return Err(GithubAnswersError::Path(asked.to_owned()));
        };
        if is_new { Ok(()) } else { Err(GithubAnswersError::Twice(asked.to_owned())) }
    }

    fn branch(&mut self, name: &str) -> &mut BranchAnswers {
        self.branches.entry(name.to_owned()).or_default()
    }
}

/// Reads an answer. A refusal comes first: of all that is asked for, nothing has a `message`.
fn answer<T: DeserializeOwned>(path: &str, value: Value) -> Result<Answer<T>, GithubAnswersError> {
    if let Some(message) = value.get("message").and_then(Value::as_str) {
        return Ok(Answer::Refused(message.to_owned()));
    }
    let shape = |source| GithubAnswersError::Shape { path: path.to_owned(), source };
    serde_json::from_value(value).map(Answer::Given).map_err(shape)
}
