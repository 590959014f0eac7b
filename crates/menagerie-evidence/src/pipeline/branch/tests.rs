//! What is known of a branch by which answers.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOT_FOUND: &str = r#"{"message": "Not Found", "status": "404"}"#;
const FORBIDDEN: &str = r#"{"message": "Resource not accessible by integration", "status": "403"}"#;
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
            "allows_deletion": true, "requires_signatures": true, "requires_linear_history": false, "bypass_actors": 0}),
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
        (r#"{"rules/branches/b": {}}"#, "what stands at `rules/branches/b` is no answer of GitHub"),
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
    assert_eq!(unknown_of_branches(PipelineOptions { branches: &["a"], answers: None }).len(), 2);
}

fn rules() -> impl Strategy<Value = String> {
    let pull_request = (0..3_u8, any::<[bool; 4]>()).prop_map(|(count, [owners, stale, last, threads])| {
        format!(
            r#"{{"type": "pull_request", "ruleset_id": 1, "parameters": {{"required_approving_review_count": {count},
            "require_code_owner_review": {owners}, "dismiss_stale_reviews_on_push": {stale},
            "require_last_push_approval": {last}, "required_review_thread_resolution": {threads}}}}}"#
        )
    });
    let others = [
        "non_fast_forward",
        "deletion",
        "required_linear_history",
        "required_signatures",
        "creation",
    ];
    let others = prop::sample::select(
        others.map(|kind| format!(r#"{{"type": "{kind}", "ruleset_id": 2}}"#)).to_vec(),
    );
    let rule = prop_oneof![pull_request, Just(CHECKS.to_owned()), others];
    prop::collection::vec(rule, 0..5).prop_map(|rules| format!("[{}]", rules.join(",")))
}

fn older() -> impl Strategy<Value = String> {
    (0..3_u8, any::<[bool; 6]>()).prop_map(|(count, [exists, reviews, binds, forces, deletes, signs])| {
        if !exists {
            return UNPROTECTED.to_owned();
        }
        let reviews = if reviews {
            format!(r#"{{"dismiss_stale_reviews": {signs}, "require_code_owner_reviews": {forces}, "required_approving_review_count": {count}}}"#)
        } else {
            "null".to_owned()
        };
        format!(
            r#"{{"url": "u", "enforce_admins": {{"enabled": {binds}}}, "allow_force_pushes": {{"enabled": {forces}}},
            "allow_deletions": {{"enabled": {deletes}}}, "required_signatures": {{"enabled": {signs}}},
            "required_pull_request_reviews": {reviews}}}"#
        )
    })
}

/// Returns whether a value that is known from a part of the answers still holds when all are known.
fn holds(name: &str, part: &Value, all: &Value) -> bool {
    match name {
        _ if part.is_null() || part == all => true,
        "minimum_reviewers" => part.as_u64() < all.as_u64(),
        "bypass_actors" => part.as_u64() > Some(0) && part.as_u64() < all.as_u64(),
        "required_checks" => {
            let has = |check| all.as_array().is_some_and(|all| all.contains(check));
            part.as_array().is_some_and(|part| !part.is_empty() && part.iter().all(has))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn what_is_known_without_an_answer_is_so_with_it(rules in rules(), older in older(), actors in 0..3_usize) {
        let actors = vec!["{}"; actors].join(",");
        let one = format!(r#"{{"id": 1, "bypass_actors": [{actors}]}}"#);
        let two = r#"{"id": 2, "bypass_actors": []}"#;
        let all = [("rules/branches/b", rules.as_str()), ("branches/b/protection", &older), ("rulesets/1", &one), ("rulesets/2", two)];
        let whole = branch(&all);
        prop_assert!(whole.as_object().unwrap().values().all(|value| !value.is_null()), "{whole}");
        for left_out in 0..16_usize {
            let some: Vec<_> = all.iter().enumerate().map(|(index, (path, answer))| {
                (*path, if left_out >> index & 1 == 0 { *answer } else { NOT_FOUND })
            }).collect();
            let part = branch(&some);
            for (name, value) in part.as_object().unwrap() {
                prop_assert!(holds(name, value, &whole[name]), "{name}: {value} of {part}, {whole}");
            }
        }
    }
}
