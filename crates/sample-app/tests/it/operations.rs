//! Health, metrics, the log, and the end.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;

use duct::unix::HandleExt as _;
use serde_json::json;

use crate::guestbook::{Answer, Guestbook, SIGTERM, launch, sqlite, until};

const SIGINT: i32 = 2;

#[test]
fn requests_are_counted_and_logged() {
    let (_directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    assert_eq!(guestbook.get("/healthz").status, 200);
    assert_eq!(guestbook.get("/readyz").status, 200);
    assert_eq!(guestbook.post(&json!({ "name": "Ada", "message": "hello" })).status, 201);
    assert_eq!(guestbook.get("/wp-login.php").status, 404);
    assert_eq!(guestbook.ask("BREW /entries", "", "").status, 405);
    // Probes are not worth a line.
    let line = guestbook.next("request");
    assert_eq!(
        (&line["method"], &line["route"], &line["status"], &line["level"]),
        (&json!("POST"), &json!("/entries"), &json!(201), &json!("info"))
    );
    assert!(line["duration_ms"].is_f64(), "{line}");
    assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);

    let metrics = guestbook.get("/metrics");
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{metrics:?}");
    let requests = |method: &str, route: &str, status: u16| {
        let labels = format!(",method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        guestbook.metric("http_requests_total", &labels)
    };
    assert_eq!(requests("POST", "/entries", 201), 1);
    // Neither a path nor a method of a stranger's choice becomes a label.
    assert_eq!(requests("GET", "unmatched", 404), 1);
    assert_eq!(requests("OTHER", "/entries", 405), 1);
    let labels = ",method=\"POST\",route=\"/entries\"";
    assert_eq!(guestbook.metric("http_request_duration_seconds_count", labels), 1);
    assert_eq!(guestbook.metric("guestbook_entries_written_total", ""), 1);
    // The one that asks.
    assert_eq!(guestbook.metric("http_requests_in_flight", ""), 1);
}

#[test]
fn a_client_that_goes_away_is_not_in_flight_for_ever() {
    let (_directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    let waiting = guestbook.connect("POST /entries", "Content-Type: application/json\r\n", 10);
    until("in flight", || guestbook.metric("http_requests_in_flight", "") == 2);
    drop(waiting);
    until("gone", || guestbook.metric("http_requests_in_flight", "") == 1);
}

#[test]
fn a_file_that_was_removed_is_not_written_to() {
    let (directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    let post = |message: &str| guestbook.post(&json!({ "name": "Ada", "message": message })).status;
    assert_eq!(post("before"), 201);
    for entry in fs::read_dir(directory.path()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert_eq!((guestbook.get("/readyz").status, post("meanwhile")), (503, 503));
    // What stands in its place begins anew.
    fs::write(directory.path().join("guestbook.sqlite"), "").unwrap();
    assert_eq!((guestbook.get("/readyz").status, post("after")), (200, 201));
    let entries = Guestbook::start(&url).get("/entries").json();
    assert_eq!((entries.as_array().unwrap().len(), &entries[0]["message"]), (1, &json!("after")));
}

#[test]
fn a_request_in_flight_is_finished_and_no_more_are_wanted() {
    let (_directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    let body = json!({ "name": "Ada", "message": "just in time" }).to_string();
    let json = "Content-Type: application/json\r\n";
    let mut waiting = guestbook.connect("POST /entries", json, body.len());
    until("in flight", || guestbook.metric("http_requests_in_flight", "") == 2);
    // A question that began before the end is answered too.
    let mut probe = TcpStream::connect(&guestbook.address).unwrap();
    probe.write_all(b"GET /readyz HTTP/1.1\r\n").unwrap();
    for _ in 0..20 {
        assert_eq!(guestbook.get("/readyz").status, 200);
    }
    guestbook.handle.send_signal(SIGTERM).unwrap();
    assert_eq!(guestbook.next("ending: finishing what is in flight")["signal"], "SIGTERM");
    until("the door is closed", || TcpStream::connect(&guestbook.address).is_err());
    probe.write_all(b"Host: test\r\n\r\n").unwrap();
    let ready = Answer::read(probe);
    assert_eq!((ready.status, ready.json()), (503, json!({ "error": "ending" })));
    waiting.write_all(body.as_bytes()).unwrap();
    assert_eq!(Answer::read(waiting).status, 201);
    guestbook.next("ended");
    assert_eq!(guestbook.handle.wait().unwrap().status.code(), Some(0));
}

#[test]
fn a_request_that_never_finishes_does_not_hold_up_the_end() {
    let (_directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    let _waiting = guestbook.connect("POST /entries", "Content-Type: application/json\r\n", 10);
    until("in flight", || guestbook.metric("http_requests_in_flight", "") == 2);
    assert_eq!(guestbook.end(), Some(0));
    assert_eq!(guestbook.next("requests were still in flight")["in_flight"], 1);
}

#[test]
fn an_interrupt_ends_it_even_while_it_waits_for_the_database() {
    // Nothing listens on port 1.
    let (handle, log) = launch("postgres://guest@127.0.0.1:1/guestbook", &[]);
    log.next("waiting for the database");
    handle.send_signal(SIGINT).unwrap();
    assert_eq!(log.next("ended before the database answered")["signal"], "SIGINT");
    assert_eq!(handle.wait().unwrap().status.code(), Some(0));
}
