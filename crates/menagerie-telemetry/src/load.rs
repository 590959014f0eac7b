//! Load for a comparison: a closed loop over one connection to each server, for this machine only.
//!
//! *Closed* means that the next request is sent once the one before it is answered, so that the load follows the server: one
//! that stalls is asked less meanwhile. What users who come at a rate of their own would have sent during the stall is
//! missing from what is measured, which is called coordinated omission. Percentiles of a closed loop are therefore those of
//! the requests that were sent, and no forecast for users. To compare two servers it is the right loop: they never work at the
//! same time, none is asked to do more than it can, and no queue builds up that would magnify a difference.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::Uri;

use crate::comparison::{Servers, Side, Stop};

/// How long an answer may take; longer is a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where load may go: a path of a server on this machine's loopback.
#[derive(Clone, Debug)]
pub struct Target(Uri);

/// Load may not go there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is no URL of HTTP.
    #[error("`{}` is no URL of the form `http://127.0.0.1:8080/path`", .0.escape_debug())]
    Form(String),
    /// It leads elsewhere: load on what others run is an attack, and over a network it measures the network.
    #[error("`{}` is not on this machine's loopback", .0.escape_debug())]
    Elsewhere(String),
}

impl Target {
    /// Takes the base URL of a server and a path on it, with or without a query.
    ///
    /// The host is a loopback address or `localhost`, which becomes 127.0.0.1: a name can lead anywhere.
    pub fn new(base: &str, path: &str) -> Result<Self, TargetError> {
        let text = format!("{}{path}", base.trim_end_matches('/'));
        let form = || TargetError::Form(text.clone());
        let uri: Uri = text.parse().map_err(|_| form())?;
        let host = uri.host().ok_or_else(form)?;
        let is_plain = uri.scheme_str() == Some("http")
            && !uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if !is_plain || !path.starts_with('/') {
            return Err(form());
        }
        if host.eq_ignore_ascii_case("localhost") {
            let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
            return Self::new(&format!("http://127.0.0.1{port}"), path);
        }
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if address.is_ok_and(|address| address.is_loopback()) {
            Ok(Self(uri))
        } else {
            Err(TargetError::Elsewhere(text))
        }
    }
}

/// Asks one server, one request after the other, over a connection that stays open.
pub struct Client {
    target: Target,
    agent: Agent,
}

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was answered with a status below 400.
    Answered {
        /// How long it took from before it was sent until the last byte of the body was there.
        took: Duration,
        /// How long the body is.
        bytes: u64,
    },
    /// It was not answered, or with a status of 400 or more; and why.
    Failed(String),
}

impl Client {
    /// Makes a client, which connects with its first request.
    pub fn new(target: Target) -> Self {
        Self { target, agent: agent() }
    }

    /// Closes the connection, so that the next request may reach another replica.
    pub fn reconnect(&mut self) {
        self.agent = agent();
    }

    /// Sends one request and takes the whole answer. A redirect is an answer, and is not followed.
    pub fn ask(&self) -> Answer {
        let start = Instant::now();
        let asked = self.agent.get(&self.target.0).call().map_err(|error| error.to_string());
        let read = asked.and_then(|mut response| {
            let body = io::copy(&mut response.body_mut().as_reader(), &mut io::sink());
            let bytes = body.map_err(|error| error.to_string())?;
            Ok((response.status().as_u16(), bytes))
        });
        match read {
            Ok((400.., _)) | Err(_) => Answer::Failed(match read {
                Ok((status, _)) => format!("it answered {status}"),
                Err(error) => error,
            }),
            Ok((_, bytes)) => Answer::Answered { took: start.elapsed(), bytes },
        }
    }
}

/// Two servers to compare, for as long as there is time and somebody waits.
pub struct Pair {
    a: Client,
    b: Client,
    deadline: Instant,
    is_interrupted: Arc<AtomicBool>,
}

impl Pair {
    /// Makes a pair of which no request is sent after the deadline, or after the flag was set.
    pub fn new(a: Target, b: Target, deadline: Instant, is_interrupted: Arc<AtomicBool>) -> Self {
        Self { a: Client::new(a), b: Client::new(b), deadline, is_interrupted }
    }
}

impl Servers for Pair {
    fn reconnect(&mut self) {
        self.a.reconnect();
        self.b.reconnect();
    }

    fn ask(&mut self, side: Side) -> Result<Answer, Stop> {
        let client = match side {
            Side::A => &self.a,
            Side::B => &self.b,
        };
        let answer = client.ask();
        // Asked afterwards: what was interrupted meanwhile, or came too late, is not counted.
        if self.is_interrupted.load(Ordering::Relaxed) {
            Err(Stop::Interrupted)
        } else if Instant::now() > self.deadline {
            Err(Stop::TimeUp)
        } else {
            Ok(answer)
        }
    }
}

/// Returns an agent that goes through no proxy, since none leads to this machine, and follows nobody elsewhere.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent("menagerie-load")
        .build();
    Agent::new_with_config(config)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::AtomicU32;

    use super::*;

    /// A server that answers each request of each connection with this status line, as long as the test runs; and a count of
    /// its connections.
    fn serve(status: &'static str) -> (String, Arc<AtomicU32>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    while let Some(Ok(line)) = lines.next() {
                        if line.is_empty() {
                            let answer =
                                format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\nhello");
                            stream.write_all(answer.as_bytes()).unwrap();
                        }
                    }
                });
            }
        });
        (url, connections)
    }

    #[track_caller]
    fn check(base: &str, path: &str, expected: &str) {
        let text = match Target::new(base, path) {
            Ok(target) => target.0.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn only_this_machine_is_asked() {
        check("http://127.0.0.1:80/", "/a?b=c", "http://127.0.0.1:80/a?b=c");
        check("http://127.8.8.8", "/", "http://127.8.8.8/");
        check("http://[::1]:8080", "/", "http://[::1]:8080/");
        check("http://LOCALHOST:8080", "/", "http://127.0.0.1:8080/");
        let elsewhere = |url: &str| format!("`{url}` is not on this machine's loopback");
        check("http://192.0.2.1", "/", &elsewhere("http://192.0.2.1/"));
        check("http://localhost.example.com", "/", &elsewhere("http://localhost.example.com/"));
        check("http://127.0.0.1.example.com", "/", &elsewhere("http://127.0.0.1.example.com/"));
        let form =
            |url: &str| format!("`{url}` is no URL of the form `http://127.0.0.1:8080/path`");
        check("https://127.0.0.1", "/", &form("https://127.0.0.1/"));
        check("http://127.0.0.1@example.com", "/", &form("http://127.0.0.1@example.com/"));
        check("http://127.0.0.1", "@example.com", &form("http://127.0.0.1@example.com"));
        check("http://127.0.0.1:80", "80/", &form("http://127.0.0.1:8080/"));
        check("127.0.0.1", "/", &form("127.0.0.1/"));
        check(
            "http://127.0.0.1",
            "/ä\n",
            "`http://127.0.0.1/ä\\n` is no URL of the form `http://127.0.0.1:8080/path`",
        );
    }

    /// Asks one server so often, and returns the answers without their times.
    fn ask(url: &str, times: usize) -> Vec<Result<u64, String>> {
        let client = Client::new(Target::new(url, "/").unwrap());
        let ask = || match client.ask() {
            Answer::Answered { bytes, .. } => Ok(bytes),
            Answer::Failed(why) => Err(why),
        };
        (0..times).map(|_| ask()).collect()
    }

    #[test]
    fn one_connection_answers_many_requests() {
        let (url, connections) = serve("200 OK");
        let mut client = Client::new(Target::new(&url, "/").unwrap());
        for _ in 0..3 {
            client.reconnect();
            for _ in 0..20 {
                assert!(matches!(client.ask(), Answer::Answered { bytes: 5, .. }));
            }
        }
        assert_eq!(connections.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn what_fails_is_not_fast() {
        assert_eq!(ask(&serve("201 Created").0, 1), [Ok(5)]);
        let (unavailable, _) = serve("503 Service Unavailable");
        assert_eq!(ask(&unavailable, 2), vec![Err("it answered 503".to_owned()); 2]);
        assert_eq!(ask(&serve("404 Not Found").0, 1), [Err("it answered 404".to_owned())]);
        let (redirect, _) = serve("302 Found\r\nLocation: http://192.0.2.1/");
        assert_eq!(ask(&redirect, 1), [Ok(5)]);
        // Nothing listens on port 1.
        assert!(ask("http://127.0.0.1:1", 1)[0].is_err());
    }
}
