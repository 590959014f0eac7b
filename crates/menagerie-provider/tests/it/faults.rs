//! Programs that fail, ports that are taken, disks that are full, users that are others.

use crate::harness::{
    Environment, PROVIDER, body, echo_service, finish, get, has, is_root, kill, service, signal,
    until,
};
use rustix::process::Signal;
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

#[test]
fn what_crashes_is_started_again() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    let (port, first) = (environment.port(), environment.replica(0));
    let _ = get(port, "/crash");
    until("it answers again", || {
        get(port, "/pid").is_ok_and(|(code, pid)| code == 200 && pid != first.to_string())
    });
    let status = environment.status();
    assert_eq!(status["services"][0]["replicas"][0]["restarts"], 1);
    until("it is running", || environment.status()["services"][0]["status"] == "running");
    environment.plan().code(0);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn what_hangs_gets_no_connections_and_apply_replaces_it() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    let (port, first) = (environment.port(), environment.replica(0));
    signal(first, Signal::STOP);
    until("it is unhealthy", || {
        environment.status()["services"][0]["replicas"][0]["status"] == "unhealthy"
    });
    assert_eq!(get(port, "/pid").unwrap().0, 503);
    environment.plan().code(2).says(&["\"degraded\" -> \"running\""]);
    // SIGTERM waits behind SIGSTOP, so this takes the whole grace.
    environment.apply().success();
    assert_ne!(body(port, "/pid"), first.to_string());
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_program_that_is_not_there_fails_at_once() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&service("  command = [\"/nowhere/app\"]"));
    environment.apply().code(1).says(&[
        "the service `web` does not run",
        "failed to start `/nowhere/app`",
        "No such file or directory",
    ]);
    // It is in the state, so that nothing runs which Terraform does not know.
    assert_eq!(environment.attribute("menagerie_service", "status"), "degraded");
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_program_that_keeps_ending_shows_its_log() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&["fail"], ""));
    environment.apply().code(1).says(&[
        "replica 0: ended with exit status: 3",
        "the end of its log:",
        "echo fails as told",
    ]);
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    environment.plan().code(0);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_port_in_use_is_named_with_its_holder() {
    if !has("terraform") {
        return;
    }
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let environment = Environment::new();
    environment.configure(&echo_service(&[], &format!("  port = {port}")));
    let output = environment.apply().code(1);
    output.says(&[&format!("port {port} on 127.0.0.1 is in use by"), "hint: end that process"]);
    if cfg!(target_os = "linux") {
        output.says(&[&format!("(pid {})", std::process::id())]);
    }
    environment.assert_nothing_left();

    // The same for a port that was chosen once, when it is to be healed.
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    let sticky = environment.port();
    let pids = [environment.supervisor(), environment.replica(0)];
    pids.into_iter().for_each(kill);
    let mut taken = None;
    until("the port is free", || {
        taken = TcpListener::bind(("127.0.0.1", sticky)).ok();
        taken.is_some()
    });
    environment.apply().code(1).says(&[&format!("port {sticky} on 127.0.0.1 is in use by")]);
    drop(taken);
    environment.apply().success();
    assert_eq!(environment.port(), sticky);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn two_resources_of_one_name_are_a_mistake() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(
        &(echo_service(&[], "")
            + &echo_service(&[], "")
                .replace("\"menagerie_service\" \"web\"", "\"menagerie_service\" \"other\"")),
    );
    environment
        .apply()
        .code(1)
        .says(&["two resources are the service `web`", "give the other another name"]);
    environment.configure(&echo_service(&[], ""));
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_full_disk_fails_with_its_reason_and_leaves_nothing() {
    if !has("terraform") {
        return;
    }
    if !is_root() || !cfg!(target_os = "linux") {
        println!("skipped: only root mounts a small disk, on Linux");
        return;
    }
    let environment = Environment::new();
    let mounted = small_disk(&environment);
    for free in [0, 4096, 12_288] {
        let filler = environment.dir.join("filler");
        let _ = fs::remove_file(&filler);
        let used = usable(&environment) - free;
        fs::write(&filler, vec![0; usize::try_from(used).unwrap()]).unwrap();
        environment.configure(&echo_service(&[], ""));
        let output =
            environment.terraform(&["apply", "-auto-approve", "-no-color", "-input=false"]);
        if !output.status.success() {
            let text =
                format!("{}{}", output.stdout, output.stderr).replace('\n', " ").to_lowercase();
            assert!(text.contains("no space left on device"), "{text}");
        }
        // Whatever was possible, Terraform knows it.
        fs::remove_file(&filler).unwrap();
        environment.destroy().success();
        environment.assert_nothing_left();
    }
    // A disk that fills up later keeps nothing from being destroyed, supervised or not.
    for supervised in [true, false] {
        environment.apply().success();
        if !supervised {
            kill(environment.supervisor());
        }
        let filler = environment.dir.join("filler");
        fs::write(&filler, vec![0; usize::try_from(usable(&environment)).unwrap()]).unwrap();
        environment.destroy().success();
        fs::remove_file(&filler).unwrap();
        environment.assert_nothing_left();
    }
    drop(mounted);
}

/// Bytes that one more file may have.
fn usable(environment: &Environment) -> u64 {
    let found = rustix::fs::statvfs(&environment.dir).unwrap();
    found.f_bavail * found.f_bsize
}

/// Mounts 64 KiB for all that an environment has.
pub(crate) fn small_disk(environment: &Environment) -> Mounted<'_> {
    fs::create_dir(&environment.dir).unwrap();
    fs::set_permissions(&environment.dir, fs::Permissions::from_mode(0o700)).unwrap();
    let disk = environment.dir.to_str().unwrap().to_owned();
    run(environment, "mount", &["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", &disk]);
    Mounted(environment)
}

pub(crate) struct Mounted<'a>(&'a Environment);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // While the records can still be read.
        let dir = self.0.dir.to_string_lossy();
        self.0.provider(&["down", "--dir", &dir]);
        let _ = Command::new("umount").args(["--lazy", &dir]).status();
    }
}

fn run(environment: &Environment, program: &str, arguments: &[&str]) {
    let mut command = environment.command(program);
    finish(command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .success();
}

#[test]
fn another_user_is_not_heard() {
    if !has("terraform") {
        return;
    }
    if !is_root() || !has("setpriv") || !has("curl") {
        println!("skipped: only root can be another user");
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(environment.dir.join("supervisor.json")).unwrap())
            .unwrap();
    let socket = std::path::PathBuf::from(record["socket"].as_str().unwrap());
    let ask = |user: &str| {
        let mut command = environment.command("setpriv");
        command.args([
            "--reuid",
            user,
            "--regid",
            user,
            "--clear-groups",
            "curl",
            "-sS",
            "--max-time",
            "5",
            "--unix-socket",
        ]);
        command.args([socket.to_str().unwrap(), "telnet://control"]).stdin(Stdio::piped());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir("/").spawn().unwrap();
        std::io::Write::write_all(
            &mut child.stdin.take().unwrap(),
            b"{\"version\":1,\"message\":\"status\"}\n",
        )
        .ok();
        finish(child)
    };
    // The directory keeps others out …
    let refused = ask("65534");
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    // … and were it open, the supervisor would not answer.
    for path in socket.ancestors().take_while(|path| *path != std::path::Path::new("/tmp")) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    assert!(ask("0").stdout.contains("\"services\""), "root is heard");
    assert!(!ask("65534").stdout.contains("\"services\""), "another user is heard");
    // From now on the directory is not safe, and serve says so.
    let mut command = environment.command(PROVIDER);
    command
        .args(["serve", "--dir"])
        .arg(&environment.dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    finish(command.spawn().unwrap())
        .code(1)
        .says(&["error: failed to serve", "is open to others: its mode is 777, not 700"]);
    for path in socket.ancestors().skip(1).take_while(|path| *path != std::path::Path::new("/tmp"))
    {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    environment.destroy().success();
    environment.assert_nothing_left();
}
