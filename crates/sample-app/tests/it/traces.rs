//! Traces, with a collector that takes them, and with some that do not.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::guestbook::{Guestbook, PATIENCE, sqlite, until};

/// Takes one request, and returns its head and body.
fn receive(collector: &TcpListener) -> (String, Value) {
    // Not for ever, if nobody comes.
    collector.set_nonblocking(true).unwrap();
    let mut accepted = None;
    until("the application sends its spans", || {
        accepted = collector.accept().ok();
        accepted.is_some()
    });
    let (mut stream, _) = accepted.unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
            return (head.to_lowercase(), body);
        }
        let read = stream.read(&mut chunk).unwrap();
        assert_ne!(read, 0, "it ends within: {text}");
        bytes.extend_from_slice(&chunk[..read]);
    }
}

/// Returns the value of an attribute.
fn attribute<'a>(of: &'a Value, key: &str) -> &'a Value {
    let attributes = of["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    let value = found.unwrap_or_else(|| panic!("no `{key}` in {of}"))["value"].as_object().unwrap();
    value.values().next().unwrap()
}

#[test]
fn a_trace_goes_on_in_the_collector() {
    let (_directory, url) = sqlite();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", collector.local_addr().unwrap());
    // A collector beside the application is asked directly, whatever proxy the rest of the machine goes through.
    let proxy = ("HTTP_PROXY", "http://127.0.0.1:1");
    let guestbook =
        Guestbook::start_with(&url, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), proxy]);
    let parent = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
    // Both spans come in one request, or each in one.
    let mut spans = Vec::new();
    assert_eq!(guestbook.ask("GET /entries?limit=5", parent, "").status, 200);
    while spans.len() < 2 {
        let (head, body) = receive(&collector);
        assert!(head.starts_with("post /v1/traces "), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let resource = &body["resourceSpans"][0]["resource"];
        assert_eq!(attribute(resource, "service.name"), "sample-app");
        assert_eq!(attribute(resource, "deployment.environment.name"), "calm-otter");
        let sent = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans.extend(sent.as_array().unwrap().clone());
    }
    let span = |name: &str| spans.iter().find(|span| span["name"] == name).unwrap();
    let (server, client) = (span("GET /entries"), span("SELECT entry"));
    for span in [server, client] {
        assert_eq!(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let time = |key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"), "{span}");
    }
    assert_eq!((&server["parentSpanId"], &server["kind"]), (&"00f067aa0ba902b7".into(), &2.into()));
    assert_eq!((&client["parentSpanId"], &client["kind"]), (&server["spanId"], &3.into()));
    assert_eq!(attribute(server, "http.response.status_code"), "200");
    assert_eq!(
        (attribute(server, "url.scheme"), attribute(server, "url.path")),
        (&"http".into(), &"/entries".into())
    );
    assert_eq!(attribute(client, "db.system.name"), "sqlite");
    // The log leads to the trace.
    assert_eq!(guestbook.next("request")["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[test]
fn a_trace_that_its_caller_does_not_record_is_not_sent() {
    let (_directory, url) = sqlite();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let guestbook = Guestbook::start_with(&url, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let parent = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n";
    assert_eq!(guestbook.ask("GET /entries", parent, "").status, 200);
    // The log has its name all the same.
    assert_eq!(guestbook.next("request")["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    // What is sent is sent in order: the spans before this one would come before it, or with it.
    assert_eq!(guestbook.get("/nothing").status, 404);
    let (_, body) = receive(&collector);
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let names: Vec<_> = spans.iter().map(|span| &span["name"]).collect();
    assert_eq!(names, ["GET unmatched"]);
}

#[test]
fn the_last_spans_are_sent_before_the_end() {
    let (_directory, url) = sqlite();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let guestbook = Guestbook::start_with(&url, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let receiver = std::thread::spawn(move || receive(&collector));
    assert_eq!(guestbook.get("/nothing").status, 404);
    assert_eq!(guestbook.end(), Some(0));
    // What was not sent by now never will be: the collector's end of the connection would say so.
    let (_, body) = receiver.join().unwrap();
    assert_eq!(body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"], "GET unmatched");
}

#[test]
fn a_collector_that_never_answers_holds_nothing_up() {
    let (_directory, url) = sqlite();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let guestbook = Guestbook::start_with(&url, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    for _ in 0..20 {
        assert_eq!(guestbook.get("/").status, 200);
    }
    assert_eq!(guestbook.end(), Some(0));
}

#[test]
fn a_collector_that_is_not_there_is_told_once() {
    let (_directory, url) = sqlite();
    // Nothing listens on port 1.
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let guestbook = Guestbook::start_with(&url, &[endpoint]);
    assert_eq!(guestbook.get("/").status, 200);
    let told = guestbook.next("traces are lost: the collector does not take them");
    assert_eq!(told["url"], "http://127.0.0.1:1/v1/traces");
    assert_eq!(guestbook.get("/").status, 200);
    assert_eq!(guestbook.end(), Some(0));
}
