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

/// Returns how many may pass by some of what is asked: people, teams, roles and applications that a ruleset or the older
/// protection names, and one for the administrators that the latter does not bind.
///
/// Where nobody may pass by the rulesets that ask for a pull request, the older protection can't take that back.
fn bypass_actors(
    rules: Option<&[Rule]>,
    older: Older<'_>,
    rulesets: &BTreeMap<u64, Answer<Ruleset>>,
) -> Option<usize> {
    let by_rules = rules.and_then(|rules| bypass_of_rules(rules, rulesets));
    let by_older = match older {
        Older::Is(protection) => Some(bypass_of_protection(protection)),
        Older::IsNot => Some(0),
        Older::Unknown => None,
    };
    let is_pull_request = |rule: &Rule| matches!(rule.kind, RuleKind::PullRequest { .. });
    match (by_rules, by_older) {
        (Some(rules), Some(older)) => Some(rules + older),
        (Some(one), None) | (None, Some(one)) if one > 0 => Some(one),
        (Some(_), None) if rules.is_some_and(|rules| rules.iter().any(is_pull_request)) => Some(0),
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
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOT_FOUND: &str = r#"{"message": "Not Found", "status": "404"}"#;
    const FORBIDDEN: &str =
        r#"{"message": "Resource not accessible by integration", "status": "403"}"#;
    /// As GitHub answered it to an administrator in 2022.
    const UNPROTECTED: &str = r#"{"message": "Branch not protected", "documentation_url": "https://docs.github.com/rest/reference/repos#get-branch-protection"}"#;
    const PULL_REQUEST: &str = r#"{"type": "pull_request", "ruleset_source_type": "Repository", "ruleset_source": "o/r", "ruleset_id": 1,
        "parameters": {"required_approving_review_count": 2, "require_code_owner_review": true, "dismiss_stale_reviews_on_push": true,
        "require_last_push_approval": false, "required_review_thread_resolution": false, "allowed_merge_methods": ["squash"]}}"#;
    const CHECKS: &str = r#"{"type": "required_status_checks", "ruleset_id": 2, "parameters": {"strict_required_status_checks_policy": true,
        "required_status_checks": [{"context": "gate", "integration_id": 15368}]}}"#;
    const PROTECTION: &str = r#"{"url": "https://api.github.com/repos/o/r/branches/b/protection", "enforce_admins": {"enabled": true},
        "required_status_checks": {"strict": false, "contexts": ["gate", "lint"], "checks": [{"context": "lint", "app_id": null}]},
        "required_pull_request_reviews": {"dismiss_stale_reviews": false, "require_code_owner_reviews": false, "required_approving_review_count": 1,
        "require_last_push_approval": true, "bypass_pull_request_allowances": {"users": [{}], "teams": [], "apps": []}},
        "allow_force_pushes": {"enabled": false}, "allow_deletions": {"enabled": true}, "required_signatures": {"url": "", "enabled": true}}"#;

    /// Returns each attribute of branch `b`; `null` where it is not known.
    fn branch(answers: &[(&str, &str)]) -> Value {
        let answers: Vec<String> =
            answers.iter().map(|(path, answer)| format!("{path:?}: {answer}")).collect();
        let answers = GithubAnswers::parse(&format!("{{{}}}", answers.join(","))).unwrap();
        let mut evidence = Evidence::default();
        read(PipelineOptions { branches: &["b"], answers: Some(&answers) }, &mut evidence);
        let record = evidence.records.swap_remove(0);
        assert_eq!(record.address, "branch:b");
        for (name, value) in record.values.as_object().unwrap() {
            assert_eq!(value.is_null(), record.unknown[name] == true, "{name}");
        }
        record.values
    }

    #[track_caller]
    fn check(answers: &[(&str, &str)], expected: &Value) {
        let values = branch(answers);
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&values[name], value, "{name} of {values}");
        }
    }

    #[test]
    fn without_an_answer_nothing_is_known() {
        for answers in [
            &[][..],
            &[("branches/b/protection", NOT_FOUND)],
            &[("branches/b/protection", FORBIDDEN), ("rules/branches/b", NOT_FOUND)],
            &[
                ("branches/b/protection", NOT_FOUND),
                ("branches/b", r#"{"protected": true}"#),
                ("rules/branches/b", "[]"),
            ],
            &[("rules/branches/b", "[]")],
            &[("branches/b/protection", UNPROTECTED)],
        ] {
            let values = branch(answers);
            let known = values.as_object().unwrap().values().filter(|value| !value.is_null());
            assert_eq!(known.count(), 1, "only the name of {values}");
        }
    }

    #[test]
    fn that_nothing_protects_it_is_known_from_both() {
        let open = json!({"requires_pull_request": false, "minimum_reviewers": 0, "required_checks": [],
            "allows_force_push": true, "allows_deletion": true, "bypass_actors": 0});
        check(&[("rules/branches/b", "[]"), ("branches/b/protection", UNPROTECTED)], &open);
        let facts = r#"{"name": "b", "protected": false}"#;
        check(&[("rules/branches/b", "[]"), ("branches/b", facts)], &open);
    }

    #[test]
    fn rules_alone() {
        let rules = format!(
            r#"[{PULL_REQUEST}, {CHECKS}, {{"type": "non_fast_forward", "ruleset_id": 2}}, {{"type": "update", "ruleset_id": 2, "parameters": {{"a": 1}}}}, {{"type": "merge_queue", "ruleset_id": 2, "parameters": null}}]"#
        );
        let rules = ("rules/branches/b?per_page=100", rules.as_str());
        check(
            &[rules, ("branches/b/protection", FORBIDDEN)],
            &json!({"requires_pull_request": true, "minimum_reviewers": 2, "requires_code_owners": true,
                "dismisses_stale_reviews": true, "requires_last_push_approval": null, "required_checks": ["gate"],
                "requires_up_to_date": true, "allows_force_push": false, "allows_deletion": null,
                "requires_signatures": null, "bypass_actors": null}),
        );
        let nobody = r#"{"id": 1, "bypass_actors": []}"#;
        let somebody = r#"{"id": 2, "bypass_actors": [{"actor_type": "OrganizationAdmin"}]}"#;
        let secret = r#"{"id": 2, "current_user_can_bypass": "never"}"#;
        let one = ("rulesets/1", nobody);
        check(&[rules, one, ("rulesets/2", somebody)], &json!({"bypass_actors": 1}));
        check(&[rules, one, ("rulesets/2", secret)], &json!({"bypass_actors": null}));
        check(
            &[rules, one, ("rulesets/2", r#"{"id": 2, "bypass_actors": []}"#)],
            &json!({"bypass_actors": 0}),
        );
    }

    #[test]
    fn the_stricter_of_both_holds() {
        let protection = ("branches/b/protection", PROTECTION);
        check(
            &[
                ("rules/branches/b", &format!("[{PULL_REQUEST}]")),
                protection,
                ("rulesets/1", r#"{"id": 1, "bypass_actors": []}"#),
            ],
            &json!({"minimum_reviewers": 2, "requires_code_owners": true, "requires_last_push_approval": true,
                "required_checks": ["gate", "lint"], "requires_up_to_date": false, "allows_force_push": false,
                "allows_deletion": true, "requires_signatures": true, "requires_linear_history": false, "bypass_actors": 1}),
        );
        check(
            &[protection],
            &json!({"minimum_reviewers": 1, "requires_code_owners": null, "allows_deletion": null}),
        );
        // Administrators are not bound, which GitHub's own recording has as well.
        let loose = r#"{"url": "u", "enforce_admins": {"url": "u", "enabled": false}}"#;
        check(
            &[("rules/branches/b", "[]"), ("branches/b/protection", loose)],
            &json!({"bypass_actors": 1, "allows_force_push": false}),
        );
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for (text, message) in [
            ("[]", "it is no object of JSON: line 1, column 0"),
            (
                r#"{"branches/b/protection": {}}"#,
                "what stands at `branches/b/protection` is no answer of GitHub",
            ),
            (
                r#"{"rules/branches/b": {}}"#,
                "what stands at `rules/branches/b` is no answer of GitHub",
            ),
            (
                r#"{"rules/branches/b": [{"type": "pull_request"}]}"#,
                "what stands at `rules/branches/b` is no answer of GitHub",
            ),
            (r#"{"branches/b": [], "x": 1}"#, "what stands at `branches/b` is no answer of GitHub"),
            (
                r#"{"rules/branches/b": [], "/rules/branches/b?page=2": []}"#,
                "there are two answers to `rules/branches/b`",
            ),
        ] {
            assert_eq!(GithubAnswers::parse(text).unwrap_err().to_string(), message);
        }
        let error = GithubAnswers::parse(r#"{"rulesets/x": {}}"#).unwrap_err().to_string();
        assert!(error.starts_with("nothing is read of `rulesets/x`"), "{error}");
    }

    #[test]
    fn environments() {
        let answers = GithubAnswers::parse(
            r#"{"environments/production": {"id": 1, "name": "production", "deployment_branch_policy": {"protected_branches": true, "custom_branch_policies": false},
                "protection_rules": [{"id": 1, "type": "wait_timer", "wait_timer": 30}, {"id": 2, "type": "branch_policy"},
                {"id": 3, "type": "required_reviewers", "prevent_self_review": true, "reviewers": [{"type": "Team"}, {"type": "User"}]}]},
                "environments/secret": {"message": "Not Found"}}"#,
        );
        let mut evidence = Evidence::default();
        read(PipelineOptions { branches: &[], answers: Some(&answers.unwrap()) }, &mut evidence);
        let [production, secret] = &evidence.records[..] else { panic!("two records") };
        assert_eq!(
            production.values,
            json!({"name": "production", "reviewers": 2, "prevents_self_review": true, "restricts_branches": true})
        );
        assert_eq!(
            secret.unknown,
            json!({"reviewers": true, "prevents_self_review": true, "restricts_branches": true})
        );
    }

    #[test]
    fn what_is_not_known_is_told() {
        let answers = GithubAnswers::parse(
            r#"{"rules/branches/a": [], "rules/branches/b": {"message": "Not Found"}}"#,
        )
        .unwrap();
        let notes =
            unknown_of_branches(PipelineOptions { branches: &["a", "b"], answers: Some(&answers) });
        assert_eq!(notes.len(), 3);
        assert!(notes[0].contains("`administration: read`"), "{}", notes[0]);
        assert!(notes[1].ends_with("branch `b`: Not Found"), "{}", notes[1]);
        assert_eq!(
            unknown_of_branches(PipelineOptions { branches: &["a"], answers: None }).len(),
            2
        );
    }
}
