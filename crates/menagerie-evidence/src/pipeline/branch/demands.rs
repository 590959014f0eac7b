//! [`Both`]: what rulesets and the older protection ask of whoever changes a branch.

use std::collections::BTreeSet;

use crate::pipeline::answers::{Protection, Rule, RuleKind};

/// Something that is asked of whoever changes a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Demand {
    PullRequest,
    CodeOwners,
    FreshReviews,
    LastPushApproval,
    ResolvedConversations,
    UpToDate,
    NoForcePush,
    NoDeletion,
    LinearHistory,
    Signatures,
}

/// All that is asked of whoever changes a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Demands {
    set: BTreeSet<Demand>,
    reviewers: u64,
    checks: BTreeSet<String>,
}

/// What rulesets and what the older protection ask for, each where it is known. Both apply, so that the stricter holds.
pub(super) struct Both {
    pub(super) rules: Option<Demands>,
    pub(super) older: Option<Demands>,
}

impl Both {
    /// Returns whether one of them asks for it. What one asks holds whatever the other, unknown one does.
    pub(super) fn is_asked(&self, demand: Demand) -> Option<bool> {
        let asks = |demands: &Option<Demands>| {
            demands.as_ref().map(|demands| demands.set.contains(&demand))
        };
        match (asks(&self.rules), asks(&self.older)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }

    /// Returns how many reviewers are needed; where one of both is not known, as many as the other one wants, if it wants any.
    pub(super) fn reviewers(&self) -> Option<u64> {
        let known = self.rules.iter().chain(&self.older);
        let most = known.map(|demands| demands.reviewers).max();
        most.filter(|most| *most > 0 || self.is_known())
    }

    pub(super) fn checks(&self) -> Option<Vec<String>> {
        let known = self.rules.iter().chain(&self.older);
        let checks: BTreeSet<&String> = known.flat_map(|demands| &demands.checks).collect();
        let is_told = !checks.is_empty() || self.is_known();
        is_told.then(|| checks.into_iter().cloned().collect())
    }

    fn is_known(&self) -> bool {
        self.rules.is_some() && self.older.is_some()
    }
}

pub(super) fn of_rules(rules: &[Rule]) -> Demands {
    let mut demands = Demands::default();
    for rule in rules {
        match &rule.kind {
            RuleKind::PullRequest { parameters: rule } => {
                demands.reviewers = demands.reviewers.max(rule.required_approving_review_count);
                demands.ask([
                    (true, Demand::PullRequest),
                    (rule.require_code_owner_review, Demand::CodeOwners),
                    (rule.dismiss_stale_reviews_on_push, Demand::FreshReviews),
                    (rule.require_last_push_approval, Demand::LastPushApproval),
                    (rule.required_review_thread_resolution, Demand::ResolvedConversations),
                ]);
            }
            RuleKind::RequiredStatusChecks { parameters: rule } => {
                let checks = rule.required_status_checks.iter();
                demands.checks.extend(checks.map(|check| check.context.clone()));
                demands.ask([(rule.strict_required_status_checks_policy, Demand::UpToDate)]);
            }
            RuleKind::NonFastForward => demands.ask([(true, Demand::NoForcePush)]),
            RuleKind::Deletion => demands.ask([(true, Demand::NoDeletion)]),
            RuleKind::RequiredLinearHistory => demands.ask([(true, Demand::LinearHistory)]),
            RuleKind::RequiredSignatures => demands.ask([(true, Demand::Signatures)]),
            RuleKind::Other => {}
        }
    }
    demands
}

pub(super) fn of_protection(protection: &Protection) -> Demands {
    let mut demands = Demands::default();
    demands.ask([
        (protection.required_conversation_resolution.enabled, Demand::ResolvedConversations),
        (!protection.allow_force_pushes.enabled, Demand::NoForcePush),
        (!protection.allow_deletions.enabled, Demand::NoDeletion),
        (protection.required_linear_history.enabled, Demand::LinearHistory),
        (protection.required_signatures.enabled, Demand::Signatures),
    ]);
    if let Some(reviews) = &protection.required_pull_request_reviews {
        demands.reviewers = reviews.required_approving_review_count;
        demands.ask([
            (true, Demand::PullRequest),
            (reviews.require_code_owner_reviews, Demand::CodeOwners),
            (reviews.dismiss_stale_reviews, Demand::FreshReviews),
            (reviews.require_last_push_approval, Demand::LastPushApproval),
        ]);
    }
    if let Some(checks) = &protection.required_status_checks {
        let named = checks.checks.iter().map(|check| &check.context);
        demands.checks = checks.contexts.iter().chain(named).cloned().collect();
        demands.ask([(checks.strict, Demand::UpToDate)]);
    }
    demands
}

impl Demands {
    fn ask<const N: usize>(&mut self, demands: [(bool, Demand); N]) {
        self.set.extend(demands.iter().filter(|(is_asked, _)| *is_asked).map(|(_, demand)| demand));
    }
}
