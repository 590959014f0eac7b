//! How many processes of Terraform a command costs: each takes longer than all that we do ourselves.

use std::fs;
use std::path::PathBuf;

use crate::playground::{Answer, Playground, has, run};

const NAME: &str = "calm-otter";

/// A program that writes down what it is asked, and then is the Terraform of the PATH. Not a script: those are asked for their
/// version each time.
const WRAPPER: &str = r#"
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let log = std::env::current_exe().unwrap().with_file_name("log");
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    log.write_all(format!("{}\n", arguments[0].to_str().unwrap()).as_bytes()).unwrap();
    panic!("{}", std::process::Command::new("terraform").args(arguments).exec());
}
"#;

/// A repository whose commands use a Terraform that counts.
struct Counted {
    playground: Playground,
    wrapper: tempfile::TempDir,
}

impl Counted {
    fn new() -> Self {
        let wrapper = tempfile::tempdir().unwrap();
        fs::write(wrapper.path().join("terraform.rs"), WRAPPER).unwrap();
        // `rustc` of the toolchain that cargo runs the tests with.
        duct::cmd!("rustc", "--edition=2024", "terraform.rs").dir(wrapper.path()).run().unwrap();
        Self { playground: Playground::new(), wrapper }
    }

    fn log(&self) -> PathBuf {
        self.wrapper.path().join("log")
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        let command = self
            .playground
            .command(arguments)
            .env("MENAGERIE_TERRAFORM", self.wrapper.path().join("terraform"))
            .env("XDG_CACHE_HOME", self.wrapper.path().join("cache"));
        run(&command)
    }

    /// Runs `xtask env` and checks which commands of Terraform that started.
    #[track_caller]
    fn check(&self, arguments: &[&str], expected: &[&str]) {
        let _ = fs::remove_file(self.log());
        let answer = self.run(arguments);
        assert_eq!(answer.code, Some(0), "`env {}`:\n{}", arguments.join(" "), answer.stderr);
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        assert_eq!(log.lines().collect::<Vec<_>>(), expected, "`env {}`", arguments.join(" "));
    }
}

#[test]
fn no_command_starts_more_than_it_needs() {
    if !has("terraform") {
        return;
    }
    let counted = Counted::new();
    counted.check(&["new", NAME], &[]);
    // Once for each program and for each root module.
    counted.check(&["plan", NAME], &["version", "init", "plan", "show"]);
    // What a pull request costs each time that it is pushed to.
    counted.check(&["plan", NAME], &["plan", "show"]);
    counted.check(&["apply", NAME], &["apply"]);
    counted.check(&["plan", NAME], &["plan"]);
    counted.check(&["up", NAME], &["plan"]);
    counted.check(&["list"], &[]);
    counted.check(&["show", NAME], &[]);
    counted.check(&["destroy", NAME, "--confirm", NAME], &["destroy"]);
    counted.playground.assert_nothing_left(NAME);
}
