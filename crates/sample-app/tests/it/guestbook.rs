//! Starts the application, asks it over HTTP, and reads its log.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use duct::unix::HandleExt as _;
use serde_json::{Value, json};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_sample-app");
pub(crate) const SIGTERM: i32 = 15;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running application; it is killed with the test, if that has not ended it.
pub(crate) struct Guestbook {
    pub(crate) handle: duct::Handle,
    pub(crate) address: String,
    log: Log,
}

/// The lines of a log, as they come.
pub(crate) struct Log(Mutex<Receiver<Value>>);

impl Guestbook {
    pub(crate) fn start(url: &str) -> Self {
        Self::start_with(url, &[])
    }

    /// Starts it with further environment variables, and waits until it listens.
    pub(crate) fn start_with(url: &str, variables: &[(&str, &str)]) -> Self {
        let (handle, log) = launch(url, variables);
        let address = log.next("listening")["address"].as_str().unwrap().to_owned();
        Self { handle, address, log }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "", "")
    }

    pub(crate) fn post(&self, body: &Value) -> Answer {
        self.ask("POST /entries", "Content-Type: application/json\r\n", &body.to_string())
    }

    pub(crate) fn post_form(&self, form: &str) -> Answer {
        self.ask("POST /entries", "Content-Type: application/x-www-form-urlencoded\r\n", form)
    }

    pub(crate) fn ask(&self, request: &str, headers: &str, body: &str) -> Answer {
        let mut stream = self.connect(request, headers, body.len());
        stream.write_all(body.as_bytes()).unwrap();
        Answer::read(stream)
    }

    /// Sends a request without its body.
    pub(crate) fn connect(&self, request: &str, headers: &str, length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    #[track_caller]
    pub(crate) fn next(&self, message: &str) -> Value {
        self.log.next(message)
    }

    /// Returns a metric's value.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str, labels: &str) -> u64 {
        let name = format!("{name}{{environment=\"calm-otter\"{labels}}} ");
        let metrics = self.get("/metrics").body;
        let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("no `{name}` in {metrics}")).parse().unwrap()
    }

    /// Asks it to end, and returns its exit code.
    pub(crate) fn end(&self) -> Option<i32> {
        self.handle.send_signal(SIGTERM).unwrap();
        self.handle.wait().unwrap().status.code()
    }
}

impl Drop for Guestbook {
    fn drop(&mut self) {
        let _ = self.handle.kill();
    }
}

/// Starts the application, and does not wait for it.
pub(crate) fn launch(url: &str, variables: &[(&str, &str)]) -> (duct::Handle, Log) {
    let (output, input) = std::io::pipe().unwrap();
    let mut environment =
        vec![("PORT", "0"), ("DATABASE_URL", url), ("MENAGERIE_ENVIRONMENT", "calm-otter")];
    environment.extend(variables);
    let handle = duct::cmd!(PROGRAM)
        .full_env(environment)
        .stdin_null()
        .stdout_file(input)
        .unchecked()
        .start()
        .unwrap();
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let line = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "not JSON": line }));
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    (handle, Log(Mutex::new(lines)))
}

impl Log {
    /// Returns the next line with this message.
    #[track_caller]
    pub(crate) fn next(&self, message: &str) -> Value {
        let lines = self.0.lock().unwrap();
        loop {
            let Ok(line) = lines.recv_timeout(PATIENCE) else { panic!("no line `{message}`") };
            assert_eq!(line["environment"], "calm-otter", "{line}");
            assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
            if line["message"] == message {
                return line;
            }
        }
    }
}

/// What was answered to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("`{text}`"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// Asks again and again, for a change that is on its way.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the URL of an SQLite database that does not exist yet.
pub(crate) fn sqlite() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/guestbook.sqlite", directory.path().display());
    (directory, url)
}
