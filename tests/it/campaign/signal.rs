//! One signal and two, also of different kinds, to xtask at any moment of `env up`, `env apply` and `env destroy`.

use std::time::Duration;

use duct::unix::HandleExt as _;
use rustix::process::Signal;

use super::case::wait;
use super::kill::{go_on_with_destroy, go_on_with_up};
use super::moment::{engine, life};
use super::{Case, Dice, Fate, NAME, Operation, Party, campaign};
use crate::playground::Answer;

const FEW: u64 = 4;

const KINDS: [&[Signal]; 7] = [
    &[Signal::INT, Signal::INT],
    &[Signal::INT, Signal::TERM],
    &[Signal::TERM, Signal::TERM],
    &[Signal::HUP, Signal::TERM],
    &[Signal::HUP],
    &[Signal::INT],
    &[Signal::TERM, Signal::INT, Signal::INT],
];

#[test]
fn in_up() {
    campaign("signals in up", FEW, |dice| {
        let engine = engine(dice);
        let mut case = Case::new(engine);
        let (sent, answer) = disturb(&mut case, Operation::Up, dice, engine);
        if dice.below(3) == 0 && case.playground.records(NAME).exists() {
            end(&mut case, sent, &answer);
        } else {
            go_on_with_up(&mut case, Operation::Up.arguments(), sent, &answer);
        }
        case
    });
}

#[test]
fn in_apply() {
    campaign("signals in apply", FEW, |dice| {
        let engine = engine(dice);
        let mut case = Case::new(engine);
        case.prepare(Operation::Apply);
        let (sent, answer) = disturb(&mut case, Operation::Apply, dice, engine);
        if dice.below(3) == 0 {
            end(&mut case, sent, &answer);
        } else {
            go_on_with_up(&mut case, Operation::Up.arguments(), sent, &answer);
        }
        case
    });
}

#[test]
fn in_destroy() {
    campaign("signals in destroy", FEW, |dice| {
        let engine = engine(dice);
        let mut case = Case::new(engine);
        case.prepare(Operation::Destroy);
        let outside = case.outside(NAME);
        let (sent, answer) = disturb(&mut case, Operation::Destroy, dice, engine);
        go_on_with_destroy(&mut case, sent, &answer);
        case.check_gone(NAME, &outside);
        case
    });
}

/// Destroys what was interrupted, without going on with it first.
fn end(case: &mut Case, sent: bool, answer: &Answer) {
    if case.check_list().is_none() {
        return;
    }
    case.check_listed(NAME);
    case.tell(" → destroyed");
    case.fate = Some(match (sent, answer.code) {
        (false, _) => Fate::Undisturbed,
        (true, Some(0)) => Fate::Survived,
        (true, _) => Fate::Finished,
    });
    case.end(NAME);
}

/// Runs something, sends the signals, and waits for the end; returns whether one was sent in time.
fn disturb(case: &mut Case, operation: Operation, dice: &mut Dice, engine: &str) -> (bool, Answer) {
    let signals = dice.turn(&KINDS);
    let span = life(Party::Xtask, operation, engine);
    let delay = dice.moment(&span);
    let arguments = operation.arguments();
    let handle = case.start(arguments);
    let mut sent = Vec::new();
    let mut is_running = case.reach(delay, operation, &handle);
    let mut pause = delay;
    for signal in signals {
        if !is_running {
            break;
        }
        handle.send_signal(signal.as_raw()).unwrap();
        sent.push((pause, *signal));
        // Half of the pairs are as close together as a terminal and a service manager have them.
        pause = if dice.below(2) == 0 { Duration::ZERO } else { dice.milliseconds(300) };
        std::thread::sleep(pause);
        // Its number is its own until it was waited for.
        is_running = handle.try_wait().unwrap().is_none();
    }
    let answer = wait(&handle);
    case.check_says(arguments, &answer);
    case.tell(format!(
        " `{}`: sent {sent:.0?}, it gave {}",
        arguments[0],
        answer.code.map_or("no code".to_owned(), |code| code.to_string()),
    ));
    match answer.code {
        Some(0) => {}
        _ if sent.is_empty() => case.wrong(format!("undisturbed, it failed: {}", answer.stderr)),
        // It died before it listened for signals, thus before it began anything.
        None => {}
        Some(130) => {
            if !answer.stderr.contains("hint: ") && !answer.stderr.contains("before anything") {
                case.wrong(format!("it does not say how to go on: {}", answer.stderr));
            }
            check_only_supervised(case);
        }
        Some(_) => case.wrong(format!("interrupted, it ended otherwise: {answer:?}")),
    }
    (!sent.is_empty(), answer)
}

/// Looks whether all that an interrupted run leaves is supervised.
fn check_only_supervised(case: &mut Case) {
    for (pid, line) in case.playground.processes() {
        let is_supervised = [" supervise ", "/images/", "postgres", "initdb", " exec "]
            .iter()
            .any(|mark| line.contains(mark));
        if !is_supervised {
            case.left_running(format!("by the run that was interrupted: {pid} {line}"));
        }
    }
}
