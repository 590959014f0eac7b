//! `env logs --follow` and `env open`: what is written reaches whoever follows, and following ends as it should.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use duct::Handle;
use rustix::process::{Pid, Signal, kill_process};

use crate::playground::{Playground, has};

const NAME: &str = "calm-otter";

/// A run of `env logs --follow`, whose lines are read as they come.
struct Following {
    handle: Handle,
    lines: Receiver<String>,
}

impl Following {
    fn start(playground: &Playground, arguments: &[&str]) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let arguments = [&["env", "logs", NAME, "--follow"], arguments].concat();
        let handle = duct::cmd(env!("CARGO_BIN_EXE_xtask"), arguments)
            .dir(playground.root())
            .env("NO_COLOR", "1")
            .stdin_null()
            .stdout_file(writer)
            .stderr_capture()
            .unchecked()
            .start()
            .unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // Nobody listens any more, so the pipe is closed with the reader.
            BufReader::new(reader)
                .lines()
                .map_while(Result::ok)
                .take_while(|line| sender.send(line.clone()).is_ok())
                .for_each(drop);
        });
        Self { handle, lines }
    }

    /// Reads up to a line that contains this, which must come.
    #[track_caller]
    fn expect(&self, expected: &str) -> String {
        let minute = Duration::from_mins(1);
        loop {
            let line =
                self.lines.recv_timeout(minute).unwrap_or_else(|_| panic!("no `{expected}`"));
            if line.contains(expected) {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.handle.pids()[0].cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end, which must come, and returns what it said.
    #[track_caller]
    fn end(self) -> String {
        let Some(output) = self.handle.wait_timeout(Duration::from_mins(1)).unwrap() else {
            self.handle.kill().unwrap();
            panic!("it does not end");
        };
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        stderr
    }
}

fn log(playground: &Playground, replica: u32) -> PathBuf {
    let logs = playground.records(NAME).join("local/services").join(NAME).join("logs");
    logs.join(format!("replica-{replica}.log"))
}

/// Writes to a log as the application does.
fn write(playground: &Playground, replica: u32, line: &str) {
    let mut log = File::options().append(true).open(log(playground, replica)).unwrap();
    std::io::Write::write_all(&mut log, format!("{line}\n").as_bytes()).unwrap();
}

#[test]
fn following_sees_all_that_is_written_until_the_environment_is_gone() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    playground.ok(&["new", NAME]);
    let following = Following::start(&playground, &[]);
    playground.ok(&["up", NAME]);
    let first = following.expect("listening");
    assert!(first.starts_with(&format!("{NAME}/0 | ")), "{first}");

    // As the hosting sets a large log aside.
    write(&playground, 0, "before it is set aside");
    let path = log(&playground, 0);
    fs::copy(&path, path.with_extension("log.1")).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    write(&playground, 0, "after it was set aside");
    following.expect("before it is set aside");
    following.expect("after it was set aside");

    let main = playground.root().join("tf/envs").join(NAME).join("main.tf");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, text.replace("desired_count            = 1", "desired_count            = 2"))
        .unwrap();
    playground.ok(&["apply", NAME]);
    following.expect(&format!("{NAME}/1 | "));

    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    assert!(following.end().contains("is gone"));
    let after = playground.env(&["logs", NAME, "--follow"]);
    assert_eq!((after.code, after.stdout.as_str()), (Some(0), ""), "{}", after.stderr);
}

#[test]
fn following_ends_with_its_user_and_with_its_reader() {
    if !has("terraform") {
        return;
    }
    let playground = Playground::new();
    let before = playground.env(&["open", NAME]);
    assert_eq!(before.code, Some(6), "{}", before.stderr);
    playground.ok(&["new", NAME]);
    let wanted = playground.env(&["open", NAME]);
    assert_eq!(wanted.code, Some(1), "{}", wanted.stderr);
    assert!(wanted.stderr.contains("has no URL: it is wanted"), "{}", wanted.stderr);
    let up = playground.json(&["up", NAME]);
    for signal in [Signal::INT, Signal::TERM] {
        let following = Following::start(&playground, &["--lines", "1"]);
        following.expect("| ");
        following.signal(signal);
        following.end();
    }
    let following = Following::start(&playground, &[]);
    following.expect("| ");
    let Following { handle, lines } = following;
    drop(lines);
    // The thread that reads notices with the next line that nobody wants it.
    write(&playground, 0, "nobody reads this");
    Following { handle, lines: channel().1 }.end();

    let unknown = playground.env(&["logs", NAME, "--follow", "--service", "web"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    let open = crate::playground::run(
        &playground.command(&["open", NAME]).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY"),
    );
    assert_eq!(open.code, Some(0), "{}", open.stderr);
    assert_eq!(open.stdout.trim(), up["url"].as_str().unwrap());
    assert_eq!(playground.ok(&["open", NAME, "--print"]), open.stdout);
    opens_a_browser(&playground, &open.stdout);
    playground.ok(&["destroy", NAME, "--confirm", NAME]);
    playground.assert_nothing_left(NAME);
    let gone = playground.env(&["open", NAME]);
    assert_eq!(gone.code, Some(1), "{}", gone.stderr);
}

/// Looks whether the desktop's opener is given the URL, where there is a desktop.
#[expect(clippy::disallowed_methods, reason = "the opener is put before all else on the PATH")]
fn opens_a_browser(playground: &Playground, url: &str) {
    let bin = playground.root().with_file_name("desktop");
    fs::create_dir(&bin).unwrap();
    let script = format!("#!/bin/sh\necho \"$1\" >>'{}/opened'\n", bin.display());
    for opener in ["xdg-open", "open"] {
        fs::write(bin.join(opener), &script).unwrap();
        fs::set_permissions(bin.join(opener), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    let open = playground
        .command(&["open", NAME])
        .env("DISPLAY", ":0")
        .env("PATH", format!("{}:{path}", bin.display()));
    let answer = crate::playground::run(&open);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""), "{}", answer.stderr);
    assert!(answer.stderr.contains("opened http://"), "{}", answer.stderr);
    assert_eq!(fs::read_to_string(bin.join("opened")).unwrap(), url);
}
