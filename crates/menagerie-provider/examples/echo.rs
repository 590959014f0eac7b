//! The program under supervision in this crate's tests: a small HTTP server that does what it is told.
//!
//! Arguments: `slow=MILLISECONDS` waits before it listens, `sick` never answers well, `fail` ends at once.
//! Paths: `/healthz`, `/pid`, `/env/NAME`, `/crash`.

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::{ExitCode, id},
    thread::sleep,
    time::Duration,
};

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program: its environment is what is tested"
)]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    println!("echo {} started with {arguments:?}", id());
    if has("fail") {
        println!("echo fails as told");
        return ExitCode::from(3);
    }
    if let Some(pause) = arguments.iter().find_map(|argument| argument.strip_prefix("slow=")) {
        sleep(Duration::from_millis(pause.parse().expect("a number of milliseconds")));
    }
    let port: u16 = env::var("PORT").ok().and_then(|port| port.parse().ok()).expect("PORT is set");
    let host = env::var("HOST").expect("HOST is set");
    let listener = TcpListener::bind((host.as_str(), port)).expect("the port is free");
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let mut request = Vec::new();
        let mut bytes = [0; 4096];
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read(&mut bytes) {
                Ok(length @ 1..) => request.extend_from_slice(&bytes[..length]),
                _ => break,
            }
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let path = text.split(' ').nth(1).unwrap_or("/").to_owned();
        let (status, body) = match path.as_str() {
            "/healthz" if has("sick") => ("500 Internal Server Error", "sick".to_owned()),
            "/healthz" => ("200 OK", "well".to_owned()),
            "/pid" => ("200 OK", id().to_string()),
            "/crash" => return ExitCode::from(7),
            path => match path.strip_prefix("/env/") {
                Some(name) => ("200 OK", env::var(name).unwrap_or_default()),
                None => ("404 Not Found", "nothing here".to_owned()),
            },
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        // At once: killed in the middle of it, no proxy could make it whole.
        let _ = stream.write_all(answer.as_bytes());
    }
    ExitCode::SUCCESS
}
