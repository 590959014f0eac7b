//! What cannot start says why, and shows no password.

use std::net::TcpListener;

use crate::guestbook::{PROGRAM, sqlite};

#[track_caller]
fn check(variables: &[(&str, &str)], expected: &str) {
    let output = duct::cmd!(PROGRAM)
        .full_env(variables.iter().copied().chain([("MENAGERIE_ENVIRONMENT", "calm-otter")]))
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["environment"], "calm-otter", "{text}");
    let error = last["error"].as_str().unwrap();
    assert!(error.contains(expected), "`{error}` does not contain `{expected}`");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn wrong_settings() {
    let (_directory, url) = sqlite();
    let url = ("DATABASE_URL", url.as_str());
    check(&[], "DATABASE_URL is not set: give it `postgres://");
    check(&[("DATABASE_URL", "mysql://u:hunter2@h/d")], "DATABASE_URL begins neither with");
    check(&[("DATABASE_URL", "postgres://u:hunter2@[h/d")], "failed to read DATABASE_URL");
    check(&[url, ("PORT", "many")], "PORT is `many`, and not a number from 0 to 65535");
    check(&[url, ("HOST", "here")], "HOST is not an IP address");
    check(&[url, ("LOG_LEVEL", "loud")], "LOG_LEVEL is `loud`");
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (_directory, url) = sqlite();
    let expected = format!("failed to listen on `127.0.0.1:{port}`: another port");
    check(&[("DATABASE_URL", &url), ("PORT", &port)], &expected);
}

#[test]
fn a_database_out_of_reach() {
    let nowhere = "sqlite:///does/not/exist/guestbook.sqlite";
    check(&[("DATABASE_URL", nowhere), ("PORT", "0")], "its directory must exist and be writable");
    let nobody = "postgres://u:hunter2@127.0.0.1:1/d";
    check(
        &[("DATABASE_URL", nobody), ("PORT", "0")],
        "failed to connect to PostgreSQL at `127.0.0.1:1`: is it running, and is DATABASE_URL, or are PGUSER and the like, right?: error communicating with database: Connection refused",
    );
}
