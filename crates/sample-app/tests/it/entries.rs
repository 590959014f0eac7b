//! What is written, read and refused.

use std::thread::scope;

use serde_json::json;

use crate::guestbook::{Guestbook, sqlite};

#[test]
fn the_page_shows_what_was_written_as_text() {
    let (_directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    let page = guestbook.get("/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<strong>calm-otter</strong>"), "{page:?}");
    assert!(page.body.contains("Nobody has written yet"), "{page:?}");
    let written = guestbook.post_form("name=Ada&message=%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert_eq!(written.status, 303);
    assert!(written.head.contains("\r\nlocation: /"), "{written:?}");
    let page = guestbook.get("/");
    assert!(page.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page:?}");
    assert!(!page.body.contains("<script"), "{page:?}");
    assert!(page.head.contains("content-security-policy: default-src 'none';"), "{page:?}");
}

#[test]
fn entries_come_back_the_newest_first_after_a_restart() {
    let (_directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    for message in ["first", "second", "third"] {
        let written = guestbook.post(&json!({ "name": " Ada ", "message": message }));
        assert_eq!(written.status, 201);
        let row = written.json();
        assert_eq!((&row["name"], &row["message"]), (&json!("Ada"), &json!(message)));
        assert!(row["id"].is_i64() && row["written"].is_string(), "{row}");
    }
    assert_eq!(guestbook.end(), Some(0));
    let again = Guestbook::start(&url);
    let entries = again.get("/entries?limit=2").json();
    assert_eq!(entries.as_array().unwrap().len(), 2);
    assert_eq!(
        (&entries[0]["message"], &entries[1]["message"]),
        (&json!("third"), &json!("second"))
    );
    let page = again.get("/").body;
    assert!(page.find("third").unwrap() < page.find("first").unwrap(), "{page}");
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    let (_directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    let (longest, long) = ("ü".repeat(2000), "x".repeat(2001));
    for (name, message, expected) in [
        (" ", "hello", "`name` is empty"),
        ("Ada", "", "`message` is empty"),
        ("Ada", &long, "`message` has 2001 characters, and 2000 is the most"),
        ("A\u{0}", "hello", "`name` holds a null character"),
    ] {
        let answer = guestbook.post(&json!({ "name": name, "message": message }));
        assert_eq!((answer.status, answer.json()), (422, json!({ "error": expected })));
    }
    let big = json!({ "name": "Ada", "message": "x".repeat(70_000) });
    let json = "Content-Type: application/json\r\n";
    for (answer, status) in [
        (guestbook.ask("POST /entries", json, "{"), 400),
        (guestbook.ask("POST /entries", json, "{}"), 422),
        (guestbook.post_form("name=Ada"), 422),
        (guestbook.ask("POST /entries", "Content-Type: text/plain\r\n", "hello"), 415),
        (guestbook.post(&big), 413),
        (guestbook.get("/entries?limit=many"), 400),
        (guestbook.get("/nothing"), 404),
        (guestbook.ask("DELETE /entries", "", ""), 405),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(!answer.json()["error"].as_str().unwrap().is_empty(), "{answer:?}");
    }
    assert_eq!(guestbook.get("/entries").json(), json!([]));
    let most = guestbook.post(&json!({ "name": "Ada", "message": longest }));
    assert_eq!(most.status, 201);
    // The page counts a line break as one character, and its form sends two.
    let lines = guestbook.post_form(&format!("name=Ada&message=x{}x", "%0D%0A".repeat(1998)));
    assert_eq!(lines.status, 303);
    assert_eq!(guestbook.get("/entries").json()[0]["message"], format!("x{}x", "\n".repeat(1998)));
}

#[test]
fn a_refused_form_is_shown_again_with_what_was_written() {
    let (_directory, url) = sqlite();
    let guestbook = Guestbook::start(&url);
    let page = guestbook.post_form("name=+&message=%3C%2Ftextarea%3Elong+thoughts");
    assert_eq!(page.status, 422);
    assert!(page.body.contains("role=\"alert\">Not written: `name` is empty."), "{page:?}");
    assert!(page.body.contains("\n&lt;/textarea&gt;long thoughts</textarea>"), "{page:?}");
}

#[test]
fn many_write_at_once_through_replicas_that_start_at_once() {
    let (_directory, url) = sqlite();
    let replicas = scope(|scope| {
        let starting = [(); 6].map(|()| scope.spawn(|| Guestbook::start(&url)));
        starting.map(|replica| replica.join().unwrap())
    });
    scope(|scope| {
        for replica in &replicas {
            for _ in 0..5 {
                scope.spawn(|| {
                    let answer = replica.post(&json!({ "name": "Ada", "message": "hello" }));
                    assert_eq!(answer.status, 201, "{answer:?}");
                });
            }
        }
    });
    for replica in &replicas {
        assert_eq!(replica.get("/entries").json().as_array().unwrap().len(), 30);
    }
}
