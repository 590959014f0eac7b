//! [`Opa`]: Open Policy Agent itself, behind a process that takes a question a line.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than any answer takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that has OPA in it, and ends with this.
pub(crate) struct Opa {
    child: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

/// Returns where `tests/opa.py install` puts what it gets; none where it has not been run.
pub(crate) fn directory() -> Option<PathBuf> {
    let directory = env::var_os("MENAGERIE_OPA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/ci/opa"),
        PathBuf::from,
    );
    if directory.join("cdk-preflight.json").exists() {
        return Some(directory);
    }
    let what = format!(
        "no Open Policy Agent in `{}`; `python3 crates/menagerie-rego/tests/opa.py install target/ci/opa` gets it",
        directory.display()
    );
    assert!(
        env::var_os("MENAGERIE_REQUIRE").is_none_or(|tools| tools != "all"),
        "MENAGERIE_REQUIRE=all: {what}"
    );
    eprintln!("skipped: {what}");
    None
}

impl Opa {
    /// Starts it where it is installed.
    pub(crate) fn start() -> Option<Self> {
        let directory = directory()?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/opa.py");
        let mut child = Command::new("python3")
            .args([script.as_ref(), "serve".as_ref(), directory.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let questions = child.stdin.take().expect("it is a pipe");
        let lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
        let (sender, answers) = channel();
        // It ends when the process does.
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Some(Self { child, questions, answers })
    }

    /// Makes these modules and data what is asked from now on, and compiles them.
    pub(crate) fn load(&mut self, modules: &[(&str, &str)], data: &Value) -> Result<(), String> {
        self.exchange(&json!({"modules": modules, "data": data, "query": "true", "input": "{}"}))
            .map(drop)
    }

    /// Returns the value of a query; null is what is undefined.
    pub(crate) fn ask(&mut self, query: &str, input: &str) -> Result<Value, String> {
        self.exchange(&json!({"query": query, "input": input}))
    }

    fn exchange(&mut self, question: &Value) -> Result<Value, String> {
        writeln!(self.questions, "{question}").expect("it reads its questions");
        let answer = self.answers.recv_timeout(PATIENCE).expect("it answers");
        let mut answer: Value = serde_json::from_str(&answer).expect("its answers are JSON");
        match answer.get("error") {
            Some(error) => {
                Err(format!("{}: {}", error["code"], error["message"].as_str().unwrap_or_default()))
            }
            None => Ok(answer["result"].take()),
        }
    }
}

impl Drop for Opa {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
