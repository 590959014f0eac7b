//! An HTTP server on loopback that gives one prepared answer after the other, and then none.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// One answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What is sent; the length in the header stays that of the whole.
    pub(crate) body: Vec<u8>,
    pub(crate) length: usize,
    pub(crate) location: Option<String>,
    /// How long it waits before the body.
    pub(crate) pause: Duration,
}

impl Answer {
    pub(crate) fn whole(body: Vec<u8>) -> Self {
        let length = body.len();
        Self { status: 200, body, length, location: None, pause: Duration::ZERO }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::whole(Vec::new()) }
    }
}

/// The server; it ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    ended: Arc<Mutex<bool>>,
}

impl Server {
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            ended: Arc::default(),
        };
        let (requests, ended) = (server.requests.clone(), server.ended.clone());
        std::thread::spawn(move || {
            let mut answers = answers.into_iter();
            for stream in listener.incoming() {
                if *ended.lock().unwrap() {
                    break;
                }
                let (stream, answer) = (stream.unwrap(), answers.next());
                let requests = requests.clone();
                std::thread::spawn(move || serve(stream, answer, &requests));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the paths that were asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn wait_for_request(&self) {
        let begin = Instant::now();
        while self.requests().is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(20), "nobody asked");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        *self.ended.lock().unwrap() = true;
        // It waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

/// A client that has gone away is no failure of the server.
fn serve(mut stream: TcpStream, answer: Option<Answer>, requests: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    requests.lock().unwrap().push(first.split(' ').nth(1).unwrap_or_default().to_owned());
    for line in lines {
        if line.is_ok_and(|line| line.is_empty()) {
            break;
        }
    }
    let Some(answer) = answer else { return };
    let location = answer.location.map(|url| format!("location: {url}\r\n")).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {} x\r\ncontent-length: {}\r\n{location}connection: close\r\n\r\n",
        answer.status, answer.length
    );
    let _ = stream.write_all(head.as_bytes());
    std::thread::sleep(answer.pause);
    let _ = stream.write_all(&answer.body);
}
