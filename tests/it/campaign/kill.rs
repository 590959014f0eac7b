//! `kill -9` at any moment: of xtask, of Terraform, of the provider and of the supervisor, in `env up` and in `env destroy`.

use rustix::process::{Pid, Signal, kill_process};

use super::case::wait;
use super::moment::{engine, life};
use super::{Case, Dice, Fate, NAME, Operation, Party, campaign};
use crate::playground::Answer;

const FEW: u64 = 3;

#[test]
fn xtask_in_up() {
    campaign("kill −9 of xtask in up", FEW, |dice| up(Party::Xtask, dice));
}

#[test]
fn xtask_in_destroy() {
    campaign("kill −9 of xtask in destroy", FEW, |dice| destroy(Party::Xtask, dice));
}

#[test]
fn terraform_in_up() {
    campaign("kill −9 of terraform in up", FEW, |dice| up(Party::Terraform, dice));
}

#[test]
fn terraform_in_destroy() {
    campaign("kill −9 of terraform in destroy", FEW, |dice| destroy(Party::Terraform, dice));
}

#[test]
fn provider_in_up() {
    campaign("kill −9 of provider in up", FEW, |dice| up(Party::Provider, dice));
}

#[test]
fn provider_in_destroy() {
    campaign("kill −9 of provider in destroy", FEW, |dice| destroy(Party::Provider, dice));
}

#[test]
fn supervisor_in_up() {
    campaign("kill −9 of supervisor in up", FEW, |dice| up(Party::Supervisor, dice));
}

#[test]
fn supervisor_in_destroy() {
    campaign("kill −9 of supervisor in destroy", FEW, |dice| destroy(Party::Supervisor, dice));
}

/// Disturbs an `up`, goes on with it, and destroys what came of it.
fn up(victim: Party, dice: &mut Dice) -> Case {
    let engine = engine(dice);
    let mut case = Case::new(engine);
    // Half of them are without a name, which is then known from the list only.
    let arguments: &[&str] = if dice.seed.is_multiple_of(2) { &["up", NAME] } else { &["up"] };
    let (killed, answer) = disturb(&mut case, victim, Operation::Up, arguments, dice, engine);
    go_on_with_up(&mut case, arguments, killed, &answer);
    case
}

/// Goes on with an `up` that was cut short, whatever it made, and destroys it.
pub(super) fn go_on_with_up(case: &mut Case, arguments: &[&str], hit: bool, first: &Answer) {
    let Some(names) = case.check_list() else { return };
    let name = match &names[..] {
        [] => {
            case.tell(" → nothing was made");
            case.fate = Some(Fate::Finished);
            let next = case.run(arguments);
            let Some(name) = case.listed().and_then(|mut names| names.pop()) else {
                // The name may have been used up by the run that was killed; then that is said.
                case.fate = Some(Fate::Said);
                if !next.stderr.contains("used before") {
                    case.lost(format!("it can't be made any more: {}", next.stderr));
                }
                return;
            };
            name
        }
        [name] => {
            case.fate = Some(case.next(&["up", name], hit, first).0);
            name.clone()
        }
        names => {
            case.wrong(format!("one `up` made {names:?}"));
            return;
        }
    };
    case.check_listed(&name);
    case.end(&name);
}

/// Brings an environment up, disturbs its `destroy`, and goes on with it.
fn destroy(victim: Party, dice: &mut Dice) -> Case {
    let engine = engine(dice);
    let mut case = Case::new(engine);
    case.prepare(Operation::Destroy);
    let outside = case.outside(NAME);
    let arguments = Operation::Destroy.arguments();
    let (killed, answer) = disturb(&mut case, victim, Operation::Destroy, arguments, dice, engine);
    go_on_with_destroy(&mut case, killed, &answer);
    case.check_gone(NAME, &outside);
    case
}

/// Goes on with a `destroy` that was cut short.
pub(super) fn go_on_with_destroy(case: &mut Case, hit: bool, first: &Answer) {
    let Some(names) = case.check_list() else { return };
    if names.is_empty() {
        case.tell(" → gone");
        case.fate = Some(if hit { Fate::Survived } else { Fate::Undisturbed });
    } else {
        let (fate, next) = case.next(Operation::Destroy.arguments(), hit, first);
        case.fate = Some(fate);
        if fate == Fate::Said {
            case.tell(format!(" {}", next.stderr));
            case.check_listed(NAME);
        }
    }
    // Also what is gone can be destroyed.
    case.end(NAME);
}

/// Runs something, kills the victim after a while, and waits for the end; returns whether there was a victim.
fn disturb(
    case: &mut Case,
    victim: Party,
    operation: Operation,
    arguments: &[&str],
    dice: &Dice,
    engine: &str,
) -> (bool, Answer) {
    let delay = dice.moment(&life(victim, operation, engine));
    let handle = case.start(arguments);
    let is_running = case.reach(delay, operation, &handle);
    let victim = match victim {
        Party::Xtask => is_running.then(|| (handle.pids()[0], "xtask".to_owned())),
        victim => case.find(victim),
    };
    let killed = victim.filter(|(pid, _)| {
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).is_ok()
    });
    let answer = wait(&handle);
    case.check_says(arguments, &answer);
    case.tell(format!(
        " at {:4} ms of `{}`: killed {}, it gave {}",
        delay.as_millis(),
        arguments[0],
        killed.as_ref().map_or("nobody", |(_, what)| what),
        answer.code.map_or("no code".to_owned(), |code| code.to_string()),
    ));
    if killed.is_none() && answer.code != Some(0) {
        case.wrong(format!("undisturbed, it failed: {}", answer.stderr));
    }
    (killed.is_some(), answer)
}
