//! One repository for one fault, and the questions that are asked after it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use duct::Handle;
use serde_json::Value;

use super::disk::Disk;
use super::moment::took;
use super::{Fate, Faults, NAME, Operation, Party};
use crate::playground::{Answer, Playground};

/// A run that has not ended after this hangs.
const LONGEST_RUN: Duration = Duration::from_secs(150);

/// The codes of `docs/exit-codes.md`.
const EXIT_CODES: &str = include_str!("../../../docs/exit-codes.md");

pub(crate) struct Case {
    pub(crate) playground: Playground,
    /// Where sockets lie, so that none of another test is mistaken for ours.
    pub(crate) runtime: PathBuf,
    /// What each command is started by.
    pub(crate) starter: Vec<&'static str>,
    /// What each command has in its environment beside.
    pub(crate) variables: Vec<(&'static str, String)>,
    engine: &'static str,
    /// How many replicas the environment has.
    pub(crate) replicas: usize,
    pub(crate) story: String,
    pub(crate) fate: Option<Fate>,
    faults: Faults,
    _runtime_directory: tempfile::TempDir,
    /// What the repository lies on, where it is not any disk: it goes after the repository.
    pub(crate) disk: Option<Disk>,
}

impl Case {
    pub(crate) fn new(engine: &'static str) -> Self {
        Self::of(Playground::with_engine(engine), engine, None)
    }

    /// Makes a case whose repository lies on a disk of its own.
    pub(crate) fn on(disk: Disk) -> Self {
        Self::of(Playground::within(disk.path(), "sqlite"), "sqlite", Some(disk))
    }

    fn of(playground: Playground, engine: &'static str, disk: Option<Disk>) -> Self {
        let runtime_directory = tempfile::tempdir().unwrap();
        Self {
            playground,
            runtime: runtime_directory.path().to_owned(),
            _runtime_directory: runtime_directory,
            disk,
            starter: Vec::new(),
            variables: Vec::new(),
            engine,
            replicas: 1,
            story: format!("{engine:8}"),
            fate: None,
            faults: Faults::default(),
        }
    }

    /// Does what an operation needs to have been done before.
    pub(crate) fn prepare(&mut self, operation: Operation) {
        match operation {
            Operation::Up => {}
            Operation::Apply => {
                self.must(&["new", NAME]);
                self.must(&["plan", NAME]);
            }
            Operation::Destroy => {
                let start = Instant::now();
                self.must(&["up", NAME]);
                took(Operation::Up, self.engine, start.elapsed());
            }
        }
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Handle {
        let mut command = self.playground.command_by(&self.starter, arguments);
        for (name, value) in &self.variables {
            command = command.env(name, value);
        }
        command.env("XDG_RUNTIME_DIR", &self.runtime).start().unwrap()
    }

    /// Runs a command to its end, which must be one that is documented.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Answer {
        let handle = self.start(arguments);
        self.finish(&handle, arguments)
    }

    /// Waits for a moment of an operation that was just started; returns whether it has not ended before.
    pub(crate) fn reach(&self, moment: Duration, operation: Operation, handle: &Handle) -> bool {
        let start = Instant::now();
        loop {
            let is_running = handle.try_wait().unwrap().is_none();
            if !is_running {
                took(operation, self.engine, start.elapsed());
                return false;
            }
            let left = moment.saturating_sub(start.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }

    /// Waits for a command that nobody kills.
    pub(crate) fn finish(&mut self, handle: &Handle, arguments: &[&str]) -> Answer {
        let answer = wait(handle);
        if answer.code.is_none() {
            self.wrong(format!("`env {}` was killed", arguments.join(" ")));
        }
        self.check_says(arguments, &answer);
        answer
    }

    /// Runs a command that must succeed for the case to make sense.
    #[track_caller]
    pub(crate) fn must(&mut self, arguments: &[&str]) -> Answer {
        let answer = self.run(arguments);
        assert_eq!(answer.code, Some(0), "`env {}`: {}", arguments.join(" "), answer.stderr);
        answer
    }

    /// Looks whether a run that failed says so in words of its own, with a code that is documented.
    pub(crate) fn check_says(&mut self, arguments: &[&str], answer: &Answer) {
        // One that was killed can't say anything.
        let Some(code) = answer.code else { return };
        let is_documented =
            EXIT_CODES.lines().any(|line| line.starts_with(&format!("| {code} | ")));
        let is_said = code == 0 || answer.stderr.contains("error: ");
        if !is_documented || !is_said || answer.stderr.contains("panicked") {
            self.wrong(format!("`env {}` does not say why: {answer:?}", arguments.join(" ")));
        }
    }

    pub(crate) fn tell(&mut self, text: impl AsRef<str>) {
        self.story.push_str(text.as_ref());
    }

    pub(crate) fn lost(&mut self, text: String) {
        self.faults.lost.push(text);
    }

    pub(crate) fn left_running(&mut self, text: String) {
        self.faults.running.push(text);
    }

    pub(crate) fn wrong(&mut self, text: String) {
        self.faults.other.push(text);
    }

    pub(crate) fn into_faults(self) -> Faults {
        self.faults
    }

    /// Goes on with what was disturbed or not, and tells the fate of it.
    pub(crate) fn next(
        &mut self,
        arguments: &[&str],
        disturbed: bool,
        first: &Answer,
    ) -> (Fate, Answer) {
        let next = self.run(arguments);
        if next.code == Some(0) {
            if arguments[0] == "up" {
                self.check_running();
            }
            let fate = match (disturbed, first.code) {
                (false, _) => Fate::Undisturbed,
                (true, Some(0)) => Fate::Survived,
                (true, _) => {
                    self.tell(format!(" → `{}` finished", arguments[0]));
                    Fate::Finished
                }
            };
            return (fate, next);
        }
        let said = next.stderr.lines().find(|line| line.contains("error: ")).unwrap_or_default();
        write!(self.story, " → {:?} {said}", next.code).unwrap();
        (Fate::Said, next)
    }

    /// Looks whether an environment is listed.
    pub(crate) fn check_listed(&mut self, name: &str) {
        if self.listed().is_some_and(|listed| !listed.iter().any(|listed| listed == name)) {
            self.lost(format!("`{name}` is not listed"));
        }
    }

    /// Destroys an environment, and looks whether it is gone with all it had.
    pub(crate) fn end(&mut self, name: &str) {
        let outside = self.outside(name);
        self.check_logs(name);
        let answer = self.run(&["destroy", name, "--confirm", name]);
        if answer.code != Some(0) {
            self.lost(format!("`{name}` can't be destroyed: {}", answer.stderr));
            return;
        }
        self.check_gone(name, &outside);
        if let Some(listed) = self.listed().filter(|listed| !listed.is_empty()) {
            self.wrong(format!("after the destroy there is {listed:?}"));
        }
    }

    /// Looks whether an environment is gone with all it had; `outside` is what it had outside of the repository.
    pub(crate) fn check_gone(&mut self, name: &str, outside: &[PathBuf]) {
        let running = self.playground.processes();
        if !running.is_empty() {
            self.left_running(format!("after its destroy: {running:?}"));
        }
        let home = self.playground.root().join(".git/menagerie");
        let left =
            [self.playground.records(name), self.playground.root().join("tf/envs").join(name)];
        for path in left.iter().chain(outside).filter(|path| path.exists()) {
            self.lost(format!("after its destroy there is `{}`", path.display()));
        }
        if !home.join("certificates").join(format!("{name}.json")).exists() {
            self.wrong("there is no certificate".to_owned());
        }
        let processes = duct::cmd!("ps", "-eo", "args=").read().unwrap();
        for path in outside.iter().filter(|path| processes.contains(path.to_str().unwrap())) {
            self.left_running(format!("a server of `{}`", path.display()));
        }
        let sockets = files(&self.runtime);
        if !sockets.is_empty() {
            self.wrong(format!("sockets are left: {sockets:?}"));
        }
    }

    /// Looks whether one supervisor and all replicas run, and neither Terraform nor provider.
    pub(crate) fn check_running(&mut self) {
        let start = Instant::now();
        loop {
            let processes = self.playground.processes();
            let count = |mark| processes.iter().filter(|(_, line)| line.contains(mark)).count();
            let is_clean = [" supervise ", "/images/", " serve "].map(count)
                == [1, self.replicas, 0]
                && self.find(Party::Terraform).is_none();
            if is_clean {
                return;
            }
            // A provider whose starter was killed before Terraform came waits a while for one.
            if start.elapsed() > Duration::from_secs(30) {
                self.left_running(format!("not what should run: {processes:?}"));
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Looks whether every environment of which something runs is listed; returns the list where it can be had.
    pub(crate) fn check_list(&mut self) -> Option<Vec<String>> {
        let running = self.running();
        let listed = self.listed()?;
        for name in running.iter().filter(|name| !listed.contains(*name)) {
            self.left_running(format!("`{name}` runs and is not listed"));
        }
        Some(listed)
    }

    /// Returns the names in `env list`, which must work at any time.
    pub(crate) fn listed(&mut self) -> Option<Vec<String>> {
        let environments = self.list()?;
        let names = environments.iter().map(|facts| facts["name"].as_str().unwrap().to_owned());
        Some(names.collect())
    }

    /// Returns what `env list` says, which must work at any time.
    pub(crate) fn list(&mut self) -> Option<Vec<Value>> {
        let answer = self.run(&["list", "--format", "json"]);
        if answer.code != Some(0) {
            self.lost(format!("`env list` failed: {}", answer.stderr));
            return None;
        }
        let mut json: Value = serde_json::from_str(&answer.stdout).unwrap();
        serde_json::from_value(json["environments"].take()).ok()
    }

    /// Finds a party among the processes of this repository; xtask is known by its number only.
    pub(crate) fn find(&self, party: Party) -> Option<(u32, String)> {
        self.playground.processes().into_iter().find_map(|(pid, arguments)| {
            let (found, command) = Party::recognise(&arguments)?;
            (found == party).then(|| (pid, format!("{party:?} ({command})")))
        })
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
    pub(crate) fn outside(&self, name: &str) -> Vec<PathBuf> {
        let databases = self.playground.records(name).join("local/databases");
        let records = fs::read_dir(databases).into_iter().flatten().flatten();
        let data = records.filter_map(|entry| {
            let text = fs::read(entry.path().join("database.json")).ok()?;
            let record: Value = serde_json::from_slice(&text).ok()?;
            Some(PathBuf::from(record["data"].as_str()?))
        });
        data.filter(|path| !path.starts_with(self.playground.root())).collect()
    }

    /// Looks whether provider or supervisor panicked.
    fn check_logs(&mut self, name: &str) {
        let records = self.playground.records(name);
        for log in [records.join("runs/provider.log"), records.join("local/supervisor.log")] {
            let text = fs::read(&log).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            if let Some(line) = text.lines().find(|line| line.contains("panicked")) {
                self.wrong(format!("`{}`: {line}", log.display()));
            }
        }
    }
}

/// Waits for the end of a run, which must come.
pub(crate) fn wait(handle: &Handle) -> Answer {
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
