//! An apply that failed for a transient reason, gone on with: never as it was, but by a new plan that somebody agrees to.

use std::borrow::Cow;

use menagerie_plan::{Change, ChangeKind, Plan, ResourceChange, digest};
use serde_json::Value;

use crate::arguments::{ApplyOptions, InitOptions, PlanOptions};
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::{ApplyDone, Ended, Failure};
use crate::execute::{Notice, RunError};
use crate::retry::{RetryOptions, Transient, retry, wait};
use crate::workdir::Workdir;

/// What is applied, and how it is planned again.
#[derive(Debug, Clone, Copy)]
pub struct Reapply<'a> {
    /// What the saved plan does, as it was shown to somebody.
    pub shown: &'a Plan,
    /// The saved plan, and how it is applied. A new plan takes its place.
    pub apply: &'a ApplyOptions,
    /// Whether `init` must be run first.
    pub init: &'a InitOptions,
    /// What is planned: all as for the plan that was shown.
    pub plan: &'a PlanOptions,
    /// How often and when.
    pub retry: &'a RetryOptions,
}

/// What is left to do after an apply that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Replanned {
    /// The new plan.
    pub plan: Plan,
    /// How it follows from the one that was shown.
    pub relation: Relation,
    /// Why the apply may go well now. Where its cause does not say that [nothing was left](crate::Cause::left_nothing), there may
    /// be something that is in no state, and a new plan makes a second one of it.
    pub transient: Transient,
    /// How the apply failed.
    pub failure: Failure,
}

/// How a new plan follows from one that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It does the same: their digests are equal.
    Same,
    /// It does a part of the same; values that were not known may be by now.
    Remainder,
    /// It does something that nobody was shown.
    Different,
}

/// What is to be done with a new plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is applied.
    Apply,
    /// It is not.
    Stop,
}

/// How an apply came out that may have been planned again.
#[derive(Debug)]
pub enum Reapplied {
    /// All is applied.
    Done(ApplyDone),
    /// The new plan does nothing: all was applied before the failure.
    NothingLeft,
    /// The new plan was not agreed to, and waits in the place of the old one.
    Stopped(Box<Replanned>),
}

impl Workdir {
    /// Runs `apply` of a saved plan; where it fails for a transient reason, plans again, asks, and applies the new plan.
    ///
    /// `decide` is asked about each new plan: to agree to [`Relation::Same`] and [`Relation::Remainder`] only is to apply nothing
    /// that was not shown. A state that could not be written ends it: [`Workdir::rescue`] comes first then.
    pub fn apply_replanning(
        &self,
        terraform: &Terraform,
        reapply: Reapply<'_>,
        decide: &mut dyn FnMut(&Replanned) -> Decision,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Reapplied>, RunError> {
        let Reapply { shown, apply, init, plan, retry: options } = reapply;
        let plan = PlanOptions { out: Some(apply.plan.clone()), ..plan.clone() };
        let mut shown = Cow::Borrowed(shown);
        let mut count = 0;
        loop {
            let ended = retry(options, notices, cancel, |notices| {
                self.apply(terraform, apply, notices, cancel)
            })?;
            let failure = match ended {
                Ended::Failed(failure) => failure,
                ended => return Ok(ended.map(Reapplied::Done)),
            };
            count += 1;
            let Some(transient) = failure.transient().filter(|_| count < options.attempts) else {
                return Ok(Ended::Failed(failure));
            };
            if !self.errored_states()?.is_empty() {
                return Ok(Ended::Failed(failure));
            }
            if !wait(options, &transient.reason, count, options.attempts, notices, cancel) {
                return Ok(Ended::Cancelled { forced: false });
            }
            let planned = retry(options, notices, cancel, |notices| {
                self.preview(terraform, init, &plan, notices, cancel)
            })?;
            let next = match planned {
                Ended::Done(plan) if plan.has_changes() => plan,
                ended => return Ok(ended.map(|_| Reapplied::NothingLeft)),
            };
            let relation = relation(&shown, &next);
            let replanned = Replanned { plan: next, relation, transient, failure };
            match decide(&replanned) {
                Decision::Stop => return Ok(Ended::Done(Reapplied::Stopped(Box::new(replanned)))),
                Decision::Apply => shown = Cow::Owned(replanned.plan),
            }
        }
    }
}

/// Returns how a new plan follows from one that was shown.
fn relation(shown: &Plan, next: &Plan) -> Relation {
    if digest(shown) == digest(next) {
        return Relation::Same;
    }
    let is_part = |change: &ResourceChange| {
        let mut shown = shown.resource_changes.iter();
        shown.any(|shown| is_part_of(change, shown))
    };
    let resources = next.resource_changes.iter().filter(|change| change.is_change()).all(is_part);
    let mut outputs =
        next.output_changes.iter().filter(|(_, change)| change.kind() != ChangeKind::NoOp);
    let outputs = outputs.all(|(name, change)| {
        shown.output_changes.get(name).is_some_and(|shown| becomes(change, shown))
    });
    if resources && outputs { Relation::Remainder } else { Relation::Different }
}

fn is_part_of(change: &ResourceChange, shown: &ResourceChange) -> bool {
    let key = |change: &ResourceChange| {
        let ResourceChange { address, previous_address, deposed, provider_name, .. } = change;
        (address.clone(), previous_address.clone(), deposed.clone(), provider_name.clone())
    };
    key(change) == key(shown)
        && change.change.actions == shown.change.actions
        && change.change.importing == shown.change.importing
        && change.change.before == shown.change.before
        && becomes(&change.change, &shown.change)
}

/// Returns whether a change ends where the one that was shown ends, as far as that was known.
fn becomes(change: &Change, shown: &Change) -> bool {
    agrees(&shown.after, &shown.after_unknown, &change.after, &change.after_unknown)
}

fn agrees(shown: &Value, shown_unknown: &Value, value: &Value, unknown: &Value) -> bool {
    /// Stands for what neither has.
    const ABSENT: &Value = &Value::Null;
    if shown_unknown == &Value::Bool(true) {
        return true;
    }
    if unknown == &Value::Bool(true) {
        return false;
    }
    match (shown, value) {
        (Value::Object(shown_fields), Value::Object(fields)) => {
            let unknown_names = [shown_unknown, unknown].into_iter().filter_map(Value::as_object);
            let unknown_names = unknown_names.flat_map(serde_json::Map::keys);
            let mut names = shown_fields.keys().chain(fields.keys()).chain(unknown_names);
            names.all(|name| {
                let field = |value: &'_ Value| value.get(name).unwrap_or(ABSENT).clone();
                agrees(&field(shown), &field(shown_unknown), &field(value), &field(unknown))
            })
        }
        (Value::Array(shown_items), Value::Array(items)) => {
            let length = shown_items.len();
            length == items.len()
                && (0..length).all(|index| {
                    let item = |value: &'_ Value| value.get(index).unwrap_or(ABSENT).clone();
                    agrees(&item(shown), &item(shown_unknown), &item(value), &item(unknown))
                })
        }
        _ => shown == value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A resource that is made, with what is known and what is not.
    fn create(address: &str, [after, unknown]: &[Value; 2]) -> Value {
        json!({
            "address": address, "mode": "managed", "type": "a", "name": "b", "provider_name": "p",
            "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown},
        })
    }

    fn first(after: Value) -> Value {
        create("a.first", &[after, json!({"id": true, "tags": [false]})])
    }

    fn second(after: Value, unknown: Value) -> Value {
        create("a.second", &[after, unknown])
    }

    fn plan(changes: &[Value]) -> Plan {
        let json = json!({"format_version": "1.2", "resource_changes": changes});
        Plan::from_json(json.to_string().as_bytes()).unwrap()
    }

    #[track_caller]
    fn check(next: &[Value], expected: Relation) {
        let shown = [
            first(json!({"size": 1, "tags": ["x"]})),
            second(json!({"size": 2}), json!({"id": true, "parent": true})),
        ];
        assert_eq!(relation(&plan(&shown), &plan(next)), expected);
    }

    #[test]
    fn a_new_plan_is_measured_by_what_was_shown() {
        let (id, id_and_parent) = (json!({"id": true}), json!({"id": true, "parent": true}));
        let first_as_shown = first(json!({"size": 1, "tags": ["x"]}));
        let second_as_shown = second(json!({"size": 2}), id_and_parent.clone());
        check(&[second_as_shown.clone(), first_as_shown.clone()], Relation::Same);
        check(std::slice::from_ref(&second_as_shown), Relation::Remainder);
        // What was made before the failure is known now.
        check(&[second(json!({"size": 2, "parent": "i-1"}), id)], Relation::Remainder);
        check(&[second(json!({"size": 3}), id_and_parent)], Relation::Different);
        check(&[second(json!({}), json!({"id": true, "size": true}))], Relation::Different);
        check(&[first(json!({"size": 1, "tags": ["x", "y"]}))], Relation::Different);
        let third = create("a.third", &[json!({}), json!({})]);
        check(&[second_as_shown, third], Relation::Different);
        let mut replaced = first_as_shown;
        replaced["change"]["actions"] = json!(["delete", "create"]);
        check(&[replaced], Relation::Different);
    }

    #[test]
    fn outputs_are_part_of_it() {
        let plan = |outputs: Value| {
            let json = json!({"format_version": "1.2", "output_changes": outputs});
            Plan::from_json(json.to_string().as_bytes()).unwrap()
        };
        let create = |after: Value, unknown: bool| json!({"actions": ["create"], "before": null, "after": after, "after_unknown": unknown});
        let shown =
            plan(json!({"url": create(Value::Null, true), "name": create("a".into(), false)}));
        let check = |outputs, expected| assert_eq!(relation(&shown, &plan(outputs)), expected);
        check(json!({"url": create("http://a".into(), false)}), Relation::Remainder);
        check(json!({"name": create("b".into(), false)}), Relation::Different);
        check(json!({"other": create("a".into(), false)}), Relation::Different);
    }
}
