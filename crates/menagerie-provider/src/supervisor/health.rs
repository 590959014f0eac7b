//! Asks a replica how it is: one HTTP request, any 2xx is well.

use std::{io, net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// A slower answer is no answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns `Ok` when the replica is well, else what it answered.
pub(super) async fn check(port: u16, path: &str) -> Result<(), String> {
    match timeout(PATIENCE, status(port, path)).await {
        Ok(Ok(200..=299)) => Ok(()),
        Ok(Ok(status)) => Err(format!("`{path}` answers {status}")),
        Ok(Err(error)) => Err(format!("`{path}` does not answer: {error}")),
        Err(_) => Err(format!("`{path}` does not answer within {} s", PATIENCE.as_secs())),
    }
}

async fn status(port: u16, path: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: menagerie\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    // The status line is all that matters: "HTTP/1.1 200".
    while head.len() < 12 && stream.read_buf(&mut head).await? > 0 {}
    parse(&head).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

fn parse(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.1 ").or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], expected: Option<u16>) {
        assert_eq!(parse(head), expected);
    }

    #[test]
    fn status_lines() {
        check(b"HTTP/1.1 200 OK\r\n", Some(200));
        check(b"HTTP/1.0 503", Some(503));
        check(b"HTTP/1.1 2", None);
        check(b"SSH-2.0-x\r\n", None);
        check(b"", None);
    }
}
