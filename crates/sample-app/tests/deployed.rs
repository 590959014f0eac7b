//! Tests of a guestbook that runs somewhere already: what `cargo xtask env test NAME` runs, as `menagerie.toml` says.

use serde_json::{Value, json};
use ureq::Agent;

/// A guestbook that others may use at the same time.
struct Deployed {
    url: String,
    agent: Agent,
}

impl Deployed {
    #[expect(clippy::disallowed_methods, reason = "tests have no other way to be told")]
    fn new() -> Self {
        let url = std::env::var("MENAGERIE_URL");
        let url = url.expect("`cargo xtask env test NAME` sets MENAGERIE_URL to what is tested");
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .build();
        let agent = Agent::new_with_config(config);
        Self { url: url.trim_end_matches('/').to_owned(), agent }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call().expect("it answers");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("it is text"))
    }

    fn post(&self, content_type: &str, body: &str) -> (u16, String) {
        let request = self.agent.post(format!("{}/entries", self.url));
        let sent = request.header("content-type", content_type).send(body);
        let mut answer = sent.expect("it answers");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("it is text"))
    }
}

/// Returns a text that no other run writes.
fn unique() -> String {
    format!("{:.9} by {}", jiff::Timestamp::now(), std::process::id())
}

#[test]
#[ignore = "it needs a deployed environment: `cargo xtask env test NAME`"]
fn what_is_written_is_on_the_page_and_the_newest_entry() {
    let guestbook = Deployed::new();
    let message = unique();
    let entry = json!({ "name": "deployed", "message": message }).to_string();
    let (status, answer) = guestbook.post("application/json", &entry);
    assert_eq!(status, 201, "{answer}");
    let written: Value = serde_json::from_str(&answer).expect("it is JSON");
    let (status, entries) = guestbook.get("/entries?limit=100");
    assert_eq!(status, 200, "{entries}");
    let entries: Vec<Value> = serde_json::from_str(&entries).expect("it is JSON");
    assert!(entries.contains(&written), "{written} is not in {entries:?}");
    let (status, page) = guestbook.get("/");
    assert_eq!(status, 200);
    assert!(page.contains(&message), "`{message}` is not on the page");
}

#[test]
#[ignore = "it needs a deployed environment: `cargo xtask env test NAME`"]
fn a_form_leads_back_to_the_page_and_markup_stays_text() {
    let guestbook = Deployed::new();
    let form = "name=deployed&message=%3Cb%3Enot+bold%3C%2Fb%3E";
    let (status, answer) = guestbook.post("application/x-www-form-urlencoded", form);
    assert_eq!(status, 303, "{answer}");
    let (_, page) = guestbook.get("/");
    assert!(page.contains("&lt;b&gt;not bold&lt;/b&gt;"), "{page}");
    assert!(!page.contains("<b>not bold"), "{page}");
}

#[test]
#[ignore = "it needs a deployed environment: `cargo xtask env test NAME`"]
fn what_it_refuses_it_explains() {
    let guestbook = Deployed::new();
    let (status, answer) = guestbook.post("application/json", r#"{"name": "", "message": "x"}"#);
    assert_eq!(status, 422, "{answer}");
    assert!(answer.contains("`name` is empty"), "{answer}");
}
