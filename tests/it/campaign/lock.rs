//! An environment or its state that is held: by a run that lives, and by one that was killed.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, PipeWriter, pipe};
use std::path::PathBuf;
use std::time::Duration;

use duct::Handle;
use duct::unix::HandleExt as _;
use rustix::fs::{Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::case::wait;
use super::kill::{go_on_with_destroy, go_on_with_up};
use super::moment::life;
use super::{Case, Dice, Fate, NAME, Operation, Party, campaign};
use crate::playground::{copy, eventually, open_for_reader, provider};

const FEW: u64 = 3;

#[test]
fn held_by_a_run() {
    campaign("environment held by a live run", FEW, held);
}

#[test]
fn held_by_terraform() {
    campaign("state held by a live terraform", FEW, held_state);
}

#[test]
fn left_by_a_dead_run() {
    campaign("locks left by a dead run", FEW, left);
}

#[test]
fn notes_of_a_dead_run() {
    campaign("stale notes of a dead run", FEW, stale);
}

/// Starts a second command at some moment of a first one.
fn held(dice: &mut Dice) -> Case {
    let operation = dice.turn(&[Operation::Up, Operation::Apply, Operation::Destroy]);
    let mut case = Case::new("sqlite");
    case.prepare(operation);
    let second: &[&str] = dice.one_of(&[
        &["plan", NAME],
        &["apply", NAME],
        &["up", NAME],
        &["destroy", NAME, "--confirm", NAME],
        &["status", NAME],
        &["list"],
        &["show", NAME],
        &["logs", NAME],
    ]);
    let first = operation.arguments();
    // In its first half, since the second command takes a while to begin.
    let half = life(Party::Xtask, operation, "sqlite").end / 2;
    let handle = case.start(first);
    let was_running = case.reach(dice.moment(&(Duration::ZERO..half)), operation, &handle);
    let answer = case.run(second);
    let first_answer = case.finish(&handle, first);
    case.tell(format!(
        " `{}` gave {:?} beside `{}`, which gave {:?}",
        second[0], answer.code, first[0], first_answer.code
    ));
    let codes = [first_answer.code, answer.code];
    for (code, stderr) in codes.into_iter().zip([&first_answer.stderr, &answer.stderr]) {
        if code == Some(8) && !stderr.contains("is being worked on by") {
            case.wrong(format!("it does not say who holds it: {stderr}"));
        }
    }
    // Whoever was first goes on undisturbed; whoever only looks always can.
    let looks = ["list", "show", "status", "logs"].contains(&second[0]);
    if codes == [Some(8); 2] || looks && first_answer.code != Some(0) {
        case.wrong(format!("neither went on: {first_answer:?} {answer:?}"));
    }
    if second[0] == "list" && answer.code != Some(0) {
        case.wrong(format!("it does not list: {answer:?}"));
    }
    case.fate = Some(match codes {
        _ if !was_running => Fate::Undisturbed,
        [_, Some(0)] => Fate::Survived,
        _ => Fate::Said,
    });
    case.check_list();
    if operation == Operation::Destroy || second[0] == "destroy" {
        case.end(NAME);
    } else {
        case.must(&["up", NAME]);
        case.check_running();
        case.end(NAME);
    }
    case
}

/// A Terraform that a person started holds the state; it lets go in time, too late, or the user does not wait for that.
fn held_state(dice: &mut Dice) -> Case {
    #[derive(Clone, Copy, Debug)]
    enum Ends {
        Soon,
        Interrupted,
        Killed,
        Never,
    }
    let mut turns = [Ends::Soon, Ends::Interrupted, Ends::Killed].repeat(3);
    // It takes as long as is waited for such a lock.
    turns.push(Ends::Never);
    let ends = dice.turn(&turns);
    let operation = dice.one_of(&[Operation::Up, Operation::Destroy]);
    let mut case = Case::new("sqlite");
    case.must(&["up", NAME]);
    let person = Person::start(&case);
    let arguments = operation.arguments();
    let handle = case.start(arguments);
    let pause = dice.milliseconds(3000);
    let answer = match ends {
        Ends::Soon => {
            std::thread::sleep(pause);
            person.end();
            case.finish(&handle, arguments)
        }
        Ends::Killed => {
            std::thread::sleep(pause);
            drop(person);
            case.finish(&handle, arguments)
        }
        Ends::Interrupted => {
            std::thread::sleep(pause);
            // It may have been refused already, but not have ended well.
            let _ = handle.send_signal(Signal::INT.as_raw());
            let answer = wait(&handle);
            case.check_says(arguments, &answer);
            person.end();
            answer
        }
        Ends::Never => {
            let answer = case.finish(&handle, arguments);
            person.end();
            answer
        }
    };
    case.tell(format!(
        " {ends:?} after {} ms, `{}` gave {:?}",
        pause.as_millis(),
        arguments[0],
        answer.code
    ));
    case.fate = Some(match (ends, answer.code) {
        (Ends::Soon | Ends::Killed, Some(0)) => Fate::Finished,
        // A signal before anybody listens for one kills.
        (Ends::Interrupted, Some(130) | None) => Fate::Said,
        // With an up that has nothing to do, or a destroy, the lock is what it is about.
        (Ends::Never, Some(8 | 10)) if answer.stderr.contains("is locked by") => Fate::Said,
        _ => {
            case.wrong(format!("with a state that is held, it ended otherwise: {answer:?}"));
            return case;
        }
    });
    case.check_list();
    if answer.code != Some(0) {
        case.check_listed(NAME);
    }
    case.end(NAME);
    case
}

/// Kills all that works on an environment, so that nobody can let go of anything.
fn left(dice: &mut Dice) -> Case {
    let operation = dice.turn(&[Operation::Up, Operation::Destroy]);
    let mut case = Case::new("sqlite");
    case.prepare(operation);
    let arguments = operation.arguments();
    let moment = dice.moment(&life(Party::Xtask, operation, "sqlite"));
    let handle = case.start(arguments);
    let is_hit = case.reach(moment, operation, &handle);
    let mut victims = Vec::new();
    if is_hit {
        let xtask = handle.pids()[0];
        for (pid, what) in [
            Some((xtask, "xtask".to_owned())),
            case.find(Party::Terraform),
            case.find(Party::Provider),
        ]
        .into_iter()
        .flatten()
        {
            if kill(pid) {
                victims.push(what);
            }
        }
    }
    let answer = wait(&handle);
    let note = case.playground.records(NAME).join(".terraform.tfstate.lock.info");
    case.tell(format!(
        " `{}`: killed {victims:?}{}",
        arguments[0],
        if note.exists() { " under the state's lock" } else { "" }
    ));
    match operation {
        Operation::Destroy => go_on_with_destroy(&mut case, is_hit, &answer),
        _ => go_on_with_up(&mut case, arguments, is_hit, &answer),
    }
    case
}

/// Notes of runs that are long gone: nobody waits for them, and nobody is signalled because of them.
fn stale(dice: &mut Dice) -> Case {
    let operation = dice.turn(&[Operation::Up, Operation::Destroy]);
    let mut case = Case::new("sqlite");
    case.must(&["up", NAME]);
    let records = case.playground.records(NAME);
    // Somebody else has the number that the dead run had.
    let bystander = duct::cmd!("sleep", "600").unchecked().start().unwrap();
    let pid = bystander.pids()[0];

    let note = records.join(".terraform.tfstate.lock.info");
    let notes: [&[u8]; 3] = [
        br#"{"ID":"0b2a","Operation":"OperationTypeApply","Info":"","Who":"ada@elsewhere","Version":"1.11.4","Created":"2020-02-02T02:02:02Z","Path":"terraform.tfstate"}"#,
        b"{\"ID\":\"0b",
        b"\xff\xfe\0",
    ];
    fs::write(&note, dice.one_of(&notes)).unwrap();
    let too_much = vec![b'x'; 100_000];
    let holders: [&[u8]; 3] =
        [b"an apply (pid 1, since 2020-02-02T02:02:02Z)", b"\xff\xfe\0\n\n", &too_much];
    fs::write(records.join("lock"), dice.one_of(&holders)).unwrap();
    let home = case.playground.root().join(".git/menagerie");
    let journal = home.join("journals").join(format!("{NAME}.jsonl"));
    let log = records.join("runs/20200202T020202.000-1-0-apply.out");
    let at = "2020-02-02T02:02:02Z";
    let mut lines = vec![json!({
        "at": at, "event": "terraform-starting", "run": "a", "command": "apply", "log": log
    })];
    if dice.below(2) == 0 {
        lines.push(json!({
            "at": at, "event": "terraform-started", "run": "a", "pid": pid, "pid_started": "1@0"
        }));
    }
    let mut text = fs::read_to_string(&journal).unwrap();
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    fs::write(&journal, text).unwrap();

    let answer = case.run(operation.arguments());
    case.tell(format!(" `{}` gave {:?}", operation.arguments()[0], answer.code));
    if answer.code == Some(0) {
        case.fate = Some(Fate::Survived);
    } else {
        case.wrong(format!("nobody holds it any more: {}", answer.stderr));
    }
    if operation == Operation::Up {
        case.check_running();
    }
    case.end(NAME);
    if bystander.try_wait().unwrap().is_some() {
        case.wrong("a process was ended that only has the number of another".to_owned());
    }
    bystander.kill().unwrap();
    case
}

fn kill(pid: u32) -> bool {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).is_ok()
}

/// A `terraform plan` that a person started, elsewhere and for the same state, and that waits for a pipe.
struct Person {
    terraform: Handle,
    provider: Handle,
    hold: Option<PipeWriter>,
    pipe: PathBuf,
}

impl Person {
    fn start(case: &Case) -> Self {
        let records = case.playground.records(NAME);
        let (standing, hold) = pipe().unwrap();
        let (answer, stdout) = pipe().unwrap();
        let provider = duct::cmd!(provider(), "serve", "--dir", records.join("local"))
            .env("XDG_RUNTIME_DIR", &case.runtime)
            .stdin_file(standing)
            .stdout_file(stdout)
            .stderr_null()
            .unchecked()
            .start()
            .unwrap();
        let mut reattach = String::new();
        BufReader::new(answer).read_line(&mut reattach).unwrap();

        let elsewhere = case.playground.root().with_file_name("elsewhere");
        copy(&case.playground.root().join("tf"), &elsewhere.join("tf"));
        copy(&records.join("data"), &elsewhere.join("data"));
        let pipe = elsewhere.join("pipe");
        mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        let root_module = elsewhere.join("tf/envs").join(NAME);
        let text = format!("locals {{\n  text = file(\"{}\")\n}}\n", pipe.display());
        fs::write(root_module.join("pipe.tf"), text).unwrap();
        let output = File::create(elsewhere.join("output")).unwrap();
        let variables = records.join("variables.tfvars.json");
        let terraform =
            duct::cmd!("terraform", "plan", format!("-var-file={}", variables.display()))
                .dir(root_module)
                .env("TF_DATA_DIR", elsewhere.join("data"))
                .env("TF_REATTACH_PROVIDERS", reattach.trim())
                .env("CHECKPOINT_DISABLE", "1")
                .stdin_null()
                .stdout_file(output.try_clone().unwrap())
                .stderr_file(output)
                .unchecked()
                .start()
                .unwrap();
        // From here on it ends with the value.
        let person = Self { terraform, provider, hold: Some(hold), pipe };
        let note = records.join(".terraform.tfstate.lock.info");
        eventually("somebody's plan holds the state", || note.exists());
        person
    }

    /// Presses Ctrl-C, and lets it read what it waits for until it has ended.
    fn end(self) {
        self.terraform.send_signal(Signal::INT.as_raw()).unwrap();
        eventually("somebody's plan ends", || {
            drop(open_for_reader(&self.pipe));
            self.terraform.try_wait().unwrap().is_some()
        });
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.terraform.kill();
        let _ = self.terraform.wait();
        self.hold = None;
        let _ = self.provider.send_signal(Signal::TERM.as_raw());
        if let Ok(None) = self.provider.wait_timeout(Duration::from_secs(20)) {
            let _ = self.provider.kill();
        }
    }
}
