//! Ctrl-C once and twice, while a plan, an apply or a destroy is held up at a known point; and a second run meanwhile.
//!
//! Nothing here waits for a time to pass: a plan is held up by a pipe that it reads, an apply by an application that waits for
//! a file, a destroy by a process that is stopped.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use duct::Handle;
use duct::unix::HandleExt as _;
use rustix::fs::{Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};

use crate::playground::{Answer, Playground, eventually, has, open_for_reader};

const NAME: &str = "calm-otter";

/// How an interrupted environment is gone on with.
#[derive(Clone, Copy)]
enum Next {
    Up,
    Destroy,
}

#[test]
fn once_in_a_plan() {
    in_a_plan(1);
}

#[test]
fn twice_in_a_plan() {
    in_a_plan(2);
}

/// The plan reads a pipe, which is where it is while the signals come.
fn in_a_plan(presses: u32) {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["new", NAME]);
    let pipe = playground.root().join("../pipe");
    mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let main = playground.root().join("tf/envs").join(NAME).join("main.tf");
    let text = fs::read_to_string(&main).unwrap();
    let local = format!("\nlocals {{\n  text = file(\"{}\")\n}}\n", pipe.display());
    fs::write(&main, text + &local).unwrap();

    let running = playground.command(&["plan", NAME]).start().unwrap();
    let mut writer = None;
    eventually("Terraform reads the pipe", || {
        writer = open_for_reader(&pipe);
        writer.is_some()
    });
    press(&running);
    eventually("Terraform is asked to stop", || says(&playground, "Interrupt received"));
    if presses == 1 {
        // It may go on now, and is to stop at the next point where that is safe.
        drop(writer.take());
    } else {
        press(&running);
    }
    let answer = answer(&running);
    interrupted(&answer, "during the plan of `calm-otter`");
    assert!(answer.stderr.contains("nothing was changed"), "{}", answer.stderr);
    assert_eq!(playground.processes(), []);
    drop(writer);

    fs::remove_file(&pipe).unwrap();
    fs::write(&pipe, "").unwrap();
    finish(&playground, Next::Up);
}

#[test]
fn once_in_the_build() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let started = playground.root().join(".git/build-started");
    let build = format!("[\"sh\", \"-c\", \": >{}; sleep 600\"]", started.display());
    configure(&playground, &format!("build = {build}\nrun = [\"bin/sample-app\"]"));
    let running = playground.command(&["up", NAME]).start().unwrap();
    eventually("the build runs", || started.exists());
    press(&running);
    interrupted(&answer(&running), "the build was interrupted");
    assert_eq!(playground.processes(), []);

    playground.configure("");
    finish(&playground, Next::Up);
}

#[test]
fn once_in_an_apply_then_up() {
    in_an_apply(1, Next::Up);
}

#[test]
fn once_in_an_apply_then_destroy() {
    in_an_apply(1, Next::Destroy);
}

#[test]
fn twice_in_an_apply_then_up() {
    in_an_apply(2, Next::Up);
}

#[test]
fn twice_in_an_apply_then_destroy() {
    in_an_apply(2, Next::Destroy);
}

/// The application does not listen, which is what the apply waits for while the signals come.
fn in_an_apply(presses: u32, next: Next) {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let gate = hold_up_the_application(&playground);
    // What is left of a plan that was shown is gone on with, too.
    playground.ok(&["new", NAME]);
    playground.ok(&["plan", NAME]);
    let running = playground.command(&["apply", NAME]).start().unwrap();
    let replica =
        playground.records(NAME).join("local/services").join(NAME).join("replicas/0.json");
    eventually("the application is started", || replica.exists());
    // A provider that does not answer keeps Terraform from ending at the first signal.
    let provider = (presses == 2).then(|| process(&playground, " serve "));
    if let Some(provider) = provider {
        kill_process(provider, Signal::STOP).unwrap();
    }
    press(&running);
    eventually("Terraform is asked to stop", || says(&playground, "Interrupt received"));
    if let Some(provider) = provider {
        press(&running);
        eventually("Terraform is told to leave", || says(&playground, "Two interrupts received"));
        kill_process(provider, Signal::CONT).unwrap();
    }
    let answer = answer(&running);
    interrupted(&answer, "during the apply of `calm-otter`");
    assert!(answer.stderr.contains("env up calm-otter"), "{}", answer.stderr);
    assert_eq!(answer.stderr.contains("may be missing from the state"), presses == 2);
    assert_only_what_is_listed(&playground);

    if let Next::Up = next {
        fs::write(gate, "").unwrap();
    }
    finish(&playground, next);
}

#[test]
fn once_in_a_destroy() {
    in_a_destroy(1);
}

#[test]
fn twice_in_a_destroy() {
    in_a_destroy(2);
}

/// The application does not end when it is told to, which is what the destroy waits for while the signals come.
fn in_a_destroy(presses: u32) {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["up", NAME]);
    kill_process(process(&playground, "/images/"), Signal::STOP).unwrap();
    let confirmed = ["destroy", NAME, "--confirm", NAME];
    let running = playground.command(&confirmed).start().unwrap();
    let record = playground.records(NAME).join("local/services").join(NAME).join("service.json");
    eventually("the service is being removed", || {
        fs::read_to_string(&record).is_ok_and(|text| text.contains("\"removing\": true"))
    });
    press(&running);
    eventually("Terraform is asked to stop", || says(&playground, "Interrupt received"));
    if presses == 2 {
        press(&running);
    }
    let answer = answer(&running);
    interrupted(&answer, "`calm-otter` is not destroyed; what remains:");
    assert!(answer.stderr.contains("menagerie_database.this"), "{}", answer.stderr);
    assert!(answer.stderr.contains("env destroy calm-otter"), "{}", answer.stderr);
    assert_eq!(answer.stderr.contains("may be missing from the state"), presses == 2);
    assert_only_what_is_listed(&playground);
    assert!(playground.ok(&["list"]).contains("destroy-failed"));

    // It can only end now.
    for command in ["plan", "apply", "up"] {
        let answer = playground.env(&[command, NAME]);
        assert_eq!(answer.code, Some(7), "`env {command}`:\n{}", answer.stderr);
    }
    finish(&playground, Next::Destroy);
}

#[test]
fn a_second_run_is_told_who_is_first() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let gate = hold_up_the_application(&playground);
    let first = playground.command(&["up", NAME]).start().unwrap();
    let replica =
        playground.records(NAME).join("local/services").join(NAME).join("replicas/0.json");
    eventually("the application is started", || replica.exists());
    let holder = format!("`calm-otter` is being worked on by an apply (pid {}", first.pids()[0]);
    for arguments in [
        &["plan", NAME][..],
        &["apply", NAME],
        &["up", NAME],
        &["destroy", NAME, "--confirm", NAME],
    ] {
        let answer = playground.env(arguments);
        assert_eq!(answer.code, Some(8), "{}", answer.stderr);
        assert!(answer.stderr.contains(&holder), "`{holder}` is not in:\n{}", answer.stderr);
        assert!(answer.stderr.contains("hint: wait until it has ended"), "{}", answer.stderr);
    }
    // What only looks need not wait.
    let status = playground.json(&["status", NAME]);
    assert_eq!(status["services"][0]["replicas"][0]["status"], "starting", "{status}");
    assert!(playground.ok(&["list"]).contains(NAME));

    fs::write(gate, "").unwrap();
    let answer = answer(&first);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    finish(&playground, Next::Destroy);
}

/// Goes on with an environment to its end, at which nothing is left.
#[track_caller]
fn finish(playground: &Playground, next: Next) {
    if let Next::Up = next {
        let up = playground.json(&["up", NAME]);
        assert_eq!(up["health"], "healthy", "{up}");
    }
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
}

#[track_caller]
fn interrupted(answer: &Answer, expected: &str) {
    assert_eq!(answer.code, Some(130), "{}", answer.stderr);
    assert!(answer.stderr.contains(expected), "`{expected}` is not in:\n{}", answer.stderr);
    assert_eq!(answer.stdout, "");
}

/// Asserts that all that runs is supervised, and is an environment's that `env list` shows.
#[track_caller]
fn assert_only_what_is_listed(playground: &Playground) {
    for (pid, line) in playground.processes() {
        assert!(
            line.contains(" supervise ") || line.contains("/images/"),
            "left by the run that was interrupted: {pid} {line}"
        );
    }
    assert!(playground.ok(&["list"]).contains(NAME));
}

/// Makes an application that listens only once a file is there, and returns the file.
fn hold_up_the_application(playground: &Playground) -> PathBuf {
    let gate = playground.root().join("../gate");
    let program = playground.root().join("bin/slow");
    let application = playground.root().join("bin/sample-app").canonicalize().unwrap();
    let script = format!(
        "#!/bin/sh\nwhile [ ! -e '{}' ]; do sleep 0.05; done\nexec '{}'\n",
        gate.display(),
        application.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    configure(playground, "run = [\"bin/slow\"]");
    gate
}

/// Writes `menagerie.toml` anew, with these lines about the application.
fn configure(playground: &Playground, application: &str) {
    let text = format!(
        "[application]\n{application}\nhealth_check_path = \"/readyz\"\n\n[database]\nengine = \"sqlite\"\n"
    );
    fs::write(playground.root().join("menagerie.toml"), text).unwrap();
}

/// Returns whether Terraform has said something in one of its runs.
fn says(playground: &Playground, text: &str) -> bool {
    let runs = fs::read_dir(playground.records(NAME).join("runs"));
    runs.into_iter()
        .flatten()
        .flatten()
        .any(|run| fs::read_to_string(run.path()).is_ok_and(|output| output.contains(text)))
}

/// Returns the one process of this repository whose command line has this in it.
#[track_caller]
fn process(playground: &Playground, mark: &str) -> Pid {
    let all = playground.processes();
    let found: Vec<_> = all.iter().filter(|(_, line)| line.contains(mark)).collect();
    let [(pid, _)] = found[..] else { panic!("`{mark}` in {all:?}") };
    Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap()
}

/// What Ctrl-C does: `xtask` alone gets it, for what it starts is in other process groups or decides for itself.
fn press(running: &Handle) {
    running.send_signal(Signal::INT.as_raw()).unwrap();
}

fn answer(running: &Handle) -> Answer {
    let output = running.wait().unwrap();
    Answer {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout.clone()).unwrap(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}
