//! A clock that jumps: by hours, forward and back, between commands, during them, and under a supervisor.
//!
//! The jump is libfaketime's, which is loaded into xtask, git and the provider's `serve`, and into a supervisor that the test
//! starts. The monotonic clock goes on, as it does when somebody sets the other one. Terraform has the true time always.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use duct::Handle;
use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::case::wait;
use super::moment::life;
use super::{Case, Dice, Fate, NAME, Operation, Party, campaign};
use crate::playground::{eventually, is_required, provider};

const FEW: u64 = 2;

/// Environments are wanted for eight hours where nothing else is said.
const TTL: i64 = 8;

#[test]
fn between_commands() {
    with_clock("clock jump between commands", between);
}

#[test]
fn in_up() {
    with_clock("clock jump in up", |dice, library| during(dice, library, Operation::Up));
}

#[test]
fn in_destroy() {
    with_clock("clock jump in destroy", |dice, library| during(dice, library, Operation::Destroy));
}

#[test]
fn under_the_supervisor() {
    with_clock("clock jump under the supervisor", supervised);
}

fn with_clock(title: &str, run: impl Fn(&mut Dice, &str) -> Case) {
    if let Some(library) = library() {
        campaign(title, FEW, |dice| run(dice, &library));
    }
}

/// A clock that a test sets.
struct Clock {
    file: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Clock {
    /// Makes a clock that is right, and has all commands of a case see it.
    fn of(case: &mut Case, library: &str) -> Self {
        let file = case.playground.root().with_file_name("clock");
        let variables = [
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ];
        let variables = variables.map(|(name, value)| (name, value.to_owned())).to_vec();
        case.variables.extend(variables.iter().cloned());
        let clock = Self { file, variables };
        clock.set(0);
        clock
    }

    /// Sets it to so many hours after the true time.
    fn set(&self, hours: i64) {
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{hours:+}h\n")).unwrap();
        fs::rename(&next, &self.file).unwrap();
    }
}

/// Every command has another time, and each sees what it must.
fn between(dice: &mut Dice, library: &str) -> Case {
    let mut case = Case::new("sqlite");
    let clock = Clock::of(&mut case, library);
    let at_up = jump(dice);
    clock.set(at_up);
    case.must(&["up", NAME]);
    case.tell(format!(" up at {at_up:+} h"));
    for _ in 0..3 {
        let now = jump(dice);
        clock.set(now);
        case.tell(format!(", looked at {now:+} h"));
        check_expiry(&mut case, now - at_up);
    }
    let at_next = jump(dice);
    clock.set(at_next);
    let next = case.run(&["up", NAME]);
    case.tell(format!(", up at {at_next:+} h gave {:?}", next.code));
    case.fate = Some(Fate::Survived);
    if next.code != Some(0) {
        case.wrong(format!("the time is no reason to fail: {}", next.stderr));
    }
    case.check_running();

    // A destroy that was cut short stays one, whatever its time was.
    let at_destroy = jump(dice);
    clock.set(at_destroy);
    let moment = dice.moment(&life(Party::Xtask, Operation::Destroy, "sqlite"));
    let handle = case.start(Operation::Destroy.arguments());
    let is_hit = case.reach(moment, Operation::Destroy, &handle);
    if is_hit {
        forget(handle.pids()[0]);
    }
    wait(&handle);
    let phase = phase(&mut case);
    case.tell(format!(", killed destroy at {at_destroy:+} h: {phase:?}"));
    let at_last = jump(dice);
    clock.set(at_last);
    if phase.as_deref() == Some("destroying") {
        let refused = case.run(&["up", NAME]);
        if refused.code != Some(7) {
            case.wrong(format!("what is being destroyed came back: {refused:?}"));
        }
        case.fate = Some(Fate::Finished);
    }
    case.end(NAME);
    check_certificate(&mut case, at_last);
    case
}

/// The clock jumps while an operation runs, and nothing comes of it.
fn during(dice: &mut Dice, library: &str, operation: Operation) -> Case {
    let mut case = Case::new("sqlite");
    let clock = Clock::of(&mut case, library);
    case.prepare(operation);
    let jump = jump(dice);
    let arguments = operation.arguments();
    let moment = dice.moment(&life(Party::Xtask, operation, "sqlite"));
    let handle = case.start(arguments);
    let is_hit = case.reach(moment, operation, &handle);
    clock.set(jump);
    let started = Instant::now();
    let answer = case.finish(&handle, arguments);
    case.tell(format!(" by {jump:+} h in `{}`, which gave {:?}", arguments[0], answer.code));
    case.fate = Some(if is_hit { Fate::Survived } else { Fate::Undisturbed });
    // All limits are of monotonic time: none is over because of the jump, and none is for ever.
    if answer.code != Some(0) || started.elapsed() > Duration::from_mins(1) {
        case.wrong(format!("the time is no reason to fail: {answer:?}"));
    }
    if operation == Operation::Up {
        case.check_running();
        check_listed_as_deployed(&mut case);
        case.must(&["up", NAME]);
    }
    case.end(NAME);
    case
}

/// The clock jumps under a supervisor, which goes on to do what it is for.
fn supervised(dice: &mut Dice, library: &str) -> Case {
    let mut case = Case::new("sqlite");
    let clock = Clock::of(&mut case, library);
    case.must(&["up", NAME]);
    let (pid, _) = case.find(Party::Supervisor).expect("one supervises");
    kill_process(process(pid), Signal::KILL).unwrap();
    let mut command =
        duct::cmd!(provider(), "supervise", "--dir", case.playground.records(NAME).join("local"))
            .env("XDG_RUNTIME_DIR", &case.runtime)
            .stdin_null()
            .stdout_null()
            .stderr_path(case.playground.root().with_file_name("supervisor.txt"))
            .unchecked();
    for (name, value) in &clock.variables {
        command = command.env(name, value);
    }
    let supervisor = command.start().unwrap();
    eventually_healthy(&mut case, "the second supervisor takes over");

    for _ in 0..2 {
        let jump = jump(dice);
        clock.set(jump);
        let Some(replica) = replica(&mut case) else { break };
        kill_process(process(replica), Signal::KILL).unwrap();
        case.tell(format!(" {jump:+} h"));
        let begin = Instant::now();
        while self::replica(&mut case).is_none_or(|now| now == replica) {
            if begin.elapsed() > Duration::from_mins(1) {
                case.wrong("the replica is not started again".to_owned());
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eventually_healthy(&mut case, "it answers again");
    }
    case.fate = Some(Fate::Survived);
    case.end(NAME);
    let log = fs::read_to_string(case.playground.root().with_file_name("supervisor.txt")).unwrap();
    if log.contains("panicked") {
        case.wrong(format!("the supervisor panicked: {log}"));
    }
    let now = Timestamp::now().as_second();
    let times = log.lines().filter_map(|line| line.split('.').next()?.parse::<i64>().ok());
    if times.map(|time| (time - now).abs()).max() < Some(1800) {
        case.wrong(format!("the supervisor saw no jump of the clock: {log}"));
    }
    check_ends(&mut case, &supervisor);
    case
}

/// The supervisor leaves with the last that it supervises; it is this test's child, so this test has to see to it.
fn check_ends(case: &mut Case, supervisor: &Handle) {
    if let Ok(None) = supervisor.wait_timeout(Duration::from_secs(20)) {
        case.left_running("the supervisor".to_owned());
        let _ = supervisor.kill();
    }
    remove_shared_memory(supervisor.pids()[0]);
}

/// Looks whether the list has the expiry right, so many hours after the creation by the clock.
fn check_expiry(case: &mut Case, hours: i64) {
    let Some(list) = case.list() else { return };
    let [facts] = &list[..] else {
        case.lost(format!("one was made, listed are {}", list.len()));
        return;
    };
    let is_expired = facts["expired"] == Value::Bool(true);
    let has_note = facts["notes"].to_string().contains("its time is over");
    if is_expired != (hours >= TTL) || has_note != is_expired {
        case.wrong(format!("{hours} h after its creation: {facts}"));
    }
    let text = case.must(&["list"]).stdout;
    let left = TTL - hours;
    let expected = match left.abs() {
        // What is near may be rounded to another unit.
        0..3 | 35..37 => "",
        3..35 => &format!("{} hours", left.abs()),
        _ => " days",
    };
    let direction = if left > 2 { "  in " } else { " ago " };
    if !text.contains(expected) || left.abs() > 2 && !text.contains(direction) {
        case.wrong(format!("{left} h are left, but it says: {text}"));
    }
    for looking in ["show", "status"] {
        case.must(&[looking, NAME]);
    }
}

fn check_listed_as_deployed(case: &mut Case) {
    let phase = phase(case);
    if phase.as_deref() != Some("deployed") {
        case.lost(format!("it is up, but its phase is {phase:?}"));
    }
}

fn phase(case: &mut Case) -> Option<String> {
    Some(case.list()?.first()?["phase"].as_str()?.to_owned())
}

/// Looks whether the certificate has the time of the clock that the destroy saw.
fn check_certificate(case: &mut Case, hours: i64) {
    let path =
        case.playground.root().join(".git/menagerie/certificates").join(format!("{NAME}.json"));
    let text = fs::read_to_string(path).unwrap_or_default();
    let certificate: Value = serde_json::from_str(&text).unwrap_or_default();
    let destroyed: Option<Timestamp> =
        certificate["destroyed"].as_str().and_then(|text| text.parse().ok());
    let expected = Timestamp::now() + SignedDuration::from_hours(hours);
    let is_right = destroyed
        .is_some_and(|time| time.duration_since(expected).abs() < SignedDuration::from_mins(30));
    // What was gone before that had another time.
    if !is_right && case.fate == Some(Fate::Finished) {
        case.wrong(format!("at about {expected}, the certificate is {certificate}"));
    }
}

fn eventually_healthy(case: &mut Case, what: &str) {
    eventually(what, || {
        let answer = case.run(&["status", NAME, "--format", "json"]);
        let status: Value = serde_json::from_str(&answer.stdout).unwrap_or_default();
        status["health"] == "healthy"
    });
}

/// Returns the number of the one replica, while it runs.
fn replica(case: &mut Case) -> Option<u32> {
    let processes = case.playground.processes();
    processes.into_iter().find(|(_, line)| line.contains("/images/")).map(|(pid, _)| pid)
}

/// Returns how far the clock is off: a bit or a lot, forward or back.
fn jump(dice: &mut Dice) -> i64 {
    dice.one_of(&[-400, -30, -10, -5, -1, 1, 4, 5, 13, 20, 30, 400])
}

fn process(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed()).unwrap()
}

/// Kills a process that has the clock loaded.
fn forget(pid: u32) {
    let _ = kill_process(process(pid), Signal::KILL);
    remove_shared_memory(pid);
}

/// Removes what libfaketime leaves of a process that was killed; the next one with its number would fail on it.
fn remove_shared_memory(pid: u32) {
    for name in [format!("sem.faketime_sem_{pid}"), format!("faketime_shm_{pid}")] {
        let _ = fs::remove_file(PathBuf::from("/dev/shm").join(name));
    }
}

/// Finds libfaketime, in the version for programs with threads; where it is missing it says so.
fn library() -> Option<String> {
    let places = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let below = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let found = places
        .into_iter()
        .chain(below)
        .map(|place| place.join("faketime").join("libfaketimeMT.so.1"))
        .find(|path| path.is_file())
        .map(PathBuf::into_os_string);
    if found.is_none() {
        assert!(!is_required(), "libfaketime is missing");
        eprintln!("skipped: libfaketime is missing (Debian: `faketime`)");
    }
    found.as_deref().and_then(OsStr::to_str).map(str::to_owned)
}
