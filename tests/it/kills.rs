//! `kill -9` at any moment: of xtask, of Terraform, of the provider and of the supervisor, in `env up` and in `env destroy`.
//!
//! After each kill the next run finishes the job or says what remains, and nothing runs that `env list` does not show. The
//! moment follows from the seed; `MENAGERIE_SEEDS` says how many there are of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use duct::Handle;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::playground::{Answer, Playground, has, has_postgres};

/// So many of each take about a minute on two cores.
const SEEDS: u64 = 10;

/// A run that has not ended after this hangs.
const LONGEST_RUN: Duration = Duration::from_secs(150);

const NAME: &str = "calm-otter";

#[test]
fn xtask_in_up() {
    campaign(Victim::Xtask, Operation::Up);
}

#[test]
fn xtask_in_destroy() {
    campaign(Victim::Xtask, Operation::Destroy);
}

#[test]
fn terraform_in_up() {
    campaign(Victim::Terraform, Operation::Up);
}

#[test]
fn terraform_in_destroy() {
    campaign(Victim::Terraform, Operation::Destroy);
}

#[test]
fn provider_in_up() {
    campaign(Victim::Provider, Operation::Up);
}

#[test]
fn provider_in_destroy() {
    campaign(Victim::Provider, Operation::Destroy);
}

#[test]
fn supervisor_in_up() {
    campaign(Victim::Supervisor, Operation::Up);
}

#[test]
fn supervisor_in_destroy() {
    campaign(Victim::Supervisor, Operation::Destroy);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Victim {
    Xtask,
    Terraform,
    Provider,
    Supervisor,
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    Up,
    Destroy,
}

/// What came of one kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// The victim was not there at that moment.
    Undisturbed,
    /// The run reached its end even so.
    Survived,
    /// Nothing had been made yet, and nothing was there.
    Nothing,
    /// The next run reached the end.
    Finished,
    /// The next run said what remains, and the environment was still listed.
    Said,
}

/// What must not come of a kill.
#[derive(Debug, Default)]
struct Faults {
    /// What could no longer be found or destroyed.
    lost: Vec<String>,
    /// What ran and was not listed, or ran after its destroy.
    running: Vec<String>,
    /// Whatever else should not be.
    other: Vec<String>,
}

/// Kills once for each seed, prints what came of it, and fails where something was lost or left running.
fn campaign(victim: Victim, operation: Operation) {
    if !has("terraform") {
        return;
    }
    let title = format!("{victim:?} × {operation:?}");
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    let mut faults = Faults::default();
    for seed in 0..seeds() {
        // PostgreSQL takes longer, so it is one in five.
        let engine = if seed % 5 == 1 && has_postgres() { "postgres" } else { "sqlite" };
        let delay = moment(victim, operation, engine, seed);
        let begin = Instant::now();
        let mut case = Case::new(engine, victim, delay);
        let fate = match operation {
            // Half of them are without a name, which is then known from the list only.
            Operation::Up if seed.is_multiple_of(2) => case.up(&["up", NAME]),
            Operation::Up => case.up(&["up"]),
            Operation::Destroy => case.destroy(),
        };
        if let Some(fate) = fate {
            *fates.entry(fate).or_default() += 1;
        }
        let Case { story, faults: found, .. } = case;
        let seconds = begin.elapsed().as_secs_f64();
        eprintln!("{title}: seed {seed:2} {engine:8} {story} ({seconds:.1} s)");
        let told = |faults: Vec<String>| {
            faults.into_iter().map(move |fault| format!("seed {seed}: {fault}"))
        };
        faults.lost.extend(told(found.lost));
        faults.running.extend(told(found.running));
        faults.other.extend(told(found.other));
    }
    eprintln!(
        "{title}: {fates:?}; lost {}, left running {}, other faults {}",
        faults.lost.len(),
        faults.running.len(),
        faults.other.len()
    );
    let Faults { lost, running, other } = faults;
    assert_eq!([lost, running, other].concat(), [""; 0], "{title}");
}

/// One repository for one kill.
struct Case {
    playground: Playground,
    /// Where sockets lie, so that none of another test is mistaken for ours.
    runtime: PathBuf,
    victim: Victim,
    delay: Duration,
    story: String,
    faults: Faults,
}

impl Case {
    fn new(engine: &'static str, victim: Victim, delay: Duration) -> Self {
        let playground = Playground::with_engine(engine);
        let runtime = playground.root().with_file_name("run");
        fs::DirBuilder::new().mode(0o700).create(&runtime).unwrap();
        let faults = Faults::default();
        Self { playground, runtime, victim, delay, story: String::new(), faults }
    }

    /// Disturbs an `up`, goes on with it, and destroys what came of it.
    fn up(&mut self, arguments: &[&str]) -> Option<Fate> {
        let (killed, answer) = self.disturb(arguments);
        let (name, fate) = match &self.check_list()?[..] {
            [] => {
                self.story.push_str(" → nothing was made");
                let next = self.run(arguments);
                let Some(name) = self.listed()?.pop() else {
                    // The name may have been used up by the run that was killed; then that is said.
                    if !next.stderr.contains("used before") {
                        self.faults
                            .lost
                            .push(format!("it can't be made any more: {}", next.stderr));
                    }
                    return Some(Fate::Nothing);
                };
                (name, Some(Fate::Nothing))
            }
            [name] => (name.clone(), self.next(&["up", name], name, killed, &answer)),
            names => {
                self.faults.other.push(format!("one `up` made {names:?}"));
                return None;
            }
        };
        if !self.listed()?.contains(&name) {
            self.faults.lost.push(format!("`{name}` is not listed after the next run"));
        }
        self.end(&name);
        fate
    }

    /// Brings an environment up, disturbs its `destroy`, and goes on with it.
    fn destroy(&mut self) -> Option<Fate> {
        let up = self.run(&["up", NAME]);
        assert_eq!(up.code, Some(0), "{}", up.stderr);
        let outside = self.outside(NAME);
        let destroy = ["destroy", NAME, "--confirm", NAME];
        let (killed, answer) = self.disturb(&destroy);
        let fate = if self.check_list()?.is_empty() {
            self.story.push_str(" → gone");
            Some(if killed { Fate::Survived } else { Fate::Undisturbed })
        } else {
            self.next(&destroy, NAME, killed, &answer)
        };
        // Also what is gone can be destroyed.
        self.end(NAME);
        self.check_gone(&outside);
        fate
    }

    /// Runs something, kills the victim after a while, and waits for the end; returns whether there was a victim.
    fn disturb(&mut self, arguments: &[&str]) -> (bool, Answer) {
        let handle = self.start(arguments);
        std::thread::sleep(self.delay);
        let victim = match self.victim {
            // Its number is its own until it was waited for.
            Victim::Xtask if handle.try_wait().unwrap().is_none() => {
                Some((handle.pids()[0], "xtask".to_owned()))
            }
            Victim::Xtask => None,
            victim => self.find(victim),
        };
        let killed = victim.filter(|(pid, _)| {
            kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).is_ok()
        });
        let answer = wait(&handle);
        self.story = format!(
            "at {:4} ms of `{}`: killed {}, it gave {}",
            self.delay.as_millis(),
            arguments[0],
            killed.as_ref().map_or("nobody", |(_, what)| what),
            answer.code.map_or("no code".to_owned(), |code| code.to_string()),
        );
        if killed.is_none() && answer.code != Some(0) {
            self.faults.other.push(format!("undisturbed, it failed: {}", answer.stderr));
        }
        (killed.is_some(), answer)
    }

    /// Finds a victim among the processes of this repository; xtask is known by its number only.
    fn find(&self, victim: Victim) -> Option<(u32, String)> {
        self.playground.processes().into_iter().find_map(|(pid, arguments)| {
            let (found, command) = recognise(&arguments)?;
            (found == victim).then(|| (pid, format!("{victim:?} ({command})")))
        })
    }

    /// Goes on with what was cut short.
    fn next(
        &mut self,
        arguments: &[&str],
        name: &str,
        killed: bool,
        first: &Answer,
    ) -> Option<Fate> {
        let next = self.run(arguments);
        if next.code == Some(0) {
            if arguments[0] == "up" {
                self.check_running();
            }
            return Some(match (killed, first.code) {
                (false, _) => Fate::Undisturbed,
                (true, Some(0)) => Fate::Survived,
                (true, _) => {
                    self.check_says(first);
                    self.story.push_str(" → finished");
                    Fate::Finished
                }
            });
        }
        self.check_says(&next);
        write!(self.story, " → {:?} {}", next.code, next.stderr).unwrap();
        if !self.listed()?.iter().any(|listed| listed == name) {
            self.faults.lost.push(format!("`{name}` is not listed, and {}", next.stderr));
        }
        Some(Fate::Said)
    }

    /// Destroys the environment, and looks whether it is gone with all it had.
    fn end(&mut self, name: &str) {
        let outside = self.outside(name);
        let answer = self.run(&["destroy", name, "--confirm", name]);
        if answer.code != Some(0) {
            self.faults.lost.push(format!("`{name}` can't be destroyed: {}", answer.stderr));
            return;
        }
        let running = self.playground.processes();
        if !running.is_empty() {
            self.faults.running.push(format!("after its destroy: {running:?}"));
            return;
        }
        self.playground.assert_nothing_left(name);
        self.check_gone(&outside);
        let sockets = files(&self.runtime);
        if !sockets.is_empty() {
            self.faults.other.push(format!("sockets are left: {sockets:?}"));
        }
    }

    /// Looks whether a run that failed says so in words of its own; one that was killed can't.
    fn check_says(&mut self, answer: &Answer) {
        if answer.code.is_some()
            && (!answer.stderr.contains("error: ") || answer.stderr.contains("panicked"))
        {
            self.faults.other.push(format!("it does not say why it failed: {answer:?}"));
        }
    }

    /// Looks whether one supervisor and one replica run, and neither Terraform nor provider.
    fn check_running(&mut self) {
        let start = Instant::now();
        loop {
            let processes = self.playground.processes();
            let count = |mark| processes.iter().filter(|(_, line)| line.contains(mark)).count();
            let is_clean = [" supervise ", "/images/", " serve "].map(count) == [1, 1, 0]
                && self.find(Victim::Terraform).is_none();
            if is_clean {
                return;
            }
            // A provider whose starter was killed before Terraform came waits a while for one.
            if start.elapsed() > Duration::from_secs(30) {
                self.faults.running.push(format!("not what should run: {processes:?}"));
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Looks whether every environment of which something runs is listed; returns the list where it can be had.
    fn check_list(&mut self) -> Option<Vec<String>> {
        let running = self.running();
        let listed = self.listed()?;
        for name in running.iter().filter(|name| !listed.contains(*name)) {
            self.faults.running.push(format!("`{name}` runs and is not listed"));
        }
        Some(listed)
    }

    /// Returns the names in `env list`, which must work at any time.
    fn listed(&mut self) -> Option<Vec<String>> {
        let answer = self.run(&["list", "--format", "json"]);
        if answer.code != Some(0) {
            self.faults.lost.push(format!("`env list` failed: {}", answer.stderr));
            return None;
        }
        let json: Value = serde_json::from_str(&answer.stdout).unwrap();
        let environments = json["environments"].as_array().unwrap();
        let names = environments.iter().map(|facts| facts["name"].as_str().unwrap().to_owned());
        Some(names.collect())
    }

    /// Returns the names of the environments of which a process runs.
    fn running(&self) -> BTreeSet<String> {
        let names = self.playground.processes().into_iter().filter_map(|(_, arguments)| {
            let (_, rest) = arguments.split_once("/.git/menagerie/envs/")?;
            Some(rest.split('/').next()?.to_owned())
        });
        names.collect()
    }

    /// Returns where databases keep their data outside of the repository.
    fn outside(&self, name: &str) -> Vec<PathBuf> {
        let databases = self.playground.records(name).join("local/databases");
        let records = fs::read_dir(databases).into_iter().flatten().flatten();
        let data = records.filter_map(|entry| {
            let text = fs::read(entry.path().join("database.json")).ok()?;
            let record: Value = serde_json::from_slice(&text).ok()?;
            Some(PathBuf::from(record["data"].as_str()?))
        });
        data.filter(|path| !path.starts_with(self.playground.root())).collect()
    }

    /// Looks whether such data is gone, and who works on it.
    fn check_gone(&mut self, outside: &[PathBuf]) {
        let processes = duct::cmd!("ps", "-eo", "args=").read().unwrap();
        for path in outside {
            if path.exists() {
                self.faults.lost.push(format!("data in {}", path.display()));
            }
            if processes.contains(path.to_str().unwrap()) {
                self.faults.running.push(format!("a server of {}", path.display()));
            }
        }
    }

    fn start(&self, arguments: &[&str]) -> Handle {
        self.playground.command(arguments).env("XDG_RUNTIME_DIR", &self.runtime).start().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        wait(&self.start(arguments))
    }
}

/// Waits for the end of a run, which must come.
fn wait(handle: &Handle) -> Answer {
    let Some(output) = handle.wait_timeout(LONGEST_RUN).unwrap() else {
        handle.kill().unwrap();
        panic!("it does not end: {handle:?}");
    };
    Answer {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Returns all files below a directory, but no directories.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { files(&path) } else { vec![path] }
        })
        .collect()
}

/// Tells whose command line it is, and which command of that program's.
fn recognise(arguments: &str) -> Option<(Victim, &str)> {
    let mut words = arguments.split(' ');
    let program = Path::new(words.next()?).file_name()?.to_str()?;
    let command = words.next()?;
    let victim = match command {
        _ if program == "terraform" => Victim::Terraform,
        "serve" if program.starts_with("menagerie-provider") => Victim::Provider,
        "supervise" if program.starts_with("menagerie-provider") => Victim::Supervisor,
        _ => return None,
    };
    Some((victim, command))
}

/// Returns the moment of a kill that belongs to a seed: while the victim usually lives, or a bit later.
fn moment(victim: Victim, operation: Operation, engine: &str, seed: u64) -> Duration {
    // Multiples of the golden ratio are spread evenly, however many there are of them; each campaign begins elsewhere.
    const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
    let campaign = 2 * victim as u64 + operation as u64;
    let spread = seed.wrapping_mul(GOLDEN_RATIO).wrapping_add(campaign << 61);
    let parts = u32::try_from(spread >> 54).expect("ten bits are left");
    let lives = if engine == "sqlite" { &SQLITE } else { &POSTGRES };
    let life = &lives[operation as usize][victim as usize];
    // Other tests run beside, so that the end comes later than it did when it was measured.
    life.start + (life.end * 4 / 3).saturating_sub(life.start) * parts / 1024
}

/// When each victim lives, from the start of each operation.
type Lives = [[Range<Duration>; 4]; 2];

static SQLITE: LazyLock<Lives> = LazyLock::new(|| measure("sqlite"));

static POSTGRES: LazyLock<Lives> = LazyLock::new(|| measure("postgres"));

/// Watches an `up` and a `destroy` that nobody disturbs.
fn measure(engine: &'static str) -> Lives {
    let case = Case::new(engine, Victim::Xtask, Duration::ZERO);
    [&["up", NAME][..], &["destroy", NAME, "--confirm", NAME]].map(|arguments| {
        let mut lives: [Option<Range<Duration>>; 4] = Default::default();
        let start = Instant::now();
        let mut before = Duration::ZERO;
        let handle = case.start(arguments);
        while handle.try_wait().unwrap().is_none() {
            let processes = case.playground.processes();
            let now = start.elapsed();
            let found = processes.iter().filter_map(|(_, arguments)| recognise(arguments));
            for victim in found.map(|(victim, _)| victim).chain([Victim::Xtask]) {
                lives[victim as usize].get_or_insert(before..now).end = now;
            }
            before = now;
        }
        let answer = wait(&handle);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        eprintln!("undisturbed `{}` with {engine}: {lives:.0?}", arguments[0]);
        lives.map(|life| life.expect("it takes part in both"))
    })
}

#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
fn seeds() -> u64 {
    let given = std::env::var("MENAGERIE_SEEDS").ok();
    given.map_or(SEEDS, |text| text.parse::<NonZeroU64>().expect("a number of seeds").get())
}
