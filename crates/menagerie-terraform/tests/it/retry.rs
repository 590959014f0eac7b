//! What fails for a reason that passes is tried again; an apply only by a new plan that somebody agrees to.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use menagerie_plan::Plan;
use menagerie_terraform::{
    ApplyOptions, Cause, Decision, Ended, InitOptions, Notice, PlanOptions, Reapplied, Reapply,
    Relation, RetryOptions, retry,
};
use serde_json::json;

use crate::fake;
use crate::support::{Root, done, ignore};

const THROTTLED: (&str, &str) = (
    "creating ECS Service (web)",
    "operation error ECS: CreateService, exceeded maximum number of attempts, 25, ThrottlingException: Rate exceeded",
);
const RESET: (&str, &str) = (
    "reading S3 Bucket (logs)",
    "read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer",
);
const FINAL: (&str, &str) = ("Reference to undeclared local value", "A local value is missing.");

fn quick() -> RetryOptions {
    RetryOptions { pause: Duration::from_millis(1), ..RetryOptions::default() }
}

/// Returns a root whose commands fail with these, one after the other, and then do not.
fn flaky(errors: &[(&str, (&str, &str))]) -> Root {
    let mut root = fake::root("flaky");
    let lines = errors.iter().map(|(command, (summary, detail))| {
        let diagnostic = json!({"severity": "error", "summary": summary, "detail": detail});
        format!("{command} {}\n", json!({"type": "diagnostic", "diagnostic": diagnostic}))
    });
    fs::write(root.beside("errors"), lines.collect::<String>()).unwrap();
    fs::write(root.beside("plan.json"), plan(&["a.b"]).to_string()).unwrap();
    for (name, file) in [("FAKE_ERRORS", "errors"), ("FAKE_PLAN", "plan.json")] {
        root.workdir.environment.insert(name.into(), root.beside(file).into());
    }
    root
}

fn plan(addresses: &[&str]) -> serde_json::Value {
    let changes = addresses.iter().map(|address| {
        json!({
            "address": address, "mode": "managed", "type": "a", "name": "b",
            "change": {"actions": ["create"], "before": null, "after": {"size": 1}, "after_unknown": {"id": true}},
        })
    });
    json!({"format_version": "1.2", "resource_changes": changes.collect::<Vec<_>>()})
}

fn shown(addresses: &[&str]) -> Plan {
    Plan::from_json(plan(addresses).to_string().as_bytes()).unwrap()
}

/// Plans, and returns how it ended and which attempts were announced with which reason.
fn plan_with_retries(root: &Root, options: &RetryOptions) -> (String, Vec<String>) {
    let mut announced = Vec::new();
    let mut notices = |notice: Notice<'_>| {
        if let Notice::Retry { reason, attempt, of, .. } = notice {
            announced.push(format!("{attempt} of {of}: {reason}"));
        }
    };
    let (terraform, cancel) = (&root.terraform, &root.cancel);
    let ended = retry(options, &mut notices, cancel, |notices| {
        let plan = PlanOptions::default();
        root.workdir.plan_with_init(terraform, &InitOptions::default(), &plan, notices, cancel)
    });
    let ended = ended.unwrap().to_string();
    (ended.lines().next().unwrap().to_owned(), announced)
}

#[test]
fn a_plan_is_tried_until_it_goes_well() {
    let root = flaky(&[("init", RESET), ("plan", RESET)]);
    let (ended, announced) = plan_with_retries(&root, &quick());
    assert_eq!(ended, "done");
    let reason = "reading S3 Bucket (logs)";
    assert_eq!(announced, [format!("2 of 3: {reason}"), format!("3 of 3: {reason}")]);
    assert_eq!(root.commands(), ["init", "init", "plan", "plan"]);
}

#[test]
fn what_stays_is_not_tried_again() {
    let root = flaky(&[("plan", RESET), ("plan", FINAL)]);
    let (ended, announced) = plan_with_retries(&root, &quick());
    assert_eq!(ended, format!("error: {}", FINAL.0));
    assert_eq!(announced.len(), 1);
}

#[test]
fn not_for_ever() {
    let root = flaky(&[("plan", RESET); 5]);
    let (ended, announced) = plan_with_retries(&root, &quick());
    assert_eq!((ended, announced.len()), (format!("error: {}", RESET.0), 2));
    assert_eq!(root.commands(), ["init", "plan", "plan", "plan"]);
}

#[test]
fn a_lock_has_a_budget_of_its_own() {
    let locked = ("Error acquiring the state lock", "Lock Info:\n  ID: 1\n  Who: ada@host\n");
    let root = flaky(&[
        ("plan", locked),
        ("plan", RESET),
        ("plan", locked),
        ("plan", RESET),
        ("plan", locked),
    ]);
    let (ended, announced) = plan_with_retries(&root, &quick());
    assert_eq!((ended.as_str(), announced.len()), ("done", 5));
    let root = flaky(&[("plan", locked); 9]);
    let (ended, announced) = plan_with_retries(&root, &quick());
    assert!(ended.starts_with("the state is locked by ada@host"), "{ended}");
    assert_eq!(announced.len(), 4);
}

#[test]
fn a_pause_is_cut_short() {
    let root = flaky(&[("plan", RESET)]);
    let options = RetryOptions {
        pause: Duration::from_hours(1),
        longest_pause: Duration::from_hours(1),
        ..quick()
    };
    let cancel = root.cancel.clone();
    let mut notices = |notice: Notice<'_>| {
        if let Notice::Retry { .. } = notice {
            cancel.interrupt();
        }
    };
    let ended = retry(&options, &mut notices, &root.cancel, |notices| {
        root.workdir.plan(&root.terraform, &PlanOptions::default(), notices, &root.cancel)
    });
    assert_eq!(ended.unwrap(), Ended::Cancelled { forced: false });
}

/// Applies a plan that was shown to create these, and notes what was asked.
fn apply(
    root: &Root,
    addresses: &[&str],
    decision: Decision,
) -> (Ended<Reapplied>, Vec<(Relation, Cause)>) {
    let mut asked = Vec::new();
    let mut decide = |replanned: &menagerie_terraform::Replanned| {
        asked.push((replanned.relation, replanned.transient.cause));
        decision
    };
    let reapply = Reapply {
        shown: &shown(addresses),
        apply: &ApplyOptions::new(root.beside("a.tfplan")),
        init: &InitOptions::default(),
        plan: &PlanOptions::default(),
        retry: &quick(),
    };
    let (terraform, cancel) = (&root.terraform, &root.cancel);
    let ended = root.workdir.apply_replanning(terraform, reapply, &mut decide, &mut ignore, cancel);
    (ended.unwrap(), asked)
}

#[test]
fn an_apply_is_gone_on_with_by_a_new_plan() {
    let root = flaky(&[("apply", THROTTLED), ("plan", RESET), ("apply", RESET)]);
    let (ended, asked) = apply(&root, &["a.a", "a.b"], Decision::Apply);
    assert!(matches!(done(ended), Reapplied::Done(_)));
    assert_eq!(
        asked,
        [(Relation::Remainder, Cause::Throttled), (Relation::Same, Cause::Broken)],
        "the second time it is compared with what was agreed to"
    );
    assert_eq!(
        root.commands(),
        ["apply", "init", "plan", "plan", "show", "apply", "plan", "show", "apply"]
    );
}

#[test]
fn what_nobody_agrees_to_is_not_applied() {
    let root = flaky(&[("apply", THROTTLED)]);
    let (ended, asked) = apply(&root, &["a.a"], Decision::Stop);
    let Reapplied::Stopped(replanned) = done(ended) else { panic!("it was not agreed to") };
    assert_eq!(replanned.plan.resource_changes[0].address, "a.b");
    assert_eq!(asked, [(Relation::Different, Cause::Throttled)]);
    assert_eq!(root.commands(), ["apply", "init", "plan", "show"]);
}

#[test]
fn an_apply_that_fails_for_good_is_not_planned_again() {
    for error in [FINAL, ("Failed to persist state to backend", "connection refused")] {
        let root = flaky(&[("apply", error)]);
        let (ended, asked) = apply(&root, &["a.b"], Decision::Apply);
        assert!(matches!(ended, Ended::Failed(_)), "{ended}");
        assert!(asked.is_empty());
        assert_eq!(root.commands(), ["apply"]);
    }
}

#[test]
fn a_state_that_waits_for_its_rescue_comes_first() {
    let root = flaky(&[("apply", THROTTLED)]);
    root.write("errored.tfstate", "{}");
    let (ended, _) = apply(&root, &["a.b"], Decision::Apply);
    assert!(matches!(ended, Ended::Failed(_)), "{ended}");
    assert_eq!(root.commands(), ["apply"]);
}

#[test]
fn nothing_may_be_left() {
    let root = flaky(&[("apply", RESET)]);
    fs::write(root.beside("plan.json"), plan(&[]).to_string()).unwrap();
    let (ended, asked) = apply(&root, &["a.b"], Decision::Stop);
    assert!(matches!(done(ended), Reapplied::NothingLeft) && asked.is_empty());
}

/// A state backend that fails as often as it is told to, and then has no state.
fn backend() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let failures = Arc::new(AtomicUsize::new(0));
    let left = Arc::clone(&failures);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 16384];
            let length = stream.read(&mut request).unwrap();
            let is_read = request[..length].starts_with(b"GET");
            let count =
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            let status = match count {
                Ok(_) => "503 Service Unavailable",
                Err(_) if is_read => "404 Not Found",
                Err(_) => "200 OK",
            };
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, failures)
}

/// The real Terraform, and what it says about a real backend that is overloaded.
#[test]
fn a_backend_that_is_overloaded() {
    let Some(root) = Root::new(
        "terraform {\n  backend \"http\" {\n    retry_max = 0\n  }\n}\n\nresource \"terraform_data\" \"web\" {}\n",
    ) else {
        return;
    };
    let (address, failures) = backend();
    let init = InitOptions {
        backend_config: vec![format!("address=http://{address}").into()],
        ..InitOptions::default()
    };
    done(root.workdir.init(&root.terraform, &init, &mut ignore, &root.cancel).unwrap());
    failures.store(2, Ordering::SeqCst);
    let mut causes = 0;
    let mut notices =
        |notice: Notice<'_>| causes += usize::from(matches!(notice, Notice::Retry { .. }));
    let plan = root.plan_options("a.tfplan");
    let (terraform, cancel) = (&root.terraform, &root.cancel);
    let planned = retry(&quick(), &mut notices, cancel, |notices| {
        root.workdir.preview(terraform, &init, &plan, notices, cancel)
    });
    let shown = done(planned.unwrap());
    assert_eq!(causes, 2);

    failures.store(1, Ordering::SeqCst);
    let mut relations = Vec::new();
    let mut decide = |replanned: &menagerie_terraform::Replanned| {
        relations.push(replanned.relation);
        Decision::Apply
    };
    let apply = ApplyOptions::new(root.beside("a.tfplan"));
    let reapply =
        Reapply { shown: &shown, apply: &apply, init: &init, plan: &plan, retry: &quick() };
    let ended = root.workdir.apply_replanning(terraform, reapply, &mut decide, &mut ignore, cancel);
    assert!(matches!(done(ended.unwrap()), Reapplied::Done(_)));
    assert_eq!(relations, [Relation::Same]);
}
