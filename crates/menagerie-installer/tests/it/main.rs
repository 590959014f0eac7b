//! Against a server on this machine: what arrives whole is put in place, and nothing else.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod server;

use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use duct::Expression;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

use crate::server::{Answer, Server};

const PROGRAM: &[u8] = b"#!/bin/sh\necho it runs\n";

/// Returns an archive with these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn terraform() -> Vec<u8> {
    archive(&[("LICENSE.txt", b"a licence"), ("terraform", PROGRAM)])
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A directory to install into.
struct Place {
    directory: tempfile::TempDir,
}

struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn tools(&self) -> PathBuf {
        self.directory.path().join("tools")
    }

    fn command(&self, server: &Server, version: &str, sum: &str) -> Expression {
        let arguments =
            ["--into", self.tools().to_str().unwrap(), "--from", &server.url()].map(str::to_owned);
        let chosen = ["--terraform", version, "--sha256", sum].map(str::to_owned);
        duct::cmd(env!("CARGO_BIN_EXE_menagerie-installer"), [arguments, chosen].concat())
            .env_remove("http_proxy")
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
    }

    fn install(&self, server: &Server, version: &str, sum: &str) -> Outcome {
        run(&self.command(server, version, sum))
    }

    /// What is there, without the lock.
    fn listing(&self) -> Vec<String> {
        let entries = fs::read_dir(self.tools()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "lock")
            .collect();
        names.sort();
        names
    }

    #[track_caller]
    fn assert_runs(&self) {
        assert_eq!(duct::cmd!(self.tools().join("terraform")).read().unwrap(), "it runs");
    }
}

fn run(command: &Expression) -> Outcome {
    let output = command.run().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn what_is_verified_is_put_in_place_and_fetched_once() {
    let bytes = terraform();
    let sum = checksum(&bytes);
    let server = Server::start(vec![Answer::whole(bytes)]);
    let place = Place::new();
    let outcome = place.install(&server, "9.9.9", &sum);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(Path::new(outcome.stdout.trim()), place.tools().join("terraform"));
    assert!(outcome.stderr.contains("in place, its SHA-256 verified"), "{}", outcome.stderr);
    place.assert_runs();
    let program = place.tools().join("terraform-9.9.9");
    assert_eq!(fs::read_to_string(program.join("LICENSE.txt")).unwrap(), "a licence");
    assert_eq!(program.join("terraform").metadata().unwrap().permissions().mode() & 0o700, 0o700);

    let again = place.install(&server, "9.9.9", &sum);
    assert_eq!(again.code, Some(0));
    assert!(again.stderr.contains("was there already"), "{}", again.stderr);
    assert_eq!(place.listing(), ["terraform", "terraform-9.9.9"]);
    let platform = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].starts_with(&format!("/terraform/9.9.9/terraform_9.9.9_{platform}_")));
}

#[test]
fn another_version_takes_the_link_and_the_first_one_stays() {
    let newer = archive(&[("terraform", b"#!/bin/sh\necho newer\n")]);
    let (first, second) = (checksum(&terraform()), checksum(&newer));
    let server = Server::start(vec![Answer::whole(terraform()), Answer::whole(newer)]);
    let place = Place::new();
    assert_eq!(place.install(&server, "1.0.0", &first).code, Some(0));
    assert_eq!(place.install(&server, "2.0.0", &second).code, Some(0));
    assert_eq!(duct::cmd!(place.tools().join("terraform")).read().unwrap(), "newer");
    assert_eq!(place.listing(), ["terraform", "terraform-1.0.0", "terraform-2.0.0"]);
    // Back again, without a transfer.
    assert_eq!(place.install(&server, "1.0.0", &first).code, Some(0));
    place.assert_runs();
    assert_eq!(server.requests().len(), 2);
}

/// Nothing of what fails is put in place, and what was there before is there still.
#[track_caller]
fn check_refused(answers: Vec<Answer>, sum: &str, expected: &str) -> Vec<String> {
    let good = terraform();
    let good_sum = checksum(&good);
    let server = Server::start([vec![Answer::whole(good)], answers].concat());
    let place = Place::new();
    assert_eq!(place.install(&server, "1.0.0", &good_sum).code, Some(0));
    let outcome = place.install(&server, "2.0.0", sum);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "");
    assert_eq!(place.listing(), ["terraform", "terraform-1.0.0"]);
    place.assert_runs();
    server.requests()
}

#[test]
fn another_file_is_refused() {
    let sum = checksum(b"what somebody vouched for");
    check_refused(vec![Answer::whole(terraform())], &sum, "the archive's SHA-256 is ");
}

#[test]
fn the_pin_refuses_what_a_mirror_made_up() {
    let server = Server::start(vec![Answer::whole(terraform())]);
    let place = Place::new();
    let outcome = run(&duct::cmd!(
        env!("CARGO_BIN_EXE_menagerie-installer"),
        "--into",
        place.tools(),
        "--from",
        server.url()
    )
    .stdout_capture()
    .stderr_capture()
    .unchecked());
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("hint: nothing was put in place"), "{}", outcome.stderr);
    assert_eq!(place.listing(), [""; 0]);
}

#[test]
fn a_transfer_that_is_cut_short_is_refused() {
    let bytes = terraform();
    let sum = checksum(&bytes);
    let cut = Answer { body: bytes[..bytes.len() / 2].to_vec(), ..Answer::whole(bytes) };
    check_refused(vec![cut], &sum, "failed to fetch `");
}

#[test]
fn what_is_not_there_is_said() {
    let requests = check_refused(
        vec![Answer::status(404)],
        &checksum(b""),
        "see whether this version exists there",
    );
    assert_eq!(requests.len(), 2, "there is no use in asking again");
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let bytes = terraform();
    let sum = checksum(&bytes);
    let server = Server::start(vec![Answer::status(503), Answer::whole(bytes)]);
    let place = Place::new();
    let outcome = place.install(&server, "9.9.9", &sum);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    place.assert_runs();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn nobody_there_is_said() {
    let server = Server::start(vec![]);
    let place = Place::new();
    let nowhere = "http://127.0.0.1:1";
    let outcome = run(&duct::cmd!(
        env!("CARGO_BIN_EXE_menagerie-installer"),
        "--into",
        place.tools(),
        "--from",
        nowhere
    )
    .stdout_capture()
    .stderr_capture()
    .unchecked());
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("hint: behind a proxy"), "{}", outcome.stderr);
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn an_archive_without_the_program_is_refused() {
    let bytes = archive(&[("README", b"nothing"), ("bin/terraform", PROGRAM)]);
    let sum = checksum(&bytes);
    check_refused(vec![Answer::whole(bytes)], &sum, "the archive holds no program `terraform`");
    let sum = checksum(b"no archive at all");
    check_refused(
        vec![Answer::whole(b"no archive at all".to_vec())],
        &sum,
        "failed to unpack the archive",
    );
}

#[test]
fn a_redirect_stays_with_what_was_agreed_on() {
    let redirect =
        Answer { location: Some("file:///etc/passwd".to_owned()), ..Answer::status(302) };
    check_refused(vec![redirect], &checksum(b""), "failed to fetch `");
}

#[test]
fn two_at_once_fetch_it_once() {
    let bytes = terraform();
    let sum = checksum(&bytes);
    let slow = Answer { pause: Duration::from_millis(300), ..Answer::whole(bytes) };
    let server = Server::start(vec![slow]);
    let place = Place::new();
    let command = place.command(&server, "9.9.9", &sum);
    let both = [command.start().unwrap(), command.start().unwrap()];
    for handle in both {
        let output = handle.wait().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(server.requests().len(), 1);
    place.assert_runs();
}

#[test]
fn what_a_killed_run_left_is_cleared_away() {
    let bytes = terraform();
    let sum = checksum(&bytes);
    let slow = Answer { pause: Duration::from_secs(20), ..Answer::whole(bytes.clone()) };
    let server = Server::start(vec![slow, Answer::whole(bytes)]);
    let place = Place::new();
    let killed = place.command(&server, "9.9.9", &sum).start().unwrap();
    server.wait_for_request();
    killed.kill().unwrap();
    assert!(place.listing().iter().any(|name| name.starts_with(".fetching-")));
    let outcome = place.install(&server, "9.9.9", &sum);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(place.listing(), ["terraform", "terraform-9.9.9"]);
    place.assert_runs();
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let server = Server::start(vec![]);
    let place = Place::new();
    fs::write(place.tools(), "a file").unwrap();
    let outcome = place.install(&server, "9.9.9", &checksum(b""));
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.starts_with("error: failed to create `"), "{}", outcome.stderr);
}

#[test]
fn a_version_without_its_checksum_is_wrong_usage() {
    let outcome = run(&duct::cmd!(
        env!("CARGO_BIN_EXE_menagerie-installer"),
        "--into",
        "x",
        "--terraform",
        "1.2.3"
    )
    .stdout_capture()
    .stderr_capture()
    .unchecked());
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("--sha256"), "{}", outcome.stderr);
}
