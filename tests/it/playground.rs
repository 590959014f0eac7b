//! A repository of its own for each test, with the real tree, the real application and the real binaries.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use duct::Expression;
use rustix::fs::OFlags;
use serde_json::Value;

/// A repository in a temporary directory. What runs for it ends with it.
pub(crate) struct Playground {
    root: PathBuf,
    engine: &'static str,
    directory: Option<tempfile::TempDir>,
}

/// What a command gave.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The directory with the binaries of this workspace, which are built here where nobody has built them yet.
static BINARIES: LazyLock<PathBuf> = LazyLock::new(|| {
    let packages = ["menagerie-comply", "menagerie-provider", "sample-app"];
    let arguments = packages.iter().flat_map(|package| ["-p", package]);
    duct::cmd(env!("CARGO"), ["build", "--quiet", "--locked"].into_iter().chain(arguments))
        .dir(env!("CARGO_MANIFEST_DIR"))
        .run()
        .expect("the workspace builds");
    Path::new(env!("CARGO_BIN_EXE_xtask")).parent().expect("a program is in a directory").to_owned()
});

impl Playground {
    /// Makes a repository whose environments keep their data in SQLite, which is quicker to make than PostgreSQL.
    pub(crate) fn new() -> Self {
        Self::with_engine("sqlite")
    }

    /// Makes a repository whose environments keep their data in this engine.
    pub(crate) fn with_engine(engine: &'static str) -> Self {
        Self::within(&tempfile::env::temp_dir(), engine)
    }

    /// Makes such a repository within a directory that is there.
    pub(crate) fn within(place: &Path, engine: &'static str) -> Self {
        let directory = tempfile::tempdir_in(place).expect("there is room for a directory");
        let root = directory.path().canonicalize().expect("it exists").join("repository");
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the repository");
        copy(&source.join("tf"), &root.join("tf"));
        let _ = fs::remove_dir_all(root.join("tf/envs"));
        fs::create_dir(root.join("bin")).unwrap();
        symlink(BINARIES.join("sample-app"), root.join("bin/sample-app")).unwrap();
        let playground = Self { root, engine, directory: Some(directory) };
        playground.configure("");
        playground.git(&["init", "--quiet", "--initial-branch=main"]);
        playground.git(&["config", "user.email", "ada@example.invalid"]);
        playground.git(&["config", "user.name", "Ada"]);
        playground.git(&["add", "--all"]);
        playground.git(&["commit", "--quiet", "--message=Start"]);
        playground
    }

    /// Writes `menagerie.toml` anew, with this added to its end.
    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "[application]\nrun = [\"bin/sample-app\"]\nhealth_check_path = \"/readyz\"\n\n[database]\nengine = \"{}\"\n{more}",
            self.engine
        );
        fs::write(self.root.join("menagerie.toml"), text).unwrap();
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where the records of an environment lie.
    pub(crate) fn records(&self, name: &str) -> PathBuf {
        self.root.join(".git/menagerie/envs").join(name)
    }

    /// Returns a command that runs `xtask env` with these arguments, in an environment without the machine's own settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Expression {
        self.command_by(&[], arguments)
    }

    /// Returns the same command, started by another program that becomes it, such as `setpriv`.
    pub(crate) fn command_by(&self, starter: &[&str], arguments: &[&str]) -> Expression {
        self.start(&[starter, &[env!("CARGO_BIN_EXE_xtask"), "env"], arguments].concat())
    }

    /// Runs `xtask comply` with these arguments to its end.
    pub(crate) fn comply(&self, arguments: &[&str]) -> Answer {
        run(&self.start(&[&[env!("CARGO_BIN_EXE_xtask"), "comply"], arguments].concat()))
    }

    fn start(&self, words: &[&str]) -> Expression {
        let mut command = duct::cmd(words[0], &words[1..])
            .dir(&self.root)
            .env("MENAGERIE_COMPLY", judge())
            .env("MENAGERIE_PROVIDER", provider())
            .env("NO_COLOR", "1")
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked();
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["TF_", "AWS_", "GITHUB_", "GIT_", "OTEL_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
            {
                command = command.env_remove(name.as_ref());
            }
        }
        command
    }

    /// Runs `xtask env` with these arguments to its end.
    pub(crate) fn env(&self, arguments: &[&str]) -> Answer {
        run(&self.command(arguments))
    }

    /// Runs `xtask env` with these arguments, which must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let answer = self.env(arguments);
        assert_eq!(answer.code, Some(0), "`env {}`:\n{}", arguments.join(" "), answer.stderr);
        answer.stdout
    }

    /// Runs `xtask env … --format json`, which must succeed.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        duct::cmd("git", arguments).dir(&self.root).read().unwrap()
    }

    /// Returns the command lines of all processes that run for this repository, each with its process id.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        let text = duct::cmd!("ps", "-eo", "pid=,args=").read().unwrap();
        let mark = self.root.join(".git").to_string_lossy().into_owned();
        let lines = text.lines().filter(|line| line.contains(&mark));
        lines
            .filter_map(|line| {
                let (pid, arguments) = line.trim().split_once(' ')?;
                Some((pid.parse().ok()?, arguments.to_owned()))
            })
            .collect()
    }

    /// Asserts that nothing runs for this repository and that no data is left of an environment but its proof.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self, name: &str) {
        assert_eq!(self.processes(), []);
        assert!(!self.records(name).exists(), "records are left");
        assert!(!self.root.join("tf/envs").join(name).exists(), "the directory is left");
        let certificate =
            self.root.join(".git/menagerie/certificates").join(format!("{name}.json"));
        assert!(certificate.exists(), "there is no certificate");
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        for entry in
            fs::read_dir(self.root.join(".git/menagerie/envs")).into_iter().flatten().flatten()
        {
            let local = entry.path().join("local");
            let down =
                duct::cmd!(provider(), "down", "--dir", local).stdout_null().unchecked().run();
            if let Err(error) = down {
                eprintln!("failed to end what runs in {}: {error}", entry.path().display());
            }
        }
        drop(self.directory.take());
    }
}

pub(crate) fn run(command: &Expression) -> Answer {
    let output = command.run().expect("xtask starts");
    Answer {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Returns the built `menagerie-provider`.
pub(crate) fn provider() -> PathBuf {
    BINARIES.join("menagerie-provider")
}

/// Returns the built `menagerie-comply`.
pub(crate) fn judge() -> PathBuf {
    BINARIES.join("menagerie-comply")
}

/// Returns whether a test that needs a tool should go on; where the tool is missing it says so, or fails if nothing may be skipped.
#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
pub(crate) fn has(tool: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|path| path.join(tool).is_file());
    if !found {
        assert!(!is_required(), "`{tool}` is missing");
        eprintln!("skipped: `{tool}` is missing");
    }
    found
}

/// Returns whether nothing may be skipped.
#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
pub(crate) fn is_required() -> bool {
    std::env::var("MENAGERIE_REQUIRE").as_deref() == Ok("all")
}

/// Copies a directory with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Returns whether PostgreSQL is installed, on the PATH or where Debian's packages have it.
#[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
pub(crate) fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let packaged = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        packaged.chain(std::env::split_paths(&path)).any(|bin| bin.join("initdb").is_file());
    if !found {
        assert!(!is_required(), "no PostgreSQL");
        eprintln!("skipped: PostgreSQL is not installed");
    }
    found
}

/// Waits until this is so; after a minute it never will be.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "not after a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Opens a pipe to write to it, if somebody reads it.
pub(crate) fn open_for_reader(pipe: &Path) -> Option<fs::File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    fs::OpenOptions::new().write(true).custom_flags(flags).open(pipe).ok()
}
