//! Branches and deployment environments, as far as GitHub told who may change them.

mod demands;

use std::collections::{BTreeMap, BTreeSet};

use demands::{Both, Demand, Demands, of_protection, of_rules};

use super::PipelineOptions;
use super::answers::{
    Answer, BranchAnswers, Environment, EnvironmentRule, Facts, GithubAnswers, Protection, Rule,
    RuleKind, Ruleset,
};
use crate::Evidence;
use crate::fields::Fields;

/// What GitHub answers to somebody who may see a protection, where there is none. To others it says that nothing is found.
const NOT_PROTECTED: &str = "Branch not protected";

/// Adds a record of each branch that is asked for or that was answered about, and of each environment.
pub(super) fn read(options: PipelineOptions<'_>, evidence: &mut Evidence) {
    let nothing = GithubAnswers::default();
    let answers = options.answers.unwrap_or(&nothing);
    let named = options.branches.iter().copied();
    let branches: BTreeSet<&str> =
        named.chain(answers.branches.keys().map(String::as_str)).collect();
    for name in branches {
        let record = match answers.branches.get(name) {
            Some(branch) => fields(name, branch, &answers.rulesets),
            None => fields(name, &BranchAnswers::default(), &answers.rulesets),
        };
        evidence.records.push(record.into_record("branch", format!("branch:{name}"), None));
    }
    for (name, environment) in &answers.environments {
        let record = environment_fields(name, environment);
        let address = format!("deployment_environment:{name}");
        evidence.records.push(record.into_record("deployment_environment", address, None));
    }
}

/// Says for each branch what can't be known from the answers, and what would tell it.
pub fn unknown_of_branches(options: PipelineOptions<'_>) -> Vec<String> {
    let nothing = BranchAnswers::default();
    let mut notes = Vec::new();
    for name in options.branches {
        let branch = options.answers.and_then(|answers| answers.branches.get(*name));
        let branch = branch.unwrap_or(&nothing);
        let name = name.escape_debug();
        match &branch.rules {
            None => notes.push(format!(
                "nobody asked GitHub for the rules of branch `{name}`, which needs `metadata: read`"
            )),
            Some(Answer::Refused(message)) => notes.push(format!(
                "GitHub did not tell the rules of branch `{name}`: {}",
                message.escape_debug()
            )),
            Some(Answer::Given(_)) => {}
        }
        if matches!(older_protection(branch), Older::Unknown) {
            notes.push(format!(
                "whether branch `{name}` has the older kind of protection is not known: GitHub tells it to \
                 `administration: read`"
            ));
        }
    }
    notes
}

/// The older kind of protection.
#[derive(Clone, Copy, Debug)]
enum Older<'a> {
    Is(&'a Protection),
    IsNot,
    Unknown,
}

fn fields(name: &str, branch: &BranchAnswers, rulesets: &BTreeMap<u64, Answer<Ruleset>>) -> Fields {
    let rules = match &branch.rules {
        Some(Answer::Given(rules)) => Some(&rules[..]),
        _ => None,
    };
    let older = older_protection(branch);
    let both = Both {
        rules: rules.map(of_rules),
        older: match older {
            Older::Is(protection) => Some(of_protection(protection)),
            Older::IsNot => Some(Demands::default()),
            Older::Unknown => None,
        },
    };
    let mut fields = Fields::default();
    fields.set("name", name);
    fields.set_if_known("minimum_reviewers", both.reviewers());
    fields.set_if_known("required_checks", both.checks());
    fields.set_if_known("bypass_actors", bypass_actors(rules, older, rulesets));
    for (attribute, demand) in [
        ("requires_pull_request", Demand::PullRequest),
        ("requires_code_owners", Demand::CodeOwners),
        ("dismisses_stale_reviews", Demand::FreshReviews),
        ("requires_last_push_approval", Demand::LastPushApproval),
        ("requires_conversation_resolution", Demand::ResolvedConversations),
        ("requires_up_to_date", Demand::UpToDate),
        ("requires_linear_history", Demand::LinearHistory),
        ("requires_signatures", Demand::Signatures),
    ] {
        fields.set_if_known(attribute, both.is_asked(demand));
    }
    for (attribute, demand) in
        [("allows_force_push", Demand::NoForcePush), ("allows_deletion", Demand::NoDeletion)]
    {
        fields.set_if_known(attribute, both.is_asked(demand).map(|is_asked| !is_asked));
    }
    fields
}

fn older_protection(branch: &BranchAnswers) -> Older<'_> {
    match (&branch.protection, &branch.facts) {
        (Some(Answer::Given(protection)), _) => Older::Is(protection),
        (Some(Answer::Refused(message)), _) if message == NOT_PROTECTED => Older::IsNot,
        (_, Some(Answer::Given(Facts { protected: false }))) => Older::IsNot,
        _ => Older::Unknown,
    }
}

/// Returns how many may pass by some of what rulesets ask: people, teams, roles and applications. Where no ruleset asks for a
/// pull request, also those that the older protection lets pass, and one for the administrators that it does not bind.
///
/// Where one asks for it, the older protection can't take that back, and so it does not matter whether it is known.
fn bypass_actors(
    rules: Option<&[Rule]>,
    older: Older<'_>,
    rulesets: &BTreeMap<u64, Answer<Ruleset>>,
) -> Option<usize> {
    let by_rules = rules.and_then(|rules| bypass_of_rules(rules, rulesets));
    let is_pull_request = |rule: &Rule| matches!(rule.kind, RuleKind::PullRequest { .. });
    if rules.is_some_and(|rules| rules.iter().any(is_pull_request)) {
        return by_rules;
    }
    let by_older = match older {
        Older::Is(protection) => Some(bypass_of_protection(protection)),
        Older::IsNot => Some(0),
        Older::Unknown => None,
    };
    match (by_rules, by_older) {
        (Some(rules), Some(older)) => Some(rules + older),
        (Some(rules), None) if rules > 0 => Some(rules),
        _ => None,
    }
}

/// Returns how many may pass by the rulesets of these rules, if GitHub told it of each.
fn bypass_of_rules(rules: &[Rule], rulesets: &BTreeMap<u64, Answer<Ruleset>>) -> Option<usize> {
    let numbers: Option<BTreeSet<u64>> = rules.iter().map(|rule| rule.ruleset_id).collect();
    let actors = numbers?.into_iter().map(|number| match rulesets.get(&number) {
        Some(Answer::Given(ruleset)) => ruleset.bypass_actors.as_ref().map(Vec::len),
        _ => None,
    });
    actors.sum()
}

fn bypass_of_protection(protection: &Protection) -> usize {
    let administrators = usize::from(!protection.enforce_admins.enabled);
    let Some(reviews) = &protection.required_pull_request_reviews else { return administrators };
    let allowed = &reviews.bypass_pull_request_allowances;
    administrators + allowed.users.len() + allowed.teams.len() + allowed.apps.len()
}

fn environment_fields(name: &str, environment: &Answer<Environment>) -> Fields {
    let mut fields = Fields::default();
    fields.set("name", name);
    let Answer::Given(environment) = environment else {
        for name in ["reviewers", "prevents_self_review", "restricts_branches"] {
            fields.set_unknown(name);
        }
        return fields;
    };
    let (mut count, mut prevents) = (0, false);
    for rule in &environment.protection_rules {
        if let EnvironmentRule::RequiredReviewers { prevent_self_review, reviewers } = rule {
            count += reviewers.len();
            prevents |= *prevent_self_review;
        }
    }
    fields.set("reviewers", count);
    fields.set("prevents_self_review", prevents);
    fields.set("restricts_branches", environment.deployment_branch_policy.is_some());
    fields
}

#[cfg(test)]
mod tests;
